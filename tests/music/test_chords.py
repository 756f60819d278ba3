"""Chord symbols against music21's reading of them, and progressions on the grid."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru.errors import UsageError
from melodygru.music.chords import (
    QUALITIES,
    Chord,
    chord_scale,
    estimate_key,
    lay_out,
    parse_progression,
    strong_beats,
    voicing,
)
from melodygru.music.scales import scale_pitch_classes
from melodygru.music.theory import Key, TimeSignature

FOUR, WALTZ, JIG = TimeSignature(4, 4), TimeSignature(3, 4), TimeSignature(6, 8)
# Those that music21 knows by the same name; its thirteenths have the eleventh too, which nobody plays.
THEIRS = ["", "m", "maj", "min", "5", "6", "m6", "7", "maj7", "M7", "m7", "min7", "mM7", "m7b5", "ø7", "dim", "o"]
THEIRS += ["dim7", "o7", "aug", "+", "7+", "7b5", "sus2", "sus4", "sus", "7sus4", "9", "M9", "m9", "min9", "add9"]
THEIRS += ["11", "m11", "7b9", "7#9", "7#11", "maj7#11"]


@pytest.mark.parametrize("quality", THEIRS)
def test_symbols_mean_what_music21_says(quality):
    from music21.harmony import ChordSymbol

    for root in ("C", "F#", "Bb", "E"):
        # music21 writes a flat as "-".
        theirs = ChordSymbol(root.replace("b", "-") + quality)
        ours = Chord.parse(root + quality)
        assert set(ours.tones) == {pitch.pitchClass for pitch in theirs.pitches}
        assert ours.root == ours.bass == theirs.root().pitchClass


@pytest.mark.parametrize("quality", ["13", "M13", "m13"])
def test_thirteenths_are_music21s_but_for_the_eleventh(quality):
    from music21.harmony import ChordSymbol

    theirs = {pitch.pitchClass for pitch in ChordSymbol(f"C{quality}").pitches}
    assert {*Chord.parse(f"C{quality}").tones} == theirs - {5}


def test_every_spelling_is_read_with_slash_and_sharps():
    for quality in QUALITIES:
        chord = Chord.parse(f"F♯{quality}/A♭")
        assert (chord.root, chord.bass) == (6, 8)
        assert chord.tones == tuple((6 + tone) % 12 for tone in QUALITIES[quality])
    assert Chord.parse("Am7/G").bass == 7
    assert Chord.parse("B").tones == (11, 3, 6)
    assert Chord.parse("C6/9").tones == (0, 4, 7, 9, 2)


@pytest.mark.parametrize("text", ["H7", "Cfoo", "c", "", "C/", "C/H", "7", "Am7/Gb5"])
def test_a_chord_that_nobody_knows_is_refused(text):
    with pytest.raises(UsageError, match="is not a chord; write it like"):
        Chord.parse(text)


@pytest.mark.parametrize(
    ("text", "number", "marked"),
    [
        ("Am Fx C", "Chord 2 of 3", "Am >>Fx<< C"),
        ("| C | Xm7 G |", "Chord 2 of 3", ">>Xm7<<"),
        ("Cm C#m Cmm", "Chord 3 of 3", "Cm C#m >>Cmm<<"),
        ("|: Am Xm7:|", "Chord 2 of 2", "|: Am >>Xm7<<:|"),
        (r"Am C\1", "Chord 2 of 2", r"Am >>C\1<<"),
    ],
)
def test_an_unknown_symbol_is_pointed_at(text, number, marked):
    with pytest.raises(UsageError) as error:
        parse_progression(text, FOUR)
    assert number in str(error.value)
    assert marked in str(error.value)


def spans(text, metre=FOUR, beats=None):
    return [(s.onset, s.end, s.chord and s.chord.symbol) for s in parse_progression(text, metre, beats)]


def test_symbols_last_a_bar_and_bar_lines_share_it():
    assert spans("Am F") == [(0, 96, "Am"), (96, 192, "F")]
    assert spans("| Am F | C |") == [(0, 48, "Am"), (48, 96, "F"), (96, 192, "C")]
    assert spans("Am F | C G |") == spans("| Am F | C G") == spans("|| Am F | C G ||")
    assert spans("C | % | N.C. | G") == [(0, 96, "C"), (96, 192, "C"), (192, 288, None), (288, 384, "G")]
    assert spans("| C | | G |")[1] == (96, 192, "C")
    assert spans("| C G Am |") == [(0, 48, "C"), (48, 72, "G"), (72, 96, "Am")]
    assert spans("C G", WALTZ) == [(0, 72, "C"), (72, 144, "G")]
    assert spans("| Am G |", JIG) == [(0, 36, "Am"), (36, 72, "G")]
    assert spans("C G", FOUR, 2) == [(0, 48, "C"), (48, 96, "G")]
    assert spans("C G F C", JIG, 1) == [(0, 36, "C"), (36, 72, "G"), (72, 108, "F"), (108, 144, "C")]


@pytest.mark.parametrize(
    ("text", "beats", "words"),
    [
        ("C G F", 2, "2 beats are missing"),
        ("| C | G |", 2, "contradict each other"),
        ("C", 0, "beats-per-chord is 0"),
        ("C", 0.3, "beats-per-chord is 0.3"),
        ("C", 65, "beats-per-chord is 65"),
        ("| C D E F G |", None, "has 5 chords, and 4/4 has 4 beats"),
        ("", None, "do not begin with a chord"),
        ("| |", None, "do not begin with a chord"),
        ("% C", None, "do not begin with a chord"),
    ],
)
def test_progressions_that_do_not_fit_are_refused(text, beats, words):
    with pytest.raises(UsageError, match=words):
        parse_progression(text, FOUR, beats)


@given(
    st.lists(st.sampled_from(["C", "Am", "N.C.", "G7"]), min_size=1, max_size=5),
    st.integers(0, 300),
    st.integers(1, 900),
)
def test_a_progression_goes_round_and_leaves_no_hole(symbols, start, steps):
    if symbols[0] == "N.C.":
        symbols = ["C", *symbols]
    once = parse_progression(" ".join(symbols), FOUR)
    laid = lay_out(once, start, start + steps)
    assert laid[0].onset == start
    assert laid[-1].end == start + steps
    assert all(one.end == two.onset for one, two in pairwise(laid))
    for number, span in enumerate(laid):
        assert span.chord == once[number % len(once)].chord


def test_strong_beats():
    expected = {
        "4/4": (0, 48),
        "3/4": (0,),
        "2/4": (0,),
        "6/8": (0, 36),
        "9/8": (0,),
        "12/8": (0, 72),
        "5/4": (0,),
        "2/2": (0,),
    }
    assert {name: strong_beats(TimeSignature.parse(name)) for name in expected} == expected


def names(classes):
    return {["C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B"][one] for one in classes}


def test_scales_follow_the_chord():
    minor, major = Key.parse("A minor").scale, Key.parse("C").scale
    assert names(chord_scale(minor, 9, Chord.parse("E7"))) == {"E", "F", "G#", "A", "B", "C", "D"}
    assert names(chord_scale(major, 0, Chord.parse("D7"))) == {"C", "D", "E", "F#", "G", "A", "B"}
    assert chord_scale(major, 0, Chord.parse("Am")) == chord_scale(major, 0, None) == frozenset(major)
    blues = scale_pitch_classes("blues", 9)
    assert chord_scale(blues, 9, Chord.parse("E7")) == frozenset(blues) | {8, 11}


@given(st.sampled_from(sorted(QUALITIES)), st.integers(36, 60), st.sampled_from(["C", "G#", "B"]))
def test_voicings_ascend_with_the_bass_below(quality, low, bass):
    chord = Chord.parse(f"D{quality}/{bass}")
    pitches = voicing(chord, low)
    assert list(pitches) == sorted(set(pitches))
    assert pitches[0] % 12 == chord.bass
    assert low - 12 <= pitches[0] < low <= pitches[1]
    played = {pitch % 12 for pitch in pitches}
    assert played <= {*chord.tones, chord.bass}
    assert len(pitches) <= 5
    # What is left out is the perfect fifth, or the root under a foreign bass; never a third, a seventh or a tension.
    left_out = {*chord.tones} - played
    assert left_out <= {chord.root, (chord.root + 7) % 12}
    assert len(pitches) == 5 or not left_out


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Am F C G", "A minor"),
        ("C G Am F", "C"),
        ("Dm7 G7 Cmaj7", "C"),
        ("G D Em C", "G"),
        ("Em B7 Em", "E minor"),
        ("Am G F E", "A minor"),
        ("Dm7b5 G7 Cm", "C minor"),
        ("Bb F Gm Eb", "Bb"),
        ("C7 C7 C7 C7 F7 F7 C7 C7 G7 F7 C7 G7", "C"),
        ("N.C. | N.C.", "C"),
    ],
)
def test_keys_of_well_known_progressions(text, key):
    if text.startswith("N.C."):
        assert estimate_key(parse_progression("N.C. N.C.", FOUR)) == Key()
    else:
        assert estimate_key(parse_progression(text, FOUR)) == Key.parse(key)


@pytest.mark.parametrize(("degrees", "mode"), [("0 5 7 0", "major"), ("0m 5m 7 0m", "minor"), ("0 9m 2m 7", "major")])
def test_a_progression_moved_is_in_the_key_moved(degrees, mode):
    letters = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"]
    for up in range(12):
        moved = [letters[(int(degree.rstrip("m")) + up) % 12] + "m" * degree.count("m") for degree in degrees.split()]
        assert estimate_key(parse_progression(" ".join(moved), FOUR)) == Key(up, mode)
