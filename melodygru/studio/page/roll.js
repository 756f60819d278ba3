// The piano roll: turns what pointers and keys do to a melody into new melodies.

/** @import {ChordSpan, Melody, Note} from "./types.js" */
import { added, withNotes } from "./clip.js";
import { metreOf } from "./music.js";
import { drag, framing, moving, stretching } from "./roll_drag.js";
import { pressKey, sayWhere } from "./roll_keys.js";
import { drawLane, pressInLane, tapInLane, underInLane } from "./roll_lane.js";
import { drawLine } from "./roll_line.js";
import { turnLock } from "./roll_locks.js";
import { pressRuler } from "./roll_ruler.js";
import { pressLane, stems } from "./roll_velocity.js";
import { RollView, STRIP } from "./roll_view.js";

/** Pixels at a note's end by which it is lengthened. */
const EDGE = 8;

/**
 * @typedef {object} Hooks
 * @property {(melody: Melody, joined: boolean) => void} edited  a change is complete, or a part of the last one
 * @property {(pitch: number, part?: import("./types.js").Part) => void} heard  a note was touched, of a part if not the melody's
 * @property {(bars: [number, number] | null) => void} chose  bars were selected, both included
 * @property {(note: Note | null, box: DOMRect | null) => void} pointed  a note is hovered or selected
 * @property {(text: string) => void} said  what a screen reader should say
 * @property {(step: number) => void} sought  somebody wants to hear it from there
 * @property {(heights: number[]) => void} lined  a line was drawn over it
 * @property {() => void} refused  somebody wanted to draw where nothing can be drawn
 */

export class Roll extends RollView {
  /** @param {HTMLElement} host @param {Hooks} hooks */
  constructor(host, hooks) {
    super(host);
    this.hooks = hooks;
    this.addedAt = 0;
    /** When a note was last moved by a key: a run of such moves is one step to undo. */
    this.nudgedAt = 0;
    this.tapping = false;
    this.dragging = false;
    /** Whether the next press draws a line. */
    this.lining = false;
    /** Whether a press on a note locks it. */
    this.locking = false;
    /** Called with the notes of the lane that is edited. @type {(notes: import("./types.js").Struck[]) => void} */
    this.laned = () => {};
    /** Whether something is being written or tried here, and nothing can be drawn. */
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
    this.ruler.addEventListener("pointerdown", (event) => pressRuler(this, event));
    this.strip.addEventListener("pointerdown", (event) => pressLane(this, event));
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
    this.locks = new Map();
    this.nudgedAt = 0;
    this.ghosts.replaceChildren();
    this.hooks.pointed(null, null);
    // Bars of another melody.
    if (this.bars) this.select(null);
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
    this.drawRuler();
    this.drawTop();
    this.hooks.chose(bars);
  }

  /** @param {Iterable<Note>} notes */
  choose(notes) {
    this.chosen = new Set(notes);
    for (const [note, box] of this.boxes) box.classList.toggle("chosen", this.chosen.has(note));
    this.drawTop();
    if (this.loudness) this.drawStrip();
    const [only] = this.chosen.size === 1 ? this.chosen : [];
    this.hooks.pointed(only ?? null, only ? this.boxes.get(only)?.getBoundingClientRect() ?? null : null);
  }

  /** @param {Melody} melody @returns {SVGElement[]} */
  stemsOf(melody) {
    const shown = this.melody;
    this.melody = melody;
    const parts = [this.laneGround(), ...stems(this)];
    this.melody = shown;
    return parts;
  }

  /**
   * @param {{notes: Note[], chosen: Note[]}} change @param {boolean} [joined] whether it is part of the last one
   * @param {Melody} [base] the melody whose notes they become, where it has more bars now
   */
  commit(change, joined = false, base = this.melody) {
    if (this.locked || same(change.notes, this.melody.notes)) {
      if (this.locked) this.hooks.refused();
      this.drawNotes();
      return;
    }
    const melody = withNotes(base, change.notes);
    const shift = melody.notes === change.notes ? 0 : metreOf(melody.meter).bar;
    const places = new Set(change.chosen.map((note) => note.onset - shift));
    this.hooks.edited(melody, joined);
    this.choose(this.melody.notes.filter((note) => places.has(note.onset)));
  }

  /** Edit a lane of the accompaniment; null: the melody. @param {import("./types.js").Lane | null} lane */
  showLane(lane) {
    const other = lane?.part !== this.lane?.part;
    this.lane = lane;
    if (other) this.draw();
    else drawLane(this);
  }

  /** Scroll to where the lane's notes are. */
  revealLane() {
    const pitches = (this.lane?.notes ?? this.melody.notes.map((note) => [0, 0, note.pitch])).map(([, , pitch]) => pitch ?? 0);
    if (!pitches.length) return;
    const middle = (Math.max(...pitches) + Math.min(...pitches)) / 2;
    this.host.scrollTop = this.y(middle) - (this.host.clientHeight - this.head - STRIP) / 2;
  }

  draw() {
    super.draw();
    drawLane(this);
  }

  /** @param {Note | null} note */
  remove(note) {
    if (this.lane) return;
    if (!note || performance.now() - this.addedAt < 500) return;
    const gone = this.chosen.has(note) ? this.chosen : new Set([note]);
    this.commit({ notes: this.melody.notes.filter((one) => !gone.has(one)), chosen: [] });
  }

  /** Delete the notes that are selected. */
  removeChosen() {
    const [note] = this.chosen;
    this.addedAt = this.nudgedAt = 0;
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
    if (event.buttons || event.pointerType === "touch" || this.lining) return;
    if (this.lane) {
      const { number, end } = underInLane(this, event);
      this.grid.classList.toggle("over", number >= 0);
      this.grid.classList.toggle("end", end);
      return;
    }
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
    if (this.lining) {
      drawLine(this, event, this.hooks.lined);
      return;
    }
    this.nudgedAt = 0;
    if (this.lane) {
      pressInLane(this, event);
      return;
    }
    const note = this.under(event);
    if (note && this.locking) {
      turnLock(this, note);
      return;
    }
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
      drag(this, event, this.atEnd(note, event) ? stretching(this, note) : moving(this, note));
      return;
    }
    if (event.pointerType === "touch") {
      // A finger on empty ground scrolls; a tap writes.
      this.tapping = true;
    } else if (event.shiftKey) drag(this, event, framing(this, event));
    else this.write(event, true);
  }

  /** @param {MouseEvent} event @param {boolean} held whether the button is still down, so that it can be stretched */
  write(event, held) {
    if (this.lane) {
      tapInLane(this, event);
      return;
    }
    if (this.under(event)) return;
    const { step, pitch } = this.place(event);
    const onset = Math.floor(step / this.snap) * this.snap;
    const change = added(this.melody, { pitch, onset, duration: this.lastDuration });
    this.addedAt = performance.now();
    this.hooks.heard(pitch);
    this.commit(change);
    const [note] = this.chosen;
    if (held && note && event instanceof PointerEvent) drag(this, event, stretching(this, note), true);
  }
}

/** @param {Note[]} one @param {Note[]} other */
function same(one, other) {
  const alike = (/** @type {Note} */ a, /** @type {Note | undefined} */ b) =>
    a.pitch === b?.pitch && a.onset === b.onset && a.duration === b.duration && a.velocity === b.velocity;
  return one.length === other.length && one.every((note, at) => alike(note, other[at]));
}
