"""Humdrum **kern: spines that split, join and change places, what tokens say, the order of play, and what is refused.

Everything read is written by the tests: by hand, or by a writer that knows nothing of the reader.
"""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melodygru.errors import MidiError
from melodygru.formats.midi.extraction import ExtractionConfig
from melodygru.formats.scores.kern.reader import scores_in_kern
from melodygru.formats.scores.melodies import kern_melodies
from melodygru.formats.scores.written import TICKS, WrittenScore
from melodygru.music.theory import Key, TimeSignature
from tests.effort import effort

C_MAJOR = "4c\n4d\n4e\n4f\n"


def read(*lines: str) -> WrittenScore:
    """The only piece of these lines, in which blanks stand for tabs and "~" for blanks."""
    [score] = scores_in_kern(tabbed(*lines))
    return score


def tabbed(*lines: str) -> bytes:
    text = "\n".join(lines)
    return "\n".join(
        line if line.startswith("!") else line.replace(" ", "\t").replace("~", " ") for line in text.split("\n")
    ).encode()


def heard(score: WrittenScore, part: int = 0) -> list[tuple[Fraction, Fraction, int]]:
    """(onset, length, pitch) of a part as it is written, in quarters, ties joined."""
    found: list[tuple[Fraction, Fraction, int]] = []
    tied: dict[int, int] = {}
    at = 0
    for bar, notes in zip(score.bars, score.parts[part].notes, strict=True):
        for note in notes:
            place = tied.pop(note.pitch, None)
            if place is None:
                place = len(found)
                found.append((Fraction(at + note.offset, TICKS), Fraction(note.length, TICKS), note.pitch))
            else:
                onset, length, pitch = found[place]
                found[place] = (onset, length + Fraction(note.length, TICKS), pitch)
            if note.tied:
                tied[note.pitch] = place
        at += bar.length
    return found


def pitches(score: WrittenScore, part: int = 0) -> list[int]:
    return [pitch for _, _, pitch in heard(score, part)]


TOP = [76, 77, 79, 81]
VOICES = "4ee 4c\n4ff 4d\n4gg 4e\n4aa 4f"


@pytest.mark.parametrize(
    "lines",
    [
        ["*^", VOICES, "*v *v"],
        ["*^", "*^ *", "4ee 4g 4c\n4ff 4g 4c\n4gg 4g 4c\n4aa 4g 4c", "*v *v *v"],
        ["*^", "* *^", "4ee 4g 4c\n4ff 4g 4c\n4gg 4g 4c\n4aa 4g 4c", "* *v *v", "*v *v"],
        ["*^", "*^ *", "4ee 4g 4c\n4ff 4g 4c", "*v *v *", "4gg 4c\n4aa 4c", "*v *v"],
        ["4ee", "*^", "4ff 4d\n4gg 4e", "*^ *", "4aa 4f 4d", "*v *v *v"],
        ["*^", "*x *x", "4c 4ee\n4d 4ff\n4e 4gg\n4f 4aa", "*v *v"],
        ["*^", "4ee 4c\n4ff 4d", "*- *", "4gg\n4aa"],
        ["*^", "4ee 4c\n4ff 4d", "* *-", "4gg\n4aa"],
        ["*^", "4ee 1c\n4ff .\n4gg .\n4aa .", "*v *v"],
        ["*^", "4ee .\n4ff .\n4gg 4c\n4aa .", "*v *v"],
        ["*^", "1r 4ee\n. 4ff\n. 4gg\n. 4aa", "*v *v"],
        ["*^", "1ryy 4ee\n. 4ff\n. 4gg\n. 4aa", "*v *v"],
        ["*^", "*^ *", "1r 1r 4ee\n. . 4ff\n. . 4gg\n. . 4aa", "*v *v *v"],
        ["4ee\n4ff", "*^", "2r 4gg\n. 4aa", "*v *v"],
        ["*+", "* **text", "4ee do\n4ff re\n4gg .\n4aa mi", "* *-"],
        ["*+", "* **kern", "4ee 1C\n4ff .\n4gg .\n4aa ."],
    ],
)
def test_the_upper_voice_is_read_however_the_spine_splits(lines):
    score = read("**kern", "*M4/4", "=1", *lines)
    top = next(n for n, part in enumerate(score.parts) if any(part.notes) and max(pitches(score, n)) > 60)
    assert heard(score, top) == [(Fraction(n), Fraction(1), pitch) for n, pitch in enumerate(TOP)]


def test_a_staff_is_split_again_in_the_next_bar_and_into_more():
    score = read(
        "**kern **kern", "*M4/4 *M4/4", "=1 =1", "* *^", "1C 1ee 1c", "* *v *v", "=2 =2", "* *^", "* *^ *",
        "4F 4bb 4g 4d\n4G 4aa 4f 4d\n4F 4gg 4e 4d\n4G 4ff 4d 4B", "* *v *v *v", "=3 =3", "1C 1ee", "== ==", "*- *-",
    )  # fmt: skip
    assert pitches(score) == [76, 83, 81, 79, 77, 76]
    assert pitches(score, 1) == [48, 53, 55, 53, 55, 48]


@pytest.mark.parametrize(
    "join",
    [["*v *v *v *v"], ["*v *v * *", "* *v *v"], ["* * *v *v", "*v *v *"]],
    ids=["at once", "left first", "right first"],
)
def test_two_staves_join_on_one_line_or_on_two(join):
    score = read("**kern **kern", "*^ *^", "1CC 1C 1cc 1c", *join, "1D 1dd", "*- *-")
    assert (pitches(score), pitches(score, 1)) == ([72, 74], [36, 50])


def test_spines_of_words_dynamics_and_others_are_passed_by():
    score = read(
        "**dynam **kern **text **kern **silbe", "*X *clefF4 *lang:DE *clefG2 *", "p =1 = =1 =", "f 2C so 4cc la",
        "! !a~comment ! ! !", "mf . 0 4dd 9.", ". 2D . 2ee .", "*- *- *- *- *-",
    )  # fmt: skip
    assert pitches(score) == [72, 74, 76]
    assert pitches(score, 1) == [48, 50]


def test_spines_change_places_and_stay_what_they_were():
    score = read('**kern **kern', '*I"Low *I"High', "2C 2cc", "*x *x", "2dd 2D", "= =", "1ee 1E", "*- *-")  # fmt: skip
    assert [(part.name, pitches(score, n)) for n, part in enumerate(score.parts)] == [
        ("High", [72, 74, 76]),
        ("Low", [48, 50, 52]),
    ]


LENGTHS = {"1": 4, "2": 2, "4": 1, "8": Fraction(1, 2), "0": 8, "00": 16, "000": 32, "2.": 3, "4..": Fraction(7, 4),
           "0.": 12, "3": Fraction(4, 3), "6": Fraction(2, 3), "12": Fraction(1, 3), "6.": 1, "20": Fraction(1, 5),
           "3%2": Fraction(8, 3), "9%2": Fraction(8, 9), "7": Fraction(4, 7), "5": Fraction(4, 5)}  # fmt: skip


@pytest.mark.parametrize(("token", "quarters"), LENGTHS.items())
def test_lengths(token, quarters):
    [(_, length, _), *_] = heard(read("**kern", f"{token}c", "*-"))
    assert abs(length - quarters) < Fraction(1, TICKS)


NOTES = {
    "4c": 60,
    "4cc": 72,
    "4ccc": 84,
    "4C": 48,
    "4CC": 36,
    "4b": 71,
    "4B": 59,
    "4f#": 66,
    "4f##": 67,
    "4B-": 58,
    "4BB--": 45,
    "4en": 64,
    "c4": 60,
    "(<4g#X/L": 68,
    "{4ff#J}": 78,
    "4a-yy/": 68,
    "4d'^;>:": 62,
    "&(8b-&)": 70,
    "8eeyy\\-L": 75,
    "4cc@16@": 72,
    "[4f": 65,
    "4aTt$S": 69,
    "8.gkK": 67,
    "8fp": 65,
    "8gP": 67,
    "4eN@Zi|V": 64,
}
"""What is not printed (yy) sounds, and what stands for an appoggiatura (P) has its own time."""


@pytest.mark.parametrize(("token", "pitch"), NOTES.items())
def test_pitches_among_signs(token, pitch):
    assert pitches(read("**kern", token.replace(" ", "~"), "*-")) == [pitch]


@pytest.mark.parametrize("silence", ["4r", "4ryy", "4ggr", "4r;", "4R"])
def test_what_has_no_pitch(silence):
    assert heard(read("**kern", silence, "4c", "*-")) == [(Fraction(1), Fraction(1), 60)]


def test_grace_notes_take_no_time_in_any_voice():
    score = read("**kern **kern", "2C qcc", ". 8ddqq", ". 4ee", "16qG Qff", ". 4ee", "*- *-")
    assert heard(score) == [(0, 1, 76), (1, 1, 76)]
    assert heard(score, 1) == [(0, 2, 48)]


def test_cue_notes_are_passed_by_in_their_time():
    score = read("**kern", "4c", "*cue", "4a", "4b", "*Xcue", "4d", "*-")
    assert heard(score) == [(0, 1, 60), (3, 1, 62)]


def test_chords_and_ties():
    score = read("**kern", "=1", "[4c~[4e~4g", "4c_~4e]", "=2", "4c]~4a", "4c", "*-")
    assert heard(score) == [(0, 3, 60), (0, 2, 64), (0, 1, 67), (2, 1, 69), (3, 1, 60)]


@pytest.mark.parametrize("sign", ["*ITrd1c2", "*Trd-1c-2", "*8va", "*8ba", "*clefGv2", "*rscale:4", "*tuplet"])
def test_pitches_are_as_they_sound(sign):
    assert pitches(read("**kern", sign, "4c", "*-")) == [60]


KEYS = {
    "*k[]": 0,
    "*k[f#c#g#]": 3,
    "*k[b-e-]": -2,
    "*k[e-b-]": -2,
    "*k[f#b-]": None,
    "*k[e-]": None,
    "*G:": Key(7, "major"),
    "*g:": Key(7, "minor"),
    "*b-:": Key(10, "minor"),
    "*f#:": Key(6, "minor"),
    "*G:mix": Key(7, "mixolydian"),
    "*d:dor": Key(2, "dorian"),
    "*E:phr": Key(4, "phrygian"),
    "*A:aeo": Key(9, "minor"),
    "*F:ion": Key(5, "major"),
    "*B-:lyd": Key(10, "lydian"),
    "*?:X": None,
}


@pytest.mark.parametrize(("sign", "key"), KEYS.items())
def test_keys_and_signatures(sign, key):
    assert read("**kern", sign, "4c", "*-").parts[0].keys == (key,)


def test_a_key_holds_until_another_or_another_signature():
    lines = ["*k[b-]", "*g:dor", "=1", "1g", "*k[b-]", "=2", "1g", "*k[]", "*a:", "=3", "1a", "*A:", "*k[f#c#g#]", "=4"]
    score = read("**kern", *lines, "1a", "*k[b-]", "=5", "1f", "*?:", "=6", "1f", "*-")
    dorian, major = Key(7, "dorian"), Key(9, "major")
    assert score.parts[0].keys == (dorian, dorian, Key(9, "minor"), major, -1, -1)


METRES = {"*M3/4": (3, 4), "*M6/8": (6, 8), "*M3+2/8": (5, 8), "*M2+2+3/8": (7, 8), "*M3/1": (3, 1), "*M3/0": (6, 1),
          "*M2/0": (4, 1), "*M3/3%2": (2, 1), "*M12/16": (12, 16)}  # fmt: skip


@pytest.mark.parametrize(("sign", "metre"), METRES.items())
def test_metres(sign, metre):
    assert read("**kern", sign, "4c", "*-").bars[0].metre == TimeSignature(*metre)


def test_what_changes_within_a_bar_holds_from_the_next():
    score = read(
        "**kern", "*M4/4", "*MM60", "=1", "1c", "*M3/4", "=2", "2.c", "=3", "2c", "*MM90-110", "4c", "=4", "2.c"
    )
    assert [str(bar.metre) for bar in score.bars] == ["4/4", "3/4", "3/4", "3/4"]
    assert [bar.qpm for bar in score.bars] == [60.0, 60.0, 60.0, 100.0]


@pytest.mark.parametrize(
    ("said", "qpm"),
    [
        ("Allegro [quarter]=120", 120.0),
        ("[half-dot] = ca. 40", 120.0),
        ("[eighth]=90", 45.0),
        ("[quarter]=9999", None),
        ("Allegro", None),
    ],
)
def test_a_tempo_in_words(said, qpm):
    assert read(f"!!!OMD: {said}", "**kern", "4c", "*-").bars[0].qpm == qpm


@pytest.mark.parametrize(
    ("signs", "name"),
    [
        (['*I"Cantus~I'], "Cantus I"),
        (["*ICvox", "*Isoprn", '*I"Zosia'], "Zosia"),
        (['*I"', "*Itenor"], "Tenor"),
        (["*ICvox"], "Voice"),
        (["*Iviola"], "Viola"),
        (["*IGsolo", "*I'abbr"], ""),
    ],
)
def test_names(signs, name):
    assert read("**kern", *signs, "4c", "*-").parts[0].name == name


def test_percussion():
    assert read("**kern", "*clefX", "4c", "*-").parts[0].percussion
    assert read("**kern", "4R", "*-").parts[0].percussion
    assert not read("**kern", "4R", "4c", "*-").parts[0].percussion


def test_pickups_bars_without_numbers_and_lines_that_end_sections():
    score = read("**kern", "*M3/4", "4c", "=1", "2.d", "=||", "2.e", "=:|!", "=", "2.f", "=-", "2.g", "==", "*-")
    assert [bar.length // TICKS for bar in score.bars] == [1, 3, 3, 3, 3]
    assert [bar.ends for bar in score.bars] == [False, True, True, False, True]
    assert [bar.anacrusis for bar in score.bars] == [True] + 4 * [False]
    assert not read("**kern", "*M3/4", "2.c", "=2", "2.d", "*-").bars[0].anacrusis
    assert read("**kern", "*M3/4", "=0", "2.r", "=1", "2.d", "*-").bars[0].anacrusis


def sections(text: str) -> WrittenScore:
    """A piece of one whole note a bar, each a step higher; what stands between is a bar line or a label."""
    steps = iter("cdefgab")
    return read("**kern", *(f"1{next(steps)}" if word == "." else word for word in text.split()), "*-")


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("*>[A,A,B] *>A =1 . =:|! *>B . == ", "001"),
        ("*>[A,B,A] *>norep[A,B] *>A . = . = *>B . ==", "01201"),
        ("*>norep[A,B] *>[I,A,A,B] *>I . = *>A . = *>B . ==", "0112"),
        ("*>[A,A] . = *>A . = . ==", "01212"),
        ("*>[A,C] *>A . = . = *>B . = ", "012 not understood"),
        ("*>[A,A] *>A . = *>A . =", "01 not understood"),
        ("=1 . =2 . =:|! . ==", "01012"),
        ("=1 . =2!|: . =3 . =:|! . =", "012123"),
        ("=1 . =:|!|: . =:|! . ==", "00112"),
        ("=1 . =:|: . =:|: . ==:|!", "001122"),
        ("=1 . =:! . =!: . ==:|", "00122"),
        ("=1 . =2 *>A1 . =:|! *>A2 . == *>B .", "01023"),
        ("=1 . =2 *>1st . =:|! *>2nd . =:|! *>3rd . = .", "0102034"),
        ("*>A1 . = *>A2 . =:|! . =", "01012"),
        ("*>norep[A,B] *>A . = *>B . =", "01"),
    ],
)
def test_the_order_of_play(text, order):
    score = sections(text)
    assert "".join(map(str, score.order)) == order.split()[0]
    assert bool(score.remarks) == ("not" in order)


def test_a_label_within_a_bar_parts_it():
    score = read("**kern", "*M4/4", "*>[A,B,B]", "*>A", "2c", "2d", "=", "2e", "*>B", "2f", "=", "1g", "*-")
    assert [bar.length // TICKS for bar in score.bars] == [4, 2, 2, 4]
    assert score.order == (0, 1, 2, 3, 2, 3)


def test_repeats_without_end_are_played_once():
    often = ",".join(3_000 * ["A"])
    score = read("**kern", f"*>[{often}]", "*>A", *(20 * ["1c", "="]), "*-")
    assert (len(score.order), score.remarks) == (20, ("repeats not understood, played once",))
    chords = "~".join(60 * ["64c"])
    score = read("**kern", f"*>[{often}]", "*>A", *(800 * [chords]), "=", "*-")
    assert len(score.order) == 1


def test_titles_and_several_pieces():
    tune = "**kern\n*M4/4\n=1\n" + C_MAJOR + "==\n*-\n"
    text = f"!!!COM: Anonymous\n!!!OTL@@PL: One\n!!!OMD: Allegro\n{tune}{tune}!!!OTL: Two\n"
    text += f"!!!!SEGMENT: c.krn\n!!!OTL: Title\n{tune}!!!OTL: Four"
    assert [score.title for score in scores_in_kern(text.encode())] == ["One", "Two", "Four"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", ["*-", "*-\n\n", ""])
def test_ends_of_lines_and_of_the_file(end, last):
    text = "**kern\n*M4/4\n!!a comment\n\n=1\n4c\t\n4d\n4e\n4f\n==\n" + last
    [score] = scores_in_kern(text.replace("\n", end).encode())
    assert pitches(score) == [60, 62, 64, 65]


MORE = "more than any score"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["**recip", "4", "*-"], "no **kern spine"),
        (["**mens", "Sc", "*-"], "**mens, mensural notation"),
        (["!**kern", "4c"], "no **kern spine"),
        (["**kernyy **text", "4c a", "*- *-"], "no **kern spine"),
        (["*clefG2", "**kern", "4c", "*-"], "music on line 1 before spines begin"),
        (["**kern **kern", "4c 4d", "4e", "*- *-"], "1 cell on line 3 where 2 spines are open"),
        (["**kern", "4c 4d", "*-"], "2 cells on line 2 where 1 spine is open"),
        (["**kern **kern", "4c *", "*- *-"], "a token that is no note, '*', on line 2"),
        (["**kern **kern", "* 4c", "*- *-"], "mixes interpretations with something else on line 2"),
        (["**kern", "=5", "4c", "4?x", "*-"], "a token that is no note, '4?x', on line 4 (bar 5)"),
        (["**kern", "4cd"], "no note, '4cd'"),
        (["**kern", "4cC"], "no note, '4cC'"),
        (["**kern", "4cLc"], "no note"),
        (["**kern", "c"], "no note, 'c'"),
        (["**kern", "4c#-"], "no note"),
        (["**kern", "4c8"], "no note"),
        (["**kern", "0000c"], "no note"),
        (["**kern", "99999c"], "no note"),
        (["**kern", "1%999c"], "no note"),
        (["**kern", "4" + 12 * "c"], "a pitch that MIDI does not know on line 2"),
        (["**kern", "~".join(200 * ["4c"])], "a chord of more notes than any score has on line 2"),
        (["**kern", "4c~8e"], "a chord of notes that differ in length on line 2"),
        (["**kern", "=1", "*v", "4c"], "joins one spine (*v) with none on line 3"),
        (["**kern", "=1", "*x", "4c"], "exchanges one spine (*x) with none on line 3"),
        (["**kern **text", "4c a", "*v *v", "4c"], "joins spines of several kinds (*v) on line 3"),
        (["**kern", "*^", "4c 2c", "*v *v", "4c"], "joins voices that do not end together (*v) on line 4"),
        (["**kern", "*+", "4c 4d"], "a spine without a kind, such as **kern, on line 3"),
        (["**kern **kern", "=7 =7", "4c 4d", "4e 2f", "=8 =8"], "not end together at the bar line on line 5 (bar 7)"),
        (["**kern **kern", "=7 =7", "2c 4d", "4e 2f"], "should begin together but do not on line 4 (bar 7)"),
        (["**kern **kern", "=7 =7", "4c 4d", "4e .", "=8 =8"], "a voice that lacks a note or a rest on line 4 (bar 7)"),
        (["**kern **kern", "4c 1d", "* *-", "4c", "="], "do not end together at the bar line on line 5"),
        (["**kern **kern", "4c 4d", "= 4d"], "a bar line in some spines and notes in others on line 3"),
        (["**kern", "*M99999999/4", "4c"], "the metre '99999999/4', which cannot be read, on line 2"),
        (["**kern", "*M3/5", "4c"], "the metre 3/5, which is none here (legal are 1 to 32 over 1, 2"),
        (["**kern", "4c", "*MX", "4c"], "no metre from line 3 on (senza misura)"),
        (["**kern", *(129 * ["1c"])], "a bar longer than any score has on line 130"),
        (["\t".join(1_001 * ["**kern"])], "over 1,000 spines on line 1"),
        (["**kern", "*^", "*^ *^", "*^ *^ *^ *^", " ".join(8 * ["*^"]), " ".join(16 * ["*^"]), " ".join(32 * ["*^"])],
         "splits a staff into over 32 voices on line 7"),
        (["**kern", *(20_001 * ["4c", "="])], "more bars up to line 40003"),
        (["**kern", 1_000_001 * "\n"], MORE),
        (["**kern", "=1", "==", "*-"], "has no notes"),
        (["**kern", "*-"], "has no notes"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_place(lines, words):
    with pytest.raises(MidiError) as told:
        scores_in_kern(tabbed(*lines))
    assert words in str(told.value)
    assert str(told.value).endswith(".")


def test_more_notes_than_any_score_has_are_refused():
    chord = " ".join(99 * ["1024c"])
    with pytest.raises(MidiError, match="over 300,000 notes on line"):
        scores_in_kern(("**kern\n" + f"{chord}\n" * 3_100).encode())


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["*M3/4", *(4 * ["=", "2c"]), "="], "than the one named (bar 1: 2 quarters in 3/4)"),
        (["*M4/4", "=1", "1r", "="], "has no notes"),
    ],
)  # fmt: skip
def test_what_is_no_melody_is_told_with_its_bar(lines, words):
    with pytest.raises(MidiError) as told:
        kern_melodies(tabbed("**kern", *lines, "*-"), "x", ExtractionConfig(min_notes=1))
    assert words in str(told.value)


# Values that fit the quarter, each with its token.
VALUES = {"4": 24, "8": 12, "16": 6, "2": 48, "8.": 18, "12": 8, "4.": 36}
NAMES = ("c", "c#", "d", "e-", "e", "f", "f#", "g", "a-", "a", "b-", "b")


def name_of(pitch: int) -> str:
    octave, step = divmod(pitch - 60, 12)
    letter, sign = NAMES[step][0], NAMES[step][1:]
    return (letter * (octave + 1) if octave >= 0 else letter.upper() * -octave) + sign


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False))
def test_each_staff_is_found_among_spines_that_split_and_join_at_random(chance):
    """A staff is up to four voices, of which the upper one is told; words and exchanges stand between."""
    tops, lines = written_at_random(chance)
    score = read(*lines)
    found = [heard(score, part) for part in range(len(score.parts))]
    assert sorted(found) == sorted(tops)


def written_at_random(chance: random.Random) -> tuple[list[list[tuple[Fraction, Fraction, int]]], list[str]]:
    """The notes of each staff's upper voice, and the lines that hold them; no bar is longer than a 4/4."""
    count = chance.randint(1, 3)
    tops: list[list[tuple[Fraction, Fraction, int]]] = [[] for _ in range(count)]
    columns: list[tuple[int, int]] = [(staff, 0) for staff in range(count)] + [(-1, 0)] * chance.randint(0, 1)
    chance.shuffle(columns)
    lines = [" ".join("**kern" if staff >= 0 else "**text" for staff, _ in columns)]
    at = 0
    for _ in range(chance.randint(1, 4)):
        lines.append(" ".join("=" for _ in columns))
        left = 96
        while left:
            columns, said = rearranged(chance, columns)
            lines += said
            span = chance.choice([span for span in (24, 48, 96) if span <= left])
            lines += filled(chance, columns, span, at, tops)
            at, left = at + span, left - span
    lines.append(" ".join("*-" for _ in columns))
    return tops, lines


def rearranged(chance: random.Random, columns: list[tuple[int, int]]) -> tuple[list[tuple[int, int]], list[str]]:
    """Columns, each (staff, voice from 0 down), after some splits, joins and exchanges, and the lines that say so."""
    said = []
    for _ in range(chance.randint(0, 3)):
        what = chance.choice(("split", "join", "exchange"))
        place = chance.randrange(len(columns))
        staff, voice = columns[place]
        if what == "split" and staff >= 0 and sum(one == staff for one, _ in columns) < 4:
            said.append(" ".join("*^" if n == place else "*" for n in range(len(columns))))
            lower = [(one, other + (one == staff and other > voice)) for one, other in columns]
            columns = [*lower[: place + 1], (staff, voice + 1), *lower[place + 1 :]]
        elif what == "exchange" and len(columns) > 1:
            other = chance.choice([n for n in range(len(columns)) if n != place])
            said.append(" ".join("*x" if n in (place, other) else "*" for n in range(len(columns))))
            columns = list(columns)
            columns[place], columns[other] = columns[other], columns[place]
        elif what == "join" and staff >= 0:
            end = place
            while end < len(columns) and columns[end][0] == staff:
                end += 1
            if end - place > 1:
                said.append(" ".join("*v" if place <= n < end else "*" for n in range(len(columns))))
                kept = (staff, min(voice for _, voice in columns[place:end]))
                columns = [*columns[:place], kept, *columns[end:]]
                voices = sorted(voice for one, voice in columns if one == staff)
                columns = [(one, voices.index(voice) if one == staff else voice) for one, voice in columns]
    return columns, said


def filled(
    chance: random.Random,
    columns: list[tuple[int, int]],
    span: int,
    at: int,
    tops: list[list[tuple[Fraction, Fraction, int]]],
) -> list[str]:
    """Lines of random notes that fill so many steps in all columns."""
    cells: list[dict[int, str]] = []
    for staff, voice in columns:
        place, own = 0, {}
        while place < span and staff >= 0:
            token = chance.choice([token for token, steps in VALUES.items() if place + steps <= span] or [""])
            steps = VALUES.get(token, span - place)
            token = token or f"96%{steps}"
            pitch = chance.randint(40, 90)
            own[place] = f"{token}{name_of(pitch)}"
            if voice == 0:
                tops[staff].append((Fraction(at + place, 24), Fraction(steps, 24), pitch))
            place += steps
        cells.append(own)
    places = sorted({place for own in cells for place in own})
    return [" ".join(own.get(place, ".") for own in cells) for place in places]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(45, 95), st.sampled_from(["4", "8 8", "2", "16 8.", "12 12 12"])), min_size=4, max_size=40
    ),
    st.sampled_from([2, 3, 4]),
)
def test_a_melody_that_is_written_is_read_again(drawn, beats):
    """Notes of a beat or two, tied where a bar line comes between."""
    notes, steps, tokens = [], 0, []
    for pitch, values in drawn:
        for value in values.split():
            notes.append((pitch, steps, VALUES[value]))
            steps += VALUES[value]
            pitch = 45 + (pitch - 44) % 51
    bar = 24 * beats
    total = -(-steps // bar) * bar
    if total > steps:
        notes.append((60, steps, total - steps))
    for pitch, onset, length in notes:
        while length:
            if onset % bar == 0:
                tokens.append("=")
            own = min(length, bar - onset % bar)
            begun = any(pitch == told[0] and onset == told[1] for told in notes)
            tie = "" if begun and own == length else "[" if begun else "]" if own == length else "_"
            tokens.append(f"{tie}{96}%{own}{name_of(pitch)}")
            onset, length = onset + own, length - own
    data = "\n".join(["**kern", f"*M{beats}/4", "*G:", *tokens, "==", "*-"]).encode()
    reading = kern_melodies(data, "x", ExtractionConfig(min_notes=1))
    [melody] = reading.melodies
    assert [(note.pitch, note.onset, note.duration) for note in melody.notes] == notes
    assert (melody.time_signature, melody.key, melody.bars) == (TimeSignature(beats, 4), Key(7, "major"), total // bar)


def test_the_effort_for_a_file_grows_with_its_length():
    def of(bars: int) -> int:
        data = ("**kern\t**kern\n*M4/4\t*M4/4\n" + "=\t=\n1C\t4c\n.\t4d\n.\t4e\n.\t4f\n" * bars + "*-\t*-\n").encode()
        return effort(lambda: scores_in_kern(data))

    assert of(3_000) < 11 * of(300)
