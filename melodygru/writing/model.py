"""A trained model, ready to write melodies: what notebooks and the command line both use."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from melodygru.errors import SamplingError, UsageError
from melodygru.music.melody import Melody
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.config import ContextConfig
from melodygru.network.critic import CANDIDATES
from melodygru.network.engine import NumpyEngine
from melodygru.network.fingerprint import fingerprint_of
from melodygru.network.model_files import resolve
from melodygru.network.tokenizer import REST, Tokenizer
from melodygru.system.processes import by_processes
from melodygru.writing.borrowing import one_source, plan_borrowing
from melodygru.writing.candidates import Candidate, Generated, Order, excess, rate
from melodygru.writing.config import GenerationConfig
from melodygru.writing.constraints.past import Banned
from melodygru.writing.copy_guard import CopyGuard
from melodygru.writing.drawers import WindowDrawer
from melodygru.writing.drawing import COUNT, FORM_CANDIDATES, SEED
from melodygru.writing.finishing import hold_last, without_beginning
from melodygru.writing.own_style import OwnStyle
from melodygru.writing.planner import Plan, plan
from melodygru.writing.sampler import Drawn, Watcher, sample
from melodygru.writing.sections import of_a_song
from melodygru.writing.selection import BestOfAll, Selection
from melodygru.writing.styles import characters_of, default_style, styled, understood
from melodygru.writing.values import DEFAULT_MAX_COPY, DEFAULT_MODEL

WINDOW = 256
"""Melodies made at once: bounds the memory that many take. A multiple of those that the critic chooses from."""
_TRIES = 4
"""How many times as many melodies as were asked for are made at most, so that all are different."""


def load_model(name: str | os.PathLike[str] = DEFAULT_MODEL) -> Model:
    """The model of that name (in ./checkpoints, or shipped: "repertoire", "folk"), at that path, or "hf:owner/name".

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
        self._guards: dict[int, CopyGuard] = {}

    @cached_property
    def engine(self) -> NumpyEngine:
        """The model, one step at a time, in NumPy."""
        return self.checkpoint.engine()

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits, from a hash of all that decides what the model writes."""
        return fingerprint_of(self.checkpoint)

    @property
    def context(self) -> ContextConfig:
        """What the network is told."""
        return self.checkpoint.model_config.context

    @property
    def default_style(self) -> str | None:
        """The style of what it writes anew where none is said, see `melodygru.writing.styles.default_style`."""
        return default_style(self.name, self.context)

    @property
    def provenance(self) -> Mapping[str, Any]:
        """How the model came to be: data, number of pieces and notes, validation, versions, date, seed."""
        return self.checkpoint.provenance

    @cached_property
    def own_style(self) -> OwnStyle | None:
        """The style of the folder that it was trained on, where it says so: what it writes if no style is asked for."""
        return OwnStyle.of(self.provenance)

    def in_own_style(self, config: GenerationConfig) -> GenerationConfig:
        """The wishes for a new melody, with what belongs to the model's own style where nothing else was said."""
        return config if self.own_style is None else self.own_style.filled(config)

    @property
    def human_nats_per_note(self) -> float | None:
        """Nats per note of the tunes that were held out in training; None if none were."""
        value = self.provenance.get("validation_nats_per_note")
        return value if isinstance(value, float) and value > 0 else None

    def generate(self, bars: int | None = None, **options: Any) -> Melody:
        """Write one melody; the options are those of `generate_many`."""
        return self.generate_many(1, bars, **options)[0]

    def generate_many(
        self,
        count: int,
        bars: int | None = None,
        *,
        seed: int | None = None,
        primer: Melody | None = None,
        include_primer: bool = True,
        rhythm: Melody | None = None,
        pitches: Melody | None = None,
        progress: Callable[[float], None] | None = None,
        **options: Any,
    ) -> list[Melody]:
        """Write `count` melodies, each of exactly the bars asked for, all different.

        Args:
            count: how many, 1 to 100,000.
            bars: length in full bars, 1 to 1000; default 16, or what the form makes.
            seed: at least 0; the same seed and options give the same melodies. None draws one.
            primer: what to continue, in its key, metre and tempo.
            include_primer: whether the melodies begin with the primer, and the bars asked for count its bars.
            rhythm, pitches: a melody whose rhythm they have, or whose pitches in their order; see
                `melodygru.writing.borrowing`.
            progress: called with how many candidates are finished; of those under way, parts count.
            options: fields of `GenerationConfig`: key="A minor", meter="6/8", chords="Am F C G", style="waltz", …
                Without a style, and without a primer, it is `default_style`.

        Raises:
            UsageError: a value out of range, named; or wishes that contradict each other.
            SamplingError: nothing was found that keeps to all of them.
        """
        config = GenerationConfig.from_dict({"bars": bars, **options})
        if primer is None:  # whatever else is taken from a melody, a new one has a style
            config = of_a_song(styled(self.in_own_style(config), self.context, self.default_style))
        seed = draw_seed() if seed is None else seed
        source, takes = one_source(primer, rhythm, pitches)
        order = Order(config, seed, source, include_primer, takes=takes)
        return [generated.melody for generated in self.compose_each(order, count, progress)]

    def compose(
        self,
        config: GenerationConfig,
        seed: int,
        count: int = 1,
        primer: Melody | None = None,
        include_primer: bool = True,
        progress: Callable[[float], None] | None = None,
        as_drawn: bool = False,
    ) -> list[Generated]:
        """`generate_many`, with all that belongs to the melodies. Of several candidates the best come first.

        `as_drawn` leaves the last note as long as it was drawn, where else it is held to the last bar line.
        """
        order = Order(config, seed, primer, include_primer, as_drawn)
        return list(self.compose_each(order, count, progress))

    def compose_each(
        self,
        order: Order,
        count: int = 1,
        progress: Callable[[float], None] | None = None,
        jobs: int = 1,
        made: Plan | None = None,
        watch: Watcher | None = None,
    ) -> Iterator[Generated]:
        """`compose`, one melody after the other as they come; for very many, by `jobs` processes.

        What is asked to be the best of many (`best_of`, a form) comes when all are done. `made` is what `planned` says
        of the order, where that was asked before; `watch` is told of what this process draws, see `sample`.
        """
        COUNT.check(count)
        SEED.check(order.seed)
        made = self.planned(order) if made is None else made
        candidates = self.candidates_for(order.config, count)
        selection = self.selection(order.config, count)
        for drawn in self._drawn(order, made, candidates, selection.rated, progress, jobs, watch):
            yield from selection.choose(drawn)
        first = candidates
        while selection.found < count and first < candidates * _TRIES:
            many = min(WINDOW, count - selection.found)
            selection.keep(self.draw_window(order, made, first, many, selection.rated, progress, watch))
            first += many
        if selection.found < count:
            were = "melody was" if selection.found == 1 else "melodies were"
            raise SamplingError(
                f"Only {selection.found} different {were} found, and count is {count}; lower --count, raise "
                "--temperature, or ask for more bars."
            )
        yield from selection.fill(count)

    def selection(self, config: GenerationConfig, count: int) -> Selection:
        """How `count` melodies are chosen among the candidates."""
        if self._chooses(config):
            return Selection(CANDIDATES)
        return Selection() if self.candidates_for(config, count) == count else BestOfAll()

    def _drawn(
        self,
        order: Order,
        made: Plan,
        candidates: int,
        rated: bool,
        progress: Callable[[float], None] | None,
        jobs: int,
        watch: Watcher | None,
    ) -> Iterator[list[Candidate]]:
        """That many candidates from number 0 on, a window at a time."""
        windows = [(first, min(WINDOW, candidates - first)) for first in range(0, candidates, WINDOW)]
        if jobs > 1 and len(windows) > 1:
            drawn_elsewhere = by_processes(WindowDrawer(self, order, rated), windows, jobs)
            for (first, many), drawn in zip(windows, drawn_elsewhere, strict=True):
                yield drawn
                if progress is not None:
                    progress(first + many)
            return
        for first, many in windows:
            yield self.draw_window(order, made, first, many, rated, progress, watch)

    def draw_window(
        self,
        order: Order,
        made: Plan,
        first: int,
        many: int,
        rated: bool,
        progress: Callable[[float], None] | None = None,
        watch: Watcher | None = None,
    ) -> list[Candidate]:
        """The candidates numbered [first, first + many), drawn side by side; `rated`: with their ratings."""
        report = None if progress is None else (lambda done: progress(first + done))
        how, ahead = order.config.sampling, made.ahead
        drawn = sample(self.engine, made.meta, many, how, ahead, order.seed, first, made.script, report, watch)
        return self.candidates(order, made, first, drawn, rated)

    def candidates(self, order: Order, made: Plan, first: int, drawn: Sequence[Drawn], rated: bool) -> list[Candidate]:
        """What was drawn, as candidates numbered from `first` on; `rated`: with their ratings."""
        critic = self.checkpoint.critic if self._chooses(order.config) else None
        cut = self._cuts(order)
        found = []
        for number, one in enumerate(drawn, first):
            melody = self._decode(one, made)
            liking = 0.0 if critic is None else critic.log_odds(melody)
            found.append(Candidate(self._finish(one, melody, made, number, rated, cut), liking))
        return found

    def planned(self, order: Order) -> Plan:
        """What the sampler works with to write an order. Raises UsageError for wishes that cannot be kept together."""
        made = self._plan(order)
        return replace(made, fills_out=False) if order.as_drawn else made

    def _chooses(self, config: GenerationConfig) -> bool:
        """Whether the critic does: of what was not asked to be the best of many, where the model has one."""
        return self.checkpoint.critic is not None and config.best_of is None and config.form is None

    def candidates_for(self, config: GenerationConfig, count: int) -> int:
        """How many melodies are drawn so that the best `count` can be chosen."""
        if config.best_of is not None:
            return max(config.best_of, count)
        if config.form is not None:
            return count * FORM_CANDIDATES  # some join their sections better than others
        return count * (1 if self.checkpoint.critic is None else CANDIDATES)

    def compose_again(self, order: Order, number: int, progress: Callable[[float], None] | None = None) -> Generated:
        """The candidate of this `number` alone, as `compose` makes it among others."""
        made, how = self._plan(order), order.config.sampling
        [drawn] = sample(self.engine, made.meta, 1, how, made.ahead, order.seed, number, made.script, progress)
        return self._finish(drawn, self._decode(drawn, made), made, number, False, self._cuts(order))

    @staticmethod
    def _cuts(order: Order) -> bool:
        return order.continued is not None and not order.include_primer

    def _plan(self, order: Order) -> Plan:
        longest = self.checkpoint.tokenizer_config.max_duration
        config = understood(order.config, self.context, self.name)
        if order.takes and order.primer is not None:
            made = plan_borrowing(config, order.primer, order.takes, longest, self.banned(config), order.loops)
        else:
            made = plan(config, longest, self.banned(config), order.primer, order.include_primer, order.loops)
        if order.continued is not None:
            return made
        told = replace(made.meta.conditions, drawn=characters_of(config, self.checkpoint.characters))
        return replace(made, meta=replace(made.meta, conditions=told))

    def _decode(self, drawn: Drawn, made: Plan) -> Melody:
        title = f"{self.name} {made.meta.key}".strip()
        return Tokenizer(self.checkpoint.tokenizer_config).decode(drawn.events, made.qpm, title)

    def _finish(self, drawn: Drawn, melody: Melody, made: Plan, number: int, rated: bool, cut: bool) -> Generated:
        """A melody as it is given: its last note held, and `cut` from the primer where that is left out."""
        if made.fills_out and melody.notes[-1].onset >= made.begins:
            melody = hold_last(melody, drawn.events.pitches[-2] == REST)
        own = None
        if rated:
            nats = float(drawn.nats.sum()) / len(melody.notes)
            joins = excess(drawn.nats.tolist(), drawn.onsets.tolist(), made.judged)
            own = rate(melody, nats, self.human_nats_per_note, joins)
        generated = Generated(melody, made.chords, own, number)
        return without_beginning(generated, made.begins) if cut else generated

    def banned(self, config: GenerationConfig) -> Banned | None:
        """What `--max-copy` forbids; None if nothing."""
        limit = DEFAULT_MAX_COPY if config.max_copy is None else config.max_copy
        if not limit:
            return None
        index = self.checkpoint.index
        if index is None:
            if config.max_copy is None:
                return None
            raise UsageError(
                f"--max-copy {limit} cannot be kept: the model {self.name or 'given'} does not say what it has learned "
                "from; leave --max-copy out, or train it again without --no-index."
            )
        if limit not in self._guards:
            self._guards[limit] = CopyGuard(index, limit)
        return self._guards[limit]


def draw_seed() -> int:
    """A seed that nobody chose, short enough to type again."""
    return secrets.randbelow(10**9)
