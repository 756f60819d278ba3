// Sound: what is on the roll, or a take that is tried.

/** @import {Entry} from "./types.js" */
import { button, input } from "./elements.js";
import { lengthOf, metreOf, startOfBar } from "./music.js";

export class Playing {
  /**
   * @param {import("./audio.js").Player} player
   * @param {import("./session.js").Session} session
   * @param {import("./roll.js").Roll} roll
   * @param {import("./takes.js").Takes} takes
   * @param {import("./form.js").Form} form
   */
  constructor(player, session, roll, takes, form) {
    this.player = player;
    this.session = session;
    this.roll = roll;
    this.takes = takes;
    this.form = form;
    /** @type {Entry | null} a take that is heard, in place of what is on the roll */
    this.audition = null;
    this.frame = 0;
    player.loop = true;
    player.onended = () => this.show();
    session.watchers.push(() => {
      this.audition = null;
      this.load();
    });
    form.field("program").addEventListener("change", () => this.load());
    button("play").addEventListener("click", () => this.toggle());
    for (const what of /** @type {("loop" | "metronome")[]} */ (["loop", "metronome"])) {
      button(what).addEventListener("click", () => {
        player[what] = !player[what];
        button(what).setAttribute("aria-pressed", String(player[what]));
      });
    }
  }

  /** Tell the player what there is to play. */
  load() {
    const { melody, chords } = this.audition ?? this.session.now;
    const { bar, beat } = metreOf(melody.meter);
    const { program } = this.form;
    const { notes, bpm } = melody;
    this.player.setClip({ notes, bpm, length: lengthOf(melody), barSteps: bar, beatSteps: beat, chords, program });
    this.range();
    input("tempo").value = String(Math.round(this.session.now.melody.bpm * 100) / 100);
  }

  /** The bars that are played again and again. */
  range() {
    const { bars } = this.roll;
    this.player.loopRange = this.audition || !bars ? null : this.steps(bars);
  }

  /** @param {[number, number]} bars both included @returns {[number, number]} */
  steps([first, last]) {
    const { melody } = this.session.now;
    return [startOfBar(melody, first), startOfBar(melody, last + 1)];
  }

  /** Hear a take. @param {Entry} entry */
  hear(entry) {
    this.audition = entry;
    this.load();
    this.start(0);
  }

  toggle() {
    if (this.player.playing) {
      this.player.stop();
      return;
    }
    this.audition = null;
    this.load();
    this.start(this.roll.bars ? this.steps(this.roll.bars)[0] : 0);
  }

  /** @param {number} from a step */
  async start(from) {
    this.roll.follows = true;
    await this.player.play(from);
    this.show();
    this.follow();
  }

  follow() {
    cancelAnimationFrame(this.frame);
    if (!this.player.playing) return;
    this.roll.at(this.audition ? null : this.player.position, true);
    this.takes.at(this.audition ? this.player.position : null);
    this.frame = requestAnimationFrame(() => this.follow());
  }

  show() {
    button("play").textContent = this.player.playing ? "■ Stop" : "▶ Play";
    button("play").setAttribute("aria-pressed", String(this.player.playing));
    if (this.player.playing) return;
    this.roll.at(null, false);
    this.takes.at(null);
  }
}
