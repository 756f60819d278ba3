"""Melody -> the objects that other Python code takes: pretty_midi's and music21's.

Both libraries are imported when they are asked for, and not before. To write MIDI files
use `Melody.save`: these objects round times, and their files do not end on the bar line.
"""

from __future__ import annotations

import warnings
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from melodygru.melody import Melody
from melodygru.theory import STEPS_PER_QUARTER, Key

if TYPE_CHECKING:
    import music21
    import pretty_midi

_VELOCITY = 84


def to_pretty_midi(melody: Melody, program: int = 0) -> pretty_midi.PrettyMIDI:
    """The melody as one instrument (General MIDI `program` in [0, 128)), times in seconds.

    Metre, tempo and key are kept; a modal key goes by the major key of its signature, since
    MIDI has no other. A pickup begins after the silent part of its bar, as in files.
    """
    with warnings.catch_warnings():
        # pretty_midi 0.2 imports pkg_resources, which warns that it is deprecated.
        warnings.simplefilter("ignore")
        import pretty_midi

    seconds = 60.0 / melody.qpm / STEPS_PER_QUARTER
    result = pretty_midi.PrettyMIDI(resolution=480, initial_tempo=melody.qpm)
    metre = melody.time_signature
    result.time_signature_changes.append(pretty_midi.TimeSignature(metre.numerator, metre.denominator, 0.0))
    key = melody.key
    number = key.tonic + 12 if key.mode == "minor" else Key.from_fifths(key.fifths).tonic
    result.key_signature_changes.append(pretty_midi.KeySignature(number, 0.0))
    instrument = pretty_midi.Instrument(program, name=melody.name)
    instrument.notes = [
        pretty_midi.Note(_VELOCITY, note.pitch, note.onset * seconds, note.end * seconds) for note in melody.notes
    ]
    result.instruments.append(instrument)
    return result


def to_music21(melody: Melody) -> music21.stream.Score:
    """The melody as a score of one part: measures, key with its mode, metre, tempo, title.

    A pickup is measure 0, as short as it is. Notes are tied across bar lines and nowhere
    else; silence is written as rests to the end of the last bar. Beams are music21's affair,
    when it shows or writes the score.
    """
    from music21 import metadata, meter, stream, tempo

    key = _music21_key(melody.key)
    part = stream.Part()
    part.partName = melody.name or "Melody"
    bar = melody.time_signature.bar_steps
    # (pitch or None, start, end), without gaps: what sounds or is silent from the first bar line to the last.
    spans: list[tuple[int | None, int, int]] = []
    position = bar - melody.pickup if melody.pickup else 0
    for note in melody.notes:
        if note.onset > position:
            spans.append((None, position, note.onset))
        spans.append((note.pitch, note.onset, note.end))
        position = note.end
    if position < melody.length:
        spans.append((None, position, melody.length))

    for index, start in enumerate(range(0, melody.length, bar)):
        measure = stream.Measure(number=index + (0 if melody.pickup else 1))
        padding = bar - melody.pickup if melody.pickup and index == 0 else 0
        if index == 0:
            measure.paddingLeft = _quarters(padding)
            measure.timeSignature = meter.TimeSignature(str(melody.time_signature))
            measure.keySignature = key
            measure.insert(0, tempo.MetronomeMark(number=melody.qpm, referent=1.0))
        for pitch, span_start, span_end in spans:
            first, last = max(span_start, start), min(span_end, start + bar)
            if first < last:
                element = _element(pitch, first > span_start, last < span_end, key)
                element.quarterLength = _quarters(last - first)
                measure.insert(_quarters(first - start - padding), element)
        part.append(measure)

    score = stream.Score()
    score.metadata = metadata.Metadata(title=melody.name or None)
    score.insert(0, part)
    return score


def _quarters(steps: int) -> Fraction:
    return Fraction(steps, STEPS_PER_QUARTER)


def _element(pitch: int | None, goes_on_from: bool, goes_on: bool, key: Any) -> Any:
    """A rest, or a note tied to the bar before (`goes_on_from`) and the bar after (`goes_on`)."""
    from music21 import note, tie

    if pitch is None:
        return note.Rest()
    element = note.Note(_spelled(pitch, key))
    if goes_on_from or goes_on:
        element.tie = tie.Tie("continue" if goes_on_from and goes_on else "start" if goes_on else "stop")
    return element


def _music21_key(key: Key) -> Any:
    from music21 import key as music21_key

    return music21_key.Key(key.tonic_name.replace("b", "-"), key.mode)


def _spelled(midi_pitch: int, key: Any) -> Any:
    """The pitch as the key spells it: scale degrees by the signature, others sharp in sharp keys."""
    from music21 import pitch

    steps = [pitch.Pitch(step) for step in "CDEFGAB"]
    for step in steps:
        step.accidental = key.accidentalByStep(step.step)
    names = {step.pitchClass: step.name for step in steps}
    result = pitch.Pitch(midi=midi_pitch)
    if midi_pitch % 12 in names:
        result.name = names[midi_pitch % 12]
    elif result.accidental is not None and (result.accidental.alter > 0) != (key.sharps >= 0):
        result = result.getEnharmonic()
    # A change of name may cross the octave's border: B# is written in the octave below C.
    result.octave += (midi_pitch - int(result.midi)) // 12
    return result
