"""An ABC file -> its melodies: one or more of every tune, from the voice that has the melody.

Files come from strangers: a tune, or a voice of it, that cannot be read costs itself alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from melodygru.errors import MelodyGRUError, MidiError
from melodygru.formats.midi.extraction import ExtractionConfig
from melodygru.formats.midi.parser import RawFile, RawNote, RawTrack
from melodygru.formats.midi.tracks import choose_melody
from melodygru.formats.scores.abc.fields import LeftOut
from melodygru.formats.scores.abc.scanner import scan
from melodygru.formats.scores.abc.tunes import VoiceRead, read_voice, title_of
from melodygru.formats.scores.abc.written import WrittenTune, WrittenVoice
from melodygru.formats.scores.cache import Reading
from melodygru.formats.scores.files import decoded
from melodygru.formats.scores.melodies import named
from melodygru.music.chords import ChordSpan
from melodygru.music.melody import Melody
from melodygru.music.theory import STEPS_PER_QUARTER
from melodygru.records import dataclass

_MOST_TUNES = 100_000
"""Of a file; the largest collection that people hand round holds half of that."""
_MOST_COMMON = 200
"""Fields of a file's header, which hold for each of its tunes."""
_TUNE = re.compile(r"(?m)^(?=X:(?![|:]))")
_COMMON = re.compile(r"(?m)^(?:[LMQRNKmIPV]:|%%(?!begin|end)).*$")
_LONGEST_TITLE = 40
"""Characters of a title that stand in a message."""
_NO_BRACKETS = str.maketrans("", "", "()")
_PERCUSSION, _PITCHED, _VELOCITY = 9, 0, 80


@dataclass(frozen=True)
class _Tune:
    """A tune of a file: its number from 1 (0 where it is the only one), its text, and the lines of the file before it.

    Those are fewer by the fields of the file's header that its text begins with.
    """

    number: int
    text: str
    before: int


def abc_melodies(data: bytes, stem: str, config: ExtractionConfig) -> Reading:
    """Every tune of an ABC file; those that cannot be read are remarks.

    `config.track` is also a tune's number, where there are several. See `melodygru.formats.scores.files.READERS`.
    """
    tunes = _tunes(data)
    if config.track.isdecimal() and 1 <= int(config.track) <= len(tunes) > 1:
        tunes, config = [tunes[int(config.track) - 1]], replace(config, track="auto")
    melodies: list[Melody] = []
    chords: list[tuple[ChordSpan, ...]] = []
    remarks: list[str] = []
    left_out: dict[str, list[str]] = {}
    voices: Counter[str] = Counter()
    for tune in tunes:
        try:
            voice, found = _melodies_of(tune, config)
        except MelodyGRUError as error:
            told = (
                error
                if isinstance(error, LeftOut)
                else LeftOut(str(error).split(";")[0].rstrip(".").removeprefix("has "))
            )
            reason = told.reason + _place([*_name(tune), *told.place(tune.before)])
            left_out.setdefault(told.reason, []).append(reason)
            remarks.append(f"tune left out: {reason}")
            continue
        voices[voice] += 1
        melodies += found.melodies
        chords += found.chords
        remarks += found.remarks
    if not melodies:
        what = "no tune that can be read" if len(tunes) > 1 else "a tune that cannot be read"
        raise MidiError(f"has {what}: {max(left_out.values(), key=len)[0]}.")
    return Reading(named(melodies, stem), voices.most_common(1)[0][0] or "tune", tuple(remarks), tuple(chords))


def _name(tune: _Tune) -> list[str]:
    """The tune's number and title, where it has neighbours."""
    title = re.search(r"(?m)^T:\s*(.*)$", tune.text) if tune.number else None
    return [
        f"tune {tune.number}"
        + (f", {_printable(title[1].translate(_NO_BRACKETS))[:_LONGEST_TITLE]!r}" if title else "")
    ] * (tune.number > 0)


def _place(parts: Sequence[str]) -> str:
    return f" ({', '.join(parts)})" if parts else ""


def _tunes(data: bytes) -> list[_Tune]:
    """The tunes of a file, each from its `X:` line to the next one's; those without a key (`K:`) are none.

    Fields before the first tune hold for all that do not say otherwise. Text without any `X:` is one tune.
    Raises MidiError where there is no tune.
    """
    head, *texts = _TUNE.split(decoded(data), maxsplit=_MOST_TUNES + 1)
    if len(texts) > _MOST_TUNES:
        raise MidiError(f"has more than {_MOST_TUNES:,} tunes; cut it into several files.")
    if not texts:
        head, texts = "", [head]
    common = _COMMON.findall(head)
    if len(common) > _MOST_COMMON:
        raise MidiError(f"has more than {_MOST_COMMON} fields before its first tune (X:); take them out.")
    found, line = [], head.count("\n")
    for number, text in enumerate(texts, 1):
        fields = _fields_for(text, common)
        first, _, rest = text.partition("\n")
        whole = "\n".join([first, *fields, rest]) if fields else text
        if re.search(r"(?m)^K:", whole):
            found.append(_Tune(number if len(texts) > 1 else 0, whole, line - len(fields)))
        line += text.count("\n")
    if not found:
        raise MidiError("is not ABC notation: it has no tune with a key (K:).")
    return found


def _fields_for(tune: str, common: Sequence[str]) -> list[str]:
    """The fields of a file's header that a tune does not override."""
    own = set(re.findall(r"(?m)^([A-Za-z]):", tune)) if common else set()
    return [field for field in common if field[0] in "mI%" or field[0] not in own]


def _melodies_of(told: _Tune, config: ExtractionConfig) -> tuple[str, VoiceRead]:
    """The voice that is the melody of a tune, by name, and its melodies."""
    tune = scan(told.text)
    found_in = [(voice, _read(tune, voice, config)) for voice in tune.voices]
    read = [(voice, found) for voice, found in found_in if isinstance(found, VoiceRead)]
    failed = [(voice, found) for voice, found in found_in if isinstance(found, LeftOut)]
    if not read:
        raise failed[0][1] if failed else LeftOut("no notes")
    tracks = tuple(
        RawTrack(number, voice.name, _raw_notes(voice, found.melodies))
        for number, (voice, found) in zip(count(1), read, strict=False)
    )
    choice = choose_melody(RawFile(STEPS_PER_QUARTER, tracks, (), (), (), None, (), ()), config.track, config.min_notes)
    voice, found = next((one for one in read if one[0].name == choice.label), read[0])
    title = _printable(title_of(tune.header))
    melodies = tuple(replace(melody, name=title) for melody in found.melodies)
    remarks = [
        f"voice left out: {error.reason}" + _place([*_name(told), f"voice {voice.name}", *error.place(told.before)])
        for voice, error in failed
    ]
    return voice.name, VoiceRead(melodies, (*remarks, *found.remarks), found.chords)


def _read(tune: WrittenTune, voice: WrittenVoice, config: ExtractionConfig) -> VoiceRead | LeftOut:
    """The melodies of a voice, or why there are none: that must not cost the others."""
    try:
        return read_voice(tune, voice.bars, config)
    except LeftOut as error:
        return error


def _printable(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _raw_notes(voice: WrittenVoice, melodies: Sequence[Melody]) -> tuple[RawNote, ...]:
    """The notes of a voice's melodies one behind the other."""
    channel = _PERCUSSION if voice.percussion else _PITCHED
    notes, start = [], 0
    for melody in melodies:
        notes += [RawNote(start + n.onset, start + n.end, n.pitch, _VELOCITY, channel) for n in melody.notes]
        start += melody.length
    return tuple(notes)
