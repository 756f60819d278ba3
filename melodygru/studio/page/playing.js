// Sound: what is on the roll, or a take that is tried, from where somebody wants to hear it.

/** @import {Entry} from "./types.js" */
import { button, input } from "./elements.js";
import { lengthOf, metreOf, startOfBar } from "./music.js";
import { canSwing, performed, performedLane } from "./performing.js";

export class Playing {
  /**
   * @param {import("./audio.js").Player} player
   * @param {import("./session.js").Session} session
   * @param {import("./roll.js").Roll} roll
   * @param {import("./takes.js").Takes} takes
   * @param {import("./form.js").Form} form
   * @param {import("./lanes.js").Lanes} lanes
   * @param {() => void} returned called when the roll shows what is being worked on again, after a take
   */
  constructor(player, session, roll, takes, form, lanes, returned) {
    this.player = player;
    this.session = session;
    this.roll = roll;
    this.takes = takes;
    this.form = form;
    this.lanes = lanes;
    this.returned = returned;
    /** @type {Entry | null} a take that is heard, and seen, in place of what is worked on */
    this.audition = null;
    /** @type {Entry[]} the last two that were heard, the last one last */
    this.pair = [];
    /** @type {[number, number] | null} bars that were selected before a take was shown */
    this.chosen = null;
    /** Where it begins when it is next played. */
    this.mark = 0;
    this.frame = 0;
    player.loop = true;
    player.onended = () => this.show();
    session.watchers.push(() => {
      this.audition = null;
      this.remember(session.now);
      this.load();
    });
    form.field("program").addEventListener("change", () => this.load());
    button("play").addEventListener("click", () => this.toggle());
    button("ab").addEventListener("click", () => this.compare());
    for (const what of /** @type {("loop" | "metronome" | "countIn" | "melodyOn")[]} */ (["loop", "metronome", "countIn", "melodyOn"])) {
      button(what).addEventListener("click", () => {
        player[what] = !player[what];
        button(what).setAttribute("aria-pressed", String(player[what]));
      });
    }
    for (const name of ["swing", "humanize", "expression"]) form.field(name).addEventListener("input", () => this.load());
    button("chordsOn").addEventListener("click", () => {
      player.on.chords = !player.on.chords;
      button("chordsOn").setAttribute("aria-pressed", String(player.on.chords));
      for (const watcher of lanes.watchers) watcher();
    });
    const turn = () => {
      player.volume = Number(input("volume").value);
      player.levels.chords = Number(input("chord-volume").value);
    };
    for (const id of ["volume", "chord-volume"]) input(id).addEventListener("input", turn);
    turn();
    lanes.watchers.push(() => this.load());
  }

  /** Tell the player what there is to play. */
  load() {
    const { melody, chords } = this.audition ?? this.session.now;
    const { bar, beat } = metreOf(melody.meter);
    const { program } = this.form;
    const swing = this.form.swingOf(melody.meter);
    const notes = performed(melody, swing, Number(this.form.value("humanize")), Number(this.form.value("expression")));
    // What surrounds the melody that is worked on does not go with another.
    const lanes = this.audition ? [] : this.lanes.of(this.session.now).map((lane) => performedLane(melody, lane, swing));
    this.player.setClip({ notes, bpm: melody.bpm, tempi: melody.tempi ?? [], length: lengthOf(melody), barSteps: bar, beatSteps: beat, chords, program, lanes });
    this.form.field("swing").disabled = !canSwing(melody.meter);
    this.range();
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

  /**
   * Hear a take, and see it on the roll; while another is heard, from the same place on.
   * @param {Entry} entry @param {number} [from] the step from which on
   */
  hear(entry, from) {
    const going = this.player.playing && (this.audition !== null || from !== undefined);
    this.remember(entry);
    if (!this.audition) this.chosen = this.roll.bars;
    this.audition = entry === this.session.now ? null : entry;
    this.roll.show(entry.melody, entry.chords);
    this.roll.locked = this.audition !== null;
    if (!this.audition) this.restored();
    if (!going) this.roll.centre();
    this.load();
    if (!going) this.start(from ?? 0);
  }

  /** The roll shows what is worked on again: with the bars that were selected there. */
  restored() {
    this.takes.unmark();
    this.roll.select(this.chosen);
    this.returned();
  }

  /** @param {Entry} entry */
  remember(entry) {
    if (this.pair.at(-1) === entry || !entry.melody.notes.length) return;
    // What is drawn is one melody, however often it changes.
    this.pair = [...this.pair.filter((one) => one !== entry), entry].slice(-2);
    button("ab").disabled = this.pair.length < 2;
  }

  /** The other of the last two that were heard, from the same place on. */
  compare() {
    const [other] = this.pair;
    if (!other || this.pair.length < 2) return;
    this.hear(other, this.player.playing ? this.player.position : this.mark);
    this.takes.mark(other);
  }

  /** Show again what is worked on, if a take took its place. */
  back() {
    if (!this.audition) return;
    this.audition = null;
    this.player.stop();
    this.roll.locked = false;
    this.roll.show(this.session.now.melody, this.session.now.chords);
    this.restored();
    this.load();
  }

  /** Silence, and from the beginning the next time. */
  rewind() {
    if (this.player.playing) this.player.stop();
    this.mark = 0;
    this.roll.at(null, false);
  }

  toggle() {
    if (this.player.playing) {
      this.player.stop();
      return;
    }
    const { bars } = this.roll;
    this.start(bars && !this.audition ? this.steps(bars)[0] : this.mark);
  }

  /** Go to a step: there it plays on, or begins when it is played. @param {number} step */
  seek(step) {
    this.mark = step;
    if (this.player.playing) this.start(step);
    else this.roll.at(step, false);
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
    this.roll.at(this.player.position, true);
    this.takes.at(this.audition ? this.player.position : null);
    this.frame = requestAnimationFrame(() => this.follow());
  }

  show() {
    button("play").textContent = this.player.playing ? "■ Stop" : "▶ Play";
    button("play").setAttribute("aria-pressed", String(this.player.playing));
    if (this.player.playing) return;
    this.roll.at(this.mark || null, false);
    this.takes.at(null);
  }
}
