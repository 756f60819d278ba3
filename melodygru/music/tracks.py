"""What sounds beside a melody: tracks of notes on its grid, several at a time.

Who plays what is made in `melodygru.arranging`; `melodygru.formats.midi.writer` writes it.
"""

from __future__ import annotations

from typing import NamedTuple

from melodygru.records import dataclass

CHORDS, BASS, DRUMS = PARTS = ("chords", "bass", "drums")
"""What may sound beside a melody, in the order of tracks."""


class Stroke(NamedTuple):
    """A note of a track: sounds in the half-open range of steps [onset, end) of the melody's grid.

    `pitch` is a MIDI note number in [0, 128), of drums General MIDI's percussion map; `louder` is by how much velocity
    it differs from a note of the melody that is off the beat.
    """

    onset: int
    end: int
    pitch: int
    louder: int


@dataclass(frozen=True)
class Track:
    """One part beside a melody.

    Attributes:
        part: one of `PARTS`; drums go to General MIDI's channel 10.
        program: General MIDI instrument less one, in [0, 128); of drums, the kit (0 is the standard one).
        strokes: in order of onset, then of pitch; of one pitch none sounds into the next.
    """

    part: str
    program: int
    strokes: tuple[Stroke, ...]

    @property
    def name(self) -> str:
        """What a DAW shows: "Chords"."""
        return self.part.capitalize()
