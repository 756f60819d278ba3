"""A score -> its melodies: MusicXML and **kern, with what scores know and MIDI does not.

Keys have their modes, pickups and bar lines are where they are written, repeats are written out. Of several parts the
melody is chosen as among the tracks of a MIDI file. What is written is taken at its word: no more is set
on the grid that does not lie there than a tenth of the notes, and a remark says so.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Any, TypeVar

from melodygru.errors import MidiError
from melodygru.formats.midi.extraction import DEFAULT_QPM, UPBEAT, ExtractionConfig, split_at_rests
from melodygru.formats.midi.parser import RawNote
from melodygru.formats.midi.unsaid import KEY_ESTIMATED
from melodygru.formats.scores.cache import Reading
from melodygru.formats.scores.kern.reader import scores_in_kern
from melodygru.formats.scores.layout import Placed, Stretch, lay_out
from melodygru.formats.scores.musicxml.reader import written_score
from melodygru.formats.scores.written import TICKS_PER_STEP, WrittenScore
from melodygru.music.chords import ChordSpan, spans_of
from melodygru.music.key_finding import estimate_key, key_for_signature
from melodygru.music.melody import Melody, Note, pitch_class_weights
from melodygru.music.theory import Key, TimeSignature
from melodygru.records import dataclass


def musicxml_melodies(data: bytes, stem: str, config: ExtractionConfig) -> Reading:
    """The melodies of MusicXML; see `melodygru.formats.scores.files.READERS`."""
    return _from_scores([written_score(data, zipped=False)], stem, config)


def mxl_melodies(data: bytes, stem: str, config: ExtractionConfig) -> Reading:
    """The same, zipped."""
    return _from_scores([written_score(data, zipped=True)], stem, config)


def kern_melodies(data: bytes, stem: str, config: ExtractionConfig) -> Reading:
    """The melodies of Humdrum **kern."""
    return _from_scores(scores_in_kern(data), stem, config)


def _from_scores(scores: Sequence[WrittenScore], stem: str, config: ExtractionConfig) -> Reading:
    """The melodies of all scores of a file; of several, those that hold none are remarks."""
    melodies: list[Melody] = []
    chords: list[tuple[ChordSpan, ...]] = []
    remarks: list[str] = []
    tracks: list[str] = []
    failed: list[MidiError] = []
    for score in scores:
        try:
            placed, found, told = placed_melodies(score, config)
        except MidiError as error:
            failed.append(error)
            continue
        melodies += [one.melody for one in found]
        chords += [chords_over(placed, one) for one in found]
        tracks.append(placed.label)
        remarks += told
    if not melodies:
        raise failed[0]
    remarks += [f"movement left out: it {str(error).split(';')[0].rstrip('.')}" for error in failed]
    return Reading(named(melodies, stem), tracks[0], tuple(remarks), tuple(chords))


def named(melodies: Sequence[Melody], stem: str) -> tuple[Melody, ...]:
    """With the file's name where there is no title, and numbers where several would have the same."""
    named, seen = [], Counter[str]()
    for number, melody in enumerate(melodies, 1):
        name = melody.name or stem
        seen[name] += 1
        place = seen[name] if melody.name else number
        named.append(replace(melody, name=name if place == 1 else f"{name} #{place}"))
    return tuple(named)


@dataclass(frozen=True)
class PlacedMelody:
    """A melody of a score, and the tick of the score, as it is played, at which its step 0 is."""

    start: int
    melody: Melody

    def steps(self, tick: int) -> int:
        """The step of the melody that is nearest to a tick of the score, before its beginning or after its end too."""
        return round((tick - self.start) / TICKS_PER_STEP)


def placed_melodies(
    score: WrittenScore, config: ExtractionConfig
) -> tuple[Placed, tuple[PlacedMelody, ...], tuple[str, ...]]:
    """A score as it is played, its melodies, at least one, and remarks; see `melodygru.formats.scores.cache.Reading`.

    Raises MidiError, saying why there are none.
    """
    placed = lay_out(score, config.track, config.min_notes)
    remarks = dict.fromkeys((*score.remarks, *placed.remarks))
    pieces = _cut(placed, placed.stretches, config)
    if not pieces and len(placed.stretches) > 1:
        # Metres that change every other bar leave nothing whole: the first one is read through.
        first, last = placed.stretches[0], placed.stretches[-1]
        pieces = _cut(placed, [replace(first, end=last.end)], config)
        remarks[f"changing metres read as {first.metre}"] = None
    if not pieces:
        raise MidiError(f"has no stretch of {config.min_notes} notes without a long rest; leave it out.")
    melodies = tuple(PlacedMelody(piece.start, _melody(piece, placed, score.title, remarks)) for piece in pieces)
    return placed, melodies, tuple(remarks)


def chords_over(placed: Placed, one: PlacedMelody) -> tuple[ChordSpan, ...]:
    """The chord symbols of a score that stand over one of its melodies; symbols that nobody knows are no chord."""
    return spans_of([(one.steps(tick), symbol) for tick, symbol in placed.chords], one.melody.length)


@dataclass(frozen=True)
class _Piece:
    """Notes from their own first bar line, which is at tick `start`; the rest as in `Melody`."""

    start: int
    notes: tuple[Note, ...]
    metre: TimeSignature
    pickup: int
    bars: int
    end: int


def _cut(placed: Placed, stretches: Sequence[Stretch], config: ExtractionConfig) -> list[_Piece]:
    """Stretches of one metre as pieces of at least `min_notes`, split at bar lines around long rests."""
    pieces = []
    for stretch in stretches:
        longest = config.max_rest_bars * stretch.bar
        groups = split_at_rests(placed.notes, stretch.begin, stretch.end, longest)
        for index, group in enumerate(groups):
            if len(group) >= config.min_notes:
                last = index == len(groups) - 1
                pieces.append(_piece(group, stretch, placed.alone, index == 0, last, longest))
    return [piece for piece in pieces if piece is not None]


def _piece(
    group: Sequence[RawNote], stretch: Stretch, alone: bool, first: bool, last: bool, longest: int
) -> _Piece | None:
    """One piece. Silence around it belongs to it where it is the only part's, and no longer than `longest` ticks."""
    bar, onset, begin = stretch.bar, group[0].onset, stretch.start
    start = begin + (onset - begin) // bar * bar
    silence = onset - start
    if first and start == begin:
        pickup = bar - silence if stretch.pickup and silence else 0
    elif first and alone and onset - begin <= longest:
        # Silent bars at its head are part of it; a pickup without a note is none.
        start, pickup = begin + (bar if stretch.pickup else 0), 0
    else:
        upbeat = silence >= UPBEAT * bar and group[-1].end > start + bar
        pickup = bar - silence if upbeat else 0
    # Bar lines may be off the grid themselves, where bars are filled with what the grid does not hold.
    edges = [tuple(round((tick - start) / TICKS_PER_STEP) for tick in (note.onset, note.end)) for note in group]
    # Of a note that begins where the stretch ends, nothing may be left.
    notes = tuple(Note(note.pitch, at, end - at) for note, (at, end) in zip(group, edges, strict=True) if end > at)
    if not notes:
        return None
    upbeat_steps = (stretch.metre.bar_steps - notes[0].onset) % stretch.metre.bar_steps if pickup else 0
    bars = 0
    if last and alone and stretch.end - group[-1].end <= longest:
        # Set on the grid, the last note may end a step behind the last bar line.
        filled = max(-(-(stretch.end - start) // bar), -(-notes[-1].end // stretch.metre.bar_steps))
        bars = max(filled - bool(upbeat_steps), 1)
    return _Piece(start, notes, stretch.metre, upbeat_steps, bars, group[-1].end)


def _melody(piece: _Piece, placed: Placed, name: str, remarks: dict[str, None]) -> Melody:
    begin = piece.start + piece.notes[0].onset
    key = _in_force(placed, placed.keys, begin, piece.end)
    qpm = _in_force(placed, placed.tempi, begin, piece.end)
    if key is None:
        remarks[KEY_ESTIMATED] = None
        key = estimate_key(pitch_class_weights(piece.notes))
    elif not isinstance(key, Key):
        key = _heard_key(key, placed, begin)
    return Melody(piece.notes, piece.metre, key, qpm or DEFAULT_QPM, name, piece.pickup, piece.bars)


def _heard_key(fifths: int, placed: Placed, begin: int) -> Key:
    """The key of a signature that holds at or after tick `begin`, by all that sounds while it holds: where a melody
    comes to rest on another degree, or is cut, the bass still says where home is.
    """
    first = max(bisect_right(placed.starts, begin) - 1, 0)
    while placed.keys[first] != fifths and first + 1 < len(placed.keys):
        first += 1
    last = first
    while first and placed.keys[first - 1] == fifths:
        first -= 1
    while last + 1 < len(placed.keys) and placed.keys[last + 1] == fifths:
        last += 1
    start, stop = placed.starts[first], placed.starts[last + 1] if last + 1 < len(placed.starts) else placed.end
    own, everything = (
        notes[bisect_left(notes, start, key=_onset) : bisect_left(notes, stop, key=_onset)]
        for notes in (placed.notes, placed.sounding)
    )
    return key_of_parts(fifths, own or everything, None if placed.alone else everything)


def key_of_parts(fifths: int, melody: Sequence[RawNote], everything: Sequence[RawNote] | None) -> Key:
    """The key of a signature, by the notes of a melody, at least one, and of all parts; None: it is the only one."""
    weights = [0.0] * 12
    for note in everything or melody:
        weights[note.pitch % 12] += note.end - note.onset
    bass = None
    if everything:
        end = max(note.end for note in everything)
        bass = min(note.pitch for note in everything if note.end == end) % 12
    return key_for_signature(fifths, weights, melody[-1].pitch % 12, bass)


_onset = attrgetter("onset")
_Value = TypeVar("_Value")


def _in_force(placed: Placed, values: Sequence[_Value], begin: int, end: int) -> _Value:
    """What holds for most of the ticks [begin, end), `values` being those of the bars as they are played."""
    weights: Counter[Any] = Counter()
    for number, value in enumerate(values):
        start = placed.starts[number]
        stop = placed.starts[number + 1] if number + 1 < len(values) else placed.end
        weights[value] += max(0, min(end, stop) - max(begin, start))
    return max(weights, key=lambda value: weights[value])
