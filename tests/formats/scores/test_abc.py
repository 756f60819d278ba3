"""ABC tunes become the melodies that a player would play, or are refused with the reason and the place."""

import sys

import pytest

from melodygru.errors import MidiError
from melodygru.formats.midi.extraction import ExtractionConfig
from melodygru.formats.reading import parse
from melodygru.formats.scores.abc.fields import LeftOut
from melodygru.formats.scores.abc.tunes import read_tune
from melodygru.formats.scores.layout import METRE_OF_BARS
from melodygru.music.melody import Melody
from melodygru.music.theory import Key, TimeSignature
from tests.effort import effort
from tests.formats.scores.abc_book import BOOK

C, D, E, F, G, A, B = 60, 62, 64, 65, 67, 69, 71


def tune(body: str, metre: str = "4/4", unit: str = "1/4", key: str = "C", extra: str = "") -> Melody:
    return read_tune(f"X:1\nT:A Tune\n{extra}M:{metre}\nL:{unit}\nK:{key}\n{body}\n")


def played(melody: Melody) -> list[tuple[int, int, int]]:
    """(pitch, onset, duration) of every note."""
    return [(note.pitch, note.onset, note.duration) for note in melody.notes]


def pitches(melody: Melody) -> list[int]:
    return [note.pitch for note in melody.notes]


def test_plain_bars_stand_on_the_grid():
    melody = tune("CDEF|G2z2|", extra="Q:1/4=90\n")
    assert played(melody) == [(C, 0, 24), (D, 24, 24), (E, 48, 24), (F, 72, 24), (G, 96, 48)]
    assert (melody.time_signature, melody.key, melody.qpm) == (TimeSignature(4, 4), Key(0, "major"), 90.0)
    assert (melody.name, melody.pickup, melody.bars) == ("A Tune", 0, 2)


def test_a_pickup_completes_the_short_bar_before_a_repeat():
    # 3 + 1 quarters: the G of the second time stands in the last quarter of the bar that C3 begins.
    melody = tune("G|CDEF|C3:|")
    assert played(melody)[:6] == [(G, 72, 24), (C, 96, 24), (D, 120, 24), (E, 144, 24), (F, 168, 24), (C, 192, 72)]
    assert played(melody)[6:] == [(G, 264, 24), (C, 288, 24), (D, 312, 24), (E, 336, 24), (F, 360, 24), (C, 384, 72)]
    assert (melody.pickup, melody.bars) == (24, 4)


def test_a_pickup_after_a_whole_bar_cuts_its_last_note_short():
    melody = tune("CDEF|C4|:G|CDEF|C3:|")
    assert played(melody)[4:7] == [(C, 96, 72), (G, 168, 24), (C, 192, 24)]
    assert melody.pickup == 0


def test_a_short_bar_before_a_section_without_pickup_is_held():
    melody = tune("G|CDEF|C3||CDEF|C3|]")
    assert played(melody)[5:7] == [(C, 192, 96), (C, 288, 24)]


def test_endings_are_played_each_in_its_turn():
    melody = tune("|:CDEF|1GGGG:|2AAAA|BBBB||CCCC|]")
    one, two = [G] * 4, [A] * 4 + [B] * 4
    assert pitches(melody) == [C, D, E, F, *one, C, D, E, F, *two, C, C, C, C]
    assert melody == tune("|:CDEF|[1GGGG:|[2AAAA|BBBB||CCCC|]")
    assert melody == tune("|:CDEF||1 GGGG:| 2 AAAA|BBBB||CCCC|]")
    assert melody == tune("|:CDEF|\\\n1GGGG:|\\\n2AAAA|BBBB||CCCC|]")


def test_a_repeat_goes_back_to_the_last_double_bar():
    assert pitches(tune("CCCC||DDDD::EEEE:|")) == [C] * 4 + [D] * 8 + [E] * 8


def test_a_repeat_sign_in_the_middle_of_a_bar_keeps_the_bar_lines():
    # The bar "C2 | D2" is whole; so is the bar of F2 and the D2 that is gone back to.
    melody = tune("C2|:D2|EEEE|GGGG|AAAA|F2:|")
    assert melody.pickup == 0
    assert [(p, o) for p, o, _ in played(melody) if p in (D, F)] == [(D, 48), (F, 384), (D, 432), (F, 768)]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Dmix", Key(2, "mixolydian")),
        ("Am", Key(9, "minor")),
        ("Ador", Key(9, "dorian")),
        ("E Minor", Key(4, "minor")),
        ("Bb", Key(10, "major")),
        ("Hp", Key(9, "mixolydian")),
    ],
)
def test_keys_keep_their_mode(text, key):
    assert tune("CDEF|GABc|", key=text).key == key


def test_the_key_signature_alters_the_notes():
    assert pitches(tune("CDEF|GABc|", key="Dmix")) == [60, 62, 64, 66, 67, 69, 71, 72]


def test_an_accidental_lasts_to_the_bar_line():
    assert pitches(tune("^FFFF|FFFF|")) == [66] * 4 + [65] * 4
    assert pitches(tune("^FF=FF|FFFF|")) == [66, 66, 65, 65, 65, 65, 65, 65]


def test_triplets_and_dotted_pairs_are_exact():
    melody = tune("(3CDE F>G|A<B c2|", metre="2/4", unit="1/8")
    assert played(melody) == [
        (C, 0, 8), (D, 8, 8), (E, 16, 8), (F, 24, 18), (G, 42, 6), (A, 48, 6), (B, 54, 18), (72, 72, 24),
    ]  # fmt: skip


def test_grace_notes_slurs_and_words_change_nothing():
    plain = tune("A>Bc>d|(3ABc d2|", metre="2/4", unit="1/8")
    adorned = tune('{g}A>{Bc}B"tr"(c>.d)|(3(A{g}Bc) Td2|', metre="2/4", unit="1/8")
    assert played(adorned) == played(plain)
    assert played(tune("CDEF|C4 Hx|x2 C2|")) == played(tune("CDEF|C4|z2 C2|"))


def test_ties_join_and_slurs_do_not():
    melody = tune("C2D2-|D2E-F|")
    assert played(melody) == [(C, 0, 48), (D, 48, 96), (E, 144, 24), (F, 168, 24)]
    # Only the note before the sign is tied, over a bar line or within a dotted pair.
    assert played(tune("CDD-E|E>-EG2|"))[:5] == [(C, 0, 24), (D, 24, 24), (D, 48, 24), (E, 72, 24), (E, 96, 48)]
    assert played(tune("CDDE-|EGG2|"))[-4:] == [(D, 48, 24), (E, 72, 48), (G, 120, 24), (G, 144, 48)]


def test_of_a_chord_the_top_note_is_kept():
    assert pitches(tune("[CEG]2 [c2E2]|CDEF|")) == [G, 72, C, D, E, F]


def test_cut_time_is_written_as_four_four():
    assert tune("CDEF|GABc|", metre="C|").time_signature == TimeSignature(4, 4)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("CDEF|CDE|CDEF|CDEF|", "a bar of the wrong length"),
        ("CDEF|\nM:3/4\nCDE|CDE|", "several metres"),
        ("CDEF|CDEF|\n[V:1] CDEF|\n[V:2] CDEF|", "several voices"),
        ("CDEF|(7C/D/E/F/G/A/B/ C3|", "a rhythm off the grid of 24 steps a quarter"),
        ("z4|z4|", "no notes"),
        ("CD|CD|CD|CD|", "bars of another metre than the one named"),
        ("CDEF|ç CDEF|", "a sign that is no note, 'ç'"),
        ("CDEF|C0 DEF|", "a note of no length"),
        ("CDEF|C,,,,,,,,DEF|", "a pitch that MIDI does not know"),
    ],
)
def test_what_cannot_be_used_is_left_out_with_its_reason(body, reason):
    with pytest.raises(LeftOut, match=reason):
        tune(body)


def read(text: str, **config) -> list[Melody]:
    """The melodies of a file, as a person reads it."""
    return list(parse(text.encode(), "x.abc", ExtractionConfig(**{"min_notes": 1, **config})).melodies)


def one(body: str, head: str = "M:4/4\nL:1/4\nK:C") -> Melody:
    [melody] = read(f"X:1\nT:t\n{head}\n{body}\n")
    return melody


def pitches_of(body: str, head: str = "M:4/4\nL:1/4\nK:C") -> list[int]:
    return pitches(one(body, head))


SCALE = [C, D, E, F, G, A, B, 72]


@pytest.mark.parametrize(
    "body",
    [
        "+trill+C D +fermata+E F|G A B c|]",
        "!trill!C D !f!E F|G !D.C. al fine!A B c!fine!|]",
        "T.C ~D uE vF|(G A) .(B c)|]",
        '"Am"C "^slow"D E F|G A "<("B ">)"c|]',
        "{g}C {/ag}D {^c}E F|G`A B y2 c|]",
        "C D E F|\\\nG A B c|]",
        "C D E F| % a comment\n% another\nG A B c|]",
        "C D E F|\nw: la la la la\nG A B c|]\nW: words\ns: !f!\nr: remark",
        "[I:setbarnb 3]C D E F|[r:remark]G A B c|]",
        "%%begintext\nCDEF GABc\n%%endtext\nC D E F|%%MIDI program 3\nG A B c|]",
        "C D [|] E F|G A B c|]",
        "[CC,]D [E,E] F|[CEG] [A,A] B c|]",
        "C D E F & E2 E2|G A B c & E4|]",
        "(& C D E F | G A B c & E4 | E4 &)|]",
        "C D E F|G A B c Hx|]",
        "C D E F|G A B c|]\n\nprose: A B C",
        "C D E F!\nG A B c!|]",
        "%=====\nC D E F|% B =\nG A B c|]\n%=====",
        "C D=20 E F|=20\nG A B c|]",
        "y16 C y16 D y16 E y16 F y16 y16 y16 y16 y16 y16 y16 y16 y16 y16 y16 y16 y16|=\nG A B c|]",
    ],
)  # fmt: skip
def test_what_is_printed_beside_the_notes_changes_none(body):
    assert pitches_of(body) == SCALE


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("C", [60, 62, 64, 65, 67, 69, 71]),
        ("D", [61, 62, 64, 66, 67, 69, 71]),
        ("Ebm", [59, 61, 63, 65, 66, 68, 70]),
        ("F# MINOR", [61, 62, 64, 66, 68, 69, 71]),
        ("AM", [60, 62, 64, 65, 67, 69, 71]),
        ("G mixolydian", [60, 62, 64, 65, 67, 69, 71]),
        ("Cb", [59, 61, 63, 64, 66, 68, 70]),
        ("C#", [61, 63, 65, 66, 68, 70, 72]),
        ("none", [60, 62, 64, 65, 67, 69, 71]),
        ("", [60, 62, 64, 65, 67, 69, 71]),
        ("HP", [61, 62, 64, 66, 67, 69, 71]),
        ("Hp", [61, 62, 64, 66, 67, 69, 71]),
        ("D Phr ^f", [60, 62, 63, 66, 67, 69, 70]),
        ("Dmix=c_e", [60, 62, 63, 66, 67, 69, 71]),
        ("D exp _e^f", [60, 62, 63, 66, 67, 69, 71]),
        ("G middle=d stafflines=5", [60, 62, 64, 66, 67, 69, 71]),
        ("C bass", [60, 62, 64, 65, 67, 69, 71]),
        ("C treble^8", [60, 62, 64, 65, 67, 69, 71]),
        ("C clef=treble-8", [48, 50, 52, 53, 55, 57, 59]),
        ("C bass+8", [72, 74, 76, 77, 79, 81, 83]),
        ("C -8", [48, 50, 52, 53, 55, 57, 59]),
        ("clef=tenor-8", [48, 50, 52, 53, 55, 57, 59]),
        ("C octave=1 clef=treble-8", [60, 62, 64, 65, 67, 69, 71]),
        ("C transpose=-2", [58, 60, 62, 63, 65, 67, 69]),
        ("C sound=cB", [59, 61, 63, 64, 66, 68, 70]),
        ("C shift=CD", [62, 64, 66, 67, 69, 71, 73]),
        ("C score=CD", [60, 62, 64, 65, 67, 69, 71]),
    ],
)
def test_keys_clefs_and_shifts_alter_the_notes(key, expected):
    assert pitches_of("CDEFGAB|", f"M:7/4\nL:1/4\nK:{key}") == expected
    assert pitches_of(f"[K:{key}]CDEFGAB|", "M:7/4\nL:1/4\nK:C") == expected


def test_a_transposed_key_sounds_where_its_notes_do():
    assert one("CDEFGAB|", "M:7/4\nL:1/4\nK:C transpose=-2").key == Key.parse("Bb")
    assert one("CDEFGAB|", "M:7/4\nL:1/4\n%%MIDI transpose 3\nK:C").key == Key.parse("Eb")
    assert one("CDEFGAB|", "M:7/4\nL:1/4\nK:C octave=-1").key == Key.parse("C")
    assert one("CDEFGAB|", "M:7/4\nL:1/4\nK:D exp _e^f").key == Key.parse("D mixolydian")


def test_a_voice_has_a_clef_of_its_own():
    text = "X:1\nM:4/4\nL:1/4\nV:A clef=treble-8\nV:B octave=1\nK:C\n[V:A]CDEF|\n[V:B]CDEF|\n"
    assert [pitches(read(text, track=name)[0])[0] for name in "AB"] == [48, 72]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("C D E ^F-|F G F c|", [(C, 24), (D, 24), (E, 24), (66, 72 - 24), (G, 24), (F, 24), (72, 24)]),
        ("C4-|C4-|C2 D2|", [(C, 240), (D, 48)]),
        ("[^C,^F]4-|[C,F]4-|[CF]2 F2|", [(66, 240), (F, 48)]),
        ("[C-E-]2 [CE]2|", [(E, 96)]),
        ("C2 C2 .-|C4|", [(C, 48), (C, 144)]),
        ("C2-(3CDE|", [(C, 64), (D, 16), (E, 16)]),
        ("^^C __D =E2|", [(62, 24), (60, 24), (E, 48)]),
        ("^/C _/D ^3/2E _3/2F|", [(C, 24), (D, 24), (65, 24), (64, 24)]),
        ("^C c C, =c|", [(61, 24), (73, 24), (49, 24), (72, 24)]),
    ],
)
def test_ties_and_accidentals(body, expected):
    assert [(note.pitch, note.duration) for note in one(body).notes] == expected


def test_how_far_accidentals_reach_can_be_told():
    head = "M:4/4\nL:1/4\n%%propagate-accidentals {}\nK:C"
    assert pitches_of("^C c C E|", head.format("octave")) == [61, 72, 61, E]
    assert pitches_of("^C c C E|", head.format("not")) == [61, 72, C, E]


@pytest.mark.parametrize(
    ("body", "durations"),
    [
        ("C>D E<F|G4|", [36, 12, 12, 36, 96]),
        ("C>>D E<<F|G4|", [42, 6, 6, 42, 96]),
        ("C>>>D E4/4 F|", [45, 3, 24, 24]),
        ("C > D E2|", [36, 12, 48]),
        ("C>{g}D [CE]<[DF]|", [36, 12, 12, 36]),
        ("(3CDE F2 G|", [16, 16, 16, 48, 24]),
        ("(3:2:4 C/D/E/F/ G3|", [8, 8, 8, 8, 72]),
        ("(3::2 C2 D A|", [32, 16, 24]),
        ("(2C/D/ E (5C/D/E/F/G/ |", [18, 18, 24, 5, 5, 4, 5, 5]),  # a quintuplet's notes last 4.8 steps
        ("(4C/D/E/F/ G5/2|", [9, 9, 9, 9, 60]),
        ("(6C/D/E/C/D/E/ F2 G|", [4, 4, 4, 4, 4, 4, 48, 24]),
        ("C/ D// E//F/2G/4 A/4 B c|", [12, 6, 6, 12, 6, 6, 24, 24]),
        ("C3/ D/2 E|F4|", [36, 12, 24, 96]),
        ("[C2E2]D2|", [48, 48]),
        ("[C2E4]/D3|", [24, 72]),
        ("[CEG]2 [ce]2|", [48, 48]),
    ],
)
def test_lengths_are_exact(body, durations):
    assert [note.duration for note in one(body).notes] == durations


def test_tuplets_in_compound_metre_take_the_time_of_three():
    assert [note.duration for note in one("(2CD (4EFGA|", "M:6/8\nL:1/8\nK:C").notes] == [18, 18, 9, 9, 9, 9]


@pytest.mark.parametrize(
    ("body", "onsets", "bars"),
    [
        ("C x E x|x2 G2|c B A G|", [0, 48, 144, 192, 216, 240, 264], 3),
        ("C D E F|Z2|G4|", [0, 24, 48, 72, 288], 4),
        ("C D E F|X2|G4|", [0, 24, 48, 72, 288], 4),
        ("C D E F|Z|G4|Z|", [0, 24, 48, 72, 192], 4),
        ("Z|C4|z4|", [96], 3),
        ("C2 Z|C4|", [0, 96], 2),
    ],
)
def test_rests_take_their_time(body, onsets, bars):
    melody = one(body)
    assert ([note.onset for note in melody.notes], melody.bars, melody.pickup) == (onsets, bars, 0)


@pytest.mark.parametrize(
    ("body", "letters"),
    [
        ("|:C|D:|E|", "CDCDE"),
        ("|::C|D::|E|", "CDCDCDE"),
        ("|:::C:::|E|", "CCCCE"),
        ("C::D:|", "CCDD"),
        ("C:|:D:||E|", "CCDDE"),
        ("C:||:D:|]", "CCDD"),
        ("|:C:||:D:|", "CCDD"),
        ("[|:C:|]D|]", "CCD"),
        ("|: C : | E |", "CCE"),
        ("|:C|1D:|2E|F||G|", "CDCEFG"),
        ("|:C|[1D:|[2E|]G|", "CDCEG"),
        ("|:C|1,3D:|2,4E:|F|", "CDCECDCEF"),
        ("|:C|[1-3D:|[4E|]F|", "CDCDCDCEF"),
        ("|:C|1D:|2E:|3F|]G|", "CDCECFG"),
        ('|:C|["1."D:|["last"E|]G|', "CDCEG"),
        ("|:C|1D:|\n2E|]G|", "CDCEG"),
        ("|:C|[1D:|E|", "CDCE"),
        ("|:C||1D:|2E|]G|", "CDCEG"),
        ("C||D:|E|", "CDDE"),
    ],
)
def test_bars_are_played_in_their_order(body, letters):
    assert pitches_of(body, "M:1/4\nL:1/4\nK:C") == [60 + {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7}[x] for x in letters]


@pytest.mark.parametrize(
    ("order", "letters"),
    [("AB", "CCD"), ("A2B", "CCCCD"), ("A(BA)2", "CCDCCDCC"), ("A.B3", "CCDDD"), ("BXA", "DCC"), ("Verse", "CCD")],
)
def test_parts_are_played_in_the_order_that_the_header_names(order, letters):
    head = f"P:{order}\nM:1/4\nL:1/4\nK:C"
    expected = [60 + {"C": 0, "D": 2}[x] for x in letters]
    assert pitches_of("P:A\n|:C:|\nP:B\nD|", head) == expected
    assert pitches_of("[P:A]|:C:|[P:B]D|", head) == expected


@pytest.mark.parametrize(
    ("field", "metre"),
    [("C", "4/4"), ("C|", "4/4"), ("2+3/8", "5/8"), ("(2+2+3)/8", "7/8"), (" 6/8 ", "6/8"), ("none", "4/4")],
)
def test_metres(field, metre):
    beats, unit = metre.split("/")
    body = ("C" * int(beats) + "|") * 4
    melody = one(body, f"M:{field}\nL:1/{unit}\nK:C")
    assert (str(melody.time_signature), melody.bars) == (metre, 4)


def test_without_a_metre_the_bars_tell_it_or_notes_follow_one_another():
    [melody] = read("X:1\nL:1/4\nK:C\nC|DEF|GAB|cde|f2|\n")
    assert (str(melody.time_signature), melody.pickup) == ("3/4", 24)
    reading = parse(b"X:1\nM:none\nL:1/4\nK:C\nCD|EFGAB|c|dEFGAB|]\n", "x.abc")
    assert [note.onset for note in reading.melodies[0].notes] == [24 * number for number in range(14)]
    assert METRE_OF_BARS in reading.remarks


def test_a_metre_that_changes_cuts_the_tune():
    one, two = read("X:1\nM:4/4\nL:1/4\nK:C\nCDEF|GABc|[M:3/4]cBA|GFE|D3|]\n")
    assert (str(one.time_signature), one.bars, str(two.time_signature), two.bars) == ("4/4", 2, "3/4", 3)
    assert pitches(two) == [72, 71, 69, 67, 65, 64, 62]


@pytest.mark.parametrize(
    ("field", "qpm"),
    [
        ("1/4=120", 120),
        ("3/8=60", 90),
        ("C=120", 60),
        ("C3=40", 60),
        ("120", 120),
        ('"Allegro" 1/4=100', 100),
        ('1/2=50 "ca."', 100),
        ('"Allegro"', 132),
        ("1/4 3/8=40", 100),
        ("1/4=9000", 400),
        ("1/4=20", 20),
    ],
)
def test_tempi(field, qpm):
    assert one("CDEF GABc|", f"M:4/4\nL:1/8\nQ:{field}\nK:C").qpm == qpm
    assert one(f"[Q:{field}]CDEF GABc|", "M:4/4\nL:1/8\nK:C").qpm == qpm
    assert one("CDEF GABc|", f"M:4/4\nL:1/8\nQ:{field}\n%===\nK:C").qpm == qpm


@pytest.mark.parametrize(("metre", "steps"), [("2/4", 6), ("3/4", 12), ("4/4", 12), ("6/8", 12), ("5/8", 6)])
def test_the_unit_follows_from_the_metre(metre, steps):
    assert one("C C C C C C C C|", f"M:{metre}\nK:C").notes[0].duration == steps


def test_units_and_metres_may_change_within_a_line():
    melody = one("CDEF [L:1/8]GG|[L:1/4]A4|", "M:5/4\nL:1/4\nK:C")
    assert [note.duration for note in melody.notes] == [24, 24, 24, 24, 12, 12, 96]


def test_macros_stand_for_what_they_mean():
    head = "m: ~G2 = {A}G{F}G\nm: ~n3 = n{o}n{m}n\nM:3/4\nL:1/4\nK:C"
    assert pitches_of("~G2 C|~c3|~D3|", head) == [67, 67, 60, 72, 72, 72, 62, 62, 62]
    assert pitches_of("Ec'|", "m: c' = nDn\nm: En = FG\nM:3/4\nL:1/4\nK:C") == [65, 67]


def test_lines_may_end_as_they_like_and_a_mark_may_stand_at_the_head():
    text = "X:1\nT:Caf\\'e \\%\nM:4/4\nL:1/4\nK:C\nCDEF|GABc|]\n"
    expected = read(text)
    assert expected[0].name == "Café %"
    for data in (
        text.replace("\n", "\r\n").encode(),
        text.replace("\n", "\r").encode(),
        b"\xef\xbb\xbf%abc-2.1\n" + text.encode(),
        text.encode("utf-16"),
    ):
        assert list(parse(data, "x.abc").melodies) == expected


@pytest.mark.parametrize("text", ["X:1\nK:C\nC|", "X:\nK:\nC|", "K:C\nC", "X: 1\nM:4/4\nL:1/1\nK:C\nC|]"])
def test_a_tune_may_be_as_short_as_it_likes(text):
    [melody] = read(text)
    assert (pitches(melody), melody.bars, melody.pickup) == ([60], 1, 0)


@pytest.mark.parametrize("body", ["D3333|", "[CE]999|", "z9999|C4|", "(3C9CC|C9999|"])
def test_a_note_longer_than_any_is_refused(body):
    with pytest.raises(MidiError, match=r"a note longer than any tune has \(bar 1|a note longer than any tune has"):
        one(body)


def test_a_book_is_many_tunes():
    reading = parse(BOOK.encode(), "x.abc")
    assert [(m.name, str(m.time_signature), str(m.key), m.pickup) for m in reading.melodies] == [
        ("First", "6/8", "D dorian", 12),
        ("Second", "4/4", "G mixolydian", 0),
    ]
    assert reading.melodies[1].qpm == 99
    assert len(reading.melodies[1].notes) == 22, "the repeat is written out"
    where = "(tune 3, 'Third odd')"
    assert reading.remarks == (f"tune left out: bars of another metre than the one named {where}",)
    assert [m.name for m in parse(BOOK.encode(), "x.abc", ExtractionConfig("2")).melodies] == ["Second"]


def test_what_a_file_says_at_its_head_holds_for_each_tune():
    head = "%abc-2.1\nM:3/4\nL:1/4\nK:G\n%%MIDI transpose 2\n\n"
    first, second = read(head + "X:1\nT:One\nFGA|\n\nX:2\nT:Two\nM:4/4\nK:C\nFGAB|\n")
    assert (first.name, str(first.time_signature), pitches(first)) == ("One", "3/4", [68, 69, 71])
    assert (second.name, str(second.time_signature), pitches(second)) == ("Two", "4/4", [67, 69, 71, 73])


def test_a_tune_with_voices_is_the_one_that_is_the_melody():
    head = 'X:1\nT:Two\nM:4/4\nL:1/4\nV:1 name="Bass"\nV:2 name="Melody"\nK:C\n'
    body = "V:1\nC,4|C,4|C,4|\nV:2\nCDEF|GABc|c4|\n"
    for text in (head + body, head + body.replace("V:1\n", "[V:1] ").replace("V:2\n", "[V:2] ")):
        assert pitches(parse(text.encode(), "x.abc").melodies[0]) == [*SCALE, 72]
        assert pitches(read(text, track="bass")[0]) == [48] * 3


def test_a_voice_that_cannot_be_read_costs_itself_alone():
    text = "X:1\nM:4/4\nL:1/4\nK:C\nV:A\nCDEF|GABc|CDEF|GABc|\nV:B\nC,3|C,3|C,3|C,3|\n"
    reading = parse(text.encode(), "x.abc")
    assert pitches(reading.melodies[0]) == SCALE * 2
    assert reading.remarks == ("voice left out: bars of another metre than the one named (voice B)",)


def test_short_bars_are_filled_and_said_so():
    reading = parse(b"X:1\nM:4/4\nL:1/4\nK:C\nCDEF|CDE|CDEF|CDEF|CDEF|]\n", "x.abc")
    assert reading.remarks == ("short bars filled",)
    assert [(n.onset, n.duration) for n in reading.melodies[0].notes][6:8] == [(144, 48), (192, 24)]
    with pytest.raises(MidiError, match="bars of another metre than the one named"):
        one("CDE|CDE|CDE|CDE|CDE|CD|")


def test_long_rests_cut_a_tune_where_they_are_asked_to():
    text = "X:1\nM:4/4\nL:1/4\nK:C\nCDEF|Z4|GABc|]\n"
    assert len(read(text, max_rest_bars=100)) == 1
    assert [pitches(melody) for melody in read(text, max_rest_bars=2)] == [SCALE[:4], SCALE[4:]]


HEAD = "X:1\nM:4/4\nL:1/8\nK:C\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (HEAD + "CDEF GABc|" * 3_000_000, "a text of over 1 MiB"),
        (HEAD + "Z9999999|CDEF|", "more bars than any tune has (line 5)"),
        (HEAD + "C|" * 30_000, "more bars than any tune has"),
        (HEAD + "C" * 200_000, "more notes than any tune has"),
        (HEAD + ("|" + ":" * 15 + "C" + ":" * 15 + "|") * 9_000, "more repeats than any tune has"),
        (HEAD + "|" + ":" * 100_000 + "C|", "more repeats than any tune has"),
        (HEAD + "C|99 D|", "more repeats than any tune has"),
        ("X:1\nP:((A999)999)999\nM:4/4\nK:C\nP:A\nC|", "order of play"),
        ("X:1\nP:" + "(" * 100_000 + "A\nM:4/4\nK:C\nP:A\nC|", "order of play"),
        (HEAD + "".join(f"[V:{n}]C" for n in range(1_000)), "more voices than any tune has"),
        (HEAD + "C" + "9" * 100_000, "a note longer or shorter"),
        (HEAD + "C" + "," * 100_000, "a pitch that MIDI does not know"),
        ("X:1\nm:~g=" + "C" * 190 + "\nK:C\n" + "~g" * 100_000, "macros"),
        ("X:1\n" + "m:~a=b\n" + "".join(f"m:~a{n}=b\n" for n in range(99)) + "K:C\nC|", "macros"),
        ("X:1\nM:99999999/4\nK:C\nCDEF|", "that no tune has"),
        ("X:1\nL:1/99999999\nK:C\nCDEF|", "that no tune has"),
        ("X:1\nM:33/4\nK:C\nCDEF|", "a metre that no tune has, 33/4 (line 3)"),
        ("X:1\nK:Quartz\nCDEF|", "a key that nobody knows, 'Quartz' (line 2)"),
        ("X:1\nK:C\nC|\n" * 150_000, "more than 100,000 tunes"),
        ("M:4/4\n" * 1_000 + "X:1\nK:C\nC|\n", "more than 200 fields"),
        (HEAD + '"' * 500_000, "no notes"),
        (HEAD + "[M:" * 100_000 + "\nz4|", "no notes"),
        (HEAD + "{z" * 40_000, "no notes"),
        (HEAD + ": " * 200_000, "no notes"),
        (HEAD + "1" * 300_000, "no notes"),
        (HEAD + "^1/" * 50_000, "no notes"),
        ("X:1\nK:C\n", "no notes"),
        ("   \n", "is empty"),
        ("hello", "is not ABC notation"),
    ],
)
def test_what_no_tune_has_is_refused_at_once(text, reason):
    with pytest.raises(MidiError) as raised:
        parse(text.encode(), "x.abc")
    assert reason in str(raised.value)
    assert str(raised.value).endswith(".")


def test_abc_needs_no_music21(monkeypatch):
    monkeypatch.setitem(sys.modules, "music21", None)
    assert len(read(BOOK)) == 2


def test_long_tunes_take_effort_in_proportion():
    tunes = ["CD>EF (3GABc {d}^c-|c" * bars for bars in (400, 4_000)]
    small, large = (effort(lambda tune=tune: one(tune, "M:none\nL:1/8\nK:C")) for tune in tunes)
    assert large < 11 * small
