"""What can be measured in a piece of what a melody shall be, as the network is told it: see `conditions`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from melodygru.music.chords import ChordSpan
from melodygru.network.conditions import Character, Conditions, measured, measured_scale
from melodygru.network.tokenizer import Events


class Known(NamedTuple):
    """What is known of a piece: its conditions, with the character of each phrase; and its character as a whole."""

    conditions: Conditions
    whole: Character


def known_of(events: Events, style: str = "", kind: str = "", chords: Sequence[ChordSpan] = ()) -> Known:
    """What is known of a piece by its events, and by what it comes with."""
    meta = events.meta
    metre, key = meta.time_signature, meta.key
    told = (events.durations, events.pitches, metre.bar_steps, metre.beat_steps, meta.bars, meta.has_pickup)
    scale = measured_scale(events.durations, events.pitches, key.tonic, key.mode)
    whole = measured(*told, phrase_bars=meta.bars)[0]
    return Known(Conditions(style, kind, scale, measured(*told), tuple(chords)), whole)
