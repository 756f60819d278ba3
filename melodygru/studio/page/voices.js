// What an instrument sounds like: voices, a click, a room, and the way out.
//
// The voices are akin to those of melodygru/formats/sound/voices.py: layers of harmonics that die away at their own pace.
// PeriodicWaves have no partials above half the sample rate.

/**
 * Harmonics that sound together, `decay` seconds to 1/e at middle C; without a decay they hold.
 * @typedef {{partials: number[], ratio?: number, decay?: number, cents?: number, level?: number}} Layer
 */
/**
 * `strike`: how loud the noise of hammer, plectrum or bow is, beside the tone; `opens`: how many times as bright a note
 * begins as it goes on.
 * @typedef {{layers: Layer[], attack: number, release: number, gain: number, vibrato?: number, strike?: number,
 *            opens?: number}} Voice
 */
const LEVEL = 0.32; // of one note at full velocity
const BODY = 160; // Hz, below which an instrument's body is too small to radiate

/** Harmonics h = 1 to count of amplitude h^-tilt, the even ones times `even`. @param {number} count @param {number} tilt */
const falling = (count, tilt, even = 1) => Array.from({ length: count }, (_, i) => (i + 1) ** -tilt * (i % 2 ? even : 1));

/** High partials that a string has for a moment after it was struck. @param {number} from the lowest @param {number} level */
const shimmer = (from, level, tilt = 0.8) => falling(48, tilt).map((amplitude, i) => (i + 1 < from ? 0 : level * amplitude));

/** @type {Record<string, Voice>} */
const VOICES = {
  piano: { attack: 0.003, release: 0.32, gain: 0.9, strike: 0.05, opens: 5, layers: [
    { partials: [1, 0.5, 0.22, 0.06], decay: 0.5 },
    { partials: [0.4, 0.16, 0.07, 0.02], decay: 2.2, cents: 0.7 },
    { partials: [0, 0.16, 0.16, 0.2, 0.14, 0.11, 0.09, 0.07, 0.06, 0.05, 0.04, 0.03, 0.025, 0.02], decay: 0.3, cents: 1.6 },
    { partials: shimmer(5, 0.5), decay: 0.09, cents: 3 }] },
  electric: { attack: 0.003, release: 0.3, gain: 1.15, strike: 0.02, opens: 5, layers: [
    { partials: [1, 0.14, 0.05], decay: 1.8 }, { partials: [0.25, 0.05], decay: 2.4, cents: 2.5 },
    { partials: [0, 0.24, 0, 0.15, 0, 0.08, 0, 0.05], decay: 0.4 },
    { partials: [0.12], ratio: 14.02, decay: 0.12 }, { partials: shimmer(7, 0.3), decay: 0.07 }] },
  harpsichord: { attack: 0.002, release: 0.18, gain: 0.9, strike: 0.06, opens: 4, layers: [
    { partials: [0.8, 0.6, 0.5], decay: 0.9 }, { partials: falling(40, 0.8).fill(0, 0, 3), decay: 0.4 }] },
  bells: { attack: 0.002, release: 1.2, gain: 1.1, strike: 0.03, opens: 6, layers: [
    { partials: [1], decay: 1.1 }, { partials: [0.32], ratio: 2.756, decay: 0.5 },
    { partials: [0.18], ratio: 5.404, decay: 0.25 }, { partials: [0.09], ratio: 8.933, decay: 0.14 },
    { partials: [0.05], ratio: 13.34, decay: 0.08 }] },
  mallets: { attack: 0.002, release: 0.6, gain: 1.4, strike: 0.05, opens: 5, layers: [
    { partials: [1], decay: 0.55 }, { partials: [0.22], ratio: 3.984, decay: 0.12 },
    { partials: [0.08], ratio: 9.9, decay: 0.05 }, { partials: [0.03], ratio: 17.9, decay: 0.03 }] },
  organ: { attack: 0.02, release: 0.16, gain: 0.75, layers: [{ partials: [1, 0.6, 0.3, 0.35, 0, 0.14, 0, 0.16] }] },
  accordion: { attack: 0.03, release: 0.16, gain: 0.68, layers: [
    { partials: falling(14, 0.95), cents: -2.5 }, { partials: falling(14, 1.05), cents: 5, level: 0.6 }] },
  guitar: { attack: 0.002, release: 0.24, gain: 0.88, strike: 0.05, opens: 5, layers: [
    { partials: [1, 0.55, 0.25], decay: 1 },
    { partials: [0, 0.15, 0.2, 0.18, 0.06, 0.12, 0.1, 0.07, 0.05, 0.04, 0.03, 0.02], decay: 0.28, cents: 1 },
    { partials: shimmer(6, 0.45), decay: 0.1, cents: 2 }] },
  bass: { attack: 0.004, release: 0.16, gain: 1, strike: 0.03, opens: 4, layers: [
    { partials: [1, 0.5, 0.22, 0.1], decay: 1.2 }, { partials: [0, 0.2, 0.25, 0.18, 0.12, 0.08, 0.05], decay: 0.25 },
    { partials: shimmer(8, 0.3), decay: 0.08 }] },
  strings: { attack: 0.06, release: 0.35, gain: 0.8, vibrato: 7, strike: 0.012, opens: 1.6, layers: [
    { partials: falling(40, 1.1) }, { partials: falling(40, 1.25), cents: 4, level: 0.35 }] },
  ensemble: { attack: 0.12, release: 0.7, gain: 0.8, layers: [
    { partials: falling(20, 1.25) }, { partials: falling(20, 1.3), cents: -9, level: 0.5 },
    { partials: falling(20, 1.3), cents: 7, level: 0.6 }] },
  choir: { attack: 0.12, release: 0.6, gain: 0.8, vibrato: 5, layers: [
    { partials: [1, 0.6, 0.42, 0.16, 0.07, 0.05, 0.03] }, { partials: [1, 0.5, 0.35, 0.1, 0.05], cents: 7, level: 0.5 }] },
  brass: { attack: 0.035, release: 0.18, gain: 0.55, layers: [
    { partials: [1, 0.9, 0.75, 0.55, 0.4, 0.28, 0.2, 0.13, 0.09, 0.06, 0.04] }] },
  reed: { attack: 0.03, release: 0.18, gain: 0.6, vibrato: 4, layers: [
    { partials: [0.9, 0.8, 0.7, 0.42, 0.3, 0.2, 0.13, 0.09, 0.06, 0.04] }] },
  clarinet: { attack: 0.03, release: 0.18, gain: 1.05, vibrato: 3, layers: [{ partials: falling(15, 1.25, 0.08) }] },
  flute: { attack: 0.045, release: 0.2, gain: 1.1, vibrato: 6, layers: [{ partials: [1, 0.3, 0.1, 0.035, 0.015] }] },
  lead: { attack: 0.008, release: 0.15, gain: 1, layers: [{ partials: falling(30, 1.2, 0.25) }] },
  pad: { attack: 0.2, release: 1, gain: 0.9, layers: [
    { partials: falling(12, 1.6) }, { partials: falling(12, 1.6), cents: -7, level: 0.6 },
    { partials: falling(12, 1.6), cents: 8, level: 0.5 }] },
};
const GROUPS = ["piano", "bells", "organ", "guitar", "bass", "strings", "ensemble", "brass",
  "reed", "flute", "lead", "pad", "pad", "guitar", "mallets", "pad"];
/** @type {Record<number, string>} programs unlike their group of eight */
const UNLIKE = { 4: "electric", 5: "electric", 6: "harpsichord", 7: "harpsichord", 12: "mallets", 13: "mallets",
  15: "harpsichord", 20: "accordion", 21: "accordion", 22: "accordion", 23: "accordion", 45: "guitar", 46: "guitar",
  47: "mallets", 52: "choir", 53: "choir", 54: "choir", 71: "clarinet", 108: "mallets", 109: "accordion",
  110: "strings", 111: "reed", 112: "bells" };

/** @param {number} program in [0, 128) @returns {string} */
export const voiceName = (program) => UNLIKE[program] ?? GROUPS[program >> 3] ?? "piano";

/** Noise that is the same every time: xorshift, in [-1, 1). @param {number} seed */
function noise(seed) {
  let state = seed | 0;
  return () => {
    state ^= state << 13; state ^= state >>> 17; state ^= state << 5;
    return state / 2 ** 31;
  };
}

/** A small room: decorrelated noise that dies away, its high sound first. @param {BaseAudioContext} context */
function room(context) {
  const rate = context.sampleRate, size = Math.round(0.9 * rate), start = Math.round(0.012 * rate);
  const buffer = context.createBuffer(2, size, rate);
  for (let channel = 0; channel < 2; channel++) {
    const data = buffer.getChannelData(channel), next = noise(channel ? 88172645 : 362436069);
    let smooth = 0;
    for (let i = start; i < size; i++) {
      const at = (i - start) / rate;
      smooth += (next() - smooth) * (0.08 + 0.5 * Math.exp(-at * 9));
      data[i] = smooth * Math.exp(-at * 7.5) * (1 - i / size);
    }
  }
  return buffer;
}

/** The way out: voices -> room and dry -> limiter -> volume -> meter -> loudspeaker. @param {BaseAudioContext} context */
export function outlet(context) {
  const input = context.createGain();
  const convolver = new ConvolverNode(context, { buffer: room(context) });
  const wet = new GainNode(context, { gain: 0.7 });
  const limiter = new DynamicsCompressorNode(context, { threshold: -8, knee: 3, ratio: 20, attack: 0.003, release: 0.15 });
  const volume = context.createGain();
  const meter = new AnalyserNode(context, { fftSize: 1024 });
  input.connect(limiter);
  input.connect(convolver).connect(wet).connect(limiter);
  limiter.connect(volume).connect(meter).connect(context.destination);
  return { input, volume, meter };
}

/** @type {WeakMap<BaseAudioContext, Map<string, PeriodicWave>>} */
const waves = new WeakMap();

/**
 * The wave of a layer, its h-th harmonic weaker by h^-tilt; made once for each context.
 * @param {BaseAudioContext} context @param {number[]} partials @param {number} tilt
 */
function waveOf(context, partials, tilt) {
  const made = waves.get(context) ?? new Map(), key = `${tilt} ${partials}`;
  waves.set(context, made);
  let wave = made.get(key);
  if (!wave) {
    const sines = Float32Array.from([0, ...partials.map((amplitude, i) => amplitude * (i + 1) ** -tilt)]);
    wave = context.createPeriodicWave(new Float32Array(sines.length), sines, { disableNormalization: true });
    made.set(key, wave);
  }
  return wave;
}

/**
 * One note, from `start` for `seconds`; its release comes after.
 * @param {BaseAudioContext} context @param {AudioNode} out @param {string} name of the voice
 * @param {number} pitch @param {number} velocity @param {number} start @param {number} seconds
 */
export function sound(context, out, name, pitch, velocity, start, seconds) {
  const voice = VOICES[name] ?? VOICES.piano, strength = Math.min(127, Math.max(1, velocity)) / 127;
  const hertz = 440 * 2 ** ((pitch - 69) / 12), end = start + Math.max(seconds, voice.attack + 0.01);
  const off = end + voice.release;
  const body = hertz / Math.hypot(hertz, BODY);
  const loud = LEVEL * voice.gain * body * strength ** 1.6 * 2 ** ((60 - pitch) / 60); // high notes are piercing
  const held = new GainNode(context, { gain: 0 });
  held.gain.setValueAtTime(0, start);
  held.gain.linearRampToValueAtTime(loud, start + voice.attack);
  held.gain.setValueAtTime(loud, end);
  held.gain.setTargetAtTime(0, end, voice.release / 7); // 60 dB down at `off`
  // Loud notes are bright.
  const tilt = Math.round(14 * (1 - strength)) / 20, cutoff = (500 + 3 * hertz) * (0.8 + 5 * strength * strength);
  const highest = 0.42 * context.sampleRate, frequency = Math.min(highest, cutoff);
  const bright = new BiquadFilterNode(context, { type: "lowpass", Q: -3, frequency });
  if (voice.opens) {
    // What is struck is bright for a moment, and mellow as it dies away.
    bright.frequency.setValueAtTime(Math.min(highest, cutoff * voice.opens), start);
    bright.frequency.setTargetAtTime(frequency, start + voice.attack, 0.11);
  }
  const place = new StereoPannerNode(context, { pan: Math.max(-0.3, Math.min(0.3, (pitch - 66) / 80)) });
  bright.connect(held).connect(place).connect(out);
  if (voice.strike) strike(context, place, voice.strike * loud, start);
  voice.layers.forEach((layer, index) => {
    const frequency = hertz * (layer.ratio ?? 1);
    if (frequency > 0.45 * context.sampleRate) return;
    const periodicWave = waveOf(context, layer.partials, tilt);
    const source = new OscillatorNode(context, { frequency, detune: layer.cents ?? 0, periodicWave });
    const fading = new GainNode(context, { gain: layer.level ?? 1 });
    if (layer.decay) fading.gain.setTargetAtTime(0, start + voice.attack, layer.decay * 2 ** ((60 - pitch) / 30));
    source.connect(fading).connect(bright);
    if (voice.vibrato && seconds > 0.3) {
      const swaying = new OscillatorNode(context, { frequency: 5.1 + 0.3 * index });
      const depth = new GainNode(context, { gain: 0 });
      depth.gain.setValueAtTime(0, start + 0.18);
      depth.gain.linearRampToValueAtTime(voice.vibrato, start + 0.6);
      swaying.connect(depth).connect(source.detune);
      swaying.start(start);
      swaying.stop(off);
    }
    source.start(start);
    source.stop(off);
    if (!index) source.onended = () => place.disconnect();
  });
}

/** @type {WeakMap<BaseAudioContext, AudioBuffer>} */
const noises = new WeakMap();

/** A quarter of a second of noise. @param {BaseAudioContext} context @returns {AudioBuffer} */
export function noiseOf(context) {
  let buffer = noises.get(context);
  if (!buffer) {
    buffer = context.createBuffer(1, Math.round(0.25 * context.sampleRate), context.sampleRate);
    const data = buffer.getChannelData(0), next = noise(521288629);
    for (let i = 0; i < data.length; i++) data[i] = next();
    noises.set(context, buffer);
  }
  return buffer;
}

/**
 * The short noise of a hammer, a plectrum or a bow.
 * @param {BaseAudioContext} context @param {AudioNode} out @param {number} level @param {number} start
 */
function strike(context, out, level, start) {
  const source = new AudioBufferSourceNode(context, { buffer: noiseOf(context) });
  const above = new BiquadFilterNode(context, { type: "highpass", frequency: 1800 });
  const below = new BiquadFilterNode(context, { type: "lowpass", frequency: 12_000 });
  const gain = new GainNode(context, { gain: 0 });
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(level * 4, start + 0.002);
  gain.gain.setTargetAtTime(0, start + 0.003, 0.018);
  source.connect(above).connect(below).connect(gain).connect(out);
  source.start(start);
  source.stop(start + 0.2);
}

/** A click of the metronome. @param {BaseAudioContext} context @param {AudioNode} out @param {number} start @param {boolean} high */
export function click(context, out, start, high) {
  const source = new OscillatorNode(context, { frequency: high ? 1760 : 1174.66 });
  const gain = new GainNode(context, { gain: 0 });
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(high ? 0.16 : 0.1, start + 0.002);
  gain.gain.setTargetAtTime(0, start + 0.002, 0.012);
  source.connect(gain).connect(out);
  source.start(start);
  source.stop(start + 0.12);
  source.onended = () => gain.disconnect();
}
