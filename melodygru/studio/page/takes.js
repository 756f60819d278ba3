// Melodies side by side as small rolls: click to hear, keep the best.

/** @import {Entry, Note, Start, Take} from "./types.js" */
import { html } from "./elements.js";
import { Thumbnail } from "./thumbnail.js";

/** @typedef {{item: HTMLElement, hear: HTMLButtonElement, keep: HTMLButtonElement, thumb: Thumbnail, run: HTMLElement,
 *             entry: Entry | null}} Card */

export class Takes {
  /**
   * @param {HTMLElement} list
   * @param {{hear: (entry: Entry, number: number) => void, keep: (entry: Entry) => void}} hooks
   */
  constructor(list, hooks) {
    this.list = list;
    this.hooks = hooks;
    /** @type {Card[]} */
    this.cards = [];
  }

  /** @param {Start} start */
  begin(start) {
    this.bar = start.bar_steps;
    this.length = start.length;
    this.cards = Array.from({ length: start.takes }, (_, number) => this.card(number));
    this.list.replaceChildren(...this.cards.map((card) => card.item));
    // They may lie below what is seen.
    this.list.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }

  /** @param {number} number @returns {Card} */
  card(number) {
    const thumb = new Thumbnail();
    const run = html("span", { class: "card-label" }, ["writing …"]);
    const attributes = { type: "button", class: "card", disabled: "" };
    const hear = html("button", attributes, [thumb.element, run]);
    hear.setAttribute("aria-label", `Hear take ${number + 1}`);
    const keep = html("button", { type: "button", class: "keep", disabled: "" }, ["Keep"]);
    keep.setAttribute("aria-label", `Keep take ${number + 1}`);
    const item = html("li", {}, [hear, keep]);
    /** @type {Card} */
    const card = { item, hear, keep, thumb, run, entry: null };
    hear.addEventListener("click", () => this.hear(number));
    hear.addEventListener("dblclick", () => this.keep(number));
    keep.addEventListener("click", () => this.keep(number));
    return card;
  }

  /** Notes of a take that is being written. @param {number} number @param {Note[]} notes */
  ghost(number, notes) {
    const card = this.cards[number];
    if (card && !card.entry) card.thumb.draw(notes, this.length ?? 1, this.bar ?? 96);
  }

  /** @param {Take} take @param {Entry} entry */
  done(take, entry) {
    const card = this.cards[take.index ?? 0];
    if (!card) return;
    card.entry = entry;
    card.thumb.show(entry.melody);
    card.hear.disabled = card.keep.disabled = false;
    card.run.textContent = `${(take.index ?? 0) + 1} · ${entry.melody.notes.length} notes`;
  }

  /** Nothing more comes: what is not finished goes. */
  end() {
    for (const card of this.cards) if (!card.entry) card.item.remove();
  }

  /** @param {number} number */
  hear(number) {
    const entry = this.cards[number]?.entry;
    if (!entry) return;
    this.at(null);
    this.cards.forEach((card, at) => mark(card.item, card.hear, "heard", at === number));
    this.hooks.hear(entry, number);
  }

  /** @param {number} number */
  keep(number) {
    const entry = this.cards[number]?.entry;
    if (!entry) return;
    this.cards.forEach((card, at) => mark(card.item, card.keep, "kept", at === number));
    this.hooks.keep(entry);
  }

  /** It is this one that is heard, if it is among them. @param {Entry} entry */
  mark(entry) {
    for (const card of this.cards) mark(card.item, card.hear, "heard", card.entry === entry);
  }

  /** None is heard any more. */
  unmark() {
    for (const card of this.cards) mark(card.item, card.hear, "heard", false);
  }

  /** The take that was heard last. @returns {number} */
  get heard() {
    return this.cards.findIndex((card) => card.item.classList.contains("heard"));
  }

  /** @param {number | null} step where the sound of the one that is heard is */
  at(step) {
    this.cards[this.heard]?.thumb.at(step);
  }
}

/** @param {HTMLElement} item @param {HTMLButtonElement} button @param {string} kind @param {boolean} on */
function mark(item, button, kind, on) {
  item.classList.toggle(kind, on);
  button.setAttribute("aria-pressed", String(on));
}
