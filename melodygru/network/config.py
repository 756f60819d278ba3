"""What a model is: its vocabulary, what it is told, and its shape, each with its unit and its legal range.

Frozen dataclasses, written into the checkpoint as JSON, so that nothing has to be typed again at generation.
"""

from __future__ import annotations

from dataclasses import field, fields, replace
from numbers import Integral, Real
from typing import Any

from melodygru.errors import UsageError, check_range
from melodygru.network.cells import CELLS
from melodygru.option import check_all, described, option
from melodygru.records import dataclass

SUFFIX = ".safetensors"
"""How the name of a model's file ends."""

_KINDS: dict[type, tuple[type, str]] = {
    int: (Integral, "a whole number"),
    float: (Real, "a number"),
    bool: (bool, "true or false"),
    str: (str, "a word"),
    tuple: (tuple, "a list of whole numbers"),
}


def _check_kinds(config: Any) -> None:
    """Raise UsageError for a field whose value is of another kind than its default: files are written by anybody."""
    for one in fields(config):
        value, (kind, words) = getattr(config, one.name), _KINDS.get(type(one.default), (type(one.default), "a table"))
        whole = not isinstance(value, tuple) or all(map(_is_whole, value))
        if not isinstance(value, kind) or not whole or (isinstance(value, bool) and kind is not bool):
            raise UsageError(f"{one.name} is {value!r}; give {words}.")


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


@dataclass(frozen=True)
class TokenizerConfig:
    """The vocabulary. Fixed by these numbers alone, never by what stood in a training folder.

    Attributes:
        max_duration: longest duration of one event, in steps; longer notes are tied, longer rests follow one another.
    """

    max_duration: int = 192

    def __post_init__(self) -> None:
        _check_kinds(self)
        check_range("max_duration", self.max_duration, 24, 240)


@dataclass(frozen=True)
class ContextConfig:
    """What the network is told beside the previous event; see `melodygru.network.context`.

    Attributes:
        metre: metre, position in the bar and in the beat, and the bar's number.
        bars_left: how many bars are still to come.
        key: mode, and every pitch's degree above the tonic.
        ambitus: how far the last pitch lies from the lowest and the highest so far.
        pickup: how long the pickup was, that the end is to leave room for.
        lookback: how many bars ago to look for what sounded at the same place of the bar; none if empty.
        matches: continuations of the longest earlier passages like the one just heard.
        style, character, chords: what the melody shall be; see `melodygru.network.conditions`.
    """

    metre: bool = True
    bars_left: bool = True
    key: bool = True
    ambitus: bool = True
    pickup: bool = True
    lookback: tuple[int, ...] = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
    matches: bool = True
    # (Fingerprints of models are of how these print: what later versions know more is not printed.)
    style: bool = field(default=False, repr=False)
    character: bool = field(default=False, repr=False)
    chords: bool = field(default=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "lookback", tuple(self.lookback))
        _check_kinds(self)
        if len(self.lookback) > 32:
            raise UsageError(f"lookback has {len(self.lookback)} bars; choose at most 32 of them.")
        for bars in self.lookback:
            check_range("lookback", bars, 1, 256)

    @property
    def of_events(self) -> ContextConfig:
        """The same without what the melody shall be: what follows from its events, metre, key and length alone."""
        return replace(self, style=False, character=False, chords=False)

    @property
    def candidates(self) -> int:
        """K, the number of earlier places whose continuation is shown: one a lookback, four matches."""
        return len(self.lookback) + 4 * self.matches


@dataclass(frozen=True)
class ModelConfig:
    """The network's shape.

    Attributes:
        cell: one of `melodygru.network.cells.CELLS`.
        hidden: units a layer.
        layers: stacked recurrent layers.
        embedding: size of a table's rows for the previous event and the place, in [1, 1024].
        candidate_embedding: the same for candidates.
        duration_hidden, pitch_hidden: units of the two heads, in [1, 4096].
        dropout: share of each layer's outputs, and of its recurrent weights, that is left out in training, and
            half that share of its first inputs.
        max_duration: longest duration of an event, in steps; the tokenizer's.
        context: what the network is told.
    """

    cell: str = "gru"
    hidden: int = option(256, "Units a layer.", low=1, high=4096, shown="the preset's")
    layers: int = option(2, "Stacked layers.", low=1, high=8, shown="the preset's")
    embedding: int = 32
    candidate_embedding: int = 16
    duration_hidden: int = 128
    pitch_hidden: int = 192
    dropout: float = option(0.45, "Share left out in training, {limits}.", low=0, high=0.95, shown="the preset's")
    max_duration: int = 192
    context: ContextConfig = ContextConfig()

    def __post_init__(self) -> None:
        _check_kinds(self)
        if self.cell not in CELLS:
            raise UsageError(f"The cell {self.cell!r} is not known; choose one of {', '.join(CELLS)}.")
        check_all(described(ModelConfig).values(), self, kinds=False)
        check_range("embedding", self.embedding, 1, 1024)
        check_range("candidate_embedding", self.candidate_embedding, 1, 1024)
        check_range("duration_hidden", self.duration_hidden, 1, 4096)
        check_range("pitch_hidden", self.pitch_hidden, 1, 4096)
        check_range("max_duration", self.max_duration, 24, 240)

    def changed(self, **values: Any) -> ModelConfig:
        """The same with other values of fields; None leaves one as it is. Raises UsageError for one out of range."""
        return replace(self, **{name: value for name, value in values.items() if value is not None})

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ModelConfig:
        """The inverse of `as_dict`. Raises UsageError for a field that is unknown or out of range."""
        try:
            # What models of earlier versions are not told, they do not name.
            context = ContextConfig(**{"ambitus": False, "pickup": False, **values.get("context", {})})
            return cls(**{**values, "context": context})
        except TypeError as error:
            raise UsageError(f"The model's configuration is not of this version ({error}).") from error


PRESETS: dict[str, ModelConfig] = {
    "tiny": ModelConfig(
        hidden=64, embedding=16, candidate_embedding=6, duration_hidden=32, pitch_hidden=48, dropout=0.1
    ),
    "small": ModelConfig(),
    "base": ModelConfig(
        hidden=576, embedding=48, candidate_embedding=24, duration_hidden=256, pitch_hidden=384, dropout=0.4
    ),
}
"""About 0.1, 1 and 5 million parameters."""


def preset_of(name: str) -> ModelConfig:
    """One of `PRESETS`. Raises UsageError for a name that is none."""
    if name not in PRESETS:
        raise UsageError(f"The preset {name!r} is not known; choose one of {', '.join(PRESETS)}.")
    return PRESETS[name]
