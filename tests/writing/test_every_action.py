"""All wishes hold in every action: what is written anew within a melody keeps to what was asked for, whoever asks."""

from itertools import pairwise

import pytest

from melodygru import Melody, Note, TimeSignature
from melodygru.errors import UsageError
from melodygru.option import described, taken_by
from melodygru.writing.config import GenerationConfig
from melodygru.writing.drawing import WHOLE, WRITING
from melodygru.writing.infilling import infill
from melodygru.writing.rewriting import joining, leave_to_melody, pitches_wished, rests_wanted, span_of, wishes_for
from melodygru.writing.variation import vary
from tests.command_line import run
from tests.wish_checker import chord_of

PENTATONIC = {7, 9, 11, 2, 4}
CHORDS = ("G", "Am", "D7", "G")


def new_notes(before, after):
    return sorted(set(after.notes) - set(before.notes), key=lambda note: note.onset)


def off_chord(notes):
    """Those that sound over a strong beat (the first and the third of four) with no tone of its chord."""
    return [
        (note, beat)
        for note in notes
        for beat in range(-(-note.onset // 48) * 48, note.end, 48)
        if note.pitch % 12 not in chord_of(CHORDS[beat // 96 % 4])
    ]


def test_every_wish_is_of_a_whole_melody_or_of_all_that_write():
    others = ("bars", "meter", "bpm", "pickup", "form", "section_bars", "section", "motif", "seams", "plain_sections")
    for name, one in described(GenerationConfig).items():
        assert one.commands == WHOLE if name in others else set(WRITING) <= set(one.commands), name
    assert [one.name for one in taken_by("infill", GenerationConfig)] == [
        one.name for one in taken_by("vary", GenerationConfig)
    ]
    waltz = Melody((Note(60, 0, 72),), TimeSignature(3, 4))
    said = {"bars": 8, "meter": "2/4", "density": 4.0, "chords": "C F", "beats_per_chord": 3.0}
    within = wishes_for("vary", said, waltz)
    assert within.as_dict() == {"density": 4, "chords": "C F", "beats_per_chord": 3, "meter": "3/4"}
    leave_to_melody(within, "vary", waltz)
    leave_to_melody(GenerationConfig(bars=8), "generate", waltz)
    for asked in ({"bars": 8}, {"meter": "4/4"}):
        with pytest.raises(UsageError, match=f"--{next(iter(asked))} is the melody's own here"):
            leave_to_melody(GenerationConfig(**asked), "vary", waltz)


@pytest.mark.parametrize("keep", [None, "rhythm", "contour"])
@pytest.mark.parametrize("amount", [0.4, 1.0])
def test_a_variation_keeps_to_scale_chords_and_range(model, tune, keep, amount):
    for asked in ({"scale": "major pentatonic"}, {"chords": " ".join(CHORDS), "chord_mode": "strict"}):
        config = GenerationConfig(range="D4:G5", max_copy=0, **asked)
        done = vary(model, tune, amount, config, 3, keep, candidates=2).melody
        new = new_notes(tune, done)
        assert new
        assert all(62 <= note.pitch <= 79 for note in new)
        if "scale" in asked:
            assert {note.pitch % 12 for note in new} <= PENTATONIC
        else:
            assert off_chord(new) == []


def test_what_is_not_as_wished_for_changes_first(model, tune):
    config = GenerationConfig(scale="major pentatonic", max_copy=0)

    def clashing(melody):
        legal = pitches_wished(config, melody)
        return {i for i, note in enumerate(melody.notes) if not legal[i, note.pitch]}

    off = clashing(tune)
    assert off == {i for i, note in enumerate(tune.notes) if note.pitch % 12 not in PENTATONIC}
    assert 0 < len(off) < len(tune.notes) / 2
    done = vary(model, tune, len(off) / len(tune.notes), config, 1, "rhythm", candidates=2)
    assert clashing(done.melody) == set()


@pytest.mark.parametrize("density", [2.0, 9.0])
def test_a_variation_has_as_many_notes_as_asked_for(model, tune, density):
    done = vary(model, tune, 1, GenerationConfig(density=density), 1, candidates=2).melody
    assert abs(len(done.notes) / done.bars - density) <= 1
    part = vary(model, tune, 0.5, GenerationConfig(density=density), 1, candidates=2).melody
    assert (len(part.notes) < len(tune.notes)) == (density < len(tune.notes) / 8)


@pytest.mark.parametrize("leap", [2, 4])
def test_no_new_note_is_farther_from_its_neighbours_than_asked_for(model, tune, leap):
    config = GenerationConfig(max_leap=leap, no_repeat_notes=1, max_copy=0)
    for keep in (None, "rhythm"):
        for seed in range(4):
            done = vary(model, tune, 0.3, config, seed, keep, candidates=2)
            new = set(new_notes(tune, done.melody))
            assert 0 < done.amount <= 0.34
            for one, two in pairwise(done.melody.notes):
                if one in new or two in new:
                    assert 0 < abs(one.pitch - two.pitch) <= leap
    filled = infill(model, tune, span_of(tune, 3, 4), GenerationConfig(max_leap=5, max_copy=0), 1, 4).melody
    new = set(new_notes(tune, filled))
    assert all(abs(a.pitch - b.pitch) <= 5 for a, b in pairwise(filled.notes) if a in new or b in new)


def test_what_may_lead_to_a_kept_note():
    assert joining(GenerationConfig(), 60).all()
    assert joining(GenerationConfig(max_leap=2), None).all()
    legal = joining(GenerationConfig(max_leap=2, no_repeat_notes=3), 60).nonzero()[0].tolist()
    assert legal == [58, 59, 61, 62]


def test_rests_are_wanted_where_none_is_kept():
    config = GenerationConfig(rests="some")
    full = Melody(tuple(Note(60, at, 24) for at in range(0, 8 * 96, 24)))
    assert rests_wanted(config, full, [(96, 192)], [(0, 768)]) == [(96, 192)]
    # The last bar is the end's; six steps hold a sixteenth and no rest beside it.
    assert rests_wanted(config, full, [(96, 102), (408, 456), (672, 768)], [(0, 768)]) == [(408, 456)]
    silent = Melody(tuple(note for note in full.notes if note.onset != 192), bars=8)
    assert rests_wanted(config, silent, [(96, 168)], [(0, 768)]) == []


@pytest.mark.parametrize("change", ["infill", "vary"])
def test_rests_come_and_go_as_asked_for(model, change):
    tune = Melody(tuple(Note(62 + 2 * (at // 24 % 3), at, 24) for at in range(0, 8 * 96, 24)))

    def changed(rests):
        config = GenerationConfig(rests=rests, max_copy=0)
        if change == "infill":
            return infill(model, tune, (0, 768), config, 1, 4).melody
        return vary(model, tune, 1, config, 1, candidates=2).melody

    def rests_in(melody):
        return [one.end for one, two in pairwise(melody.notes) if one.end < two.onset]

    assert rests_in(changed("none")) == []
    some = rests_in(changed("some"))
    assert any(at < 384 for at in some)
    assert any(384 <= at < 672 for at in some)


def test_a_variation_follows_a_line_over_the_whole_melody(model, tune):
    line = [67, 79, 67]
    done = vary(model, tune, 1, GenerationConfig(contour="67 79 67", range="C4:C6", max_copy=0), 1, candidates=2).melody
    for note in done.notes:
        at = min(note.onset / (tune.length - 24), 1.0) * 2
        height = line[0] + 12 * min(at, 2 - at)
        assert abs(note.pitch - height) <= 9  # the line lies in the range, near the tonic; four semitones to each side


def test_the_command_line_takes_them_all(here, capsys):
    assert run("generate", "--model", "folk", "--meter", "3/4", "--bars", 4, "--key", "C", "--seed", 5, "a.mid") == 0
    asked = ("--best-of", 2, "--seed", 1, "--max-copy", 0)
    chords = ("--chords", "vi IV", "--beats-per-chord", 3, "--chord-mode", "strict")
    assert run("vary", "a.mid", "b.mid", "--amount", 0.5, *chords, *asked) == 0
    assert run("vary", "a.mid", "c.mid", "--amount", 1, "--scale", "A minor pentatonic", *asked) == 0
    assert {note.pitch % 12 for note in Melody.from_midi("c.mid").notes} <= {9, 0, 2, 4, 7}
    assert run("infill", "a.mid", "d.mid", "--bars", "2-3", "--rests", "none", "--density", 6, *asked) == 0
    for name in ("b", "c", "d"):
        assert run("replay", f"{name}.mid") == 0
    capsys.readouterr()
    assert run("vary", "a.mid", "e.mid", "--form", "AABA") == 2
    assert "vary has no option --form" in capsys.readouterr().err
