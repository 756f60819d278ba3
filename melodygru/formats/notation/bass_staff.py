"""A bass as a staff under the melody's."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from melodygru.formats.notation.interop import to_music21
from melodygru.music.melody import Melody, Note
from melodygru.music.tracks import Track

if TYPE_CHECKING:
    import music21


def bass_line(melody: Melody, bass: Track) -> Melody:
    """A bass as a melody of the same bars: one note at a time, the lowest of several, each cut where the next begins.

    Under a pickup, in which a bass is silent, stands a note where `bass_part` writes rests.
    """
    lowest = {stroke.onset: stroke for stroke in sorted(bass.strokes, key=lambda one: -one.pitch)}
    strokes = [lowest[onset] for onset in sorted(lowest) if onset < melody.length]
    ends = [*(min(one.end, two.onset) for one, two in pairwise(strokes)), *(one.end for one in strokes[-1:])]
    notes = [
        Note(one.pitch, one.onset, min(end, melody.length) - one.onset) for one, end in zip(strokes, ends, strict=True)
    ]
    if melody.pickup:
        bar = melody.time_signature.bar_steps
        notes = [note for note in notes if note.onset >= bar]
        notes.insert(0, Note(notes[0].pitch if notes else bass.strokes[0].pitch, bar - melody.pickup, melody.pickup))
    return Melody(tuple(notes), melody.time_signature, melody.key, melody.qpm, bass.name, melody.pickup, melody.bars)


def bass_part(line: Melody) -> music21.stream.Part:
    """The staff of a `bass_line`, without a tempo of its own."""
    from music21 import note

    [part] = to_music21(line).parts
    first = part.getElementsByClass("Measure")[0]
    for mark in list(first.getElementsByClass("MetronomeMark")):
        first.remove(mark)
    if line.pickup:
        for one in list(first.notes):
            first.replace(one, note.Rest(duration=one.duration))
    return part
