// What is asked of new melodies: the form's fields as the program's options, and back.

/** @import {Choices} from "./types.js" */
import { get, html } from "./elements.js";

const TONICS = ["", "C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];
const MODES = ["major", "minor", "dorian", "phrygian", "lydian", "mixolydian", "locrian"];
const NUMBERS = ["bars", "bpm", "density", "temperature", "top_k", "section_bars"];
const TEXTS = ["scale", "meter", "form", "chords"];
const STORE = "melodygru options";

export class Form {
  /** @param {Choices} choices */
  constructor(choices) {
    this.form = get("options", HTMLFormElement);
    this.fill("tonic", TONICS, (name) => name.replace("b", "♭").replace("#", "♯") || "auto");
    this.fill("mode", MODES);
    this.fill("model", choices.models.map((model) => model.name));
    this.fill("scale", ["", ...choices.scales], (name) => name || "the key’s");
    this.fill("program", choices.instruments.map((_, number) => String(number)), (number) => choices.instruments[Number(number)] ?? "");
    this.field("model").value = choices.default_model;
    this.restore();
    this.form.addEventListener("input", () => this.store());
    this.form.addEventListener("submit", (event) => event.preventDefault());
    get("dice", HTMLButtonElement).addEventListener("click", () => {
      this.field("seed").value = String(Math.floor(Math.random() * 1e9));
      this.store();
    });
    get("clear-options", HTMLButtonElement).addEventListener("click", () => {
      this.form.reset();
      this.field("model").value = choices.default_model;
      this.form.dispatchEvent(new Event("input"));
      this.field("program").dispatchEvent(new Event("change"));
    });
  }

  /** @param {string} name @returns {HTMLInputElement | HTMLSelectElement} */
  field(name) {
    const field = this.form.elements.namedItem(name);
    if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) return field;
    throw new Error(`There is no field ${name}.`);
  }

  /** @param {string} name @param {string[]} values @param {(value: string) => string} [label] */
  fill(name, values, label = (value) => value) {
    this.field(name).replaceChildren(...values.map((value) => html("option", { value }, [label(value)])));
  }

  /** @param {string} name @returns {string} */
  value(name) {
    return this.field(name).value.trim();
  }

  /** @returns {string} */
  get model() {
    return this.value("model");
  }

  /** @returns {number} General MIDI program */
  get program() {
    return Number(this.value("program"));
  }

  /** @returns {number | null} */
  get seed() {
    return this.number("seed");
  }

  /** @param {string} name @returns {number | null} Throws what people can read. */
  number(name) {
    const field = this.field(name);
    const text = field.value.trim();
    if (field instanceof HTMLInputElement && field.validity.badInput) throw new Error(`${field.title || name} is no number; correct it.`);
    return text === "" ? null : Number(text);
  }

  /** Lowest and highest pitch, if one was named. @returns {string | null} */
  get range() {
    const ends = ["lowest", "highest"];
    if (!ends.some((name) => this.value(name))) return null;
    // What is not said is what the field shows in its place.
    return ends.map((name) => this.value(name) || this.field(name).getAttribute("placeholder")).join(":");
  }

  /** All that was said, as fields of `GenerationConfig`. @returns {Record<string, unknown>} */
  get options() {
    /** @type {Record<string, unknown>} */
    const options = {};
    const [tonic, mode] = [this.value("tonic"), this.value("mode")];
    // Without a tonic the chords decide, and without chords it is C.
    if (tonic || mode !== "major") options.key = `${tonic || "C"} ${mode}`;
    for (const name of NUMBERS) {
      const value = this.number(name);
      if (value !== null) options[name] = value;
    }
    for (const name of TEXTS) if (this.value(name)) options[name] = this.value(name);
    if (this.range) options.range = this.range;
    // A form says how long the whole is.
    if (options.form) delete options.bars;
    else delete options.section_bars;
    return options;
  }

  /** What of it goes for new notes within a melody that there is. @returns {Record<string, unknown>} */
  get wishes() {
    const wishes = { temperature: this.number("temperature"), top_k: this.number("top_k"), range: this.range };
    return Object.fromEntries(Object.entries(wishes).filter(([, value]) => value !== null));
  }

  store() {
    const values = Object.fromEntries(new FormData(this.form).entries());
    try {
      localStorage.setItem(STORE, JSON.stringify(values));
    } catch {
      // Without storage the options last as long as the page.
    }
    for (const output of this.form.querySelectorAll("output")) {
      output.value = this.value(output.htmlFor.value);
    }
  }

  restore() {
    try {
      const values = JSON.parse(localStorage.getItem(STORE) ?? "{}");
      for (const [name, value] of Object.entries(values)) {
        const field = this.form.elements.namedItem(name);
        const known = !(field instanceof HTMLSelectElement) || [...field.options].some((one) => one.value === value);
        if ((field instanceof HTMLInputElement || field instanceof HTMLSelectElement) && known) field.value = String(value);
      }
    } catch {
      // What was stored is of no use; the form begins as it is.
    }
    this.store();
  }
}
