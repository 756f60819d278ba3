"""A model's judge of its own melodies: gradient-boosted trees that have learned to tell people's from generated ones.

Of several melodies that a model draws, the one that looks most like people's is written. Drawn event by event, each
melody strays a little farther from what the network has learned from; the judge sees it whole
(`melodygru.music.statistics.features`). It is taught by `melodygru.evaluation.teaching`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

import numpy as np
import numpy.typing as npt

from melodygru.errors import CheckpointError
from melodygru.music.melody import Melody
from melodygru.music.statistics import features
from melodygru.network.arrays import Float32Array
from melodygru.records import dataclass
from melodygru.trees import leaves

CANDIDATES = 4
"""Melodies drawn for each that is written."""
_MOST_NODES = 1_000_000
_NAMES_WIDTH = 96


@dataclass(frozen=True)
class Critic:
    """Binary regression trees, whose values are summed. N nodes in all, R trees, F features.

    Attributes:
        names: (F, 96) uint8, the features' names, in UTF-8, filled with zeros.
        missing: (F,) float32, what stands for a feature that a melody does not have.
        feature: (N,) int32, the feature that a node asks for; -1 for a leaf.
        threshold: (N,) float32; up to it, `below` is next, else `above`, both (N,) int32.
        value: (N,) float32, log-odds that a leaf adds.
        roots: (R,) int32, where each tree begins.
        base: (1,) float32, log-odds before all trees.
    """

    names: npt.NDArray[np.uint8]
    missing: Float32Array
    feature: npt.NDArray[np.int32]
    threshold: Float32Array
    below: npt.NDArray[np.int32]
    above: npt.NDArray[np.int32]
    value: Float32Array
    roots: npt.NDArray[np.int32]
    base: Float32Array

    def log_odds(self, melody: Melody) -> float:
        """How much like people's a melody looks, in nats: above 0, more than not. It has one note at least."""
        row = np.array(list(features(melody).values()), np.float32)
        row = np.where(np.isnan(row), self.missing, row)
        [at] = leaves(row[None], self.feature, self.threshold, self.below, self.above, self.roots)
        return float(self.value[at].sum() + self.base[0])

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """All of it, by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[np.generic]]) -> Critic:
        """The inverse of `arrays`. Raises CheckpointError for anything but sound trees over this version's features."""
        kinds = {
            "names": np.uint8,
            "missing": np.float32,
            "threshold": np.float32,
            "value": np.float32,
            "base": np.float32,
        }
        if set(arrays) != {field.name for field in fields(cls)}:
            raise CheckpointError("has a judge that is damaged: something is missing.")
        if any(array.dtype != kinds.get(name, np.int32) for name, array in arrays.items()):
            raise CheckpointError("has a judge that is damaged: a kind of number is wrong.")
        critic = cls(**arrays)  # type: ignore[arg-type]
        nodes, count = len(critic.feature), len(critic.missing)
        own = own_names()
        if critic.names.shape != own.shape or (critic.names != own).any():
            raise CheckpointError("has a judge of another version; teach it again with `melodygru teach`.")
        numbers = np.arange(nodes)
        inner = critic.feature >= 0
        sound = (
            all(array.ndim == 1 for name, array in arrays.items() if name != "names")
            and {len(a) for a in (critic.threshold, critic.below, critic.above, critic.value)} == {nodes}
            and (count, len(critic.base)) == (len(own), 1)
            and 0 < nodes <= _MOST_NODES
            and ((critic.feature >= -1) & (critic.feature < count)).all()
            # Children lie behind their parents, so every way ends.
            and all(((next_ > numbers) & (next_ < nodes))[inner].all() for next_ in (critic.below, critic.above))
            and ((critic.roots >= 0) & (critic.roots < nodes)).all()
            and all(np.isfinite(a).all() for a in (critic.missing, critic.threshold, critic.value, critic.base))
        )
        if not sound:
            raise CheckpointError("has a judge that is damaged; get or teach it again.")
        return critic


def own_names() -> npt.NDArray[np.uint8]:
    """(F, 96): the names of the features that this version computes, as a critic keeps them."""
    from melodygru.music.melody import Note

    names = list(features(Melody((Note(60, 0, 24), Note(62, 24, 24)))))
    table = np.zeros((len(names), _NAMES_WIDTH), np.uint8)
    for row, name in zip(table, names, strict=True):
        text = name.encode()[:_NAMES_WIDTH]
        row[: len(text)] = np.frombuffer(text, np.uint8)
    return table
