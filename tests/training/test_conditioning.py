"""What pieces shall be is told with them, hidden in part while they are learned, and never mixed up."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from melodygru.data.dataset import Dataset, fingerprint_of
from melodygru.music.chords import Chord, ChordSpan
from melodygru.music.theory import MODES
from melodygru.network.conditions import Character, Conditions
from melodygru.network.config import ContextConfig, TokenizerConfig
from melodygru.network.context import context_arrays
from melodygru.network.describing import Known
from melodygru.network.tokenizer import REST, Tokenizer
from melodygru.training.batches import make_batch, windows
from melodygru.training.conditioning import Conditioning
from tests.tunes import tune

ALL = ContextConfig(style=True, character=True, chords=True)
STYLES = ("folk", "hymn", "song")


@pytest.fixture
def pieces():
    told = []
    for seed, style in enumerate(STYLES):
        events = Tokenizer().encode(tune(seed))
        chords = (ChordSpan(0, 96, Chord.parse("Dm7")), ChordSpan(96 + 24 * seed, 300, Chord.parse("G")))
        shall = Conditions(style, "", "natural", (Character(1 + seed, 2), Character(3)), chords)
        told.append(replace(events, meta=replace(events.meta, conditions=shall)))
    return told


def dataset_of(pieces):
    """A dataset without contexts, as large ones are."""
    metas = [piece.meta for piece in pieces]
    table = [
        (m.time_signature.numerator, m.time_signature.denominator, m.key.tonic, MODES.index(m.key.mode), m.bars)
        for m in metas
    ]
    pickups = np.array([meta.has_pickup for meta in metas])
    sounding = [piece.pitches[piece.pitches < REST] for piece in pieces]
    return Dataset(
        {
            "durations": np.concatenate([piece.durations for piece in pieces]).astype(np.uint8),
            "pitches": np.concatenate([piece.pitches for piece in pieces]).astype(np.uint8),
        },
        np.column_stack([table, pickups]).astype(np.int32),
        ContextConfig(),
        TokenizerConfig(),
        np.cumsum([0, *(len(piece.durations) for piece in pieces)]),
        np.arange(len(pieces)),
        np.array([heights.min() for heights in sounding]),
        np.array([heights.max() for heights in sounding]),
        pickups,
        list(STYLES),
        {},
        fingerprint_of(pieces),
    )


def conditioning_of(pieces, seed=0):
    return Conditioning(ALL, lambda _, piece: Known(pieces[piece].meta.conditions, Character(4)), seed)


def test_batches_hold_what_generation_is_told(pieces):
    data, told = dataset_of(pieces), conditioning_of(pieces)
    chosen = windows(data, np.arange(3), 20)
    rows = np.random.default_rng(0).permutation(len(chosen))[:5]
    batch = make_batch(data, chosen, rows, "cpu", told)
    judged = told.judged(data, np.arange(3))
    assert all(one.style and one.chords and not one.scale and one.character == (Character(),) for one in judged)
    known = [replace(p, meta=replace(p.meta, conditions=one)) for p, one in zip(pieces, judged, strict=True)]
    expected = context_arrays(known, ALL, 192)
    for place, row in enumerate(rows):
        piece, length = chosen.piece[row], chosen.stop[row] - chosen.start[row]
        first = chosen.start[row] - data.offsets[piece]
        for name, values in expected[piece].items():
            there = batch[name][place, :length].numpy()
            assert (there == values[first : first + length].astype(there.dtype)).all(), name


def test_each_step_hides_something_else_and_the_same_step_the_same(pieces):
    data, told = dataset_of(pieces), conditioning_of(pieces)
    which = np.zeros(600, int)
    rows = np.arange(600)
    hidden = told.hidden(data, which, rows, 7)
    assert hidden == told.hidden(data, which, rows, 7)
    assert hidden != told.hidden(data, which, rows, 8)
    assert hidden[200:] == told.hidden(data, which[200:], rows[200:], 7)
    full = pieces[0].meta.conditions
    for one in hidden:
        assert one.style in ("", full.style)
        assert one.chords in ((), full.chords)
        assert len(one.character) in (1, 2)
        assert all(c.density in (0, 1, 3, 4) for c in one.character)
    shares = [
        np.mean([not one.style for one in hidden]),
        np.mean([not one.chords for one in hidden]),
        np.mean([one.character == (Character(),) for one in hidden]),
    ]
    # By the constants of the module; all traits of a character may be hidden one by one too.
    assert shares[0] == pytest.approx(0.15, abs=0.05)
    assert shares[1] == pytest.approx(0.3, abs=0.06)
    assert 0.3 < shares[2] < 0.6


def test_a_network_learns_to_use_what_it_is_told(pieces):
    from melodygru.network.config import preset_of
    from melodygru.training.torch_network import MelodyGRU

    torch.manual_seed(0)
    data, told = dataset_of(pieces), conditioning_of(pieces)
    network = MelodyGRU(replace(preset_of("tiny"), hidden=16, dropout=0.0, context=ALL))
    batch = make_batch(data, windows(data, np.arange(3)), np.arange(3), "cpu", told)
    sum(part.sum() for part in network.nll(batch)).backward()
    for name in ("style", "chord", "next_chord", "chord_lasts", "previous_chord_degree"):
        assert network.tables[name].weight.grad.abs().sum() > 0
    assert network.candidate_tables["chord_degree"].weight.grad.abs().sum() > 0
    assert network.pitch_chord.weight.grad.abs().sum() > 0
