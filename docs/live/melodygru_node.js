// Max for Live, object [node.script melodygru_node.js]: asks `melodygru serve`, and gives back notes.
//
// Messages in:   infill 3 4 4 4 120 60 0 1 62 1 1 ...   first bar, last bar, metre (4 4), tempo, then of each note
//                vary 0.3 4 4 120 60 0 1 ...            pitch, onset and length in quarters
// Messages out:  notes 60 0 1 62 1 1 ...                the whole clip, in the same way
//                problem "..."                          what is wrong, in a sentence
// melodygru_clip.js, in a [js] object beside it, reads and writes the clip that is open in Live.

const fs = require("fs");
const os = require("os");
const path = require("path");
const Max = require("max-api");

const STEPS = 24; // to a quarter

function settingsFile() {
  if (process.env.MELODYGRU_CONFIG) return path.join(process.env.MELODYGRU_CONFIG, "serve.json");
  const home = os.homedir();
  const base =
    process.platform === "win32"
      ? process.env.APPDATA || path.join(home, "AppData", "Roaming")
      : path.join(home, "Library", "Application Support");
  return path.join(base, "melodygru", "serve.json");
}

function grouped(flat) {
  const notes = [];
  for (let at = 0; at + 2 < flat.length; at += 3) {
    const [pitch, onset, length] = flat.slice(at, at + 3).map(Number);
    notes.push({
      pitch,
      onset: Math.round(onset * STEPS),
      duration: Math.max(1, Math.round(length * STEPS)),
    });
  }
  // A melody has one note at a time: of several the highest, each until the next at most.
  notes.sort((one, two) => one.onset - two.onset || two.pitch - one.pitch);
  const line = notes.filter((note, at) => at === 0 || note.onset !== notes[at - 1].onset);
  line.forEach((note, at) => {
    if (at + 1 < line.length) note.duration = Math.min(note.duration, line[at + 1].onset - note.onset);
  });
  return line;
}

async function ask(command, request) {
  let url;
  try {
    url = JSON.parse(fs.readFileSync(settingsFile(), "utf8")).url;
  } catch {
    throw new Error("No server was found; start one with: melodygru serve");
  }
  const answer = await fetch(`${url}api/${command}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(request),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.detail);
  return told.melody.notes;
}

async function answered(command, request) {
  try {
    const notes = await ask(command, request);
    const flat = notes.flatMap((note) => [note.pitch, note.onset / STEPS, note.duration / STEPS]);
    await Max.outlet("notes", ...flat);
  } catch (error) {
    await Max.outlet("problem", error.message);
  }
}

Max.addHandler("infill", (first, last, beats, unit, bpm, ...flat) =>
  answered("infill", {
    melody: { meter: `${beats}/${unit}`, bpm, notes: grouped(flat) },
    bars: `${first}-${last}`,
  }),
);

Max.addHandler("vary", (amount, beats, unit, bpm, ...flat) =>
  answered("vary", { melody: { meter: `${beats}/${unit}`, bpm, notes: grouped(flat) }, amount }),
);
