// New music: generated, continued, eight takes at a time.

/** @import {Entry, Melody, Note, Start, Take} from "./types.js" */
import * as api from "./api.js";
import { button, element, input } from "./elements.js";
import { doing } from "./messages.js";
import { lengthOf } from "./music.js";

/** @param {Take} take @param {string} label @returns {Entry} */
export function entryOf(take, label) {
  const { melody, chords, file, seed, options } = take;
  const said = (/** @type {string} */ name) => (typeof options[name] === "string" ? options[name] : null);
  return { melody, chords, progression: said("chords"), label, file, seed, style: said("style") };
}

/** The notes with the velocities that those of `before` have at the same places. @param {Note[]} notes @param {Note[]} before @returns {Note[]} */
export function asLoud(notes, before) {
  const loud = new Map(before.map((note) => [note.onset, note.velocity]));
  return notes.map((note) => {
    const velocity = loud.get(note.onset);
    return velocity === undefined ? note : { ...note, velocity };
  });
}

export class Writing {
  /**
   * @param {import("./session.js").Session} session
   * @param {import("./roll.js").Roll} roll
   * @param {import("./form.js").Form} form
   * @param {import("./takes.js").Takes} takes
   * @param {import("./history.js").History} history
   * @param {import("./playing.js").Playing} playing
   */
  constructor(session, roll, form, takes, history, playing) {
    this.session = session;
    this.roll = roll;
    this.form = form;
    this.takes = takes;
    this.history = history;
    this.playing = playing;
    /** @type {Record<"roll" | "takes", AbortController | null>} what is being written, and where */
    this.orders = { roll: null, takes: null };
    /** The last order, and the last that has begun. */
    this.turns = 0;
    this.begun = { roll: 0, takes: 0 };
    session.interrupt = () => this.cancel("roll");
    button("generate").addEventListener("click", () => this.generate());
    button("eight").addEventListener("click", () => this.eight());
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
    const { now } = this.session;
    return this.write(button("continue"), 1, now.melody, () => {
      const more = input("more-bars");
      if (!more.validity.valid || more.value === "") {
        throw new Error(`Continue by ${more.value || "nothing"} is not possible; choose ${more.min} to ${more.max} bars.`);
      }
      return { ...this.form.wishes(now), bars: now.melody.bars + Number(more.value) };
    });
  }

  /**
   * Order melodies, and show them while they are written. An order before for the same place goes on until this one
   * begins, so that one that cannot be kept costs nothing.
   * @param {HTMLButtonElement} pressed @param {number} count @param {Melody | null} primer what is continued
   * @param {() => Record<string, unknown>} options
   */
  write(pressed, count, primer, options) {
    const place = count > 1 ? "takes" : "roll";
    const turn = ++this.turns;
    return doing(pressed, count > 1 ? "Writing eight takes" : "Writing", async ({ signal, at }) => {
      const { model, seed } = this.form;
      const feel = this.form.value("feel") || null;
      const order = { model, feel, options: options(), seed, takes: count, primer, render_chords: true };
      const stop = new AbortController();
      signal.addEventListener("abort", () => stop.abort());
      /** @type {Map<number, Note[]>} */
      const candidates = new Map();
      const written = primer ? lengthOf(primer) : 0;
      let each = 1;
      let frame = 0;
      let steps = Infinity;
      /** @type {number[]} how far each candidate is */
      const reached = [];
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
          steps = (start.length - written) * start.candidates;
          if (count > 1) this.takes.begin(start);
          else this.makeRoom(start, primer);
        },
        notes: (/** @type {[number, number, number, number][]} */ events) => {
          for (const [candidate, onset, duration, pitch] of events) {
            const notes = candidates.get(candidate) ?? [];
            candidates.set(candidate, notes);
            while ((notes.at(-1)?.onset ?? -1) >= onset) notes.pop();
            if (pitch >= 0 && onset >= written) notes.push({ pitch, onset, duration });
            reached[candidate] = onset + duration - written;
          }
          at(reached.reduce((sum, one) => sum + one, 0) / steps);
          frame ||= requestAnimationFrame(() => {
            frame = 0;
            if (this.orders[place] === stop) draw();
          });
        },
        take: (/** @type {Take} */ take) => {
          if (this.orders[place] !== stop) return;
          if (count > 1) this.takes.done(take, entryOf(take, `take ${(take.index ?? 0) + 1}`));
          else this.finish(entryOf(take, primer ? "continued" : "generated"), primer);
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
    this.playing.back();
    if (primer) {
      this.roll.update({ ...primer, bars });
      this.roll.reveal(lengthOf(primer), primer.notes.at(-1)?.pitch ?? 72);
    } else {
      this.playing.rewind();
      this.roll.show({ name: "", meter, key, bpm, bars, pickup, notes: [] });
      this.roll.centre();
    }
    this.roll.locked = true;
    element("title").textContent = "writing …";
    element("originality").textContent = "…";
  }

  /** @param {Entry} entry @param {Melody | null} primer what was continued */
  finish(entry, primer) {
    this.orders.roll = null;
    this.roll.locked = false;
    const notes = primer ? asLoud(entry.melody.notes, primer.notes) : entry.melody.notes;
    const tempi = primer?.tempi ?? [];
    const own = tempi.length || notes.some((note) => note.velocity);
    const whole = { ...entry, melody: { ...entry.melody, notes, tempi }, file: own ? null : entry.file };
    this.session.show(whole);
    if (primer) this.roll.reveal(lengthOf(primer), notes.at(-1)?.pitch ?? 72);
    this.history.add(whole);
  }
}
