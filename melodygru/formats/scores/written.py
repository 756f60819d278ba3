"""What stands in a score, bar by bar, as all readers of scores tell it: notes, metres, keys, tempi, the order of play.

It knows nothing of files. `melodygru.formats.scores.layout` makes a line of notes of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import NamedTuple

from melodygru.music.theory import STEPS_PER_QUARTER, Key, TimeSignature
from melodygru.records import dataclass

TICKS_PER_STEP = 420
TICKS = STEPS_PER_QUARTER * TICKS_PER_STEP
"""Ticks of a quarter, 10,080: halves, thirds, fifths and sevenths of what the grid holds are exact."""


class WrittenNote(NamedTuple):
    """A pitch that begins `offset` ticks after its bar and lasts `length`; `tied`: the same goes on in the next."""

    offset: int
    length: int
    pitch: int
    tied: bool


@dataclass(frozen=True)
class Bar:
    """What all parts share in a bar.

    Attributes:
        length: ticks from its bar line to the next, as it is filled.
        metre: the one that holds here; None where none was ever named.
        qpm: quarters a minute, None where no tempo was ever named.
        ends: a double bar, a repeat sign or the end stands after it.
        anacrusis: it is the first and has the number 0: a pickup, though it may be filled with rests.
    """

    length: int
    metre: TimeSignature | None
    qpm: float | None
    ends: bool
    anacrusis: bool = False


@dataclass(frozen=True)
class WrittenPart:
    """A part or staff of a score of B bars.

    Attributes:
        name: empty where it has none.
        notes: (B,) as they sound, by offset.
        keys: (B,) as they sound: a key, a signature alone (in sharps), or None.
        percussion: nothing in it has a pitch.
        program: General MIDI's number of its sound, in [0, 128); None where none is named.
    """

    name: str
    notes: tuple[tuple[WrittenNote, ...], ...]
    keys: tuple[Key | int | None, ...]
    percussion: bool
    program: int | None = None


@dataclass(frozen=True)
class WrittenScore:
    """A score of B bars.

    Attributes:
        title: empty where it has none.
        bars: (B,) as they are written.
        parts: each with its B bars.
        order: the numbers of the bars as they are played, repeats written out.
        chords: (tick of the bar, symbol as `melodygru.music.chords` reads it) of each bar that has chord symbols.
        remarks: what could not be taken at its word.
    """

    title: str
    bars: tuple[Bar, ...]
    parts: tuple[WrittenPart, ...]
    order: tuple[int, ...]
    remarks: tuple[str, ...] = ()
    chords: Mapping[int, Sequence[tuple[int, str]]] = field(default_factory=dict)
