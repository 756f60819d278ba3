"""The style that a model has of its own: the folder's that it was trained on. Nothing has to be said to get it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from melodygru.errors import UsageError
from melodygru.records import dataclass
from melodygru.writing.config import GenerationConfig


@dataclass(frozen=True)
class OwnStyle:
    """A style by its folder: what it is called, and the metre and range that hold where none are said."""

    name: str
    meter: str
    range: str

    @classmethod
    def of(cls, provenance: Mapping[str, Any]) -> OwnStyle | None:
        """What a checkpoint says of it; None if it says nothing, or what makes no sense."""
        told = provenance.get("style")
        if not isinstance(told, Mapping):
            return None
        try:
            own = cls(*(str(told[name]) for name in ("name", "meter", "range")))
            own.filled(GenerationConfig())
        except (KeyError, UsageError):
            return None
        return own

    def filled(self, config: GenerationConfig) -> GenerationConfig:
        """The wishes for a new melody with the style's metre and range where none were said, nor another style."""
        if config.style is not None:
            return config
        return replace(config, meter=config.meter or self.meter, range=config.range or self.range)
