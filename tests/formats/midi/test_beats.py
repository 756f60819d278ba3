"""Beats of what was played without a click."""

import random
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru.formats.midi.beats import FEWEST_TRACKED, fits_no_grid, track
from melodygru.formats.midi.extraction import BEATS_TRACKED, ExtractionConfig, extract
from melodygru.formats.midi.grid import Grid
from melodygru.formats.midi.parser import RawFile, RawNote, RawTrack
from melodygru.formats.reading import WHOLE
from melodygru.music.estimation import estimate_pace
from melodygru.music.melody import Note

WALTZ = [48, 24, 24, 24, 24, 48, 24, 72, 36, 12, 24, 24, 12, 12, 48, 24, 72] * 4
PITCHES = [67, 69, 67, 65, 64, 65, 62, 60]


def played(lengths, rubato, seed=0, qpm=110.0):
    """Seconds of notes of these steps, the tempo going up and down by so much, and 10 ms off."""
    chance, at, steps, found = random.Random(seed), 0.0, 0, []
    for length in lengths:
        found.append(at + chance.gauss(0, 0.01))
        at += length / 24 * 60 / (qpm * np.exp(rubato * np.sin(steps / 160)))
        steps += length
    return found


def recorded(seconds, signatures=(), tpq=480):
    """Those notes as a file of 120 quarters a minute, one after the other."""
    ticks = [round((at - min(seconds)) * 2 * tpq) for at in seconds]
    notes = tuple(
        RawNote(one, two, PITCHES[i % len(PITCHES)], 80, 0)
        for i, (one, two) in enumerate(pairwise([*ticks, ticks[-1] + tpq]))
    )
    return RawFile(tpq, (RawTrack(1, "", notes),), ((0, 500_000),), signatures, (), None, (), ())


@pytest.mark.parametrize("rubato", [0.0, 0.1, 0.2])
@pytest.mark.parametrize("seed", range(2))
def test_what_is_written_is_found_however_the_tempo_goes(rubato, seed):
    found = track(played(WALTZ, rubato, seed))
    # Quarters of 110 a minute, or halves of 55: the notes cannot tell.
    level = round(60 / 55 / found.periods.mean()) / 2
    assert level in (0.5, 1)
    assert (np.diff(found.steps) == level * np.array(WALTZ[:-1])).mean() > 0.95


@given(st.lists(st.floats(0, 20, allow_nan=False), min_size=2, max_size=40))
def test_any_onsets_have_places_that_rise(seconds):
    found = track(sorted(seconds))
    assert len(found.steps) == len(found.periods) == len(seconds)
    assert (np.diff(found.steps) > 0).all()


def test_what_fits_a_grid_is_not_free_and_what_fits_none_is():
    chance = random.Random(3)
    click = [12 * i + chance.gauss(0, 1.4) for i in range(64)]
    assert not fits_no_grid(click, stated=False)
    free = [48 * at for at in played(WALTZ, 0.15)]
    assert fits_no_grid(free, stated=False)
    assert not fits_no_grid(free[: FEWEST_TRACKED - 1], stated=False)


def test_a_file_played_freely_has_its_melody_on_a_grid_and_its_tempo_map():
    found = extract(recorded(played(WALTZ, 0.15)), "x", WHOLE)
    [melody], [told] = found.melodies, [text for text in found.remarks if text.startswith(BEATS_TRACKED)]
    assert told == f"beats tracked at about {melody.qpm:.0f} bpm"
    level = round(melody.qpm / 55) / 2
    assert level in (0.5, 1)
    lengths = np.diff([note.onset for note in melody.notes])
    assert (lengths == level * np.array(WALTZ[:-1])).mean() > 0.95
    # The grid goes with the player: its quarters last as long as they were played.
    ticks = [found.grid.tick(24 * quarter) for quarter in range(1, 30)]
    assert max(np.diff(ticks)) > 1.2 * min(np.diff(ticks))
    for note, raw in zip(melody.notes, found.notes, strict=True):
        assert found.grid.steps(raw.onset) == found.starts[0] + note.onset


def test_a_metre_that_is_given_holds_for_free_playing_and_files_that_fit_their_grid_are_left_alone():
    found = extract(recorded(played(WALTZ, 0.15)), "x", ExtractionConfig(meter="3/4", whole_clip=True))
    assert str(found.melodies[0].time_signature) == "3/4"
    onsets = np.cumsum([0, *WALTZ[:-1]]) / 48
    stated = extract(recorded(onsets.tolist(), ((0, 3, 4),)), "x", WHOLE)
    assert not [text for text in stated.remarks if text.startswith(BEATS_TRACKED)]
    assert stated.grid == Grid(480)


@given(st.lists(st.tuples(st.integers(1, 900), st.integers(1, 96)), min_size=2, max_size=20), st.integers(0, 3000))
def test_ticks_and_steps_of_a_tracked_grid_go_there_and_back(gaps, step):
    anchors, tick, at = [], 0, 0
    for ticks, steps in gaps:
        anchors.append((tick, at))
        tick, at = tick + ticks, at + steps
    grid = Grid(480, anchors=tuple(anchors))
    for tick, at in anchors:
        assert grid.tick(at) == tick
        assert grid.steps(tick) == at
    slowest = max((two[1] - one[1]) / (two[0] - one[0]) for one, two in pairwise(anchors))
    assert abs(float(grid.steps(grid.tick(step))) - step) <= slowest


def test_a_judge_says_how_beats_are_written_and_must_not_be_there():
    notes = [Note(60 + i % 5, 24 * i, 24) for i in range(32)]
    assert estimate_pace(notes, 0.5) == 1

    def judge(melodies):
        return [0.0 if melody.notes[0].duration == 12 else 500.0 for melody in melodies]

    assert estimate_pace(notes, 0.5, judge) == 0.5
