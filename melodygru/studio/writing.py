"""New melodies, told as server-sent events while they are written."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from melodygru.errors import MelodyGRUError, UsageError
from melodygru.formats.midi.performance import Performance
from melodygru.music.form import PARTS
from melodygru.network.tokenizer import END, REST, TIE
from melodygru.option import described
from melodygru.studio import answers, messages
from melodygru.studio.events import event
from melodygru.studio.models import Models
from melodygru.studio.shelf import Shelf
from melodygru.studio.takes import take
from melodygru.studio.words import plain
from melodygru.studio.work import Job
from melodygru.version import __version__
from melodygru.writing.candidates import Order
from melodygru.writing.config import GenerationConfig
from melodygru.writing.earlier_keys import heard
from melodygru.writing.feels import feel
from melodygru.writing.model import Model, draw_seed
from melodygru.writing.planner import Plan
from melodygru.writing.recipe import Recipe, file_names, rendered
from melodygru.writing.section_feels import with_feels
from melodygru.writing.sections import of_a_song
from melodygru.writing.styles import styled, unheard_of, written_out

GATHERED = 0.025
"""Seconds over which notes are gathered before they are sent."""
SHOWN = 64
"""Candidates whose notes are shown as they are drawn, at most."""


def generate(job: Job, models: Models, shelf: Shelf, asked: messages.Generate) -> None:
    """Write new melodies, and tell of it as server-sent events: start, notes, take, done; error once begun.

    Raises UsageError, before anything is told, for what cannot be done.
    """
    model, order, made = _planned(job, models, asked)
    config, seed, primer = order.config, order.seed, order.primer
    candidates = model.candidates_for(config, asked.takes)
    _check_amount(made.meta.bars, candidates)
    details: dict[str, Any] = {} if primer is None else {"include_primer": asked.include_primer}
    if asked.render_chords and config.chords is not None:
        details["render_chords"] = True
    details |= heard(config, primer)
    recipe = Recipe(__version__, model.name, model.fingerprint, seed, config=config, source=primer, details=details)
    listener = _Listener(job, made, min(candidates, SHOWN), primer is not None and not asked.include_primer)
    start = _start(order, model, made, candidates, asked.takes, listener.origin)
    job.tell(event("start", start.model_dump_json()))
    try:
        for index, one in enumerate(model.compose_each(order, asked.takes, made=made, watch=listener)):
            listener.flush()
            job.check()
            if not index:
                names = file_names(model.name, one.melody, seed, asked.takes)
            own = replace(recipe, number=one.number, performance=Performance(seed=seed + one.number))
            done = take(job, model, shelf, index, one, own, names[index], rendered(one, own))
            job.tell(event("take", done.model_dump_json()))
        job.tell(event("done", {}))
    except MelodyGRUError as error:
        job.tell(event("error", {"detail": plain(str(error))}))


def check(job: Job, models: Models, asked: messages.Generate) -> answers.Checked:
    """What would be written, without writing it; what stands in the way of it is told as `problem`."""
    parts = _parts(asked.options.form)
    try:
        made = _planned(job, models, asked)[2]
    except MelodyGRUError as error:
        return answers.Checked(problem=plain(str(error)), parts=parts)
    meta = made.meta
    return answers.Checked(key=str(meta.key), meter=str(meta.time_signature), bpm=made.qpm, bars=meta.bars, parts=parts)


def _parts(form: str | None) -> dict[str, str]:
    """The letters of a form, as it was typed, with what they are called; none where it cannot be read."""
    try:
        usual = GenerationConfig(form=form).parsed_form
    except UsageError:
        return {}
    if usual is None:
        return {}
    names = {letter: name for name, letter in PARTS.items()} if usual.of_a_song else {}
    return {letter: names.get(letter, "") for letter in usual.letters}


def _planned(job: Job, models: Models, asked: messages.Generate) -> tuple[Model, Order, Plan]:
    """The model, the order and how it is to be written. Raises UsageError for what cannot be."""
    primer = None if asked.primer is None else asked.primer.tune()
    config = asked.options.config(primer)
    _check_amount(config.bars or 1, max(config.best_of or 1, asked.takes))
    model = models.get(asked.model)
    config = _completed(config, asked, model)
    if primer is not None and not primer.notes:
        raise UsageError("The primer has no notes; draw some, or leave it out.")
    order = Order(config, draw_seed() if asked.seed is None else asked.seed, primer, asked.include_primer)
    with job.aside():  # a thousand bars may take seconds
        return model, order, model.planned(order)


def _completed(config: GenerationConfig, asked: messages.Generate, model: Model) -> GenerationConfig:
    """The wishes with what a feel sets beneath them, and in the style that holds where none was said."""
    continues = asked.primer is not None
    config = with_feels(config, unheard_of(model.context))
    if asked.feel is not None:
        said = config.as_dict()
        beneath = feel(asked.feel).beneath(said, unheard_of(model.context), continues)
        of_melodies = {name: value for name, value in beneath.items() if name in described(GenerationConfig)}
        config = GenerationConfig.from_dict({**of_melodies, **said})
    elif not continues:
        config = styled(config, model.context, model.default_style)
    return config if continues else of_a_song(written_out(config))


def _check_amount(bars: int, candidates: int) -> None:
    """Raise UsageError for more than a studio is to write at once: known before or, for good, after planning."""
    if candidates * bars > messages.MAX_DRAWN:
        raise UsageError(
            f"{candidates} candidates of {bars} bars are more than the studio writes at once ({messages.MAX_DRAWN:,} "
            "bars); ask for fewer bars, fewer takes, or a smaller best-of."
        )


def _start(order: Order, model: Model, made: Plan, candidates: int, takes: int, origin: int) -> answers.Start:
    metre = made.meta.time_signature
    pickup = 0
    if made.meta.has_pickup and not origin:
        given = order.primer.pickup if order.primer is not None else 0
        pickup = given or order.config.pickup_steps(metre)
    length = made.meta.length - origin
    return answers.Start(
        seed=order.seed,
        model=model.name,
        candidates=candidates,
        takes=takes,
        meter=str(metre),
        key=str(made.meta.key),
        bpm=made.qpm,
        bars=length // metre.bar_steps - bool(pickup),
        pickup=pickup,
        length=length,
        bar_steps=metre.bar_steps,
        beat_steps=metre.beat_steps,
    )


class _Listener:
    """Hears of events as they are drawn, and tells of notes: (candidate, onset, duration, pitch or -1 for a rest).

    Attributes:
        origin: the step of what is drawn that is told as step 0: where music without its primer begins.
    """

    def __init__(self, job: Job, made: Plan, shown: int, cut: bool):
        self.job, self.shown = job, shown
        bar = made.meta.time_signature.bar_steps
        self.begins = made.begins if cut else 0
        self.origin = made.begins // bar * bar if cut else 0
        self.length = made.meta.length
        self.events: list[list[tuple[int, int, int]]] = [[] for _ in range(shown)]
        self.rows: dict[tuple[int, int], tuple[int, int, int, int]] = {}
        self.sent = 0.0

    def __call__(self, drawn: Mapping[int, tuple[int, int, int]]) -> None:
        """One event each, by candidate: (onset, duration, pitch class)."""
        self.job.check()
        for number, (onset, duration, pitch) in drawn.items():
            if number >= self.shown:
                continue
            events = self.events[number]
            shortened = False
            while events and events[-1][0] >= onset:
                shortened |= events.pop()[2] == TIE
            if shortened:
                self._tell(number)
            if duration == END:
                duration = self.length - onset
            if duration:
                events.append((onset, duration, pitch))
                self._tell(number)
        if time.monotonic() - self.sent >= GATHERED:
            self.flush()

    def _tell(self, number: int) -> None:
        """Tell of a candidate's last note or rest, with all that was tied to it."""
        events, total, at = self.events[number], 0, -1
        for onset, duration, pitch in reversed(events):
            total, at = total + duration, onset
            if pitch != TIE:
                break
        if events and at >= self.begins and pitch != TIE:
            # What is told again at the same place, longer by a tie, need not be told twice.
            self.rows.pop((number, at), None)
            self.rows[number, at] = (number, at - self.origin, total, -1 if pitch == REST else pitch)

    def flush(self) -> None:
        """Send what was gathered."""
        if self.rows:
            self.job.tell(event("notes", list(self.rows.values())))
            self.rows = {}
        self.sent = time.monotonic()
