"""What somebody plays, heard against the clock, and set on the grid."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from melodygru.music.key_hearing import hear_key
from melodygru.music.melody import Melody, Note
from melodygru.music.theory import STEPS_PER_QUARTER, Key, TimeSignature
from melodygru.records import dataclass

KEPT = 4096
"""Notes that are remembered."""
LONGEST_HELD = 64 * STEPS_PER_QUARTER
"""Steps after which a key that nobody has let go is taken for let go: its note-off was lost."""
STRAIGHT, TRIPLET = STEPS_PER_QUARTER // 4, STEPS_PER_QUARTER // 3
"""The grids of a beat: sixteenths, or eighths of a triplet."""
CLEARLY = 0.6
"""Triplets are heard where they leave at most this share of the error that sixteenths leave."""
_SHORTEST = STEPS_PER_QUARTER // 8
"""A thirty-second: no note is shorter, and a shorter gap before the next note is none."""


@dataclass(frozen=True)
class Played:
    """A note as it was played: steps with fractions, [onset, end); velocity in [1, 127]. `end` None: still held."""

    pitch: int
    velocity: int
    onset: float
    end: float | None = None


class Listener:
    """Remembers what is played. Positions are steps of the clock that the caller looks at."""

    def __init__(self) -> None:
        self._held: dict[int, Played] = {}
        self._done: deque[Played] = deque(maxlen=KEPT)
        self.silent_since: float | None = None
        """Where the last key went up; None before any did."""

    @property
    def held(self) -> frozenset[int]:
        """The pitches of all keys that are down."""
        return frozenset(self._held)

    def note_on(self, step: float, pitch: int, velocity: int) -> None:
        """A key goes down; of one that is down already, the note-off was lost."""
        self.note_off(step, pitch)
        self._held[pitch] = Played(pitch, velocity, step)

    def note_off(self, step: float, pitch: int) -> Played | None:
        """A key goes up; the note that it was, None if it was not down."""
        note = self._held.pop(pitch, None)
        if note is None:
            return None
        self.silent_since = max(step, note.onset)
        done = replace(note, end=self.silent_since)
        self._done.append(done)
        return done

    def release(self, step: float) -> None:
        """All keys count as let go: the port is gone, or the music stands still."""
        for pitch in list(self._held):
            self.note_off(step, pitch)

    def forget(self) -> None:
        """Nothing was played: positions now mean something else."""
        self._held.clear()
        self._done.clear()
        self.silent_since = None

    def expire(self, step: float) -> None:
        """Let go of what was held too long, see `LONGEST_HELD`."""
        for pitch, note in list(self._held.items()):
            if step - note.onset > LONGEST_HELD:
                self.note_off(step, pitch)

    def played(self, start: float, now: float) -> list[Played]:
        """All notes that begin at `start` or later, in order; those still held end `now`."""
        found = []
        for note in reversed(self._done):  # ended last: those before began before, but for what was held long
            if note.end is not None and note.end < start:
                break
            if note.onset >= start:
                found.append(note)
        found += [replace(note, end=max(now, note.onset)) for note in self._held.values() if note.onset >= start]
        return sorted(found, key=lambda note: (note.onset, note.pitch))

    def line(self, start: int, end: int, now: float, metre: TimeSignature) -> tuple[Note, ...]:
        """What was played in the steps [start, end) as a line on the grid, counted from `start`; may be empty."""
        return quantized(self.played(start - STEPS_PER_QUARTER, now), start, end, metre)

    def velocity(self, start: float, now: float) -> int:
        """How hard the keys went down since `start`, on average, in [1, 127]; 80 if none did."""
        found = [note.velocity for note in self.played(start, now)]
        return round(sum(found) / len(found)) if found else 80


def quantized(played: Sequence[Played], start: int, end: int, metre: TimeSignature) -> tuple[Note, ...]:
    """Notes that were played, as a line on the grid.

    Each beat's onsets go to sixteenths or to triplets, whichever is nearer (triplets if clearly so). Of notes struck
    together the highest is the line's; each ends where it was let go, on thirty-seconds, and at the latest where the
    next begins.

    Args:
        played: in order of onset, with ends.
        start, end: the steps [start, end) to look at, `start` on a bar line; onsets that are nearest to a place of
            the grid within them count.
        metre: says where beats are.

    Returns:
        Notes in order, counted from `start`.
    """
    beat = metre.beat_steps if metre.is_compound else STEPS_PER_QUARTER
    by_beat: dict[int, list[Played]] = {}
    for note in played:
        # An onset shortly before a beat is the beat's.
        by_beat.setdefault(int((note.onset - start + STRAIGHT / 2) // beat), []).append(note)
    line: dict[int, Played] = {}
    for number, notes in by_beat.items():
        grid = STRAIGHT if metre.is_compound else _grid_of([note.onset - start - number * beat for note in notes])
        for note in notes:
            onset = number * beat + round((note.onset - start - number * beat) / grid) * grid
            if 0 <= onset < end - start and (onset not in line or line[onset].pitch < note.pitch):
                line[onset] = note
    onsets = [*sorted(line), end - start]
    return tuple(
        Note(line[onset].pitch, onset, _duration(line[onset], onset, following, start))
        for onset, following in pairwise(onsets)
    )


def _grid_of(places: Sequence[float]) -> int:
    """The grid that is nearest to these places within a beat."""
    errors = {grid: sum(abs(at - round(at / grid) * grid) for at in places) for grid in (STRAIGHT, TRIPLET)}
    # One note alone in a beat says too little.
    return TRIPLET if len(places) > 1 and errors[TRIPLET] < CLEARLY * errors[STRAIGHT] else STRAIGHT


def _duration(note: Played, onset: int, following: int, start: int) -> int:
    assert note.end is not None
    # Its length is what was held, not where it was let go: an early onset is not to make a note longer.
    length = max(_SHORTEST, round((note.end - note.onset) / _SHORTEST) * _SHORTEST)
    room = following - onset
    return room if room - length <= _SHORTEST else length


def heard_melody(notes: Sequence[Note], bars: int, metre: TimeSignature, key: Key | None, qpm: float) -> Melody:
    """A line of one note at least, as a melody of so many bars; its key is heard where none is given."""
    return Melody(tuple(notes), metre, hear_key(notes, metre) if key is None else key, qpm, bars=bars)
