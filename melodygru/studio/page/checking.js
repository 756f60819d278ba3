// What contradicts itself in the form is told beside the field, before anything is pressed.

import * as api from "./api.js";
import { element, html } from "./elements.js";
import { fieldsOf, inOurWords } from "./words.js";

const AFTER_TYPING = 250;

export class Checking {
  /**
   * @param {import("./form.js").Form} form @param {import("./session.js").Session} session
   * @param {import("./sections.js").Sections} sections
   */
  constructor(form, session, sections) {
    this.form = form;
    this.sections = sections;
    this.session = session;
    this.hint = html("p", { id: "hint", class: "hint", "aria-live": "polite" });
    this.hint.hidden = true;
    element("options").append(this.hint);
    /** @type {AbortController | null} */
    this.asking = null;
    form.form.addEventListener("input", () => this.look());
    form.form.addEventListener("change", () => this.look());
    session.watchers.push(() => this.tell());
    /** @type {{text: string, fields: string[], wrong: boolean} | null} */
    this.found = null;
    this.look();
  }

  async look() {
    this.asking?.abort();
    const { signal } = (this.asking = new AbortController());
    await new Promise((resolve) => setTimeout(resolve, AFTER_TYPING));
    if (signal.aborted) return;
    try {
      const { form } = this;
      const order = { model: form.model, feel: form.value("feel") || null, options: form.options };
      const { problem, parts } = await api.check(order, signal);
      if (signal.aborted) return;
      if (this.sections.show(parts)) return void this.look();
      this.found = problem ? { text: inOurWords(problem), fields: fieldsOf(problem), wrong: true } : null;
    } catch (error) {
      if (signal.aborted || !(error instanceof Error)) return;
      const field = error instanceof api.Refused ? fieldsOf(error.message) : this.broken;
      // That the server is away is told by whoever needs it.
      this.found = field.length ? { text: inOurWords(error.message), fields: field, wrong: true } : null;
    }
    if (!signal.aborted) this.tell();
  }

  /** Fields whose text is no number. */
  get broken() {
    return [...this.form.form.elements].flatMap((one) => (one instanceof HTMLInputElement && one.validity.badInput ? one.name : []));
  }

  /** The key of what is on the roll, where new notes in it would be in another. */
  get otherKey() {
    const { melody } = this.session.now;
    const [tonic, mode] = [this.form.value("tonic"), this.form.value("mode")];
    const [own = "C", ownMode = "major"] = melody.key.split(" ");
    if (!melody.notes.length || (!tonic && !mode)) return null;
    const other = (tonic && tonic !== own) || (mode && mode !== ownMode);
    const wish = `${tonic || own} ${mode || ownMode}`;
    return other ? { text: `What is on the roll is in ${melody.key}; new notes in it will be in ${wish}.`, fields: ["tonic"], wrong: false } : null;
  }

  tell() {
    const { form } = this.form;
    const found = this.found ?? this.otherKey;
    for (const field of form.querySelectorAll("[aria-invalid]")) {
      field.removeAttribute("aria-invalid");
      if (field.getAttribute("aria-describedby") === "hint") field.removeAttribute("aria-describedby");
    }
    this.hint.hidden = !found;
    if (!found) return;
    this.hint.textContent = found.text;
    this.hint.classList.toggle("wrong", found.wrong);
    // What was said, rather than what holds where nothing was.
    const said = found.fields.filter((name) => this.form.value(name) !== "");
    const fields = (said.length ? said : found.fields).map((name) => this.form.field(name));
    for (const field of fields) {
      if (found.wrong) field.setAttribute("aria-invalid", "true");
      if (!field.hasAttribute("aria-describedby")) field.setAttribute("aria-describedby", "hint");
    }
    const beside = fields[0]?.closest("label") ?? (fields[0]?.name === "section" ? element("parts") : null);
    if (beside) {
      beside.closest("details")?.setAttribute("open", "");
      // Where two fields stand in a row, after both.
      const row = beside.classList.contains("two") && beside.nextElementSibling?.matches("label.two") && isLeft(beside) ? beside.nextElementSibling : beside;
      row.after(this.hint);
    } else form.prepend(this.hint);
  }
}

/** Whether a field is the first of two in a row. @param {Element} label */
function isLeft(label) {
  const next = label.nextElementSibling;
  return next !== null && next.getBoundingClientRect().top === label.getBoundingClientRect().top;
}
