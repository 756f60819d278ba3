"""What is to be written, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from melodygru.chords import ChordSpan
from melodygru.generation_config import GenerationConfig
from melodygru.melody import Melody
from melodygru.ranking import Score


@dataclass(frozen=True)
class Generated:
    """A melody that a model wrote.

    Attributes:
        melody: its notes.
        chords: the chords under it; empty if none were asked for.
        score: why it was chosen among candidates; None where there was one only.
        number: which candidate it was, from 0.
    """

    melody: Melody
    chords: tuple[ChordSpan, ...] = ()
    score: Score | None = None
    number: int = 0


@dataclass(frozen=True)
class Order:
    """What is to be written, but for how many; see `Model.generate_many` and `Model.compose`."""

    config: GenerationConfig
    seed: int
    primer: Melody | None = None
    include_primer: bool = True
    as_drawn: bool = False


@dataclass(frozen=True)
class Candidate:
    """A melody, and how much the critic likes it (log odds that a person wrote it; 0 without a critic)."""

    generated: Generated
    liking: float


def new_ones(drawn: Sequence[Candidate], seen: set[int], size: int) -> Iterator[list[Candidate]]:
    """Candidates that are like none before, in groups of `size` of which one is chosen; `seen` takes in all hashes."""
    groups: dict[int, list[Candidate]] = {}
    for one in drawn:
        mark = hash(one.generated.melody.notes)
        if mark not in seen:
            seen.add(mark)
            groups.setdefault(one.generated.number // size, []).append(one)
    yield from groups.values()
