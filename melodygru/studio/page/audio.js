/**
 * Sound in the browser, with Web Audio alone: no samples, nothing to load.
 *
 * `Player` plays a clip in steps, 24 to a quarter. A timer looks a little ahead and hands notes to the audio clock, which
 * alone decides when they sound; so a busy page shifts nothing. The voices are akin to those of melodygru/voices.py:
 * layers of harmonics that die away at their own pace. PeriodicWaves have no partials above half the sample rate.
 */

/** @typedef {{pitch: number, onset: number, duration: number, velocity?: number}} Note */
/** @typedef {{onset: number, end: number, pitches: number[]}} Chord */
/**
 * @typedef {{notes: Note[], length: number, bpm: number, barSteps: number, beatSteps: number, chords?: Chord[],
 *   program?: number}} Clip
 */
/**
 * Harmonics that sound together, `decay` seconds to 1/e at middle C; without a decay they hold.
 * @typedef {{partials: number[], ratio?: number, decay?: number, cents?: number, level?: number}} Layer
 */
/** @typedef {{layers: Layer[], attack: number, release: number, gain: number, vibrato?: number}} Voice */
/**
 * From `time` on, `rate` steps a second, beginning at `step`.
 * @typedef {{time: number, step: number, rate: number}} Stretch
 */

const STEPS_PER_QUARTER = 24;
const TIMER_MS = 25;
const AHEAD = 0.12; // seconds that are handed to the audio clock at a time
const AHEAD_HIDDEN = 1.6; // timers of a hidden page come once a second
const HEAD_START = 0.02;
const LEVEL = 0.32; // of one note at full velocity
const BODY = 160; // Hz, below which an instrument's body is too small to radiate
const VELOCITY = 84;
const CHORD_VELOCITY = 56;

/** Harmonics h = 1 to count of amplitude h^-tilt, the even ones times `even`. @param {number} count @param {number} tilt */
const falling = (count, tilt, even = 1) => Array.from({ length: count }, (_, i) => (i + 1) ** -tilt * (i % 2 ? even : 1));

/** @type {Record<string, Voice>} */
const VOICES = {
  piano: { attack: 0.004, release: 0.3, gain: 0.95, layers: [
    { partials: [1, 0.5, 0.22, 0.06], decay: 0.5 },
    { partials: [0.4, 0.16, 0.07, 0.02], decay: 1.9, cents: 0.7 },
    { partials: [0, 0.16, 0.16, 0.2, 0.13, 0.1, 0.08, 0.06, 0.04, 0.03, 0.02, 0.015, 0.01, 0.008], decay: 0.22 }] },
  electric: { attack: 0.004, release: 0.28, gain: 1.25, layers: [
    { partials: [1, 0.1, 0.04], decay: 1.6 }, { partials: [0, 0.2, 0, 0.12, 0, 0.06], decay: 0.35 }] },
  harpsichord: { attack: 0.002, release: 0.18, gain: 0.9, layers: [
    { partials: [0.8, 0.6, 0.5], decay: 0.9 }, { partials: falling(19, 0.9).fill(0, 0, 3), decay: 0.4 }] },
  bells: { attack: 0.002, release: 1.2, gain: 1.15, layers: [
    { partials: [1], decay: 1.1 }, { partials: [0.3], ratio: 2.756, decay: 0.45 },
    { partials: [0.14], ratio: 5.404, decay: 0.18 }] },
  mallets: { attack: 0.002, release: 0.6, gain: 1.45, layers: [
    { partials: [1], decay: 0.55 }, { partials: [0.22], ratio: 3.984, decay: 0.12 },
    { partials: [0.06], ratio: 9.9, decay: 0.04 }] },
  organ: { attack: 0.02, release: 0.16, gain: 0.75, layers: [{ partials: [1, 0.6, 0.3, 0.35, 0, 0.14, 0, 0.16] }] },
  accordion: { attack: 0.03, release: 0.16, gain: 0.68, layers: [
    { partials: falling(14, 0.95), cents: -2.5 }, { partials: falling(14, 1.05), cents: 5, level: 0.6 }] },
  guitar: { attack: 0.002, release: 0.22, gain: 0.9, layers: [
    { partials: [1, 0.55, 0.25], decay: 0.9 },
    { partials: [0, 0.15, 0.2, 0.18, 0.06, 0.1, 0.08, 0.05, 0.03, 0.02], decay: 0.22 }] },
  bass: { attack: 0.005, release: 0.16, gain: 1, layers: [
    { partials: [1, 0.5, 0.22, 0.1], decay: 1.2 }, { partials: [0, 0.2, 0.25, 0.18, 0.12, 0.08, 0.05], decay: 0.25 }] },
  strings: { attack: 0.06, release: 0.35, gain: 0.8, vibrato: 7, layers: [
    { partials: falling(24, 1.1) }, { partials: falling(24, 1.25), cents: 4, level: 0.35 }] },
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
const voiceName = (program) => UNLIKE[program] ?? GROUPS[program >> 3] ?? "piano";

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
function outlet(context) {
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
function sound(context, out, name, pitch, velocity, start, seconds) {
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
  const frequency = Math.min(0.42 * context.sampleRate, cutoff);
  const bright = new BiquadFilterNode(context, { type: "lowpass", Q: -3, frequency });
  const place = new StereoPannerNode(context, { pan: Math.max(-0.3, Math.min(0.3, (pitch - 66) / 80)) });
  bright.connect(held).connect(place).connect(out);
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

/** A click of the metronome. @param {BaseAudioContext} context @param {AudioNode} out @param {number} start @param {boolean} high */
function click(context, out, start, high) {
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

/**
 * Everything that begins in steps [from, to), heard from `time` on; what would sound past `end` is cut there.
 * With `caught`, what began before `from` and still holds is struck again at `from`.
 * @param {BaseAudioContext} context @param {AudioNode} out @param {Clip} clip
 * @param {number} from @param {number} to @param {number} end @param {number} time @param {number} rate steps a second
 * @param {{caught: boolean, chords: boolean, metronome: boolean}} wanted
 */
function schedule(context, out, clip, from, to, end, time, rate, wanted) {
  const seconds = (/** @type {number} */ steps) => steps / rate;
  const due = (/** @type {number} */ onset, /** @type {number} */ over) =>
    (onset >= from && onset < to) || (wanted.caught && onset < from && over > from);
  const voice = voiceName(clip.program ?? 0);
  for (const note of clip.notes) {
    const over = Math.min(note.onset + note.duration, end), onset = Math.max(note.onset, from);
    if (!due(note.onset, over)) continue;
    const start = time + seconds(onset - from);
    sound(context, out, voice, note.pitch, note.velocity ?? VELOCITY, start, seconds(over - onset));
  }
  for (const chord of wanted.chords ? clip.chords ?? [] : []) {
    const over = Math.min(chord.end, end), onset = Math.max(chord.onset, from);
    if (!due(chord.onset, over)) continue;
    const start = time + seconds(onset - from);
    for (const pitch of chord.pitches) sound(context, out, "piano", pitch, CHORD_VELOCITY, start, seconds(over - onset));
  }
  const beat = clip.beatSteps > 0 ? clip.beatSteps : STEPS_PER_QUARTER;
  for (let step = wanted.metronome ? Math.ceil(from / beat) * beat : to; step < to; step += beat)
    click(context, out, time + seconds(step - from), step % clip.barSteps === 0);
}

/**
 * A clip as samples, without a loudspeaker: to measure, to draw.
 * @param {Clip} clip @param {number} [rate] samples a second @param {{tail?: number, metronome?: boolean}} [options]
 */
export async function rendered(clip, rate = 44100, { tail = 0, metronome = false } = {}) {
  const perSecond = (clip.bpm / 60) * STEPS_PER_QUARTER;
  const context = new OfflineAudioContext(2, Math.max(1, Math.round((clip.length / perSecond + tail) * rate)), rate);
  const wanted = { caught: false, chords: true, metronome }, out = outlet(context).input;
  schedule(context, out, clip, 0, clip.length, clip.length, 0, perSecond, wanted);
  return context.startRendering();
}

export class Player {
  /** Loop, over `loopRange`, half-open in steps, or over the whole clip; without `loop` the range says nothing. */
  loop = false;
  /** @type {[number, number] | null} */
  loopRange = null;
  metronome = false;
  chordsOn = true;
  /** Called when the clip has come to its end, or was stopped. @type {() => void} */
  onended = () => {};

  /** @type {AudioContext | null} */ #context = null;
  /** @type {ReturnType<typeof outlet> | null} */ #outlet = null;
  /** @type {GainNode | null} */ #bus = null; // of what plays now: to stop is to close it
  /** @type {Clip} */ #clip = { notes: [], length: 0, bpm: 120, barSteps: 96, beatSteps: 24 };
  /** @type {Stretch[]} */ #stretches = []; // which step sounds when
  /** @type {ReturnType<typeof setInterval> | null} */ #timer = null;
  #volume = 0.8;
  #cursor = 0; // up to this step everything is scheduled,
  #cursorTime = 0; // which sounds at this time
  #caught = true;
  #calls = 0;
  #rest = 0; // the position while nothing plays
  #samples = new Float32Array(1024);

  constructor() {
    // A page that is hidden from now on looks further ahead, before its timer slows down.
    if (typeof document !== "undefined")
      document.addEventListener("visibilitychange", () => this.#timer !== null && this.#look());
  }

  /** What to play, from the next scheduling on; while it plays, without a gap and from the same step on. @param {Clip} clip */
  setClip(clip) {
    this.#clip = clip;
  }

  /** Play from a step; if it plays, go there. @param {number} fromStep */
  async play(fromStep = 0) {
    const call = ++this.#calls;
    const context = this.#open();
    if (context.state !== "running") await context.resume();
    if (call !== this.#calls || !this.#outlet) return; // stopped, or played again, meanwhile
    this.#close();
    const [first, end] = this.#range();
    this.#bus = new GainNode(context, { gain: 1 });
    this.#bus.connect(this.#outlet.input);
    this.#cursor = this.#rest = fromStep >= 0 && fromStep < end ? fromStep : first;
    this.#cursorTime = context.currentTime + HEAD_START;
    this.#caught = true;
    this.#stretches = [];
    this.#timer = setInterval(() => this.#look(), TIMER_MS);
    this.#look();
  }

  /** Stop at once, without a click. */
  stop() {
    this.#calls++;
    if (this.#timer === null) return;
    this.#close();
    this.onended();
  }

  /** A short note at once, as when one is drawn. @param {number} pitch @param {number} ms */
  preview(pitch, ms = 250) {
    const context = this.#open();
    if (context.state !== "running") void context.resume();
    const voice = voiceName(this.#clip.program ?? 0), start = context.currentTime + 0.005;
    if (this.#outlet) sound(context, this.#outlet.input, voice, pitch, VELOCITY, start, ms / 1000);
  }

  get playing() {
    return this.#timer !== null;
  }

  /** The step that is heard now; while nothing plays, where it stopped. */
  get position() {
    const now = this.#heard(), last = this.#stretches.length - 1;
    if (this.#timer === null || last < 0) return this.#rest;
    let index = last;
    while (index > 0 && this.#stretches[index].time > now) index--;
    const { time, step, rate } = this.#stretches[index];
    const at = step + Math.max(0, now - time) * rate;
    return index === last ? Math.min(at, this.#cursor) : at;
  }

  /** The audio clock in seconds; 0 before the first sound. */
  get clock() {
    return this.#context?.currentTime ?? 0;
  }

  get volume() {
    return this.#volume;
  }

  set volume(value) {
    this.#volume = Math.min(1, Math.max(0, value));
    if (!this.#context || !this.#outlet) return;
    this.#outlet.volume.gain.setTargetAtTime(this.#volume, this.#context.currentTime, 0.015); // not at once: it would click
  }

  /** RMS of what goes out now, in [0, 1]; 0 when silent. */
  level() {
    if (!this.#outlet || this.#context?.state !== "running") return 0;
    this.#outlet.meter.getFloatTimeDomainData(this.#samples);
    const level = Math.sqrt(this.#samples.reduce((sum, x) => sum + x * x, 0) / this.#samples.length);
    return level < 1e-5 ? 0 : level;
  }

  #open() {
    if (!this.#context) {
      this.#context = new AudioContext({ latencyHint: "interactive" });
      this.#outlet = outlet(this.#context);
      this.#outlet.volume.gain.value = this.#volume;
    }
    return this.#context;
  }

  /** The time that is heard now: sound takes a while to leave the machine. */
  #heard() {
    const latency = this.#context?.outputLatency || this.#context?.baseLatency || 0;
    return this.clock - latency;
  }

  /** First step and end of what is played. @returns {[number, number]} */
  #range() {
    const [first, end] = (this.loop && this.loopRange) || [0, this.#clip.length];
    const cut = Math.min(end, this.#clip.length);
    return cut - first >= 1 ? [Math.max(0, first), cut] : [0, this.#clip.length];
  }

  /** Hand everything that begins soon to the audio clock. */
  #look() {
    const context = this.#context, bus = this.#bus;
    if (!context || !bus) return;
    const horizon = context.currentTime + (typeof document !== "undefined" && document.hidden ? AHEAD_HIDDEN : AHEAD);
    while (this.#cursorTime < horizon) {
      const [first, end] = this.#range();
      const rate = (Math.max(1, this.#clip.bpm) / 60) * STEPS_PER_QUARTER;
      if (this.#cursor >= end) {
        if (!this.loop || end - first < 1) {
          if (this.#heard() >= this.#cursorTime) this.#finish();
          return;
        }
        this.#cursor = first;
        this.#caught = true;
      }
      // Held up: go on from where it was.
      if (this.#cursorTime < context.currentTime) this.#cursorTime = context.currentTime + 0.005;
      const last = this.#stretches.at(-1);
      const reached = last ? last.time + (this.#cursor - last.step) / last.rate : NaN;
      if (this.#caught || last?.rate !== rate || Math.abs(reached - this.#cursorTime) > 1e-6)
        this.#stretches.push({ time: this.#cursorTime, step: this.#cursor, rate });
      const to = Math.min(end, this.#cursor + Math.max(1e-3, (horizon - this.#cursorTime) * rate));
      const wanted = { caught: this.#caught, chords: this.chordsOn, metronome: this.metronome };
      schedule(context, bus, this.#clip, this.#cursor, to, end, this.#cursorTime, rate, wanted);
      this.#cursorTime += (to - this.#cursor) / rate;
      this.#cursor = to;
      this.#caught = false;
    }
    const heard = this.#heard();
    while (this.#stretches.length > 1 && this.#stretches[1].time <= heard) this.#stretches.shift();
  }

  /** Come to the end: what sounds still dies away. */
  #finish() {
    this.#rest = 0;
    this.#bus = null;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.onended();
  }

  /** Silence what plays, within a fiftieth of a second. */
  #close() {
    const bus = this.#bus, context = this.#context;
    if (this.#timer === null || !bus || !context) return;
    this.#rest = this.position;
    clearInterval(this.#timer);
    this.#timer = this.#bus = null;
    bus.gain.setTargetAtTime(0, context.currentTime, 0.008);
    setTimeout(() => bus.disconnect(), 120);
  }
}
