"""Four bars filled in between six and six: the protocol of Music SketchNet (Chen et al. 2020) on our held-out reels.

    python benchmarks/sketchnet.py --windows 100

Theirs, as their program has it (github.com/RetroCirce/Music-SketchNet, notebooks 4-2, 4-5 and 5-1): sixteen bars of
4/4, 24 ticks a bar; bars 7 to 10 are filled, the others are known. A tick is the pitch of a note that begins, a hold or
a rest. Pitch accuracy: of the ticks in which a note begins in the original, those with the same pitch in the filling.
Rhythm accuracy: of all its other ticks, those that hold or rest in the filling too. Both are means over windows. The
windows whose six bars before are most and least like the six after (by their best rotation) are told apart as "R" and
"NR": here the upper and lower third.

What differs, so that figures do not compare to the digit: their tunes are from The Session, whose terms forbid
training, and from a folder that is no longer to be had here; ours are reels and hornpipes in 4/4 of O'Neill, Ryan and
Aird that the shipped model has not learned from, with repeats written out, in windows that begin at bars 1, 17, 33 …
SketchNet gives each tick its likeliest value, where ours draws many fillings and takes the one after which what follows
is likeliest. Their loss is of another unit. A line below is a baseline that is no model: the bars eight bars away.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from melodygru import Melody, Note, load_model
from melodygru.data.corpora import corpus_melodies, file_name
from melodygru.errors import MelodyGRUError
from melodygru.music.theory import TimeSignature
from melodygru.writing.config import GenerationConfig
from melodygru.writing.drawing import FILLINGS
from melodygru.writing.infilling import infill
from melodygru.writing.model import Model
from melodygru.writing.rewriting import span_of

COMMON = TimeSignature(4, 4)
TICK = 4
"""Steps: a sixth of a quarter."""
TICKS = 24
"""A bar has."""
BARS, BEFORE, GAP = 16, 6, 4
HOLD, REST = 128, 129
GAP_TICKS = slice(BEFORE * TICKS, (BEFORE + GAP) * TICKS)


def held_out(model: str) -> Iterator[tuple[str, Melody]]:
    """Reels and hornpipes in 4/4 that a shipped model has not learned from, with their kind."""
    with (Path(__file__).parents[1] / "data" / "repertoire.tsv").open(encoding="utf-8") as file:
        rows = {(row["corpus"], row["file"]): row for row in csv.DictReader(file, delimiter="\t")}
    for corpus in ("oneill", "ryan", "aird"):
        for tune in corpus_melodies(corpus, jobs=1):
            row = rows.get((corpus, Path(file_name(tune)).stem))
            if row is None or tune.melody is None or row["split"] != "held" or row["kind"] not in ("reel", "hornpipe"):
                continue
            if model == "folk" and "folk model" not in row["why"]:
                continue
            if tune.melody.time_signature == COMMON:
                yield row["kind"], tune.melody


def windows(melody: Melody) -> Iterator[Melody]:
    """Sixteen full bars each, from bar 1 on; a note held out of them ends with them."""
    bar, offset = COMMON.bar_steps, COMMON.bar_steps if melody.pickup else 0
    for first in range(0, melody.bars - BARS + 1, BARS):
        start, end = offset + first * bar, offset + (first + BARS) * bar
        notes = tuple(
            Note(note.pitch, note.onset - start, min(note.end, end) - note.onset)
            for note in melody.notes
            if start <= note.onset < end
        )
        if notes:
            yield replace(melody, notes=notes, pickup=0, bars=BARS)


def ticks(melody: Melody) -> np.ndarray:
    """(384,) the pitch of the note that begins in each tick, HOLD or REST."""
    found = np.full(BARS * TICKS, REST)
    for note in melody.notes:
        begin = min(round(note.onset / TICK), BARS * TICKS - 1)
        found[begin + 1 : max(begin + 1, round(note.end / TICK))] = HOLD
        found[begin] = note.pitch
    return found


def accuracies(original: np.ndarray, filled: np.ndarray) -> tuple[float, float]:
    """Of pitch and of rhythm, in the gap."""
    begins = original < HOLD
    same = original == filled
    return float(same[begins].mean()), float(same[~begins].mean())


def likeness(row: np.ndarray) -> float:
    """How much the six bars before are like the six after: pitches that stand at the same place, best rotation."""
    before, after = row[: BEFORE * TICKS], row[(BEFORE + GAP) * TICKS :]
    rotated = np.stack([np.roll(before, -by) for by in range(len(before))])
    return float(((rotated == after) & (rotated < HOLD)).sum(axis=1).max() / max(1, (before < HOLD).sum()))


def without_gap(melody: Melody) -> Melody:
    """The melody without its notes in the gap: the filling cannot look at them, nor shun them."""
    start, end = span_of(melody, BEFORE + 1, BEFORE + GAP)
    kept = [replace(n, duration=min(n.duration, start - n.onset)) if n.onset < start else n for n in melody.notes]
    return replace(melody, notes=tuple(note for note in kept if not start <= note.onset < end))


def eight_away(row: np.ndarray) -> np.ndarray:
    """What a copyist would fill in: of bars 7 and 8 what is eight bars later, of 9 and 10 what is eight bars before."""
    made, half = row.copy(), BEFORE + GAP // 2
    made[BEFORE * TICKS : half * TICKS] = row[(BEFORE + 8) * TICKS : (half + 8) * TICKS]
    made[half * TICKS : (BEFORE + GAP) * TICKS] = row[(half - 8) * TICKS : (BEFORE + GAP - 8) * TICKS]
    return made


def filled(model: Model, kind: str, melody: Melody, seed: int, candidates: int) -> Melody | None:
    """The melody with the gap filled anew; None if no filling was found."""
    config = GenerationConfig(style=kind if model.context.style else None, max_copy=0, end_on="any")
    try:
        return infill(model, melody, span_of(melody, BEFORE + 1, BEFORE + GAP), config, seed, candidates).melody
    except MelodyGRUError:
        return None


def print_rows(name: str, found: Sequence[tuple[float, float]], alike: np.ndarray) -> None:
    """Lines of one way: all windows, the most repetitive third, the least repetitive one; 95 % bootstrap intervals."""
    values, random = np.array(found), np.random.default_rng(0)
    low, high = np.quantile(alike, [1 / 3, 2 / 3])
    for which, chosen in (("all", alike >= 0), ("R", alike >= high), ("NR", alike <= low)):
        rows = values[chosen]
        drawn = rows[random.integers(len(rows), size=(2000, len(rows)))].mean(axis=1)
        ends = np.quantile(drawn, [0.025, 0.975], axis=0)
        cells = [f"{rows[:, i].mean():.3f} ({ends[0, i]:.3f} to {ends[1, i]:.3f})" for i in range(2)]
        print(f"| {name} | {which} | {len(rows)} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="repertoire", choices=["repertoire", "folk"])
    parser.add_argument("--windows", type=int, default=10_000, help="at most so many, in random order")
    parser.add_argument("--candidates", type=int, default=FILLINGS, help="fillings to choose from")
    arguments = parser.parse_args()
    model = load_model(arguments.model)
    chosen = [(kind, window) for kind, melody in held_out(arguments.model) for window in windows(melody)]
    order = np.random.default_rng(0).permutation(len(chosen))[: arguments.windows]
    found, copied, alike = [], [], []
    for seed, place in enumerate(order.tolist()):
        kind, melody = chosen[place]
        original = ticks(melody)
        if not (original[GAP_TICKS] < HOLD).any():
            continue
        made = filled(model, kind, without_gap(melody), seed, arguments.candidates)
        if made is None:
            continue
        found.append(accuracies(original[GAP_TICKS], ticks(made)[GAP_TICKS]))
        copied.append(accuracies(original[GAP_TICKS], eight_away(original)[GAP_TICKS]))
        alike.append(likeness(original))
    print("| filled by | windows | how many | pitch accuracy | rhythm accuracy |")
    print("| --- | --- | --- | --- | --- |")
    for name, values in ((f"`{arguments.model}`", found), ("the bars eight bars away", copied)):
        print_rows(name, values, np.array(alike))


if __name__ == "__main__":
    main()
