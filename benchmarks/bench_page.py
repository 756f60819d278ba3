"""How soon does the page that writes by itself write, and the same notes as Python on this computer?

    python benchmarks/bench_page.py [--model folk] [--seeds 200] [--show]

The page is made (`melodygru export MODEL page.html`), opened from disk in chromium, which is told that there is no
network, and asked for the seeds 0, 1, 2, … in turn with the wishes of `ASKED`. Each melody is compared with
`Model.generate`'s, note by note. Where one differs, the first event that does is shown with --show.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from tables import machine, print_table

from melodygru.network.model_files import resolve
from melodygru.studio.standalone.making import page as page_of
from melodygru.writing.model import load_model

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]

ASKED = (
    ({"bars": 16}, {"bars": 16}),
    ({"tonic": "A", "mode": "minor", "bars": 8}, {"key": "A minor", "bars": 8}),
    ({"chords": "Am F C G", "chord_mode": "strict", "bars": 16},) * 2,
    ({"meter": "6/8", "tonic": "G", "mode": "major", "bars": 12}, {"meter": "6/8", "key": "G major", "bars": 12}),
    ({"scale": "minor pentatonic", "tonic": "E", "bars": 9}, {"scale": "minor pentatonic", "key": "E", "bars": 9}),
    (
        {"meter": "3/4", "tonic": "D", "mode": "dorian", "temperature": 1.2, "bars": 16},
        {"meter": "3/4", "key": "D dorian", "temperature": 1.2, "bars": 16},
    ),
    ({"temperature": 0.5, "bars": 16},) * 2,
    ({"chords": "Dm7 G7 Cmaj7 A7", "chord_mode": "soft", "bpm": 90, "bars": 32},) * 2,
)
"""What seed i asks for, i modulo how many there are: of the page, and of Python."""


@contextmanager
def opened(path):
    """The page at that path in a browser without a network, when it has written its first melody; seconds it took."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_context(offline=True).new_page()
        began = time.perf_counter()
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]", timeout=300_000)
        yield page, time.perf_counter() - began
        browser.close()


def written(page, seed, wishes):
    """Notes of the page's melody, and seconds."""
    script = """async (asked) => {
      const { writer } = await import("standalone/page/main.js");
      const began = performance.now();
      const { melody } = await writer.write(asked, () => {});
      return [melody.notes.map(({ onset, duration, pitch }) => [onset, duration, pitch]), performance.now() - began];
    }"""
    notes, took = page.evaluate(script, {"seed": seed, **wishes})
    return [tuple(note) for note in notes], took / 1000


def expected(model, seed, options):
    """The same of Python's."""
    return [(note.onset, note.duration, note.pitch) for note in model.generate(seed=seed, **options).notes]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="folk")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--show", action="store_true")
    chosen = parser.parse_args()
    model = load_model(chosen.model)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "page.html")
        path.write_bytes(page_of(resolve(chosen.model)))
        size, times, sixteen, other = path.stat().st_size, [], [], []
        with opened(path) as (page, start):
            for seed in range(chosen.seeds):
                wishes, options = ASKED[seed % len(ASKED)]
                notes, took = written(page, seed, wishes)
                times.append(took)
                if seed % len(ASKED) == 0:
                    sixteen.append(took)
                right = expected(model, seed, options)
                if notes != right:
                    at = next((i for i, pair in enumerate(zip(notes, right, strict=False)) if pair[0] != pair[1]), -1)
                    other.append((seed, at, notes[at : at + 1], right[at : at + 1]))
    print(machine())
    print_table(
        f"The page that writes, with {chosen.model}",
        ["what", "measured"],
        [
            ["size", f"{size / 1e6:.1f} MB"],
            ["open, with its first 16 bars", f"{start:.1f} s"],
            ["16 bars: median, 95th percentile", _spread(sixteen)],
            ["all wishes: median, 95th percentile", _spread(times)],
            ["the same notes as Python's", f"{chosen.seeds - len(other)} of {chosen.seeds}"],
        ],
    )
    for seed, at, mine, theirs in other if chosen.show else ():
        print(f"seed {seed}, note {at + 1}: {mine} in the page, {theirs} in Python")


def _spread(seconds):
    ordered = sorted(seconds)
    return f"{statistics.median(ordered):.2f} s, {ordered[int(0.95 * (len(ordered) - 1))]:.2f} s"


if __name__ == "__main__":
    main()
