"""Folders of files, good and bad; and `melodygru inspect`."""

import json
import shutil
from pathlib import Path

import pytest

from melodygru.data import collection as module
from melodygru.data.collection import find_files, read_collection
from melodygru.errors import DataError
from melodygru.formats.midi import parser
from melodygru.formats.midi.writer import midi_bytes, write_midi
from tests.command_line import run
from tests.tunes import tune, write_tunes


@pytest.fixture
def folder(tmp_path):
    """Six good tunes, and one file of each fault."""
    folder = write_tunes(tmp_path / "tunes", count=6, bars=8)
    good = midi_bytes(tune(7, bars=8))
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "deep" / "er" / "UPPER.MIDI").write_bytes(good)
    (folder / "deep" / "song.kar").write_bytes(midi_bytes(tune(8, bars=8)))
    inner = midi_bytes(tune(10, bars=8))
    sizes = [(len(inner) + extra).to_bytes(4, "little") for extra in (12, 0)]
    (folder / "wrapped.rmi").write_bytes(b"RIFF" + sizes[0] + b"RMIDdata" + sizes[1] + inner)
    (folder / "empty.mid").write_bytes(b"")
    (folder / "text.mid").write_text("This is not music.")
    (folder / "cut.mid").write_bytes(good[: len(good) // 2])
    (folder / "short.mid").write_bytes(midi_bytes(tune(9, bars=1)))
    (folder / "readme.txt").write_text("no MIDI")
    return folder


def test_every_file_is_kept_or_left_out_with_its_reason(folder):
    found = read_collection(folder)
    kept = {verdict.path.name for verdict in found.verdicts if verdict.melodies}
    assert kept == {*(f"{i:03}.mid" for i in range(6)), "UPPER.MIDI", "song.kar", "wrapped.rmi"}
    reasons = {verdict.path.name: verdict.reason for verdict in found.left_out}
    assert set(reasons) == {"empty.mid", "text.mid", "cut.mid", "short.mid"}
    assert "empty" in reasons["empty.mid"]
    assert "not a MIDI file" in reasons["text.mid"]
    assert "cut short" in reasons["cut.mid"]
    assert "fewer than 8 notes" in reasons["short.mid"]
    assert [melody.notes for melody in found.pieces if melody.name == "003"] == [tune(3, bars=8).notes]


def test_a_file_that_may_not_be_read_is_left_out(folder, monkeypatch):
    def refuse(path, mode):
        if path.name == "000.mid":
            raise PermissionError(13, "Permission denied")
        return open(path, mode)

    monkeypatch.setattr(parser, "open", refuse, raising=False)
    reasons = {verdict.path.name: verdict.reason for verdict in read_collection(folder).left_out}
    assert "Permission denied" in reasons["000.mid"]


def test_a_dangling_link_is_no_file(folder):
    (folder / "link.mid").symlink_to(folder / "nowhere.mid")
    assert "link.mid" not in {path.name for path in find_files(folder)}


def test_many_processes_give_what_one_gives(folder):
    assert read_collection(folder, jobs=2) == read_collection(folder, jobs=1)


def test_progress_counts_every_file(folder):
    seen = []
    read_collection(folder, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(i, 13) for i in range(1, 14)]


def test_a_fault_of_ours_in_one_file_ends_in_its_verdict(folder, monkeypatch):
    real = module.read
    monkeypatch.setattr(module, "read", lambda path, *how: real(path, *how) if path.stem != "002" else 1 / 0)
    reasons = {verdict.path.name: verdict.reason for verdict in read_collection(folder).left_out}
    assert "could not be understood (ZeroDivisionError" in reasons["002.mid"]


@pytest.mark.parametrize("make", ["nothing", "empty", "other files"])
def test_a_folder_without_midi_is_one_sentence(tmp_path, capsys, make):
    place = tmp_path / "place"
    if make != "nothing":
        place.mkdir()
    if make == "other files":
        (place / "notes.txt").write_text("none")
    with pytest.raises(DataError, match=r"There is no folder|holds no MIDI file"):
        find_files(place)
    for command in ("inspect", "train"):
        assert run(command, place) == 1
        printed = capsys.readouterr().err
        assert printed.startswith("Error: ")
        assert len(printed.splitlines()) == 1


def test_inspect_shows_a_table(folder, capsys):
    shutil.copy(folder / "001.mid", folder / "again.mid")
    write_midi(tune(1, bars=8).transpose(3), folder / "higher.mid")
    assert run("inspect", folder) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "files 15 kept 11 left out 4" in text
    assert "1 is empty (0 bytes): empty.mid" in text
    assert "duplicates 2 (tunes that are nearly the same as another)" in text


def test_inspect_counts_a_reason_together_and_names_each_place(folder, capsys):
    for name, key in (("one.abc", "Z"), ("two.abc", "H")):
        (folder / name).write_text(f"X:1\nT:{name}\nM:4/4\nK:{key}\nCDEF GABc|\n")
    for name, bars in (("one.krn", "4c\n4x"), ("two.krn", "4c\n4d\n4y")):
        (folder / name).write_text(f"**kern\n*M4/4\n=1\n{bars}\n*-\n")
    (folder / "one.krn.musicxml").write_text("<score-partwise>\n")
    assert run("inspect", folder) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "2 has a tune that cannot be read: a key that nobody knows: one.abc (line 4), two.abc (line 4)" in text
    assert "2 has a token that is no note: one.krn (line 5, bar 1), two.krn (line 6, bar 1)" in text
    assert "1 is broken XML, no element found: one.krn.musicxml (line 2, column 1)" in text


def test_inspect_gives_programs_json(folder, capsys):
    assert run("inspect", folder, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["kept"] == 9
    assert sum(told["left_out"].values()) == len(told["left_out_files"]) == 4
    assert told["notes"] == sum(len(melody.notes) for melody in read_collection(folder).pieces)
    assert sum(told["metres"].values()) == sum(told["keys"].values()) == told["pieces"] == told["families"] == 9


def test_a_single_file_is_a_collection_too(folder):
    assert len(read_collection(Path(folder) / "000.mid").pieces) == 1
