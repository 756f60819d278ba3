"""What is to be written where, and what may be drawn so that all wishes are kept.

Generating, infilling and varying each say what is drawn, what stands fast and which options are none of theirs (a
`Problem`). Which wishes contradict one another is found here for all of them: before anything is drawn, and in the
words of the command line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import combinations

from melodygru.errors import UsageError
from melodygru.music.chords import ChordSpan
from melodygru.music.form import Form
from melodygru.music.melody import Melody
from melodygru.music.scales import parse_scale, scale_pitch_classes
from melodygru.network.tokenizer import PieceMeta
from melodygru.records import dataclass
from melodygru.writing.between import in_sections
from melodygru.writing.config import GenerationConfig
from melodygru.writing.constraints.base import PITCHES, Constraint
from melodygru.writing.constraints.elsewhere import Elsewhere
from melodygru.writing.constraints.past import Banned, Breathes, Guard
from melodygru.writing.constraints.places import Bars, Seams
from melodygru.writing.layout import Layout, Region
from melodygru.writing.lookahead import Lookahead
from melodygru.writing.values import LEARNED
from melodygru.writing.wishes import OF_PITCH, OF_RHYTHM, Wish, wishes_of

BARS_OF_A_NOTE = 2
"""In a style some note begins within so many bars of the last one that did, if it can; people's hardly ever do not."""


@dataclass(frozen=True)
class Problem:
    """What is to be written where: all that constraints are made of.

    Attributes:
        config: what is asked for.
        meta: metre, key and bars of the whole, what is given included.
        layout: what is drawn, what stands fast and what is repeated.
        max_duration: longest duration of an event, in steps.
        first_by: the step before which the first note begins.
        chords: the progression laid out over the whole; empty without chords.
        begins: the step at which new music begins.
        around: the melody that is continued or changed; new music stays in its octave where no range was named.
        before: the last pitch before what is drawn first, -1 if there is none.
        resting: whether a rest stands right before that.
        pickup: steps that the last note may leave free for a pickup.
        silence: the share of a bar that may be silent at the end; None: what the options leave.
        leaves_out: options that are not to be heard here.
        banned: what `--max-copy` forbids, see `melodygru.writing.constraints.past.Guard`; None: nothing.
        fixed_rhythm, fixed_pitches: half-open ranges of steps in which the rhythm, or the pitches, stand fast, so that
            what is wished of them is not to be heard.
        further: constraints that no option of `config` means.
        apart: whether notes and rests are counted in each section by itself.
    """

    config: GenerationConfig
    meta: PieceMeta
    layout: Layout
    max_duration: int
    first_by: int
    chords: tuple[ChordSpan, ...] = ()
    begins: int = 0
    around: Melody | None = None
    before: int = -1
    resting: bool = False
    pickup: int = 0
    silence: float | None = None
    leaves_out: Collection[str] = ()
    banned: Banned | None = None
    fixed_rhythm: Sequence[tuple[int, int]] = ()
    fixed_pitches: Sequence[tuple[int, int]] = ()
    further: Sequence[Constraint] = ()
    apart: bool = False

    @cached_property
    def wishes(self) -> list[Wish]:
        """All that is asked for here."""
        said = in_sections(self) if self.config.own_wishes and self.layout.letters else self.said()
        return [self._where_free(wish) for wish in said if wish.option not in self.leaves_out]

    def said(self) -> Iterator[Wish]:
        """A wish for each option that means constraints, wherever it is to be heard."""
        return wishes_of(self)

    def _where_free(self, wish: Wish) -> Wish:
        spans = [*self.fixed_rhythm] if wish.option in OF_RHYTHM else []
        spans += self.fixed_pitches if wish.option in (*OF_PITCH, "density") else []
        if wish.option == "end_on" and self.around is not None:
            # Where something kept stands between what is written and the end, that leaves room for what it likes.
            spans += [(one.start, one.end) for n, one in enumerate(self.layout.regions) if n != self.layout.closing]
        return replace(wish, rules=[Elsewhere(rule, spans) for rule in wish.rules]) if spans else wish

    @property
    def pitches(self) -> tuple[int, int]:
        """The lowest and the highest pitch: what was asked for, or a fifth beyond what stands there already."""
        if self.config.range is not None or self.around is None or not self.around.notes:
            return self.config.pitches
        found = [note.pitch for note in self.around.notes]
        return max(min(found) - 7, 0), min(max(found) + 7, PITCHES - 1)

    @property
    def scale(self) -> tuple[int, ...] | None:
        """The scale that was asked for, as pitch classes; None where none was."""
        if self.config.scale is not None:
            return scale_pitch_classes(parse_scale(self.config.scale), self.meta.key.tonic)
        return self.meta.key.scale if self.config.scale_mode is not None else None

    @property
    def home(self) -> tuple[str, Collection[int]]:
        """How the piece ends: the value of `end_on`, and the pitch classes of the last note."""
        key = self.meta.key
        last = next((span.chord for span in reversed(self.chords) if span.chord is not None), None)
        triad = key.scale[0], key.scale[2], key.scale[4]
        wish = self.config.end_on or ("chord" if last is not None and key.tonic not in last.tones else "tonic")
        return wish, {"any": range(12), "tonic": (key.tonic,), "chord": triad if last is None else last.tones}[wish]

    @property
    def to_the_end(self) -> bool:
        """Whether the last note sounds up to the last bar line.

        An early end is filled by its last note, which must not then sound where it may not.
        """
        rests = {self.config.rests, *(wishes.get("rests") for wishes in self.config.own_wishes.values())}
        return bool(rests & {"none", "few"}) or bool(self.chords and self.config.chord_mode not in ("soft", LEARNED))

    @property
    def counted_in(self) -> Sequence[tuple[int, int]]:
        """The sections in each of which what is counted is counted by itself; none: in the whole."""
        return self.layout.sections if self.apart else ()

    def look(
        self,
        wishes: Sequence[Wish],
        relaxed: bool = False,
        regions: Sequence[Region] | None = None,
        more: Sequence[Constraint] = (),
    ) -> Lookahead | None:
        """What may be drawn so that these wishes are kept; None where they cannot be.

        Args:
            wishes: some of those that were made, or all.
            relaxed: see `Lookahead`.
            regions: in place of the layout's.
            more: further constraints.
        """
        ahead, lost = self.foreseen(wishes, relaxed, regions, more)
        return None if lost else ahead

    def foreseen(
        self,
        wishes: Sequence[Wish],
        relaxed: bool = False,
        regions: Sequence[Region] | None = None,
        more: Sequence[Constraint] = (),
    ) -> tuple[Lookahead, list[int]]:
        """What may be drawn, as `look` says, and the numbers of regions in which these wishes cannot be kept."""
        metre, silence = self.meta.time_signature, self.silence
        if silence is None:
            silence = 0.0 if self.to_the_end else 0.5
        rules: list[Constraint] = [Bars(self.meta.length, metre.bar_steps, silence)]
        if self.config.form is not None:
            rules.append(Seams(self.layout.seams))
        if self.config.style is not None and (self.config.density is None or self.config.density >= 1):
            rules.append(Breathes(BARS_OF_A_NOTE * metre.bar_steps))
        rules += [*(rule for wish in wishes for rule in wish.rules), *more, *self.further]
        if self.banned is not None:
            guard = Guard(self.banned)
            rules.append(Elsewhere(guard, self.fixed_pitches) if self.fixed_pitches else guard)
        regions = self.layout.regions if regions is None else regions
        ahead = Lookahead(rules, regions, self.max_duration, self.first_by, relaxed)
        lost = [] if ahead.feasible(0, self.before, self.resting) else [0]
        later = enumerate(regions[1:], 1)
        return ahead, lost + [n for n, one in later if not ahead.feasible(n, one.before, one.resting)]

    def refusal(self) -> UsageError:
        """An error that says which wishes contradict each other: as few as do."""
        meta, form = self.meta, self.config.form
        what = f"{meta.bars} {'bar' if meta.bars == 1 else 'bars'} of {meta.time_signature} in {meta.key}"
        what += "" if form is None else f" with --form {Form.parse(form)}"
        for size in (1, 2, 3):
            for chosen in combinations(self.wishes, size):
                if self.look(chosen, relaxed=True) is None:
                    *others, last = [wish.words for wish in chosen]
                    if not others:
                        return UsageError(f"{last} cannot be kept in {what}; choose another value.")
                    listed = f"{', '.join(others)} and {last}"
                    return UsageError(f"{listed} contradict each other in {what}; change one of them.")
        listed = ", ".join(wish.words for wish in self.wishes)
        return UsageError(f"{listed} cannot all be kept in {what}; change one of them.")
