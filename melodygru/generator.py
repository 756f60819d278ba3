"""A trained model, ready to write melodies: what notebooks and the command line both use."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from math import gcd
from numbers import Integral
from typing import Any

from melodygru.checkpoint import Checkpoint, resolve
from melodygru.config import SamplingConfig, check_range
from melodygru.constraints import Bars, Constraint, EndsHome, Grid, PitchRange, WellFormed
from melodygru.engine import NumpyEngine
from melodygru.errors import UsageError
from melodygru.melody import Melody
from melodygru.sampler import sample
from melodygru.theory import Key, TimeSignature
from melodygru.tokenizer import REST, Events, PieceMeta, Tokenizer

MAX_BARS = 1000
MAX_COUNT = 100_000
DEFAULT_QPM = 120.0
_WINDOW = 250
"""Melodies made at once: bounds the memory that many take."""


def load_model(name: str | os.PathLike[str] = "folk") -> Model:
    """The model of that name (in ./checkpoints, or shipped: "folk"), or at that path.

    Raises CheckpointError if there is none, or it is damaged.
    """
    path = resolve(name)
    return Model(Checkpoint.load(path), name=path.stem)


class Model:
    """A trained model.

    Attributes:
        checkpoint: its weights, configuration and provenance.
        name: what it is called.
    """

    def __init__(self, checkpoint: Checkpoint, name: str = ""):
        self.checkpoint = checkpoint
        self.name = name

    @cached_property
    def engine(self) -> NumpyEngine:
        """The network, one step at a time, in NumPy."""
        return NumpyEngine(self.checkpoint.model_config, self.checkpoint.weights)

    @property
    def provenance(self) -> Mapping[str, Any]:
        """How the model came to be: data, number of pieces and notes, validation, versions, date, seed."""
        return self.checkpoint.provenance

    def generate(self, bars: int = 16, **options: Any) -> Melody:
        """Write one melody; the options are those of `generate_many`."""
        return self.generate_many(1, bars, **options)[0]

    def generate_many(
        self,
        count: int,
        bars: int = 16,
        *,
        key: Key | str = "C major",
        meter: TimeSignature | str = "4/4",
        bpm: float = DEFAULT_QPM,
        seed: int | None = None,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> list[Melody]:
        """Write `count` melodies. Each fills its bars exactly and ends on the tonic.

        Args:
            count: how many, 1 to 100,000.
            bars: length in full bars, exactly; 1 to 1000.
            key: a `Key`, or text such as "A minor".
            meter: a `TimeSignature`, or text such as "6/8".
            bpm: tempo in quarter notes a minute, 4 to 1000.
            seed: at least 0; the same seed and options give the same melodies. None draws one.
            temperature, top_k, top_p: see `SamplingConfig`; None takes its default.
            progress: called with the number of melodies finished so far.

        Raises:
            UsageError: a value out of range, named.
        """
        seed = draw_seed() if seed is None else seed
        for what, value in (("bars", bars), ("count", count), ("seed", seed), ("top_k", top_k or 0)):
            if not isinstance(value, Integral):
                raise UsageError(f"{what} is {value!r}; give a whole number.")
        check_range("bars", bars, 1, MAX_BARS)
        check_range("count", count, 1, MAX_COUNT)
        check_range("bpm", bpm, 4, 1000)
        if seed < 0:
            raise UsageError(f"seed is {seed}; choose a whole number of at least 0.")
        default = SamplingConfig()
        config = SamplingConfig(
            default.temperature if temperature is None else temperature,
            default.top_k if top_k is None else top_k,
            default.top_p if top_p is None else top_p,
        )
        time_signature = TimeSignature.parse(meter) if isinstance(meter, str) else meter
        meta = PieceMeta(time_signature, Key.parse(key) if isinstance(key, str) else key, bars)
        tokenizer = Tokenizer(self.checkpoint.tokenizer_config)
        constraints = default_constraints(time_signature)
        melodies: list[Melody] = []
        while (made := len(melodies)) < count:
            metas = [meta] * min(_WINDOW, count - made)
            report = None if progress is None else (lambda done, made=made: progress(made + done))
            drawn = sample(self.engine, metas, config, constraints, seed, made, report)
            title = f"{self.name} {meta.key}".strip()
            melodies += [hold_last(tokenizer.decode(events, bpm, title), events) for events in drawn]
        return melodies


def draw_seed() -> int:
    """A seed that nobody chose, short enough to type again."""
    return secrets.randbelow(10**9)


def hold_last(melody: Melody, events: Events) -> Melody:
    """The melody with its last note held to the last bar line, unless it was written with a rest after it.

    Tunes with a pickup end early, to leave room for it when they are played again; a clip without one has a hole there.
    """
    if events.pitches[-2] == REST:
        return melody
    last = melody.notes[-1]
    return replace(melody, notes=(*melody.notes[:-1], replace(last, duration=melody.length - last.onset)))


def default_constraints(time_signature: TimeSignature) -> list[Constraint]:
    """What every melody keeps to: its bars, the tonic at its end, plain note values, a singable range."""
    return [
        Bars(silence=0.5),
        EndsHome(shortest=min(time_signature.beat_steps, time_signature.bar_steps)),
        WellFormed(),
        # Sixteenths; in a metre of thirty-seconds, thirty-seconds. Compound beats divide by three as it is.
        Grid(gcd(6, time_signature.bar_steps), triplets=not time_signature.is_compound),
        PitchRange(48, 97),
    ]
