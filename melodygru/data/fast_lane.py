"""The fast lane for many MIDI files: `fast_lane.cpp`, one of `melodygru.libraries`.

It reads plain files (one melodic part, one metre, notes on the grid) to the very events and contexts that
`melodygru.formats.midi.extraction`, `melodygru.network.tokenizer` and `melodygru.network.context` make, some forty
times as fast, and says of all others that they are not plain. Their thresholds and tables are handed to it at each
call; what key a piece is in is decided here. Where it was not built everything is read by those.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np

from melodygru import libraries
from melodygru.data.key_finding import find_keys
from melodygru.errors import UsageError
from melodygru.formats.midi import chunks, extraction, grid, line, metres, parser
from melodygru.formats.midi.chunks import text_of
from melodygru.formats.midi.extraction import in_force
from melodygru.formats.midi.tracks import Part
from melodygru.formats.midi.unsaid import KEY_ESTIMATED, stated_key
from melodygru.music import theory
from melodygru.music.key_hearing import hear_key
from melodygru.music.melody import Note
from melodygru.music.theory import MODES, Key, TimeSignature
from melodygru.network import columns, tokenizer
from melodygru.network.arrays import Array
from melodygru.network.columns import candidate_columns, input_columns, metre_index
from melodygru.network.config import ContextConfig
from melodygru.network.tokenizer import PieceMeta
from melodygru.records import dataclass

MOST_EVENTS = (1 << 16) - 1
"""Of a piece whose context it makes: it counts places in 16 bits."""


@dataclass(frozen=True)
class PlainFile:
    """What a plain file says beside its pieces: the label of the track they come from, and what was estimated."""

    track: str
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class PlainPieces:
    """F files read together.

    Attributes:
        files: (F,) None where a file is not plain.
        table: (P, 6) int64, of each piece: its file, numerator, denominator, bars, pickup in steps, events.
        keys: (P,) of the pieces.
        durations, pitches: (N,) uint8 events of all pieces, one after the other.
    """

    files: list[PlainFile | None]
    table: Array
    keys: list[Key]
    durations: Array
    pitches: Array


Rules = dict[str, int | float | Array]
"""Numbers and tables that the kernel is handed, by name: the fields of a struct of its, in the same order."""


def reading_rules(min_notes: int, max_rest_bars: int, max_duration: int) -> Rules:
    """What files are read by, `Rules` in the source: each value as it stands in its own module."""
    usual = [grid.USUAL.get(step, 0.0) for step in range(theory.STEPS_PER_QUARTER)]
    return {
        "information": _text(chunks.INFORMATION.encode()),
        "key_in_words": _text(chunks.KEY_IN_WORDS),
        "blank": np.array([chr(byte) in chunks.BLANK for byte in range(256)], np.uint8),
        "percussion": chunks.PERCUSSION,
        "longest_piece": parser.MAX_QUARTERS,
        "longest_note": parser.LONGEST_NOTE,
        "longest_seconds": parser.MAX_SECONDS,
        "usual_tempo": parser.USUAL_TEMPO,
        "legato": float(line.LEGATO),
        "monophonic": float(line.MONOPHONIC),
        "covered": float(line.COVERED),
        "rolled": line.ROLLED,
        "neighbours": line.NEIGHBOURS,
        "drop": line.DROP,
        "steps_per_quarter": theory.STEPS_PER_QUARTER,
        "usual": np.array(usual, np.float64),
        "written": float(grid.WRITTEN),
        "near_a_step": float(grid.NEAR_A_STEP),
        "near_a_place": float(grid.NEAR_A_PLACE),
        "onsets_on_grid": float(grid.ONSETS_ON_GRID),
        "ends_on_grid": float(grid.ENDS_ON_GRID),
        "shortest_rest": grid.SHORTEST_REST,
        "fewest_beats": metres.FEWEST_BEATS,
        "most_beats": theory.MOST_BEATS,
        "smallest_unit": max(theory.BEAT_UNITS),
        "upbeat": float(extraction.UPBEAT),
        "min_notes": min_notes,
        "max_rest_bars": max_rest_bars,
        "max_duration": max_duration,
        "end": tokenizer.END,
        "rest": tokenizer.REST,
        "tie": tokenizer.TIE,
    }


def context_rules(config: ContextConfig, max_duration: int) -> Rules:
    """What contexts are made by, `ContextRules` in the source; likewise."""
    own, each = input_columns(config, max_duration), candidate_columns(config, max_duration)
    return {
        **{name: int(getattr(config, name)) for name in ("metre", "bars_left", "key", "ambitus", "pickup", "matches")},
        "lags": len(config.lookback),
        "candidates": config.candidates,
        "columns": len(own) + config.candidates * len(each),
        "max_duration": max_duration,
        "history": columns.MATCH_HISTORY,
        "lookback": np.array(config.lookback, np.int64),
        "rest": tokenizer.REST,
        "start": columns.START,
        "positions": columns.POSITIONS,
        "beat_positions": columns.BEAT_POSITIONS,
        "bar_numbers": columns.BAR_NUMBERS,
        "bars_left_told": columns.BARS_LEFT,
        "largest_interval": columns.LARGEST_INTERVAL,
        "heights": columns.HEIGHTS,
        "pickups": columns.PICKUPS,
        "intervals": columns.INTERVAL_TABLE.astype(np.uint8),
        "degrees": columns.DEGREE_TABLE.astype(np.uint8),
        "run_buckets": columns.RUN_BUCKETS.astype(np.uint8),
        "references": columns.INTERVAL_TABLE.shape[1],
        "longest_run": len(columns.RUN_BUCKETS) - 1,
    }


def _text(text: bytes) -> Array:
    """A text as C has it."""
    return np.frombuffer(text + b"\0", np.uint8)


def _packed(rules: Rules) -> bytes:
    """Rules as the struct, for as long as their tables live."""
    kinds = ["d" if isinstance(value, float) else "q" if isinstance(value, int) else "P" for value in rules.values()]
    cells = [value.ctypes.data if isinstance(value, np.ndarray) else value for value in rules.values()]
    return struct.pack("".join(kinds), *cells)


class Reader:
    """The compiled functions."""

    def __init__(self, library: ctypes.CDLL):
        self._library = library
        library.reading_extract.restype = ctypes.c_void_p
        library.reading_context.restype = ctypes.c_bool

    def extract(self, data: Sequence[bytes], min_notes: int, max_rest_bars: int, max_duration: int) -> PlainPieces:
        """The pieces of files, given as their bytes; for the numbers see `melodygru.formats.midi.extraction`."""
        library = self._library
        offsets = np.cumsum([0, *map(len, data)], dtype=np.int64)
        joined = b"".join(data)
        rules = reading_rules(min_notes, max_rest_bars, max_duration)
        results = ctypes.c_void_p(
            library.reading_extract(joined, _address(offsets), ctypes.c_int64(len(data)), _packed(rules))
        )
        if not results:
            raise MemoryError
        try:
            sizes = np.zeros(6, np.int64)
            library.reading_sizes(results, _address(sizes))
            told, pieces, events, *fields = sizes.tolist()
            files, signatures, table = (
                np.empty((count, width), np.int64)
                for count, width in zip((len(data), told, pieces), fields, strict=True)
            )
            durations, pitches = np.empty(events, np.uint8), np.empty(events, np.uint8)
            library.reading_copy(results, *map(_address, (files, signatures, table, durations, pitches)))
        finally:
            library.reading_free(results)
        keys, estimated = _keys(joined, files, signatures, table, durations, pitches)
        said = [
            PlainFile(
                Part(number, text_of(joined[name_at : name_at + name_size]), ()).label,
                (KEY_ESTIMATED,) if file in estimated else (),
            )
            if plain
            else None
            for file, (plain, number, name_at, name_size, _, _, _, _) in enumerate(files.tolist())
        ]
        return PlainPieces(said, table[:, [0, 1, 2, 3, 4, 8]], keys, durations, pitches)

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
            offsets: (P + 1,) int64, where each piece begins; none has more than `MOST_EVENTS`.
            metas: (P,) of the pieces.
            config: what is told of each place.
            max_duration: of the events, below 254: it and a pitch class are counted in 16 bits.
        """
        events, rules = len(durations), context_rules(config, max_duration)
        table = np.array([_numbers(meta) for meta in metas], np.int64).reshape(-1, 7)
        arrays: dict[str, Array] = {
            "inputs": np.empty((events, int(rules["columns"])), np.uint8),
            "position": np.empty(events, np.uint16),
            "reference": np.empty(events, np.int16),
            "candidate_pitch": np.empty((events, config.candidates), np.uint8),
        }
        made = self._library.reading_context(
            *map(_address, (durations, pitches, offsets, table)),
            ctypes.c_int64(len(metas)),
            _packed(rules),
            *map(_address, arrays.values()),
        )
        if not made:
            raise MemoryError
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
    """The fast lane; None where it was not built, or MELODYGRU_KERNEL=0 says not to take it."""
    functions = None if os.environ.get("MELODYGRU_KERNEL") == "0" else libraries.load("reading")
    return None if functions is None else Reader(functions)


def _keys(
    joined: bytes, files: Array, signatures: Array, table: Array, durations: Array, pitches: Array
) -> tuple[list[Key], set[int]]:
    """The key of each piece, as `melodygru.formats.midi.extraction` decides it, and the files with one that says none.

    Args:
        joined: the bytes of all files.
        files, signatures, table: what the kernel tells of them.
        durations, pitches: the events of all pieces.
    """
    ends = np.cumsum(files[:, 7]).tolist()
    values = [(step, (fifths, bool(minor))) for step, fifths, minor in signatures.tolist()]
    words = [
        _key_in_words(joined[at : at + size]) if plain and size >= 0 else None
        for plain, at, size in files[:, [0, 4, 5]].tolist()
    ]
    counts = files[:, 7].tolist()
    stated: list[Key | None] = []
    fifths: list[int] = []
    estimated: set[int] = set()
    rows = zip(table[:, [0, 1, 2, 5, 6, 8]].tolist(), np.cumsum(table[:, 8]).tolist(), strict=True)
    for (file, numerator, denominator, first, last, size), end in rows:
        found = in_force(values[ends[file] - counts[file] : ends[file]], first, last)
        fifths.append(0 if found is None else found[0])
        if found is None:
            estimated.add(file)
            notes = _notes(durations[end - size : end].tolist(), pitches[end - size : end].tolist())
            stated.append(hear_key(notes, TimeSignature(numerator, denominator)))
        else:
            stated.append(stated_key(*found, words[file]))
    heard = find_keys(table[:, 9:], fifths, table[:, 7])
    return [one or other for one, other in zip(stated, heard, strict=True)], estimated


def _notes(durations: Sequence[int], pitches: Sequence[int]) -> list[Note]:
    """The notes of a piece's events."""
    notes: list[Note] = []
    at = 0
    for duration, pitch in zip(durations, pitches, strict=True):
        if pitch < tokenizer.REST and duration != tokenizer.END:
            notes.append(Note(pitch, at, duration))
        elif pitch == tokenizer.TIE:
            notes[-1] = Note(notes[-1].pitch, notes[-1].onset, notes[-1].duration + duration)
        at += duration
    return notes


@lru_cache(maxsize=256)
def _key_in_words(text: bytes) -> Key | None:
    try:
        return Key.parse(text_of(text))
    except UsageError:
        return None
