"""`melodygru harmonize`: what is written and told, and what is refused."""

import json
from dataclasses import replace

import pytest

from melodygru.arranging.harmony import harmonize
from melodygru.formats.midi.parser import read_midi
from melodygru.formats.midi.writer import midi_bytes, write_midi
from melodygru.formats.reading import read, read_melodies
from melodygru.writing.recipe import Recipe
from melodygru.writing.replay import chords_in
from tests.command_line import run
from tests.tunes import tune

TUNE = tune(3, bars=8)


@pytest.fixture
def source(tmp_path):
    file = tmp_path / "in.mid"
    write_midi(TUNE, file)
    return file


def symbols(spans):
    return [(span.onset, span.end, span.chord and span.chord.symbol) for span in spans]


def test_the_melody_stays_and_its_chords_come_as_track_and_symbols(source, tmp_path, capsys):
    out = tmp_path / "out.mid"
    assert run("harmonize", source, out, "--style", "hymn") == 0
    [melody] = read_melodies(out)
    assert melody.notes == TUNE.notes
    assert [track.name for track in read_midi(out).tracks if track.notes] == ["Melody", "Chords"]
    [way] = harmonize(TUNE, style="hymn")
    assert symbols(chords_in(out, [melody])) == symbols(way.chords)
    assert f"Wrote {out}: {way.chords[0].chord.symbol}" in capsys.readouterr().out


@pytest.mark.parametrize("ending", ["abc", "musicxml"])
def test_scores_have_the_symbols(source, tmp_path, ending):
    out = tmp_path / f"out.{ending}"
    assert run("harmonize", source, out, "--chords-per-bar", "1") == 0
    reading = read(out)
    assert reading.melodies[0].notes == TUNE.notes
    [way] = harmonize(TUNE, chords_per_bar=1)
    assert symbols(reading.chords[0]) == symbols(way.chords)


def test_several_ways_are_files_of_their_own_and_json_tells_them(source, tmp_path, capsys):
    assert run("harmonize", source, tmp_path / "out.mid", "--count", "3", "--seed", "5", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    ways = harmonize(TUNE, count=3, seed=5)
    assert [way["file"] for way in told["ways"]] == [str(tmp_path / f"out-0{n}.mid") for n in (1, 2, 3)]
    for way, found in zip(told["ways"], ways, strict=True):
        assert way["nats"] == pytest.approx(found.nats, abs=1e-3)
        assert [chord["chord"] for chord in way["chords"]] == [span.chord.symbol for span in found.chords]
        assert way["progression"].count("|") == TUNE.bars - 1
        assert symbols(chords_in(way["file"], [TUNE])) == symbols(found.chords)


def test_a_key_that_is_said_is_that_of_the_chords_and_of_the_file(source, tmp_path, capsys):
    out = tmp_path / "out.mid"
    assert run("harmonize", source, out, "--key", "Gb", "--force") == 0
    assert "Gb major" in capsys.readouterr().out
    assert read_melodies(out)[0].key.tonic == 6


def test_chords_that_a_file_states_are_replaced_by_wish_alone(source, tmp_path, capsys):
    first, second = tmp_path / "first.mid", tmp_path / "second.mid"
    assert run("harmonize", source, first) == 0
    assert run("harmonize", first, second) == 2
    told = capsys.readouterr().err
    assert "has chords of its own" in told
    assert "--replace" in told
    assert not second.exists()
    assert run("harmonize", first, second, "--replace", "--style", "slip jig") == 0


def test_symbols_of_a_lead_sheet_are_stated_chords_too(tmp_path, capsys):
    sheet = tmp_path / "sheet.abc"
    sheet.write_text('X:1\nT:Sheet\nM:4/4\nL:1/4\nK:C\n"Am"cdef|"F"g2a2|"C"gfed|"G"c4|\n')
    assert run("harmonize", sheet, tmp_path / "out.mid") == 2
    assert "Am | F | C | G" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        (["--chords-per-bar", "7"], "chords-per-bar is '7'; choose 1, 2, or auto."),
        (["--style", "zydeco"], "style is 'zydeco'"),
        (["--style", "jazz"], "standard"),
        (["--count", "99"], "count is 99; choose a number from 1 to 16."),
        (["--seed", "-1"], "seed is -1; choose a number from 0 on."),
        (["--key", "H"], "is not a key"),
        (["--json", "--show"], "contradict each other"),
    ],
)
def test_wishes_that_cannot_be_are_one_sentence(source, tmp_path, capsys, wishes, words):
    out = tmp_path / "out.mid"
    assert run("harmonize", source, out, *wishes) == 2
    told = capsys.readouterr().err
    assert words in told
    assert told.count("\n") == 1
    assert not out.exists()


def test_files_that_are_there_stay_unless_they_may_go(source, tmp_path, capsys):
    out = tmp_path / "out.abc"
    out.write_text("mine")
    assert run("harmonize", source, out) != 0
    assert out.read_text() == "mine"
    assert run("harmonize", source, out, "--force") == 0


def test_names_without_a_known_ending_are_refused(source, tmp_path, capsys):
    assert run("harmonize", source, tmp_path / "out.txt") == 2
    assert "ends in none of .mid, .midi, .musicxml" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wishes", [["--count", "3", "--seed", "5"], ["--style", "waltz", "--chords-per-bar", "2"], ["--key", "Gb"]], ids=str
)
def test_files_say_how_they_were_made_and_are_made_again(source, tmp_path, capsys, wishes):
    folder = tmp_path / "ways"
    folder.mkdir()
    run("harmonize", source, folder, *wishes)
    files = sorted(folder.iterdir())
    assert len(files) == (3 if "--count" in wishes else 1)
    source.unlink()  # the file holds the melody
    for file in files:
        assert run("replay", file, tmp_path / "again.mid", "--force") == 0, capsys.readouterr().err
        assert (tmp_path / "again.mid").read_bytes() == file.read_bytes()
        capsys.readouterr()
        run("info", file, "--json")
        made = json.loads(capsys.readouterr().out)["made_by"]
        assert (made["command"], made["options"].get("style")) == (
            "harmonize",
            "waltz" if "--style" in wishes else None,
        )
        run("info", file)
        assert "harmonize" in capsys.readouterr().out


def test_a_file_of_a_way_that_is_no_more_is_refused_in_a_sentence(source, tmp_path, capsys):
    run("harmonize", source, tmp_path / "out.mid", "--force")
    raw = read_midi(tmp_path / "out.mid")
    recipe = Recipe.find(raw.texts)
    for damaged, words in ((replace(recipe, number=7), "is way 8, of which there are 1 now"),
                           (replace(recipe, source=None), "does not hold the melody")):  # fmt: skip
        (tmp_path / "damaged.mid").write_bytes(midi_bytes(recipe.source, text=damaged.text()))
        assert run("replay", tmp_path / "damaged.mid") == 1
        assert words in capsys.readouterr().err
