import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from melodygru import Melody, Note
from melodygru.families import families, ngrams

from .tunes import tune


def changed(melody, count, seed=0):
    """The same tune with `count` notes a tone higher, as another fiddler plays it."""
    notes = list(melody.notes)
    for index in random.Random(seed).sample(range(len(notes)), count):
        notes[index] = replace(notes[index], pitch=notes[index].pitch + 2)
    return replace(melody, notes=tuple(notes))


@given(st.integers(0, 500), st.integers(-12, 12))
def test_a_tune_in_another_key_is_the_same_tune(seed, semitones):
    melody = tune(seed, bars=8)
    assert ngrams(melody) == ngrams(melody.transpose(semitones))
    assert len(set(families([melody, melody.transpose(semitones)]))) == 1


def test_a_few_changed_notes_make_no_new_tune():
    melody = tune(1, bars=16)
    assert families([melody, changed(melody, 4)]) == [0, 0]


def test_different_tunes_are_no_kin():
    tunes = [tune(seed, bars=16) for seed in range(30)]
    assert families(tunes) == list(range(30))


def test_a_part_of_a_tune_is_kin_to_the_whole():
    melody = tune(3, bars=16)
    part = Melody(melody.notes[:30], melody.time_signature)
    assert families([tune(4, bars=16), melody, part]) == [0, 1, 1]


def test_kin_of_kin_is_kin():
    one = tune(5, bars=16)
    two = changed(one, 6, seed=1)
    three = changed(two, 6, seed=2)
    assert families([three, one, two]) == [0, 0, 0]


def test_tunes_too_short_to_compare_stand_alone():
    short = [Melody((Note(60, 0, 24), Note(62, 24, 24)))] * 2
    assert families(short) == [0, 1]
    assert ngrams(short[0]) == set()
