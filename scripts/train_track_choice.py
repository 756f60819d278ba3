"""Learn how `melodygru.formats.midi.tracks` weighs what tells a melody's part, and measure it.

    python scripts/train_track_choice.py DATA KEEP [--write]

DATA holds folders `corpora/hymns`, `corpora/lieder`, `corpora/game`, `corpora/mutopia-folk`, `corpora/mutopia-song`,
`quartets` and `pop909/train`; scores are read once and kept as JSON in KEEP. Works are split in three: weights and
trees are fitted on the first, how strongly weights are held small is chosen on the second, and the third is measured,
by --measure. POP909 is measured alone.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from sklearn.ensemble import HistGradientBoostingClassifier
from track_choice_data import (
    QUARTER,
    Example,
    bare,
    excerpt,
    games,
    hymns,
    in_the_wild,
    made_quartets,
    melodies,
    mixtures,
    nameless,
    pop909,
    quartets,
    read_scores,
    songs,
)

from melodygru.formats.midi import track_trees
from melodygru.formats.midi.part_features import BESIDE, FEATURES, OWN, Array, features
from melodygru.formats.midi.track_weights import WEIGHTS
from melodygru.formats.midi.tracks import CLOSEST, probabilities

LABELS = Path(__file__).parents[1] / "tests" / "formats" / "midi" / "game_melodies.tsv"
WEIGHTS_FILE = Path(__file__).parents[1] / "melodygru" / "formats" / "midi" / "track_weights.py"
TREES_FILE = track_trees.FILE
STRENGTHS = (3.0, 10.0, 30.0, 100.0, 200.0)
"""Of the penalty on squared weights, tried on the validation works."""
SET = {"named": 14.0, "named_other": -5.0, "sung": 12.0, "program_bass": -3.0, "program_noise": -3.0}
"""Weights that are set, and not learned: how true names are cannot be learned from names that were made up, nor what a
bass's program says where all basses are low.
"""
NEVER_AGAINST = ("onsets", "usable")
"""Many notes speak against no part: that accompaniments have more of them is told by density and figures."""
LIMIT = 6.0
"""Of weights: rare features would have larger ones than a few files can tell."""
REST, FEWEST = 8 * QUARTER, 8
"""As `melodygru.formats.midi.tracks` has it by default."""
MIXTURES, MADE_QUARTETS = 3000, 600
SEEN = len(OWN) + len(BESIDE)
"""Features that trees see: the notes', since true names cannot be learned from made-up ones."""
PAIR_WEIGHTS = {"game": 6.0, "quartets": 2.0}
"""Of pairs, where kinds have few files."""


@dataclass(frozen=True)
class Table:
    """F files' N parts one below the other.

    Attributes:
        rows: (N, features).
        files: (N,) of each part its file.
        accepted: (N,) whether it may pass for the melody.
        able: (N,) 0, or much less where it has no stretch that makes a melody: those come last.
        weights: (F,) of the files.
    """

    rows: Array
    files: Array
    accepted: Array
    able: Array
    weights: Array

    @classmethod
    def of(cls, examples: Sequence[Example]) -> Table:
        """Each kind of example weighs as much as another."""
        told = [features(one.parts, QUARTER, REST, FEWEST) for one in examples]
        kinds = [one.kind for one in examples]
        accepted = [np.isin(np.arange(len(one.parts)), list(one.melody)) for one in examples]
        able = [np.where(usable > 0, 0.0, -50.0) for _, usable in told]
        sizes = [len(one.parts) for one in examples]
        return cls(
            np.vstack([rows for rows, _ in told]),
            np.repeat(np.arange(len(examples)), sizes),
            np.concatenate(accepted),
            np.concatenate(able),
            np.array([len(kinds) / len(set(kinds)) / kinds.count(kind) for kind in kinds]),
        )

    def loss(self, weights: Array) -> tuple[float, Array]:
        """Mean negative log-likelihood in nats, and its gradient."""
        scores = self.rows @ weights + self.able
        shares = self._softmax(scores)
        right = np.where(self.accepted, scores, -np.inf)
        inside = self._softmax(right)
        starts = np.flatnonzero(np.diff(self.files, prepend=-1))
        nats = np.logaddexp.reduceat(scores, starts) - np.logaddexp.reduceat(right, starts)
        each = self.weights[self.files]
        total = self.weights.sum()
        return float((nats * self.weights).sum() / total), self.rows.T @ ((shares - inside) * each) / total

    def _softmax(self, scores: Array) -> Array:
        starts = np.flatnonzero(np.diff(self.files, prepend=-1))
        return np.exp(scores - np.logaddexp.reduceat(scores, starts)[self.files])


def fit(table: Table, strength: float) -> Array:
    """Weights with the smallest loss, held small by a penalty; columns are scaled to unit variance meanwhile."""
    scale = table.rows.std(0)
    scale[scale == 0] = 1.0
    scaled = replace(table, rows=table.rows / scale)
    penalty = strength / 2 / len(table.weights)

    def objective(weights: Array) -> tuple[float, Array]:
        loss, gradient = scaled.loss(weights)
        return loss + penalty * float(weights @ weights), gradient + 2 * penalty * weights

    limits = []
    for name, one in zip(FEATURES, scale, strict=True):
        low = 0.0 if name in NEVER_AGAINST else -LIMIT
        limits.append((SET[name] * one,) * 2 if name in SET else (low * one, LIMIT * one))
    start = np.array([low if low == high else 0.0 for low, high in limits])
    found = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=limits, options={"maxiter": 2000})
    return found.x / scale


def fit_trees(examples: Sequence[Example], weights: Array) -> HistGradientBoostingClassifier:
    """Trees that compare the melody with each of the other likeliest parts, both ways round; without names."""
    pairs, first_is, each = [], [], []
    for one in examples:
        table, _ = features(one.parts, QUARTER, REST, FEWEST)
        closest = np.argsort(-(table @ weights))[:CLOSEST]
        for i, j in permutations(closest, 2):
            if (i in one.melody) != (j in one.melody):
                pairs.append(np.concatenate([table[i, :SEEN], table[j, :SEEN]]))
                first_is.append(i in one.melody)
                each.append(PAIR_WEIGHTS.get(one.kind, 1.0))
    learner = HistGradientBoostingClassifier(
        max_iter=120, max_leaf_nodes=8, learning_rate=0.1, l2_regularization=5.0, early_stopping=False, random_state=0
    )
    return learner.fit(np.array(pairs), first_is, sample_weight=each)


def write_trees(learned: HistGradientBoostingClassifier) -> None:
    """The package's trees, as `melodygru.formats.midi.track_trees` has them."""
    parts: dict[str, list[Array]] = {name: [] for name in ("feature", "threshold", "below", "above", "value")}
    roots, size = [], 0
    for [tree] in learned._predictors:
        nodes, leaf = tree.nodes, tree.nodes["is_leaf"].astype(bool)
        roots.append(size)
        parts["feature"].append(np.where(leaf, -1, nodes["feature_idx"]).astype(np.int16))
        parts["threshold"].append(np.where(leaf, 0.0, nodes["num_threshold"]))
        parts["below"].append(np.where(leaf, 0, nodes["left"] + size).astype(np.int16))
        parts["above"].append(np.where(leaf, 0, nodes["right"] + size).astype(np.int16))
        parts["value"].append(np.where(leaf, nodes["value"], 0.0))
        size += len(nodes)
    arrays: dict[str, Any] = {name: np.concatenate(rows) for name, rows in parts.items()}
    np.savez_compressed(TREES_FILE, roots=np.array(roots, np.int16), **arrays)


def wilson(right: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927)."""
    z, share = 1.96, right / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return middle - half, middle + half


def collect(data: Path, keep: Path) -> dict[str, list[Example]]:
    """All examples, by split; and POP909, which is none."""
    for name in ("corpora/lieder", "quartets"):
        read_scores(data / name, keep / Path(name).name)
    corpora = data / "corpora"
    whole = [
        *hymns(corpora / "hymns"),
        *songs(keep / "lieder"),
        *quartets(keep / "quartets"),
        *games(corpora / "game", LABELS),
        *melodies([corpora / "mutopia-folk", corpora / "mutopia-song"]),
    ]
    found: dict[str, list[Example]] = {"pop909": list(pop909(data / "pop909" / "train"))}
    for seed, split in enumerate(("train", "validation", "test")):
        own = [one for one in whole if one.split == split]
        share = 1.0 if split == "train" else 1 / 6
        mixed = mixtures(own, int(MIXTURES * share), seed) + made_quartets(own, int(MADE_QUARTETS * share), seed)
        found[split] = [one for one in own if len(one.parts) > 1] + mixed
    return found


def report(name: str, examples: Sequence[Example], weights: Array, compare: Callable[[Array], Array]) -> None:
    """How many files of each kind are right."""
    told = dict(zip(FEATURES, weights.tolist(), strict=True))
    right = []
    for one in examples:
        table, usable = features(one.parts, QUARTER, REST, FEWEST)
        right.append(int(probabilities(table, usable > 0, told, compare).argmax()) in one.melody)
    for kind in dict.fromkeys(one.kind for one in examples):
        those = [bool(ok) for ok, one in zip(right, examples, strict=True) if one.kind == kind]
        low, high = wilson(sum(those), len(those))
        share = f"{sum(those) / len(those):.1%} ({low:.1%} to {high:.1%})"
        print(f"{name:24} {kind:14} {sum(those):5} of {len(those):5}  {share}")


def main() -> None:
    """Fit, choose, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("keep", type=Path)
    parser.add_argument("--write", action="store_true", help="write the weights into the package")
    parser.add_argument("--measure", action="store_true", help="measure the package's weights on test works and POP909")
    asked = parser.parse_args()
    found = collect(asked.data, asked.keep)
    if asked.measure:
        weights = np.array([WEIGHTS[name] for name in FEATURES])
        for name, examples in _ways(found["test"]).items():
            report(f"test, {name}", examples, weights, track_trees.log_odds)
        report("names hidden", [nameless(one) for one in found["pop909"]], weights, track_trees.log_odds)
        report("bare", [bare(one) for one in found["pop909"]], weights, track_trees.log_odds)
        return
    # Each file bare, and as it may be met, and some bars of both; games, whose names are true, as they are too.
    train = [seen for one in found["train"] for seen in (bare(one), in_the_wild(one, 1))]
    train += [seen for one in found["train"] for seen in (bare(excerpt(one, 1)), in_the_wild(excerpt(one, 2), 2))]
    train += 3 * [one for one in found["train"] if one.kind == "game"]
    table, checks = Table.of(train), _ways(found["validation"])
    valid = [Table.of(examples) for examples in checks.values()]
    fits = {strength: fit(table, strength) for strength in STRENGTHS}
    nats = {strength: sum(one.loss(weights)[0] for one in valid) / len(valid) for strength, weights in fits.items()}
    for strength, weights in fits.items():
        print(f"penalty {strength}: nats {table.loss(weights)[0]:.4f} train, {nats[strength]:.4f} validation")
    weights = fits[min(nats, key=lambda strength: nats[strength])]
    bare_ones = [seen for one in found["train"] for seen in (bare(one), bare(excerpt(one, 1)))]
    trees = fit_trees(bare_ones, weights)
    for name, examples in checks.items():
        report(f"validation, {name}", examples, weights, trees.decision_function)
    if asked.write:
        write(weights)
        write_trees(trees)


def _ways(examples: Sequence[Example]) -> dict[str, list[Example]]:
    """The same files without names and programs, with made-up ones, a few bars of them, and as they are."""
    true = [one for one in examples if not one.kind.startswith(("made", "mix"))]
    return {
        "bare": [bare(one) for one in examples],
        "in the wild": [in_the_wild(one, 3) for one in examples],
        "excerpts, bare": [bare(excerpt(one, 5)) for one in examples],
        "as they are": true,
    }


def write(weights: Array) -> None:
    """The package's table."""
    lines = [f'    "{name}": {value:.3f},\n' for name, value in zip(FEATURES, weights, strict=True)]
    WEIGHTS_FILE.write_text(
        '"""What each of `melodygru.formats.midi.part_features.FEATURES` adds to the log-odds of being the melody.\n\n'
        'Made by `scripts/train_track_choice.py`.\n"""\n\n'
        f"WEIGHTS = {{\n{''.join(lines)}}}\n"
    )


if __name__ == "__main__":
    main()
