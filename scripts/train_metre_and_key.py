"""Learn what speaks for a metre and a key from tunes that name theirs.

    python scripts/train_metre_and_key.py pieces.jsonl

`pieces.jsonl`: as `scripts/build_repertoire.py` makes it. Pieces that are held out are neither learned from nor looked
at. Writes `melodygru/music/metre_weights.py` and `melodygru/music/key_weights.py`: conditional logits (McFadden 1974),
with a penalty on squares. Metres are learned from equally many pieces of each corpus, as far as there are so many. How
good they are: `benchmarks/finding.py`.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import numpy as np
from repertoire import unsigned
from repertoire.manifest import TRAIN
from repertoire.pieces import Piece, load
from scipy.optimize import minimize

from melodygru.music import key_hearing, metre_finding
from melodygru.music.melody import Melody
from melodygru.network.arrays import Array, Float32Array, FloatArray

MUSIC = Path(__file__).parents[1] / "melodygru" / "music"
FEWEST_NOTES = 16
METRE_PENALTY, KEY_PENALTY = 2.0, 0.3
MODES = key_hearing.HEARD_MODES


def main() -> None:
    parser = argparse.ArgumentParser(description="Learn what speaks for a metre and a key.")
    parser.add_argument("pieces", type=Path)
    parser.add_argument("--most", type=int, default=4000, help="pieces that metres are learned from")
    given = parser.parse_args()
    known = [p for p in load(given.pieces) if p.split == TRAIN and len(p.melody.notes) >= FEWEST_NOTES]
    learn_keys([piece.melody for piece in known if piece.melody.key.mode in MODES])
    learn_metres([piece.melody for piece in evenly(known, given.most)])


def evenly(pieces: Sequence[Piece], most: int) -> list[Piece]:
    """So many of the pieces, as far as can be equally many of each corpus."""
    mixed = random.Random(1).sample(list(pieces), len(pieces))
    of_each = [[piece for piece in mixed if piece.corpus == corpus] for corpus in sorted({p.corpus for p in mixed})]
    return [piece for row in zip_longest(*of_each) for piece in row if piece is not None][:most]


def learn_metres(melodies: Sequence[Melody]) -> None:
    """Write `metre_weights`."""
    all_readings, rows, right = metre_finding.readings(), [], []
    for melody in melodies:
        exact = np.array([unsigned.exact(melody, reading) for reading in all_readings])
        lines = exact if exact.any() else np.array([unsigned.right_lines(melody, one) for one in all_readings])
        if lines.any():
            rows.append(metre_finding.features(melody.notes))
            right.append(lines)
    of_metre = np.array([[reading.metre == metre for metre in metre_finding.METRES] for reading in all_readings])
    seen = np.stack([np.concatenate([row, of_metre], axis=1).astype(np.float32) for row in rows])
    weights = logit(seen, np.array(right), METRE_PENALTY)
    names = [*metre_finding.names(), *map(str, metre_finding.METRES)]
    lines_of = [f'    "{name}": {value:.3f},' for name, value in zip(names, weights, strict=True)]
    write("metre_weights", "What each of `melodygru.music.metre_finding.names` adds to the log-odds of a reading, and "
          "each metre.", ["WEIGHTS: dict[str, float] = {", *lines_of, "}"])  # fmt: skip


def learn_keys(melodies: Sequence[Melody]) -> None:
    """Write `key_weights`."""
    heard = np.stack([key_hearing.degrees_heard(melody.notes, melody.time_signature) for melody in melodies])
    right = np.array([[key == melody.key for key in key_hearing.KEYS] for melody in melodies])
    # Of each key, what is heard stands in the columns of its mode.
    modes, size = len(MODES), heard.shape[2]
    seen = np.zeros((len(melodies), modes, 12, modes, size), np.float32)
    for mode in range(modes):
        seen[:, mode, :, mode] = heard
    weights = logit(seen.reshape(len(melodies), modes * 12, -1), right, KEY_PENALTY).reshape(modes, -1, 12)
    lines = ["WEIGHTS: dict[str, dict[str, tuple[float, ...]]] = {"]
    for name, of_mode in zip(MODES, weights.tolist(), strict=True):
        lines.append(f'    "{name}": {{')
        for view, values in zip(key_hearing.VIEWS, of_mode, strict=True):
            lines.append(f'        "{view}": ({", ".join(f"{value:.2f}" for value in values)}),')
        lines.append("    },")
    write("key_weights", "What each degree adds to the log-odds of a key of a mode, where it is heard; see "
          "`melodygru.music.key_hearing`.", [*lines, "}"])  # fmt: skip


def logit(seen: Float32Array, right: Array, penalty: float) -> FloatArray:
    """(F,) weights under which right answers are likeliest.

    Args:
        seen: (N, A, F) features of the answers to N questions.
        right: (N, A) which of them are right, one at least.
        penalty: on the squares of the weights, in nats.
    """

    def loss(weights: FloatArray) -> tuple[float, FloatArray]:
        scores = (seen @ weights.astype(np.float32)).astype(np.float64)
        odds = np.exp(scores - scores.max(1, keepdims=True))
        chances = odds / odds.sum(1, keepdims=True)
        of_right = (chances * right).sum(1, keepdims=True) + 1e-12
        slope = (chances - chances * right / of_right).astype(np.float32)
        descent = np.tensordot(slope, seen, ([0, 1], [0, 1])).astype(np.float64)
        value = float(penalty * (weights**2).sum() - np.log(of_right).sum())
        return value, descent + 2 * penalty * weights

    found = minimize(loss, np.zeros(seen.shape[2]), jac=True, method="L-BFGS-B", options={"maxiter": 400})
    return np.asarray(found.x)


def write(module: str, about: str, lines: Sequence[str]) -> None:
    """Write a module of weights."""
    text = f'"""{about}\n\nMade by `scripts/{Path(__file__).name}`.\n"""\n\n' + "\n".join(lines) + "\n"
    (MUSIC / f"{module}.py").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
