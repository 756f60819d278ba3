"""The line of heights: what it asks for is kept, and what is written goes the way that was meant."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru.errors import UsageError
from melodygru.music.melody import Melody, Note
from melodygru.writing.config import GenerationConfig
from melodygru.writing.constraints.base import Progress
from melodygru.writing.constraints.contour import SHAPES, Contour, line_of, parse_contour, place, reach
from melodygru.writing.infilling import infill
from melodygru.writing.model import Model
from tests.command_line import run
from tests.networks import checkpoint
from tests.strategies import melodies

words = st.sampled_from(sorted(SHAPES))
numbers = st.lists(st.integers(0, 127), min_size=2, max_size=64).map(lambda heights: " ".join(map(str, heights)))


@pytest.fixture(scope="module")
def model():
    return Model(checkpoint(seed=2), "toy")


def bar_heights(melody):
    """The mean pitch of the notes that begin in each bar."""
    bar = melody.time_signature.bar_steps
    found = [[note.pitch for note in melody.notes if note.onset // bar == number] for number in range(melody.bars)]
    return [np.mean(pitches) if pitches else np.nan for pitches in found]


def agreement(melody, word):
    """Correlation of a melody's bars with a shape at their middles."""
    heights = np.array(bar_heights(melody))
    places = (np.arange(melody.bars) + 0.5) / melody.bars
    line = np.interp(places, np.linspace(0, 1, len(SHAPES[word])), SHAPES[word])
    sounding = ~np.isnan(heights)
    return float(np.corrcoef(heights[sounding], line[sounding])[0, 1])


@pytest.mark.parametrize("word", SHAPES)
def test_what_is_written_goes_the_way_that_was_asked_for(model, word):
    asked = model.compose(GenerationConfig(contour=word), 1, 10)
    free = model.compose(GenerationConfig(), 1, 10)
    assert np.median([agreement(one.melody, word) for one in asked]) > 0.7
    assert np.median([agreement(one.melody, word) for one in free]) < 0.5


@given(words | numbers, st.integers(0, 119), st.integers(8, 60), st.sets(st.integers(0, 11), max_size=4))
def test_a_line_lies_in_its_range_and_keeps_its_shape(text, low, room, last):
    high = min(low + room, 127)
    line = place(text, low, high, last)
    heights = np.array(parse_contour(text))
    assert low - 1e-9 <= line.min()
    assert line.max() <= high + 1e-9
    if np.ptp(heights):
        scaled = (heights - heights.min()) / np.ptp(heights)
        assert line - line.min() == pytest.approx(scaled * np.ptp(line))
    if room >= 24 and last and low + room <= 127 and np.ptp(line) <= room - 12:
        assert round(line[-1], 6) % 1 == 0
        assert round(line[-1]) % 12 in last


@given(words | numbers, st.lists(st.integers(1, 500), min_size=1, max_size=4), st.integers(0, 2500), st.integers(0, 99))
def test_reach_is_what_the_words_say(text, lengths, onset, still):
    edges = np.cumsum([0, *lengths]).tolist()
    sections = list(pairwise(edges))
    line = place(text, 40, 90, {0})
    rule = Contour(line, sections, still)
    assert rule.reach == reach(np.ptp(line))
    start, end = next(((a, b) for a, b in sections if a <= onset < b), sections[-1])
    share = min((onset - start) / max(end - still - start, 1), 1.0)
    height = np.interp(share, np.linspace(0, 1, len(line)), line)
    away = abs(np.arange(128) - height)
    assert (rule.begins(onset) == (away <= rule.reach)).all()


@given(
    words | numbers,
    st.integers(1, 200),
    st.integers(0, 100),
    st.integers(0, 260),
    st.integers(1, 60),
    st.integers(0, 24),
)
def test_what_sounds_or_is_silent_ends_before_the_line_has_left_it_behind(text, length, first, onset, longest, beat):
    line = place(text, 40, 90, {0})
    rule = Contour(line, [(first, first + length)], beat)
    ends = np.arange(onset + 1, onset + 1 + longest)
    sounds, rests = rule.sounds(onset, ends), rule.rests(onset, ends)
    for row, end in enumerate(ends.tolist()):
        heights = np.array([rule.height(step) for step in range(onset, end) if step >= first])
        away = np.abs(np.arange(128)[:, None] - heights).max(axis=1, initial=0)
        assert (sounds[row] == (away <= rule.reach)).all()
        assert rests[row] == (end - onset <= beat or not len(heights) or np.ptp(heights) <= rule.reach / 2)
    to_the_end = rule.sounds(onset, np.array([max(onset + 1, first + length + 1)]))[0]
    assert (rule.closes(onset) == to_the_end).all()


@pytest.mark.parametrize(("span", "expected"), [(0, 2), (6, 2), (10, 3), (13, 4), (16, 5), (19, 6), (24, 6), (127, 6)])
def test_reach_is_five_semitones_of_sixteen_and_neither_under_two_nor_over_six(span, expected):
    assert reach(span) == expected


@pytest.mark.parametrize(
    ("text", "low", "high", "last", "expected"),
    [
        ("up", 60, 84, (), [64, 80]),  # 16 semitones, in the middle of the range
        ("up", 60, 73, (), [63, 70]),  # six less than the range
        ("up", 60, 72, (), [63, 69]),  # which are half of an octave
        ("up", 60, 71, (), [62.75, 68.25]),  # half of less than one
        ("60 64 62", 40, 90, (), [63, 67, 65]),  # its own four
        ("60 60", 50, 70, (), [60, 60]),
        ("up", 60, 84, {7}, [63, 79]),  # a semitone down to G
        ("up", 60, 84, {0}, [68, 84]),  # up to C, the last that is there
        ("down", 60, 84, {0}, [76, 60]),  # down to C, the first that is there
        ("down", 48, 96, {0}, [76, 60]),  # neither the lowest C nor the highest, but the nearest
        ("up", 60, 66, {8}, [61.5, 64.5]),  # no A flat in the range
    ],
)
def test_a_line_lies_in_the_middle_but_for_the_smallest_step_home(text, low, high, last, expected):
    assert place(text, low, high, last).tolist() == expected


def test_a_semitone_of_distance_costs_the_same_everywhere_and_nothing_off_the_line():
    rule = Contour(np.array([60.0, 72.0]), [(96, 192)])
    where = Progress.start(2)
    where.onset = np.array([144, 50])
    cost = rule.pitch_preference(where)
    assert cost.tolist() == [[-0.15 * abs(pitch - 66) for pitch in range(128)], [0.0] * 128]
    assert rule.begins(50).all()


def test_before_and_between_sections_anything_goes():
    rule = Contour(place("up", 48, 96, {0}), [(96, 192), (288, 384)])
    free = [bool(rule.begins(onset).all()) for onset in (0, 95, 96, 191, 192, 287, 288, 383, 384, 500)]
    assert free == [True, True, False, False, True, True, False, False, False, False]


@given(melodies().filter(lambda melody: melody.notes))
def test_a_melodys_own_line_is_read_as_numbers(melody):
    heights = parse_contour(line_of(melody))
    pitches = [note.pitch for note in melody.notes]
    assert min(pitches) - 0.05 <= min(heights)
    assert max(heights) <= max(pitches) + 0.05


def test_the_line_of_a_melody_is_the_mean_of_what_sounds_and_bridges_silence():
    notes = (Note(60, 0, 48), Note(64, 48, 48), Note(70, 288, 24), Note(72, 336, 48))
    assert line_of(Melody(notes, bars=4)) == "62.0 65.1 68.2 71.3"
    assert line_of(Melody((Note(60, 0, 48), Note(72, 48, 48)))) == "60.0 72.0"  # the halves of a single bar


@pytest.mark.parametrize("text", ["", "arc", "60", "60 200", "60 128", "60 x", "nan 60", " ".join(["60"] * 65)])
def test_what_is_no_line_is_told(text):
    with pytest.raises(UsageError, match="choose arch, valley"):
        GenerationConfig(contour=text)


def test_wishes_that_leave_no_way_are_named(model):
    with pytest.raises(UsageError, match="--grid 1/8, --max-leap 2 and --contour contradict each other"):
        model.generate(1, contour="0 127", max_leap=2, grid="1/8", triplets=False)


def test_neither_a_held_note_nor_silence_passes_the_line_by(model):
    with pytest.raises(UsageError, match="--max-leap 1"):
        model.generate(8, contour="arch", max_leap=1, scale="major", end_on="any")
    for one in model.compose(GenerationConfig(bars=8, contour="arch", max_leap=3), 5, 4):
        onsets = [note.onset for note in one.melody.notes]
        assert max(b - a for a, b in pairwise([0, *onsets, one.melody.length])) <= 3 * 96


def test_a_range_in_which_no_line_is_heard_is_told(model):
    with pytest.raises(
        UsageError, match="--contour and --range C4:E4 contradict each other: a line needs a range of 8 semi"
    ):
        model.generate(4, contour="arch", range="C4:E4")


def test_each_section_of_a_form_follows_the_line(model):
    config = GenerationConfig(contour="up", form="AB", section_bars=8)
    for one in model.compose(config, 3, 5):
        heights = bar_heights(one.melody)
        assert np.nanmean(heights[5:8]) - np.nanmean(heights[:3]) > 4
        assert np.nanmean(heights[13:]) - np.nanmean(heights[8:11]) > 4


def test_a_gap_is_filled_along_the_line(model):
    melody = model.generate(16, seed=4)
    filled = infill(model, melody, (4 * 96, 12 * 96), GenerationConfig(contour="arch", range="C3:C7"), seed=1).melody
    bars = [(n, h) for n, h in enumerate(bar_heights(filled)[4:12]) if not np.isnan(h)]
    middle, ends = [h for n, h in bars if 2 <= n < 6], [h for n, h in bars if n < 2 or n >= 6]
    assert np.mean(middle) - np.mean(ends) > 3


def test_a_file_gives_its_line_and_the_recipe_keeps_it(here, capsys):
    assert run("generate", "--model", "toy", "--contour", "valley", "--seed", 1, "valley.mid") == 0
    assert run("generate", "--model", "toy", "--contour", "valley.mid", "--seed", 2, "like.mid") == 0
    Path("valley.mid").unlink()
    assert run("replay", "like.mid", "--model", "toy") == 0
    assert agreement(Melody.from_midi("like.mid"), "valley") > 0.5
    assert run("generate", "--model", "toy", "--contour", "nothing.mid", "no.mid") == 1
    assert "nothing.mid" in capsys.readouterr().err
    assert not Path("no.mid").exists()


def test_words_and_numbers_are_no_names_of_files(here, capsys):
    Path("arch").write_bytes(b"no MIDI")
    assert run("generate", "--model", "toy", "--bars", 4, "--contour", "arch", "a.mid") == 0
    assert run("generate", "--model", "toy", "--bars", 4, "--contour", " ".join(["60.5"] * 64), "b.mid") == 0
    assert run("generate", "--model", "toy", "--contour", "x" * 300, "c.mid") == 2
    assert len(capsys.readouterr().err) < 300
