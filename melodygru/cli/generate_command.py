"""`melodygru generate`: new melodies as MIDI files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from melodygru.cli import around, options
from melodygru.cli.around import SPLIT
from melodygru.cli.progress import tell
from melodygru.cli.saying import say
from melodygru.errors import UsageError
from melodygru.formats.midi.chunks import PERCUSSION
from melodygru.formats.midi.performance import Performance, can_swing
from melodygru.option import MUSIC, START, Option, taken_by
from melodygru.writing.config import GenerationConfig
from melodygru.writing.drawing import COUNT, SEED

if TYPE_CHECKING:
    import typer

    from melodygru.cli import parameters
    from melodygru.music.melody import Melody
    from melodygru.music.theory import Key
    from melodygru.writing.candidates import Generated, Order
    from melodygru.writing.model import Model
    from melodygru.writing.recipe import Recipe


_WORTH_PROCESSES = 2000
"""From so many candidates on starting processes takes less time than it saves."""
_SHOWN = 4
"""So many melodies are drawn with --show; of more, the first."""

_IN_WORDS = ("key", "scale", "chords", "form")
"""Wishes that people say in words of their own; what they were taken for is told."""

_PRIMER_BARS = Option(
    "How many of its bars to continue.", name="primer_bars", kind=int, shown="all", panel=START, needs="primer"
)
_OWN_ONE = "its own, or estimated"
_READ_IN = (
    Option("The primer's metre, whatever it says.", name="primer_meter", panel=START, needs="primer", shown=_OWN_ONE),
    Option("The primer's key, whatever it says.", name="primer_key", panel=START, needs="primer", shown=_OWN_ONE),
    Option(
        "What the primer has before its bar 1, whatever it says: quarters (1), or a fraction as 1/4.",
        name="primer_pickup", kind=float, parser=options.quarters, panel=START, needs="primer", shown=_OWN_ONE,
    ),
)  # fmt: skip
"""How a MIDI file is read that is continued."""
_RENDER_CHORDS = Option(
    "", name="render_chords", kind=bool, spelling="--render-chords", needs="chords", hidden=True,
)  # fmt: skip
"""An older way to say --with chords, whose chords are held as long as they last; files that were made so say it."""
_SEVERAL = Option(
    "Several options at once: topline, lead, film, riff, lullaby … or your own; what you say goes before them. "
    "`melodygru styles` lists them.", name="feel", panel=MUSIC,
)  # fmt: skip
_OWN = (
    _SEVERAL,
    SEED,
    Option("A MIDI file or a score to continue.", name="primer", panel=START, aliases=("primer_midi",)),
    _PRIMER_BARS,
    *_READ_IN,
    Option('Notes to continue: "C4/4 D4/8 E4/8 r/4".', name="primer_notes", panel=START),
    Option("A file whose rhythm, metre and bars it has, with new pitches.", name="rhythm", panel=START),
    Option("A file whose pitches it has in their order, in a new rhythm.", name="pitches", panel=START),
    Option(
        "Whether OUT begins with what is continued, and --bars counts it.", name="include_primer", kind=bool,
        shown="include", panel=START,
    ),
    COUNT,
    options.MODEL,
)  # fmt: skip


@options.takes(
    *taken_by("generate", GenerationConfig), *_OWN, *around.options_of("generate"), SPLIT,
    *taken_by("generate", Performance), _RENDER_CHORDS, file=True,
)  # fmt: skip
def generate(
    asked: Mapping[str, Any],
    out: Annotated[
        str | None,
        typer.Argument(
            metavar="[OUT.mid]",
            help="The MIDI file to write, a folder, or - for standard output.",
            show_default="a name made of key, tempo and seed, here",
        ),
    ] = None,
    force: parameters.Force = False,
    show: parameters.Show = False,
    json: parameters.Json = False,
) -> None:
    """Write new melodies as MIDI files that loop exactly on their bars and end on the tonic."""
    from melodygru.cli import output

    # Everything that can be wrong is found before any work is done or any file touched.
    options.check(asked, *_OWN, _RENDER_CHORDS)
    number = asked.get("count", COUNT.default)
    if out is None:
        output.check_told(json, show)
    else:
        output.check_out(out, number, force or bool(asked.get("split")), json, show)
    model, order, recipe, feel = _ordered(asked)
    parts = around.file_parts(recipe, bool(asked.get("split")))
    if out is not None and parts:
        around.check_split(out, number, parts, force)
    if (understood := _understood(asked, order.config)) and not json:
        output.tell(out, f"Understood as {output.spelled(understood)}")
    if "feel" in asked and not json:
        output.tell(out, f"--feel {asked['feel']}: {output.spelled(feel) or 'nothing that was not said otherwise'}")
    targets: list[Path | None] = []
    told: list[dict[str, Any]] = []
    drawn: list[Generated] = []
    for written, one in _write(out, model, order, number, recipe, parts, force):
        target = written[0]
        targets += written
        if len(drawn) < _SHOWN:
            drawn.append(one)
        if json:
            facts = {"number": one.number, **output.facts(one.melody), "score": output.rating(one.rating)}
            names = {"files": [str(name) for name in written]} if parts else {"file": str(target)}
            told.append({**names, **facts, **around.facts(recipe)})
    if json:
        made_by = {"model": model.name, "fingerprint": model.fingerprint, "seed": order.seed}
        if "feel" in asked:
            made_by["feel"] = {"name": asked["feel"], "options": feel}
        output.print_json({**made_by, "options": order.config.as_dict(), "files": told})
        return
    where = "standard output" if targets[0] is None else str(targets[0])
    if len(targets) > 1:
        where = f"{where} … {Path(str(targets[-1])).name} ({len(targets)} files)"
    first = drawn[0].melody
    output.tell(
        out,
        f"Wrote {where}: {output.counted(first.bars, 'bar')} of {first.time_signature} in {first.key}, "
        f"{first.qpm:g} bpm, {around.in_words(recipe)}{output.in_style(order.config)}seed {order.seed}.",
    )
    if first.pickup and recipe.performance.pickup_as == "bar":
        bars = f"The file has {first.bars + 1} bars, the pickup's among them"
        way = f"--pickup-as loop puts it into the end of bar {first.bars}, so that the clip loops"
        say(f"{bars}; {way}.", err=True)
    if show:
        from melodygru.cli.show_command import draw_written

        draw_written([(one.melody, one.chords) for one in drawn], targets[:: len(parts) or 1])


def _understood(asked: Mapping[str, Any], config: GenerationConfig) -> dict[str, Any]:
    """Wishes that were said in words which can mean other things, as they were taken."""
    if all(getattr(config, name) == asked.get(name, getattr(config, name)) for name in _IN_WORDS):
        return {}
    said = {name: getattr(config, name) for name in _IN_WORDS}
    return {name: value for name, value in said.items() if value is not None and value != asked.get(name)}


def _ordered(asked: Mapping[str, Any]) -> tuple[Model, Order, Recipe, dict[str, Any]]:
    """What is to write, what is to be written, what its files will say of it, and what a feel has set of it."""
    from melodygru.version import __version__
    from melodygru.writing.borrowing import IN_ORDER
    from melodygru.writing.candidates import Order
    from melodygru.writing.earlier_keys import heard
    from melodygru.writing.model import draw_seed, load_model
    from melodygru.writing.recipe import Recipe
    from melodygru.writing.styles import unheard_of

    model = load_model(str(asked.get("model", options.MODEL.default)))
    beneath: dict[str, Any] = {}
    if "feel" in asked:
        from melodygru.writing.feels import feel

        beneath = feel(str(asked["feel"])).beneath(asked, unheard_of(model.context), continues="primer" in asked)
    said = {**beneath, **asked}
    wishes = options.part_of(said, GenerationConfig)
    config = _with_style(GenerationConfig.from_dict(wishes), asked, model)
    performance = options.performance(said)
    source, takes = _starting_from(asked, config, config.named_key if "key" in said else None)
    if source is not None and not takes and "key" not in said and config.key is not None:
        # Degrees, and a scale in notes, are of the key of what is continued.
        config = _with_style(GenerationConfig.from_dict({**wishes, "key": str(source.key)}), asked, model)
    if source is None:
        config = model.in_own_style(config)
    keeps_metre = source is None or (takes == IN_ORDER and config.meter is not None)
    metre = config.time_signature if keeps_metre or source is None else source.time_signature
    details: dict[str, Any] = {}
    if asked.get("render_chords"):
        details["render_chords"] = True
    performance.check(metre, with_chords=bool(details))
    if (arrangement := around.asked_for(asked)) is not None:
        if details:
            raise UsageError("--render-chords is an older way to say --with chords; leave it out.")
        arrangement = arrangement.settled(config.style, metre)
        swing = arrangement.played(metre).swing
        if "swing" not in said and swing is not None and can_swing(metre):
            performance = replace(performance, swing=swing)
        performance.check(metre, with_chords=True)
        details[around.ARRANGEMENT] = arrangement.as_dict()
    own_pickup = source is None or takes == IN_ORDER
    _check_clip(said, performance, config.pickup_steps(metre) if own_pickup or source is None else source.pickup)
    _RENDER_CHORDS.check_needs({name for name in said if said[name]})
    seed = asked["seed"] if "seed" in asked else draw_seed()
    include = asked.get("include_primer", True)
    loops = performance.pickup_as == "loop"
    if loops:
        details["loops"] = True
    if takes:
        details["takes"] = takes
    elif source is not None:
        details["include_primer"] = include
    details |= heard(config, source, takes)
    recipe = Recipe(
        __version__, model.name, model.fingerprint, seed, 0, config, performance, source=source, details=details
    )
    return model, Order(config, seed, source, include, takes=takes, loops=loops), recipe, beneath


def _check_clip(said: Mapping[str, Any], performance: Performance, pickup: int) -> None:
    """Raise UsageError for a clip that would not be heard as a melody, and for a way of writing a pickup without one.

    Not before: files that say that they were made so can be made again.
    """
    if performance.channel == PERCUSSION + 1:
        raise UsageError("channel is 10, on which every pitch is a drum; choose another.")
    if "pickup_as" in said and not pickup:
        raise UsageError("--pickup-as has no meaning without --pickup; give --pickup too.")


def _with_style(config: GenerationConfig, asked: Mapping[str, Any], model: Model) -> GenerationConfig:
    """The wishes in the style that was said; else in that of a file that is continued; else in the model's own.

    Whoever has named a feel has said enough.
    """
    from melodygru.writing.section_feels import with_feels
    from melodygru.writing.sections import of_a_song
    from melodygru.writing.styles import styled, unheard_of, written_out

    config = with_feels(config, unheard_of(model.context))
    if "primer" in asked:
        from melodygru.writing.replay import style_of  # it needs all that reads and changes files

        return styled(config, model.context, style_of(str(asked["primer"])))
    if "primer_notes" in asked:
        return config
    if "rhythm" in asked or "pitches" in asked:  # metre and tempo come with these
        return styled(config, model.context, model.default_style)
    return of_a_song(written_out(styled(config, model.context, None if "feel" in asked else model.default_style)))


def _write(
    out: str | None,
    model: Model,
    order: Order,
    number: int,
    recipe: Recipe,
    parts: Sequence[str],
    force: bool,
) -> Iterator[tuple[list[Path | None], Generated]]:
    """Write so many melodies as they come, each in files of these parts, if there are any; where each went."""
    from melodygru.cli import output
    from melodygru.system.processes import usable_cores
    from melodygru.writing.recipe import file_name, file_names

    candidates = model.candidates_for(order.config, number)
    jobs = usable_cores() if candidates >= _WORTH_PROCESSES else 1

    def progress(done: float) -> None:
        tell("drawing melodies", min(done, candidates), candidates)

    progress(0)
    for place, one in enumerate(model.compose_each(order, number, progress, jobs)):
        if not place and out is None:
            # Nothing is there yet by such a name: nobody said that a file may be written over.
            unused = output.unused(Path(file_name(one.melody, order.seed)), number, parts)
            targets: list[Path | None] = [*output.numbered(unused, number)]
        elif not place and out is not None:
            names = file_names(model.name, one.melody, order.seed, number)
            targets = output.targets(out, names, force or bool(parts))
        performance = replace(recipe.performance, seed=order.seed + one.number)
        own = replace(recipe, number=one.number, performance=performance)
        one, own = around.with_harmony(one, own)
        files = [around.finished(one, each) for each in around.recipes_of(own, parts)]
        yield around.written(targets[place], parts, files, force), one


def _starting_from(asked: Mapping[str, Any], config: GenerationConfig, key: Key | None) -> tuple[Melody | None, str]:
    """What is to be continued, in this key where one was said; or of what is taken what; see `one_source`."""
    from melodygru.writing.borrowing import one_source
    from melodygru.writing.primer import parse_notes, read_primer

    file, notes = asked.get("primer"), asked.get("primer_notes")
    if file is not None and notes is not None:
        raise UsageError("--primer and --primer-notes contradict each other; give one of them.")
    for option in (_PRIMER_BARS, *_READ_IN):
        option.check_needs(asked)
    begins = None
    if file is not None:
        read_in = (str(asked.get("primer_meter", "")), str(asked.get("primer_key", "")), asked.get("primer_pickup"))
        begins = read_primer(str(file), asked.get("primer_bars"), key, read_in)
    elif notes is not None:
        begins = parse_notes(str(notes), config.time_signature, key, config.tempo)
    elif "include_primer" in asked:
        raise UsageError("--include-primer has no meaning without --primer or --primer-notes; give one of them too.")
    rhythm, pitches = (read_primer(str(asked[name])) if name in asked else None for name in ("rhythm", "pitches"))
    return one_source(begins, rhythm, pitches)
