// What stands still behind the notes of a piano roll: rows with their names, and lines; and what the lane below shows.

/** @import {RollView} from "./roll_view.js" */
import { drumName } from "./drums.js";
import { svg } from "./elements.js";
import { barAt, HIGHEST, keyOf, lengthOf, LOWEST, metreOf, pitchName, QUARTER } from "./music.js";
import { KEYS, ROW, RULER, STRIP } from "./roll_view.js";

const BLACK = new Set([1, 3, 6, 8, 10]);

/** Rows, their names, and lines. @param {RollView} roll @param {number} width @param {number} height */
export function drawGround(roll, width, height) {
  const key = keyOf(roll.melody.key);
  /** @type {SVGElement[]} */
  const rows = [];
  /** @type {SVGElement[]} */
  const names = [];
  for (let pitch = LOWEST; pitch <= HIGHEST; pitch++) {
    const tone = pitch % 12;
    const kind = tone === key.tonic ? "tonic" : key.scale.has(tone) ? "inside" : "outside";
    rows.push(svg("rect", { class: `row ${kind}`, x: 0, y: roll.y(pitch), width, height: ROW }));
    const black = BLACK.has(tone) ? "black" : "white";
    names.push(svg("rect", { class: `key ${black}`, x: 0, y: roll.y(pitch), width: KEYS - 1, height: ROW }));
    const drum = roll.lane?.part === "drums" ? drumName(pitch) : null;
    if (drum ?? key.scale.has(tone)) {
      const name = svg("text", { class: kind, x: KEYS - 6, y: roll.y(pitch) + ROW - 3, "text-anchor": "end" });
      name.textContent = drum ?? pitchName(pitch, key.flats);
      names.push(name);
    }
  }
  const { bar, beat } = metreOf(roll.melody.meter);
  const fine = [QUARTER / 4, QUARTER / 2].find((step) => step * roll.scale >= 9 && beat % step === 0) ?? beat;
  /** @type {Record<string, string>} */
  const lines = { bar: "", beat: "", fine: "" };
  for (let step = 0; step <= lengthOf(roll.melody); step += fine) {
    const kind = step % bar === 0 ? "bar" : (step % bar) % beat === 0 ? "beat" : "fine";
    lines[kind] += `M${step * roll.scale} 0V${height}`;
  }
  const paths = Object.entries(lines).map(([kind, d]) => svg("path", { class: `line ${kind}`, d }));
  const silent = roll.melody.pickup ? bar - roll.melody.pickup : 0;
  const before = svg("rect", { class: "before", x: 0, y: 0, width: silent * roll.scale, height });
  roll.ground.replaceChildren(...rows, before, ...paths);
  roll.keys.replaceChildren(...names);
}

/** The numbers of bars, and the chords over them. @param {RollView} roll */
export function drawRuler(roll) {
  const { width } = roll;
  const { bar } = metreOf(roll.melody.meter);
  /** @type {SVGElement[]} */
  const parts = [svg("rect", { class: "ruler-ground", x: 0, y: 0, width, height: roll.head })];
  const every = [1, 2, 4, 8, 16, 32].find((bars) => bars * bar * roll.scale >= 30) ?? 64;
  for (let start = 0; start < lengthOf(roll.melody); start += bar) {
    const number = barAt(roll.melody, start);
    const on = roll.bars !== null && number >= roll.bars[0] && number <= roll.bars[1];
    const x = start * roll.scale;
    parts.push(svg("rect", { class: on ? "bar-box on" : "bar-box", x, y: 0, width: bar * roll.scale, height: RULER }));
    if (number % every === (every > 1 ? 1 : 0)) {
      const label = svg("text", { x: x + 6, y: 16, class: on ? "on" : "" });
      label.textContent = String(number);
      parts.push(label);
    }
  }
  for (const chord of roll.chords) {
    const label = svg("text", { class: "chord", x: chord.onset * roll.scale + 6, y: 38 });
    label.textContent = chord.symbol;
    parts.push(label);
  }
  roll.ruler.replaceChildren(...parts);
}

/** How much of its memory a model rewrites, and the scale of that. @param {RollView} roll @returns {{parts: SVGElement[], labels: SVGElement[]}} */
export function gateOf(roll) {
  /** @type {SVGElement[]} */
  const parts = [];
  const labels = [];
  if (roll.gate.length) {
    const shares = roll.gate.map(([, , share]) => share);
    const low = Math.min(...shares);
    const high = Math.max(...shares, low + 1e-6);
    const top = (/** @type {number} */ share) => STRIP - 6 - ((share - low) / (high - low)) * (STRIP - 28);
    const d = roll.gate.map(([onset, duration, share], at) => {
      const x = onset * roll.scale;
      return `${at ? "L" : "M"}${x} ${top(share)}H${x + duration * roll.scale}`;
    });
    const last = roll.gate.at(-1);
    const end = last ? (last[0] + last[1]) * roll.scale : 0;
    parts.push(svg("path", { class: "gate-area", d: `${d.join("")}V${STRIP}H${(roll.gate[0]?.[0] ?? 0) * roll.scale}Z` }));
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
  return { parts, labels };
}
