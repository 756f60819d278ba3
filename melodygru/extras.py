"""Packages that only some commands need, and the extra that brings each.

`pip install melodygru` brings what the main job, `train` and `generate`, needs; `melodygru-core`, which it depends on,
what writes, changes, checks and shows melodies. `pyproject.toml` lists the packages; a test compares.
"""

from __future__ import annotations

from importlib.util import find_spec

from melodygru.errors import MissingPackageError

EXTRA_OF = {
    "torch": "",
    "scipy": "",
    "threadpoolctl": "",
    "music21": "score",
    "pretty_midi": "score",
    "verovio": "score",
    "fontTools": "score",
    "resvg_py": "score",
    "svglib": "score",
    "reportlab": "score",
    "matplotlib": "score",
    "fastapi": "studio",
    "pydantic": "studio",
    "uvicorn": "studio",
    "sklearn": "evaluate",
    "jinja2": "evaluate",
    "sounddevice": "sound",
    "muspy": "objects",
    "partitura": "objects",
    "symusic": "objects",
    "pythonosc": "live",
    "rtmidi": "live",
    "onnx": "onnx",
    "huggingface_hub": "hub",
    "tensorboard": "tensorboard",
}
"""By the name under which a package is imported; "" is `melodygru` itself."""


def missing(module: str) -> MissingPackageError | None:
    """The error that says how to get a module that is not installed; None if no extra brings it."""
    package = module.partition(".")[0]
    if package not in EXTRA_OF:
        return None
    extra = EXTRA_OF[package]
    line = f'pip install "melodygru[{extra}]"' if extra else "pip install melodygru"
    return MissingPackageError(f"This needs {package}, which is not installed; run: {line}")


def require(module: str) -> None:
    """Raise MissingPackageError if a module of `EXTRA_OF` is not installed."""
    if find_spec(module) is None and (error := missing(module)):
        raise error
