"""How near the chords of `melodygru harmonize` come to people's, beside a hidden Markov model's.

    PYTHONPATH=scripts python benchmarks/harmonize.py pieces.jsonl            # what is watched: choices are made by it
    PYTHONPATH=scripts python benchmarks/harmonize.py pieces.jsonl --held     # what is held out: read once, for reports

`pieces.jsonl`: as `scripts/build_repertoire.py` makes it. Held out are, besides the pieces of that split, the standards
that are for measuring only. Intervals: 95 %, by bootstrap over works.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
from harmony_hmm import HiddenMarkovModel, Tuning
from repertoire.harmonized import watched
from repertoire.pieces import NO_CHORD, Piece, load
from tables import print_table

from melodygru.arranging.beats import LEARNED_STYLES
from melodygru.arranging.chord_paths import best_path, expected_right
from melodygru.arranging.harmony import _close, _free, _spans, _vocabulary, STYLES, harmonize
from melodygru.arranging.repeats import beats_alike
from melodygru.music.chords import QUALITIES, Chord, ChordSpan, strong_beats

Way = Callable[[Piece], Sequence[ChordSpan]]
TRIADS = {"7": "maj", "maj7": "maj", "6": "maj", "m7": "m", "m6": "m", "dim7": "dim", "m7b5": "dim", "sus4": "maj"}
NAMES = {"m6": "m", "sus4": "maj"}
MEASURES = ("root", "chord", "triad", "tones", "strong", "closed", "dominant", "changes")
TUNED = {
    "heard": (0.25, 0.35, 0.5, 0.7, 1, 1.5),
    "struck": (1, 1.5, 2, 3),
    "strong": (1, 1.5),
    "styles": (0.5, 2, 10, 40),
    "tones": (20, 60, 200),
    "moves": (5, 20, 80, 300),
}


def measured(piece: Piece, spans: Sequence[ChordSpan]) -> dict[str, tuple[float, float]]:
    """Of each measure what counts and of how much, in steps, notes or pieces."""
    melody, length = piece.melody, piece.melody.length
    said: list[Chord | None] = [None] * length
    for span in spans:
        said[span.onset : span.end] = [span.chord] * (span.end - span.onset)
    right = np.zeros(3)
    time = 0
    for theirs in piece.chords:
        if theirs.root == NO_CHORD:
            continue
        time += theirs.end - theirs.onset
        quality = NAMES.get(theirs.quality, theirs.quality)
        for chord in said[theirs.onset : theirs.end]:
            if chord is not None and chord.root == theirs.root:
                mine = quality_of(chord)
                right += (1, mine == quality, TRIADS.get(mine, mine) == TRIADS.get(quality, quality))
    found = {name: (float(value), float(time)) for name, value in zip(MEASURES, right, strict=False)}
    over = [(note, at) for note in melody.notes for at in range(note.onset, note.end) if said[at] is not None]
    found["tones"] = (sum(note.pitch % 12 in said[at].tones for note, at in over), len(over))
    strong = {
        at
        for start in range(0, length, melody.time_signature.bar_steps)
        for at in (start + beat for beat in strong_beats(melody.time_signature))
    }
    hit = [(note, at) for note, at in over if at in strong]
    found["strong"] = (sum(note.pitch % 12 in said[at].tones for note, at in hit), len(hit))
    sounding = [span.chord for span in spans if span.chord is not None]
    ends = melody.notes[-1].pitch % 12 == melody.key.tonic
    closed = ends and bool(sounding) and sounding[-1].root == melody.key.tonic
    before = next((c for c in reversed(sounding) if c.root != melody.key.tonic), None)
    degree = None if before is None else (before.root - melody.key.tonic) % 12
    found["closed"] = (float(closed), float(ends))
    found["dominant"] = (float(closed and degree in (7, 11)), float(closed))
    changes = sum(one != other for one, other in zip(sounding, sounding[1:]))
    found["changes"] = (float(changes), float(melody.bars))
    return found


def quality_of(chord: Chord) -> str:
    """The first spelling of a chord's quality."""
    intervals = tuple((tone - chord.root) % 12 for tone in chord.tones)
    return next(name or "maj" for name, tones in QUALITIES.items() if tones == intervals).replace("min", "m")


def peoples(piece: Piece) -> list[ChordSpan]:
    """Their own chords."""
    return [
        ChordSpan(one.onset, one.end, None if one.root == NO_CHORD else
                  Chord(one.quality, one.root, tuple((one.root + t) % 12 for t in QUALITIES[one.quality]), one.root))
        for one in piece.chords
    ]  # fmt: skip


def by_network(piece: Piece) -> Sequence[ChordSpan]:
    """What ships."""
    return harmonize(piece.melody, style=piece.style)[0].chords


def by_hmm(model: HiddenMarkovModel, piece: Piece) -> Sequence[ChordSpan]:
    """The baseline, which keeps to the same vocabulary, and ends on the tonic where the melody does."""
    style, melody = STYLES[piece.style], piece.melody
    wishes = _vocabulary(style) + _close(melody, melody.key, style)
    free = _free(melody, style.chords_per_bar)
    right = expected_right(model.scores(melody, piece.style), wishes, free, beats_alike(melody))
    path = best_path(right, free)
    return _spans(path, melody, melody.key, style)


def share(found: Sequence[dict[str, tuple[float, float]]], measure: str) -> float:
    """What counts, of all of it."""
    return sum(one[measure][0] for one in found) / max(sum(one[measure][1] for one in found), 1e-9)


def resampled(works: dict[str, list], measure: str, other: dict[str, list] | None = None) -> tuple[float, float]:
    """The 95 % interval of a share, or of its difference from another's, over draws of works."""
    rng, names, drawn = np.random.default_rng(1), sorted(works), []

    def sums(of):
        return np.array([[sum(one[measure][side] for one in of[name]) for side in range(2)] for name in names])

    mine = sums(works)
    theirs = None if other is None else sums(other)
    for _ in range(2000):
        chosen = rng.integers(0, len(names), len(names))
        value = mine[chosen, 0].sum() / max(mine[chosen, 1].sum(), 1e-9)
        drawn.append(value - (0 if theirs is None else theirs[chosen, 0].sum() / max(theirs[chosen, 1].sum(), 1e-9)))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def tune(heard: Sequence[Piece], watch: Sequence[Piece]) -> Tuning:
    """The best settings of the baseline, one after the other, twice round; by root and chord, each style alike."""

    def quality(tuning: Tuning) -> float:
        model = HiddenMarkovModel(heard, tuning)
        values = []
        for style in LEARNED_STYLES:
            own = [p for p in watch if p.style == style]
            found = [measured(p, by_hmm(model, p)) for p in own]
            values.append(share(found, "root") + share(found, "chord"))
        return float(np.mean(values))

    best, reached = Tuning(), 0.0
    for _, name in product(range(2), TUNED):
        for value in TUNED[name]:
            found = quality(trial := replace(best, **{name: value}))
            if found > reached:
                best, reached = trial, found
    return best


def tables(pieces: Sequence[Piece], ways: dict[str, Way]) -> None:
    for style in LEARNED_STYLES:
        own = [piece for piece in pieces if piece.style == style]
        found = {}
        for name, way in ways.items():
            of_works = defaultdict(list)
            for piece in own:
                of_works[piece.work].append(measured(piece, way(piece)))
            found[name] = of_works
        rows = [[name, *(cell(of_works, measure) for measure in MEASURES)] for name, of_works in found.items()]
        first, second = list(ways)[:2]
        gains = [f"{low:+.3f} to {high:+.3f}" for measure in MEASURES
                 for low, high in [resampled(found[first], measure, found[second])]]  # fmt: skip
        rows.append([f"{first} less {second}", *gains])
        print_table(f"{style}: {len(own)} pieces, {len({p.work for p in own})} works", ["", *MEASURES], rows)


def cell(works: dict[str, list], measure: str) -> str:
    low, high = resampled(works, measure)
    return f"{share([one for found in works.values() for one in found], measure):.3f} ({low:.3f} to {high:.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pieces", type=Path)
    parser.add_argument("--held", action="store_true", help="measure what is held out")
    parser.add_argument("--tune", action="store_true", help="tune the hidden Markov model anew, on what is watched")
    given = parser.parse_args()
    known = [piece for piece in load(given.pieces) if piece.chords]
    train = [piece for piece in known if piece.split == "train"]
    heard, watch = [p for p in train if not watched(p)], [p for p in train if watched(p)]
    tuning = tune(heard, watch) if given.tune else Tuning()
    print(", ".join(f"{one.name} {getattr(tuning, one.name):g}" for one in fields(tuning)))
    model = HiddenMarkovModel(train if given.held else heard, tuning)
    test = [piece for piece in known if piece.split in ("held", "measured")] if given.held else watch
    tables(test, {"network": by_network, "hidden Markov model": partial(by_hmm, model), "people": peoples})


if __name__ == "__main__":
    main()
