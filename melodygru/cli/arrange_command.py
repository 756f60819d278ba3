"""`melodygru arrange`: chords, a bass and drums around a melody that is there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from melodygru.cli import around, options, parameters
from melodygru.cli.change import In, Out
from melodygru.cli.parameters import Track
from melodygru.errors import MidiError, UsageError
from melodygru.option import AROUND, described
from melodygru.writing.config import GenerationConfig
from melodygru.writing.drawing import SEED

if TYPE_CHECKING:
    from melodygru.music.chords import ChordSpan
    from melodygru.writing.editing import Tune

_OF_MELODIES = described(GenerationConfig)
_CHORDS = replace(
    _OF_MELODIES["chords"], help='The chords: "Am F C G", "| C G/B | Am7 |", "vi IV I V".',
    shown="the file's own, else such as fit", panel=AROUND,
)  # fmt: skip
_STYLE = replace(
    _OF_MELODIES["style"], help="Kind of music, which chooses groove and chords: {choices}.", shown="the file's own",
    panel=AROUND,
)  # fmt: skip
_KEY = replace(
    _OF_MELODIES["key"], help="The key, whatever the file says: 'A minor'.", shown="the file's own", panel=AROUND
)
_BEATS = replace(_OF_MELODIES["beats_per_chord"], panel=AROUND)
_OWN = (_CHORDS, _BEATS, _STYLE, _KEY, around.SPLIT, SEED)


@options.takes(*around.options_of("arrange"), *_OWN, file=True)
def arrange(
    source: In,
    out: Out,
    asked: Mapping[str, Any],
    track: Track = "auto",
    meter: parameters.ReadMeter = "",
    pickup: parameters.ReadPickup = None,
    force: parameters.Force = False,
    show: parameters.Show = False,
    json: parameters.Json = False,
) -> None:
    """Put chords, a bass and drums around a melody, on tracks of their own.

    All else in the file stays as it is, but for an accompaniment that was put there before: that goes. Chords are those
    of --chords, counted from bar 1, else the file's own, else such as fit the melody.
    """
    from melodygru.arranging.arrangement import Arrangement
    from melodygru.cli import output
    from melodygru.formats.midi.arranged import MELODY, changes_of
    from melodygru.formats.midi.performance import Performance
    from melodygru.formats.reading import WHOLE
    from melodygru.formats.scores.files import is_score
    from melodygru.network.judge import by_shipped_model
    from melodygru.version import __version__
    from melodygru.writing.editing import Tune
    from melodygru.writing.model import draw_seed
    from melodygru.writing.recipe import Recipe
    from melodygru.writing.replay import packed_input, recipe_of

    options.check(asked, *_OWN)
    _BEATS.check_needs(asked)
    wanted = around.asked_for(asked) or Arrangement()
    parts = (MELODY, *wanted.which) if asked.get("split") else ()
    if os.path.isdir(out):
        raise UsageError(f"{out} is a folder; give the file to write a name.")
    output.check_out(out, 1, force or bool(parts), json, show)
    if parts:
        around.check_split(out, 1, parts, force)
    wishes = {name: asked[name] for name in ("chords", "beats_per_chord", "style", "key") if name in asked}
    GenerationConfig.from_dict(wishes)
    read_in = replace(WHOLE, track=track, meter=meter, pickup=pickup)
    tune = Tune.read(source, read_in, by_shipped_model)
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
    if not is_score(source):
        details = {**tune.read_as(read_in), **details}
    performance = Performance() if earlier is None else earlier.performance
    recipe = Recipe(
        __version__, "", "", seed, config=GenerationConfig(style=style), command="arrange",
        performance=replace(performance, seed=seed), details={**details, **packed_input(tune)},
    )  # fmt: skip
    try:
        files = [around.arranged_file(one, tune) for one in around.recipes_of(recipe, parts)]
    except (MidiError, UsageError) as error:
        raise type(error)(f"{source} {error}") from None
    targets = around.written(output.targets(out, [], force or bool(parts))[0], parts, files, force)
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
        f"Wrote {where}: {around.listed(wanted.which)} around {output.counted(melody.bars, 'bar')} of "
        f"{melody.time_signature} in {melody.key}, groove {wanted.groove}, chords {whence} ({shown}), seed {seed}.",
    )
    if show:
        from melodygru.cli.show_command import draw_written

        draw_written([(melody, chords)], targets[:1])


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
