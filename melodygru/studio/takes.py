"""A melody that was made, as the page is told of it."""

from __future__ import annotations

from collections.abc import Sequence

from melodygru.music.chords import ChordSpan, voicing
from melodygru.music.melody import Melody
from melodygru.studio import answers
from melodygru.studio.models import typical_run
from melodygru.studio.shelf import Shelf
from melodygru.studio.work import Job
from melodygru.writing.candidates import Generated
from melodygru.writing.model import Model
from melodygru.writing.recipe import Recipe


def take(
    job: Job, model: Model, shelf: Shelf, index: int, one: Generated, recipe: Recipe, name: str, data: bytes
) -> answers.Take:
    """A melody, with its file (kept on the shelf) and its longest run."""
    url, name = shelf.put(name.removesuffix(".mid"), "mid", data)
    return answers.Take(
        index=index,
        melody=answers.MelodyAnswer.of(one.melody),
        chords=chords_for(one.chords),
        model=model.name,
        made_by=recipe.command,  # type: ignore[arg-type]
        seed=recipe.seed,
        number=one.number,
        options=recipe.config.as_dict(),
        run=run_of(job, model, one.melody),
        file=answers.FileLink(url=url, name=name),
    )


def chords_for(spans: Sequence[ChordSpan]) -> list[answers.ChordSpan]:
    """Chords for the wire."""
    return [
        answers.ChordSpan(
            onset=span.onset,
            end=span.end,
            symbol=span.chord.symbol if span.chord else "N.C.",
            pitches=list(voicing(span.chord)) if span.chord else [],
        )
        for span in spans
    ]


def run_of(job: Job, model: Model, melody: Melody) -> answers.Run | None:
    """The longest run that a melody shares with a model's training music; None if the model does not know that."""
    index = model.checkpoint.index
    if index is None:
        return None
    with job.aside():
        longest = index.longest_run(melody)
    return answers.Run.of_shared(longest, len(melody.notes), typical_run(model.provenance))
