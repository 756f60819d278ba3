// What the drums of General MIDI's percussion map sound like: noise, and a tone that falls.

import { noiseOf } from "./voices.js";

/**
 * A tone from `from` to `to` Hz and noise above `above` Hz, each with its loudness; seconds to 1/e.
 * @typedef {{tone?: number, from?: number, to?: number, noise?: number, above?: number, decay: number}} Drum
 */
/** @type {Record<number, Drum>} */
const KIT = {
  36: { tone: 1, from: 150, to: 48, noise: 0.06, above: 2000, decay: 0.11 }, // kick
  37: { tone: 0.35, from: 1700, to: 1200, noise: 0.2, above: 3000, decay: 0.018 }, // rim
  38: { tone: 0.45, from: 240, to: 175, noise: 0.5, above: 1500, decay: 0.075 }, // snare
  39: { noise: 0.6, above: 1100, decay: 0.06 }, // clap
  42: { noise: 0.3, above: 7500, decay: 0.028 }, // closed hat
  44: { noise: 0.24, above: 6500, decay: 0.022 }, // pedal hat
  46: { noise: 0.3, above: 7000, decay: 0.16 }, // open hat
  45: { tone: 0.8, from: 150, to: 95, noise: 0.05, above: 1500, decay: 0.16 }, // toms
  47: { tone: 0.8, from: 190, to: 125, noise: 0.05, above: 1500, decay: 0.14 },
  50: { tone: 0.8, from: 260, to: 175, noise: 0.05, above: 1500, decay: 0.12 },
  49: { noise: 0.4, above: 4500, decay: 0.5 }, // crash
  51: { tone: 0.05, from: 3200, to: 3150, noise: 0.22, above: 6000, decay: 0.22 }, // ride
  54: { noise: 0.3, above: 6000, decay: 0.07 }, // tambourine
  56: { tone: 0.4, from: 800, to: 790, decay: 0.09 }, // cowbell
  70: { noise: 0.24, above: 6000, decay: 0.035 }, // shaker
  81: { tone: 0.25, from: 4200, to: 4190, decay: 0.4 }, // triangle
};

/** What a row of the roll is called for drums; empty for none that is played. @param {number} pitch */
export const drumName = (pitch) => NAMES[pitch] ?? "";
/** @type {Record<number, string>} */
const NAMES = { 36: "kick", 37: "rim", 38: "snare", 39: "clap", 42: "hat", 44: "pedal", 46: "open", 45: "low", 47: "mid",
  50: "high", 49: "crash", 51: "ride", 54: "tamb.", 56: "bell", 70: "shaker", 81: "triangle" };

/** One stroke. @param {BaseAudioContext} context @param {AudioNode} out @param {number} pitch @param {number} velocity @param {number} start */
export function drum(context, out, pitch, velocity, start) {
  const kind = KIT[pitch] ?? KIT[42], loud = 0.42 * (Math.max(1, velocity) / 127) ** 1.5;
  if (!kind) return;
  const over = start + 7 * kind.decay;
  const fading = (/** @type {number} */ level) => {
    const gain = new GainNode(context, { gain: 0 });
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(level, start + 0.001);
    gain.gain.setTargetAtTime(0, start + 0.002, kind.decay);
    gain.connect(out);
    return gain;
  };
  if (kind.tone) {
    const tone = new OscillatorNode(context, { frequency: kind.from ?? 200 });
    tone.frequency.setValueAtTime(kind.from ?? 200, start);
    tone.frequency.setTargetAtTime(kind.to ?? 200, start, 0.025);
    const gain = fading(loud * kind.tone);
    tone.connect(gain);
    tone.start(start);
    tone.stop(over);
    tone.onended = () => gain.disconnect();
  }
  if (kind.noise) {
    const noise = new AudioBufferSourceNode(context, { buffer: noiseOf(context), loop: true });
    const above = new BiquadFilterNode(context, { type: "highpass", frequency: kind.above ?? 1000 });
    const gain = fading(loud * kind.noise);
    noise.connect(above).connect(gain);
    noise.start(start);
    noise.stop(over);
    noise.onended = () => gain.disconnect();
  }
}
