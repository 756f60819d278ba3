"""Melodies out of the objects of other Python libraries, and into those that are made of MIDI.

Each goes by way of a file in memory, and is read as files are: the same choice of the melody's part, the same grid,
metre and key. Tokens of MidiTok are decoded by it to a `symusic.Score`, and encoded from one.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from melodygru.errors import MidiError, UsageError
from melodygru.formats.midi.writer import midi_bytes
from melodygru.formats.reading import WHOLE, parse
from melodygru.music.melody import Melody

if TYPE_CHECKING:
    import muspy
    import partitura
    import symusic


def from_object(thing: Any, track: str = "auto") -> Melody:
    """The melody of an object of pretty_midi, music21, symusic, muspy or partitura, or of a `mido.MidiFile`: the
    longest piece, if it falls into several.

    `track`: which part, as for MIDI files; see `melodygru.formats.midi.extraction.ExtractionConfig`.

    Raises MidiError where there is no melody in it, UsageError for another object.
    """
    library = type(thing).__module__.partition(".")[0]
    if library not in _BYTES:
        known = ", ".join(_BYTES)
        raise UsageError(f"A {type(thing).__name__} of {library} is no music that can be read; give one of {known}.")
    data, suffix = _BYTES[library](thing)
    try:
        melodies = parse(data, f"{_name(thing)}{suffix}", replace(WHOLE, track=track)).melodies
    except MidiError as error:
        raise MidiError(f"The {type(thing).__name__} of {library} {error}") from None
    return max(melodies, key=lambda melody: len(melody.notes))


def to_symusic(melody: Melody) -> symusic.Score:
    """The melody as a `symusic.Score` in ticks, which MidiTok tokenizes."""
    import symusic

    return symusic.Score.from_midi(midi_bytes(melody))


def to_muspy(melody: Melody) -> muspy.Music:
    """The melody as a `muspy.Music`."""
    import mido
    import muspy

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return muspy.from_mido(mido.MidiFile(file=BytesIO(midi_bytes(melody))))


def to_partitura(melody: Melody) -> partitura.score.Score:
    """The melody as a `partitura.score.Score`."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import partitura

        path = Path(folder, "melody.mid")
        path.write_bytes(midi_bytes(melody))
        return partitura.load_score_midi(str(path))


def _name(thing: Any) -> str:
    """What an object says of its title; it becomes the stem of a file's name."""
    told = getattr(getattr(thing, "metadata", None), "title", None)
    return str(told).replace("/", " ") if told else "melody"


def _of_pretty_midi(thing: Any) -> bytes:
    written = BytesIO()
    thing.write(written)
    return written.getvalue()


def _of_mido(thing: Any) -> bytes:
    written = BytesIO()
    thing.save(file=written)
    return written.getvalue()


def _of_symusic(thing: Any) -> bytes:
    return bytes(thing.to("tick").dumps_midi())


def _of_muspy(thing: Any) -> bytes:
    import muspy

    return _of_mido(muspy.to_mido(thing))


def _of_partitura(thing: Any) -> bytes:
    written = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import partitura

        performed = hasattr(thing, "performedparts")
        (partitura.save_performance_midi if performed else partitura.save_score_midi)(thing, written)
    return written.getvalue()


def _of_music21(thing: Any) -> bytes:
    from music21.musicxml.m21ToXml import GeneralObjectExporter

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return bytes(GeneralObjectExporter(thing).parse())


_BYTES: dict[str, Callable[[Any], tuple[bytes, str]]] = {
    "pretty_midi": lambda thing: (_of_pretty_midi(thing), ".mid"),
    "music21": lambda thing: (_of_music21(thing), ".musicxml"),
    "symusic": lambda thing: (_of_symusic(thing), ".mid"),
    "muspy": lambda thing: (_of_muspy(thing), ".mid"),
    "partitura": lambda thing: (_of_partitura(thing), ".mid"),
    "mido": lambda thing: (_of_mido(thing), ".mid"),
}
"""By the library that an object is of: the bytes of a file of it, and how such files end."""
