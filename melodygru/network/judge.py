"""The shipped model as one who listens: how improbable it finds readings of a melody.

Rooms that read files may not import the network: who calls them hands `by_shipped_model` in, which is a
`melodygru.music.estimation.Judge`. Nothing is loaded before it is asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache

from melodygru.errors import MelodyGRUError
from melodygru.music.estimation import Judge
from melodygru.music.melody import Melody
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.likelihood import event_nats
from melodygru.network.model_files import shipped
from melodygru.network.tokenizer import Events, Tokenizer

SHIPPED = "repertoire"
"""The shipped model that is asked."""
MOST_EVENTS = 128
"""Events of a melody that are listened to: what a long one begins with tells its metre."""
_TOGETHER = 4
"""Readings that are heard at once: larger products would be shared out over all cores, which costs more than it brings
beside other work."""


def judge_of(checkpoint: Checkpoint) -> Judge:
    """A model as a judge."""
    engine, tokenizer = checkpoint.engine(), Tokenizer(checkpoint.tokenizer_config)

    def nats(melodies: Sequence[Melody]) -> list[float]:
        pieces = [tokenizer.encode(melody) for melody in melodies]
        heard = [Events(one.durations[:MOST_EVENTS], one.pitches[:MOST_EVENTS], one.meta) for one in pieces]
        groups = [heard[i : i + _TOGETHER] for i in range(0, len(heard), _TOGETHER)]
        return [float(each.sum()) for group in groups for each in event_nats(engine, group)]

    return nats


def by_shipped_model(melodies: Sequence[Melody]) -> Sequence[float] | None:
    """Nats of each of the melodies to the shipped model; None where that is not here."""
    judge = _shipped_judge()
    return None if judge is None else judge(melodies)


@lru_cache(maxsize=1)
def _shipped_judge() -> Judge | None:
    path = shipped(SHIPPED)
    try:
        return None if path is None else judge_of(Checkpoint.load(path))
    except MelodyGRUError:
        return None


@lru_cache(maxsize=1)
def fingerprint() -> str:
    """A hash of the shipped model's file, for keys of caches of what was read with it; "" where there is none."""
    path = shipped(SHIPPED)
    try:
        return "" if path is None else hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
