"""Wishes in other words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru.errors import UsageError
from melodygru.music.chords import QUALITIES
from melodygru.music.scales import SCALE_INTERVALS
from melodygru.music.theory import Key
from melodygru.writing.config import GenerationConfig
from melodygru.writing.planner import plan
from melodygru.writing.values import GRIDS

ROOTS = [f"{letter}{sign}" for letter in "CDEFGAB" for sign in ("", "#", "b")]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"key": "key of G"}, {"key": "G"}),
        ({"key": "A minor blues"}, {"key": "A", "scale": "blues"}),
        ({"scale": "c d eb f# g"}, {"key": "C minor", "scale": "C D Eb F# G"}),
        ({"scale": "D, E, F#, A, B"}, {"key": "D major"}),
        ({"key": "A", "scale": "A blues"}, {"scale": "blues", "key": "A"}),
        ({"chords": "Am-F-C-G"}, {"chords": "Am F C G"}),
        ({"chords": "Am -> F → C"}, {"chords": "Am F C"}),
        ({"chords": "I – V – vi"}, {"chords": "C G Am", "key": "C major"}),
        ({"chords": "i iv V7"}, {"chords": "Cm Fm G7", "key": "C minor"}),
        ({"chords": "| I | vi IV | V |", "key": "Bb"}, {"chords": "| Bb | Gm Eb | F |"}),
        ({"form": "Verse 1, Pre-Chorus, Chorus, Verse 2"}, {"form": "VPCV"}),
        ({"form": "intro verse refrain"}, {"form": "IVC"}),
        ({"form": "chorus solo"}, {"form": "AB"}),
        ({"form": "verse 8, chorus 8, verse 8, chorus 8, bridge 4 bars"}, {"form": "V8 C8 V8 C8 B4"}),
        ({"form": "verse 1 (4 bars), chorus 2, verse 2"}, {"form": "V4 C2 V4"}),
        ({"range": "C-1-C4"}, {"range": "C-1:C4"}),
        ({"range": "c4..g5"}, {"range": "c4:g5"}),
        ({"grid": "1/16th"}, {"grid": "1/16"}),
        ({"pickup": "quarter"}, {"pickup": "1/4"}),
    ],
)
def test_other_words_are_kept_in_the_usual_ones(said, kept):
    config = GenerationConfig(**said).as_dict()
    assert kept.items() <= config.items()
    assert GenerationConfig(**config).as_dict() == config


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"key": "A minor pentatonic", "scale": "blues"}, "contradict each other"),
        ({"key": "C", "scale": "A blues"}, "contradict each other"),
        ({"key": "A pentatonic"}, "comes in two kinds"),
        ({"chords": "c g a f"}, "did you mean C"),
        ({"chords": "I ii5x"}, "not a chord on a degree"),
        ({"form": "verse foo"}, "'verse' is a word"),
        ({"form": "Happy"}, "'Happy' is a word"),
        ({"grid": "8 triplet"}, "--grid 1/8: triplets"),
        ({"key": "x" * 100_000}, "and a mode"),
        ({"chords": "- " * 50_000}, "chord"),
    ],
)
def test_what_has_no_meaning_or_two_is_told(said, words):
    with pytest.raises(UsageError, match=words):
        GenerationConfig(**said)


@given(
    st.builds(
        dict,
        key=st.one_of(st.sampled_from(ROOTS), st.builds("{} {}".format, st.sampled_from(ROOTS), st.just("minor"))),
        scale=st.sampled_from([name for name in SCALE_INTERVALS if name != "chromatic"]),
        chords=st.lists(
            st.builds("{}{}".format, st.sampled_from(ROOTS), st.sampled_from(sorted(QUALITIES))), min_size=1, max_size=6
        ).map(" ".join),
        form=st.text("ABCDabcd'", min_size=1, max_size=8).filter(lambda text: text[0] != "'"),
        range=st.just("C3:C6"),
        grid=st.sampled_from(GRIDS),
    )
)
def test_the_usual_words_stay_as_they_are(said):
    assert GenerationConfig(**said).as_dict() == said


def test_a_scale_in_notes_is_kept():
    ahead = plan(GenerationConfig(scale="C D Eb F# G", bars=2)).ahead
    assert ahead is not None
    assert GenerationConfig(key="Gb").named_key.fifths == -6
    assert str(GenerationConfig(key="Gb").named_key) == "Gb major"
    assert GenerationConfig(key="Gb").named_key == Key.parse("F#")
