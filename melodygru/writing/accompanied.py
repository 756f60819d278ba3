"""What of an accompaniment of ours a MIDI file has under its melody, in the melody's steps."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike

from melodygru.errors import MelodyGRUError
from melodygru.formats.midi.arranged import own_tracks
from melodygru.formats.midi.extraction_config import ExtractionConfig
from melodygru.formats.midi.parser import read_bytes
from melodygru.formats.midi.splice import unwrapped
from melodygru.music.melody import Melody
from melodygru.music.tracks import BASS, Stroke, Track
from melodygru.writing.editing import Tune


def bass_in(path: str | PathLike[str], config: ExtractionConfig, melodies: Sequence[Melody]) -> Track | None:
    """The bass that stands under the one melody of a MIDI file, read as `config` says; None where there is none.

    None, too, of scores, of a file that is read otherwise than this melody was, and where the bass is the melody.
    """
    try:
        data = read_bytes(path)
        tune = Tune.parse(data, "", config)
        number = next(number for number, part in own_tracks(unwrapped(data)).items() if part == BASS)
    except (MelodyGRUError, StopIteration):
        return None
    if len(melodies) != 1 or tune.melody.notes != melodies[0].notes:
        return None
    if tune.extraction.track == tune.raw.tracks[number].name:
        return None
    grid, start = tune.extraction.grid, tune.extraction.starts[0]
    strokes = []
    for note in tune.raw.tracks[number].notes:
        onset, end = (round(grid.steps(tick)) - start for tick in (note.onset, note.end))
        if 0 <= onset < melodies[0].length:
            strokes.append(Stroke(onset, max(end, onset + 1), note.pitch, 0))
    return Track(BASS, 0, tuple(sorted(strokes))) if strokes else None
