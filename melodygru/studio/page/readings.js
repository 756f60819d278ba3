// Two ways to read a file that does not say its metre, where they are close: a button each, behind what is told.
import { element } from "./elements.js";

/** @typedef {{meter: string, pickup: number}} Reading */

/** @param {Reading[]} readings @param {(reading: Reading) => void} choose */
export function offer(readings, choose) {
  for (const reading of readings) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = reading.pickup ? `${reading.meter}, pickup ${reading.pickup}` : reading.meter;
    button.title = `Read the file in ${reading.meter}, bar 1 after ${reading.pickup} quarters`;
    button.addEventListener("click", () => choose(reading));
    element("message-text").append(" ", button);
  }
}
