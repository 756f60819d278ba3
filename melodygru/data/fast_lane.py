"""The fast lane for many MIDI files: `fast_lane.cpp`, compiled for this CPU at its first use.

It reads plain files (one melodic part, one metre, notes on the grid) to the very events and contexts that
`melodygru.formats.midi.extraction`, `melodygru.network.tokenizer` and `melodygru.network.context` make, some thirty
times as fast, and says of all others that they are not plain. Without a C++ compiler everything is read by those.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from melodygru.music.theory import KRUMHANSL_KESSLER, MODES, Key, estimate_key, key_for_signature
from melodygru.network.columns import candidate_columns, input_columns, metre_index
from melodygru.network.config import ContextConfig
from melodygru.network.tokenizer import PieceMeta
from melodygru.system import cache_home

_SOURCE = Path(__file__).with_suffix(".cpp")
_FLAGS = ("-O3", "-std=c++17", "-shared", "-fPIC", "-ffp-contract=off")
"""Floating point as Python computes it, to the last bit: no multiplication and addition become one."""
_NATIVE = (("-march=native",), ("-mcpu=native",), ())
"""How compilers are told to build for this very CPU: the first that they understand."""
_LONGEST_BUILD = 120.0

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class PlainFile:
    """What a plain file says beside its pieces: the track they come from, and the bytes of a key in words, if any."""

    number: int
    name: bytes
    key_in_words: bytes | None
    metre_stated: bool


@dataclass(frozen=True)
class PlainPieces:
    """F files read together.

    Attributes:
        files: (F,) None where a file is not plain.
        table: (P, 9) int64, of each piece: its file, numerator, denominator, bars, pickup in steps, sharps of the key
            signature (99: none), whether that is minor, pitch class of the last note, events.
        weights: (P, 12) int64, steps that each pitch class lasts.
        durations, pitches: (N,) uint8 events of all pieces, one after the other.
    """

    files: list[PlainFile | None]
    table: Array
    weights: Array
    durations: Array
    pitches: Array


class Reader:
    """The compiled functions."""

    def __init__(self, library: ctypes.CDLL):
        self._library = library
        library.reading_extract.restype = ctypes.c_void_p
        for name in ("reading_file_fields", "reading_piece_fields", "reading_pieces", "reading_events"):
            getattr(library, name).restype = ctypes.c_int64

    def extract(self, data: Sequence[bytes], min_notes: int, max_rest_bars: int, max_duration: int) -> PlainPieces:
        """The pieces of files, given as their bytes; for the numbers see `melodygru.formats.midi.extraction`."""
        library = self._library
        offsets = np.cumsum([0, *map(len, data)], dtype=np.int64)
        joined = b"".join(data)
        sizes = (ctypes.c_int64(value) for value in (len(data), min_notes, max_rest_bars, max_duration))
        results = ctypes.c_void_p(library.reading_extract(joined, _address(offsets), *sizes))
        try:
            pieces, events = library.reading_pieces(results), library.reading_events(results)
            files = np.empty((len(data), library.reading_file_fields()), np.int64)
            table = np.empty((pieces, library.reading_piece_fields()), np.int64)
            durations, pitches = np.empty(events, np.uint8), np.empty(events, np.uint8)
            library.reading_copy(results, *map(_address, (files, table, durations, pitches)))
        finally:
            library.reading_free(results)
        told = [
            PlainFile(
                number,
                joined[name_at : name_at + name_size],
                joined[words_at : words_at + words_size] if words_size >= 0 else None,
                bool(stated),
            )
            if plain
            else None
            for plain, number, name_at, name_size, words_at, words_size, stated in files.tolist()
        ]
        return PlainPieces(told, table[:, :9], table[:, 9:], durations, pitches)

    def context(
        self,
        durations: Array,
        pitches: Array,
        offsets: Array,
        metas: Sequence[PieceMeta],
        config: ContextConfig,
        max_duration: int,
    ) -> dict[str, Array]:
        """The context of every event of P pieces, as `melodygru.network.context.context_arrays` but all in one row.

        Args:
            durations, pitches: (N,) uint8.
            offsets: (P + 1,) int64, where each piece begins.
            metas: (P,) of the pieces.
        """
        events, lookback = len(durations), np.array(config.lookback, np.int64)
        columns = len(input_columns(config, max_duration))
        columns += config.candidates * len(candidate_columns(config, max_duration))
        table = np.array([_numbers(meta) for meta in metas], np.int64).reshape(-1, 7)
        settings = np.array(
            [
                *(config.metre, config.bars_left, config.key, config.ambitus, config.pickup, config.matches),
                *(len(lookback), max_duration),
            ],
            np.int64,
        )
        arrays: dict[str, Array] = {
            "inputs": np.empty((events, columns), np.uint8),
            "position": np.empty(events, np.uint16),
            "reference": np.empty(events, np.int16),
            "candidate_pitch": np.empty((events, config.candidates), np.uint8),
        }
        self._library.reading_context(
            *map(_address, (durations, pitches, offsets, table)),
            ctypes.c_int64(len(metas)),
            _address(settings),
            _address(lookback),
            ctypes.c_int64(columns),
            ctypes.c_int64(config.candidates),
            *map(_address, arrays.values()),
        )
        lengths = np.diff(offsets)
        arrays["bar_steps"] = np.repeat(table[:, 0].astype(np.uint16), lengths)
        arrays["tonic"] = np.repeat(table[:, 4].astype(np.uint8), lengths)
        return arrays


def _numbers(meta: PieceMeta) -> tuple[int, ...]:
    """What the kernel's struct Meta holds."""
    metre, key = meta.time_signature, meta.key
    mode = MODES.index(key.mode)
    return metre.bar_steps, metre.beat_steps, metre_index(metre), mode, key.tonic, meta.bars, int(meta.has_pickup)


def _address(array: Array) -> ctypes.c_void_p:
    assert array.flags.c_contiguous
    return ctypes.c_void_p(array.ctypes.data)


@cache
def reader() -> Reader | None:
    """The fast lane; None where it cannot be compiled, or MELODYGRU_KERNEL=0 says not to."""
    if os.environ.get("MELODYGRU_KERNEL") == "0" or sys.platform == "win32":
        return None
    for native in _NATIVE:
        with suppress(OSError, subprocess.SubprocessError):
            return build(native)
    return None


def build(native: Sequence[str]) -> Reader:
    """The fast lane, compiled with these flags, if it was not before. Raises OSError or SubprocessError."""
    # Machines that share a home need not have the same CPU: the host's name goes in.
    state = repr((_SOURCE.read_bytes(), _FLAGS, native, platform.machine(), platform.node()))
    place = cache_home() / "compiled" / f"reading-{hashlib.sha256(state.encode()).hexdigest()[:16]}.so"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as folder:
            made = Path(folder) / place.name
            command = [os.environ.get("CXX", "c++"), *_FLAGS, *native, str(_SOURCE), "-o", str(made)]
            subprocess.run(command, check=True, capture_output=True, timeout=_LONGEST_BUILD)
            os.replace(made, place)
    return Reader(ctypes.CDLL(str(place)))


_MODES = ("major", "minor", "dorian", "mixolydian")
_PROFILE_OF = {"major": 0, "minor": 1, "dorian": 1, "mixolydian": 0}
_CLOSE = 1e-9
"""Scores this near to each other may come out in another order when sums run in another: those are left to theory."""


def find_keys(weights: npt.NDArray[Any], signatures: Sequence[int | None], last: npt.NDArray[Any]) -> list[Key]:
    """The key of each of P pieces.

    Args:
        weights: (P, 12) how long each pitch class lasts.
        signatures: (P,) sharps of the signature, in [-7, 7]; None where there is none (`estimate_key`, else
            `key_for_signature`).
        last: (P,) pitch class of the last note.
    """
    scores = _correlations(weights)
    keys = []
    for row, fifths, final, own in zip(scores, signatures, last.tolist(), weights.tolist(), strict=True):
        if fifths is None:
            candidates, values = _ALL, row.reshape(-1)
        else:
            candidates = _with_signature(fifths)
            values = np.array(
                [row[_PROFILE_OF[key.mode], key.tonic] + (0.5 if key.tonic == final else 0.0) for key in candidates]
            )
        best = int(values.argmax())
        if (values > values[best] - _CLOSE).sum() == 1:
            keys.append(candidates[best])
        else:
            keys.append(estimate_key(own) if fifths is None else key_for_signature(fifths, own, final))
    return keys


@cache
def _with_signature(fifths: int) -> list[Key]:
    return [Key.from_fifths(fifths, mode) for mode in _MODES]


_ALL = [Key(tonic, mode) for mode in KRUMHANSL_KESSLER for tonic in range(12)]
_PROFILES = np.array([np.roll(profile, tonic) for profile in KRUMHANSL_KESSLER.values() for tonic in range(12)])
_PROFILES = _PROFILES - _PROFILES.mean(axis=1, keepdims=True)
_PROFILES = _PROFILES / np.sqrt((_PROFILES**2).sum(axis=1, keepdims=True))


def _correlations(weights: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """(P, 2, 12) Pearson's correlations with the major and minor profile of every tonic; 0 where weights are even."""
    centred = weights - weights.mean(axis=1, keepdims=True)
    norms = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    return (centred @ _PROFILES.T / np.where(norms > 0, norms, 1.0)).reshape(-1, 2, 12)
