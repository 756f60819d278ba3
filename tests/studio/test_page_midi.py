"""MIDI in and out on the page, with ports that the test stands in for: recorded, stepped, sent to, followed."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.studio.browser import BROWSER, in_page, melody_of, places, select_bars, settle, until

pytestmark = BROWSER

PORTS = """() => {
  const input = { id: 'keys', name: 'Keys', state: 'connected', onmidimessage: null };
  const output = { id: 'daw', name: 'DAW', state: 'connected', send: (data, time) => ports.sent.push([...data, time]) };
  window.ports = { asked: 0, sent: [], input, output };
  ports.access = { inputs: new Map([['keys', input]]), outputs: new Map([['daw', output]]), onstatechange: null };
  ports.say = (data, timeStamp = performance.now()) => input.onmidimessage?.({ data: new Uint8Array(data), timeStamp });
  navigator.requestMIDIAccess = async () => { ports.asked += 1; return ports.access; };
}"""
NOTE_ON, NOTE_OFF, TICK, START, CONTINUE, STOP = 0x90, 0x80, 0xF8, 0xFA, 0xFB, 0xFC
PER_SECOND = 96  # steps, at 240 quarters a minute


@pytest.fixture
def ported(opened: Any) -> Any:
    """A page with an empty roll at 240 quarters a minute, and ports that it has asked for."""
    settle(opened)
    opened.evaluate(PORTS)
    opened.fill("[name=bpm]", "240")
    opened.press("[name=bpm]", "Enter")
    opened.click("#new")
    assert opened.evaluate("ports.asked") == 0
    opened.click("#ports")
    opened.wait_for_selector("#midi-bar:not([hidden])")
    assert opened.evaluate("ports.asked") == 1
    assert opened.input_value("#midi-in") == "keys"
    assert opened.input_value("#midi-out") == ""
    return opened


def play(page: Any, played: list[tuple[int, float, float]]) -> None:
    """Notes (pitch, from, to in steps) as they would come from a keyboard while it records, all told at once."""
    page.evaluate(
        """async ([played, rate]) => {
          const { player } = await import(new URL('page/main.js', document.baseURI));
          const now = performance.now();
          const at = (step) => now + ((step - player.stepAt(now)) / rate) * 1000;
          const both = ([pitch, on, off]) => [[at(on), [0x90, pitch, 101]], [at(off), [0x80, pitch, 0]]];
          const events = played.flatMap(both);
          events.sort(([one], [other]) => one - other);
          for (const [time, data] of events) ports.say(data, time);
        }""",
        [played, PER_SECOND],
    )


def record(page: Any, played: list[tuple[int, float, float]]) -> None:
    page.click("#record")
    until(page, "return player.playing && player.stepAt(performance.now()) !== 0")
    play(page, played)
    page.click("#record")
    until(page, "return !player.playing")


def test_what_is_played_is_recorded_on_the_grid(ported: Any) -> None:
    heard = [(50, -60, -50), (60, -2, 22.4), (62, 25.9, 46.8), (70, 48.4, 59), (64, 47, 59.9), (65, 73, 73.5)]
    record(ported, heard)
    melody = melody_of(ported)
    # Of two at once the higher; what came during the clicks is none; the shortest is as long as the snap.
    assert places(melody) == [(60, 0, 24), (62, 24, 24), (70, 48, 12), (65, 72, 6)]
    assert {note["velocity"] for note in melody["notes"]} == {101}
    assert in_page(ported, "return [player.loop, player.metronome, player.countIn]") == [True, False, False]
    # Over what is there, what is played wins; and each is one step to undo.
    ported.select_option("#snap", "12")
    select_bars(ported, 1, 1)
    record(ported, [(72, 22, 46), (73, 100, 130)])
    assert places(melody_of(ported)) == [(60, 0, 24), (72, 24, 24), (70, 48, 12), (65, 72, 6)]
    ported.keyboard.press("Control+z")
    assert places(melody_of(ported)) == [(60, 0, 24), (62, 24, 24), (70, 48, 12), (65, 72, 6)]
    ported.keyboard.press("Control+z")
    assert melody_of(ported)["notes"] == []


def test_it_counts_in_and_keeps_what_is_held_when_it_stops(ported: Any) -> None:
    ported.click("#record")
    until(ported, "return player.playing")
    assert in_page(ported, "return player.stepAt(performance.now()) < 0"), "a bar of clicks comes before"
    until(ported, "return player.position > 12")
    ported.evaluate(f"ports.say([{NOTE_ON}, 67, 80])")
    ported.wait_for_timeout(300)
    assert ported.locator(".ghost.first").count() == 1, "what was played so far is seen"
    ported.keyboard.press("Space")
    until(ported, "return roll.melody.notes.length === 1")
    [note] = melody_of(ported)["notes"]
    assert note["pitch"] == 67
    assert note["duration"] >= 24
    assert ported.get_attribute("#record", "aria-pressed") == "false"


def test_notes_are_written_step_by_step(ported: Any) -> None:
    ported.click("#stepping")
    for pitch in (60, 64, 67):
        ported.evaluate(f"ports.say([{NOTE_ON}, {pitch}, 90]); ports.say([{NOTE_OFF}, {pitch}, 0])")
    ported.select_option("#snap", "24")
    ported.evaluate(f"ports.say([{NOTE_ON}, 72, 90])")
    assert places(melody_of(ported)) == [(60, 0, 6), (64, 6, 6), (67, 12, 6), (72, 18, 24)]
    ported.click("#stepping")
    ported.evaluate(f"ports.say([{NOTE_ON}, 50, 90])")
    assert len(melody_of(ported)["notes"]) == 4


def test_what_plays_goes_to_a_port_in_time_and_nothing_hangs(ported: Any) -> None:
    ported.click("#stepping")
    ported.select_option("#snap", "24")
    for pitch in (60, 62, 64, 65, 67, 69, 71, 72) * 3:
        ported.evaluate(f"ports.say([{NOTE_ON}, {pitch}, 90])")
    ported.select_option("#midi-out", "daw")
    ported.keyboard.press("Space")
    until(ported, "return ports.sent.filter(([status]) => status === 0x90).length > 9")
    ported.click("#play")
    sent = ported.evaluate("ports.sent")
    begun = [(pitch, time) for status, pitch, _, time in sent if status == NOTE_ON]
    assert [pitch for pitch, _ in begun][:10] == [60, 62, 64, 65, 67, 69, 71, 72, 60, 62]
    assert {velocity for status, _, velocity, _ in sent if status == NOTE_ON} == {90}
    assert all(abs(two - one - 250) < 25 for (_, one), (_, two) in pairwise(begun))
    for pitch in {pitch for pitch, _ in begun}:
        last = max((time, status) for status, one, _, time in sent if one == pitch)
        assert last[1] == NOTE_OFF, pitch
    ported.wait_for_timeout(400)
    assert len(ported.evaluate("ports.sent")) == len(sent)


def test_it_follows_a_clock(ported: Any) -> None:
    ported.click("#following")
    ported.evaluate(
        """() => {
          const begun = performance.now() + 50, tick = 60000 / 150 / 24;
          let number = 0;
          ports.say([0xfa]);
          ports.timer = setInterval(() => {
            while (begun + number * tick <= performance.now()) {
              ports.say([0xf8], begun + number * tick);
              number += 1;
            }
            ports.ticks = number + (performance.now() - begun) / tick % 1;
          }, 5);
        }"""
    )
    until(ported, "return player.playing && ports.ticks > 120")
    assert "150, the clock" in ported.inner_text("#pace")
    off = in_page(ported, "return Math.abs(player.stepAt(performance.now()) - ports.ticks)")
    assert off < 6
    ported.evaluate(f"clearInterval(ports.timer); ports.say([{STOP}])")
    until(ported, "return !player.playing")
    # From bar 3 on, without a bar of clicks; and when no tick comes any more, it stops by itself.
    ported.click("#countIn")
    ported.evaluate(f"ports.say([0xf2, 32, 0]); ports.say([{CONTINUE}]); ports.say([{TICK}])")
    until(ported, "return player.playing && player.position >= 192 && player.position < 240")
    until(ported, "return !player.playing")
    assert "No MIDI clock comes any more" in ported.inner_text("#message")
    ported.click("#following")
    assert ported.inner_text("#pace") == "♩ = 240"


def test_a_port_that_goes_is_missed_and_keeps_what_was_recorded(ported: Any) -> None:
    ported.click("#record")
    until(ported, "return player.playing && player.stepAt(performance.now()) !== 0")
    play(ported, [(60, 0, 24)])
    ported.evaluate("ports.access.inputs.clear(); ports.access.onstatechange()")
    until(ported, "return !player.playing")
    assert places(melody_of(ported)) == [(60, 0, 24)]
    assert "port is gone" in ported.inner_text("#message")
    assert ported.is_disabled("#record")


def test_browsers_without_midi_are_told_so(opened: Any) -> None:
    settle(opened)
    opened.evaluate(
        "() => { navigator.requestMIDIAccess = () => Promise.reject(new DOMException('no', 'SecurityError')); }"
    )
    opened.click("#ports")
    opened.wait_for_selector("#message:not([hidden])")
    assert "allow it in the settings" in opened.inner_text("#message")
    opened.evaluate("() => { delete navigator.requestMIDIAccess; delete Navigator.prototype.requestMIDIAccess; }")
    opened.click("#ports")
    until(opened, "return /has no Web MIDI/.test(document.querySelector('#message').textContent)")
    assert opened.is_hidden("#midi-bar")
