"""`melodygru generate`: new melodies as MIDI files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from melodygru.cli import options
from melodygru.cli.options import START
from melodygru.errors import UsageError

if TYPE_CHECKING:
    from melodygru.music.melody import Melody
    from melodygru.writing.candidates import Generated
    from melodygru.writing.config import GenerationConfig


_WORTH_PROCESSES = 2000
"""From so many candidates on starting processes takes less time than it saves."""
_MANY = 50
"""From so many melodies on a progress bar is worth its import."""
_SHOWN = 4
"""So many melodies are drawn with --show; of more, the first."""

_OTHERS = ("model", "seed", "count", "primer", "primer_bars", "primer_notes", "include_primer", "render_chords")


def generate(
    out: Annotated[
        str, typer.Argument(metavar="OUT.mid", help="The MIDI file to write, a folder, or - for standard output.")
    ],
    bars: options.Bars = None,
    key: options.KeyName = None,
    meter: options.Meter = None,
    bpm: options.Bpm = None,
    seed: options.Seed = None,
    temperature: options.Temperature = None,
    top_k: options.TopK = None,
    top_p: options.TopP = None,
    best_of: options.BestOf = None,
    max_copy: options.MaxCopy = None,
    scale: options.Scale = None,
    scale_mode: options.ScaleMode = None,
    range: options.Range = None,
    max_leap: options.MaxLeap = None,
    density: options.Density = None,
    rests: options.Rests = None,
    grid: options.Grid = None,
    triplets: options.Triplets = None,
    end_on: options.EndOn = None,
    pickup: options.Pickup = None,
    no_repeat_notes: options.NoRepeatNotes = None,
    chords: options.Chords = None,
    beats_per_chord: options.BeatsPerChord = None,
    chord_mode: options.ChordMode = None,
    form: options.FormName = None,
    section_bars: options.SectionBars = None,
    primer: Annotated[
        str | None, typer.Option(rich_help_panel=START, help="A MIDI file or a score to continue.", show_default=False)
    ] = None,
    primer_bars: Annotated[
        int | None, typer.Option(rich_help_panel=START, help="How many of its bars to continue.", show_default="all")
    ] = None,
    primer_notes: Annotated[
        str | None,
        typer.Option(rich_help_panel=START, help='Notes to continue: "C4/4 D4/8 E4/8 r/4".', show_default=False),
    ] = None,
    include_primer: Annotated[
        bool | None,
        typer.Option(
            "--include-primer/--no-include-primer",
            rich_help_panel=START,
            help="Whether OUT begins with what is continued, and --bars counts it.",
            show_default="include",
        ),
    ] = None,
    program: options.Program = None,
    channel: options.Channel = None,
    velocity: options.Velocity = None,
    swing: options.Swing = None,
    humanize: options.Humanize = None,
    render_chords: options.RenderChords = None,
    count: options.Count = None,
    model: options.Model = None,
    midi_format: options.MidiFormat = None,
    ppq: options.Ppq = None,
    options_file: options.OptionsFile = None,
    force: options.Force = False,
    show: options.Show = False,
    json: options.Json = False,
) -> None:
    """Write new melodies as MIDI files that loop exactly on their bars and end on the tonic."""
    apart = ("out", "options_file", "force", "show", "json", "apart")
    said = {name: value for name, value in locals().items() if name not in apart}
    from melodygru.cli import output
    from melodygru.errors import check_range
    from melodygru.version import __version__
    from melodygru.writing.candidates import Order
    from melodygru.writing.config import GenerationConfig
    from melodygru.writing.model import MAX_COUNT, check_seed, draw_seed, load_model
    from melodygru.writing.recipe import Recipe, file_names, rendered

    wanted = [field.name for field in fields(GenerationConfig)]
    values = options.merged(said, options_file, [*wanted, *options.PERFORMANCE, *_OTHERS])
    # Everything that can be wrong is found before any work is done or any file touched.
    number, chosen = options.whole(values, "count", 1), options.whole(values, "seed", None)
    assert number is not None
    check_range("count", number, 1, MAX_COUNT)
    output.check_out(out, number, force, json, show)
    config = GenerationConfig.from_dict({name: value for name, value in values.items() if name in wanted})
    performance = options.performance(values)
    source = starting_from(values, config)
    metre = config.time_signature if source is None else source.time_signature
    performance.check(metre, with_chords=bool(values.get("render_chords")))
    if values.get("render_chords") and config.chords is None:
        raise UsageError("--render-chords has no meaning without --chords; give --chords too.")
    if chosen is None:
        chosen = draw_seed()
    check_seed(chosen)
    loaded = load_model(str(values.get("model", "folk")))
    include = bool(values.get("include_primer", True))
    details = {name: values[name] for name in ("render_chords",) if values.get(name)}
    if source is not None:
        details["include_primer"] = include
    recipe = Recipe(__version__, loaded.name, loaded.fingerprint, chosen, 0, config, performance, source=source)
    order, candidates = Order(config, chosen, source, include), loaded.candidates_for(config, number)
    jobs = 1
    if candidates >= _WORTH_PROCESSES:
        from melodygru.system import usable_cores

        jobs = usable_cores()
    targets: list[Path | None] = []
    told: list[dict[str, Any]] = []
    drawn: list[Generated] = []
    with progress_of(candidates) as progress:
        for place, one in enumerate(loaded.compose_each(order, number, progress, jobs)):
            if not place:
                first = one.melody
                targets = output.targets(out, file_names(loaded.name, first, chosen, number), force)
            own = replace(
                recipe,
                number=one.number,
                performance=replace(performance, seed=chosen + one.number),
                details=details,
            )
            output.write(targets[place], rendered(one, own), force)
            if show and place < _SHOWN:
                drawn.append(one)
            if json:
                facts = {"number": one.number, **output.facts(one.melody), "score": output.score_of(one.score)}
                told.append({"file": str(targets[place]), **facts})
    if json:
        output.print_json(
            {
                "model": loaded.name,
                "fingerprint": loaded.fingerprint,
                "seed": chosen,
                "options": config.as_dict(),
                "files": told,
            }
        )
        return
    where = "standard output" if targets[0] is None else str(targets[0])
    if number > 1:
        where = f"{where} … {Path(str(targets[-1])).name} ({number} files)"
    plural = "bar" if first.bars == 1 else "bars"
    output.tell(
        out,
        f"Wrote {where}: {first.bars} {plural} of {first.time_signature} in {first.key}, {first.qpm:g} bpm, "
        f"seed {chosen}.",
    )
    if show:
        from melodygru.cli.show_command import draw_written

        draw_written([(one.melody, one.chords) for one in drawn], targets)


def starting_from(values: dict[str, Any], config: GenerationConfig) -> Melody | None:
    """What is to be continued, if anything."""
    from melodygru.writing.primer import parse_notes, read_primer

    file, notes, bars = values.get("primer"), values.get("primer_notes"), options.whole(values, "primer_bars", None)
    if file is not None and notes is not None:
        raise UsageError("--primer and --primer-notes contradict each other; give one of them.")
    if file is None and bars is not None:
        raise UsageError("--primer-bars has no meaning without --primer; give --primer too.")
    if file is not None:
        return read_primer(str(file), bars, config.named_key)
    if notes is not None:
        return parse_notes(str(notes), config.time_signature, config.named_key, config.bpm or 120.0)
    if values.get("include_primer") is not None:
        raise UsageError("--include-primer has no meaning without --primer or --primer-notes; give one of them too.")
    return None


@contextmanager
def progress_of(count: int) -> Iterator[Callable[[int], None] | None]:
    """Something to call with the number of melodies done: a bar on the terminal, when they are many."""
    if count < _MANY:
        yield None
        return
    from tqdm import tqdm

    with tqdm(total=count, unit=" melodies", disable=None, leave=False) as bar:
        yield lambda done: bar.update(done - bar.n)
