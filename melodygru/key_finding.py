"""The keys of many pieces at once: what `melodygru.theory` finds one at a time, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from melodygru.theory import KRUMHANSL_KESSLER, Key, estimate_key, key_for_signature

_MODES = ("major", "minor", "dorian", "mixolydian")
_PROFILE_OF = {"major": 0, "minor": 1, "dorian": 1, "mixolydian": 0}
_CLOSE = 1e-9
"""Scores this near to each other may come out in another order when sums run in another: those are left to theory."""


def find_keys(weights: npt.NDArray[Any], signatures: Sequence[int | None], last: npt.NDArray[Any]) -> list[Key]:
    """The key of each of P pieces.

    Args:
        weights: (P, 12) how long each pitch class lasts.
        signatures: (P,) sharps of the signature, in [-7, 7]; None where there is none (`estimate_key`, else
            `key_for_signature`).
        last: (P,) pitch class of the last note.
    """
    scores = _correlations(weights)
    keys = []
    for row, fifths, final, own in zip(scores, signatures, last.tolist(), weights.tolist(), strict=True):
        if fifths is None:
            candidates, values = _ALL, row.reshape(-1)
        else:
            candidates = _with_signature(fifths)
            values = np.array(
                [row[_PROFILE_OF[key.mode], key.tonic] + (0.5 if key.tonic == final else 0.0) for key in candidates]
            )
        best = int(values.argmax())
        if (values > values[best] - _CLOSE).sum() == 1:
            keys.append(candidates[best])
        else:
            keys.append(estimate_key(own) if fifths is None else key_for_signature(fifths, own, final))
    return keys


@cache
def _with_signature(fifths: int) -> list[Key]:
    return [Key.from_fifths(fifths, mode) for mode in _MODES]


_ALL = [Key(tonic, mode) for mode in KRUMHANSL_KESSLER for tonic in range(12)]
_PROFILES = np.array([np.roll(profile, tonic) for profile in KRUMHANSL_KESSLER.values() for tonic in range(12)])
_PROFILES = _PROFILES - _PROFILES.mean(axis=1, keepdims=True)
_PROFILES = _PROFILES / np.sqrt((_PROFILES**2).sum(axis=1, keepdims=True))


def _correlations(weights: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """(P, 2, 12) Pearson's correlations with the major and minor profile of every tonic; 0 where weights are even."""
    centred = weights - weights.mean(axis=1, keepdims=True)
    norms = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    return (centred @ _PROFILES.T / np.where(norms > 0, norms, 1.0)).reshape(-1, 2, 12)
