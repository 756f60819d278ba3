// Following the MIDI clock of a DAW: its start, stop, place and tempo. A quarter has 24 ticks, as many as steps.

const STEPS_PER_QUARTER = 24;
/** Ticks over which the tempo is measured, and the fewest of which something can be told. */
const MEASURED = 24;
const LEAST = 6;
/** Steps by which playing may be off before it jumps; less is made up for, in about as many steps, a little faster or slower. */
const OFF = 24;
const MADE_UP = 48;
const MOST_FASTER = 0.08;
/** Quarters a minute that a clock may have. */
const [SLOWEST, FASTEST] = [10, 500];
/** Milliseconds without a tick after which the clock has gone. */
const GONE = 1000;

export class MidiClock {
  /**
   * @param {import("./audio.js").Player} player
   * @param {(step: number) => unknown} start begins to play from a step
   * @param {(tempo: number | null, gone?: boolean) => void} told called with the tempo as it changes; null: none is followed
   */
  constructor(player, start, told) {
    this.player = player;
    this.start = start;
    this.told = told;
    /** @type {number[]} times of the last ticks, in milliseconds */
    this.times = [];
    /** Ticks since the beginning of the song, of the last that came while it ran. */
    this.ticks = -1;
    this.running = false;
    /** The tick at which playing was last begun: sound may take a while. */
    this.beginning = -1;
    this.timer = 0;
  }

  /** A message of one port. @param {Uint8Array} data @param {number} time in milliseconds of the page's clock */
  message(data, time) {
    const [status, low = 0, high = 0] = data;
    if (status === 0xf8) this.tick(time);
    else if (status === 0xfa || status === 0xfb) {
      // The next tick is the first.
      if (status === 0xfa) this.ticks = -1;
      this.beginning = -1;
      this.running = true;
    } else if (status === 0xfc) this.stop();
    else if (status === 0xf2) this.ticks = (low + 128 * high) * (STEPS_PER_QUARTER / 4) - 1;
  }

  /** @param {number} time */
  tick(time) {
    const before = this.times.at(-1);
    if (before !== undefined && time - before > GONE) this.times = [];
    this.times.push(time);
    if (this.times.length > MEASURED + 1) this.times.shift();
    clearTimeout(this.timer);
    if (!this.running) return;
    this.timer = setTimeout(() => {
      this.stop();
      this.told(null, true);
    }, GONE);
    this.ticks++;
    const place = this.place;
    if (place === null) return;
    if (!this.player.playing && this.beginning !== this.ticks) {
      this.beginning = this.ticks;
      this.start(place);
    }
    if (this.ticks % LEAST === 0) this.follow(place, time);
  }

  /** Where in what is played the song is; null: after its end. */
  get place() {
    const [first, end] = this.player.range;
    if (this.ticks < end) return Math.max(this.ticks, 0);
    return this.player.loop ? first + ((this.ticks - first) % (end - first)) : null;
  }

  /** Play as fast as the clock goes, and where it is. @param {number} place @param {number} time */
  follow(place, time) {
    const tempo = this.tempo;
    if (tempo === null || !this.player.playing) return;
    const [first, end] = this.player.range;
    const whole = end - first;
    let late = place - this.player.stepAt(time);
    // The other way round the loop may be shorter.
    if (this.player.loop && Math.abs(late) > whole / 2) late -= Math.sign(late) * whole;
    if (Math.abs(late) > OFF) this.start(place);
    this.player.tempo = tempo * (1 + Math.max(-MOST_FASTER, Math.min(late / MADE_UP, MOST_FASTER)));
    this.told(tempo);
  }

  /** Quarters a minute of the last ticks; null where too few have come. */
  get tempo() {
    const { times } = this;
    if (times.length <= LEAST) return null;
    const spent = (times.at(-1) ?? 0) - (times[0] ?? 0);
    const tempo = ((times.length - 1) / STEPS_PER_QUARTER) * (60000 / spent);
    return tempo >= SLOWEST && tempo <= FASTEST ? tempo : null;
  }

  /** The song stops; it can go on from there. */
  stop() {
    clearTimeout(this.timer);
    this.running = false;
    if (this.player.playing) this.player.stop();
  }

  /** Follow no more. */
  end() {
    this.stop();
    this.times = [];
    this.ticks = -1;
    this.player.tempo = null;
    this.told(null);
  }
}
