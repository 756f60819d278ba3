"""PPM*: how likely each pitch is, by all contexts in which like notes stood before (Cleary & Teahan 1997).

A context of order k is what is known of the note due and the k - 1 notes before it, as one of the `VIEWPOINTS` sees
them; the context of order 0 is empty. `LongTerm` has counted the pitches after the contexts of a whole folder,
`Heard` those of the melody under way (Pearce 2005, chapter 6). Both are blended as PPM does, from the longest context
that is known down to the empty one: escape method C, interpolated (Bunton 1997), counts with update exclusion. That is,
a pitch counts in a context once for every longer context it stood after, since what is said there need not be said
again. Each viewpoint and each of the two memories is an *expert*; `melodygru.network.mixing` hears them all.

All is done for B melodies at once, and for one as for many: what belongs to a melody does not depend on the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from melodygru.network.arrays import Array, FloatArray, IntArray
from melodygru.network.tokenizer import REST, Events, PieceMeta
from melodygru.network.viewpoints import VIEWPOINTS, Notes

NOTES_BEFORE = 6
"""The longest context's; eight were no better."""
ORDERS = NOTES_BEFORE + 2
"""0 (empty) to 7 (what is known of the note due, and six notes)."""
HISTORY = 1024
"""Of a melody all notes but one of so many are remembered: bounds what a step costs."""
_OFFSET = 128
_SYMBOLS = 256
"""A pitch less its base, from -128 on."""
_CONTEXT_BITS = 24
"""Contexts and notes of a folder are fewer than 2 to this power: see `melodygru.network.mixing.MOST_EVENTS`."""
_SMALLEST = 1e-12
"""Probabilities' floor, for logarithms."""

UIntArray = npt.NDArray[np.uint64]
_NOTHING = np.uint64(0x9E3779B97F4A7C15)
"""Stands for a note before the first."""


def mixed_bits(values: Array) -> UIntArray:
    """The finisher of SplitMix64 (Steele, Lea & Flood 2014): every bit comes to depend on all others."""
    values = np.asarray(values).astype(np.uint64)
    values = (values ^ values >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ values >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return values ^ values >> np.uint64(31)


_MULTIPLIERS = mixed_bits(np.arange(1, NOTES_BEFORE + 2)) | np.uint64(1)
"""Of a context's parts, by which their sum is a hash of which comes where."""


def context_hashes(known: UIntArray, before: UIntArray) -> UIntArray:
    """(V, N, ORDERS) hashes of the contexts of each order, of hashed values.

    Args:
        known: (V, N), of what is known of the notes due.
        before: (V, N, NOTES_BEFORE), of the notes before each, the nearest first.
    """
    terms = np.concatenate([known[..., None], before], axis=-1) * _MULTIPLIERS
    sums = np.concatenate([np.zeros_like(terms[..., :1]), np.cumsum(terms, axis=-1, dtype=np.uint64)], axis=-1)
    salt = np.arange(len(VIEWPOINTS) * ORDERS, dtype=np.uint64).reshape(len(VIEWPOINTS), 1, ORDERS)
    return mixed_bits(sums + mixed_bits(salt))


def shares(counts: FloatArray, kinds: FloatArray) -> FloatArray:
    """(R, O) what one count adds to a pitch's probability, by escape method C, interpolated.

    A context in which `counts` pitches were counted, of so many `kinds`, gives kinds / (counts + kinds) of what is left
    to it to the next shorter one, and the rest to its counts alike. What is left of all goes to every pitch alike.
    Where nothing was counted, the next shorter context has all.

    Args:
        counts, kinds: (R, O) of each row's contexts, from order 0 on.
    """
    total = np.maximum(counts + kinds, 1)
    escape = np.where(counts > 0, kinds / total, 1.0)
    left = np.cumprod(escape[:, :0:-1], axis=1)[:, ::-1]
    left = np.concatenate([left, np.ones((len(counts), 1))], axis=1)
    return np.where(counts > 0, left / total, 0.0)


def _filled(index: IntArray, chances: FloatArray, rows: int) -> FloatArray:
    """(rows, 128) log-probabilities: of chances at places (row times 128 plus pitch), which are summed; what is then
    left of each row's 1 is shared out to all pitches alike.
    """
    found = np.asarray(np.bincount(index.astype(np.intp), chances, minlength=rows * REST), np.float64).reshape(
        rows, REST
    )
    left = np.maximum(1 - found.sum(axis=1, keepdims=True), 0)
    return np.log(np.maximum(found + left / REST, _SMALLEST))


class LongTerm:
    """What followed each context in N notes of many melodies."""

    def __init__(self, contexts: UIntArray, symbols: IntArray):
        """Count.

        Args:
            contexts: (V, N, ORDERS), see `context_hashes`.
            symbols: (V, N) pitches less their bases, below -128 where there is no base: not counted.
        """
        contexts, symbols = contexts[symbols >= -_OFFSET], symbols[symbols >= -_OFFSET] + _OFFSET
        self._keys, number = np.unique(contexts, return_inverse=True)
        number = number.reshape(contexts.shape)
        # Each is counted once for every longer context; in the longest as often as it came.
        longer = np.concatenate([number[:, 1:], len(self._keys) + np.arange(len(number))[:, None]], axis=1)
        pairs = number * _SYMBOLS + symbols[:, None]
        # (Sorting one number is much faster than sorting pairs: contexts are fewer than 2**24.)
        each = np.unique(pairs.ravel() << _CONTEXT_BITS | longer.ravel()) >> _CONTEXT_BITS
        entries, self._counts = np.unique(each, return_counts=True)
        of = entries // _SYMBOLS
        self._symbols = entries % _SYMBOLS - _OFFSET
        self._begins = np.searchsorted(of, np.arange(len(self._keys) + 1))
        self._totals = np.bincount(of.astype(np.intp), self._counts, minlength=len(self._keys))

    @classmethod
    def of(cls, pieces: Sequence[Events]) -> LongTerm:
        """The counts of all notes of these pieces, each in all its contexts."""
        if not pieces:
            views = len(VIEWPOINTS)
            return cls(np.zeros((views, 0, ORDERS), np.uint64), np.zeros((views, 0), np.int64))
        notes, pitch, index = _notes_of(pieces)
        codes = mixed_bits(notes.codes(pitch))
        before = np.full((*codes.shape, NOTES_BEFORE), _NOTHING, np.uint64)
        for back in range(1, NOTES_BEFORE + 1):
            before[:, back:, back - 1] = np.where(index[back:] >= back, codes[:, :-back], _NOTHING)
        base = notes.base()
        return cls(context_hashes(mixed_bits(notes.known()), before), np.where(base >= 0, pitch - base, -_SYMBOLS))

    def log_probabilities(self, contexts: UIntArray, base: IntArray) -> tuple[FloatArray, IntArray]:
        """(V, B, 128) of all pitches, in nats, and (V, B) orders of the longest contexts that are known, or 0.

        Where there is no base, `base` (V, B) being -1, every pitch is as likely. Of contexts after which one pitch
        alone stood the shortest is believed: it was seen most often.
        """
        shape = contexts.shape[:2]
        flat = contexts.reshape(-1, ORDERS)
        rows = len(flat)
        if not len(self._keys):
            return np.full((*shape, REST), -np.log(REST)), np.zeros(shape, np.int64)
        place = np.minimum(np.searchsorted(self._keys, flat), len(self._keys) - 1)
        known = np.logical_and.accumulate(self._keys[place] == flat, axis=1)
        order = np.maximum(known.sum(axis=1) - 1, 0)
        kinds = np.where(known, self._begins[place + 1] - self._begins[place], 0)
        sure = kinds == 1
        first = np.where(sure.any(axis=1), sure.argmax(axis=1), ORDERS)
        kinds = np.where(np.arange(ORDERS) <= first[:, None], kinds, 0)
        counts = np.where(kinds > 0, self._totals[place], 0.0)
        share = shares(counts, kinds.astype(np.float64)).ravel()
        many = kinds.ravel()
        of = np.repeat(np.arange(rows * ORDERS), many)
        entry = np.arange(len(of)) + np.repeat(self._begins[place].ravel() - (np.cumsum(many) - many), many)
        row = of // ORDERS
        pitch = self._symbols[entry] + base.ravel()[row]
        legal = (pitch >= 0) & (pitch < REST) & (base.ravel()[row] >= 0)
        index = (row * REST + pitch)[legal]
        logs = _filled(index, (share[of] * self._counts[entry])[legal], rows)
        return logs.reshape(*shape, REST), order.reshape(shape)


def _notes_of(pieces: Sequence[Events]) -> tuple[Notes, IntArray, IntArray]:
    """The notes of pieces, their pitches (N,), and each one's place (N,) among its piece's, from 0 on."""
    durations = np.concatenate([piece.durations for piece in pieces])
    pitches = np.concatenate([piece.pitches for piece in pieces])
    sizes = np.array([len(piece.durations) for piece in pieces])
    ends = np.cumsum(durations)
    starts = np.concatenate([[0], ends])[np.cumsum(sizes) - sizes]
    sounds = pitches < REST
    many = np.array([piece.notes for piece in pieces])
    each = [(_grid(piece.meta), piece.meta.key.tonic) for piece in pieces]
    bar, beat, bars, tonic = (np.repeat([(*grid, key)[i] for grid, key in each], many) for i in range(4))
    pitch, duration = pitches[sounds], durations[sounds]
    onset = ends[sounds] - duration - np.repeat(starts, many)
    index = np.arange(len(pitch)) - np.repeat(np.cumsum(many) - many, many)
    reference = np.where(index > 0, np.concatenate([[-1], pitch])[:-1], -1)
    return Notes(reference, tonic, duration, onset % bar, bar, beat, bars - onset // bar), pitch, index


def _grid(meta: PieceMeta) -> tuple[int, int, int]:
    """Steps of a bar, steps of a beat, and bars, a pickup's among them."""
    return meta.time_signature.bar_steps, meta.time_signature.beat_steps, meta.bars + meta.has_pickup


class Heard:
    """B melodies so far, as n-grams see them, and what each tells of its own next note: the short-term model.

    Attributes:
        onset: (B,) steps from the beginning of the grid to the event due.
    """

    def __init__(self, metas: Sequence[PieceMeta], notes: int = 64):
        size, views = len(metas), len(VIEWPOINTS)
        bar, beat, self._bars = np.array([_grid(meta) for meta in metas], np.int64).reshape(-1, 3).T
        tonic = np.array([meta.key.tonic for meta in metas], np.int64)
        nothing = np.zeros(size, np.int64)
        self._now = Notes(nothing - 1, tonic, nothing, nothing, bar, beat, self._bars)
        self.onset = np.zeros(size, np.int64)
        self._count = np.zeros(size, np.int64)
        self._codes = np.full((views, size, notes), _NOTHING, np.uint64)
        self._known = np.zeros((views, size, notes), np.int64)
        self._symbols = np.zeros((views, size, notes), np.int64)
        # For each past note the number of notes before it that are those before the note due. (All four are rings once
        # `HISTORY` is full; the place of the note due is free.)
        self._alike = np.zeros((views, size, notes), np.int64)

    def due(self, durations: IntArray) -> Notes:
        """What is known of the notes due, if they last so many steps, (B,)."""
        now = self._now
        left = self._bars - self.onset // now.bar_steps
        return replace(now, duration=durations, position=self.onset % now.bar_steps, bars_left=left)

    def contexts(self, due: Notes) -> UIntArray:
        """(V, B, ORDERS) hashes of the contexts of the notes due."""
        back = self._count[:, None] - 1 - np.arange(NOTES_BEFORE)
        before = self._codes[:, np.arange(len(back))[:, None], np.maximum(back, 0) % self._codes.shape[2]]
        return context_hashes(mixed_bits(due.known()), np.where(back >= 0, before, _NOTHING))

    def log_probabilities(self, due: Notes) -> tuple[FloatArray, IntArray]:
        """(V, B, 128) of all pitches, in nats, and (V, B) orders of the longest contexts that came before, or 0.

        Here a pitch counts in a context once, however often it came there: a melody is too short for more.
        """
        room = self._codes.shape[2]
        used = min(int(self._count.max(initial=0)), room)
        base = due.base()
        shape, rows = base.shape, base.size
        past = np.arange(used) < self._count[:, None]
        past &= np.arange(used) != (self._count % room)[:, None]
        counted = past & (self._symbols[..., :used] >= -_OFFSET) & (base[..., None] >= 0)
        again = self._known[..., :used] == due.known()[..., None]
        order = np.where(again, 1 + np.minimum(self._alike[..., :used], NOTES_BEFORE), 0)
        # The highest order in which each pitch came.
        highest = np.full((rows, _SYMBOLS), -1, np.int64)
        flat = counted.reshape(rows, -1)
        row = np.nonzero(flat)[0]
        which = self._symbols[..., :used].reshape(rows, -1)[flat] + _OFFSET
        np.maximum.at(highest, (row, which), order.reshape(rows, -1)[flat])
        came = highest >= 0
        index = (np.arange(rows)[:, None] * ORDERS + highest)[came]
        new: FloatArray = (
            np.bincount(index.astype(np.intp), minlength=rows * ORDERS).astype(np.float64).reshape(rows, ORDERS)
        )
        kinds = np.cumsum(new[:, ::-1], axis=1)[:, ::-1]
        share = np.cumsum(shares(kinds, kinds), axis=1)
        row, symbol = np.nonzero(came)
        pitch = symbol - _OFFSET + base.ravel()[row]
        legal = (pitch >= 0) & (pitch < REST)
        index = (row * REST + pitch)[legal]
        longest = np.maximum(highest.max(axis=1), 0)
        logs = _filled(index, share[row, highest[row, symbol]][legal], rows)
        return logs.reshape(*shape, REST), longest.reshape(shape)

    def advance(self, durations: IntArray, pitches: IntArray) -> None:
        """Append one event to each melody: (B,) durations in steps (0 for END) and (B,) pitch classes."""
        rows = np.flatnonzero(pitches < REST)
        if len(rows):
            due = self.due(durations)
            self._append(rows, due, pitches)
            self._now = replace(self._now, reference=np.where(pitches < REST, pitches, self._now.reference))
        self.onset = self.onset + durations

    def _append(self, rows: IntArray, due: Notes, pitches: IntArray) -> None:
        if int(self._count[rows].max()) + 1 >= self._codes.shape[2] and self._codes.shape[2] < HISTORY:
            self._grow()
        room = self._codes.shape[2]
        at, base = self._count[rows] % room, due.base()[:, rows]
        codes = mixed_bits(due.codes(pitches))[:, rows]
        self._codes[:, rows, at] = codes
        self._known[:, rows, at] = due.known()[:, rows]
        self._symbols[:, rows, at] = np.where(base >= 0, pitches[rows] - base, -_SYMBOLS)
        used = min(int(self._count[rows].max()) + 2, room)
        alike = np.where(self._codes[:, rows, :used] == codes[..., None], self._alike[:, rows, :used] + 1, 0)
        self._alike[:, rows, :used] = np.roll(alike, 1, axis=2)
        self._count[rows] += 1

    def _grow(self) -> None:
        """Make room for as many notes again."""
        for name in ("_codes", "_known", "_symbols", "_alike"):
            array = getattr(self, name)
            setattr(self, name, np.concatenate([array, np.zeros_like(array)], axis=2))

    def keep(self, rows: IntArray) -> None:
        """Go on with these melodies (indices) alone."""
        for name in ("_bars", "onset", "_count"):
            setattr(self, name, getattr(self, name)[rows])
        for name in ("_codes", "_known", "_symbols", "_alike"):
            setattr(self, name, getattr(self, name)[:, rows])
        self._now = Notes(**{name: value[rows] for name, value in vars(self._now).items()})
