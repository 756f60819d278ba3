"""What is due is sent in order, and nothing sounds for ever."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mido import Message

from melodygru.live.sender import LostPortError, Sender, SenderThread


class Port:
    def __init__(self, works=10**9):
        self.sent, self.works = [], works

    def send(self, message):
        if len(self.sent) >= self.works:
            raise OSError("unplugged")
        self.sent.append(message)

    def told(self):
        return [(one.type, one.note) if one.type != "control_change" else ("cc", one.control) for one in self.sent]


def test_messages_go_out_in_order_when_they_are_due():
    port = Port()
    sender = Sender(port.send)
    sender.note_on(2.0, 0, 62, 80)
    sender.note_on(1.0, 0, 60, 80)
    sender.note_off(2.0, 0, 60)
    assert sender.next_due == 1.0
    sender.send_due(0.9)
    assert port.sent == []
    sender.send_due(1.5)
    assert port.told() == [("note_on", 60)]
    sender.send_due(2.0)
    # At the same moment a note ends before the next begins.
    assert port.told()[1:] == [("note_off", 60), ("note_on", 62)]
    assert sender.sounding == {(0, 62)}
    assert sender.recent() == [0.0, 0.0, 0.5]


def test_a_note_that_is_struck_again_ends_first_and_ends_once():
    port = Port()
    sender = Sender(port.send)
    for when, kind in ((0, "on"), (1, "on"), (2, "off"), (3, "off"), (4, "off")):
        if kind == "on":
            sender.note_on(when, 0, 60, 80)
        else:
            sender.note_off(when, 0, 60)
    sender.send_due(2)
    assert port.told() == [("note_on", 60), ("note_off", 60), ("note_on", 60)]
    sender.send_due(9)
    assert port.told()[3:] == [("note_off", 60)]


NOTES = st.lists(
    st.tuples(st.floats(0, 100), st.floats(0.001, 50), st.integers(0, 3), st.integers(0, 127)), max_size=40
)


@given(NOTES, st.floats(0, 120))
def test_after_panic_every_note_that_was_begun_has_ended(notes, stopped):
    port = Port()
    sender = Sender(port.send)
    for onset, length, channel, pitch in notes:
        sender.note_on(onset, channel, pitch, 80)
        sender.note_off(onset + length, channel, pitch)
    sender.send_due(stopped)
    sender.panic()
    sounding = set()
    for message in port.sent:
        mark = (message.channel, getattr(message, "note", None))
        if message.type == "note_on":
            assert mark not in sounding
            sounding.add(mark)
        elif message.type == "note_off":
            sounding.remove(mark)
    assert not sounding
    assert sender.next_due is None
    used = {message.channel for message in port.sent if message.type == "note_on"}
    assert [one.channel for one in port.sent if one.type == "control_change"] == sorted(used)


def test_a_port_that_is_gone_is_said_in_a_sentence():
    port = Port(works=1)
    sender = Sender(port.send)
    sender.note_on(0, 0, 60, 80)
    sender.note_off(1, 0, 60)
    sender.check()
    sender.send_due(1)
    with pytest.raises(LostPortError, match=r"unplugged.*plug it in again"):
        sender.check()
    port.works = 100  # back again: the last that is sent ends what may sound
    sender.panic()
    assert port.told()[-1] == ("cc", 123)
    assert isinstance(sender.lost, OSError)


def test_the_thread_sends_what_is_due_and_ends_in_silence():
    sent, done, now = [], threading.Event(), iter(range(10**9))

    def send(message):
        sent.append(message)
        if len(sent) == 2:
            done.set()

    sender = Sender(send)
    # Of a clock that goes on a second each time it is looked at, nobody has to wait for anything.
    with SenderThread(sender, lambda: float(next(now))):
        sender.note_on(5.0, 0, 60, 80)
        sender.note_on(6.0, 0, 64, 80)
        assert done.wait(10)
    assert [message.note for message in sent[:2]] == [60, 64]
    assert sent[-1] == Message("control_change", control=123)
    assert sender.sounding == frozenset()


def test_what_is_raised_within_the_context_ends_in_silence_too():
    port = Port()
    sender = Sender(port.send)
    sender.note_on(0.0, 0, 60, 80)
    sender.send_due(0.0)
    with pytest.raises(KeyboardInterrupt), SenderThread(sender, lambda: 0.0):
        raise KeyboardInterrupt
    assert port.told() == [("note_on", 60), ("note_off", 60), ("cc", 123)]
