"""`melodygru harmonize`: chords for a melody."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from melodygru.cli import output, parameters
from melodygru.cli.parameters import Track
from melodygru.cli.progress import tell
from melodygru.errors import MidiError, UsageError

if TYPE_CHECKING:
    from melodygru.arranging.harmony import Harmonization
    from melodygru.formats.scores.cache import Reading
    from melodygru.music.chords import ChordSpan
    from melodygru.music.melody import Melody
    from melodygru.writing.recipe import Recipe

_SHOWN_BARS = 16
"""Bars whose chords are printed; `--json` has all."""
_AUTO = "auto"


def harmonize(
    source: Annotated[
        str, typer.Argument(metavar="IN", help="The MIDI file or score with the melody.", show_default=False)
    ],
    out: Annotated[
        str,
        typer.Argument(
            metavar="OUT",
            help="The file to write: .mid or a score (.musicxml, .mxl, .abc, .pdf, .svg, .png); - for standard output.",
            show_default=False,
        ),
    ],
    chords_per_bar: Annotated[
        str, typer.Option(help="1 or 2: at most so many, on the bar or its halves; auto: as the style has it.")
    ] = _AUTO,
    style: Annotated[
        str | None,
        typer.Option(
            help="The kind of music, as `melodygru styles` lists them: hymn, song, standard, folk, waltz …",
            show_default="that of IN, or any",
        ),
    ] = None,
    key: Annotated[
        str | None, typer.Option(help="The key to hear it in, such as 'A minor'.", show_default="its own, or estimated")
    ] = None,
    meter: parameters.ReadMeter = "",
    pickup: parameters.ReadPickup = None,
    count: Annotated[int, typer.Option(help="How many ways, the likeliest first: 1 to 16, one file each.")] = 1,
    seed: Annotated[int, typer.Option(help="Of what the second and later ways change.")] = 0,
    track: Track = "auto",
    replace_chords: Annotated[
        bool, typer.Option("--replace", help="Write other chords than those that IN states.", show_default=False)
    ] = False,
    force: parameters.Force = False,
    show: parameters.Show = False,
    json: parameters.Json = False,
) -> None:
    """Find chords for a melody, and write both: the chords as a track and as symbols.

    They are as people put them under hymns, art songs and standards, and plainer for the other styles. OUT holds the
    melody and its chords alone. Of several ways any two have different roots in a quarter of the bars at least.
    """
    from melodygru.arranging.harmony import harmonize as ways_of
    from melodygru.cli.harmonized import recipe_for
    from melodygru.writing.styles import STYLES

    _check_out(out, count, force, json, show)
    per_bar = _per_bar(chords_per_bar)
    melody, style = _melody(source, track, meter, pickup, key, style, replace_chords)
    recipe = recipe_for(melody, style, per_bar, count, seed)
    collection = style and STYLES[style].collection
    tell("finding chords")
    told = partial(tell, "finding chords")
    ways = ways_of(melody, style=collection, chords_per_bar=per_bar, count=count, seed=seed, progress=told)
    targets = output.targets(out, [_name(melody, number) for number in range(1, len(ways) + 1)], force)
    for done, (target, way) in enumerate(zip(targets, ways, strict=True)):
        tell("writing files", done, len(ways))
        output.write(target, _written(replace(recipe, number=done), way, target), force)
    if json:
        found = [_told(way, melody, target) for way, target in zip(ways, targets, strict=True)]
        output.print_json({"source": source, **output.facts(melody), "style": collection, "seed": seed, "ways": found})
        return
    for target, way in zip(targets, ways, strict=True):
        where = "standard output" if target is None else str(target)
        shown = _progression(way.chords, melody, _SHOWN_BARS)
        output.tell(out, f"Wrote {where}: {shown} ({melody.key}, {way.nats:.1f} nats).")
    if len(ways) < count:
        output.tell(out, f"No more than {output.counted(len(ways), 'way')} that differ in a quarter of the bars.")
    if show:
        from melodygru.cli.show_command import draw_written

        draw_written([(melody, ways[0].chords)], targets)


def _check_out(out: str, count: int, force: bool, json: bool, show: bool) -> None:
    """Find what can be wrong with OUT before any work is done."""
    from melodygru.formats.notation.engraving import SUFFIXES
    from melodygru.system.files import check_target

    suffix = Path(out).suffix.lower()
    if out == output.STDOUT or os.path.isdir(out) or suffix in output.SUFFIXES or out.endswith("/"):
        output.check_out(out, count, force, json, show)
        return
    if suffix not in SUFFIXES:
        endings = ", ".join((*output.SUFFIXES, *SUFFIXES))
        raise UsageError(f"{out} ends in none of {endings}; give OUT one of these endings, or a folder that exists.")
    output.check_told(json, show)
    for target in output.numbered(Path(out), count):
        check_target(target, force)


def _per_bar(text: str) -> int | None:
    from melodygru.arranging.harmony import CHORDS_PER_BAR

    if text.lower() == _AUTO:
        return None
    if text not in map(str, CHORDS_PER_BAR):
        raise UsageError(f"chords-per-bar is {text!r}; choose 1, 2, or auto.")
    return int(text)


def _melody(
    source: str, track: str, meter: str, pickup: float | None, key: str | None, style: str | None, replacing: bool
) -> tuple[Melody, str | None]:
    """The melody, in the key to hear it in, and the style by its name. Raises UsageError for a file that has chords."""
    from melodygru.formats.reading import WHOLE, read
    from melodygru.music.theory import Key
    from melodygru.network.judge import by_shipped_model
    from melodygru.option import described
    from melodygru.writing.config import GenerationConfig
    from melodygru.writing.replay import style_of

    if style is not None:
        described(GenerationConfig)["style"].check(style)
    wanted = None if key is None else Key.parse(key, as_written=True)
    reading = read(source, replace(WHOLE, track=track, meter=meter, pickup=pickup), by_shipped_model)
    if not reading.melodies:
        raise MidiError(f"{source} has no melody to harmonize; give a file with notes.")
    place = max(range(len(reading.melodies)), key=lambda number: len(reading.melodies[number].notes))
    melody = reading.melodies[place]
    stated = _stated(source, reading, place)
    if stated and not replacing:
        raise UsageError(
            f"{source} has chords of its own ({_progression(stated, melody, 4)}); add --replace to write others."
        )
    if len(reading.melodies) > 1:
        typer.echo(f"{source} has {len(reading.melodies)} melodies; this is the longest.", err=True)
    named = style or style_of(source)
    return (melody if wanted is None else replace(melody, key=wanted)), named


def _stated(source: str, reading: Reading, place: int) -> tuple[ChordSpan, ...]:
    """The chords that the file has over the melody, if it tells of any."""
    from melodygru.writing.replay import chords_in

    found = reading.chords[place] if reading.chords else chords_in(source, reading.melodies)
    return tuple(span for span in found if span.chord is not None)


def _written(recipe: Recipe, way: Harmonization, target: Path | None) -> bytes:
    """The bytes of a file of that name."""
    from melodygru.cli.harmonized import harmonized_file
    from melodygru.formats.notation import engraving

    if target is not None and target.suffix.lower() in engraving.SUFFIXES:
        assert recipe.source is not None
        return engraving.written(recipe.source, way.chords, target.name)
    return harmonized_file(recipe, way)


def _name(melody: Melody, number: int) -> str:
    """Of a file in a folder."""
    plain = "".join(letter for letter in melody.name if letter.isalnum() or letter in " -_").strip() or "melody"
    return f"{plain[:60]}-chords-{number:02}.mid"


def _told(way: Harmonization, melody: Melody, target: Path | None) -> dict[str, Any]:
    """A way for programs: all chords by bars, and each from its quarter on."""
    from melodygru.music.theory import STEPS_PER_QUARTER

    spans = [
        {
            "onset": span.onset / STEPS_PER_QUARTER,
            "quarters": (span.end - span.onset) / STEPS_PER_QUARTER,
            "bar": melody.bar_of(span.onset),
            "chord": None if span.chord is None else span.chord.symbol,
        }
        for span in way.chords
    ]
    return {
        "file": None if target is None else str(target),
        "nats": round(way.nats, 3),
        "progression": _progression(way.chords, melody, melody.bars + 1),
        "chords": spans,
    }


def _progression(spans: tuple[ChordSpan, ...], melody: Melody, most: int) -> str:
    """Chords bar by bar, "C | F G7 | C", of the first bars."""
    bar = melody.time_signature.bar_steps
    first = 0 if melody.pickup and spans[0].onset < bar and spans[0].chord is not None else bool(melody.pickup)
    bars: list[list[str]] = [[] for _ in range(melody.length // bar)]
    for span in spans:
        for number in range(span.onset // bar, -(-span.end // bar)):
            bars[number].append("N.C." if span.chord is None else span.chord.symbol)
    shown = bars[first : first + most]
    return " | ".join(" ".join(chords) for chords in shown) + (" | …" if first + most < len(bars) else "")
