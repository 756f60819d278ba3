"""`compare`: equal conditions, honest measures, and runs that are not made twice."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from melodygru.data.cache import load_dataset
from melodygru.errors import DataError, FileError, UsageError
from melodygru.evaluation.comparison import (
    NO_CONTEXT,
    REACH,
    Outcome,
    count_parameters,
    gradient_reach,
    matched,
    plan_comparison,
)
from melodygru.evaluation.comparison import run as run_plan
from melodygru.evaluation.comparison_runs import run_all
from melodygru.evaluation.comparison_tables import COLUMNS, cells_of, gradient_plot, rows, table
from melodygru.network.cells import CELLS
from melodygru.network.config import PRESETS, ModelConfig
from melodygru.training.torch_network import MelodyGRU
from tests.command_line import run
from tests.tunes import write_tunes


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MELODYGRU_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return write_tunes(tmp_path / "tunes", 12, bars=40)


@pytest.mark.parametrize("cell", CELLS)
def test_parameters_are_counted_as_torch_has_them(cell):
    config = replace(PRESETS["tiny"], cell=cell)
    network = MelodyGRU(config)
    everything = sum(parameter.numel() for parameter in network.parameters())
    assert count_parameters(config) == (everything, sum(p.numel() for p in network.recurrent.parameters()))


def test_gru_has_three_quarters_of_the_recurrent_weights_of_lstm():
    base = ModelConfig(hidden=128)
    sizes = {cell: count_parameters(matched(base, cell, "hidden"))[1] for cell in ("gru", "lstm", "rnn")}
    assert sizes["gru"] * 4 == sizes["lstm"] * 3 == sizes["rnn"] * 12


@pytest.mark.parametrize("cell", CELLS)
def test_matching_parameters_is_as_near_as_units_allow(cell):
    base = ModelConfig(hidden=96)
    wanted = count_parameters(base)[0]
    found = matched(base, cell, "parameters")
    gap = abs(count_parameters(found)[0] - wanted)
    for hidden in (found.hidden - 1, found.hidden + 1):
        assert abs(count_parameters(replace(found, hidden=hidden))[0] - wanted) >= gap
    if cell == "gru":
        assert found == base


def test_plans_are_all_combinations_under_the_same_conditions():
    plans = plan_comparison("x", cells=("gru", "rnn"), seeds=2, shares=(0.5, 1.0), match="hidden", epochs=3)
    assert [(p.share, p.train.seed, p.model.cell) for p in plans] == [
        (share, seed, cell) for share in (0.5, 1.0) for seed in (0, 1) for cell in ("gru", "rnn")
    ]
    assert len({repr(replace(plan.train, seed=0)) for plan in plans}) == 1
    assert len({repr(replace(plan.model, cell="gru")) for plan in plans}) == 1
    assert len({plan.name for plan in plans}) == 8
    assert plan_comparison("x", context=False)[0].model.context == NO_CONTEXT


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"cells": ("gru", "gpt")}, "cell 'gpt' is not known"),
        ({"cells": ("gru", "gru")}, "different"),
        ({"cells": ()}, "at least one"),
        ({"seeds": 0}, "seeds is 0"),
        ({"shares": (0.0,)}, "is 0; choose numbers above 0"),
        ({"match": "time"}, "match is 'time'"),
        ({"preset": "huge"}, "preset 'huge'"),
    ],
)
def test_what_cannot_be_compared_is_refused(settings, words):
    with pytest.raises(UsageError, match=words):
        plan_comparison("x", **settings)


def test_a_run_measures_what_it_says(folder, tmp_path):
    plan = plan_comparison(str(folder), cells=("gru",), seeds=1, shares=(0.5,), hidden=8, epochs=2)[0]
    found = run_plan(plan, tmp_path / "run")
    learned = sum(weights.numel() for weights in MelodyGRU(plan.model).parameters())
    assert (found.cell, found.hidden, found.parameters, found.epochs) == ("gru", 8, learned, 2)
    assert found.pieces == 6  # of 12 tunes 1 is held out, and half of 11 is taken
    assert 0 < found.seconds_an_epoch < 60
    assert 0 < found.event_seconds < 1
    assert found.peak_bytes is None or found.peak_bytes >= 0
    assert found.gap == found.val_nats - found.train_nats
    assert found.val_nats <= found.last_val_nats + 1e-9
    assert len(found.reach) == len(found.reach_untrained) == REACH + 1
    assert found.reach[0] == pytest.approx(1)
    assert found.reach_untrained != found.reach


def test_smaller_shares_are_parts_of_larger_ones():
    from melodygru.evaluation.comparison import _part

    pieces = np.arange(50)
    small, large = set(_part(pieces, 0.1, 3)), set(_part(pieces, 0.3, 3))
    assert (len(small), len(large)) == (5, 15)
    assert small < large
    assert set(_part(pieces, 0.1, 4)) != small


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_reach_back_as_autograd_says(cell, folder):
    """By finite differences: the loss at the last event moves as the gradient promises when an earlier input moves."""
    config = replace(PRESETS["tiny"], cell=cell, hidden=6, layers=1, dropout=0.0)
    dataset = load_dataset(folder, context=config.context)
    torch.manual_seed(0)
    model = MelodyGRU(config)
    found = gradient_reach(model, dataset, np.arange(dataset.pieces), torch.device("cpu"))
    assert found[0] == pytest.approx(1)
    assert all(value >= 0 for value in found)
    assert found[1] > found[60]
    # Without recurrent weights nothing reaches back at all.
    if cell == "rnn":
        with torch.no_grad():
            model.recurrent[0].weight_hh_l0.zero_()
        assert gradient_reach(model, dataset, np.arange(dataset.pieces), torch.device("cpu"))[1] < 1e-100


def outcome(cell="gru", seed=0, share=1.0, val=1.0, peak=1_000_000):
    reach = tuple(0.9**k for k in range(REACH + 1))
    return Outcome(
        cell, 64, seed, share, 10, 1000, 600, 2.0, peak, 1e-4, val - 0.25, val, val + 0.1, 3, 5, reach, reach
    )


def test_table_has_means_and_spreads_by_share_and_cell():
    outcomes = [outcome(seed=s, val=1.0 + s) for s in range(3)] + [outcome("lstm"), outcome(share=0.1, peak=None)]
    made = rows(outcomes, ["gru", "lstm"])
    assert [(row.share, row.cell, len(row.outcomes)) for row in made] == [
        (0.1, "gru", 1),
        (1.0, "gru", 3),
        (1.0, "lstm", 1),
    ]
    values = dict(zip(COLUMNS, cells_of(made[1]), strict=True))
    assert values["validation"] == "2.000 ± 1.000"
    assert values["gap (overfitting)"] == "0.250 ± 0.000"
    assert values["sampling an event, µs"] == "100"
    assert values["peak memory, MB"] == "1"
    assert values["gradient 10 steps back"] == "0.35"
    assert dict(zip(COLUMNS, cells_of(made[0]), strict=True))["peak memory, MB"] == "not known"
    text = table(made)
    assert text.count("of the data") == 2
    assert "| gru (64) | lstm (64) |" in text
    assert gradient_plot(made).startswith(b"\x89PNG")


def test_finished_runs_are_not_made_again(tmp_path):
    plans = plan_comparison("nowhere", cells=("gru",), seeds=2)
    results = tmp_path / "runs.jsonl"
    lines = [json.dumps({"plan": plan.name, **asdict(outcome(seed=i))}) for i, plan in enumerate(plans)]
    results.write_text("\n".join(lines))
    assert list(run_all(plans, results)) == [outcome(seed=0), outcome(seed=1)]
    results.write_text('{"plan": 1}')
    with pytest.raises(FileError, match="holds no runs of a comparison"):
        list(run_all(plans, results))


def test_command_compares_and_goes_on(folder, capsys):
    arguments = ["compare", folder, "--cells", "gru,mingru", "--seeds", "1", "--epochs", "1", "--hidden", "6"]
    assert run(*arguments) == 0
    text = capsys.readouterr().out
    for words in ("gru (6)", "mingru (", "gap (overfitting)", "gradient 100 steps back", "100% of the data (11 tunes)"):
        assert words in text
    before = Path("comparison/runs.jsonl").read_bytes()
    assert Path("comparison/gradients.png").read_bytes().startswith(b"\x89PNG")
    assert "| gru (6) |" in Path("comparison/table.md").read_text("utf-8")
    assert run(*arguments, "--json") == 0
    assert [row["cell"] for row in json.loads(capsys.readouterr().out)] == ["gru", "mingru"]
    assert Path("comparison/runs.jsonl").read_bytes() == before
    assert run("compare", folder, "--share", "some") == 2
    assert run("compare", folder, "--jobs", "0") == 2
    assert run("compare", folder, "--cells", "gru,gpt") == 2


def test_runs_tell_how_far_they_are_and_end_with_their_reason(folder, tmp_path):
    told = []
    plans = plan_comparison(str(folder), cells=("gru", "rnn"), seeds=1, hidden=6, epochs=1)
    outcomes = list(run_all(plans, tmp_path / "runs.jsonl", 2, lambda *what: told.append(what)))
    assert {outcome.cell for outcome in outcomes} == {"gru", "rnn"}
    shares = [done for what, done, total in told if what == "training: runs"]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] < 2
    few = write_tunes(tmp_path / "few", 1)
    with pytest.raises(DataError, match="Nothing is left to train on"):
        list(run_all(plan_comparison(str(few), cells=("gru",), seeds=1), tmp_path / "more.jsonl"))
    assert not (tmp_path / "more.jsonl").exists()
