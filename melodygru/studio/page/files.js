// Files out (dragged, saved) and in (opened, dropped).

/** @import {FileLink} from "./types.js" */
import * as api from "./api.js";
import { element, get, html, input } from "./elements.js";
import { doing, say, tell } from "./messages.js";
import { plain } from "./session.js";

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
    this.over = 0;
    session.watchers.push(() => this.link());
    this.wire();
  }

  /** The file that is dragged out or saved: what the server has written, or what it makes of what was drawn. */
  async link() {
    const turn = ++this.turn;
    const entry = this.session.now;
    if (!entry.file) {
      show(null);
      if (!entry.melody.notes.length) return;
      // Not at every step of a drag.
      await new Promise((resolve) => setTimeout(resolve, 200));
      if (turn !== this.turn) return;
      try {
        entry.file = await this.make("mid");
      } catch (error) {
        if (turn === this.turn) tell(error);
        return;
      }
      if (turn !== this.turn) return;
    }
    show(entry.file);
  }

  /** @param {string} format @returns {Promise<FileLink>} */
  make(format) {
    const { melody, progression } = this.session.now;
    return api.makeFile({ melody, chords: progression, format, program: this.form.program });
  }

  /** @param {File} file */
  open(file) {
    return doing(null, async () => {
      const { melodies, remarks } = await api.open(file);
      const entries = melodies.map((melody) => plain(melody, melody.name || file.name));
      for (const entry of [...entries].reverse()) this.history.add(entry);
      if (entries[0]) this.session.show(entries[0]);
      const more = entries.length > 1 ? `${entries.length} melodies; the others are in the history. ` : "";
      if (more || remarks.length) say(`${more}${remarks.length ? `${file.name}: ${remarks.join("; ")}.` : ""}`);
    });
  }

  wire() {
    for (const one of document.querySelectorAll("button[data-format]")) {
      if (one instanceof HTMLButtonElement) {
        one.addEventListener("click", () => doing(one, async () => save(await this.make(one.dataset.format ?? "mid"))));
      }
    }
    element("drag").addEventListener("dragstart", (event) => {
      const { file } = this.session.now;
      if (!file) {
        event.preventDefault();
        return;
      }
      const url = new URL(file.url, location.href).href;
      event.dataTransfer?.setData("DownloadURL", `audio/midi:${file.name}:${url}`);
      event.dataTransfer?.setData("text/uri-list", url);
    });
    for (const id of ["drag", "midi"]) {
      element(id).addEventListener("click", (event) => {
        if (this.session.now.file) return;
        event.preventDefault();
        tell(new Error("There is nothing to save yet; draw a note, or press Generate."));
      });
    }
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
