"""Which sampling settings write tunes most like the human ones: how the defaults of `generate` were chosen.

    python benchmarks/sampling_defaults.py MODEL MIDI_DIR --tunes 200

takes human tunes from MIDI_DIR, writes one melody for each, of the same metre, key and number of bars, with every
setting, and compares the two sets, feature by feature. The distance is the mean over all features of the difference
between the two means, in standard deviations of the human tunes. "human" compares one half of the tunes with the
other: no setting can be told from human below that.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from melodygru import Melody, Model, load_model
from melodygru.collection import read_collection
from melodygru.config import SamplingConfig
from melodygru.generator import default_constraints, hold_last
from melodygru.sampler import sample
from melodygru.tokenizer import PieceMeta, Tokenizer

SETTINGS = [
    *(SamplingConfig(temperature, 0, 1.0) for temperature in (0.7, 0.8, 0.85, 0.9, 0.95, 1.0)),
    *(SamplingConfig(temperature, 0, 0.98) for temperature in (0.8, 0.9, 1.0)),
    *(SamplingConfig(temperature, 0, 0.95) for temperature in (0.8, 0.9, 1.0)),
    *(SamplingConfig(temperature, 0, 0.9) for temperature in (0.9, 1.0)),
    SamplingConfig(1.0, 8, 1.0),
]
SHORTEST = 16
"""Bars: shorter tunes say little of repeats."""


def features(melody: Melody) -> dict[str, float]:
    """Numbers that tell a tune from a random walk; each is a mean or a share within one melody."""
    notes, bar = melody.notes, melody.time_signature.bar_steps
    leaps = np.array([abs(two.pitch - one.pitch) for one, two in pairwise(notes)] or [0])
    sounding = {(note.onset, note.pitch, note.duration) for note in notes}
    scale = set(melody.key.scale)

    def again(bars: int) -> float:
        late = [note for note in notes if note.onset >= bars * bar]
        known = sum((note.onset - bars * bar, note.pitch, note.duration) in sounding for note in late)
        return known / max(1, len(late))

    return {
        "notes/bar": len(notes) / melody.bars,
        "on beat": float(np.mean([note.onset % melody.time_signature.beat_steps == 0 for note in notes])),
        "values": float(len({note.duration for note in notes})),
        "silent": 1 - sum(note.duration for note in notes) / melody.length,
        "leap": float(leaps.mean()),
        "leaps>7": float((leaps > 7).mean()),
        "same": float((leaps == 0).mean()),
        "range": float(max(note.pitch for note in notes) - min(note.pitch for note in notes)),
        "in key": float(np.mean([note.pitch % 12 in scale for note in notes])),
        "again 1": again(1),
        "again 4": again(4),
        "again 8": again(8),
        "ends home": float(notes[-1].pitch % 12 == melody.key.tonic),
        "last note": notes[-1].duration / melody.time_signature.beat_steps,
    }


def write_like(model: Model, human: Sequence[Melody], config: SamplingConfig, seed: int) -> list[Melody]:
    """One melody for each human one, of the same metre, key and bars."""
    tokenizer, written = Tokenizer(), []
    by_metre = defaultdict(list)
    for melody in human:
        by_metre[melody.time_signature].append(PieceMeta(melody.time_signature, melody.key, melody.bars))
    for metre, metas in by_metre.items():
        drawn = sample(model.engine, metas, config, default_constraints(metre), seed)
        written += [hold_last(tokenizer.decode(events), events) for events in drawn]
    return written


def table(melodies: Sequence[Melody]) -> tuple[list[str], np.ndarray]:
    """Names of the features, and their values, (melodies, features)."""
    rows = [features(melody) for melody in melodies]
    return list(rows[0]), np.array([list(row.values()) for row in rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("midi", type=Path)
    parser.add_argument("--tunes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    model = load_model(arguments.model)
    pieces = [melody for melody in read_collection(arguments.midi).pieces if SHORTEST <= melody.bars <= 64]
    order = np.random.default_rng(arguments.seed).permutation(len(pieces))
    human = [pieces[i] for i in order[: arguments.tunes]]
    names, truth = table(human)
    mean, spread = truth.mean(axis=0), truth.std(axis=0) + 1e-9
    print(f"{'temperature, top-k, top-p':<26}{'distance':>9}" + "".join(f"{name:>10}" for name in names))
    half = np.abs(truth[::2].mean(axis=0) - truth[1::2].mean(axis=0)) / spread
    print(f"{'human':<26}{half.mean():>9.3f}" + "".join(f"{value:>10.2f}" for value in mean))
    for config in SETTINGS:
        found = table(write_like(model, human, config, arguments.seed))[1].mean(axis=0)
        distance = (np.abs(found - mean) / spread).mean()
        label = f"{config.temperature:g}, {config.top_k}, {config.top_p:g}"
        print(f"{label:<26}{distance:>9.3f}" + "".join(f"{value:>10.2f}" for value in found), flush=True)


if __name__ == "__main__":
    main()
