"""What a run begins with: the shipped model where that helps, another one, or nothing; and what its style is called."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from melodygru.data.dataset import Dataset
from melodygru.errors import UsageError
from melodygru.music.spelling import note_name
from melodygru.music.theory import Key
from melodygru.network.arrays import Array
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.conditions import KINDS
from melodygru.network.conditions import STYLES as COLLECTIONS
from melodygru.network.config import ContextConfig, ModelConfig
from melodygru.network.model_files import resolve, shipped
from melodygru.network.tokenizer import REST
from melodygru.network.widening import told_more
from melodygru.records import dataclass
from melodygru.training.task import Origin
from melodygru.writing.model import Model
from melodygru.writing.styles import STYLES

NOTHING = "none"
"""What `--init-from` is given for a run from scratch."""
SHIPPED = "repertoire"
BEGAN_WITH = "began_with"
"""What a checkpoint's provenance calls the model that it began with; without, it began with nothing."""
_LONGEST_NAME = 60
_USUAL = (5, 95)
"""Percentiles of tunes' lowest and highest pitches between which a style's usual range is."""


@dataclass(frozen=True)
class Start:
    """A model to begin with.

    Attributes:
        checkpoint: the model.
        name: what it is called.
        unasked: whether nobody named it.
    """

    checkpoint: Checkpoint
    name: str
    unasked: bool = False

    @classmethod
    def of(cls, name: str | os.PathLike[str] | None, shape: ModelConfig | None) -> Start | None:
        """The model of that name or file; None for "none". Of no name, the shipped one if it is of this shape.

        Args:
            shape: of the network that would begin from nothing; None if it has to be that.
        """
        if name is not None:
            return None if name == NOTHING else cls(Checkpoint.load(path := resolve(name)), path.stem)
        if shape is None or (path_of_shipped := shipped(SHIPPED)) is None:
            return None
        checkpoint = Checkpoint.load(path_of_shipped)
        own = checkpoint.model_config
        alike = replace(shape, context=own.context, dropout=own.dropout) == own
        return cls(checkpoint, SHIPPED, unasked=True) if alike else None

    def as_style(self, style: str | None) -> Checkpoint:
        """The model for a folder of which nothing is known, or that is of a known style: what it was told of that
        style is then what it is told if nothing is said.
        """
        known = STYLES.get(style or "")
        weights = dict(self.checkpoint.weights)
        if known is None or not self.checkpoint.model_config.context.style:
            return self.checkpoint
        rows = {"style": COLLECTIONS.index(known.collection), "kind": KINDS.index(known.kind)}
        for column, row in rows.items():
            table = weights[f"tables.{column}.weight"].copy()
            table[0] = table[row]
            weights[f"tables.{column}.weight"] = table
        return replace(self.checkpoint, weights=weights)


def shape_for(start: Start | None, scratch: ModelConfig, context: ContextConfig | None, chords: bool) -> ModelConfig:
    """The network to be trained: the start's or that from scratch, told all that the music says.

    Args:
        context: what the network is to be told, where somebody has said so.
        chords: whether chords stand over the music.
    """
    if start is None and context is not None:
        return replace(scratch, context=context)
    more = ("ambitus", "pickup", "character", *(("chords",) if chords else ()))
    return told_more(scratch if start is None else start.checkpoint.model_config, *more)


def check_style(style: str | None, data: Path) -> str:
    """What the folder's style is called. Raises UsageError for what cannot be a name."""
    name = (data.resolve().name or "mine")[:_LONGEST_NAME] if style is None else style.strip()
    if not name or not name.isprintable() or len(name) > _LONGEST_NAME:
        raise UsageError(f"--style {style!r} is no name; give some letters, at most {_LONGEST_NAME}.")
    return name


def origin_of(start: Start | None, name: str, style: str | None, dataset: Dataset, pieces: Array) -> Origin:
    """What the checkpoint is to say of where it comes from: the model it began with, and its own style.

    Args:
        name: what the style is called; `style` is what somebody has said of it.
        pieces: of the dataset, those that are learned from.
    """
    own: dict[str, Any] = {"name": name, **usual(dataset, pieces)}
    told: dict[str, Any] = {"style": own}
    remarks = []
    if start is not None:
        told[BEGAN_WITH] = {"model": start.name, "fingerprint": Model(start.checkpoint).fingerprint}
        kind = f"the {'shipped ' if start.unasked else ''}model {start.name}"
        as_known = f", as {name}" if style in STYLES and start.checkpoint.model_config.context.style else ""
        remarks.append(f"starting from {kind}{as_known}; --init-from none for from scratch")
    remarks.append(f"the folder's own style: {name} ({own['meter']}, {own['range']})")
    return Origin(told, tuple(remarks))


def usual(dataset: Dataset, pieces: Array) -> dict[str, str]:
    """The metre that most of these pieces are in, and the range that nearly all keep to, as options of `generate`."""
    (numerator, denominator), _ = Counter(map(tuple, dataset.table[pieces, :2].tolist())).most_common(1)[0]
    low = int(np.percentile(dataset.lowest[pieces], _USUAL[0]))
    high = int(np.ceil(np.percentile(dataset.highest[pieces], _USUAL[1])))
    # Of less than an octave some keys would have no tonic in it.
    high = min(max(high, low + 12), REST - 1)
    low = min(low, high - 12)
    return {"meter": f"{numerator}/{denominator}", "range": ":".join(note_name(one, Key()) for one in (low, high))}
