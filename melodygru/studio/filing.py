"""Files of strangers opened, and files of melodies made."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from melodygru.errors import MidiError, UsageError
from melodygru.formats.midi.extraction_config import ExtractionConfig
from melodygru.formats.midi.parser import parse_midi
from melodygru.formats.midi.performance import Performance
from melodygru.formats.midi.writer import midi_bytes
from melodygru.music.chords import ChordSpan, parse_progression
from melodygru.music.estimation import told_readings
from melodygru.music.melody import Melody, Note
from melodygru.music.theory import TimeSignature
from melodygru.studio import answers, messages
from melodygru.studio.around import tracks_of
from melodygru.studio.shelf import Shelf
from melodygru.studio.takes import chords_for
from melodygru.studio.work import Job
from melodygru.system.files import printable
from melodygru.writing.editing import Tune
from melodygru.writing.layout import chords_under
from melodygru.writing.replay import recipe_of

_FRAME = 4
"""Bytes of sound for each of its samples: two channels of 16 bits."""


def open_file(
    job: Job, data: bytes, name: str, track: str = "auto", meter: str = "", pickup: float | None = None
) -> answers.Opened:
    """The melodies of a file, of one of its tracks; of MIDI in the metre and after the pickup that are given.

    Raises MidiError, saying why there are none, and UsageError for what is no metre or no pickup in it.
    """
    from melodygru.formats.reading import WHOLE, parse
    from melodygru.formats.scores.files import is_score
    from melodygru.network.judge import by_shipped_model

    told = replace(WHOLE, track=track)
    config = told if is_score(name) else replace(told, meter=meter, pickup=pickup)
    try:
        with job.aside():
            found = parse(data, name, config, by_shipped_model)
    except MidiError as error:
        raise MidiError(f"{name} {error}") from None
    except Exception as error:  # whatever readers of scores stumble over in files of strangers
        raise MidiError(f"{name} cannot be understood ({type(error).__name__}); save it anew, as MIDI.") from error
    recipe = recipe_of(data)
    readings = [one for remark in found.remarks for one in told_readings(remark)]
    close = [answers.ReadingAnswer(meter=metre, pickup=quarters) for metre, quarters in readings]
    return answers.Opened(
        melodies=[answers.MelodyAnswer.of(melody) for melody in found.melodies],
        velocities=_velocities(data, found.melodies, config),
        track=found.track,
        **_else_in(data),
        remarks=list(found.remarks),
        style=None if recipe is None else recipe.config.style,
        readings=close if len(close) > 1 else [],
    )


def _velocities(data: bytes, melodies: Sequence[Melody], config: ExtractionConfig) -> list[list[int] | None]:
    """How loud each melody's notes are played in a file, note by note; None where it does not say so."""
    if len(melodies) == 1:
        with suppress(MidiError):
            tune = Tune.parse(data, "", config)
            if tune.melody.notes == melodies[0].notes:
                return [tune.velocities()]
    return [None] * len(melodies)


def _else_in(data: bytes) -> dict[str, Any]:
    """What else a MIDI file has: tracks with notes, and how many tempos; of a score nothing is told."""
    try:
        raw = parse_midi(data)
    except MidiError:
        return {"tracks": [], "tempi": 0}
    tracks = [(track.number, printable(track.name)) for track in raw.tracks if track.notes]
    return {"tracks": tracks, "tempi": len({tempo for _, tempo in raw.tempi})}


def laid_out(asked: messages.Chords) -> answers.ChordsAnswer:
    """Chords under a melody of so many bars. Raises UsageError for chords that cannot be read."""
    metre = TimeSignature.parse(asked.meter)
    # A melody with a pickup has a note there.
    notes = (Note(60, metre.bar_steps - asked.pickup, asked.pickup),) if asked.pickup else ()
    melody = Melody(notes, metre, pickup=asked.pickup, bars=asked.bars)
    return answers.ChordsAnswer(chords=chords_for(chords_under(parse_progression(asked.chords, metre), melody)))


def save(job: Job, shelf: Shelf, asked: messages.Save) -> answers.FileLink:
    """Make a file of a melody."""
    melody = asked.melody.tune()
    metre = melody.time_signature
    performance = Performance(
        program=asked.program, swing=asked.swing, humanize=asked.humanize, expression=asked.expression
    )
    performance.check(metre)
    spans: tuple[ChordSpan, ...] = ()
    if asked.chords is not None and asked.chords.strip():
        spans = chords_under(parse_progression(asked.chords, metre, asked.beats_per_chord), melody)
    tracks = None if asked.lanes is None else tracks_of(asked.lanes, melody)
    suffix = asked.format
    if suffix == "mid":
        data = midi_bytes(melody, performance, spans, tracks=tracks, velocities=asked.melody.velocities)
    elif suffix == "wav":
        from melodygru.formats.sound.synthesis import RATE, wav_bytes

        longest = shelf.largest / (RATE * _FRAME)
        if melody.seconds > longest:
            raise UsageError(
                f"The melody lasts {melody.seconds / 60:.1f} minutes, and the studio makes sound of {longest / 60:.1f} "
                "at most; save it as MIDI, and use melodygru render."
            )
        midi = midi_bytes(melody, performance, spans, tracks=tracks, velocities=asked.melody.velocities)
        try:
            with job.aside():
                data = wav_bytes(midi, asked.program)
        except MidiError as error:
            raise MidiError(f"The melody {error}") from None
    else:
        from melodygru.formats.notation.engraving import written

        with job.aside():
            data = written(melody, spans, f".{suffix}")
    url, name = shelf.put(melody.name or "melody", suffix, data)
    return answers.FileLink(url=url, name=name)
