// Keys that work wherever the keyboard is, but for fields that take text.

import { button, get } from "./elements.js";

/**
 * @param {import("./session.js").Session} session
 * @param {import("./takes.js").Takes} takes
 * @param {import("./playing.js").Playing} playing
 */
export function listenToKeys(session, takes, playing) {
  const press = (/** @type {string} */ id) => () => button(id).click();
  const keys = /** @type {Record<string, () => void>} */ ({
    " ": press("play"),
    g: press("generate"),
    t: press("eight"),
    r: press("infill"),
    v: press("vary"),
    c: press("continue"),
    l: press("loop"),
    m: press("metronome"),
    x: press("ab"),
    s: () => get("midi", HTMLAnchorElement).click(),
    k: () => takes.keep(takes.heard),
    "?": press("help"),
    escape: () => playing.back(),
  });
  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || get("keys", HTMLDialogElement).open || event.altKey) return;
    const target = event.target instanceof Element ? event.target : null;
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      const typing = target instanceof HTMLInputElement && target.type !== "range";
      if (typing || (key !== "z" && key !== "y")) return;
      event.preventDefault();
      if (key === "y" || event.shiftKey) session.redo();
      else session.undo();
      return;
    }
    if (event.repeat) return;
    // A button that was reached with the keyboard keeps the space bar.
    // A slider takes arrows, and leaves letters and the space bar.
    if (target?.closest("input:not([type=range]), select, summary") || (key === " " && target?.closest("button, a"))) return;
    const act = /^[1-8]$/.test(key) ? () => takes.hear(Number(key) - 1) : keys[key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  // One that was clicked lets it go back to playing.
  addEventListener("click", (event) => {
    if (event.detail && event.target instanceof Element) event.target.closest("button")?.blur();
  });
}
