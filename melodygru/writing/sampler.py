"""Draws melodies from an engine: logits -> mask -> temperature -> top-k -> top-p -> draw -> advance.

Knows the engine only by its protocol, and constraints only by what `melodygru.writing.lookahead` offers. A melody that
meets a dead end all the same (what its past forbids cannot be foreseen) goes back some bars and tries again. Works on
many melodies at once; melody i has random numbers of its own, from (seed, i), so it is the same alone and in a batch of
any size. (On one machine, that is: another processor rounds the logits' last digits another way.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from melodygru.errors import SamplingError
from melodygru.network.arrays import BoolArray, FloatArray, IntArray
from melodygru.network.engine import Engine
from melodygru.network.guidance import GuidedEngine
from melodygru.network.tokenizer import END, REST, TIE, Events, PieceMeta
from melodygru.records import dataclass
from melodygru.writing.choosing import Chooser
from melodygru.writing.constraints.base import Progress
from melodygru.writing.drawing import SamplingConfig
from melodygru.writing.layout import Script
from melodygru.writing.lookahead import Lookahead
from melodygru.writing.lots import Due, Lot

Watcher = Callable[[Mapping[int, tuple[int, int, int]]], None]
"""Told of events as they are drawn, one step of all at a time: by a melody's number (onset, duration, pitch class)."""

_ATTEMPTS = 48
_LEAVE = 0.05
"""When more than this share of the melodies are done, the others go on without them, which costs less than a step."""


@dataclass(frozen=True)
class Drawn:
    """One melody that was drawn.

    Attributes:
        events: its T events.
        nats: (T,) negative log-likelihood of each under the model itself, before any constraint or temperature.
        onsets: (T,) where each begins, in steps.
    """

    events: Events
    nats: FloatArray
    onsets: IntArray


def sample(
    engine: Engine,
    meta: PieceMeta,
    count: int,
    config: SamplingConfig,
    ahead: Lookahead,
    seed: int,
    first: int = 0,
    script: Script | None = None,
    progress: Callable[[float], None] | None = None,
    watch: Watcher | None = None,
) -> list[Drawn]:
    """Draw `count` melodies.

    Args:
        engine: gives the logits.
        meta: metre, key and bars of the melodies.
        config: how to draw.
        ahead: what may be drawn.
        seed: any integer of at least 0; the same seed gives the same melodies.
        first: the number of the first melody: melody i draws from (seed, first + i), whatever stands beside it.
        script: what is given or repeated.
        progress: called at every step with how many melodies are finished, never fewer than before; of those under
            way, parts count.
        watch: told of every event as it is drawn, END too. Where a melody goes back from a dead end it is told of
            others from there on. What it raises ends the work.

    Raises:
        SamplingError: some melody met dead ends again and again.
    """
    lot = Lot(meta, ahead, script or Script(), seed, first, count)
    drawn = sample_lots(engine, [lot], config, progress, watch)[0]
    if drawn is None:
        raise SamplingError(
            "No melody was found that keeps to everything asked for; allow more: a higher --max-copy or --max-leap, a "
            "wider --range, or other values of the options that you set."
        )
    return drawn


def sample_lots(
    engine: Engine,
    lots: Sequence[Lot],
    config: SamplingConfig,
    progress: Callable[[float], None] | None = None,
    watch: Watcher | None = None,
) -> list[list[Drawn] | None]:
    """Draw the melodies of several lots side by side: each as `sample` draws it.

    Returns:
        Each lot's melodies; None where some melody met dead ends again and again. `progress` and `watch` as in
        `sample`; to be watched, there must be one lot.
    """
    assert watch is None or len(lots) == 1, "melodies are told by their numbers"
    if config.strength != 1:
        engine = GuidedEngine(engine, config.strength)
    batch = _Batch(engine, lots, config, watch)
    finished: dict[tuple[int, int], Drawn] = {}
    # Each melody's lot and number, and the events before a dead end that are kept for another attempt.
    waiting: dict[tuple[int, int], dict[int, tuple[int, int]]] = {
        (place, lot.first + i): {} for place, lot in enumerate(lots) for i in range(lot.count)
    }
    furthest = 0.0

    def report(done: float) -> None:
        nonlocal furthest
        furthest = max(furthest, len(finished) + done)
        if progress is not None:
            progress(furthest)

    for attempt in range(_ATTEMPTS):
        results = batch.run(list(waiting), list(waiting.values()), attempt, report)
        again: dict[tuple[int, int], dict[int, tuple[int, int]]] = {}
        for which, (drawn, own, dead) in zip(waiting, results, strict=True):
            if drawn is not None:
                finished[which] = drawn
            else:
                # Dead ends have their cause a few notes back; if it happens again, farther.
                keep = dead - lots[which[0]].meta.time_signature.bar_steps * 2 ** (attempt // 2)
                again[which] = {onset: event for onset, event in own.items() if onset < keep}
        waiting = again
        if not waiting:
            break
    lost = {place for place, _ in waiting}
    return [
        None if place in lost else [finished[place, lot.first + i] for i in range(lot.count)]
        for place, lot in enumerate(lots)
    ]


class _Batch:
    """Draws melodies side by side, an event each at a time."""

    def __init__(self, engine: Engine, lots: Sequence[Lot], config: SamplingConfig, watch: Watcher | None):
        self.engine, self.lots, self.watch = engine, lots, watch
        self.chooser = Chooser(config)

    def run(
        self,
        which: list[tuple[int, int]],
        kept: list[dict[int, tuple[int, int]]],
        attempt: int,
        report: Callable[[float], None],
    ) -> list[tuple[Drawn | None, dict[int, tuple[int, int]], int]]:
        """One attempt for each melody (lot, number), those of a lot side by side.

        The melody, or None, its events by onset, and where it met a dead end.
        """
        if len(which) == 1:
            # A matrix product with one row takes another route through the linear algebra and rounds differently, which
            # about once in thousands of melodies turns a draw. With a twin beside it, one is rounded as many are.
            return self.run(which * 2, kept * 2, attempt, lambda done: report(done / 2))[:1]
        size = len(which)
        lots = [self.lots[place] for place, _ in which]
        of = np.array([place for place, _ in which])
        lengths_of = np.array([lot.meta.length for lot in lots])
        random = [
            np.random.Generator(np.random.PCG64([lot.seed, number, attempt] if attempt else [lot.seed, number]))
            for lot, (_, number) in zip(lots, which, strict=True)
        ]
        state = self.engine.start([lot.told(number) for lot, (_, number) in zip(lots, which, strict=True)])
        where = Progress.start(size)
        own: list[dict[int, tuple[int, int]]] = [{} for _ in which]
        rows = np.arange(size)
        dead = np.full(size, -1, np.int64)
        drawn: list[list[tuple[int, int, float, int]]] = [[] for _ in which]
        done = np.zeros(size, np.bool_)
        while True:
            here = rows.tolist()
            durations, pitches, nats, stuck = self._draw(
                state,
                Due(self.lots, of[rows], where),
                where.onset.tolist(),
                [lots[row].script for row in here],
                [own[row] for row in here],
                [kept[row] for row in here],
                [random[row] for row in here],
                done,
            )
            dead[rows[stuck & ~done]] = where.onset[stuck & ~done]
            stuck = done | stuck
            durations = np.where(stuck, END, durations)
            pitches = np.where(durations == END, REST, pitches)
            events = zip(durations.tolist(), pitches.tolist(), nats.tolist(), where.onset.tolist(), strict=True)
            for row, event, over in zip(here, events, done.tolist(), strict=True):
                if not over:
                    drawn[row].append(event)
            if self.watch is not None:
                self.watch(
                    {
                        which[row][1]: (onset, duration, pitch)
                        for row, over in zip(here, done.tolist(), strict=True)
                        for duration, pitch, _, onset in drawn[row][-1:]
                        # What was kept from before a dead end was told of then.
                        if not over and dead[row] < 0 and onset not in kept[row]
                    }
                )
            done = stuck | (durations == END)
            under_way = (where.onset / lengths_of[rows])[~done].sum()
            report(float(size - len(done) + done.sum() - (dead >= 0).sum() + under_way))
            if done.all():
                break
            self.engine.advance(state, durations, pitches)
            where = self._advance(where, state.onset, durations, pitches, [own[row] for row in here], done)
            if done.mean() > _LEAVE and (still := len(done) - int(done.sum())) > 1:
                # Those that are done are left behind; but never all except one, see above.
                left = np.flatnonzero(~done)
                self.engine.keep(state, left)
                where, rows, done = where.kept(left), rows[left], np.zeros(still, np.bool_)
        results = []
        for row, events_of in enumerate(drawn):
            lengths, classes, costs, onsets = (np.array(column) for column in zip(*events_of, strict=True))
            melody = Drawn(Events(lengths, classes, lots[row].meta), costs, onsets) if dead[row] < 0 else None
            results.append((melody, own[row], int(dead[row])))
        return results

    def _draw(
        self,
        state: Any,
        due: Due,
        onsets: list[int],
        scripts: list[Script],
        own: list[dict[int, tuple[int, int]]],
        kept: list[dict[int, tuple[int, int]]],
        random: list[np.random.Generator],
        done: BoolArray,
    ) -> tuple[IntArray, IntArray, FloatArray, BoolArray]:
        """Durations, pitches and nats of the events due, all (B,), and which melodies are at a dead end."""
        size = len(random)
        fixed = np.zeros(size, np.bool_)
        forced = np.zeros((2, size), np.int64)
        stuck = np.logical_not(due.any)
        for row, onset in enumerate(onsets):
            if done[row]:
                continue
            event = kept[row].get(onset) or scripts[row].event(onset, own[row])
            if event is not None:
                fixed[row], forced[:, row] = True, event
                repeated = onset not in scripts[row].given and onset not in kept[row]
                stuck[row] = repeated and event[1] < REST and not due.following[row, event[1]]
        # What stands where nothing can is never looked at: these rows are done, given, or given up.
        due.durations[~due.any, END] = True
        uniform = np.array([generator.random(2) for generator in random])
        logits = self.engine.duration_logits(state)
        drawn = self.chooser.draw(logits, due.wanted_durations(logits), due.durations, uniform[:, 0])
        durations = np.where(fixed, forced[0], drawn)
        nats = self.chooser.nats(logits, durations)
        logits = self.engine.pitch_logits(state, durations)
        legal = due.pitches(durations)
        legal[~legal.any(axis=1), REST] = True
        drawn = self.chooser.draw(logits, due.wanted_pitches(logits), legal, uniform[:, 1])
        pitches = np.where(fixed, forced[1], drawn)
        nats = nats + np.where(durations == END, 0.0, self.chooser.nats(logits, pitches))
        return durations, pitches, nats, stuck

    @staticmethod
    def _advance(
        where: Progress,
        onset: IntArray,
        durations: IntArray,
        pitches: IntArray,
        own: list[dict[int, tuple[int, int]]],
        done: BoolArray,
    ) -> Progress:
        """Where the melodies stand after these events."""
        struck, rest = (pitches < REST) & ~done, (pitches == REST) & ~done
        for row in np.flatnonzero(~done).tolist():
            at, pitch = int(where.onset[row]), int(pitches[row])
            own[row][at] = (int(durations[row]), pitch)
            if struck[row]:
                where.pitches[row].append(pitch)
                where.onsets[row].append(at)
            elif rest[row]:
                where.rests[row].append(at)
        again = struck & (pitches == where.reference)
        return Progress(
            onset,
            np.where(struck, pitches, where.reference),
            struck | (pitches == TIE),
            rest,
            np.where(again, where.repeats + 1, np.where(struck, 1, where.repeats)),
            where.rests,
            where.pitches,
            where.onsets,
        )
