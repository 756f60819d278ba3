"""A MIDI file -> its melodies: one track chosen, set on the grid, cut where its metre changes or it rests long.

Bar lines are the file's, unless they plainly miss the notes (see `melodygru.formats.midi.grid`).
What a file does not say (key, metre) is estimated (`melodygru.music.estimation`), and `Extraction.remarks` says so.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from operator import attrgetter, itemgetter
from typing import TypeVar

from melodygru.errors import MidiError
from melodygru.formats.midi.chunks import OWN_TEXT
from melodygru.formats.midi.clip import LONGEST_SILENCE, clip_end
from melodygru.formats.midi.extraction_config import ExtractionConfig as ExtractionConfig
from melodygru.formats.midi.free_playing import is_free, tracked_grid
from melodygru.formats.midi.grid import Grid, Placed, find_grid, snap
from melodygru.formats.midi.line import sounding
from melodygru.formats.midi.metres import Section, believable_metre, sections, stated_metres
from melodygru.formats.midi.own_word import OwnWord, own_word, unswung
from melodygru.formats.midi.parser import RawFile, RawNote
from melodygru.formats.midi.tracks import Choice, likeliest_melodies
from melodygru.formats.midi.unsaid import against, estimated, key_of
from melodygru.music.estimation import Judge
from melodygru.music.melody import Melody, Note
from melodygru.music.theory import STEPS_PER_QUARTER, TimeSignature
from melodygru.records import dataclass

DEFAULT_QPM = 120.0
"""MIDI's own tempo where a file has none."""
UPBEAT = 0.5
"""Share of a bar, in [0, 1], from which silence before a piece's first note makes that an upbeat."""
MAX_NOTES = 32_000
"""Notes of a file's melody. Hours of playing without end have fewer; with a rest after each they are 64,000 events."""
MOST_TRIED = 3
"""Parts of a file that are tried, likeliest first, where those before give no melody."""


BEATS_TRACKED = "beats tracked"
"""What the remark on a file begins with that was played without a click."""


@dataclass(frozen=True)
class Extraction:
    """The melodies of one file, at least one, in order.

    Attributes:
        melodies: each named after the file, with " #2" and so on where it was split.
        track: the name (or number) of the track they come from.
        how: why that track, see `melodygru.formats.midi.tracks.Choice`.
        remarks: what was estimated or not taken at its word: "key estimated", "metre 1/4 read as 4/4" …
        notes: the file's own notes, of which the melodies are made.
        grid: how its ticks were read as steps.
        starts: the step of the grid at which each melody's first bar begins.
        pace: by what the steps of tracked beats were multiplied; None where beats are the file's.
        word: what the file says of itself, if it was asked; see `melodygru.formats.midi.own_word`.
    """

    melodies: tuple[Melody, ...]
    track: str
    how: str
    remarks: tuple[str, ...]
    notes: tuple[RawNote, ...]
    grid: Grid
    starts: tuple[int, ...]
    pace: float | None = None
    word: OwnWord | None = None


def extract(raw: RawFile, name: str, config: ExtractionConfig | None = None, judge: Judge | None = None) -> Extraction:
    """The melodies of a file that has been read, named after `name`.

    `judge`: is asked which reading of a file without metre makes sense.

    Raises MidiError, saying why there are none; its message lacks the file's name ("has no notes; ...").
    """
    config = config or ExtractionConfig()
    raw = sounding(raw)
    choices = likeliest_melodies(raw, config.track, config.min_notes, config.max_rest_bars)
    likeliest = next(choices)
    try:
        return _extract(raw, likeliest, name, config, judge)
    except MidiError:
        for choice in islice(choices, MOST_TRIED - 1):
            with suppress(MidiError):
                return _extract(raw, choice, name, config, judge)
        raise


def _extract(raw: RawFile, choice: Choice, name: str, config: ExtractionConfig, judge: Judge | None) -> Extraction:
    """The melodies of the part that was chosen."""
    if len(choice.notes) > MAX_NOTES:
        raise MidiError(f"has a melody of over {MAX_NOTES:,} notes, more than any piece has; leave it out.")
    if len(choice.notes) < config.min_notes:
        raise MidiError(f"has a melody of fewer than {config.min_notes} notes; leave it out.")
    remarks: dict[str, None] = {choice.remark: None} if choice.remark else {}  # an ordered set
    given = bool(config.meter) or config.pickup is not None
    metres = [] if given else stated_metres(raw, remarks)
    if given and not config.meter and len(stated := stated_metres(raw, {})) == 1:
        # Who says where bar 1 is does not say that the metre is another.
        config = replace(config, meter=str(stated[0][1]))
    everything = [note for track in raw.tracks for note in track.notes]
    own = any(text.startswith(OWN_TEXT) for text in raw.texts)
    word = own_word(raw.texts) if own and config.own_word else OwnWord()
    grid = _grid(choice.notes, everything, raw, believable_metre(metres), own, word)
    free_tempo = pace = None
    if is_free(choice.notes, grid, bool(metres)):
        grid, free_tempo, pace = tracked_grid(choice.notes, raw, judge, config.pace)
        remarks[f"{BEATS_TRACKED} at about {free_tempo:.0f} bpm"] = None
        metres = []
    if grid.origin and metres:
        remarks["bar lines estimated"] = None
    if grid.played:
        remarks["played timing set on the grid"] = None
    placed = snap(choice.notes, grid)
    last = placed[-1].end
    section = None
    if config.doubt and len(metres) == 1 and not own:
        section = against(metres[0][1], placed, config, judge, remarks)
        metres = metres if section is None else []
    if section is None and not metres:
        section = estimated(placed, config, judge, remarks)
    found = sections(metres, grid, last, remarks) if section is None else [section]
    upbeat = word.upbeat if metres else None
    pieces = [piece for section in found for piece in _pieces(placed, section, config, upbeat)]
    if not pieces:
        # Metres that change every other bar leave nothing whole: the first one is read through.
        whole = Section(found[0].start, found[-1].end, found[0].metre, found[0].pickup)
        pieces = _pieces(placed, whole, config)
        remarks[f"changing metres read as {whole.metre}"] = None
    if not pieces:
        raise MidiError(f"has no stretch of {config.min_notes} notes without a long rest; leave it out.")
    signatures, tempi = _by_step(raw.key_signatures, grid), _by_step(raw.tempi, grid)
    bars = [0] * len(pieces)
    if config.whole_clip and metres:  # else the clip's bars are no better known than the melody's
        bars[-1] = _bars_to_the_end(pieces[-1], raw, grid)
    melodies = []
    for number, (piece, count) in enumerate(zip(pieces, bars, strict=True), 1):
        first, last = piece.start + piece.notes[0].onset, piece.start + piece.notes[-1].end
        melodies.append(Melody(
            notes=piece.notes,
            time_signature=piece.metre,
            key=config.named_key
            or key_of(piece.notes, piece.metre, piece.pickup, in_force(signatures, first, last), raw.key_in_words,
                      remarks, None if metres else judge),
            qpm=_within(free_tempo) if free_tempo else _tempo(in_force(tempi, first, last)),
            name=name if number == 1 else f"{name} #{number}",
            pickup=piece.pickup,
            bars=count,
        ))  # fmt: skip
    starts = tuple(piece.start for piece in pieces)
    return Extraction(
        tuple(melodies),
        choice.label,
        choice.how,
        tuple(remarks),
        choice.notes,
        grid,
        starts,
        pace,
        word if config.own_word else None,
    )


def _grid(
    melody: Sequence[RawNote],
    everything: Sequence[RawNote],
    raw: RawFile,
    metre: TimeSignature,
    own: bool,
    word: OwnWord,
) -> Grid:
    """The grid of the melody; `own`: the file is ours, `word`: what it says."""
    tpq, last = raw.ticks_per_quarter, max(track.end for track in raw.tracks)
    anchors = unswung([note.onset for note in melody], tpq, last, word)
    if not anchors:
        return find_grid(melody, everything, tpq, metre, trusted=own)
    swung = Grid(tpq, anchors=anchors)

    def even(tick: int) -> int:
        return round(swung.steps(tick) * tpq / STEPS_PER_QUARTER)

    straight = [note._replace(onset=even(note.onset), end=even(note.end)) for note in melody]
    return replace(find_grid(straight, straight, tpq, metre, trusted=True), anchors=anchors)


@dataclass(frozen=True)
class _Piece:
    """A piece before its key is known: `notes` from its own first bar line, which is at step `start` of the grid."""

    start: int
    notes: tuple[Note, ...]
    metre: TimeSignature
    pickup: int


_Timed = TypeVar("_Timed", RawNote, Placed)
_onset: Callable[[RawNote | Placed], int] = attrgetter("onset")
_step: Callable[[tuple[int, object]], int] = itemgetter(0)


def split_at_rests(notes: Sequence[_Timed], begin: int, end: int, longest: int) -> list[list[_Timed]]:
    """The notes that begin in [begin, end), none longer than that, split where they rest for more than `longest`.

    `notes` are in order of onset.
    """
    groups: list[list[_Timed]] = []
    first, last = (bisect_left(notes, place, key=_onset) for place in (begin, end))
    for note in notes[first:last]:
        if not groups or note.onset - groups[-1][-1].end > longest:
            groups.append([])
        groups[-1].append(note if note.end <= end else note._replace(end=end))
    return groups


def _pieces(
    placed: Sequence[Placed], section: Section, config: ExtractionConfig, said: int | None = None
) -> list[_Piece]:
    """A section's notes as pieces of at least `min_notes`, split at bar lines around long rests.

    `said`: the steps of the pickup at the file's beginning, 0 for none; None where it does not say.
    """
    bar = section.metre.bar_steps
    pieces = []
    for index, group in enumerate(split_at_rests(placed, section.start, section.end, config.max_rest_bars * bar)):
        if len(group) < config.min_notes:
            continue
        start = section.start + (group[0].onset - section.start) // bar * bar
        silence = group[0].onset - start
        # An upbeat is padded to a whole bar.
        short_first_bar = section.pickup and index == 0 and start == section.start
        upbeat = silence >= UPBEAT * bar or (silence and short_first_bar)
        notes = tuple(Note(pitch, onset - start, end - onset) for onset, end, pitch in group)
        # An upbeat to nothing is none.
        pickup = bar - silence if upbeat and notes[-1].end > bar else 0
        if said is not None and not start and (not said or silence >= bar - said):
            pickup = said
        pieces.append(_Piece(start, notes, section.metre, pickup))
    return pieces


def _bars_to_the_end(piece: _Piece, raw: RawFile, grid: Grid) -> int:
    """The bars of the last piece up to the clip's end, if that is on one of its bar lines; else 0: as its notes say."""
    bar, steps = piece.metre.bar_steps, grid.steps(clip_end(raw)[0]) - piece.start
    silent = steps - piece.notes[-1].end
    if steps % bar or not 0 <= silent <= LONGEST_SILENCE * bar:
        return 0
    return int(steps) // bar - bool(piece.pickup)


_Entry = TypeVar("_Entry", bound=tuple)


def _by_step(entries: Sequence[_Entry], grid: Grid) -> list[tuple[int, _Entry]]:
    """Entries (tick, ...), each with the step that begins at its tick or before it."""
    return [(int(grid.steps(entry[0])), entry) for entry in entries]


_Value = TypeVar("_Value")


def in_force(values: Sequence[tuple[int, _Value]], first: int, last: int) -> _Value | None:
    """Of values, each with the step from which on it holds, the one that holds for most of the steps [first, last).

    None where there is none.
    """
    best, longest = None, 0
    begin = max(0, bisect_right(values, first, key=_step) - 1)
    for number in range(begin, len(values)):
        step, value = values[number]
        if step >= last:
            break
        # What comes late still holds for a piece that begins a little before it.
        end = min(last, values[number + 1][0]) if number + 1 < len(values) else last
        if end - max(first, step) > longest:
            best, longest = value, end - max(first, step)
    return best


def _tempo(tempo: tuple[int, int] | None) -> float:
    """Quarters a minute, within Melody's range."""
    if tempo is None or tempo[1] <= 0:
        return DEFAULT_QPM
    return _within(60_000_000 / tempo[1])


def _within(qpm: float) -> float:
    """A tempo that a melody may have."""
    return max(4.0, min(1000.0, qpm))
