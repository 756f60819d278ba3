// What is on the roll, and how it came there: shown, drawn, undone, done again.

/** @import {Entry, Melody} from "./types.js" */
import { Steps } from "./history.js";

const EDITED = ", edited";

/**
 * An entry of the history for a melody that nothing else is known of, but perhaps its style.
 * @param {Melody} melody @param {string} label @param {string | null} [style] @returns {Entry}
 */
export function plain(melody, label, style = null) {
  return { melody, chords: [], progression: null, label, file: null, seed: null, style };
}

/** Whether a melody was changed by hand since it was written. @param {Entry} entry */
export function isEdited(entry) {
  return entry.label.endsWith(EDITED);
}

export class Session {
  /**
   * @param {import("./roll.js").Roll} roll
   * @param {(entry: Entry) => void} kept called with what is to go into the history
   */
  constructor(roll, kept) {
    this.roll = roll;
    this.kept = kept;
    this.steps = new Steps();
    /** @type {Entry} */
    this.now = plain({ name: "", meter: "4/4", key: "C major", bpm: 120, pickup: 0, bars: 16, notes: [] }, "empty");
    /** @type {(() => void)[]} called when something else is on the roll */
    this.watchers = [];
    /** Stops what is being written, for something else is asked for; whether there was anything. */
    this.interrupt = () => false;
  }

  changed() {
    for (const watcher of this.watchers) watcher();
  }

  /** Put another melody on the roll. @param {Entry} entry */
  show(entry) {
    this.interrupt();
    this.leave();
    this.now = entry;
    this.roll.show(entry.melody, entry.chords);
    this.roll.centre();
    this.changed();
  }

  /** What is on the roll makes room: it can be had back, and what was drawn by hand goes into the history. */
  leave() {
    this.steps.after = [];
    if (!this.now.melody.notes.length) return;
    this.steps.push(this.now);
    if (isEdited(this.now)) this.kept(this.now);
  }

  /** The melody was changed by hand. @param {Melody} melody @param {boolean} joined whether in one step with the last */
  change(melody, joined) {
    const { label } = this.now;
    const edited = isEdited(this.now) ? label : label + EDITED;
    this.put({ ...this.now, melody, file: null, label: edited }, joined);
  }

  /** Something else in the same place, as a step that can be undone. @param {Entry} entry @param {boolean} [joined] */
  put(entry, joined = false) {
    if (!joined) this.steps.push(this.now);
    this.now = entry;
    this.roll.update(entry.melody);
    this.changed();
  }

  undo() {
    if (!this.interrupt()) this.goTo(this.steps.undo(this.now));
  }

  redo() {
    if (!this.interrupt()) this.goTo(this.steps.redo(this.now));
  }

  /** @param {Entry | null} entry */
  goTo(entry) {
    if (!entry) return;
    const fresh = entry.melody.meter !== this.now.melody.meter || entry.chords !== this.now.chords;
    this.now = entry;
    if (fresh) this.roll.show(entry.melody, entry.chords);
    else this.roll.update(entry.melody);
    this.changed();
  }
}
