"""Feels set several options at once; a user's own stand in files of the same kind, and mistakes in those are named."""

from pathlib import Path

import pytest

from melodygru.errors import FileError, UsageError
from melodygru.writing.config import GenerationConfig
from melodygru.writing.feels import FILE, SHIPPED, Feel, feel, feels
from melodygru.writing.model import Model
from tests.writing.test_styles import model


@pytest.fixture(autouse=True)
def nowhere(tmp_path, monkeypatch):
    """A folder without feels, and a user who has none."""
    monkeypatch.setenv("MELODYGRU_CONFIG", str(tmp_path / "config"))
    (tmp_path / "config").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("name", feels())
def test_every_feel_that_comes_along_says_what_for_and_can_be_written(name):
    one = feel(name)
    assert one.about
    assert one.file == SHIPPED
    wishes = {key: value for key, value in one.options.items() if key != "program"}
    melody = Model(model().checkpoint, "untrained").generate(**{"bars": 4, **wishes}, best_of=1, seed=1)
    assert melody.qpm == one.options["bpm"]
    low, high = GenerationConfig(range=one.options["range"]).pitches
    assert all(low <= note.pitch <= high for note in melody.notes)


def test_there_are_those_that_producers_ask_for():
    assert {"topline", "lead", "film", "riff", "lullaby"} <= set(feels())


def test_the_nearer_file_goes_before_the_farther_one():
    Path("config", FILE).write_text("[mine]\nbpm = 50\n[lullaby]\nbpm = 51\nmax-leap = 3\n")
    assert feel("mine").options == {"bpm": 50}
    assert feel("lullaby").options == {"bpm": 51, "max_leap": 3}
    Path(FILE).write_text('["far and near"]\nabout = "x"\nqpm = 61\n[mine]\nbpm = 52\n[mine.also]\nswing = 0.6\n')
    assert feel("mine").options == {"bpm": 52, "swing": 0.6}
    assert feel("far and near") == Feel("far and near", "x", {"bpm": 61}, Path(FILE))
    assert list(feels())[-2:] == ["mine", "far and near"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[mine]\nbpm = 2000", ["feels.toml, [mine]: bpm is 2000; choose a number from 4 to 1000"]),
        ("[mine]\ncolour = 1", ["feels.toml, [mine] has the option 'colour', which there is not"]),
        ('[mine]\nbars = "8"', ["feels.toml, [mine]: bars is '8'; give a whole number"]),
        ('[mine]\nstyle = "rock"', ["[mine]: style is 'rock'; choose song, "]),
        ('[mine]\nkey = "H"', ["[mine]: 'H' is not a key"]),
        ('[mine]\ngrid = "1/7"', ["[mine]: grid is '1/7'"]),
        ('[mine]\nmeter = "7/8"\ngrid = "1/4"', ["[mine]: --grid 1/4 and --meter 7/8 contradict each other"]),
        ('[mine]\nprogram = "kazoo!"', ["[mine]: "]),
        ("[mine]\nswing = 2", ["[mine]: swing is 2"]),
        ("[mine]\nbars = [8]", ["[mine]: bars is no single value"]),
        ("[mine]\nbpm = nan", ["[mine]: bpm is nan"]),
        ("[mine]\nseed = 4", ["has the option 'seed'"]),
        ("[mine]\nabout = 4", ["a line of 200 letters at most"]),
        ("mine = 4", ["feels.toml sets 'mine' outside any feel"]),
        ('[mine]\nabout = "a\\u001b[2J"', ["a line of 200 letters"]),
    ],
)
def test_a_mistake_is_named_with_its_file_and_its_feel(text, words):
    Path(FILE).write_text(text)
    with pytest.raises(UsageError) as error:
        feel("mine")
    assert all(word in str(error.value) for word in words)
    assert str(error.value).endswith(".")
    assert feel("lullaby")  # others are not concerned


@pytest.mark.parametrize("text", ["[mine", "bpm = ", b"\xff", "[a]\n[a]", "x = " + "9" * 5000, "#" * (1 << 21)])
def test_what_is_no_toml_is_said(text):
    Path(FILE).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(FileError, match=r"feels\.toml (is not TOML|has more than)"):
        feel("lullaby")


def test_an_unknown_feel_is_told_those_that_there_are():
    Path(FILE).write_text("[mine]\nbpm = 50")
    with pytest.raises(UsageError, match=r"There is no feel 'nothing'; choose topline, .*lullaby, .*mine, or write"):
        feel("nothing")


def test_what_is_said_goes_before_and_what_cannot_hold_is_left_out():
    one = Feel("x", "", {"style": "game", "bars": 4, "bpm": 90, "meter": "3/4", "form": "AB", "chord_mode": "soft"})
    assert one.beneath({"bpm"}) == {"style": "game", "bars": 4, "meter": "3/4", "form": "AB"}
    assert one.beneath({"form"}) == {"style": "game", "bpm": 90, "meter": "3/4"}
    assert one.beneath({"chords"}, unheard=("style",))["chord_mode"] == "soft"
    assert "style" not in one.beneath((), unheard=("style",))
    assert one.beneath((), continues=True) == {"style": "game", "bars": 4, "form": "AB"}
