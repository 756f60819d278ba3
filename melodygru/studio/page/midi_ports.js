// MIDI ports of this computer, by Web MIDI: the browser is asked for them only when somebody wants them.

import { button, element, html, select } from "./elements.js";
import { doing, say } from "./messages.js";
import { MidiClock } from "./midi_clock.js";
import { Recording } from "./midi_recording.js";
import { paceInWords } from "./tempi.js";

const LACKING = "This browser has no Web MIDI, so it reaches no ports; open the page in Chrome, Edge, Opera or Firefox.";
const DENIED = "The browser does not let the page use MIDI; allow it in the settings beside the address, and press MIDI ports again.";
/** Milliseconds that notes are sent ahead of their time, at most: what was sent is let go then. */
const AHEAD = 1700;

export class Ports {
  /**
   * @param {import("./session.js").Session} session
   * @param {import("./roll.js").Roll} roll
   * @param {import("./audio.js").Player} player
   * @param {import("./playing.js").Playing} playing
   */
  constructor(session, roll, player, playing) {
    this.player = player;
    /** @type {MIDIAccess | null} */
    this.access = null;
    /** @type {MIDIInput | null} */
    this.input = null;
    /** @type {MIDIOutput | null} */
    this.output = null;
    /** @type {Map<number, number>} until when notes sound that were sent, by 128 times their channel and their pitch */
    this.sent = new Map();
    this.following = false;
    this.recording = new Recording(session, roll, player, playing);
    this.clock = new MidiClock(player, (step) => playing.start(step), (tempo, gone) => this.tellTempo(session, tempo, gone));
    button("ports").addEventListener("click", () => this.toggle());
    select("midi-in").addEventListener("change", () => this.chooseInput());
    select("midi-out").addEventListener("change", () => this.chooseOutput());
    button("following").addEventListener("click", () => this.follow(!this.following));
    addEventListener("pagehide", () => this.hush());
  }

  /** Show the ports, and ask for them the first time. */
  toggle() {
    if (this.access) {
      this.shown(element("midi-bar").hidden);
      return;
    }
    void doing(button("ports"), "Asking for the MIDI ports", async () => {
      if (!("requestMIDIAccess" in navigator)) throw new Error(LACKING);
      try {
        this.access = await navigator.requestMIDIAccess();
      } catch {
        throw new Error(DENIED);
      }
      this.access.onstatechange = () => this.list();
      this.list();
      this.shown(true);
      if (!this.access.inputs.size && !this.access.outputs.size) say("There are no MIDI ports yet; plug a keyboard in, or start a DAW's.");
    });
  }

  /** @param {boolean} shown */
  shown(shown) {
    element("midi-bar").hidden = !shown;
    button("ports").setAttribute("aria-expanded", String(shown));
  }

  /** Offer the ports that there are; those that were chosen stay, or are missed. */
  list() {
    const { access } = this;
    if (!access) return;
    const first = !select("midi-in").options.length;
    for (const [id, ports] of /** @type {[string, MIDIInputMap | MIDIOutputMap][]} */ ([["midi-in", access.inputs], ["midi-out", access.outputs]])) {
      const chosen = select(id).value;
      const there = [...ports.values()].filter((port) => port.state !== "disconnected");
      const gone = chosen && !there.some((port) => port.id === chosen);
      const options = there.map((port) => html("option", { value: port.id }, [port.name ?? port.id]));
      select(id).replaceChildren(html("option", { value: "" }, ["none"]), ...options);
      select(id).value = gone ? "" : chosen || (first && id === "midi-in" ? (there[0]?.id ?? "") : "");
      if (gone && id === "midi-in" && this.recording.on) this.player.stop();
      if (gone) say("A MIDI port is gone; what was recorded is on the roll. Choose another port.");
    }
    this.chooseInput();
    this.chooseOutput();
  }

  chooseInput() {
    const chosen = this.access?.inputs.get(select("midi-in").value) ?? null;
    for (const id of ["record", "stepping", "following"]) button(id).disabled = !chosen;
    if (chosen === this.input) return;
    if (this.input) this.input.onmidimessage = null;
    this.follow(false);
    if (this.recording.on) this.player.stop();
    this.recording.show({});
    this.input = chosen;
    if (chosen) chosen.onmidimessage = (event) => this.hear(event);
  }

  chooseOutput() {
    const chosen = this.access?.outputs.get(select("midi-out").value) ?? null;
    if (chosen === this.output) return;
    this.hush();
    this.output = chosen;
    this.player.port = chosen && this;
  }

  /** @param {MIDIMessageEvent} event */
  hear({ data, timeStamp }) {
    const [status = 0, pitch = 0, velocity = 0] = data ?? [];
    const time = timeStamp || performance.now();
    const what = status & 0xf0;
    if (what === 0x90 && velocity) {
      this.player.preview(pitch);
      this.recording.press(pitch, velocity, time);
    } else if (what === 0x80 || what === 0x90) this.recording.release(pitch, time);
    else if (this.following && data) this.clock.message(data, time);
  }

  /** Have start, stop and tempo come from the port's clock, or from the page again. @param {boolean} on */
  follow(on) {
    if (!on && !this.following) return;
    this.following = on;
    button("following").setAttribute("aria-pressed", String(on));
    if (!on) this.clock.end();
    else if (this.player.playing) this.player.stop();
    // Sound may begin only after somebody has pressed something: now, not at the clock's start.
    if (on) void this.player.wake();
    this.player.led = on;
  }

  /** @param {import("./session.js").Session} session @param {number | null} tempo @param {boolean} [gone] */
  tellTempo(session, tempo, gone) {
    element("pace").textContent = tempo ? `♩ = ${Math.round(tempo * 10) / 10}, the clock’s` : paceInWords(session.now.melody);
    if (gone) say("No MIDI clock comes any more, so playing has stopped; start it in the DAW again.");
  }

  /** A note for the port. @param {number} channel from 0 @param {number} pitch @param {number} velocity @param {number} from milliseconds of the page's clock @param {number} to */
  note(channel, pitch, velocity, from, to) {
    const loud = Math.max(1, Math.min(127, Math.round(velocity)));
    this.output?.send([0x90 | channel, pitch, loud], from);
    // A note that is struck again at once has ended before.
    this.output?.send([0x80 | channel, pitch, 0], Math.max(from + 1, to - 1));
    const key = 128 * channel + pitch;
    this.sent.set(key, Math.max(to, this.sent.get(key) ?? 0));
  }

  /** Let go all that sounds at the port, now, and what was sent ahead when its time has come: no note hangs. */
  hush() {
    const { output } = this;
    const now = performance.now();
    const keys = [...this.sent].filter(([, until]) => until > now).map(([key]) => key);
    this.sent.clear();
    if (!output || !keys.length) return;
    // Not every browser can take back what was sent ahead.
    if ("clear" in output && typeof output.clear === "function") output.clear();
    const later = this.player.ahead;
    for (const key of keys) {
      for (const time of [now, now + Math.min(later, AHEAD)]) output.send([0x80 | Math.floor(key / 128), key % 128, 0], time);
    }
  }
}
