"""What people type: each line does what is meant, or is told what to type instead."""

import io
import os
import pty
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from melodygru.cli import COMMANDS, GROUPS
from melodygru.cli.words import number, unknown_command, unquoted
from melodygru.formats.midi.parser import read_midi
from melodygru.formats.midi.writer import midi_bytes
from melodygru.formats.reading import read_melodies
from melodygru.music.melody import Melody, Note
from melodygru.option import described
from melodygru.writing.config import GenerationConfig
from melodygru.writing.recipe import Recipe
from tests.command_line import run

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LINES = tomllib.loads(Path(__file__).with_name("natural_lines.toml").read_text("utf-8"))["line"]
SCALE = Melody(tuple(Note(60 + tone, 24 * i, 24) for i, tone in enumerate((0, 2, 4, 5, 7, 5, 4, 0))))


def test_there_are_sixty_lines():
    assert len({line["typed"] for line in LINES}) >= 60


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["typed"])
def test_a_line_does_what_is_meant_or_says_what_to_type(here, capsys, line):
    Path("IN.mid").write_bytes(midi_bytes(SCALE))
    shutil.copy("checkpoints/toy.safetensors", "checkpoints/repertoire.safetensors")
    before = set(Path().rglob("*.mid"))
    words = [word if word != "IN" else "IN.mid" for word in shlex.split(line["typed"])]
    code = run(*(word for word in words if word != "melodygru"))
    printed = capsys.readouterr()
    kind = next(kind for kind in ("wrote", "ok", "told") if kind in line)
    assert line[kind] in " ".join((printed.err if kind == "told" else printed.out).split())
    assert code == (2 if kind == "told" else 0)
    assert bool(set(Path().rglob("*.mid")) - before) == (kind == "wrote")


def test_a_file_without_a_name_gets_one_and_none_is_written_over(here, capsys):
    wishes = ("generate", "--model", "toy", "--seed", 3, "--bars", 2, "--key", "A minor", "--bpm", 97)
    for _ in range(3):
        assert run(*wishes) == 0
    assert run(*wishes, "--count", 2) == 0
    names = sorted(path.name for path in here.glob("*.mid"))
    assert names == [
        *("melody-Am-97-3-01.mid", "melody-Am-97-3-02.mid", "melody-Am-97-3-2.mid", "melody-Am-97-3-3.mid"),
        "melody-Am-97-3.mid",
    ]
    assert len({path.read_bytes() for path in here.glob("melody-Am-97-3*3.mid")}) == 1
    assert "Wrote melody-Am-97-3-3.mid" in capsys.readouterr().out


def test_every_command_is_in_a_group():
    assert [name for names in GROUPS.values() for name in names] == list(COMMANDS)


@pytest.mark.parametrize("asked", [{"key": "A minor"}, {"chords": "Am F C G"}, {"range": "C4:C5", "grid": "1/8"}])
def test_files_tell_the_usual_spelling(here, asked):
    spoken = {
        "key": "in the key of A-minor",
        "chords": "am – f – c – g",
        "range": "C4 to C5",
        "grid": "eighth notes",
    }
    options = [word for name in asked for word in (f"--{name}", spoken[name])]
    assert run("generate", "--model", "toy", "--bars", 2, *options, "a.mid") == 0
    told = Recipe.find(read_midi("a.mid").texts).config.as_dict()
    told["key"] = told.get("key", "").replace("-", " ")
    assert {name: told[name] for name in asked} == asked


@pytest.mark.parametrize("name", ["bars", "bpm", "swing"])
def test_numbers_may_have_a_unit_and_words_stay(name):
    assert number("8") == "8"
    assert number({"bars": "8 bars", "bpm": "120BPM", "swing": "60%"}[name]) in ("8", "120", "0.6")
    assert number("1/8 bars") == "1/8 bars"
    assert name in described(GenerationConfig) or name == "swing"


def test_blanks_without_quotes_are_seen_and_files_are_not_taken_for_them(here):
    assert unquoted(["--key", "A", "minor"]) == 'Put what has blanks in quotes: --key "A minor".'
    assert unquoted(["--chords", "Am F", "out.mid"]) is None
    assert unquoted(["--key", "Am", "ideas/"]) is None
    Path("minor").mkdir()
    assert unquoted(["--key", "A", "minor"]) is None


def test_a_command_that_is_nearly_one_is_guessed_with_its_arguments():
    assert "`melodygru generate --bars 4`" in unknown_command("genrate", ["--bars", "4"], COMMANDS)
    assert "`melodygru play a.mid`" in unknown_command("a.mid", [], COMMANDS)
    assert "--help" in unknown_command("xyzzy", [], COMMANDS)


def test_standard_input_is_read_as_what_it_is(here, capsys, monkeypatch):
    def piped(data):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    piped(midi_bytes(SCALE))
    assert run("show", "-") == 0
    assert "2 bars of 4/4" in capsys.readouterr().out
    piped(b"X:1\nT:x\nM:3/4\nL:1/4\nK:G\nGAB|c2d|\n")
    assert run("tokens", "-") == 0
    assert "2 bars of 3/4 in G major" in capsys.readouterr().out
    piped(midi_bytes(SCALE))
    assert run("generate", "--model", "toy", "--primer", "-", "--bars", 4, "--seed", 1, "a.mid") == 0
    assert read_melodies("a.mid")[0].notes[:3] == SCALE.notes[:3]
    piped(b"nothing")
    assert run("show", "-") == 1
    assert "standard input is not a MIDI file" in capsys.readouterr().err
    piped(midi_bytes(SCALE))
    assert run("vary", "-", "b.mid", "--model", "toy", "--seed", 1, "--best-of", 1) == 0
    assert " of standard input changed" in capsys.readouterr().out
    piped(midi_bytes(SCALE))
    assert run("info", "-", "--json") == 0
    assert '"file": "standard input"' in capsys.readouterr().out


@pytest.mark.parametrize("command", [("generate", "-"), ("render", "IN.mid", "-")])
def test_no_bytes_are_printed_to_a_terminal(here, command):
    Path("IN.mid").write_bytes(midi_bytes(SCALE))
    shutil.copy("checkpoints/toy.safetensors", "checkpoints/repertoire.safetensors")
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "melodygru", *command],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 2
    assert b"to the terminal" in done.stderr
