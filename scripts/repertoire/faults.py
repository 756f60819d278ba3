"""What is no melody to learn from: scraps, one note again and again, an accompaniment that was taken for the melody."""

from __future__ import annotations

from itertools import pairwise
from statistics import median

from melodygru.formats.midi.extraction import ExtractionConfig
from melodygru.music.melody import Melody
from repertoire.pieces import Piece

FEWEST_NOTES = ExtractionConfig().min_notes
FEWEST_BARS = 4
"""Shorter ones are scraps between two rests, with no phrase in them."""
FEWEST_PITCHES = 4
MOST_SAME = 0.6
"""Share of notes, in [0, 1], that only strike the one before again: recitation, drums, pulses."""
FEWEST_DIFFERENT_BARS, OSTINATO_BARS = 3, 8
"""A piece of that many bars or more needs so many different ones."""
LOWEST = 50
"""MIDI pitch under which the middle of a piece is a bass or a low guitar's riff; basses sing higher."""


def fault(piece: Piece) -> str:
    """Why a piece is left out; "" where it is kept."""
    melody = piece.melody
    pitches = [note.pitch for note in melody.notes]
    if len(pitches) < FEWEST_NOTES:
        return f"fewer than {FEWEST_NOTES} notes"
    if melody.bars < FEWEST_BARS:
        return f"shorter than {FEWEST_BARS} bars"
    if len(pitches) < melody.bars:
        return "less than a note a bar"
    if len(set(pitches)) < FEWEST_PITCHES:
        return f"fewer than {FEWEST_PITCHES} pitches"
    if sum(one == two for one, two in pairwise(pitches)) > MOST_SAME * (len(pitches) - 1):
        return "one pitch again and again"
    if melody.bars >= OSTINATO_BARS and _different_bars(melody) < FEWEST_DIFFERENT_BARS:
        return "an ostinato"
    if median(pitches) < LOWEST:
        return "a bass"
    return ""


def _different_bars(melody: Melody) -> int:
    """How many bars that sound differ from all others."""
    size = melody.time_signature.bar_steps
    bars: dict[int, list[tuple[int, int]]] = {}
    for note in melody.notes:
        bars.setdefault(note.onset // size, []).append((note.onset % size, note.pitch))
    return len(set(map(tuple, bars.values())))
