"""Pieces as files that do not say what they are in: performed without signatures; and whether bar lines were found."""

from __future__ import annotations

import numpy as np

from melodygru.formats.midi.parser import RawFile, RawNote, RawTrack
from melodygru.music.melody import Melody
from melodygru.music.metre_finding import Reading, metre_class
from melodygru.music.theory import STEPS_PER_QUARTER

TICKS_PER_QUARTER = 480


def pickup_of(melody: Melody) -> int:
    """Steps from the first note to the next bar line; 0 where it begins on one."""
    return -melody.notes[0].onset % melody.time_signature.bar_steps


def performed(melody: Melody, jitter: float = 0.0, seed: int = 0) -> RawFile:
    """The melody as a MIDI file that has a tempo and no signatures, and whose first note is at tick 0.

    `jitter`: standard deviation, in seconds, of the time of each onset and end.
    """
    random, first = np.random.default_rng(seed), melody.notes[0].onset
    ticks = TICKS_PER_QUARTER / STEPS_PER_QUARTER
    off = jitter * melody.qpm / 60 * TICKS_PER_QUARTER
    size = len(melody.notes)
    onsets = [(note.onset - first) * ticks for note in melody.notes] + random.normal(0, off, size)
    ends = [(note.end - first) * ticks for note in melody.notes] + random.normal(0, off, size)
    inner = np.arange(size)
    # Never two at once, nor one before another.
    onsets = np.maximum.accumulate(np.round(onsets - min(0, onsets[0])).astype(int) - inner) + inner
    ends = np.maximum(np.round(ends).astype(int), onsets + 1)
    ends[:-1] = np.minimum(ends[:-1], onsets[1:])
    notes = tuple(
        RawNote(onset, end, note.pitch, 0, 0)
        for onset, end, note in zip(onsets.tolist(), ends.tolist(), melody.notes, strict=True)
    )
    tempo = ((0, round(60_000_000 / melody.qpm)),)
    return RawFile(TICKS_PER_QUARTER, (RawTrack(1, "", notes),), tempo, (), (), None, (), ())


def right_class(melody: Melody, found: Reading) -> bool:
    """Whether a reading of a piece has its metre's class."""
    return metre_class(found.metre) == metre_class(melody.time_signature)


def right_lines(melody: Melody, found: Reading) -> bool:
    """Whether a reading has the piece's bar lines: all of them, or every second or third, or others halfway between.

    So 2/4 may be read as 4/4 and 12/8 as 6/8; never a metre as one of another class.
    """
    own, other = melody.time_signature.bar_steps, found.metre.bar_steps
    small, large = min(own, other), max(own, other)
    return right_class(melody, found) and large % small == 0 and (found.pickup - pickup_of(melody)) % small == 0


def exact(melody: Melody, found: Reading) -> bool:
    """Whether a reading has the piece's bar lines, all of them and no others."""
    return right_lines(melody, found) and melody.time_signature.bar_steps == found.metre.bar_steps


def played_freely(melody: Melody, rubato: float, seed: int = 0, jitter: float = 0.015) -> tuple[RawFile, list[float]]:
    """The melody as a MIDI file that was played without a click, at 120 quarters a minute of its own; and its beats.

    `rubato`: standard deviation of the logarithm of the tempo, which goes up and down smoothly (normal, smoothed with
    a Gaussian of four quarters); `jitter` as of `performed`. The beats are in seconds, from the first note to the end
    of the last.
    """
    random, first = np.random.default_rng(seed), melody.notes[0].onset
    size, width = melody.notes[-1].end - first + 1, 4 * STEPS_PER_QUARTER
    kernel = np.exp(-0.5 * (np.arange(-4 * width, 4 * width + 1) / width) ** 2)
    wander = np.convolve(random.normal(size=size + 8 * width), kernel, "valid")
    tempo = rubato / np.sqrt((kernel**2).sum()) * wander
    seconds = np.append(0, np.cumsum(60 / melody.qpm / STEPS_PER_QUARTER * np.exp(-tempo)))
    onsets = seconds[[note.onset - first for note in melody.notes]] + random.normal(0, jitter, len(melody.notes))
    ends = seconds[[note.end - first for note in melody.notes]] + random.normal(0, jitter, len(melody.notes))
    inner = np.arange(len(onsets))
    at = onsets - min(0, onsets[0])
    ticks = np.maximum.accumulate(np.round(at * 2 * TICKS_PER_QUARTER).astype(int) - inner) + inner
    last = np.maximum(np.round(ends * 2 * TICKS_PER_QUARTER).astype(int), ticks + 1)
    last[:-1] = np.minimum(last[:-1], ticks[1:])
    notes = tuple(
        RawNote(onset, end, note.pitch, 80, 0)
        for onset, end, note in zip(ticks.tolist(), last.tolist(), melody.notes, strict=True)
    )
    beat = melody.time_signature.beat_steps
    beats = [float(seconds[at - first]) for at in range(-(-first // beat) * beat, melody.notes[-1].end, beat)]
    raw = RawFile(TICKS_PER_QUARTER, (RawTrack(1, "", notes),), ((0, 500_000),), (), (), None, (), ())
    return raw, beats
