"""A melody: notes on the step grid, one at a time.

Onsets and durations are integers in steps, 24 to a quarter (`STEPS_PER_QUARTER`).
Bar lines are at multiples of the bar's length, always. A melody that begins with
a pickup (anacrusis) has a bar 0 that sounds only in its last `pickup` steps;
without one, the first bar is bar 1.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field, replace
from itertools import pairwise
from os import PathLike
from typing import TYPE_CHECKING, Any

import melodygru
from melodygru.errors import UsageError
from melodygru.music.theory import STEPS_PER_QUARTER, Key, TimeSignature
from melodygru.records import dataclass

if TYPE_CHECKING:
    import music21
    import muspy
    import partitura
    import pretty_midi
    import symusic


@dataclass(frozen=True)
class Note:
    """One note: sounds in the half-open range of steps [onset, onset + duration).

    `pitch` is a MIDI note number in [0, 128), `duration` at least 1.
    """

    pitch: int
    onset: int
    duration: int

    @property
    def end(self) -> int:
        """The step at which the note has stopped."""
        return self.onset + self.duration


@dataclass(frozen=True)
class Melody:
    """Notes that never overlap, with their metre, key and tempo.

    Attributes:
        notes: in order of onset; each ends at or before the next one's onset.
        time_signature: one metre for the whole melody.
        key: tonic and mode.
        qpm: tempo in quarter notes a minute, in [4, 1000].
        name: a title, for people.
        pickup: steps of the incomplete bar 0 that belong to the melody, in [0, bar);
            0 when there is none. The first note begins at bar_steps - pickup then.
        bars: full bars, not counting bar 0; at least 1. Given as 0: as few as hold all notes.

    Raises:
        UsageError: notes that overlap, or lie outside the bars or MIDI's range.
    """

    notes: tuple[Note, ...]
    time_signature: TimeSignature = TimeSignature()
    key: Key = Key()
    qpm: float = 120.0
    name: str = ""
    pickup: int = 0
    bars: int = field(default=0)

    def __post_init__(self) -> None:
        notes = tuple(sorted(self.notes, key=lambda note: note.onset))
        object.__setattr__(self, "notes", notes)
        bar = self.time_signature.bar_steps
        if not 0 <= self.pickup < bar:
            raise UsageError(
                f"A pickup of {self.pickup} steps does not fit; it is 0 to {bar - 1} in {self.time_signature}."
            )
        if not 4 <= self.qpm <= 1000:
            raise UsageError(f"A tempo of {self.qpm:g} quarters a minute is not legal; choose 4 to 1000.")
        if self.bars == 0:
            last = notes[-1].end if notes else 0
            full = -(-last // bar) - bool(self.pickup)
            object.__setattr__(self, "bars", max(1, full))
        start = bar - self.pickup if self.pickup else 0
        if self.pickup and (not notes or notes[0].onset != start):
            raise UsageError(f"A pickup of {self.pickup} steps needs a first note at step {start} of the first bar.")
        length = self.length
        for note in notes:
            if note.onset < start or note.duration < 1 or note.end > length or not 0 <= note.pitch < 128:
                raise UsageError(
                    f"{note} does not fit; notes lie in steps {start} to {length}, last at least 1 step "
                    "and have pitches 0 to 127."
                )
        for one, two in pairwise(notes):
            if one.end > two.onset:
                raise UsageError(f"{one} and {two} overlap; a melody has one note at a time.")

    @property
    def length(self) -> int:
        """Steps from the first bar line of the grid to the end of the last bar."""
        return (self.bars + bool(self.pickup)) * self.time_signature.bar_steps

    @property
    def seconds(self) -> float:
        """`length` in seconds."""
        return self.length / STEPS_PER_QUARTER * 60.0 / self.qpm

    def bar_of(self, step: int) -> int:
        """The number of the bar that holds `step`: 0 for the pickup's, else from 1."""
        return step // self.time_signature.bar_steps + (0 if self.pickup else 1)

    def transpose(self, semitones: int) -> Melody:
        """The same melody `semitones` higher, key and all. Raises UsageError if a pitch leaves [0, 128)."""
        notes = tuple(replace(note, pitch=note.pitch + semitones) for note in self.notes)
        return replace(self, notes=notes, key=self.key.transpose(semitones))

    def looped(self) -> Melody:
        """The same melody as its full bars alone, the pickup at the end of the last one: played round, nothing is lost.

        What sounds into the pickup's place ends before it. Raises UsageError where another note begins there.
        """
        if not self.pickup:
            return self
        bar, begins = self.time_signature.bar_steps, self.length - self.pickup
        upbeat = [replace(note, onset=note.onset + self.bars * bar) for note in self.notes if note.onset < bar]
        rest = [replace(note, duration=min(note.end, begins) - note.onset) for note in self.notes if note.onset >= bar]
        if any(note.duration < 1 for note in rest):
            raise UsageError(
                f"The last bar has no room for the pickup: notes begin in its last {self.pickup} steps; choose "
                "--pickup-as bar, another --seed, or a shorter pickup."
            )
        # The last note of a pickup may sound on into bar 1; here it ends with the clip.
        notes = [replace(note, duration=min(note.end, self.length) - note.onset) for note in (*rest, *upbeat)]
        return replace(self, notes=tuple(replace(n, onset=n.onset - bar) for n in notes), pickup=0, bars=self.bars)

    def pitch_class_weights(self) -> list[float]:
        """Total duration of each of the twelve pitch classes, in steps."""
        return pitch_class_weights(self.notes)

    @classmethod
    def from_midi(cls, path: str | PathLike[str], track: str = "auto") -> Melody:
        """The melody of a MIDI file (the longest piece, if the file splits into several).

        `track` is "auto", "top", a number from 1, a track's name or instrument, or "skyline".
        Raises MidiError or FileError when there is none.
        """
        return max(melodygru.read_melodies(path, track=track), key=lambda melody: len(melody.notes))

    @classmethod
    def from_object(cls, thing: Any, track: str = "auto") -> Melody:
        """The melody of an object of pretty_midi, music21, symusic, muspy, partitura or mido.

        Raises MidiError where there is none; see `melodygru.formats.notation.objects.from_object`.
        """
        return melodygru.from_object(thing, track)

    from_pretty_midi = from_music21 = from_symusic = from_muspy = from_partitura = from_object

    def save(self, path: str | PathLike[str], *, force: bool = True) -> None:
        """Write a MIDI file that loops exactly on its bars; see `melodygru.formats.midi.writer.write_midi`."""
        melodygru.write_midi(self, path, force=force)

    def to_pretty_midi(self) -> pretty_midi.PrettyMIDI:
        """The melody as the object that other Python code takes: one instrument, times in seconds."""
        return melodygru.to_pretty_midi(self)

    def to_music21(self) -> music21.stream.Score:
        """The melody as a music21 score: measures, key, metre, tempo, pickup."""
        return melodygru.to_music21(self)

    def to_symusic(self) -> symusic.Score:
        """The melody as a symusic score, which MidiTok takes too."""
        return melodygru.to_symusic(self)

    def to_muspy(self) -> muspy.Music:
        """The melody as muspy's object."""
        return melodygru.to_muspy(self)

    def to_partitura(self) -> partitura.score.Score:
        """The melody as a score of partitura."""
        return melodygru.to_partitura(self)


def pitch_class_weights(notes: Iterable[Note]) -> list[float]:
    """Total duration, in steps, of each of the twelve pitch classes in `notes`."""
    weights = [0.0] * 12
    for note in notes:
        weights[note.pitch % 12] += note.duration
    return weights
