"""What of a melody stays fast while all else is written: places, and what of the notes that begin there.

A place is written as bars ("1-2"), as beats of a bar ("5:3-4": in bar 5 the beats 3 and 4) or as notes by number
("n3-5"); several have commas between them. Everything that begins there stays, or only the rhythm, or only the pitches
in their order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from melodygru.errors import UsageError
from melodygru.music.melody import Melody
from melodygru.network.arrays import BoolArray, IntArray
from melodygru.option import Option
from melodygru.records import dataclass
from melodygru.writing.drawing import LOCK, LOCKS

Span = tuple[int, int]
"""A half-open range of steps."""

RHYTHM, PITCHES = 1, 2
"""What may stay of a note, as bits of a number: neither, one of them, or both."""
_PLACES = 200
"""So many places are named at most."""
_PLACE = re.compile(
    r"n(?P<note>\d{1,5})(?:-(?P<last_note>\d{1,5}))?"
    r"|(?P<bar>\d{1,4})(?:-(?P<last_bar>\d{1,4})|:(?P<beat>\d{1,2})(?:-(?P<last_beat>\d{1,2}))?)?"
)


@dataclass(frozen=True)
class Locks:
    """Places, as half-open ranges of steps, in which notes stay that begin there; or their rhythm, or their pitches."""

    notes: Sequence[Span] = ()
    rhythm: Sequence[Span] = ()
    pitches: Sequence[Span] = ()

    @classmethod
    def of(cls, said: Mapping[str, Any], melody: Melody) -> Locks:
        """What the options of `LOCKS` say, by name, of a melody. Raises UsageError for places that it does not have."""
        return cls(*(parse_places(str(said[one.name]), melody, one) if one.name in said else () for one in LOCKS))

    def __bool__(self) -> bool:
        return bool(self.notes or self.rhythm or self.pitches)

    def at(self, length: int) -> np.ndarray[Any, np.dtype[np.int8]]:
        """(length,) of each step: what of a note stays that begins there, as bits: `RHYTHM`, `PITCHES`, both or 0."""
        stays = np.zeros(length, np.int8)
        for places, what in ((self.notes, RHYTHM | PITCHES), (self.rhythm, RHYTHM), (self.pitches, PITCHES)):
            for start, end in places:
                stays[start:end] |= what
        return stays


class Parts(NamedTuple):
    """What is to be written, in half-open ranges of steps, in order and apart or side by side.

    Attributes:
        free: altogether.
        rhythm: where the rhythm stays; each begins and ends with a note.
        pitches: where pitches stay in their order.
        closed: (steps of the melody,) where nothing may begin, since a note was held over it: what is free may be too.
    """

    free: Sequence[Span]
    rhythm: Sequence[Span]
    pitches: Sequence[Span]
    closed: BoolArray

    @property
    def spans(self) -> list[Span]:
        """All of them, in order."""
        return sorted([*self.free, *self.rhythm, *self.pitches])


def parse_places(text: str, melody: Melody, option: Option = LOCK) -> list[Span]:
    """Places of a melody, in steps; bar 1 is the first full one, 0 a pickup, and beats and notes count from 1.

    Raises UsageError for anything else, and for places that the melody does not have.
    """
    words = [word.strip() for word in text.split(",")]
    if len(words) > _PLACES:
        raise UsageError(f"{option.spelled} names {len(words)} places; name at most {_PLACES}.")
    return [span for word in words for span in _place(word, melody, option)]


def _place(word: str, melody: Melody, option: Option) -> list[Span]:
    metre, lowest = melody.time_signature, 0 if melody.pickup else 1
    bar, beat = metre.bar_steps, metre.beat_steps
    match = _PLACE.fullmatch(word.replace("–", "-"))
    if match is None:
        raise UsageError(
            f"{option.spelled} has {word[:60]!r}; write bars (1-2), beats of a bar (5:3-4) or notes by number (n3-5), "
            "with commas between them."
        )
    said = {name: int(number) for name, number in match.groupdict().items() if number is not None}
    least, most, what = lowest, melody.bars, "bars"
    if "note" in said:
        first, last = said["note"], said.get("last_note", said["note"])
        least, most, what = 1, len(melody.notes), "notes"
        named = melody.notes[max(first - 1, 0) : last]
        found = [(named[0].onset, named[-1].end)] if named else []
    elif "beat" in said and lowest <= said["bar"] <= melody.bars:
        first, last = said["beat"], said.get("last_beat", said["beat"])
        least, most, what = 1, -(-bar // beat), f"in bar {said['bar']} beats"
        start = (said["bar"] - lowest) * bar
        found = [(start + (first - 1) * beat, start + min(last * beat, bar))]
    else:
        first, last = said["bar"], said.get("last_bar", said["bar"])
        found = [((first - lowest) * bar, (last - lowest + 1) * bar)]
    if not least <= first <= last <= most:
        raise UsageError(
            f"{option.spelled} names {word}, and the melody has {what} {least} to {most}; choose among these."
        )
    return found


def parts_of(melody: Melody, span: Span, locks: Locks, grid: int) -> Parts:
    """What of the steps of `span` is to be written; notes that sound into it, or into a place, stay what they are.

    Silence shorter than `grid` steps between what stays is no room for anything.

    Raises UsageError if nothing is left.
    """
    stays = np.full(melody.length, RHYTHM | PITCHES, np.int8)
    stays[span[0] : span[1]] = 0
    stays |= locks.at(melody.length)
    of_places = stays.copy()
    kinds = [int(of_places[note.onset]) for note in melody.notes]
    for note, kind in zip(melody.notes, kinds, strict=True):
        stays[note.onset : note.end] = kind
    onsets = np.array([note.onset for note in melody.notes], np.int64)
    runs: dict[int, list[Span]] = {0: [], RHYTHM: [], PITCHES: [], RHYTHM | PITCHES: []}
    for start, end in _runs(stays):
        kind = int(stays[start])
        first, last = np.searchsorted(onsets, (start, end)).tolist()
        if kind == RHYTHM and first < last:
            runs[kind].append((melody.notes[first].onset, melody.notes[last - 1].end))
        elif (kind == PITCHES and first < last) or (kind == 0 and (first < last or end - start >= grid)):
            runs[kind].append((start, end))
    parts = Parts(runs[0], runs[RHYTHM], runs[PITCHES], (stays == 0) & (of_places != 0))
    if not parts.spans:
        raise UsageError("What is locked leaves nothing to write there; lock less, or choose other bars.")
    return parts


def _runs(values: IntArray | np.ndarray[Any, np.dtype[np.int8]]) -> list[Span]:
    """Half-open ranges of equal values, in order."""
    borders = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]
    return list(pairwise(borders))


def share_changed(before: Melody, after: Melody, parts: Parts) -> float:
    """The share, in [0, 1], of the notes that were free to change, and did; 1 where there were none."""
    pitches, rhythms = ({(n.onset, n.pitch) for n in after.notes}, {(n.onset, n.duration) for n in after.notes})
    there = [
        (note.onset, note.pitch) in pitches for note in before.notes if _in(note.onset, (*parts.free, *parts.rhythm))
    ]
    there += [(note.onset, note.duration) in rhythms for note in before.notes if _in(note.onset, parts.pitches)]
    return 1 - sum(there) / len(there) if there else 1.0


def _in(step: int, spans: Sequence[Span]) -> bool:
    return any(start <= step < end for start, end in spans)
