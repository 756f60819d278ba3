"use strict";
// What a listener does: hears each melody, answers, and saves the answers as a file. Nothing is sent anywhere.
const told = JSON.parse(document.getElementById("data").textContent);
const by = (id) => document.getElementById(id);
const form = by("answers");
const fields = [...Object.keys(told.scales), "heard", "by"];
const place = `melodygru listening test ${told.test}`;
let kept = { listener: null, years: null, answers: [], draft: {} };

// Sound. Every melody has the same voice and the same loudness: the same root mean square, whatever its notes.
const RATE = 32000;
const LOUDNESS = 0.09;
const TAIL = 0.6; // seconds that the last note may ring on
const HARMONICS = [1, 0.45, 0.22, 0.1, 0.05]; // of a struck string, the higher the sooner gone
const DECAY = 0.9; // seconds to 1/e of the first, at middle C
let context = null;
let source = null;
let played = 0; // times to the end

/** The sound of a melody: RATE samples a second in [-1, 1]. */
function samplesOf(item) {
  const samples = new Float32Array(Math.ceil((item.seconds + TAIL) * RATE));
  for (const [pitch, start, end, velocity] of item.notes) {
    const hertz = 440 * 2 ** ((pitch - 69) / 12);
    const first = Math.round(start * RATE);
    const held = Math.round((end - start) * RATE);
    const size = Math.min(held + Math.round(0.12 * RATE), samples.length - first);
    const decay = DECAY * Math.sqrt(261.6 / hertz);
    HARMONICS.forEach((amplitude, number) => {
      const harmonic = number + 1;
      if (hertz * harmonic > RATE * 0.45) return;
      const turn = (2 * Math.PI * hertz * harmonic) / RATE;
      const fall = Math.exp(-harmonic / decay / RATE);
      const release = Math.exp(-1 / (0.025 * RATE));
      let level = amplitude * (velocity / 127);
      for (let at = 0; at < size; at++) {
        samples[first + at] += Math.sin(turn * at) * level * Math.min(1, at / (0.004 * RATE));
        level *= at < held ? fall : release;
      }
    });
  }
  const sum = samples.reduce((total, sample) => total + sample * sample, 0);
  const loudness = Math.sqrt(sum / (item.seconds * RATE)) || 1;
  return samples.map((sample) => Math.max(-1, Math.min(1, (sample * LOUDNESS) / loudness)));
}

function stop() {
  const was = source;
  source = null;
  was?.stop();
  by("play").textContent = played ? "Play again" : "Play";
}

async function play() {
  context ??= new AudioContext();
  await context.resume();
  const item = told.items[current()];
  const samples = samplesOf(item);
  const buffer = context.createBuffer(1, samples.length, RATE);
  buffer.copyToChannel(samples, 0);
  const begun = context.createBufferSource();
  begun.buffer = buffer;
  begun.connect(context.destination);
  const began = context.currentTime;
  begun.start();
  source = begun;
  by("play").textContent = "Stop";
  const tick = () => {
    if (source !== begun) return;
    const passed = context.currentTime - began;
    by("heard-so-far").value = Math.min(1, passed / item.seconds);
    if (passed < item.seconds) return void requestAnimationFrame(tick);
    played += 1;
    by("wrong").textContent = "";
  };
  begun.onended = () => {
    if (source === begun) {
      if (by("heard-so-far").value < 1) played += 1; // the page was hidden, and nothing was drawn
      by("heard-so-far").value = 1;
      source = null;
      by("play").textContent = "Play again";
    }
  };
  requestAnimationFrame(tick);
}

// Answers.
const order = () => told.orders[(kept.listener - 1) % told.orders.length];
const current = () => order()[kept.answers.length];
const said = () => Object.fromEntries(new FormData(form));

function keep() {
  try {
    localStorage.setItem(place, JSON.stringify(kept));
  } catch {
    // A browser that keeps nothing: the answers last as long as the page.
  }
}

function show(section) {
  for (const one of ["start", "rate", "end"]) by(one).hidden = one !== section;
}

function next(first = false) {
  stop();
  played = 0;
  by("heard-so-far").value = 0;
  by("play").textContent = "Play";
  form.reset();
  if (kept.answers.length === order().length) {
    show("end");
    by("end-title").focus();
    return;
  }
  show("rate");
  by("rate-title").textContent = `Melody ${kept.answers.length + 1} of ${order().length}`;
  for (const [name, value] of Object.entries(kept.draft)) {
    const input = form.querySelector(`[name="${name}"][value="${value}"]`);
    if (input) input.checked = true;
  }
  scrollTo(0, 0);
  if (!first) by("rate-title").focus();
}

by("who").addEventListener("submit", (event) => {
  event.preventDefault();
  const listener = by("listener").valueAsNumber;
  const years = by("years").valueAsNumber;
  if (!Number.isInteger(listener) || listener < 1 || listener > 99999) {
    by("who-wrong").textContent = "Give your number: a whole number from 1 to 99999.";
    by("listener").focus();
    return;
  }
  kept = { listener, years: Number.isNaN(years) ? null : years, answers: [], draft: {} };
  keep();
  next();
});

by("play").addEventListener("click", () => (source ? stop() : play()));

form.addEventListener("change", () => {
  kept.draft = said();
  by("wrong").textContent = "";
  keep();
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const values = said();
  const missing = fields.find((name) => !(name in values));
  if (!played || missing) {
    by("wrong").textContent = !played ? "Play the melody to its end first." : "One answer is still missing.";
    (!played ? by("play") : form.querySelector(`[name="${missing}"]`)).focus();
    return;
  }
  const ratings = Object.fromEntries(Object.keys(told.scales).map((name) => [name, Number(values[name])]));
  stop();
  kept.answers.push({ item: current(), ratings, heard: values.heard, by: values.by, plays: played });
  kept.draft = {};
  keep();
  next();
});

by("save").addEventListener("click", () => {
  const { listener, years, answers } = kept;
  const file = { format: told.format, test: told.test, listener, years, saved: new Date().toISOString(), answers };
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(file, null, 1)], { type: "application/json" }));
  link.download = `answers-${String(listener).padStart(3, "0")}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  by("saved").textContent = `${link.download} is where your browser puts what it downloads.`;
});

by("forget").addEventListener("click", () => {
  if (!confirm("Have you saved the answers? They are forgotten here.")) return;
  localStorage.removeItem(place);
  location.reload();
});

try {
  const found = JSON.parse(localStorage.getItem(place) ?? "null");
  if (found?.listener) {
    kept = found;
    next(true);
  }
} catch {
  // What is kept cannot be read: begin anew.
}
document.documentElement.dataset.ready = "";
