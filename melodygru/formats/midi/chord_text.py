"""The chords of a MIDI file as a text event, for chords that no recipe brings back.

Markers name chords to people and DAWs, yet other files have markers "A", "B", "C" that are sections. So what melodygru
puts under a melody stands in the file once more, as "@Ichords " and JSON: the steps of the melody from which
chords hold, and their symbols.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from melodygru.formats.midi.chunks import INFORMATION
from melodygru.music.chords import ChordSpan, spans_of

CHORDS_TEXT = f"{INFORMATION}chords "
_NO_CHORD = "N.C."


def text_of_chords(chords: Sequence[ChordSpan]) -> str:
    """The text event; each chord holds until the next."""
    told = [[span.onset, _NO_CHORD if span.chord is None else span.chord.symbol] for span in chords]
    return CHORDS_TEXT + json.dumps(told, separators=(",", ":"))


def chords_of_texts(texts: Sequence[str], length: int) -> tuple[ChordSpan, ...]:
    """The chords that a file's text events tell of a melody of `length` steps; none where they tell none that can be."""
    for text in texts:
        if text.startswith(CHORDS_TEXT):
            try:
                changes = [(int(step), str(symbol)) for step, symbol in json.loads(text[len(CHORDS_TEXT) :])]
            except (ValueError, TypeError, RecursionError):
                return ()
            return spans_of(sorted(changes, key=lambda change: change[0]), length)
    return ()
