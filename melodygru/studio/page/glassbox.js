// What the model hears in a melody: colours, the gate under the roll, and what else it had in mind.

/** @import {Heard, Look, Melody, Note} from "./types.js" */
import { keyOf, pitchName, valueName } from "./music.js";
import { html } from "./elements.js";

/** Nats up to which a note was expected, and from which it is most surprising; as in `melodygru explain`. */
const CALM = 0.7;
const SURPRISED = 3;
const LEVELS = 7;

/** @param {number} nats @returns {number} a colour, 0 to 6 */
export function level(nats) {
  return Math.max(0, Math.min(LEVELS - 1, Math.round(((nats - CALM) / (SURPRISED - CALM)) * (LEVELS - 1))));
}

/**
 * The update gate z of h = (1 - z) h' + z h~: how much is written anew.
 * @param {Look} look @returns {[number, number, number][]}
 */
export function rewritten(look) {
  return look.keep.map(([onset, duration, keep]) => [onset, duration, 1 - keep]);
}

/** @param {Look} look @returns {string} */
export function inWords(look) {
  const share = Math.round(look.first_choice * 100);
  return `${share} % of the notes were the model’s first choice; ${look.nats_per_note.toFixed(2)} nats a note.`;
}

/** The longest run shared with the training music: how long, and where. @param {Look} look @returns {[string, string]} */
export function originality(look) {
  const { run } = look;
  if (!run) return ["This model does not say what it has learned from.", ""];
  const typical = run.typical === null ? "" : ` (typical for people: ${Math.round(run.typical)})`;
  if (!run.notes) return [`No run of it stands in the training music${typical}`, ""];
  return [`Longest shared run ${run.notes} notes${typical}`, `bar ${run.bar} on, as in “${run.piece}”, bar ${run.piece_bar}`];
}

/**
 * What there is to tell about one note.
 * @param {Melody} melody @param {Note} note @param {Heard | null} heard @returns {HTMLElement[]}
 */
export function about(melody, note, heard) {
  const { flats } = keyOf(melody.key);
  const title = html("strong", {}, [`${pitchName(note.pitch, flats)} ${valueName(note.duration)}`]);
  if (!heard) return [title];
  const chance = Math.exp(-heard.nats);
  const said = chance >= 0.01 ? `${Math.round(chance * 100)} %` : "under 1 %";
  const parts = [
    title,
    html("p", {}, [`Surprise ${heard.nats.toFixed(1)} nats: the model gave it ${said}.`]),
    html("p", { class: "soft" }, ["It considered:"]),
  ];
  const rows = heard.considered.map((one) => {
    const meter = html("meter", { min: "0", max: "1", value: String(one.probability) });
    const own = one.pitch === note.pitch && one.duration === note.duration;
    const percent = `${Math.round(one.probability * 100)} %`;
    return html("li", own ? { class: "own" } : {}, [html("span", {}, [one.name]), meter, html("span", {}, [percent])]);
  });
  return [...parts, html("ul", {}, rows)];
}
