// What sounds around the melody: chords found for it, and lanes of chords, bass and drums that a groove plays.

/** @import {Entry, Lane, Part} from "./types.js" */
import * as api from "./api.js";
import { button, html, input, select } from "./elements.js";
import { doing } from "./messages.js";

/** @type {Part[]} */
export const PARTS = ["chords", "bass", "drums"];
const AFTER_CHANGES = 120;
/** Ways to harmonize that are asked for at once, and taken one after the other. */
const WAYS = 4;

export class Lanes {
  /**
   * @param {import("./session.js").Session} session
   * @param {import("./roll.js").Roll} roll
   * @param {import("./audio.js").Player} player
   * @param {Record<string, string>} grooves what each is good for
   */
  constructor(session, roll, player, grooves) {
    this.session = session;
    this.roll = roll;
    this.player = player;
    /** @type {{key: string, lanes: Lane[]}} what a groove plays around a melody */
    this.made = { key: "", lanes: [] };
    /** @type {{melody: string, texts: string[], at: number}} ways to harmonize a melody, and the one that was taken */
    this.ways = { melody: "", texts: [], at: 0 };
    this.turn = 0;
    /** The groove that plays, before another is chosen. */
    this.played = "";
    /** @type {(() => void)[]} called when other lanes sound */
    this.watchers = [];
    select("groove").append(...Object.entries(grooves).map(([name, about]) => html("option", { value: name, title: about }, [name])));
    select("groove").addEventListener("change", () => this.choose());
    select("lane").addEventListener("change", () => this.edit());
    button("harmonize").addEventListener("click", () => this.harmonize());
    roll.laned = (notes) => this.draw(notes);
    session.watchers.push(() => this.follow());
    for (const part of /** @type {("bass" | "drums")[]} */ (["bass", "drums"])) {
      button(`${part}On`).addEventListener("click", () => {
        player.on[part] = !player.on[part];
        button(`${part}On`).setAttribute("aria-pressed", String(player.on[part]));
        for (const watcher of this.watchers) watcher();
      });
      const turned = () => (player.levels[part] = Number(input(`${part}-volume`).value));
      input(`${part}-volume`).addEventListener("input", turned);
      turned();
    }
    this.enable();
  }

  /** What plays beside a melody: as the groove has it, but for what was drawn by hand. @param {Entry} entry @returns {Lane[]} */
  of(entry) {
    if (!this.groove) return [];
    return this.made.lanes.map((lane) => ({ ...lane, notes: entry.hand?.[lane.part] ?? lane.notes }));
  }

  /** The lanes that are not mute, as loud as they are mixed, for a file; null without a groove. @param {Entry} entry */
  heard(entry) {
    if (!this.groove) return null;
    return this.of(entry)
      .filter(({ part }) => this.player.on[part])
      .map((lane) => {
        // As much as the slider takes away or adds, in velocity.
        const by = Math.round((this.player.levels[lane.part] - 0.8) * 60);
        return { ...lane, notes: lane.notes.map(([onset, duration, pitch, louder]) => [onset, duration, pitch, louder + by]) };
      });
  }

  get groove() {
    return select("groove").value;
  }

  /** What is on the roll, as far as lanes depend on it. */
  get key() {
    const { melody, progression } = this.session.now;
    return JSON.stringify([melody, progression, this.groove]);
  }

  async choose() {
    const { now } = this.session;
    // What was chosen before is known, so that it can be undone.
    this.session.now = { ...now, groove: now.groove ?? this.played };
    this.session.put({ ...now, groove: this.groove });
    this.enable();
    // Without chords there is nothing to play but drums.
    if (this.groove && !this.session.now.progression && this.session.now.melody.notes.length) await this.harmonize();
    await this.follow();
  }

  /** Have the groove play around what is on the roll now. */
  async follow() {
    const turn = ++this.turn;
    const { groove } = this.session.now;
    if (groove !== undefined && groove !== this.groove) {
      select("groove").value = groove;
      this.enable();
    }
    this.played = this.groove;
    if (this.groove && this.key !== this.made.key) {
      await new Promise((resolve) => setTimeout(resolve, AFTER_CHANGES));
      if (turn !== this.turn) return;
      const { melody, progression } = this.session.now;
      const { key } = this;
      try {
        const { lanes } = await api.around({ melody, chords: progression, groove: this.groove });
        if (turn !== this.turn) return;
        this.made = { key, lanes };
      } catch {
        // Chords that cannot be read are told beside their field.
        return;
      }
    }
    this.show();
  }

  show() {
    const part = select("lane").value;
    const lane = this.of(this.session.now).find((one) => one.part === part);
    this.roll.showLane(lane ?? null);
    for (const watcher of this.watchers) watcher();
  }

  enable() {
    for (const part of ["bass", "drums"]) {
      button(`${part}On`).disabled = input(`${part}-volume`).disabled = !this.groove;
    }
    select("lane").disabled = !this.groove;
    if (!this.groove) select("lane").value = "";
  }

  edit() {
    this.roll.choose([]);
    this.show();
    this.roll.revealLane();
  }

  /** A lane was drawn by hand. @param {import("./types.js").Struck[]} notes */
  draw(notes) {
    const { now } = this.session;
    const part = this.roll.lane?.part;
    if (part) this.session.put({ ...now, hand: { ...now.hand, [part]: notes }, file: null });
  }

  /** Chords that fit the melody; pressed again, another way. */
  harmonize() {
    return doing(button("harmonize"), "Finding chords", async ({ signal }) => {
      const { melody, style } = this.session.now;
      const asked = JSON.stringify(melody);
      if (this.ways.melody !== asked) {
        const { ways } = await api.harmonize({ melody, style, ways: WAYS }, signal);
        this.ways = { melody: asked, texts: ways.map((way) => way.text), at: -1 };
      }
      this.ways.at = (this.ways.at + 1) % this.ways.texts.length;
      await this.session.rechord(this.ways.texts[this.ways.at] ?? null);
    });
  }
}
