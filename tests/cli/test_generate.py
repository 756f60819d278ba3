"""`melodygru generate` as a user runs it, with an untrained model."""

import json
import os
import re
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from melodygru import load_model
from melodygru.cli import COMMANDS, main
from melodygru.errors import UsageError
from melodygru.formats.midi.writer import midi_bytes
from melodygru.writing import model as generator
from melodygru.writing.candidates import Order
from melodygru.writing.config import GenerationConfig
from tests.command_line import HEAVY, modules_after, run
from tests.midi_checker import faults, read_tracks, read_written
from tests.networks import checkpoint


def test_a_file_of_exactly_the_bars_asked_for(here, capsys):
    assert (
        run("generate", "--model", "toy", "--bars", 5, "--meter", "6/8", "--key", "A minor", "--bpm", 97, "a.mid") == 0
    )
    assert faults(Path("a.mid").read_bytes(), bars=5, meter="6/8", key="Am", qpm=97) == []
    assert re.search(r"Wrote a\.mid: 5 bars of 6/8 in A minor, 97 bpm, seed \d+\.", capsys.readouterr().out)


def test_same_seed_same_file_and_another_seed_another(here):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert run("generate", "--model", "toy", "--seed", seed, f"{name}.mid") == 0
    a, b, c = (Path(f"{name}.mid").read_bytes() for name in "abc")
    assert a == b != c


def test_the_seed_that_was_drawn_is_printed_and_repeats_the_file(here, capsys):
    assert run("generate", "--model", "toy", "a.mid") == 0
    seed = re.search(r"seed (\d+)", capsys.readouterr().out)[1]
    assert run("generate", "--model", "toy", "--seed", seed, "b.mid") == 0
    assert Path("a.mid").read_bytes() == Path("b.mid").read_bytes()


def test_many_files_are_numbered_and_different(here, capsys):
    assert run("generate", "--model", "toy", "--count", 12, "--bars", 2, "--seed", 1, "tune.mid") == 0
    names = sorted(path.name for path in here.glob("*.mid"))
    assert names == [f"tune-{i:02}.mid" for i in range(1, 13)]
    assert len({path.read_bytes() for path in here.glob("*.mid")}) == 12


def test_nothing_is_overwritten_without_force(here, capsys):
    Path("tune-02.mid").write_text("mine")
    assert run("generate", "--model", "toy", "--count", 3, "tune.mid") == 1
    assert "tune-02.mid exists" in capsys.readouterr().err
    assert [path.name for path in here.glob("*.mid")] == ["tune-02.mid"]
    assert Path("tune-02.mid").read_text() == "mine"
    assert run("generate", "--model", "toy", "--count", 3, "--force", "tune.mid") == 0
    assert Path("tune-02.mid").read_bytes()[:4] == b"MThd"


@pytest.mark.parametrize(
    ("options", "words", "code"),
    [
        (["--bars", "0"], "bars is 0; choose a number from 1 to 1000", 2),
        (["--bars", "100000"], "bars is 100000; choose a number from 1 to 1000", 2),
        (["--temperature", "-1"], "temperature is -1; choose a number from 0 to 10", 2),
        (["--top-k", "-1"], "top-k is -1", 2),
        (["--top-p", "0"], "top-p is 0", 2),
        (["--key", "H"], "'H' is not a key", 2),
        (["--meter", "7/0"], "7/0 is not legal", 2),
        (["--meter", "waltz"], "'waltz' is not a metre", 2),
        (["--bpm", "0"], "bpm is 0", 2),
        (["--bpm", "nan"], "bpm is nan", 2),
        (["--count", "0"], "count is 0", 2),
        (["--program", "128"], "program is 128", 2),
        (["--seed", "-5"], "seed is -5", 2),
        (["--bars", "many"], "--bars", 2),
        (["--model", "nobody"], "no model 'nobody'", 1),
    ],
)
def test_a_mistake_ends_in_one_sentence_and_no_file(here, capsys, options, words, code):
    assert run("generate", "--model", "toy", *options, "a.mid") == code
    printed = capsys.readouterr()
    assert words in " ".join(printed.err.split())
    assert "Traceback" not in printed.err
    assert not list(here.glob("*.mid"))


@pytest.mark.parametrize(
    ("out", "words", "code"),
    [
        ("nowhere/a.mid", "The folder nowhere does not exist", 1),
        ("a", "does not end in .mid", 2),
        ("a.wav", "does not end in .mid", 2),
    ],
)
def test_a_place_that_cannot_be_written_is_named(here, capsys, out, words, code):
    assert run("generate", "--model", "toy", out) == code
    assert words in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="needs a system that refuses to write")
def test_a_folder_that_may_not_be_written_is_one_sentence(here, capsys):
    locked = here / "locked"
    locked.mkdir()
    locked.chmod(stat.S_IREAD | stat.S_IEXEC)
    assert run("generate", "--model", "toy", locked / "a.mid") == 1
    assert "cannot be written" in capsys.readouterr().err


def test_debug_shows_the_traceback(here):
    sys.argv = ["melodygru", "generate", "--model", "toy", "--bars", "0", "a.mid", "--debug"]
    with pytest.raises(UsageError):
        main()


def test_generating_imports_nothing_heavy(here):
    loaded = modules_after(
        "import sys; sys.argv = ['melodygru', 'generate', '--model', 'toy', '--bars', '2', 'a.mid']\n"
        "from melodygru.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass"
    )
    assert Path("a.mid").exists()
    assert not loaded & {*HEAVY, "rich"}


def test_python_dash_m_works(here):
    command = [sys.executable, "-m", "melodygru", "--version"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.startswith("melodygru ")


def test_a_notebook_does_what_the_command_line_does(here):
    assert run("generate", "--model", "toy", "--seed", 4, "--bars", 3, "--key", "Bb", "a.mid") == 0
    model = load_model("toy")
    melody = model.generate(bars=3, key="Bb", seed=4)
    melody.save("b.mid")
    assert Path("b.mid").read_bytes() == midi_bytes(melody)
    assert read_tracks(Path("b.mid").read_bytes()).melody == read_tracks(Path("a.mid").read_bytes()).melody
    assert model.provenance["pieces"] == 3
    assert model.generate_many(2, bars=3, key="Bb", seed=4)[0].notes == melody.notes


@pytest.mark.parametrize("wrong", [{"bars": 2.5}, {"bars": "2"}, {"seed": 0.5}, {"top_k": 1.5}])
def test_a_notebook_is_told_what_must_be_a_whole_number(here, wrong):
    name = next(iter(wrong)).replace("_", "-")
    with pytest.raises(UsageError, match=rf"{name} is .*; give a whole number"):
        load_model("toy").generate(**{"bars": 2, **wrong})


@pytest.mark.parametrize("meter", ["4/4", "3/4", "6/8", "2/4", "5/4", "7/8"])
def test_files_of_every_metre_and_key_are_sound(here, meter):
    model = load_model("toy")
    for tonic in range(12):
        for mode in ("major", "minor"):
            from melodygru import Key

            key = Key(tonic, mode)
            melody = model.generate(bars=4, key=key, meter=meter, seed=tonic)
            assert melody.notes[-1].pitch % 12 == tonic
            data = midi_bytes(melody)
            assert faults(data, bars=4, meter=meter) == []
            assert read_written(data).key_signature.endswith("m") == (mode == "minor")


def test_info_tells_what_a_model_is(here, capsys):
    assert run("info", "toy") == 0
    assert "model.hidden" in capsys.readouterr().out
    assert run("info", "toy", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["provenance"]["pieces"] == 3
    assert answer["parameters"] == checkpoint().parameters


def test_info_keeps_a_strangers_control_characters_from_the_terminal(here, capsys):
    replace(checkpoint(), provenance={"date\x1b[2J": "today\x1b]0;gone\x07\n"}).save("checkpoints/odd.safetensors")
    assert run("info", "odd") == 0
    printed = capsys.readouterr().out
    assert "provenance.date?[2J" in printed
    assert "\x1b" not in printed
    assert "\x07" not in printed


def test_tokens_shows_a_melody_as_events(here, capsys):
    assert run("generate", "--model", "toy", "--seed", 1, "--bars", 2, "a.mid") == 0
    capsys.readouterr()
    assert run("tokens", "a.mid") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "2 bars of 4/4" in lines[0]
    assert lines[-1].split()[-1] == "end"
    assert run("tokens", "a.mid", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["bars"] == 2


def test_every_command_has_help_that_fits_80_columns(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for command in ([], *([name] for name in COMMANDS)):
        assert run(*command, "--help") == 0
        text = capsys.readouterr().out
        assert "Usage: " in text
        assert max(map(len, text.splitlines())) <= 80
        assert "╭─ Options" in text


def test_a_notebook_that_names_no_seed_gets_a_new_tune_each_time(here):
    model = load_model("toy")
    # An untrained network has few ideas: sixteen bars of them are hardly ever the same twice.
    assert model.generate(bars=16).notes != model.generate(bars=16).notes


def test_processes_write_the_same_melodies(here, monkeypatch):
    monkeypatch.setattr(generator, "WINDOW", 4)
    model = load_model("toy")
    order = Order(GenerationConfig.from_dict({"bars": 2}), 3)
    alone = list(model.compose_each(order, 10))
    told = []
    shared = list(model.compose_each(order, 10, told.append, jobs=2))
    assert [one.melody for one in shared] == [one.melody for one in alone]
    assert [one.number for one in shared] == [one.number for one in alone]
    assert told[:3] == [4, 8, 10]


def test_files_are_written_as_melodies_come(here, monkeypatch):
    monkeypatch.setattr(generator, "WINDOW", 3)
    seen = []
    real = generator.Model.draw_window

    def watched(self, *arguments, **options):
        seen.append(len(list(here.glob("*.mid"))))
        return real(self, *arguments, **options)

    monkeypatch.setattr(generator.Model, "draw_window", watched)
    assert run("generate", "--model", "toy", "--count", 8, "--bars", 2, "--seed", 1, "tune.mid") == 0
    assert seen == [0, 3, 6]
