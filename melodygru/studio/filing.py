"""Files of strangers opened, and files of melodies made."""

from __future__ import annotations

from dataclasses import replace

from melodygru.errors import MidiError, UsageError
from melodygru.formats.midi.performance import Performance
from melodygru.formats.midi.writer import midi_bytes
from melodygru.music.chords import ChordSpan, parse_progression
from melodygru.music.estimation import told_readings
from melodygru.studio import answers, messages
from melodygru.studio.shelf import Shelf
from melodygru.studio.work import Job
from melodygru.writing.layout import chords_under
from melodygru.writing.replay import recipe_of

_FRAME = 4
"""Bytes of sound for each of its samples: two channels of 16 bits."""


def open_file(job: Job, data: bytes, name: str, meter: str = "", pickup: float | None = None) -> answers.Opened:
    """The melodies of a file, of MIDI in the metre and after the pickup that are given.

    Raises MidiError, saying why there are none, and UsageError for what is no metre or no pickup in it.
    """
    from melodygru.formats.reading import WHOLE, parse
    from melodygru.formats.scores.files import is_score
    from melodygru.network.judge import by_shipped_model

    config = WHOLE if is_score(name) else replace(WHOLE, meter=meter, pickup=pickup)
    try:
        with job.aside():
            found = parse(data, name, config, by_shipped_model)
    except MidiError as error:
        raise MidiError(f"{name} {error}") from None
    except Exception as error:  # whatever readers of scores stumble over in files of strangers
        raise MidiError(f"{name} cannot be understood ({type(error).__name__}); save it anew, as MIDI.") from error
    recipe = recipe_of(data)
    told = [one for remark in found.remarks for one in told_readings(remark)]
    close = [answers.ReadingAnswer(meter=metre, pickup=quarters) for metre, quarters in told]
    return answers.Opened(
        melodies=[answers.MelodyAnswer.of(melody) for melody in found.melodies],
        remarks=list(found.remarks),
        style=None if recipe is None else recipe.config.style,
        readings=close if len(close) > 1 else [],
    )


def save(job: Job, shelf: Shelf, asked: messages.Save) -> answers.FileLink:
    """Make a file of a melody."""
    melody = asked.melody.tune()
    metre = melody.time_signature
    performance = Performance(program=asked.program, swing=asked.swing)
    performance.check(metre)
    spans: tuple[ChordSpan, ...] = ()
    if asked.chords is not None and asked.chords.strip():
        spans = chords_under(parse_progression(asked.chords, metre, asked.beats_per_chord), melody)
    suffix = asked.format
    if suffix == "mid":
        data = midi_bytes(melody, performance, spans)
    elif suffix == "wav":
        from melodygru.formats.sound.synthesis import RATE, wav_bytes

        longest = shelf.largest / (RATE * _FRAME)
        if melody.seconds > longest:
            raise UsageError(
                f"The melody lasts {melody.seconds / 60:.1f} minutes, and the studio makes sound of {longest / 60:.1f} "
                "at most; save it as MIDI, and use melodygru render."
            )
        midi = midi_bytes(melody, performance, spans)
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
