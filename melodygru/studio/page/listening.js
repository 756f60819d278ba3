// What the model hears in what is on the roll, asked for whenever that changes, and shown.

/** @import {Look, Note} from "./types.js" */
import * as api from "./api.js";
import { button, element, html } from "./elements.js";
import { about, inWords, level, originality, rewritten } from "./glassbox.js";
import { tell } from "./messages.js";
import { isEdited } from "./session.js";

export class Listening {
  /**
   * @param {import("./session.js").Session} session
   * @param {import("./roll.js").Roll} roll
   * @param {import("./form.js").Form} form
   */
  constructor(session, roll, form) {
    this.session = session;
    this.roll = roll;
    this.form = form;
    /** @type {Look | null} */
    this.look = null;
    /** @type {AbortController | null} */
    this.asking = null;
    session.watchers.push(() => this.listen());
    form.field("model").addEventListener("change", () => this.listen());
  }

  async listen() {
    this.asking?.abort();
    this.look = null;
    const { now } = this.session;
    // What was said of another melody does not stay while this one is listened to.
    if (!isEdited(now) && !this.session.turning) {
      element("originality").textContent = "…";
      element("surprise").textContent = "…";
    }
    if (!now.melody.notes.length) {
      element("originality").textContent = "Draw a note, or press Generate.";
      element("surprise").textContent = "";
      this.roll.colour([], []);
      return;
    }
    const { signal } = (this.asking = new AbortController());
    try {
      // Not at every step of drawing.
      if (isEdited(now) || this.session.turning) await new Promise((resolve) => setTimeout(resolve, 250));
      if (signal.aborted) return;
      const look = await api.look(this.form.model, now.melody, signal);
      if (signal.aborted) return;
      this.look = look;
      this.colour();
      // Whoever has selected a note is told what was missing.
      if (this.roll.chosen.size === 1) this.roll.choose([...this.roll.chosen]);
    } catch (error) {
      // Nobody asked for this: it does not take the place of what is told.
      if (!signal.aborted && element("message").hidden) tell(error);
    }
  }

  /** Colour the roll with what was heard, where it shows that. */
  colour() {
    const { look } = this;
    if (!look || this.roll.melody !== this.session.now.melody) return;
    this.roll.colour(look.notes.map((note) => level(note.nats)), rewritten(look));
    const [run, where] = originality(look);
    const place = html("span", { class: "soft" }, [where && `: ${where}`]);
    element("originality").replaceChildren(html("b", {}, [run]), place);
    element("surprise").textContent = inWords(look);
  }

  /** Tell of the note that is hovered or selected. @param {Note | null} note @param {DOMRect | null} box */
  point(note, box) {
    const tip = element("tip");
    button("delete").disabled = !this.roll.chosen.size;
    const { melody } = this.session.now;
    tip.hidden = !note || !box || this.roll.dragging || this.roll.melody !== melody;
    if (tip.hidden || !note || !box) return;
    tip.replaceChildren(...about(melody, note, this.look?.notes[melody.notes.indexOf(note)] ?? null));
    const { width, height } = tip.getBoundingClientRect();
    // Under the roll, where it hides no notes; or over it, where there is no room.
    const roll = this.roll.host.getBoundingClientRect();
    const below = roll.bottom + 6;
    tip.style.left = `${Math.max(6, Math.min(box.left, innerWidth - width - 6))}px`;
    tip.style.top = `${below + height < innerHeight ? below : Math.max(6, roll.top - height - 6)}px`;
  }
}
