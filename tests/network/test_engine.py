"""The step in NumPy is the network in torch."""

import numpy as np
import pytest
import torch

from melodygru import Key, Melody, Note, TimeSignature
from melodygru.network.config import ContextConfig, ModelConfig
from melodygru.network.engine import NumpyEngine
from melodygru.network.tokenizer import Tokenizer
from tests.networks import SMALL, batch_of, network, presets


def tunes():
    """Three melodies of the same number of events, with repeats, rests, a pickup and a long note."""
    rhythm = [12, 12, 24, 36, 12, 8, 8, 8, 24, 48] * 3
    pieces = []
    for row, (metre, key) in enumerate([("4/4", "G"), ("3/4", "A minor"), ("6/8", "D dorian")]):
        bar = TimeSignature.parse(metre).bar_steps
        notes, at = [], bar - 12 if row == 1 else 0
        for i, duration in enumerate(rhythm):
            notes.append(Note(60 + (i * (3 + row)) % 11, at, duration + (240 if i == 20 else 0)))
            at = notes[-1].end + (12 if i == 13 else 0)
        melody = Melody(tuple(notes), TimeSignature.parse(metre), Key.parse(key), pickup=12 if row == 1 else 0)
        pieces.append(Tokenizer().encode(melody))
    length = min(len(piece.durations) for piece in pieces)
    assert length > 30
    return pieces, length


def log_softmax(logits):
    logits = logits - logits.max(axis=1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def assert_engine_is_model(config, seed=0, scale=1.0):
    pieces, length = tunes()
    model = network(config, seed, scale)
    batch = batch_of(pieces, config)
    with torch.no_grad():
        durations_nll, pitches_nll = (nll.numpy() for nll in model.nll(batch))
    engine = NumpyEngine(config, {name: tensor.numpy() for name, tensor in model.state_dict().items()})
    state = engine.start([piece.meta for piece in pieces])
    rows = np.arange(len(pieces))
    for step in range(length):
        durations = np.array([piece.durations[step] for piece in pieces])
        pitches = np.array([piece.pitches[step] for piece in pieces])
        nll = -log_softmax(engine.duration_logits(state))[rows, durations]
        np.testing.assert_allclose(nll, durations_nll[:, step], atol=1e-5, rtol=1e-5)
        nll = -log_softmax(engine.pitch_logits(state, durations))[rows, pitches] * (durations > 0)
        np.testing.assert_allclose(nll, pitches_nll[:, step], atol=1e-5, rtol=1e-5)
        engine.advance(state, durations, pitches)


@pytest.mark.parametrize(("name", "config"), presets())
def test_engine_equals_model_for_every_preset_and_cell(name, config):
    assert_engine_is_model(config)


@pytest.mark.parametrize("seed", range(4))
def test_engine_equals_model_on_random_weights(seed):
    assert_engine_is_model(SMALL, seed)


@pytest.mark.parametrize(
    "context",
    [
        ContextConfig(metre=False, bars_left=False, key=False, lookback=(), matches=False),
        ContextConfig(lookback=(), matches=False),
        ContextConfig(lookback=(), matches=True),
        ContextConfig(key=False, lookback=(1,)),
        ContextConfig(metre=False),
    ],
)
def test_engine_equals_model_with_less_context(context):
    assert_engine_is_model(
        ModelConfig(
            hidden=8, embedding=4, candidate_embedding=3, duration_hidden=6, pitch_hidden=7, layers=3, context=context
        )
    )


def test_a_batch_gives_what_each_melody_gives_alone():
    pieces, length = tunes()
    weights = {name: tensor.numpy() for name, tensor in network().state_dict().items()}
    engine = NumpyEngine(SMALL, weights)
    together = engine.start([piece.meta for piece in pieces])
    alone = [engine.start([piece.meta]) for piece in pieces]
    for step in range(length):
        durations = np.array([piece.durations[step] for piece in pieces])
        pitches = np.array([piece.pitches[step] for piece in pieces])
        logits = engine.pitch_logits(together, durations)
        for row, state in enumerate(alone):
            one = engine.pitch_logits(state, durations[row : row + 1])
            np.testing.assert_allclose(one[0], logits[row], atol=1e-5, rtol=1e-5)
            engine.advance(state, durations[row : row + 1], pitches[row : row + 1])
        engine.advance(together, durations, pitches)
