"""`melodygru listen-test`: a page on which people rate melodies blind, and what their answers say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from melodygru.cli import output, parameters
from melodygru.cli.progress import tell

if TYPE_CHECKING:
    from rich.table import Table

    from melodygru.evaluation.listening.result import Result

_PAGE, _KEY = "page.html", "key.json"


def listen_test(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[ANSWERS.json]...", help="With --score: the files that listeners saved.", show_default=False
        ),
    ] = None,
    human: Annotated[
        Path | None, typer.Option(help="A folder of people's melodies: MIDI files or scores.", show_default=False)
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(help="A model's name or file; several, each with its own --model.", show_default=False),
    ] = None,
    out: Annotated[
        Path, typer.Option(help=f"A folder: {_PAGE} for listeners, {_KEY} with what is which, for you alone.")
    ] = Path("listening-test"),
    count: Annotated[int, typer.Option(help="Melodies of each system, 2 to 40.")] = 8,
    bars: Annotated[int, typer.Option(help="Full bars of each, 2 to 64.")] = 16,
    style: Annotated[
        str, typer.Option(help="What listeners are told of the style.")
    ] = "tunes such as stand in tune books",
    seed: Annotated[int, typer.Option(help="Same seed, same test.")] = 0,
    score: Annotated[bool, typer.Option("--score", help="Tell what the answers say.")] = False,
    answer_key: Annotated[
        Path | None, typer.Option(help="With --score: the key.", show_default=f"{_KEY} in --out")
    ] = None,
    margin: Annotated[
        float, typer.Option(help="With --score: points, of 7, within which systems count as equivalent.")
    ] = 0.5,
    force: parameters.Force = False,
    json: parameters.Json = False,
) -> None:
    """Let people rate melodies blind: make a page for them, or tell what their answers say.

    melodygru listen-test --human tunes/ --model repertoire --out test/

    melodygru listen-test --score answers/*.json --answer-key test/key.json
    """
    from melodygru.errors import UsageError

    if not score:
        if files:
            raise UsageError(f"{files[0]} is given without --score; to tell what answers say, add --score.")
        _make(human, model or [], out, count, bars, style, seed, force, json)
        return
    if human is not None or model:
        raise UsageError("--score tells what answers say, --human and --model make a test; give the one or the other.")
    if not files:
        raise UsageError("--score needs the files that listeners saved: melodygru listen-test --score answers/*.json")
    from melodygru.evaluation.listening.answers import read_answers
    from melodygru.evaluation.listening.result import score as result_of

    found = result_of(read_answers(files, answer_key or out / _KEY), margin)
    if json:
        output.print_json(found.as_dict())
    else:
        _show(found)


def _make(
    human: Path | None, names: Sequence[str], out: Path, count: int, bars: int, style: str, seed: int, force: bool,
    json: bool,
) -> None:  # fmt: skip
    from melodygru.errors import FileError, UsageError
    from melodygru.evaluation.listening.excerpts import HUMAN, choose
    from melodygru.evaluation.listening.page import make
    from melodygru.system.files import check_target, write_all
    from melodygru.system.processes import usable_cores
    from melodygru.writing.drawing import SEED
    from melodygru.writing.model import load_model

    if human is None or not names:
        raise UsageError("Give a folder of people's melodies, and models: --human tunes/ --model repertoire")
    SEED.check(seed)
    models = {(loaded := load_model(name)).name: loaded for name in names}
    if len(models) < len(names) or HUMAN in models:
        raise UsageError(
            f"--model is given as {', '.join(names)}; give models whose names differ, none of them {HUMAN!r}."
        )
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{out} cannot be made ({error.strerror}); choose another --out.") from error
    for name in (_PAGE, _KEY):
        check_target(out / name, force)
    excerpts = choose(str(human), models, count, bars, seed, tell, usable_cores())
    test = make(excerpts, style, seed)
    write_all({out / _PAGE: test.page.encode(), out / _KEY: test.key.encode()}, force=force)
    if json:
        output.print_json(
            {"page": str(out / _PAGE), "key": str(out / _KEY), "melodies": len(excerpts), "listeners": test.listeners}
        )
        return
    minutes = sum(excerpt.melody.seconds for excerpt in excerpts) / 60
    typer.echo(
        f"Wrote {out / _PAGE}: {len(excerpts)} melodies, "
        f"{minutes:.0f} minutes of sound. Number the listeners from 1; the order is balanced over each "
        f"{test.listeners} of them. Keep {out / _KEY} to yourself."
    )


def _show(found: Result) -> None:
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    known = sum(found.known.values())
    console.print(
        f"{output.counted(found.listeners, 'listener')}; {output.counted(known, 'answer')} left out because the melody "
        "was known. Intervals (95 %) are for other listeners and other melodies."
    )
    for made in (_means(found), _differences(found), _told(found)):
        console.print()
        console.print(made)


def _means(found: Result) -> Table:
    from melodygru.evaluation.listening.scales import SCALES

    made = _table("mean, 1 to 7", *next(iter(found.means.values())), "alpha")
    for scale, systems in found.means.items():
        cells = [f"{one.mean:.2f} ({one.low:.2f} to {one.high:.2f})" for one in systems.values()]
        made.add_row(SCALES[scale][0], *cells, f"{found.agreement[scale]:.2f}")
    return made


def _differences(found: Result) -> Table:
    from melodygru.evaluation.listening.scales import SCALES

    made = _table("difference", "points", "95 % interval", "p (Holm)", "signed ranks", f"within {found.margin:g}: p")
    for scale, pairs in found.differences.items():
        for pair in pairs:
            one = pair.estimate
            made.add_row(
                f"{SCALES[scale][0]}: {pair.first} - {pair.second}",
                f"{one.mean:+.2f}",
                f"{one.low:+.2f} to {one.high:+.2f}",
                f"{pair.p_holm:.3f}",
                f"{pair.p_signed_rank:.3f}",
                f"{pair.p_equivalence:.3f}",
            )
    return made


def _told(found: Result) -> Table:
    made = _table("told from people's", 'called "a machine"', "95 % interval", "right, of both", "95 % interval", "p")
    for name, one in found.told.items():
        share = one.machine / one.heard if one.heard else float("nan")
        made.add_row(
            name,
            f"{share:.0%} of {one.heard:,}",
            f"{one.low:.0%} to {one.high:.0%}",
            f"{one.right.mean:.0%}",
            f"{one.right.low:.0%} to {one.right.high:.0%}",
            f"{one.p_binomial:.3f}",
        )
    return made


def _table(*headings: str) -> Table:
    from rich.table import Table

    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for number, heading in enumerate(headings):
        made.add_column(heading, justify="left" if number == 0 else "right")
    return made
