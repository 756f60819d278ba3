"""What a new melody continues: a file's beginning, or notes typed by hand."""

from __future__ import annotations

import re
from dataclasses import replace
from os import PathLike, fspath

from melodygru.errors import MidiError, UsageError
from melodygru.music.key_finding import key_correlations
from melodygru.music.melody import Melody, Note
from melodygru.music.theory import STEPS_PER_QUARTER, Key, TimeSignature, parse_pitch

_WHOLE = 4 * STEPS_PER_QUARTER
_NOTE = re.compile(r"([A-Ga-g][#b♯♭]*-?\d+|[rR])/(\d{1,2})(t?)(\.{0,2})")


def read_primer(
    path: str | PathLike[str],
    bars: int | None = None,
    key: Key | None = None,
    read_in: tuple[str, str, float | None] = ("", "", None),
) -> Melody:
    """The (first) melody of a MIDI file or a score, or its first `bars` bars (a pickup comes on top).

    `key`: what is written in, whatever the file's key is; `read_in`: metre, key and pickup that the file is read in,
    see `melodygru.formats.midi.extraction.ExtractionConfig`.

    Raises:
        UsageError: fewer bars than 1, or than none of its notes.
        MidiError: the file has no melody, or is neither MIDI nor a score.
        FileError: it cannot be read.
    """
    from melodygru.formats.reading import read_melodies
    from melodygru.network.judge import by_shipped_model

    found = read_melodies(path, "auto", by_shipped_model, *read_in)
    if not found:
        raise MidiError(f"{fspath(path)} has no melody that could be continued; give a file with one voice.")
    melody = found[0] if key is None else replace(found[0], key=key)
    return melody if bars is None else first_bars(melody, bars)


def first_bars(melody: Melody, bars: int) -> Melody:
    """The melody's beginning: `bars` full bars, and its pickup. Notes that reach beyond are cut at the bar line.

    Raises UsageError if that is not 1 to the bars that it has, or holds no note.
    """
    if not 1 <= bars <= melody.bars:
        raise UsageError(f"primer-bars is {bars}, and the primer has {melody.bars}; choose from 1 to {melody.bars}.")
    end = (bars + bool(melody.pickup)) * melody.time_signature.bar_steps
    notes = tuple(
        replace(note, duration=min(note.duration, end - note.onset)) for note in melody.notes if note.onset < end
    )
    if not notes:
        raise UsageError(f"The primer has no note in its first {bars} bars; give more --primer-bars.")
    return replace(melody, notes=notes, bars=bars)


def parse_notes(text: str, metre: TimeSignature, key: Key | None = None, qpm: float = 120.0) -> Melody:
    """Notes typed as pitch/value: "C4/4 D4/8. E4/16 r/4".

    Values are fractions of a whole note (4 is a quarter), with dots after them, or "t" for a third less (8t: a triplet
    eighth); r is a rest. Without a key it is the one with all the notes whose profile (Krumhansl-Kessler) fits best.

    Raises UsageError for anything else, naming the word.
    """
    notes: list[Note] = []
    at = 0
    for number, word in enumerate(text.split(), 1):
        match = _NOTE.fullmatch(word)
        steps = _steps(int(match[2]), bool(match[3]), len(match[4])) if match else 0
        if match is None or not steps:
            raise UsageError(
                f"Note {number} of --primer-notes, {word!r}, cannot be read; write pitch/value such as C4/4 (a "
                "quarter), F#5/8., Bb3/8t or r/2 (a rest)."
            )
        if match[1] not in ("r", "R"):
            notes.append(Note(parse_pitch(match[1][0].upper() + match[1][1:]), at, steps))
        at += steps
    if not notes:
        raise UsageError("--primer-notes has no notes; write some, such as C4/4 D4/8 E4/8.")
    if notes[0].onset >= metre.bar_steps:
        raise UsageError("--primer-notes begins with a bar of silence or more; begin with a note in the first bar.")
    if key is None:
        weights = [0.0] * 12
        for note in notes:
            weights[note.pitch % 12] += note.duration
        # A few notes hardly make a profile: keys that have all of them come first.
        correlations = key_correlations(weights)
        outside = {key: sum(weights[i] for i in range(12) if i not in key.scale) for key in correlations}
        key = min(correlations, key=lambda key: (outside[key], -correlations[key]))
    return Melody(tuple(notes), metre, key, qpm)


def _steps(value: int, triplet: bool, dots: int) -> int:
    """Steps of a note value; 0 where the grid has none."""
    parts = 2**dots
    numerator = _WHOLE * (2 * parts - 1) * (2 if triplet else 1)
    denominator = value * parts * (3 if triplet else 1)
    return numerator // denominator if denominator and numerator % denominator == 0 else 0
