"""MusicXML: what programs write in many ways is read as it stands on the page; what no score has is refused."""

import re
import tracemalloc
import zipfile
from dataclasses import replace
from fractions import Fraction
from io import BytesIO
from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melodygru import Key, Note
from melodygru.errors import MidiError
from melodygru.formats.notation.musicxml import mxl
from melodygru.formats.reading import parse
from melodygru.formats.scores.musicxml import reader as musicxml
from melodygru.formats.scores.musicxml import stream as xml_stream
from melodygru.formats.scores.musicxml.durations import TYPES
from melodygru.formats.scores.musicxml.reader import written_score
from melodygru.formats.scores.order import Signs, played_order
from melodygru.formats.scores.written import TICKS
from tests.effort import effort
from tests.strategies import melodies


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MELODYGRU_CACHE", str(tmp_path / "cache"))


def note(pitch, duration, more="", kind="", dots=0, tuplet="", chord=False, voice="", staff="", head=""):
    """A note such as ("C#4", 12), a rest ("r"), or something beaten ("x")."""
    if pitch in "rx":
        what = "<rest/>" if pitch == "r" else "<unpitched/>"
    else:
        sign = {"#": "<alter>1</alter>", "b": "<alter>-1</alter>"}.get(pitch[1], "")
        what = f"<pitch><step>{pitch[0]}</step>{sign}<octave>{pitch[-1]}</octave></pitch>"
    actual, _, normal = tuplet.partition(":")
    return "".join([
        "<note>", head, "<chord/>" if chord else "", what,
        f"<duration>{duration}</duration>" if duration != "" else "", more,
        f"<voice>{voice}</voice>" if voice else "",
        f"<type>{kind}</type>" if kind else "", "<dot/>" * dots,
        f"<time-modification><actual-notes>{actual}</actual-notes><normal-notes>{normal}</normal-notes>"
        "</time-modification>" if tuplet else "",
        f"<staff>{staff}</staff>" if staff else "", "</note>",
    ])  # fmt: skip


def line(text, duration=12):
    """Quarters, such as "C4 D4 r E4"."""
    return "".join(note(pitch, duration) for pitch in text.split())


def attributes(divisions=12, beats="4", unit="4", more="", key="<key><fifths>0</fifths><mode>major</mode></key>"):
    time_ = f"<time><beats>{beats}</beats><beat-type>{unit}</beat-type></time>"
    return f"<attributes><divisions>{divisions}</divisions>{key}{time_}{more}</attributes>"


def told(*inside):
    """Further attributes."""
    return f"<attributes>{''.join(inside)}</attributes>"


def score(*parts, heads=(), first=1, head=""):
    """A score of parts, each a list of measures."""
    heads = [*heads, *("<part-name>Voice</part-name>" for _ in parts)]
    names = "".join(f'<score-part id="P{i}">{heads[i]}</score-part>' for i in range(len(parts)))
    music = "".join(
        f'<part id="P{i}">{"".join(f"""<measure number="{n}">{bar}</measure>""" for n, bar in enumerate(bars, first))}'
        "</part>"
        for i, bars in enumerate(parts)
    )
    return f'<score-partwise version="4.0">{head}<part-list>{names}</part-list>{music}</score-partwise>'


def bars_of(text, zipped=False):
    return written_score(text if isinstance(text, bytes) else text.encode(), zipped)


def heard(text, part=0):
    """(pitch, onset, length) of a part's notes as they are written, in steps, by the lengths of the bars."""
    read = bars_of(text)
    starts = [0, *accumulate(bar.length for bar in read.bars)]
    return [
        (one.pitch, Fraction(starts[bar] + one.offset, 420), Fraction(one.length, 420))
        for bar, notes in enumerate(read.parts[part].notes)
        for one in notes
    ]


def one(*bars, **more):
    return score(bars, **more)


PLAIN = "C4 D4 E4 F4"
QUARTERS = [(60, 0, 24), (62, 24, 24), (64, 48, 24), (65, 72, 24)]


@pytest.mark.parametrize(
    ("bar", "expected"),
    [
        # Words, dynamics and chord symbols may stand anywhere, even in a chord.
        (note("C4", 12) + "<direction><direction-type><words>p</words></direction-type></direction>"
         + note("E4", 12, chord=True) + "<harmony/>" + line("D4 E4 F4"),
         [(60, 0, 24), (64, 0, 24), *QUARTERS[1:]]),
        # Cue notes are another player's; grace notes take no time.
        (note("C6", 12, head="<cue/>") + line("D4 E4 F4"), QUARTERS[1:]),
        (note("C6", 12, kind="quarter").replace("<type>", '<type size="cue">') + line("D4 E4 F4"), QUARTERS[1:]),
        (note("B5", "", head="<grace/>") + note("A5", "", head="<grace/>", chord=True) + line(PLAIN), QUARTERS),
        # A note of a chord that is shorter than it says is as long as the first.
        (note("C4", 18, kind="quarter", dots=1) + note("E4", 12, kind="quarter", dots=1, chord=True)
         + note("D4", 6) + line("E4 F4"),
         [(60, 0, 36), (64, 0, 36), (62, 36, 12), *QUARTERS[2:]]),
        # Two voices: the upper one; where it is silent, the other.
        (line(PLAIN).replace("</duration>", "</duration><voice>1</voice>") + "<backup><duration>48</duration></backup>"
         + note("C3", 48, voice=2), QUARTERS),
        (note("r", 48, voice=1) + "<backup><duration>48</duration></backup>"
         + line(PLAIN).replace("</duration>", "</duration><voice>2</voice>"), QUARTERS),
        (line(PLAIN) + "<backup><duration>48</duration></backup>" + note("C3", 48), QUARTERS),
        # A tremolo on one note is a note, between two notes it is two.
        (note("C4", 24, "<notations><ornaments><tremolo>3</tremolo></ornaments></notations>", "half")
         + note("E4", 12, kind="half", tuplet="2:1") + note("F4", 12, kind="half", tuplet="2:1"),
         [(60, 0, 48), (64, 48, 24), (65, 72, 24)]),
        # A step forward is silence; microtones are rounded up.
        ("<forward><duration>12</duration></forward>" + line("D4 E4 F4"), QUARTERS[1:]),
        (line("C4").replace("</step>", "</step><alter>0.5</alter>") + line("D4 E4 F4"), [(61, 0, 24), *QUARTERS[1:]]),
        # What is beaten where slashes say so is not written.
        (told('<measure-style><slash type="start"/></measure-style>') + line("B4 B4")
         + told('<measure-style><slash type="stop"/></measure-style>') + line("E4 F4"), QUARTERS[2:]),
    ],
)  # fmt: skip
def test_a_bar_is_read_as_it_sounds(bar, expected):
    assert heard(one(attributes() + bar)) == expected


@pytest.mark.parametrize(
    ("divisions", "bar", "expected"),
    [
        (256, note("C4", 85, kind="eighth", tuplet="3:2") + note("D4", 85, kind="eighth", tuplet="3:2")
         + note("E4", 86, kind="eighth", tuplet="3:2") + line("F4 r r", 256),
         [(60, 0, 8), (62, 8, 8), (64, 16, 8), (65, 24, 24)]),
        (256, line("C4 D4", 85) + line("E4", 86) + line("F4 r r", 256),
         [(60, 0, 8), (62, 8, 8), (64, 16, 8), (65, 24, 24)]),
        (480, "".join(note(pitch, ticks, kind="quarter") for pitch, ticks in (("C4", 480), ("D4", 475), ("E4", 485)))
         + note("F4", 478, kind="quarter"), QUARTERS),
        (480, line(PLAIN, 475), QUARTERS),
        # Nothing but the lengths fills the bar: dots and tuplets are not told.
        (3, "".join(note(pitch, 1, kind="eighth") for pitch in ("C4", "D4", "E4")) + line("F4 r r", 3),
         [(60, 0, 8), (62, 8, 8), (64, 16, 8), (65, 24, 24)]),
        (4, note("C4", 6, kind="quarter") + note("D4", 2, kind="eighth") + line("E4 F4", 4),
         [(60, 0, 36), (62, 36, 12), *QUARTERS[2:]]),
        # Nothing but what is written does.
        (24, note("C4", 12, kind="quarter") + note("D4", 24, kind="quarter") + note("E4", 48, kind="half"),
         [(60, 0, 24), (62, 24, 24), (64, 48, 48)]),
        # A tuplet of seven is not rounded to what is near.
        (7, "".join(note("C4", 1, kind="16th", tuplet="7:4") for _ in range(7)) + line("r r r", 7),
         [(60, Fraction(24 * i, 7), Fraction(24, 7)) for i in range(7)]),
    ],
)  # fmt: skip
def test_durations_that_are_rounded_are_the_written_ones(divisions, bar, expected):
    assert heard(one(attributes(divisions) + bar)) == expected


def test_a_step_back_leads_to_where_the_bar_has_been_though_lengths_are_played_ones():
    played = "".join(note(pitch, 475, kind="quarter", voice=1) for pitch in PLAIN.split())
    for back in (1900, 1920):
        second = "".join(note(pitch, 475, kind="quarter", voice=1, staff=2) for pitch in ("C3", "D3", "E3", "F3"))
        bar = attributes(480, more="<staves>2</staves>") + played + f"<backup><duration>{back}</duration></backup>"
        assert heard(one(bar + second), part=1) == [(pitch - 12, onset, length) for pitch, onset, length in QUARTERS]


VALUES = [(name, dots, tuplet) for name in list(TYPES)[3:10] for dots in (0, 1) for tuplet in ("", "3:2")]


@settings(max_examples=150, deadline=None)
@given(st.data(), st.integers(1, 10080), st.booleans())
def test_any_rhythm_survives_any_number_of_divisions(data, divisions, by_place):
    """Lengths are rounded each by itself, or as the differences of rounded places."""
    values = data.draw(st.lists(st.sampled_from(VALUES), min_size=1, max_size=12))
    exact = [
        Fraction(TYPES[name]) / TICKS * (Fraction(3, 2) if dots else 1) * (Fraction(2, 3) if tuplet else 1)
        for name, dots, tuplet in values
    ]
    places = [0, *accumulate(exact)]
    if by_place:
        lengths = [end - begin for begin, end in pairwise(int(place * divisions + Fraction(1, 2)) for place in places)]
    else:
        lengths = [int(length * divisions + Fraction(1, 2)) for length in exact]
    notes = "".join(
        note("C4", length, kind=name, dots=dots, tuplet=tuplet)
        for length, (name, dots, tuplet) in zip(lengths, values, strict=True)
    )
    bar = attributes(divisions, "31", "1") + notes  # longer than anything that fills it by chance
    assert [(on / 24, long / 24) for _, on, long in heard(one(bar))] == [
        (Fraction(round(place * TICKS), TICKS), Fraction(round((place + length) * TICKS) - round(place * TICKS), TICKS))
        for place, length in zip(places, exact, strict=False)
    ]


@settings(max_examples=25, deadline=None)
@given(melodies(min_notes=1, max_notes=10, low=21, high=108))
def test_what_we_write_zipped_is_read_back_the_same(melody):
    [found] = parse(mxl(melody), "x.mxl").melodies
    assert found == replace(melody, name=melody.name or "x", qpm=found.qpm)


def test_bars_that_repeat_others_are_those():
    def sign(kind, many=""):
        return told(f'<measure-style><measure-repeat type="{kind}">{many}</measure-repeat></measure-style>')

    first, other, rest = attributes() + line(PLAIN), line("G4 A4 B4 C5"), note("r", 48)
    single = heard(one(first, sign("start", 1) + rest, rest, sign("stop") + other))
    assert [pitch for pitch, _, _ in single] == [60, 62, 64, 65] * 3 + [67, 69, 71, 72]
    double = heard(one(first, other, sign("start", 2) + rest, rest, sign("stop") + rest))
    assert double[8:] == [(pitch, onset + 192, length) for pitch, onset, length in double[:8]]
    assert len(heard(one(first, sign("start", 1) + rest, rest))) == 8, "no end is told: it is for one bar"


def test_staves_are_lines_of_their_own_and_keep_their_keys_and_transpositions():
    keys = '<key number="2"><fifths>2</fifths><mode>minor</mode></key>'
    bar = (
        attributes(more="<staves>2</staves><transpose><chromatic>-2</chromatic></transpose>")
        + "".join(note(pitch, 12, staff=1) for pitch in PLAIN.split())
        + "<backup><duration>48</duration></backup>" + told(keys)
        + note("C3", 48, staff=2)
    )  # fmt: skip
    read = bars_of(one(bar, line("C4")))
    assert [[[n.pitch for n in notes] for notes in part.notes] for part in read.parts] == [
        [[58, 60, 62, 63], [58]],
        [[46], []],
    ]
    assert [part.keys[0] for part in read.parts] == [Key.parse("Bb major"), Key.parse("A minor")]
    later = one(
        bar, told("<transpose><chromatic>0</chromatic><octave-change>-1</octave-change></transpose>") + line("C4")
    )
    assert bars_of(later).parts[0].notes[1][0].pitch == 48


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("<fifths>-3</fifths><mode>minor</mode>", Key.parse("C minor")),
        ("<cancel>2</cancel><fifths>-3</fifths>", -3),
        ("<fifths>8</fifths><mode>major</mode>", Key.parse("G# major")),
        ("<fifths>1</fifths><mode>Aeolian</mode>", Key.parse("E minor")),
        ("<fifths>1</fifths><mode>none</mode>", 1),
        ("<key-step>B</key-step><key-alter>-1</key-alter><key-step>E</key-step><key-alter>-1</key-alter>", -2),
        ("<key-step>F</key-step><key-alter>1</key-alter>", 1),
        ("<key-step>E</key-step><key-alter>-1</key-alter><key-step>F</key-step><key-alter>1</key-alter>", None),
    ],
)
def test_keys(key, expected):
    assert bars_of(one(attributes(key=f"<key>{key}</key>") + line(PLAIN))).parts[0].keys == (expected,)


@pytest.mark.parametrize(
    ("time_", "expected"),
    [
        ("<beats>3+2</beats><beat-type>8</beat-type>", "5/8"),
        ("<beats>3</beats><beat-type>8</beat-type><beats>1</beats><beat-type>4</beat-type>", "5/8"),
        ("<beats>6</beats><beat-type>8</beat-type><interchangeable><time-relation>parentheses</time-relation>"
         "<beats>2</beats><beat-type>4</beat-type></interchangeable>", "6/8"),
        ("<beats>36</beats><beat-type>4</beat-type>", "18/2"),
    ],
)  # fmt: skip
def test_metres(time_, expected):
    bar = f"<attributes><divisions>2</divisions><time>{time_}</time></attributes>" + line("C4 D4", 2)
    assert str(bars_of(one(bar)).bars[0].metre) == expected


def test_a_bar_without_metre_in_a_score_that_has_one_is_as_long_as_it_is():
    free = told("<time><senza-misura/></time>") + line("C4 D4 E4 F4 G4 A4 B4 C5")
    read = bars_of(one(attributes() + line(PLAIN), free, told("<time><beats>4</beats><beat-type>4</beat-type></time>")))
    assert [bar.length // TICKS for bar in read.bars] == [4, 8, 4]
    assert {str(bar.metre) for bar in read.bars} == {"4/4"}


def metronome(text, unit="quarter", dots=0):
    return f"<direction><direction-type><metronome><beat-unit>{unit}</beat-unit>{'<beat-unit-dot/>' * dots}{text}\
</metronome></direction-type></direction>"


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        (metronome("<per-minute>90</per-minute>"), 90),
        (metronome("<per-minute>ca. 90</per-minute>"), 90),
        (metronome("<per-minute>c. 90.5</per-minute>"), 90.5),
        (metronome("<per-minute>90-100</per-minute>"), 95),
        (metronome("<per-minute>60</per-minute>", dots=1), 90),
        (metronome("<per-minute>40</per-minute>", "half"), 80),
        (metronome("<beat-unit>half</beat-unit>"), None),
        (metronome("<per-minute>fast</per-minute>"), None),
        ('<sound tempo="72"/>', 72),
        ('<direction><direction-type><words>Lento</words></direction-type><sound tempo="50"/></direction>', 50),
        ('<sound tempo="1e9"/>', None),
        ('<direction><direction-type/><offset>24</offset><sound tempo="50"/></direction>', None),
    ],
)  # fmt: skip
def test_tempi(mark, expected):
    assert bars_of(one(attributes() + mark + line(PLAIN))).bars[0].qpm == expected


def test_a_tie_goes_on_where_its_pitch_does_in_chords_and_over_bars():
    start, stop = '<tie type="start"/>', '<tie type="stop"/>'
    bars = [
        attributes() + note("C4", 48, start) + note("E4", 48, chord=True),
        note("C4", 24, stop)
        + note("E4", 24, chord=True)
        + note("G4", 24, '<notations><tied type="start"/></notations>'),
        note("G4", 48),
    ]
    found = parse(one(*bars).encode(), "x.xml").melodies[0]
    assert found.notes[-2:] == (Note(67, 144, 48), Note(67, 192, 96)), "<tied> is how it looks"
    low = [[(n.pitch, n.length, n.tied) for n in notes] for notes in bars_of(one(*bars)).parts[0].notes]
    assert low[0] == [(60, 4 * TICKS, True), (64, 4 * TICKS, False)]


def test_parts_have_names_programs_and_as_many_bars_as_the_longest():
    heads = [
        "<part-name>Flute</part-name><midi-instrument id='I'><midi-program>74</midi-program></midi-instrument>",
        "<part-name/><score-instrument id='I'><instrument-name>Drums</instrument-name></score-instrument>",
        "<part-name>Nobody</part-name>",
    ]
    parts = [[attributes() + line(PLAIN), line(PLAIN)], [attributes() + line("x x x x")], [attributes()]]
    read = bars_of(score(*parts, heads=heads))
    assert [(part.name, part.program, part.percussion) for part in read.parts] == [
        ("Flute", 73, False), ("Drums", None, True), ("Nobody", None, False),
    ]  # fmt: skip
    assert {len(part.notes) for part in read.parts} == {len(part.keys) for part in read.parts} == {2}


def test_a_score_told_bar_by_bar_is_the_same_told_part_by_part():
    parts = [[attributes() + line(PLAIN), line("G4 A4 B4 C5")], [attributes() + note("C3", 48), note("D3", 48)]]
    head = '<part-list><score-part id="P0"><part-name>A</part-name></score-part><score-part id="P1"/></part-list>'
    bars = "".join(
        f'<measure number="{n}"><part id="P0">{one}</part><part id="P1">{two}</part></measure>'
        for n, (one, two) in enumerate(zip(*parts, strict=True), 1)
    )
    timewise = bars_of(f"<score-timewise>{head}{bars}</score-timewise>")
    partwise = bars_of(score(*parts, heads=("<part-name>A</part-name>", "")))
    assert timewise == partwise
    late = bars.replace(f'<part id="P1">{parts[1][0]}</part>', "")
    assert [len(notes) for notes in bars_of(f"<score-timewise>{head}{late}</score-timewise>").parts[1].notes] == [0, 1]


@pytest.mark.parametrize(
    "data",
    [
        one(attributes() + line(PLAIN)).encode("utf-16"),
        ('<?xml version="1.0" encoding="UTF-16"?>' + one(attributes() + line(PLAIN))).encode(),
        ('<?xml version="1.0" encoding="ISO-8859-1"?>' + one(attributes() + line(PLAIN))).encode("latin-1"),
        ("\n" + '<?xml version="1.0"?>' + one(attributes() + line(PLAIN))).encode("utf-8-sig"),
        ('<?xml version="1.0" encoding="UTF-8"?>' + one(attributes() + line(PLAIN))).encode("latin-1"),
        one(attributes() + line(PLAIN)).replace("partwise ", "partwise xmlns='urn:x' ").encode(),
        re.sub("<(/?)", r"<\1m:", one(attributes() + line(PLAIN)))
        .replace("partwise ", "partwise xmlns:m='urn:x' ").encode(),
        ('<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD" "http://x/partwise.dtd">'
         + one(attributes() + line(PLAIN))).encode(),
    ],
)  # fmt: skip
def test_encodings_namespaces_and_doctypes(data):
    assert bars_of(data).parts[0].name == "Voice"
    assert heard(data) == QUARTERS


def test_latin_1_that_nothing_declares_is_read():
    data = score([attributes() + line(PLAIN)], heads=("<part-name>Flöte</part-name>",)).encode("latin-1")
    assert bars_of(data).parts[0].name == "Flöte"


def test_a_zip_file_by_another_name_is_opened():
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.xml", one(attributes() + line(PLAIN)))
    assert len(bars_of(packed.getvalue()).bars) == 1


NUMBERS = frozenset


@pytest.mark.parametrize(
    ("signs", "count", "expected"),
    [
        (Signs(backward={1: 2}), 3, "01 01 2"),
        (Signs(forward={1}, backward={2: 3}), 4, "0 12 12 12 3"),
        (Signs(backward={1: 2, 3: 2}), 4, "01 01 23 23"),
        (Signs(forward={0, 2}, backward={3: 2, 4: 2}), 5, "0123 23 4 0123 23 4"),
        (Signs(forward={0, 2}, backward={3: 2}), 5, "0123 23 4"),
        (Signs(backward={1: 2}, endings={1: NUMBERS({1}), 2: NUMBERS({2})}, ends={1, 2}), 4, "01 02 3"),
        (Signs(backward={1: 2}, endings={1: NUMBERS({1})}, ends={1}), 3, "01 0 2"),
        (Signs(backward={1: 2}, endings={1: NUMBERS({1, 2}), 2: NUMBERS({3})}, ends={1}), 3, "01 01 02"),
        (Signs(backward={1: 2}, endings={1: NUMBERS({1}), 2: NUMBERS({3})}, ends={1, 2}), 3, "01 02"),
        (Signs(backward={1: 2, 2: 2}, endings={1: NUMBERS({1}), 2: NUMBERS({2}), 3: NUMBERS({3})}), 4, "01 02 03"),
        (Signs(forward={2}, backward={1: 2, 3: 2}, endings={1: NUMBERS({1}), 2: NUMBERS({2})}), 4, "01 0 23 23"),
        (Signs(endings={1: NUMBERS({1}), 2: NUMBERS({2})}, ends={1, 2}), 3, "012"),
        (Signs(jumps={3: None}, fine={1}), 5, "0123 01"),
        (Signs(backward={1: 2}, jumps={3: None}, fine={1}), 4, "01 01 23 01"),
        (Signs(segno={1: ""}, jumps={3: ""}, to_coda={1: True}, coda={4: ""}), 6, "0123 1 45"),
        (Signs(segno={1: ""}, jumps={3: ""}, coda={2: "", 4: ""}), 6, "0123 1 45"),
        (Signs(segno={0: "a", 2: "b"}, jumps={3: "a"}), 4, "0123 0123"),
        (Signs(jumps={2: None}, endings={2: NUMBERS({1}), 3: NUMBERS({2})}, ends={2, 3}), 5, "012 01 34"),
    ],
)
def test_the_order_of_play(signs, count, expected):
    assert played_order(signs, count) == (tuple(map(int, expected.replace(" ", ""))), True)


def test_signs_of_repetition_lead_nowhere_out_of_their_movement():
    assert played_order(Signs(backward={1: 2, 3: 2}, jumps={5: None}), 6, begins=[3, 4])[0] == (
        0, 1, 0, 1, 2, 3, 3, 4, 5, 4, 5,
    )  # fmt: skip


def test_signs_that_make_no_sense_are_passed_by():
    assert played_order(Signs(jumps={2: ""}), 3) == ((0, 1, 2), False)
    deep = Signs(forward=set(range(99)), backward=dict.fromkeys(range(100, 199), 16))
    assert played_order(deep, 200) == (tuple(range(200)), False)
    assert played_order(Signs(backward={3_999: 16}), 4_000) == (tuple(range(4_000)), False)


def words(text):
    return f"<direction><direction-type><words>{text}</words></direction-type></direction>"


@pytest.mark.parametrize(
    ("at_end", "expected"),
    [
        (words("D.C. al Fine"), "012 0"),
        (words("Da Capo"), "012 0"),
        ('<sound dacapo="yes"/>', "012 0"),
        (words("D. S. al Fine"), "012 12"),
        ('<direction><direction-type><segno/></direction-type><sound dalsegno="s"/></direction>', "012 12"),
        (words("dolce con anima, da capo a piedi"), "012"),
    ],
)
def test_words_and_sounds_say_where_to_go_on(at_end, expected):
    segno = '<direction><direction-type><segno/></direction-type><sound segno="s"/></direction>'
    bars = [attributes() + line(PLAIN) + words("Fine"), segno + line(PLAIN), line(PLAIN) + at_end]
    assert "".join(map(str, bars_of(one(*bars)).order)) == expected.replace(" ", "")


def test_repeats_and_numbers_of_bars_are_those_of_the_file():
    back = '<barline location="right"><repeat direction="backward" times="3"/></barline>'
    ending = '<barline location="{}"><ending number="{}" type="{}"/>{}</barline>'
    repeat = '<repeat direction="backward"/>'
    bars = [
        attributes() + line(PLAIN),
        ending.format("left", "1, 2", "start", "") + line(PLAIN) + ending.format("right", "1, 2", "stop", repeat),
        ending.format("left", 3, "start", "") + line(PLAIN) + ending.format("right", 3, "discontinue", ""),
        line(PLAIN) + back,
    ]
    assert bars_of(one(*bars)).order == (0, 1, 0, 1, 0, 2, 3, 3, 3)


def test_pickups_are_as_long_as_what_is_written_in_them():
    rest = note("r", 48).replace("<rest/>", '<rest measure="yes"/>')
    parts = [[attributes() + line("G4"), line(PLAIN)], [attributes() + rest, rest]]
    assert [bar.length // TICKS for bar in bars_of(score(*parts)).bars] == [1, 4]
    assert bars_of(score(*parts, first=0)).bars[0].anacrusis
    filled = "<forward><duration>12</duration></forward>"
    last = one(attributes() + line("G4"), line(PLAIN), line("C4 D4 E4") + filled)
    assert [bar.length // TICKS for bar in bars_of(last).bars] == [1, 4, 3]


@pytest.mark.parametrize(
    ("bar", "reason"),
    [
        (line(PLAIN, "many"), "<duration> that is no number (part 2, bar 2)"),
        (line(PLAIN, 99999), "a note longer than any score has (part 2, bar 2)"),
        (line("C9").replace("<octave>9", "<octave>12"), "a pitch that MIDI does not know (part 2, bar 2)"),
        (line("H4"), "a <step> that is none of A to G (part 2, bar 2)"),
        (told("<divisions>0</divisions>"), "<divisions> of nothing, so its notes have no length (part 2, bar 2)"),
        (told("<time><beats>3</beats><beat-type>64</beat-type></time>"), "is in 3/64, which is no metre here (part 2"),
        (note("C4", 12, staff="0"), "a <staff> of a number that no score has (part 2, bar 2)"),
        (note("C4", 12, dots=9), "a note of more dots than any score has (part 2, bar 2)"),
        ("<forward><duration>6000</duration></forward>" * 17, "a bar longer than any score has (part 2, bar 2)"),
        (line("C4") + note("E4", 12, chord=True) * 100, "a chord of more notes than any score has (part 2, bar 2)"),
        ('<barline><ending number="1-99" type="start"/></barline>', "more often than any score does (part 2, bar 2)"),
    ],
)
def test_a_refusal_says_why_and_where(bar, reason):
    with pytest.raises(MidiError, match=re.escape(reason)):
        bars_of(score([attributes() + line(PLAIN)] * 2, [attributes() + line(PLAIN), bar]))


def test_a_score_has_a_limit_in_parts_bars_and_notes(monkeypatch):
    with pytest.raises(MidiError, match="over 400 parts"):
        bars_of(score(*([attributes() + note("C4", 12)] for _ in range(401))))
    monkeypatch.setattr(musicxml, "MOST_BARS", 100)
    with pytest.raises(MidiError, match="over 100 bars in all its parts"):
        bars_of(one(attributes(), *[""] * 100))
    monkeypatch.setattr(musicxml, "MOST_NOTES", 20)
    again = line(PLAIN) + '<barline><repeat direction="backward" times="16"/></barline>'
    read = bars_of(one(attributes() + again))
    assert (read.order, read.remarks) == ((0,), ("repeats not understood, played once",))


def test_a_bar_without_end_is_refused_before_it_fills_the_memory(monkeypatch):
    monkeypatch.setattr(xml_stream, "_MOST_TAGS", 50_000)
    with pytest.raises(MidiError, match="over 50,000 tags in a bar"):
        bars_of(one(attributes() + line(PLAIN) * 10_000))


def test_effort_and_memory_grow_as_the_file_does():
    files = [one(attributes() + line(PLAIN), *[line(PLAIN) * 2] * count).encode() for count in (100, 1_000)]
    small, large = (effort(lambda data=data: bars_of(data)) for data in files)
    assert large < 11 * small
    tracemalloc.start()
    bars_of(files[1])
    memory = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert memory < 10 * len(files[1])


def test_a_run_off_the_grid_among_other_notes_is_set_on_it_with_a_remark():
    five = "".join(note(pitch, 3, kind="16th", tuplet="5:4") for pitch in ("C4", "D4", "E4", "F4", "G4"))
    bars = [attributes(15) + five + line("C4 D4 E4", 15), *[line(PLAIN, 15)] * 12]
    reading = parse(one(*bars).encode(), "x.xml")
    assert [(n.onset, n.duration) for n in reading.melodies[0].notes[:6]] == [
        (0, 5), (5, 5), (10, 4), (14, 5), (19, 5), (24, 24),
    ]  # fmt: skip
    assert "values finer than the grid rounded to it" in reading.remarks
