// What can be undone, and what has been written: the first within one melody, the second from melody to melody.

/** @import {Entry} from "./types.js" */
import { html } from "./elements.js";
import { keep, kept, shared } from "./storing.js";
import { Thumbnail } from "./thumbnail.js";

/** Steps back and forth through the states of one melody. */
export class Steps {
  constructor() {
    /** @type {Entry[]} */
    this.before = [];
    /** @type {Entry[]} */
    this.after = [];
  }

  /** @param {Entry} entry what there was before a change */
  push(entry) {
    this.before.push(entry);
    if (this.before.length > 500) this.before.shift();
    this.after = [];
  }

  /** @param {Entry} now @returns {Entry | null} what there was */
  undo(now) {
    const entry = this.before.pop();
    if (!entry) return null;
    this.after.push(now);
    return entry;
  }

  /** @param {Entry} now @returns {Entry | null} what was undone */
  redo(now) {
    const entry = this.after.pop();
    if (!entry) return null;
    this.before.push(now);
    return entry;
  }
}

const KEPT = 200;
const STORED = 60;
const STORE = "melodygru history";

/** Every melody that was written in this tab, newest first; the newest come back when the page is opened again. */
export class History {
  /** @param {HTMLElement} list @param {(entry: Entry) => void} back called with what is to be shown again */
  constructor(list, back) {
    this.list = list;
    this.back = back;
    /** @type {{entry: Entry, item: HTMLElement}[]} */
    this.shown = [];
    for (const entry of entriesIn(kept(STORE)).reverse()) this.add(entry, false);
  }

  /** @returns {Entry | null} */
  get newest() {
    return this.shown[0]?.entry ?? null;
  }

  /** @param {Entry} entry @param {boolean} [keep] */
  add(entry, keep = true) {
    const same = this.shown.find((one) => JSON.stringify(one.entry.melody) === JSON.stringify(entry.melody));
    if (same) this.remove(same);
    const thumb = new Thumbnail();
    thumb.show(entry.melody);
    const { key, meter, bars } = entry.melody;
    const about = `${key}, ${meter}, ${bars} ${bars === 1 ? "bar" : "bars"}`;
    const label = html("span", { class: "card-label" }, [entry.label]);
    const facts = html("span", { class: "card-label" }, [about]);
    const button = html("button", { type: "button", class: "card" }, [thumb.element, label, facts]);
    button.setAttribute("aria-label", `${entry.label}: ${about}. Show again`);
    button.addEventListener("click", () => this.back(entry));
    const item = html("li", {}, [button]);
    this.list.prepend(item);
    this.shown.unshift({ entry, item });
    while (this.shown.length > KEPT) this.remove(/** @type {{entry: Entry, item: HTMLElement}} */ (this.shown.at(-1)));
    if (keep) this.store();
  }

  /** @param {{entry: Entry, item: HTMLElement}} one */
  remove(one) {
    this.shown.splice(this.shown.indexOf(one), 1);
    one.item.remove();
  }

  clear() {
    for (const one of [...this.shown]) this.remove(one);
    this.store(true);
  }

  /** @param {boolean} [cleared] whether what is not shown here any more is to go for all */
  store(cleared = false) {
    // Files lie with the server, which may have been started anew by then.
    const entries = this.shown.slice(0, STORED).map(({ entry }) => ({ ...entry, file: null }));
    const known = new Set(entries.map((entry) => JSON.stringify(entry.melody)));
    const others = cleared ? [] : entriesIn(shared(STORE)).filter((entry) => !known.has(JSON.stringify(entry.melody)));
    const all = [...entries, ...others].slice(0, STORED);
    // What does not fit goes, the oldest first.
    for (let many = STORED; many >= 1; many = Math.floor(many / 2)) {
      if (keep(STORE, entries.slice(0, many), all.slice(0, many))) return;
    }
  }
}

const DRAFT = "melodygru draft";

/** Keep what is on the roll for the next time. @param {Entry} entry */
export function keepDraft(entry) {
  keep(DRAFT, { ...entry, file: null });
}

/** What was on the roll the last time. @returns {Entry | null} */
export function draft() {
  const entry = kept(DRAFT);
  return isEntry(entry) && entry.melody.notes.length ? entry : null;
}

/** @param {unknown} found @returns {Entry[]} */
function entriesIn(found) {
  return Array.isArray(found) ? found.filter(isEntry) : [];
}

/** Whether what was stored can be shown. @param {any} entry @returns {entry is Entry} */
function isEntry(entry) {
  const { melody, label, chords } = entry ?? {};
  const numbers = [melody?.bpm, melody?.pickup, melody?.bars];
  const notes = Array.isArray(melody?.notes) ? melody.notes.flatMap((/** @type {any} */ one) => [one?.pitch, one?.onset, one?.duration]) : [NaN];
  const tempi = Array.isArray(melody?.tempi) ? melody.tempi.flat() : [];
  return (
    [...numbers, ...notes, ...tempi].every(Number.isFinite) && /^\d+\/\d+$/.test(melody.meter) && melody.bars >= 1 &&
    [melody.key, melody.name, label].every((text) => typeof text === "string") && Array.isArray(chords)
  );
}
