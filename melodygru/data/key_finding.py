"""The keys of many pieces at once: what `melodygru.music.key_finding` finds one at a time, as arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from melodygru.music.key_finding import (
    KRUMHANSL_KESSLER,
    LAST_NOTE_VOTE,
    SIGNATURE_MODES,
    estimate_key,
    key_for_signature,
)
from melodygru.music.theory import Key
from melodygru.network.arrays import Array

_CLOSE = 1e-9
"""Correlations this near to each other may be in another order when sums run in another: those are left to that."""
_ALL = [Key(tonic, mode) for mode in KRUMHANSL_KESSLER for tonic in range(12)]
_WITH_SIGNATURE = [Key.from_fifths(fifths, mode) for fifths in range(-7, 8) for mode in SIGNATURE_MODES]
_PLACES = np.array([_ALL.index(Key(key.tonic, SIGNATURE_MODES[key.mode])) for key in _WITH_SIGNATURE]).reshape(15, -1)
"""(15, 4) for each signature, where in `_ALL` the major or minor key stands whose profile each of its keys has."""
_PROFILES = np.array([np.roll(profile, tonic) for profile in KRUMHANSL_KESSLER.values() for tonic in range(12)])
_PROFILES = _PROFILES - _PROFILES.mean(axis=1, keepdims=True)
_PROFILES = _PROFILES / np.sqrt((_PROFILES**2).sum(axis=1, keepdims=True))


def find_keys(weights: Array, signatures: Sequence[int | None], last: Array) -> list[Key]:
    """The key of each of P pieces: `estimate_key` and `key_for_signature` for many.

    Args:
        weights: (P, 12) how long each pitch class lasts.
        signatures: (P,) sharps of the signature, in [-7, 7]; None where there is none.
        last: (P,) pitch class of the last note.
    """
    fits = _correlations(weights)
    signed = np.array([fifths is not None for fifths in signatures], np.bool_)
    row = np.array([7 + (fifths or 0) for fifths in signatures], np.int64)
    places = _PLACES[row]
    of_signature = np.take_along_axis(fits, places, 1) + LAST_NOTE_VOTE * (places % 12 == last[:, None])
    best = np.where(signed, of_signature.argmax(axis=1) + row * _PLACES.shape[1], fits.argmax(axis=1)).tolist()
    sure = np.where(signed, _stand_out(of_signature), _stand_out(fits)).tolist()
    keys = []
    for piece, (fifths, certain) in enumerate(zip(signatures, sure, strict=True)):
        if certain:
            keys.append(_ALL[best[piece]] if fifths is None else _WITH_SIGNATURE[best[piece]])
        else:
            own = weights[piece].tolist()
            keys.append(estimate_key(own) if fifths is None else key_for_signature(fifths, own, int(last[piece])))
    return keys


def _stand_out(values: Array) -> Array:
    """(P,) whether one value of each row is higher than all others."""
    return (values > values.max(axis=1, keepdims=True) - _CLOSE).sum(axis=1) == 1


def _correlations(weights: Array) -> Array:
    """(P, 24) Pearson's correlations with the profiles of `_ALL`; 0 where weights are even."""
    centred = weights - weights.mean(axis=1, keepdims=True)
    norms = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    return centred @ _PROFILES.T / np.where(norms > 0, norms, 1.0)
