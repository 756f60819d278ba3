"""Files of ours are read as they were written: swing and pickup are what they say, not what their notes look like."""

import json
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru import Key, Melody, Note, TimeSignature
from melodygru.formats.midi.performance import Performance
from melodygru.formats.midi.writer import midi_bytes, write_midi
from melodygru.writing.config import GenerationConfig
from melodygru.writing.editing import Tune
from melodygru.writing.recipe import Recipe
from melodygru.writing.replay import input_of
from tests.command_line import run

EIGHTHS, SIXTEENTHS, QUARTER, TRIPLETS = (
    ((0, 12), (12, 12)),
    ((0, 6), (6, 6), (12, 12)),
    ((0, 24),),
    ((0, 8), (8, 8), (16, 8)),
)


def tune(quarters):
    """A melody of quarters, each a choice of the above."""
    notes = [
        Note(60 + (7 * place + onset) % 13, 24 * place + onset, length)
        for place, parts in enumerate(quarters)
        for onset, length in parts
    ]
    return Melody(tuple(notes), TimeSignature(4, 4), Key(), bars=-(-len(quarters) // 4))


def saying(melody, performance=Performance(), **config):
    """The melody as a file that says how it was made."""
    recipe = Recipe("0.1.0", "folk", "", 1, config=GenerationConfig(**config), performance=performance)
    return midi_bytes(melody, performance, text=recipe.text())


@given(st.lists(st.sampled_from([EIGHTHS, SIXTEENTHS, QUARTER]), min_size=8, max_size=24), st.floats(0.5, 0.75))
def test_what_is_swung_is_read_as_it_was_written(quarters, swing):
    melody = tune(quarters)
    assert Tune.parse(saying(melody, Performance(swing=swing)), "").melody.notes == melody.notes


@pytest.mark.parametrize("swing", [0.55, 0.6, 0.62, 0.64, 0.7, 0.75])
def test_triplets_among_swung_eighths_stay_triplets(swing):
    random = Random(3)
    melody = tune([random.choice([EIGHTHS, EIGHTHS, QUARTER, TRIPLETS]) for _ in range(32)])
    assert Tune.parse(saying(melody, Performance(swing=swing)), "").melody.notes == melody.notes


def test_swung_eighths_that_are_humanized_are_no_triplets():
    melody = tune([EIGHTHS, QUARTER] * 16)
    found = Tune.parse(saying(melody, Performance(swing=0.64, humanize=0.3, seed=4)), "").melody
    assert [note.onset for note in found.notes] == [note.onset for note in melody.notes]


def test_a_file_that_was_set_straight_since_is_read_straight():
    melody = tune([EIGHTHS, QUARTER, EIGHTHS, EIGHTHS] * 4)
    recipe = Recipe("0.1.0", "folk", "", 1, performance=Performance(swing=0.7))
    tune_ = Tune.parse(midi_bytes(melody, text=recipe.text()), "")
    assert tune_.melody.notes == melody.notes
    assert tune_.ticks()(12) == 240


def test_new_notes_lie_where_swung_eighths_do_and_the_rest_stays():
    melody = tune([EIGHTHS] * 16)
    file = Tune.parse(saying(melody, Performance(swing=2 / 3)), "")
    notes = list(file.melody.notes)
    notes[5] = Note(80, notes[5].onset, 12)
    again = Tune.parse(file.rewritten(Melody(tuple(notes), TimeSignature(4, 4), Key(), bars=4), saying_text()), "")
    before, after = file.raw.tracks[0].notes, again.raw.tracks[0].notes
    assert [note.onset for note in after] == [note.onset for note in before]
    assert [note.pitch for note in after][5] == 80
    assert again.melody.notes == tuple(notes)


def saying_text():
    return Recipe("0.1.0", "folk", "", 2, performance=Performance(swing=2 / 3), command="vary").text()


def test_what_plays_around_triplets_swings_on():
    file = Tune.parse(saying(tune([TRIPLETS, EIGHTHS, EIGHTHS, QUARTER] * 4), Performance(swing=0.64)), "")
    assert [file.ticks()(step) for step in (12, 36)] == [round(0.64 * 480), 480 + round(0.64 * 480)]


def test_a_first_bar_that_begins_with_a_rest_is_no_pickup():
    notes = tuple(Note(60 + i % 5, 72 + 24 * i, 24) for i in range(29))
    melody = Melody(notes, TimeSignature(4, 4), Key(), bars=8)
    found = Tune.parse(saying(melody), "").melody
    assert (found.pickup, found.bars, found.notes) == (0, 8, notes)


def test_a_long_pickup_is_one():
    notes = tuple(Note(60 + i % 5, 24 + 24 * i, 24) for i in range(35))
    melody = Melody(notes, TimeSignature(4, 4), Key(), pickup=72, bars=8)
    found = Tune.parse(saying(melody, pickup="3/4"), "").melody
    assert (found.pickup, found.bars) == (72, 8)


def test_what_was_changed_still_says_it_and_is_made_again(tmp_path):
    notes = tuple(Note(60 + i % 5, 72 + 12 * i, 12) for i in range(42))
    data = saying(Melody(notes, TimeSignature(4, 4), Key(), bars=6), Performance(swing=0.64))
    first, second, third, again = (tmp_path / f"{name}.mid" for name in ("first", "second", "third", "again"))
    first.write_bytes(data)
    assert run("vary", first, second, "--model", "folk", "--seed", 1, "--best-of", 1) == 0
    assert run("arrange", second, third, "--seed", 1) == 0
    assert Tune.read(third).melody.bars == 6
    for path in (second, third):
        assert run("replay", path, again, "--force") == 0
        assert again.read_bytes() == path.read_bytes()


def test_files_changed_before_are_made_again_as_they_were_read_then(tmp_path):
    """Recipes without the word of it: the input was read without asking what it says."""
    melody = tune([EIGHTHS, QUARTER] * 8)
    first, second = tmp_path / "first.mid", tmp_path / "second.mid"
    first.write_bytes(saying(melody, Performance(swing=2 / 3)))
    assert run("vary", first, second, "--model", "folk", "--seed", 1, "--best-of", 1) == 0
    recipe = Recipe.find(Tune.read(second).raw.texts)
    details = dict(recipe.details)
    assert details.pop("own_word") is True
    assert input_of(recipe).melody.notes == melody.notes
    assert {note.onset % 24 for note in input_of(replace(recipe, details=details)).melody.notes} == {0, 16}


@pytest.mark.parametrize("values", ["[]", '{"performance":{"swing":9}}', '{"command":"generate","performance":{}}'])
def test_a_damaged_recipe_says_nothing(values):
    melody = tune([EIGHTHS] * 8)
    assert json.loads(values) is not None
    assert Tune.parse(midi_bytes(melody, text=f"@Imelodygru {values}"), "").melody.notes == melody.notes


def test_a_pickup_alone_leaves_the_metre_that_the_file_states(tmp_path, capsys):
    path, out = tmp_path / "in.mid", tmp_path / "out.mid"
    write_midi(tune([QUARTER] * 33), path)
    for pickup in ("1", "1/4"):
        assert run("arrange", path, out, "--pickup", pickup, "--seed", 1, "--force") == 0
        assert "8 bars of 4/4" in capsys.readouterr().out
    assert run("arrange", path, out, "--pickup", "some", "--force") == 2
    assert "give quarters" in capsys.readouterr().err


def test_of_one_note_no_metre_is_heard(tmp_path):
    path = tmp_path / "one.mid"
    data = midi_bytes(Melody((Note(60, 0, 24),), TimeSignature(4, 4), Key(), bars=1), Performance(no_key=True))
    stated = data.find(b"\xff\x58\x04")
    path.write_bytes(data[:stated] + b"\xff\x01\x04abcd" + data[stated + 7 :])
    read = Tune.read(path)
    assert str(read.melody.time_signature) == "4/4"
    assert any(remark.startswith("metre assumed") for remark in read.extraction.remarks)
