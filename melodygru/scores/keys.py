"""The keys that scores name: with their modes, where music21 or the file itself tells them."""

from __future__ import annotations

from typing import Any

from melodygru.errors import UsageError
from melodygru.theory import MODES, Key

_MODE_NAMES = {"ionian": "major", "aeolian": "minor"}
_KERN_MODES = {"ion": "major", "dor": "dorian", "phr": "phrygian", "lyd": "lydian", "mix": "mixolydian",
               "aeo": "minor", "loc": "locrian"}  # fmt: skip


def transposed(key: Key | int | None, semitones: int) -> Key | int | None:
    """A key, or a signature in sharps, so many semitones higher."""
    if key is None or not semitones:
        return key
    if isinstance(key, Key):
        return key.transpose(semitones)
    return Key.from_fifths(key).transpose(semitones).fifths


def key_of(measure: Any) -> Key | int | None:
    """The key that a bar names: with its mode if it names one."""
    from music21 import key as music21_key

    found: Key | int | None = None
    for element in measure.getElementsByClass(music21_key.KeySignature):
        if isinstance(element, music21_key.Key):
            mode = _MODE_NAMES.get(element.mode, element.mode)
            if mode in MODES:
                return Key(int(element.tonic.pitchClass), mode)
        if element.sharps is not None and -7 <= element.sharps <= 7:
            found = int(element.sharps)
    return found


def kern_mode(part: Any) -> Key | None:
    """The mode that a **kern spine names, such as "*d:dor", which music21 does not read."""
    from music21.humdrum.spineParser import MiscTandem

    for element in part.getElementsByClass(MiscTandem):
        tonic, _, mode = element.tandem.lstrip("*").partition(":")
        if mode[:3].lower() in _KERN_MODES:
            try:
                return Key.parse(f"{tonic.replace('-', 'b')} {_KERN_MODES[mode[:3].lower()]}")
            except UsageError:
                return None
    return None
