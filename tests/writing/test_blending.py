"""Between two melodies each step goes on: what is left of the one, and has come of the other."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru import Key, Melody, Note, TimeSignature
from melodygru.errors import UsageError
from melodygru.writing.blending import REACH, blend, distance, laid_over, line_between, rhythm_between
from melodygru.writing.config import GenerationConfig
from tests.command_line import run
from tests.strategies import melodies

LONG = Melody(tuple(Note(60 + 2 * (i % 3), 48 * i, 48) for i in range(8)), key=Key.parse("C"), qpm=100)
QUICK = Melody(tuple(Note(79 - i, 12 * i, 12) for i in range(16)), key=Key.parse("E minor"), qpm=160)


def test_the_two_are_laid_over_each_other_in_one_key():
    pair = laid_over(LONG, QUICK)
    assert (pair.first.bars, pair.second.bars) == (4, 4)
    assert [n.pitch for n in pair.second.notes] == [
        75 - i % 16 for i in range(32)
    ]  # down by a third, not up by a sixth
    assert pair.second.notes[16].onset == 192
    upbeat = Melody((Note(67, 72, 24), Note(72, 96, 96)), pickup=24, bars=1)
    assert [n.onset for n in laid_over(upbeat, LONG).first.notes] == [0, 96, 192, 288]
    with pytest.raises(UsageError, match="is in 4/4 and the second in 3/4; give two of the same metre"):
        laid_over(LONG, Melody((Note(60, 0, 24),), TimeSignature(3, 4)))
    with pytest.raises(UsageError, match="nothing to blend"):
        laid_over(LONG, Melody((), bars=2))


@given(melodies(min_notes=1), melodies(min_notes=1), st.integers(2, 9))
def test_onsets_go_and_come_and_none_comes_back(one, two, steps):
    bar = one.time_signature.bar_steps  # the second one's notes in the first one's metre
    other = replace(two, time_signature=one.time_signature, pickup=0, bars=-(-two.length // bar))
    try:
        pair = laid_over(one, other)
    except UsageError:
        return  # a pickup and nothing else
    firsts, seconds = ({note.onset for note in m.notes} for m in (pair.first, pair.second))
    rows = [rhythm_between(pair, step / steps) for step in range(steps + 1)]
    onsets = [{note.onset for note in row} for row in rows]
    assert (onsets[0], onsets[-1]) == (firsts, seconds)
    for before, after in pairwise(onsets):
        assert before & firsts >= after & firsts
        assert before & seconds <= after & seconds
    for row in rows:
        assert all(a.end <= b.onset for a, b in pairwise(row))
        assert all(note.duration >= 1 and note.end <= pair.first.length for note in row)


def test_weak_onsets_go_first_and_strong_ones_come_first():
    pair = laid_over(QUICK, Melody((Note(60, 0, 6), Note(60, 18, 6), Note(60, 102, 6)), bars=2))
    half = {note.onset for note in rhythm_between(pair, 0.5)}
    assert 96 in half  # a bar line
    assert 12 not in half


def test_each_step_lies_near_the_line_between(model):
    pair = laid_over(LONG, QUICK)
    made = [blend(model, pair, share, GenerationConfig(), 1).melody for share in (0.25, 0.5, 0.75)]
    for share, melody in zip((0.25, 0.5, 0.75), made, strict=True):
        line = line_between(pair, share)
        assert [n.onset for n in melody.notes] == [n.onset for n in rhythm_between(pair, share)]
        assert all(abs(n.pitch - line[n.onset]) <= REACH for n in melody.notes[:-1])
        assert melody.notes[-1].pitch % 12 == 0
        assert melody.qpm == 100 + 60 * share
    assert [str(melody.key) for melody in made] == ["C major", "C major", "C minor"]
    for end, sign in ((pair.first, 1), (pair.second, -1)):
        apart = [distance(melody, end) * sign for melody in made]
        assert apart == sorted(apart)
    again = blend(model, pair, 0.5, GenerationConfig(), 1)
    assert blend(model, pair, 0.5, GenerationConfig(), 1, only=again.number) == again


def test_the_command_line_blends_and_makes_again(here, capsys):
    assert run("generate", "--model", "folk", "--bars", 2, "--key", "D", "--seed", 1, "a.mid") == 0
    assert run("generate", "--model", "folk", "--bars", 3, "--key", "E minor", "--seed", 2, "b.mid") == 0
    assert run("blend", "a.mid", "b.mid", "c.mid", "--steps", 2, "--seed", 1, "--model", "folk") == 0
    assert sorted(str(file) for file in Path().glob("c-*")) == ["c-01.mid", "c-02.mid"]
    for name in ("c-01.mid", "c-02.mid"):
        assert Melody.from_midi(name).bars == 3
        assert run("replay", name) == 0
    Path("folder").mkdir()
    capsys.readouterr()
    assert run("blend", "a.mid", "b.mid", "folder", "--steps", 2, "--seed", 1, "--model", "folk", "--json") == 0
    assert [one["step"] for one in json.loads(capsys.readouterr().out)["files"]] == [1, 2]
    assert len(list(Path("folder").iterdir())) == 2
    assert run("blend", "a.mid", "b.mid", "d.mid", "--steps", 0) == 2
    assert run("blend", "a.mid", "nothing.mid", "d.mid") == 1
