"""The listening test: its order, its page and its statistics, on models and raters whose answers are known."""

import itertools
import json
import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from melodygru import Melody, Note, TimeSignature
from melodygru.errors import DataError, FileError, UsageError
from melodygru.evaluation.listening.answers import read_answers
from melodygru.evaluation.listening.excerpts import HUMAN, Excerpt, choose, cut
from melodygru.evaluation.listening.orders import balanced_orders, williams
from melodygru.evaluation.listening.page import FORMAT, make
from melodygru.evaluation.listening.result import score
from melodygru.evaluation.listening.scales import SCALES
from melodygru.evaluation.listening.statistics import (
    equivalence,
    estimate,
    holm,
    krippendorff_alpha,
    signed_rank,
    told,
)
from melodygru.formats.midi.writer import write_midi
from melodygru.music.originality import OriginalityIndex
from melodygru.writing.model import Model
from melodygru.writing.values import DEFAULT_MAX_COPY
from scripts.check_listening_statistics import Taste, alarms, simulate
from tests.command_line import run
from tests.networks import checkpoint
from tests.tunes import tune, write_tunes


def silent(what, done, total):
    pass


@pytest.mark.parametrize("size", range(1, 9))
def test_each_stands_everywhere_and_behind_each_other_equally_often(size):
    rows = williams(size)
    assert all(sorted(row) == list(range(size)) for row in rows)
    for column in zip(*rows, strict=True):
        assert set(Counter(column).values()) == {len(rows) // size}
    followed = Counter((one, two) for row in rows for one, two in itertools.pairwise(row))
    assert len(followed) == size * (size - 1)
    assert len(set(followed.values())) <= 1


@given(st.integers(2, 5), st.integers(2, 9))
def test_over_all_listeners_each_melody_is_at_each_place_of_each_block_equally_often(systems, seats):
    orders = balanced_orders(systems, seats)
    everything = [(system, seat) for system in range(systems) for seat in range(seats)]
    for order in orders:
        assert sorted(order) == everything
        for start in range(0, len(order), systems):
            block = order[start : start + systems]
            assert {system for system, _ in block} == set(range(systems))
            assert len({seat for _, seat in block}) == min(systems, seats) or seats < systems
    for column in zip(*orders, strict=True):
        assert set(Counter(column).values()) == {len(orders) // len(everything)}


def test_a_cut_keeps_the_pickup_and_ends_what_sounds_on():
    metre = TimeSignature(3, 4)
    melody = Melody(
        (Note(60, 48, 24), Note(62, 72, 60), Note(64, 132, 60), Note(65, 216, 48)), metre, pickup=24, bars=3
    )
    found = cut(melody, 1)
    assert (found.bars, found.pickup, found.length) == (1, 24, 144)
    assert [(note.onset, note.end) for note in found.notes] == [(48, 72), (72, 132), (132, 144)]


@pytest.fixture(scope="module")
def models():
    return {"one": Model(checkpoint(seed=1), "one"), "two": Model(checkpoint(seed=2), "two")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_tunes(tmp_path_factory.mktemp("people") / "tunes", 8, 18)


@pytest.fixture(scope="module")
def excerpts(models, folder):
    return choose(str(folder), models, 3, 16, 1, silent)


def test_excerpts_of_a_seat_are_alike_in_all_but_the_notes(excerpts, folder):
    people = [tune(seed, 18) for seed in range(8)]
    index = OriginalityIndex.of_melodies(people)
    assert Counter(one.system for one in excerpts) == {HUMAN: 3, "one": 3, "two": 3}
    for seat in range(3):
        same = [one.melody for one in excerpts if one.seat == seat]
        assert len({(m.time_signature, m.key, m.qpm, m.pickup, m.bars, m.seconds) for m in same}) == 1
        assert len({m.notes for m in same}) == 3
    for one in excerpts:
        assert one.melody.bars == 16
        longest = index.longest_run(one.melody).notes
        assert longest == len(one.melody.notes) if one.system == HUMAN else longest <= DEFAULT_MAX_COPY


def test_the_same_seed_makes_the_same_test_and_another_another(models, folder, excerpts):
    again = choose(str(folder), models, 3, 16, 1, silent)
    assert make(again, "x", 1) == make(excerpts, "x", 1)
    assert make(again, "x", 2).page != make(excerpts, "x", 1).page


def test_a_model_that_copies_people_is_not_heard(models, folder, monkeypatch):
    def copying(model, people, samples, seed, options, tell, jobs):
        return list(people), np.arange(len(people)), 0

    monkeypatch.setattr("melodygru.evaluation.listening.excerpts.write_like", copying)
    with pytest.raises(DataError, match=r"In the place of only 0 tunes .* --count is 3; lower"):
        choose(str(folder), models, 3, 16, 1, silent)


def test_too_few_tunes_are_told_with_what_there_is(models, folder):
    with pytest.raises(DataError, match=r"has 8 different tunes of 16 to 128 bars .* --count is 9"):
        choose(str(folder), models, 9, 16, 1, silent)
    with pytest.raises(DataError, match=r"has 0 different tunes of 19 to 128 bars"):
        choose(str(folder), models, 2, 19, 1, silent)
    with pytest.raises(UsageError, match="count is 1; choose a number from 2 to 40"):
        choose(str(folder), models, 1, 4, 1, silent)


def told_to_the_page(page):
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL)[1])


def test_the_page_does_not_hold_who_made_what(excerpts):
    test = make(excerpts, "tunes with </script> & <b>", 1)
    key, data = json.loads(test.key), told_to_the_page(test.page)
    assert set(data["items"]) == set(key["items"]) == {str(n) for n in range(1, 10)}
    # A melody says how it sounds, and nothing else.
    assert {tuple(item) for item in data["items"].values()} == {("seconds", "notes")}
    assert set(data) == {"format", "test", "style", "scales", "range", "heard", "makers", "items", "orders"}
    assert data["style"] == "tunes with </script> & <b>"
    assert "&lt;/script&gt; &amp; &lt;b&gt;" in test.page
    assert test.listeners == len(data["orders"])
    assert len(data["orders"][0]) == 9
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", test.page)
    # Numbers follow no system: in the order of numbers, people's are not side by side for every seed.
    runs = set()
    for seed in range(20):
        items = json.loads(make(excerpts, "x", seed).key)["items"]
        runs.add(tuple(items[name]["system"] for name in sorted(items)))
    assert len(runs) > 15


def test_what_sounds_begins_with_the_pickup(excerpts):
    melody = Melody(tuple(Note(60 + n, 72 + 24 * n, 24) for n in range(9)), pickup=24, bars=2, qpm=60)
    data = told_to_the_page(make([Excerpt(s, i, melody) for s in (HUMAN, "m") for i in (0, 1)], "x", 0).page)
    item = data["items"]["1"]
    assert item["seconds"] == 9
    assert [note[:3] for note in item["notes"]] == [[60 + n, n, n + 1] for n in range(9)]


def test_an_estimate_over_listeners_and_seats_is_clarks():
    values = np.random.default_rng(0).normal(0.4, 1, (12, 7))
    first = stats.ttest_1samp(values.mean(axis=1), 0).statistic ** 2
    second = stats.ttest_1samp(values.mean(axis=0), 0).statistic ** 2
    smaller = first * second / (first + second)
    freedom = (first + second) ** 2 / (first**2 / 6 + second**2 / 11)
    found = estimate(values)
    assert found.p == pytest.approx(stats.f.sf(smaller, 1, freedom))
    assert found.low < found.mean < found.high
    assert found.mean == pytest.approx(values.mean())


def test_an_interval_and_two_one_sided_tests_agree():
    """Two systems are equivalent at 2.5 % exactly where the 95 % interval lies within the margin."""
    values = np.random.default_rng(1).normal(0.1, 0.5, (20, 10))
    found = estimate(values)
    outer = max(abs(found.low), abs(found.high))
    assert equivalence(values, outer) == pytest.approx(0.025)
    assert equivalence(values, outer * 1.2) < 0.025 < equivalence(values, outer * 0.8)


def test_corrected_p_values():
    # Of 0.01, 0.04, 0.03: 3 * 0.01, 2 * 0.03, and no smaller than what comes before it.
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert np.isnan(holm([float("nan"), 0.01])[0])
    assert holm([float("nan"), 0.01])[1] == 0.01


def test_agreement_as_published():
    """Krippendorff's own example of interval data ("Computing Krippendorff's Alpha-Reliability", 2011): 0.849."""
    none = np.nan
    ratings = np.array([
        [1, 2, 3, 3, 2, 1, 4, 1, 2, none, none, none],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, none, 3],
        [none, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, none],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, none],
    ])  # fmt: skip
    assert krippendorff_alpha(ratings) == pytest.approx(0.849, abs=5e-4)
    chance = np.random.default_rng(0).integers(1, 8, (30, 200)).astype(float)
    assert abs(krippendorff_alpha(chance)) < 0.02
    assert np.isnan(krippendorff_alpha(np.full((3, 4), np.nan)))


def test_who_always_says_machine_tells_nothing_apart():
    everything, knows = np.ones((6, 5)), np.zeros((6, 5))
    found = told(everything, everything)
    assert (found.machine, found.heard, found.right.mean) == (30, 30, 0.5)
    assert found.high == 1
    assert found.low == pytest.approx(0.025 ** (1 / 30))
    assert told(everything, knows).right.mean == 1
    assert told(everything, knows).p_binomial == pytest.approx(2 / 64)


def test_where_all_are_alike_nothing_is_found():
    same = np.zeros((5, 4))
    assert estimate(same).p == 1
    assert signed_rank(same) == 1
    assert equivalence(same, 0.5) == 0


def test_raters_of_known_taste():
    """Who likes the second system less by a point is found out; who likes both alike raises few alarms."""
    found = alarms(Taste(), listeners=14, seats=8, runs=120, seed=0)
    assert found["any difference"] <= 0.05 + 0.06  # 3 standard deviations of 120 runs
    liked = alarms(Taste(effect=1.5), listeners=20, seats=12, runs=40, seed=1)
    assert liked["any difference"] > 0.9
    assert liked["any equivalence"] < 0.1


def test_steady_raters_find_equals_equivalent():
    ratings = simulate(Taste(listener=0.3, melody=0.3, noise=0.5, slope=0.1), 30, 20, np.random.default_rng(0))
    assert equivalence(ratings[:, 0] - ratings[:, 1], 0.5) < 0.05


def answers_of(test, listener, rate):
    key = json.loads(test.key)
    answers = [
        {"item": name, "ratings": dict.fromkeys(SCALES, rate(item)), "heard": "no",
         "by": "person" if item["system"] == HUMAN else "machine", "plays": 1}
        for name, item in key["items"].items()
    ]  # fmt: skip
    return {"format": FORMAT, "test": key["test"], "listener": listener, "years": None, "answers": answers}


@pytest.fixture
def given_answers(tmp_path, excerpts):
    test = make(excerpts, "x", 1)
    (tmp_path / "key.json").write_text(test.key, "utf-8")
    likes = {HUMAN: 6, "one": 3, "two": 4}
    paths = []
    for listener in (1, 2, 3):
        found = answers_of(test, listener, lambda item, more=listener: likes[item["system"]] + (more == 2))
        paths.append(tmp_path / f"{listener}.json")
        paths[-1].write_text(json.dumps(found), "utf-8")
    return tmp_path, paths


def test_answers_are_told_by_the_key(given_answers):
    folder, paths = given_answers
    found = score(read_answers(paths, folder / "key.json"), 0.5)
    assert found.means["melody"][HUMAN].mean == pytest.approx(6 + 1 / 3)
    by_name = {(one.first, one.second): one for one in found.differences["melody"]}
    assert by_name[HUMAN, "one"].estimate.mean == pytest.approx(3)
    assert by_name["one", "two"].estimate.mean == pytest.approx(-1)
    assert found.told["one"].right.mean == 1
    assert found.told["one"].machine == 9
    json.dumps(found.as_dict(), allow_nan=False)


def test_a_melody_that_is_known_is_left_out(given_answers):
    folder, paths = given_answers
    answers = json.loads(paths[0].read_text())
    answers["answers"][0] |= {"heard": "yes", "ratings": dict.fromkeys(SCALES, 1)}
    paths[0].write_text(json.dumps(answers))
    found = read_answers(paths, folder / "key.json")
    system = json.loads((folder / "key.json").read_text())["items"][answers["answers"][0]["item"]]["system"]
    assert found.known[system] == 1
    assert sum(found.known.values()) == 1
    assert np.nanmin(found.ratings["melody"]) == 3
    assert np.isnan(found.ratings["melody"]).sum() == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda found: found | {"test": "other"}, "1.json is of another listening test than the key"),
        (lambda found: found | {"listener": "1"}, "1.json holds no listener's answers"),
        (lambda found: found | {"answers": 3}, "1.json holds no list of answers"),
        (lambda found: found | {"answers": [found["answers"][0]] * 2}, "1.json: melody . is answered twice"),
        (lambda found: found | {"answers": [{"item": "99"}]}, "an answer is of no melody of this test"),
        (
            lambda found: found | {"answers": [found["answers"][0] | {"ratings": dict.fromkeys(SCALES, 8)}]},
            "stylistic_success of melody . is 8, not a whole number from 1 to 7",
        ),
        (lambda found: found | {"answers": [found["answers"][0] | {"by": []}]}, "nor by whom it is"),
        (lambda found: [found], "1.json holds no listener's answers"),
        (lambda found: found | {"listener": 2}, r"1.json and .*2.json are both of listener 2"),
    ],
)
def test_files_that_are_no_answers_are_refused_with_the_reason(given_answers, change, says):
    folder, paths = given_answers
    paths[0].write_text(json.dumps(change(json.loads(paths[0].read_text()))))
    with pytest.raises((FileError, DataError), match=says):
        read_answers(paths, folder / "key.json")


@pytest.mark.parametrize("text", ["", "[" * 100_000, "{", "\xff", '{"format": 1}', "[]", "null", "9" * 5000])
def test_what_is_no_file_of_a_test_is_refused(given_answers, text):
    folder, paths = given_answers
    (folder / "bad.json").write_text(text, "latin-1")
    for files, key in (([folder / "bad.json"], folder / "key.json"), (paths, folder / "bad.json")):
        with pytest.raises(FileError, match=r"bad\.json"):
            read_answers(files, key)


def test_the_command_tells_what_answers_say(given_answers, capsys, monkeypatch):
    folder, paths = given_answers
    monkeypatch.setenv("COLUMNS", "200")
    line = ["listen-test", "--score", *map(str, paths), "--answer-key", str(folder / "key.json")]
    assert run(*line) == 0
    out = capsys.readouterr().out
    assert "3 listeners; 0 answers left out" in out
    assert "Stylistic success: human - one" in out
    assert run(*line, "--json") == 0
    assert json.loads(capsys.readouterr().out)["listeners"] == 3


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ([], "Give a folder of people's melodies, and models"),
        (["a.json"], "a.json is given without --score"),
        (["--score"], "--score needs the files"),
        (["--score", "a.json", "--human", "x"], "give the one or the other"),
        (["--human", "x", "--model", "folk", "--model", "folk"], "give models whose names differ"),
        (["--human", "nowhere", "--model", "folk"], "There is no folder nowhere"),
        (["--human", "x", "--model", "folk", "--seed", "-1"], "seed is -1"),
    ],
)
def test_what_cannot_be_done_is_said(line, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("listen-test", *line) in (1, 2)
    assert says in capsys.readouterr().err


def test_fewer_than_two_listeners_say_nothing_of_others(given_answers):
    folder, paths = given_answers
    with pytest.raises(DataError, match="at least 2 listeners"):
        score(read_answers(paths[:1], folder / "key.json"), 0.5)
    with pytest.raises(UsageError, match="margin is 0"):
        score(read_answers(paths, folder / "key.json"), 0)


def test_the_command_makes_a_test_from_a_folder_and_models(folder, tmp_path, monkeypatch, capsys, excerpts):
    monkeypatch.chdir(tmp_path)
    for seed, name in ((1, "one"), (2, "two")):
        checkpoint(seed=seed).save(f"{name}.safetensors")
    line = ["listen-test", "--human", folder, "--model", "one.safetensors", "--model", "two.safetensors"]
    line += ["--count", "3", "--seed", "1", "--out", "made"]
    assert run(*line) == 0
    said = capsys.readouterr().out
    assert "Wrote made/page.html: 9 melodies" in said.replace("\\", "/")
    assert "each 36 of them" in said
    items = json.loads((tmp_path / "made" / "key.json").read_text())["items"].values()
    assert Counter(item["system"] for item in items) == {HUMAN: 3, "one": 3, "two": 3}
    assert (tmp_path / "made" / "page.html").read_text("utf-8").startswith("<!doctype html>")
    assert run(*line) == 1
    assert "exists; choose another name, or overwrite it with --force" in capsys.readouterr().err
    assert run(*line, "--force", "--json") == 0
    assert json.loads(capsys.readouterr().out)["listeners"] == 36
    assert run(*line[:-1], "one.safetensors/there") == 1
    assert "one.safetensors" in capsys.readouterr().err


def test_files_that_are_too_large_too_many_or_not_there_are_refused(given_answers, monkeypatch):
    folder, paths = given_answers
    with pytest.raises(FileError, match=r"nothing\.json cannot be read \(No such file"):
        read_answers(paths, folder / "nothing.json")
    monkeypatch.setattr("melodygru.evaluation.listening.answers._LARGEST", 100)
    with pytest.raises(FileError, match="has more than 100 bytes"):
        read_answers(paths, folder / "key.json")
    with pytest.raises(DataError, match="10,001 files were given; 10,000 at most"):
        read_answers([paths[0]] * 10_001, folder / "key.json")


def test_of_too_few_values_there_is_no_interval():
    alone = estimate(np.array([[1.0, 2, 3]]))
    assert alone.mean == 2
    assert np.isnan([alone.low, alone.high, alone.p, equivalence(np.array([[1.0, 2]]), 1)]).all()
    assert np.isnan(estimate(np.full((3, 3), np.nan)).mean)


@pytest.mark.parametrize("many", [0, 7])
def test_as_many_models_as_a_listener_can_bear(folder, models, many):
    with pytest.raises(UsageError, match=f"{many} models were given; give 1 to 6"):
        choose(str(folder), {str(number): models["one"] for number in range(many)}, 3, 16, 1, silent)


def test_tunes_that_begin_alike_are_heard_once(tmp_path, models):
    for name in ("a", "b", "c"):
        write_midi(tune(1, 18).transpose(ord(name) - 97), tmp_path / f"{name}.mid")
    with pytest.raises(DataError, match="has 1 different tunes"):
        choose(str(tmp_path), models, 2, 16, 1, silent)
