// What is told at the foot of the page, and work that may go wrong.

import { button, element } from "./elements.js";

/** @type {WeakMap<HTMLElement, object>} the last piece of work of each button */
const busy = new WeakMap();

/** Tell something; an empty text takes away what was told. @param {string} text @param {boolean} [wrong] */
export function say(text, wrong = false) {
  const box = element("message");
  box.hidden = !text;
  box.classList.toggle("plain", !wrong);
  element("message-text").textContent = text;
}

/** @param {unknown} error */
export function tell(error) {
  say(error instanceof Error ? error.message : String(error), true);
}

/**
 * Do something that takes a moment; what goes wrong is told.
 * @param {HTMLElement | null} pressed the button that asked for it @param {() => Promise<void>} work
 */
export async function doing(pressed, work) {
  say("");
  const turn = {};
  if (pressed) busy.set(pressed, turn);
  pressed?.setAttribute("aria-busy", "true");
  try {
    await work();
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "AbortError")) tell(error);
  } finally {
    // Pressed again in the meantime it is still busy.
    if (pressed && busy.get(pressed) === turn) pressed.removeAttribute("aria-busy");
  }
}

button("dismiss").addEventListener("click", () => say(""));
