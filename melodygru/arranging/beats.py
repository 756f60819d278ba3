"""What a harmonizing network is told of a melody: a row of numbers for each felt beat, in degrees of the key.

Pitch classes are counted from the tonic, so that one tune teaches all keys; the mode is told as its scale.
"""

from __future__ import annotations

import numpy as np

from melodygru.music.melody import Melody, Note
from melodygru.music.theory import SCALES, STEPS_PER_QUARTER, Key
from melodygru.network.arrays import Float32Array, FloatArray

LEARNED_STYLES = ("hymn", "song", "standard")
"""Styles whose chords were learned."""
_LONGEST = 4.0
"""Beats: of longer notes it is told that they last so long."""
_FEW_BARS = 8.0
"""From so many bars before the end it is told how far that is."""
WIDTH = 90
"""Numbers told of a beat."""


def beat_count(melody: Melody) -> int:
    """Felt beats from the first bar line of the grid to the end, a last part of a beat counted whole."""
    return -(-melody.length // melody.time_signature.beat_steps)


def half_beat(melody: Melody) -> int:
    """The beat of a bar, from 0, on which its second half begins: 2 of 4, 2 of 3, 3 of 5; 0 in bars of one beat."""
    beats = beats_in_bar(melody)
    return -(-beats // 2) if beats > 1 else 0


def beats_in_bar(melody: Melody) -> int:
    """Felt beats in a bar, at least 1."""
    return max(1, melody.time_signature.bar_steps // melody.time_signature.beat_steps)


def describe(melody: Melody, key: Key, style: str | None) -> Float32Array:
    """(T, WIDTH) float32, of each of T beats: what sounds, where in bar and piece it is, the mode, the style.

    `style` is one of `LEARNED_STYLES`, or None where none is told.
    """
    count, sounding = beat_count(melody), _sounding(melody, key.tonic)
    rows = np.concatenate(
        [
            sounding,
            1 - sounding.sum(1, keepdims=True),
            _struck(melody, key.tonic, count),
            _whole(melody, sounding),
            _places(melody, count),
            np.broadcast_to(_of_piece(melody, key, style), (count, 20)),
        ],
        axis=1,
    )
    return rows.astype(np.float32)


def _sounding(melody: Melody, tonic: int) -> FloatArray:
    """(T, 12) the share of each beat, in [0, 1], in which each degree sounds."""
    beat = melody.time_signature.beat_steps
    shares = np.zeros((beat_count(melody), 12))
    for note in melody.notes:
        for number in range(note.onset // beat, -(-note.end // beat)):
            overlap = min(note.end, (number + 1) * beat) - max(note.onset, number * beat)
            shares[number, (note.pitch - tonic) % 12] += overlap / beat
    return shares


def _struck(melody: Melody, tonic: int, count: int) -> FloatArray:
    """(T, 17): the degree at each beat's first step, whether it is struck there, how many notes begin in the beat.

    Further how long that note lasts, its height over the melody's mean, and the step from the beat before.
    """
    beat = melody.time_signature.beat_steps
    found = np.zeros((count, 17))
    middle = float(np.mean([note.pitch for note in melody.notes])) if melody.notes else 0.0
    before: Note | None = None
    for note in melody.notes:
        found[note.onset // beat, 13] += 0.25
        for number in range(-(-note.onset // beat), -(-note.end // beat)):
            found[number, (note.pitch - tonic) % 12] = 1
            found[number, 12] = note.onset == number * beat
            found[number, 14] = min((note.end - number * beat) / beat, _LONGEST) / _LONGEST
            found[number, 15] = (note.pitch - middle) / 12
            found[number, 16] = 0 if before is None else (note.pitch - before.pitch) / 12
            before = note
    return found


def _whole(melody: Melody, sounding: FloatArray) -> FloatArray:
    """(T, 24): how long each degree sounds in the beat's bar and in the whole piece, as shares."""
    bars = np.arange(len(sounding)) // beats_in_bar(melody)
    per_bar = np.zeros((int(bars[-1]) + 1, 12))
    np.add.at(per_bar, bars, sounding)
    per_bar /= np.maximum(per_bar.sum(1, keepdims=True), 1e-6)
    total = sounding.sum(0) / max(sounding.sum(), 1e-6)
    return np.concatenate([per_bar[bars], np.broadcast_to(total, sounding.shape)], axis=1)


def _places(melody: Melody, count: int) -> FloatArray:
    """(T, 16): whether a bar or its second half begins, which of four and of eight bars it is, how near the ends are."""
    beats, at = beats_in_bar(melody), np.arange(count)
    within, bar = at % beats, at // beats - bool(melody.pickup)
    left = (count - 1 - at) / beats
    found = np.zeros((count, 16))
    found[:, 0] = within == 0
    found[:, 1] = within == half_beat(melody)
    found[:, 2] = within / beats
    found[:, 3] = within == beats - 1
    found[at, 4 + bar % 4] = within == 0
    found[:, 8] = bar // 4 % 2
    found[:, 9] = bar % 2
    found[:, 10] = at == 0
    found[:, 11] = np.exp(-at / beats)
    found[:, 12] = at == count - 1
    found[:, 13] = np.exp(-left)
    found[:, 14] = np.minimum(left, _FEW_BARS) / _FEW_BARS
    found[:, 15] = bar < 0
    return found


def _of_piece(melody: Melody, key: Key, style: str | None) -> FloatArray:
    """(20,): the scale, beats of a bar, whether they are compound, how long they are, the style."""
    metre = melody.time_signature
    scale = np.zeros(12)
    scale[list(SCALES[key.mode])] = 1
    beats = beats_in_bar(melody)
    facts = [beats == 2, beats == 3, beats == 4, metre.is_compound, np.log2(metre.beat_steps / STEPS_PER_QUARTER)]
    return np.concatenate([scale, facts, [style == name for name in LEARNED_STYLES]])
