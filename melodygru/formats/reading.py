"""A file -> its melodies: MIDI, or a score, by the ending of its name."""

from __future__ import annotations

import os
from dataclasses import replace
from importlib import import_module
from os import PathLike
from pathlib import PurePath

from melodygru.errors import MidiError, UsageError
from melodygru.formats.midi.extraction import ExtractionConfig, extract
from melodygru.formats.midi.parser import parse_midi, read_bytes
from melodygru.formats.scores import cache
from melodygru.formats.scores.cache import Reading
from melodygru.formats.scores.files import READERS, SCORE_SUFFIXES, is_score
from melodygru.music.estimation import Judge
from melodygru.music.melody import Melody
from melodygru.version import __version__

MIDI_SUFFIXES = (".mid", ".midi", ".kar", ".rmi")
"""Endings of MIDI files, in any case."""
WHOLE = ExtractionConfig(min_notes=1, max_rest_bars=100, whole_clip=True, doubt=True, own_word=True)
"""How a single file is read: nothing is left out, nothing is split but where the metre changes, a metre that the notes
deny does not count, and files of ours are read as they were written."""


def parse(data: bytes, name: str, config: ExtractionConfig | None = None, judge: Judge | None = None) -> Reading:
    """The melodies of a file's bytes; how its name ends says what it is.

    `judge`: is asked which reading of a MIDI file without metre makes sense.

    Raises MidiError, saying why there are none; its message lacks the file's name ("has no notes; ...").
    """
    stem, suffix = PurePath(name).stem, PurePath(name).suffix.lower()
    if suffix in MIDI_SUFFIXES:
        return _parse_midi(data, stem, config or WHOLE, judge)
    if suffix in READERS:
        module, reader = READERS[suffix]
        found: Reading = getattr(import_module(module), reader)(data, stem, config or WHOLE)
        return found
    endings = " ".join((*MIDI_SUFFIXES, *SCORE_SUFFIXES))
    raise MidiError(f"is neither MIDI nor a score by its ending; give a file that ends in one of {endings}.")


def read(path: str | PathLike[str], config: ExtractionConfig | None = None, judge: Judge | None = None) -> Reading:
    """The melodies of a file, which is MIDI unless it ends as scores do; `judge` as of `parse`.

    What was made of a score is kept (see `melodygru.formats.scores.cache`): reading it again takes no time and no
    music21.

    Raises FileError or MidiError, saying why there are none, and UsageError for a score that is to be read in another
    metre, key or pickup than its own.
    """
    name, config = os.fspath(path), config or WHOLE
    if is_score(name) and config.overrides:
        raise UsageError(f"{name} is a score, which says how its bars are; metre, key and pickup are for MIDI files.")
    data = read_bytes(path)
    try:
        if is_score(name):
            return _kept(data, PurePath(name).name, config)
        return _parse_midi(data, PurePath(name).stem, config, judge)
    except MidiError as error:
        raise MidiError(f"{name} {error}") from None


def read_melodies(
    path: str | PathLike[str],
    track: str = "auto",
    judge: Judge | None = None,
    meter: str = "",
    key: str = "",
    pickup: float | None = None,
) -> list[Melody]:
    """The melodies of a file, as `read` reads it; for `track`, `meter`, `key` and `pickup` see
    `melodygru.formats.midi.extraction.ExtractionConfig`.
    """
    config = replace(WHOLE, track=track, meter=meter, key=key, pickup=pickup)
    return list(read(path, config, judge).melodies)


def _parse_midi(data: bytes, stem: str, config: ExtractionConfig, judge: Judge | None) -> Reading:
    found = extract(parse_midi(data), stem, config, judge)
    return Reading(found.melodies, found.track, found.remarks)


def _kept(data: bytes, name: str, config: ExtractionConfig) -> Reading:
    key = cache.cache_key(data, __version__, name, config)
    kept = cache.load(key)
    if kept is None:
        try:
            kept = parse(data, name, config)
        except MidiError as error:
            kept = error
        cache.store(key, kept)
    if isinstance(kept, MidiError):
        raise kept
    return kept
