// The piano roll by keyboard; what was done is said for those who do not see it.

/** @import {Roll} from "./roll.js" */
import { added, moved, snapped, stretched } from "./clip.js";
import { copy, cut, duplicate, paste } from "./roll_clipboard.js";
import { toggleInLane } from "./roll_lane.js";
import { louder } from "./roll_velocity.js";
import { HIGHEST, keyOf, lengthOf, LOWEST, pitchName, placeName, valueName } from "./music.js";

/** @param {Roll} roll @param {KeyboardEvent} event */
export function pressKey(roll, event) {
  if (event.target !== roll.host) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a") {
    event.preventDefault();
    roll.choose(roll.melody.notes);
    sayWhere(roll);
    return;
  }
  const own = event.altKey ? null : clipboard[event.key.toLowerCase()];
  if ((event.ctrlKey || event.metaKey) && own) {
    event.preventDefault();
    own(roll);
    return;
  }
  if (event.altKey && !event.ctrlKey && roll.chosen.size && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
    event.preventDefault();
    louder(roll, event.key === "ArrowUp" ? 4 : -4, joins(roll));
    const [note] = roll.chosen;
    if (note) roll.hooks.said(`Velocity ${note.velocity}`);
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { shiftKey } = event;
  const keys = /** @type {Record<string, () => void>} */ ({
    ArrowLeft: () => (shiftKey ? lengthen(roll, -roll.snap) : nudge(roll, -roll.snap, 0)),
    ArrowRight: () => (shiftKey ? lengthen(roll, roll.snap) : nudge(roll, roll.snap, 0)),
    ArrowUp: () => nudge(roll, 0, shiftKey ? 12 : 1),
    ArrowDown: () => nudge(roll, 0, shiftKey ? -12 : -1),
    Enter: () => write(roll),
    Delete: () => roll.removeChosen(),
    Backspace: () => roll.removeChosen(),
    ",": () => step(roll, -1),
    ".": () => step(roll, 1),
    Escape: () => leave(roll),
  });
  const act = keys[event.key];
  // Of a take that is tried there is nothing to leave but itself.
  if (!act || (event.key === "Escape" && roll.locked)) return;
  event.preventDefault();
  act();
  sayWhere(roll);
}

const clipboard = /** @type {Record<string, (roll: Roll) => void>} */ ({ c: copy, x: cut, v: paste, d: duplicate });

/** Keys pressed in a row make one change. */
const IN_A_ROW = 900;

/** Whether what a key does now is part of what the last one did. @param {Roll} roll */
function joins(roll) {
  const now = performance.now();
  const joined = now - roll.nudgedAt < IN_A_ROW;
  roll.nudgedAt = now;
  return joined;
}

/** From notes to the place where they were; from there to no bars. @param {Roll} roll */
function leave(roll) {
  const [note] = roll.chosen;
  if (!note) {
    roll.select(null);
    return;
  }
  roll.caret = { onset: note.onset, pitch: note.pitch };
  roll.choose([]);
}

/** Move the notes that are selected, or the place to write. @param {Roll} roll @param {number} steps @param {number} semitones */
function nudge(roll, steps, semitones) {
  if (!roll.chosen.size) {
    const last = lengthOf(roll.melody) - roll.snap;
    const onset = Math.max(0, Math.min(snapped(roll.caret.onset + steps, roll.snap), last));
    roll.caret = { onset, pitch: Math.max(LOWEST, Math.min(roll.caret.pitch + semitones, HIGHEST)) };
    roll.reveal(onset, roll.caret.pitch);
    return;
  }
  roll.commit(moved(roll.melody, roll.chosen, steps, semitones), joins(roll));
  const [note] = roll.chosen;
  if (!note) return;
  roll.reveal(note.onset, note.pitch);
  if (semitones) roll.hooks.heard(note.pitch);
}

/** @param {Roll} roll @param {number} steps */
function lengthen(roll, steps) {
  const [note] = roll.chosen;
  if (!note || roll.chosen.size > 1) return;
  roll.lastDuration = Math.max(Math.min(roll.snap, note.duration), note.duration + steps);
  roll.commit(stretched(roll.melody, note, roll.lastDuration), joins(roll));
}

/** @param {Roll} roll */
function write(roll) {
  if (roll.lane) {
    toggleInLane(roll, roll.caret.onset, roll.caret.pitch);
    return;
  }
  if (roll.chosen.size) return;
  roll.nudgedAt = 0;
  roll.hooks.heard(roll.caret.pitch);
  roll.commit(added(roll.melody, { ...roll.caret, duration: roll.lastDuration }));
}

/** Select the next note, or the one before. @param {Roll} roll @param {number} by 1 or -1 */
function step(roll, by) {
  if (roll.lane) return;
  const { notes } = roll.melody;
  const [chosen] = roll.chosen;
  const after = notes.findIndex((note) => note.onset >= roll.caret.onset);
  const from = chosen ? notes.indexOf(chosen) : (after < 0 ? notes.length : after) - (by > 0 ? 1 : 0);
  const next = notes[Math.max(0, Math.min(from + by, notes.length - 1))];
  if (!next) return;
  roll.hooks.heard(next.pitch);
  roll.lastDuration = next.duration;
  roll.nudgedAt = 0;
  roll.reveal(next.onset, next.pitch);
  roll.choose([next]);
}

/** @param {Roll} roll */
export function sayWhere(roll) {
  roll.drawTop();
  const { flats } = keyOf(roll.melody.key);
  const [note] = roll.chosen;
  const name = (/** @type {number} */ pitch) => pitchName(pitch, flats);
  const text =
    roll.chosen.size > 1
      ? `${roll.chosen.size} notes selected`
      : note
        ? `${name(note.pitch)}, ${valueName(note.duration)}, ${placeName(roll.melody, note.onset)}`
        : `${name(roll.caret.pitch)}, ${placeName(roll.melody, roll.caret.onset)}, no note selected`;
  roll.hooks.said(text);
}
