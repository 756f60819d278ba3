// Files out (dragged, saved) and in (opened, dropped).

/** @import {Entry, FileLink} from "./types.js" */
import * as api from "./api.js";
import { element, get, html, input } from "./elements.js";
import { doing, say, tell } from "./messages.js";
import { QUARTER } from "./music.js";
import { plain } from "./session.js";

/** Tracks of a file that are offered, at most. */
const OFFERED = 6;
const STRAIGHT = 0.5;
const ALONE = "These notes are the melody with the chords’ names, and the bass if it sounds; what chords and drums play goes with MIDI and WAV.";
const NOTHING = "There is nothing to save yet; draw a note, or press Generate.";

export class Files {
  /**
   * @param {import("./session.js").Session} session
   * @param {import("./form.js").Form} form
   * @param {import("./history.js").History} history
   * @param {import("./lanes.js").Lanes} lanes
   */
  constructor(session, form, history, lanes) {
    this.session = session;
    this.form = form;
    this.history = history;
    this.lanes = lanes;
    lanes.watchers.push(() => this.link());
    this.turn = 0;
    /** @type {WeakMap<Entry, Map<string, FileLink>>} files that were asked for, by how they are played */
    this.made = new WeakMap();
    this.over = 0;
    session.watchers.push(() => this.link());
    this.wire();
  }

  /** Where the file that is dragged out or saved lies. */
  async link() {
    const turn = ++this.turn;
    const entry = this.session.now;
    show(this.known);
    for (const id of ["drag", "midi"]) element(id).setAttribute("aria-disabled", String(!entry.melody.notes.length));
    if (this.known || !entry.melody.notes.length) return;
    // Not at every step of a drag.
    await new Promise((resolve) => setTimeout(resolve, 200));
    if (turn !== this.turn) return;
    try {
      await this.file();
      if (turn === this.turn) show(this.known);
    } catch {
      // It is told when somebody wants the file.
    }
  }

  /** How it is to be played, as a name for the file that was made so. */
  get playing() {
    const { now } = this.session;
    return JSON.stringify([this.form.played(now.melody.meter), this.lanes.heard(now)]);
  }

  /** The file of what is on the roll, if it has been made: what the server wrote is played plainly. */
  get known() {
    const { now } = this.session;
    const { program, swing, humanize, expression } = this.form.played(now.melody.meter);
    const plainly = !this.lanes.groove && program === 0 && swing === 0.5 && !humanize && !expression;
    return (plainly && now.file) || (this.made.get(now)?.get(this.playing) ?? null);
  }

  /** The file of what is on the roll. @returns {Promise<FileLink>} */
  async file() {
    if (this.known) return this.known;
    const { now } = this.session;
    const { playing } = this;
    const file = await this.make("mid");
    this.made.set(now, (this.made.get(now) ?? new Map()).set(playing, file));
    return file;
  }

  /** Save it as MIDI; the server keeps files for a while only. */
  async saveMidi() {
    if (!this.session.now.melody.notes.length) throw new Error(NOTHING);
    let file = await this.file();
    if (!(await api.keeps(file))) {
      this.session.now.file = null;
      this.made.delete(this.session.now);
      file = await this.file();
    }
    save(file);
  }

  /** @param {string} format @param {AbortSignal} [signal] @returns {Promise<FileLink>} */
  make(format, signal) {
    const { melody, progression } = this.session.now;
    const lanes = this.lanes.heard(this.session.now);
    if (!melody.notes.length) return Promise.reject(new Error(NOTHING));
    return api.makeFile({ melody, chords: progression, lanes, format, ...this.form.played(melody.meter) }, signal);
  }

  /** @param {File} file @param {import("./types.js").HowRead} [how] of which track, and in which metre, whatever it says */
  open(file, how = {}) {
    return doing(null, `Opening ${file.name}`, async ({ signal }) => {
      const opened = await api.open(file, how, signal);
      const entries = opened.melodies.map((melody, at) => {
        const loud = opened.velocities[at];
        const notes = melody.notes.map((note, index) => (loud ? { ...note, velocity: loud[index] ?? 84 } : note));
        return plain({ ...melody, notes }, melody.name || file.name, opened.style);
      });
      for (const entry of [...entries].reverse()) this.history.add(entry);
      if (entries[0]) this.session.show(entries[0]);
      if (opened.swing !== null) this.swing(opened.swing);
      this.tellOf(file, opened, how);
    });
  }

  /** Play as a file of ours says. @param {number} swing */
  swing(swing) {
    const field = this.form.field("swing");
    field.value = String(swing);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new Event("change", { bubbles: true }));
  }

  /**
   * What of a file is not on the roll, and how to have it; how else it may be read.
   * @param {File} file @param {import("./types.js").Opened} opened @param {import("./types.js").HowRead} how
   */
  tellOf(file, { melodies, remarks, track, tracks, tempi, readings, swing }, how) {
    const others = tracks.filter(([number, name]) => name !== track && `track ${number}` !== track);
    const said = [
      ...(melodies.length > 1 ? [`${melodies.length} melodies; the others are in the history`] : []),
      ...(tempi > 1 && !melodies[0]?.tempi?.length ? [`its ${tempi} tempos became one, ♩ = ${Math.round(melodies[0]?.bpm ?? 0)}`] : []),
      ...(tracks.length > 1 && others.length ? [`the melody was taken from ${track}; the other voices are not on the roll`] : []),
      ...(swing !== null && swing > STRAIGHT ? [`swing is ${swing}, as it says`] : []),
      ...remarks,
    ];
    const voices = tracks.length > 1 ? others.slice(0, OFFERED) : [];
    // The other likely ones: as it is read now it stands there.
    const [now] = melodies;
    const elsewise = readings.filter(({ meter, pickup }) => meter !== now?.meter || pickup * QUARTER !== now.pickup);
    const offers = /** @type {[string, () => void][]} */ ([
      ...voices.map(([number, name]) => [`Take ${name || `track ${number}`}`, () => this.open(file, { track: String(number) })]),
      ...elsewise.map((reading) => [
        `Read it in ${reading.meter}${reading.pickup ? `, pickup ${reading.pickup}` : ""}`, () => this.open(file, { ...how, reading }),
      ]),
    ]);
    if (said.length) say(`${file.name}: ${said.join("; ")}.`, false, offers);
  }

  wire() {
    for (const one of document.querySelectorAll("button[data-format]")) {
      if (one instanceof HTMLButtonElement) {
        const format = one.dataset.format ?? "mid";
        one.addEventListener("click", () => doing(one, `Making the ${one.textContent}`, async ({ signal }) => {
          save(await this.make(format, signal));
          if (this.lanes.groove && format !== "wav") say(ALONE);
        }));
      }
    }
    element("drag").addEventListener("dragstart", (event) => {
      const file = this.known;
      if (!file) {
        event.preventDefault();
        tell(new Error(this.session.now.melody.notes.length ? "The file is not ready yet; drag again." : NOTHING));
        return;
      }
      const url = new URL(file.url, location.href).href;
      event.dataTransfer?.setData("DownloadURL", `audio/midi:${file.name}:${url}`);
      event.dataTransfer?.setData("text/uri-list", url);
    });
    for (const id of ["drag", "midi"]) {
      element(id).addEventListener("click", (event) => {
        event.preventDefault();
        doing(null, "Making the MIDI file", () => this.saveMidi());
      });
    }
    for (const name of ["program", "swing", "humanize", "expression"]) this.form.field(name).addEventListener("change", () => this.link());
    input("open").addEventListener("change", async () => {
      const file = input("open").files?.[0];
      if (file) await this.open(file);
      input("open").value = "";
    });
    const carries = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files") ?? false;
    addEventListener("dragenter", (event) => {
      if (carries(event)) element("drop").hidden = ++this.over < 1;
    });
    addEventListener("dragleave", (event) => {
      if (carries(event)) element("drop").hidden = --this.over < 1;
    });
    addEventListener("dragover", (event) => carries(event) && event.preventDefault());
    addEventListener("drop", (event) => {
      this.over = 0;
      element("drop").hidden = true;
      const file = event.dataTransfer?.files[0];
      if (!file) return;
      event.preventDefault();
      this.open(file);
    });
  }
}

/** @param {FileLink | null} file */
function show(file) {
  for (const id of ["drag", "midi"]) {
    const link = get(id, HTMLAnchorElement);
    link.href = file?.url ?? "#";
    link.download = file?.name ?? "";
  }
}

/** @param {FileLink} file */
function save(file) {
  const link = html("a", { href: file.url, download: file.name });
  document.body.append(link);
  link.click();
  link.remove();
}
