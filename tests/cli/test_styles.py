"""Styles and feels as a user asks for them: what holds where nothing is said, and what is told of it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from melodygru import load_model
from melodygru.formats.midi.parser import read_midi
from melodygru.music.theory import TimeSignature
from melodygru.writing.config import GenerationConfig
from melodygru.writing.feels import feels
from melodygru.writing.primer import parse_notes
from melodygru.writing.recipe import Recipe
from melodygru.writing.styles import STYLES, samples
from tests.command_line import run


def recipe_of(path):
    return Recipe.find(read_midi(path).texts)


@pytest.fixture(autouse=True)
def no_feels(monkeypatch, tmp_path):
    monkeypatch.setenv("MELODYGRU_CONFIG", str(tmp_path / "config"))


def test_a_song_is_what_is_written_where_nothing_is_said(here, capsys):
    assert run("generate", "--seed", 1, "a.mid") == 0
    assert capsys.readouterr().out == "Wrote a.mid: 16 bars of 4/4 in C major, 96 bpm, style song, seed 1.\n"
    recipe = recipe_of("a.mid")
    assert recipe.model == "repertoire"
    assert recipe.config.as_dict() == {"style": "song", "meter": "4/4", "bpm": 96, "range": "C4:A5"}
    assert load_model().generate(seed=1).notes == load_model("repertoire").generate(style="song", seed=1).notes


@pytest.mark.parametrize("meter", ["3/4", "6/8", "5/4", "12/8"])
def test_a_song_is_written_in_any_metre(here, meter):
    assert run("generate", "--meter", meter, "--bars", 4, "--seed", 1, "a.mid") == 0
    config = recipe_of("a.mid").config
    assert (config.style, config.meter) == ("song", meter)


@pytest.mark.parametrize(
    ("arguments", "style", "model"),
    [
        (["--model", "folk"], None, "folk"),
        (["--model", "toy"], None, "toy"),
        (["--model", "repertoire"], "song", "repertoire"),
        (["--style", "jig"], "jig", "repertoire"),
        (["--feel", "anthem"], "hymn", "repertoire"),
        (["--feel", "anthem", "--style", "song"], "song", "repertoire"),
        (["--feel", "bare"], None, "repertoire"),
        (["--primer-notes", "C4/4 D4/4"], None, "repertoire"),
    ],
)
def test_the_style_that_holds(here, capsys, arguments, style, model):
    Path("feels.toml").write_text("[bare]\nbpm = 77\n")
    assert run("generate", *arguments, "--bars", 2, "--seed", 1, "a.mid") == 0
    recipe = recipe_of("a.mid")
    assert (recipe.config.style, recipe.model) == (style, model)
    said = f", style {style}, seed 1." in capsys.readouterr().out
    assert said == (style is not None)


def test_a_feel_says_what_it_sets_and_what_is_said_goes_before(here, capsys):
    assert run("generate", "--feel", "lullaby", "--bpm", 80, "--bars", 4, "--seed", 1, "a.mid") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("--feel lullaby: --style song --meter 6/8 --range C4:D5 ")
    assert "--program 'music box'" in first
    assert "--bpm" not in first
    assert second == "Wrote a.mid: 4 bars of 6/8 in C major, 80 bpm, style song, seed 1."
    recipe = recipe_of("a.mid")
    assert (recipe.config.syncopation, recipe.config.bpm, recipe.performance.program) == ("none", 80, 10)
    # Typed out, it is the same file.
    assert run("generate", *first.partition(": ")[2].replace("'music box'", "10").split(), "--bpm", 80, "--bars", 4,
               "--seed", 1, "b.mid") == 0  # fmt: skip
    assert Path("a.mid").read_bytes() == Path("b.mid").read_bytes()


def test_a_feel_leaves_out_what_the_model_has_not_learned(here, capsys):
    assert run("generate", "--feel", "lullaby", "--model", "folk", "--bars", 2, "--seed", 1, "a.mid") == 0
    printed = capsys.readouterr().out
    assert not [name for name in ("--style", "--syncopation", "--leaps") if name in printed]
    assert "--meter 6/8" in printed
    assert recipe_of("a.mid").config.meter == "6/8"


def test_a_feel_stands_in_an_options_file_and_in_json_too(here, capsys):
    Path("o.toml").write_text('feel = "anthem"\nbars = 2\nbpm = 70\n')
    assert run("generate", "--options", "o.toml", "--seed", 1, "--json", "a.mid") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["feel"]["name"] == "anthem"
    assert answer["feel"]["options"]["style"] == answer["options"]["style"] == "hymn"
    assert "bpm" not in answer["feel"]["options"]
    assert answer["options"]["bpm"] == 70
    assert run("generate", "--options", "o.toml", "--feel", "ballad", "--seed", 1, "b.mid") == 0
    assert recipe_of("b.mid").config.style == "standard"


@pytest.mark.parametrize(
    ("arguments", "text", "words"),
    [
        (["--feel", "rock"], "", "There is no feel 'rock'; choose topline, lead"),
        (["--feel", "mine"], "[mine]\nbpm = 3\n", "feels.toml, [mine]: bpm is 3; choose a number from 4 to 1000"),
        (["--model", "folk", "--style", "jig"], "", "--style jig is nothing that the model folk has learned"),
        (["--style", "rock"], "", "style is 'rock'; choose song, hymn"),
    ],
)
def test_a_mistake_ends_in_one_sentence_and_no_file(here, capsys, arguments, text, words):
    Path("feels.toml").write_text(text)
    assert run("generate", *arguments, "a.mid") == 2
    printed = capsys.readouterr()
    assert words in " ".join(printed.err.split())
    assert not Path("a.mid").exists()


def test_a_feel_that_is_no_toml_is_named(here, capsys):
    Path("feels.toml").write_text("[mine\n")
    assert run("generate", "--feel", "lullaby", "a.mid") == 1
    assert "feels.toml is not TOML (" in capsys.readouterr().err
    Path("feels.toml").write_text(
        "[mine]\nbpm = 60\n\n" + ".".join("a" * 90) + " = 1\n" + ".".join("a" * 89) + " = 1\n"
    )
    assert run("generate", "--feel", "lullaby", "a.mid") == 1
    assert "(at line 5, column" in capsys.readouterr().err


def test_a_melody_in_a_style_imports_nothing_that_changes_files(here):
    script = (
        "import sys; sys.argv = ['melodygru', 'generate', '--feel', 'lullaby', '--bars', '1', 'a.mid']\n"
        "from melodygru.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*[name for name in ('replay', 'editing', 'variation') if f'melodygru.writing.{name}' in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert Path("a.mid").exists()
    assert done.stdout.splitlines()[-1] == ""


def test_the_help_page_names_feels_that_there_are(capsys):
    run("generate", "--help")
    page = " ".join(capsys.readouterr().out.replace("│", " ").split())
    named = page.split("Several options at once: ")[1].split(" …")[0].split(", ")
    assert len(named) > 3
    assert set(named) <= set(feels())


def test_styles_lists_what_there_is(here, capsys):
    Path("feels.toml").write_text('["late night"]\nabout = "slow [bold]"\nbpm = 60\n')
    assert run("styles") == 0
    printed = capsys.readouterr().out
    words = set(printed.split())
    assert words >= {*STYLES} - {"slip jig"}
    assert words >= set(feels()) - {"late night"}
    assert "slow [bold]" in printed
    assert "Learned by: repertoire. Not by: folk, toy." in " ".join(printed.split()).replace("toy, folk", "folk, toy")
    assert max(map(len, printed.splitlines())) <= 80
    assert run("styles", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert list(answer["styles"]) == list(STYLES)
    assert answer["styles"]["waltz"]["models"] == ["repertoire"]
    assert answer["feels"]["late night"] == {"about": "slow [bold]", "options": {"bpm": 60.0}}


@pytest.mark.parametrize("name", STYLES)
def test_a_sample_is_two_bars_of_its_style_that_can_be_gone_on_from(name):
    style, metre = STYLES[name], TimeSignature.parse(STYLES[name].meter)
    melody = parse_notes(samples()[name], metre)
    assert melody.notes[-1].end <= 2 * metre.bar_steps < melody.notes[-1].end + metre.bar_steps
    low, high = GenerationConfig(style=name).pitches
    assert all(low <= note.pitch <= high for note in melody.notes), style
