"""A melody as MusicXML 4.0, for notation programs: https://www.w3.org/2021/06/musicxml40/.

music21 writes it, from a score in which everything that is seen is said: values, beams, triplets, accidentals, clef,
chord symbols, line breaks. Of its own notation it makes nothing. Durations are steps of the grid. music21 is imported
when a score is asked for.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from melodygru.formats.notation.bass_staff import bass_line, bass_part
from melodygru.formats.notation.beams import beams
from melodygru.formats.notation.chord_symbols import changes, chords_in, harmony_of
from melodygru.formats.notation.interop import to_music21
from melodygru.formats.notation.note_values import Bar, written_bars
from melodygru.music.chords import ChordSpan
from melodygru.music.melody import Melody
from melodygru.music.theory import STEPS_PER_QUARTER, TimeSignature
from melodygru.music.tracks import Track

if TYPE_CHECKING:
    import music21


_DOCTYPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 4.0 '
    'Partwise//EN" "http://www.musicxml.org/dtds/partwise.dtd">\n'
)
_LINE = 34
"""Notes and rests that a line of a page holds at ease."""
_BEAMS = {
    "begin": ("start", None),
    "continue": ("continue", None),
    "end": ("stop", None),
    "forward hook": ("partial", "right"),
    "backward hook": ("partial", "left"),
}
"""MusicXML's names of beams -> music21's type and direction."""


def musicxml(
    melody: Melody, chords: Sequence[ChordSpan] = (), bass: Track | None = None, *, for_verovio: bool = False
) -> bytes:
    """The melody as an uncompressed MusicXML file; chord symbols stand where the harmony changes.

    A `bass` stands on a staff of its own under it.

    `for_verovio` leaves out what Verovio draws at the wrong place (the tempo, below chord symbols) or twice (what is
    added to a chord).
    """
    from music21.musicxml.m21ToXml import ScoreExporter

    root = ScoreExporter(_notated(melody, chords, bass, for_verovio), makeNotation=False).parse()
    _finish(root)
    ElementTree.indent(root, " ")
    return _DOCTYPE.encode() + ElementTree.tostring(root, encoding="utf-8") + b"\n"


def mxl(melody: Melody, chords: Sequence[ChordSpan] = (), bass: Track | None = None) -> bytes:
    """The melody as a compressed MusicXML file; the same bytes each time."""
    container = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<container><rootfiles><rootfile full-path="score.musicxml" '
        'media-type="application/vnd.recordare.musicxml+xml"/></rootfiles></container>\n'
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (
            ("META-INF/container.xml", container.encode()),
            ("score.musicxml", musicxml(melody, chords, bass)),
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


def _notated(
    melody: Melody, chords: Sequence[ChordSpan], bass: Track | None, for_verovio: bool
) -> music21.stream.Score:
    """The score of `to_music21`, with beams, chord symbols, line breaks and a head for the page."""
    from music21 import duration, layout

    bass = bass if bass is not None and bass.strokes else None
    score = to_music21(melody)
    score.metadata.title = readable(melody.name) or None
    score.definesExplicitSystemBreaks = True
    [part] = score.parts
    _name(part, "Melody", "P1", bass is not None)
    measures = list(part.getElementsByClass("Measure"))
    [mark] = measures[0].getElementsByClass("MetronomeMark")
    if for_verovio:
        measures[0].remove(mark)
    else:
        unit, dots, rate = tempo_unit(melody.time_signature, melody.qpm)
        mark.placement = "above"
        mark.referent = duration.Duration(unit, dots=dots)
        mark.number = float(number(rate))
        mark.numberSounding = melody.qpm / float(mark.referent.quarterLength)
    bars, changing = written_bars(melody), changes(chords)
    fullest = bars
    if bass is not None:
        line = bass_line(melody, bass)
        below, under = bass_part(line), written_bars(line)
        _name(below, line.name, "P2", True)
        _beam(below.getElementsByClass("Measure")[bool(line.pickup) :], under[bool(line.pickup) :], melody)
        score.insert(0, below)
        score.insert(0, layout.StaffGroup([part, below], symbol="bracket", barTogether=True))
        fullest = [max(pair, key=lambda bar: len(bar.symbols)) for pair in zip(bars, under, strict=True)]
    _beam(measures, bars, melody)
    breaks = line_breaks(fullest)
    for index, (measure, bar) in enumerate(zip(measures, bars, strict=True)):
        if index in breaks:
            measure.insert(0, layout.SystemLayout(isNew=True))
        for step, span in chords_in(bar, changing).items():
            measure.insert((step - bar.start) / STEPS_PER_QUARTER, _symbol(span, not for_verovio))
    return score


def _name(part: music21.stream.Part, name: str, number: str, shown: bool) -> None:
    """What a part is called, and whether that is printed."""
    from music21 import instrument

    part.partName = name
    part.style.printPartName = shown
    player = instrument.Instrument()
    player.partId = number
    part.insert(0, player)


def _beam(measures: Iterable[Any], bars: Iterable[Bar], melody: Melody) -> None:
    """Beams, and brackets of triplets that have none of their own."""
    for measure, bar in zip(measures, bars, strict=True):
        joined = beams(bar, melody.time_signature)
        for at, element in enumerate(measure.notesAndRests):
            for kind in joined[at]:
                element.beams.append(*_BEAMS[kind])
            if element.duration.tuplets:
                element.duration.tuplets[0].bracket = not _has_own_beam(bar, joined, at)


def _symbol(span: ChordSpan, degrees: bool) -> Any:
    """A chord symbol, with what is added to its kind, or without."""
    from music21 import harmony

    if span.chord is None:
        return harmony.NoChord()
    said = harmony_of(span.chord)
    bass = said.bass.replace("b", "-") or None
    symbol = harmony.ChordSymbol(root=said.root.replace("b", "-"), bass=bass, kind=said.kind, kindStr=said.text)
    for what, degree, alter in said.degrees if degrees else ():
        symbol.addChordStepModification(harmony.ChordStepModification(what, degree, alter))
    return symbol


def _finish(root: ElementTree.Element) -> None:
    """Correct what music21 cannot be told to write otherwise."""
    # It counts 10080 to a quarter, and steps are what this project counts; places of chords it rounds down.
    per_step = int(root.findtext("part/measure/attributes/divisions", "0")) // STEPS_PER_QUARTER
    for tag in ("divisions", "duration", "offset"):
        for one in root.iter(tag):
            one.text = str(round(int(one.text or 0) / per_step))
    # Its version and the day would make other bytes of the same melody; nobody of the name Music21 composed it.
    identification = root.find("identification")
    assert identification is not None, "music21 always says who encoded"
    identification.clear()
    encoding = ElementTree.SubElement(identification, "encoding")
    for software in ("melodygru", "music21"):
        ElementTree.SubElement(encoding, "software").text = software
    for tag in ("beam", "accidental"):
        ElementTree.SubElement(encoding, "supports", element=tag, type="yes")
    ElementTree.SubElement(encoding, "supports", element="print", attribute="new-system", type="yes", value="yes")
    # It repeats the title as that of a movement, or makes one up; the size of a page is the reader's affair.
    for tag in ("movement-title", "defaults"):
        for one in root.findall(tag):
            root.remove(one)
    # It draws lines of comments between measures.
    for parent in (root, *root.iter("part")):
        for one in [child for child in parent if child.tag is ElementTree.Comment]:
            parent.remove(one)
    for harmony in root.iter("harmony"):
        _finish_harmony(harmony)
    for measure in root.iter("measure"):
        _move_harmonies(measure)


def _finish_harmony(harmony: ElementTree.Element) -> None:
    # It places chords, but not the lack of one.
    harmony.set("placement", "above")
    # It leaves out an empty text, and without one programs write what they like, such as CM for C major.
    kind = harmony.find("kind")
    assert kind is not None, "a chord symbol has a kind"
    kind.set("text", kind.get("text", ""))
    # It counts the inversion on chords as it voices them; the bass says it all.
    for one in harmony.findall("inversion"):
        harmony.remove(one)
    # It cannot hide degrees, which the kind's text says already.
    for one in harmony.findall("degree"):
        one.set("print-object", "no")


def _move_harmonies(measure: ElementTree.Element) -> None:
    """Put the chord symbols that begin within a note before it, with an offset of so many steps.

    music21 has them after the note, with an offset back, and Verovio would draw all of them at one place.
    """
    found: list[ElementTree.Element] = []
    note = 0
    for child in measure:
        if child.tag == "note":
            note = len(found)
        offset = child.find("offset")
        back = 0 if offset is None else int(offset.text or 0)
        if offset is not None and back:
            offset.text = str(int(found[note].findtext("duration", "0")) + back)
            found.insert(note, child)
            note += 1
            continue
        if offset is not None:
            child.remove(offset)  # thirds of a beat, rounded
        found.append(child)
    measure[:] = found


def _has_own_beam(bar: Bar, joined: Sequence[tuple[str, ...]], member: int) -> bool:
    """Whether the triplet that the symbol `member` is part of has a beam from end to end, and of its own."""
    inside = [index for index, symbol in enumerate(bar.symbols) if symbol.triplet == bar.symbols[member].triplet]
    outer = [joined[index][0] if joined[index] else "" for index in inside]
    return outer == ["begin", *["continue"] * (len(outer) - 2), "end"]
