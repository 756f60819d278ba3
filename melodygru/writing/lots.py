"""Melodies of several lots, drawn side by side: each lot has a metre, a key, a length and rules of its own.

To the network it is all one what its rows are of, and the more rows, the less each of them costs. What may come next
is asked of each lot's rules by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from melodygru.network.arrays import BoolArray, IntArray
from melodygru.network.tokenizer import PieceMeta
from melodygru.records import dataclass
from melodygru.writing.constraints.base import PITCHES, Constraint, Progress
from melodygru.writing.layout import Script
from melodygru.writing.lookahead import Lookahead

Logits = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Lot:
    """Melodies that are drawn under the same rules.

    Attributes:
        meta: their metre, key and bars.
        ahead: what may be drawn.
        script: what is given or repeated.
        seed, first, count: melody i of [first, first + count) draws from (seed, i).
    """

    meta: PieceMeta
    ahead: Lookahead
    script: Script
    seed: int
    first: int
    count: int

    def told(self, number: int) -> PieceMeta:
        """What the network is told of the melody with this number."""
        return replace(self.meta, conditions=self.meta.conditions.settled(self.seed, number))


class Due:
    """What the rules say of the events due in B melodies, whose lots are `of` (B,), those of one lot side by side.

    Attributes:
        durations: (B, size) legal durations; index 0 is END.
        following: (B, 128) pitches that may come next as far as the notes so far decide.
        any: (B,) whether there is anything.
    """

    def __init__(self, lots: Sequence[Lot], of: IntArray, where: Progress):
        cuts = [0, *(np.flatnonzero(np.diff(of)) + 1).tolist(), len(of)]
        self._rows = [slice(start, end) for start, end in pairwise(cuts)]
        alone = len(self._rows) == 1
        self._where = [where] if alone else [where.kept(np.arange(rows.start, rows.stop)) for rows in self._rows]
        self._ahead = [lots[of[rows.start]].ahead for rows in self._rows]
        self._options = [ahead.options(own) for ahead, own in zip(self._ahead, self._where, strict=True)]
        self.durations = _joined([options.durations for options in self._options])
        self.following = _joined([options.following for options in self._options])
        self.any = _joined([options.any for options in self._options])

    def pitches(self, durations: IntArray) -> BoolArray:
        """(B, 130): pitch classes that are legal with the durations (B,) chosen; with END, REST alone."""
        each = zip(self._rows, self._options, strict=True)
        return _joined([options.pitches(durations[rows]) for rows, options in each])

    def wanted_durations(self, logits: Logits) -> Logits:
        """(B, size) logits of durations, with what the rules would rather have."""

        size = logits.shape[1]
        return self._with(logits, size, "duration_preference", lambda one, where: one.duration_preference(where, size))

    def wanted_pitches(self, logits: Logits) -> Logits:
        """(B, classes) logits of pitches, with what the rules would rather have."""

        return self._with(logits, PITCHES, "pitch_preference", lambda one, where: one.pitch_preference(where))

    def _with(
        self, logits: Logits, size: int, question: str, preference: Callable[[Constraint, Progress], Logits | None]
    ) -> Logits:
        """Logits with what the constraints that answer a question add to the first `size` classes."""
        wanted = []
        for rows, ahead, where in zip(self._rows, self._ahead, self._where, strict=True):
            own = logits[rows]
            if asked := ahead.answering(question):
                own = own.astype(np.float64)
                for constraint in asked:
                    if (more := preference(constraint, where)) is not None:
                        own[:, :size] += more
            wanted.append(own)
        return _joined(wanted)


def _joined(parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """Rows of the parts, one after the other; of one part, itself."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
