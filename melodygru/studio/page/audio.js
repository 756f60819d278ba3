// Sound in the browser, with Web Audio alone: no samples, nothing to load.
//
// `Player` plays a clip in steps, 24 to a quarter. A timer looks a little ahead and hands notes to the audio clock, which
// alone decides when they sound; so a busy page shifts nothing.

import { drum } from "./drums.js";
import { paceAt, secondsBetween } from "./tempi.js";
import { click, outlet, sound, voiceName } from "./voices.js";

/** @typedef {{pitch: number, onset: number, duration: number, velocity?: number}} Note */
/** @typedef {{onset: number, end: number, pitches: number[]}} Chord */
/** @typedef {"chords" | "bass" | "drums"} Part */
/**
 * @typedef {{notes: Note[], length: number, bpm: number, tempi?: import("./tempi.js").Tempi, barSteps: number, beatSteps: number, chords?: Chord[],
 *   program?: number, lanes?: {part: Part, program: number, notes: Note[]}[]}} Clip  with lanes in place of plain chords
 */
/**
 * From `time` on, `rate` steps a second, beginning at `step`.
 * @typedef {{time: number, step: number, rate: number}} Stretch
 */

const STEPS_PER_QUARTER = 24;
const TIMER_MS = 25;
const AHEAD = 0.12; // seconds that are handed to the audio clock at a time
const AHEAD_HIDDEN = 1.6; // timers of a hidden page come once a second
const HEAD_START = 0.02;
const VELOCITY = 84;
const CHORD_VELOCITY = 64;

/** Of a MIDI port, from 0: the melody's channel, and those of the parts beside it, as in files. */
const CHANNEL = 0;
/** @type {Record<Part, number>} */
const CHANNELS = { chords: 1, bass: 2, drums: 9 };

/**
 * What takes every note too, with times in milliseconds of the page's clock; and is told when all are to end.
 * @typedef {{note: (channel: number, pitch: number, velocity: number, from: number, to: number) => void, hush: () => void}} Port
 */

/**
 * Everything that begins in steps [from, to), heard from `time` on; what would sound past `end` is cut there.
 * With `caught`, what began before `from` and still holds is struck again at `from`.
 * @param {BaseAudioContext} context @param {AudioNode} out @param {Clip} clip
 * @param {number} from @param {number} to no tempo changes before it @param {number} end @param {number} time
 * @param {number} rate steps a second
 * @param {{caught: boolean, melody: boolean, levels: Record<Part, number>, metronome: boolean, led?: boolean,
 *   port?: Port | null, clock?: (time: number) => number}} wanted `levels` in [0, 1]; `led`: another clock says the tempo; `clock` from the context's to the page's
 */
function schedule(context, out, clip, from, to, end, time, rate, wanted) {
  const seconds = (/** @type {number} */ steps) => steps / rate;
  const held = (/** @type {number} */ onset, /** @type {number} */ over) => (over <= to || wanted.led ? seconds(over - onset) : secondsBetween(clip, onset, over));
  const due = (/** @type {number} */ onset, /** @type {number} */ over) =>
    (onset >= from && onset < to) || (wanted.caught && onset < from && over > from);
  const { port, clock = () => 0 } = wanted;
  const send = (/** @type {number} */ channel, /** @type {number} */ pitch, /** @type {number} */ velocity, /** @type {number} */ start, /** @type {number} */ length) =>
    port?.note(channel, pitch, velocity, clock(start), clock(start + length));
  const voice = voiceName(clip.program ?? 0);
  for (const note of wanted.melody ? clip.notes : []) {
    const over = Math.min(note.onset + note.duration, end), onset = Math.max(note.onset, from);
    if (!due(note.onset, over)) continue;
    const start = time + seconds(onset - from);
    sound(context, out, voice, note.pitch, note.velocity ?? VELOCITY, start, held(onset, over));
    send(CHANNEL, note.pitch, note.velocity ?? VELOCITY, start, held(onset, over));
  }
  const lanes = clip.lanes ?? [];
  for (const { part, program, notes } of lanes) {
    const level = wanted.levels[part] ** 0.6;
    if (!level) continue;
    for (const note of notes) {
      const over = Math.min(note.onset + note.duration, end), onset = Math.max(note.onset, from);
      const struck = part === "drums" ? note.onset >= from && note.onset < to : due(note.onset, over);
      if (!struck) continue;
      const start = time + seconds(onset - from), velocity = (note.velocity ?? VELOCITY) * level;
      if (part === "drums") drum(context, out, note.pitch, velocity, start);
      else sound(context, out, voiceName(program), note.pitch, velocity, start, held(onset, over));
      send(CHANNELS[part], note.pitch, velocity, start, held(onset, over));
    }
  }
  const plain = lanes.some(({ part }) => part === "chords") ? 0 : wanted.levels.chords;
  for (const chord of plain > 0 ? clip.chords ?? [] : []) {
    const over = Math.min(chord.end, end), onset = Math.max(chord.onset, from);
    if (!due(chord.onset, over)) continue;
    const start = time + seconds(onset - from);
    for (const pitch of chord.pitches) {
      sound(context, out, "piano", pitch, CHORD_VELOCITY * plain ** 0.6, start, held(onset, over));
      send(CHANNELS.chords, pitch, CHORD_VELOCITY * plain ** 0.6, start, held(onset, over));
    }
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
  const lasts = secondsBetween(clip, 0, clip.length);
  const context = new OfflineAudioContext(2, Math.max(1, Math.round((lasts + tail) * rate)), rate);
  const wanted = { caught: false, melody: true, levels: { chords: 0.8, bass: 0.8, drums: 0.8 }, metronome }, out = outlet(context).input;
  for (let from = 0, time = 0; from < clip.length; ) {
    const pace = paceAt(clip, from), to = Math.min(clip.length, pace.until);
    schedule(context, out, clip, from, to, clip.length, time, pace.rate, wanted);
    [from, time] = [to, time + (to - from) / pace.rate];
  }
  return context.startRendering();
}

export class Player {
  /** Loop, over `loopRange`, half-open in steps, or over the whole clip; without `loop` the range says nothing. */
  loop = false;
  /** @type {[number, number] | null} */
  loopRange = null;
  metronome = false;
  /** Whether a bar of clicks comes before the first sound. */
  countIn = false;
  melodyOn = true;
  /** Which parts beside the melody sound, and how loud, [0, 1]. @type {Record<Part, boolean>} */
  on = { chords: true, bass: true, drums: true };
  /** @type {Record<Part, number>} */
  levels = { chords: 0.8, bass: 0.8, drums: 0.8 };
  /** Quarters a minute of somebody else's clock; null: the clip's. @type {number | null} */
  tempo = null;
  /** Whether somebody else says when to begin: without a bar of clicks. */
  led = false;
  /** Where every note goes too. @type {Port | null} */
  port = null;
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
    const going = this.#timer !== null;
    this.#close();
    const [first, end] = this.range;
    this.#bus = new GainNode(context, { gain: 1 });
    this.#bus.connect(this.#outlet.input);
    this.#cursor = this.#rest = fromStep >= 0 && fromStep < end ? fromStep : first;
    this.#cursorTime = context.currentTime + HEAD_START;
    this.#caught = true;
    this.#stretches = [];
    if (this.countIn && !going && !this.led) this.#count(context, this.#bus);
    this.#timer = setInterval(() => this.#look(), TIMER_MS);
    this.#look();
  }

  /** A bar of clicks; what plays begins after it. @param {AudioContext} context @param {GainNode} bus */
  #count(context, bus) {
    const { barSteps } = this.#clip, beat = this.#clip.beatSteps || STEPS_PER_QUARTER, { rate } = this.#pace;
    for (let step = 0; step < barSteps; step += beat) click(context, bus, this.#cursorTime + step / rate, step === 0);
    this.#cursorTime += barSteps / rate;
    this.#stretches.push({ time: this.#cursorTime, step: this.#cursor, rate });
  }

  /** Stop at once, without a click. */
  stop() {
    this.#calls++;
    if (this.#timer === null) return;
    this.#close();
    this.onended();
  }

  /** A short note at once, as when one is drawn. @param {number} pitch @param {Part} [part] whose it is, if not the melody's */
  preview(pitch, part, ms = 250) {
    const context = this.#open();
    if (context.state !== "running") void context.resume();
    const voice = voiceName(this.#clip.program ?? 0), start = context.currentTime + 0.005;
    const lane = this.#clip.lanes?.find((one) => one.part === part);
    if (this.#outlet && part === "drums") drum(context, this.#outlet.input, pitch, VELOCITY, start);
    else if (this.#outlet && lane) sound(context, this.#outlet.input, voiceName(lane.program), pitch, VELOCITY, start, ms / 1000);
    else if (this.#outlet) sound(context, this.#outlet.input, voice, pitch, VELOCITY, start, ms / 1000);
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

  /**
   * The step that is heard at a time of the page's clock, in milliseconds, a little ago or soon; while a bar of clicks
   * counts in, one before the first.
   * @param {number} ms
   */
  stepAt(ms) {
    const time = this.#heard() + (ms - performance.now()) / 1000;
    let index = this.#stretches.length - 1;
    if (this.#timer === null || index < 0) return this.#rest;
    while (index > 0 && this.#stretches[index].time > time) index--;
    const { time: since, step, rate } = this.#stretches[index];
    return step + (time - since) * rate;
  }

  /** Milliseconds that notes are handed on before they sound. */
  get ahead() {
    return (document.hidden ? AHEAD_HIDDEN : AHEAD) * 1000;
  }

  /** Be allowed to sound later, while somebody presses something. */
  async wake() {
    const context = this.#open();
    if (context.state !== "running") await context.resume();
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

  /** How loud the parts beside the melody are. @returns {Record<Part, number>} */
  get #mixed() {
    const level = (/** @type {Part} */ part) => (this.on[part] ? this.levels[part] : 0);
    return { chords: level("chords"), bass: level("bass"), drums: level("drums") };
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

  /** Steps a second from what is scheduled on, and up to which step. */
  get #pace() {
    return paceAt(this.tempo === null ? this.#clip : { bpm: this.tempo }, this.#cursor);
  }

  /** First step and end of what is played. @returns {[number, number]} */
  get range() {
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
      const [first, end] = this.range;
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
      const { rate, until } = this.#pace;
      const last = this.#stretches.at(-1);
      const reached = last ? last.time + (this.#cursor - last.step) / last.rate : NaN;
      if (this.#caught || last?.rate !== rate || Math.abs(reached - this.#cursorTime) > 1e-6)
        this.#stretches.push({ time: this.#cursorTime, step: this.#cursor, rate });
      const to = Math.min(end, until, this.#cursor + Math.max(1e-3, (horizon - this.#cursorTime) * rate));
      const wanted = {
        caught: this.#caught, melody: this.melodyOn, levels: this.#mixed, metronome: this.metronome, port: this.port, led: this.tempo !== null,
        clock: (/** @type {number} */ time) => performance.now() + (time - this.#heard()) * 1000,
      };
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
    this.port?.hush();
    bus.gain.setTargetAtTime(0, context.currentTime, 0.008);
    setTimeout(() => bus.disconnect(), 120);
  }
}
