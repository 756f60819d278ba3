// The bar numbers: a click says from where to hear it, a drag selects bars.

/** @import {Roll} from "./roll.js" */
import { barAt, lengthOf, metreOf } from "./music.js";

/** Pixels by which a pointer may shake and still click. */
const STILL = 4;

/** @param {Roll} roll @param {PointerEvent} start */
export function pressRuler(roll, start) {
  if (start.button !== 0) return;
  const stepAt = (/** @type {MouseEvent} */ event) => {
    const step = (event.clientX - roll.ruler.getBoundingClientRect().left) / roll.scale;
    return Math.max(0, Math.min(step, lengthOf(roll.melody) - 1));
  };
  const barOf = (/** @type {MouseEvent} */ event) => barAt(roll.melody, stepAt(event));
  const first = start.shiftKey && roll.bars ? roll.bars[0] : barOf(start);
  let dragged = start.shiftKey;
  const to = (/** @type {MouseEvent} */ event) => {
    dragged ||= Math.abs(event.clientX - start.clientX) > STILL;
    if (!dragged) return;
    const last = barOf(event);
    roll.select([Math.min(first, last), Math.max(first, last)]);
  };
  to(start);
  const stop = new AbortController();
  const { signal } = stop;
  roll.ruler.setPointerCapture(start.pointerId);
  roll.ruler.addEventListener("pointermove", to, { signal });
  roll.ruler.addEventListener("pointercancel", () => stop.abort(), { signal });
  roll.ruler.addEventListener(
    "pointerup",
    () => {
      stop.abort();
      if (dragged) return;
      const { beat } = metreOf(roll.melody.meter);
      const step = Math.floor(stepAt(start) / beat) * beat;
      // Whoever goes elsewhere is done with those bars.
      if (roll.bars && (first < roll.bars[0] || first > roll.bars[1])) roll.select(null);
      roll.caret = { onset: step, pitch: roll.caret.pitch };
      roll.hooks.sought(step);
      roll.drawTop();
    },
    { signal },
  );
}
