"""Numbers that describe one melody: those of MusPy and of mgeval, repeats and phrase endings.

- MusPy (Dong et al. 2020, `muspy.metrics`): pitch range, pitches used, pitch-class entropy, scale consistency,
  pitch-in-scale rate, groove consistency, empty-measure rate.
- mgeval (Yang & Lerch 2018, "On the evaluation of generative models in music"): pitch count, histograms and transition
  matrices of pitch classes and note lengths, pitch range, mean interval, note count, mean inter-onset interval.

What says nothing about a melody (an interval of a melody of one note) is NaN.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from melodygru.music.melody import Melody
from melodygru.music.theory import SCALES, STEPS_PER_QUARTER, TimeSignature

FloatArray = npt.NDArray[np.float64]

LAGS = (1, 2, 4, 8, 16)
"""Bars back at which repeats are looked for."""
NOTE_LENGTHS = (96, 48, 24, 12, 6, 72, 36, 18, 9, 32, 16, 8)
"""mgeval's classes, in steps: whole to sixteenth, dotted half to dotted sixteenth, triplet half to triplet eighth."""
_PHRASE_BARS = 4
_LARGEST_INTERVAL = 12


def scalars(melody: Melody) -> dict[str, float]:
    """All statistics of a melody that are one number each. The melody has one note at least.

    Shares and rates are in [0, 1]; pitches and intervals in semitones; times in quarter notes.
    """
    notes, metre = melody.notes, melody.time_signature
    pitches = np.array([note.pitch for note in notes])
    onsets = np.array([note.onset for note in notes])
    durations = np.array([note.duration for note in notes])
    leaps = np.abs(np.diff(pitches))
    # What lies before a pickup is no silence of the melody's.
    span = melody.length - (metre.bar_steps - melody.pickup if melody.pickup else 0)
    endings = phrase_endings(melody)
    return {
        "pitch range": float(pitches.max() - pitches.min()),
        "pitches used": float(len(set(pitches.tolist()))),
        "pitch-class entropy": entropy(pitch_class_histogram(melody)),
        "scale consistency": scale_consistency(melody),
        "pitch-in-scale rate": in_scale(melody, melody.key.scale),
        "groove consistency": groove_consistency(melody),
        "empty-measure rate": empty_measure_rate(melody),
        "notes": float(len(notes)),
        "notes a bar": len(notes) / melody.bars,
        "mean interval": _mean(leaps),
        "leaps over a fifth": _mean(leaps > 7),
        "repeated pitches": _mean(leaps == 0),
        "mean inter-onset interval": _mean(np.diff(onsets)) / STEPS_PER_QUARTER,
        "note lengths used": float(len(set(durations.tolist()))),
        "notes on a beat": _mean(onsets % metre.beat_steps == 0),
        "silence": 1 - durations.sum() / span,
        **{f"again after {bars} bar{'s' * (bars > 1)}": again(melody, bars) for bars in LAGS},
        "phrases end on the tonic": _mean([melody.notes[i].pitch % 12 == melody.key.tonic for i in endings]),
        "phrases end on a long note": _mean([notes[i].duration >= metre.beat_steps for i in endings]),
        "phrases end on a strong beat": _mean([notes[i].onset % strong_beat(metre) == 0 for i in endings]),
        "last note is the tonic": float(notes[-1].pitch % 12 == melody.key.tonic),
        "length of the last note": notes[-1].duration / STEPS_PER_QUARTER,
    }


def histograms(melody: Melody) -> dict[str, FloatArray]:
    """All statistics that are shares which sum to 1 (or to 0, where there is nothing to count): by name, flat."""
    return {
        "pitch classes": pitch_class_histogram(melody),
        "pitch-class transitions": pitch_class_transitions(melody).ravel(),
        "note lengths": note_length_histogram(melody),
        "note-length transitions": note_length_transitions(melody).ravel(),
    }


def degree_histogram(melody: Melody) -> FloatArray:
    """(12,) share of the notes on each semitone above the tonic."""
    return np.roll(pitch_class_histogram(melody), -melody.key.tonic)


def interval_histogram(melody: Melody) -> FloatArray:
    """(25,) share of the steps from note to note of -12 to 12 semitones; farther ones count as 12."""
    steps = np.diff([note.pitch for note in melody.notes]).clip(-_LARGEST_INTERVAL, _LARGEST_INTERVAL)
    return _shares(np.bincount(steps + _LARGEST_INTERVAL, minlength=2 * _LARGEST_INTERVAL + 1))


def pitch_class_histogram(melody: Melody) -> FloatArray:
    """(12,) share of the notes on each pitch class, C first, whatever their length."""
    return _shares(np.bincount([note.pitch % 12 for note in melody.notes], minlength=12))


def pitch_class_transitions(melody: Melody) -> FloatArray:
    """(12, 12) share of the steps from note to note that lead from one pitch class (row) to another (column)."""
    return _transitions([note.pitch % 12 for note in melody.notes], 12)


def note_length_histogram(melody: Melody) -> FloatArray:
    """(12,) share of the notes nearest to each length of `NOTE_LENGTHS`."""
    return _shares(np.bincount(_length_classes(melody), minlength=len(NOTE_LENGTHS)))


def note_length_transitions(melody: Melody) -> FloatArray:
    """(12, 12) share of the steps from note to note that lead from one length (row) to another (column)."""
    return _transitions(_length_classes(melody), len(NOTE_LENGTHS))


def _length_classes(melody: Melody) -> list[int]:
    lengths = np.array(NOTE_LENGTHS)
    return [int(np.abs(lengths - note.duration).argmin()) for note in melody.notes]


def _transitions(classes: Sequence[int], size: int) -> FloatArray:
    table = np.zeros((size, size))
    for one, two in pairwise(classes):
        table[one, two] += 1
    return _shares(table)


def _shares(counts: npt.NDArray[np.generic]) -> FloatArray:
    return np.asarray(counts, np.float64) / max(1.0, float(counts.sum()))


def _mean(values: npt.NDArray[Any] | Sequence[bool]) -> float:
    return float(np.mean(np.asarray(values))) if len(values) else math.nan


def entropy(shares: FloatArray) -> float:
    """Shannon's, in bits."""
    some = shares[shares > 0]
    return float(-(some * np.log2(some)).sum()) + 0.0


def in_scale(melody: Melody, scale: Sequence[int]) -> float:
    """Share of the notes whose pitch class is in the scale (pitch classes): MusPy's `pitch_in_scale_rate`."""
    return _mean([note.pitch % 12 in scale for note in melody.notes])


def scale_consistency(melody: Melody) -> float:
    """The largest share of notes in any major or natural minor scale: MusPy's `scale_consistency`."""
    shares = pitch_class_histogram(melody)
    return max(
        float(sum(shares[(root + step) % 12] for step in SCALES[mode]))
        for mode in ("major", "minor")
        for root in range(12)
    )


def groove_consistency(melody: Melody) -> float:
    """How alike the onsets of neighbouring bars are: 1 less the share of steps at which only one has an onset.

    MusPy's `groove_consistency` (Wu & Yang 2020), which counts one bar more where the last note ends on a bar line.
    NaN for fewer than two bars.
    """
    bar = melody.time_signature.bar_steps
    grooves = np.zeros((melody.length // bar, bar), bool)
    for note in melody.notes:
        grooves[divmod(note.onset, bar)] = True
    return 1 - float((grooves[:-1] != grooves[1:]).sum(axis=1).mean()) / bar if len(grooves) > 1 else math.nan


def empty_measure_rate(melody: Melody) -> float:
    """Share of the bars in which nothing sounds: MusPy's `empty_measure_rate`, but for the bar line of a note's end.

    There a note that ends on a bar line sounds in the bar after it too.
    """
    bar = melody.time_signature.bar_steps
    sounding = {at for note in melody.notes for at in range(note.onset // bar, (note.end - 1) // bar + 1)}
    return 1 - len(sounding) / (melody.length // bar)


def again(melody: Melody, bars: int) -> float:
    """Share of the notes from bar `bars` + 1 on that stand so many bars earlier too: same place, pitch and length.

    NaN if the melody is not longer than that.
    """
    back = bars * melody.time_signature.bar_steps
    known = {(note.onset, note.pitch, note.duration) for note in melody.notes}
    return _mean([(n.onset - back, n.pitch, n.duration) in known for n in melody.notes if n.onset >= back])


def phrase_endings(melody: Melody) -> list[int]:
    """Indices of the notes that end phrases, taken to be of four bars.

    In every fourth bar, the last note that begins before the next phrase's upbeat, which is as long as the melody's
    own pickup.
    """
    metre = melody.time_signature
    begin = metre.bar_steps if melody.pickup else 0
    onsets = [note.onset for note in melody.notes]
    found = []
    for phrase in range(1, melody.bars // _PHRASE_BARS + 1):
        end = begin + phrase * _PHRASE_BARS * metre.bar_steps - melody.pickup
        start = begin + (phrase * _PHRASE_BARS - 1) * metre.bar_steps
        last = bisect_left(onsets, end) - 1
        if last >= 0 and onsets[last] >= start:
            found.append(last)
    return found


def strong_beat(metre: TimeSignature) -> int:
    """Steps between strong beats: half bars where a bar is two or four beats, else whole bars."""
    beats = metre.bar_steps // metre.beat_steps
    return metre.bar_steps // 2 if beats in (2, 4) else metre.bar_steps


def features(melody: Melody) -> dict[str, float]:
    """What statistical classifiers are told: `scalars`, and shares of degrees, lengths and intervals."""
    found = scalars(melody)
    found |= {f"share of degree {i}": share for i, share in enumerate(degree_histogram(melody).tolist())}
    for steps, share in zip(NOTE_LENGTHS, note_length_histogram(melody).tolist(), strict=True):
        found[f"share of notes of {steps / STEPS_PER_QUARTER:.3g} quarters"] = share
    for step, share in enumerate(interval_histogram(melody).tolist(), -12):
        if not step:
            continue  # `scalars` has repeated pitches
        found[f"share of steps of {step:+d} semitones"] = share
    return found


def feature_table(melodies: Sequence[Melody]) -> tuple[list[str], FloatArray]:
    """Names of the features, and (melodies, features)."""
    rows = [features(melody) for melody in melodies]
    return list(rows[0]), np.array([list(row.values()) for row in rows])
