"""`melodygru check`: how much of a melody stands in what a model has learned from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from melodygru.cli import output, parameters
from melodygru.errors import CheckpointError, MelodyGRUError, MidiError
from melodygru.writing.values import DEFAULT_MODEL

if TYPE_CHECKING:
    from melodygru.music.originality import OriginalityIndex, SharedRun


class CopiedError(MelodyGRUError):
    """A file shares a longer run of notes than was allowed."""


def check(
    files: Annotated[list[str], typer.Argument(metavar="FILE …", help="MIDI files or scores.", show_default=False)],
    model: Annotated[str, typer.Option(help="Compare with what this model has learned from.")] = DEFAULT_MODEL,
    most: Annotated[
        int | None,
        typer.Option("--max", help="Fail (exit code 1) if a run is longer than this many notes.", show_default=False),
    ] = None,
    meter: parameters.ReadMeter = "",
    key: parameters.ReadKey = "",
    pickup: parameters.ReadPickup = None,
    json: parameters.Json = False,
) -> None:
    """Tell the longest run of notes that stands in a model's training music: how long, in which piece, and where.

    Runs are compared by intervals and rhythm, whatever the key and tempo.
    """
    from dataclasses import asdict

    from melodygru.cli.progress import tell
    from melodygru.errors import check_range
    from melodygru.formats.reading import read_melodies
    from melodygru.network.judge import by_shipped_model
    from melodygru.writing.model import load_model

    if most is not None:
        check_range("max", most, 1, 1000)
    loaded = load_model(model)
    index, people = training_music(loaded)
    answers, longer = [], []
    for place, file in enumerate(files):
        tell("comparing files", place, len(files))
        melodies = read_melodies(file, "auto", by_shipped_model, meter, key, pickup)
        if not melodies:
            raise MidiError(f"{file} has no melody that could be compared; give a file with notes.")
        for number, melody in enumerate(melodies, 1):
            run = index.longest_run(melody)
            name = file if len(melodies) == 1 else f"{file} (melody {number})"
            answers.append({"file": file, "melody": number, **asdict(run)})
            if not json:
                typer.echo(f"{name}: {in_words(run, len(melody.notes))}")
            if most is not None and run.notes > most:
                longer.append(name)
    if json:
        output.print_json({"model": loaded.name, "files": answers, "held_out_human_tunes": people})
    elif people:
        typer.echo(human(people))
    if longer:
        others = "" if len(longer) == 1 else f" and {len(longer) - 1} more"
        raise CopiedError(
            f"{longer[0]}{others} shares a run of more than {most} notes; write another with --max-copy {most}."
        )


def training_music(loaded: Any) -> tuple[OriginalityIndex, dict[str, Any] | None]:
    """A model's index, and what people's tunes that it never saw share with it. Raises CheckpointError without one."""
    index = loaded.checkpoint.index
    if index is None:
        raise CheckpointError(
            f"The model {loaded.name} does not say what it has learned from; train it again without --no-index."
        )
    people = loaded.provenance.get("shared_runs")
    return index, people if isinstance(people, dict) and people.get("pieces") else None


def in_words(run: SharedRun, notes: int) -> str:
    """The longest run, as a sentence."""
    if not run.notes:
        return "no run of it stands in the training music."
    return (
        f"{run.notes} of its {output.counted(notes, 'note')} in a row ({run.bars:.1f} bars, from bar {run.bar}) "
        f"stand in {run.piece!r}, from bar {run.piece_bar}."
    )


def human(people: dict[str, Any]) -> str:
    """What people's own tunes share, as a sentence."""
    return (
        f"For comparison, the longest runs of {people['pieces']} people's tunes that the model has not seen: "
        f"{people['median']:g} notes at the median, {people['p95']:g} at the 95th percentile, "
        f"{people['longest']} at most."
    )
