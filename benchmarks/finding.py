"""How well metre, bar lines and key are found in files that do not say them.

    PYTHONPATH=scripts python benchmarks/finding.py FOLDER [--most 400] [--meter 5/4 7/8] [--jitter 0 0.03]

FOLDER holds pieces.jsonl, as `scripts/build_repertoire.py` makes it; its pieces that are held out are taken. Or it
holds books of tunes in ABC, best such that nothing was learned from or chosen by: the 8,340 songs of the Essen
collection that come with music21 are (corpus/essenFolksong in that package). Of the pieces, equally many of each corpus
or book as far as there are so many, each is performed from tick 0 without signatures (with jitter: normal, that
standard deviation in seconds, at the piece's own tempo), read, and compared with what it says. Keys are also found by
profiles of pitch classes: Krumhansl & Kessler (1982), Temperley (2007), Albrecht & Shanahan (2013).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from repertoire import unsigned
from repertoire.listener import third_of
from repertoire.pieces import Piece, load
from train_metre_and_key import FEWEST_NOTES, evenly

from melodygru.errors import MidiError
from melodygru.formats.midi.extraction import extract
from melodygru.formats.reading import WHOLE, read_melodies
from melodygru.music.estimation import Judge, estimate_key
from melodygru.music.key_finding import KRUMHANSL_KESSLER
from melodygru.music.key_hearing import hear_key
from melodygru.music.melody import Melody
from melodygru.music.metre_finding import Reading
from melodygru.music.theory import Key, TimeSignature
from melodygru.network.arrays import FloatArray
from melodygru.network.judge import by_shipped_model

TEMPERLEY = {
    "major": (0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400),
    "minor": (0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330),
}
ALBRECHT_SHANAHAN = {
    "major": (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081),
    "minor": (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--most", type=int, default=400, help="pieces")
    parser.add_argument("--meter", nargs="+", type=TimeSignature.parse, help="those that are taken; all else")
    parser.add_argument("--jitter", type=float, nargs="+", default=[0.0, 0.03], help="seconds")
    given = parser.parse_args()
    held = [
        piece
        for piece in pieces_of(given.folder)
        if len(piece.melody.notes) >= FEWEST_NOTES and (not given.meter or piece.melody.time_signature in given.meter)
    ]
    pieces = evenly(held, given.most)
    print(f"{len(pieces)} of {len(held)} pieces held out\n")
    for jitter in given.jitter:
        metres(pieces, jitter, None, f"rule, jitter {1000 * jitter:g} ms")
        metres(pieces, jitter, by_shipped_model, f"rule and network, jitter {1000 * jitter:g} ms")
    print("\nkeys, in the metre stated: tonic, third, mode of four, all")
    for name, profiles, near in (
        ("Krumhansl-Kessler", KRUMHANSL_KESSLER, correlation),
        ("Temperley", TEMPERLEY, correlation),
        ("Albrecht-Shanahan", ALBRECHT_SHANAHAN, distance),
    ):
        keys(pieces, name, lambda melody, profiles=profiles, near=near: by_profile(melody, profiles, near))
    keys(pieces, "rule", lambda melody: hear_key(melody.notes, melody.time_signature))
    keys(pieces, "rule and network", lambda melody: estimate_key(melody, by_shipped_model)[0])


def pieces_of(folder: Path) -> list[Piece]:
    """The pieces of a folder that nothing was learned from."""
    if (file := folder / "pieces.jsonl").exists():
        return [piece for piece in load(file) if piece.split == "held"]
    return [
        Piece(path.stem, path.stem, number, "book", "", melody)
        for path in sorted(folder.glob("*.abc"))
        for number, melody in enumerate(read_melodies(path), 1)
    ]


def metres(pieces: Sequence[Piece], jitter: float, judge: Judge | None, name: str) -> None:
    """Print how often class, bar lines and all of the metre are right; how sure that is; what it costs."""
    rows, seconds, short = [], 0.0, []
    for number, piece in enumerate(pieces):
        raw = unsigned.performed(piece.melody, jitter, number)
        begin = time.perf_counter()
        try:
            found = extract(raw, "", WHOLE, judge)
        except MidiError:
            rows.append((piece, 0.0, False, False, False))
            continue
        cost = time.perf_counter() - begin
        seconds += cost
        if piece.melody.bars == 16:
            short.append(cost)
        melody = found.melodies[0]
        reading = Reading(melody.time_signature, unsigned.pickup_of(melody))
        judged = [
            asked(piece.melody, reading) for asked in (unsigned.right_class, unsigned.right_lines, unsigned.exact)
        ]
        told = next(remark for remark in found.remarks if remark.startswith("metre estimated"))
        rows.append((piece, float("unsure" not in told), *judged))
    print(f"{name}: {seconds / len(pieces):.3f} s a file, of 16 bars {np.median(short) if short else 0:.3f} s")
    print("  style      pieces  class  bar lines  exact  sure  lines of sure")
    kinds = [(piece.style, str(piece.melody.time_signature)) for piece in pieces]
    for style in ("all", *dict.fromkeys(style for style, _ in kinds), *sorted({metre for _, metre in kinds})):
        own = np.array([row[1:] for row, kind in zip(rows, kinds, strict=True) if style in ("all", *kind)], float)
        class_, lines, exact = own[:, 1:].mean(0)
        sure = own[:, 0] > 0
        of_sure = own[sure, 2].mean() if sure.any() else float("nan")
        print(f"  {style:9s} {len(own):7d}  {class_:.3f}  {lines:9.3f}  {exact:.3f}  {sure.mean():.3f}  {of_sure:.3f}")


def keys(pieces: Sequence[Piece], name: str, find: Callable[[Melody], Key]) -> None:
    """Print how often tonic and mode are right."""
    found = [(find(piece.melody), piece.melody.key, piece.style) for piece in pieces]
    for style in ("all", *dict.fromkeys(piece.style for piece in pieces)):
        own = np.array([
            (one.tonic == two.tonic, third_of(one) == third_of(two), one.mode == two.mode, one == two)
            for one, two, kind in found
            if style in ("all", kind)
        ])  # fmt: skip
        print(f"  {name:18s} {style:9s} {len(own):5d}  " + "  ".join(f"{share:.3f}" for share in own.mean(0)))


def by_profile(
    melody: Melody, profiles: dict[str, tuple[float, ...]], near: Callable[[FloatArray, FloatArray], float]
) -> Key:
    """The key whose profile is nearest."""
    weights = np.array(melody.pitch_class_weights())
    every = [Key(tonic, mode) for mode in profiles for tonic in range(12)]
    return max(every, key=lambda key: near(np.roll(weights, -key.tonic), np.array(profiles[key.mode])))


def correlation(weights: FloatArray, profile: FloatArray) -> float:
    """Pearson's, 0 where nothing can be told."""
    return float(np.corrcoef(weights, profile)[0, 1]) if weights.std() else 0.0


def distance(weights: FloatArray, profile: FloatArray) -> float:
    """Euclidean, of shares; less where it is larger."""
    return -float(np.linalg.norm(weights / weights.sum() - profile / profile.sum()))


if __name__ == "__main__":
    main()
