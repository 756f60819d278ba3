"""A model that chooses: what it learns, keeps, and writes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from melodygru.errors import CheckpointError, DataError, UsageError
from melodygru.evaluation.teaching import _as_critic, _trees, _typical, teach
from melodygru.music.statistics import feature_table, features
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.critic import CANDIDATES, Critic, own_names
from melodygru.writing.candidates import Order
from melodygru.writing.config import GenerationConfig
from melodygru.writing.model import Model
from tests.command_line import run
from tests.networks import checkpoint
from tests.strategies import melodies
from tests.tunes import tune, write_tunes


@pytest.fixture(scope="module")
def learned():
    """Trees that tell tunes from the untrained network's melodies, as scikit-learn has them and as we do."""
    people = [tune(i, 8) for i in range(60)]
    written = Model(checkpoint()).generate_many(60, 8, seed=1)
    _, table = feature_table([*people, *written])
    missing = _typical(table)
    filled = np.where(np.isnan(table), missing, table)
    trees = _trees().fit(filled, np.repeat([1, 0], 60))
    return trees, _as_critic(trees, missing), missing


@settings(max_examples=40)
@given(melody=melodies(min_notes=1))
def test_judgement_is_that_of_the_trees(learned, melody):
    trees, critic, missing = learned
    row = np.array([list(features(melody).values())])
    expected = trees.decision_function(np.where(np.isnan(row), missing, row))[0]
    assert critic.log_odds(melody) == pytest.approx(expected, abs=1e-4)


def test_people_are_told_from_an_untrained_network(learned):
    critic = learned[1]
    written = Model(checkpoint()).generate_many(20, 8, seed=2)
    assert min(critic.log_odds(tune(i, 8)) for i in range(100, 120)) > max(map(critic.log_odds, written))


def test_a_critic_is_kept_in_the_checkpoint(learned, tmp_path):
    path = tmp_path / "m.safetensors"
    replace(checkpoint(), critic=learned[1]).save(path)
    again = Checkpoint.load(path)
    for name, array in learned[1].arrays().items():
        np.testing.assert_array_equal(again.critic.arrays()[name], array)
    assert Model(again).fingerprint != Model(checkpoint()).fingerprint
    half = tmp_path / "h.safetensors"
    again.save(half, half=True)
    assert Checkpoint.load(half).is_half
    assert not again.is_half
    assert Checkpoint.load(half).critic.log_odds(tune(1)) == learned[1].log_odds(tune(1))


@pytest.mark.parametrize(
    "change",
    [
        {"below": lambda a: np.zeros_like(a)},  # a way that never ends
        {"feature": lambda a: np.full_like(a, 1000)},
        {"above": lambda a: a + len(a)},
        {"value": lambda a: np.full_like(a, np.nan)},
        {"value": lambda a: a[:-1]},
        {"roots": lambda a: a - 1},
        {"missing": lambda a: a[:-1]},
        {"base": lambda a: a.astype(np.float64)},
        {"names": lambda a: a[::-1]},
        {"names": lambda a: a[:, :5]},
    ],
)
def test_damaged_critics_are_refused(learned, change, tmp_path):
    arrays = {name: array.copy() for name, array in learned[1].arrays().items()}
    for name, damage in change.items():
        arrays[name] = np.ascontiguousarray(damage(arrays[name]))
    with pytest.raises(CheckpointError, match="has a judge"):
        Critic.from_arrays(arrays)
    damaged = replace(checkpoint(), critic=Critic(**arrays))
    damaged.save(tmp_path / "m.safetensors")
    with pytest.raises(CheckpointError, match=r"m\.safetensors has a judge"):
        Checkpoint.load(tmp_path / "m.safetensors")


def test_a_missing_part_is_refused(learned):
    arrays = dict(learned[1].arrays())
    del arrays["roots"]
    with pytest.raises(CheckpointError, match="something is missing"):
        Critic.from_arrays(arrays)


def test_names_are_those_of_the_features():
    names = [bytes(row[row > 0]).decode() for row in own_names()]
    assert names == list(features(tune(0)))


def test_each_melody_is_the_best_of_its_candidates(learned):
    critic = learned[1]
    plain, choosy = Model(checkpoint()), Model(replace(checkpoint(), critic=critic))
    asked = GenerationConfig(bars=4)
    # Judged as they were drawn, before the last note is held to the bar line.
    by_number = {one.number: one for one in plain.compose(asked, 5, 3 * CANDIDATES, as_drawn=True)}
    chosen = choosy.compose(asked, 5, 3)
    for group, one in enumerate(chosen):
        candidates = [by_number[number] for number in range(group * CANDIDATES, (group + 1) * CANDIDATES)]
        assert one.number == max(candidates, key=lambda c: critic.log_odds(c.melody)).number
        assert choosy.compose_again(Order(asked, 5), one.number).melody == one.melody
    assert choosy.candidates_for(asked, 3) == 3 * CANDIDATES
    assert choosy.candidates_for(GenerationConfig(bars=4, best_of=1), 3) == 3
    first = choosy.compose(GenerationConfig(bars=4, best_of=1), 5)[0]
    assert first.melody == plain.compose(asked, 5)[0].melody


def test_all_melodies_differ_even_where_there_are_few(learned):
    choosy = Model(replace(checkpoint(), critic=learned[1]))
    few = GenerationConfig(bars=1, grid="1/4", triplets=False, range="C4:E4", scale_mode="strict", end_on="any")
    written = choosy.compose(few, 0, 12)
    assert len({one.melody.notes for one in written}) == 12


def test_teaching_improves_what_is_written(tmp_path):
    folder = write_tunes(tmp_path / "tunes", 60, bars=8)
    told = []
    taught = teach(Model(checkpoint()), folder, tunes=60, progress=lambda what, done, total: told.append(what))
    assert (taught.people, taught.generated) == (60, 120)
    assert taught.auc > 0.9
    before = [taught.checkpoint.critic.log_odds(m) for m in Model(checkpoint()).generate_many(10, 8, seed=9)]
    after = [taught.checkpoint.critic.log_odds(m) for m in Model(taught.checkpoint).generate_many(10, 8, seed=9)]
    assert np.mean(after) > np.mean(before)
    assert "learning to choose" in told
    again = teach(Model(checkpoint()), folder, tunes=60)
    for name, array in again.checkpoint.critic.arrays().items():
        np.testing.assert_array_equal(array, taught.checkpoint.critic.arrays()[name])


def test_teach_command_writes_a_model(here, capsys):
    folder = write_tunes(here / "tunes", 50, bars=4)
    assert run("teach", "toy", folder, "--out", "wise.safetensors", "--tunes", "50") == 0
    assert "learned from 50 tunes and 100 melodies" in capsys.readouterr().out
    assert Checkpoint.load("wise.safetensors").critic is not None
    assert run("generate", "--model", "wise.safetensors", "--bars", "4", "--seed", "1", "a.mid") == 0
    assert run("replay", "a.mid", "--model", "wise.safetensors") == 0
    assert run("teach", "toy", folder, "--tunes", "50") == 1  # the model is a file that is there
    assert "--force" in capsys.readouterr().err
    assert run("teach", "toy", folder, "--tunes", "3", "--force") == 2


def test_too_few_tunes_teach_nothing(tmp_path):
    folder = write_tunes(tmp_path / "tunes", 8)
    with pytest.raises(DataError, match="has 8 tunes to teach with; give at least 50"):
        teach(Model(checkpoint()), folder)
    with pytest.raises(UsageError, match="tunes is 2"):
        teach(Model(checkpoint()), folder, tunes=2)
