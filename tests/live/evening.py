"""A session in simulated time: who plays, when, and what came out."""

from dataclasses import replace

from mido import Message

from melodygru.live.clock import FollowedClock, InternalClock
from melodygru.live.composing import Answer
from melodygru.live.sender import Sender
from melodygru.live.session import Session
from melodygru.live.stage import Settings
from melodygru.live.tempo import PlayerClock
from melodygru.live.writer import SimulatedWriter
from melodygru.music.melody import Note
from melodygru.music.tracks import Stroke, Track

STEP = 0.02
"""Seconds of a step at 125 to the minute."""
LINE = (Note(72, 0, 24), Note(74, 24, 24), Note(76, 48, 48))


class Evening:
    """A session of one mode; its writer always writes `LINE`, so many seconds after it was asked."""

    def __init__(self, mode, clock="internal", seconds=0.05, bars=1, notes=LINE, **settings):
        self.now, self.sent, self.asked = 0.0, [], []
        self.notes, self.seconds = notes, seconds
        self.sender = Sender(self.send)
        kinds = {"followed": FollowedClock, "player": PlayerClock}
        self.clock = InternalClock(125, 0.0) if clock == "internal" else kinds[clock]()
        writer = SimulatedWriter(self.write, lambda: self.now, lambda: self.seconds)
        click = settings.pop("click", False)
        self.session = Session(Settings(bars=bars, **settings), mode, self.clock, self.sender, writer, click)
        self.session.advance(0.0)
        self.sender.send_due(0.0)

    def send(self, message):
        """Take what is sent, with its step."""
        self.sent.append((round(self.now / STEP, 3), message))

    def write(self, ask):
        """Write what was asked for."""
        self.asked.append(ask)
        strokes = tuple(Stroke(note.onset, note.end, note.pitch - 24, 0) for note in self.notes)
        tracks = (Track("chords", 0, strokes),) if ask.kind == "around" else ()
        return Answer(ask.number, () if tracks else self.notes, self.seconds, tracks=tracks)

    def until(self, step):
        """Let time pass."""
        while self.now < step * STEP - 1e-9:
            due = self.sender.next_due
            soonest = min(self.now + 0.005, step * STEP)
            self.now = max(self.now, soonest if due is None else min(due, soonest))
            self.sender.send_due(self.now)
            self.session.advance(self.now)
            self.sender.send_due(self.now)

    def play(self, *notes):
        """Strike (step, pitch, length) one after the other, time passing in between."""
        events = sorted(
            event for step, pitch, length in notes for event in ((step, 1, pitch), (step + length, 0, pitch))
        )
        for step, on, pitch in events:
            self.until(step)
            self.hear("note_on" if on else "note_off", note=pitch, velocity=90 if on else 0)

    def hear(self, kind, **what):
        """The player's port says something."""
        self.session.hear(self.now, Message(kind, **what))

    @property
    def struck(self):
        """(step, pitch) of all notes that were begun, clicks left out."""
        return [(step, one.note) for step, one in self.sent if one.type == "note_on" and one.channel != 9]

    @property
    def sounding(self):
        """Pitches that were begun and not ended."""
        found = set()
        for _, one in self.sent:
            if one.type == "note_on":
                found.add(one.note)
            elif one.type == "note_off":
                found.discard(one.note)
        return found


def line(start, notes=LINE):
    """(step, pitch) of a line that begins at a step."""
    return [(float(note.onset), note.pitch) for note in (replace(one, onset=one.onset + start) for one in notes)]
