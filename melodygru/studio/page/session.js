// What is on the roll, and how it came there: shown, drawn, undone, done again.

/** @import {Entry, Melody} from "./types.js" */
import * as api from "./api.js";
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
    /** Whether an option is being turned, and each result replaces the last. */
    this.turning = false;
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
    const longer = melody.bars !== this.now.melody.bars || melody.pickup !== this.now.melody.pickup;
    this.put({ ...this.now, melody, file: null, label: edited }, joined);
    if (longer) void this.relay().catch(() => {});
  }

  /** Lay the chords out anew, under bars that were not there before. */
  async relay() {
    const { now } = this;
    if (!now.progression) return;
    const chords = await api.layOut(now.progression, now.melody);
    if (this.now !== now) return;
    this.now = { ...now, chords };
    this.roll.showChords(chords);
    this.changed();
  }

  /** Something else in the same place, as a step that can be undone. @param {Entry} entry @param {boolean} [joined] */
  put(entry, joined = false) {
    if (!joined) this.steps.push(this.now);
    this.now = entry;
    this.roll.update(entry.melody);
    if (entry.chords !== this.roll.chords) this.roll.showChords(entry.chords);
    this.changed();
  }

  /** Chords over the melody, or none: what sounds with it, is followed in it and goes with its files. @param {string | null} text */
  async rechord(text) {
    const { now } = this;
    const progression = text?.trim() || null;
    if (progression === now.progression) return;
    const chords = progression ? await api.layOut(progression, now.melody) : [];
    if (this.now !== now) return;
    this.steps.push(now);
    this.now = { ...now, chords, progression, file: null };
    this.roll.showChords(chords);
    this.changed();
  }

  /** Another melody in its place, which is looked at as before. @param {Entry} entry @param {boolean} joined whether in one step with the last */
  replace(entry, joined) {
    if (!joined) this.leave();
    this.now = entry;
    this.roll.show(entry.melody, entry.chords);
    this.changed();
  }

  undo() {
    this.roll.nudgedAt = 0;
    if (!this.interrupt()) this.goTo(this.steps.undo(this.now));
  }

  redo() {
    if (!this.interrupt()) this.goTo(this.steps.redo(this.now));
  }

  /** @param {Entry | null} entry */
  goTo(entry) {
    if (!entry) return;
    const fresh = entry.melody.meter !== this.now.melody.meter;
    this.now = entry;
    if (fresh) this.roll.show(entry.melody, entry.chords);
    else {
      this.roll.update(entry.melody);
      this.roll.showChords(entry.chords);
    }
    this.changed();
  }
}
