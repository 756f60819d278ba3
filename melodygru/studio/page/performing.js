// How a melody is played: swing, accents and inexactness, as melodygru/formats/midi/performance.py has them.

/** @import {Lane, Melody, Note} from "./types.js" */
import { shaped } from "./expression.js";
import { metreOf, QUARTER } from "./music.js";

/** Velocity of a note off the beat. */
export const VELOCITY = 84;
/** Standard deviations at full inexactness: of onsets in seconds, and of velocities. */
const TIMING_SECONDS = 0.015;
const VELOCITY_SPREAD = 8;

/** @param {Melody} melody @param {number} onset in steps @returns {number} how much louder a note is than one off the beat */
function accent({ meter }, onset) {
  const { bar, beat } = metreOf(meter);
  const position = onset % bar;
  const beats = Math.floor(bar / beat);
  if (position === 0) return 12;
  if (position % beat) return 0;
  return beats % 2 === 0 && beats > 2 && position === Math.floor(bar / 2) ? 8 : 4;
}

/** The velocity that a note is played with. @param {Melody} melody @param {Note} note */
export function velocityOf(melody, note) {
  return note.velocity ?? VELOCITY + accent(melody, note.onset);
}

/** Whether bars are whole quarters of two eighths each. @param {string} meter */
export function canSwing(meter) {
  const { bar, beat } = metreOf(meter);
  return beat % QUARTER === 0 && bar % QUARTER === 0;
}

/** By how many steps each step is late when it swings. @param {Melody} melody @param {number} swing @returns {(step: number) => number} */
function lateness(melody, swing) {
  const straight = new Set(melody.notes.filter((note) => note.onset % (QUARTER / 8)).map((note) => Math.floor(note.onset / QUARTER)));
  return (step) => {
    if (!canSwing(melody.meter) || straight.has(Math.floor(step / QUARTER))) return 0;
    const inside = step % QUARTER;
    return (2 * swing - 1) * Math.min(inside, QUARTER - inside);
  };
}

/** A lane beside a melody as it is played. @param {Melody} melody @param {Lane} lane @param {number} swing */
export function performedLane(melody, { part, program, notes }, swing) {
  const late = lateness(melody, swing);
  const played = notes.map(([from, duration, pitch, louder]) => {
    const onset = from + late(from);
    const velocity = Math.max(1, Math.min(127, VELOCITY + louder + Math.floor(accent(melody, from) / 2)));
    return { onset, duration: Math.max(0.5, from + duration + late(from + duration) - onset), pitch, velocity };
  });
  return { part, program, notes: played };
}

/**
 * Notes as they are played, in fractions of steps.
 * @param {Melody} melody @param {number} swing where the second of two eighths begins: 0.5 straight @param {number} human 0 to 1
 * @param {number} expression 0 to 1
 * @returns {(Note & {velocity: number})[]}
 */
export function performed(melody, swing, human, expression) {
  const louder = shaped(melody, expression);
  const late = lateness(melody, swing);
  const spread = human * TIMING_SECONDS * (melody.bpm / 60) * QUARTER;
  const played = melody.notes.map((note, index) => {
    const onset = Math.max(0, note.onset + late(note.onset) + spread * wobble(2 * index));
    const over = note.onset + note.duration;
    // What is said of a note itself holds.
    const by = note.velocity === undefined ? (louder[index] ?? 0) + Math.round(human * VELOCITY_SPREAD * wobble(2 * index + 1)) : 0;
    const velocity = velocityOf(melody, note) + by;
    return { ...note, onset, duration: Math.max(0.5, over + late(over) - onset), velocity: Math.max(1, Math.min(127, velocity)) };
  });
  return played;
}

/** The same for the same number: nearly normal, of standard deviation 1, in [-3, 3]. @param {number} seed */
function wobble(seed) {
  let state = (seed + 1) * 2654435761;
  let sum = 0;
  for (let i = 0; i < 12; i++) {
    state = Math.imul(state ^ (state >>> 15), 2246822519) + i;
    sum += ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  }
  return Math.max(-3, Math.min(sum - 6, 3));
}
