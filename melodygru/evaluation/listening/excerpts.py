"""What is heard: people's melodies, and beside each one of every model, alike in all but the notes.

A model writes a tune in the place of a person's whole tune: in its metre, key, bars and pickup. Both are then cut after
as many bars and played alike, so that neither length, tempo nor how a cut sounds tells one from the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from melodygru.data.collection import read_collection
from melodygru.errors import DataError, UsageError, check_range
from melodygru.evaluation.counterparts import Progress, conditions, write_like
from melodygru.music.melody import Melody
from melodygru.music.originality import OriginalityIndex, line_of
from melodygru.music.run_hashing import steps_of
from melodygru.records import dataclass
from melodygru.writing.model import Model
from melodygru.writing.values import DEFAULT_MAX_COPY

COUNT, BARS = (2, 40), (2, 64)
"""Excerpts of each system, and full bars of each: least and most."""
MOST_MODELS = 6
HUMAN = "human"
"""What people's excerpts are called among the systems."""
_LONGEST = 128
"""Bars of a tune in whose place a model writes; longer ones take long to write, and only their beginning is heard."""
_FEWEST_NOTES = 8
"""Notes of an excerpt: fewer are no melody to judge."""
_SPARE = 1.5
"""How many times as many tunes as are asked for are written like, since some cannot be, or are copied."""
_DRAWN = 2
"""Melodies that a model writes in the place of one tune; the first that copies nothing is taken."""


@dataclass(frozen=True)
class Excerpt:
    """One melody of the test.

    Attributes:
        system: `HUMAN`, or the model's name.
        seat: the number of the person's melody that it stands beside, from 0; excerpts of a seat are alike in metre,
            key, tempo, pickup and bars.
        melody: what is heard.
    """

    system: str
    seat: int
    melody: Melody


def cut(melody: Melody, bars: int) -> Melody:
    """The first full bars of a melody, with its pickup; a note that sounds on ends with the last of them."""
    end = (bars + bool(melody.pickup)) * melody.time_signature.bar_steps
    notes = tuple(replace(note, duration=min(note.end, end) - note.onset) for note in melody.notes if note.onset < end)
    return replace(melody, notes=notes, bars=bars)


def choose(
    folder: str, models: Mapping[str, Model], count: int, bars: int, seed: int, tell: Progress, jobs: int = 1
) -> list[Excerpt]:
    """Excerpts of `count` people's tunes drawn from a folder, each with one of every model in its place.

    No model's excerpt has more than `DEFAULT_MAX_COPY` notes in a row of any tune of the folder, nor, where the model
    knows what it has learned from, of that.

    Args:
        folder: people's melodies, MIDI files or scores.
        models: by name, 1 to `MOST_MODELS`.
        count: excerpts of each system.
        bars: full bars of each excerpt.
        seed: at least 0; the same seed gives the same excerpts.
        tell: told how far it is.
        jobs: processes that write.

    Raises:
        UsageError: a number out of range.
        DataError: too few tunes that are long enough, or that every model can write in the place of.
    """
    check_range("count", count, *COUNT)
    check_range("--bars", bars, *BARS)
    if not 1 <= len(models) <= MOST_MODELS:
        raise UsageError(f"{len(models)} models were given; give 1 to {MOST_MODELS}, each with its own --model.")
    pieces = read_collection(folder, progress=lambda done, total: tell("reading files", done, total)).pieces
    people = _people(pieces, bars, round(count * _SPARE), seed)
    if len(people) < count:
        raise DataError(
            f"{folder} has {len(people)} different tunes of {bars} to {_LONGEST} bars with {_FEWEST_NOTES} notes or "
            f"more there, and --count is {count}; give more tunes, or lower --count or --bars."
        )
    copied = OriginalityIndex.of_melodies(pieces)
    found = {name: _counterparts(model, people, bars, seed, copied, tell, jobs) for name, model in models.items()}
    seats = [number for number in range(len(people)) if all(number in one for one in found.values())][:count]
    if len(seats) < count:
        raise DataError(
            f"In the place of only {len(seats)} tunes of {folder} every model could write something of its own, and "
            f"--count is {count}; lower --count, or give more tunes."
        )
    excerpts = []
    for seat, number in enumerate(seats):
        excerpts.append(Excerpt(HUMAN, seat, cut(people[number], bars)))
        excerpts += [Excerpt(name, seat, one[number]) for name, one in found.items()]
    return excerpts


def _people(pieces: Sequence[Melody], bars: int, most: int, seed: int) -> list[Melody]:
    """At most so many of the tunes that can be cut to these bars and written like, drawn; no two begin alike."""
    found, beginnings = [], set()
    for number in np.random.default_rng([seed, 0]).permutation(len(pieces)).tolist():
        piece = pieces[number]
        if not bars <= piece.bars <= _LONGEST or len((excerpt := cut(piece, bars)).notes) < _FEWEST_NOTES:
            continue
        try:
            conditions(piece)
        except UsageError:
            continue
        intervals, gaps = steps_of(line_of(excerpt))
        beginning = (intervals.tobytes(), gaps.tobytes())
        if beginning not in beginnings:
            beginnings.add(beginning)
            found.append(piece)
        if len(found) == most:
            break
    return found


def _counterparts(
    model: Model,
    people: Sequence[Melody],
    bars: int,
    seed: int,
    copied: OriginalityIndex,
    tell: Progress,
    jobs: int,
) -> dict[int, Melody]:
    """Of each tune, by its number, what the model writes in its place; none where it could not, or only by copying."""
    written, groups, _ = write_like(model, people, _DRAWN * len(people), seed, {}, tell, jobs)
    found: dict[int, Melody] = {}
    for melody, number in zip(written, groups.tolist(), strict=True):
        excerpt = cut(replace(melody, qpm=people[number].qpm), bars)
        if number in found or len(excerpt.notes) < _FEWEST_NOTES or excerpt.pickup != people[number].pickup:
            continue
        if copied.longest_run(excerpt).notes <= DEFAULT_MAX_COPY:
            found[number] = excerpt
    return found
