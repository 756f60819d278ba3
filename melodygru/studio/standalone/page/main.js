// The page that writes by itself: a form, a melody on a roll, its sound, its file.

import { Player } from "../../page/audio.js";
import { button, element, get, input } from "../../page/elements.js";
import { lengthOf, metreOf, pitchName } from "../../page/music.js";
import { performed } from "../../page/performing.js";
import { RollView } from "../../page/roll_view.js";
import { dress } from "../../page/theme.js";
import { fieldsOf, inOurWords } from "../../page/words.js";
import { Writer } from "./writer.js";

/** @import {Written} from "./writer.js" */

const NUMBERS = ["bars", "bpm"];
const TEXTS = ["style", "tonic", "mode", "meter", "scale", "chords"];
const LARGEST_SEED = 1e9;

const form = get("options", HTMLFormElement);
const roll = new RollView(element("roll"));
const player = new Player();
const writer = new Writer();
/** @type {Written | null} */
let written = null;
let file = "";
/** @type {string | undefined} the tempo where no style is chosen */
let usual;

/** @param {string} name @returns {HTMLInputElement | HTMLSelectElement} */
function field(name) {
  const found = form.elements.namedItem(name);
  if (found instanceof HTMLInputElement || found instanceof HTMLSelectElement) return found;
  throw new Error(`There is no field ${name}.`);
}

/** @param {string} name @returns {number | null} Throws what people can read. */
function number(name) {
  const one = field(name);
  if (one instanceof HTMLInputElement && one.validity.badInput) throw new Error(`${one.title} is no number; correct it.`);
  return one.value.trim() === "" ? null : Number(one.value);
}

/** Seed and options, as they stand in the form. @returns {Record<string, unknown>} */
function wishes() {
  /** @type {Record<string, unknown>} */
  const asked = { seed: number("seed") ?? Math.floor(Math.random() * LARGEST_SEED) };
  for (const name of NUMBERS) if (number(name) !== null) asked[name] = number(name);
  // A slider that was not moved says nothing.
  const { value, defaultValue } = input("temperature");
  if (value !== defaultValue) asked.temperature = Number(value);
  for (const name of TEXTS) if (field(name).value.trim()) asked[name] = field(name).value.trim();
  if (asked.chords) asked.chord_mode = field("chord_mode").value;
  return asked;
}

/** Say what is wrong, at the fields that it is about; null: nothing is. @param {string | null} problem */
function tell(problem) {
  for (const one of form.querySelectorAll("[aria-invalid]")) {
    one.removeAttribute("aria-invalid");
    one.removeAttribute("aria-describedby");
  }
  const said = element("problem");
  said.hidden = problem === null;
  said.textContent = problem === null ? "" : inOurWords(problem);
  for (const name of problem === null ? [] : fieldsOf(problem)) {
    const one = form.elements.namedItem(name);
    if (!(one instanceof HTMLElement)) continue;
    one.setAttribute("aria-invalid", "true");
    one.setAttribute("aria-describedby", "problem");
  }
}

/** Write what the form asks for, and show it. */
export async function write() {
  const make = button("generate");
  if (make.disabled) return;
  make.disabled = true;
  form.setAttribute("aria-busy", "true");
  try {
    const asked = wishes();
    show(await writer.write(asked, (share) => (make.textContent = `Writing … ${Math.round(100 * share)} %`)));
    tell(null);
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error));
  } finally {
    make.disabled = false;
    make.textContent = "Write a melody";
    form.removeAttribute("aria-busy");
  }
}

/** @param {Written} one */
function show(one) {
  written = one;
  const { melody, chords } = one;
  roll.melody = melody;
  roll.showChords(chords);
  roll.centre();
  load();
  if (player.playing) void player.play(0);
  const pitches = melody.notes.map((note) => note.pitch);
  const range = `${pitchName(Math.min(...pitches))} to ${pitchName(Math.max(...pitches))}`;
  const notes = `${melody.notes.length} ${melody.notes.length === 1 ? "note" : "notes"}`;
  element("about").textContent = `${melody.bars} ${melody.bars === 1 ? "bar" : "bars"} of ${melody.meter} in ${melody.key}, ${melody.bpm} a minute; seed ${one.seed}.`;
  roll.host.setAttribute("aria-label", `Piano roll: ${notes} from ${range}${chords.length ? `, over ${chords.length} chords` : ""}`);
  button("play").disabled = false;
  element("chordsOn").hidden = !chords.length;
  const link = get("midi", HTMLAnchorElement);
  link.hidden = false;
  link.download = one.file;
  link.href = "#";
}

/** Tell the player what there is to play. */
function load() {
  if (!written) return;
  const { melody, chords } = written;
  const { bar, beat } = metreOf(melody.meter);
  player.setClip({ notes: performed(melody, 0.5, 0, 0), bpm: melody.bpm, length: lengthOf(melody), barSteps: bar, beatSteps: beat, chords });
}

/** Follow the sound while there is any. */
function follow() {
  const { playing } = player, play = button("play");
  play.setAttribute("aria-pressed", String(playing));
  play.textContent = playing ? "■ Stop" : "▶ Play";
  roll.at(playing ? player.position : null, true);
  if (playing) requestAnimationFrame(follow);
}

async function toggle() {
  if (player.playing) player.stop();
  else if (written) await player.play(0);
  follow();
}

/** A switch of the player's. @param {string} id @param {(on: boolean) => void} set */
function pressed(id, set) {
  const one = button(id);
  one.addEventListener("click", () => {
    const on = one.getAttribute("aria-pressed") !== "true";
    one.setAttribute("aria-pressed", String(on));
    set(on);
  });
}

/** @param {MouseEvent} event */
async function download(event) {
  const link = get("midi", HTMLAnchorElement);
  if (link.href.startsWith("blob:") && file === written?.file) return;
  // The file is made when it is first asked for; then the same click is done again.
  event.preventDefault();
  try {
    const bytes = await writer.midi();
    URL.revokeObjectURL(link.href);
    link.href = URL.createObjectURL(new Blob([bytes], { type: "audio/midi" }));
    file = written?.file ?? "";
    link.click();
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error));
  }
}

dress();
player.onended = follow;
button("play").addEventListener("click", () => void toggle());
button("generate").addEventListener("click", () => void write());
pressed("loop", (on) => (player.loop = on));
pressed("chordsOn", (on) => (player.on.chords = on));
input("volume").addEventListener("input", () => (player.volume = Number(input("volume").value)));
get("midi", HTMLAnchorElement).addEventListener("click", (event) => void download(event));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  void write();
});
form.addEventListener("input", () => (get("temperature", HTMLInputElement).nextElementSibling ?? form).replaceChildren(field("temperature").value));
field("style").addEventListener("change", ({ target }) => {
  // What a style brings is shown where nothing is said.
  const { tempo } = (target instanceof HTMLSelectElement && target.selectedOptions[0]?.dataset) || {};
  const bpm = field("bpm");
  usual ??= bpm.getAttribute("placeholder") ?? "";
  bpm.setAttribute("placeholder", tempo ?? usual);
});
form.addEventListener("reset", () => setTimeout(() => {
  form.dispatchEvent(new Event("input"));
  field("style").dispatchEvent(new Event("change"));
}));
document.addEventListener("keydown", (event) => {
  if (event.key !== " " || (event.target instanceof Element && event.target.matches("button, input, select, a"))) return;
  event.preventDefault();
  void toggle();
});

export { player, roll, writer };

try {
  await writer.start(document.querySelector("h1 span")?.textContent ?? "");
  button("generate").disabled = false;
  await write();
  document.documentElement.dataset.ready = "";
} catch (error) {
  const said = error instanceof Error ? error.message : String(error);
  element("about").textContent = said;
  tell(said);
}
