"""The compiled step gives what the one in NumPy gives, to the last bit."""

import pickle
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melodygru import Key, TimeSignature, libraries, load_model
from melodygru.music.chords import parse_progression
from melodygru.network import compiled
from melodygru.network.cells import CELLS
from melodygru.network.compiled import CompiledContext, CompiledEngine, new_context, new_engine
from melodygru.network.conditions import Character, Conditions
from melodygru.network.config import ContextConfig, ModelConfig
from melodygru.network.context import Context
from melodygru.network.engine import NumpyEngine, weight_shapes
from melodygru.network.tokenizer import END, PieceMeta

pytestmark = pytest.mark.skipif(libraries.load("step") is None, reason="the library was not built")

FLAGS = ("metre", "bars_left", "key", "ambitus", "pickup", "matches", "style", "character", "chords")
CONFIGS = [ContextConfig(**dict.fromkeys(FLAGS, True), lookback=lookback) for lookback in ((1, 2, 4, 8), ())] + [
    replace(ContextConfig(lookback=(1, 3), style=True, character=True, chords=True), **{flag: False}) for flag in FLAGS
]
SEEN = ("inputs", "onset", "position", "bar_steps", "reference", "tonic", "root", "candidate_pitch")


@st.composite
def metas(draw):
    """What a melody may be told of itself."""
    metre = TimeSignature(*draw(st.sampled_from([(4, 4), (3, 4), (6, 8), (5, 4), (16, 4)])))
    key = Key(draw(st.integers(0, 11)), draw(st.sampled_from(["major", "minor", "dorian"])))
    chords = draw(st.sampled_from(["", "C", "Am F | Bdim G7", "Fsus4 | C | Daug | Em7"]))
    spans = tuple(parse_progression(chords, metre)) if chords else ()
    phrases = draw(st.lists(st.integers(0, 4), min_size=1, max_size=3))
    character = tuple(Character(one, rests=1) for one in phrases)
    told = Conditions("folk", "reel", "natural", character, spans, each=draw(st.sampled_from([4, 1, 3])))
    return PieceMeta(metre, key, draw(st.integers(1, 40)), draw(st.booleans()), told)


EVENTS = st.lists(
    st.tuples(st.integers(1, 96), st.sampled_from([0, 40, 60, 62, 64, 67, 100, 127, 128, 129])), max_size=40
)


def run(melodies, count):
    """Events of all melodies, a step at a time; those that are over go on with END."""
    for step in range(count):
        events = [events[step] if step < len(events) else (END, 128) for events in melodies]
        durations, pitches = np.array(events, np.int64).T
        yield durations, pitches


@settings(max_examples=60)
@given(st.lists(st.tuples(metas(), EVENTS), min_size=1, max_size=4), st.sampled_from(CONFIGS), st.data())
def test_contexts_are_the_same(told, config, data):
    pieces, melodies = [meta for meta, _ in told], [events for _, events in told]
    # Room for three events, so that it has to grow.
    made = [Context(pieces, config, 192, events=3), new_context(pieces, config, 192, events=3)]
    assert isinstance(made[1], CompiledContext)
    left, until = np.arange(len(pieces)), data.draw(st.integers(0, 20))
    for step, (durations, pitches) in enumerate(run(melodies, max(map(len, melodies)))):
        if step == until:
            left = left[: max(1, len(left) // 2)]
            for context in made:
                context.keep(left)
        for context in made:
            context.advance(durations[left], pitches[left])
        for name in SEEN:
            np.testing.assert_array_equal(getattr(made[0], name), getattr(made[1], name), err_msg=f"{name}, {step}")


def test_matches_are_looked_for_as_far_back(monkeypatch):
    monkeypatch.setattr("melodygru.network.context.MATCH_HISTORY", 8)
    monkeypatch.setattr("melodygru.network.columns.MATCH_HISTORY", 8)
    made = [make([PieceMeta(bars=9)], ContextConfig(), 192) for make in (Context, new_context)]
    random = np.random.default_rng(1)
    for _ in range(300):
        event = random.integers(1, 3, 1) * 12, random.integers(60, 62, 1)
        for context in made:
            context.advance(*event)
        np.testing.assert_array_equal(made[0].inputs, made[1].inputs)


def engines(config, seed=0):
    random = np.random.default_rng(seed)
    shapes = weight_shapes(config).items()
    weights = {name: random.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes}
    return NumpyEngine(config, weights), new_engine(config, weights)


def assert_same_logits(pair, pieces, steps=40):
    random = np.random.default_rng(2)
    states = [engine.start(pieces) for engine in pair]
    for step in range(steps):
        one, two = (engine.duration_logits(state) for engine, state in zip(pair, states, strict=True))
        assert one.tobytes() == two.tobytes(), step
        rows = len(one)
        durations, pitches = random.integers(1, 49, rows), random.choice([60, 64, 67, 72, 128, 129], rows)
        one, two = (engine.pitch_logits(state, durations) for engine, state in zip(pair, states, strict=True))
        assert one.tobytes() == two.tobytes(), step
        for engine, state in zip(pair, states, strict=True):
            engine.advance(state, durations, pitches)
            if step == steps // 2 and rows > 2:
                engine.keep(state, np.arange(0, rows, 2))
        np.testing.assert_array_equal(states[0].onset, states[1].onset)


@pytest.mark.parametrize(("cell", "config"), [*product(CELLS, CONFIGS[:1]), *product(["gru"], CONFIGS[1:])])
def test_logits_are_the_same(cell, config):
    shape = ModelConfig(cell, 24, 2, 4, 3, 20, 28, max_duration=60, context=config)
    meta = PieceMeta(TimeSignature(3, 4), Key(2, "minor"), 12, True)
    pair = engines(shape)
    assert isinstance(pair[1], CompiledEngine)
    assert_same_logits(pair, [meta, PieceMeta(bars=4), meta])


@pytest.mark.parametrize("name", ["folk", "repertoire"])
@pytest.mark.parametrize("rows", [1, 2, 7])
def test_logits_of_the_shipped_models_are_the_same(name, rows):
    checkpoint = load_model(name).checkpoint
    engine = checkpoint.engine()
    chords = tuple(parse_progression("C | F | G7 | C", TimeSignature(4, 4)))
    pieces = [PieceMeta(bars=9, conditions=Conditions("folk", chords=chords[: 2 * (row % 2)])) for row in range(rows)]
    plain = NumpyEngine(checkpoint.model_config, checkpoint.weights, checkpoint.ngrams)
    assert_same_logits((plain, engine), pieces, 30)


def test_seeds_mean_the_same_melodies(monkeypatch):
    # A song's bars are told their character one by one.
    song = {"form": "V4 C4", "section": "C: syncopation=much rests=many", "style": "song", "seed": 1}
    melodies = [load_model("folk").generate(bars=4, seed=seed) for seed in range(20)]
    sung = load_model().generate(**song)
    monkeypatch.setenv("MELODYGRU_KERNEL", "0")
    compiled._library.cache_clear()
    try:
        model = load_model("folk")
        assert not isinstance(model.engine, CompiledEngine)
        assert [model.generate(bars=4, seed=seed) for seed in range(20)] == melodies
        assert load_model().generate(**song) == sung
    finally:
        compiled._library.cache_clear()


def test_engines_go_to_other_processes():
    engine = load_model("folk").engine
    other = pickle.loads(pickle.dumps(engine))
    states = [one.start([PieceMeta(bars=4)] * 2) for one in (engine, other)]
    assert other.duration_logits(states[1]).tobytes() == engine.duration_logits(states[0]).tobytes()
