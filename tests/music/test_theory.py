import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru.errors import UsageError
from melodygru.music.theory import (
    MODES,
    Key,
    TimeSignature,
    estimate_key,
    key_correlations,
    key_for_signature,
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


def test_correlation_with_a_profile_itself_is_one():
    from melodygru.music.theory import KRUMHANSL_KESSLER

    correlations = key_correlations(KRUMHANSL_KESSLER["minor"])
    assert correlations[Key(0, "minor")] == pytest.approx(1.0)
    assert max(correlations.values()) == correlations[Key(0, "minor")]
    assert len(correlations) == 24


@given(st.integers(0, 11), st.sampled_from(["major", "minor"]))
def test_a_scale_with_a_stressed_triad_is_heard_in_its_key(tonic, mode):
    key = Key(tonic, mode)
    weights = [0.0] * 12
    for degree, pitch_class in enumerate(key.scale):
        weights[pitch_class] = (4, 1, 3, 1.5, 4, 1, 1)[degree]
    assert estimate_key(weights) == key


def test_nothing_to_tell_from_is_c_major():
    assert estimate_key([0.0] * 12) == Key(0, "major")


def test_a_signature_of_one_sharp_is_e_minor_when_it_sounds_so():
    weights = [0.0] * 12
    for pitch_class, weight in {4: 5, 11: 4, 7: 3, 6: 1, 9: 1, 2: 1, 0: 1}.items():
        weights[pitch_class] = weight
    assert key_for_signature(1, weights, last_pitch_class=4) == Key.parse("E minor")
    assert key_for_signature(1, [1, 0, 3, 0, 2, 0, 1, 5, 0, 1, 0, 3], last_pitch_class=7) == Key.parse("G major")


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
