"""Scores: the right notes, written as musicians write them, and pictures that show them."""

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
import zipfile
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from functools import cache
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melodygru import Key, Melody, Note, TimeSignature, load_model
from melodygru.errors import UsageError
from melodygru.formats.midi.writer import midi_bytes
from melodygru.formats.notation.engraving import SUFFIXES, musicxml, mxl, pages, pdf, png, svg, written
from melodygru.formats.notation.note_values import written_bars
from melodygru.music.chords import QUALITIES, Chord, ChordSpan, lay_out, parse_progression
from melodygru.music.spelling import spell
from melodygru.writing.config import GenerationConfig
from melodygru.writing.recipe import Recipe
from tests.strategies import melodies

STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SHARPS = "FCGDAEB"
ALTERS = {"flat": -1, "natural": 0, "sharp": 1}
TYPES = {"breve": 192, "whole": 96, "half": 48, "quarter": 24, "eighth": 12, "16th": 6, "32nd": 3}
TYPES = {name: Fraction(steps) for name, steps in TYPES.items()} | {"64th": Fraction(3, 2)}
TUNE = Melody(tuple(Note(60 + i % 9, 12 * i, 12) for i in range(32)), name="A Tune")


def read(data):
    """The measures of a MusicXML file, each as (measure element, list of note elements)."""
    return [(measure, measure.findall("note")) for measure in ElementTree.fromstring(data).iter("measure")]


def midi_pitch(note):
    pitch = note.find("pitch")
    if pitch is None:
        return None
    return STEPS[pitch.findtext("step")] + int(pitch.findtext("alter", "0")) + 12 * (int(pitch.findtext("octave")) + 1)


def sounding(measures, first):
    """(pitch, onset, duration) with ties joined, from step `first` on; fails where a tie leads nowhere."""
    found, at, open_tie = [], first, False
    for _, notes in measures:
        for note in notes:
            pitch, duration = midi_pitch(note), int(note.findtext("duration"))
            ties = [tie.get("type") for tie in note.findall("tie")]
            assert ties == [tied.get("type") for tied in note.findall("notations/tied")]
            assert ("stop" in ties) == open_tie
            if open_tie:
                assert found[-1].pitch == pitch
                assert found[-1].end == at
                found[-1] = Note(pitch, found[-1].onset, found[-1].duration + duration)
            elif pitch is not None:
                found.append(Note(pitch, at, duration))
            open_tie = "start" in ties
            at += duration
    assert not open_tie
    return tuple(found)


@settings(max_examples=80, deadline=None)
@given(melodies(low=12))
def test_any_melody_is_in_its_musicxml(melody):
    measures = read(musicxml(melody))
    bar = melody.time_signature.bar_steps
    lengths = [sum(int(note.findtext("duration")) for note in notes) for _, notes in measures]
    assert len(measures) == melody.bars + bool(melody.pickup)
    if melody.pickup:
        # A pickup that begins inside a triplet has this triplet's rest before it.
        assert melody.pickup <= lengths[0] < melody.pickup + 96
        assert lengths[0] == melody.pickup or measures[0][1][0].find("rest") is not None
        assert measures[0][0].get("implicit") == "yes"
    assert all(length == bar for length in lengths[bool(melody.pickup) :])
    assert sounding(measures, bar - lengths[0] if melody.pickup else 0) == melody.notes
    for _, notes in measures:
        for note in notes:
            kind = note.findtext("type")
            if kind is None:
                assert note.find("rest").get("measure") == "yes"
                continue
            steps = TYPES[kind] * (Fraction(3, 2) if note.find("dot") is not None else 1)
            steps *= Fraction(2, 3) if note.find("time-modification") is not None else 1
            assert steps == int(note.findtext("duration"))


# What follows what, https://www.w3.org/2021/06/musicxml40/: programs pass by what stands at a wrong place.
ORDER = {
    "score-partwise": "work identification part-list part",
    "measure": "print attributes direction harmony note barline",
    "attributes": "divisions key time clef",
    "direction": "direction-type sound",
    "metronome": "beat-unit beat-unit-dot per-minute",
    "harmony": "root kind bass degree offset",
    "note": "pitch rest duration tie type dot accidental time-modification beam notations",
    "time-modification": "actual-notes normal-notes normal-type",
    "notations": "tied tuplet",
    "tuplet": "tuplet-actual tuplet-normal",
}


@settings(max_examples=25, deadline=None)
@given(melodies(max_notes=12, max_duration=100, low=12))
def test_elements_stand_in_the_order_that_musicxml_has(melody):
    spans = lay_out(parse_progression("Am7 Gsus4/C", melody.time_signature), 0, melody.length)
    root = ElementTree.fromstring(musicxml(melody, spans))
    for parent in root.iter():
        places = ORDER.get(parent.tag, "").split()
        tags = [child.tag for child in parent]
        if not places:
            continue
        assert set(tags) <= set(places)
        if parent.tag == "measure":
            # Chords and notes take turns.
            tags = [tag for tag in tags if tag not in ("harmony", "note")]
        assert tags == sorted(tags, key=places.index)


def test_a_file_says_what_wrote_it_and_not_when_nor_by_which_version():
    import music21

    data = musicxml(TUNE, CHORDS)
    root = ElementTree.fromstring(data)
    assert [one.text for one in root.findall("identification/encoding/software")] == ["melodygru", "music21"]
    assert [one.tag for one in root.find("identification")] == ["encoding"]
    assert musicxml(TUNE, CHORDS) == data
    for varying in (music21.__version__, "encoding-date", "Fragment", "composer", "<!--"):
        assert varying not in data.decode()
    untitled = musicxml(Melody(TUNE.notes))
    assert b"title" not in untitled
    assert b"<software>" in untitled


def test_threads_write_the_same():
    alone = [musicxml(Melody(TUNE.notes[:count]), CHORDS) for count in range(8, 32, 3)]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda count: musicxml(Melody(TUNE.notes[:count]), CHORDS), range(8, 32, 3)))
    assert together == alone


def test_music21_is_imported_when_a_score_is_asked_for():
    code = (
        "import sys; from melodygru import Melody, Note; from melodygru.formats.notation import engraving; "
        "tune = Melody((Note(60, 0, 24),)); engraving.abc(tune); assert 'music21' not in sys.modules; "
        "engraving.musicxml(tune); assert 'music21' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def own_beam(notes, first):
    """Whether a beam begins and ends with the triplet that begins at the note `first`."""
    outer = []
    for note in notes[notes.index(first) :]:
        outer.append(note.findtext("beam"))
        if note.find("notations/tuplet[@type='stop']") is not None:
            break
    return outer[0] == "begin" and outer[-1] == "end" and set(outer[1:-1]) <= {"continue"}


@settings(max_examples=50, deadline=None)
@given(melodies(max_notes=12, low=12))
def test_triplets_are_whole_and_beams_are_closed(melody):
    for _, notes in read(musicxml(melody)):
        inside, length, beamed = False, 0, False
        for note in notes:
            edges = [tuplet.get("type") for tuplet in note.findall("notations/tuplet")]
            assert ("start" in edges) == (note.find("time-modification") is not None and not inside)
            inside = inside or "start" in edges
            if "start" in edges:
                said = {one.get("type"): one for one in note.findall("notations/tuplet")}["start"]
                unit = TYPES[said.findtext("tuplet-actual/tuplet-type")]
                numbers = [said.findtext(f"tuplet-{which}/tuplet-number") for which in ("actual", "normal")]
                assert numbers == ["3", "2"]
                assert said.findtext("tuplet-normal/tuplet-type") == said.findtext("tuplet-actual/tuplet-type")
                assert said.get("bracket") == ("no" if own_beam(notes, note) else "yes")
            assert inside == (note.find("time-modification") is not None)
            length += inside * int(note.findtext("duration"))
            if "stop" in edges:
                assert length in (3, 6, 12, 24, 48, 96)
                assert length == 2 * unit
                inside, length = False, 0
            beam = note.findtext("beam")
            assert beam in ((None, "begin") if not beamed else ("continue", "end"))
            beamed = beam in ("begin", "continue")
        assert not inside
        assert not beamed


@settings(max_examples=50, deadline=None)
@given(melodies(max_notes=12, low=12))
def test_accidentals_stand_where_a_reader_needs_them_and_nowhere_else(melody):
    root = ElementTree.fromstring(musicxml(melody))
    fifths = int(root.findtext(".//fifths"))
    signature = {letter: (SHARPS.index(letter) < fifths) - (6 - SHARPS.index(letter) < -fifths) for letter in SHARPS}
    held = None
    for measure in root.iter("measure"):
        bar = {}
        for note in measure.findall("note"):
            if note.find("pitch") is None:
                continue
            place = note.findtext("pitch/step"), note.findtext("pitch/octave")
            alter, shown = int(note.findtext("pitch/alter", "0")), note.findtext("accidental")
            read_as = bar.get(place, signature[place[0]])
            if note.find("tie[@type='stop']") is not None:
                assert (alter, shown) == (held, None)  # the tie says what it is
            elif shown is None:
                assert read_as == alter
            else:
                assert ALTERS[shown] == alter != read_as
                bar[place] = alter
            held = alter if note.find("tie[@type='start']") is not None else None


# Where a value may stand as one, in sixteenths from the bar line: what the module's rules come to, by hand.
PLACES = {
    "4/4": {
        16: [0],
        12: [0, 4],
        8: [0, 4, 8],
        6: [0, 2, 4, 6, 8, 10],
        4: [0, 2, 4, 8, 10, 12],
        3: [0, 1, 4, 5, 8, 9, 12, 13],
        2: [0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14],
    },
    "3/4": {
        12: [0],
        8: [0, 4],
        6: [0, 2, 4, 6],
        4: [0, 2, 4, 6, 8],
        3: [0, 1, 4, 5, 8, 9],
        2: [0, 1, 2, 4, 5, 6, 8, 9, 10],
    },
    "2/4": {8: [0], 6: [0, 2], 4: [0, 2, 4], 3: [0, 1, 4, 5], 2: [0, 1, 2, 4, 5, 6]},
    "6/8": {
        12: [0],
        6: [0, 6],
        4: [0, 2, 6, 8],
        3: [0, 1, 2, 3, 6, 7, 8, 9],
        2: [0, 1, 2, 3, 4, 6, 7, 8, 9, 10],
    },
    "5/4": {
        16: [0, 4],
        12: [0, 8],
        8: [0, 4, 12],
        6: [0, 2, 4, 6, 12, 14],
        4: [0, 2, 4, 6, 8, 12, 14, 16],
        3: [0, 1, 4, 5, 8, 9, 12, 13, 16, 17],
        2: [0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 16, 17, 18],
    },
}
PLACES["2/2"] = PLACES["4/4"]


@pytest.mark.parametrize("metre", PLACES)
def test_every_note_of_a_bar_is_cut_where_it_must_be_and_nowhere_else(metre):
    places = {**PLACES[metre], 1: range(100)}
    bar = TimeSignature.parse(metre).bar_steps // 6

    @cache
    def fewest(start, end):
        """The fewest values that [start, end) can be written with, by trying all."""
        if end - start in places and start in places[end - start]:
            return 1
        return min(fewest(start, cut) + fewest(cut, end) for cut in range(start + 1, end))

    for start in range(bar):
        for end in range(start + 1, bar + 1):
            note = Note(60, 6 * start, 6 * (end - start))
            [symbols] = [one.symbols for one in written_bars(Melody((note,), TimeSignature.parse(metre)))]
            pieces = [(one.onset // 6, one.duration // 6) for one in symbols if one.pitch is not None]
            assert all(at in places[length] for at, length in pieces)
            assert len(pieces) == fewest(start, end), (start, end, pieces)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([6, 12, 18, 24, 36, 48]), min_size=4, max_size=30), st.sampled_from(sorted(PLACES)))
def test_ties_within_a_bar_join_what_cannot_stand_as_one(durations, metre):
    starts = [sum(durations[:index]) for index in range(len(durations))]
    notes = tuple(Note(60, start, length) for start, length in zip(starts, durations, strict=True))
    time_signature = TimeSignature.parse(metre)
    for _, inside in read(musicxml(Melody(notes, time_signature))):
        at = 0
        for one, two in pairwise(inside):
            lengths = [int(note.findtext("duration")) for note in (one, two)]
            if one.find("tie[@type='start']") is not None:
                assert at // 6 not in PLACES[metre].get(sum(lengths) // 6, ())
            at += lengths[0]


def values(metre, *durations):
    """How durations are written: "q. e~ e": rests in brackets, ties "~", triplets in braces; bars by "|"."""
    letters = {0: "b", 1: "w", 2: "h", 4: "q", 8: "e", 16: "s", 32: "t", 64: "f"}
    at, notes = 0, []
    for duration in durations:
        if duration > 0:
            notes.append(Note(60, at, duration))
        at += abs(duration)
    bars = []
    for bar in written_bars(Melody(tuple(notes), TimeSignature.parse(metre))):
        words = []
        for one in bar.symbols:
            word = "bar" if one.whole_bar else letters[one.base] + "." * one.dots
            word = f"[{word}]" if one.pitch is None else word + "~" * one.tied
            window = one.triplet or (-1, -1)
            words.append("{" * (one.onset == window[0]) + word + "}" * (one.end == window[1]))
        bars.append(" ".join(words))
    return " | ".join(bars)


@pytest.mark.parametrize(
    ("metre", "durations", "expected"),
    [
        ("4/4", (48, 48), "h h"),
        ("4/4", (12, 24, 12, 48), "e q e h"),
        ("4/4", (36, 36, 24), "q. q. q"),
        ("4/4", (36, 24, 36), "q. e~ e q."),
        ("4/4", (30, 18, 48), "q~ s e. h"),
        ("4/4", (120, 72), "w~ | q h."),
        ("6/8", (24, 24, 24), "q e~ e q"),
        ("6/8", (72, 60, 12), "h. | q.~ q e"),
        ("9/8", (108,), "q.~ h."),
        ("3/4", (60, 12), "h~ e e"),
        ("5/4", (120,), "h.~ h"),
        ("7/8", (24, 24, 36, 84), "q q q. | h~ q."),
        ("3/8", (24, 12, 36, 12, 24), "q e | q. | e q"),
        # Rests show every beat.
        ("4/4", (24, -72), "q [q] [h]"),
        ("3/4", (-24, 24, -24), "[q] q [q]"),
        ("3/4", (24, -48), "q [q] [q]"),
        ("6/8", (12, -24, -24, 12), "e [e] [e] [q] e"),
        ("6/8", (36, -36, -72, 72), "q. [q.] | [bar] | h."),
        # Triplets, as few and as large as the rhythm has them.
        ("4/4", (8, 8, 8, 16, 8, 48), "{e e e} {q e} h"),
        ("4/4", (16, 16, 16, 48), "{q q q} h"),
        ("4/4", (32, 32, 32), "{h h h}"),
        ("4/4", (4, 4, 4, 12, 72), "{s s s} e h."),
        ("2/4", (4, 4, 4, 4, 4, 4, 24), "{s s s} {s s s} q"),
        ("2/4", (8, 4, 4, 8, 24), "{e s s e} q"),
        ("2/4", (8, -8, 8, 24), "{e [e] e} q"),
        ("6/8", (4, 4, 4, 24, 36), "{s s s} q q."),
    ],
)
def test_values_are_those_that_musicians_write(metre, durations, expected):
    assert values(metre, *durations) == expected


def beams_of(metre, *durations):
    starts = [sum(durations[:index]) for index in range(len(durations))]
    notes = tuple(Note(72, start, length) for start, length in zip(starts, durations, strict=True))
    [(_, inside)] = read(musicxml(Melody(notes, TimeSignature.parse(metre))))
    short = {"begin": "[", "continue": "-", "end": "]", "forward hook": ">", "backward hook": "<"}
    return " ".join("".join(short[beam.text] for beam in note.findall("beam")) or "." for note in inside)


@pytest.mark.parametrize(
    ("metre", "durations", "expected"),
    [
        ("4/4", (12,) * 8, "[ - - ] [ - - ]"),
        ("4/4", (12, 12, 24, 12, 6, 6, 24), "[ ] . [ -[ ]] ."),
        ("4/4", (24, 12, 12, 12, 12, 24), ". [ ] [ ] ."),
        ("3/4", (12,) * 6, "[ - - - - ]"),
        ("3/4", (24, 12, 12, 18, 6), ". [ ] [ ]<"),
        ("6/8", (12,) * 6, "[ - ] [ - ]"),
        ("6/8", (18, 6, 12, 24, 12), "[ -< ] . ."),
        ("2/4", (6, 12, 6, 8, 8, 8), "[> - ]< [ - ]"),
        ("7/8", (12,) * 7, "[ ] [ ] [ - ]"),
    ],
)
def test_beams_show_the_beats(metre, durations, expected):
    assert beams_of(metre, *durations) == expected


@pytest.mark.parametrize(
    ("key", "pitches", "names"),
    [
        ("A minor", (69, 68, 69, 71), "A4 G#4 A4 B4"),
        ("D minor", (62, 61, 62, 70), "D4 C#4 D4 Bb4"),
        ("C major", (67, 68, 69), "G4 G#4 A4"),
        ("C major", (69, 68, 67), "A4 Ab4 G4"),
        ("C minor", (60, 63, 65, 66, 67, 70, 72, 71), "C4 Eb4 F4 F#4 G4 Bb4 C5 B4"),
        ("C major", (60, 63, 60, 70, 67, 66, 60), "C4 Eb4 C4 Bb4 G4 F#4 C4"),
        ("C major", (69, 73, 76), "A4 C#5 E5"),
        ("C major", (64, 68, 71), "E4 G#4 B4"),
        ("C major", (72, 68, 68, 65), "C5 Ab4 Ab4 F4"),
        ("F# major", (65, 66, 60), "E#4 F#4 C4"),
        ("G locrian", (61, 68, 72), "Db4 Ab4 C5"),
        ("Db major", (59, 60, 61), "B3 C4 Db4"),
    ],
)
def test_pitches_are_spelled_by_the_key_and_by_where_they_lead(key, pitches, names):
    spelled = spell(pitches, Key.parse(key))
    assert " ".join(f"{one.letter}{('', '#', 'b')[one.alter]}{one.octave}" for one in spelled) == names


@given(st.lists(st.integers(0, 127), max_size=20), st.integers(0, 11), st.sampled_from(["major", "minor", "locrian"]))
def test_a_spelling_sounds_as_it_should(pitches, tonic, mode):
    for pitch, one in zip(pitches, spell(pitches, Key(tonic, mode)), strict=True):
        assert STEPS[one.letter] + one.alter + 12 * (one.octave + 1) == pitch


@settings(max_examples=8, deadline=None)
@given(melodies(max_notes=12, max_duration=100, low=12))
def test_music21_reads_the_same_notes(melody):
    from music21 import converter

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        score = converter.parseData(musicxml(melody).decode(), format="musicxml")
    bar = melody.time_signature.bar_steps
    [part] = score.parts
    measures = list(part.getElementsByClass("Measure"))
    start = bar - round(measures[0].duration.quarterLength * 24) if melody.pickup else 0
    notes = []
    for one in part.recurse().notes:
        onset, length = round(one.getOffsetInHierarchy(part) * 24) + start, round(one.quarterLength * 24)
        if one.tie is not None and one.tie.type != "start":
            pitch, before, duration = notes.pop()
            assert (one.pitch.midi, onset) == (pitch, before + duration)
            onset, length = before, duration + length
        notes.append((one.pitch.midi, onset, length))
    assert notes == [(note.pitch, note.onset, note.duration) for note in melody.notes]


def test_the_head_says_key_mode_metre_tempo_and_title():
    melody = Melody(
        (Note(62, 60, 12), Note(64, 72, 72)), TimeSignature(6, 8), Key.parse("D dorian"), 96.0, "A <&> B", 12
    )
    root = ElementTree.fromstring(musicxml(melody))
    assert (root.findtext(".//fifths"), root.findtext(".//mode")) == ("0", "dorian")
    assert (root.findtext(".//beats"), root.findtext(".//beat-type")) == ("6", "8")
    assert root.findtext(".//work-title") == "A <&> B"
    metronome = root.find(".//metronome")
    assert [one.tag for one in metronome] == ["beat-unit", "beat-unit-dot", "per-minute"]
    assert (metronome.findtext("beat-unit"), metronome.findtext("per-minute")) == ("quarter", "64")
    assert float(root.find(".//sound").get("tempo")) == 96
    assert [measure.get("number") for measure in root.iter("measure")] == ["0", "1"]
    assert root.find(".//measure[@number='1']/barline/bar-style").text == "light-heavy"
    odd = ElementTree.fromstring(musicxml(Melody(melody.notes, melody.time_signature, qpm=100.0, pickup=12)))
    assert (odd.findtext(".//beat-unit"), odd.findtext(".//per-minute")) == ("quarter", "100")
    assert odd.find(".//beat-unit-dot") is None


@pytest.mark.parametrize(
    ("low", "high", "clef"),
    [
        (60, 79, "G2"),
        (69, 88, "G2"),
        (43, 60, "F4"),
        (50, 69, "G2-1"),
        (79, 98, "G2+1"),
        (24, 40, "F4-1"),
        (0, 11, "F4-2"),
    ],
)
def test_the_clef_suits_the_range(low, high, clef):
    notes = tuple(Note(pitch, 12 * index, 12) for index, pitch in enumerate(range(low, high + 1)))
    found = ElementTree.fromstring(musicxml(Melody(notes))).find(".//clef")
    octaves = int(found.findtext("clef-octave-change", "0"))
    assert found.findtext("sign") + found.findtext("line") + (f"{octaves:+}" if octaves else "") == clef


def test_chord_symbols_stand_where_the_harmony_changes():
    text = "Am7 F | C/E | C/E Bbmaj7 | N.C."
    spans = lay_out(parse_progression(text, TUNE.time_signature), 0, TUNE.length)
    found = []
    for measure, _ in read(musicxml(TUNE, spans)):
        at = 0
        for child in measure:
            if child.tag == "harmony":
                name = child.findtext("root/root-step") + {"-1": "b"}.get(child.findtext("root/root-alter"), "")
                kind = child.find("kind")
                bass = child.findtext("bass/bass-step")
                place = at + int(child.findtext("offset", "0"))
                found.append((measure.get("number"), place, name, kind.text, kind.get("text"), bass))
            elif child.tag == "note":
                at += int(child.findtext("duration"))
    assert found == [
        ("1", 0, "A", "minor-seventh", "m7", None),
        ("1", 48, "F", "major", "", None),
        ("2", 0, "C", "major", "", "E"),
        ("3", 48, "Bb", "major-seventh", "maj7", None),
        ("4", 0, "C", "none", "N.C.", None),
    ]


def test_a_chord_within_a_note_stands_before_it_and_says_how_far():
    tune = Melody((Note(60, 0, 96), Note(62, 96, 32), Note(64, 128, 32), Note(65, 160, 32)))
    text = ["Am", "F/C", "N.C.", "Bb7#11/Ab", "Gm", "C"]
    places = [0, 47, 72, 119, 128, 187]
    chords = [None if one == "N.C." else Chord.parse(one) for one in text]
    spans = [ChordSpan(at, end, chord) for at, end, chord in zip(places, [*places[1:], 192], chords, strict=True)]
    found, waiting, at = [], [], 0
    for child in (child for measure, _ in read(musicxml(tune, spans)) for child in measure):
        if child.tag == "harmony":
            assert child.get("placement") == "above"
            assert child.find("inversion") is None
            waiting.append((int(child.findtext("offset", "0")), child))
        elif child.tag == "note":
            length = int(child.findtext("duration"))
            assert all(0 <= offset < length for offset, _ in waiting)
            found += [(at + offset, child.findtext("root/root-step")) for offset, child in waiting]
            assert all((child.find("offset") is None) == (offset == 0) for offset, child in waiting)
            waiting, at = [], at + length
    assert not waiting
    assert found == list(zip(places, "AFCBGC", strict=True))


@pytest.mark.parametrize("quality", dict.fromkeys(QUALITIES.values()))
def test_a_chord_symbol_is_written_as_it_was_asked_for(quality):
    name = next(text for text, tones in QUALITIES.items() if tones == quality)
    for root in ("C", "F#", "Bb", "E♭"):
        for bass in ("", "/G", "/Db", "/A♯"):
            chord = Chord.parse(f"{root}{name}{bass}")
            data = musicxml(Melody((Note(60, 0, 96),)), [ChordSpan(0, 96, chord)])
            [harmony] = ElementTree.fromstring(data).iter("harmony")
            alters = {"": "0", "#": "1", "♯": "1", "b": "-1", "♭": "-1"}
            written_root = harmony.findtext("root/root-step"), harmony.findtext("root/root-alter", "0")
            assert written_root == (root[0], alters[root[1:]])
            assert harmony.find("kind").get("text") == name
            written_bass = harmony.findtext("bass/bass-step", ""), harmony.findtext("bass/bass-alter", "0")
            assert written_bass == (bass[1:2], alters[bass[2:]])
            assert {one.get("print-object") for one in harmony.findall("degree")} <= {"no"}


def test_music21_hears_every_chord_that_we_know():
    from music21 import converter

    for quality in dict.fromkeys(QUALITIES.values()):
        name = next(text for text, tones in QUALITIES.items() if tones == quality)
        chord = Chord.parse(f"Bb{name}")
        data = musicxml(Melody(TUNE.notes[:8]), [ChordSpan(0, 96, chord)])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            [symbol] = converter.parseData(data.decode(), format="musicxml").recurse().getElementsByClass("ChordSymbol")
        # To music21 a thirteenth chord has its eleventh too.
        more = {(chord.root + 5) % 12} if "13" in name else set()
        assert {pitch.pitchClass for pitch in symbol.pitches} == set(chord.tones) | more, name


def test_a_compressed_file_holds_the_same():
    with zipfile.ZipFile(io.BytesIO(mxl(TUNE))) as archive:
        container = ElementTree.fromstring(archive.read("META-INF/container.xml"))
        assert archive.read(container.find(".//rootfile").get("full-path")) == musicxml(TUNE)
    assert mxl(TUNE) == mxl(TUNE)


def classes(page, name):
    return sum(name in group.get("class", "").split() for group in ElementTree.fromstring(page).iter())


CHORDS = lay_out(parse_progression("Am F | Bb/D G7", TUNE.time_signature), 0, TUNE.length)


@settings(max_examples=15, deadline=None)
@given(melodies(max_notes=16, max_duration=120, low=12, high=115), st.booleans())
def test_a_picture_shows_every_note_and_verovio_has_no_complaint(melody, with_chords):
    spans = lay_out(parse_progression("Am", melody.time_signature), 0, melody.length) if with_chords else ()
    with tempfile.TemporaryFile() as log:
        # Verovio complains beneath Python, to the file descriptor.
        before = os.dup(2)
        os.dup2(log.fileno(), 2)
        try:
            page = svg(melody, spans)
        finally:
            os.dup2(before, 2)
            os.close(before)
        log.seek(0)
        # A bar of ten half notes in sixteenths is wider than the page, and cannot be broken: it is pressed together.
        complaints = [line for line in log.read().splitlines() if b"Justification is highly compressed" not in line]
        assert complaints == []
    symbols = [one for bar in written_bars(melody) for one in bar.symbols]
    assert classes(page, "note") == sum(one.pitch is not None for one in symbols)
    assert classes(page, "mRest") == sum(one.whole_bar for one in symbols)
    assert classes(page, "rest") == sum(one.pitch is None and not one.whole_bar for one in symbols)
    assert classes(page, "harm") == bool(spans)


def test_a_picture_has_no_letters_but_outlines_and_is_the_same_each_time():
    page = svg(TUNE, CHORDS, width=900)
    root = ElementTree.fromstring(page)
    tags = {element.tag.split("}")[1] for element in root.iter()}
    assert tags <= {"svg", "title", "defs", "g", "path", "use", "polygon", "ellipse", "rect", "polyline"}
    assert (root.get("width"), root.find("{*}title").text) == ("900", "A Tune")
    assert svg(TUNE, CHORDS, width=900) == page
    assert classes(page, "tempo") == 1


def test_titles_of_any_script_are_drawn():
    for name in ("Größe", "Šárka & <sons>", "Чайка", "東京", "\x00\x1b", ""):
        melody = Melody(TUNE.notes, name=name)
        ElementTree.fromstring(svg(melody))
        ElementTree.fromstring(musicxml(melody))


def test_a_png_is_black_on_white():
    from matplotlib.image import imread

    image = imread(io.BytesIO(png(TUNE, CHORDS, width=800)))
    assert image.shape[1] == 800
    assert image.shape[2] == 3 or np.all(image[..., 3] == 1), "nothing is transparent"
    dark = image[..., 0] < 0.5
    assert 0.01 < dark.mean() < 0.2
    edge = np.concatenate([dark[:10].ravel(), dark[-10:].ravel(), dark[:, :10].ravel(), dark[:, -10:].ravel()])
    assert not edge.any(), "nothing is cut off"


def test_a_pdf_has_as_many_pages_as_it_needs():
    for bars, count in ((4, 1), (64, 2)):
        melody = Melody(TUNE.notes, name="Größe", bars=bars)
        data = pdf(melody)
        assert data.startswith(b"%PDF")
        assert data.count(b"/Type /Page\n") == count == len(pages(melody))
    assert pdf(melody) == data
    assert b"/Font " not in data or b"Helvetica" in data, "letters are outlines"


def test_pages_hold_all_bars():
    melody = Melody(tuple(Note(60 + i % 12, 12 * i, 12) for i in range(8 * 100)))
    found = pages(melody)
    assert len(found) > 2
    assert sum(classes(page, "note") for page in found) == 800
    assert sum(classes(page, "measure") for page in found) == 100


def test_the_ending_says_what_is_written():
    beginnings = {".musicxml": b"<?xml", ".xml": b"<?xml", ".mxl": b"PK", ".abc": b"%abc", ".svg": b"<svg"}
    beginnings |= {".png": b"\x89PNG", ".pdf": b"%PDF"}
    assert set(beginnings) == set(SUFFIXES)
    for suffix, beginning in beginnings.items():
        assert written(TUNE, (), suffix).startswith(beginning)
        assert written(TUNE, CHORDS, f"my.tune{suffix.upper()}") == written(TUNE, CHORDS, suffix)
    for wrong in (".doc", "tune", "", "-"):
        with pytest.raises(UsageError, match=r"is no kind of score; choose an ending among \.musicxml"):
            written(TUNE, (), wrong)
    with pytest.raises(UsageError, match="A width of 20000 pixels is not legal; choose 100 to 10000"):
        svg(TUNE, width=20_000)


def test_what_is_too_long_for_one_picture_is_told_to_be_a_pdf():
    long = Melody(TUNE.notes, TimeSignature(4, 4), bars=1000)
    with pytest.raises(UsageError, match="1000 bars are too many for one picture; write a PDF"):
        png(long)


@pytest.fixture
def command(monkeypatch, tmp_path, capfd):
    """Runs `melodygru score ...` in a folder of its own: (exit code, standard output, standard error)."""
    from melodygru import cli

    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["melodygru", "score", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capfd.readouterr()
        return ended.value.code or 0, out, err

    return run


def test_the_command_writes_what_the_name_says(command, tmp_path):
    TUNE.save(tmp_path / "tune.mid")
    for suffix in SUFFIXES:
        code, out, err = command("tune.mid", f"out{suffix}")
        assert (code, err) == (0, "")
        assert out == f"Wrote out{suffix}: 4 bars of 4/4 in C major, 32 notes.\n"
        assert (tmp_path / f"out{suffix}").stat().st_size > 100
    code, _, err = command("tune.mid", "out.pdf")
    assert code == 1
    assert "out.pdf exists" in err
    assert command("tune.mid", "out.pdf", "--force")[0] == 0
    code, out, _ = command("tune.mid", "two.abc", "--json", "--title", "Mine", "--chords", "Am F | C G")
    assert json.loads(out) == {
        "file": "two.abc", "title": "Mine", "bars": 4, "meter": "4/4", "key": "C major", "bpm": 120.0, "notes": 32,
        "chords": 8,
    }  # fmt: skip
    assert '"F"' in (tmp_path / "two.abc").read_text()
    code, out, err = command("tune.mid", "-")
    assert (code, out.splitlines()[1], err[:22]) == (0, "X:1", "Wrote standard output:")


def test_the_command_refuses_what_it_cannot_do(command, tmp_path):
    TUNE.save(tmp_path / "tune.mid")
    for arguments, sentence in (
        (("tune.mid", "out.doc"), "out.doc ends in none of .musicxml"),
        (("tune.mid", "-", "--json"), "Standard output takes the score or the JSON"),
        (("tune.mid", "out.pdf", "--beats-per-chord", "2"), "--beats-per-chord says nothing without --chords"),
        (("tune.mid", "out.pdf", "--chords", "Am H"), "Chord 2 of 2 is not known"),
    ):
        code, out, err = command(*arguments)
        assert (code, out) == (2, "")
        assert sentence in err
    assert command("none.mid", "out.pdf")[0] == 1
    assert [path.name for path in tmp_path.iterdir()] == ["tune.mid"]


def test_a_file_that_says_its_chords_has_them_over_the_staff(command, tmp_path):
    melody = Melody(tuple(Note(60 + i % 9, 24 * i, 24) for i in range(32)))
    config = GenerationConfig(bars=8, chords="Am | F | G", form="AA", section_bars=4)
    recipe = Recipe("0", "folk", "0" * 8, 1, config=config)
    (tmp_path / "tune.mid").write_bytes(midi_bytes(melody, text=recipe.text()))
    code, out, _ = command("tune.mid", "out.musicxml")
    assert code == 0
    assert out.endswith("32 notes, with chord symbols.\n")
    roots = [
        "".join(one.text for one in measure.iter("root-step"))
        for measure, _ in read((tmp_path / "out.musicxml").read_bytes())
    ]
    # The progression begins anew in each section.
    assert roots == ["A", "F", "G", "A", "", "F", "G", "A"]
    command("tune.mid", "none.musicxml", "--chords", "")
    assert b"harmony" not in (tmp_path / "none.musicxml").read_bytes()


@pytest.mark.daw
@pytest.mark.filterwarnings("ignore")
def test_musescore_reads_and_plays_the_same_notes(tmp_path):
    import mido

    program = shutil.which("mscore3") or shutil.which("musescore3")
    if program is None:
        pytest.skip("MuseScore is not installed")
    model = load_model("folk")
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path)}
    for number, (metre, key, pickup) in enumerate(
        [("4/4", "C major", None), ("6/8", "A minor", "1/8"), ("3/4", "D dorian", "1/4"), ("5/4", "Bb", None)]
    ):
        melody = model.generate(bars=8, seed=number, meter=metre, key=key, pickup=pickup)
        data, played = tmp_path / f"{number}.musicxml", tmp_path / f"{number}.mid"
        data.write_bytes(musicxml(melody))
        subprocess.run([program, "-o", played, data], env=environment, check=True, capture_output=True, timeout=120)
        midi = mido.MidiFile(played)
        at, found = 0, []
        for message in mido.merge_tracks(midi.tracks):
            at += message.time
            if message.type == "note_on" and message.velocity:
                found.append((message.note, round(at * 24 / midi.ticks_per_beat)))
        first = melody.notes[0].onset if melody.pickup else 0
        assert found == [(note.pitch, note.onset - first) for note in melody.notes]
