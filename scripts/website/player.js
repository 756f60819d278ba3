// Players of the site's pages: one press plays a clip. The voices are the studio's; scripts/build_site.py puts its files
// and this one into one script, so that pages play from a disk too.

/** @typedef {[number, number, number, number]} Quad onset, duration, pitch, velocity */

/** @param {Quad[]} notes */
const notesOf = (notes) => notes.map(([onset, duration, pitch, velocity]) => ({ onset, duration, pitch, velocity }));

/** @param {string} text what scripts/website/clips.py wrote */
function clipOf(text) {
  const { notes, program, length, bpm, bar, lanes } = JSON.parse(text);
  return {
    notes: notesOf(notes), program, length, bpm, barSteps: bar, beatSteps: STEPS_PER_QUARTER,
    lanes: lanes.map(([part, program, notes]) => ({ part, program, notes: notesOf(notes) })),
  };
}

const player = new Player();
/** @type {HTMLElement | null} */
let playing = null;

/** @param {HTMLElement} figure @param {boolean} on */
function show(figure, on) {
  const button = figure.querySelector("figcaption button");
  button.textContent = on ? "Stop" : "Play";
  figure.classList.toggle("playing", on);
  if (!on) figure.querySelector(".head").removeAttribute("transform");
}

function follow() {
  if (!playing) return;
  playing.querySelector(".head").setAttribute("transform", `translate(${player.position} 0)`);
  requestAnimationFrame(follow);
}

player.onended = () => {
  if (playing) show(playing, false);
  playing = null;
};

/** @param {HTMLElement} figure */
function press(figure) {
  const same = figure === playing;
  player.stop();
  if (same) return;
  playing = figure;
  show(figure, true);
  player.setClip(clipOf(figure.dataset.clip));
  void player.play(0);
  follow();
}

for (const figure of document.querySelectorAll("figure.clip")) {
  const button = figure.querySelector("figcaption button");
  button.hidden = false;
  button.addEventListener("click", () => press(figure));
}
window.melodygru = { player }; // for whoever checks that it sounds

// What the theme leaves out for those who use no mouse: a name for its search, and tables that keys can scroll.
document.querySelector(".md-search")?.setAttribute("aria-label", "Search");
const scrollable = () => {
  for (const table of document.querySelectorAll(".md-typeset__scrollwrap")) table.setAttribute("tabindex", "0");
};
new MutationObserver(scrollable).observe(document.body, { childList: true, subtree: true });
scrollable();
