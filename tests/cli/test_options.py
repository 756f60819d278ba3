"""The command line's own ways: option files, names from elsewhere, where files go, completion."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from melodygru.errors import UsageError
from melodygru.formats.midi.parser import read_midi
from melodygru.writing.recipe import Recipe
from tests.command_line import run


def recipe_of(path):
    return Recipe.find(read_midi(path).texts)


def test_an_options_file_is_taken_and_the_command_line_wins(here):
    Path("o.toml").write_text(
        'key = "A minor"\nmodel = "toy"\nseed = 7\nmax-leap = 5\n[feel]\nhumanize = 0.5\nprogram = "violin"\n'
        "[bars]\nbars = 4\nqpm = 90\ntriplets = false\n"
    )
    assert run("generate", "--options", "o.toml", "--bars", 2, "a.mid") == 0
    recipe = recipe_of("a.mid")
    assert recipe.config.as_dict() == {"bars": 2, "key": "A minor", "bpm": 90, "max_leap": 5, "triplets": False}
    assert (recipe.seed, recipe.performance.program, recipe.performance.humanize) == (7, 40, 0.5)


@pytest.mark.parametrize(
    ("text", "words", "code"),
    [
        ("colour = 1", "has the option 'colour', which there is not", 2),
        ("bars = ", "is not TOML", 1),
        ("bars = " + "9" * 5000, "is not TOML", 1),
        ("bars = " + "[" * 5000, "is not TOML", 1),
        (".".join("a" * 2000) + " = 1", "has the option 'a', which there is not", 2),
        ('bars = "4"', "bars is '4'; give a whole number", 2),
        ("count = true", "count is True; give a whole number", 2),
        ("seed = 1.5", "seed is 1.5; give a whole number", 2),
        ("swing = 2", "swing is 2; choose a number from 0.5 to 0.75", 2),
        ("key = 5", "'5' is not a key", 2),
        ("program = 'bagpipe organ'", "program", 2),
    ],
)
def test_a_mistake_in_an_options_file_is_named(here, capsys, text, words, code):
    Path("o.toml").write_text(text)
    assert run("generate", "--model", "toy", "--options", "o.toml", "a.mid") == code
    assert words in " ".join(capsys.readouterr().err.split())
    assert not Path("a.mid").exists()


def test_an_options_file_that_is_not_there_is_named(here, capsys):
    assert run("generate", "--options", "none.toml", "a.mid") == 1
    assert "none.toml cannot be read" in capsys.readouterr().err


def test_a_folder_gets_files_whose_names_say_what_is_inside(here):
    wishes = ["--model", "toy", "--key", "Am", "--bpm", 120, "--bars", 2, "--seed", 42]
    assert run("generate", *wishes, "--count", 2, "ideas/") == 0
    assert run("generate", *wishes, "--key", "D dorian", "--bpm", "97.5", "--bars", 1, "ideas") == 0
    names = {path.name for path in Path("ideas").iterdir()}
    assert names == {
        "toy_Am_120bpm_2bars_s42_01.mid",
        "toy_Am_120bpm_2bars_s42_02.mid",
        "toy_Ddorian_97.5bpm_1bar_s42.mid",
    }
    assert run("generate", *wishes, "--count", 2, "ideas") == 1  # they are there


def test_standard_output_gets_the_file_alone(here, capsysbinary):
    assert run("generate", "--model", "toy", "--seed", 1, "a.mid") == 0
    capsysbinary.readouterr()
    assert run("generate", "--model", "toy", "--seed", 1, "-") == 0
    printed = capsysbinary.readouterr()
    assert printed.out == Path("a.mid").read_bytes()
    assert b"Wrote standard output" in printed.err
    assert run("generate", "--model", "toy", "--count", 2, "-") == 2
    assert run("generate", "--model", "toy", "--json", "-") == 2


def test_json_tells_programs_everything(here, capsys):
    assert (
        run("generate", "--model", "toy", "--count", 2, "--best-of", 4, "--seed", 3, "--bars", 2, "--json", "a.mid")
        == 0
    )
    answer = json.loads(capsys.readouterr().out)
    assert (answer["model"], answer["seed"], answer["options"]) == ("toy", 3, {"bars": 2, "best_of": 4})
    assert [file["file"] for file in answer["files"]] == ["a-01.mid", "a-02.mid"]
    first, second = (file["score"]["total"] for file in answer["files"])
    assert 1 >= first >= second >= 0
    assert run("info", "a-01.mid", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["bars"], told["made_by"]["seed"], told["notes"]) == (2, 3, answer["files"][0]["notes"])


def test_the_best_is_written(here, capsys):
    def total(*more):
        run("generate", "--model", "toy", "--seed", 3, "--bars", 4, "--json", "--force", *more, "a.mid")
        return json.loads(capsys.readouterr().out)["files"][0]["score"]["total"]

    assert total("--best-of", 30) >= total("--best-of", 2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--primer", "x.mid", "--primer-notes", "C4/4"], "contradict each other"),
        (["--primer-bars", 2], "--primer-bars has no meaning without --primer"),
        (["--no-include-primer"], "no meaning without --primer"),
        (["--render-chords"], "--render-chords has no meaning without --chords"),
        (["--chords", "Am", "--render-chords", "--midi-format", 0], "format 0 has one track"),
        (["--swing", 0.6, "--meter", "6/8"], "nothing to act on in 6/8"),
        (["--primer-notes", "C4/4 X4/4"], "Note 2 of --primer-notes, 'X4/4'"),
        (["--best-of", 0], "best-of is 0"),
        (["--ppq", 100], "ppq is 100"),
        (["--channel", 17], "channel is 17"),
    ],
)
def test_options_that_do_not_go_together_are_told_apart(here, capsys, options, words):
    assert run("generate", "--model", "toy", *options, "a.mid") == 2
    assert words in " ".join(capsys.readouterr().err.split())
    assert not Path("a.mid").exists()


def test_melodies_that_cannot_all_be_different_are_refused(here, capsys):
    assert run("generate", "--model", "toy", "--temperature", 0, "--count", 3, "a.mid") == 1
    assert "Only 1 different melody was found, and count is 3" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "expected"), [("melodygru ", "generate"), ("melodygru generate --max-", "--max-copy")]
)
def test_shells_complete_commands_and_options(words, expected):
    environment = {
        **os.environ,
        "_MELODYGRU_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - (not words.endswith(" "))),
    }
    code = "from melodygru.cli.group import app; app(prog_name='melodygru')"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert expected in done.stdout.split()


@pytest.mark.parametrize("line", [["tunes", "mine"], ["tunes", "--out", "mine"], ["--out=mine", "tunes"]], ids=str)
def test_where_models_and_comparisons_go_stands_behind_the_folder(here, monkeypatch, capsys, line):
    places = []

    def told(*arguments, **_):
        places.append(str(arguments[1]))
        raise UsageError("Enough.")

    monkeypatch.setattr("melodygru.training.run.train", told)
    monkeypatch.setattr("melodygru.evaluation.comparison.plan_comparison", lambda *_, **__: [])
    monkeypatch.setattr("melodygru.evaluation.comparison_runs.run_all", told)
    for command in ("train", "compare"):
        assert run(command, *line) == 2
        capsys.readouterr()
        run(command, "--help")
        said = capsys.readouterr().out
        assert "[OUT" in said
        assert "--out" not in said  # understood, and on no help page
    assert places == ["mine", str(Path("mine", "runs.jsonl"))]
