"""Chords by their degrees."""

import pytest

from melodygru.errors import UsageError
from melodygru.music.chords import Chord
from melodygru.music.numerals import is_numeral, symbol_of
from melodygru.music.theory import SCALES, Key


@pytest.mark.parametrize(
    ("key", "numerals", "symbols"),
    [
        ("C", "I ii iii IV V vi vii°", "C Dm Em F G Am B°"),
        ("A minor", "i ii° III iv v VI VII V7", "Am B° C Dm Em F G E7"),
        ("A minor", "bVI bVII vii°7 viio", "F G G#°7 G#o"),
        ("C", "bIII bVI bVII #iv° Imaj7 ii7 V7sus4 IVadd9", "Eb Ab Bb F#° Cmaj7 Dm7 G7sus4 Fadd9"),
        ("Bb", "I V/V V7/ii vi IV", "Bb C G7 Gm Eb"),
        ("D dorian", "i IV VII", "Dm G C"),
        ("G", "IIm7 V7 IM7", "Am7 D7 GM7"),
    ],
)
def test_degrees_are_chords_of_the_key(key, numerals, symbols):
    assert [symbol_of(one, Key.parse(key)) for one in numerals.split()] == symbols.split()


@pytest.mark.parametrize("mode", SCALES)
def test_triads_of_the_mode_have_its_notes(mode):
    for tonic in range(12):
        key = Key(tonic, mode)
        for degree, name in enumerate(("I", "II", "III", "IV", "V", "VI", "VII")):
            assert Chord.parse(symbol_of(name, key)).root == key.scale[degree]


@pytest.mark.parametrize("word", ["Am", "F", "VIII", "IIII", "x", "", "|", "bB"])
def test_what_is_no_degree_is_not_taken_for_one(word):
    assert not is_numeral(word) or word in ("VIII", "IIII")
    with pytest.raises(UsageError, match="write I, ii, V7"):
        symbol_of(word, Key())
