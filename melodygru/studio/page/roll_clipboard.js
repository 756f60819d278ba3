// Copy, cut, paste and duplicate on the piano roll: the notes that are selected, else those of the selected bars.

/** @import {Note} from "./types.js" */
/** @import {Roll} from "./roll.js" */
import { inserted } from "./clip.js";
import { lengthOf, metreOf, startOfBar } from "./music.js";

/** @type {{notes: Note[], length: number} | null} what was copied, from step 0 on; and steps to what comes after it */
let copied = null;

/** What there is to copy: notes, and the range of steps that they stand for. @param {Roll} roll */
function taken(roll) {
  const { beat } = metreOf(roll.melody.meter);
  if (roll.chosen.size) {
    const notes = [...roll.chosen].sort((one, two) => one.onset - two.onset);
    const start = notes[0]?.onset ?? 0;
    const end = Math.max(...notes.map((note) => note.onset + note.duration));
    // A phrase goes on on the beat on which it began.
    return { notes, start, end: start + Math.ceil((end - start) / beat) * beat };
  }
  if (!roll.bars) return null;
  const [start, end] = [startOfBar(roll.melody, roll.bars[0]), startOfBar(roll.melody, roll.bars[1] + 1)];
  return { notes: roll.melody.notes.filter((note) => note.onset >= start && note.onset < end), start, end };
}

/** @param {Roll} roll @returns {boolean} whether there was anything */
export function copy(roll) {
  const what = taken(roll);
  if (!what?.notes.length) {
    roll.hooks.said("Nothing is selected to copy.");
    return false;
  }
  const notes = what.notes.map((note) => ({ ...note, onset: note.onset - what.start }));
  copied = { notes, length: what.end - what.start };
  roll.caret = { onset: what.end, pitch: roll.caret.pitch };
  roll.hooks.said(`${notes.length} ${notes.length === 1 ? "note" : "notes"} copied`);
  return true;
}

/** @param {Roll} roll */
export function cut(roll) {
  const what = taken(roll);
  if (!copy(roll) || !what) return;
  const gone = new Set(what.notes);
  roll.caret = { onset: what.start, pitch: roll.caret.pitch };
  roll.commit({ notes: roll.melody.notes.filter((note) => !gone.has(note)), chosen: [] });
}

/** Put what was copied where the place to write is: after what was copied, or where somebody clicked. @param {Roll} roll */
export function paste(roll) {
  if (!copied) {
    roll.hooks.said("Nothing was copied yet.");
    return;
  }
  const at = Math.max(0, roll.caret.onset);
  put(roll, copied.notes, at, copied.length);
}

/** The same once more, right after itself. @param {Roll} roll */
export function duplicate(roll) {
  const what = taken(roll);
  if (!what?.notes.length) {
    roll.hooks.said("Nothing is selected to duplicate.");
    return;
  }
  const length = what.end - what.start;
  const bars = roll.bars;
  put(roll, what.notes.map((note) => ({ ...note, onset: note.onset - what.start })), what.end, length);
  if (bars && !what.notes.some((note) => roll.chosen.has(note))) {
    const many = bars[1] - bars[0] + 1;
    roll.choose([]);
    roll.select([bars[0] + many, Math.min(bars[1] + many, roll.melody.bars)]);
  }
}

/** @param {Roll} roll @param {Note[]} notes @param {number} at @param {number} length */
function put(roll, notes, at, length) {
  const change = inserted(roll.melody, notes, at);
  roll.commit(change, false, change.melody);
  roll.caret = { onset: Math.min(at + length, lengthOf(roll.melody)), pitch: roll.caret.pitch };
  roll.reveal(at, notes[0]?.pitch ?? roll.caret.pitch);
}
