"""The bass of an arranged file, in the steps of its melody."""

from dataclasses import replace
from pathlib import Path

import pytest

from melodygru.arranging.arrangement import Arrangement
from melodygru.formats.midi.parser import read_midi
from melodygru.formats.reading import WHOLE, read_melodies
from melodygru.writing.accompanied import bass_in
from melodygru.writing.recipe import Recipe
from melodygru.writing.replay import chords_in
from tests.command_line import run


@pytest.mark.parametrize(
    "wishes",
    [["--groove", "swing", "--meter", "4/4"], ["--groove", "waltz", "--meter", "3/4", "--pickup", "1/4"]],
    ids=str,
)
def test_the_bass_is_what_was_arranged_however_it_swings(here, capsys, wishes):
    said = ["--model", "folk", "--with", "all", "--chords", "C F G7 C", "--bars", 4, "--seed", 2, *wishes, "a.mid"]
    assert run("generate", *said) == 0
    [melody] = read_melodies("a.mid")
    recipe = Recipe.find(read_midi("a.mid").texts)
    arrangement, seed = Arrangement.from_dict(recipe.details["arrangement"]), recipe.seed + recipe.number
    tracks = arrangement.tracks(melody, chords_in("a.mid", [melody]), seed, None)
    arranged = next(track for track in tracks if track.part == "bass")
    heard = bass_in("a.mid", WHOLE, [melody])
    assert [one[:3] for one in heard.strokes] == [one[:3] for one in arranged.strokes]
    assert run("score", "a.mid", "a.musicxml") == 0
    assert "a bass below" in capsys.readouterr().out
    assert Path("a.musicxml").read_bytes().count(b"<score-part ") == 2
    assert bass_in("a.mid", replace(WHOLE, track="Bass"), read_melodies("a.mid", "Bass")) is None


def test_there_is_no_bass_where_nobody_put_one(here, capsys):
    run("generate", "--model", "folk", "--bars", 2, "--seed", 1, "a.mid")
    assert bass_in("a.mid", WHOLE, read_melodies("a.mid")) is None
    run("score", "a.mid", "a.abc")
    assert bass_in("a.abc", WHOLE, read_melodies("a.abc")) is None
    assert "bass" not in capsys.readouterr().out
