"""A voice of an ABC tune -> its melodies, as they are played: repeats written out, bar lines at multiples of the bar.

A tune is one melody as a rule, and one for every stretch of one metre where that changes.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import chain, groupby
from unicodedata import normalize

from melodygru.formats.midi.extraction import ExtractionConfig, split_at_rests
from melodygru.formats.midi.parser import RawNote
from melodygru.formats.midi.unsaid import KEY_ESTIMATED
from melodygru.formats.scores.abc.fields import WHOLE, LeftOut, usual_tempo
from melodygru.formats.scores.abc.order import Section, sections
from melodygru.formats.scores.abc.scanner import scan
from melodygru.formats.scores.abc.written import Steps, WrittenBar, WrittenTune
from melodygru.formats.scores.layout import METRE_OF_BARS, ROUNDED
from melodygru.music.chords import ChordSpan, spans_of
from melodygru.music.key_finding import estimate_key
from melodygru.music.melody import Melody, Note, pitch_class_weights
from melodygru.music.theory import MOST_BEATS, STEPS_PER_QUARTER, Key, TimeSignature
from melodygru.records import dataclass

SHORT_BARS_FILLED = "short bars filled"
"""The remark on tunes with bars of other lengths than their metre's."""

_OTHER_METRE = "bars of another metre than the one named"
_WRONG_LENGTH = "a bar of the wrong length"
_FEW_BARS = 4
"""With fewer bars nothing can be said about which length is the usual one."""
_ACCENTS = {"`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", '"': "\u0308", "=": "\u0304", "/": "\u0338"}
"""Accents behind a backslash, and how Unicode joins them to a letter."""


_Found = tuple[Melody, tuple[ChordSpan, ...]]
"""A melody, and the chord symbols over it."""


@dataclass(frozen=True)
class VoiceRead:
    """The melodies of a voice in order, at least one, what of it could not be taken at its word, and the chord symbols
    over each melody.
    """

    melodies: tuple[Melody, ...]
    remarks: tuple[str, ...]
    chords: tuple[tuple[ChordSpan, ...], ...]


def read_tune(text: str) -> Melody:
    """The melody of a tune in one voice and one metre, from its `X:` line to its last bar.

    Repeats and their endings are written out, ties merged, grace notes dropped; of a
    chord the top note is kept. Bar lines come at multiples of the bar: a section that
    ends early is completed by the pickup of the next, as the printed page has it.

    Raises LeftOut with the reason and the place: several metres or voices, a rhythm off the grid,
    a bar of the wrong length, or text that cannot be understood.
    """
    tune = scan(text)
    if len(tune.voices) != 1:
        raise LeftOut("several voices" if tune.voices else "no notes")
    bars = tune.voices[0].bars
    if bars[0].metre is None:
        raise LeftOut("no metre")
    for number, bar in enumerate(bars, 1):
        if bar.metre != bars[0].metre:
            raise LeftOut("several metres", number, bar.line)
    _check_grid(bars)
    lengths = Counter(bar.length for bar in bars)
    if lengths[bars[0].metre.bar_steps] < max(lengths.values()):
        # The header is wrong about the metre or the unit of length.
        raise LeftOut(_OTHER_METRE)
    played = sections(bars, tune.order)
    laid = _lay_out(played, bars[0].metre.bar_steps)
    if not laid.notes:
        raise LeftOut("no notes")
    return _melody(tune, played, bars[0].metre, laid, {})


def read_voice(tune: WrittenTune, bars: Sequence[WrittenBar], config: ExtractionConfig) -> VoiceRead:
    """The melodies of one voice of a tune, its `bars` as they are written, cut as scores and MIDI files are.

    They are cut where the metre changes and at long rests; those of fewer notes than `config` asks for are left out.
    Other than `read_tune` it takes bars of any length: a short one is filled by its last note, which is remarked.
    Other than `read_tune` it also rounds what is finer than the grid to it. Raises LeftOut where nothing is left.
    """
    remarks: dict[str, None] = {}
    bars = [_rounded(bar, remarks) for bar in bars]
    played = sections(bars, tune.order)
    runs = _runs(played)
    found: list[_Found] = []
    for metre, run in runs:
        found += _pieces(tune, run, metre, config, remarks)
    if not found and len(runs) > 1:
        # Metres that change every other bar leave nothing whole: the first one is read through.
        metre = next((metre for metre, _ in runs if metre is not None), None)
        found = _pieces(tune, played, metre, config, remarks)
        remarks[f"changing metres read as {metre}"] = None
    if not found:
        silent = not any(sound.pitch is not None for bar in bars for sound in bar.sounds)
        raise LeftOut("no notes" if silent else f"a melody of fewer than {config.min_notes} notes")
    melodies, chords = zip(*found, strict=True)
    return VoiceRead(melodies, tuple(remarks), chords)


def _check_grid(bars: Sequence[WrittenBar]) -> None:
    for number, bar in enumerate(bars, 1):
        if any(not isinstance(sound.steps, int) for sound in bar.sounds):
            raise LeftOut("a rhythm off the grid of 24 steps a quarter", number, bar.line)


def _rounded(bar: WrittenBar, remarks: dict[str, None]) -> WrittenBar:
    """The bar with each sound from the nearest step to the nearest; what lasts none falls away."""
    if all(isinstance(sound.steps, int) for sound in bar.sounds):
        return bar
    remarks[ROUNDED] = None
    at, begin, sounds = Fraction(0), 0, []
    for sound in bar.sounds:
        at += sound.steps
        end = round(at)
        if end > begin:
            sounds.append(replace(sound, steps=end - begin))
        begin = end
    return replace(bar, sounds=sounds)


def _runs(played: Sequence[Section]) -> list[tuple[TimeSignature | None, list[Section]]]:
    """The sections of each stretch of one metre, cut where it changes within them."""
    runs: list[tuple[TimeSignature | None, list[Section]]] = []
    for section in played:
        for metre, bars in groupby(section, key=lambda bar: bar.metre):
            if not runs or runs[-1][0] != metre:
                runs.append((metre, []))
            runs[-1][1].append(list(bars))
    return runs


def _pieces(
    tune: WrittenTune,
    played: Sequence[Section],
    named: TimeSignature | None,
    config: ExtractionConfig,
    remarks: dict[str, None],
) -> list[_Found]:
    """The melodies of one stretch, cut at long rests; none where all have too few notes."""
    metre = named or _usual_metre([bar.length for section in played for bar in section])
    if named is None:
        remarks[METRE_OF_BARS] = None
    bar = metre.bar_steps
    try:
        laid = _lay_out(played, bar)
    except LeftOut:
        if named is not None:
            _check_metre(played, bar)
            remarks[SHORT_BARS_FILLED] = None
        laid = _fill(played, bar, free=named is None)
    raw = [RawNote(note.onset, note.end, note.pitch, 0, 0) for note in laid.notes]
    groups = split_at_rests(raw, 0, laid.end, config.max_rest_bars * bar)
    found = []
    for index, group in enumerate(groups):
        if len(group) < config.min_notes:
            continue
        start = 0 if index == 0 and group[0].onset <= config.max_rest_bars * bar else group[0].onset // bar * bar
        notes = tuple(Note(note.pitch, note.onset - start, note.end - note.onset) for note in group)
        last = index == len(groups) - 1 and laid.end - group[-1].end <= config.max_rest_bars * bar
        end = laid.end - start if last else notes[-1].end
        melody = _melody(tune, played, metre, _Laid(notes, 0 if start else laid.pickup, end), remarks)
        found.append((melody, spans_of([(step - start, symbol) for step, symbol in laid.symbols], melody.length)))
    return found


def _check_metre(played: Sequence[Section], bar_steps: int) -> None:
    """Raises LeftOut where bars of another length than the metre's are more usual; two in one count as whole."""
    lengths = Counter(bar.length for bar in chain.from_iterable(played))
    whole = sum(number for length, number in lengths.items() if length % bar_steps == 0)
    if lengths.total() >= _FEW_BARS and whole < max(lengths.values()):
        raise LeftOut(_OTHER_METRE)


def _usual_metre(lengths: Sequence[Steps]) -> TimeSignature:
    """The metre of bars that name none: as long as most of the inner ones, else 4/4, in which all is read through."""
    inner = lengths[1:-1] or lengths
    length, count = Counter(inner).most_common(1)[0]
    if 2 * count > len(inner) and isinstance(length, int):
        for unit in (STEPS_PER_QUARTER, STEPS_PER_QUARTER // 2):
            if length % unit == 0 and 2 <= length // unit <= MOST_BEATS:
                return TimeSignature(length // unit, WHOLE // unit)
    return TimeSignature()


@dataclass(frozen=True)
class _Laid:
    """Notes on the grid, the steps of the pickup in [0, bar), the step at which all is over, and chord symbols, each
    with the step from which it holds.
    """

    notes: tuple[Note, ...]
    pickup: int
    end: int
    symbols: tuple[tuple[int, str], ...] = ()


def _melody(
    tune: WrittenTune, played: Sequence[Section], metre: TimeSignature, laid: _Laid, remarks: dict[str, None]
) -> Melody:
    keys: Counter[Key | None] = Counter()
    tempi: Counter[float | None] = Counter()
    for bar in chain.from_iterable(played):
        keys[bar.key] += int(bar.length)
        tempi[bar.qpm] += int(bar.length)
    key = keys.most_common(1)[0][0]
    if key is None:
        remarks[KEY_ESTIMATED] = None
        key = estimate_key(pitch_class_weights(laid.notes))
    header = tune.header
    qpm = tempi.most_common(1)[0][0] or tune.qpm
    if qpm is None:
        words = " ".join(header[letter].lower() for letter in "RNT" if letter in header)
        qpm = usual_tempo(words, metre, header.get("M", "").strip())
    bars = -(-laid.end // metre.bar_steps) - bool(laid.pickup)
    return Melody(laid.notes, metre, key, qpm, title_of(header), laid.pickup, max(bars, 1))


def title_of(header: Mapping[str, str]) -> str:
    """The title as it reads: accents and signs that are written with a backslash are what they stand for."""
    return re.sub(r"\\(.)([A-Za-z])?", _unescaped, header.get("T", ""))


def _unescaped(match: re.Match[str]) -> str:
    accent, letter = _ACCENTS.get(match[1]), match[2] or ""
    return match[1] + letter if accent is None or not letter else normalize("NFC", letter + accent)


def _lay_out(played: Sequence[Section], bar_steps: int) -> _Laid:
    """Sections -> notes on the grid, where all bars have the right length. Raises LeftOut where one has not.

    Every section is put where its first bar line falls on one of the grid. As a rule the
    partial bar that ends a section and the pickup of the next make up a whole bar, and
    nothing is left to do. Where they do not, it is done as players do it: the last note is
    held on to fill a short bar, or cut short to make room for a pickup printed after a
    whole bar; a pickup for which that leaves no room is not played.
    """
    sections: list[Section] = []
    before: Section = []
    for section in played:
        # A partial bar alone between two signs ("A |: B c …") belongs to what follows.
        before += section
        if len(section) > 1 or section[0].length >= bar_steps:
            sections.append(before)
            before = []
    sections += [before] if before else []
    line = _Line(bar_steps)
    one_bar = len(sections) == len(sections[0]) == 1
    pickup = 0 if one_bar else _head(sections[0], bar_steps)
    line.end = bar_steps - pickup if pickup else 0
    for section in sections:
        start = -(-line.end // bar_steps) * bar_steps - _head(section, bar_steps)
        if len(section) == 1 and section[0].length < bar_steps:
            start = line.end
        if line.notes and line.notes[-1].onset >= start:
            if section[0].length * 2 >= bar_steps:
                raise LeftOut(_WRONG_LENGTH)
            start, section = start + int(section[0].length), section[1:]
        line.go_on_at(start)
        for bar in section:
            line.add(bar)
    return line.laid(pickup)


def _fill(played: Sequence[Section], bar_steps: int, free: bool) -> _Laid:
    """Bars of any length -> notes on the grid: one that does not go with what stands before begins on a bar line.

    In `free` metre one is played right behind the other, and bar lines mean nothing.
    """
    bars = list(chain.from_iterable(played))
    line = _Line(bar_steps)
    first = int(bars[0].length)
    pickup = first if first < bar_steps and len(bars) > 1 and not free else 0
    line.end = bar_steps - pickup if pickup else 0
    for bar in bars:
        within = line.end % bar_steps
        if within and within + bar.length > bar_steps and not free:
            line.go_on_at(line.end - within + bar_steps)
        line.add(bar)
    return line.laid(pickup)


class _Line:
    """Notes while they are put on the grid; `end` is the step at which the next bar begins."""

    def __init__(self, bar_steps: int) -> None:
        self.bar_steps = bar_steps
        self.end = 0
        self.notes: list[Note] = []
        self.symbols: list[tuple[int, str]] = []
        self._tie = False

    def go_on_at(self, start: int) -> None:
        """The next bar begins at `start`: the last note is held on to it, or cut short."""
        notes = self.notes
        if notes and (notes[-1].end > start or notes[-1].end == self.end):
            notes[-1] = replace(notes[-1], duration=start - notes[-1].onset)
        self.end = start

    def add(self, bar: WrittenBar) -> None:
        """The sounds of a bar, ties joined."""
        notes = self.notes
        for sound in bar.sounds:
            pitch, steps, end = sound.pitch, int(sound.steps), self.end
            if sound.symbol:
                self.symbols.append((end, sound.symbol))
            if pitch is not None and self._tie and notes[-1].end == end and notes[-1].pitch == pitch:
                notes[-1] = replace(notes[-1], duration=notes[-1].duration + steps)
            elif pitch is not None:
                notes.append(Note(pitch, end, steps))
            self.end = end + steps
            self._tie = sound.tied and pitch is not None

    def laid(self, pickup: int) -> _Laid:
        """All of it, without a rest at the head of the pickup: that begins with its first note."""
        notes, bar = self.notes, self.bar_steps
        if pickup and notes and notes[0].onset >= bar:
            moved = tuple((step - bar, symbol) for step, symbol in self.symbols)
            return _Laid(tuple(replace(note, onset=note.onset - bar) for note in notes), 0, self.end - bar, moved)
        begun = bar - notes[0].onset if pickup and notes else 0
        return _Laid(tuple(notes), begun, self.end, tuple(self.symbols))


def _head(section: Section, bar_steps: int) -> int:
    """Steps before a section's first bar line, in [0, bar_steps).

    Raises LeftOut if a later bar line is not a whole number of bars away; only the
    last bar may be short, and a bar may be in two pieces (a sign in the middle of it).
    """
    lengths = [int(bar.length) for bar in section]
    two_pieces = len(lengths) > 1 and lengths[0] < bar_steps and lengths[0] + lengths[1] == bar_steps
    head = lengths[0] if lengths[0] < bar_steps and not two_pieces else 0
    filled = 0
    for i, length in enumerate(lengths[1:] if head else lengths):
        whole = (filled + length) % bar_steps == 0
        piece = filled == 0 and length < bar_steps
        if not (whole or piece or (i + (head > 0) == len(lengths) - 1 and filled + length < bar_steps)):
            raise LeftOut(_WRONG_LENGTH)
        filled = (filled + length) % bar_steps
    return head
