"""Scales by name, against music21's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru.errors import UsageError
from melodygru.music.scales import SCALE_INTERVALS, parse_scale, scale_pitch_classes
from melodygru.music.theory import SCALES, Key

THEIRS = {
    "major": "MajorScale",
    "natural minor": "MinorScale",
    "harmonic minor": "HarmonicMinorScale",
    "melodic minor": "MelodicMinorScale",
    "ionian": "MajorScale",
    "dorian": "DorianScale",
    "phrygian": "PhrygianScale",
    "lydian": "LydianScale",
    "mixolydian": "MixolydianScale",
    "aeolian": "MinorScale",
    "locrian": "LocrianScale",
    "chromatic": "ChromaticScale",
}


@pytest.mark.parametrize("name", THEIRS)
def test_scales_are_music21s_as_they_rise(name):
    from music21 import scale

    for tonic in ("C", "F#", "B-", "A"):
        theirs = getattr(scale, THEIRS[name])(tonic).getPitches(
            f"{tonic}4", f"{tonic}5", direction=scale.Direction.ASCENDING
        )
        expected = [pitch.pitchClass for pitch in theirs][:-1]  # without the octave
        assert list(scale_pitch_classes(name, expected[0])) == expected


@given(st.integers(0, 11))
def test_pentatonics_and_blues_are_what_they_are_made_of(tonic):
    def made(name):
        return set(scale_pitch_classes(name, tonic))

    # Five fifths in a row; its relative minor; and that with the flat fifth.
    assert made("major pentatonic") == {(tonic + 7 * fifth) % 12 for fifth in range(5)}
    assert made("minor pentatonic") == set(scale_pitch_classes("major pentatonic", (tonic + 3) % 12))
    assert made("blues") == made("minor pentatonic") | {(tonic + 6) % 12}
    assert set(THEIRS) | {"major pentatonic", "minor pentatonic", "blues"} == set(SCALE_INTERVALS)


@given(st.sampled_from(sorted(SCALE_INTERVALS)), st.integers(0, 11))
def test_scales_rise_from_the_tonic_within_an_octave(name, tonic):
    intervals = SCALE_INTERVALS[name]
    assert intervals[0] == 0
    assert list(intervals) == sorted(set(intervals))
    assert intervals[-1] < 12
    classes = scale_pitch_classes(name, tonic)
    assert classes[0] == tonic
    assert {(one - tonic) % 12 for one in classes} == set(intervals)


@pytest.mark.parametrize("mode", SCALES)
def test_a_key_and_the_scale_of_its_name_agree(mode):
    assert scale_pitch_classes(parse_scale(mode), 9) == Key(9, mode).scale


@given(st.sampled_from(sorted(SCALE_INTERVALS)), st.sampled_from([" ", "-", "_", "  "]), st.booleans())
def test_scale_names_are_read_kindly(name, blank, loud):
    text = f" {name.replace(' ', blank)} "
    assert parse_scale(text.upper() if loud else text) == name


def test_minor_is_natural_minor():
    assert parse_scale("Minor") == "natural minor"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("pentatonic", "comes in two kinds; choose major pentatonic or minor pentatonic"),
        ("dorain", "'dorain' is not a scale; did you mean dorian?"),
        ("x", "'x' is not a scale; the scales are major, natural minor"),
        ("", "'' is not a scale; the scales are"),
    ],
)
def test_unknown_scales_are_refused(text, words):
    with pytest.raises(UsageError) as error:
        parse_scale(text)
    assert words in str(error.value)
