"""How a melody is played: ticks and velocities, before any file is written."""

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru import Melody, Note, TimeSignature
from melodygru.errors import UsageError
from melodygru.formats.midi.performance import TIMING_SECONDS, Clock, Performance, can_swing, perform
from melodygru.music.instruments import EVERYDAY, find_program, program_name
from tests.strategies import melodies

RESOLUTIONS = st.sampled_from([24, 96, 480, 960])
EIGHTHS = Melody(tuple(Note(60 + i, 12 * i, 12) for i in range(8)))


@st.composite
def performances(draw, metre):
    return Performance(
        velocity=draw(st.integers(1, 127)),
        swing=draw(st.floats(0.5, 0.75)) if can_swing(metre) else 0.5,
        humanize=draw(st.floats(0, 1)),
        seed=draw(st.integers(0, 2**40)),
        ppq=draw(RESOLUTIONS),
    )


@given(st.data(), melodies(max_notes=16))
def test_notes_keep_their_order_and_their_bars_however_they_are_played(data, melody):
    performance = data.draw(performances(melody.time_signature))
    struck = perform(melody, performance)
    assert [note.pitch for note in struck] == [note.pitch for note in melody.notes]
    assert all(1 <= note.velocity <= 127 for note in struck)
    assert all(note.onset < note.end for note in struck)
    assert all(one.end <= two.onset for one, two in pairwise(struck))
    for before, after in zip(pairwise(melody.notes), pairwise(struck), strict=True):
        if before[0].end == before[1].onset:
            assert after[0].end == after[1].onset, "what touches goes on touching"
        elif performance.ppq >= 96:
            assert after[0].end < after[1].onset
    if struck:
        assert struck[0].onset >= 0
        assert struck[-1].end <= melody.length * performance.ppq // 24


@given(melodies(max_notes=16), RESOLUTIONS)
def test_without_wishes_every_note_lies_on_the_grid(melody, ppq):
    step = ppq // 24
    assert [(one.onset, one.end) for one in perform(melody, Performance(ppq=ppq, seed=7))] == [
        (note.onset * step, note.end * step) for note in melody.notes
    ]


def onsets(steps, swing, ppq=480, metre="4/4"):
    """Where notes at `steps`, that last to the next one, are struck, in ticks."""
    notes = tuple(Note(60, one, two - one) for one, two in pairwise([*steps, steps[-1] + 3]))
    melody = Melody(notes, TimeSignature.parse(metre))
    return [note.onset for note in perform(melody, Performance(swing=swing, ppq=ppq))]


@pytest.mark.parametrize("metre", ["4/4", "3/4", "2/2", "5/4", "2/8"])
def test_swing_of_two_thirds_plays_the_second_eighth_on_the_triplet(metre):
    assert onsets([0, 12, 24, 36], 2 / 3, metre=metre) == [0, 320, 480, 800]
    assert onsets([0, 12, 24, 36], 0.667, ppq=24, metre=metre) == [0, 16, 24, 40]


def test_swing_stretches_the_first_half_of_a_quarter_and_shortens_the_second():
    assert onsets([0, 6, 12, 18, 24], 0.75) == [0, 180, 360, 420, 480]
    clock = Clock(Melody((Note(60, 0, 24),)), Performance(swing=0.75))
    assert [clock.tick(step) for step in range(25)] == [*range(0, 360, 30), *range(360, 490, 10)]
    assert onsets([0, 6, 12, 18, 24], 0.6) == [0, 144, 288, 384, 480]
    assert onsets([0, 3, 6, 9, 12, 15, 18, 21, 24], 0.75, ppq=24) == [0, 5, 9, 14, 18, 20, 21, 23, 24]


def test_triplets_are_played_as_they_stand_and_swung_eighths_meet_them():
    assert onsets([0, 8, 16, 24, 36, 48], 2 / 3) == [0, 160, 320, 480, 800, 960]
    assert onsets([0, 4, 8, 12, 24, 36, 48], 0.75) == [0, 80, 160, 240, 480, 840, 960]


def test_releases_swing_with_what_follows():
    struck = perform(Melody((Note(60, 0, 12), Note(62, 24, 9))), Performance(swing=0.6))
    assert [(note.onset, note.end) for note in struck] == [(0, 288), (480, 480 + 216)]
    short = Melody(tuple(Note(60, 3 * i, 1) for i in range(32)))
    struck = perform(short, Performance(swing=0.75, ppq=24))
    assert all(one.onset < one.end <= two.onset for one, two in pairwise(struck))
    assert struck[-1].end <= 96


@pytest.mark.parametrize("metre", ["6/8", "12/8", "3/8", "7/8", "5/16"])
def test_metres_without_pairs_of_eighths_refuse_swing_and_play_straight(metre):
    melody = Melody((Note(60, 0, 12), Note(62, 12, 12)), TimeSignature.parse(metre))
    with pytest.raises(UsageError, match=rf"swing 0\.6 .* {metre}"):
        perform(melody, Performance(swing=0.6))
    with pytest.raises(UsageError, match=metre):
        Performance(swing=0.6).check(melody.time_signature)
    assert [note.onset for note in perform(melody, Performance())] == [0, 240]


@given(st.floats(0.5, 0.75), st.sets(st.integers(0, 23)), RESOLUTIONS)
def test_the_clock_never_goes_back_and_quarters_stay_where_they_are(swing, edges, ppq):
    notes = tuple(Note(60, edge, 1) for edge in sorted(edges))
    clock = Clock(Melody(notes), Performance(swing=swing, ppq=ppq))
    ticks = [clock.tick(step) for step in range(97)]
    assert ticks[::24] == [0, ppq, 2 * ppq, 3 * ppq, 4 * ppq]
    assert ticks == sorted(ticks)


def many(count=4000):
    """Quarters, one after another."""
    return Melody(tuple(Note(60, 24 * i, 24) for i in range(count)), qpm=60.0)


@pytest.mark.parametrize("humanize", [0.25, 1.0])
def test_humanize_has_the_spread_that_it_promises(humanize):
    melody = many()
    straight = perform(melody, Performance(ppq=9600))
    human = perform(melody, Performance(humanize=humanize, ppq=9600, seed=1))
    seconds = np.array([(b.onset - a.onset) / 9600 for a, b in zip(straight, human, strict=True)][1:])
    assert seconds.std() == pytest.approx(humanize * TIMING_SECONDS, rel=0.05)
    assert abs(seconds.mean()) < humanize * 0.001
    assert abs(seconds).max() <= 3.01 * humanize * TIMING_SECONDS
    louder = np.array([b.velocity - a.velocity for a, b in zip(straight, human, strict=True)])
    assert louder.std() == pytest.approx(8 * humanize, rel=0.06)
    assert abs(louder.mean()) < 0.3


def test_humanize_never_takes_more_than_a_quarter_of_a_gap():
    melody = Melody(tuple(Note(60 + i % 5, 3 * i, 3) for i in range(400)), qpm=1000.0)
    struck = perform(melody, Performance(humanize=1.0, seed=3))
    assert min(note.end - note.onset for note in struck[1:-1]) >= 30
    assert len({note.end - note.onset for note in struck}) > 20


def test_humanize_goes_by_its_seed_alone():
    human = [perform(EIGHTHS, Performance(humanize=0.5, seed=seed)) for seed in (1, 1, 2)]
    assert human[0] == human[1] != human[2]
    # The same on every machine and with every version of Python: written down once.
    assert human[0][:3] == [(0, 234, 60, 96), (234, 483, 61, 81), (483, 715, 62, 86)]


def test_a_bar_is_accented_by_its_metre():
    def velocities(melody):
        return [note.velocity for note in perform(melody, Performance(velocity=70))]

    assert velocities(EIGHTHS) == [82, 70, 74, 70, 78, 70, 74, 70]
    waltz = Melody(tuple(Note(60, 12 * i, 12) for i in range(6)), TimeSignature(3, 4))
    assert velocities(waltz) == [82, 70, 74, 70, 74, 70]
    jig = Melody(tuple(Note(60, 12 * i, 12) for i in range(6)), TimeSignature(6, 8))
    assert velocities(jig) == [82, 70, 70, 74, 70, 70]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"program": 128}, "program is 128; .*0 to 127"),
        ({"program": -1}, "program is -1"),
        ({"program": "violin"}, "'violin'"),
        ({"channel": 0}, "channel is 0; .*1 to 16"),
        ({"channel": 17}, "channel is 17"),
        ({"velocity": 0}, "velocity is 0; .*1 to 127"),
        ({"velocity": 128}, "velocity is 128"),
        ({"velocity": 64.5}, "velocity is 64.5; give a whole number"),
        ({"swing": 0.4}, r"swing is 0\.4; .*0\.5 to 0\.75"),
        ({"swing": 0.8}, r"swing is 0\.8"),
        ({"swing": float("nan")}, "swing is nan"),
        ({"humanize": 1.1}, r"humanize is 1\.1; .*0 to 1"),
        ({"humanize": True}, "humanize is True"),
        ({"seed": -1}, "seed is -1"),
        ({"midi_format": 2}, "midi-format is 2; choose 0 .* or 1"),
        ({"midi_format": True}, "midi-format is True"),
        ({"ppq": 100}, "ppq is 100; .*multiple of 24"),
        ({"ppq": 0}, "ppq is 0"),
        ({"ppq": 9624}, "ppq is 9624"),
    ],
)
def test_values_out_of_range_are_refused_and_named(bad, words):
    with pytest.raises(UsageError, match=words):
        Performance(**bad)


@given(
    st.builds(
        Performance,
        program=st.integers(0, 127),
        channel=st.integers(1, 16),
        swing=st.floats(0.5, 0.75),
        humanize=st.floats(0, 1),
        midi_format=st.sampled_from([None, 0, 1]),
        ppq=st.sampled_from([24, 480, 9600]),
    )
)
def test_a_performance_outlives_json(performance):
    assert Performance.from_dict(json.loads(json.dumps(performance.as_dict()))) == performance


def test_what_is_said_of_a_performance_leaves_out_defaults_and_the_seed():
    assert Performance(seed=5).as_dict() == {}
    assert Performance(swing=0.6, seed=5, midi_format=0).as_dict() == {"swing": 0.6, "midi_format": 0}
    with pytest.raises(UsageError, match="no option 'loudness'"):
        Performance.from_dict({"loudness": 3})


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("0", 0),
        (" 127 ", 127),
        ("violin", 40),
        ("VIOLIN", 40),
        ("Flute", 73),
        ("pan flute", 75),
        ("piano", 0),
        ("acoustic bass", 32),
        ("Acoustic Guitar (nylon)", 24),
        ("acoustic guitar nylon", 24),
        ("nylon", 24),
        ("electric piano", 4),
        ("electric piano 2", 5),
        ("vibra", 11),
        ("harmonika", 22),
        ("strings", 48),
        ("sawtooth", 81),
    ],
)
def test_instruments_are_found_by_number_and_by_name(text, program):
    assert find_program(text) == program


def test_every_instrument_is_found_by_its_own_name():
    assert [find_program(program_name(number)) for number in range(128)] == list(range(128))
    assert {program_name(find_program(word)) for word in EVERYDAY} == set(EVERYDAY.values())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("128", "program is 128; .*0 to 127"),
        ("-1", "program is -1"),
        ("acoustic guitar", r"Acoustic Guitar \(nylon\), Acoustic Guitar \(steel\)"),
        ("lead", "may be Lead 1 .* and 2 more"),
        ("violnn solo", "no General MIDI instrument; .*Violin"),
        ("", "'', which is no"),
        ("kazoo!!", "'kazoo!!', which is no"),
    ],
)
def test_instruments_that_are_unknown_or_several_are_refused(text, words):
    with pytest.raises(UsageError, match=words):
        find_program(text)


@pytest.mark.parametrize("number", [-1, 128])
def test_there_is_no_name_outside_midi(number):
    with pytest.raises(UsageError, match=str(number)):
        program_name(number)
