"""What must hold of every melody that is read, whatever stood in the file."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, pairwise

from fuzzing.verdicts import Broken, template
from melodygru.errors import MelodyGRUError
from melodygru.formats.midi.writer import midi_bytes
from melodygru.formats.reading import parse
from melodygru.music.melody import Melody, Note
from melodygru.music.theory import STEPS_PER_QUARTER
from melodygru.network.tokenizer import Tokenizer

_MOST_BARS = 20_000
"""Of one melody: the longest piece of music that is played has some thousands."""


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
        "has a name that can be shown": melody.name.isprintable(),
    }
    for rule, kept in rules.items():
        if not kept:
            raise Broken("melody", f"no melody that {rule}: {melody!r:.300}", rule)
    events = Tokenizer().encode(melody)
    if Tokenizer().decode(events, melody.qpm, melody.name) != melody:
        raise Broken("events", f"events give another melody: {melody!r:.300}")


def check_written(melody: Melody) -> None:
    """Notes on sixteenths or triplets come back as they were; finer ones may be taken for played, and set on a grid."""
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
    if _on_coarse_grid(melody) and read != list(notes):
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
