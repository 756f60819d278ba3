"""Every choice that a user can make, with its unit and its legal range.

Frozen dataclasses, written into the checkpoint as JSON, so that nothing has to be
typed again at generation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

from melodygru.errors import UsageError

_Config = TypeVar("_Config")


def check_range(name: str, value: float, low: float, high: float, note: str = "") -> None:
    """Raise UsageError unless low <= value <= high (NaN is outside every range)."""
    if not low <= value <= high:
        hint = f" ({note})" if note else ""
        raise UsageError(f"{name} is {value:g}; choose a number from {low:g} to {high:g}{hint}.")


@dataclass(frozen=True)
class TokenizerConfig:
    """The vocabulary. Fixed by these numbers alone, never by what stood in a training folder.

    Attributes:
        max_duration: longest duration of one event, in steps; longer notes are tied, longer rests follow one another.
    """

    max_duration: int = 192

    def __post_init__(self) -> None:
        check_range("max_duration", self.max_duration, 24, 240)


@dataclass(frozen=True)
class ContextConfig:
    """What the network is told beside the previous event; see `melodygru.context`.

    Attributes:
        metre: metre, position in the bar and in the beat, and the bar's number.
        bars_left: how many bars are still to come.
        key: mode, and every pitch's degree above the tonic.
        ambitus: how far the last pitch lies from the lowest and the highest so far.
        pickup: how long the pickup was, that the end is to leave room for.
        lookback: how many bars ago to look for what sounded at the same place of the bar; none if empty.
        matches: continuations of the longest earlier passages like the one just heard.
    """

    metre: bool = True
    bars_left: bool = True
    key: bool = True
    ambitus: bool = True
    pickup: bool = True
    lookback: tuple[int, ...] = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
    matches: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "lookback", tuple(self.lookback))
        if len(self.lookback) > 32:
            raise UsageError(f"lookback has {len(self.lookback)} bars; choose at most 32 of them.")
        for bars in self.lookback:
            check_range("lookback", bars, 1, 256)

    @property
    def candidates(self) -> int:
        """K, the number of earlier places whose continuation is shown: one a lookback, four matches."""
        return len(self.lookback) + 4 * self.matches


CELLS = ("gru", "lstm", "rnn", "gru-v1", "mingru")
"""torch's GRU, LSTM and tanh RNN, the GRU as it was first published, and minGRU; see `melodygru.cells`."""


@dataclass(frozen=True)
class ModelConfig:
    """The network's shape.

    Attributes:
        cell: one of `CELLS`.
        hidden: units a layer, in [1, 4096].
        layers: stacked recurrent layers, in [1, 8].
        embedding: size of a table's rows for the previous event and the place, in [1, 1024].
        candidate_embedding: the same for candidates.
        duration_hidden, pitch_hidden: units of the two heads, in [1, 4096].
        dropout: share of each layer's outputs, and of its recurrent weights, that is left out in training, and
            half that share of its first inputs; in [0, 0.95].
        max_duration: longest duration of an event, in steps; the tokenizer's.
        context: what the network is told.
    """

    cell: str = "gru"
    hidden: int = 256
    layers: int = 2
    embedding: int = 32
    candidate_embedding: int = 16
    duration_hidden: int = 128
    pitch_hidden: int = 192
    dropout: float = 0.45
    max_duration: int = 192
    context: ContextConfig = ContextConfig()

    def __post_init__(self) -> None:
        if self.cell not in CELLS:
            raise UsageError(f"The cell {self.cell!r} is not known; choose one of {', '.join(CELLS)}.")
        check_range("hidden", self.hidden, 1, 4096)
        check_range("layers", self.layers, 1, 8)
        check_range("embedding", self.embedding, 1, 1024)
        check_range("candidate_embedding", self.candidate_embedding, 1, 1024)
        check_range("duration_hidden", self.duration_hidden, 1, 4096)
        check_range("pitch_hidden", self.pitch_hidden, 1, 4096)
        check_range("dropout", self.dropout, 0, 0.95)
        check_range("max_duration", self.max_duration, 24, 240)

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


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained. The defaults were measured: see docs/decisions.md.

    Attributes:
        epochs: passes over the data, in [1, 100000].
        max_minutes: stop after this time, the schedule shaped to end there; None for no limit.
        batch_size: windows a step, in [1, 65536].
        window: longest stretch of a piece that is learned in one go, in events, in [8, 65536].
        lr: highest learning rate, in (0, 1].
        warmup: steps over which the rate rises, or a tenth of the run where that is shorter; the rate also falls
            along a cosine, to `final_lr` of its height at the end.
        weight_decay: AdamW's, for matrices and tables; biases have none.
        grad_clip: largest gradient norm; 0 for no limit.
        average: the weights that are kept are an exponential moving average with this decay, in [0, 1).
        transpose: share of windows, in [0, 1], that are moved by a random number of semitones in -5..+6,
            anew in each epoch; the rest stay at the pitch at which people play them.
        val_split: share of pieces held out for validation, in [0, 0.9].
        patience: stop after so many epochs without a better validation, and keep the best; 0: keep the last.
        seed: of weights, order, transposition and dropout.
    """

    epochs: int = 40
    max_minutes: float | None = None
    batch_size: int = 6
    window: int = 256
    lr: float = 2e-3
    warmup: int = 200
    final_lr: float = 0.02
    weight_decay: float = 0.1
    grad_clip: float = 1.0
    average: float = 0.999
    transpose: float = 0.7
    val_split: float = 0.1
    patience: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        check_range("epochs", self.epochs, 1, 100_000)
        if self.max_minutes is not None:
            check_range("max-minutes", self.max_minutes, 0.01, 100_000)
        check_range("batch-size", self.batch_size, 1, 65_536)
        check_range("window", self.window, 8, 65_536)
        check_range("lr", self.lr, 1e-8, 1)
        check_range("warmup", self.warmup, 0, 1_000_000)
        check_range("final-lr", self.final_lr, 0, 1)
        check_range("weight-decay", self.weight_decay, 0, 10)
        check_range("grad-clip", self.grad_clip, 0, 1e6, "0 means off")
        check_range("average", self.average, 0, 0.999999)
        check_range("transpose", self.transpose, 0, 1)
        check_range("val-split", self.val_split, 0, 0.9)
        check_range("patience", self.patience, 0, 100_000, "0 means off")
        check_range("seed", self.seed, 0, 2**63 - 1)


@dataclass(frozen=True)
class SamplingConfig:
    """How the next event is drawn. The defaults were measured: see docs/decisions.md.

    Attributes:
        temperature: divides the logits, in [0, 10]; 0 takes the likeliest event (argmax).
        top_k: keep the k likeliest events, and all that tie with the k-th; 0 keeps all.
        top_p: keep the fewest likeliest events whose probabilities reach top_p, in (0, 1], and ties; 1 keeps all.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 0.97

    def __post_init__(self) -> None:
        check_range("temperature", self.temperature, 0, 10)
        check_range("top-k", self.top_k, 0, 100_000, "0 means off")
        if not 0 < self.top_p <= 1:
            raise UsageError(f"top-p is {self.top_p:g}; choose a number above 0, up to 1 (1 means off).")


def as_dict(config: Any) -> dict[str, Any]:
    """A config dataclass as plain JSON values."""
    return asdict(config)


def from_known(kind: type[_Config], values: Mapping[str, Any]) -> _Config:
    """A config dataclass from its fields by name. Raises UsageError for one that it does not have."""
    known = sorted(field.name for field in fields(kind))  # type: ignore[arg-type]
    odd = sorted(set(values) - set(known))
    if odd:
        raise UsageError(f"There is no option {odd[0]!r}; choose among {', '.join(known)}.")
    return kind(**values)
