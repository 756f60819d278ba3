// Everything put together: what buttons, keys and files do.

/** @import {Entry, FileLink, Look, Melody, Note, Start, Take} from "./types.js" */
import * as api from "./api.js";
import { Player } from "./audio.js";
import { Form } from "./form.js";
import { about, inWords, level, originality, rewritten } from "./glassbox.js";
import { History, Steps } from "./history.js";
import { lengthOf, metreOf, startOfBar } from "./music.js";
import { Roll } from "./roll.js";
import { get, html } from "./svg.js";
import { Takes } from "./takes.js";

const button = (/** @type {string} */ id) => get(id, HTMLButtonElement);
const input = (/** @type {string} */ id) => get(id, HTMLInputElement);

/** @type {Entry} what is on the roll */
let now = {
  melody: { name: "", meter: "4/4", key: "C major", bpm: 120, pickup: 0, bars: 16, notes: [] },
  chords: [], progression: null, label: "empty", file: null, seed: null,
};
/** @type {Look | null} what the model hears in it */
let look = null;
const steps = new Steps();
/** @type {AbortController | null} */
let writing = null;
/** @type {Entry | null} a take that is heard, in place of what is on the roll */
let audition = null;

const player = new Player();
player.loop = true;
const form = new Form(await api.choices().then((choices) => {
  get("keep", HTMLSelectElement).append(...choices.keeps.map((keep) => html("option", { value: keep }, [keep])));
  return choices;
}));
const roll = new Roll(get("roll", HTMLElement), {
  edited: change,
  heard: (pitch) => player.preview(pitch),
  chose: showBars,
  pointed: showTip,
  said: (text) => (get("said", HTMLElement).textContent = text),
});
const history = new History(get("history", HTMLElement), show);
const takes = new Takes(get("takes", HTMLElement), {
  hear(entry) {
    audition = entry;
    player.setClip(clip(entry));
    start(0);
  },
  keep(entry) {
    show(entry);
    history.add(entry);
  },
});

// What is on the roll

/** @param {Entry} entry @returns {import("./audio.js").Clip} */
function clip(entry) {
  const { bar, beat } = metreOf(entry.melody.meter);
  const { notes, bpm } = entry.melody;
  const length = lengthOf(entry.melody);
  return { notes, bpm, length, barSteps: bar, beatSteps: beat, chords: entry.chords, program: form.program };
}

/** Put another melody on the roll. @param {Entry} entry */
function show(entry) {
  leave();
  now = entry;
  roll.show(entry.melody, entry.chords);
  roll.centre();
  changed();
}

/** What is on the roll makes room: it can be had back, and what was drawn by hand goes into the history. */
function leave() {
  audition = null;
  if (!now.melody.notes.length) return;
  steps.push(now);
  if (isEdited(now)) history.add(now);
}

const EDITED = ", edited";

/** @param {Entry} entry whether it was changed by hand since it was written */
function isEdited(entry) {
  return entry.label.endsWith(EDITED);
}

/** The roll has made another melody of it. @param {Melody} melody @param {boolean} [joined] one step with the last */
function change(melody, joined = false) {
  if (!joined) steps.push(now);
  now = { ...now, melody, file: null, label: isEdited(now) ? now.label : now.label + EDITED };
  roll.update(melody);
  changed();
}

/** @param {Entry | null} entry */
function stepTo(entry) {
  if (!entry) return;
  const fresh = entry.melody.meter !== now.melody.meter || entry.chords !== now.chords;
  now = entry;
  if (fresh) roll.show(entry.melody, entry.chords);
  else roll.update(entry.melody);
  changed();
}

function changed() {
  const { melody } = now;
  if (!audition) player.setClip(clip(now));
  button("undo").disabled = !steps.before.length;
  button("redo").disabled = !steps.after.length;
  input("tempo").value = String(Math.round(melody.bpm * 100) / 100);
  for (const id of ["first-bar", "last-bar"]) {
    input(id).max = String(melody.bars);
    input(id).min = melody.pickup ? "0" : "1";
  }
  input("last-bar").placeholder = String(melody.bars);
  const bars = `${melody.bars} ${melody.bars === 1 ? "bar" : "bars"}`;
  const seed = now.seed === null ? "" : `, seed ${now.seed}`;
  get("title", HTMLElement).textContent = `${now.label}: ${bars} of ${melody.meter} in ${melody.key}, ${melody.notes.length} notes${seed}`;
  linkFile();
  listen();
}

// Files

let linking = 0;

/** The file that is dragged out or saved: what the server has written, or what it makes of what was drawn. */
async function linkFile() {
  const turn = ++linking;
  const entry = now;
  if (!entry.file) {
    setLink(null);
    if (!entry.melody.notes.length) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
    if (turn !== linking) return;
    try {
      const file = await makeFile("mid");
      if (turn !== linking) return;
      entry.file = file;
    } catch (error) {
      if (turn === linking) tell(error);
      return;
    }
  }
  setLink(entry.file);
}

/** @param {string} format @returns {Promise<FileLink>} */
function makeFile(format) {
  const { melody, progression } = now;
  return api.makeFile({ melody, chords: progression, format, program: form.program });
}

/** @param {FileLink | null} file */
function setLink(file) {
  for (const id of ["drag", "midi"]) {
    const link = get(id, HTMLAnchorElement);
    link.href = file?.url ?? "#";
    link.download = file?.name ?? "";
    link.toggleAttribute("aria-disabled", !file);
  }
}

/** @param {FileLink} file */
function save(file) {
  const link = html("a", { href: file.url, download: file.name });
  document.body.append(link);
  link.click();
  link.remove();
}

/** @param {Melody} melody @param {string} name @returns {Entry} */
function entryOfFile(melody, name) {
  return { melody, chords: [], progression: null, label: melody.name || name, file: null, seed: null };
}

/** @param {File} file */
async function openFile(file) {
  await doing(null, async () => {
    const { melodies, remarks } = await api.open(file);
    const entries = melodies.map((melody) => entryOfFile(melody, file.name));
    for (const entry of [...entries].reverse()) history.add(entry);
    if (entries[0]) show(entries[0]);
    const more = entries.length > 1 ? `${entries.length} melodies; the others are in the history. ` : "";
    if (more || remarks.length) say(`${more}${remarks.length ? `${file.name}: ${remarks.join("; ")}.` : ""}`);
  });
}

// The glass box

/** @type {AbortController | null} */
let listening = null;

async function listen() {
  listening?.abort();
  look = null;
  const { melody } = now;
  if (!melody.notes.length) {
    get("originality", HTMLElement).textContent = "Draw a note, or press Generate.";
    get("surprise", HTMLElement).textContent = "";
    return;
  }
  listening = new AbortController();
  const { signal } = listening;
  try {
    if (isEdited(now)) await new Promise((resolve) => setTimeout(resolve, 250));
    if (signal.aborted) return;
    const heard = await api.look(form.model, melody, signal);
    if (now.melody !== melody) return;
    look = heard;
    roll.colour(heard.notes.map((note) => level(note.nats)), rewritten(heard));
    const [run, where] = originality(heard);
    get("originality", HTMLElement).replaceChildren(html("b", {}, [run]), html("span", { class: "soft" }, [where && `: ${where}`]));
    get("surprise", HTMLElement).textContent = inWords(heard);
  } catch (error) {
    if (!signal.aborted) tell(error);
  }
}

/** @param {Note | null} note @param {DOMRect | null} box */
function showTip(note, box) {
  const tip = get("tip", HTMLElement);
  button("delete").disabled = !roll.chosen.size;
  tip.hidden = !note || !box;
  if (!note || !box) return;
  const heard = look?.notes[now.melody.notes.indexOf(note)] ?? null;
  tip.replaceChildren(...about(now.melody, note, heard));
  const { width, height } = tip.getBoundingClientRect();
  const left = Math.max(6, Math.min(box.left, innerWidth - width - 6));
  const above = box.top - height - 10;
  tip.style.left = `${left}px`;
  tip.style.top = `${above > 6 ? above : Math.min(box.bottom + 12, innerHeight - height - 6)}px`;
}

// Writing

/** Do something that takes a moment; what goes wrong is told. @param {HTMLButtonElement | null} pressed @param {() => Promise<void>} work */
async function doing(pressed, work) {
  say("");
  pressed?.setAttribute("aria-busy", "true");
  try {
    await work();
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "AbortError")) tell(error);
  } finally {
    pressed?.removeAttribute("aria-busy");
  }
}

/** @param {Take} take @param {string} label @returns {Entry} */
function entryOf(take, label) {
  const { melody, chords, file, seed, options } = take;
  return { melody, chords, progression: typeof options.chords === "string" ? options.chords : null, label, file, seed };
}

/** @param {HTMLButtonElement} pressed @param {number} count @param {Melody | null} primer @param {Record<string, unknown>} [options] */
function generate(pressed, count, primer, options) {
  return doing(pressed, async () => {
    const order = { model: form.model, options: options ?? form.options, seed: form.seed, takes: count, primer };
    writing?.abort();
    const stop = (writing = new AbortController());
    /** @type {Map<number, Note[]>} */
    const candidates = new Map();
    /** @type {Start | null} */
    let begun = null;
    const before = now;
    const made = api.generate(
      order,
      {
        start(start) {
          begun = start;
          if (count > 1) {
            takes.begin(start);
            get("takes", HTMLElement).scrollIntoView({ block: "nearest" });
          } else if (!primer) {
            if (player.playing) player.stop();
            leave();
            const { meter, key, bpm, bars, pickup } = start;
            now = entryOfFile({ name: "", meter, key, bpm, bars, pickup, notes: [] }, "writing");
            roll.show(now.melody);
            roll.centre();
          }
        },
        notes(events) {
          for (const [candidate, onset, duration, pitch] of events) {
            const kept = (candidates.get(candidate) ?? []).filter((note) => note.onset < onset);
            if (pitch >= 0) kept.push({ pitch, onset, duration });
            candidates.set(candidate, kept);
          }
          if (!begun) return;
          const each = begun.candidates / begun.takes;
          if (count === 1) roll.ghost(candidates);
          else for (let take = 0; take < begun.takes; take++) takes.ghost(take, candidates.get(take * each) ?? []);
        },
        take(take) {
          const label = primer ? "continued" : count > 1 ? `take ${(take.index ?? 0) + 1}` : "generated";
          const entry = entryOf(take, label);
          if (count > 1) takes.done(take, entry);
          else {
            show(entry);
            history.add(entry);
          }
        },
      },
      stop.signal,
    );
    await made.catch((error) => {
      if (count > 1) takes.end();
      else if (now !== before && !stop.signal.aborted) stepTo(steps.undo(now));
      throw error;
    });
  });
}

/** Bars that are selected, as the program takes them. @returns {string | null} */
function chosenBars() {
  const [first, last] = [input("first-bar").value, input("last-bar").value];
  if (first === "" && last === "") return null;
  const [from, to] = [Number(first || last), Number(last || first)];
  return from === to ? `${from}` : `${Math.min(from, to)}-${Math.max(from, to)}`;
}

/** @param {HTMLButtonElement} pressed @param {(order: Record<string, unknown>) => Promise<Take>} ask @param {Record<string, unknown>} values @param {string} label */
function rewrite(pressed, ask, values, label) {
  return doing(pressed, async () => {
    const before = now;
    const { bars } = roll;
    const order = { model: form.model, melody: now.melody, options: form.wishes, seed: form.seed, ...values };
    const entry = entryOf(await ask(order), label);
    if (now !== before) return;
    steps.push(before);
    entry.chords = before.chords;
    entry.progression = before.progression;
    now = entry;
    roll.update(entry.melody);
    if (bars) roll.select(bars);
    changed();
    history.add(entry);
  });
}

function infill() {
  const bars = chosenBars();
  if (!bars) {
    tell(new Error("Choose the bars to write anew: drag over the bar numbers, or type them beside Regenerate."));
    return;
  }
  rewrite(button("infill"), api.infill, { bars }, `bars ${bars} anew`);
}

function vary() {
  const keep = get("keep", HTMLSelectElement).value || null;
  const amount = Number(input("amount").value) / 100;
  rewrite(button("vary"), api.vary, { bars: chosenBars(), amount, keep }, `varied by ${Math.round(amount * 100)} %`);
}

function goOn() {
  const more = Number(input("more-bars").value);
  const { bars, bpm, key, meter, form: _, section_bars: __, chords: ___, density: ____, ...options } = form.options;
  generate(button("continue"), 1, now.melody, { ...options, bars: now.melody.bars + more });
}

// Playing

/** @param {number} from */
async function start(from) {
  player.loopRange = audition || !roll.bars ? null : barsToSteps(roll.bars);
  await player.play(from);
  showPlaying();
  requestAnimationFrame(follow);
}

/** @param {[number, number]} bars @returns {[number, number]} */
function barsToSteps([first, last]) {
  return [startOfBar(now.melody, first), startOfBar(now.melody, last + 1)];
}

function toggle() {
  if (player.playing) player.stop();
  else {
    if (audition) player.setClip(clip(now));
    audition = null;
    start(roll.bars ? barsToSteps(roll.bars)[0] : 0);
  }
}

function follow() {
  if (!player.playing) return;
  if (audition) takes.at(player.position);
  else roll.at(player.position, true);
  requestAnimationFrame(follow);
}

function showPlaying() {
  button("play").textContent = player.playing ? "■ Stop" : "▶ Play";
  button("play").setAttribute("aria-pressed", String(player.playing));
  if (!player.playing) {
    roll.at(null, false);
    takes.at(null);
  }
}

/** @param {"loop" | "metronome"} what */
function switchOver(what) {
  player[what] = !player[what];
  button(what).setAttribute("aria-pressed", String(player[what]));
}

/** @param {[number, number] | null} bars */
function showBars(bars) {
  input("first-bar").value = bars ? String(bars[0]) : "";
  input("last-bar").value = bars ? String(bars[1]) : "";
  player.loopRange = bars && !audition ? barsToSteps(bars) : null;
}

// Telling

/** @param {string} text @param {boolean} [wrong] */
function say(text, wrong = false) {
  const box = get("message", HTMLElement);
  box.hidden = !text;
  box.classList.toggle("plain", !wrong);
  const line = box.querySelector("p");
  if (line) line.textContent = text;
}

/** @param {unknown} error */
function tell(error) {
  say(error instanceof Error ? error.message : String(error), true);
}

/** @param {string | null} theme */
function dress(theme) {
  const dark = theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}

// Wires

button("play").addEventListener("click", toggle);
button("loop").addEventListener("click", () => switchOver("loop"));
button("metronome").addEventListener("click", () => switchOver("metronome"));
button("undo").addEventListener("click", () => stepTo(steps.undo(now)));
button("redo").addEventListener("click", () => stepTo(steps.redo(now)));
button("delete").addEventListener("click", () => roll.removeChosen());
button("zoom-in").addEventListener("click", () => roll.zoomBy(1.3));
button("zoom-out").addEventListener("click", () => roll.zoomBy(1 / 1.3));
button("generate").addEventListener("click", () => generate(button("generate"), 1, null));
button("eight").addEventListener("click", () => generate(button("eight"), 8, null));
button("infill").addEventListener("click", infill);
button("vary").addEventListener("click", vary);
button("continue").addEventListener("click", goOn);
button("clear-history").addEventListener("click", () => {
  // What cannot be undone takes a second click.
  const sure = button("clear-history");
  if (sure.textContent === "Clear") {
    sure.textContent = "Clear all?";
    setTimeout(() => (sure.textContent = "Clear"), 3000);
  } else history.clear();
});
button("help").addEventListener("click", () => get("keys", HTMLDialogElement).showModal());
button("theme").addEventListener("click", () => {
  const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  dress(theme);
  try {
    localStorage.setItem("melodygru theme", theme);
  } catch {
    // Without storage it lasts as long as the page.
  }
});
get("message", HTMLElement).querySelector("button")?.addEventListener("click", () => say(""));
get("snap", HTMLSelectElement).addEventListener("change", (event) => {
  if (event.target instanceof HTMLSelectElement) roll.snap = Number(event.target.value);
});
input("tempo").addEventListener("change", () => {
  const bpm = Number(input("tempo").value);
  if (bpm >= 4 && bpm <= 1000) change({ ...now.melody, bpm });
  else {
    tell(new Error(`The tempo is ${input("tempo").value || "empty"}; choose 4 to 1000 quarters a minute.`));
    input("tempo").value = String(now.melody.bpm);
  }
});
for (const id of ["first-bar", "last-bar"]) {
  input(id).addEventListener("change", () => {
    const least = now.melody.pickup ? 0 : 1;
    const typed = ["first-bar", "last-bar"].map((one) => input(one).value).filter((value) => value !== "").map(Number);
    const bars = typed.map((bar) => Math.max(least, Math.min(bar, now.melody.bars)));
    // The field that is not typed in yet stays as it is.
    const fields = ["first-bar", "last-bar"].filter((one) => input(one).value !== "");
    roll.select(bars.length ? [Math.min(...bars), Math.max(...bars)] : null);
    for (const one of ["first-bar", "last-bar"]) {
      const at = fields.indexOf(one);
      input(one).value = at < 0 ? "" : String(bars[at]);
    }
  });
}
form.field("program").addEventListener("change", () => player.setClip(clip(audition ?? now)));
form.field("model").addEventListener("change", () => listen());
for (const one of document.querySelectorAll("button[data-format]")) {
  if (one instanceof HTMLButtonElement) {
    one.addEventListener("click", () => doing(one, async () => save(await makeFile(one.dataset.format ?? "mid"))));
  }
}
get("drag", HTMLElement).addEventListener("dragstart", (event) => {
  const { file } = now;
  if (!file) {
    event.preventDefault();
    return;
  }
  const url = new URL(file.url, location.href).href;
  event.dataTransfer?.setData("DownloadURL", `audio/midi:${file.name}:${url}`);
  event.dataTransfer?.setData("text/uri-list", url);
});
for (const id of ["drag", "midi"]) {
  get(id, HTMLElement).addEventListener("click", (event) => {
    if (now.file) return;
    event.preventDefault();
    tell(new Error("There is nothing to save yet; draw a note, or press Generate."));
  });
}
input("open").addEventListener("change", async () => {
  const file = input("open").files?.[0];
  if (file) await openFile(file);
  input("open").value = "";
});
// A button that was clicked lets the space bar go back to playing; one that was reached by the keyboard keeps it.
addEventListener("click", (event) => {
  if (event.detail && event.target instanceof Element) event.target.closest("button")?.blur();
});
let over = 0;
const carriesFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
addEventListener("dragenter", (event) => {
  if (carriesFiles(event)) get("drop", HTMLElement).hidden = ++over < 1;
});
addEventListener("dragleave", (event) => {
  if (carriesFiles(event)) get("drop", HTMLElement).hidden = --over < 1;
});
addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
addEventListener("drop", (event) => {
  over = 0;
  get("drop", HTMLElement).hidden = true;
  const file = event.dataTransfer?.files[0];
  if (!file) return;
  event.preventDefault();
  openFile(file);
});
player.onended = showPlaying;

const keys = /** @type {Record<string, () => void>} */ ({
  " ": toggle,
  g: () => button("generate").click(),
  t: () => button("eight").click(),
  r: infill,
  v: vary,
  c: goOn,
  l: () => switchOver("loop"),
  m: () => switchOver("metronome"),
  s: () => get("midi", HTMLAnchorElement).click(),
  k: () => takes.keep(takes.heard),
  "?": () => get("keys", HTMLDialogElement).showModal(),
});
addEventListener("keydown", (event) => {
  if (event.defaultPrevented || get("keys", HTMLDialogElement).open || event.altKey) return;
  const key = event.key.toLowerCase();
  if (event.ctrlKey || event.metaKey) {
    const typing = event.target instanceof HTMLInputElement && event.target.type !== "range";
    if (typing || (key !== "z" && key !== "y")) return;
    event.preventDefault();
    stepTo(key === "y" || event.shiftKey ? steps.redo(now) : steps.undo(now));
    return;
  }
  const own = event.target instanceof Element && event.target.closest("input, select, textarea");
  const pressing = key === " " && event.target instanceof Element && event.target.closest("button, a, label");
  if (own || pressing) return;
  const act = /^[1-8]$/.test(key) ? () => takes.hear(Number(key) - 1) : keys[key];
  if (!act) return;
  event.preventDefault();
  act();
});

// The beginning

let theme = null;
try {
  theme = localStorage.getItem("melodygru theme");
} catch {
  // Then as the system has it.
}
dress(theme);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => dress(theme));
if (history.newest) show(history.newest);
else await generate(button("generate"), 1, null);
document.documentElement.dataset.ready = "true";

export { player, roll };
