"""What is locked stays, be it notes, their rhythm or their pitches, and what is free changes."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melodygru import Melody, Note, TimeSignature
from melodygru.errors import UsageError
from melodygru.formats.reading import read_melodies
from melodygru.writing.config import GenerationConfig
from melodygru.writing.constraints.base import in_range, of_classes
from melodygru.writing.constraints.elsewhere import Elsewhere
from melodygru.writing.constraints.past import Density, Prefers
from melodygru.writing.constraints.places import EndsOn, Leaps, NoRests, Pitches
from melodygru.writing.drawing import LOCK_PITCHES
from melodygru.writing.infilling import infill, whole_of
from melodygru.writing.locks import PITCHES, RHYTHM, Locks, parse_places, parts_of, share_changed
from melodygru.writing.variation import measured, vary
from tests.command_line import run
from tests.under_way import progress, together

QUARTERS = Melody(tuple(Note(60 + i, 24 * i, 24) for i in range(32)))


@pytest.fixture(scope="module")
def tune(model):
    return model.generate(bars=4, key="G", seed=2)


def test_places_are_bars_beats_and_notes():
    upbeat = Melody((Note(60, 72, 24), Note(62, 96, 12), Note(64, 120, 12)), bars=8, pickup=24)
    jig = Melody((Note(60, 0, 36),), TimeSignature(6, 8), bars=2)
    assert parse_places("1-2, 5:3-4", QUARTERS) == [(0, 192), (432, 480)]
    assert parse_places("8,5:1,n2-3,n1", QUARTERS) == [(672, 768), (384, 408), (24, 72), (0, 24)]
    assert parse_places("0,1,n2-3", upbeat) == [(0, 96), (96, 192), (96, 132)]
    assert parse_places("2:2", jig) == [(108, 144)]
    for text, words in {
        "9": "names 9, and the melody has bars 1 to 8",
        "0": "has bars 1 to 8",
        "2-1": "has bars 1 to 8",
        "9:1": "has bars 1 to 8",
        "5:5": "has in bar 5 beats 1 to 4",
        "n0": "has notes 1 to 32",
        "n31-33": "has notes 1 to 32",
        "": "write bars",
        "1;2": "write bars",
        "1,": "write bars",
        ",".join(["1"] * 201): "names 201 places",
    }.items():
        with pytest.raises(UsageError, match=words):
            parse_places(text, QUARTERS)
    with pytest.raises(UsageError, match="lock-pitches names 9"):
        parse_places("9", QUARTERS, LOCK_PITCHES)


def test_what_is_to_be_written_lies_between_what_stays():
    parts = parts_of(QUARTERS, (0, 768), Locks([(0, 96), (400, 440)], [(96, 192)], [(168, 288)]), 6)
    # The rhythm of the fourth quarter of bar 2 is locked twice over: so the note itself is.
    assert parts.rhythm == [(96, 168)]
    assert parts.pitches == [(192, 288)]
    # The notes that begin at 408 and 432 stay; the one that begins at 384 is free, and may sound up to 408.
    assert parts.free == [(288, 408), (456, 768)]
    assert np.flatnonzero(parts.closed).tolist() == list(range(400, 408))
    with pytest.raises(UsageError, match="leaves nothing to write"):
        parts_of(QUARTERS, (0, 96), Locks([(0, 96)]), 6)
    silent = Melody((Note(60, 0, 90), Note(62, 96, 90)), bars=4)
    # Between the locked notes there is silence, in which there is room for a sixteenth, if the grid has those.
    assert parts_of(silent, (0, 192), Locks([(0, 90), (96, 186)]), 6).free == [(90, 96), (186, 192)]
    with pytest.raises(UsageError, match="leaves nothing"):
        parts_of(silent, (0, 192), Locks([(0, 90), (96, 186)]), 12)
    assert parts_of(silent, (0, 384), Locks([(0, 192)]), 12).free == [(192, 384)]


def test_what_changed_is_counted_by_what_was_free():
    parts = parts_of(QUARTERS, (0, 192), Locks((), [(0, 48)], [(48, 96)]), 6)
    moved = [Note(61, 0, 24), Note(61, 24, 24), Note(62, 48, 12), Note(63, 60, 36), *QUARTERS.notes[4:]]
    assert share_changed(QUARTERS, Melody(tuple(moved)), parts) == pytest.approx(3 / 8)
    assert share_changed(QUARTERS, QUARTERS, parts) == 0


PLACES = st.one_of(
    st.integers(1, 4).map(str),
    st.tuples(st.integers(1, 4), st.integers(1, 4)).map(lambda two: f"{two[0]}:{two[1]}"),
    st.integers(1, 8).map(lambda first: f"n{first}-{first + 2}"),
)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(
    st.dictionaries(st.sampled_from(["lock", "lock_rhythm", "lock_pitches"]), PLACES, min_size=1),
    st.sampled_from([None, (0, 192), (96, 384)]),
    st.integers(0, 99),
)
def test_what_is_locked_stays_and_what_is_free_changes(model, tune, said, span, seed):
    locks, span = Locks.of(said, tune), span or whole_of(tune)
    try:
        parts = parts_of(tune, span, locks, 6)
    except UsageError:
        return
    done = infill(model, tune, span, GenerationConfig(max_copy=0), seed, 2, locks=locks).melody

    def inside(note, spans):
        return any(start <= note.onset < end for start, end in spans)

    assert [n for n in tune.notes if not inside(n, parts.spans)] == [
        n for n in done.notes if not inside(n, parts.spans)
    ]
    for one in parts.rhythm:
        before, after = ([(n.onset, n.duration) for n in m.notes if inside(n, [one])] for m in (tune, done))
        assert before == after
    for one in parts.pitches:
        before, after = ([n.pitch for n in m.notes if inside(n, [one])] for m in (tune, done))
        assert before == after
    assert not any(parts.closed[n.onset] for n in done.notes)
    assert share_changed(tune, done, parts) > 0


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    st.dictionaries(st.sampled_from(["lock", "lock_rhythm", "lock_pitches"]), PLACES, min_size=1),
    st.sampled_from([None, "rhythm", "contour", "pitches"]),
    st.integers(0, 99),
)
def test_a_variation_keeps_what_is_locked_and_changes_the_rest(model, tune, said, keep, seed):
    locks = Locks.of(said, tune)
    kept = locks.at(tune.length)
    try:
        done = vary(model, tune, 1.0, GenerationConfig(max_copy=0), seed, keep, candidates=2, locks=locks)
    except UsageError:
        return  # too little is left: told below
    after = {note.onset: note for note in done.melody.notes}
    changes = {None: RHYTHM | PITCHES, "pitches": RHYTHM}.get(keep, PITCHES)
    for note in tune.notes:
        if kept[note.onset] == RHYTHM | PITCHES:
            assert after[note.onset] == note
        elif kept[note.onset] == RHYTHM:
            assert after[note.onset].duration == note.duration
    if keep in (None, "pitches"):
        for start, end in locks.pitches:
            before = [n.pitch for n in tune.notes if start <= n.onset < end and kept[n.onset] == PITCHES]
            rows = [n.pitch for n in done.melody.notes if start <= n.onset < end and kept[n.onset] == PITCHES]
            assert before == rows or RHYTHM in kept[start:end]
    free = [n for n in tune.notes if kept[n.onset] & changes != changes]
    assert done.amount == pytest.approx(measured(free, done.melody, keep))
    assert done.amount > 0


def test_of_a_locked_rhythm_a_variation_changes_every_pitch(model, tune):
    locks = Locks.of({"lock_rhythm": "1-2", "lock": "3"}, tune)
    done = vary(model, tune, 1.0, GenerationConfig(max_copy=0), 3, candidates=2, locks=locks).melody
    for one, other in zip(tune.notes, done.notes, strict=False):
        if one.onset < 192:
            assert (one.onset, one.duration) == (other.onset, other.duration)
            assert one.pitch != other.pitch
    assert [n for n in tune.notes if 192 <= n.onset < 288] == [n for n in done.notes if 192 <= n.onset < 288]
    assert [n for n in tune.notes if n.onset >= 288] != [n for n in done.notes if n.onset >= 288]
    with pytest.raises(UsageError, match="leaves nothing to vary"):
        vary(model, tune, 1.0, GenerationConfig(max_copy=0), 3, "rhythm", locks=Locks(pitches=[(0, 384)]))


@pytest.mark.parametrize("free", ["n1", "n7", "n12"])
def test_a_single_free_note_comes_out_another(model, tune, free):
    number = int(free[1:])
    rest = ",".join(
        f"n{first}-{last}" for first, last in [(1, number - 1), (number + 1, len(tune.notes))] if first <= last
    )
    for seed in range(3):
        locks = Locks.of({"lock": rest}, tune)
        config = GenerationConfig(temperature=0.01, max_copy=0)
        done = infill(model, tune, whole_of(tune), config, seed, 2, locks=locks).melody
        assert set(tune.notes) - set(done.notes) == {tune.notes[number - 1]}


def test_wishes_hold_where_they_can(model, tune):
    """Of locked pitches nothing is wished, nor of a locked rhythm what a rhythm is; of all else it is."""
    locks = Locks.of({"lock_pitches": "1", "lock_rhythm": "2", "lock": "3:1-2"}, tune)
    config = GenerationConfig(
        scale="major pentatonic", grid="1/8", triplets=False, max_leap=5, rests="none", max_copy=0
    )
    done = infill(model, tune, whole_of(tune), config, 1, 4, locks=locks).melody
    assert [n.pitch for n in done.notes if n.onset < 96] == [n.pitch for n in tune.notes if n.onset < 96]
    new = [n for n in done.notes if n.onset >= 96 and n not in tune.notes]
    assert {(n.pitch - 7) % 12 for n in new} <= {0, 2, 4, 7, 9}
    assert all(n.onset % 12 == 0 for n in done.notes if n.onset < 96 or n.onset >= 240)


def test_a_rule_is_silent_in_some_places():
    ends = np.arange(1, 200)
    rule = Elsewhere(Pitches(in_range(60, 62)), [(48, 96)])
    assert rule.begins(0).sum() == 3
    assert rule.begins(48) is None
    assert rule.begins(96).sum() == 3
    assert Elsewhere(NoRests(), [(48, 96)]).rests(60, ends) is None
    assert not Elsewhere(NoRests(), [(48, 96)]).rests(0, ends).any()
    assert Elsewhere(EndsOn([0], 96), [(48, 96)]).closes(96).sum() == of_classes([0]).sum()
    assert Elsewhere(Density(4, 96), [(48, 96)]).counts(48, 96) is None
    assert Elsewhere(Density(4, 96), [(48, 96)]).counts(0, 96) == (3, 5)
    leaps = Elsewhere(Leaps(2), [(48, 96)])
    assert leaps.follows() is None
    rows = together(progress([(0, 60)], onset=24), progress([(0, 60)], onset=48), progress(onset=0))
    assert [row.sum() for row in leaps.pitches(rows)] == [5, 128, 128]
    wished = Elsewhere(Prefers(lambda onset: in_range(60, 60)), [(48, 96)]).pitch_preference(rows)
    assert (wished[0] < 0).sum() == 127
    assert not wished[1].any()


def test_the_command_line_locks_and_makes_again(here, capsys):
    assert run("generate", "--model", "folk", "--bars", 4, "--seed", 1, "a.mid") == 0
    assert run("infill", "a.mid", "b.mid", "--lock", "1,3:1-2", "--lock-rhythm", "2", "--best-of", 4, "--seed", 1) == 0
    assert "what is not locked of a.mid anew" in capsys.readouterr().out
    assert run("vary", "b.mid", "c.mid", "--scale", "major pentatonic", "--best-of", 2, "--seed", 1, "--json") == 0
    assert run("infill", "c.mid", "d.mid", "--bars", "2-3", "--lock-pitches", "2", "--best-of", 4, "--seed", 1) == 0
    assert run("vary", "a.mid", "v.mid", "--lock", "1", "--lock-rhythm", "2", "--best-of", 2, "--seed", 1) == 0
    before, after = (read_melodies(name)[0] for name in ("a.mid", "v.mid"))
    assert [n for n in before.notes if n.onset < 96] == [n for n in after.notes if n.onset < 96]
    for name in ("a", "b", "c", "d", "v"):
        assert run("replay", f"{name}.mid") == 0
    capsys.readouterr()
    assert run("infill", "a.mid", "e.mid", "--lock", "3", "--seed", 1, "--best-of", 2, "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["lock"] == "3"
    Path("o.toml").write_text('lock = "1-4"\n', "utf-8")
    assert run("infill", "a.mid", "f.mid", "--options", "o.toml") == 2
    assert "leaves nothing to write" in capsys.readouterr().err
    assert run("infill", "a.mid", "f.mid") == 2
    assert "say which bars with --bars 5-8, or what stays with --lock" in capsys.readouterr().err
