"""From what is asked for to what the sampler works with: constraints, regions to write, and what stands fast.

Wishes that contradict one another are found here, before anything is drawn, and named in the words of the command line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from melodygru.errors import UsageError
from melodygru.music.chords import ChordSpan, estimate_key
from melodygru.music.form import Form, Stretch, stretches
from melodygru.music.melody import Melody
from melodygru.music.theory import SCALES, Key, TimeSignature, parse_scale, scale_pitch_classes
from melodygru.network.arrays import BoolArray
from melodygru.network.tokenizer import REST, PieceMeta
from melodygru.writing.config import DEFAULT_BARS, DEFAULT_QPM, DEFAULT_SECTION_BARS, GenerationConfig
from melodygru.writing.constraints.base import PITCHES, Constraint, in_range, of_classes
from melodygru.writing.constraints.chords import OverChords
from melodygru.writing.constraints.past import Continues, Density, Departs, FewRests, Guard, Prefers, Repeats, SomeRests
from melodygru.writing.constraints.places import (
    Bars,
    EndsOn,
    Grid,
    Joints,
    Leaps,
    NoRests,
    Pitches,
    Seams,
    shortest_end,
)
from melodygru.writing.layout import (
    RESTS_EVERY,
    Layout,
    Script,
    chords_over,
    given_events,
    joint_pitches,
    lay_out_parts,
    rest_stretches,
)
from melodygru.writing.lookahead import Lookahead

Banned = Callable[[Sequence[int], Sequence[int], int], Collection[int]]
Named = list[tuple[str, list[Constraint]]]

_MINOR = ("natural minor", "harmonic minor", "melodic minor", "minor pentatonic", "blues")


@dataclass(frozen=True)
class Plan:
    """How melodies are to be written.

    Attributes:
        meta: metre, key and bars of the whole, what is given included.
        qpm: tempo.
        ahead: what may be drawn.
        script: what stands fast or is repeated.
        chords: the progression laid out over the melody; empty without chords.
        begins: the step at which new music begins.
        judged: half-open ranges of steps that are not drawn, and must follow well on what is: repeats.
        fills_out: whether the last note is held to the last bar line.
    """

    meta: PieceMeta
    qpm: float
    ahead: Lookahead
    script: Script
    chords: tuple[ChordSpan, ...] = ()
    begins: int = 0
    judged: tuple[tuple[int, int], ...] = ()
    fills_out: bool = True


def plan(
    config: GenerationConfig,
    max_duration: int = 192,
    banned: Banned | None = None,
    primer: Melody | None = None,
    keep_primer: bool = True,
) -> Plan:
    """What the sampler works with.

    Args:
        config: what is asked for.
        max_duration: longest duration of an event, in steps.
        banned: see `Guard`; None bans nothing.
        primer: what the new melodies continue.
        keep_primer: whether the bars asked for include the primer's.

    Raises:
        UsageError: wishes that cannot be kept, or contradict one another.
    """
    metre = _metre(config, primer)
    bar = metre.bar_steps
    pickup = config.pickup_steps(metre) if primer is None else primer.pickup
    if primer is not None and config.pickup_steps(metre):
        raise UsageError("--pickup and --primer contradict each other: the primer says whether there is a pickup.")
    spans = config.spans(metre)
    key = _key(config, spans, primer)
    form, bars, section_bars = _bars(config)
    given = given_events(primer, bar - pickup if pickup else 0, max_duration)
    begins = sum(duration for duration, _ in given.values())
    if primer is not None:
        done = begins // bar - bool(pickup)
        if not keep_primer:
            bars += done
        elif begins >= (bars + bool(pickup)) * bar:
            raise UsageError(
                f"The primer has {primer.bars} bars, and --bars is {bars}; ask for more bars, shorten the primer with "
                "--primer-bars, or leave it out of the file with --no-include-primer."
            )
    meta = PieceMeta(metre, key, bars, pickup > 0)
    length, origin = meta.length, bar if pickup else 0
    parts = [Stretch(0, bars)] if form is None else stretches(form, section_bars)
    layout = lay_out_parts(parts, origin - pickup, bar, length, given, begins)
    regions, copies = layout.regions, layout.script.copies
    chords = chords_over(spans, origin, length, section_bars * bar)
    # An early end is filled by its last note, which must not then sound where it may not.
    to_the_end = config.rests in ("none", "few") or (chords and config.chord_mode != "soft")
    base: list[Constraint] = [Bars(length, bar, 0.0 if to_the_end else 0.5)]
    if form is not None:
        base.append(Seams(layout.seams))
    room = 0 if to_the_end else pickup
    named = [*wishes(config, meta, chords, primer, begins, layout), ending(config, meta, chords, layout, room)]
    if config.rests == "some":
        some = SomeRests(rest_stretches(meta, begins, origin - pickup, section_bars), layout.echoes)
        named.append(("--rests some", [some]))
    other: list[Constraint] = []
    if primer is not None:
        other.append(Continues())
    if layout.departures:
        wish, classes = _home(config, meta, chords)
        other.append(Departs(layout.departures, of_classes(() if wish == "any" else classes)))
    if banned is not None:
        other.append(Guard(banned))

    def look(chosen: Named, relaxed: bool = False) -> Lookahead:
        constraints = [*base, *(c for _, group in chosen for c in group), *other]
        return Lookahead(constraints, regions, max_duration, first_by=max(bar, begins + bar), relaxed=relaxed)

    def possible(ahead: Lookahead) -> bool:
        last = -1 if primer is None or not primer.notes else primer.notes[-1].pitch
        resting = bool(given) and list(given.values())[-1][1] == REST
        return ahead.feasible(0, last, resting) and all(ahead.feasible(i, None) for i in range(1, len(regions)))

    ahead = look(named)
    if possible(ahead):
        ahead = _with_joints(config, layout, look, possible, named) or ahead
    else:
        ahead = look(named, relaxed=True)
        if not possible(ahead):
            raise UsageError(contradiction(named, meta, form, lambda chosen: possible(look(chosen, relaxed=True))))
    qpm = config.bpm or (DEFAULT_QPM if primer is None else primer.qpm)
    judged = tuple((copy.start, min(copy.end, copy.start + 2 * bar)) for copy in copies)
    fills_out = not pickup or config.rests in ("none", "few")
    return Plan(meta, qpm, ahead, layout.script, chords, begins, judged, fills_out)


def _metre(config: GenerationConfig, primer: Melody | None) -> TimeSignature:
    if primer is None:
        return config.time_signature
    if config.meter is not None and config.time_signature != primer.time_signature:
        raise UsageError(
            f"--meter {config.meter} and the primer contradict each other: the primer is in {primer.time_signature}."
        )
    return primer.time_signature


def _key(config: GenerationConfig, spans: Sequence[ChordSpan], primer: Melody | None) -> Key:
    said = config.named_key
    if said is None:
        said = primer.key if primer is not None else estimate_key(spans) if spans else Key()
    bare = config.key is None or re.fullmatch(r"\s*[A-Ga-g]\s*[#b♯♭]?\s*", config.key)
    if config.scale is not None and bare:
        # "--key A --scale blues" means a blues in A, whose signature is A minor's.
        name = parse_scale(config.scale)
        mode = "minor" if name in _MINOR else name if name in SCALES else said.mode
        return Key(said.tonic, mode)
    return said


def _bars(config: GenerationConfig) -> tuple[Form | None, int, int]:
    """The form, how many bars there are, and how many a section has (0 without a form)."""
    if config.form is None:
        return None, config.bars or DEFAULT_BARS, 0
    form = Form.parse(config.form)
    count = len(form.sections)
    each = config.section_bars or (DEFAULT_SECTION_BARS if config.bars is None else config.bars // count)
    if config.bars not in (None, each * count):
        raise UsageError(
            f"--form {form} and --bars {config.bars} contradict each other: {count} sections of "
            f"{max(each, 1)} bars are {count * max(each, 1)} bars; leave --bars out, or set --section-bars."
        )
    return form, each * count, each


def wishes(
    config: GenerationConfig,
    meta: PieceMeta,
    chords: tuple[ChordSpan, ...],
    primer: Melody | None,
    begins: int,
    layout: Layout,
) -> Named:
    """Wishes about places, each with the words that it was said in."""
    metre, bar = meta.time_signature, meta.time_signature.bar_steps
    low, high = config.pitches
    if primer is not None and config.range is None and primer.notes:
        # In the primer's octave: a fifth beyond what it has.
        pitches = [note.pitch for note in primer.notes]
        low, high = max(min(pitches) - 7, 0), min(max(pitches) + 7, 127)
    found: Named = [(f"--range {config.range or 'C3:C7'}", [Pitches(in_range(low, high))])]
    grid = config.grid_steps(metre)
    triplets = not metre.is_compound if config.triplets is None else config.triplets
    # Triplets of eighths in a quarter; on a grid of quarters, of quarters in a half note.
    triplet = 0 if not triplets or grid > 24 else 16 if grid == 24 else 8
    found.append((f"--grid {config.grid or '1/16'}", [Grid(bar, grid, triplet)]))
    scale = _scale(config, meta.key)
    if chords:
        over = OverChords(chords, metre, scale or meta.key.scale, meta.key.tonic, layout.echoes)
        everything = in_range(0, PITCHES - 1)

        def fits(onset: int) -> BoolArray:
            legal = over.begins(onset)
            return everything if legal is None else legal

        if config.chord_mode == "soft":
            found.append(("--chords", [Prefers(fits)]))
        elif config.scale_mode == "soft":
            tones = OverChords(chords, metre, None, meta.key.tonic, layout.echoes)
            found.append(("--chords", [tones, Prefers(fits)]))
        else:
            found.append(("--chords", [over]))
    elif scale is not None:
        inside = of_classes(scale)
        soft = config.scale_mode == "soft"
        said = f"--scale {config.scale}" if config.scale else f"--scale-mode strict in {meta.key}"
        found.append((said, [Prefers(lambda onset: inside) if soft else Pitches(inside)]))
    if config.max_leap is not None:
        found.append((f"--max-leap {config.max_leap}", [Leaps(config.max_leap)]))
    if config.no_repeat_notes is not None:
        found.append((f"--no-repeat-notes {config.no_repeat_notes}", [Repeats(config.no_repeat_notes)]))
    if config.density is not None:
        found.append((f"--density {config.density:g}", [Density(config.density, bar, begins, layout.nominal_end)]))
    if config.rests in ("none", "few"):
        most = max(1, meta.bars // RESTS_EVERY)
        few = FewRests(most, metre.beat_steps, begins, layout.regions[layout.closing].end, layout.echoes)
        found.append((f"--rests {config.rests}", [NoRests() if config.rests == "none" else few]))
    return found


def _scale(config: GenerationConfig, key: Key) -> tuple[int, ...] | None:
    """The scale that was asked for, as pitch classes; None where none was."""
    if config.scale is not None:
        return scale_pitch_classes(parse_scale(config.scale), key.tonic)
    return key.scale if config.scale_mode is not None else None


def ending(
    config: GenerationConfig, meta: PieceMeta, chords: tuple[ChordSpan, ...], layout: Layout, pickup: int = 0
) -> tuple[str, list[Constraint]]:
    """The last note, which may leave room for a `pickup` of so many steps.

    Where the last section repeats another, that one ends as the piece is to end.
    """
    wish, classes = _home(config, meta, chords)
    region = layout.regions[layout.closing]
    if region.joins is not None:
        layout.regions[layout.closing] = replace(region, joins=of_classes(classes))
    return f"--end-on {wish}", [EndsOn(classes, region.end, shortest_end(meta.time_signature), pickup)]


def _home(config: GenerationConfig, meta: PieceMeta, chords: tuple[ChordSpan, ...]) -> tuple[str, Collection[int]]:
    """How the piece ends: the wish, and the pitch classes of the last note."""
    last = next((span.chord for span in reversed(chords) if span.chord is not None), None)
    triad = meta.key.scale[0], meta.key.scale[2], meta.key.scale[4]
    wish = config.end_on or ("chord" if last is not None and meta.key.tonic not in last.tones else "tonic")
    return wish, {"any": range(12), "tonic": (meta.key.tonic,), "chord": triad if last is None else last.tones}[wish]


_JOINTS_UP_TO = 7
"""Largest leap, in semitones, with which ends of sections are seldom near enough to beginnings by themselves."""


def _with_joints(
    config: GenerationConfig,
    layout: Layout,
    look: Callable[[Named], Lookahead],
    possible: Callable[[Lookahead], bool],
    named: Named,
) -> Lookahead | None:
    """A look-ahead in which each repeat can be reached by a small leap; None where that is not needed.

    What a repeat begins with is known only when it is drawn for the first time, so all such beginnings and what leads
    to them are held to the first of `joint_pitches` with which the rest is possible.
    """
    copies, leap = layout.script.copies, config.max_leap
    if not copies or leap is None or leap > _JOINTS_UP_TO:
        return None
    regions = list(layout.regions)
    sources = {copy.source for copy in copies}
    for firsts, lasts in joint_pitches(config.pitches, leap, config.no_repeat_notes == 1):
        for number, region in enumerate(regions):
            if region.joins is not None and layout.heard_at(region.end) & {copy.start for copy in copies}:
                layout.regions[number] = replace(region, joins=region.joins & lasts)
        ahead = look([*named, ("", [Joints(sources, firsts)])])
        if possible(ahead):
            return ahead
    layout.regions[:] = regions
    if len(sources) == 1:
        words = [f"--max-leap {leap}", "--no-repeat-notes 1"][: 1 + (config.no_repeat_notes == 1)]
        raise UsageError(
            f"{', '.join(words)} and --form {config.form} contradict each other here: no way leads from the end of a "
            "section to its repeat; allow larger leaps, or change one of the other options."
        )
    return None


def contradiction(named: Named, meta: PieceMeta, form: Form | None, possible: Callable[[Named], bool]) -> str:
    """The sentence that says which wishes contradict each other: as few as do."""
    what = f"{meta.bars} {'bar' if meta.bars == 1 else 'bars'} of {meta.time_signature} in {meta.key}"
    what += "" if form is None else f" with --form {form}"
    for size in (1, 2, 3):
        for chosen in combinations(named, size):
            if not possible(list(chosen)):
                words = [name for name, _ in chosen]
                if size == 1:
                    return f"{words[0]} cannot be kept in {what}; choose another value."
                listed = ", ".join(words[:-1]) + " and " + words[-1]
                return f"{listed} contradict each other in {what}; change one of them."
    listed = ", ".join(name for name, _ in named)
    return f"{listed} cannot all be kept in {what}; change one of them."
