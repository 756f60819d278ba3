"""The benchmarks beside published figures: what they count, and that nothing is told which must be foretold."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from melodygru import Melody, Note
from melodygru.music.theory import Key, TimeSignature

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
pytest.importorskip("scipy")
import chung2014_longer as longer
import oneill_jigs as jigs
import pearce2005 as pearce
import sketchnet

PART_A = (62, 66, 69, 74, 69, 66, 62, 64, 66, 67, 66, 64, 66, 69, 74, 73, 71, 69, 67, 66, 64, 66, 67, 69)
PART_B = tuple(pitch + 5 if pitch != 73 else 74 for pitch in PART_A)


def jig(rows=(PART_A, PART_A, PART_B, PART_B)):
    """A double jig in D: each part of eight bars is one row of pitches twice; the last note is a D, a quarter long."""
    pitches = [pitch for row in rows for pitch in (*row, *row)]
    notes = [Note(pitch, 12 * place, 12) for place, pitch in enumerate(pitches)]
    at = notes[-3].onset
    return Melody((*notes[:-3], Note(62, at, 24)), jigs.JIG, Key(2, "major"))


RULES = jigs.Rules({(0, 12, 24), (0,)}, 0.5, 0.9, 0.1, 12, 10)


def test_a_jig_keeps_all_rules():
    assert all(RULES.kept(jig(), 10).values())


def moved(melody, place, **change):
    notes = list(melody.notes)
    notes[place] = replace(notes[place], **change)
    return replace(melody, notes=tuple(notes))


@pytest.mark.parametrize(
    ("broken", "rules"),
    [
        (replace(jig(), time_signature=TimeSignature(3, 4)), {"metre"}),
        (replace(jig(), key=Key(2, "phrygian")), {"mode"}),
        (replace(jig(), key=Key(7, "major")), {"cadence"}),
        (jig((PART_A, PART_A, PART_B)), {"repeats"}),
        (jig((PART_A, PART_B, PART_A, PART_B)), {"repeats"}),
        (jig((PART_A,)), {"parts", "repeats"}),
        (moved(jig(), 5, pitch=84), {"compass"}),
        (moved(jig(), -1, duration=12), {"cadence"}),
        (moved(jig(), -1, pitch=69), {"cadence"}),
    ],
)
def test_what_is_broken_breaks_its_rule_alone(broken, rules):
    assert {rule for rule, kept in RULES.kept(broken, 0).items() if not kept} == rules


def test_a_note_over_the_bar_line_and_a_row_of_the_book_are_found():
    held = replace(jig(), notes=tuple(note for note in jig().notes if note.onset != 72))
    assert not RULES.kept(moved(held, 5, duration=24), 0)["metre"]
    assert not RULES.kept(jig(), 11)["plagiarism"]


def test_a_rhythm_that_jigs_do_not_have_is_found():
    reel = replace(jig(), notes=tuple(replace(note, duration=9) for note in jig().notes))
    uneven = replace(reel, notes=tuple(replace(n, onset=n.onset + 3) if n.onset % 36 else n for n in reel.notes))
    assert not RULES.kept(uneven, 0)["rhythm"]


def test_a_pickup_is_no_bar_of_a_part():
    bar = jigs.JIG.bar_steps
    later = tuple(replace(note, onset=note.onset + bar) for note in jig().notes)
    upbeat = replace(jig(), notes=(Note(69, bar - 12, 12), *later), pickup=12, bars=32)
    assert all(RULES.kept(upbeat, 0).values())


def test_bounds_are_those_that_most_jigs_keep():
    crowd = [jig()] * 19 + [moved(jig(), 5, pitch=83)]
    rules = jigs.Rules.of(crowd, [8] * 19 + [40])
    assert rules.widest_leap < 14
    assert rules.longest_run < 10
    assert (0, 12, 24) in rules.often


def reel(bars=16):
    """Eight eighths a bar; each bar differs from the others."""
    return Melody(tuple(Note(60 + place // 8 + place % 5, 12 * place, 12) for place in range(8 * bars)))


def test_ticks_are_onsets_holds_and_rests():
    row = sketchnet.ticks(Melody((Note(60, 0, 24), Note(62, 48, 8)), bars=16))
    assert row[:6].tolist() == [60, 128, 128, 128, 128, 128]
    assert row[6:12].tolist() == [129] * 6
    assert row[12:15].tolist() == [62, 128, 129]
    assert len(row) == 16 * 24


def test_the_gap_is_hidden_and_its_filling_is_judged():
    melody = reel()
    row = sketchnet.ticks(melody)
    hidden = sketchnet.ticks(sketchnet.without_gap(melody))
    assert (hidden[sketchnet.GAP_TICKS] == sketchnet.REST).all()
    np.testing.assert_array_equal(
        np.delete(hidden, np.r_[sketchnet.GAP_TICKS]), np.delete(row, np.r_[sketchnet.GAP_TICKS])
    )
    gap = row[sketchnet.GAP_TICKS]
    assert sketchnet.accuracies(gap, gap) == (1, 1)
    wrong = gap.copy()
    wrong[0] = 99
    pitch, rhythm = sketchnet.accuracies(gap, wrong)
    assert pitch == pytest.approx(31 / 32)
    assert rhythm == 1


def test_a_copyist_is_right_where_eight_bars_come_again():
    first = reel(8).notes
    twice = Melody((*first, *(replace(note, onset=note.onset + 8 * 96) for note in first)))
    row = sketchnet.ticks(twice)
    np.testing.assert_array_equal(sketchnet.eight_away(row), row)
    assert sketchnet.likeness(row) > sketchnet.likeness(sketchnet.ticks(reel()))


def test_windows_are_sixteen_whole_bars():
    long = list(sketchnet.windows(reel(40)))
    assert [window.bars for window in long] == [16, 16]
    assert long[1].notes[0].pitch == reel(40).notes[8 * 16].pitch
    assert not list(sketchnet.windows(reel(15)))


def test_parts_of_a_file_and_kin_are_in_one_fold():
    random = np.random.default_rng(0)
    tunes = [
        Melody(tuple(Note(int(p), 24 * i, 24) for i, p in enumerate(random.integers(60, 72, 24)))) for _ in range(30)
    ]
    tunes[7] = replace(tunes[3], notes=tuple(replace(note, pitch=note.pitch + 2) for note in tunes[3].notes))
    owners = [*range(28), 5, 5]
    folds = pearce.folds_of(tunes, owners)
    assert folds[3] == folds[7]
    assert folds[5] == folds[28] == folds[29]
    assert np.bincount(folds, minlength=10).max() <= 5


def test_scores_of_a_frame_do_not_depend_on_it():
    torch.manual_seed(0)
    network = longer.Network(8)
    frames = (torch.rand(2, 12, longer.KEYS) < 0.1).float()
    other = frames.clone()
    other[:, 7:] = 1 - other[:, 7:]
    torch.testing.assert_close(network(frames)[:, :7], network(other)[:, :7])


@pytest.mark.parametrize("noise", ["none", "recurrent", "all"])
@pytest.mark.parametrize("optimizer", list(longer.OPTIMIZERS))
def test_a_run_goes_on_where_it_was_saved(tmp_path, noise, optimizer):
    random = np.random.default_rng(1)
    pieces = [(random.random((20, longer.KEYS)) < 0.05).astype(np.uint8) for _ in range(6)]
    data = longer.Splits(pieces, pieces[:2], pieces[:2])
    asked = argparse.Namespace(
        seed=0, units=8, batch=2, objective="sum", largest_norm=1.0, rate=1e-3, epochs=3, patience=9, verbose=False
    )
    asked.optimizer = optimizer
    whole = longer.run(data, asked, noise, tmp_path / "whole.pt")
    stopped, save = 0, torch.save

    def save_twice(*arguments):
        nonlocal stopped
        save(*arguments)
        stopped += 1
        if stopped == 2:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(longer.torch, "save", save_twice)
        with pytest.raises(KeyboardInterrupt):
            longer.run(data, asked, noise, tmp_path / "parts.pt")
    parts = longer.run(data, asked, noise, tmp_path / "parts.pt")
    assert {name: value for name, value in parts.items() if name != "seconds"} == pytest.approx(
        {name: value for name, value in whole.items() if name != "seconds"}
    )
