"""What a melody knows when its next event is due: the metre, the bars left, and itself.

Beside the previous event, the network sees

- where it is: metre, position in the bar and in the beat, bar number, bars left, mode, length of the pickup;
- how far the last pitch lies from the lowest and the highest so far, since a tune keeps to its range (ambitus);
- *metrical lookback*: what sounded at this same place of the bar 1, 2, 3, … bars ago;
- *matches*: how it went on where the tune had the longest passage like the one just heard,
  at the same pitch or transposed (the idea of PPM*, Cleary & Teahan 1997, which IDyOM
  brought to melody, Pearce 2005).

Lookback spots and matches together are called candidates: each says "there, a note of this
pitch and duration came next, and it has been right for so many events".

Everything is computed step by step for a batch of melodies at once, from the past alone, so
the same code serves training (`context_arrays`) and generation (`Context.advance`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from melodygru.music.theory import MODES
from melodygru.network.arrays import IntArray
from melodygru.network.columns import (
    BAR_NUMBERS,
    BARS_LEFT,
    BEAT_POSITIONS,
    HEIGHTS,
    LARGEST_INTERVAL,
    MATCH_HISTORY,
    PICKUPS,
    POSITIONS,
    RUN_BUCKETS,
    RUN_EDGES,
    START,
    degrees,
    intervals,
    metre_index,
)
from melodygru.network.conditions import Told, chord_degrees
from melodygru.network.config import ContextConfig
from melodygru.network.tokenizer import REST, Events, PieceMeta

UNKNOWN_INTERVAL = 1000
"""Stands for the interval from no pitch; with a pitch class that is none added, for a rest or a tie."""
CODE = 4096
"""Above every duration: what events are told apart by is one of these a pitch or interval, and the duration."""


class Context:
    """The context of B melodies that grow by one event each at a time.

    Attributes, all of them about the event that is due (K = `config.candidates`):
        inputs: (B, columns) table indices, in the order of `input_columns`, then `candidate_columns` K times.
        onset: (B,) steps from the beginning of the grid.
        position: (B,) steps since the bar line.
        bar_steps: (B,) length of a bar in steps.
        reference: (B,) the last pitch that sounded, -1 if none.
        tonic: (B,) pitch class of the key's tonic.
        root: (B,) pitch class of the chord's root, -1 if none is known.
        candidate_pitch, candidate_duration, candidate_run: (B, K) pitch class, steps, [0, RUNS).
    """

    def __init__(self, metas: Sequence[PieceMeta], config: ContextConfig, max_duration: int, events: int = 256):
        size = len(metas)
        self.config = config
        self.max_duration = max_duration
        self.count = 0
        self._rows = np.arange(size)[:, None]
        self.bar_steps = np.array([meta.time_signature.bar_steps for meta in metas], np.int64)
        self._beat_steps = np.array([meta.time_signature.beat_steps for meta in metas], np.int64)
        self._metre = np.array([metre_index(meta.time_signature) for meta in metas], np.int64)
        self._mode = np.array([MODES.index(meta.key.mode) for meta in metas], np.int64)
        self._first_bar = np.array([0 if meta.has_pickup else 1 for meta in metas], np.int64)
        self._bars = np.array([meta.bars for meta in metas], np.int64)
        self.tonic = np.array([meta.key.tonic for meta in metas], np.int64)
        self.onset = np.zeros(size, np.int64)
        self.reference = np.full(size, -1, np.int64)
        self._has_pickup = np.array([meta.has_pickup for meta in metas], np.bool_)
        told = [meta.conditions for meta in metas]
        self._told = Told(told, self.bar_steps, self.tonic, self._has_pickup)
        self.root = np.full(size, -1, np.int64)
        self._pickup = np.zeros(size, np.int64)
        self._lowest, self._highest = np.full(size, REST, np.int64), np.full(size, -1, np.int64)
        start = np.full(size, START, np.int64)
        self._previous = (start, intervals(start, self.reference), np.zeros(size, np.int64))
        self._onsets = np.zeros((size, events + 1), np.int64)
        self._durations = np.zeros((size, events), np.int64)
        self._pitches = np.zeros((size, events), np.int64)
        self._steps = np.zeros((size, events), np.int64)  # interval from the sounding pitch before it
        # For both kinds of match: what an event must share to be the same, and for each event j the length
        # of the passage before it that equals the passage just heard.
        self._codes = np.zeros((2, size, events), np.int64)
        self._lengths = np.zeros((2, size, events), np.int64)
        self._distance = np.array(config.lookback, np.int64)[None, :] * self.bar_steps[:, None]
        self._pointer = np.zeros_like(self._distance)
        self._run = np.zeros_like(self._distance)
        shape = (size, config.candidates)
        self.candidate_pitch = np.full(shape, REST, np.int64)
        self.candidate_duration = np.zeros(shape, np.int64)
        self.candidate_run = np.zeros(shape, np.int64)
        self._look()

    def advance(self, durations: IntArray, pitches: IntArray) -> None:
        """Append one event to each melody: (B,) durations in steps (0 for END) and (B,) pitch classes."""
        n = self.count
        if n == self._durations.shape[1]:
            self._grow()
        lags = len(self.config.lookback)
        at_onset = self.candidate_run[:, :lags] % 3 == 2
        same = (self.candidate_duration[:, :lags] == durations[:, None]) & (
            self.candidate_pitch[:, :lags] == pitches[:, None]
        )
        self._run = np.where(at_onset & same, self._run + 1, 0)
        sounds = pitches < REST
        known = np.where(self.reference >= 0, pitches - self.reference, UNKNOWN_INTERVAL)
        steps = np.where(sounds, known, UNKNOWN_INTERVAL + pitches)
        self._previous = (pitches, intervals(pitches, self.reference), durations)
        self._durations[:, n], self._pitches[:, n], self._steps[:, n] = durations, pitches, steps
        if self.config.matches:
            self._codes[0, :, n] = pitches * CODE + durations
            self._codes[1, :, n] = steps * CODE + durations
            if n:
                first = max(0, n - MATCH_HISTORY)
                again = self._codes[:, :, first:n] == self._codes[:, :, n : n + 1]
                self._lengths[:, :, first + 1 : n + 1] = np.where(again, self._lengths[:, :, first:n] + 1, 0)
        self.reference = np.where(sounds, pitches, self.reference)
        self._lowest = np.where(sounds, np.minimum(self._lowest, pitches), self._lowest)
        self._highest = np.where(sounds, np.maximum(self._highest, pitches), self._highest)
        if not n:
            # A melody with a pickup begins with a rest, the silent part of bar 0.
            self._pickup = np.where(
                self._has_pickup, np.minimum(np.maximum(self.bar_steps - durations, 0), PICKUPS - 1), 0
            )
        self.onset = self.onset + durations
        self._onsets[:, n + 1] = self.onset
        self.count = n + 1
        self._look()

    def keep(self, rows: IntArray) -> None:
        """Go on with these melodies (indices) alone."""
        for name, value in vars(self).items():
            if name in ("_codes", "_lengths"):
                setattr(self, name, value[:, rows])
            elif isinstance(value, np.ndarray) and name != "_rows":
                setattr(self, name, value[rows])
        self._told.keep(rows)
        self._previous = (self._previous[0][rows], self._previous[1][rows], self._previous[2][rows])
        self._rows = np.arange(len(rows))[:, None]

    def _grow(self) -> None:
        """Make room for as many events again."""
        more = self._durations.shape[1]

        def longer(array: IntArray) -> IntArray:
            return np.concatenate([array, np.zeros((*array.shape[:-1], more), np.int64)], axis=-1)

        self._onsets, self._durations = longer(self._onsets), longer(self._durations)
        self._pitches, self._steps = longer(self._pitches), longer(self._steps)
        self._codes, self._lengths = longer(self._codes), longer(self._lengths)

    def _look(self) -> None:
        """Set all that is known of the event due."""
        config = self.config
        self.position = self.onset % self.bar_steps
        if config.lookback and self.count:
            self._look_back()
        if config.matches and self.count > 1:
            for kind in (0, 1):
                self._look_for_matches(kind)
        columns = list(self._previous)
        bar = self.onset // self.bar_steps + self._first_bar
        if config.metre:
            columns += [
                np.minimum(self.position, POSITIONS - 1),
                np.minimum(self.position % self._beat_steps, BEAT_POSITIONS - 1),
                self._metre,
                (bar - 1) % BAR_NUMBERS,
            ]
        if config.bars_left:
            # 0 on the last bar line, where nothing is left; 1 within the last bar.
            columns.append(np.minimum(np.maximum(self._bars - bar + 1, 0), BARS_LEFT - 1))
        if config.key:
            columns += [degrees(self._previous[0], self.tonic), self._mode]
        if config.ambitus:
            columns += [self._height(self.reference - self._lowest), self._height(self._highest - self.reference)]
        if config.pickup:
            columns.append(self._pickup)
        more, self.root = self._told.columns(config, self._rows[:, 0], self.onset, self._previous[0])
        columns += more
        # Columns are put in place one by one: np.stack would take longer than all that went before.
        places = len(columns)
        size, candidates = self.candidate_pitch.shape
        each = [intervals(self.candidate_pitch, self.reference[:, None])] if candidates else []
        if config.key and candidates:
            each.append(degrees(self.candidate_pitch, self.tonic[:, None]))
        if config.chords and candidates:
            each.append(chord_degrees(self.candidate_pitch, self.root[:, None]))
        if candidates:
            each += [self.candidate_duration, self.candidate_run]
        self.inputs = np.empty((size, places + candidates * len(each)), np.int64)
        for i, column in enumerate(columns):
            self.inputs[:, i] = column
        for i, of_each in enumerate(each):
            self.inputs[:, places + i :: len(each)] = of_each

    def _height(self, semitones: IntArray) -> IntArray:
        return np.where(self.reference >= 0, np.minimum(semitones, LARGEST_INTERVAL), HEIGHTS - 1)

    def _look_back(self) -> None:
        """Candidates at the same place of the bar, some bars ago."""
        target = self.onset[:, None] - self._distance
        rows, pointer = self._rows, self._pointer
        while True:
            # The event due begins after every target, so no pointer passes the last event.
            move = self._onsets[rows, pointer + 1] <= target
            if not move.any():
                break
            pointer += move
        begins = self._onsets[rows, pointer]
        exists = target >= 0
        lags = len(self.config.lookback)
        self.candidate_pitch[:, :lags] = np.where(exists, self._pitches[rows, pointer], REST)
        remaining = begins + self._durations[rows, pointer] - target
        self.candidate_duration[:, :lags] = np.where(exists, np.minimum(np.maximum(remaining, 0), self.max_duration), 0)
        run = RUN_BUCKETS[np.minimum(self._run, RUN_EDGES[-1])]
        self.candidate_run[:, :lags] = 3 * run + exists + (exists & (begins == target))

    def _look_for_matches(self, kind: int) -> None:
        """Candidates after the longest passage like the one just heard (the latest of equals), and after its
        longest rival that went on differently. `kind` 0: the same pitches, 1: transposed.
        """
        n, rows = self.count, self._rows[:, 0]
        oldest = max(0, n - MATCH_HISTORY)
        codes, lengths = self._codes[kind, :, oldest:n], self._lengths[kind, :, oldest:n]
        first = len(self.config.lookback) + 2 * kind
        for column in (first, first + 1):
            nearest = n - oldest - 1 - lengths[:, ::-1].argmax(axis=1)
            length, where = lengths[rows, nearest], oldest + nearest
            found = length > 0
            pitch = self._pitches[rows, where]
            if kind == 1:
                step = self._steps[rows, where]
                moved = self.reference + step
                moved = np.where((moved >= 0) & (moved < REST), moved, REST)
                pitch = np.where(step < UNKNOWN_INTERVAL, moved, pitch)
            self.candidate_pitch[:, column] = np.where(found, pitch, REST)
            self.candidate_duration[:, column] = np.where(found, self._durations[rows, where], 0)
            bucket = RUN_BUCKETS[np.minimum(length, RUN_EDGES[-1])]
            self.candidate_run[:, column] = np.where(found, 3 * bucket + 2, 0)
            lengths = np.where(codes == codes[rows, nearest][:, None], 0, lengths)


CONTEXT_ARRAYS = ("inputs", "position", "bar_steps", "reference", "tonic", "candidate_pitch")
"""Names of the arrays that `context_arrays` gives for each piece."""


def context_arrays(
    pieces: Sequence[Events], config: ContextConfig, max_duration: int, batch: int = 64
) -> list[dict[str, npt.NDArray[np.generic]]]:
    """The context of every event of whole pieces, for training.

    Returns:
        One dict a piece, in order. With T events: "inputs" (T, columns) uint8, "candidate_pitch" (T, K) uint8,
        "position" (T,) uint16, "bar_steps" (T,) uint16, "reference" (T,) int16, "tonic" (T,) uint8; where chords are
        told, also "root" (T,) int16.
    """
    types = {
        "inputs": np.uint8,
        "candidate_pitch": np.uint8,
        "reference": np.int16,
        "tonic": np.uint8,
        "root": np.int16,
    }
    order = sorted(range(len(pieces)), key=lambda i: len(pieces[i].durations))
    results: list[dict[str, npt.NDArray[np.generic]]] = [{} for _ in pieces]
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        longest = len(pieces[chosen[-1]].durations)
        durations = np.zeros((len(chosen), longest), np.int64)
        pitches = np.full((len(chosen), longest), REST, np.int64)
        for row, index in enumerate(chosen):
            durations[row, : len(pieces[index].durations)] = pieces[index].durations
            pitches[row, : len(pieces[index].pitches)] = pieces[index].pitches
        context = Context([pieces[i].meta for i in chosen], config, max_duration, events=longest)
        names = (*CONTEXT_ARRAYS, "root") if config.chords else CONTEXT_ARRAYS
        seen: dict[str, list[npt.NDArray[np.generic]]] = {name: [] for name in names}
        for step in range(longest):
            for name, values in seen.items():
                values.append(np.asarray(getattr(context, name)).astype(types.get(name, np.uint16)))
            if step + 1 < longest:
                context.advance(durations[:, step], pitches[:, step])
        stacked = {name: np.stack(values, axis=1) for name, values in seen.items()}
        for row, index in enumerate(chosen):
            length = len(pieces[index].durations)
            results[index] = {name: array[row, :length].copy() for name, array in stacked.items()}
    return results
