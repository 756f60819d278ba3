import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru.errors import UsageError
from melodygru.music.theory import (
    MODES,
    Key,
    TimeSignature,
    name_on_line,
    parse_pitch,
    pitch_name,
)

keys = st.builds(Key, st.integers(0, 11), st.sampled_from(MODES))


@pytest.mark.parametrize(
    ("text", "tonic", "mode"),
    [
        ("A minor", 9, "minor"),
        ("Am", 9, "minor"),
        ("a min", 9, "minor"),
        ("Bb", 10, "major"),
        ("CM", 0, "major"),
        ("F# dorian", 6, "dorian"),
        ("Gmix", 7, "mixolydian"),
        ("E♭ major", 3, "major"),
        ("Cb", 11, "major"),
    ],
)
def test_a_key_is_read_as_people_write_it(text, tonic, mode):
    assert Key.parse(text) == Key(tonic, mode)


@pytest.mark.parametrize("text", ["H", "", "A mino", "A minor!", "12", "Am7"])
def test_a_key_that_nobody_knows_is_refused_with_its_name(text):
    with pytest.raises(UsageError, match="is not a key") as caught:
        Key.parse(text)
    assert repr(text) in str(caught.value)


@given(keys)
def test_a_key_survives_its_name_and_its_signature(key):
    assert Key.parse(str(key)) == key
    assert Key.from_fifths(key.fifths, key.mode) == key
    assert -5 <= key.fifths <= 6


def test_signatures_are_those_of_the_textbook():
    assert Key.parse("G").fifths == 1
    assert Key.parse("F").fifths == -1
    assert Key.parse("C minor").fifths == -3
    assert Key.parse("D dorian").fifths == 0
    assert Key.parse("D mixolydian").fifths == 1
    assert Key.parse("A").scale == (9, 11, 1, 2, 4, 6, 8)


@given(st.integers(0, 127))
def test_a_pitch_survives_its_name(pitch):
    assert parse_pitch(pitch_name(pitch)) == pitch


@pytest.mark.parametrize("text", ["H4", "C", "C99", "C#-2", "4C"])
def test_a_pitch_that_does_not_exist_is_refused(text):
    with pytest.raises(UsageError):
        parse_pitch(text)


@pytest.mark.parametrize(
    ("text", "bar", "beat"),
    [("4/4", 96, 24), ("3/4", 72, 24), ("6/8", 72, 36), ("2/2", 96, 48), ("9/8", 108, 36), ("3/8", 36, 12)],
)
def test_bars_and_beats_in_steps(text, bar, beat):
    metre = TimeSignature.parse(text)
    assert (metre.bar_steps, metre.beat_steps, str(metre)) == (bar, beat, text)


@pytest.mark.parametrize("text", ["7/0", "0/4", "4/3", "4", "four", "33/4", "-3/4"])
def test_a_metre_that_does_not_exist_is_refused(text):
    with pytest.raises(UsageError, match="metre"):
        TimeSignature.parse(text)


@pytest.mark.parametrize(
    ("text", "name", "fifths"),
    [
        ("Gb", "Gb major", -6),
        ("F#", "F# major", 6),
        ("Cb", "Cb major", -7),
        ("C#", "C# major", 7),
        ("eb minor", "Eb minor", -6),
        ("a# minor", "A# minor", 7),
        ("G#", "Ab major", -4),  # there is no signature of eight sharps
        ("E# minor", "F minor", -4),
    ],
)
def test_a_key_stays_spelled_as_it_was_where_that_is_asked_for(text, name, fifths):
    key = Key.parse(text, as_written=True)
    assert (str(key), key.fifths) == (name, fifths)
    assert key == key.plain == Key.parse(text)
    assert -5 <= key.plain.fifths <= 6
    assert name_on_line(Key.from_fifths(key.plain.fifths).fifths) == Key.from_fifths(key.plain.fifths).tonic_name


@pytest.mark.parametrize("text", ["A-minor", "a minor", "A  Minor", "Amin", "a-moll"])
def test_keys_are_read_in_many_spellings(text):
    assert Key.parse(text) == Key(9, "minor")


@pytest.mark.parametrize("text", ["B flat", "b-flat major", "Bb", "Bflat"])
def test_signs_may_be_words(text):
    assert Key.parse(text) == Key(10)
