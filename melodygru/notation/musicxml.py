"""A melody as MusicXML 4.0, for notation programs: https://www.w3.org/2021/06/musicxml40/.

Everything that is seen is said: values, beams, triplets, accidentals, clef, line breaks. Durations are steps of the
grid.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree

from melodygru.chords import ChordSpan
from melodygru.melody import Melody
from melodygru.notation.beams import beams
from melodygru.notation.chord_symbols import add_harmony, changes, chords_in
from melodygru.notation.note_values import Bar, Symbol, written_bars
from melodygru.notation.spelling import Spelling, accidentals, spell
from melodygru.theory import STEPS_PER_QUARTER, TimeSignature

_DOCTYPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 '
    'Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">\n'
)
_TYPES = {0: "breve", 1: "whole", 2: "half", 4: "quarter", 8: "eighth"}
_TYPES |= {16: "16th", 32: "32nd", 64: "64th"}
_ACCIDENTALS = {-1: "flat", 0: "natural", 1: "sharp"}
_LINE = 34
"""Notes and rests that a line of a page holds at ease."""

CLEFS = (("G", 2, 0), ("F", 4, 0), ("G", 2, -1), ("G", 2, 1), ("F", 4, -1), ("G", 2, 2), ("F", 4, -2))
"""Clefs that are chosen from, as sign, line, and octaves that they sound higher; the first that fit are liked best."""
_LOWEST_LINE = {"G": 30, "F": 18}
_COST = (0.0, 0.1, 0.9, 1.0, 1.0, 1.3, 1.3)
_LETTER_STEPS = "CDEFGAB"


def musicxml(melody: Melody, chords: Sequence[ChordSpan] = (), *, for_verovio: bool = False) -> bytes:
    """The melody as an uncompressed MusicXML file; chord symbols stand where the harmony changes.

    `for_verovio` leaves out what Verovio draws at the wrong place (the tempo, below chord symbols) or twice (what is
    added to a chord).
    """
    score = ElementTree.Element("score-partwise", version="4.0")
    if title := readable(melody.name):
        _text(ElementTree.SubElement(score, "work"), "work-title", title)
    _text(ElementTree.SubElement(ElementTree.SubElement(score, "identification"), "encoding"), "software", "melodygru")
    listed = ElementTree.SubElement(ElementTree.SubElement(score, "part-list"), "score-part", id="P1")
    ElementTree.SubElement(listed, "part-name", {"print-object": "no"}).text = "Melody"
    part = ElementTree.SubElement(score, "part", id="P1")
    bars = written_bars(melody)
    names = iter(spell([note.pitch for note in melody.notes], melody.key))
    breaks, changing = line_breaks(bars), changes(chords)
    name: Spelling | None = None
    for index, bar in enumerate(bars):
        spelled: list[Spelling | None] = []
        for symbol in bar.symbols:
            if symbol.pitch is not None and not symbol.tied_from:
                name = next(names)
            spelled.append(None if symbol.pitch is None else name)
        measure = ElementTree.SubElement(part, "measure", number=str(bar.number))
        if bar.number == 0:
            measure.set("implicit", "yes")
        if index in breaks:
            ElementTree.SubElement(measure, "print", {"new-system": "yes"})
        if index == 0:
            _attributes(measure, melody)
            if not for_verovio:
                _tempo(measure, melody)
        _fill(measure, bar, spelled, melody, chords_in(bar, changing), not for_verovio)
        if index + 1 == len(bars):
            line = ElementTree.SubElement(measure, "barline", location="right")
            _text(line, "bar-style", "light-heavy")
    ElementTree.indent(score, " ")
    return _DOCTYPE.encode() + ElementTree.tostring(score, encoding="utf-8") + b"\n"


def mxl(melody: Melody, chords: Sequence[ChordSpan] = ()) -> bytes:
    """The melody as a compressed MusicXML file; the same bytes each time."""
    container = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<container><rootfiles><rootfile full-path="score.musicxml" '
        'media-type="application/vnd.recordare.musicxml+xml"/></rootfiles></container>\n'
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (
            ("META-INF/container.xml", container.encode()),
            ("score.musicxml", musicxml(melody, chords)),
        ):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def readable(text: str) -> str:
    """Text on one line, without what XML cannot hold."""
    return " ".join(re.sub("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text).split())


def line_breaks(bars: Sequence[Bar]) -> set[int]:
    """Indices of bars that begin a new line: four to a line, or fewer where they are full; a pickup comes on top."""
    first = 1 if bars and bars[0].number == 0 else 0
    full = len(bars) - first
    for size in (4, 3, 2, 1):
        starts = range(first, len(bars), size)
        fullest = max((sum(len(bar.symbols) for bar in bars[at : at + size]) for at in starts), default=0)
        if fullest <= _LINE and not (size == 3 and full % 4 == 0 and full % 3):
            break
    return set(starts[1:])


def clef_of(melody: Melody) -> tuple[str, int, int]:
    """The clef of `CLEFS` that needs fewest ledger lines, weighed by duration; treble and bass rather than others."""
    total = sum(note.duration for note in melody.notes) or 1
    steps = [
        (_LETTER_STEPS.index(one.letter) + 7 * one.octave, note.duration / total)
        for one, note in zip(spell([note.pitch for note in melody.notes], melody.key), melody.notes, strict=True)
    ]

    def ledgers(clef: tuple[str, int, int]) -> float:
        low = _LOWEST_LINE[clef[0]] + 7 * clef[2]
        lines = [(max(low - step, step - low - 8, 0) // 2, weight) for step, weight in steps]
        return sum(count * weight for count, weight in lines) + 0.15 * max((count for count, _ in lines), default=0)

    return min(zip(CLEFS, _COST, strict=True), key=lambda pair: ledgers(pair[0]) + pair[1])[0]


def tempo_unit(metre: TimeSignature, qpm: float) -> tuple[str, int, float]:
    """What a tempo counts, its dots, and how many a minute: the felt beat if that comes out even, else quarters."""
    if metre.is_compound and metre.denominator == 8 and abs(qpm / 1.5 - round(qpm / 1.5)) < 1e-6:
        return "quarter", 1, round(qpm / 1.5)
    if metre.denominator == 2 and qpm / 2 == round(qpm / 2):
        return "half", 0, qpm / 2
    return "quarter", 0, qpm


def number(value: float) -> str:
    """A number without needless zeros, to three places."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _text(parent: ElementTree.Element, tag: str, text: object) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, tag)
    child.text = str(text)
    return child


def _attributes(measure: ElementTree.Element, melody: Melody) -> None:
    attributes = ElementTree.SubElement(measure, "attributes")
    _text(attributes, "divisions", STEPS_PER_QUARTER)
    key = ElementTree.SubElement(attributes, "key")
    _text(key, "fifths", melody.key.fifths)
    _text(key, "mode", melody.key.mode)
    time = ElementTree.SubElement(attributes, "time")
    _text(time, "beats", melody.time_signature.numerator)
    _text(time, "beat-type", melody.time_signature.denominator)
    sign, line, octaves = clef_of(melody)
    clef = ElementTree.SubElement(attributes, "clef")
    _text(clef, "sign", sign)
    _text(clef, "line", line)
    if octaves:
        _text(clef, "clef-octave-change", octaves)


def _tempo(measure: ElementTree.Element, melody: Melody) -> None:
    unit, dots, rate = tempo_unit(melody.time_signature, melody.qpm)
    direction = ElementTree.SubElement(measure, "direction", placement="above")
    metronome = ElementTree.SubElement(ElementTree.SubElement(direction, "direction-type"), "metronome")
    _text(metronome, "beat-unit", unit)
    for _ in range(dots):
        ElementTree.SubElement(metronome, "beat-unit-dot")
    _text(metronome, "per-minute", number(rate))
    ElementTree.SubElement(direction, "sound", tempo=number(melody.qpm))


def _fill(
    measure: ElementTree.Element,
    bar: Bar,
    names: Sequence[Spelling | None],
    melody: Melody,
    chords: Mapping[int, ChordSpan],
    degrees: bool,
) -> None:
    """Put a bar's symbols into its measure, and chord symbols before the notes that they begin with or within."""
    sounding = [(name, symbol.tied_from) for symbol, name in zip(bar.symbols, names, strict=True) if name is not None]
    shown = iter(accidentals(sounding, melody.key))
    joined = beams(bar, melody.time_signature)
    for index, (symbol, name) in enumerate(zip(bar.symbols, names, strict=True)):
        for at, span in chords.items():
            if symbol.onset <= at < symbol.end:
                add_harmony(measure, span, at - symbol.onset, degrees)
        note = _note(measure, symbol, name, name is not None and next(shown), joined[index])
        _notations(note, symbol, _has_own_beam(bar, joined, index))


def _note(
    measure: ElementTree.Element, symbol: Symbol, name: Spelling | None, accidental: bool, beam: tuple[str, ...]
) -> ElementTree.Element:
    note = ElementTree.SubElement(measure, "note")
    if name is None:
        rest = ElementTree.SubElement(note, "rest")
        if symbol.whole_bar:
            rest.set("measure", "yes")
    else:
        pitch = ElementTree.SubElement(note, "pitch")
        _text(pitch, "step", name.letter)
        if name.alter:
            _text(pitch, "alter", name.alter)
        _text(pitch, "octave", name.octave)
    _text(note, "duration", symbol.duration)
    for kind in _ties(symbol):
        ElementTree.SubElement(note, "tie", type=kind)
    _text(note, "voice", 1)
    if not symbol.whole_bar:
        _text(note, "type", _TYPES[symbol.base])
        for _ in range(symbol.dots):
            ElementTree.SubElement(note, "dot")
    if accidental and name is not None:
        _text(note, "accidental", _ACCIDENTALS[name.alter])
    if symbol.triplet is not None:
        changed = ElementTree.SubElement(note, "time-modification")
        _text(changed, "actual-notes", 3)
        _text(changed, "normal-notes", 2)
    for level, kind in enumerate(beam, 1):
        ElementTree.SubElement(note, "beam", number=str(level)).text = kind
    return note


def _ties(symbol: Symbol) -> list[str]:
    return ["stop"] * symbol.tied_from + ["start"] * symbol.tied


def _notations(note: ElementTree.Element, symbol: Symbol, own_beam: bool) -> None:
    """The ties of a note, and the edges of a triplet: a bracket, but for one whose notes have a beam of their own."""
    window = symbol.triplet
    begins, ends = window is not None and symbol.onset == window[0], window is not None and symbol.end == window[1]
    if not (symbol.tied_from or symbol.tied or begins or ends):
        return
    notations = ElementTree.SubElement(note, "notations")
    for kind in _ties(symbol):
        ElementTree.SubElement(notations, "tied", type=kind)
    if begins:
        ElementTree.SubElement(notations, "tuplet", type="start", bracket="no" if own_beam else "yes")
    if ends:
        ElementTree.SubElement(notations, "tuplet", type="stop")


def _has_own_beam(bar: Bar, joined: Sequence[tuple[str, ...]], first: int) -> bool:
    """Whether the triplet that begins at the symbol `first` is a beam from end to end."""
    inside = [index for index, symbol in enumerate(bar.symbols) if symbol.triplet == bar.symbols[first].triplet]
    outer = [joined[index][0] if joined[index] else "" for index in inside]
    return outer == ["begin", *["continue"] * (len(outer) - 2), "end"]
