"""How well beats are tracked in what is played without a click.

    PYTHONPATH=scripts python benchmarks/beats.py FOLDER [--most 100] [--rubato 0.1 0.25]

FOLDER holds pieces.jsonl, as `scripts/build_repertoire.py` makes it. Of its pieces that are held out, equally many of
each corpus as far as there are so many, each is performed with a tempo that wanders and 15 ms of jitter, read, and its
beats compared with the true ones: F-measure, a beat is right within 70 ms (Davies, Degara & Plumbley 2009, as mir_eval
counts, from the first note on). Where partitura is installed, its beats (Dixon 2001) stand beside ours. Whether beats
are quarters or halves is custom: "level" has the best F-measure of ours, every second of them, and twice as many.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from repertoire import unsigned
from repertoire.pieces import Piece, load
from train_metre_and_key import FEWEST_NOTES, evenly

from melodygru.errors import MidiError
from melodygru.formats.midi.extraction import BEATS_TRACKED, Extraction, extract
from melodygru.formats.midi.parser import RawFile
from melodygru.formats.reading import WHOLE
from melodygru.music.melody import Melody
from melodygru.music.metre_finding import Reading
from melodygru.network.judge import by_shipped_model

WITHIN = 0.07
TICKS_A_SECOND = 2 * unsigned.TICKS_PER_QUARTER


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--most", type=int, default=100, help="pieces")
    parser.add_argument("--rubato", type=float, nargs="+", default=[0.1, 0.25])
    given = parser.parse_args()
    held = [p for p in load(given.folder / "pieces.jsonl") if p.split == "held" and len(p.melody.notes) >= FEWEST_NOTES]
    pieces = evenly(held, given.most)
    for rubato in given.rubato:
        table(pieces, rubato)


def table(pieces: Sequence[Piece], rubato: float) -> None:
    """Print F-measures, and how often steps from note to note and metres are right."""
    rows: list[tuple[str, list[float]]] = []
    for number, piece in enumerate(pieces):
        raw, beats = unsigned.played_freely(piece.melody, rubato, number)
        begin = time.perf_counter()
        try:
            found = extract(raw, "", WHOLE, by_shipped_model)
        except MidiError:
            continue
        cost = time.perf_counter() - begin
        ours = beats_of(found)
        levels = [ours, ours[::2], ours[1::2], sorted([*ours, *((np.array(ours[1:]) + ours[:-1]) / 2).tolist()])]
        melody = found.melodies[0]
        reading = Reading(melody.time_signature, unsigned.pickup_of(melody))
        rows.append((piece.style, [
            any(remark.startswith(BEATS_TRACKED) for remark in found.remarks),
            f_measure(beats, ours),
            max(f_measure(beats, one) for one in levels),
            f_measure(beats, of_partitura(raw)),
            same_steps(piece.melody, melody),
            unsigned.right_class(piece.melody, reading),
            unsigned.right_lines(piece.melody, reading),
            cost,
        ]))  # fmt: skip
    print(f"rubato {rubato:.0%}, {len(rows)} pieces\n  style      pieces  free     F  level  partitura  steps  class  "
          "bar lines  s a file")  # fmt: skip
    for style in ("all", *dict.fromkeys(piece.style for piece in pieces)):
        own = np.array([row for kind, row in rows if style in ("all", kind)])
        free, f, level, theirs, steps, class_, lines, cost = own.mean(0)
        print(f"  {style:9s} {len(own):7d} {free:.3f} {f:.3f}  {level:.3f}      {theirs:.3f}  {steps:.3f}  "
              f"{class_:.3f}      {lines:.3f}     {cost:.2f}")  # fmt: skip


def beats_of(found: Extraction) -> list[float]:
    """Seconds of all beats, from the first note to the end of the last."""
    melody, start = found.melodies[0], found.starts[0]
    beat, first = melody.time_signature.beat_steps, melody.notes[0].onset
    return [
        found.grid.tick(start + step) / TICKS_A_SECOND for step in range(-(-first // beat) * beat, melody.notes[-1].end,
                                                                         beat)
    ]  # fmt: skip


def f_measure(true: Sequence[float], found: Sequence[float]) -> float:
    """Of beats in order, in seconds: as many are matched as can be, each once."""
    one = two = matched = 0
    while one < len(true) and two < len(found):
        if abs(true[one] - found[two]) <= WITHIN:
            matched, one, two = matched + 1, one + 1, two + 1
        elif found[two] < true[one]:
            two += 1
        else:
            one += 1
    return 2 * matched / max(1, len(true) + len(found))


def of_partitura(raw: RawFile) -> list[float]:
    """The beats that partitura finds; none where it is not installed."""
    if importlib.util.find_spec("partitura") is None:
        return []
    from partitura.musicanalysis.meter import estimate_time

    notes = raw.tracks[0].notes
    played = np.array(
        [(n.onset / TICKS_A_SECOND, (n.end - n.onset) / TICKS_A_SECOND, n.pitch, 80) for n in notes],
        dtype=[("onset_sec", "f4"), ("duration_sec", "f4"), ("pitch", "i4"), ("velocity", "i4")],
    )
    return sorted(float(time) for time, *_ in estimate_time(played)["beats"])


def same_steps(melody: Melody, found: Melody) -> float:
    """Share of notes after which as many steps follow as are written."""
    one, two = ([note.onset for note in each.notes] for each in (melody, found))
    return float((np.diff(one) == np.diff(two)).mean()) if len(one) == len(two) else 0.0


if __name__ == "__main__":
    main()
