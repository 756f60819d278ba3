"""Scores as music21 reads them -> what is written there, bar by bar: notes, metres, keys, tempi, and the order of play.

Of a staff with several voices the top one is taken; grace notes, cue notes and chord symbols are passed by. music21 is
given data, never files, so that nothing is cached beside ours.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from melodygru.errors import MidiError, UsageError
from melodygru.formats.scores.quiet import quietly
from melodygru.formats.scores.repeats import Parts, played_order, section_ends
from melodygru.formats.scores.written import TICKS, Bar, WrittenNote, WrittenPart, WrittenScore
from melodygru.music.theory import MODES, Key, TimeSignature

_UNTITLED = ("", "music21 fragment", "music21", "untitled", "untitled score", "title")
_LONGEST_TITLE = 120
_MODE_NAMES = {"ionian": "major", "aeolian": "minor"}
_KERN_MODES = {"ion": "major", "dor": "dorian", "phr": "phrygian", "lyd": "lydian", "mix": "mixolydian",
               "aeo": "minor", "loc": "locrian"}  # fmt: skip


def scores_in_kern(text: str) -> list[WrittenScore]:
    """The scores of a **kern file, which may hold several. Raises MidiError where music21 cannot read it."""
    with _music21() as said:
        from music21 import stream
        from music21.humdrum.spineParser import HumdrumDataCollection

        collection = HumdrumDataCollection(text)
        collection.parse()
        found = collection.stream
        # music21 passes by what it cannot read: a note would be missing, and all after it would come too early.
        lost = [line for line in said.getvalue().splitlines() if "Error in parsing event ('" in line]
        if any("event ('*" not in line for line in lost):
            raise MidiError("has a token that is no note; correct or leave it out.")
        return [_written(score) for score in (found.scores if isinstance(found, stream.Opus) else [found])]


@contextmanager
def _music21() -> Iterator[io.StringIO]:
    """music21, quietly; what goes wrong there becomes a MidiError."""
    with quietly() as said:
        try:
            yield said
        except (MidiError, MemoryError, ImportError):
            raise
        except Exception as error:
            raise MidiError(f"cannot be read by music21; export it again ({type(error).__name__}: {error}).") from error


def _written(score: Any) -> WrittenScore:
    from music21 import stream

    parts = [(part, list(part.getElementsByClass(stream.Measure))) for part in score.parts]
    parts = [(part, measures) for part, measures in parts if measures]
    if not parts:
        raise MidiError("has no notes; leave it out.")
    count = max(len(measures) for _, measures in parts)
    lengths = [0] * count
    for part, measures in parts:
        begins = [_ticks(part.elementOffset(measure)) for measure in measures]
        ends = [*begins[1:], begins[-1] + _ticks(measures[-1].highestTime)]
        for index, (begin, end) in enumerate(zip(begins, ends, strict=True)):
            lengths[index] = max(lengths[index], end - begin)
    metres, tempi = _metres(parts, count), _tempi(parts, count)
    order, understood = played_order(score, parts, count)
    ends_at = section_ends(parts, count)
    bars = [Bar(*told) for told in zip(lengths, metres, tempi, ends_at, strict=True)]
    bars[0] = replace(bars[0], anacrusis=parts[0][1][0].number == 0)
    remarks = () if understood else ("repeats not understood, played once",)
    return WrittenScore(_title(score), tuple(bars), tuple(_part(*part, count) for part in parts), order, remarks)


def _ticks(quarters: Any) -> int:
    return round(quarters * TICKS)


def _title(score: Any) -> str:
    told = score.metadata.bestTitle if score.metadata is not None else None
    plain = " ".join("".join(c if c.isprintable() else " " for c in told or "").split())[:_LONGEST_TITLE]
    return "" if plain.lower() in _UNTITLED else plain


def _part(part: Any, measures: Sequence[Any], count: int) -> WrittenPart:
    notes: list[tuple[WrittenNote, ...]] = [()] * count
    keys: list[Key | int | None] = []
    pitched = unpitched = False
    key: Key | int | None = _kern_mode(part)
    shifts = _shifts(part)
    for index, measure in enumerate(measures):
        named = _key_of(measure)
        if named is not None and (index or not isinstance(key, Key)):
            key = named
        begin = _ticks(part.elementOffset(measure))
        shift = next((semitones for start, semitones in reversed(shifts) if start <= begin), 0)
        keys.append(_transposed(key, shift))
        found, beaten = _notes(measure, shift)
        notes[index] = tuple(found)
        pitched, unpitched = pitched or bool(found), unpitched or beaten
    keys += [keys[-1]] * (count - len(keys))
    name = " ".join(str(part.partName or "").split())
    return WrittenPart(name, tuple(notes), tuple(keys), unpitched and not pitched)


def _kern_mode(part: Any) -> Key | None:
    """The mode that a **kern spine names, such as "*d:dor", which music21 does not read."""
    from music21.humdrum.spineParser import MiscTandem

    for element in part.getElementsByClass(MiscTandem):
        tonic, _, mode = element.tandem.lstrip("*").partition(":")
        if mode[:3].lower() in _KERN_MODES:
            try:
                return Key.parse(f"{tonic.replace('-', 'b')} {_KERN_MODES[mode[:3].lower()]}")
            except UsageError:
                return None
    return None


def _key_of(measure: Any) -> Key | int | None:
    """The key that a bar names: with its mode if it names one."""
    from music21 import key as music21_key

    found: Key | int | None = None
    for element in measure.getElementsByClass(music21_key.KeySignature):
        if isinstance(element, music21_key.Key):
            mode = _MODE_NAMES.get(element.mode, element.mode)
            if mode in MODES:
                return Key(int(element.tonic.pitchClass), mode)
        if element.sharps is not None and -7 <= element.sharps <= 7:
            found = int(element.sharps)
    return found


def _transposed(key: Key | int | None, semitones: int) -> Key | int | None:
    """A key, or a signature in sharps, so many semitones higher."""
    if key is None or not semitones:
        return key
    if isinstance(key, Key):
        return key.transpose(semitones)
    return Key.from_fifths(key).transpose(semitones).fifths


def _notes(measure: Any, shift: int) -> tuple[list[WrittenNote], bool]:
    """The notes of a bar's top voice, and whether something unpitched is beaten in it."""
    from music21 import harmony, note, stream

    voices = [element for element in measure.elements if isinstance(element, stream.Voice)]
    placed = [(measure.elementOffset(element), element) for element in measure.elements]
    for voice in voices:
        begin = measure.elementOffset(voice)
        inside = [(begin + voice.elementOffset(element), element) for element in voice.elements]
        if any(isinstance(element, note.NotRest) for _, element in inside):
            placed += inside
            break
    found: list[WrittenNote] = []
    beaten = False
    for offset, element in placed:
        if not isinstance(element, note.NotRest) or isinstance(element, harmony.Harmony):
            continue
        if element.duration.isGrace or (element.hasStyleInformation and element.style.noteSize == "cue"):
            continue
        length = _ticks(element.quarterLength)
        if length <= 0:
            continue
        members = element.notes if hasattr(element, "notes") else (element,)
        for one in members:
            if not isinstance(one, note.Note):
                beaten = True
                continue
            pitch = round(one.pitch.ps) + shift
            if not 0 <= pitch < 128:
                raise MidiError("has a pitch that MIDI does not know; correct or leave it out.")
            tie = one.tie or element.tie
            tied = tie is not None and tie.type in ("start", "continue")
            found.append(WrittenNote(_ticks(offset), length, pitch, tied))
    return sorted(found), beaten


def _shifts(part: Any) -> list[tuple[int, int]]:
    """(tick, semitones) by which a transposing instrument sounds higher than it is written, by tick."""
    from music21 import instrument

    if part.atSoundingPitch is not False:
        return []
    found = []
    for one in part.getElementsByClass(instrument.Instrument):
        semitones = getattr(one.transposition, "semitones", 0)
        found.append((_ticks(part.elementOffset(one)), round(semitones)))
    return sorted(found)


def _metres(parts: Parts, count: int) -> list[TimeSignature | None]:
    """The metre of each bar. Raises MidiError for one that is not legal, or that takes metres away."""
    from music21 import meter

    metres: list[TimeSignature | None] = []
    for index in range(count):
        named = None
        for _, measures in parts:
            if index >= len(measures):
                continue
            for element in measures[index].getElementsByClass(meter.base.TimeSignatureBase):
                if isinstance(element, meter.SenzaMisuraTimeSignature):
                    raise MidiError("has no metre (senza misura); leave it out.")
                named = named or element
        if named is None:
            metres.append(metres[-1] if metres else None)
            continue
        try:
            metres.append(TimeSignature(int(named.numerator), int(named.denominator)))
        except UsageError as error:
            raise MidiError(f"is in {named.ratioString}, which is no metre here; leave it out.") from error
    return metres


def _tempi(parts: Parts, count: int) -> list[float | None]:
    """The tempo of each bar: the one that was named last at or before its bar line."""
    from music21 import tempo

    found: list[float | None] = []
    following: float | None = None
    for index in range(count):
        current = following
        for _, measures in reversed(parts):
            if index >= len(measures):
                continue
            for mark in measures[index].getElementsByClass(tempo.MetronomeMark):
                qpm = mark.getQuarterBPM() if mark.number is not None else mark.numberSounding
                if not qpm or not 4 <= qpm <= 1000:
                    continue
                following = round(float(qpm), 6)  # where another note than a quarter is counted
                if measures[index].elementOffset(mark) == 0:
                    current = following
        found.append(current)
    return found
