"""What n-grams weigh beside a network: learned from the folder that the network learned from; and whether they pay.

Two steps, both of a log-linear model, whose best weights Newton's method finds, since its loss is convex. How the
experts weigh against each other is learned from pieces of the training set, each foretold by counts that it is not in.
How all of them weigh against the network is learned from the pieces held out, since the network knows the others too
well. The weights are drawn towards some that were good for other music, so that few pieces do no harm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from melodygru.network.arrays import Array, FloatArray, IntArray
from melodygru.network.engine import NumpyEngine
from melodygru.network.mixing import CONTEXTS, EXPERTS, NgramModel, experts, length_classes
from melodygru.network.ngrams import Heard, LongTerm
from melodygru.network.tokenizer import END, REST, Events
from melodygru.records import dataclass

_FOLDS = 5
_MOST_NOTES = 4000
"""Weights are learned from so many notes at most: there are few of them, and more notes change nothing."""
_EXPERT_WEIGHT = 0.13
"""What an expert weighs before anything is known."""
_SHARES = np.array([0.6, 0.75])
"""What the network, and what all experts together weigh before anything is known: so it was for hymns and songs."""
_PULL = 20.0
"""How strong the pull towards both is: as if about so many notes had said so."""
_STEPS = 12
_GAIN = 0.005
"""Nats per note by which the mixture must be better on pieces held out: less is not worth its time."""
_TOGETHER = 64


@dataclass(frozen=True)
class Fit:
    """N-grams for a network, and nats per note of held-out pieces' pitches by the network alone and by both."""

    ngrams: NgramModel
    alone: float
    mixed: float

    @property
    def pays(self) -> bool:
        """Whether the pieces held out say that they help."""
        return self.mixed < self.alone - _GAIN


def fit_ngrams(engine: NumpyEngine, learned: Sequence[Events], families: IntArray, held: Sequence[Events]) -> Fit:
    """N-grams of the pieces `learned`, of `families` (P,), weighed by what the pieces `held` out say.

    `engine` is the network alone. Of several pieces held out, `mixed` is what each half of them costs with weights
    learned from the other half; of one, with the weights learned from it; of none, it is NaN, as `alone` is.
    """
    weights = expert_weights(learned, families)
    ngrams = NgramModel.of(learned, weights, 1.0)
    halves = [_seen(engine, ngrams, part) for part in (held[::2], held[1::2]) if any(piece.notes for piece in part)]
    shares, alone, mixed = _SHARES, np.nan, np.nan
    if halves:
        values, pitches = (np.concatenate(both) for both in zip(*halves, strict=True))
        shares = fit_weights(values, pitches, _SHARES)
        alone = costs(values, pitches, np.array([1.0, 0.0])).mean()
        others = [fit_weights(*half, _SHARES) for half in halves[::-1]]
        mixed = np.concatenate([costs(*half, own) for half, own in zip(halves, others, strict=True)]).mean()
    return Fit(NgramModel.of(learned, weights * shares[1], shares[0]), float(alone), float(mixed))


def expert_weights(pieces: Sequence[Events], families: IntArray) -> FloatArray:
    """(EXPERTS, CONTEXTS) weights, learned from pieces that are each foretold by the counts of other families."""
    start = np.full(EXPERTS * CONTEXTS, _EXPERT_WEIGHT)
    random = np.random.default_rng(0)
    kinds = np.unique(families)
    fold = (random.permutation(len(kinds)) % _FOLDS)[np.searchsorted(kinds, families)]
    order = random.permutation(len(pieces))
    # (As many whole pieces, in any order, as have the notes that are needed.)
    before = np.cumsum([0, *(pieces[i].notes for i in order)])[:-1]
    used = {int(i) for i, notes in zip(order, before, strict=True) if notes < _MOST_NOTES}
    parts = []
    for number in range(_FOLDS):
        own = [pieces[i] for i in np.flatnonzero(fold == number).tolist() if i in used]
        others = [pieces[i] for i in np.flatnonzero(fold != number).tolist()]
        if own and others:
            parts += list(_foretold(LongTerm.of(others), own))
    if not parts:
        return start.reshape(EXPERTS, CONTEXTS)
    values, pitches = (np.concatenate(both) for both in zip(*parts, strict=True))
    return fit_weights(values, pitches, start).reshape(EXPERTS, CONTEXTS)


def _steps(pieces: Sequence[Events]) -> Iterator[tuple[list[Events], Iterator[tuple[IntArray, IntArray]]]]:
    """Pieces of like length, some at a time, each time with (B,) durations and pitches of their events in order."""
    order = sorted(pieces, key=lambda piece: len(piece.durations))
    for first in range(0, len(order), _TOGETHER):
        some = order[first : first + _TOGETHER]
        durations = np.full((len(some), max(len(piece.durations) for piece in some)), END, np.int64)
        pitches = np.full(durations.shape, REST, np.int64)
        for row, piece in enumerate(some):
            durations[row, : len(piece.durations)], pitches[row, : len(piece.pitches)] = piece.durations, piece.pitches
        yield some, zip(durations.T, pitches.T, strict=True)


def _foretold(long_term: LongTerm, pieces: Sequence[Events]) -> Iterator[tuple[Array, IntArray]]:
    """Of notes of the pieces, (N, EXPERTS * CONTEXTS, 128) what each expert says where its context is so long, and 0
    where it is not; and (N,) their pitches.
    """
    for some, events in _steps(pieces):
        heard = Heard([piece.meta for piece in some])
        for durations, pitches in events:
            rows = np.flatnonzero(pitches < REST)
            logs, orders = experts(long_term, heard, durations)
            chosen = length_classes(orders[:, rows])[..., None] == np.arange(CONTEXTS)
            values = logs[:, rows, None, :].astype(np.float32) * chosen[..., None]
            yield values.transpose(1, 0, 2, 3).reshape(len(rows), EXPERTS * CONTEXTS, REST), pitches[rows]
            heard.advance(durations, pitches)


def _seen(engine: NumpyEngine, ngrams: NgramModel, pieces: Sequence[Events]) -> tuple[Array, IntArray]:
    """Of all notes of pieces, (N, 2, 128) what the network, and what all experts together, say; and their pitches."""
    found = []
    for some, events in _steps(pieces):
        metas = [piece.meta for piece in some]
        state, heard = engine.start(metas), Heard(metas)
        for durations, pitches in events:
            rows = np.flatnonzero(pitches < REST)
            own = engine.pitch_logits(state, durations)[rows, :REST]
            found.append((np.stack([own, ngrams.expected(heard, durations)[rows]], axis=1), pitches[rows]))
            engine.advance(state, durations, pitches)
            heard.advance(durations, pitches)
    values, pitches = zip(*found, strict=True)
    return np.concatenate(values), np.concatenate(pitches)


def costs(values: Array, pitches: IntArray, weights: FloatArray) -> FloatArray:
    """(N,) nats of pitches (N,) where their scores are the weighted sums of (N, F, 128) values, by weights (F,)."""
    return -np.log(_probabilities(values, weights)[np.arange(len(pitches)), pitches] + 1e-300)


def _probabilities(values: Array, weights: FloatArray) -> FloatArray:
    scores = np.einsum("nfa,f->na", values, weights)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def fit_weights(values: Array, pitches: IntArray, start: FloatArray) -> FloatArray:
    """(F,) weights that make pitches (N,) likeliest, but for a pull towards `start` (F,); see `costs`."""

    def loss(weights: FloatArray) -> float:
        return float(costs(values, pitches, weights).sum() + _PULL / 2 * ((weights - start) ** 2).sum())

    weights, now = start, loss(start)
    seen = values[np.arange(len(pitches)), :, pitches].sum(axis=0, dtype=np.float64)
    for _ in range(_STEPS):
        chances = _probabilities(values, weights).astype(values.dtype)
        means = np.einsum("nfa,na->nf", values, chances)
        slope = means.sum(axis=0, dtype=np.float64) - seen + _PULL * (weights - start)
        curve = np.tensordot(values * chances[:, None], values, axes=([0, 2], [0, 2])) - means.T @ means
        step = np.linalg.solve(curve + _PULL * np.eye(len(start)), slope)
        share = 1.0
        while (then := loss(weights - share * step)) > now and share > 1e-3:
            share /= 2
        if then > now - 1e-3:
            break
        weights, now = weights - share * step, then
    return weights
