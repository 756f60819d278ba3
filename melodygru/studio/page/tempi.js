// Tempo changes under a melody: which tempo holds where, and how long steps last.

import { QUARTER } from "./music.js";

/** @typedef {[number, number][]} Tempi  step and quarters a minute, rising from step 0; none where there is one tempo */
/** @typedef {{bpm: number, tempi?: Tempi}} Timed */

/** @param {number} bpm @returns {number} steps a second */
export const rateOf = (bpm) => (Math.max(1, bpm) / 60) * QUARTER;

/** The change that holds at a step; -1 where there is none. @param {Tempi} tempi @param {number} step */
function placeAt(tempi, step) {
  let low = 0;
  let high = tempi.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((tempi[middle]?.[0] ?? 0) <= step) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Steps a second where a step sounds, and the step at which that changes. @param {Timed} timed @param {number} step */
export function paceAt({ bpm, tempi = [] }, step) {
  const place = placeAt(tempi, step);
  return { rate: rateOf(tempi[place]?.[1] ?? bpm), until: tempi[place + 1]?.[0] ?? Infinity };
}

/** How many seconds the steps [from, to) last. @param {Timed} timed @param {number} from @param {number} to */
export function secondsBetween(timed, from, to) {
  let seconds = 0;
  for (let step = from; step < to; ) {
    const { rate, until } = paceAt(timed, step);
    const end = Math.min(to, until);
    seconds += (end - step) / rate;
    step = end;
  }
  return seconds;
}

/** What the tempo of a melody is called beside the roll. @param {Timed} timed */
export function paceInWords({ bpm, tempi = [] }) {
  const rounded = (/** @type {number} */ one) => Math.round(one * 100) / 100;
  if (!tempi.length) return `♩ = ${rounded(bpm)}`;
  const all = tempi.map(([, tempo]) => tempo);
  return `♩ = ${Math.round(Math.min(...all))} to ${Math.round(Math.max(...all))}`;
}
