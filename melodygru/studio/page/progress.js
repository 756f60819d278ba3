// What takes over a second: how far it is, about how long it still takes, and a way to stop it.

import { element, html } from "./elements.js";

const SHOWN_AFTER = 1000;

/** One piece of work, shown once it has taken a second. */
export class Progress {
  /** @param {string} what such as "Writing" @param {() => void} cancel */
  constructor(what, cancel) {
    this.began = performance.now();
    this.done = 0;
    this.bar = html("progress", { max: "1", "aria-label": what });
    this.left = html("span", { class: "left" });
    const stop = html("button", { type: "button", class: "quiet" }, ["Cancel"]);
    stop.setAttribute("aria-label", `Cancel: ${what}`);
    stop.addEventListener("click", cancel);
    this.row = html("div", { class: "task" }, [html("span", {}, [what]), this.bar, this.left, stop]);
    this.timer = setTimeout(() => {
      element("working").append(this.row);
      this.tell();
      this.timer = setInterval(() => this.tell(), 500);
    }, SHOWN_AFTER);
  }

  /** @param {number} done share of the work, in [0, 1]; it does not go back */
  at(done) {
    this.done = Math.max(this.done, Math.min(done, 1));
  }

  tell() {
    const seconds = (performance.now() - this.began) / 1000;
    // From a first bit one can tell little.
    if (this.done < 0.02) {
      this.bar.removeAttribute("value");
      this.left.textContent = `${Math.round(seconds)} s so far`;
      return;
    }
    this.bar.value = this.done;
    const left = Math.ceil((seconds * (1 - this.done)) / this.done);
    this.left.textContent = left < 1 ? "nearly done" : left < 90 ? `${left} s left` : `${Math.ceil(left / 60)} min left`;
  }

  end() {
    clearTimeout(this.timer);
    clearInterval(this.timer);
    this.row.remove();
  }
}
