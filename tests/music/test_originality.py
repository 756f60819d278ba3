"""Runs that stand in the training music: found exactly, told where, and kept out."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melodygru import Melody, Note, TimeSignature
from melodygru.errors import CheckpointError, UsageError
from melodygru.formats.midi.writer import midi_bytes
from melodygru.formats.reading import read_melodies
from melodygru.music.originality import OriginalityIndex, line_of
from melodygru.music.run_hashing import SHORTEST
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.model_files import resolve
from melodygru.writing.copy_guard import CopyGuard
from melodygru.writing.model import Model
from tests.command_line import run
from tests.copy_checker import Shelf, row_of, shapes
from tests.midi_checker import read_tracks
from tests.networks import checkpoint

DATA = Path(__file__).parent.parent.parent / "data"


def notes_of(melody):
    return [(note.onset, note.pitch) for note in melody.notes]


def melody_of(pairs, name="", **settings):
    """A melody of (gap, pitch): each note begins `gap` steps after the one before, the first at `gap`."""
    onset, notes = 0, []
    for gap, pitch in pairs:
        onset += gap
        notes.append(Note(pitch, onset, 1))
    return Melody(tuple(notes), name=name, **settings)


# Few pitches and gaps, so that much is shared by chance.
lines = st.lists(st.tuples(st.sampled_from([6, 12, 24]), st.integers(60, 63)), min_size=1, max_size=25)


def longest_by_hand(melody, pieces):
    best = 0
    for length in range(SHORTEST, len(melody.notes) + 1):
        if Shelf([notes_of(piece) for piece in pieces], length).copies(notes_of(melody)):
            best = length
    return best


@settings(max_examples=150, deadline=None)
@given(lines, st.lists(lines, min_size=1, max_size=4))
def test_the_longest_run_is_the_one_that_brute_force_finds(line, others):
    melody, pieces = melody_of(line), [melody_of(other, f"piece {i}") for i, other in enumerate(others)]
    index = OriginalityIndex.from_bytes(OriginalityIndex.of_melodies(pieces).to_bytes())
    found = index.longest_run(melody)
    assert found.notes == longest_by_hand(melody, pieces)
    assert index.longest([line_of(melody)]) == [found.notes]
    if found.notes:
        piece = next(one for one in pieces if one.name == found.piece)
        mine = {shape for _, shape in shapes(notes_of(melody), found.notes)}
        alike = [at for at, shape in shapes(notes_of(piece), found.notes) if shape in mine]
        assert found.piece_bar in {piece.notes[at].onset // 96 + 1 for at in alike}


@settings(max_examples=150, deadline=None)
@given(lines, st.lists(lines, min_size=1, max_size=4), st.integers(2, 6), st.sampled_from([3, 6, 12, 24]))
def test_the_guard_forbids_what_would_complete_a_run_and_nothing_else(line, others, limit, gap):
    pieces = [melody_of(other) for other in others]
    guard = CopyGuard(OriginalityIndex.of_melodies(pieces), limit)
    shelf = Shelf([notes_of(piece) for piece in pieces], limit + 1)
    notes = notes_of(melody_of(line))
    onset = notes[-1][0] + gap
    banned = guard.banned([pitch for _, pitch in notes], [at for at, _ in notes], onset)
    expected = {pitch for pitch in range(128) if len(notes) - limit in shelf.copies([*notes, (onset, pitch)])}
    assert banned == expected
    # Of many at once: whoever is forbidden something is suspected.
    many = [notes[: len(notes) - cut] for cut in range(min(len(notes), 4))]
    rows = guard.suspects([[p for _, p in one] for one in many], [[at for at, _ in one] for one in many])
    for row, one in enumerate(many):
        if guard([p for _, p in one], [at for at, _ in one], one[-1][0] + gap):
            assert row in rows


@settings(max_examples=60, deadline=None)
@given(lines, st.integers(-30, 30), st.sampled_from([1, 2, 3]))
def test_key_and_tempo_do_not_matter(line, semitones, slower):
    piece = melody_of(line)
    other = melody_of([(gap * slower, pitch + semitones) for gap, pitch in line])
    run_ = OriginalityIndex.of_melodies([piece]).longest_run(other)
    assert run_.notes == (len(line) if len(line) >= SHORTEST else 0)


def test_pieces_are_never_joined():
    one, two = melody_of([(6, 60 + i) for i in range(8)], "one"), melody_of([(6, 68 + i) for i in range(8)], "two")
    both = melody_of([(6, 60 + i) for i in range(16)])
    assert OriginalityIndex.of_melodies([one, two]).longest_run(both).notes == 8
    guard = CopyGuard(OriginalityIndex.of_melodies([one, two]), 5)
    pitches, onsets = (row.tolist() for row in line_of(one))
    assert guard.banned(pitches, onsets, onsets[-1] + 6) == {68}  # the last six notes of `one`, begun earlier in it
    assert guard.banned([0, 5, 1, 9, 2], onsets[:5], onsets[5]) == set()


def test_where_a_run_stands_is_told_in_bars():
    metre = TimeSignature(3, 4)
    odd = [(24, pitch) for pitch in (60, 67, 61, 70, 64, 72, 59)]
    piece = melody_of([(48, 50), *odd], "waltz", time_signature=metre, pickup=24)
    mine = melody_of([(0, 40), *[(72, 41)] * 4, *odd[:5], (6, 30)], time_signature=metre)
    found = OriginalityIndex.of_melodies([melody_of(odd[:3], "short"), piece]).longest_run(mine)
    assert (found.notes, found.piece) == (5, "waltz")
    assert found.bars == pytest.approx(4 * 24 / 72)
    assert found.bar == 5  # step 4 * 72 + 24 is in the fifth bar
    assert found.piece_bar == 1  # after the pickup, which is bar 0


def test_an_index_is_small_and_comes_back_as_it_was():
    rng = np.random.default_rng(1)
    pieces = [
        melody_of(
            list(zip(rng.choice([6, 12, 12, 24], 170).tolist(), rng.integers(55, 80, 170).tolist(), strict=True)),
            f"tune {i}",
        )
        for i in range(60)
    ]
    index = OriginalityIndex.of_melodies(pieces)
    data = index.to_bytes()
    again = OriginalityIndex.from_bytes(data)
    assert len(data) / index.notes < 2
    assert again.names == [piece.name for piece in pieces]
    for piece, start in zip(pieces, again.starts.tolist(), strict=True):
        row = row_of(notes_of(piece))
        assert again.intervals[start : start + len(row)].tolist() == [interval for interval, _ in row]
        assert again.gaps(start, start + len(row)) == [gap for _, gap in row]


def test_many_different_gaps_and_empty_pieces_are_kept():
    piece = melody_of([(gap + 1, 60) for gap in range(400)], "long")
    index = OriginalityIndex.of_melodies([Melody((), bars=1), piece, Melody((), bars=1)])
    again = OriginalityIndex.from_bytes(index.to_bytes())
    assert again.gaps(0, 399) == list(range(2, 401))
    assert again.longest_run(piece).notes == 400
    nothing = OriginalityIndex.from_bytes(OriginalityIndex.of_melodies([]).to_bytes())
    assert nothing.longest_run(piece).notes == 0
    assert CopyGuard(nothing, 3).banned([1, 2, 3, 4], [0, 1, 2, 3], 4) == set()


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_damaged_index_is_refused_in_a_sentence(data):
    sound = OriginalityIndex.of_melodies([melody_of([(6, 60), (12, 62), (6, 64)], "x")]).to_bytes()
    at = data.draw(st.integers(0, len(sound) - 1))
    byte = data.draw(st.integers(0, 255))
    broken = sound[:at] + bytes([byte]) + sound[at + 1 :] if data.draw(st.booleans()) else sound[:at]
    try:
        OriginalityIndex.from_bytes(broken)
    except CheckpointError as error:
        assert "damaged" in str(error)  # noqa: PT017
    else:
        assert broken == sound


@cache
def tunes(count):
    return [read_melodies(file)[0] for file in sorted(DATA.rglob("*.mid"))[:count]]


def copying_model(count):
    """The shipped model, told to keep away from some tunes of data/."""
    shipped = Checkpoint.load(resolve("folk"))
    return Model(replace(shipped, packed_index=OriginalityIndex.of_melodies(tunes(count)).to_bytes()), "folk")


def copies(model, limit, count, shelf, **wishes):
    """How many of `count` tunes, as files, hold a run of limit + 1 notes of the tunes on the shelf."""
    made = model.generate_many(count, 16, seed=5, max_copy=limit, **wishes)
    return sum(
        bool(shelf.copies([(n.onset, n.pitch) for n in sorted(read_tracks(midi_bytes(m)).melody)])) for m in made
    )


def test_no_run_longer_than_asked_for_is_written():
    model, limit = copying_model(60), 5
    shelf = Shelf([notes_of(tune) for tune in tunes(60)], limit + 1)
    assert copies(model, 0, 12, shelf) >= 3
    assert copies(model, limit, 12, shelf) == 0
    assert copies(model, limit, 4, shelf, form="AABA", best_of=8) == 0


@pytest.mark.slow
def test_a_thousand_tunes_share_no_run_longer_than_asked_for():
    model, limit = copying_model(300), 8
    shelf = Shelf([notes_of(tune) for tune in tunes(300)], limit + 1)
    without = copies(model, 0, 200, shelf)
    assert without >= 10
    assert copies(model, limit, 1000, shelf) == 0
    print(f"without a limit {without} of 200 tunes hold a run of {limit + 1} notes; with --max-copy {limit} 0 of 1,000")


def test_a_model_without_an_index_says_so():
    model = Model(checkpoint(), "toy")
    assert model.generate(bars=2, seed=1).bars == 2
    with pytest.raises(UsageError, match="--max-copy 8 cannot be kept: the model toy"):
        model.generate(bars=2, seed=1, max_copy=8)


def test_check_tells_run_piece_and_people(here, capsys):
    piece = melody_of([(12, 60 + i * 5 % 7) for i in range(20)], "The old one")
    people = {"pieces": 9, "median": 7.0, "p95": 12.0, "longest": 15}
    toy = checkpoint()
    told = replace(
        toy,
        provenance={**toy.provenance, "shared_runs": people},
        packed_index=OriginalityIndex.of_melodies([piece]).to_bytes(),
    )
    told.save("checkpoints/told.safetensors")
    piece.save("a.mid")
    assert run("check", "a.mid", "--model", "told") == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "a.mid: 20 of its 20 notes in a row" in printed
    assert "'The old one', from bar 1" in printed
    assert (
        "9 people's tunes that the model has not seen: 7 notes at the median, 12 at the 95th percentile, 15" in printed
    )
    assert run("check", "a.mid", "--model", "told", "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["files"][0]["notes"] == 20
    assert answer["held_out_human_tunes"] == people
    assert run("check", "a.mid", "--model", "told", "--max", 19) == 1
    assert "shares a run of more than 19 notes" in capsys.readouterr().err
    assert run("check", "a.mid", "--model", "told", "--max", 20) == 0
    assert run("check", "a.mid", "--model", "toy") == 1
    assert "does not say what it has learned from" in capsys.readouterr().err
    assert run("info", "a.mid", "--model", "told") == 0
    assert "20 of its 20 notes in a row" in capsys.readouterr().out


def test_an_index_goes_through_a_checkpoint_and_its_damage_is_named(tmp_path):
    packed = OriginalityIndex.of_melodies([melody_of([(6, 60), (6, 62), (6, 64)], "x")]).to_bytes()
    file = tmp_path / "m.safetensors"
    replace(checkpoint(), packed_index=packed).save(file)
    assert Checkpoint.load(file).packed_index == packed
    assert Checkpoint.load(file).index.names == ["x"]
    replace(checkpoint(), packed_index=packed[:-3]).save(file)
    with pytest.raises(CheckpointError, match=r"has an index of its training music that is damaged"):
        _ = Checkpoint.load(file).index
