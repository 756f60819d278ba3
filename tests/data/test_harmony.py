"""Chord symbols of lead sheets come with their pieces into the cache, whatever it is made of."""

import shutil
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru.data.cache import load_dataset
from melodygru.data.harmony import chords_of, joined_rows, rows_of, rows_within
from melodygru.formats.midi.writer import write_midi
from melodygru.formats.notation.musicxml import musicxml
from melodygru.music.chords import Chord, ChordSpan
from melodygru.music.theory import Key, TimeSignature
from tests.tunes import tune

ROOTS = st.sampled_from(["C", "F#", "Bb", "A"])
NAMES = st.sampled_from(["maj", "min", "7", "maj7", "m7", "dim", "aug", "sus"])
CHORDS = st.none() | st.builds(lambda root, name: Chord.parse(root + name), ROOTS, NAMES)


@st.composite
def spans(draw):
    edges = sorted(draw(st.sets(st.integers(0, 500), min_size=2, max_size=5)))
    return tuple(ChordSpan(*pair, draw(CHORDS)) for pair in pairwise(edges))


def same(one, two):
    def told(spans):
        return [(s.onset, s.end, s.chord and (s.chord.root, s.chord.tones)) for s in spans]

    return told(one) == told(two)


@given(st.lists(spans(), max_size=5), st.data())
def test_rows_say_all_of_the_chords(pieces, data):
    rows = rows_of(dict(enumerate(pieces)))
    assert all(same(chords_of(rows, number), own) for number, own in enumerate(pieces))
    cut = data.draw(st.integers(0, len(pieces)))
    first, second = rows_within(rows, 0, cut), rows_within(rows, cut, len(pieces))
    assert np.array_equal(joined_rows([(first, cut), (second, len(pieces) - cut)]), rows)


def lead_sheet(path, seed, symbols):
    melody = replace(tune(seed, 8), time_signature=TimeSignature(4, 4), key=Key(), bars=0, pickup=0)
    chords = [ChordSpan(96 * i, 96 * i + 96, Chord.parse(symbol)) for i, symbol in enumerate(symbols.split())]
    path.write_bytes(musicxml(melody, chords=chords))


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "sheets"
    made.mkdir()
    write_midi(tune(7), made / "a.mid")
    lead_sheet(made / "b.musicxml", 1, "Am7 Dm G7 C")
    write_midi(tune(8), made / "c.mid")
    lead_sheet(made / "d.musicxml", 2, "F C/E")
    return made


def heard(dataset):
    return [
        [(span.onset, span.end, span.chord.symbol) for span in dataset.chords_over(piece)]
        for piece in range(dataset.pieces)
    ]


def test_the_chords_of_a_folder(folder):
    first = load_dataset(folder)
    told = heard(first)
    assert [len(one) for one in told] == [0, 4, 0, 2]
    assert told[1][:2] == [(0, 96, "m7"), (96, 192, "min")]
    assert told[3][0] == (0, 96, "maj")
    # An earlier cache's pieces keep theirs, though others come before them.
    lead_sheet(folder / "a2.musicxml", 3, "G")
    shutil.move(folder / "c.mid", folder / "e.mid")
    assert heard(load_dataset(folder)) == [told[0], heard(load_dataset(folder))[1], told[1], told[3], []]
    assert len(load_dataset(folder).chords) == 7


def test_the_chords_of_a_tune_in_abc(tmp_path):
    body = '"C"CDEF|"^slow""Am"G2"G7"AB|"no such"c4:|"N.C."z2"F/A"c2|]'
    (tmp_path / "tunes.abc").write_text(f"X:1\nT:A\nM:4/4\nL:1/4\nK:C\n{body}\n", "utf-8")
    told = heard_or_none(load_dataset(tmp_path))
    once = [("maj", 0, 96), ("min", 96, 144), ("7", 144, 288)]
    again = [(name, onset + 288, end + 288) for name, onset, end in once]
    assert told == [*once, *again, (None, 576, 624), ("maj", 624, 672)]


def heard_or_none(dataset):
    return [(span.chord and span.chord.symbol, span.onset, span.end) for span in dataset.chords_over(0)]
