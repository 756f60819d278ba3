"""Patterns as data: those that come along, a user's own, and what is wrong with them."""

import re

import pytest

from melodygru.arranging.arrangement import Arrangement, parse_parts
from melodygru.arranging.patterns import KIT, SHIPPED, SIGNS, book
from melodygru.arranging.pulses import groups
from melodygru.errors import FileError, UsageError
from melodygru.music.instruments import find_program
from melodygru.music.theory import TimeSignature
from melodygru.music.tracks import PARTS


@pytest.mark.parametrize(
    ("metre", "sizes"),
    [("4/4", "22"), ("3/4", "3"), ("2/4", "2"), ("5/4", "32"), ("7/4", "223"), ("6/8", "33"), ("9/8", "333"),
     ("7/8", "223"), ("5/8", "32"), ("2/2", "22"), ("3/8", "3"), ("1/4", "1"), ("12/8", "3333"), ("32/32", "2" * 16)],
)  # fmt: skip
def test_bars_are_groups_of_two_and_three(metre, sizes):
    metre = TimeSignature.parse(metre)
    found = groups(metre)
    assert "".join(str(group.size) for group in found) == sizes
    assert [group.onset for group in found[1:]] == [group.onset + group.size * group.pulse for group in found[:-1]]
    assert found[-1].onset + found[-1].size * found[-1].pulse == metre.bar_steps


def test_instruments_of_grooves_are_those_that_stand_behind_them():
    lines = re.findall(r"(?:chord|bass)-program = (\d+)  # (.+)", SHIPPED.read_text("utf-8"))
    assert len(lines) > 10
    for number, name in lines:
        assert find_program(name) == int(number)


def test_everything_that_comes_along_says_what_it_is_good_for():
    shelf = book()
    for part in PARTS:
        assert all(pattern.about for pattern in shelf.patterns[part].values())
    assert all(groove.about for groove in shelf.grooves.values())


def test_a_users_own_go_before_those_that_come_along(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MELODYGRU_CONFIG", str(tmp_path / "settings"))
    (tmp_path / "settings").mkdir()
    (tmp_path / "settings" / "arranging.toml").write_text(
        '[chords.mine]\ntwo = "C ."\n[chords.block]\ntwo = "C c"\n[grooves.mine]\nchords = "mine"\nbass = "roots"\n'
        'drums = "tick"\nbass-program = "tuba"\n[drums.tick]\ntwo = { hat = "x x" }\n'
    )
    (tmp_path / "arranging.toml").write_text('[chords.mine]\ntwo = "C c"\n')
    shelf = book()
    assert shelf.pattern("chords", "block").voices[""]["two"] == ("C c",)
    assert shelf.pattern("chords", "mine").voices[""]["two"] == ("C c",)
    assert shelf.groove("mine").programs["bass"] == 58
    assert [strike.sign for strike in shelf.pattern("chords", "mine").bar(TimeSignature(3, 4), [0])] == ["."] * 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[strings.mine]\ntwo = "C ."', "has 'strings'; write tables such as"),
        ("chords = 1", "has 'chords'; write tables such as"),
        ("[chords]\nmine = 1", "[chords.mine] is no table"),
        ('[chords.mine]\ntwo = "C"', "'C' is no row of 2 pulses"),
        ('[chords.mine]\ntwo = "C X"', "'C X' has 'X'; the signs are"),
        ("[chords.mine]\ntwo = 5", "write a row in quotes"),
        ("[chords.mine]\ntwo = []", "write a row in quotes"),
        ('[chords.mine]\n"4/5" = "C . . ."', "rows for '4/5'; they are for two, three"),
        ('[chords.mine]\n"4/4" = "C . . ."', "has no row of two or three pulses"),
        ('[chords.mine]\ntwo = "C ."\nb = 1', "b is no table of rows"),
        ('[drums.mine]\ntwo = { gong = "x ." }', "write rows by drum"),
        ('[drums.mine]\ntwo = "x ."', "write rows by drum"),
        ('[grooves.mine]\nchords = "block"', "names no pattern for bass"),
        ('[grooves.mine]\nchords = "x"\nbass = "roots"\ndrums = "swing"', "There is no pattern 'x' for chords"),
        ('[grooves.mine]\nchords = "pad"\nbass = "roots"\ndrums = "swing"\nswing = 2', "swing is 2; choose"),
        ('[grooves.mine]\nchords = "pad"\nbass = "roots"\ndrums = "swing"\nhat = 2', "has 'hat'; a groove has"),
        ('[grooves.mine]\nchords = "pad"\nbass = "roots"\ndrums = "swing"\nkit = 200', "kit is 200"),
        ('[grooves.mine]\nchords = "pad"\nbass = "roots"\ndrums = "swing"\nchord-program = "kazoo"', "no General MIDI"),
        ('[grooves.mine]\nchords = "pad"\nbass = "roots"\ndrums = "swing"\nmetres = ["4"]', "'4' is not a metre"),
        ('[grooves.mine]\nchords = "pad"\nbass = "roots"\ndrums = "swing"\nstyles = 1', "styles is no list"),
    ],
)
def test_what_is_wrong_with_a_users_file_is_told_with_its_place(tmp_path, monkeypatch, text, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "arranging.toml").write_text(text)
    with pytest.raises(UsageError) as error:
        book()
    assert said in str(error.value)
    (tmp_path / "arranging.toml").write_text("[")
    with pytest.raises(FileError):
        book()


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("all", PARTS),
        ("bass,chords", ("chords", "bass")),
        ("drums and bass", ("bass", "drums")),
        ("Chord", ("chords",)),
    ],
)
def test_parts_are_understood_as_they_are_said(text, parts):
    assert parse_parts(text) == parts


@pytest.mark.parametrize("text", ["", "horns", "chords,horns", " , "])
def test_what_is_no_part_is_told(text):
    with pytest.raises(UsageError, match=r"part"):
        parse_parts(text)


def test_an_arrangement_is_made_again_from_its_values():
    one = Arrangement(parts="chords", groove="swing", chord_pattern="pad", chord_program="harp", fills=True)
    assert Arrangement.from_dict(one.as_dict()) == one
    assert Arrangement().as_dict() == {}
    assert Arrangement().settled("waltz", TimeSignature(3, 4)).groove == "waltz"
    played = one.played(TimeSignature())
    assert (played.patterns["chords"], played.programs["chords"]) == ("pad", 46)
    with pytest.raises(UsageError):
        Arrangement(parts="drums", chord_pattern="pad")


def test_the_page_names_every_pattern_groove_and_sign():
    from pathlib import Path

    text = (Path(__file__).parents[2] / "docs" / "arranging.md").read_text("utf-8")
    shelf = book()
    names = [*shelf.grooves, *(name for patterns in shelf.patterns.values() for name in patterns)]
    assert [name for name in names if f"| `{name}` |" not in text] == []
    head = SHIPPED.read_text("utf-8").split("\n[")[0]
    assert all(sign in head for signs in SIGNS.values() for sign in signs.upper())
    assert set(KIT.values()) <= set(range(35, 82))
