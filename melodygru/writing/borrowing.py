"""New melodies that take one side of a melody that is there: its rhythm, or its pitches in their order."""

from __future__ import annotations

from dataclasses import replace

from melodygru.errors import UsageError
from melodygru.music.chords import estimate_key
from melodygru.music.melody import Melody, Note
from melodygru.network.tokenizer import PieceMeta
from melodygru.writing.config import GenerationConfig
from melodygru.writing.constraints.base import PITCHES, Constraint, in_range
from melodygru.writing.constraints.fidelity import AsWritten, InOrder
from melodygru.writing.constraints.past import Banned
from melodygru.writing.layout import Layout, Region, Script, chords_over, given_events
from melodygru.writing.planner import Plan, place_of_pickup
from melodygru.writing.problem import Problem
from melodygru.writing.styles import conditions_for
from melodygru.writing.values import DEFAULT_GRID

RHYTHM, IN_ORDER = "rhythm", "pitches"
"""What is taken from the other melody, as options name it."""


def one_source(primer: Melody | None, rhythm: Melody | None, pitches: Melody | None) -> tuple[Melody | None, str]:
    """The melody that a new one begins with or takes something of, and what it takes ("" for the beginning).

    Raises UsageError for more than one.
    """
    given = {"": primer, RHYTHM: rhythm, IN_ORDER: pitches}
    said = [(melody, takes) for takes, melody in given.items() if melody is not None]
    if len(said) > 1:
        words = " and ".join(f"--{takes or 'primer'}" for _, takes in said)
        raise UsageError(f"{words} contradict each other; give one of them.")
    return said[0] if said else (None, "")


def plan_borrowing(
    config: GenerationConfig,
    source: Melody,
    what: str,
    max_duration: int = 192,
    banned: Banned | None = None,
    loops: bool = False,
) -> Plan:
    """What the sampler works with to write a melody with another one's rhythm, or with its pitches in their order.

    A rhythm brings its metre, bars and pickup with it; pitches come with the bars that are asked for, else as many as
    they had. Key and tempo are the source's, where nothing else is said.

    Args:
        config: what is asked for; wishes about what is taken have no meaning, and are not heard.
        source: the other melody, with a note or more.
        what: "rhythm" or "pitches".
        max_duration: longest duration of an event, in steps.
        banned: see `melodygru.writing.constraints.past.Guard`.
        loops: whether a new rhythm leaves the pickup its place in the last bar; a given one does, or does not.

    Raises:
        UsageError: wishes that contradict the source, or cannot be kept.
    """
    made = (_on_rhythm if what == RHYTHM else _of_pitches)(config, source, max_duration)
    closed = [place_of_pickup(made.meta.length, made.pickup)] if loops and what == IN_ORDER else []
    problem = replace(made, banned=banned, further=[*made.further, *closed])
    for relaxed in (False, True):
        ahead = problem.look(problem.wishes, relaxed)
        if ahead is not None:
            qpm = source.qpm if config.bpm is None else config.tempo
            return Plan(problem.meta, qpm, ahead, problem.layout.script, problem.chords, fills_out=what != RHYTHM)
    raise problem.refusal()


def _on_rhythm(config: GenerationConfig, source: Melody, max_duration: int) -> Problem:
    settled = {"meter": str(source.time_signature), "bars": str(source.bars), "form": "", "pickup": ""}
    for name, own in settled.items():
        if (said := getattr(config, name)) is not None and str(said) != own:
            brings = f"it has {own} {'bars' if name == 'bars' else ''}".strip() if own else "it has its own"
            raise UsageError(f"--{name} {said} and --rhythm contradict each other: {brings}; leave --{name} out.")
    problem = _problem(config, source, RHYTHM, source.bars, source.pickup, max_duration)
    anything = dict.fromkeys(range(len(source.notes)), in_range(0, PITCHES - 1))
    whole = (problem.begins, problem.meta.length)
    return replace(problem, silence=1.0, further=[AsWritten(source, anything, max_duration)], fixed_rhythm=[whole])


def _of_pitches(config: GenerationConfig, source: Melody, max_duration: int) -> Problem:
    if config.form is not None:
        raise UsageError(f"--form {config.form} and --pitches contradict each other: they come once; leave one out.")
    metre = source.time_signature if config.meter is None else config.time_signature
    bars = config.bars or source.bars
    problem = _problem(config, source, IN_ORDER, bars, config.pickup_steps(metre), max_duration)
    start, end = problem.begins, problem.meta.length
    room = (end - start) // config.grid_steps(metre)
    if len(source.notes) > room:
        raise UsageError(
            f"{len(source.notes)} pitches do not fit into {bars} bar{'s' * (bars > 1)} of {metre} on a grid of "
            f"{config.grid or DEFAULT_GRID}; ask for more --bars, or a finer --grid."
        )
    row = Melody(tuple(Note(note.pitch, start + i, 1) for i, note in enumerate(source.notes)), metre, bars=bars + 1)
    in_order: list[Constraint] = [InOrder(row, [(start, end)], changes=False)]
    return replace(problem, further=in_order, fixed_pitches=[(start, end)], leaves_out=("end_on",))


def _problem(config: GenerationConfig, source: Melody, what: str, bars: int, pickup: int, max_duration: int) -> Problem:
    if not source.notes:
        raise UsageError(f"What --{what} names has no notes; give a file with some.")
    metre = source.time_signature if what == RHYTHM or config.meter is None else config.time_signature
    bar = metre.bar_steps
    spans = config.spans(metre)
    key = config.named_key or (estimate_key(spans) if spans else source.key)
    meta = PieceMeta(metre, key, bars, pickup > 0)
    chords = chords_over(spans, bar if pickup else 0, meta.length)
    meta = replace(meta, conditions=conditions_for(config, metre, chords))
    begins = bar - pickup if pickup else 0
    layout = Layout(
        [Region(begins, meta.length)],
        Script(given_events(None, begins, max_duration)),
        0,
        meta.length,
        sections=[(begins, meta.length)],
    )
    first_by = max(bar, source.notes[0].onset + 1) if what == RHYTHM else max(bar, begins + bar)
    return Problem(
        config, meta, layout, max_duration, first_by, chords=chords, begins=begins, resting=begins > 0, pickup=pickup
    )
