"""melodygru: learn melodies with a stacked GRU, and write new ones as MIDI files.

    from melodygru import Melody, load_model, train

    melody = load_model("folk").generate(bars=16, key="A minor", seed=1)
    melody.save("out.mid")

Names are loaded when they are first used: importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from melodygru.errors import MelodyGRUError
    from melodygru.generation_config import GenerationConfig
    from melodygru.generator import Model, load_model
    from melodygru.infilling import infill
    from melodygru.melody import Melody, Note
    from melodygru.theory import Key, TimeSignature
    from melodygru.training import train
    from melodygru.variation import vary

__version__ = "0.1.0"

__all__ = [
    "GenerationConfig",
    "Key",
    "Melody",
    "MelodyGRUError",
    "Model",
    "Note",
    "TimeSignature",
    "infill",
    "load_model",
    "train",
    "vary",
]

_HOMES = {
    "GenerationConfig": "generation_config",
    "Key": "theory",
    "Melody": "melody",
    "MelodyGRUError": "errors",
    "Model": "generator",
    "Note": "melody",
    "TimeSignature": "theory",
    "infill": "infilling",
    "load_model": "generator",
    "train": "training",
    "vary": "variation",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
