"""Draws melodies from an engine: scores -> mask -> temperature -> top-k -> top-p -> draw -> advance.

Knows the engine only by its protocol, and constraints only by their masks. Works on many melodies
at once; melody i has random numbers of its own, from (seed, i), so it is the same alone and in a batch
of any size. (On one machine, that is: another processor rounds the scores' last digits another way.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from melodygru.config import SamplingConfig
from melodygru.constraints import Constraint, Progress, legal_durations, legal_pitches
from melodygru.engine import Engine
from melodygru.tokenizer import END, REST, TIE, Events, PieceMeta

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


def keep_top_k(logits: FloatArray, k: int) -> npt.NDArray[np.bool_]:
    """(B, V): True for the k largest of each row, and for all that tie with the k-th; k = 0 keeps all."""
    if k == 0 or k >= logits.shape[1]:
        return np.ones(logits.shape, np.bool_)
    kth = np.partition(logits, -k, axis=1)[:, -k]
    return logits >= kth[:, None]


def keep_top_p(logits: FloatArray, p: float) -> npt.NDArray[np.bool_]:
    """(B, V): True for the nucleus of each row (Holtzman et al. 2020): the fewest most probable classes
    whose probabilities sum to at least p, and all that tie with the last of them; p = 1 keeps all.
    """
    if p >= 1:
        return np.ones(logits.shape, np.bool_)
    ordered = np.sort(logits, axis=1)[:, ::-1]
    total = np.cumsum(_softmax(ordered), axis=1)
    last = np.minimum((total < p).sum(axis=1), logits.shape[1] - 1)
    return logits >= ordered[np.arange(len(logits)), last][:, None]


def draw(
    logits: npt.NDArray[np.floating], legal: npt.NDArray[np.bool_], config: SamplingConfig, uniform: FloatArray
) -> IntArray:
    """One class a row.

    Args:
        logits: (B, V) scores.
        legal: (B, V) what may be drawn; at least one class a row.
        config: temperature, top-k and top-p, applied in this order to the legal classes.
        uniform: (B,) random numbers in [0, 1): the class drawn is where the cumulative distribution,
            in order of class, first exceeds this.

    Returns:
        (B,) classes. At temperature 0 the best-scored legal class, the lowest of equals.
    """
    scores = np.where(legal, logits.astype(np.float64), -np.inf)
    if config.temperature == 0:
        return scores.argmax(axis=1)
    with np.errstate(over="ignore"):  # at the smallest temperatures a worse score becomes minus infinity, as it should
        scores = (scores - scores.max(axis=1, keepdims=True)) / config.temperature
    scores = np.where(keep_top_k(scores, config.top_k), scores, -np.inf)
    scores = np.where(keep_top_p(scores, config.top_p), scores, -np.inf)
    cumulative = np.cumsum(_softmax(scores), axis=1)
    # Rounding can leave the last sum a little off 1: scaled by it, no number falls beyond the end.
    drawn = (cumulative <= (uniform * cumulative[:, -1])[:, None]).sum(axis=1)
    last_legal = logits.shape[1] - 1 - np.isfinite(scores)[:, ::-1].argmax(axis=1)
    return np.minimum(drawn, last_legal)


def _softmax(logits: FloatArray) -> FloatArray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def sample(
    engine: Engine,
    metas: Sequence[PieceMeta],
    config: SamplingConfig,
    constraints: Sequence[Constraint],
    seed: int,
    first: int = 0,
    progress: Callable[[int], None] | None = None,
) -> list[Events]:
    """One melody for each of `metas`.

    Args:
        engine: gives the scores.
        metas: metre, key and bars of each melody.
        config: how to draw.
        constraints: what may be drawn; the first should be `Bars`.
        seed: any integer of at least 0; the same seed gives the same melodies.
        first: the number of the first melody: melody i draws from (seed, first + i), whatever stands beside it.
        progress: called with the number of melodies finished so far, now and then (not for a single one).
    """
    if len(metas) == 1:
        # A matrix product with one row takes another route through the linear algebra and rounds differently, which
        # about once in thousands of melodies turns a draw. With a twin beside it, one melody is rounded as many are.
        return sample(engine, [*metas, *metas], config, constraints, seed, first)[:1]
    size = len(metas)
    random = [np.random.Generator(np.random.PCG64([seed, first + i])) for i in range(size)]
    state = engine.start(metas)
    length = np.array([meta.length for meta in metas], np.int64)
    bar_steps = np.array([meta.time_signature.bar_steps for meta in metas], np.int64)
    tonic = np.array([meta.key.tonic for meta in metas], np.int64)
    nothing = np.zeros(size, np.bool_)
    where = Progress(state.onset, length, bar_steps, tonic, state.reference, nothing, nothing)
    done = np.zeros(size, np.bool_)
    drawn: list[tuple[IntArray, IntArray]] = []
    while True:
        uniform = np.array([generator.random(2) for generator in random])
        scores = engine.duration_logits(state)
        durations = draw(scores, legal_durations(constraints, where, scores.shape[1]), config, uniform[:, 0])
        durations = np.where(done, END, durations)
        scores = engine.pitch_logits(state, durations)
        legal = legal_pitches(constraints, where, durations, scores.shape[1])
        pitches = draw(scores, legal, config, uniform[:, 1])
        pitches = np.where(durations == END, REST, pitches)
        drawn.append((durations, pitches))
        done = done | (durations == END)
        if progress is not None:
            progress(int(done.sum()))
        if done.all():
            break
        engine.advance(state, durations, pitches)
        sounding = (pitches < REST) | (pitches == TIE)
        where = Progress(state.onset, length, bar_steps, tonic, state.reference, sounding, pitches == REST)
    all_durations = np.stack([durations for durations, _ in drawn], axis=1)
    all_pitches = np.stack([pitches for _, pitches in drawn], axis=1)
    ends = (all_durations == END).argmax(axis=1) + 1
    return [Events(all_durations[i, : ends[i]], all_pitches[i, : ends[i]], meta) for i, meta in enumerate(metas)]
