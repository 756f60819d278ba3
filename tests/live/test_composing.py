"""What is written while the music goes on, by the shipped model."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru.errors import CheckpointError, MelodyGRUError, UsageError
from melodygru.live.composing import LEAST_ROOM, Answer, Ask, answered, check_wishes, register_of, rotated, safely
from melodygru.live.writer import SimulatedWriter, WriterProcess
from melodygru.music.chords import parse_progression
from melodygru.music.melody import Melody, Note
from melodygru.music.theory import Key, TimeSignature, parse_pitch
from melodygru.writing.model import load_model

FOUR = TimeSignature()
CALL = Melody(tuple(Note(p, 12 * i, 12) for i, p in enumerate((60, 62, 64, 65, 67, 65, 64, 62) * 2)), FOUR, Key())


@pytest.fixture(scope="module")
def model():
    return load_model("folk")


def ask(kind, heard=CALL, start=192, **more):
    return Ask(1, kind, 2, FOUR, 5, heard, start, **more)


@pytest.mark.parametrize("kind", ["answer", "go on", "vary", "new"])
def test_whatever_is_asked_for_is_written(model, kind):
    answer = answered(model, ask(kind, None if kind == "new" else CALL, amount=0.4))
    assert answer.remark == ""
    end = 0
    for note in answer.notes:
        assert end <= note.onset < note.end <= 192
        end = note.end
    assert len(answer.notes) > 2
    assert answered(model, ask(kind, None if kind == "new" else CALL, amount=0.4)).notes == answer.notes


def test_an_answer_has_the_calls_register_and_density(model):
    low = CALL.transpose(-12)
    answers = [answered(model, replace(ask("answer", low), seed=seed)).notes for seed in range(4)]
    bottom, top = map(parse_pitch, register_of(low).split(":"))
    assert all(bottom <= note.pitch <= top for notes in answers for note in notes)
    assert sum(len(notes) for notes in answers) / 4 == pytest.approx(len(low.notes), rel=0.25)


def test_it_goes_on_within_a_bar(model):
    notes = answered(model, ask("go on", CALL, 168)).notes
    assert notes[0].onset >= 0
    assert max(note.end for note in notes) == 24 + 192


def test_wishes_that_cannot_be_kept_are_let_go_and_said(model):
    answer = answered(
        model, ask("answer", wishes={"range": "C4:C#4", "max_leap": 1, "end_on": "tonic", "scale": "blues"})
    )
    assert answer.remark
    assert answer.notes
    with pytest.raises(UsageError):
        check_wishes(model, ask("new", None, wishes={"key": "H"}))


def test_what_cannot_be_written_at_all_is_what_was_heard(model):
    class Silent:
        context, name = model.context, "silent"

        def compose(self, *_):
            raise UsageError("Nothing goes.")

    answer = answered(Silent(), ask("answer"))
    assert (answer.notes, answer.remark) == (CALL.notes, "Nothing goes.")
    odd = safely(None, ask("answer"))
    assert odd.notes == ()
    assert "AttributeError" in odd.remark


def test_silent_bars_before_what_is_varied_stay_silent(model):
    later = Melody(tuple(replace(note, onset=note.onset + 192) for note in CALL.notes), FOUR, Key())
    notes = answered(model, ask("vary", later, amount=0.5)).notes
    assert notes[0].onset >= 192
    assert {note.onset for note in notes} & {note.onset for note in later.notes}


def test_chords_and_bass_of_the_bar_that_comes(model):
    tracks = answered(model, ask("around")).tracks
    assert [track.part for track in tracks] == ["chords", "bass"]
    for track in tracks:
        assert track.strokes
        assert all(0 <= one.onset < one.end <= 96 for one in track.strokes)
    wished = answered(model, ask("around", wishes={"chords": "C F G Am"}, shift=1)).tracks
    # The third bar of what begins with the second chord: A minor.
    assert {one.pitch % 12 for one in wished[0].strokes} <= {9, 0, 4}


@given(st.integers(0, 12))
def test_a_progression_goes_round(bars):
    spans = parse_progression("| C | Am F | G7/B |", FOUR)
    text = rotated(spans, bars, FOUR).split()
    assert len(text) == 12
    whole = rotated(spans, 0, FOUR).split()
    assert text == whole[bars % 3 * 4 :] + whole[: bars % 3 * 4]


@given(st.lists(st.integers(0, 127), min_size=1, max_size=8))
def test_registers_have_room_and_hold_what_was_heard(pitches):
    melody = Melody(tuple(Note(pitch, 24 * at, 24) for at, pitch in enumerate(pitches)))
    low, high = map(parse_pitch, register_of(melody).split(":"))
    assert low <= min(pitches) <= max(pitches) <= high
    assert high - low >= min(LEAST_ROOM, 127) or low == 0 or high == 127


def test_a_simulated_writer_is_as_slow_as_it_is_told():
    now = [0.0]
    writer = SimulatedWriter(lambda ask: Answer(ask.number, ()), lambda: now[0], lambda: 2.0)
    writer.ask(ask("answer"))
    assert writer.answers() == []
    now[0] = 2.0
    assert writer.answers() == [Answer(1, ())]
    assert writer.answers() == []


def test_a_process_writes_beside_us():
    with WriterProcess("folk", ask("new", None)) as writer:
        assert writer.answers() == []
        writer.ask(ask("answer"))
        assert writer._ours.poll(60)
        (answer,) = writer.answers()
        assert answer.number == 1
        assert answer.notes
    assert not writer._process.is_alive()


def test_what_is_wrong_is_known_before_it_begins():
    with pytest.raises(CheckpointError), WriterProcess("no-such-model", ask("new", None)):
        pass
    with pytest.raises(UsageError, match="chord"), WriterProcess("folk", ask("new", None, wishes={"chords": "Q"})):
        pass


def test_a_writer_that_has_ended_is_said():
    with WriterProcess("folk", ask("new", None)) as writer:
        writer._process.kill()
        writer._process.join()
        with pytest.raises(MelodyGRUError, match="The writer has ended"):
            writer.answers()
        with pytest.raises(MelodyGRUError, match="The writer has ended"):
            writer.ask(ask("answer"))
