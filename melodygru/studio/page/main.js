// Everything put together.

import * as api from "./api.js";
import { Player } from "./audio.js";
import { Auto } from "./auto.js";
import { Changing } from "./changing.js";
import { Checking } from "./checking.js";
import { button, element, get, html, input, select } from "./elements.js";
import { Files } from "./files.js";
import { Form } from "./form.js";
import { draft, History, keepDraft } from "./history.js";
import { Lanes } from "./lanes.js";
import { Listening } from "./listening.js";
import { say, tell } from "./messages.js";
import { lengthOf } from "./music.js";
import { Ports } from "./midi_ports.js";
import { Playing } from "./playing.js";
import { Roll } from "./roll.js";
import { copy, duplicate, paste } from "./roll_clipboard.js";
import { Sections } from "./sections.js";
import { plain, Session } from "./session.js";
import { listenToKeys } from "./shortcuts.js";
import { Takes } from "./takes.js";
import { paceInWords } from "./tempi.js";
import { dress } from "./theme.js";
import { Writing } from "./writing.js";

dress();
const choices = await api.choices().catch((error) => {
  tell(error);
  throw error;
});
select("keep").append(...choices.keeps.map((keep) => html("option", { value: keep }, [keep])));

const form = new Form(choices);
const player = new Player();
const roll = new Roll(element("roll"), {
  edited: (melody, joined) => session.change(melody, joined),
  heard: (pitch, part) => player.preview(pitch, part),
  chose: showBars,
  pointed: (note, box) => listening.point(note, box),
  said: (text) => (element("said").textContent = text),
  sought(step) {
    playing.seek(step);
  },
  lined: showLine,
  refused() {
    if (playing.audition) say("This take is only tried; press Keep to work on it, or Esc to go back.");
  },
});
const session = new Session(roll, (entry) => history.add(entry));
const history = new History(element("history"), (entry) => session.show(entry));
const takes = new Takes(element("takes"), {
  hear(entry, number) {
    playing.hear(entry);
    element("title").textContent = `take ${number + 1}, tried: Keep to work on it, Esc to go back`;
    element("originality").textContent = "This take is only tried; once kept, it is listened to.";
    element("surprise").textContent = "";
  },
  keep(entry) {
    session.show(entry);
    history.add(entry);
  },
});
const lanes = new Lanes(session, roll, player, choices.grooves);
const playing = new Playing(player, session, roll, takes, form, lanes, () => {
  listening.colour();
  showFacts();
});
const listening = new Listening(session, roll, form);
new Files(session, form, history, lanes);
const writing = new Writing(session, roll, form, takes, history, playing);
new Changing(session, roll, form, history);
new Checking(form, session, new Sections(form));
new Auto(session, form, history, playing);
new Ports(session, roll, player, playing);
session.watchers.push(showFacts, () => form.follow(session.now));
listenToKeys(session, takes, playing);

function showFacts() {
  const { melody, label, seed } = session.now;
  button("undo").disabled = !session.steps.before.length;
  button("redo").disabled = !session.steps.after.length;
  for (const id of ["first-bar", "last-bar"]) {
    input(id).max = String(melody.bars);
    input(id).min = melody.pickup ? "0" : "1";
  }
  input("last-bar").placeholder = String(melody.bars);
  const bars = `${melody.bars} ${melody.bars === 1 ? "bar" : "bars"}`;
  const notes = `${melody.notes.length} ${melody.notes.length === 1 ? "note" : "notes"}`;
  const facts = `${bars} of ${melody.meter} in ${melody.key}, ${notes}`;
  element("pace").textContent = paceInWords(melody);
  button("hold").setAttribute("aria-pressed", String(form.seed !== null));
  element("held").hidden = form.seed === null;
  element("title").textContent = `${label}: ${facts}${seed === null ? "" : `, seed ${seed}`}`;
  // What is done on the roll itself is said there.
  if (document.activeElement !== roll.host) element("said").textContent = element("title").textContent;
  clearTimeout(keeping);
  keeping = setTimeout(() => keepDraft(session.now), 400);
}

let keeping = 0;
addEventListener("pagehide", () => keepDraft(session.now));

/** @param {[number, number] | null} bars */
function showBars(bars) {
  input("first-bar").value = bars ? String(bars[0]) : "";
  input("last-bar").value = bars ? String(bars[1]) : "";
  playing.range();
}

for (const id of ["first-bar", "last-bar"]) {
  input(id).addEventListener("change", () => {
    const { melody } = session.now;
    const least = melody.pickup ? 0 : 1;
    const typed = ["first-bar", "last-bar"].filter((one) => input(one).value !== "");
    const bars = typed.map((one) => Math.max(least, Math.min(Math.round(Number(input(one).value)), melody.bars)));
    roll.select(bars.length ? [Math.min(...bars), Math.max(...bars)] : null);
    // The field that is not typed in yet stays as it is.
    for (const one of ["first-bar", "last-bar"]) {
      const at = typed.indexOf(one);
      input(one).value = at < 0 ? "" : String(bars[at]);
    }
  });
}
// One tempo: what is typed holds for what is on the roll, and for what is written next.
form.field("bpm").addEventListener("change", () => {
  const field = form.field("bpm");
  const bpm = Number(field.value);
  const { melody } = session.now;
  if (field.value && field.validity.valid && (bpm !== melody.bpm || melody.tempi?.length)) session.change({ ...melody, bpm, tempi: [] }, false);
});
form.field("chords").addEventListener("change", () => {
  // Chords that cannot be read are told beside the field.
  void session.rechord(form.field("chords").value).catch(() => {});
});
form.field("contour").addEventListener("input", () => showLine(null));
button("hold").addEventListener("click", () => {
  const field = form.field("seed");
  field.value = form.seed === null ? String(session.now.seed ?? Math.floor(Math.random() * 1e9)) : "";
  field.dispatchEvent(new Event("input", { bubbles: true }));
});
form.field("seed").addEventListener("input", () => showFacts());

/** A line that was drawn; null: another is typed. @param {number[] | null} heights pitches at equal distances */
function showLine(heights) {
  if (heights) {
    const lowest = Math.min(...heights);
    form.field("contour").value = heights.map((height) => height - lowest).join(" ");
    form.field("contour").dispatchEvent(new Event("input", { bubbles: true }));
  }
  const whole = lengthOf(roll.melody);
  roll.line = (heights ?? []).map((height, at) => [(at / ((heights?.length ?? 2) - 1)) * whole, height]);
  roll.lining = false;
  button("lining").setAttribute("aria-pressed", "false");
  roll.drawTop();
}
button("locking").addEventListener("click", () => {
  roll.locking = !roll.locking;
  button("locking").setAttribute("aria-pressed", String(roll.locking));
});
button("lining").addEventListener("click", () => {
  roll.lining = !roll.lining;
  button("lining").setAttribute("aria-pressed", String(roll.lining));
});
button("loudness").addEventListener("click", () => {
  roll.loudness = !roll.loudness;
  button("loudness").setAttribute("aria-pressed", String(roll.loudness));
  roll.host.classList.toggle("velocity", roll.loudness);
  roll.drawStrip();
});
for (const [id, act] of /** @type {[string, (roll: Roll) => unknown][]} */ ([["copy", copy], ["paste", paste], ["duplicate", duplicate]])) {
  button(id).addEventListener("click", () => act(roll));
}
button("new").addEventListener("click", () => {
  const { meter, key, bpm } = session.now.melody;
  const bars = form.number("bars") ?? 16;
  session.show(plain({ name: "", meter: form.value("meter") || meter, key, bpm, pickup: 0, bars, notes: [] }, "new"));
  roll.host.focus({ preventScroll: true });
});
select("snap").addEventListener("change", () => (roll.snap = Number(select("snap").value)));
for (const [id, step] of /** @type {[string, () => void][]} */ ([
  ["undo", () => session.undo()],
  ["redo", () => session.redo()],
])) {
  button(id).addEventListener("click", () => {
    step();
    // A button that is of no use any more does not keep the keyboard.
    if (button(id).disabled) roll.host.focus({ preventScroll: true });
  });
}
button("delete").addEventListener("click", () => {
  roll.removeChosen();
  roll.host.focus({ preventScroll: true });
});
button("zoom-in").addEventListener("click", () => roll.zoomBy(1.3));
button("zoom-out").addEventListener("click", () => roll.zoomBy(1 / 1.3));
button("help").addEventListener("click", () => get("keys", HTMLDialogElement).showModal());
button("clear-history").addEventListener("click", () => {
  // What cannot be undone takes a second click.
  const sure = button("clear-history");
  if (sure.textContent === "Clear") {
    sure.textContent = "Clear all?";
    setTimeout(() => (sure.textContent = "Clear"), 3000);
  } else history.clear();
});

const before = draft() ?? history.newest;
if (before) session.show(before);
else await writing.generate();
document.documentElement.dataset.ready = "true";

export { lanes, player, roll, session };
