"""Every choice that a user can make, with its unit and its legal range.

Frozen dataclasses, written into the checkpoint as JSON, so that nothing has to be
typed again at generation.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from melodygru.errors import UsageError


@dataclass(frozen=True)
class TokenizerConfig:
    """The vocabulary. Fixed by these numbers alone, never by what stood in a training folder.

    Attributes:
        max_duration: longest duration of one event, in steps; longer notes are tied, longer rests follow one another.
    """

    max_duration: int = 192

    def __post_init__(self) -> None:
        check_range("max_duration", self.max_duration, 24, 960)


@dataclass(frozen=True)
class SamplingConfig:
    """How the next event is drawn. The defaults were measured: see docs/decisions.md.

    Attributes:
        temperature: divides the logits, in [0, 10]; 0 takes the likeliest event (argmax).
        top_k: keep the k likeliest events, and all that tie with the k-th; 0 keeps all.
        top_p: keep the fewest likeliest events whose probabilities reach top_p, in (0, 1], and ties; 1 keeps all.
    """

    temperature: float = 0.9
    top_k: int = 0
    top_p: float = 0.98

    def __post_init__(self) -> None:
        check_range("temperature", self.temperature, 0, 10)
        check_range("top-k", self.top_k, 0, 100_000, "0 means off")
        if not 0 < self.top_p <= 1:
            raise UsageError(f"top-p is {self.top_p:g}; choose a number above 0, up to 1 (1 means off).")


def check_range(name: str, value: float, low: float, high: float, note: str = "") -> None:
    """Raise UsageError unless low <= value <= high (NaN is outside every range)."""
    if not low <= value <= high:
        hint = f" ({note})" if note else ""
        raise UsageError(f"{name} is {value:g}; choose a number from {low:g} to {high:g}{hint}.")


def as_dict(config: Any) -> dict[str, Any]:
    """A config dataclass as plain JSON values."""
    return asdict(config)
