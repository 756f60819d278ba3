// How a musician would shape a melody in loudness, as melodygru/formats/midi/expression.py has it, and says whose rules.

/** @import {Melody} from "./types.js" */
import { keyOf, lengthOf, metreOf, QUARTER } from "./music.js";

const VELOCITY_A_DECIBEL = 3;
const PHRASE_BARS = 4;
const ARCH_DECIBELS = 4;
const OCTAVE_DECIBELS = 3;
const MOST_FOR_HEIGHT = 4;
const CHARGE_DECIBELS = 0.2;
const CHARGES = [0, 6.5, 2, 4.5, 4, 2.5, 6, 1, 5.5, 3, 3.5, 5];
const SHORT_SOFTER = /** @type {[number, number][]} */ ([[30, 0], [200, -0.825], [400, -0.525], [600, 0]]);

/** By how much velocity each note is louder. @param {Melody} melody @param {number} amount 0 to 1 @returns {number[]} */
export function shaped(melody, amount) {
  const { notes } = melody;
  if (!amount || !notes.length) return notes.map(() => 0);
  const pitches = notes.map((note) => note.pitch).sort((one, other) => one - other);
  const half = Math.floor(pitches.length / 2);
  const middle = pitches.length % 2 ? (pitches[half] ?? 0) : ((pitches[half - 1] ?? 0) + (pitches[half] ?? 0)) / 2;
  const { tonic } = keyOf(melody.key);
  const charges = notes.map((note) => CHARGES[(note.pitch - tonic + 12) % 12] ?? 0);
  const charge = charges.reduce((sum, one) => sum + one, 0) / notes.length;
  const milliseconds = 60000 / melody.bpm / QUARTER;
  return notes.map(({ onset, duration, pitch }, at) => {
    const height = Math.max(-MOST_FOR_HEIGHT, Math.min(((pitch - middle) / 12) * OCTAVE_DECIBELS, MOST_FOR_HEIGHT));
    const stress = CHARGE_DECIBELS * ((charges[at] ?? 0) - charge);
    const level = ARCH_DECIBELS * (arch(melody, onset) - 0.5) + height + stress + softer(duration * milliseconds);
    return Math.round(amount * level * VELOCITY_A_DECIBEL);
  });
}

/** How far on the arch of its phrase a step stands: 0 at both ends, 1 in the middle. @param {Melody} melody @param {number} step */
function arch(melody, step) {
  const { bar } = metreOf(melody.meter);
  const first = melody.pickup ? bar - melody.pickup : 0;
  const phrase = PHRASE_BARS * bar;
  const start = first + Math.floor((step - first) / phrase) * phrase;
  const along = (step - start) / (Math.min(start + phrase, lengthOf(melody)) - start);
  return step < first ? 0 : 4 * along * (1 - along);
}

/** Duration contrast, in decibels. @param {number} milliseconds */
function softer(milliseconds) {
  for (let i = 1; i < SHORT_SOFTER.length; i++) {
    const [[one, low], [two, high]] = /** @type {[[number, number], [number, number]]} */ (SHORT_SOFTER.slice(i - 1, i + 1));
    if (milliseconds >= one && milliseconds < two) return low + ((high - low) * (milliseconds - one)) / (two - one);
  }
  return 0;
}
