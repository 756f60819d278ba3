"""Melody -> the objects that other Python code takes: pretty_midi's and music21's.

Both libraries are imported when they are asked for, and not before. To write MIDI files
use `Melody.save`: these objects round times, and their files do not end on the bar line.
"""

from __future__ import annotations

import warnings
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from melodygru.formats.notation.note_values import Symbol, written_bars
from melodygru.music.melody import Melody
from melodygru.music.spelling import LETTERS, Spelling, accidentals, spell
from melodygru.music.theory import STEPS_PER_QUARTER, Key

if TYPE_CHECKING:
    import music21
    import pretty_midi


_VELOCITY = 84
_TYPES = {0: "breve", 1: "whole", 2: "half", 4: "quarter", 8: "eighth", 16: "16th", 32: "32nd", 64: "64th"}
"""What music21 calls the values of `melodygru.formats.notation.note_values.Symbol.base`."""

CLEFS = (("G", 2, 0), ("F", 4, 0), ("G", 2, -1), ("G", 2, 1), ("F", 4, -1), ("G", 2, 2), ("F", 4, -2))
"""Clefs that are chosen from, as sign, line, and octaves that they sound higher; the first that fit are liked best."""
_LOWEST_LINE = {"G": 30, "F": 18}
_COST = (0.0, 0.1, 0.9, 1.0, 1.0, 1.3, 1.3)


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
    triplets (`melodygru.formats.notation.note_values`); `stripTies` joins them. Accidentals say whether they are shown.
    Beams are music21's affair, when it shows the score; `melodygru.formats.notation.musicxml` adds them, chords and
    line breaks.
    """
    from music21 import bar as bars
    from music21 import clef, key, metadata, meter, stream, tempo

    part = stream.Part()
    part.partName = melody.name or "Melody"
    names = iter(spell([note.pitch for note in melody.notes], melody.key))
    name: Spelling | None = None
    for index, bar in enumerate(written_bars(melody)):
        measure = stream.Measure(number=bar.number)
        if bar.number == 0:
            measure.showNumber = stream.enums.ShowNumber.NEVER
        if index == 0:
            sign, line, octaves = clef_of(melody)
            measure.clef = clef.clefFromString(f"{sign}{line}", octaves)
            measure.paddingLeft = _quarters(melody.time_signature.bar_steps - (bar.end - bar.start))
            measure.timeSignature = meter.TimeSignature(str(melody.time_signature))
            [tonic] = spell([melody.key.tonic], melody.key)  # of F locrian E#, as its six sharps have it
            measure.keySignature = key.Key(tonic.letter + ("", "#", "-")[tonic.alter], melody.key.mode)
            measure.insert(0, tempo.MetronomeMark(number=melody.qpm, referent=1.0))
        spelled: list[Spelling | None] = []
        for symbol in bar.symbols:
            if symbol.pitch is not None and not symbol.tied_from:
                name = next(names)
            spelled.append(None if symbol.pitch is None else name)
        sounding = [
            (one, symbol.tied_from) for symbol, one in zip(bar.symbols, spelled, strict=True) if one is not None
        ]
        shown = iter(accidentals(sounding, melody.key))
        for symbol, one in zip(bar.symbols, spelled, strict=True):
            element = _element(symbol, one, one is not None and next(shown))
            measure.insert(_quarters(symbol.onset - bar.start), element)
        part.append(measure)
    measure.rightBarline = bars.Barline("final")

    score = stream.Score()
    score.metadata = metadata.Metadata(title=melody.name or None)
    score.insert(0, part)
    return score


def clef_of(melody: Melody) -> tuple[str, int, int]:
    """The clef of `CLEFS` that needs fewest ledger lines, weighed by duration; treble and bass rather than others."""
    total = sum(note.duration for note in melody.notes) or 1
    steps = [
        (LETTERS.index(one.letter) + 7 * one.octave, note.duration / total)
        for one, note in zip(spell([note.pitch for note in melody.notes], melody.key), melody.notes, strict=True)
    ]

    def ledgers(clef: tuple[str, int, int]) -> float:
        low = _LOWEST_LINE[clef[0]] + 7 * clef[2]
        lines = [(max(low - step, step - low - 8, 0) // 2, weight) for step, weight in steps]
        return sum(count * weight for count, weight in lines) + 0.15 * max((count for count, _ in lines), default=0)

    return min(zip(CLEFS, _COST, strict=True), key=lambda pair: ledgers(pair[0]) + pair[1])[0]


def _quarters(steps: int) -> Fraction:
    return Fraction(steps, STEPS_PER_QUARTER)


def _element(symbol: Symbol, name: Spelling | None, accidental: bool) -> Any:
    """A rest, or a note as it is spelled, with its ties."""
    from music21 import duration, note, pitch, tie

    element: Any
    if symbol.pitch is None:
        element = note.Rest()
        element.fullMeasure = symbol.whole_bar
    else:
        assert name is not None, "every note was spelled"
        spelled = pitch.Pitch(name.letter)
        spelled.octave = name.octave
        if name.alter or accidental:
            spelled.accidental = pitch.Accidental(name.alter)
            spelled.accidental.displayStatus = accidental
        element = note.Note(spelled)
    if symbol.whole_bar:
        element.quarterLength = _quarters(symbol.duration)
        return element
    length = duration.Duration(_TYPES[symbol.base], dots=symbol.dots)
    if symbol.triplet is not None:
        edges = symbol.onset == symbol.triplet[0], symbol.end == symbol.triplet[1]
        kind = {(True, True): "startStop", (True, False): "start", (False, True): "stop"}.get(edges)
        third = duration.Tuplet(3, 2, type=kind)
        third.setDurationType(_quarters(symbol.triplet[1] - symbol.triplet[0]) / 2)
        third.placement = None  # on the side of the stems, which music21 puts above
        length.appendTuplet(third)
    element.duration = length
    if symbol.tied_from or symbol.tied:
        element.tie = tie.Tie("continue" if symbol.tied_from and symbol.tied else "start" if symbol.tied else "stop")
    return element
