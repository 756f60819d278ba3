"""What options mean as constraints: the one place where the two meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from numbers import Real
from typing import TYPE_CHECKING

from melodygru.network.arrays import BoolArray
from melodygru.records import dataclass
from melodygru.writing.constraints.base import PITCHES, Constraint, in_range, of_classes
from melodygru.writing.constraints.chords import OverChords
from melodygru.writing.constraints.contour import Contour, place
from melodygru.writing.constraints.elsewhere import Within
from melodygru.writing.constraints.past import Density, FewRests, Prefers, Repeats, SomeRests
from melodygru.writing.constraints.places import EndsOn, Grid, Leaps, NoRests, Pitches, shortest_end
from melodygru.writing.layout import RESTS_EVERY
from melodygru.writing.values import DEFAULT_GRID, LEARNED

if TYPE_CHECKING:
    from melodygru.writing.problem import Problem

OF_RHYTHM = ("grid", "triplets", "density", "rests")
"""Wishes about where notes begin and end: they have no meaning where the rhythm stays."""
OF_PITCH = ("range", "scale", "scale_mode", "chords", "max_leap", "no_repeat_notes", "contour", "end_on")
"""Wishes about heights: they have no meaning where pitches stay."""


@dataclass(frozen=True)
class Wish:
    """What one option asks for.

    Attributes:
        option: a field of `GenerationConfig`.
        value: as it was given, or what holds where nothing was, in words.
        rules: the constraints that it means.
        section: the letter of the sections that ask for it themselves; empty: the whole does.
    """

    option: str
    value: object
    rules: Sequence[Constraint]
    section: str = ""

    @property
    def words(self) -> str:
        """As the command line spells it. A progression, or a line in numbers, is too long to be said again."""
        if self.section:
            value = f"={self.value:g}" if isinstance(self.value, Real) else "" if self.is_long else f"={self.value}"
            return f'--section "{self.section}: {self.option}{value}"'
        name = "--" + self.option.replace("_", "-")
        if self.is_long:
            return name
        return f"{name} {self.value:g}" if isinstance(self.value, Real) else f"{name} {self.value}"

    @property
    def is_long(self) -> bool:
        """Whether its value is too long to be said again."""
        return self.option == "chords" or (self.option == "contour" and " " in str(self.value))


def wishes_of(problem: Problem) -> Iterator[Wish]:
    """A wish for each option that means constraints: here a new one is entered."""
    config, layout, bar = problem.config, problem.layout, problem.meta.time_signature.bar_steps
    yield Wish("range", config.room, [Pitches(in_range(*problem.pitches))])
    yield Wish("grid", config.grid or DEFAULT_GRID, [_grid(problem)])
    if problem.chords and config.chord_mode != LEARNED:
        yield Wish("chords", config.chords, _over_chords(problem))
    elif problem.scale is not None:
        named = (
            ("scale", config.scale) if config.scale else ("scale_mode", f"{config.scale_mode} in {problem.meta.key}")
        )
        inside = of_classes(problem.scale)
        soft = config.scale_mode == "soft"
        yield Wish(*named, [Prefers(lambda onset: inside) if soft else Pitches(inside)])
    if config.max_leap is not None:
        yield Wish("max_leap", config.max_leap, [Leaps(config.max_leap)])
    if config.no_repeat_notes is not None:
        yield Wish("no_repeat_notes", config.no_repeat_notes, [Repeats(config.no_repeat_notes)])
    if config.contour is not None:
        home = range(12) if "end_on" in problem.leaves_out else problem.home[1]
        line = place(config.contour, *problem.pitches, home)
        contour = Contour(line, layout.sections, shortest_end(problem.meta.time_signature))
        yield Wish("contour", config.contour, [contour])
    if config.density is not None:
        rules: list[Constraint] = [
            Within(Density(config.density, bar, start, min(end, layout.nominal_end)), [(start, end)])
            for start, end in problem.counted_in
        ]
        rules = rules or [Density(config.density, bar, problem.begins, layout.nominal_end)]
        yield Wish("density", config.density, rules)
    if config.rests == "none":
        yield Wish("rests", config.rests, [NoRests()])
    if config.rests == "few":
        yield Wish("rests", config.rests, _few_rests(problem))
    wish, classes = problem.home
    end = layout.regions[layout.closing].end
    given = any(stop == end for _, stop in problem.fixed_rhythm)  # then so is how long the last note is
    shortest = 1 if given else shortest_end(problem.meta.time_signature)
    if not given and problem.pickup and -end % bar == problem.pickup:
        # A form's last section ends where its next pickup would begin, which need not be on a beat: the last note is.
        shortest -= problem.pickup % shortest
    room = 0 if problem.to_the_end else problem.pickup
    yield Wish("end_on", wish, [EndsOn(classes, end, shortest, room)])
    if config.rests in ("some", "many") and layout.rest_stretches:
        yield Wish("rests", config.rests, [SomeRests(layout.rest_stretches, layout.echoes)])


def _grid(problem: Problem) -> Grid:
    metre = problem.meta.time_signature
    grid = problem.config.grid_steps(metre)
    triplets = not metre.is_compound if problem.config.triplets is None else problem.config.triplets
    # Triplets of eighths in a quarter; on a grid of quarters, of quarters in a half note.
    return Grid(metre.bar_steps, grid, 0 if not triplets or grid > 24 else 16 if grid == 24 else 8)


def _over_chords(problem: Problem) -> list[Constraint]:
    metre, key, echoes = problem.meta.time_signature, problem.meta.key, problem.layout.echoes
    over = OverChords(problem.chords, metre, problem.scale or key.scale, key.tonic, echoes)
    everything = in_range(0, PITCHES - 1)

    def fits(onset: int) -> BoolArray:
        legal = over.begins(onset)
        return everything if legal is None else legal

    if problem.config.chord_mode == "soft":
        return [Prefers(fits)]
    if problem.config.scale_mode == "soft":
        return [OverChords(problem.chords, metre, None, key.tonic, echoes), Prefers(fits)]
    return [over]


def _few_rests(problem: Problem) -> list[Constraint]:
    metre, end = problem.meta.time_signature, problem.layout.regions[problem.layout.closing].end
    if problem.counted_in:
        return [
            Within(
                FewRests(max(1, (stop - start) // metre.bar_steps // RESTS_EVERY), metre.beat_steps, start, end),
                [(start, stop)],
            )
            for start, stop in problem.counted_in
        ]
    most = max(1, problem.meta.bars // RESTS_EVERY)
    return [FewRests(most, metre.beat_steps, problem.begins, end, problem.layout.echoes)]
