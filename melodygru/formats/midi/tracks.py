"""Which notes of a MIDI file are its melody.

Each track (split by channel) has a probability of being it, by a conditional logit over what
`melodygru.formats.midi.part_features` tells of it: a softmax over the parts of a file (McFadden 1974). The likeliest
that can give a melody is taken; of its notes the line that `melodygru.formats.midi.line` makes. The weights are
learned by `scripts/train_track_choice.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from melodygru.errors import MidiError
from melodygru.formats.midi.chunks import PERCUSSION
from melodygru.formats.midi.line import one_line
from melodygru.formats.midi.parser import RawFile
from melodygru.formats.midi.part_features import FEATURES, Array, Part, RawNote, features, usable_notes
from melodygru.formats.midi.part_names import name_claim
from melodygru.formats.midi.track_weights import WEIGHTS

MOST_PARTS = 128
"""Of a file with more parts, those with the most notes are looked at: no score has more staves."""
NARROW = 0.25
"""A part is chosen narrowly where its probability is less than that above the next one's, in [0, 1]."""
SURE_NAME = 0.5
"""Surety of a name, in [0, 1], from which it is said to be why a part was chosen."""
QUARTERS_OF_A_BAR = 4
"""What a bar is taken for where rests are measured in bars: the metre is found later, of the chosen part's notes."""
LISTED = 12
"""Tracks that an error lists before it only counts."""


@dataclass(frozen=True)
class Choice:
    """The melody's raw notes, which never overlap, the part they come from, and how it was found.

    Attributes:
        notes: in order of onset.
        label: the part's name, or its number.
        how: "name", "notes", "skyline", or "asked".
        narrowly: the label of the part that was nearly chosen instead; empty where the choice was clear.
    """

    notes: tuple[RawNote, ...]
    label: str
    how: str
    narrowly: str = ""


def choose_melody(raw: RawFile, track: str = "auto", min_notes: int = 8, max_rest_bars: int = 2) -> Choice:
    """The melody of a file: the first of `likeliest_melodies`."""
    return next(likeliest_melodies(raw, track, min_notes, max_rest_bars))


def likeliest_melodies(
    raw: RawFile, track: str = "auto", min_notes: int = 8, max_rest_bars: int = 2
) -> Iterator[Choice]:
    """What may be the melody of a file, the likeliest first; at least one.

    Args:
        raw: the file.
        track: "auto", "top" (the part that is highest most of the time), a track's number from 1, its name, its
            General MIDI instrument, or "skyline" (the highest notes of all). Only "auto" may give several.
        min_notes: parts that have no stretch of so many notes come last.
        max_rest_bars: a longer rest ends a stretch.

    Raises:
        MidiError: there is none; its message lacks the file's name.
    """
    if not any(part.notes for part in raw.tracks):
        raise MidiError("has no notes; leave it out.")
    if track == "skyline":
        notes = [note for part in raw.tracks for note in part.notes if note.channel != PERCUSSION]
        yield _choice(Part(0, "all tracks", tuple(sorted(notes))), "skyline")
        return
    if track not in ("auto", "top"):
        yield _choice(_asked_for(raw, track), "asked")
        return
    parts = melodic_parts(raw)
    if not parts:
        raise MidiError("has only percussion (channel 10); leave it out.")
    longest = max_rest_bars * QUARTERS_OF_A_BAR * raw.ticks_per_quarter
    if len(parts) == 1:
        yield _choice(parts[0], "asked" if track == "top" else "notes")
        return
    table = features(parts, raw.ticks_per_quarter, longest, min_notes)
    if track == "top":
        yield _choice(parts[int(np.argmax(table[:, FEATURES.index("top")]))], "asked")
        return
    chances = probabilities(table)
    able = [usable_notes(part.notes, longest, min_notes) > 0 for part in parts]
    # Equal parts of other order or number are equally likely: their notes, then their names decide.
    order = sorted(
        range(len(parts)), key=lambda n: (not able[n], -round(chances[n], 6), parts[n].notes, parts[n].name)
    )
    for place, number in enumerate(order):
        part = parts[number]
        how = "name" if name_claim(part.name).melody >= SURE_NAME else "notes"
        yield _choice(part, how, _nearly(parts, chances, order[place:]))


def probabilities(table: Array) -> Array:
    """(P,) that each of P parts is the melody, of their `features` (P, F)."""
    scores = table @ np.array([WEIGHTS[name] for name in FEATURES])
    odds = np.exp(scores - scores.max())
    return odds / odds.sum()


def melodic_parts(raw: RawFile) -> list[Part]:
    """Tracks split by channel, since type 0 files keep all instruments in one track; those of percussion left out."""
    parts = []
    for track in raw.tracks:
        for channel in sorted({note.channel for note in track.notes} - {PERCUSSION}):
            notes = tuple(note for note in track.notes if note.channel == channel)
            parts.append(Part(track.number, track.name, notes, track.programs.get(channel)))
    if len(parts) > MOST_PARTS:
        parts = sorted(parts, key=lambda part: (-len(part.notes), part.notes))[:MOST_PARTS]
    return parts


def _nearly(parts: list[Part], chances: Array, order: list[int]) -> str:
    """The label of the part after the first in that order where the choice between them is narrow."""
    if len(order) < 2:
        return ""
    first, second = order[:2]
    same = [note[:3] for note in parts[first].notes] == [note[:3] for note in parts[second].notes]
    return "" if same or chances[first] - chances[second] >= NARROW else parts[second].label
