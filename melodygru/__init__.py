"""melodygru: learn melodies with a stacked GRU, and write new ones as MIDI files.

    from melodygru import Melody, load_model, train

    melody = load_model().generate(bars=16, key="A minor", style="waltz", seed=1)
    melody.save("out.mid")

Names are loaded when they are first used: importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from melodygru.arranging.harmony import harmonize
    from melodygru.errors import MelodyGRUError
    from melodygru.formats.midi.writer import write_midi as write_midi
    from melodygru.formats.notation.interop import to_music21 as to_music21
    from melodygru.formats.notation.interop import to_pretty_midi as to_pretty_midi
    from melodygru.formats.reading import read_melodies as read_melodies
    from melodygru.music.melody import Melody, Note
    from melodygru.music.theory import Key, TimeSignature
    from melodygru.training.run import train
    from melodygru.version import __version__ as __version__
    from melodygru.writing.config import GenerationConfig
    from melodygru.writing.infilling import infill
    from melodygru.writing.model import Model, load_model
    from melodygru.writing.variation import vary


__all__ = [
    "GenerationConfig",
    "Key",
    "Melody",
    "MelodyGRUError",
    "Model",
    "Note",
    "TimeSignature",
    "harmonize",
    "infill",
    "load_model",
    "train",
    "vary",
]

_HOMES = {
    "GenerationConfig": "writing.config",
    "Key": "music.theory",
    "Melody": "music.melody",
    "MelodyGRUError": "errors",
    "Model": "writing.model",
    "Note": "music.melody",
    "TimeSignature": "music.theory",
    "__version__": "version",
    "harmonize": "arranging.harmony",
    "infill": "writing.infilling",
    "load_model": "writing.model",
    "train": "training.run",
    "vary": "writing.variation",
    # Behind the door, for `Melody`: what it offers to notebooks is done by rooms that stand above its own.
    "read_melodies": "formats.reading",
    "to_music21": "formats.notation.interop",
    "to_pretty_midi": "formats.notation.interop",
    "write_midi": "formats.midi.writer",
}
"""Where each name lives. This table is the one place from which a lower room may reach a higher one, when called."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
