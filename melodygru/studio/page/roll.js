// The piano roll: turns what pointers and keys do to a melody into new melodies.

/** @import {ChordSpan, Melody, Note} from "./types.js" */
import { added, moved, snapped, stretched, withNotes } from "./clip.js";
import { svg } from "./elements.js";
import { barAt, lengthOf, metreOf } from "./music.js";
import { pressKey, sayWhere } from "./roll_keys.js";
import { ROW, RollView } from "./roll_view.js";

/** Pixels at a note's end by which it is lengthened. */
const EDGE = 8;

/**
 * @typedef {object} Hooks
 * @property {(melody: Melody, joined: boolean) => void} edited  a change is complete, or a part of the last one
 * @property {(pitch: number) => void} heard  a note was touched
 * @property {(bars: [number, number] | null) => void} chose  bars were selected, both included
 * @property {(note: Note | null, box: DOMRect | null) => void} pointed  a note is hovered or selected
 * @property {(text: string) => void} said  what a screen reader should say
 */

export class Roll extends RollView {
  /** @param {HTMLElement} host @param {Hooks} hooks */
  constructor(host, hooks) {
    super(host);
    this.hooks = hooks;
    this.addedAt = 0;
    this.tapping = false;
    /** Whether something is being written here, and nothing can be drawn. */
    this.locked = false;
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
    host.addEventListener("keydown", (event) => pressKey(this, event));
    host.addEventListener("focus", () => sayWhere(this));
    host.addEventListener("blur", () => this.drawTop());
  }

  /** @param {Melody} melody @param {ChordSpan[]} [chords] */
  show(melody, chords = []) {
    this.melody = melody;
    this.chords = chords;
    this.chosen = new Set();
    this.levels = null;
    this.gate = [];
    this.ghosts.replaceChildren();
    this.hooks.pointed(null, null);
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
    this.hooks.pointed(null, null);
    if (this.bars && this.bars[1] > melody.bars) this.select(null);
    this.draw();
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
    if (this.locked || same(change.notes, this.melody.notes)) {
      this.drawNotes();
      return;
    }
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
    addEventListener("keydown", (event) => event.key === "Escape" && end(false), { signal });
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
}

/** @param {Note[]} one @param {Note[]} other */
function same(one, other) {
  const alike = (/** @type {Note} */ a, /** @type {Note | undefined} */ b) =>
    a.pitch === b?.pitch && a.onset === b.onset && a.duration === b.duration;
  return one.length === other.length && one.every((note, at) => alike(note, other[at]));
}
