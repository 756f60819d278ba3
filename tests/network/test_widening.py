"""A network that is told more begins as the one that was told less: the same likelihoods, and all of it can learn."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from melodygru.errors import UsageError
from melodygru.music.chords import Chord, ChordSpan
from melodygru.network.conditions import Character, Conditions
from melodygru.network.config import ContextConfig
from melodygru.network.engine import NumpyEngine
from melodygru.network.likelihood import event_nats
from melodygru.network.tokenizer import Tokenizer
from melodygru.network.widening import told_more, widened
from melodygru.training.torch_network import MelodyGRU
from tests.networks import SMALL, batch_of, network
from tests.tunes import tune

NEW = ("ambitus", "pickup", "style", "character", "chords")


def pieces():
    shall = Conditions(
        "hymn", "waltz", "natural", (Character(3, 2, 1, 2, 4, 3),), (ChordSpan(0, 300, Chord.parse("Dm7")),)
    )
    made = [Tokenizer().encode(tune(seed)) for seed in range(3)]
    return [replace(piece, meta=replace(piece.meta, conditions=shall)) for piece in made]


def arrays_of(model):
    return {name: tensor.detach().numpy().copy() for name, tensor in model.state_dict().items()}


@given(st.sets(st.sampled_from(NEW), min_size=1), st.integers(0, 3))
@settings(max_examples=20, deadline=None)
def test_a_widened_network_gives_the_same_likelihoods(new, seed):
    less = dict.fromkeys(new, False)
    before = replace(SMALL, context=ContextConfig(lookback=(1, 2), **dict.fromkeys(NEW, True) | less))
    after = told_more(before, *new)
    old = arrays_of(network(before, seed))
    made = widened(old, before, after, arrays_of(network(after, seed + 1)))
    music = pieces()
    one = event_nats(NumpyEngine(before, old), music)
    two = event_nats(NumpyEngine(after, made), music)
    assert all(np.allclose(a, b, atol=1e-5) for a, b in zip(one, two, strict=True))


def test_all_that_is_new_learns():
    before, after = SMALL, told_more(SMALL, "style", "character", "chords")
    model = MelodyGRU(after)
    fresh = arrays_of(model)
    made = widened(arrays_of(network(before)), before, after, fresh)
    model.load_state_dict({name: torch.from_numpy(array) for name, array in made.items()})
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(2):  # tables move as soon as the input layer weighs them
        optimizer.zero_grad()
        sum(part.sum() for part in model.nll(batch_of(pieces(), after))).backward()
        optimizer.step()
    new = [name for name in made if name not in dict(network(before).named_parameters())]
    assert {"pitch_chord.weight", "tables.style.weight"} <= set(new)
    assert all(not np.array_equal(arrays_of(model)[name], fresh[name]) for name in new)


@pytest.mark.parametrize(
    "changes", [{"hidden": 13}, {"context": ContextConfig(lookback=(1, 2, 3))}, {"max_duration": 96}, {"cell": "lstm"}]
)
def test_another_shape_is_refused(changes):
    after = replace(SMALL, **changes)
    with pytest.raises(UsageError, match="another shape"):
        widened(arrays_of(network(SMALL)), SMALL, after, arrays_of(network(after)))


def test_being_told_less_is_refused():
    before = told_more(SMALL, "chords")
    with pytest.raises(UsageError, match="told more"):
        widened(arrays_of(network(before)), before, SMALL, arrays_of(network(SMALL)))
