// The shapes of what goes between the modules and the server; comments for the type checker alone.

/**
 * MIDI pitch; steps, 24 to a quarter; without a velocity a note is played as the metre says.
 * @typedef {{pitch: number, onset: number, duration: number, velocity?: number}} Note
 */
/** @typedef {{onset: number, end: number, symbol: string, pitches: number[]}} ChordSpan */
/**
 * @typedef {{name: string, meter: string, key: string, bpm: number, pickup: number, bars: number, notes: Note[],
 *            tempi?: [number, number][]}} Melody  tempi: step and quarters a minute, where the tempo changes
 */
/** @typedef {{notes: number, of: number, bars: number, bar: number, piece: string, piece_bar: number,
 *             typical: number | null}} Run */
/** @typedef {{url: string, name: string}} FileLink */
/**
 * @typedef {{melody: Melody, chords: ChordSpan[], model: string, made_by: string, seed: number, number: number,
 *            options: Record<string, unknown>, run: Run | null, file: FileLink, index?: number}} Take
 */
/** @typedef {{pitch: number | null, duration: number, name: string, probability: number}} Considered */
/** @typedef {{onset: number, nats: number, keep: number, considered: Considered[]}} Heard */
/**
 * @typedef {{nats_per_note: number, first_choice: number, run: Run | null, notes: Heard[],
 *            keep: [number, number, number][]}} Look
 */
/**
 * @typedef {{version: string, default_model: string, scales: string[], instruments: string[], keeps: string[],
 *            models: {name: string, pieces: number | null, notes: number | null, default_style: string | null,
 *                     unheard_of: string[]}[],
 *            grooves: Record<string, string>,
 *            styles: Record<string, {good_for: string, meter: string, bpm: number, range: string}>,
 *            feels: Record<string, {about: string, options: Record<string, unknown>, program: number | null}>,
 *            words: Record<string, string[]>}} Choices
 */
/**
 * @typedef {{seed: number, model: string, candidates: number, takes: number, meter: string, key: string, bpm: number,
 *            bars: number, pickup: number, length: number, bar_steps: number, beat_steps: number}} Start
 */
/** @typedef {{key: string | null, meter: string | null, bpm: number | null, bars: number | null, problem: string | null,
 *            parts: Record<string, string>}} Checked */
/**
 * @typedef {{melodies: Melody[], velocities: (number[] | null)[], track: string, tracks: [number, string][],
 *            tempi: number, remarks: string[], style: string | null, readings: Reading[], swing: number | null}} Opened
 */
/** @typedef {{meter: string, pickup: number}} Reading  a metre, and the quarters before bar 1 */
/** @typedef {{track?: string, reading?: Reading}} HowRead  of which track, and in which metre, whatever the file says */
/** @typedef {"chords" | "bass" | "drums"} Part */
/** @typedef {[number, number, number, number]} Struck  onset, duration, pitch, by how much louder than the melody off the beat */
/** @typedef {{part: Part, program: number, notes: Struck[]}} Lane */
/**
 * @typedef {object} Entry  What the history keeps: a melody, and where it comes from.
 * @property {Melody} melody
 * @property {ChordSpan[]} chords
 * @property {string | null} progression  the chords as they were typed
 * @property {string} label
 * @property {FileLink | null} file  null: it has been edited since
 * @property {number | null} seed
 * @property {Partial<Record<Part, Struck[]>>} [hand]  lanes that were drawn by hand
 * @property {string} [groove]  what plays around it, where that was chosen for it; empty: nothing
 * @property {string | null} [style]  in which it was written, where that is known
 */

export {};
