// Results while an option is turned: what is on the roll is written anew at each change, from one seed.

import * as api from "./api.js";
import { button } from "./elements.js";
import { entryOf } from "./writing.js";

/** After so long without a change what stands there goes into the history. */
const SETTLED = 1500;

export class Auto {
  /**
   * @param {import("./session.js").Session} session
   * @param {import("./form.js").Form} form
   * @param {import("./history.js").History} history
   * @param {import("./playing.js").Playing} playing
   */
  constructor(session, form, history, playing) {
    this.session = session;
    this.form = form;
    this.history = history;
    this.playing = playing;
    this.on = false;
    this.seed = 0;
    /** @type {import("./types.js").Entry | null} what was put on the roll last: this turn and the last are one step */
    this.last = null;
    this.settling = 0;
    /** @type {AbortController | null} */
    this.asking = null;
    button("auto").addEventListener("click", () => {
      this.on = !this.on;
      this.seed = session.now.seed ?? Math.floor(Math.random() * 1e9);
      button("auto").setAttribute("aria-pressed", String(this.on));
    });
    form.form.addEventListener("input", (event) => {
      const name = event.target instanceof Element ? event.target.getAttribute("name") : "";
      if (this.on && !["seed", "program", "swing", "humanize", "expression"].includes(name ?? "")) void this.turn();
    });
  }

  async turn() {
    this.asking?.abort();
    const { signal } = (this.asking = new AbortController());
    try {
      const { model, seed } = this.form;
      // One candidate: the best of several takes as many times as long.
      const options = { ...this.form.options, best_of: 1 };
      const order = { model, feel: this.form.value("feel") || null, options, seed: seed ?? this.seed, takes: 1, render_chords: true };
      await api.generate(order, { start: () => {}, notes: () => {}, take: (take) => signal.aborted || this.put(take) }, signal);
    } catch {
      // What stands in the way is told beside the field.
    }
  }

  /** @param {import("./types.js").Take} take */
  put(take) {
    const entry = entryOf(take, "generated");
    const joined = this.session.turning && this.session.now === this.last;
    this.playing.back();
    this.session.turning = true;
    this.session.replace(entry, joined);
    this.last = entry;
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      this.session.turning = false;
      if (this.session.now === entry) this.history.add(entry);
    }, SETTLED);
  }
}
