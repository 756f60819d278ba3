// A lane of the accompaniment on the piano roll: a click writes a note, a click on one takes it away.

/** @import {Struck} from "./types.js" */
/** @import {Roll} from "./roll.js" */
import { svg } from "./elements.js";
import { lengthOf } from "./music.js";
import { ROW } from "./roll_view.js";

/** The notes of the lane that is edited. @param {Roll} roll */
export function drawLane(roll) {
  const boxes = (roll.lane?.notes ?? []).map(([onset, duration, pitch]) =>
    svg("rect", {
      class: "lane-note", x: onset * roll.scale + 0.5, y: roll.y(pitch) + 1,
      width: Math.max(duration * roll.scale - 1.5, 3), height: ROW - 2, rx: 2,
    }),
  );
  roll.laneNotes.replaceChildren(...boxes);
  roll.host.classList.toggle("laned", roll.lane !== null);
}

/** Write a note in the lane, or take away the one that is there. @param {Roll} roll @param {number} step @param {number} pitch */
export function toggleInLane(roll, step, pitch) {
  const { lane } = roll;
  if (!lane || roll.locked) return;
  const kept = lane.notes.filter(([onset, duration, at]) => at !== pitch || step < onset || step >= onset + duration);
  roll.hooks.heard(pitch, lane.part);
  if (kept.length === lane.notes.length) {
    const onset = Math.floor(step / roll.snap) * roll.snap;
    const duration = Math.min(lane.part === "drums" ? 3 : roll.lastDuration, lengthOf(roll.melody) - onset);
    /** @type {Struck} */
    const note = [onset, Math.max(1, duration), pitch, 0];
    kept.push(note);
  }
  kept.sort(([one], [other]) => one - other);
  roll.laned(kept);
}
