"""What must hold of everything that is read, whatever stands in the file.

Each `examine_…` reads a file's bytes as the program does and gives what can be told apart of the outcome, as text: a
new one is worth keeping. What must not happen raises `Broken`.
"""

from __future__ import annotations

import re
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain, pairwise
from pathlib import Path
from types import FrameType
from typing import TypeVar

import numpy as np

from melodygru.cli.options import merged, part_of, performance
from melodygru.data.fast_lane import reader
from melodygru.data.shards import Shard, read_shard
from melodygru.errors import LONGEST_MESSAGE, CheckpointError, FileError, MelodyGRUError, MidiError, UsageError
from melodygru.formats.midi.extraction import ExtractionConfig
from melodygru.formats.midi.writer import midi_bytes
from melodygru.formats.reading import parse
from melodygru.formats.scores.cache import Reading
from melodygru.music.melody import Melody, Note
from melodygru.music.theory import STEPS_PER_QUARTER
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.config import ContextConfig, TokenizerConfig
from melodygru.network.engine import NumpyEngine
from melodygru.network.tokenizer import PieceMeta, Tokenizer
from melodygru.option import Option
from melodygru.writing.config import GenerationConfig
from melodygru.writing.planner import plan

_NEVER_TOLD = re.compile(
    r"Traceback|object at 0x|<class |<function |[a-z]Error\b|Note\(|could not be understood|\b0x7f"
)
"""What belongs into a debugger, or says that an error of ours was caught."""
_MOST_BARS = 20_000
"""Of one melody: the longest piece of music that is played has some thousands."""
_CHECKED_NOTES = 1000
"""Up to so many notes a melody is written and read again."""
_Result = TypeVar("_Result")


class Broken(Exception):
    """An oracle's verdict: which one, what it saw, and at what place of the program."""

    def __init__(self, oracle: str, message: str, place: str = ""):
        super().__init__(oracle, message, place)
        self.oracle, self.message, self.place = oracle, message, place


class TooSlow(BaseException):
    """Raised within the reader when its time is over; no `except Exception` of it catches that."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TooSlow after so many seconds of this process's own time, and again until somebody lets it through.

    Compiled code that never comes back to Python to hear of it is ended, process and all, by SIGXCPU later.
    """

    def end(signum: int, frame: FrameType | None) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGPROF, end)
    soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time() + 3 * seconds + 2), hard))
    signal.setitimer(signal.ITIMER_PROF, seconds, 0.2)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
        signal.signal(signal.SIGPROF, before)


def attempt(
    read: Callable[[], _Result], seconds: float, refusals: tuple[type[MelodyGRUError], ...]
) -> _Result | MelodyGRUError:
    """What is read in time, or the refusal, if it is one of those kinds and one sentence."""
    try:
        with time_limit(seconds):
            return read()
    except refusals as error:
        check_sentence(str(error))
        return error
    except MelodyGRUError as error:
        raise Broken("error", f"{type(error).__name__} where the reader says it raises none: {error}") from error


def check_sentence(text: str) -> None:
    """Whether people can be told this."""
    if found := _NEVER_TOLD.search(text):
        raise Broken("sentence", f"says {found[0]!r}: {text[:LONGEST_MESSAGE]}", template(text))
    if not text.endswith(".") or not text.isprintable() or len(text) > LONGEST_MESSAGE:
        why = "no full stop" if not text.endswith(".") else "too long" if text.isprintable() else "unprintable"
        raise Broken("sentence", f"{why}: {text[:LONGEST_MESSAGE]!r}", f"{why} {template(text)}")


def template(text: str) -> str:
    """A message without what differs from file to file: what tells one fault from another."""
    return re.sub(r"/\S+|'[^']*'|\([^)]*\)|[\d.]+", "#", text)[:80]


def outcome(text: str) -> str:
    """A message without paths, quoted words and numbers: what tells one way of a file's ending from another."""
    return re.sub(r"/\S+|'[^']*'|\d+", "#", text)[:160]


def examine_midi(data: bytes, folder: Path, suffix: str, seconds: float) -> str:
    """Both lanes, and all that is true of melodies."""
    signature = examine_score(data, folder, suffix, seconds)
    path = folder / f"x{suffix}"
    path.write_bytes(data)
    slow = _shard(path, seconds, fast=False)
    if reader() is not None:
        fast = _shard(path, seconds, fast=True)
        if difference := _difference(fast, slow):
            raise Broken("lanes", f"the two lanes give different {difference}", difference.partition(":")[0])
    return signature


def _shard(path: Path, seconds: float, fast: bool) -> Shard:
    with time_limit(seconds):
        shard = read_shard([str(path)], ExtractionConfig(), TokenizerConfig(), ContextConfig(), fast)
    for said in (*(file.reason for file in shard.files), *(text for file in shard.files for text in file.remarks)):
        check_sentence(f"{said}.")
    return shard


def _difference(one: Shard, two: Shard) -> str:
    if one.files != two.files:
        return f"reports: {one.files} and {two.files}"[:600]
    for name in ("table", "offsets", "durations", "pitches"):
        first, second = getattr(one, name), getattr(two, name)
        if first.dtype != second.dtype or first.tolist() != second.tolist():
            return f"{name}: {first.tolist()[:40]} and {second.tolist()[:40]}"
    for name, array in one.contexts.items():
        if array.dtype != two.contexts[name].dtype or not np.array_equal(array, two.contexts[name]):
            return f"context {name}"
    return ""


def examine_score(data: bytes, folder: Path, suffix: str, seconds: float) -> str:
    """Read twice; what comes out is music, or a refusal."""
    found = attempt(lambda: parse(data, f"x{suffix}"), seconds, (MidiError,))
    again = attempt(lambda: parse(data, f"x{suffix}"), seconds, (MidiError,))
    if isinstance(found, MelodyGRUError) or isinstance(again, MelodyGRUError):
        if str(found) != str(again):
            raise Broken("twice", f"read again, it is another: {str(found)[:200]} and {str(again)[:200]}")
        return outcome(str(found))
    if found != again:
        raise Broken("twice", "read again, it is another")
    return _music(found)


def _music(found: Reading) -> str:
    """Check everything that is promised of a reading; what can be told apart of it."""
    if not found.melodies:
        raise Broken("melody", "a reading without a melody, and no reason")
    for remark in found.remarks:
        check_sentence(f"{remark}.")
    for melody in found.melodies:
        check_melody(melody)
    first = found.melodies[0]
    sizes = (len(found.melodies), sum(len(melody.notes) for melody in found.melodies), first.bars)
    remarks = sorted({outcome(remark) for remark in found.remarks})
    return (
        f"{[size.bit_length() for size in sizes]} {first.time_signature} {first.pickup > 0} {first.key.mode} {remarks}"
    )


def check_melody(melody: Melody) -> None:
    """Raise Broken unless it is a line of notes within its bars that events and MIDI files can hold."""
    bar, notes = melody.time_signature.bar_steps, melody.notes
    start = bar - melody.pickup if melody.pickup else 0
    rules = {
        "has notes": bool(notes),
        "begins where it says": not notes or (notes[0].onset == start if melody.pickup else notes[0].onset >= 0),
        "ends within its bars": not notes or notes[-1].end <= melody.length,
        "has pitches of MIDI": all(type(note.pitch) is int and 0 <= note.pitch < 128 for note in notes),
        "has whole steps": all(type(note.onset) is type(note.duration) is int and note.duration >= 1 for note in notes),
        "does not overlap": all(one.end <= two.onset for one, two in pairwise(notes)),
        "has bars that music has": 1 <= melody.bars <= _MOST_BARS,
        "has a tempo": 4 <= melody.qpm <= 1000,
        "has a name that can be shown": melody.name.isprintable() and len(melody.name) <= LONGEST_MESSAGE,
    }
    for rule, kept in rules.items():
        if not kept:
            raise Broken("melody", f"no melody that {rule}: {melody!r:.300}", rule)
    events = Tokenizer().encode(melody)
    if Tokenizer().decode(events, melody.qpm, melody.name) != melody:
        raise Broken("events", f"events give another melody: {melody!r:.300}")
    if len(notes) <= _CHECKED_NOTES:
        _check_written(melody)


def _check_written(melody: Melody) -> None:
    """Notes on sixteenths or triplets come back as they were; others are set on such a grid, and keep their pitches."""
    notes = melody.notes
    if melody.pickup and notes[-1].end <= melody.time_signature.bar_steps:
        return  # an upbeat to nothing, which reading leaves out
    try:
        back = parse(midi_bytes(melody), "x.mid").melodies
    except MelodyGRUError as error:
        raise Broken("written", f"written as MIDI, it is refused: {error}", template(str(error))) from error
    read = [note for part in back for note in part.notes]
    if len(back) == 1:
        read = [replace(note, onset=note.onset - read[0].onset + melody.notes[0].onset) for note in read]
    else:  # rests of a hundred bars split it
        read = [replace(note, onset=own.onset) for note, own in zip(read, melody.notes, strict=False)]
    if not _on_coarse_grid(melody):
        read = [replace(note, onset=0, duration=1) for note in read]
        notes = tuple(replace(note, onset=0, duration=1) for note in notes)
    if read != list(notes):
        differing: tuple[Note | None, Note | None] = next(
            ((a, b) for a, b in zip(notes, read, strict=False) if a != b), (None, None)
        )
        raise Broken("written", f"written as MIDI and read, it is another: {len(read)} notes, {differing}")


def _on_coarse_grid(melody: Melody) -> bool:
    """Whether in each quarter all onsets and ends lie on sixteenths, or all on triplets."""
    places: dict[int, list[int]] = {}
    for step in chain.from_iterable((note.onset, note.end) for note in melody.notes):
        places.setdefault(step // STEPS_PER_QUARTER, []).append(step)
    return all(any(all(step % unit == 0 for step in steps) for unit in (6, 8)) for steps in places.values())


def examine_checkpoint(data: bytes, folder: Path, suffix: str, seconds: float) -> str:
    """Load it; what is loaded is finite, can be used for a step, and comes back from a file."""
    path = folder / f"x{suffix}"
    path.write_bytes(data)
    found = attempt(lambda: Checkpoint.load(path), seconds, (CheckpointError,))
    if isinstance(found, MelodyGRUError):
        return outcome(str(found))
    index = attempt(lambda: found.index, seconds, (CheckpointError,))
    if isinstance(index, MelodyGRUError):
        return outcome(str(index))
    if not all(array.dtype == np.float32 and np.isfinite(array).all() for array in found.weights.values()):
        raise Broken("weights", "weights that are not finite")
    with time_limit(5 * seconds):
        engine = NumpyEngine(found.model_config, found.weights)
        state = engine.start([PieceMeta()])
        if not np.isfinite(engine.duration_logits(state)).all():
            raise Broken("weights", "a step gives numbers that are not finite")
        if found.critic is not None:
            found.critic.log_odds(Melody((Note(60, 0, 24), Note(62, 24, 24))))
    found.save(path)
    back = Checkpoint.load(path)
    if back.metadata() != found.metadata() or back.packed_index != found.packed_index:
        raise Broken("twice", "saved and loaded, it is another")
    config = found.model_config
    return (
        f"{config.cell} {config.layers} {index is not None} {found.critic is not None} {sorted(found.provenance)[:3]}"
    )


def examine_options(data: bytes, folder: Path, suffix: str, seconds: float, known: list[Option]) -> str:
    """Merge it with an empty command line, make of it what `generate` makes, and lay the piece out."""
    path = folder / f"x{suffix}"
    path.write_bytes(data)

    def ordered() -> GenerationConfig:
        asked = merged({}, path, known)
        for option in known:
            if option.name in asked:
                option.check(asked[option.name])
        config = GenerationConfig.from_dict(part_of(asked, GenerationConfig))
        performance(asked).check(config.time_signature, with_chords=bool(asked.get("render_chords")))
        return config

    found = attempt(ordered, seconds, (FileError, UsageError))
    if isinstance(found, MelodyGRUError):
        return outcome(str(found))
    config = found
    planned = attempt(lambda: plan(config, TokenizerConfig().max_duration, None), 5 * seconds, (UsageError,))
    if isinstance(planned, MelodyGRUError):
        return outcome(str(planned))
    return f"{sorted(found.as_dict())}"
