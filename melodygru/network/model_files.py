"""Where models lie: their files found by name or path."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from melodygru.errors import CheckpointError
from melodygru.network.config import SUFFIX

SHIPPED = ("repertoire", "folk")
"""The models that come along."""
_LISTED = 100


def models_here() -> dict[str, Path]:
    """The models that can be had by name, and their files: at most `_LISTED` of ./checkpoints, and those shipped."""
    found = {path.stem: path for path in sorted(Path("checkpoints").glob(f"*{SUFFIX}"))[:_LISTED]}
    for name in SHIPPED:
        with suppress(CheckpointError):
            found.setdefault(name, resolve(name))
    return found


def resolve(name: str | os.PathLike[str]) -> Path:
    """The file of a model given by name or path.

    A path is taken as it is, with or without suffix. A name is looked for in ./checkpoints, then among the models
    that come with the package; "hf:owner/name" on the Hugging Face Hub, see `melodygru.network.hub`. Raises
    CheckpointError, listing what there is, when there is no such file.
    """
    text = os.fspath(name)
    if text.startswith("hf:"):
        from melodygru.network.hub import kept_file

        return kept_file(text)
    candidates = [text, text + SUFFIX]  # `checkpoints/tunes` is how `melodygru train --out` was told
    if Path(text).name == text and not text.endswith(SUFFIX):
        # A name: never mistaken for a folder or file that happens to be called so, unless there is no such model.
        candidates = [*(str(folder / f"{text}{SUFFIX}") for folder in _folders()), text + SUFFIX, text]
    for candidate in candidates:
        if os.path.isfile(candidate):  # unlike Path.is_file, False for what is too long to be a path
            return Path(candidate)
    known = sorted({path.stem for folder in _folders() for path in folder.glob(f"*{SUFFIX}")})
    hint = f"choose one of {', '.join(known)}, or a {SUFFIX} file" if known else f"give a {SUFFIX} file"
    raise CheckpointError(f"There is no model {str(name)!r}; {hint}.")


def shipped(name: str) -> Path | None:
    """The file of a model that comes with the package; None if there is no such model."""
    found = (folder / f"{name}{SUFFIX}" for folder in _folders()[1:])
    return next((path for path in found if path.is_file()), None)


def _folders() -> tuple[Path, ...]:
    """Where models are looked for: here, in the installed package, in a source tree."""
    package = Path(__file__).parent.parent
    return (Path("checkpoints"), package / "checkpoints", package.parent / "checkpoints")
