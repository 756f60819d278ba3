import random
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from melodygru import Melody, Note
from melodygru.data import families as module
from melodygru.data.families import families, ngrams
from tests.tunes import tune


def grams(melody):
    pitches, onsets = np.array([(note.pitch, note.onset) for note in melody.notes]).T
    return ngrams(pitches, onsets, np.array([len(melody.notes)]))


def changed(melody, count, seed=0):
    """The same tune with `count` notes a tone higher, as another fiddler plays it."""
    notes = list(melody.notes)
    for index in random.Random(seed).sample(range(len(notes)), count):
        notes[index] = replace(notes[index], pitch=notes[index].pitch + 2)
    return replace(melody, notes=tuple(notes))


@given(st.integers(0, 500), st.integers(-12, 12))
def test_a_tune_in_another_key_is_the_same_tune(seed, semitones):
    melody = tune(seed, bars=8)
    assert (grams(melody) == grams(melody.transpose(semitones))).all()
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
    assert not len(grams(short[0]))


def by_comparing_all(pieces, shared=0.4, common=100):
    """Families by the definition: every pair compared, n-grams as sets of tuples."""
    sets = []
    for piece in pieces:
        steps = [(b.pitch - a.pitch, b.onset - a.onset) for a, b in pairwise(piece.notes)]
        steps = [(-2 if interval == -1 else interval, time) for interval, time in steps]
        sets.append({tuple(steps[i : i + 6]) for i in range(len(steps) - 5)})
    holders = Counter(gram for found in sets for gram in found)
    numbers = list(range(len(pieces)))
    for two in range(len(pieces)):
        for one in range(two):
            both = [gram for gram in sets[one] & sets[two] if holders[gram] <= common]
            if both and len(both) >= shared * min(len(sets[one]), len(sets[two])):
                low, high = sorted((numbers[one], numbers[two]))
                numbers = [low if number == high else number for number in numbers]
    return numbers


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40), st.integers(0, 30)), min_size=1, max_size=12))
def test_families_are_those_of_the_definition(drawn):
    pieces = []
    for seed, count, cut in drawn:
        melody = tune(seed, bars=8)
        notes = changed(melody, min(count, len(melody.notes)), seed=count).notes
        pieces.append(Melody(notes[cut % (len(notes) - 1) :], melody.time_signature))
    assert families(pieces) == by_comparing_all(pieces)


def test_what_stands_in_very_many_pieces_says_nothing(monkeypatch):
    monkeypatch.setattr(module, "COMMON", 3)
    assert families([tune(1)] * 3) == [0, 0, 0]
    assert families([tune(1)] * 4) == [0, 1, 2, 3]


def test_blocks_change_nothing(monkeypatch):
    pieces = [changed(tune(seed % 5, bars=16), 2, seed=seed) for seed in range(20)]
    whole = families(pieces)
    monkeypatch.setattr(module, "_BLOCK", 3)
    assert families(pieces) == whole == [i % 5 for i in range(20)]
