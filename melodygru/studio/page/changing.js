// What is on the roll, changed by the model: bars written anew, variations; with all that the form wishes.

import * as api from "./api.js";
import { button, input, select } from "./elements.js";
import { doing, tell } from "./messages.js";
import { locksOf } from "./roll_locks.js";
import { asLoud, entryOf } from "./writing.js";

const FILLINGS = 4;

export class Changing {
  /**
   * @param {import("./session.js").Session} session
   * @param {import("./roll.js").Roll} roll
   * @param {import("./form.js").Form} form
   * @param {import("./history.js").History} history
   */
  constructor(session, roll, form, history) {
    this.session = session;
    this.roll = roll;
    this.form = form;
    this.history = history;
    button("infill").addEventListener("click", () => this.infill());
    button("vary").addEventListener("click", () => this.vary());
  }

  /** Bars that are selected, as the program takes them. @returns {string | null} */
  get bars() {
    const { bars } = this.roll;
    if (!bars) return null;
    return bars[0] === bars[1] ? `${bars[0]}` : `${bars[0]}-${bars[1]}`;
  }

  infill() {
    const { bars } = this;
    const locks = locksOf(this.roll);
    if (!bars && Object.keys(locks).length) {
      return this.rewrite("infill", "Writing what is not locked", { best_of: FILLINGS }, () => locks, "all but the locked anew");
    }
    // The best of a few fillings: the best of very many would be the same each time.
    if (bars) return this.rewrite("infill", "Writing bars anew", { best_of: FILLINGS }, () => ({ bars, ...locks }), `bars ${bars} anew`);
    tell(new Error("Choose the bars to write anew: drag over the bar numbers, or type them beside Regenerate; or lock notes."));
  }

  vary() {
    const field = input("amount");
    const amount = Number(field.value) / 100;
    const values = () => {
      if (!field.validity.valid || field.value === "") {
        throw new Error(`Vary by ${field.value || "nothing"} is not possible; choose ${field.min} to ${field.max} per cent.`);
      }
      return { bars: this.bars, amount, keep: select("keep").value || null, ...locksOf(this.roll) };
    };
    return this.rewrite("vary", "Varying", {}, values, `varied by ${Math.round(amount * 100)} %`);
  }

  /**
   * @param {"infill" | "vary"} what @param {string} words @param {Record<string, unknown>} more options
   * @param {() => Record<string, unknown>} values @param {string} label
   */
  rewrite(what, words, more, values, label) {
    const pressed = button(what);
    if (pressed.hasAttribute("aria-busy")) return Promise.resolve();
    return doing(pressed, words, async (task) => {
      const before = this.session.now;
      const { model, seed } = this.form;
      const options = { ...this.form.wishes(before), ...more };
      const take = await api.change(what, { model, melody: before.melody, options, seed, ...values() }, task);
      // What was drawn in the meantime is not thrown away.
      if (this.session.now !== before) return;
      const { chords, progression, hand } = before;
      const tempi = before.melody.tempi ?? [];
      const notes = asLoud(take.melody.notes, before.melody.notes);
      /** @type {import("./types.js").Entry} */
      const entry = { ...entryOf(take, label), melody: { ...take.melody, notes, tempi }, chords, progression, ...(hand ? { hand } : {}) };
      // The program's own file knows of no chords, no velocities and no tempo changes.
      if (progression || tempi.length || notes.some((note) => note.velocity)) entry.file = null;
      this.session.put(entry);
      this.history.add(entry);
    });
  }
}
