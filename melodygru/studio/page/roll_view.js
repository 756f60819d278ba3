// What a piano roll shows: rows and bars, notes, a model's surprise and gate, where the sound is.

/** @import {ChordSpan, Melody, Note} from "./types.js" */
import { svg } from "./elements.js";
import { drawGround, drawRuler, gateOf } from "./roll_ground.js";
import { HIGHEST, lengthOf, LOWEST, metreOf, QUARTER, startOfBar } from "./music.js";

export const ROW = 13;
export const KEYS = 46;
export const RULER = 24;
/** With chords over the bars. */
const CHORDED = 44;
export const STRIP = 62;

/** @typedef {"lock" | "lock_rhythm" | "lock_pitches"} Lock  of a note: all of it, or only its rhythm or its pitch */

export class RollView {
  /** @param {HTMLElement} host scrolls both ways, and takes the keyboard */
  constructor(host) {
    this.host = host;
    /** @type {Melody} */
    this.melody = { name: "", meter: "4/4", key: "C major", bpm: 120, pickup: 0, bars: 16, notes: [] };
    /** @type {ChordSpan[]} */
    this.chords = [];
    this.snap = QUARTER / 4;
    /** @type {number | null} pixels to a quarter; null: as many as make eight bars fit */
    this.zoom = null;
    this.lastDuration = QUARTER / 2;
    /** @type {Set<Note>} */
    this.chosen = new Set();
    /** @type {[number, number] | null} */
    this.bars = null;
    this.caret = { onset: 0, pitch: 72 };
    /** @type {number[] | null} of each note, a colour from 0 (expected) to 6 */
    this.levels = null;
    /** @type {[number, number, number][]} (onset, duration, share) of each event */
    this.gate = [];
    /** Whether the lane below shows how loud notes are. */
    this.loudness = false;
    /** @type {Map<number, Lock>} what stays when all else is written anew, by the onsets of notes */
    this.locks = new Map();
    /** @type {import("./types.js").Lane | null} the part of the accompaniment that is edited; null: the melody is */
    this.lane = null;
    /** @type {[number, number][]} steps and pitches of a line that the melody is to follow */
    this.line = [];
    /** @type {Map<Note, SVGRectElement>} */
    this.boxes = new Map();

    /** Whether the view goes with the sound: not after somebody scrolled away, until the sound is in sight again. */
    this.follows = true;

    this.ruler = svg("svg", { class: "ruler", "aria-hidden": "true" });
    this.keys = svg("svg", { class: "keys", "aria-hidden": "true" });
    this.grid = svg("svg", { class: "grid" });
    this.strip = svg("svg", { class: "strip", "aria-hidden": "true" });
    this.stripKeys = svg("svg", { class: "strip-keys", "aria-hidden": "true" });
    this.ground = svg("g");
    this.selection = svg("rect", { class: "bars", y: 0 });
    this.ghosts = svg("g", { class: "ghosts" });
    this.notes = svg("g", { class: "notes" });
    this.laneNotes = svg("g", { class: "lane-notes" });
    this.top = svg("g");
    this.cursor = svg("line", { class: "cursor", y1: 0 });
    this.grid.append(this.ground, this.selection, this.ghosts, this.notes, this.laneNotes, this.top, this.cursor);
    const corner = document.createElement("div");
    corner.className = "corner";
    const inner = document.createElement("div");
    inner.className = "roll-inner";
    inner.append(corner, this.ruler, this.keys, this.grid, this.stripKeys, this.strip);
    host.append(inner);

    for (const name of ["wheel", "touchmove"]) {
      host.addEventListener(name, () => (this.follows = false), { passive: true });
    }
    host.addEventListener(
      "wheel",
      (event) => {
        if (!event.ctrlKey && !event.metaKey) return;
        event.preventDefault();
        this.zoomBy(event.deltaY < 0 ? 1.15 : 1 / 1.15, event.clientX);
      },
      { passive: false },
    );
    new ResizeObserver(() => this.zoom === null && this.draw()).observe(host);
    this.draw();
    this.centre();
  }

  /** Pixels to a step. */
  get scale() {
    const { bar } = metreOf(this.melody.meter);
    const fitted = (this.host.clientWidth - KEYS) / (Math.min(lengthOf(this.melody), 8 * bar) / QUARTER);
    return (this.zoom ?? Math.max(18, Math.min(fitted, 72))) / QUARTER;
  }

  /** Pixels of the whole melody. */
  get width() {
    return Math.ceil(lengthOf(this.melody) * this.scale);
  }

  /** Height of what stands over the notes. */
  get head() {
    return this.chords.length ? CHORDED : RULER;
  }

  /** @param {number} pitch */
  y(pitch) {
    return (HIGHEST - pitch) * ROW;
  }

  /** Scroll so that the notes are in sight. */
  centre() {
    const pitches = this.melody.notes.map((note) => note.pitch);
    const middle = pitches.length ? (Math.max(...pitches) + Math.min(...pitches)) / 2 : 72;
    const room = this.host.clientHeight - this.head - STRIP;
    this.host.scrollTop = this.y(middle) - room / 2;
    this.host.scrollLeft = 0;
  }

  draw() {
    const { width } = this;
    const height = (HIGHEST - LOWEST + 1) * ROW;
    for (const [element, w, h] of /** @type {[SVGElement, number, number][]} */ ([
      [this.ruler, width, this.head], [this.keys, KEYS, height], [this.grid, width, height],
      [this.strip, width, STRIP], [this.stripKeys, KEYS, STRIP],
    ])) {
      element.setAttribute("width", String(w));
      element.setAttribute("height", String(h));
    }
    this.cursor.setAttribute("y2", String(height));
    drawGround(this, width, height);
    this.drawRuler();
    this.drawNotes();
    this.drawStrip();
    this.drawTop();
  }

  drawRuler() {
    drawRuler(this);
  }

  /** Other chords over the same melody. @param {ChordSpan[]} chords */
  showChords(chords) {
    this.chords = chords;
    this.draw();
  }

  /** The lane below: what the model hears, or how loud notes are. */
  drawStrip() {
    if (this.loudness) {
      this.strip.replaceChildren(...this.stemsOf(this.melody));
      this.stripKeys.replaceChildren(this.laneGround(), ...["127", "1"].map((text, at) => laneLabel(text, at ? STRIP - 4 : 14)));
      return;
    }
    const { parts, labels } = gateOf(this);
    this.strip.replaceChildren(this.laneGround(), ...parts);
    this.stripKeys.replaceChildren(this.laneGround(), ...labels);
  }

  /** @returns {SVGElement} */
  laneGround() {
    return svg("rect", { class: "ruler-ground", x: 0, y: 0, width: Math.max(this.width, KEYS), height: STRIP });
  }

  /** Stems of notes in the lane, by whoever edits them. @param {Melody} melody @returns {SVGElement[]} */
  stemsOf(melody) {
    return melody ? [this.laneGround()] : [];
  }

  drawNotes() {
    this.boxes.clear();
    const boxes = this.melody.notes.map((note, index) => {
      const box = this.box(note, this.kind(note, this.levels?.[index]));
      this.boxes.set(note, box);
      return box;
    });
    this.notes.replaceChildren(...boxes);
  }

  /** The class of a note that is shown. @param {Note} note @param {number | undefined} level */
  kind(note, level) {
    const lock = this.locks.get(note.onset);
    const colour = `note level-${level === undefined || level < 0 ? "none" : level}`;
    return `${colour}${lock ? ` ${lock}` : ""}${this.chosen.has(note) ? " chosen" : ""}`;
  }

  /** @param {Note} note @param {string} kind @returns {SVGRectElement} */
  box(note, kind) {
    return svg("rect", {
      class: kind, x: note.onset * this.scale + 0.5, y: this.y(note.pitch) + 1,
      width: Math.max(note.duration * this.scale - 1.5, 2), height: ROW - 2, rx: 3,
    });
  }

  /** The bars that are selected, and where the keyboard is. */
  drawTop() {
    const { bar } = metreOf(this.melody.meter);
    const [first, last] = this.bars ?? [0, -1];
    this.selection.setAttribute("x", String(startOfBar(this.melody, first) * this.scale));
    this.selection.setAttribute("width", String((last - first + 1) * bar * this.scale));
    this.selection.setAttribute("height", String((HIGHEST - LOWEST + 1) * ROW));
    /** @type {SVGElement[]} */
    const parts = [];
    if (document.activeElement === this.host && !this.chosen.size) {
      parts.push(
        svg("rect", {
          class: "caret", x: this.caret.onset * this.scale, y: this.y(this.caret.pitch),
          width: Math.max(this.snap * this.scale, 4), height: ROW,
        }),
      );
    }
    if (this.line.length) {
      const points = this.line.map(([step, pitch]) => `${step * this.scale},${this.y(pitch) + ROW / 2}`).join(" ");
      parts.push(svg("polyline", { class: "drawn", points }));
    }
    this.top.replaceChildren(...parts);
  }

  /** What a model hears: a colour for each note, and its gate. @param {number[]} levels @param {[number, number, number][]} gate */
  colour(levels, gate) {
    this.levels = levels;
    this.gate = gate;
    this.melody.notes.forEach((note, index) => {
      this.boxes.get(note)?.setAttribute("class", this.kind(note, levels[index]));
    });
    if (!this.loudness) this.drawStrip();
  }

  /** Notes that a model is writing, a path for each candidate. @param {Iterable<[number, Note[]]>} candidates */
  ghost(candidates) {
    const paths = [];
    for (const [candidate, notes] of candidates) {
      const d = notes.map((note) => {
        const width = Math.max(note.duration * this.scale - 1.5, 2);
        return `M${note.onset * this.scale + 0.5} ${this.y(note.pitch) + 1}h${width}v${ROW - 2}h-${width}z`;
      });
      if (d.length) paths.push(svg("path", { class: candidate ? "ghost" : "ghost first", d: d.join("") }));
    }
    this.ghosts.replaceChildren(...paths);
  }

  /** @param {number | null} step where the sound is; null: nowhere @param {boolean} follow */
  at(step, follow) {
    this.cursor.classList.toggle("on", step !== null);
    if (step === null) return;
    const x = step * this.scale;
    this.cursor.setAttribute("x1", String(x));
    this.cursor.setAttribute("x2", String(x));
    const { scrollLeft, clientWidth } = this.host;
    const seen = x >= scrollLeft && x <= scrollLeft + clientWidth - KEYS - 8;
    if (seen) this.follows = true;
    else if (follow && this.follows) this.host.scrollLeft = x - 8;
  }

  /** @param {number} factor @param {number} [clientX] what stays in place */
  zoomBy(factor, clientX) {
    const left = this.host.getBoundingClientRect().left + KEYS;
    const place = (clientX ?? left) - left;
    const step = (this.host.scrollLeft + place) / this.scale;
    this.zoom = Math.max(6, Math.min(this.scale * QUARTER * factor, 240));
    this.draw();
    this.host.scrollLeft = step * this.scale - place;
  }

  /** @param {MouseEvent} event @returns {{step: number, pitch: number}} */
  place(event) {
    const box = this.grid.getBoundingClientRect();
    const pitch = HIGHEST - Math.floor((event.clientY - box.top) / ROW);
    return { step: (event.clientX - box.left) / this.scale, pitch: Math.max(LOWEST, Math.min(pitch, HIGHEST)) };
  }

  /** @param {MouseEvent} event @returns {Note | null} */
  under(event) {
    const { step, pitch } = this.place(event);
    return this.melody.notes.find(
      (note) => note.pitch === pitch && note.onset <= step && step < note.onset + note.duration,
    ) ?? null;
  }

  /** Scroll until a place is in sight. @param {number} step @param {number} pitch */
  reveal(step, pitch) {
    const { host } = this;
    const x = step * this.scale;
    const y = this.y(pitch);
    if (x < host.scrollLeft) host.scrollLeft = x - 20;
    if (x > host.scrollLeft + host.clientWidth - KEYS - 40) host.scrollLeft = x - host.clientWidth + KEYS + 60;
    if (y < host.scrollTop) host.scrollTop = y - 2 * ROW;
    const room = host.clientHeight - this.head - STRIP;
    if (y > host.scrollTop + room - 2 * ROW) host.scrollTop = y - room + 3 * ROW;
  }
}

/** @param {string} text @param {number} y */
function laneLabel(text, y) {
  const label = svg("text", { x: KEYS - 6, y, "text-anchor": "end" });
  label.textContent = text;
  return label;
}
