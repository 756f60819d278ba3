"""`melodygru explain`: a page that shows what happens inside a model while it hears a melody."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from melodygru.cli import parameters
from melodygru.cli.progress import tell
from melodygru.errors import MidiError, UsageError
from melodygru.writing.values import DEFAULT_MODEL

if TYPE_CHECKING:
    from melodygru.writing.model import Model


def explain(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A MIDI file or a score.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Argument(
            metavar="[OUT]",
            help="A page (.html), with a picture (.png) beside it; or the picture alone.",
            show_default="FILE.html",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Which model hears it.", show_default=f"the one that wrote the file, else {DEFAULT_MODEL}"),
    ] = None,
    meter: parameters.ReadMeter = "",
    key: parameters.ReadKey = "",
    pickup: parameters.ReadPickup = None,
    force: parameters.Force = False,
    json: parameters.Json = False,
) -> None:
    """Show what happens inside a model while it hears a melody.

    What surprised it, what else it had in mind, what its gates let through, and for how many notes it remembers:
    a page for a browser that needs no network, and a picture.
    """
    from melodygru.cli import output
    from melodygru.evaluation.explanation import page, picture, summarise
    from melodygru.formats.reading import read_melodies
    from melodygru.network.judge import by_shipped_model
    from melodygru.network.trace import trace
    from melodygru.system.files import check_target, write_atomically

    target = out or Path(Path(file).stem + ".html")
    if target.suffix.lower() not in (".html", ".png"):
        raise UsageError(f"{target} ends in neither .html nor .png; give OUT one of these endings.")
    targets = [target] if target.suffix.lower() == ".png" else [target, target.with_suffix(".png")]
    for one in targets:
        check_target(one, force)
    tell("reading the file")
    melodies = read_melodies(file, "auto", by_shipped_model, meter, key, pickup)
    melody = max(melodies, key=lambda melody: len(melody.notes), default=None)
    if melody is None or not melody.notes:
        raise MidiError(f"{file} has no melody that could be explained; give a file with notes.")
    loaded = _model(file, model)
    tell("hearing the melody")
    heard = trace(loaded.engine, melody)
    name = Path(file).name
    for number, one in enumerate(targets):
        tell("drawing pictures", number, len(targets))
        content = (
            picture(heard, loaded.name, name)
            if one.suffix.lower() == ".png"
            else page(heard, loaded.name, name).encode()
        )
        write_atomically(one, content, force=force)
    summary = summarise(heard)
    spans = [float(span.mean()) for span in summary.spans]
    if json:
        output.print_json(
            {
                "model": loaded.name,
                "files": [str(one) for one in targets],
                "nats_per_note": summary.nats_per_note,
                "first_choice": summary.first_choice,
                "among_five": summary.among,
                "memory_span_in_notes": spans,
                "nats": heard.nats.sum(axis=0).tolist(),
            }
        )
        return
    typer.echo(
        f"{name}: {summary.nats_per_note:.2f} nats per note to the model {loaded.name}; {summary.first_choice:.0%} "
        f"of the notes were what it thought likeliest, {summary.among:.0%} among its five likeliest."
    )
    typer.echo(f"Wrote {' and '.join(str(one) for one in targets)}.")


def _model(file: str, given: str | None) -> Model:
    """The model that is asked for; else the one that wrote the file, if it is here; else the one that comes along."""
    from melodygru.writing.model import load_model
    from melodygru.writing.replay import model_of

    return load_model(given) if given is not None else model_of(file)
