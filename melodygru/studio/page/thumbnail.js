// Small piano rolls: one path, so that a long history costs little.

/** @import {Melody, Note} from "./types.js" */
import { lengthOf, metreOf } from "./music.js";
import { svg } from "./elements.js";

const WIDTH = 200;
const HEIGHT = 56;

export class Thumbnail {
  constructor() {
    this.bars = svg("path", { class: "thumb-bars" });
    this.notes = svg("path", { class: "thumb-notes" });
    this.cursor = svg("line", { class: "cursor", y1: 0, y2: HEIGHT });
    this.element = svg(
      "svg",
      { class: "thumb", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" },
      [this.bars, this.notes, this.cursor],
    );
    this.length = 1;
  }

  /** @param {Melody} melody */
  show(melody) {
    this.draw(melody.notes, lengthOf(melody), metreOf(melody.meter).bar);
  }

  /** @param {Note[]} notes @param {number} length @param {number} bar both in steps */
  draw(notes, length, bar) {
    this.length = length;
    const pitches = notes.map((note) => note.pitch);
    const low = Math.min(60, ...pitches);
    const high = Math.max(84, ...pitches);
    const row = HEIGHT / (high - low + 1);
    const x = (/** @type {number} */ step) => Math.round((step / length) * WIDTH * 10) / 10;
    const d = notes.map((note) => {
      const width = Math.max(x(note.duration) - 0.8, 0.8);
      return `M${x(note.onset)} ${((high - note.pitch) * row).toFixed(1)}h${width.toFixed(1)}v${Math.max(row, 2).toFixed(1)}h-${width.toFixed(1)}z`;
    });
    this.notes.setAttribute("d", d.join(""));
    const every = Math.ceil(length / bar / 16);
    const lines = Array.from({ length: Math.floor(length / bar / every) }, (_, i) => `M${x(i * every * bar)} 0V${HEIGHT}`);
    this.bars.setAttribute("d", lines.join(""));
  }

  /** @param {number | null} step where the sound is */
  at(step) {
    this.cursor.classList.toggle("on", step !== null);
    const x = String(((step ?? 0) / this.length) * WIDTH);
    this.cursor.setAttribute("x1", x);
    this.cursor.setAttribute("x2", x);
  }
}
