// What is played on a MIDI keyboard, written into the roll: in time against the page's clock, or step by step.

/** @import {Note} from "./types.js" */
import { button } from "./elements.js";
import { added, inserted, reaching, snapped } from "./clip.js";
import { startOfBar } from "./music.js";

/** @typedef {{pitch: number, velocity: number, on: number, off: number | null}} Played  in steps; null: still held */

export class Recording {
  /**
   * @param {import("./session.js").Session} session
   * @param {import("./roll.js").Roll} roll
   * @param {import("./audio.js").Player} player
   * @param {import("./playing.js").Playing} playing
   */
  constructor(session, roll, player, playing) {
    this.session = session;
    this.roll = roll;
    this.player = player;
    this.playing = playing;
    /** Whether what is played is recorded, or written step by step. */
    this.on = this.stepping = false;
    /** @type {Played[]} */
    this.played = [];
    /** @type {[number, number]} the half-open range of steps that is recorded */
    this.within = [0, Infinity];
    /** How the player was set before. */
    this.before = { loop: player.loop, metronome: player.metronome, countIn: player.countIn };
    const ended = player.onended;
    player.onended = () => {
      ended();
      if (this.on) this.finish();
    };
    button("record").addEventListener("click", () => (this.on ? player.stop() : this.begin()));
    button("stepping").addEventListener("click", () => this.show({ stepping: !this.stepping }));
  }

  /** @param {{on?: boolean, stepping?: boolean}} what */
  show({ on = false, stepping = false }) {
    this.on = on;
    this.stepping = stepping;
    button("record").setAttribute("aria-pressed", String(on));
    button("record").textContent = on ? "■ Recording" : "● Record";
    button("stepping").setAttribute("aria-pressed", String(stepping));
  }

  /** After a bar of clicks all that is played is recorded, over the bars that are selected, or from the mark to the end. */
  async begin() {
    const { player, playing, roll } = this;
    playing.back();
    if (player.playing) player.stop();
    const { bars, melody } = roll;
    this.within = bars ? [startOfBar(melody, bars[0]), startOfBar(melody, bars[1] + 1)] : [playing.mark, Infinity];
    this.played = [];
    this.before = { loop: player.loop, metronome: player.metronome, countIn: player.countIn };
    Object.assign(player, { loop: false, metronome: true, countIn: true });
    this.show({ on: true });
    await playing.start(this.within[0]);
    this.watch();
  }

  /** Stop at the end of the bars that are selected. */
  watch() {
    if (!this.on || !this.player.playing) return;
    if (this.player.position >= this.within[1]) this.player.stop();
    else requestAnimationFrame(() => this.watch());
  }

  /** A key was pressed. @param {number} pitch @param {number} velocity @param {number} time in milliseconds of the page's clock */
  press(pitch, velocity, time) {
    if (this.stepping) this.step(pitch, velocity);
    if (!this.on) return;
    this.release(pitch, time);
    this.played.push({ pitch, velocity, on: this.player.stepAt(time), off: null });
    this.roll.ghost([[0, this.notes]]);
  }

  /** A key was let go. @param {number} pitch @param {number} time */
  release(pitch, time) {
    const held = this.on && this.played.find((one) => one.pitch === pitch && one.off === null);
    if (!held) return;
    held.off = this.player.stepAt(time);
    this.roll.ghost([[0, this.notes]]);
  }

  /** What was played, on the grid of the snap: of notes at one place the highest, which is the melody. @returns {Note[]} */
  get notes() {
    const { snap } = this.roll;
    const [from, end] = this.within;
    const now = this.player.playing ? this.player.position : Infinity;
    /** @type {Map<number, Note>} */
    const notes = new Map();
    for (const { pitch, velocity, on, off } of this.played) {
      const onset = Math.max(snapped(on, snap), from);
      // What sounds in the bar of clicks leads nowhere, but for what comes a little early.
      if (on < from - snap || onset >= end) continue;
      const until = Math.min(snapped(off ?? Math.min(now, on + snap), snap), end);
      const known = notes.get(onset);
      if (!known || known.pitch < pitch) notes.set(onset, { pitch, velocity, onset, duration: Math.max(until - onset, snap) });
    }
    return [...notes.values()].sort((one, other) => one.onset - other.onset);
  }

  /** All that was played goes into the melody, in one step that can be undone. */
  finish() {
    const stopped = this.player.position;
    for (const one of this.played) one.off ??= Math.max(one.on, stopped);
    const { notes, roll } = this;
    Object.assign(this.player, this.before);
    this.show({});
    this.roll.ghost([]);
    this.played = [];
    if (!notes.length) return;
    const { melody, ...change } = inserted(roll.melody, notes, 0);
    roll.commit(change, false, melody);
  }

  /** A note at the place to write, which moves on by its length. @param {number} pitch @param {number} velocity */
  step(pitch, velocity) {
    const { roll } = this;
    const [chosen] = roll.chosen;
    // The note that was written last is selected.
    const onset = chosen ? chosen.onset + chosen.duration : roll.caret.onset;
    const longer = reaching(roll.melody, onset + roll.snap);
    const duration = Math.max(roll.snap, 1);
    roll.commit(added(longer, { pitch, velocity, onset, duration }), false, longer);
    roll.caret = { onset: onset + duration, pitch };
    roll.reveal(onset, pitch);
  }
}
