// The piano roll: draws a melody, and turns what pointers and keys do to it into new melodies.

/** @import {ChordSpan, Melody, Note} from "./types.js" */
import { added, moved, snapped, stretched, withNotes } from "./clip.js";
import {
  barAt, HIGHEST, keyOf, lengthOf, LOWEST, metreOf, pitchName, placeName, QUARTER, startOfBar, valueName,
} from "./music.js";
import { svg } from "./svg.js";

const ROW = 13;
const KEYS = 46;
const RULER = 24;
/** With chords over the bars. */
const CHORDED = 44;
const STRIP = 62;
const EDGE = 8;
const BLACK = new Set([1, 3, 6, 8, 10]);

/**
 * @typedef {object} Hooks
 * @property {(melody: Melody, joined: boolean) => void} edited  a change is complete, or a part of the last one
 * @property {(pitch: number) => void} heard  a note was touched
 * @property {(bars: [number, number] | null) => void} chose  bars were selected, both included
 * @property {(note: Note | null, box: DOMRect | null) => void} pointed  a note is hovered or selected
 * @property {(text: string) => void} said  what a screen reader should say
 */

export class Roll {
  /** @param {HTMLElement} host @param {Hooks} hooks */
  constructor(host, hooks) {
    this.host = host;
    this.hooks = hooks;
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
    /** @type {Map<Note, SVGRectElement>} */
    this.boxes = new Map();
    this.addedAt = 0;
    this.tapping = false;

    this.ruler = svg("svg", { class: "ruler", "aria-hidden": "true" });
    this.keys = svg("svg", { class: "keys", "aria-hidden": "true" });
    this.grid = svg("svg", { class: "grid" });
    this.strip = svg("svg", { class: "strip", "aria-hidden": "true" });
    this.stripKeys = svg("svg", { class: "strip-keys", "aria-hidden": "true" });
    this.ground = svg("g");
    this.selection = svg("rect", { class: "bars", y: 0 });
    this.ghosts = svg("g", { class: "ghosts" });
    this.notes = svg("g", { class: "notes" });
    this.top = svg("g");
    this.cursor = svg("line", { class: "cursor", y1: 0 });
    this.grid.append(this.ground, this.selection, this.ghosts, this.notes, this.top, this.cursor);
    const corner = document.createElement("div");
    corner.className = "corner";
    const inner = document.createElement("div");
    inner.className = "roll-inner";
    inner.append(corner, this.ruler, this.keys, this.grid, this.stripKeys, this.strip);
    host.append(inner);

    this.grid.addEventListener("pointerdown", (event) => this.press(event));
    this.grid.addEventListener("pointermove", (event) => this.hover(event));
    this.grid.addEventListener("click", (event) => this.tapping && this.write(event, false));
    this.grid.addEventListener("pointerleave", () => this.hooks.pointed(null, null));
    this.grid.addEventListener("dblclick", (event) => this.remove(this.under(event)));
    this.grid.addEventListener("contextmenu", (event) => {
      event.preventDefault();
      this.remove(this.under(event));
    });
    this.ruler.addEventListener("pointerdown", (event) => this.pressRuler(event));
    host.addEventListener("keydown", (event) => this.key(event));
    host.addEventListener("focus", () => this.sayWhere());
    host.addEventListener("blur", () => this.drawTop());
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

  /** Height of what stands over the notes. */
  get head() {
    return this.chords.length ? CHORDED : RULER;
  }

  /** @param {number} pitch */
  y(pitch) {
    return (HIGHEST - pitch) * ROW;
  }

  /** @param {Melody} melody @param {ChordSpan[]} [chords] */
  show(melody, chords = []) {
    this.melody = melody;
    this.chords = chords;
    this.chosen = new Set();
    this.levels = null;
    this.gate = [];
    this.ghosts.replaceChildren();
    if (this.bars && this.bars[1] > melody.bars) this.select(null);
    this.caret = { onset: 0, pitch: melody.notes[0]?.pitch ?? 72 };
    this.draw();
  }

  /** Show a change of what is shown; notes that are the same keep their colours. @param {Melody} melody */
  update(melody) {
    const levels = new Map(this.melody.notes.map((note, index) => [note, this.levels?.[index]]));
    const known = this.levels !== null;
    this.melody = melody;
    this.levels = known ? melody.notes.map((note) => levels.get(note) ?? -1) : null;
    this.chosen = new Set();
    if (this.bars && this.bars[1] > melody.bars) this.select(null);
    this.draw();
  }

  /** Scroll so that the notes are in sight. */
  centre() {
    const pitches = this.melody.notes.map((note) => note.pitch);
    const middle = pitches.length ? (Math.max(...pitches) + Math.min(...pitches)) / 2 : 72;
    const room = this.host.clientHeight - this.head - STRIP;
    this.host.scrollTop = this.y(middle) - room / 2;
    this.host.scrollLeft = 0;
  }

  // Drawing

  draw() {
    const width = Math.ceil(lengthOf(this.melody) * this.scale);
    const height = (HIGHEST - LOWEST + 1) * ROW;
    for (const [element, w, h] of /** @type {[SVGElement, number, number][]} */ ([
      [this.ruler, width, this.head], [this.keys, KEYS, height], [this.grid, width, height],
      [this.strip, width, STRIP], [this.stripKeys, KEYS, STRIP],
    ])) {
      element.setAttribute("width", String(w));
      element.setAttribute("height", String(h));
    }
    this.cursor.setAttribute("y2", String(height));
    this.drawGround(width, height);
    this.drawRuler(width);
    this.drawNotes();
    this.drawStrip(width);
    this.drawTop();
  }

  /** @param {number} width @param {number} height */
  drawGround(width, height) {
    const key = keyOf(this.melody.key);
    /** @type {SVGElement[]} */
    const rows = [];
    /** @type {SVGElement[]} */
    const names = [];
    for (let pitch = LOWEST; pitch <= HIGHEST; pitch++) {
      const tone = pitch % 12;
      const kind = tone === key.tonic ? "tonic" : key.scale.has(tone) ? "inside" : "outside";
      rows.push(svg("rect", { class: `row ${kind}`, x: 0, y: this.y(pitch), width, height: ROW }));
      const black = BLACK.has(tone) ? "black" : "white";
      names.push(svg("rect", { class: `key ${black}`, x: 0, y: this.y(pitch), width: KEYS - 1, height: ROW }));
      if (key.scale.has(tone)) {
        const name = svg("text", { class: kind, x: KEYS - 6, y: this.y(pitch) + ROW - 3, "text-anchor": "end" });
        name.textContent = pitchName(pitch, key.flats);
        names.push(name);
      }
    }
    const { bar, beat } = metreOf(this.melody.meter);
    const fine = [QUARTER / 4, QUARTER / 2].find((step) => step * this.scale >= 9 && beat % step === 0) ?? beat;
    /** @type {Record<string, string>} */
    const lines = { bar: "", beat: "", fine: "" };
    for (let step = 0; step <= lengthOf(this.melody); step += fine) {
      const kind = step % bar === 0 ? "bar" : (step % bar) % beat === 0 ? "beat" : "fine";
      lines[kind] += `M${step * this.scale} 0V${height}`;
    }
    const paths = Object.entries(lines).map(([kind, d]) => svg("path", { class: `line ${kind}`, d }));
    const silent = this.melody.pickup ? bar - this.melody.pickup : 0;
    const before = svg("rect", { class: "before", x: 0, y: 0, width: silent * this.scale, height });
    this.ground.replaceChildren(...rows, before, ...paths);
    this.keys.replaceChildren(...names);
  }

  /** @param {number} width */
  drawRuler(width) {
    const { bar } = metreOf(this.melody.meter);
    /** @type {SVGElement[]} */
    const parts = [svg("rect", { class: "ruler-ground", x: 0, y: 0, width, height: this.head })];
    const every = [1, 2, 4, 8, 16, 32].find((bars) => bars * bar * this.scale >= 30) ?? 64;
    for (let start = 0; start < lengthOf(this.melody); start += bar) {
      const number = barAt(this.melody, start);
      const on = this.bars !== null && number >= this.bars[0] && number <= this.bars[1];
      const x = start * this.scale;
      parts.push(svg("rect", { class: on ? "bar-box on" : "bar-box", x, y: 0, width: bar * this.scale, height: RULER }));
      if (number % every === (every > 1 ? 1 : 0)) {
        const label = svg("text", { x: x + 6, y: 16, class: on ? "on" : "" });
        label.textContent = String(number);
        parts.push(label);
      }
    }
    for (const chord of this.chords) {
      const label = svg("text", { class: "chord", x: chord.onset * this.scale + 6, y: 38 });
      label.textContent = chord.symbol;
      parts.push(label);
    }
    this.ruler.replaceChildren(...parts);
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
    return `note level-${level === undefined || level < 0 ? "none" : level}${this.chosen.has(note) ? " chosen" : ""}`;
  }

  /** @param {Note} note @param {string} kind @returns {SVGRectElement} */
  box(note, kind) {
    return svg("rect", {
      class: kind, x: note.onset * this.scale + 0.5, y: this.y(note.pitch) + 1,
      width: Math.max(note.duration * this.scale - 1.5, 2), height: ROW - 2, rx: 3,
    });
  }

  /** @param {number} width */
  drawStrip(width) {
    /** @type {SVGElement[]} */
    const parts = [svg("rect", { class: "ruler-ground", x: 0, y: 0, width, height: STRIP })];
    const labels = [];
    if (this.gate.length) {
      const shares = this.gate.map(([, , share]) => share);
      const low = Math.min(...shares);
      const high = Math.max(...shares, low + 1e-6);
      const top = (/** @type {number} */ share) => STRIP - 6 - ((share - low) / (high - low)) * (STRIP - 28);
      const d = this.gate.map(([onset, duration, share], at) => {
        const x = onset * this.scale;
        return `${at ? "L" : "M"}${x} ${top(share)}H${x + duration * this.scale}`;
      });
      const last = this.gate.at(-1);
      const end = last ? (last[0] + last[1]) * this.scale : 0;
      parts.push(svg("path", { class: "gate-area", d: `${d.join("")}V${STRIP}H${(this.gate[0]?.[0] ?? 0) * this.scale}Z` }));
      parts.push(svg("path", { class: "gate-line", d: d.join("") + `M${end} ${STRIP}` }));
      const label = svg("text", { x: 8, y: 14 });
      label.textContent = "update gate: how much of its memory the model rewrites";
      parts.push(label);
      for (const [share, y] of /** @type {[number, number][]} */ ([[high, 26], [low, STRIP - 6]])) {
        const label = svg("text", { x: KEYS - 6, y, "text-anchor": "end" });
        label.textContent = `${Math.round(share * 100)} %`;
        labels.push(label);
      }
    }
    this.strip.replaceChildren(...parts);
    this.stripKeys.replaceChildren(svg("rect", { class: "ruler-ground", width: KEYS, height: STRIP }), ...labels);
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
    this.top.replaceChildren(...parts);
  }

  /** What a model hears: a colour for each note, and its gate. @param {number[]} levels @param {[number, number, number][]} gate */
  colour(levels, gate) {
    this.levels = levels;
    this.gate = gate;
    this.melody.notes.forEach((note, index) => {
      this.boxes.get(note)?.setAttribute("class", this.kind(note, levels[index]));
    });
    this.drawStrip(Math.ceil(lengthOf(this.melody) * this.scale));
  }

  /** Notes that a model is writing. @param {Iterable<[number, Note[]]>} candidates */
  ghost(candidates) {
    const boxes = [];
    for (const [candidate, notes] of candidates) {
      for (const note of notes) boxes.push(this.box(note, candidate ? "ghost" : "ghost first"));
    }
    this.ghosts.replaceChildren(...boxes);
  }

  /** @param {number | null} step where the sound is; null: nowhere @param {boolean} follow */
  at(step, follow) {
    this.cursor.classList.toggle("on", step !== null);
    if (step === null) return;
    const x = step * this.scale;
    this.cursor.setAttribute("x1", String(x));
    this.cursor.setAttribute("x2", String(x));
    const { scrollLeft, clientWidth } = this.host;
    if (follow && (x < scrollLeft || x > scrollLeft + clientWidth - KEYS - 8)) this.host.scrollLeft = x - 8;
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

  // Selecting

  /** @param {[number, number] | null} bars */
  select(bars) {
    this.bars = bars;
    this.drawRuler(Math.ceil(lengthOf(this.melody) * this.scale));
    this.drawTop();
    this.hooks.chose(bars);
  }

  /** @param {Iterable<Note>} notes */
  choose(notes) {
    this.chosen = new Set(notes);
    for (const [note, box] of this.boxes) box.classList.toggle("chosen", this.chosen.has(note));
    this.drawTop();
    const [only] = this.chosen.size === 1 ? this.chosen : [];
    this.hooks.pointed(only ?? null, only ? this.boxes.get(only)?.getBoundingClientRect() ?? null : null);
  }

  /** @param {{notes: Note[], chosen: Note[]}} change @param {boolean} [joined] whether it is part of the last one */
  commit(change, joined = false) {
    const melody = withNotes(this.melody, change.notes);
    const shift = melody.notes === change.notes ? 0 : metreOf(melody.meter).bar;
    const places = new Set(change.chosen.map((note) => note.onset - shift));
    this.hooks.edited(melody, joined);
    this.choose(this.melody.notes.filter((note) => places.has(note.onset)));
  }

  /** @param {Note | null} note */
  remove(note) {
    if (!note || performance.now() - this.addedAt < 500) return;
    const gone = this.chosen.has(note) ? this.chosen : new Set([note]);
    this.commit({ notes: this.melody.notes.filter((one) => !gone.has(one)), chosen: [] });
  }

  /** Delete the notes that are selected. */
  removeChosen() {
    const [note] = this.chosen;
    this.addedAt = 0;
    this.remove(note ?? null);
  }

  // Pointers

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

  /** @param {Note} note @param {PointerEvent} event whether it holds the note's end */
  atEnd(note, event) {
    const edge = Math.min(EDGE, (note.duration * this.scale) / 3);
    return (note.onset + note.duration - this.place(event).step) * this.scale < edge;
  }

  /** @param {PointerEvent} event */
  hover(event) {
    if (event.buttons || event.pointerType === "touch") return;
    const note = this.under(event);
    this.grid.classList.toggle("over", note !== null);
    this.grid.classList.toggle("end", note !== null && this.atEnd(note, event));
    this.hooks.pointed(note, note ? this.boxes.get(note)?.getBoundingClientRect() ?? null : null);
  }

  /** @param {PointerEvent} event */
  press(event) {
    this.tapping = false;
    if (event.button !== 0) return;
    this.host.focus({ preventScroll: true });
    const note = this.under(event);
    if (note) {
      if (event.shiftKey || event.ctrlKey || event.metaKey) {
        const others = new Set(this.chosen);
        if (!others.delete(note)) others.add(note);
        this.choose(others);
        return;
      }
      if (!this.chosen.has(note)) this.choose([note]);
      this.hooks.heard(note.pitch);
      this.lastDuration = note.duration;
      this.drag(event, this.atEnd(note, event) ? this.stretching(note) : this.moving(note));
      return;
    }
    if (event.pointerType === "touch") {
      // A finger on empty ground scrolls; a tap writes.
      this.tapping = true;
    } else if (event.shiftKey) this.drag(event, this.framing(event));
    else this.write(event, true);
  }

  /** @param {MouseEvent} event @param {boolean} held whether the button is still down, so that it can be stretched */
  write(event, held) {
    if (this.under(event)) return;
    if (this.chosen.size && !held) {
      this.choose([]);
      return;
    }
    const { step, pitch } = this.place(event);
    const onset = Math.floor(step / this.snap) * this.snap;
    const change = added(this.melody, { pitch, onset, duration: this.lastDuration });
    this.addedAt = performance.now();
    this.hooks.heard(pitch);
    this.commit(change);
    const [note] = this.chosen;
    if (held && note && event instanceof PointerEvent) this.drag(event, this.stretching(note), true);
  }

  /**
   * What a drag does: given where the pointer is, the change that would be made there.
   * @typedef {(event: PointerEvent) => {notes: Note[], chosen: Note[]} | null} Dragging
   */

  /** @param {Note} note @returns {Dragging} */
  stretching(note) {
    const melody = this.melody;
    /** @type {number | null} */
    let from = null;
    return (event) => {
      const { step } = this.place(event);
      from ??= step;
      if (Math.abs(step - from) * this.scale < 3) return null;
      const end = Math.max(snapped(step, this.snap), note.onset + Math.min(this.snap, note.duration));
      this.lastDuration = end - note.onset;
      return stretched(melody, note, end - note.onset);
    };
  }

  /** @param {Note} note @returns {Dragging} */
  moving(note) {
    const { melody, chosen } = this;
    /** @type {{step: number, pitch: number} | null} */
    let from = null;
    let sounding = note.pitch;
    return (event) => {
      const here = this.place(event);
      from ??= here;
      const by = snapped(here.step - from.step, this.snap);
      const up = here.pitch - from.pitch;
      if (!by && !up) return null;
      if (note.pitch + up !== sounding) this.hooks.heard((sounding = note.pitch + up));
      return moved(melody, chosen, by, up);
    };
  }

  /** @param {PointerEvent} start @returns {Dragging} */
  framing(start) {
    const from = this.place(start);
    const frame = svg("rect", { class: "frame" });
    return (event) => {
      const here = this.place(event);
      const [left, right] = [from.step, here.step].sort((one, two) => one - two);
      const [low, high] = [from.pitch, here.pitch].sort((one, two) => one - two);
      if (left === undefined || right === undefined || low === undefined || high === undefined) return null;
      this.choose(
        this.melody.notes.filter(
          (note) => note.onset < right && note.onset + note.duration > left && note.pitch >= low && note.pitch <= high,
        ),
      );
      for (const [name, value] of Object.entries({
        x: left * this.scale, y: this.y(high), width: (right - left) * this.scale, height: (high - low + 1) * ROW,
      })) frame.setAttribute(name, String(value));
      this.top.append(frame);
      return null;
    };
  }

  /** @param {PointerEvent} start @param {Dragging} dragging @param {boolean} [joined] see `commit` */
  drag(start, dragging, joined = false) {
    const before = this.melody;
    /** @type {{notes: Note[], chosen: Note[]} | null} */
    let change = null;
    const stop = new AbortController();
    const { signal } = stop;
    this.grid.setPointerCapture(start.pointerId);
    dragging(start);
    this.grid.addEventListener(
      "pointermove",
      (event) => {
        if (this.melody !== before) return;
        change = dragging(event);
        // Drawn as it would be; made when the button is let go.
        const kept = this.chosen;
        this.boxes.clear();
        const shown = change?.notes ?? before.notes;
        this.chosen = new Set(change?.chosen ?? kept);
        this.notes.replaceChildren(
          ...shown.map((note) => {
            const box = this.box(note, this.kind(note, this.levels?.[before.notes.indexOf(note)]));
            this.boxes.set(note, box);
            return box;
          }),
        );
        this.chosen = kept;
      },
      { signal },
    );
    const end = (/** @type {boolean} */ made) => {
      stop.abort();
      if (this.melody !== before) return;
      if (made && change) this.commit(change, joined);
      else this.drawNotes();
      this.drawTop();
    };
    this.grid.addEventListener("pointerup", () => end(true), { signal });
    this.grid.addEventListener("pointercancel", () => end(false), { signal });
  }

  /** @param {PointerEvent} start */
  pressRuler(start) {
    if (start.button !== 0) return;
    const barOf = (/** @type {MouseEvent} */ event) => {
      const step = (event.clientX - this.ruler.getBoundingClientRect().left) / this.scale;
      return barAt(this.melody, Math.max(0, Math.min(step, lengthOf(this.melody) - 1)));
    };
    const first = start.shiftKey && this.bars ? this.bars[0] : barOf(start);
    const same = this.bars !== null && this.bars[0] === first && this.bars[1] === first && !start.shiftKey;
    const to = (/** @type {MouseEvent} */ event) => {
      const last = barOf(event);
      this.select([Math.min(first, last), Math.max(first, last)]);
    };
    if (same) {
      this.select(null);
      return;
    }
    to(start);
    const stop = new AbortController();
    this.ruler.setPointerCapture(start.pointerId);
    this.ruler.addEventListener("pointermove", to, { signal: stop.signal });
    for (const name of ["pointerup", "pointercancel"]) {
      this.ruler.addEventListener(name, () => stop.abort(), { signal: stop.signal });
    }
  }

  // Keys

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.target !== this.host) return;
    const [note] = this.chosen;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a") {
      event.preventDefault();
      this.choose(this.melody.notes);
      this.hooks.said(`All ${this.melody.notes.length} notes selected`);
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const keys = /** @type {Record<string, () => void>} */ ({
      ArrowLeft: () => (event.shiftKey ? this.lengthen(-this.snap) : this.nudge(-this.snap, 0)),
      ArrowRight: () => (event.shiftKey ? this.lengthen(this.snap) : this.nudge(this.snap, 0)),
      ArrowUp: () => this.nudge(0, event.shiftKey ? 12 : 1),
      ArrowDown: () => this.nudge(0, event.shiftKey ? -12 : -1),
      Enter: () => this.writeAtCaret(),
      Delete: () => this.removeChosen(),
      Backspace: () => this.removeChosen(),
      ",": () => this.step(-1),
      ".": () => this.step(1),
      Escape: () => (note ? this.leave() : this.select(null)),
    });
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  /** From notes to the caret, where they were. */
  leave() {
    const [note] = this.chosen;
    if (note) this.caret = { onset: note.onset, pitch: note.pitch };
    this.choose([]);
    this.sayWhere();
  }

  /** @param {number} steps @param {number} semitones */
  nudge(steps, semitones) {
    if (!this.chosen.size) {
      const last = lengthOf(this.melody) - this.snap;
      const onset = Math.max(0, Math.min(snapped(this.caret.onset + steps, this.snap), last));
      this.caret = { onset, pitch: Math.max(LOWEST, Math.min(this.caret.pitch + semitones, HIGHEST)) };
      this.drawTop();
      this.reveal(this.caret.onset, this.caret.pitch);
      this.sayWhere();
      return;
    }
    this.commit(moved(this.melody, this.chosen, steps, semitones));
    const [note] = this.chosen;
    if (note && semitones) this.hooks.heard(note.pitch);
    this.sayWhere();
  }

  /** @param {number} steps */
  lengthen(steps) {
    const [note] = this.chosen;
    if (!note || this.chosen.size > 1) return;
    const duration = Math.max(Math.min(this.snap, note.duration), note.duration + steps);
    this.lastDuration = duration;
    this.commit(stretched(this.melody, note, duration));
    this.sayWhere();
  }

  writeAtCaret() {
    if (this.chosen.size) return;
    const change = added(this.melody, { ...this.caret, duration: this.lastDuration });
    this.hooks.heard(this.caret.pitch);
    this.commit(change);
    this.sayWhere();
  }

  /** Select the next note, or the one before. @param {number} by */
  step(by) {
    const { notes } = this.melody;
    const [note] = this.chosen;
    const from = note ? notes.indexOf(note) : notes.findIndex((one) => one.onset >= this.caret.onset) - (by > 0 ? 1 : 0);
    const next = notes[Math.max(0, Math.min(from + by, notes.length - 1))];
    if (!next) return;
    this.hooks.heard(next.pitch);
    this.lastDuration = next.duration;
    this.reveal(next.onset, next.pitch);
    this.choose([next]);
    this.sayWhere();
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

  sayWhere() {
    this.drawTop();
    const { flats } = keyOf(this.melody.key);
    const [note] = this.chosen;
    if (this.chosen.size > 1) this.hooks.said(`${this.chosen.size} notes selected`);
    else if (note) {
      this.hooks.said(`${pitchName(note.pitch, flats)}, ${valueName(note.duration)}, ${placeName(this.melody, note.onset)}`);
    } else this.hooks.said(`${pitchName(this.caret.pitch, flats)}, ${placeName(this.melody, this.caret.onset)}, no note selected`);
  }
}
