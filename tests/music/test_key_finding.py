"""Keys found by how long each pitch class lasts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru.music.key_finding import KRUMHANSL_KESSLER, estimate_key, key_correlations, key_for_signature
from melodygru.music.theory import Key


def test_correlation_with_a_profile_itself_is_one():
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
