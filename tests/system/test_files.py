"""Files are written whole or not at all, and a name that there cannot be is told before any work is done."""

import os
from pathlib import Path

import pytest

from melodygru.errors import FileError
from melodygru.system import files
from tests.command_line import run

LONG = "a" * 300


@pytest.mark.parametrize("name", [f"{LONG}.mid", "a\0b.mid"], ids=["long", "NUL"])
def test_names_that_the_system_has_not_are_refused(tmp_path, name):
    for force in (False, True):
        with pytest.raises(FileError, match="cannot be written"):
            files.check_target(tmp_path / name, force)
    with pytest.raises(FileError, match="cannot be written"):
        files.write_atomically(tmp_path / name, b"x")


def test_what_a_name_is_too_long_for_beside_it_leaves_nothing(tmp_path):
    with pytest.raises(FileError, match="cannot be written"):
        files.write_atomically(tmp_path / f"{'a' * 250}.mid", b"x")
    with pytest.raises(FileError, match="cannot be written"):
        files.write_all({tmp_path / "b.mid": b"x", tmp_path / f"{'a' * 250}.mid": b"x"})
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        *(["generate", f"{LONG}.mid"], ["generate", LONG], ["generate", "--chords", "Am", LONG]),
        *(["vary", "a.mid", f"{LONG}.mid"], ["harmonize", "a.mid", f"{LONG}.mid"], ["arrange", "a.mid", LONG]),
        *(["replay", "a.mid", f"{LONG}.mid"], ["score", "a.mid", f"{LONG}.abc"], [LONG]),
    ],
    ids=lambda line: " ".join(line)[:12],
)
def test_commands_say_so_in_a_sentence(here, capsys, line):
    assert run("generate", "--model", "toy", "--bars", "2", "a.mid") == 0
    assert run(*line) in (1, 2)
    told = capsys.readouterr().err
    assert "OSError" not in told
    assert "Error: " in told


@pytest.mark.parametrize("names", [["a.mid"], ["a.mid", "b.mid"]], ids=len)
def test_what_is_stopped_leaves_nothing_behind(tmp_path, monkeypatch, names):
    replace, done = os.replace, []

    def stopped(old, new):
        done.append(new)
        if len(done) == len(names):
            raise KeyboardInterrupt
        replace(old, new)

    monkeypatch.setattr(os, "replace", stopped)
    targets = {tmp_path / name: b"x" for name in names}
    with pytest.raises(KeyboardInterrupt):
        files.write_atomically(*targets.popitem()) if len(names) == 1 else files.write_all(targets)
    assert not os.listdir(tmp_path)


def test_of_several_the_one_is_named_that_cannot_be_written(tmp_path, monkeypatch):
    def refused(self, data):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "write_bytes", refused)
    with pytest.raises(FileError) as told:
        files.write_all({tmp_path / "a.mid": b"x"})
    assert str(told.value).startswith(f"{tmp_path / 'a.mid'} cannot be written (Permission denied)")


def test_what_was_not_foreseen_of_files_is_told_in_a_sentence(here, capsys, monkeypatch):
    def refused(self, *arguments, **named):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "mkdir", refused)
    assert run("generate", "--model", "toy", "--bars", "2", "new/") == 1
    told = capsys.readouterr().err
    assert told == "Error: new cannot be used (Permission denied); check the path, the disk and permissions.\n"
