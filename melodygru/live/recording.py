"""What was played in a session, as a MIDI file: the player on one track, what answered on another."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from io import BytesIO
from typing import Any

from melodygru.live.listening import Played
from melodygru.live.playing import Coming
from melodygru.music.theory import STEPS_PER_QUARTER, TimeSignature

TICKS_PER_STEP = 20
"""480 ticks a quarter, which all programs read."""
KEPT = 50_000
"""Notes of each track, at most: of more, the first are forgotten."""
_TEMPOS = 10_000
_CHANGED = 0.005
"""A tempo counts as another if it differs by this share."""


class Recording:
    """Notes and tempos by step. Where the clock stops and begins elsewhere, that is the file's next bar."""

    def __init__(self, metre: TimeSignature):
        self._metre = metre
        self._shift = 0
        self._end = 0.0
        self._heard: deque[tuple[float, float, int, int, int]] = deque(maxlen=KEPT)
        self._played: deque[tuple[float, float, int, int, int]] = deque(maxlen=KEPT)
        self._tempos: deque[tuple[float, float]] = deque(maxlen=_TEMPOS)

    def begin(self, step: float) -> None:
        """The clock begins to run at that step."""
        bar = self._metre.bar_steps
        self._shift = int(-(-self._end // bar)) * bar - int(step // bar) * bar

    def tempo(self, step: float, qpm: float) -> None:
        """The tempo that holds from that step on."""
        if not self._tempos or abs(qpm / self._tempos[-1][1] - 1) > _CHANGED:
            self._tempos.append((step + self._shift, qpm))

    def heard(self, note: Played) -> None:
        """The player has played this."""
        assert note.end is not None
        self._heard.append(self._shifted(note.onset, note.end, note.pitch, note.velocity, 0))

    def played(self, notes: Iterable[Coming], now: float) -> None:
        """These have sounded since the clock began, and the last of them `now` no more; clicks are left out."""
        for note in notes:
            if not note.click and note.onset < now:
                end = min(note.end, now)
                self._played.append(self._shifted(note.onset, end, note.pitch, note.velocity, note.channel))
        self._end = max(self._end, now + self._shift)

    def _shifted(self, onset: float, end: float, *rest: int) -> Any:
        self._end = max(self._end, end + self._shift)
        return onset + self._shift, end + self._shift, *rest

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not self._heard and not self._played

    def midi_bytes(self) -> bytes:
        """A MIDI file of format 1: tempo and metre, the player, and what answered."""
        from mido import MetaMessage, MidiFile, bpm2tempo

        file = MidiFile(type=1, ticks_per_beat=STEPS_PER_QUARTER * TICKS_PER_STEP)
        metre = self._metre
        facts = [(0, MetaMessage("time_signature", numerator=metre.numerator, denominator=metre.denominator))]
        first = self._tempos[0][1] if self._tempos else 120.0
        tempos = [(0.0, first), *list(self._tempos)[1:]]
        facts += [(_tick(step), MetaMessage("set_tempo", tempo=bpm2tempo(qpm))) for step, qpm in tempos]
        file.tracks.append(_track("Session", facts))
        file.tracks.append(_track("You", _struck(self._heard)))
        file.tracks.append(_track("melodygru", _struck(self._played)))
        data = BytesIO()
        file.save(file=data)
        return data.getvalue()


def _tick(step: float) -> int:
    return max(0, round(step * TICKS_PER_STEP))


def _struck(notes: Iterable[tuple[float, float, int, int, int]]) -> list[tuple[int, Any]]:
    from mido import Message

    events = []
    for onset, end, pitch, velocity, channel in notes:
        begins = _tick(onset)
        on = Message("note_on", note=pitch, velocity=velocity, channel=channel)
        off = Message("note_off", note=pitch, velocity=0, channel=channel)
        events += [(begins, on), (max(_tick(end), begins + 1), off)]
    return sorted(events, key=lambda event: (event[0], event[1].type == "note_on"))


def _track(name: str, events: list[tuple[int, Any]]) -> Any:
    from mido import MetaMessage, MidiTrack

    track, at = MidiTrack([MetaMessage("track_name", name=name)]), 0
    for tick, message in events:
        track.append(message.copy(time=tick - at))
        at = tick
    return track
