"""Scores: MusicXML, ABC and **kern, read as they are written, and refused in a sentence where they cannot be."""

import io
import json
import sys
import tempfile
import threading
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from melodygru import Key, Melody, Note, TimeSignature
from melodygru.cli.train_command import describe
from melodygru.data.collection import judge, read_collection
from melodygru.data.preparation import SHARD_FILES, in_shards
from melodygru.data.shards import Shard, read_shard
from melodygru.errors import FileError, MidiError
from melodygru.formats.midi.extraction import ExtractionConfig
from melodygru.formats.notation.interop import to_music21
from melodygru.formats.notation.musicxml import musicxml as written_as_musicxml
from melodygru.formats.reading import WHOLE, parse, read, read_melodies
from melodygru.formats.scores import cache as score_cache
from melodygru.formats.scores import melodies as scores
from melodygru.formats.scores.layout import METRE_OF_BARS
from melodygru.formats.scores.musicxml.harmony import NO_CHORD, chord_symbol
from melodygru.formats.scores.musicxml.reader import written_score
from melodygru.music.chords import QUALITIES, Chord, ChordSpan
from melodygru.network.config import TokenizerConfig
from melodygru.writing.editing import Tune
from melodygru.writing.primer import read_primer
from melodygru.writing.replay import packed_input
from tests.command_line import run
from tests.formats.scores.abc_book import BOOK
from tests.strategies import melodies
from tests.tunes import tune, write_tunes


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MELODYGRU_CACHE", str(tmp_path / "cache"))


def parse_melodies(data, name):
    return list(parse(data, name).melodies)


def note(step, octave, duration, more="", alter=0):
    sign = f"<alter>{alter}</alter>" if alter else ""
    pitch = f"<pitch><step>{step}</step>{sign}<octave>{octave}</octave></pitch>"
    return f"<note>{'<chord/>' if more == 'chord' else ''}{pitch}<duration>{duration}</duration>\
{'' if more == 'chord' else more}</note>"


REST = "<note><rest/><duration>{}</duration></note>"


def attributes(beats=4, beat_type=4, fifths=0, mode="", more=""):
    mode = f"<mode>{mode}</mode>" if mode else ""
    return (
        f"<attributes><divisions>12</divisions><key><fifths>{fifths}</fifths>{mode}</key>"
        f"<time><beats>{beats}</beats><beat-type>{beat_type}</beat-type></time>{more}</attributes>"
    )


def musicxml(*parts, title="A Tune"):
    """A score; each part is (name, measures)."""
    names = "".join(
        f'<score-part id="P{i}"><part-name>{name}</part-name></score-part>' for i, (name, _) in enumerate(parts)
    )
    music = "".join(
        f'<part id="P{i}">'
        + "".join(f'<measure number="{n}">{measure}</measure>' for n, measure in enumerate(measures, 1))
        + "</part>"
        for i, (_, measures) in enumerate(parts)
    )
    head = f"<work><work-title>{title}</work-title></work>" if title else ""
    return f'<?xml version="1.0"?><score-partwise>{head}<part-list>{names}</part-list>{music}</score-partwise>'.encode()


def one(*measures, **more):
    return musicxml(("Voice", measures), **more)


SCALE = "".join(note(step, 4, 12) for step in "CDEF")
BARS = [attributes() + SCALE, SCALE, SCALE]


def spans(melody):
    return [(note.pitch, note.onset, note.duration) for note in melody.notes]


def zipped(members, container=""):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        if container:
            archive.writestr("META-INF/container.xml", container)
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


@settings(max_examples=30)
@given(melodies(min_notes=1, max_notes=10, low=21, high=108))
def test_what_music21_writes_of_a_melody_is_read_back_the_same(melody):
    from music21.musicxml.m21ToXml import GeneralObjectExporter

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = GeneralObjectExporter(to_music21(melody)).parse()
    [found] = parse_melodies(data, "x.musicxml")
    assert found.qpm == pytest.approx(melody.qpm, abs=1e-6)
    assert found == replace(melody, name=melody.name or "x", qpm=found.qpm)


def test_key_metre_tempo_title_and_pickup_are_kept():
    tempo = "<direction><direction-type><metronome><beat-unit>half</beat-unit><per-minute>45</per-minute></metronome>\
</direction-type></direction>"
    head = attributes(3, 4, -1, "dorian") + tempo
    data = one(head + note("G", 4, 12), note("A", 4, 36), note("B", 4, 24), title="  A\ttune\n")
    [melody] = parse_melodies(data, "x.xml")
    assert melody == Melody(
        (Note(67, 48, 24), Note(69, 72, 72), Note(71, 144, 48)),
        TimeSignature(3, 4), Key.parse("G dorian"), 90.0, "A tune", 24, 2,
    )  # fmt: skip
    assert parse_melodies(one(*BARS, title=""), "folder/stem.musicxml")[0].name == "stem"


def test_a_signature_without_a_mode_is_heard():
    data = one(attributes(fifths=1) + "".join(note(s, 4, 12) for s in "EGBE"), "".join(note(s, 4, 12) for s in "GBEE"))
    assert parse_melodies(data, "x.xml")[0].key == Key.parse("E minor")
    stated = data.replace(b"</fifths>", b"</fifths><mode>major</mode>")
    assert parse_melodies(stated, "x.xml")[0].key == Key.parse("G major")


def test_where_other_parts_sound_the_bass_tells_the_mode_of_a_signature():
    """A song that ends on the fifth is no mixolydian tune, and a piece that is cut from it is in its key too."""
    voice = ["".join(note(step, 5, 12) for step in bar) for bar in ("EGFD", "CDEG", "GFED", "GGGG")]
    bass = ["".join(note(step, 3, 48) for step in bar) for bar in "CGGC"]
    data = musicxml(("Voice", [attributes() + voice[0], *voice[1:]]), ("Piano", [attributes() + bass[0], *bass[1:]]))
    assert parse_melodies(data, "x.xml")[0].key == Key.parse("C major")
    alone = musicxml(("Voice", [attributes() + voice[0], *voice[1:]]))
    assert parse_melodies(alone, "x.xml")[0].key == Key.parse("G mixolydian")
    rests = [REST.format(48)] * 3
    cut = musicxml(
        ("Voice", [attributes() + voice[2], voice[3], *rests, *voice[:2]]),
        ("Piano", [attributes() + note("C", 3, 48)] * 7),
    )
    found = parse(cut, "x.xml", ExtractionConfig()).melodies
    assert [(melody.bars, melody.key) for melody in found] == [(2, Key.parse("C major"))] * 2


@pytest.mark.parametrize("quality", dict.fromkeys(QUALITIES.values()))
def test_chord_symbols_that_we_write_are_read_back_where_they_stand(quality):
    name = next(text for text, tones in QUALITIES.items() if tones == quality)
    melody = Melody(tuple(Note(60 + i, 24 * i, 24) for i in range(16)))
    chords = [Chord.parse(f"{root}{name}{bass}") for root, bass in (("C", ""), ("F#", "/G"), ("Bb", "/Db"))]
    spans = [ChordSpan(0, 96, chords[0]), ChordSpan(96, 120, None), ChordSpan(120, 300, chords[1])]
    spans.append(ChordSpan(300, 384, chords[2]))
    placed, [one], _ = scores.placed_melodies(
        written_score(written_as_musicxml(melody, spans), zipped=False), ExtractionConfig()
    )
    told = [(one.steps(tick), None if symbol == NO_CHORD else Chord.parse(symbol)) for tick, symbol in placed.chords]
    wanted = [(span.onset, span.chord) for span in spans]
    assert [step for step, _ in told] == [step for step, _ in wanted]
    assert [chord and (chord.root, set(chord.tones), chord.bass) for _, chord in told] == [
        chord and (chord.root, set(chord.tones), chord.bass) for _, chord in wanted
    ]


@pytest.mark.parametrize(
    ("inside", "symbol"),
    [
        ("<root><root-step>E</root-step></root><kind text='mMaj7'>minor-major</kind>", "EmMaj7"),
        ("<root><root-step>G</root-step></root><kind>Neapolitan</kind>", None),
        ("<root><root-step>G</root-step><root-alter>2</root-alter></root><kind>major</kind>", None),
        ("<function>V</function><kind>major</kind>", None),
        ("<kind>none</kind>", "N.C."),
        (
            "<root><root-step>D</root-step><root-alter>-1.0</root-alter></root><kind>suspended-fourth</kind><degree>"
            "<degree-value>7</degree-value><degree-alter>0</degree-alter><degree-type>add</degree-type></degree>",
            "Db7sus4",
        ),
        (
            "<root><root-step>D</root-step></root><kind>dominant</kind><degree>"
            "<degree-value>99</degree-value><degree-alter>0</degree-alter><degree-type>add</degree-type></degree>",
            "D7",
        ),
    ],
)
def test_chord_symbols_of_other_programs(inside, symbol):
    assert chord_symbol(ElementTree.fromstring(f"<harmony>{inside}</harmony>")) == symbol


def test_chord_symbols_go_with_the_bars_that_are_repeated():
    symbol = "<harmony><root><root-step>{}</root-step></root><kind>major</kind></harmony>"
    end = '<barline location="right"><repeat direction="backward"/></barline>'
    bar = "".join(note(step, 4, 12) for step in "CDEF")
    data = one(attributes() + symbol.format("C") + bar, symbol.format("G") + bar + end, symbol.format("F") + bar)
    placed, _, _ = scores.placed_melodies(written_score(data, zipped=False), ExtractionConfig())
    assert [symbol for _, symbol in placed.chords] == ["C", "G", "C", "G", "F"]
    assert [tick for tick, _ in placed.chords] == list(placed.starts)


def test_ties_chords_grace_notes_triplets_and_chord_symbols():
    symbol = "<harmony><root><root-step>C</root-step></root><kind>major</kind></harmony>"
    triplet = "<time-modification><actual-notes>3</actual-notes><normal-notes>2</normal-notes></time-modification>"
    first = (
        attributes() + symbol
        + note("C", 4, 12) + note("E", 4, 12, "chord") + note("G", 4, 12, "chord")
        + "<note><grace/><pitch><step>B</step><octave>4</octave></pitch><type>eighth</type></note>"
        + "".join(note(step, 4, 4, triplet) for step in "DEF")
        + note("G", 4, 24, '<tie type="start"/>')
    )  # fmt: skip
    second = note("G", 4, 12, '<tie type="stop"/>') + note("G", 4, 36)
    [melody] = parse_melodies(one(first, second), "x.xml")
    assert spans(melody) == [(67, 0, 24), (62, 24, 8), (64, 32, 8), (65, 40, 8), (67, 48, 72), (67, 120, 72)]


@pytest.mark.parametrize(("actual", "normal", "lasts"), [(5, 4, 4), (7, 4, 3), (16, 16, 1), (32, 32, 1)])
def test_what_is_finer_than_the_grid_is_rounded_to_it(actual, normal, lasts):
    """Quintuplets and septuplets of a quarter, sixty-fourths, hundred-and-twenty-eighths."""
    numbers = f"<actual-notes>{actual}</actual-notes><normal-notes>{normal}</normal-notes>"
    each = f"<time-modification>{numbers}</time-modification>"
    divisions, steps = 4 * 5 * 7 * 32, "CDEFGAB"
    notes = "".join(note(steps[i % 7], 4, divisions // actual, each if actual < 16 else "") for i in range(actual))
    reading = parse(one(attributes().replace("12<", f"{divisions}<") + notes + note("C", 4, 3 * divisions)), "x.xml")
    [melody] = reading.melodies
    assert "values finer than the grid rounded to it" in reading.remarks
    assert melody.bars == 1
    assert melody.notes[-1] == Note(60, 24, 72)
    assert all(lasts <= n.duration <= lasts + 1 for n in melody.notes[:-1])
    if actual < 24:  # of what is shorter than a step, some notes fall together
        assert [n.pitch for n in melody.notes[:-1]] == [60 + (0, 2, 4, 5, 7, 9, 11)[i % 7] for i in range(actual)]


def barline(place, direction="", ending="", kind="start"):
    sign = f'<repeat direction="{direction}"/>' if direction else ""
    volta = f'<ending number="{ending}" type="{kind}"/>' if ending else ""
    return f'<barline location="{place}">{volta}{sign}</barline>'


def test_repeats_and_endings_are_written_out():
    bars = [
        attributes() + note("C", 4, 48),
        barline("left", "forward") + note("D", 4, 48),
        barline("left", "", "1") + note("E", 4, 48) + barline("right", "backward", "1", "stop"),
        barline("left", "", "2") + note("F", 4, 48) + barline("right", "", "2", "stop"),
        note("G", 4, 48),
    ]
    [melody] = parse_melodies(one(*bars), "x.xml")
    assert [note.pitch for note in melody.notes] == [60, 62, 64, 62, 65, 67]
    assert [note.onset for note in melody.notes] == [96 * i for i in range(6)]


def test_a_pickup_that_is_repeated_completes_the_last_bar():
    bars = [attributes() + note("C", 4, 12), note("D", 4, 48), note("E", 4, 36) + barline("right", "backward")]
    [melody] = parse_melodies(one(*bars), "x.xml")
    assert spans(melody) == [(60, 72, 24), (62, 96, 96), (64, 192, 72), (60, 264, 24), (62, 288, 96), (64, 384, 72)]
    assert (melody.pickup, melody.bars) == (24, 4)


def test_a_short_bar_is_filled_and_a_pickup_after_a_whole_bar_takes_its_time_from_the_last_note():
    again = [attributes() + note("D", 4, 48), note("E", 4, 36) + barline("right", "backward"), note("F", 4, 48)]
    reading = parse(one(*again), "x.xml")
    assert spans(reading.melodies[0]) == [(62, 0, 96), (64, 96, 96), (62, 192, 96), (64, 288, 96), (65, 384, 96)]
    assert reading.remarks == ("short bars filled",)
    late = [
        attributes() + note("C", 4, 48) + barline("right", "backward"),
        barline("left", "forward") + note("D", 4, 12),
        note("E", 4, 48) + barline("right", "backward"),
    ]
    [melody] = parse_melodies(one(*late), "x.xml")
    assert spans(melody)[1:] == [(60, 96, 72), (62, 168, 24), (64, 192, 72), (62, 264, 24), (64, 288, 96)]


def test_repeats_in_repeats_in_repeats_are_played_once():
    bars = [attributes() + barline("left", "forward") + SCALE]
    bars += [barline("left", "forward") + SCALE] * 30 + [SCALE + barline("right", "backward")] * 31
    reading = parse(one(*bars), "x.xml")
    assert reading.melodies[0].bars == 62
    assert reading.remarks == ("repeats not understood, played once",)


def test_more_repeats_than_anybody_plays_are_played_once():
    back = '<barline location="right"><repeat direction="backward" times="{}"/></barline>'
    often = [attributes() + SCALE] + [SCALE + back.format(2)] * 300
    [found] = parse_melodies(one(*often), "x.xml")
    assert found.bars == 2 * len(often)
    long = [attributes() + SCALE] + [SCALE] * 1_298 + [SCALE + back.format(16)]
    reading = parse(one(*long), "x.xml")
    assert reading.melodies[0].bars == len(long)
    assert "repeats not understood, played once" in reading.remarks


def test_metres_that_change_split_the_tune():
    three = attributes(3).replace("<divisions>12</divisions>", "") + "".join(note(s, 4, 12) for s in "GAB")
    found = parse_melodies(one(*BARS, three, "".join(note(s, 4, 12) for s in "CDE")), "x.xml")
    assert [(m.name, str(m.time_signature), len(m.notes)) for m in found] == [
        ("A Tune", "4/4", 12),
        ("A Tune #2", "3/4", 6),
    ]
    short = parse(one(*BARS, three), "x.xml", ExtractionConfig())
    assert [len(m.notes) for m in short.melodies] == [12], "three notes are no tune to learn from"


def test_bars_of_another_metre_than_the_one_named_are_refused():
    with pytest.raises(MidiError, match="bars of another metre"):
        parse(one(attributes(3) + SCALE, SCALE, SCALE, SCALE), "x.xml")
    bare = attributes().split("<time>")[0] + "</attributes>"
    reading = parse(one(bare + SCALE, SCALE, SCALE), "x.xml")
    assert str(reading.melodies[0].time_signature) == "4/4"
    assert reading.remarks == (METRE_OF_BARS,)
    with pytest.raises(MidiError, match="has no metre"):
        parse(one(bare + SCALE, SCALE + SCALE, SCALE, SCALE + note("C", 4, 7)), "x.xml")


def two_parts():
    high = ("Flute", [attributes() + "".join(note(s, 5, 12) for s in "CDEF"), "".join(note(s, 5, 12) for s in "GFED")])
    return musicxml(high, ("Soprano", [attributes() + SCALE, "".join(note(s, 4, 12) for s in "GGCC")]))


@pytest.mark.parametrize(
    ("track", "pitches"),
    [
        ("auto", [60, 62, 64, 65, 67, 67, 60, 60]),
        ("1", [72, 74, 76, 77, 79, 77, 76, 74]),
        ("flute", [72, 74, 76, 77, 79, 77, 76, 74]),
        ("skyline", [72, 74, 76, 77, 79, 77, 76, 74]),
    ],
)
def test_a_part_is_chosen_as_a_track_is(track, pitches):
    reading = parse(two_parts(), "x.xml", ExtractionConfig(track))
    assert [note.pitch for note in reading.melodies[0].notes] == pitches


def test_a_part_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(MidiError, match="no track 'Oboe' with notes; those with notes are: 1 Flute, 2 Soprano"):
        parse(two_parts(), "x.xml", ExtractionConfig("Oboe"))


def test_of_a_staff_with_two_voices_the_top_one_is_taken():
    low = "".join(note("C", 3, 24, "<voice>2</voice>") for _ in "12")
    high = "".join(note(step, 4, 12, "<voice>1</voice>") for step in "EFGA")
    bar = f"{high}<backup><duration>48</duration></backup>{low}"
    [melody] = parse_melodies(one(attributes() + bar, bar), "x.xml")
    assert [note.pitch for note in melody.notes] == [64, 65, 67, 69] * 2


def test_transposing_instruments_sound_as_they_do():
    down = "<transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose>"
    head = attributes(fifths=2, mode="major", more=down)
    [melody] = parse_melodies(one(head + note("D", 4, 48), note("E", 4, 48)), "x.xml")
    assert [note.pitch for note in melody.notes] == [60, 62]
    assert melody.key == Key.parse("C major")


def test_silence_belongs_to_a_tune_that_is_alone():
    alone = [attributes() + REST.format(48), SCALE, SCALE, REST.format(48)]
    [melody] = parse_melodies(one(*alone), "x.xml")
    assert (melody.notes[0].onset, melody.bars) == (96, 4)
    other = ("Piano", [attributes() + note("C", 3, 48)] + [note("C", 3, 48)] * 3)
    [melody] = parse_melodies(musicxml(("Voice", alone), other), "x.xml")
    assert (melody.notes[0].onset, melody.bars) == (0, 2)


UNPITCHED = "<note><unpitched/><duration>12</duration></note>"


@pytest.mark.parametrize(
    ("data", "name", "reason"),
    [
        (b"", "x.xml", "is empty"),
        (b"  \n", "x.abc", "is empty"),
        (b"<plist/>", "x.xml", "not MusicXML: its first element"),
        (b"<score-timewise/>", "x.xml", "has no notes"),
        (b"%PDF-1.4", "x.musicxml", "it is no XML"),
        (one(*BARS)[:-30], "x.xml", "broken XML, unclosed token (line 1, column 1388)"),
        (b'<!DOCTYPE x [<!ENTITY a "ha">]>' + b"<score-partwise/>", "x.xml", "declares entities"),
        (b'<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///x"> %p;]><score-partwise/>', "x.xml", "declares entities"),
        ('<!DOCTYPE x [<!ENTITY a "ha">]><score-partwise/>'.encode("utf-16"), "x.xml", "declares entities"),
        (b"<score-partwise/>", "x.xml", "has no notes"),
        (one(attributes() + REST.format(48)), "x.xml", "has no notes"),
        (one(attributes() + 4 * UNPITCHED), "x.xml", "only percussion"),
        (one(*BARS), "x.mxl", "not a zip file"),
        (zipped({"readme.txt": b"x"}), "x.mxl", "without a score"),
        (one(*BARS).replace(b">0</fifths>", b">99999999</fifths>"), "x.xml", "<fifths> larger"),
        (one(*BARS).replace(b">0</fifths>", b">many</fifths>"), "x.xml", "<fifths> that is no number"),
        (one(*BARS).replace(b"<beats>4<", b"<beats>99999999<"), "x.xml", "metre that cannot be read"),
        (one(*BARS).replace(b"<duration>12<", b"<duration>99999999<"), "x.xml", "a note longer"),
        (one(BARS[0] + 200 * note("C", 4, 12, "chord")), "x.xml", "more notes than"),
        (one(*BARS).replace(b"<octave>4<", b"<octave>11<"), "x.xml", "a pitch that MIDI does not know"),
        (one(BARS[0] + '<barline><repeat direction="backward" times="9999"/></barline>'), "x.xml", "more often"),
        (one(BARS[0].replace("<beats>", "<senza-misura/><beats>")), "x.xml", "senza misura"),
        (b"**recip\n4\n*-\n", "x.krn", "no **kern spine"),
        (b"**kern\n*M99999999/4\n4c\n*-\n", "x.krn", "which cannot be read, on line 2"),
        (b"**kern\n*M4/4\n=1\n4c\n4d\n4?x\n4e\n*-\n", "x.krn", "a token that is no note"),
        (b"**kern\n*M4/4\n" + 200 * b"4c " + b"\n*-\n", "x.krn", "more notes than"),
        (b"hello", "x.abc", "not ABC notation"),
        (b"x", "x.txt", "neither MIDI nor a score by its ending"),
        (b"x", "x.mid", "not a MIDI file"),
    ],
)  # fmt: skip
def test_bad_files_are_refused_in_a_sentence(data, name, reason):
    if reason is None:
        assert parse_melodies(data, name)
        return
    with pytest.raises(MidiError) as raised:
        parse(data, name)
    assert reason in str(raised.value)
    assert str(raised.value).endswith(".")


def test_elements_in_elements_without_end_do_no_harm():
    deep = f"{attributes()}{'<a>' * 100_000}{'</a>' * 100_000}{SCALE}"
    assert len(parse_melodies(one(deep, SCALE), "x.xml")) == 1


def test_a_zipped_score_is_the_one_that_its_container_names():
    container = '<container><rootfiles><rootfile full-path="b.xml"/></rootfiles></container>'
    data = zipped({"a.xml": one(*BARS, title="Not this"), "b.xml": one(*BARS, title="This")}, container)
    assert parse_melodies(data, "x.mxl")[0].name == "This"
    assert parse_melodies(zipped({"a.musicxml": one(*BARS)}), "x.MXL")[0].name == "A Tune"


def test_a_zipped_score_is_not_unpacked_beyond_measure(monkeypatch):
    data = zipped({"a.xml": b" " * 40_000_000})
    assert len(data) < 100_000
    with pytest.raises(MidiError, match="unpacks to over 32 MiB"):
        parse(data, "x.mxl")


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_that_python_would_unpack_at_one_go_is_refused(packing):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", packing) as archive:
        archive.writestr("a.xml", b" " * 1_000_000)
    with pytest.raises(MidiError, match="packed in another way"):
        parse(packed.getvalue(), "x.mxl")


KERN = b"""!!!OTL: A Chorale
**kern\t**kern
*Ibass\t*Isoprn
*M4/4\t*M4/4
*k[]\t*k[]
*d:dor\t*d:dor
*MM72\t*MM72
4D\t4d
=1\t=1
2D\t4f
.\t4e
2C\t[2d
=2\t=2
2.D\t4d]
.\t8.e
.\t16f
.\t4d
=:|!\t=:|!
1D\t4a
.\t2g
.\t4a
==\t==
*-\t*-
"""


def test_kern_is_read_with_its_mode_its_tempo_and_its_repeats():
    [melody] = parse_melodies(KERN, "x.krn")
    assert (melody.name, str(melody.key), melody.qpm, melody.pickup) == ("A Chorale", "D dorian", 72.0, 24)
    assert [note.pitch for note in melody.notes] == [62, 65, 64, 62, 64, 65, 62] * 2 + [69, 67, 69]
    assert [note.duration for note in melody.notes][:6] == [24, 24, 24, 72, 18, 6]


def test_several_movements_in_a_kern_file_are_several_melodies():
    found = parse_melodies(KERN + KERN.replace(b"A Chorale", b""), "x.krn")
    assert [melody.name for melody in found] == ["A Chorale", "x #2"]


def test_faults_of_one_thread_do_not_take_the_screen_from_another():
    before = sys.stderr
    threads = [threading.Thread(target=parse, args=(KERN, "x.krn")) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sys.stderr is before


def test_reading_a_score_again_needs_no_music21(tmp_path, monkeypatch):
    path = tmp_path / "x.xml"
    path.write_bytes(one(*BARS))
    broken = tmp_path / "y.xml"
    broken.write_bytes(b"<plist/>")
    first = read(path)
    with pytest.raises(MidiError) as raised:
        read(broken)
    assert str(raised.value).startswith(f"{broken} is not MusicXML")
    monkeypatch.setattr(scores, "musicxml_melodies", None)
    assert read(path) == first
    assert read_melodies(path) == list(first.melodies)
    with pytest.raises(MidiError, match=r"y\.xml is not MusicXML"):
        read(broken)
    for kept in (tmp_path / "cache").rglob("*.json"):
        kept.write_text(json.dumps({"melodies": [1]}))
    monkeypatch.undo()
    monkeypatch.setenv("MELODYGRU_CACHE", str(tmp_path / "cache"))
    assert read(path) == first, "a damaged cache is none"
    path.write_bytes(one(*BARS[:2]))
    assert read(path).melodies[0].bars == 2, "another score"


def test_the_cache_of_scores_does_not_grow_for_ever(monkeypatch, tmp_path):
    monkeypatch.setattr(score_cache, "_MOST", 10)
    for number in range(40):
        score_cache.store(f"aa{number:04}", MidiError("no"))
    assert len(list((tmp_path / "cache" / "scores" / "aa").iterdir())) <= 10


def test_music21_leaves_no_files_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", None)
    parse(one(*BARS), "x.xml"), parse(KERN, "x.krn"), parse(BOOK.encode(), "x.abc")
    assert not list((tmp_path / "tmp").rglob("*"))


@pytest.fixture
def folder(tmp_path):
    folder = write_tunes(tmp_path / "mixed", count=3, bars=8)
    (folder / "a.musicxml").write_bytes(one(*BARS))
    (folder / "b.MXL").write_bytes(zipped({"b.xml": one(*BARS, title="")}))
    (folder / "book.abc").write_bytes(BOOK.encode())
    (folder / "c.krn").write_bytes(KERN)
    (folder / "settings.xml").write_text("<plist/>")
    return folder


def test_a_folder_may_hold_midi_files_and_scores(folder):
    found = read_collection(folder)
    reasons = {verdict.path.name: verdict.reason for verdict in found.left_out}
    assert list(reasons) == ["settings.xml"]
    assert reasons["settings.xml"] == (
        "is not MusicXML: its first element is neither <score-partwise> nor <score-timewise>"
    )
    names = {"000", "001", "002", "A Tune", "b", "First", "Second", "A Chorale"}
    assert {melody.name for melody in found.pieces} == names
    assert judge(folder / "c.krn", ExtractionConfig()).track == "Soprano"
    assert read_collection(folder, jobs=2) == found


def test_training_counts_the_tunes_that_are_left_out_by_themselves():
    remarks = {"tune left out: no notes": 25, "movement left out: it has no notes": 1, "key estimated": 2}
    dataset = SimpleNamespace(report={"kept": 3, "left_out": {}, "remarks": remarks})
    counts = ("train_pieces", "train_notes", "val_pieces", "val_notes", "parameters", "steps_per_epoch", "resumed_at")
    lines = describe(
        SimpleNamespace(
            dataset=dataset,
            device="cpu",
            precision="float32",
            remarks=(),
            epochs=16,
            lr=0.004,
            **dict.fromkeys(counts, 1),
        )
    )
    assert lines[1:4] == [
        "  25 tunes left out: no notes",
        "  1 movement left out: it has no notes",
        "  key estimated in 2 files",
    ]


def test_shards_of_scores_know_their_titles_and_are_kept(folder, tmp_path):
    paths = sorted(map(str, folder.iterdir()))
    shard = read_shard(paths, ExtractionConfig(), TokenizerConfig())
    assert {"A Tune", "b", "First", "Second", "A Chorale"} <= set(shard.names)
    shard.save(tmp_path / "s.npz")
    assert Shard.load(tmp_path / "s.npz").names == shard.names
    quick = read_shard(paths, ExtractionConfig(), TokenizerConfig(), fast=False)
    assert quick.names == shard.names
    assert (quick.pitches == shard.pitches).all()


def test_scores_come_in_small_shards_so_that_all_cores_have_work():
    names = [f"{i}.mid" for i in range(600)]
    assert [len(part) for part in in_shards(names)] == [250, 250, 100]
    mixed = [*names[:300], *(f"{i}.XML" for i in range(25)), *names[300:]]
    parts = in_shards(mixed)
    assert [name for part in parts for name in part] == mixed
    assert max(sum(name.endswith("XML") for name in part) for part in parts) == 10
    assert max(map(len, parts)) <= SHARD_FILES
    assert [len(part) for part in in_shards([])] == [0]


def test_a_score_is_changed_as_a_midi_file_that_knows_its_pickup(tmp_path):
    # A pickup of most of a bar, which a MIDI file alone does not tell from a bar.
    bars = [attributes() + "".join(note(s, 4, 12) for s in "CDE"), SCALE, SCALE, REST.format(48)]
    path = tmp_path / "x.xml"
    path.write_bytes(one(*bars))
    made = Tune.read(path)
    assert (made.melody.pickup, made.melody.bars, made.melody.name) == (72, 3, "A Tune")
    assert [made.melody] == parse_melodies(path.read_bytes(), "x.xml")
    again = Tune.parse(made.data, packed_input(made)["name"])
    assert again == made
    changed = replace(made.melody, notes=(*made.melody.notes[:-1], replace(made.melody.notes[-1], pitch=72)))
    (tmp_path / "y.mid").write_bytes(made.rewritten(changed, "@Imelodygru {}"))
    assert read_melodies(tmp_path / "y.mid")[0].notes[-1].pitch == 72


def test_a_score_with_several_melodies_is_no_tune_to_change(tmp_path):
    path = tmp_path / "x.abc"
    path.write_bytes(BOOK.encode())
    with pytest.raises(MidiError, match=r"has 2 melodies.*--track"):
        Tune.read(path)
    assert Tune.read(path, replace(WHOLE, track="2")).melody.name == "Second"


def test_a_primer_may_be_a_score(tmp_path):
    path = tmp_path / "x.abc"
    path.write_bytes(BOOK.encode())
    primer = read_primer(path, bars=1)
    assert (str(primer.key), primer.pickup, primer.bars) == ("D dorian", 12, 1)
    with pytest.raises(FileError, match=r"no\.abc cannot be read"):
        read_primer(tmp_path / "no.abc")


def test_commands_take_scores(here, capsys):
    Path("x.xml").write_bytes(one(*BARS, *(SCALE for _ in range(5)), title="A \x9b Tune"))
    Path("book.abc").write_bytes(BOOK.encode())
    tune(1, bars=8).save("t.mid")
    assert run("tokens", "x.xml", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["bars"] == 8
    assert run("info", "book.abc", "--model", "toy", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["melodies"]["2"]["title"] == "Second"
    assert told["remarks"][0].startswith("tune left out")
    assert run("info", "x.xml", "--model", "toy") == 0
    assert "A Tune" in capsys.readouterr().out
    assert run("check", "x.xml") == 0
    assert run("explain", "x.xml", "--model", "toy", "--out", "x.png") == 0
    assert run("infill", "x.xml", "out.mid", "--bars", "3-4", "--model", "toy", "--seed", 1) == 0
    assert run("replay", "out.mid", "--model", "toy") == 0
    assert run("vary", "book.abc", "v.mid", "--track", 2, "--amount", 0.3, "--model", "toy", "--seed", 1) == 0
    assert run("replay", "v.mid", "--model", "toy") == 0
    assert (
        run("generate", "--primer", "x.xml", "--primer-bars", 2, "--bars", 4, "--model", "toy", "--seed", 1, "p.mid")
        == 0
    )
    assert read_melodies("p.mid")[0].notes[:4] == read_melodies("x.xml")[0].notes[:4]
    capsys.readouterr()
    assert run("inspect", ".", "--json") == 0
    assert json.loads(capsys.readouterr().out)["kept"] >= 5


@settings(max_examples=20)
@given(melodies(min_notes=1, max_notes=10, low=21, high=108))
def test_what_we_write_of_a_melody_is_read_back_the_same(melody):
    [found] = parse_melodies(written_as_musicxml(melody), "x.musicxml")
    assert found.qpm == pytest.approx(melody.qpm, abs=1e-3)
    assert found == replace(melody, name=melody.name or "x", qpm=found.qpm)


def test_a_bar_of_the_number_0_is_a_pickup_though_rests_fill_it():
    data = one(attributes() + REST.format(12) + note("C", 4, 36), SCALE)
    [melody] = parse_melodies(data.replace(b'measure number="1"', b'measure number="0"'), "x.xml")
    assert (melody.pickup, melody.bars, melody.notes[0].onset) == (72, 1, 24)
