// Wishes of sections' own: for each part of the form a row of fields, whose words the hidden field "section" keeps.

import { element, get, html } from "./elements.js";

/** What a part may have for itself on the page, what stands beside it, and what that means. */
const FIELDS = /** @type {const} */ ({ density: ["Notes", "Notes a bar"], range: ["Range", "Lowest and highest note"], feel: ["Feel", "Feel"], chords: ["Chords", "Chords"] });
/** As melodygru.writing.sections reads it. */
const PART = /\s*([A-Z]):((?:\s*[a-z_]+=(?:"[^"]*"|'[^']*'|[^\s;"']+))+)\s*(?:;|$)/g;
const SAID = /([a-z_]+)=(?:"([^"]*)"|'([^']*)'|([^\s;"']+))/g;

/** @typedef {Record<string, Record<string, string>>} Own  wishes by letter and option */

/** @param {string} text @returns {Own} */
export function ownOf(text) {
  return Object.fromEntries([...text.matchAll(PART)].map(([, letter, said]) => [letter, Object.fromEntries([...(said ?? "").matchAll(SAID)].map(([, name, ...values]) => [name, values.find((value) => value !== undefined) ?? ""]))]));
}

/** The inverse of `ownOf`. @param {Own} own @returns {string} */
export function textOf(own) {
  const quoted = (/** @type {string} */ value) => (value.includes("'") ? `"${value.replaceAll('"', "")}"` : `'${value}'`);
  const parts = Object.entries(own).map(([letter, wishes]) => [letter, Object.entries(wishes).filter(([, value]) => value !== "")]);
  return parts.flatMap(([letter, wishes]) => (wishes?.length ? [`${letter}: ${[...wishes].map(([name, value]) => `${name}=${quoted(value ?? "")}`).join(" ")}`] : [])).join("; ");
}

export class Sections {
  /** @param {import("./form.js").Form} form */
  constructor(form) {
    this.form = form;
    this.rows = element("parts");
    this.kept = get("section", HTMLInputElement);
    /** @type {Record<string, string>} the parts that have rows: what each is called, by letter */
    this.parts = {};
    this.rows.addEventListener("input", () => this.keep());
    get("clear-options", HTMLButtonElement).addEventListener("click", () => this.show({}));
    // What was said when the page was open last stands there at once.
    this.show(Object.fromEntries(Object.keys(ownOf(this.kept.value)).map((letter) => [letter, ""])));
  }

  /** A row for each part; what was said of others is forgotten. @param {Record<string, string>} parts @returns {boolean} whether anything was */
  show(parts) {
    const before = ownOf(this.kept.value);
    if (JSON.stringify(parts) !== JSON.stringify(this.parts)) {
      this.parts = parts;
      this.rows.replaceChildren(...Object.entries(parts).map(([letter, name]) => this.row(letter, name, before[letter] ?? {})));
      this.rows.hidden = !Object.keys(parts).length;
    }
    const forgotten = Object.keys(before).some((letter) => !(letter in parts));
    if (forgotten) this.keep();
    return forgotten;
  }

  /** @param {string} letter @param {string} name @param {Record<string, string>} said */
  row(letter, name, said) {
    const called = name ? `${name.slice(0, 1).toUpperCase()}${name.slice(1)} (${letter})` : `Section ${letter}`;
    const fields = Object.entries(FIELDS).map(([option, [beside, meant]]) => {
      const about = { "data-letter": letter, "data-option": option, "aria-label": `${called}: ${meant}`, title: meant };
      const field = option === "feel" ? this.feels(about) : html("input", { ...about, spellcheck: "false", placeholder: { range: "C4:C5", chords: "F G C Am" }[option] ?? "free", ...(option === "density" ? { inputmode: "decimal" } : {}) });
      field.value = said[option] ?? "";
      return html("label", { class: option }, [beside, field]);
    });
    return html("fieldset", {}, [html("legend", {}, [called]), ...fields]);
  }

  /** @param {Record<string, string>} about */
  feels(about) {
    const names = ["", ...Object.keys(this.form.choices.feels)];
    return html("select", about, names.map((value) => html("option", { value }, [value || "none"])));
  }

  /** Put what the rows say into the field that is kept and sent. */
  keep() {
    /** @type {Own} */
    const own = {};
    for (const field of this.rows.querySelectorAll("input, select")) {
      if (!(field instanceof HTMLInputElement || field instanceof HTMLSelectElement)) continue;
      const { letter = "", option = "" } = field.dataset;
      (own[letter] ??= {})[option] = field.value.trim();
    }
    this.kept.value = textOf(own);
  }
}
