"""Looking inside: gates, memory spans, what was considered, and the page that shows them."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru import Melody, Note
from melodygru.evaluation.explanation import CALM, SURPRISED, colour, order_units, over_time, page, picture, summarise
from melodygru.network.cells import CELLS
from melodygru.network.config import ModelConfig, TokenizerConfig
from melodygru.network.engine import NumpyEngine
from melodygru.network.likelihood import event_nats_parts
from melodygru.network.tokenizer import END, REST, TIE, Tokenizer
from melodygru.network.trace import LONGEST_SPAN, correlation_ratio, memory_span, trace
from tests.command_line import run
from tests.networks import SMALL, checkpoint
from tests.tunes import tune


def engine_of(cell="gru", seed=0):
    config = ModelConfig(**{**{f: getattr(SMALL, f) for f in SMALL.__dataclass_fields__}, "cell": cell})
    return NumpyEngine(config, checkpoint(config, seed).weights)


@pytest.mark.parametrize("cell", CELLS)
def test_trace_has_a_row_for_every_event_and_leaves_the_engine_as_it_was(cell):
    engine, melody = engine_of(cell), tune(1)
    found = trace(engine, melody)
    events = len(found.events.durations)
    assert all(values.shape == (events, SMALL.hidden) for gates in found.gates for values in gates.values())
    assert [states.shape for states in found.states] == [(events, SMALL.hidden)] * SMALL.layers
    assert engine.watch is None
    np.testing.assert_array_equal(found.nats, event_nats_parts(engine, [Tokenizer().encode(melody)])[0])


@pytest.mark.parametrize("cell", ["gru", "gru-v1", "mingru"])
def test_gates_explain_the_states(cell):
    """h = keep * h' + (1 - keep) * h~, with h~ in the range of tanh (or above 0, for minGRU)."""
    found = trace(engine_of(cell), tune(2))
    for gates, states in zip(found.gates, found.states, strict=True):
        before = np.concatenate([np.zeros_like(states[:1]), states[:-1]])
        new = (states - gates["keep"] * before) / (1 - gates["keep"])
        known = gates["keep"] < 0.99
        assert known.any()
        assert (new[known] > -1e-3).all() if cell == "mingru" else (np.abs(new[known]) < 1 + 1e-3).all()


def test_a_trace_hears_events_no_longer_than_the_model_knows():
    """A whole note is two events to a model whose longest event is a half."""
    config = replace(SMALL, max_duration=48)
    engine = NumpyEngine(config, checkpoint(config).weights)
    melody = Melody((Note(60, 0, 96), Note(62, 96, 96)))
    found = trace(engine, melody)
    assert found.events.durations.tolist() == [48, 48, 48, 48, END]
    assert found.events.pitches.tolist() == [60, TIE, 62, TIE, REST]
    assert found.onsets.tolist() == [0, 48, 96, 144, 192]
    expected = Tokenizer(TokenizerConfig(48)).encode(melody)
    np.testing.assert_array_equal(found.nats, event_nats_parts(engine, [expected])[0])


def test_what_was_considered_is_what_the_heads_say():
    engine, melody = engine_of(), tune(3)
    found = trace(engine, melody, choices=5)
    state = engine.start([found.events.meta])
    for at in range(3):
        of_durations = np.exp(engine.duration_logits(state).astype(np.float64))[0]
        of_durations /= of_durations.sum()
        pairs = {(END, 0): of_durations[END]}
        for duration in range(1, len(of_durations)):
            of_pitches = np.exp(engine.pitch_logits(state, np.array([duration])).astype(np.float64))[0]
            for pitch, share in enumerate(of_pitches / of_pitches.sum()):
                pairs[duration, pitch] = of_durations[duration] * share
        best = sorted(pairs.values(), reverse=True)[:5]
        own = [choice.probability for choice in found.considered[at]]
        # All pairs of 193 durations and 130 pitches against the likeliest dozen of durations.
        np.testing.assert_allclose(own, best, rtol=1e-6)
        assert own[0] == pytest.approx(pairs[found.considered[at][0].duration, found.considered[at][0].pitch])
        engine.advance(state, found.events.durations[at : at + 1], found.events.pitches[at : at + 1])


@given(st.integers(0, 1000), st.integers(1, 12))
def test_memory_span_counts_events_until_half_is_left(seed, count):
    keep = np.random.default_rng(seed).uniform(0.02, 0.98, (count, 3))
    found = memory_span(keep)
    for at in range(count):
        for unit in range(3):
            left, whole = 1.0, 0
            while left * keep[(at + 1 + whole) % count, unit] >= 0.5:
                left *= keep[(at + 1 + whole) % count, unit]
                whole += 1
            assert whole - 1e-6 <= found[at, unit] <= whole + 1 + 1e-6


def test_memory_span_of_a_constant_gate_is_its_half_life():
    np.testing.assert_allclose(memory_span(np.full((9, 1), 0.5)), 1)
    np.testing.assert_allclose(memory_span(np.full((9, 1), 2.0 ** (-1 / 20))), 20)
    assert memory_span(np.ones((4, 1), np.float32)).max() == LONGEST_SPAN


def test_correlation_ratio_of_known_shares():
    classes = np.repeat([0, 1], 50)
    noise = np.random.default_rng(0).normal(size=100)
    values = np.stack([classes * 2.0, noise, np.zeros(100), classes * 2.0 + np.tile([-1.0, 1.0], 50)], axis=1)
    found = correlation_ratio(values, classes)
    assert found[0] == pytest.approx(1)
    assert found[1] < 0.1
    assert found[2] == 0
    assert found[3] == pytest.approx(0.5)  # variance 1 between, 1 within


def test_units_that_behave_alike_stand_together():
    time = np.arange(40)
    kinds = np.stack([np.sin(time / 2), np.cos(time / 3), time % 8 / 8])
    values = np.concatenate([kinds[[i]] + 0.01 * np.sin(time * j) for j in range(5) for i in range(3)]).T
    order = order_units(values.astype(np.float32))
    assert sorted(order) == list(range(15))
    assert sum((a % 3) != (b % 3) for a, b in pairwise(order)) == 2
    assert sorted(order_units(np.ones((6, 4), np.float32))) == [0, 1, 2, 3]


def test_columns_of_heat_maps_are_as_long_as_their_events():
    found = trace(engine_of(), tune(4))
    grid = over_time(found, found.states[0])
    assert grid.shape == (SMALL.hidden, tune(4).length // 2)
    np.testing.assert_array_equal(grid[:, 0], found.states[0][0])


def test_colours_go_from_expected_to_surprising():
    assert colour(0) == colour(CALM) == "#3a6eb4"
    assert colour(SURPRISED) == colour(50) == "#c8323c"
    assert len({colour(nats) for nats in (0.5, 1.2, 1.8, 2.4, 3)}) == 5


class Names(HTMLParser):
    """All tags, and addresses that they load."""

    def __init__(self):
        super().__init__()
        self.tags, self.addresses = [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.addresses += [value for name, value in attributes if name in ("src", "href")]


@pytest.mark.parametrize("cell", CELLS)
def test_page_stands_alone_for_every_cell(cell):
    melody = tune(5)
    found = trace(engine_of(cell), melody)
    html = page(found, "<b>toy", "a & b.mid")
    names = Names()
    names.feed(html)
    assert names.tags.count("rect") == 2 * len(melody.notes)
    assert all(address.startswith("data:") for address in names.addresses)
    assert "<b>toy" not in html
    assert "a &amp; b.mid" in html
    pictures = sum(len(gates) for gates in found.gates)
    assert names.tags.count("image") == pictures == {"gru": 4, "lstm": 6, "rnn": 0, "gru-v1": 4, "mingru": 2}[cell]
    cards = json.loads(re.search(r"const cards = (.*);\n", html)[1])
    assert len(cards) == len(found.events.durations)
    assert picture(found, "toy", "a.mid", 40).startswith(b"\x89PNG")


def test_summary_counts_hits_among_choices():
    found = trace(engine_of(), tune(6))
    summary = summarise(found)
    assert summary.nats_per_note == pytest.approx(found.nats.sum() / len(tune(6).notes))
    assert 0 <= summary.first_choice <= summary.among <= 1
    assert len(summary.spans) == SMALL.layers


def test_explain_writes_page_and_picture(here, capsys):
    assert run("generate", "--model", "toy", "--bars", "4", "--seed", "1", "tune.mid") == 0
    assert run("explain", "tune.mid", "--json") == 0
    told = json.loads(capsys.readouterr().out.split("\n", 1)[1])
    assert told["model"] == "toy"
    assert told["files"] == ["tune.html", "tune.png"]
    assert Path("tune.png").read_bytes().startswith(b"\x89PNG")
    assert "tune, as a GRU hears it" in Path("tune.html").read_text("utf-8")
    assert run("explain", "tune.mid") == 1
    assert "tune.html exists" in capsys.readouterr().err
    assert run("explain", "tune.mid", "--out", "only.png") == 0
    assert not Path("only.html").exists()
    assert run("explain", "tune.mid", "--out", "page.pdf") == 2
    assert "neither .html nor .png" in capsys.readouterr().err
    assert run("explain", "tune.mid", "--model", "none", "--force") == 1
    Path("empty.mid").write_bytes(b"MThd")
    assert run("explain", "empty.mid") == 1


def test_explain_falls_back_to_the_shipped_model(here, capsys):
    tune(7).save("foreign.mid")
    assert run("explain", "foreign.mid", "--json", "--out", "x.png") == 0
    assert json.loads(capsys.readouterr().out)["model"] == "repertoire"
    assert run("generate", "--model", "folk", "--bars", 2, "own.mid") == 0
    capsys.readouterr()
    assert run("explain", "own.mid", "--json", "--out", "y.png") == 0
    assert json.loads(capsys.readouterr().out)["model"] == "folk"
