"""What happens inside the network while it hears a melody: gates, states, surprise, and what else it considered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from melodygru.music.melody import Melody
from melodygru.network.arrays import Float32Array, FloatArray, IntArray, nats_of, softmax
from melodygru.network.config import TokenizerConfig
from melodygru.network.engine import NumpyEngine, NumpyState
from melodygru.network.tokenizer import END, Events, Tokenizer
from melodygru.records import dataclass

LONGEST_SPAN = 1000.0
"""Events; what is kept for longer counts as kept for so long."""
_DURATIONS_CONSIDERED = 12


@dataclass(frozen=True)
class Choice:
    """An event that was possible: its duration class, its pitch class, and its probability in [0, 1]."""

    duration: int
    pitch: int
    probability: float


@dataclass(frozen=True)
class Trace:
    """A melody of T events, as a network of L layers of H units hears it.

    Attributes:
        melody, events: what it heard.
        onsets: (T,) steps at which the events begin.
        nats: (2, T) surprise: negative log-likelihood of each duration, and of each pitch given that.
        considered: of each event, what was likeliest before it came, most probable first.
        gates: of each layer, by name, (T, H) in (0, 1): the gates at the step that takes in the event before, and so
            leads to what was expected of this one. "keep" is the share of the old state that stays.
        states: of each layer, (T, H): the state after that step.
    """

    melody: Melody
    events: Events
    onsets: IntArray
    nats: FloatArray
    considered: Sequence[Sequence[Choice]]
    gates: Sequence[Mapping[str, Float32Array]]
    states: Sequence[Float32Array]


def trace(engine: NumpyEngine, melody: Melody, choices: int = 5) -> Trace:
    """Let the network hear a melody. `choices`: how many events it considered are kept, at least 1."""
    events = Tokenizer(TokenizerConfig(engine.config.max_duration)).encode(melody)
    seen: list[list[tuple[Float32Array, Float32Array]]] = [[] for _ in range(engine.config.layers)]
    engine.watch = lambda layer, x, state: seen[layer].append((x.copy(), state.copy()))
    states: list[list[Float32Array]] = [[] for _ in seen]
    nats = np.zeros((2, len(events.durations)))
    considered = []
    try:
        state = engine.start([events.meta])
        for at, (duration, pitch) in enumerate(zip(events.durations, events.pitches, strict=True)):
            for layer, kept in enumerate(states):
                kept.append(state.layers[layer][:, : engine.config.hidden].copy())
            chosen = np.array([duration]), np.array([pitch])
            duration_logits = engine.duration_logits(state)
            considered.append(_likeliest(engine, state, duration_logits, choices))
            nats[0, at] = nats_of(duration_logits, chosen[0])[0]
            nats[1, at] = 0 if duration == END else nats_of(engine.pitch_logits(state, chosen[0]), chosen[1])[0]
            engine.advance(state, *chosen)
    finally:
        engine.watch = None
    gates = []
    for layer, rows in enumerate(seen):
        # The step after the last event leads to nothing.
        inputs, before = (np.concatenate(part) for part in zip(*rows[: len(considered)], strict=True))
        gates.append(engine.gates(layer, inputs, before))
    onsets = np.cumsum(events.durations) - events.durations
    return Trace(melody, events, onsets, nats, considered, gates, [np.concatenate(kept) for kept in states])


def _likeliest(engine: NumpyEngine, state: NumpyState, duration_logits: Float32Array, choices: int) -> list[Choice]:
    """The likeliest events of one melody: durations and pitches together."""
    of_durations = softmax(duration_logits.astype(np.float64))[0]
    found = []
    # Enough durations that no pair among the likeliest is missed, but for the rarest.
    for duration in np.argsort(-of_durations)[: max(_DURATIONS_CONSIDERED, choices)].tolist():
        share = float(of_durations[duration])
        if duration == END:
            found.append(Choice(END, 0, share))
            continue
        of_pitches = softmax(engine.pitch_logits(state, np.array([duration])).astype(np.float64))[0]
        likeliest = np.argsort(-of_pitches)[:choices].tolist()
        found += [Choice(duration, pitch, share * float(of_pitches[pitch])) for pitch in likeliest]
    return sorted(found, key=lambda choice: -choice.probability)[:choices]


def memory_span(keep: Float32Array) -> FloatArray:
    """(T, H): for how many further events half of what a unit holds at each event is kept.

    From the "keep" gate z, (T, H): the largest n with z[t+1] * ... * z[t+n] at least 1/2, interpolated within the event
    at which it falls below. After its end the melody is played again. At most `LONGEST_SPAN`.
    """
    falls = -np.log2(np.maximum(keep.astype(np.float64), 1e-12))
    # What would take longer than anybody listens.
    falls = np.maximum(falls, 1e-6)
    count = len(falls)
    fallen = np.concatenate([np.zeros((1, falls.shape[1])), np.cumsum(falls, axis=0)])
    span = np.zeros(falls.shape)
    for unit in range(falls.shape[1]):
        # What is asked for at event t is the place where one more halving is reached; each pass falls by as much.
        each = fallen[-1, unit]
        passes, rest = np.divmod(fallen[1:, unit] + 1, each)
        span[:, unit] = (
            passes * count + np.interp(rest, fallen[:, unit], np.arange(count + 1.0)) - np.arange(1, count + 1)
        )
    return np.minimum(span, LONGEST_SPAN)


def correlation_ratio(values: npt.NDArray[np.floating], classes: npt.NDArray[np.integer]) -> FloatArray:
    """(H,) eta squared: the share of the variance of each column of (N, H) values that their classes (N,) explain."""
    values = values.astype(np.float64)
    _, index = np.unique(classes, return_inverse=True)
    sizes = np.bincount(index).astype(np.float64)
    sums = np.zeros((len(sizes), values.shape[1]))
    np.add.at(sums, index, values)
    centre = values.mean(axis=0)
    between = (sizes[:, None] * (sums / sizes[:, None] - centre) ** 2).sum(axis=0)
    total = ((values - centre) ** 2).sum(axis=0)
    return np.divide(between, total, out=np.zeros_like(total), where=total > 0)
