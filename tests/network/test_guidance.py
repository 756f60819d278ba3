"""Guidance: 1 is as learned, 0 is told nothing, more is farther along the same way."""

from dataclasses import replace

import numpy as np
import pytest

from melodygru.music.theory import Key
from melodygru.network.conditions import Character, Conditions
from melodygru.network.config import ContextConfig
from melodygru.network.engine import NumpyEngine
from melodygru.network.guidance import GuidedEngine, log_softmax, untold
from melodygru.network.tokenizer import PieceMeta
from tests.networks import SMALL, network

METAS = [
    PieceMeta(key=Key(2, "dorian"), bars=4, conditions=Conditions("song", scale="natural")),
    PieceMeta(key=Key(0, "major"), bars=4, conditions=Conditions("hymn")),
]
EVENTS = ((np.array([24, 12]), np.array([62, 60])), (np.array([12, 12]), np.array([65, 128])))


@pytest.fixture(scope="module")
def engine():
    context = ContextConfig(lookback=(1, 2), style=True, character=True, chords=True)
    model = network(replace(SMALL, context=context), seed=3, scale=0.5)
    return NumpyEngine(model.config, {name: tensor.numpy() for name, tensor in model.state_dict().items()})


def heard(engine, metas):
    """Log-probabilities of durations and pitches at each of three events, in turn."""
    state, found = engine.start(metas), []
    for durations, pitches in (*EVENTS, EVENTS[0]):
        rows = len(state.onset)
        found.append(log_softmax(engine.duration_logits(state)))
        found.append(log_softmax(engine.pitch_logits(state, durations[:rows])))
        engine.advance(state, durations[:rows], pitches[:rows])
    return found


@pytest.mark.parametrize(("strength", "told"), [(1, lambda meta: meta), (0, untold)])
def test_one_is_as_learned_and_nought_is_told_nothing(engine, strength, told):
    plain = heard(engine, [told(meta) for meta in METAS])
    for one, other in zip(heard(GuidedEngine(engine, strength), METAS), plain, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_more_is_farther_along_the_same_way(engine):
    with_, without, more = (
        engine.duration_logits(engine.start(METAS)),
        engine.duration_logits(engine.start([untold(meta) for meta in METAS])),
        GuidedEngine(engine, 3).duration_logits(GuidedEngine(engine, 3).start(METAS)),
    )
    with_, without = log_softmax(with_), log_softmax(without)
    np.testing.assert_allclose(more, without + 3 * (with_ - without), atol=1e-5)
    assert np.abs(with_ - without).max() > 5e-4


def test_what_is_stressed_alone_is_not_told():
    told = Conditions("song", character=(Character(density=3, leaps=5), Character(leaps=1)), stressed=("leaps",))
    meta = PieceMeta(key=Key(2, "dorian"), bars=8, conditions=told)
    hidden = untold(meta)
    assert hidden.conditions.character == (Character(density=3), Character())
    assert replace(hidden, conditions=told) == meta
    told = replace(told, stressed=("mode",))
    assert untold(replace(meta, conditions=told)) == replace(meta, key=Key(2, "minor"), conditions=told)


def test_who_goes_on_is_heard_as_before(engine):
    guided = GuidedEngine(engine, 2)
    whole = guided.start(METAS)
    left = guided.start(METAS)
    for state in (whole, left):
        guided.advance(state, *EVENTS[0])
    guided.keep(left, np.array([1]))
    assert left.onset.tolist() == whole.onset[1:].tolist()
    guided.advance(whole, *EVENTS[1])
    guided.advance(left, EVENTS[1][0][1:], EVENTS[1][1][1:])
    np.testing.assert_allclose(guided.duration_logits(left), guided.duration_logits(whole)[1:], atol=1e-5)


def test_a_mode_is_told_less_by_its_parent():
    assert untold(METAS[0]).key == Key(2, "minor")
    assert untold(METAS[0]).conditions == Conditions()
