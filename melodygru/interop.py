"""Melody -> the objects that other Python code takes: pretty_midi's and music21's.

Both libraries are imported when they are asked for, and not before. To write MIDI files
use `Melody.save`: these objects round times, and their files do not end on the bar line.
"""

from __future__ import annotations

import warnings
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from melodygru.melody import Melody
from melodygru.notation.note_values import Symbol, written_bars
from melodygru.notation.spelling import Spelling, spell
from melodygru.theory import STEPS_PER_QUARTER, Key

if TYPE_CHECKING:
    import music21
    import pretty_midi

_VELOCITY = 84
_TYPES = {0: "breve", 1: "whole", 2: "half", 4: "quarter", 8: "eighth", 16: "16th", 32: "32nd", 64: "64th"}
"""What music21 calls the values of `melodygru.notation.note_values.Symbol.base`."""


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

    A pickup is measure 0, as short as it is. Notes and rests have the values that a musician would write, with ties and
    triplets (`melodygru.notation.note_values`); `stripTies` joins them. Beams are music21's affair, when it shows or
    writes the score; `melodygru.notation.engraving` writes MusicXML with beams and line breaks.
    """
    from music21 import key, metadata, meter, stream, tempo

    part = stream.Part()
    part.partName = melody.name or "Melody"
    names = iter(spell([note.pitch for note in melody.notes], melody.key))
    name: Spelling | None = None
    for index, bar in enumerate(written_bars(melody)):
        measure = stream.Measure(number=bar.number)
        if index == 0:
            measure.paddingLeft = _quarters(melody.time_signature.bar_steps - (bar.end - bar.start))
            measure.timeSignature = meter.TimeSignature(str(melody.time_signature))
            measure.keySignature = key.Key(melody.key.tonic_name.replace("b", "-"), melody.key.mode)
            measure.insert(0, tempo.MetronomeMark(number=melody.qpm, referent=1.0))
        for symbol in bar.symbols:
            if symbol.pitch is not None and not symbol.tied_from:
                name = next(names)
            measure.insert(_quarters(symbol.onset - bar.start), _element(symbol, name))
        part.append(measure)

    score = stream.Score()
    score.metadata = metadata.Metadata(title=melody.name or None)
    score.insert(0, part)
    return score


def _quarters(steps: int) -> Fraction:
    return Fraction(steps, STEPS_PER_QUARTER)


def _element(symbol: Symbol, name: Spelling | None) -> Any:
    """A rest, or a note as it is spelled, with its ties."""
    from music21 import duration, note, pitch, tie

    element: Any
    if symbol.pitch is None:
        element = note.Rest()
    else:
        assert name is not None, "every note was spelled"
        spelled = pitch.Pitch(name.letter)
        spelled.octave = name.octave
        if name.alter:
            spelled.accidental = pitch.Accidental(name.alter)
        element = note.Note(spelled)
    if symbol.whole_bar:
        element.quarterLength = _quarters(symbol.duration)
        element.fullMeasure = True
        return element
    length = duration.Duration(_TYPES[symbol.base], dots=symbol.dots)
    if symbol.triplet is not None:
        edges = symbol.onset == symbol.triplet[0], symbol.end == symbol.triplet[1]
        kind = {(True, True): "startStop", (True, False): "start", (False, True): "stop"}.get(edges)
        length.appendTuplet(duration.Tuplet(3, 2, type=kind))
    element.duration = length
    if symbol.tied_from or symbol.tied:
        element.tie = tie.Tie("continue" if symbol.tied_from and symbol.tied else "start" if symbol.tied else "stop")
    return element
