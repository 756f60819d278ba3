"""The test as files: a page that holds all that is heard, and the key that the page does not hold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from melodygru.evaluation.listening.excerpts import Excerpt
from melodygru.evaluation.listening.orders import balanced_orders
from melodygru.evaluation.listening.scales import HEARD, HIGHEST, LOWEST, MAKERS, SCALES
from melodygru.evaluation.pages import render
from melodygru.formats.midi.performance import TICKS_PER_QUARTER, Performance, perform
from melodygru.music.melody import Melody
from melodygru.records import dataclass

FORMAT = "melodygru listening test 1"


@dataclass(frozen=True)
class Test:
    """A listening test: `page` is what listeners get (HTML), `key` what they must not see (JSON)."""

    page: str
    key: str
    listeners: int
    """After how many listeners every melody has been everywhere equally often."""


def make(excerpts: Sequence[Excerpt], style: str, seed: int) -> Test:
    """A test of these excerpts, as many of each system in seats 0, 1, …; `style` is what listeners are told of it.

    Excerpts are numbered at random, and the page says nothing of them but what sounds.
    """
    systems = list(dict.fromkeys(excerpt.system for excerpt in excerpts))
    seats = 1 + max(excerpt.seat for excerpt in excerpts)
    shuffled = np.random.default_rng([seed, 1]).permutation(len(excerpts)).tolist()
    names = [f"{number + 1:0{len(str(len(excerpts)))}d}" for number in shuffled]
    name_of = {
        (systems.index(excerpt.system), excerpt.seat): name for name, excerpt in zip(names, excerpts, strict=True)
    }
    heard = {name: sounding(excerpt.melody) for name, excerpt in sorted(zip(names, excerpts, strict=True), key=_first)}
    orders = [[name_of[one] for one in order] for order in balanced_orders(len(systems), seats)]
    told = {
        "style": style,
        "scales": SCALES,
        "range": [LOWEST, HIGHEST],
        "heard": HEARD,
        "makers": MAKERS,
        "items": heard,
        "orders": orders,
    }
    identity = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:12]
    key = {
        "format": FORMAT,
        "test": identity,
        "systems": systems,
        "items": {name: _described(excerpt) for name, excerpt in sorted(zip(names, excerpts, strict=True), key=_first)},
    }
    # Within a script element nothing may look like its end.
    data = json.dumps({"format": FORMAT, "test": identity, **told}, separators=(",", ":")).replace("<", "\\u003c")
    page = render("listening.html", {"data": data, "style": style, "scales": SCALES, "heard": HEARD, "makers": MAKERS,
                                     "steps": range(LOWEST, HIGHEST + 1), "count": len(excerpts)})  # fmt: skip
    return Test(page, json.dumps(key, indent=1, ensure_ascii=False) + "\n", len(orders))


def sounding(melody: Melody) -> dict[str, Any]:
    """What is heard: notes as [pitch, start, end, velocity], in seconds from where the pickup begins."""
    begins = melody.time_signature.bar_steps - melody.pickup if melody.pickup else 0
    tick = 60 / melody.qpm / TICKS_PER_QUARTER
    before = begins * melody.seconds / melody.length
    notes = [
        [note.pitch, round(note.onset * tick - before, 4), round(note.end * tick - before, 4), note.velocity]
        for note in perform(melody, Performance())
    ]
    return {"seconds": round(melody.seconds - before, 4), "notes": notes}


def _first(pair: tuple[str, Excerpt]) -> str:
    return pair[0]


def _described(excerpt: Excerpt) -> dict[str, Any]:
    melody = excerpt.melody
    return {
        "system": excerpt.system,
        "seat": excerpt.seat,
        "name": melody.name,
        "meter": str(melody.time_signature),
        "key": str(melody.key),
        "bpm": melody.qpm,
        "bars": melody.bars,
    }
