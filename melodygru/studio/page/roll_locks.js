// Notes that stay when all else is written anew: altogether, or only their rhythm or their pitch.

/** @import {Note} from "./types.js" */
/** @import {RollView, Lock} from "./roll_view.js" */
/** @import {Roll} from "./roll.js" */

/** @type {(Lock | null)[]} */
const TURNS = ["lock", "lock_rhythm", "lock_pitches", null];
const WORDS = { lock: "locked", lock_rhythm: "rhythm locked", lock_pitches: "pitch locked" };

/** The next kind of lock for a note, and for all that are selected with it. @param {Roll} roll @param {Note} note */
export function turnLock(roll, note) {
  const next = TURNS[(TURNS.indexOf(roll.locks.get(note.onset) ?? null) + 1) % TURNS.length] ?? null;
  for (const { onset } of roll.chosen.has(note) ? roll.chosen : [note]) {
    if (next) roll.locks.set(onset, next);
    else roll.locks.delete(onset);
  }
  roll.drawNotes();
  roll.hooks.said(next ? WORDS[next] : "not locked");
}

/** The locks as the program takes them: notes by number. @param {RollView} roll @returns {Record<string, string>} */
export function locksOf(roll) {
  /** @type {Record<string, string>} */
  const found = {};
  for (const kind of TURNS) {
    const numbers = roll.melody.notes.flatMap((note, at) => (kind && roll.locks.get(note.onset) === kind ? [at + 1] : []));
    if (kind && numbers.length) found[kind] = ranges(numbers).join(",");
  }
  return found;
}

/** Numbers in order as ranges: n1-3, n5. @param {number[]} numbers @returns {string[]} */
function ranges(numbers) {
  /** @type {[number, number][]} */
  const found = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else found.push([number, number]);
  }
  return found.map(([first, last]) => (first === last ? `n${first}` : `n${first}-${last}`));
}
