// A line drawn by hand over the roll: heights that a melody is to follow.

/** @import {RollView} from "./roll_view.js" */
import { svg } from "./elements.js";
import { lengthOf } from "./music.js";
import { ROW } from "./roll_view.js";

/** Heights that a line is told in, at equal distances. */
const HEIGHTS = 12;

/**
 * Follow a pointer from where it was pressed until it is let go.
 * @param {RollView} roll @param {PointerEvent} start @param {(heights: number[]) => void} drawn pitches at equal distances, from the melody's begin to its end
 */
export function drawLine(roll, start, drawn) {
  /** @type {Map<number, number>} the pitch at each step that was passed */
  const passed = new Map();
  const path = svg("polyline", { class: "drawn" });
  roll.top.append(path);
  const add = (/** @type {PointerEvent} */ event) => {
    const { step, pitch } = roll.place(event);
    passed.set(Math.max(0, Math.min(Math.round(step), lengthOf(roll.melody))), pitch);
    const points = [...passed].sort(([one], [two]) => one - two);
    path.setAttribute("points", points.map(([at, height]) => `${at * roll.scale},${roll.y(height) + ROW / 2}`).join(" "));
  };
  add(start);
  const stop = new AbortController();
  const { signal } = stop;
  roll.grid.setPointerCapture(start.pointerId);
  roll.grid.addEventListener("pointermove", add, { signal });
  roll.grid.addEventListener("pointercancel", () => stop.abort(), { signal });
  roll.grid.addEventListener(
    "pointerup",
    () => {
      stop.abort();
      drawn(heightsOf([...passed].sort(([one], [two]) => one - two), lengthOf(roll.melody)));
    },
    { signal },
  );
}

/** @param {[number, number][]} points steps and pitches, in order @param {number} length @returns {number[]} */
function heightsOf(points, length) {
  return Array.from({ length: HEIGHTS }, (_, index) => {
    const at = (index / (HEIGHTS - 1)) * length;
    const after = points.findIndex(([step]) => step >= at);
    const [step, pitch] = points[after < 0 ? points.length - 1 : after] ?? [0, 72];
    const [before, from] = points[Math.max(0, after - 1)] ?? [step, pitch];
    if (after <= 0 || step === before) return pitch;
    return Math.round(from + ((pitch - from) * (at - before)) / (step - before));
  });
}
