"""What the network is told of a melody, as columns of classes: their names and sizes, and what a class stands for."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from melodygru.music.theory import MODES, TimeSignature
from melodygru.network.arrays import IntArray
from melodygru.network.conditions import CHARACTER, CHORD_DEGREES
from melodygru.network.config import ContextConfig
from melodygru.network.tokenizer import REST

PITCH_CLASSES = 130
"""Pitch vocabulary: 0..127 MIDI pitches, 128 REST, 129 TIE."""
START = 130
"""Stands for the previous pitch where there is none yet."""
POSITIONS = 192
"""Steps of a bar that are told apart; what lies beyond (only in metres over 8/4) counts as the last."""
BEAT_POSITIONS = 96
BAR_NUMBERS = 16
BARS_LEFT = 34
LARGEST_INTERVAL = 24
INTERVALS = 2 * LARGEST_INTERVAL + 4
"""-24..24 semitones (farther leaps count as 24), then rest, tie, and no reference."""
DEGREES = 14
"""0..11 semitones above the tonic, then rest, then tie or nothing."""
HEIGHTS = LARGEST_INTERVAL + 2
"""0..24 semitones (farther ones count as 24) from the lowest or highest pitch so far, then: none yet."""
PICKUPS = 97
"""Steps of the pickup (longer ones count as 96); 0: none."""
METRES: tuple[str, ...] = (
    *("2/4", "3/4", "4/4", "2/2", "3/2", "6/8", "9/8", "12/8", "3/8", "6/4", "5/4", "7/8", "5/8", "4/2"),
    "other",
)
MATCHES = 4
"""Match candidates: longest exact, its best rival, longest transposed, its best rival."""
MATCH_HISTORY = 8192
"""Events back to which a match is looked for, a thousand bars or so: with no end to it, long pieces would cost the
square of their length.
"""

RUN_EDGES = (0, 1, 2, 3, 4, 6, 9, 16, 32)
"""Lengths of runs that are told apart: each stands for those up to the next."""
RUNS = 3 * len(RUN_EDGES)
"""A candidate's run (events that agreed, in buckets) times three, plus: 0 none, 1 within a note, 2 at an onset."""
RUN_BUCKETS = np.searchsorted(RUN_EDGES, np.arange(RUN_EDGES[-1] + 1), side="right") - 1
"""The bucket of each length of a run up to the last edge, which longer ones share."""


class Column(NamedTuple):
    """One column of `Context.inputs`: its name, and the number of values, which are [0, size)."""

    name: str
    size: int


def input_columns(config: ContextConfig, max_duration: int) -> tuple[Column, ...]:
    """The columns that say where the melody is; candidates' columns follow, see `candidate_columns`."""
    columns = [
        Column("previous_pitch", PITCH_CLASSES + 1),
        Column("previous_interval", INTERVALS),
        Column("previous_duration", max_duration + 1),
    ]
    if config.metre:
        columns += [
            Column("position", POSITIONS),
            Column("beat_position", BEAT_POSITIONS),
            Column("metre", len(METRES)),
            Column("bar", BAR_NUMBERS),
        ]
    if config.bars_left:
        columns.append(Column("bars_left", BARS_LEFT))
    if config.key:
        columns += [Column("previous_degree", DEGREES), Column("mode", len(MODES))]
    if config.ambitus:
        columns += [Column("above_lowest", HEIGHTS), Column("below_highest", HEIGHTS)]
    if config.pickup:
        columns.append(Column("pickup", PICKUPS))
    return (*columns, *condition_columns(config))


def condition_columns(config: ContextConfig) -> tuple[Column, ...]:
    """Those of them that say what the melody shall be: see `melodygru.network.conditions`. They have room for more."""
    columns = [Column("style", 16), Column("kind", 48)] if config.style else []
    if config.character:
        columns += [Column("scale", 16), *(Column(name, 12) for name in CHARACTER)]
    if config.chords:
        columns += [Column("chord", CHORD_DEGREES), Column("chord_quality", 16)]
        columns += [Column("next_chord", CHORD_DEGREES), Column("next_chord_quality", 16)]
        columns += [Column("chord_lasts", 12), Column("previous_chord_degree", CHORD_DEGREES)]
    return tuple(columns)


def candidate_columns(config: ContextConfig, max_duration: int) -> tuple[Column, ...]:
    """The columns that each of the `config.candidates` candidates has, one candidate after the other."""
    columns = [Column("interval", INTERVALS), Column("duration", max_duration + 1), Column("run", RUNS)]
    if config.chords:
        columns.insert(1, Column("chord_degree", CHORD_DEGREES))
    if config.key:
        columns.insert(1, Column("degree", DEGREES))
    return tuple(columns)


def metre_index(time_signature: TimeSignature) -> int:
    """The metre's place in `METRES`; rare ones share the last."""
    name = str(time_signature)
    return METRES.index(name) if name in METRES else len(METRES) - 1


def _interval_table() -> IntArray:
    pitches, references = np.arange(START + 1)[:, None], np.arange(REST + 1)[None, :]
    steps = np.clip(pitches - references, -LARGEST_INTERVAL, LARGEST_INTERVAL) + LARGEST_INTERVAL
    # The last column, which -1 is the index of too, is that of no reference.
    steps = np.where(references == REST, INTERVALS - 1, steps)
    return np.where(pitches < REST, steps, np.minimum(pitches - REST + INTERVALS - 3, INTERVALS - 1))


def _degree_table() -> IntArray:
    pitches, tonics = np.arange(START + 1)[:, None], np.arange(12)[None, :]
    return np.where(pitches < REST, (pitches - tonics) % 12, np.minimum(pitches - REST + 12, DEGREES - 1))


INTERVAL_TABLE, DEGREE_TABLE = _interval_table(), _degree_table()
"""(START + 1, REST + 1) classes of each pitch class above each reference, the last of which is none; (START + 1, 12) of
each pitch class in keys with each tonic.
"""


def intervals(pitches: IntArray, reference: IntArray) -> IntArray:
    """Interval classes, in [0, INTERVALS), of pitch classes above a reference pitch (-1: none)."""
    return INTERVAL_TABLE[pitches, reference]


def degrees(pitches: IntArray, tonic: IntArray) -> IntArray:
    """Degree classes, in [0, DEGREES), of pitch classes in keys with these tonics."""
    return DEGREE_TABLE[pitches, tonic]
