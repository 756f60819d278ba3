// The lane under the roll in which notes have their loudness: a stem each, drawn up and down.

/** @import {Note} from "./types.js" */
/** @import {Roll} from "./roll.js" */
import { svg } from "./elements.js";
import { velocityOf } from "./performing.js";
import { STRIP } from "./roll_view.js";

const LOUDEST = 127;
const ROOM = STRIP - 8;
/** Pixels beside a stem that still count as it. */
const NEAR = 7;

/** The stems of all notes. @param {Roll} roll @returns {SVGElement[]} */
export function stems(roll) {
  return roll.melody.notes.flatMap((note) => {
    const x = note.onset * roll.scale + 3;
    const y = STRIP - 2 - (velocityOf(roll.melody, note) / LOUDEST) * ROOM;
    const kind = `stem${note.velocity === undefined ? "" : " said"}${roll.chosen.has(note) ? " chosen" : ""}`;
    return [svg("path", { class: kind, d: `M${x} ${STRIP}V${y}` }), svg("circle", { class: kind, cx: x, cy: y, r: 3.5 })];
  });
}

/** Draw loudness with a pointer, from where it was pressed until it is let go. @param {Roll} roll @param {PointerEvent} start */
export function pressLane(roll, start) {
  if (start.button !== 0 || roll.locked || !roll.loudness) return;
  const before = roll.melody;
  let { notes } = before;
  const paint = (/** @type {PointerEvent} */ event) => {
    const box = roll.strip.getBoundingClientRect();
    const x = event.clientX - box.left;
    const velocity = Math.max(1, Math.min(LOUDEST, Math.round(((STRIP - 2 - (event.clientY - box.top)) / ROOM) * LOUDEST)));
    const near = nearest(notes, x / roll.scale);
    if (!near || Math.abs(near.onset * roll.scale + 3 - x) > Math.max(NEAR, (roll.snap * roll.scale) / 2)) return;
    // What is selected goes together.
    const chosen = [...roll.chosen].map((note) => note.onset);
    const together = new Set(chosen.includes(near.onset) ? chosen : [near.onset]);
    notes = notes.map((note) => (together.has(note.onset) ? { ...note, velocity } : note));
    roll.strip.replaceChildren(...roll.stemsOf({ ...before, notes }));
  };
  paint(start);
  const stop = new AbortController();
  roll.strip.setPointerCapture(start.pointerId);
  roll.strip.addEventListener("pointermove", paint, { signal: stop.signal });
  const end = (/** @type {boolean} */ made) => {
    stop.abort();
    if (made && roll.melody === before) roll.commit({ notes, chosen: [...roll.chosen] });
    else roll.draw();
  };
  roll.strip.addEventListener("pointerup", () => end(true), { signal: stop.signal });
  roll.strip.addEventListener("pointercancel", () => end(false), { signal: stop.signal });
}

/** Notes that are selected, louder or softer. @param {Roll} roll @param {number} by @param {boolean} joined */
export function louder(roll, by, joined) {
  const { melody, chosen } = roll;
  const set = (/** @type {Note} */ note) => ({ ...note, velocity: Math.max(1, Math.min(LOUDEST, velocityOf(melody, note) + by)) });
  const notes = melody.notes.map((note) => (chosen.has(note) ? set(note) : note));
  roll.commit({ notes, chosen: notes.filter((_, at) => chosen.has(/** @type {Note} */ (melody.notes[at]))) }, joined);
}

/** @param {Note[]} notes @param {number} step @returns {Note | null} */
function nearest(notes, step) {
  return notes.reduce((/** @type {Note | null} */ best, note) => (best && Math.abs(best.onset - step) <= Math.abs(note.onset - step) ? best : note), null);
}
