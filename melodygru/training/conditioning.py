"""What pieces shall be, told beside what they are: looked up when a batch is made, and in training hidden in part.

Every stretch of every epoch hides something else, so that the network learns to write from all that is known and from
nothing; see `melodygru.network.conditions`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from melodygru.data.dataset import Dataset
from melodygru.music.theory import TimeSignature
from melodygru.network.arrays import Array
from melodygru.network.columns import candidate_columns, condition_columns, input_columns
from melodygru.network.conditions import Character, Conditions, Told, chord_degrees
from melodygru.network.config import ContextConfig
from melodygru.network.describing import Known, known_of

_NO_STYLE, _NO_KIND, _NO_SCALE, _NO_CHORDS, _NO_CHARACTER, _NO_TRAIT = 0.15, 0.3, 0.4, 0.3, 0.35, 0.4
"""Shares of stretches for which each is hidden."""
_KEPT = 20_000
"""Pieces of which what was measured is kept: some kilobytes each."""
_ONE_FOR_ALL = 0.5
"""Share of those told a character that are told the whole piece's in place of each phrase's."""


def measuring() -> Callable[[Dataset, int], Known]:
    """What is known of pieces of a user's folder: what can be measured, and the chords that stand over them."""

    @lru_cache(maxsize=_KEPT)
    def known(dataset: Dataset, piece: int) -> Known:
        return known_of(dataset.events(piece), chords=dataset.chords_over(piece))

    return known


class Conditioning:
    """What is told of the pieces that are learned from, and of those that are judged.

    Args:
        config: what the network is told.
        known: what is known of a piece (an index) of a dataset.
        seed: of what is hidden.
    """

    def __init__(self, config: ContextConfig, known: Callable[[Dataset, int], Known], seed: int):
        self.config = config
        self.known = known
        self.seed = seed

    def hidden(self, dataset: Dataset, pieces: Array, rows: Array, step: int) -> list[Conditions]:
        """The conditions of these pieces (N,), as far as they are told in this step.

        `rows` (N,) tells the stretches apart: what is hidden of one does not depend on the others, nor on which of
        several processes makes its batch.
        """
        return [
            self._hidden(self.known(dataset, int(piece)), np.random.default_rng([self.seed, 4, step, int(row)]))
            for piece, row in zip(pieces, rows, strict=True)
        ]

    def _hidden(self, of_piece: Known, random: np.random.Generator) -> Conditions:
        known, draws = of_piece.conditions, random.random(6)
        character = known.character if draws[0] >= _ONE_FOR_ALL else (of_piece.whole,)
        told = random.random(len(of_piece.whole)) >= _NO_TRAIT
        return Conditions(
            "" if draws[1] < _NO_STYLE else known.style,
            "" if draws[1] < _NO_STYLE or draws[2] < _NO_KIND else known.kind,
            "" if draws[3] < _NO_SCALE else known.scale,
            (Character(),)
            if draws[4] < _NO_CHARACTER
            else tuple(Character(*(c * bool(t) for c, t in zip(one, told, strict=True))) for one in character),
            () if draws[5] < _NO_CHORDS else known.chords,
        )

    def judged(self, dataset: Dataset, pieces: Array) -> list[Conditions]:
        """The conditions that are told where pieces are judged: style, kind and chords, which a user says too."""
        known = (self.known(dataset, int(piece)).conditions for piece in pieces)
        return [replace(one, scale="", character=(Character(),)) for one in known]

    def added(
        self, arrays: Mapping[str, Array], onset: Array, dataset: Dataset, pieces: Array, told: Sequence[Conditions]
    ) -> dict[str, Array]:
        """Arrays (B, T, ...) of a batch made from events alone, with the columns of what is told of each piece (B,).

        `onset`: (B, T) steps.
        """
        config = self.config
        metas = dataset.table[pieces]
        bars = np.array([TimeSignature(int(n), int(d)).bar_steps for n, d in metas[:, :2]])
        known = Told(told, bars, metas[:, 2], metas[:, 5])
        size, length = onset.shape
        rows = np.repeat(np.arange(size), length)
        inputs, candidates = arrays["inputs"], arrays["candidate_pitch"]
        previous = inputs[..., 0].astype(np.int64)
        columns, root = known.columns(config, rows, onset.ravel(), previous.ravel())
        max_duration = dataset.tokenizer.max_duration
        own = len(input_columns(dataset.context, max_duration))
        each = len(candidate_columns(dataset.context, max_duration))
        more = len(condition_columns(config))
        assert more == len(columns)
        spots = inputs[..., own:].reshape(size, length, -1, each)
        if config.chords:
            of_chord = chord_degrees(candidates.astype(np.int64), root.reshape(size, length, 1))
            after = 1 + dataset.context.key
            spots = np.concatenate(
                [spots[..., :after], of_chord[..., None].astype(np.uint8), spots[..., after:]], axis=-1
            )
        told_columns = np.stack(columns, axis=-1).astype(np.uint8).reshape(size, length, more)
        joined = np.concatenate([inputs[..., :own], told_columns, spots.reshape(size, length, -1)], axis=-1)
        changed = {**arrays, "inputs": joined}
        if config.chords:
            changed["root"] = root.reshape(size, length)
        return changed
