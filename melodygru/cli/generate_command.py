"""`melodygru generate`: new melodies as MIDI files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from melodygru.errors import UsageError
from melodygru.files import check_target

SUFFIXES = (".mid", ".midi")
_MANY = 50
"""From so many melodies on a progress bar is worth its import."""


def generate(
    out: Annotated[Path, typer.Argument(metavar="OUT.mid", help="The MIDI file to write.", show_default=False)],
    bars: Annotated[int, typer.Option(help="Length in full bars, exactly: 1 to 1000.")] = 16,
    count: Annotated[
        int, typer.Option(help="How many melodies; more than one are written as OUT-01.mid, OUT-02.mid …")
    ] = 1,
    model: Annotated[
        str, typer.Option(help="A model's name (in ./checkpoints, or shipped: folk) or its .safetensors file.")
    ] = "folk",
    key: Annotated[
        str,
        typer.Option(help='Tonic and mode: "A minor", Bb, "D dorian" (major, minor, dorian, phrygian, lydian …).'),
    ] = "C major",
    meter: Annotated[str, typer.Option("--meter", "--metre", help="Time signature, such as 4/4, 3/4 or 6/8.")] = "4/4",
    bpm: Annotated[float, typer.Option(help="Tempo in quarter notes a minute: 4 to 1000.")] = 120.0,
    temperature: Annotated[
        float | None,
        typer.Option(
            help="How daring: 0 always takes the likeliest event, 1 is as varied as the music learned; 0 to 10.",
            show_default="1",
        ),
    ] = None,
    top_k: Annotated[
        int | None, typer.Option(help="Draw among the K likeliest events only; 0 means off.", show_default="0")
    ] = None,
    top_p: Annotated[
        float | None,
        typer.Option(
            help="Draw among the fewest events that together have this probability; 1 means off.", show_default="0.97"
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Same seed, same files. Without one, a seed is drawn and printed.", show_default=False),
    ] = None,
    program: Annotated[int, typer.Option(help="General MIDI instrument: 0 (piano) to 127.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that exist.")] = False,
) -> None:
    """Write new melodies as MIDI files that loop exactly on their bars and end on the tonic."""
    from melodygru.config import check_range
    from melodygru.generator import MAX_COUNT, draw_seed, load_model
    from melodygru.midi_writer import write_midi
    from melodygru.performance import Performance

    # Everything that can be wrong is found before any work is done or any file touched.
    check_range("count", count, 1, MAX_COUNT)
    check_range("program", program, 0, 127)
    if out.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{out} does not end in .mid; give the MIDI file a name such as {out.stem or 'out'}.mid.")
    targets = [check_target(path, force) for path in numbered(out, count)]
    if seed is None:
        seed = draw_seed()
    loaded = load_model(model)
    with progress_of(count) as progress:
        melodies = loaded.generate_many(
            count,
            bars,
            key=key,
            meter=meter,
            bpm=bpm,
            seed=seed,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            progress=progress,
        )
    for melody, target in zip(melodies, targets, strict=True):
        write_midi(melody, target, force=force, performance=Performance(program=program))
    first = melodies[0]
    names = str(targets[0]) if count == 1 else f"{targets[0]} … {targets[-1].name} ({count} files)"
    plural = "bar" if bars == 1 else "bars"
    typer.echo(
        f"Wrote {names}: {bars} {plural} of {first.time_signature} in {first.key}, {first.qpm:g} bpm, seed {seed}."
    )


@contextmanager
def progress_of(count: int) -> Iterator[Callable[[int], None] | None]:
    """Something to call with the number of melodies done: a bar on the terminal, when they are many."""
    if count < _MANY:
        yield None
        return
    from tqdm import tqdm

    with tqdm(total=count, unit=" melodies", disable=None, leave=False) as bar:
        yield lambda done: bar.update(done - bar.n)


def numbered(out: Path, count: int) -> list[Path]:
    """The files that `count` melodies go to: OUT.mid itself for one, else OUT-01.mid, OUT-02.mid …"""
    if count == 1:
        return [out]
    digits = max(2, len(str(count)))
    return [out.with_name(f"{out.stem}-{number:0{digits}}{out.suffix}") for number in range(1, count + 1)]
