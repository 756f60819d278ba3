"""What the studio's threads do: write melodies and tell of every note, change them, look inside, make files."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from threading import Lock
from typing import Any, Literal

from melodygru import __version__
from melodygru.chords import ChordSpan as Span
from melodygru.chords import parse_progression, voicing
from melodygru.composition import Generated, Order
from melodygru.editing import Tune
from melodygru.errors import MelodyGRUError, MidiError, UsageError
from melodygru.generator import Model, draw_seed
from melodygru.layout import chords_over
from melodygru.melody import Melody, Note
from melodygru.midi_writer import midi_bytes
from melodygru.naming import file_names
from melodygru.performance import Performance
from melodygru.planner import Plan
from melodygru.recipe import Recipe
from melodygru.rendering import rendered
from melodygru.replay import changed, packed_input
from melodygru.studio import messages
from melodygru.studio.models import Models, interruptible, typical_run
from melodygru.studio.shelf import Shelf
from melodygru.studio.work import Job
from melodygru.tokenizer import END, REST, TIE

_FRAME = 4
"""Bytes of sound for each of its samples: two channels of 16 bits."""
GATHERED = 0.025
"""Seconds over which notes are gathered before they are sent."""
SHOWN = 64
"""Candidates whose notes are shown as they are drawn, at most."""


def event(kind: str, data: Any) -> bytes:
    """A server-sent event."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"event: {kind}\ndata: {text}\n\n".encode()


def generate(job: Job, models: Models, shelf: Shelf, asked: messages.Generate) -> None:
    """Write new melodies, and tell of it as server-sent events: start, notes, take, done; error once begun.

    Raises UsageError, before anything is told, for what cannot be done.
    """
    config = asked.options.config()
    _check_amount(config.bars or 1, max(config.best_of or 1, asked.takes))
    model = models.get(asked.model)
    primer = None if asked.primer is None else asked.primer.tune()
    if primer is not None and not primer.notes:
        raise UsageError("The primer has no notes; draw some, or leave it out.")
    seed = draw_seed() if asked.seed is None else asked.seed
    order = Order(config, seed, primer, asked.include_primer)
    with job.aside():  # a thousand bars may take seconds
        made = model.planned(order)
    candidates = model.candidates_for(config, asked.takes)
    _check_amount(made.meta.bars, candidates)
    details = {} if primer is None else {"include_primer": asked.include_primer}
    recipe = Recipe(__version__, model.name, model.fingerprint, seed, config=config, source=primer, details=details)
    listener = _Listener(job, made, min(candidates, SHOWN), primer is not None and not asked.include_primer)
    start = _start(order, model, made, candidates, asked.takes, listener.origin)
    job.tell(event("start", start.model_dump_json()))
    try:
        for index, one in enumerate(model.compose_each(order, asked.takes, made=made, watch=listener)):
            listener.flush()
            job.check()
            if not index:
                names = file_names(model.name, one.melody, seed, asked.takes)
            own = replace(recipe, number=one.number, performance=Performance(seed=seed + one.number))
            take = _take(job, model, shelf, index, one, own, names[index], rendered(one, own))
            job.tell(event("take", take.model_dump_json()))
        job.tell(event("done", {}))
    except MelodyGRUError as error:
        job.tell(event("error", {"detail": messages.plain(str(error))}))


def _check_amount(bars: int, candidates: int) -> None:
    """Raise UsageError for more than a studio is to write at once: known before or, for good, after planning."""
    if candidates * bars > messages.MAX_DRAWN:
        raise UsageError(
            f"{candidates} candidates of {bars} bars are more than the studio writes at once ({messages.MAX_DRAWN:,} "
            "bars); ask for fewer bars, fewer takes, or a smaller best-of."
        )


def _start(order: Order, model: Model, made: Plan, candidates: int, takes: int, origin: int) -> messages.Start:
    metre = made.meta.time_signature
    pickup = 0
    if made.meta.has_pickup and not origin:
        given = order.primer.pickup if order.primer is not None else 0
        pickup = given or order.config.pickup_steps(metre)
    length = made.meta.length - origin
    return messages.Start(
        seed=order.seed,
        model=model.name,
        candidates=candidates,
        takes=takes,
        meter=str(metre),
        key=str(made.meta.key),
        bpm=made.qpm,
        bars=length // metre.bar_steps - bool(pickup),
        pickup=pickup,
        length=length,
        bar_steps=metre.bar_steps,
        beat_steps=metre.beat_steps,
    )


class _Listener:
    """Hears of events as they are drawn, and tells of notes: (candidate, onset, duration, pitch or -1 for a rest).

    Attributes:
        origin: the step of what is drawn that is told as step 0: where music without its primer begins.
    """

    def __init__(self, job: Job, made: Plan, shown: int, cut: bool):
        self.job, self.shown = job, shown
        bar = made.meta.time_signature.bar_steps
        self.begins = made.begins if cut else 0
        self.origin = made.begins // bar * bar if cut else 0
        self.length = made.meta.length
        self.events: list[list[tuple[int, int, int]]] = [[] for _ in range(shown)]
        self.rows: dict[tuple[int, int], tuple[int, int, int, int]] = {}
        self.sent = 0.0

    def __call__(self, drawn: Mapping[int, tuple[int, int, int]]) -> None:
        """One event each, by candidate: (onset, duration, pitch class)."""
        self.job.check()
        for number, (onset, duration, pitch) in drawn.items():
            if number >= self.shown:
                continue
            events = self.events[number]
            shortened = False
            while events and events[-1][0] >= onset:
                shortened |= events.pop()[2] == TIE
            if shortened:
                self._tell(number)
            if duration == END:
                duration = self.length - onset
            if duration:
                events.append((onset, duration, pitch))
                self._tell(number)
        if time.monotonic() - self.sent >= GATHERED:
            self.flush()

    def _tell(self, number: int) -> None:
        """Tell of a candidate's last note or rest, with all that was tied to it."""
        events, total, at = self.events[number], 0, -1
        for onset, duration, pitch in reversed(events):
            total, at = total + duration, onset
            if pitch != TIE:
                break
        if events and at >= self.begins and pitch != TIE:
            # What is told again at the same place, longer by a tie, need not be told twice.
            self.rows.pop((number, at), None)
            self.rows[number, at] = (number, at - self.origin, total, -1 if pitch == REST else pitch)

    def flush(self) -> None:
        """Send what was gathered."""
        if self.rows:
            self.job.tell(event("notes", list(self.rows.values())))
            self.rows = {}
        self.sent = time.monotonic()


def change(
    job: Job, models: Models, shelf: Shelf, command: Literal["infill", "vary"], asked: messages.Infill | messages.Vary
) -> messages.Take:
    """Change a melody, as `melodygru infill` and `melodygru vary` do with its file."""
    config = asked.options.config()
    model = models.get(asked.model)
    ours = asked.melody.tune()
    if not ours.notes:
        raise UsageError("The melody has no notes; draw some, or have a new one written.")
    seed = draw_seed() if asked.seed is None else asked.seed
    try:
        tune = Tune.parse(midi_bytes(ours), ours.name)
    except MidiError as error:
        raise MidiError(f"The melody {error}") from None
    # In the file, bars count from where the music begins.
    first = tune.extraction.starts[0]
    details: dict[str, Any] = {}
    if isinstance(asked, messages.Vary):
        details = {"amount": asked.amount} | ({} if asked.keep is None else {"keep": asked.keep})
    if asked.bars is not None:
        details["bars"] = _bars_in(asked.bars, ours, tune.melody, first)
    recipe = Recipe(
        __version__, model.name, model.fingerprint, seed, config=config, command=command,
        details={**details, **packed_input(tune)},
    )  # fmt: skip
    done, recipe, data = changed(recipe, interruptible(model, job.check), tune)
    notes = tuple(replace(note, onset=note.onset + first) for note in done.melody.notes)
    bars = max(ours.bars, _bars_to(notes, ours))
    whole = replace(ours, notes=notes, bars=bars, pickup=_pickup(notes, ours))
    metre = whole.time_signature
    spans = chords_over(config.spans(metre), metre.bar_steps if whole.pickup else 0, whole.length, 0)
    one = Generated(whole, spans, None, done.number)
    return _take(job, model, shelf, 0, one, recipe, f"{ours.name or 'melody'} {_DONE[command]}.mid", data)


_DONE = {"infill": "filled", "vary": "varied"}


def _bars_in(text: str, ours: Melody, theirs: Melody, first: int) -> str:
    """Bars of our melody, as those of one whose first bar line is at our step `first` are counted."""
    from melodygru.rewriting import parse_bars

    low, high = parse_bars(text, ours)
    shift = theirs.bar_of(0) - ours.bar_of(first)
    if low + shift < theirs.bar_of(0) or high + shift > theirs.bars:
        raise UsageError(
            f"bars is {text}, and the notes stand in bars {theirs.bar_of(0) - shift} to {theirs.bars - shift}; choose "
            "among these."
        )
    return f"{low + shift}-{high + shift}" if shift else text


def _bars_to(notes: Sequence[Note], melody: Melody) -> int:
    last = max(note.end for note in notes)
    return -(-last // melody.time_signature.bar_steps) - bool(melody.pickup)


def _pickup(notes: Sequence[Note], melody: Melody) -> int:
    """The pickup of new notes in place of a melody's own: where bar 0 was written anew, it may be another."""
    if not melody.pickup:
        return 0
    return melody.time_signature.bar_steps - notes[0].onset


def _take(
    job: Job, model: Model, shelf: Shelf, index: int, one: Generated, recipe: Recipe, name: str, data: bytes
) -> messages.Take:
    url, name = shelf.put(name.removesuffix(".mid"), "mid", data)
    return messages.Take(
        index=index,
        melody=messages.MelodyAnswer.of(one.melody),
        chords=chords_for(one.chords),
        model=model.name,
        made_by=recipe.command,  # type: ignore[arg-type]
        seed=recipe.seed,
        number=one.number,
        options=recipe.config.as_dict(),
        run=_run(job, model, one.melody),
        file=messages.FileLink(url=url, name=name),
    )


def chords_for(spans: Sequence[Span]) -> list[messages.ChordSpan]:
    """Chords for the wire."""
    return [
        messages.ChordSpan(
            onset=span.onset,
            end=span.end,
            symbol=span.chord.symbol if span.chord else "N.C.",
            pitches=list(voicing(span.chord)) if span.chord else [],
        )
        for span in spans
    ]


def _run(job: Job, model: Model, melody: Melody) -> messages.Run | None:
    index = model.checkpoint.index
    if index is None:
        return None
    with job.aside():
        longest = index.longest_run(melody)
    return messages.Run.of_shared(longest, len(melody.notes), typical_run(model.provenance))


def look(job: Job, models: Models, asked: messages.Look) -> messages.LookAnswer:
    """What happens inside a model while it hears a melody."""
    import numpy as np

    from melodygru.gates import trace

    model = models.get(asked.model)
    melody = asked.melody.tune()
    if not melody.notes:
        raise UsageError("The melody has no notes to look at; draw some.")
    heard = trace(interruptible(model, job.check).engine, melody)
    nats = heard.nats.sum(axis=0).tolist()
    gates = [layer["keep"] for layer in heard.gates if "keep" in layer]
    kept: list[float | None] = [None] * len(nats)
    if gates:
        kept = np.concatenate(gates, axis=1).mean(axis=1).tolist()
    flats = melody.key.fifths < 0
    notes: list[messages.Heard] = []
    firsts, rows = 0, list[tuple[int, int, float]]()
    events = zip(heard.onsets.tolist(), heard.events.durations.tolist(), heard.events.pitches.tolist(), strict=True)
    for at, (onset, duration, pitch) in enumerate(events):
        if duration != END and (value := kept[at]) is not None:
            rows.append((onset, duration, value))
        if pitch == TIE:
            notes[-1].nats += nats[at]
        elif pitch < REST:
            choices = heard.considered[at]
            firsts += (choices[0].duration, choices[0].pitch) == (duration, pitch)
            notes.append(
                messages.Heard(
                    onset=onset,
                    nats=nats[at],
                    keep=kept[at],
                    considered=[_choice(one.duration, one.pitch, one.probability, flats) for one in choices],
                )
            )
    return messages.LookAnswer(
        nats_per_note=sum(nats) / len(notes),
        first_choice=firsts / len(notes),
        run=_run(job, model, melody),
        notes=notes,
        keep=rows,
    )


def _choice(duration: int, pitch: int, probability: float, flats: bool) -> messages.Choice:
    from melodygru.theory import pitch_name
    from melodygru.tokenizer import note_value

    if duration == END:
        return messages.Choice(pitch=None, duration=0, name="end of the tune", probability=probability)
    what = {REST: "rest", TIE: "longer by a"}.get(pitch) or pitch_name(pitch, flats=flats)
    return messages.Choice(
        pitch=pitch if pitch < REST else None,
        duration=duration,
        name=f"{what} {note_value(duration)}",
        probability=probability,
    )


def open_file(job: Job, data: bytes, name: str) -> messages.Opened:
    """The melodies of a file. Raises MidiError, saying why there are none."""
    from melodygru.scores import parse

    try:
        with job.aside(), _READING:
            found = parse(data, name)
    except MidiError as error:
        raise MidiError(f"{name} {error}") from None
    except Exception as error:  # whatever readers of scores stumble over in files of strangers
        raise MidiError(f"{name} cannot be understood ({type(error).__name__}); save it anew, as MIDI.") from error
    return messages.Opened(
        melodies=[messages.MelodyAnswer.of(melody) for melody in found.melodies], remarks=list(found.remarks)
    )


_READING = Lock()
"""Scores are read through music21, which keeps settings that all threads share."""


def save(job: Job, shelf: Shelf, asked: messages.Save) -> messages.FileLink:
    """Make a file of a melody."""
    melody = asked.melody.tune()
    metre = melody.time_signature
    performance = Performance(program=asked.program, swing=asked.swing)
    performance.check(metre)
    spans: tuple[Span, ...] = ()
    if asked.chords is not None and asked.chords.strip():
        once = parse_progression(asked.chords, metre, asked.beats_per_chord)
        spans = chords_over(once, metre.bar_steps if melody.pickup else 0, melody.length, 0)
    suffix = asked.format
    if suffix == "mid":
        data = midi_bytes(melody, performance, spans)
    elif suffix == "wav":
        from melodygru.synthesis import RATE, wav_bytes

        longest = shelf.largest / (RATE * _FRAME)
        if melody.seconds > longest:
            raise UsageError(
                f"The melody lasts {melody.seconds / 60:.1f} minutes, and the studio makes sound of {longest / 60:.1f} "
                "at most; save it as MIDI, and use melodygru render."
            )
        midi = midi_bytes(melody, performance, spans)
        try:
            with job.aside():
                data = wav_bytes(midi, asked.program)
        except MidiError as error:
            raise MidiError(f"The melody {error}") from None
    else:
        from melodygru.notation import written

        with job.aside():
            data = written(melody, spans, f".{suffix}")
    url, name = shelf.put(melody.name or "melody", suffix, data)
    return messages.FileLink(url=url, name=name)
