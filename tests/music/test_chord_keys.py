"""The key of chord progressions, as a musician says it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru.music.chord_keys import estimate_key, key_by_tones
from melodygru.music.chords import QUALITIES, lay_out, parse_progression
from melodygru.music.theory import Key, TimeSignature
from tests.music.progressions import PROGRESSIONS

NAMES = ["C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"]


def key_of(text, estimate=estimate_key):
    return estimate(parse_progression(text, TimeSignature()))


def test_progressions_that_everybody_knows_are_in_the_key_that_everybody_says():
    wrong = [text for text, key in PROGRESSIONS if key_of(text) != Key.parse(key)]
    # Four, five, three, six: its tones and its end are as much A minor's.
    assert wrong == ["F G Em Am"]
    assert len(PROGRESSIONS) >= 40
    assert sum(key_of(text, key_by_tones) != Key.parse(key) for text, key in PROGRESSIONS) == 5


chords = st.builds(str.__add__, st.sampled_from(NAMES), st.sampled_from(sorted(QUALITIES)))


@given(st.lists(chords, min_size=1, max_size=9))
def test_any_chords_are_in_a_key(symbols):
    assert key_of(" ".join(symbols)).mode in ("major", "minor")
    assert estimate_key([]) == key_by_tones([]) == Key()


def test_how_often_a_chord_is_struck_and_how_often_all_comes_round_changes_nothing():
    for text, _ in PROGRESSIONS:
        spans = parse_progression(text, TimeSignature())
        heard = estimate_key(spans)
        assert key_of(" ".join(one for symbol in text.split() for one in (symbol, "%"))) == heard, text
        assert estimate_key(lay_out(spans, 0, 2 * spans[-1].end)) == heard, text


@pytest.mark.parametrize("by", range(1, 12))
def test_progressions_moved_up_are_in_the_key_moved_up(by):
    for text, _ in PROGRESSIONS:
        spans = parse_progression(text, TimeSignature())
        names = {name: NAMES[(NAMES.index(name) + by) % 12] for name in NAMES}
        names["Gb"] = names["F#"]
        moved = " ".join(names[root] + rest for root, rest in map(split, text.split()))
        was, now = estimate_key(spans), key_of(moved)
        assert (now.tonic, now.mode) == ((was.tonic + by) % 12, was.mode), text


def split(symbol):
    size = 2 if symbol[1:2] in ("#", "b") else 1
    root = {"C#": "Db"}.get(symbol[:size], symbol[:size])
    return root, symbol[size:]
