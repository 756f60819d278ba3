"""What is asked of the writer while the music goes on, and what it makes of that: always something, and soon."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from melodygru.arranging.accompaniment import accompany
from melodygru.arranging.arrangement import Arrangement
from melodygru.arranging.harmony import STYLES as HARMONY_STYLES
from melodygru.arranging.harmony import harmonize
from melodygru.errors import MelodyGRUError, SamplingError, UsageError
from melodygru.music.chords import ChordSpan, lay_out, parse_progression
from melodygru.music.melody import Melody, Note
from melodygru.music.theory import TimeSignature, pitch_name
from melodygru.music.tracks import BASS, CHORDS, Track
from melodygru.option import taken_by
from melodygru.records import dataclass
from melodygru.writing.config import GenerationConfig
from melodygru.writing.model import Model
from melodygru.writing.styles import STYLES
from melodygru.writing.variation import vary

ROOM = 5
"""Semitones beyond what was heard that an answer may go, either way."""
LEAST_ROOM = 14
"""Semitones that an answer has at least: an octave and a tone."""
LONGEST_REST = 96
"""Steps before the answer for which the last note heard is held, as the network hears it; none is written there."""


@dataclass(frozen=True)
class Ask:
    """What is to be written.

    Attributes:
        number: which one it is; an answer says so again.
        kind: "answer" (in the register and density of what was heard), "go on" (as it likes), "vary", "new" (from
            nothing), or "around" (chords and bass for the bar that comes).
        bars: how many are wanted; a part of a bar before them comes on top, where `start` is no bar line.
        metre: of the music.
        seed: at least 0.
        heard: the melody that it follows; None for "new".
        start: the step of `heard`'s count at which what is new begins.
        wishes: fields of `GenerationConfig`, as the user said them.
        shift: bars by which the progression has gone on when `heard` begins.
        amount: the share of notes to vary, in [0, 1].
    """

    number: int
    kind: str
    bars: int
    metre: TimeSignature
    seed: int
    heard: Melody | None = None
    start: int = 0
    wishes: Mapping[str, Any] = field(default_factory=dict)
    shift: int = 0
    amount: float = 0.0


@dataclass(frozen=True)
class Answer:
    """What was written.

    Attributes:
        number: of what was asked.
        notes: a line, counted from where it begins.
        seconds: how long it took.
        remark: what stood in the way, if anything.
        tracks: what plays around a line, counted in the same way.
    """

    number: int
    notes: tuple[Note, ...]
    seconds: float = 0.0
    remark: str = ""
    tracks: tuple[Track, ...] = ()


def answered(model: Model, ask: Ask) -> Answer:
    """Write what is asked for; where wishes cannot be kept, with fewer of them, and in the end what was heard again."""
    began = time.perf_counter()
    remark = ""
    if ask.kind == "around":
        return Answer(ask.number, (), time.perf_counter() - began, tracks=around(model, ask))
    for wishes in _wishes(ask):
        try:
            notes = _written(model, ask, wishes)
        except (UsageError, SamplingError) as error:
            remark = remark or str(error)
            continue
        return Answer(ask.number, notes, time.perf_counter() - began, remark)
    heard = () if ask.heard is None else ask.heard.notes
    return Answer(ask.number, tuple(heard), time.perf_counter() - began, remark)


def check_wishes(model: Model, ask: Ask) -> Answer:
    """As `answered`, but of wishes that cannot be kept raises what stands in the way: for the user's own."""
    began = time.perf_counter()
    return Answer(ask.number, _written(model, ask, dict(ask.wishes)), time.perf_counter() - began)


def _wishes(ask: Ask) -> Iterator[dict[str, Any]]:
    """The user's wishes with those that follow from what was heard, and then with fewer and fewer."""
    said = dict(ask.wishes)
    if ask.kind == "answer" and ask.heard is not None and ask.heard.notes:
        register = {"range": said.get("range", register_of(ask.heard))}
        density = max(len(ask.heard.notes) / ask.heard.bars, 1.0)
        yield {**said, **register, "density": said.get("density", round(density, 2))}
        yield {**said, **register}
        yield {**said, **register, "end_on": "any"}
    yield said
    yield {**_plainly(said), "end_on": "any"}
    yield {}


def register_of(melody: Melody) -> str:
    """The range of pitches in which an answer lies, as `GenerationConfig` takes it; of one note at least."""
    pitches = [note.pitch for note in melody.notes]
    low, high = min(pitches) - ROOM, max(pitches) + ROOM
    more = max(LEAST_ROOM - (high - low), 0)
    low, high = max(low - more // 2, 0), min(high + more - more // 2, 127)
    return f"{pitch_name(low)}:{pitch_name(high)}"


def _written(model: Model, ask: Ask, wishes: dict[str, Any]) -> tuple[Note, ...]:
    heard = ask.heard
    if ask.kind == "vary" and heard is not None:
        taken = {option.name for option in taken_by("vary", GenerationConfig)}
        config = GenerationConfig.from_dict({name: value for name, value in wishes.items() if name in taken})
        # Silent bars at the beginning are not for varying.
        silent = heard.notes[0].onset // heard.time_signature.bar_steps * heard.time_signature.bar_steps
        sounding = replace(heard, notes=_shifted(heard.notes, -silent), bars=0)
        return _shifted(vary(model, sounding, ask.amount, config, ask.seed).melody.notes, silent)
    if wishes.get("chords"):
        spans = GenerationConfig.from_dict({**wishes, "meter": str(ask.metre)}).spans(ask.metre)
        wishes = {**wishes, "chords": rotated(spans, ask.shift, ask.metre), "beats_per_chord": 1.0}
    if heard is None or not heard.notes:
        config = GenerationConfig.from_dict({"meter": str(ask.metre), **wishes, "bars": ask.bars})
        return model.compose(model.in_own_style(config), ask.seed)[0].melody.notes
    bar = heard.time_signature.bar_steps
    bars = -(-ask.start // bar) + ask.bars
    config = GenerationConfig.from_dict({**wishes, "key": str(heard.key), "bars": bars})
    primer = replace(_held(heard, ask.start), bars=0)
    whole = model.compose(config, ask.seed, 1, primer, True)[0].melody
    return _shifted([note for note in whole.notes if note.onset >= ask.start], -ask.start)


def _shifted(notes: Sequence[Note], steps: int) -> tuple[Note, ...]:
    return tuple(replace(note, onset=note.onset + steps) for note in notes)


def around(model: Model, ask: Ask) -> tuple[Track, ...]:
    """Chords and bass of the bar that comes, in steps of that bar.

    What the player is about to play is guessed: the network goes on for a bar, and chords are found for what was heard
    with the guess at its end. (Chords of the bar that was heard fit the next one worse: see docs/decisions.md.)
    """
    heard = ask.heard
    assert heard is not None
    bar = heard.time_signature.bar_steps
    style = ask.wishes.get("style")
    guess = answered(model, replace(ask, kind="go on", bars=1, wishes=_plainly(ask.wishes)))
    before = [replace(note, duration=min(note.duration, ask.start - note.onset)) for note in heard.notes]
    coming = [note for note in _shifted(guess.notes, ask.start) if note.end <= ask.start + bar]
    whole = replace(heard, notes=(*before, *coming), bars=ask.start // bar + 1)
    if ask.wishes.get("chords"):
        config = GenerationConfig.from_dict({**ask.wishes, "meter": str(ask.metre)})
        spans = parse_progression(rotated(config.spans(ask.metre), ask.shift, ask.metre), ask.metre, 1.0)
        chords = lay_out(spans, 0, whole.length)
    else:
        kind = STYLES[style].collection if style else None
        chords = harmonize(whole, style=kind if kind in HARMONY_STYLES else None)[0].chords
    groove = Arrangement().played(ask.metre, style)
    tracks = accompany(whole, chords, (CHORDS, BASS), groove, ask.seed, bars=(whole.bars, whole.bars))
    return tuple(
        replace(track, strokes=tuple(one._replace(onset=one.onset - ask.start, end=one.end - ask.start)
                                     for one in track.strokes if one.onset >= ask.start))
        for track in tracks
    )  # fmt: skip


def _plainly(wishes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in wishes.items() if name in ("style", "temperature", "top_p")}


def _held(melody: Melody, start: int) -> Melody:
    """The melody as the network hears it: nothing after `start`, and its last note held until then.

    Else the model would fill the rest before an answer by itself, and a note of its own might sound into it.
    """
    notes = [
        replace(note, duration=min(note.duration, start - note.onset)) for note in melody.notes if note.onset < start
    ]
    last = notes[-1]
    if start - last.end <= LONGEST_REST:
        notes[-1] = replace(last, duration=start - last.onset)
    return replace(melody, notes=tuple(notes), bars=0)


def rotated(spans: tuple[ChordSpan, ...], bars: int, metre: TimeSignature) -> str:
    """A progression that begins so many bars later in itself, one symbol a beat."""
    beat, length = metre.beat_steps, spans[-1].end
    symbols = []
    for at in range(bars * metre.bar_steps, bars * metre.bar_steps + length, beat):
        chord = next(span.chord for span in spans if span.onset <= at % length < span.end)
        symbols.append("N.C." if chord is None else chord.symbol)
    return " ".join(symbols)


def safely(model: Model, ask: Ask) -> Answer:
    """`answered`, for a process that must go on whatever happens."""
    try:
        return answered(model, ask)
    except MelodyGRUError as error:
        return Answer(ask.number, (), remark=str(error))
    except Exception as error:
        return Answer(ask.number, (), remark=f"Nothing could be written ({type(error).__name__}: {error}).")
