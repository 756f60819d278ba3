"""A network that is told less as the start of one that is told more, from which it differs in nothing at first.

What is told is a column of classes (`melodygru.network.columns`): a table, whose rows the input layer weighs. A column
that is new has weights of 0 in that layer; a new part of the heads is 0. The new table is not: of two factors that are
both 0 neither would ever move.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from melodygru.errors import UsageError
from melodygru.network.arrays import Float32Array
from melodygru.network.columns import candidate_columns, input_columns
from melodygru.network.config import ModelConfig
from melodygru.network.engine import weight_shapes

_TOLD = ("metre", "bars_left", "key", "ambitus", "pickup", "style", "character", "chords")
"""What a network may be told beside the candidates; of those it must have as many as before."""
_TABLES = ("tables.", "candidate_tables.")
_INPUT = "input.weight"


def told_more(before: ModelConfig, *names: str) -> ModelConfig:
    """The same network, told these (fields of `ContextConfig`) too."""
    told: dict[str, Any] = dict.fromkeys(names, True)
    return replace(before, context=replace(before.context, **told))


def widened(
    weights: Mapping[str, Float32Array],
    before: ModelConfig,
    after: ModelConfig,
    fresh: Mapping[str, Float32Array],
) -> dict[str, Float32Array]:
    """The weights of a network `before` as those of one `after`: whatever it is told more, likelihoods are the same.

    Args:
        fresh: weights of a network `after` that has learned nothing, for the tables of what is new.

    Raises:
        UsageError: the second network is of another shape, or is told less.
    """
    told = [name for name in _TOLD if getattr(after.context, name)]
    if told_more(before, *told) != replace(after, dropout=before.dropout):
        raise UsageError(
            "The model to begin with is of another shape than the one to be trained, or told more; begin with another."
        )
    made: dict[str, Float32Array] = {}
    for name, shape in weight_shapes(after).items():
        if name == _INPUT:
            made[name] = np.zeros(shape, np.float32)
            known = dict(_inputs(before))
            for column, where in _inputs(after):
                if column in known:
                    made[name][:, where] = weights[name][:, known[column]]
        elif name in weights:
            made[name] = weights[name]
        else:
            made[name] = fresh[name] if name.startswith(_TABLES) else np.zeros(shape, np.float32)
    return made


def _inputs(config: ModelConfig) -> Iterator[tuple[tuple[int, str], slice]]:
    """Which columns of the input layer weigh which column of classes: of each candidate (from 0), or (-1) of none."""
    context, begin = config.context, 0
    sizes = [((-1, column.name), config.embedding) for column in input_columns(context, config.max_duration)]
    for number in range(context.candidates):
        of_each = candidate_columns(context, config.max_duration)
        sizes += [((number, column.name), config.candidate_embedding) for column in of_each]
    for column, size in sizes:
        yield column, slice(begin, begin + size)
        begin += size
