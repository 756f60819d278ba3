"""Compiled, a draw and its nats are those of NumPy to the last bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melodygru.network.arrays import nats_of
from melodygru.writing.choosing import Chooser, draw
from melodygru.writing.drawing import SamplingConfig
from melodygru.writing.kernels import kernels

pytestmark = pytest.mark.skipif(kernels() is None, reason="the library was not built")

CONFIGS = st.builds(
    SamplingConfig,
    temperature=st.sampled_from([1.0, 0.9, 0.3, 1e-300, 7.3]),
    top_k=st.sampled_from([0, 1, 3, 9, 500]),
    top_p=st.sampled_from([1.0, 0.97, 0.5, 0.01]),
)


@settings(max_examples=300)
@given(
    *(CONFIGS, st.integers(1, 6), st.sampled_from([2, 7, 8, 9, 97, 128, 130, 131, 300]), st.integers(0, 1 << 30)),
    st.sampled_from([None, 0, 1]),
)
def test_what_is_drawn_and_its_nats_are_the_same(config, rows, classes, seed, decimals):
    random = np.random.default_rng(seed)
    chooser = Chooser(config)
    for _ in range(3):  # the same room, written anew
        logits = random.normal(0, 4, (rows, classes)).astype(np.float32)
        if decimals is not None:
            logits = logits.round(decimals)  # many ties
        wanted = logits + random.choice([0.0, -3.0, 8.0], (rows, classes)) if random.random() < 0.7 else logits
        legal = random.random((rows, classes)) < random.choice([0.1, 0.5, 1.0])
        legal[np.arange(rows), random.integers(0, classes, rows)] = True
        uniform = random.random(rows)
        uniform[0] = random.choice([0.0, 1 - 2.0**-53, uniform[0]])
        drawn = chooser.draw(logits, wanted, legal, uniform)
        np.testing.assert_array_equal(drawn, draw(wanted, legal, config, uniform))
        chosen = random.integers(0, classes, rows)
        np.testing.assert_array_equal(chooser.nats(logits, chosen), nats_of(logits, chosen))


def test_sums_are_in_numpy_s_order():
    """Where no number is much smaller than another, every other order would round another way somewhere."""
    config = SamplingConfig(temperature=1.0, top_p=1.0)
    for classes in range(2, 300):
        random = np.random.default_rng(classes)
        logits = random.normal(0, 0.5, (4, classes)).astype(np.float32)
        chooser, legal = Chooser(config), np.ones((4, classes), np.bool_)
        chooser.draw(logits, logits, legal, random.random(4))
        chosen = random.integers(0, classes, 4)
        np.testing.assert_array_equal(chooser.nats(logits, chosen), nats_of(logits, chosen))
