"""What is done to a melody when it is drawn: its last note held, what it began with cut off."""

from __future__ import annotations

from dataclasses import replace

from melodygru.music.melody import Melody
from melodygru.writing.candidates import Generated


def hold_last(melody: Melody, rests: bool) -> Melody:
    """The melody with its last note held to the last bar line, unless it was written with a rest after it (`rests`).

    Tunes with a pickup end early, to leave room for it when they are played again; a clip without one has a hole there.
    """
    if rests:
        return melody
    last = melody.notes[-1]
    return replace(melody, notes=(*melody.notes[:-1], replace(last, duration=melody.length - last.onset)))


def without_beginning(generated: Generated, begins: int) -> Generated:
    """All from the bar line at or before the step `begins` on, but for notes that begin earlier than that step."""
    melody = generated.melody
    bar = melody.time_signature.bar_steps
    start = begins // bar * bar
    notes = tuple(replace(note, onset=note.onset - start) for note in melody.notes if note.onset >= begins)
    chords = tuple(
        replace(span, onset=max(span.onset - start, 0), end=span.end - start)
        for span in generated.chords
        if span.end > start
    )
    cut = replace(melody, notes=notes, pickup=0, bars=(melody.length - start) // bar)
    return replace(generated, melody=cut, chords=chords)
