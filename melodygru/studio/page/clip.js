// What editing does to a melody: each function returns a new one. One note sounds at a time, and what is edited wins.

/** @import {Melody, Note} from "./types.js" */
import { HIGHEST, lengthOf, LOWEST, metreOf } from "./music.js";

/**
 * The notes with some put in place of others: what overlaps those that were put is shortened, or goes.
 * @param {Note[]} others @param {Note[]} put @returns {Note[]}
 */
export function placed(others, put) {
  /** @type {Note[]} */
  const kept = [];
  for (const note of others) {
    const end = note.onset + note.duration;
    const inside = put.some((one) => one.onset <= note.onset && note.onset < one.onset + one.duration);
    const cut = Math.min(end, ...put.map((one) => (one.onset > note.onset ? one.onset : end)));
    if (!inside) kept.push(cut < end ? { ...note, duration: cut - note.onset } : note);
  }
  return [...kept, ...apart(put)].sort((one, two) => one.onset - two.onset);
}

/** Notes of one voice: each ends where the next begins, at the latest. @param {Note[]} notes @returns {Note[]} */
function apart(notes) {
  const sorted = [...notes].sort((one, two) => one.onset - two.onset);
  /** @type {Note[]} */
  const kept = [];
  for (const note of sorted) {
    const before = kept.at(-1);
    if (before && before.onset === note.onset) kept.pop();
    else if (before && before.onset + before.duration > note.onset) {
      kept[kept.length - 1] = { ...before, duration: note.onset - before.onset };
    }
    kept.push(note);
  }
  return kept;
}

/**
 * The melody with other notes. A pickup is as long as its first note says; without notes in bar 0 that bar goes.
 * @param {Melody} melody @param {Note[]} notes in order, within the melody's length @returns {Melody}
 */
export function withNotes(melody, notes) {
  const { bar } = metreOf(melody.meter);
  if (!melody.pickup) return { ...melody, notes };
  const first = notes[0]?.onset ?? bar;
  if (first === 0) return { ...melody, notes, pickup: 0, bars: melody.bars + 1 };
  if (first < bar) return { ...melody, notes, pickup: bar - first };
  const tempi = (melody.tempi ?? []).map(([step, bpm]) => /** @type {[number, number]} */ ([Math.max(0, step - bar), bpm]));
  const held = tempi.filter(([step], at) => step !== tempi[at + 1]?.[0]);
  return { ...melody, pickup: 0, tempi: held, notes: notes.map((note) => ({ ...note, onset: note.onset - bar })) };
}

/**
 * Some notes of a melody moved together, as far as all stay within its bars and the keyboard.
 * @param {Melody} melody @param {Set<Note>} chosen @param {number} steps @param {number} semitones
 * @returns {{notes: Note[], chosen: Note[]}}
 */
export function moved(melody, chosen, steps, semitones) {
  const notes = [...chosen];
  const length = lengthOf(melody);
  const lowest = Math.min(...notes.map((note) => note.pitch));
  const highest = Math.max(...notes.map((note) => note.pitch));
  const first = Math.min(...notes.map((note) => note.onset));
  const last = Math.max(...notes.map((note) => note.onset + note.duration));
  const by = Math.max(-first, Math.min(steps, length - last));
  const up = Math.max(LOWEST - lowest, Math.min(semitones, HIGHEST - highest));
  const there = notes.map((note) => ({ ...note, onset: note.onset + by, pitch: note.pitch + up }));
  return { notes: placed(melody.notes.filter((note) => !chosen.has(note)), there), chosen: there };
}

/**
 * One note made as long as asked for, from one step to the end of the melody.
 * @param {Melody} melody @param {Note} note @param {number} duration @returns {{notes: Note[], chosen: Note[]}}
 */
export function stretched(melody, note, duration) {
  const longest = lengthOf(melody) - note.onset;
  const there = { ...note, duration: Math.max(1, Math.min(duration, longest)) };
  return { notes: placed(melody.notes.filter((one) => one !== note), [there]), chosen: [there] };
}

/**
 * A new note; where one begins soon after, it ends there.
 * @param {Melody} melody @param {Note} note @returns {{notes: Note[], chosen: Note[]}}
 */
export function added(melody, note) {
  const following = melody.notes.find((one) => one.onset > note.onset)?.onset ?? lengthOf(melody);
  const there = { ...note, duration: Math.max(1, Math.min(note.duration, following - note.onset)) };
  return { notes: placed(melody.notes, [there]), chosen: [there] };
}

/** Most bars that a melody has. */
const MOST_BARS = 1000;

/** The melody, with as many more bars as it takes to reach a step. @param {Melody} melody @param {number} end @returns {Melody} */
export function reaching(melody, end) {
  const { bar } = metreOf(melody.meter);
  const bars = Math.ceil(end / bar) - (melody.pickup ? 1 : 0);
  return bars > melody.bars ? { ...melody, bars: Math.min(bars, MOST_BARS) } : melody;
}

/**
 * Notes put in from a step on, in a melody that grows where it must.
 * @param {Melody} melody @param {Note[]} notes from step 0 on @param {number} at
 * @returns {{melody: Melody, notes: Note[], chosen: Note[]}}
 */
export function inserted(melody, notes, at) {
  const longer = reaching(melody, at + Math.max(0, ...notes.map((note) => note.onset + note.duration)));
  const length = lengthOf(longer);
  const there = notes
    .map((note) => ({ ...note, onset: note.onset + at }))
    .filter((note) => note.onset < length)
    .map((note) => ({ ...note, duration: Math.min(note.duration, length - note.onset) }));
  return { melody: longer, notes: placed(melody.notes, there), chosen: there };
}

/** @param {number} step @param {number} grid @returns {number} the nearest place on the grid */
export function snapped(step, grid) {
  return Math.round(step / grid) * grid;
}
