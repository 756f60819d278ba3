// What is asked of new melodies: the form's fields as the program's options, and back.

/** @import {Choices} from "./types.js" */
import { element, get, html } from "./elements.js";
import { canSwing } from "./performing.js";
import { keep, kept } from "./storing.js";

const TONICS = ["", "C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];
const MODES = ["", "major", "minor", "dorian", "phrygian", "lydian", "mixolydian", "locrian"];
const NUMBERS = ["bars", "bpm", "density", "temperature", "top_k", "section_bars", "max_leap"];
const TEXTS = ["style", "tonic", "mode", "scale", "meter", "form", "chords", "chord_mode", "rests", "syncopation", "leaps", "grid", "pickup", "contour", "section", "motif", "seams"];
/** What a melody has settled, where parts of it are written anew: what goes for a whole. */
const OF_A_FORM = ["section_bars", "section", "motif", "seams"];
const OF_THE_WHOLE = ["bars", "meter", "bpm", "pickup", "form", ...OF_A_FORM];

/** Where nothing is said, what a feel or a style brings is shown in its place: in a field, or as the first choice. */
const SHOWN = ["bars", "bpm", "density", "section_bars", "form", "chords"];
const CHOSEN = ["style", "meter", "rests", "syncopation", "leaps", "grid", "pickup", "motif", "seams"];
const FREE = "auto";
const STORE = "melodygru options";

export class Form {
  /** @param {Choices} choices */
  constructor(choices) {
    this.form = get("options", HTMLFormElement);
    this.choices = choices;
    /** What fields show where nothing holds but what always does. */
    this.plain = new Map([...SHOWN, "lowest", "highest"].map((name) => [name, this.field(name).getAttribute("placeholder") ?? ""]));
    this.fill("style", ["", ...Object.keys(choices.styles)]);
    this.fill("feel", ["", ...Object.keys(choices.feels)], (name) => name || "none");
    for (const name of ["rests", "syncopation", "leaps", "motif", "seams"]) this.fill(name, ["", ...(choices.words[name] ?? [])]);
    // What sounds along with chords is to fit them, unless somebody would have it otherwise.
    this.fill("chord_mode", choices.words.chord_mode ?? []);
    this.fill("tonic", TONICS, (name) => name.replace("b", "♭").replace("#", "♯") || "auto");
    this.fill("mode", MODES, (name) => name || "auto");
    this.fill("model", choices.models.map((model) => model.name));
    this.fill("scale", ["", ...choices.scales], (name) => name || "the key’s");
    this.fill("program", choices.instruments.map((_, number) => String(number)), (number) => choices.instruments[Number(number)] ?? "");
    this.field("model").value = choices.default_model;
    this.restore();
    this.form.addEventListener("input", () => this.store());
    this.field("feel").addEventListener("change", () => {
      const { program } = this.feel ?? {};
      if (typeof program !== "number") return;
      this.field("program").value = String(program);
      this.field("program").dispatchEvent(new Event("change"));
      this.store();
    });
    this.form.addEventListener("submit", (event) => event.preventDefault());
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

  /** What is known of the model that is chosen. */
  get facts() {
    return this.choices.models.find((one) => one.name === this.model);
  }

  /** The feel that is chosen, if one is. */
  get feel() {
    return this.choices.feels[this.value("feel")] ?? null;
  }

  /** Whether the chosen model can keep an option. @param {string} name */
  knows(name) {
    return !this.facts?.unheard_of.includes(name);
  }

  /** What holds where nothing is said: of the feel, else of the style. @returns {Record<string, unknown>} */
  get beneath() {
    const feel = Object.fromEntries(Object.entries(this.feel?.options ?? {}).filter(([name]) => this.knows(name)));
    const style = this.value("style") || feel.style || (this.feel ? null : this.facts?.default_style);
    const own = this.knows("style") && this.choices.styles[String(style)];
    return { ...(own ? { style, meter: own.meter, bpm: own.bpm, range: own.range } : {}), ...feel };
  }

  /** Say in the fields and beside them what holds where nothing is said; what the model does not know is out of reach. */
  tell() {
    const { beneath, feel } = this;
    for (const name of SHOWN) this.field(name).setAttribute("placeholder", String(beneath[name] ?? this.plain.get(name)));
    const range = typeof beneath.range === "string" ? beneath.range.split(":") : [];
    for (const [place, name] of ["lowest", "highest"].entries()) {
      this.field(name).setAttribute("placeholder", range[place] ?? this.plain.get(name) ?? "");
    }
    for (const name of CHOSEN) {
      const first = this.field(name).querySelector("option");
      const brought = name === "style" && this.value(name) ? null : (beneath[name] ?? first?.dataset.plain);
      if (first) first.textContent = brought ? `${FREE} (${brought})` : FREE;
      this.field(name).disabled = !this.knows(name);
      this.field(name).title = this.knows(name) ? "" : `The model ${this.model} has not learned this.`;
    }
    const form = this.value("form") || beneath.form;
    for (const label of this.form.querySelectorAll(".of-form")) if (label instanceof HTMLElement) label.hidden = !form;
    element("kind").textContent = feel ? this.setBy(feel) : this.ofStyle(this.value("style") || String(beneath.style ?? ""));
  }

  /** @param {{about: string, options: Record<string, unknown>}} feel @returns {string} */
  setBy({ about, options }) {
    const set = Object.entries(options).filter(([name]) => this.knows(name));
    const words = set.map(([name, value]) => (typeof value === "boolean" ? `${value ? "" : "no "}${name}` : `${name.replaceAll("_", " ")} ${value}`));
    return `${about ? `${capital(about)}. ` : ""}Sets ${words.join(", ")}.`;
  }

  /** @param {string} style @returns {string} */
  ofStyle(style) {
    if (!this.knows("style")) return `The model ${this.model} writes in one style, its own.`;
    const facts = this.choices.styles[style];
    return facts ? `${capital(style)}: ${facts.good_for}.` : "Of no style in particular.";
  }

  /** @returns {number} General MIDI program */
  get program() {
    return Number(this.value("program"));
  }

  /** Where the second of two eighths is played: 0.5 straight, also where a metre has none. @param {string} meter */
  swingOf(meter) {
    return canSwing(meter) ? Number(this.value("swing")) : 0.5;
  }

  /** How notes are played that say nothing themselves, as a file is asked for. @param {string} meter */
  played(meter) {
    const [humanize, expression] = [Number(this.value("humanize")), Number(this.value("expression"))];
    return { program: this.program, swing: this.swingOf(meter), humanize, expression };
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
    for (const name of NUMBERS) {
      const value = this.number(name);
      // A slider that was not moved says nothing.
      if (value !== null && !(name === "temperature" && this.unmoved)) options[name] = value;
    }
    for (const name of TEXTS) if (this.value(name) && this.knows(name)) options[name] = this.value(name);
    if (this.range) options.range = this.range;
    // A line in heights says itself where the melody ends.
    if (/\d \d/.test(this.value("contour"))) options.end_on = "any";
    // A form says how long the whole is.
    if (options.form) delete options.bars;
    else for (const name of OF_A_FORM) delete options[name];
    if (!options.chords && !this.beneath.chords) delete options.chord_mode;
    return options;
  }

  /** Whether the temperature is what always holds. */
  get unmoved() {
    const field = this.field("temperature");
    return field instanceof HTMLInputElement && field.value === field.defaultValue;
  }

  /**
   * What of it goes for new notes within a melody that there is, or after it: all but what that has settled itself.
   * @param {import("./types.js").Entry} entry the melody @returns {Record<string, unknown>}
   */
  wishes(entry) {
    const own = this.knows("style") ? { style: entry.style ?? null } : {};
    const feel = Object.entries(this.feel?.options ?? {}).filter(([name]) => this.knows(name) && name !== "key");
    const chords = entry.progression ?? null;
    const all = { ...own, ...Object.fromEntries(feel), ...this.options, chords, chord_mode: this.value("chord_mode") };
    // How to follow chords says nothing without any.
    const idle = chords ? OF_THE_WHOLE : [...OF_THE_WHOLE, "chord_mode", "beats_per_chord"];
    return Object.fromEntries(Object.entries(all).filter(([name, value]) => value !== null && !idle.includes(name)));
  }

  /** Have the fields say what goes for the melody on the roll. @param {import("./types.js").Entry} entry */
  follow({ melody, progression }) {
    const { beneath } = this;
    const brought = { chords: progression ?? "", bpm: this.value("bpm") && String(melody.bpm) };
    for (const [name, value] of Object.entries(brought)) {
      if ((this.value(name) || String((name === "chords" && beneath.chords) || "")) !== value) this.field(name).value = value;
    }
    this.store();
  }

  store() {
    const fields = [...this.form.elements].filter((one) => one instanceof HTMLInputElement || one instanceof HTMLSelectElement);
    // Those out of reach too.
    const values = Object.fromEntries(fields.filter((one) => one.name).map((one) => [one.name, one.value]));
    keep(STORE, values);
    for (const output of this.form.querySelectorAll("output")) {
      output.value = this.value(output.htmlFor.value);
    }
    this.tell();
  }

  restore() {
    for (const [name, value] of Object.entries(kept(STORE) ?? {})) {
      const field = this.form.elements.namedItem(name);
      const known = !(field instanceof HTMLSelectElement) || [...field.options].some((one) => one.value === value);
      if ((field instanceof HTMLInputElement || field instanceof HTMLSelectElement) && known) field.value = String(value);
    }
    this.store();
  }
}

/** @param {string} text */
function capital(text) {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
