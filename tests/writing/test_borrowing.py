"""A new melody has another one's rhythm, or its pitches in their order, and is new in all else."""

from pathlib import Path

import pytest

from melodygru import Key, Melody, Note, TimeSignature
from melodygru.errors import UsageError
from melodygru.writing.borrowing import one_source, plan_borrowing
from melodygru.writing.config import GenerationConfig
from tests.command_line import run
from tests.wish_checker import chord_of

WALTZ = Melody(
    (Note(62, 60, 12), *(Note(67 + i % 5, 72 + 24 * i, 18 if i % 3 else 24) for i in range(17)), Note(67, 480, 12)),
    TimeSignature(3, 4), Key.parse("G"), 150.0, pickup=12, bars=6,
)  # fmt: skip


def rhythm_of(melody):
    return [(note.onset, note.duration) for note in melody.notes]


def test_it_has_the_rhythm_and_new_pitches(model):
    made = model.generate_many(3, rhythm=WALTZ, seed=1, max_copy=0)
    assert len({tuple(note.pitch for note in one.notes) for one in made}) == 3
    for one in made:
        assert rhythm_of(one) == rhythm_of(WALTZ)
        assert (one.time_signature, one.bars, one.pickup, one.qpm) == (WALTZ.time_signature, 6, 12, 150)
        assert str(one.key) == "G major"
        assert one.notes[-1].pitch % 12 == 7
        assert [n.pitch for n in one.notes] != [n.pitch for n in WALTZ.notes]


def test_wishes_for_pitches_hold_over_a_rhythm(model):
    asked = {"chords": "D A", "chord_mode": "strict", "range": "D4:F5", "max_leap": 7, "density": 1.0, "rests": "none"}
    made = model.generate(rhythm=WALTZ, seed=2, max_copy=0, **asked)
    assert rhythm_of(made) == rhythm_of(WALTZ)  # what is wished of a rhythm has no meaning
    assert all(62 <= note.pitch <= 77 for note in made.notes)
    assert all(abs(a.pitch - b.pitch) <= 7 for a, b in zip(made.notes, made.notes[1:], strict=False))
    for note in made.notes:
        if note.onset >= 72 and note.onset % 72 == 0:
            assert note.pitch % 12 in chord_of("D" if note.onset // 72 % 2 else "A")


def test_it_has_the_pitches_in_their_order(model):
    for asked in ({}, {"bars": 8}, {"meter": "4/4", "bars": 5}, {"pickup": "1/4", "scale": "blues", "max_leap": 1}):
        made = model.generate(pitches=WALTZ, seed=3, **asked)
        assert [note.pitch for note in made.notes] == [note.pitch for note in WALTZ.notes]
        assert made.bars == asked.get("bars", 6)
        assert str(made.time_signature) == asked.get("meter", "3/4")
        assert made.pickup == (24 if "pickup" in asked else 0)


def test_what_contradicts_is_told():
    for asked, words in {
        (("meter", "4/4"),): "--meter 4/4 and --rhythm contradict each other: it has 3/4",
        (("bars", 8),): "--bars 8 and --rhythm contradict each other: it has 6 bars",
        (("form", "AABA"),): "--form AABA and --rhythm",
        (("pickup", "1/4"),): "--pickup 1/4 and --rhythm",
    }.items():
        with pytest.raises(UsageError, match=words):
            plan_borrowing(GenerationConfig(**dict(asked)), WALTZ, "rhythm")
    with pytest.raises(
        UsageError, match="19 pitches do not fit into 1 bar of 3/4 on a grid of 1/16; ask for more --bars"
    ):
        plan_borrowing(GenerationConfig(bars=1), WALTZ, "pitches")
    with pytest.raises(UsageError, match="--form AB and --pitches"):
        plan_borrowing(GenerationConfig(form="AB"), WALTZ, "pitches")
    with pytest.raises(UsageError, match="--rhythm and --pitches contradict"):
        one_source(None, WALTZ, WALTZ)
    with pytest.raises(UsageError, match="has no notes"):
        plan_borrowing(GenerationConfig(), Melody((), bars=2), "rhythm")
    assert one_source(WALTZ, None, None) == (WALTZ, "")


def test_the_command_line_takes_both_and_makes_them_again(here, capsys):
    assert run("generate", "--model", "folk", "--bars", 4, "--meter", "3/4", "--seed", 1, "a.mid") == 0
    Path("r").mkdir()
    assert run("generate", "--rhythm", "a.mid", "--key", "D", "--chords", "D A", "--seed", 1, "--count", 2, "r") == 0
    assert run("generate", "--pitches", "a.mid", "--bars", 5, "--meter", "4/4", "--seed", 1, "p.mid") == 0
    a, p = Melody.from_midi("a.mid"), Melody.from_midi("p.mid")
    assert [n.pitch for n in a.notes] == [n.pitch for n in p.notes]
    made = sorted(Path("r").iterdir())
    assert len(made) == 2
    for file in made:
        assert rhythm_of(Melody.from_midi(file)) == rhythm_of(a)
        assert run("replay", file) == 0
    assert run("replay", "p.mid") == 0
    capsys.readouterr()
    assert run("generate", "--rhythm", "a.mid", "--primer", "a.mid", "x.mid") == 2
    assert "--primer and --rhythm contradict each other" in capsys.readouterr().err
    assert run("generate", "--rhythm", "nothing.mid", "x.mid") == 1
