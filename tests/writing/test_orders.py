"""Many orders at once: each is written as if it were alone."""

from dataclasses import replace

import numpy as np
import pytest

from melodygru.errors import SamplingError, UsageError
from melodygru.music.statistics import features
from melodygru.network.critic import Critic, own_names
from melodygru.writing import orders as together
from melodygru.writing.candidates import Order
from melodygru.writing.config import GenerationConfig
from melodygru.writing.model import Model
from melodygru.writing.orders import compose_all
from melodygru.writing.sampler import sample_lots
from tests.networks import checkpoint
from tests.tunes import tune

WISHES = [
    {"bars": 4, "meter": "4/4", "key": "G"},
    {"bars": 2, "meter": "6/8", "key": "A dorian", "pickup": "1/8"},
    {"bars": 7, "meter": "3/4", "key": "C", "max_leap": 3, "no_repeat_notes": 1},
    {"bars": 3, "meter": "4/4", "key": "E minor", "chords": "Em Am B7", "rests": "some"},
    {"bars": 2, "meter": "2/4", "key": "F", "end_on": "any"},
]


def orders_of(wishes, **settings):
    return [
        (Order(GenerationConfig.from_dict(wish | settings), seed=number), 3 + number % 3)
        for number, wish in enumerate(wishes)
    ]


def critic():
    """It likes tunes with many notes of many lengths; the rest it does not mind."""
    names, size = own_names(), 6
    tree = {
        "feature": np.array([0, -1, -1, 1, -1, -1], np.int32),
        "threshold": np.array([12.5, 0, 0, 2.5, 0, 0], np.float32),
        "below": np.array([1, 0, 0, 4, 0, 0], np.int32),
        "above": np.array([2, 0, 0, 5, 0, 0], np.int32),
        "value": np.array([0, -1, 1, 0, -0.5, 0.5], np.float32),
    }
    assert all(len(array) == size for array in tree.values())
    roots, base = np.array([0, 3], np.int32), np.zeros(1, np.float32)
    missing = np.zeros(len(list(features(tune(0)))), np.float32)
    return Critic(names, missing, roots=roots, base=base, **tree)


def alone(model, order, count):
    """What is written for one order, None where too little is found."""
    try:
        return list(model.compose_each(order, count))
    except SamplingError:
        return None


@pytest.mark.parametrize("settings", [{}, {"best_of": 12}, {"temperature": 0.7, "top_k": 8, "max_copy": 0}])
@pytest.mark.parametrize("chooses", [False, True])
def test_each_order_is_written_as_if_it_were_alone(settings, chooses):
    model = Model(replace(checkpoint(), critic=critic() if chooses else None))
    orders = orders_of(WISHES, **settings)
    each = [alone(model, *order) for order in orders]
    assert sum(written is not None for written in each) > 3
    assert compose_all(model, orders) == each
    assert compose_all(model, orders[::-1]) == each[::-1]


def test_windows_and_processes_change_nothing(monkeypatch):
    model, orders = Model(replace(checkpoint(), critic=critic())), orders_of(WISHES)
    whole = compose_all(model, orders)
    monkeypatch.setattr(together, "WINDOW", 8)
    monkeypatch.setattr(together, "_PLANNED_STEPS", 700)
    assert compose_all(model, orders) == whole
    told = []
    assert compose_all(model, orders, 2, lambda done, total: told.append((done, total))) == whole
    many = 4 * sum(count for _, count in orders)
    assert told == sorted(told)
    assert told[-1] == (many, many)


@pytest.mark.parametrize("window", [6, 7, 30])
def test_windows_hold_all_candidates_and_no_more_than_they_may(monkeypatch, window):
    monkeypatch.setattr(together, "WINDOW", window)
    monkeypatch.setattr(together, "_PLANNED_STEPS", 3000)
    orders = [Order(GenerationConfig(bars=bars), 0) for bars in (2, 8, 1, 40, 3)]
    needed = [4, 44, 8, 12, 1]
    windows = list(together._windows(orders, needed))
    assert all(sum(part.many for part in parts) <= window for parts in windows)
    for parts in windows:
        assert len(parts) == 1 or sum(96 * orders[part.place].config.bars for part in parts) <= 3000
    for place, many in enumerate(needed):
        own = [part for parts in windows for part in parts if part.place == place]
        assert [part.first for part in own] == [sum(part.many for part in own[:i]) for i in range(len(own))]
        assert sum(part.many for part in own) == many
        assert all(part.many % 4 == 0 for part in own[:-1])  # those of which the critic chooses one stay together


def test_what_is_not_found_is_none_and_spoils_nothing_else():
    model = Model(checkpoint())
    narrow = GenerationConfig.from_dict({"bars": 1, "range": "C4:C4", "end_on": "any", "grid": "1/2"})
    fine = Order(GenerationConfig(bars=2), 5)
    found = compose_all(model, [(Order(narrow, 1), 40), (fine, 3)])
    assert found == [None, list(model.compose_each(fine, 3))]
    with pytest.raises(UsageError, match="count is 0"):
        compose_all(model, [(fine, 0)])


def test_a_lot_that_meets_dead_ends_leaves_the_others_theirs(monkeypatch):
    model = Model(checkpoint())
    fine, stuck = (model.planned(Order(GenerationConfig(bars=bars), 0)) for bars in (2, 3))
    real = type(stuck.ahead).options

    def options(ahead, progress):
        offered = real(ahead, progress)
        if ahead is stuck.ahead:  # nothing is left after the first bar
            offered.durations[progress.onset > 96] = False
            offered.any[progress.onset > 96] = False
        return offered

    monkeypatch.setattr(type(stuck.ahead), "options", options)
    lots = [together.Lot(made.meta, made.ahead, made.script, 3, 0, 4) for made in (fine, stuck)]
    both = sample_lots(model.engine, lots, GenerationConfig().sampling)
    alone = sample_lots(model.engine, lots[:1], GenerationConfig().sampling)
    assert both[1] is None
    assert [one.events.pitches.tolist() for one in both[0]] == [one.events.pitches.tolist() for one in alone[0]]
