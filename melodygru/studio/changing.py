"""Melodies changed, as `melodygru infill` and `melodygru vary` change files."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal

from melodygru.errors import MelodyGRUError, MidiError, UsageError
from melodygru.formats.midi.writer import midi_bytes
from melodygru.music.melody import Melody
from melodygru.studio import answers, messages
from melodygru.studio.events import event
from melodygru.studio.models import Models, interruptible
from melodygru.studio.shelf import Shelf
from melodygru.studio.takes import take
from melodygru.studio.words import plain
from melodygru.studio.work import Job
from melodygru.version import __version__
from melodygru.writing.candidates import Generated
from melodygru.writing.drawing import LOCKS
from melodygru.writing.editing import Tune
from melodygru.writing.layout import chords_under
from melodygru.writing.model import draw_seed
from melodygru.writing.recipe import Recipe
from melodygru.writing.replay import Told, changed, packed_input

_TOLD_EVERY = 0.1
"""Seconds between two times that progress is told."""
_DONE = {"infill": "filled", "vary": "varied"}


def change(
    job: Job,
    models: Models,
    shelf: Shelf,
    command: Literal["infill", "vary"],
    asked: messages.Infill | messages.Vary,
    progress: Told | None = None,
) -> answers.Take:
    """Change a melody, as `melodygru infill` and `melodygru vary` do with its file; `progress` is told how far."""
    ours = asked.melody.tune()
    config = asked.options.config(ours, command)
    model = models.get(asked.model)
    if not ours.notes:
        raise UsageError("The melody has no notes; draw some, or have a new one written.")
    seed = draw_seed() if asked.seed is None else asked.seed
    tune = _tune(ours)
    details: dict[str, Any] = {}
    if isinstance(asked, messages.Vary):
        details = {"amount": asked.amount} | ({} if asked.keep is None else {"keep": asked.keep})
    for name in ("bars", *(one.name for one in LOCKS)):
        if (said := getattr(asked, name)) is not None:
            details[name] = said
    recipe = Recipe(
        __version__, model.name, model.fingerprint, seed, config=config, command=command,
        details={**details, **packed_input(tune)},
    )  # fmt: skip
    done, recipe, data = changed(recipe, interruptible(model, job.check), tune, progress=progress)
    whole = replace(done.melody, qpm=ours.qpm, name=ours.name, bars=ours.bars)
    spans = chords_under(config.spans(whole.time_signature), whole)
    one = Generated(whole, spans, None, done.number)
    return take(job, model, shelf, 0, one, recipe, f"{ours.name or 'melody'} {_DONE[command]}.mid", data)


def tell(
    job: Job, models: Models, shelf: Shelf, command: Literal["infill", "vary"], asked: messages.Infill | messages.Vary
) -> None:
    """`change`, told as server-sent events: progress, take, done; error once begun.

    Raises UsageError, before anything is told, for what cannot be done.
    """
    begun, last = False, 0.0

    def progress(done: float, total: int) -> None:
        nonlocal begun, last
        now = time.monotonic()
        if now - last >= _TOLD_EVERY:
            begun, last = True, now
            job.tell(event("progress", {"done": min(1.0, done / total)}))

    try:
        take = change(job, models, shelf, command, asked, progress)
        job.tell(event("take", take.model_dump_json()))
        job.tell(event("done", {}))
    except MelodyGRUError as error:
        if not begun:
            raise
        job.tell(event("error", {"detail": plain(str(error))}))


def _tune(melody: Melody) -> Tune:
    """A melody as the file that is to be changed: a plain one, if that is read again as it is.

    Not so where silent bars, or half a silent one, come before its first note or after its last.
    """
    with suppress(MidiError):
        plain = Tune.parse(midi_bytes(melody), melody.name)
        if replace(plain.melody, qpm=melody.qpm) == melody:
            return plain
    return Tune.of(melody)
