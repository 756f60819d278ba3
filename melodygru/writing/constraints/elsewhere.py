"""Constraints that are silent in some places: where something stands fast, or sections have wishes of their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from melodygru.network.arrays import BoolArray, FloatArray, IntArray
from melodygru.writing.constraints.base import Constraint, Progress


class Elsewhere(Constraint):
    """What another rule says of all steps but those of `spans` (half-open ranges).

    What may follow what is then known as it comes only, and not foreseen: within the spans anything may.
    """

    def __init__(self, rule: Constraint, spans: Sequence[tuple[int, int]]):
        self.rule, self.spans = rule, spans
        self._may_follow = rule.follows()

    def _silent(self, onset: int) -> bool:
        return any(start <= onset < end for start, end in self.spans)

    def _silent_rows(self, progress: Progress) -> list[int]:
        return [row for row, onset in enumerate(progress.onset.tolist()) if self._silent(onset)]

    def ends(self, onset: int, ends: IntArray) -> BoolArray | None:
        """What the rule says."""
        return None if self._silent(onset) else self.rule.ends(onset, ends)

    def begins(self, onset: int) -> BoolArray | None:
        """What the rule says."""
        return None if self._silent(onset) else self.rule.begins(onset)

    def sounds(self, onset: int, ends: IntArray) -> BoolArray | None:
        """What the rule says."""
        return None if self._silent(onset) else self.rule.sounds(onset, ends)

    def rests(self, onset: int, ends: IntArray) -> BoolArray | None:
        """What the rule says."""
        return None if self._silent(onset) else self.rule.rests(onset, ends)

    def holds(self, onset: int) -> bool | None:
        """What the rule says."""
        return None if self._silent(onset) else self.rule.holds(onset)

    def closes(self, onset: int) -> BoolArray | None:
        """What the rule says."""
        return self.rule.closes(onset)

    def counts(self, start: int, end: int) -> tuple[int, int] | None:
        """What the rule says."""
        return None if self._silent(start) else self.rule.counts(start, end)

    def pitches(self, progress: Progress) -> BoolArray | None:
        """What the rule says, of what may follow too."""
        legal = self.rule.pitches(progress)
        if self._may_follow is not None:
            # After no pitch, numbered -1, the last row would answer: anything may begin.
            following = self._may_follow[progress.reference] | (progress.reference < 0)[:, None]
            legal = following if legal is None else legal & following
        if legal is None or not (rows := self._silent_rows(progress)):
            return legal
        legal = legal.copy()
        legal[rows] = True
        return legal

    def silences(self, progress: Progress, ends: IntArray) -> tuple[BoolArray, BoolArray] | None:
        """What the rule says."""
        masks = self.rule.silences(progress, ends)
        if masks is None or not (rows := self._silent_rows(progress)):
            return masks
        rests, notes = np.array(np.broadcast_to(masks[0], ends.shape)), np.array(np.broadcast_to(masks[1], ends.shape))
        rests[rows], notes[rows] = True, True
        return rests, notes

    def owes(self, progress: Progress, until: IntArray) -> tuple[IntArray, IntArray] | None:
        """What the rule says."""
        return self.rule.owes(progress, until)

    def duration_preference(self, progress: Progress, size: int) -> FloatArray | None:
        """What the rule says."""
        return self._quiet(self.rule.duration_preference(progress, size), progress)

    def pitch_preference(self, progress: Progress) -> FloatArray | None:
        """What the rule says."""
        return self._quiet(self.rule.pitch_preference(progress), progress)

    def _quiet(self, preference: FloatArray | None, progress: Progress) -> FloatArray | None:
        if preference is None or not (rows := self._silent_rows(progress)):
            return preference
        preference = np.array(preference)
        preference[rows] = 0.0
        return preference


class Within(Elsewhere):
    """What another rule says within `spans` (half-open ranges of steps) alone."""

    def __init__(self, rule: Constraint, spans: Sequence[tuple[int, int]]):
        super().__init__(rule, spans)
        self._speaks = np.zeros(max((end for _, end in spans), default=0) + 1, np.bool_)
        for start, end in spans:
            self._speaks[start:end] = True

    def _silent(self, onset: int) -> bool:
        return not self._speaks[min(onset, len(self._speaks) - 1)]

    def _heard(self, progress: Progress) -> BoolArray:
        heard: BoolArray = self._speaks[np.minimum(progress.onset, len(self._speaks) - 1)]
        return heard

    def _silent_rows(self, progress: Progress) -> list[int]:
        return np.flatnonzero(~self._heard(progress)).tolist()

    def closes(self, onset: int) -> BoolArray | None:
        """What the rule says, of an end within a span or where it ends."""
        return self.rule.closes(onset) if any(start < onset <= end for start, end in self.spans) else None

    def silences(self, progress: Progress, ends: IntArray) -> tuple[BoolArray, BoolArray] | None:
        """What the rule says, which is not asked where no melody is within."""
        return super().silences(progress, ends) if self._heard(progress).any() else None

    def duration_preference(self, progress: Progress, size: int) -> FloatArray | None:
        """What the rule says, which is not asked where no melody is within."""
        return super().duration_preference(progress, size) if self._heard(progress).any() else None

    def pitch_preference(self, progress: Progress) -> FloatArray | None:
        """What the rule says, which is not asked where no melody is within."""
        return super().pitch_preference(progress) if self._heard(progress).any() else None
