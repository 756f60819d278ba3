// Pitches, keys, metres and note values. Steps are 24 to a quarter, as in the program.

/** @import {Melody} from "./types.js" */

export const QUARTER = 24;
export const LOWEST = 24;
export const HIGHEST = 108;

const SHARPS = ["C", "C♯", "D", "D♯", "E", "F", "F♯", "G", "G♯", "A", "A♯", "B"];
const FLATS = ["C", "D♭", "D", "E♭", "E", "F", "G♭", "G", "A♭", "A", "B♭", "B"];
/** Fifths of the major key on each pitch class, and what a mode takes away from them. */
const FIFTHS = [0, -5, 2, -3, 4, -1, 6, 1, -4, 3, -2, 5];
const MODES = /** @type {Record<string, [number, number[]]>} */ ({
  major: [0, [0, 2, 4, 5, 7, 9, 11]],
  minor: [-3, [0, 2, 3, 5, 7, 8, 10]],
  dorian: [-2, [0, 2, 3, 5, 7, 9, 10]],
  phrygian: [-4, [0, 1, 3, 5, 7, 8, 10]],
  lydian: [1, [0, 2, 4, 6, 7, 9, 11]],
  mixolydian: [-1, [0, 2, 4, 5, 7, 9, 10]],
  locrian: [-5, [0, 1, 3, 5, 6, 8, 10]],
});

/** @param {string} text such as "Bb minor" @returns {{tonic: number, scale: Set<number>, flats: boolean}} */
export function keyOf(text) {
  const [name = "C", mode = "major"] = text.split(" ");
  let tonic = "C.D.EF.G.A.B".indexOf(name[0]?.toUpperCase() ?? "C");
  for (const sign of name.slice(1)) tonic += sign === "#" || sign === "♯" ? 1 : -1;
  tonic = (tonic + 12) % 12;
  const [shift, degrees] = MODES[mode] ?? MODES.major ?? [0, []];
  const flats = name.length > 1 ? /[b♭]/.test(name) : (FIFTHS[tonic] ?? 0) + shift < 0;
  return { tonic, scale: new Set(degrees.map((degree) => (tonic + degree) % 12)), flats };
}

/** @param {number} pitch @param {boolean} [flats] @returns {string} such as "F♯4" */
export function pitchName(pitch, flats = false) {
  return `${(flats ? FLATS : SHARPS)[pitch % 12]}${Math.floor(pitch / 12) - 1}`;
}

/** @param {string} meter such as "6/8" @returns {{bar: number, beat: number}} lengths in steps */
export function metreOf(meter) {
  const [numerator = 4, denominator = 4] = meter.split("/").map(Number);
  const unit = (4 * QUARTER) / denominator;
  const compound = numerator % 3 === 0 && numerator > 3 && denominator >= 8;
  return { bar: numerator * unit, beat: compound ? 3 * unit : unit };
}

/** @param {Melody} melody @returns {number} steps from the first bar line to the last */
export function lengthOf(melody) {
  return (melody.bars + (melody.pickup ? 1 : 0)) * metreOf(melody.meter).bar;
}

/** The number of the bar that holds a step: 0 for a pickup's. @param {Melody} melody @param {number} step */
export function barAt(melody, step) {
  return Math.floor(step / metreOf(melody.meter).bar) + (melody.pickup ? 0 : 1);
}

/** The step at which a bar begins. @param {Melody} melody @param {number} bar */
export function startOfBar(melody, bar) {
  return (bar - (melody.pickup ? 0 : 1)) * metreOf(melody.meter).bar;
}

const VALUES = /** @type {[number, string][]} */ ([
  [96, "whole"],
  [72, "dotted half"],
  [48, "half"],
  [36, "dotted quarter"],
  [24, "quarter"],
  [18, "dotted eighth"],
  [16, "triplet quarter"],
  [12, "eighth"],
  [8, "triplet eighth"],
  [6, "sixteenth"],
  [4, "triplet sixteenth"],
  [3, "thirty-second"],
]);

/** @param {number} steps @returns {string} such as "dotted quarter" */
export function valueName(steps) {
  const named = VALUES.find(([length]) => length === steps);
  return named ? named[1] : `${Math.round((steps / QUARTER) * 100) / 100} quarters`;
}

/** @param {Melody} melody @param {number} step @returns {string} such as "bar 3, beat 2½" */
export function placeName(melody, step) {
  const { bar, beat } = metreOf(melody.meter);
  const within = (step % bar) / beat + 1;
  return `bar ${barAt(melody, step)}, beat ${Math.round(within * 100) / 100}`;
}
