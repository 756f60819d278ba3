"""Keys that chords suggested before dominant sevenths were heard: files of then are made again as they were."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from melodygru.music.chord_keys import estimate_key, key_by_tones
from melodygru.music.chords import ChordSpan
from melodygru.music.melody import Melody
from melodygru.music.scales import SCALES, parse_scale
from melodygru.music.theory import Key
from melodygru.writing.borrowing import RHYTHM
from melodygru.writing.config import GenerationConfig
from melodygru.writing.planner import MINOR_SCALES
from melodygru.writing.recipe import Recipe
from melodygru.writing.sections import own_spans

_HEARD = "dominants"
"""Of a recipe's details: that dominant sevenths were heard."""


def heard(config: GenerationConfig, source: Melody | None = None, takes: str = "") -> dict[str, Any]:
    """What a recipe says of how its key was found: something only where that was another before.

    `source` and `takes` as of `melodygru.writing.candidates.Order`.
    """
    return {} if _before(config, source, takes) is None else {_HEARD: True}


def as_before(recipe: Recipe) -> GenerationConfig:
    """What a file asks for, with the key that its chords suggested when it was made."""
    config = recipe.config
    key = None if _HEARD in recipe.details else _before(config, recipe.source, str(recipe.details.get("takes", "")))
    if key is None:
        return config
    tonic = str(key).split()[0]
    says_mode = config.scale is not None and parse_scale(config.scale) in (*MINOR_SCALES, *SCALES)
    return replace(config, key=tonic if says_mode else str(key))


def _before(config: GenerationConfig, source: Melody | None, takes: str) -> Key | None:
    """The key that chords suggested before, if nobody said one and they suggest another now."""
    if config.key is not None or not config.has_chords or (source is not None and not takes):
        return None
    own = source is not None and (takes == RHYTHM or config.meter is None)
    metre = source.time_signature if own and source is not None else config.time_signature
    spans: tuple[ChordSpan, ...] = config.spans(metre) or next(filter(None, own_spans(config, metre)), ())
    before = key_by_tones(spans)
    return None if before == estimate_key(spans) else before
