"""Who plays when."""

import sys
from io import BytesIO
from pathlib import Path
from random import Random

import mido
import pytest
from mido import Message

from melodygru.errors import UsageError
from melodygru.live.clock import SETTLED_PULSES
from melodygru.live.modes import MODES
from melodygru.live.sender import LostPortError
from melodygru.music.melody import Note
from melodygru.music.theory import Key
from tests.live.evening import LINE, STEP, Evening, line

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "scripts"))
import soak_live

CALL = ((0, 60, 20), (24, 64, 20), (48, 67, 20))


def test_a_call_is_answered_on_the_bar_line():
    evening = Evening("call-response")
    evening.play(*CALL)
    evening.until(191)
    assert evening.struck == line(96)
    ask = evening.asked[-1]
    assert (ask.kind, ask.bars, ask.start) == ("answer", 1, 96)
    assert [(note.onset, note.pitch) for note in ask.heard.notes] == [(0, 60), (24, 64), (48, 67)]
    assert ask.heard.key == Key(0, "major")
    evening.until(192.1)
    assert evening.sounding == set()


def test_what_is_not_heard_is_not_answered():
    evening = Evening("call-response")
    evening.until(400)
    assert evening.asked == []
    evening.play((400, 60, 20))
    evening.until(500)
    assert evening.struck == [(480.0, 72)]


def test_who_plays_on_interrupts_the_answer_and_begins_the_next_call():
    evening = Evening("call-response")
    evening.play(*CALL, (140, 50, 10))
    assert evening.sounding == set()
    assert [pitch for _, pitch in evening.struck] == [72, 74]
    evening.until(240)
    assert evening.struck[2:] == line(192)[:2]
    assert [note.pitch for note in evening.asked[-1].heard.notes] == [50]


def test_the_end_of_a_call_does_not_interrupt_its_answer():
    evening = Evening("call-response")
    evening.play(*CALL, (100, 50, 10), (185, 52, 10))
    evening.until(191)
    assert evening.struck == line(96)


def test_an_answer_that_comes_too_late_is_played_from_there_on():
    evening = Evening("call-response", seconds=0.7)
    evening.play(*CALL)
    evening.until(191)
    assert evening.struck == line(96)[1:]
    assert evening.session.stage.late == 1


def test_the_button_ends_a_call_of_several_bars_with_this_bar():
    evening = Evening("call-response", bars=4)
    evening.play(*CALL)
    evening.hear("control_change", control=80, value=127)
    evening.until(190)
    assert evening.struck == line(96)
    evening.hear("control_change", control=80, value=127)  # still down
    assert evening.session.mode.turn == "answers"
    evening.hear("control_change", control=80, value=0)
    evening.hear("control_change", control=80, value=127)
    assert evening.session.mode.turn == "listens"
    assert evening.sounding == set() or evening.until(191) is None


def test_the_knob_is_the_temperature():
    evening = Evening("call-response")
    for value, expected in ((0, 0.5), (64, 1.0), (127, 1.5)):
        evening.hear("control_change", control=1, value=value)
        assert evening.session.stage.temperature == pytest.approx(expected)
    evening.play(*CALL)
    evening.until(96)
    assert evening.asked[-1].wishes["temperature"] == 1.5


@pytest.mark.parametrize("control", [120, 123])
def test_silence_can_be_asked_for(control):
    evening = Evening("call-response")
    evening.play(*CALL)
    evening.until(110)
    assert evening.sounding == {72}
    evening.hear("control_change", control=control, value=0)
    assert evening.sounding == set()
    evening.until(190)
    assert len(evening.struck) == 1


def test_where_the_player_stops_it_goes_on_and_goes_on():
    evening = Evening("continue")
    evening.play(*CALL)
    evening.until(90)
    assert evening.struck == []
    evening.until(400)
    # Silent since step 68: a beat later is 92, and the next beat 96.
    assert evening.struck == line(96) + line(192) + line(288) + line(384)[:1]
    assert {ask.kind for ask in evening.asked} == {"go on"}
    assert evening.asked[1].heard.notes[-1].pitch == LINE[-1].pitch, "it goes on from what it has played itself"
    evening.play((400, 60, 10))
    assert evening.sounding == set()
    evening.hear("control_change", control=80, value=127)
    evening.until(430)
    assert len(evening.struck) == 10


def test_who_stops_within_a_bar_is_continued_within_it():
    evening = Evening("continue")
    evening.play((0, 60, 20))
    evening.until(50)
    assert evening.struck == [(48.0, 72)]
    assert evening.asked[-1].start == 48


def test_handing_over_makes_it_stop():
    evening = Evening("continue")
    evening.play(*CALL)
    evening.until(100)
    evening.hear("control_change", control=80, value=127)
    evening.until(300)
    assert len(evening.struck) == 1
    assert evening.sounding == set()


def under(start):
    """What is played under a bar."""
    return [(step, pitch - 24) for step, pitch in line(start)]


def test_a_bar_is_accompanied_after_what_was_heard_before_it():
    evening = Evening("accompany", seconds=0.02)
    evening.until(3)
    evening.play(*CALL, (96, 65, 20), (150, 67, 20))
    evening.until(575)
    # Heard in bars 1 and 2: the last of them is within two bars of bar 4, and not of bar 5.
    assert evening.struck == under(96) + under(192) + under(288)
    assert {one.channel for _, one in evening.sent if one.type == "note_on"} == {1}
    assert [ask.kind for ask in evening.asked[:1]] == ["around"]
    assert [note.pitch for note in evening.asked[-1].heard.notes] == [60, 64, 67, 65, 67]
    assert evening.session.mode.turn == "listens"


def test_an_accompaniment_that_comes_late_begins_within_its_bar():
    evening = Evening("accompany", seconds=1.3)
    evening.play(*CALL)
    evening.until(190)
    assert evening.struck == under(96)[1:] or evening.struck == under(96)[2:]
    assert evening.session.stage.late == 1


def test_an_accompaniment_can_be_told_to_be_quiet():
    evening = Evening("accompany", seconds=0.02)
    evening.play(*CALL)
    evening.until(100)
    evening.hear("control_change", control=80, value=127)
    evening.until(101)
    assert evening.sounding == set()
    evening.play((110, 60, 20), (150, 62, 20), (200, 64, 20))
    evening.until(300)
    assert len(evening.struck) == 1


def test_a_loop_is_varied_while_it_sounds():
    evening = Evening("loop", amount=0.4)
    evening.until(300)
    assert evening.struck == line(96) + line(192) + line(288)[:1]
    assert [ask.kind for ask in evening.asked] == ["new", "vary", "vary"]
    assert evening.asked[1].heard.notes == LINE
    assert evening.asked[1].amount == 0.4


def test_what_is_played_over_a_loop_is_the_next_loop():
    evening = Evening("loop")
    evening.until(192)
    evening.play((192, 60, 20), (216, 62, 20))
    evening.until(288)
    assert [note.pitch for note in evening.asked[-1].heard.notes] == [60, 62]


def test_a_loop_that_is_held_stays_as_it_is():
    evening = Evening("loop")
    evening.until(100)
    evening.hear("control_change", control=80, value=127)
    asked = len(evening.asked)
    evening.until(400)
    assert len(evening.asked) == asked
    assert evening.struck == line(96) + line(192) + line(288) + line(384)[:1]


def test_a_writer_that_writes_nothing_is_asked_again():
    evening = Evening("loop", notes=())
    evening.until(400)
    assert evening.struck == []
    assert len(evening.asked) >= 2
    evening.notes = (Note(60, 0, 12),)
    evening.until(700)
    assert evening.struck


def test_the_click_is_on_the_beats_and_strong_on_the_bar():
    evening = Evening("call-response", click=True)
    evening.until(100)
    clicks = [(step, one.note) for step, one in evening.sent if one.type == "note_on"]
    assert clicks == [(0.0, 76), (24.0, 77), (48.0, 77), (72.0, 77), (96.0, 76)]


def pulse(evening, count):
    """So many pulses of a MIDI clock, one a step."""
    for _ in range(count):
        evening.session.follow(evening.now, Message("clock"))
        evening.until(evening.now / STEP + 1)


def test_it_keeps_to_another_programs_clock():
    evening = Evening("call-response", clock="followed")
    pulse(evening, 48)  # a program that tells its tempo while it stands still
    evening.hear("note_on", note=60, velocity=80)
    assert evening.session.view(evening.now).turn == "waits for the clock"
    evening.session.follow(evening.now, Message("start"))
    pulse(evening, 1)
    for pitch in (60, 64, 67):
        evening.hear("note_on", note=pitch, velocity=80)
        pulse(evening, 20)
        evening.hear("note_off", note=pitch)
        pulse(evening, 4)
    pulse(evening, 60)
    assert [(round(step - 48), pitch) for step, pitch in evening.struck] == [(96, 72), (120, 74)]
    assert evening.sounding == {74}
    evening.session.follow(evening.now, Message("stop"))
    assert evening.sounding == set()
    pulse(evening, 100)
    assert len(evening.struck) == 2
    evening.session.follow(evening.now, Message("songpos", pos=64))
    evening.session.follow(evening.now, Message("continue"))
    pulse(evening, 2)
    assert evening.session.view(evening.now).bar == 5


def test_a_clock_that_is_unplugged_ends_all_notes():
    evening = Evening("call-response", clock="followed")
    evening.session.follow(0.0, Message("start"))
    pulse(evening, 1)
    evening.hear("note_on", note=60, velocity=80)
    pulse(evening, 100)
    assert evening.sounding == {72}
    evening.until(evening.now / STEP + 50)
    assert evening.sounding == set()
    assert not evening.session.view(evening.now).running


def test_without_a_clock_it_keeps_to_the_player():
    evening = Evening("call-response", clock="player", bars=2)
    eighth = 0.3  # 100 to the minute
    for number in range(15):
        evening.until(number * eighth / STEP)
        evening.hear("note_on", note=60 + number % 5, velocity=80)
        evening.until((number + 0.8) * eighth / STEP)
        evening.hear("note_off", note=60 + number % 5)
    evening.until(16 * eighth / STEP + 1)
    assert evening.session.view(evening.now).qpm == pytest.approx(100, rel=0.03)
    assert evening.struck[0][0] * STEP == pytest.approx(16 * eighth, abs=0.06)
    assert len(evening.asked[-1].heard.notes) == 15


def test_a_tempo_that_is_not_known_yet_is_neither_shown_nor_recorded():
    evening = Evening("loop", clock="followed")
    period, chance = 60 / 150 / 24, Random(3)
    evening.session.follow(0.0, Message("start"))
    shown = []
    for number in range(300):
        # A program whose sound card takes 256 frames at a time sends its pulses up to 5 ms late.
        evening.until((number * period + chance.random() * 0.0053) / STEP)
        evening.session.follow(evening.now, Message("clock"))
        shown.append(evening.session.view(evening.now).qpm)
    assert set(shown[: SETTLED_PULSES - 1]) == {None}
    assert all(qpm == pytest.approx(150, rel=0.03) for qpm in shown[SETTLED_PULSES:])
    evening.session.close(evening.now)
    file = mido.MidiFile(file=BytesIO(evening.session.recording.midi_bytes()))
    tempos = [mido.tempo2bpm(one.tempo) for one in file.tracks[0] if one.type == "set_tempo"]
    assert all(qpm == pytest.approx(150, rel=0.03) for qpm in tempos)


def test_a_port_that_is_gone_ends_the_session():
    evening = Evening("loop")
    evening.sender._send = lambda message: 1 / 0
    with pytest.raises(LostPortError):
        evening.until(300)


def test_there_are_no_other_modes():
    with pytest.raises(UsageError, match=r"mode is 'solo'; choose call-response, "):
        Evening("solo")


def test_what_was_played_is_recorded():
    evening = Evening("call-response")
    evening.play(*CALL)
    evening.until(200)
    evening.session.close(evening.now)
    file = mido.MidiFile(file=BytesIO(evening.session.recording.midi_bytes()))
    assert [track.name for track in file.tracks] == ["Session", "You", "melodygru"]
    struck = []
    for track in file.tracks[1:]:
        at = 0
        for message in track:
            at += message.time
            if message.type == "note_on":
                struck.append((at / 20, message.note))
    assert struck == [*((step, pitch) for step, pitch, _ in CALL), *line(96)]
    tempo = next(one.tempo for one in file.tracks[0] if one.type == "set_tempo")
    assert mido.tempo2bpm(tempo) == pytest.approx(125)


@pytest.mark.parametrize("followed", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_minutes_of_random_playing_leave_nothing_hanging(mode, followed):
    simulation = soak_live.Simulation(mode, 240, followed, seed=3)
    simulation.run(60)
    simulation.finish()
    assert simulation.notes > 50
    assert simulation.worst < 1


@pytest.mark.slow
@pytest.mark.parametrize("followed", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_an_hour_of_random_playing_leaves_nothing_hanging(mode, followed):
    assert "unplugged" in soak_live.soak(mode, 240, 1, followed)
