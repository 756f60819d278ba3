// A lane of the accompaniment on the piano roll: notes are written, moved and stretched by dragging; a click takes one away.

/** @import {Struck} from "./types.js" */
/** @import {Roll} from "./roll.js" */
import { snapped } from "./clip.js";
import { svg } from "./elements.js";
import { HIGHEST, lengthOf, LOWEST } from "./music.js";
import { ROW } from "./roll_view.js";

/** Pixels at a note's end by which it is lengthened, and by which a pointer may shake and still click. */
const EDGE = 8;
const STILL = 3;
/** Steps that a stroke on a drum is written with. */
const STROKE = 3;

/** The notes of the lane that is edited, or those that it would have. @param {Roll} roll @param {Struck[]} [notes] */
export function drawLane(roll, notes = roll.lane?.notes ?? []) {
  const boxes = notes.map(([onset, duration, pitch]) =>
    svg("rect", {
      class: "lane-note", x: onset * roll.scale + 0.5, y: roll.y(pitch) + 1,
      width: Math.max(duration * roll.scale - 1.5, 3), height: ROW - 2, rx: 2,
    }),
  );
  roll.laneNotes.replaceChildren(...boxes);
  roll.host.classList.toggle("laned", roll.lane !== null);
}

/** What a pointer is over: a note's number, -1 for none; and whether it holds its end. @param {Roll} roll @param {MouseEvent} event */
export function underInLane(roll, event) {
  const { step, pitch } = roll.place(event);
  const notes = roll.lane?.notes ?? [];
  const number = notes.findLastIndex(([onset, duration, at]) => at === pitch && onset <= step && step < onset + duration);
  const [onset = 0, duration = 0] = notes[number] ?? [];
  const edge = Math.min(EDGE, (duration * roll.scale) / 3);
  // A stroke has no length.
  return { number, end: number >= 0 && roll.lane?.part !== "drums" && (onset + duration - step) * roll.scale < edge };
}

/** Write a note where there is none, drag one that is there, or take it away with a click. @param {Roll} roll @param {PointerEvent} start */
export function pressInLane(roll, start) {
  const { lane } = roll;
  if (!lane || roll.locked) return;
  const { number, end } = underInLane(roll, start);
  if (number < 0) {
    // A finger on empty ground scrolls; a tap writes.
    if (start.pointerType === "touch") roll.tapping = true;
    else drag(roll, start, written(roll, roll.place(start)), true, stretching);
    return;
  }
  roll.hooks.heard(lane.notes[number]?.[2] ?? 0, lane.part);
  drag(roll, start, number, false, end ? stretching : moving);
}

/** Write a note, as by a tap. @param {Roll} roll @param {MouseEvent} event */
export function tapInLane(roll, event) {
  if (underInLane(roll, event).number >= 0) return;
  const { step, pitch } = roll.place(event);
  toggleInLane(roll, step, pitch);
}

/** Write a note, or take away the one that is there. @param {Roll} roll @param {number} step @param {number} pitch */
export function toggleInLane(roll, step, pitch) {
  const { lane } = roll;
  if (!lane || roll.locked) return;
  const kept = lane.notes.filter(([onset, duration, at]) => at !== pitch || step < onset || step >= onset + duration);
  if (kept.length === lane.notes.length) kept.push(written(roll, { step, pitch }));
  else roll.hooks.heard(pitch, lane.part);
  roll.laned(inOrder(kept));
}

/** A new note at a place. @param {Roll} roll @param {{step: number, pitch: number}} place @returns {Struck} */
function written(roll, { step, pitch }) {
  const onset = Math.floor(step / roll.snap) * roll.snap;
  const drums = roll.lane?.part === "drums";
  roll.hooks.heard(pitch, roll.lane?.part);
  return [onset, Math.max(1, Math.min(drums ? STROKE : roll.lastDuration, lengthOf(roll.melody) - onset)), pitch, 0];
}

/** @typedef {(roll: Roll, note: Struck, by: number, up: number) => Struck} Dragging  the note, so many steps and semitones on */

/** @type {Dragging} */
function stretching(roll, [onset, duration, pitch, louder], by) {
  if (roll.lane?.part === "drums") return [onset, duration, pitch, louder];
  const end = Math.min(snapped(onset + duration + by, roll.snap), lengthOf(roll.melody));
  return [onset, Math.max(end - onset, Math.min(roll.snap, duration)), pitch, louder];
}

/** @type {Dragging} */
function moving(roll, [onset, duration, pitch, louder], by, up) {
  const there = Math.max(0, Math.min(onset + snapped(by, roll.snap), lengthOf(roll.melody) - duration));
  return [there, duration, Math.max(LOWEST, Math.min(pitch + up, HIGHEST)), louder];
}

/**
 * Follow a pointer until it is let go; all that comes of it is one step to undo.
 * @param {Roll} roll @param {PointerEvent} start @param {number | Struck} which the number of a note that is there, or a new one
 * @param {boolean} fresh whether it stays where it is when nothing is dragged; else a click takes it away @param {Dragging} dragging
 */
function drag(roll, start, which, fresh, dragging) {
  const { lane } = roll;
  if (!lane) return;
  const others = lane.notes.filter((_, at) => at !== which);
  const note = typeof which === "number" ? lane.notes[which] : which;
  if (!note) return;
  const from = roll.place(start);
  let now = note;
  let moved = false;
  drawLane(roll, [...others, note]);
  roll.grid.setPointerCapture(start.pointerId);
  roll.dragging = true;
  const stop = new AbortController();
  const { signal } = stop;
  const follow = (/** @type {PointerEvent} */ event) => {
    moved ||= Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) > STILL;
    if (!moved || roll.lane !== lane) return;
    const here = roll.place(event);
    const next = dragging(roll, note, here.step - from.step, here.pitch - from.pitch);
    if (next[2] !== now[2]) roll.hooks.heard(next[2], lane.part);
    now = next;
    drawLane(roll, [...others, now]);
  };
  const end = (/** @type {boolean} */ made) => {
    stop.abort();
    roll.dragging = false;
    if (!made || roll.lane !== lane) {
      drawLane(roll);
      return;
    }
    if (dragging === stretching && moved) roll.lastDuration = now[1];
    roll.laned(inOrder(moved || fresh ? [...others, now] : others));
  };
  roll.grid.addEventListener("pointermove", follow, { signal });
  addEventListener("keydown", (event) => event.key === "Escape" && end(false), { signal });
  roll.grid.addEventListener("pointerup", () => end(true), { signal });
  roll.grid.addEventListener("pointercancel", () => end(false), { signal });
}

/** @param {Struck[]} notes @returns {Struck[]} */
function inOrder(notes) {
  return notes.sort(([one], [other]) => one - other);
}
