// Dragging on the piano roll: notes moved and stretched, a frame that selects. Made when the button is let go.

/** @import {Note} from "./types.js" */
/** @import {Roll} from "./roll.js" */
import { moved, snapped, stretched } from "./clip.js";
import { svg } from "./elements.js";
import { ROW } from "./roll_view.js";

/**
 * What a drag does: given where the pointer is, the change that would be made there.
 * @typedef {(event: PointerEvent) => {notes: Note[], chosen: Note[]} | null} Dragging
 */

/** @param {Roll} roll @param {Note} note @returns {Dragging} */
export function stretching(roll, note) {
  const { melody } = roll;
  /** @type {number | null} */
  let from = null;
  return (event) => {
    const { step } = roll.place(event);
    from ??= step;
    if (Math.abs(step - from) * roll.scale < 3) return null;
    const end = Math.max(snapped(step, roll.snap), note.onset + Math.min(roll.snap, note.duration));
    roll.lastDuration = end - note.onset;
    return stretched(melody, note, end - note.onset);
  };
}

/** @param {Roll} roll @param {Note} note @returns {Dragging} */
export function moving(roll, note) {
  const { melody, chosen } = roll;
  /** @type {{step: number, pitch: number} | null} */
  let from = null;
  let sounding = note.pitch;
  return (event) => {
    const here = roll.place(event);
    from ??= here;
    const by = snapped(here.step - from.step, roll.snap);
    const up = here.pitch - from.pitch;
    if (!by && !up) return null;
    if (note.pitch + up !== sounding) roll.hooks.heard((sounding = note.pitch + up));
    return moved(melody, chosen, by, up);
  };
}

/** @param {Roll} roll @param {PointerEvent} start @returns {Dragging} */
export function framing(roll, start) {
  const from = roll.place(start);
  const frame = svg("rect", { class: "frame" });
  return (event) => {
    const here = roll.place(event);
    const [left, right] = [Math.min(from.step, here.step), Math.max(from.step, here.step)];
    const [low, high] = [Math.min(from.pitch, here.pitch), Math.max(from.pitch, here.pitch)];
    roll.choose(
      roll.melody.notes.filter(
        (note) => note.onset < right && note.onset + note.duration > left && note.pitch >= low && note.pitch <= high,
      ),
    );
    for (const [name, value] of Object.entries({
      x: left * roll.scale, y: roll.y(high), width: (right - left) * roll.scale, height: (high - low + 1) * ROW,
    })) frame.setAttribute(name, String(value));
    roll.top.append(frame);
    return null;
  };
}

/** @param {Roll} roll @param {PointerEvent} start @param {Dragging} dragging @param {boolean} [joined] see `Roll.commit` */
export function drag(roll, start, dragging, joined = false) {
  const before = roll.melody;
  /** @type {{notes: Note[], chosen: Note[]} | null} */
  let change = null;
  const stop = new AbortController();
  const { signal } = stop;
  roll.grid.setPointerCapture(start.pointerId);
  dragging(start);
  roll.dragging = true;
  roll.hooks.pointed(null, null);
  roll.grid.addEventListener(
    "pointermove",
    (event) => {
      if (roll.melody !== before) return;
      change = dragging(event);
      // Drawn as it would be; made when the button is let go.
      const kept = roll.chosen;
      roll.boxes.clear();
      const shown = change?.notes ?? before.notes;
      roll.chosen = new Set(change?.chosen ?? kept);
      roll.notes.replaceChildren(
        ...shown.map((note) => {
          const box = roll.box(note, roll.kind(note, roll.levels?.[before.notes.indexOf(note)]));
          roll.boxes.set(note, box);
          return box;
        }),
      );
      roll.chosen = kept;
    },
    { signal },
  );
  const end = (/** @type {boolean} */ made) => {
    stop.abort();
    roll.dragging = false;
    if (roll.melody !== before) return;
    if (made && change) roll.commit(change, joined);
    else roll.drawNotes();
    roll.drawTop();
  };
  addEventListener("keydown", (event) => event.key === "Escape" && end(false), { signal });
  roll.grid.addEventListener("pointerup", () => end(true), { signal });
  roll.grid.addEventListener("pointercancel", () => end(false), { signal });
}
