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
from melodygru.formats.scores.abc.grid import Laid, fill, lay_out
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
    laid = lay_out(played, bars[0].metre.bar_steps)
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
        laid = lay_out(played, bar)
    except LeftOut:
        if named is not None:
            _check_metre(played, bar)
            remarks[SHORT_BARS_FILLED] = None
        laid = fill(played, bar, free=named is None)
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
        melody = _melody(tune, played, metre, Laid(notes, 0 if start else laid.pickup, end), remarks)
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


def _melody(
    tune: WrittenTune, played: Sequence[Section], metre: TimeSignature, laid: Laid, remarks: dict[str, None]
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
