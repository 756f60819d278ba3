// New music: generated, regenerated, varied, continued.

/** @import {Entry, Melody, Note, Start, Take} from "./types.js" */
import * as api from "./api.js";
import { button, element, input, select } from "./elements.js";
import { doing, tell } from "./messages.js";
import { lengthOf } from "./music.js";

const FILLINGS = 4;

/** @param {Take} take @param {string} label @returns {Entry} */
function entryOf(take, label) {
  const { melody, chords, file, seed, options } = take;
  const said = (/** @type {string} */ name) => (typeof options[name] === "string" ? options[name] : null);
  return { melody, chords, progression: said("chords"), label, file, seed, style: said("style") };
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
    /** @type {Record<"roll" | "takes", AbortController | null>} what is being written, and where */
    this.orders = { roll: null, takes: null };
    /** The last order, and the last that has begun. */
    this.turns = 0;
    this.begun = { roll: 0, takes: 0 };
    session.interrupt = () => this.cancel("roll");
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
    const { melody, progression, style } = this.session.now;
    return this.write(button("continue"), 1, melody, () => {
      // Without what is the melody's own, and what goes for a whole.
      const { bpm, key, meter, form, section_bars, density, ...options } = this.form.options;
      return { ...options, style: this.form.styleOf(style ?? null), chords: progression, bars: melody.bars + Number(input("more-bars").value) };
    });
  }

  /**
   * Order melodies, and show them while they are written. An order before for the same place goes on until this one
   * begins, so that one that cannot be kept costs nothing.
   * @param {HTMLButtonElement} pressed @param {number} count @param {Melody | null} primer
   * @param {() => Record<string, unknown>} options
   */
  write(pressed, count, primer, options) {
    const place = count > 1 ? "takes" : "roll";
    const turn = ++this.turns;
    return doing(pressed, async () => {
      const { model, seed } = this.form;
      const feel = primer ? null : this.form.value("feel") || null;
      const order = { model, feel, options: options(), seed, takes: count, primer };
      const stop = new AbortController();
      /** @type {Map<number, Note[]>} */
      const candidates = new Map();
      const written = primer ? lengthOf(primer) : 0;
      let each = 1;
      let frame = 0;
      const draw = () => {
        if (count === 1) this.roll.ghost(candidates);
        else for (let take = 0; take < count; take++) this.takes.ghost(take, candidates.get(take * each) ?? []);
      };
      const hear = {
        start: (/** @type {Start} */ start) => {
          if (turn < this.begun[place]) {
            stop.abort();
            return;
          }
          this.cancel(place);
          this.begun[place] = turn;
          this.orders[place] = stop;
          each = start.candidates / start.takes;
          if (count > 1) this.takes.begin(start);
          else this.makeRoom(start, primer);
        },
        notes: (/** @type {[number, number, number, number][]} */ events) => {
          for (const [candidate, onset, duration, pitch] of events) {
            const notes = candidates.get(candidate) ?? [];
            candidates.set(candidate, notes);
            while ((notes.at(-1)?.onset ?? -1) >= onset) notes.pop();
            if (pitch >= 0 && onset >= written) notes.push({ pitch, onset, duration });
          }
          frame ||= requestAnimationFrame(() => {
            frame = 0;
            if (this.orders[place] === stop) draw();
          });
        },
        take: (/** @type {Take} */ take) => {
          if (this.orders[place] !== stop) return;
          if (count > 1) this.takes.done(take, entryOf(take, `take ${(take.index ?? 0) + 1}`));
          else this.finish(entryOf(take, primer ? "continued" : "generated"), written);
        },
      };
      try {
        await api.generate(order, hear, stop.signal);
      } catch (error) {
        if (this.orders[place] === stop) this.cancel(place);
        throw error;
      } finally {
        cancelAnimationFrame(frame);
        if (this.orders[place] === stop) this.orders[place] = null;
      }
    });
  }

  /**
   * Stop what is being written, and bring back what was there before.
   * @param {"roll" | "takes"} place @returns {boolean} whether anything was
   */
  cancel(place) {
    const order = this.orders[place];
    if (!order) return false;
    this.orders[place] = null;
    order.abort();
    if (place === "takes") {
      this.takes.end();
      return true;
    }
    this.roll.locked = false;
    this.roll.show(this.session.now.melody, this.session.now.chords);
    this.session.changed();
    return true;
  }

  /** Make room on the roll for what is being written. @param {Start} start @param {Melody | null} primer */
  makeRoom({ meter, key, bpm, bars, pickup }, primer) {
    if (primer) {
      this.roll.update({ ...primer, bars });
      this.roll.reveal(lengthOf(primer), primer.notes.at(-1)?.pitch ?? 72);
    } else {
      if (this.player.playing) this.player.stop();
      this.roll.show({ name: "", meter, key, bpm, bars, pickup, notes: [] });
      this.roll.centre();
    }
    this.roll.locked = true;
    element("title").textContent = "writing …";
  }

  /** @param {Entry} entry @param {number} from where what is new begins */
  finish(entry, from) {
    this.orders.roll = null;
    this.roll.locked = false;
    this.session.show(entry);
    if (from) this.roll.reveal(from, entry.melody.notes.at(-1)?.pitch ?? 72);
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
    // The best of a few fillings: the best of very many would be the same each time.
    const options = { ...this.form.wishes(this.session.now.style ?? null), best_of: FILLINGS };
    if (bars) return this.rewrite(button("infill"), api.infill, { bars, options }, `bars ${bars} anew`);
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
    if (pressed.hasAttribute("aria-busy")) return Promise.resolve();
    return doing(pressed, async () => {
      const before = this.session.now;
      const { model, seed } = this.form;
      const options = this.form.wishes(before.style ?? null);
      const take = await ask({ model, melody: before.melody, options, seed, ...values });
      // What was drawn in the meantime is not thrown away.
      if (this.session.now !== before) return;
      const { chords, progression } = before;
      const entry = { ...entryOf(take, label), chords, progression };
      this.session.put(entry);
      this.history.add(entry);
    });
  }
}
