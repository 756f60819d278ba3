// What is told at the foot of the page, and work that may go wrong or take a while.

import { button, element, html } from "./elements.js";
import { Progress } from "./progress.js";
import { inOurWords } from "./words.js";

/** @type {WeakMap<HTMLElement, object>} the last piece of work of each button */
const busy = new WeakMap();

/**
 * Tell something; an empty text takes away what was told.
 * @param {string} text @param {boolean} [wrong] @param {[string, () => void][]} [offers] what can be done about it
 */
export function say(text, wrong = false, offers = []) {
  const box = element("message");
  box.hidden = !text;
  box.classList.toggle("plain", !wrong);
  const buttons = offers.map(([label, act]) => {
    const one = html("button", { type: "button" }, [label]);
    one.addEventListener("click", act);
    return one;
  });
  element("message-text").replaceChildren(text, ...(buttons.length ? [html("span", { class: "offers" }, buttons)] : []));
}

/** @param {unknown} error */
export function tell(error) {
  say(error instanceof Error ? inOurWords(error.message) : String(error), true);
}

/** @typedef {{signal: AbortSignal, at: (done: number) => void}} Task  to be stopped by, and to tell how far it is */

/**
 * Do something that takes a moment; what goes wrong is told, and what takes over a second can be watched and stopped.
 * @param {HTMLElement | null} pressed the button that asked for it @param {string} what such as "Writing"
 * @param {(task: Task) => Promise<unknown>} work
 */
export async function doing(pressed, what, work) {
  say("");
  const turn = {};
  if (pressed) busy.set(pressed, turn);
  pressed?.setAttribute("aria-busy", "true");
  const stop = new AbortController();
  const progress = new Progress(what, () => stop.abort());
  try {
    await work({ signal: stop.signal, at: (done) => progress.at(done) });
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "AbortError")) tell(error);
  } finally {
    progress.end();
    // Pressed again in the meantime it is still busy.
    if (pressed && busy.get(pressed) === turn) pressed.removeAttribute("aria-busy");
  }
}

button("dismiss").addEventListener("click", () => say(""));
