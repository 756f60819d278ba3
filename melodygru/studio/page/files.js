// Files out (dragged, saved) and in (opened, dropped).

/** @import {Entry, FileLink} from "./types.js" */
import * as api from "./api.js";
import { element, get, html, input } from "./elements.js";
import { doing, say, tell } from "./messages.js";
import { offer } from "./readings.js";
import { plain } from "./session.js";

const NOTHING = "There is nothing to save yet; draw a note, or press Generate.";

export class Files {
  /**
   * @param {import("./session.js").Session} session
   * @param {import("./form.js").Form} form
   * @param {import("./history.js").History} history
   */
  constructor(session, form, history) {
    this.session = session;
    this.form = form;
    this.history = history;
    this.turn = 0;
    /** @type {WeakMap<Entry, Map<number, FileLink>>} files that were asked for, by sound */
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

  /** The file of what is on the roll, if it has been made: what the server wrote has the first sound. */
  get known() {
    const { now } = this.session;
    const { program } = this.form;
    return (program === 0 && now.file) || (this.made.get(now)?.get(program) ?? null);
  }

  /** The file of what is on the roll. @returns {Promise<FileLink>} */
  async file() {
    if (this.known) return this.known;
    const { now } = this.session;
    const { program } = this.form;
    const file = await this.make("mid");
    this.made.set(now, (this.made.get(now) ?? new Map()).set(program, file));
    return file;
  }

  /** Save it as MIDI; the server keeps files for a while only. */
  async saveMidi() {
    if (!this.session.now.melody.notes.length) throw new Error(NOTHING);
    let file = await this.file();
    if (!(await fetch(file.url)).ok) {
      this.session.now.file = null;
      this.made.delete(this.session.now);
      file = await this.file();
    }
    save(file);
  }

  /** @param {string} format @returns {Promise<FileLink>} */
  make(format) {
    const { melody, progression } = this.session.now;
    if (!melody.notes.length) return Promise.reject(new Error(NOTHING));
    // A MIDI file is the melody alone, as it is written at first.
    const chords = format === "mid" ? null : progression;
    return api.makeFile({ melody, chords, format, program: this.form.program });
  }

  /** @param {File} file @param {import("./readings.js").Reading} [reading] how it is read, whatever it says */
  open(file, reading) {
    return doing(null, async () => {
      const { melodies, remarks, style, readings } = await api.open(file, reading);
      const entries = melodies.map((melody) => plain(melody, melody.name || file.name, style));
      for (const entry of [...entries].reverse()) this.history.add(entry);
      if (entries[0]) this.session.show(entries[0]);
      const more = entries.length > 1 ? `${entries.length} melodies; the others are in the history. ` : "";
      if (more || remarks.length) say(`${more}${remarks.length ? `${file.name}: ${remarks.join("; ")}.` : ""}`);
      offer(readings, (one) => this.open(file, one));
    });
  }

  wire() {
    for (const one of document.querySelectorAll("button[data-format]")) {
      if (one instanceof HTMLButtonElement) {
        one.addEventListener("click", () => doing(one, async () => save(await this.make(one.dataset.format ?? "mid"))));
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
        doing(null, () => this.saveMidi());
      });
    }
    this.form.field("program").addEventListener("change", () => this.link());
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
