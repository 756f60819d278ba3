"""A melody as a file: what it says of how it was made, what it is called, and its bytes.

A recipe is enough to make the same bytes again. It stands in the file as one text event, "@Imelodygru " and a JSON
object, which players and DAWs pass by.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from melodygru.errors import MelodyGRUError, MidiError
from melodygru.formats.midi.chunks import OWN_TEXT
from melodygru.formats.midi.performance import Performance
from melodygru.formats.midi.writer import midi_bytes
from melodygru.music.melody import Melody, Note
from melodygru.music.theory import Key, TimeSignature
from melodygru.music.tracks import Track
from melodygru.records import dataclass
from melodygru.writing.candidates import Generated
from melodygru.writing.config import GenerationConfig

COMMANDS = ("generate", "infill", "vary", "blend", "arrange", "harmonize")
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError)


@dataclass(frozen=True)
class Recipe:
    """How one melody was made.

    Attributes:
        version: of melodygru.
        model: its name.
        fingerprint: of its weights and all else that decides what it writes; see `Model.fingerprint`.
        seed: at least 0.
        number: which of the seed's melodies, from 0.
        config: what was asked for.
        performance: how it is played; its seed is `seed` + `number`.
        command: "generate", or what else made it.
        source: the melody that it was made from: a primer, or what was changed.
        details: further options of the command, as JSON values.
        as_written: whether keys are spelled as they were said; files of before spell Gb major as F# major.
    """

    version: str
    model: str
    fingerprint: str
    seed: int
    number: int = 0
    config: GenerationConfig = GenerationConfig()
    performance: Performance = Performance()
    command: str = "generate"
    source: Melody | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    as_written: bool = field(default=True, compare=False)  # as the spelling of keys is

    def as_dict(self) -> dict[str, Any]:
        """All of it as JSON values."""
        values: dict[str, Any] = {
            "version": self.version,
            "command": self.command,
            "model": self.model,
            "fingerprint": self.fingerprint,
            "seed": self.seed,
            "number": self.number,
            "options": self.config.as_dict(),
            "performance": self.performance.as_dict(),
        }
        keys = (self.config.named_key, None if self.source is None else self.source.key)
        if self.as_written and any(key is not None and str(key) != str(key.plain) for key in keys):
            values["as_written"] = True
        if self.details:
            values["details"] = dict(self.details)
        if self.source is not None:
            values["source"] = melody_as_dict(self.source)
        return values

    def text(self) -> str:
        """The text event."""
        return OWN_TEXT + json.dumps(self.as_dict(), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def find(cls, texts: Sequence[str]) -> Recipe | None:
        """The recipe among the text events of a file; None if there is none.

        Raises MidiError, whose message lacks the file's name, for one that is damaged.
        """
        for text in texts:
            if text.startswith(OWN_TEXT + "{"):
                try:
                    return cls._parse(json.loads(text[len(OWN_TEXT) :]))
                except (*_UNREADABLE, MelodyGRUError) as error:
                    raise MidiError(f"says how it was made in a way that cannot be read ({error}).") from error
        return None

    @classmethod
    def _parse(cls, values: Mapping[str, Any]) -> Recipe:
        seed, number = int(values["seed"]), int(values.get("number", 0))
        if values["command"] not in COMMANDS:
            raise ValueError(f"{values['command']!r} is no command")
        if seed < 0 or number < 0:
            raise ValueError("a negative seed")
        source, as_written = values.get("source"), bool(values.get("as_written", False))
        return cls(
            str(values["version"]),
            str(values["model"]),
            str(values["fingerprint"]),
            seed,
            number,
            GenerationConfig.from_dict(values["options"]),
            Performance.from_dict({**values["performance"], "seed": seed + number}),
            values["command"],
            None if source is None else melody_from_dict(source, as_written),
            dict(values.get("details", {})),
            as_written,
        )


def melody_as_dict(melody: Melody) -> dict[str, Any]:
    """A melody as JSON values: its notes as (pitch, onset, duration) in one row of integers."""
    return {
        "name": melody.name,
        "meter": str(melody.time_signature),
        "key": str(melody.key),
        "bpm": melody.qpm,
        "pickup": melody.pickup,
        "bars": melody.bars,
        "notes": [number for note in melody.notes for number in (note.pitch, note.onset, note.duration)],
    }


def melody_from_dict(values: Mapping[str, Any], as_written: bool = True) -> Melody:
    """The inverse of `melody_as_dict`, its key spelled as it stands there or not.

    Raises ValueError, TypeError or KeyError for anything else.
    """
    row = [int(number) for number in values["notes"]]
    notes = tuple(Note(*row[i : i + 3]) for i in range(0, len(row), 3))
    return Melody(
        notes,
        TimeSignature.parse(values["meter"]),
        Key.parse(values["key"], as_written),
        float(values["bpm"]),
        str(values["name"]),
        int(values["pickup"]),
        int(values["bars"]),
    )


def key_name(melody: Melody) -> str:
    """The melody's key in a file's name: C, Am, Ddorian."""
    return melody.key.tonic_name + {"major": "", "minor": "m"}.get(melody.key.mode, melody.key.mode)


def file_name(melody: Melody, seed: int) -> str:
    """What a file is called where nobody says: melody-Am-120-42.mid, of key, tempo and seed."""
    return f"melody-{key_name(melody)}-{melody.qpm:g}-{seed}.mid"


def file_names(model: str, melody: Melody, seed: int, count: int) -> list[str]:
    """Of `count` melodies of a model, of which this is the first: folk_Am_120bpm_16bars_s42_01.mid, and so on."""
    bars = f"{melody.bars}bar" + ("s" if melody.bars != 1 else "")
    stem = f"{model or 'melody'}_{key_name(melody)}_{melody.qpm:g}bpm_{bars}_s{seed}"
    if count == 1:
        return [f"{stem}.mid"]
    digits = max(2, len(str(count)))
    return [f"{stem}_{number:0{digits}}.mid" for number in range(1, count + 1)]


def rendered(generated: Generated, recipe: Recipe, tracks: Sequence[Track] | None = None) -> bytes:
    """A melody as a MIDI file that says how it was made; `tracks`: what plays around it."""
    chords = generated.chords if recipe.details.get("render_chords") or tracks is not None else ()
    melody = generated.melody if recipe.as_written else replace(generated.melody, key=generated.melody.key.plain)
    return midi_bytes(melody, recipe.performance, chords, recipe.text(), tracks)
