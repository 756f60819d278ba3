// New music: generated, regenerated, varied, continued.

/** @import {Entry, Melody, Note, Start, Take} from "./types.js" */
import * as api from "./api.js";
import { button, input, select } from "./elements.js";
import { doing, tell } from "./messages.js";
import { plain } from "./session.js";

/** @param {Take} take @param {string} label @returns {Entry} */
function entryOf(take, label) {
  const { melody, chords, file, seed, options } = take;
  return { melody, chords, progression: typeof options.chords === "string" ? options.chords : null, label, file, seed };
}

export class Writing {
  /**
   * @param {import("./session.js").Session} session
   * @param {import("./roll.js").Roll} roll
   * @param {import("./form.js").Form} form
   * @param {import("./takes.js").Takes} takes
   * @param {import("./history.js").History} history
   * @param {import("./audio.js").Player} player
   */
  constructor(session, roll, form, takes, history, player) {
    this.session = session;
    this.roll = roll;
    this.form = form;
    this.takes = takes;
    this.history = history;
    this.player = player;
    /** @type {AbortController | null} */
    this.order = null;
    button("generate").addEventListener("click", () => this.generate());
    button("eight").addEventListener("click", () => this.eight());
    button("infill").addEventListener("click", () => this.infill());
    button("vary").addEventListener("click", () => this.vary());
    button("continue").addEventListener("click", () => this.goOn());
  }

  generate() {
    return this.write(button("generate"), 1, null, () => this.form.options);
  }

  eight() {
    return this.write(button("eight"), 8, null, () => this.form.options);
  }

  /** The melody, and more bars of it. */
  goOn() {
    const { melody, progression } = this.session.now;
    return this.write(button("continue"), 1, melody, () => {
      // Without what is the melody's own, and what goes for a whole.
      const { bpm, key, meter, form, section_bars, density, ...options } = this.form.options;
      return { ...options, chords: progression, bars: melody.bars + Number(input("more-bars").value) };
    });
  }

  /**
   * @param {HTMLButtonElement} pressed @param {number} count @param {Melody | null} primer
   * @param {() => Record<string, unknown>} options
   */
  write(pressed, count, primer, options) {
    return doing(pressed, async () => {
      const order = { model: this.form.model, options: options(), seed: this.form.seed, takes: count, primer };
      this.order?.abort();
      const { signal } = (this.order = new AbortController());
      const before = this.session.now;
      /** @type {Map<number, Note[]>} */
      const candidates = new Map();
      /** @type {Start | null} */
      let begun = null;
      const hear = {
        start: (/** @type {Start} */ start) => {
          begun = start;
          if (count > 1) this.takes.begin(start);
          else if (!primer) this.clear(start);
        },
        notes: (/** @type {[number, number, number, number][]} */ events) => {
          for (const [candidate, onset, duration, pitch] of events) {
            const kept = (candidates.get(candidate) ?? []).filter((note) => note.onset < onset);
            if (pitch >= 0) kept.push({ pitch, onset, duration });
            candidates.set(candidate, kept);
          }
          if (count === 1) this.roll.ghost(candidates);
          else if (begun) {
            const each = begun.candidates / begun.takes;
            for (let take = 0; take < count; take++) this.takes.ghost(take, candidates.get(take * each) ?? []);
          }
        },
        take: (/** @type {Take} */ take) => {
          if (count > 1) this.takes.done(take, entryOf(take, `take ${(take.index ?? 0) + 1}`));
          else this.finish(entryOf(take, primer ? "continued" : "generated"));
        },
      };
      try {
        await api.generate(order, hear, signal);
      } catch (error) {
        if (count > 1) this.takes.end();
        else if (this.session.now !== before && !signal.aborted) this.session.undo();
        throw error;
      }
    });
  }

  /** Make room for what is being written. @param {Start} start */
  clear({ meter, key, bpm, bars, pickup }) {
    if (this.player.playing) this.player.stop();
    this.session.leave();
    this.session.now = plain({ name: "", meter, key, bpm, bars, pickup, notes: [] }, "writing");
    this.roll.show(this.session.now.melody);
    this.roll.centre();
  }

  /** @param {Entry} entry */
  finish(entry) {
    this.session.show(entry);
    this.history.add(entry);
  }

  /** Bars that are selected, as the program takes them. @returns {string | null} */
  get bars() {
    const { bars } = this.roll;
    if (!bars) return null;
    return bars[0] === bars[1] ? `${bars[0]}` : `${bars[0]}-${bars[1]}`;
  }

  infill() {
    const { bars } = this;
    if (bars) return this.rewrite(button("infill"), api.infill, { bars }, `bars ${bars} anew`);
    tell(new Error("Choose the bars to write anew: drag over the bar numbers, or type them beside Regenerate."));
  }

  vary() {
    const amount = Number(input("amount").value) / 100;
    const values = { bars: this.bars, amount, keep: select("keep").value || null };
    return this.rewrite(button("vary"), api.vary, values, `varied by ${Math.round(amount * 100)} %`);
  }

  /**
   * @param {HTMLButtonElement} pressed @param {(order: Record<string, unknown>) => Promise<Take>} ask
   * @param {Record<string, unknown>} values @param {string} label
   */
  rewrite(pressed, ask, values, label) {
    return doing(pressed, async () => {
      const before = this.session.now;
      const { model, wishes, seed } = this.form;
      const take = await ask({ model, melody: before.melody, options: wishes, seed, ...values });
      // What was drawn in the meantime is not thrown away.
      if (this.session.now !== before) return;
      const { chords, progression } = before;
      const entry = { ...entryOf(take, label), chords, progression };
      this.session.put(entry);
      this.history.add(entry);
    });
  }
}
