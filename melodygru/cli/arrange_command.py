"""`melodygru arrange`: chords, a bass and drums around a melody that is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from melodygru.cli import around, options
from melodygru.cli.change import In, Out
from melodygru.cli.options import Track
from melodygru.errors import MidiError, UsageError
from melodygru.option import AROUND, FILES, Option, described
from melodygru.writing.config import GenerationConfig
from melodygru.writing.drawing import SEED

if TYPE_CHECKING:
    from melodygru.music.chords import ChordSpan
    from melodygru.writing.editing import Tune

SPLIT = Option(
    "Write each part to a file of its own: OUT-melody.mid, OUT-chords.mid …", name="split", kind=bool,
    spelling="--split", panel=FILES,
)  # fmt: skip
_OF_MELODIES = described(GenerationConfig)
_CHORDS = replace(
    _OF_MELODIES["chords"], help='The chords: "Am F C G", "| C G/B | Am7 |", "vi IV I V".',
    shown="the file's own, else such as fit", panel=AROUND,
)  # fmt: skip
_STYLE = replace(
    _OF_MELODIES["style"], help="Kind of music, which chooses groove and chords: {choices}.", shown="the file's own",
    panel=AROUND,
)  # fmt: skip
_KEY = replace(_OF_MELODIES["key"], help="The key, whatever the file says: 'A minor'.", shown="the file's own", panel=AROUND)
_BEATS = replace(_OF_MELODIES["beats_per_chord"], panel=AROUND)
_OWN = (_CHORDS, _BEATS, _STYLE, _KEY, SPLIT, SEED)


@options.takes(*around.options_of("arrange"), *_OWN, file=True)
def arrange(
    source: In,
    out: Out,
    asked: Mapping[str, Any],
    track: Track = "auto",
    force: options.Force = False,
    show: options.Show = False,
    json: options.Json = False,
) -> None:
    """Put chords, a bass and drums around a melody, on tracks of their own.

    Everything else in the file stays as it is, but for an accompaniment that was put there before: that goes. Chords are
    those of --chords, counted from bar 1, else the file's own, else such as fit the melody. docs/arranging.md lists
    patterns and grooves.
    """
    from melodygru.arranging.arrangement import Arrangement
    from melodygru.cli import output
    from melodygru.formats.midi.arranged import changes_of
    from melodygru.formats.midi.performance import Performance
    from melodygru.formats.scores.files import is_score
    from melodygru.version import __version__
    from melodygru.writing.editing import Tune
    from melodygru.writing.model import draw_seed
    from melodygru.writing.recipe import Recipe
    from melodygru.writing.replay import packed_input, recipe_of

    options.check(asked, *_OWN)
    _BEATS.check_needs(asked)
    wanted = around.asked_for(asked) or Arrangement()
    targets = _targets(out, wanted, bool(asked.get("split")), force, show, json)
    wishes = {name: asked[name] for name in ("chords", "beats_per_chord", "style", "key") if name in asked}
    GenerationConfig.from_dict(wishes)
    tune = Tune.read(source, track)
    earlier = None if is_score(source) else recipe_of(tune.data)
    style = asked.get("style") or (None if earlier is None else earlier.config.style)
    seed = asked["seed"] if "seed" in asked else draw_seed()
    melody = tune.melody
    if "key" in asked:
        config = GenerationConfig.from_dict(wishes)
        assert config.named_key is not None
        melody = replace(melody, key=config.named_key)
    chords, whence = _chords(source, replace(tune, melody=melody), wishes, style, seed)
    wanted = wanted.settled(style, melody.time_signature)
    details: dict[str, Any] = {around.ARRANGEMENT: wanted.as_dict(), around.HARMONY: changes_of(chords)}
    if "key" in asked:
        details[around.KEY] = str(melody.key)
    if track != "auto" and not is_score(source):
        details["track"] = track
    performance = Performance() if earlier is None else earlier.performance
    recipe = Recipe(
        __version__, "", "", seed, config=GenerationConfig(style=style), command="arrange",
        performance=replace(performance, seed=seed), details={**details, **packed_input(tune)},
    )  # fmt: skip
    recipes = list(around.parts_of(recipe).values()) if asked.get("split") else [recipe]
    try:
        files = [around.arranged_file(one, tune) for one in recipes]
    except (MidiError, UsageError) as error:
        raise type(error)(f"{source} {error}") from None
    output.write_together(targets, files, force)
    symbols = list(dict.fromkeys(str(symbol) for _, symbol in details[around.HARMONY]))
    if json:
        facts = {"groove": wanted.groove, "parts": list(wanted.which), "chords": details[around.HARMONY]}
        output.print_json({"files": [str(t) for t in targets], **output.facts(melody), **facts, "chords_from": whence,
                           "style": style, "seed": seed})  # fmt: skip
        return
    where = "standard output" if targets[0] is None else ", ".join(map(str, targets))
    shown = " ".join(symbols[:8]) + (" …" if len(symbols) > 8 else "")
    output.tell(
        out,
        f"Wrote {where}: {_listed(wanted.which)} around {output.counted(melody.bars, 'bar')} of {melody.time_signature} in "
        f"{melody.key}, groove {wanted.groove}, chords {whence} ({shown}), seed {seed}.",
    )
    if show:
        from melodygru.cli.show_command import draw_written

        draw_written([(melody, chords)], targets[:1])


def _targets(out: str, wanted: Any, split: bool, force: bool, show: bool, json: bool) -> list[Path | None]:
    """Where the files go. Raises UsageError or FileError before anything is done."""
    from melodygru.cli import output
    from melodygru.formats.midi.arranged import MELODY
    from melodygru.system import check_target

    if Path(out).is_dir():
        raise UsageError(f"{out} is a folder; give the file to write a name.")
    output.check_out(out, 1, force or split, json, show)
    if not split:
        return output.targets(out, [], force)
    if out == output.STDOUT:
        raise UsageError("Standard output takes one file, and --split writes several; give OUT a name.")
    return [check_target(one, force) for one in around.split_names(Path(out), (MELODY, *wanted.which))]


def _chords(
    source: str, tune: Tune, wishes: Mapping[str, Any], style: str | None, seed: int
) -> tuple[tuple[ChordSpan, ...], str]:
    """The chords that are played, and in words where they are from."""
    from melodygru.cli.progress import tell
    from melodygru.formats.reading import read
    from melodygru.formats.scores.files import is_score
    from melodygru.writing.layout import chords_under
    from melodygru.writing.replay import chords_in

    melody = tune.melody
    if "chords" in wishes:
        config = GenerationConfig.from_dict({**wishes, "key": str(melody.key)})
        return chords_under(config.spans(melody.time_signature), melody), "as said"
    if is_score(source):
        found = read(source).chords
        if len(found) == 1 and any(span.chord for span in found[0]):
            return found[0], "of the score"
    elif own := chords_in(source, [melody]):
        return own, "of the file"
    tell("finding chords")
    key = melody.key if "key" in wishes else None
    return around.harmonized(melody, style, key, seed), "found"


def _listed(parts: tuple[str, ...]) -> str:
    """chords, bass and drums."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
