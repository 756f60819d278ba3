// What the server says, in the page's own words: fields by what stands beside them, no options of the command line.

/** Of each of the program's options, the field of the form that it is, and what stands beside that. */
const FIELDS = /** @type {Record<string, [string, string]>} */ ({
  style: ["style", "Style"], feel: ["feel", "Feel"], bars: ["bars", "Bars"], bpm: ["bpm", "Tempo"],
  key: ["tonic", "Key"], tonic: ["tonic", "Key"], mode: ["mode", "Mode"], meter: ["meter", "Metre"],
  scale: ["scale", "Scale"], scale_mode: ["scale", "Scale"], range: ["lowest", "Lowest and Highest"],
  density: ["density", "Notes a bar"], rests: ["rests", "Rests"], syncopation: ["syncopation", "Syncopation"],
  leaps: ["leaps", "Leaps"], max_leap: ["max_leap", "Largest leap"], grid: ["grid", "Shortest note"],
  pickup: ["pickup", "Pickup"], contour: ["contour", "Line"], temperature: ["temperature", "Temperature"],
  form: ["form", "Form"], section_bars: ["section_bars", "Section bars"], chords: ["chords", "Chords"],
  chord_mode: ["chord_mode", "Fit"], seed: ["seed", "Seed"], model: ["model", "Model"],
  top_k: ["top_k", "Top-k"], program: ["program", "Sound"], swing: ["swing", "Swing"],
  humanize: ["humanize", "Human"], amount: ["", "Vary by"], keep: ["", "Keep"], end_on: ["", "The last note"],
  triplets: ["", "Triplets"], no_repeat_notes: ["", "Repeated notes"], max_copy: ["", "What may be copied"],
  section: ["section", "A section’s own"], motif: ["motif", "Sections share"], seams: ["seams", "Seams"],
  beats_per_chord: ["chords", "The length of a chord"], best_of: ["", "The number of candidates"],
});

/** Advice that needs the command line: a part of a sentence between commas. */
const ELSEWHERE = /(,? (?:or |and )?[^,;]*--(?:primer-bars|no-include-primer|no-index|count|pickup-as)\b[^,;.]*)/g;
const OPTION = /--([a-z]+(?:-[a-z]+)*)|\boptions\.([a-z_]+)/g;

/** @param {string} detail a sentence of the server's @returns {string} */
export function inOurWords(detail) {
  const said = detail
    .replace(ELSEWHERE, "")
    .replace(OPTION, (_, dashed, dotted) => FIELDS[(dashed ?? dotted).replaceAll("-", "_")]?.[1] ?? (dashed ?? dotted).replaceAll(/[-_]/g, " "))
    .replace(/^(bars|chords|range|density|seed|amount|pickup|grid|temperature) is /, (_, name) => `${FIELDS[name]?.[1]} is `)
    .replace(/it should be greater than or equal to (\S+?)\.$/, "choose $1 or more.")
    .replace(/it should be less than or equal to (\S+?)\.$/, "choose $1 or less.")
    .replace(/\b([Tt])he primer\b/g, "$1he tune")
    .replace(/\b[Pp]rimer\b/g, "tune");
  return said.slice(0, 1).toUpperCase() + said.slice(1);
}

/** The fields of the form that a sentence of the server's is about. @param {string} detail @returns {string[]} */
export function fieldsOf(detail) {
  const named = [...detail.matchAll(OPTION)].map(([, dashed, dotted]) => (dashed ?? dotted).replaceAll("-", "_"));
  const begins = /^(?:Chord \d|Bar \d+ of the chords|\d+ chords)/.test(detail) ? "chords" : /^(?:The )?([a-z_]+)\b/.exec(detail)?.[1] ?? "";
  const found = [...named, begins].flatMap((name) => FIELDS[name]?.[0] || []);
  if (/^Section [A-Z]:/.test(detail)) return ["section"];
  if (/^'[^']*' is not a key/.test(detail)) found.push("tonic");
  if (/^'[^']*' is (?:not|no) (?:a )?pitch/.test(detail)) found.push("lowest");
  return [...new Set(found)];
}
