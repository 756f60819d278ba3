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
from melodygru.formats.scores.abc_fields import LeftOut
from melodygru.formats.scores.abc_tokens import WrittenVoice, scan
from melodygru.formats.scores.abc_tunes import VoiceRead, read_voice, title_of
from melodygru.formats.scores.cache import Reading
from melodygru.formats.scores.files import decoded
from melodygru.formats.scores.melodies import named
from melodygru.music.melody import Melody
from melodygru.music.theory import STEPS_PER_QUARTER

_MOST_TUNES = 100_000
"""Of a file; the largest collection that people hand round holds half of that."""
_MOST_COMMON = 200
"""Fields of a file's header, which hold for each of its tunes."""
_TUNE = re.compile(r"(?m)^(?=X:(?![|:]))")
_COMMON = re.compile(r"(?m)^(?:[LMQRNKmIPV]:|%%(?!begin|end)).*$")
_PERCUSSION, _PITCHED, _VELOCITY = 9, 0, 80


def abc_melodies(data: bytes, stem: str, config: ExtractionConfig) -> Reading:
    """Every tune of an ABC file; those that cannot be read are remarks.

    `config.track` is also a tune's number, where there are several. See `melodygru.formats.scores.files.READERS`.
    """
    texts = abc_tunes(data)
    places = [f"tune {number}" if len(texts) > 1 else "" for number in range(1, len(texts) + 1)]
    if config.track.isdecimal() and 1 <= int(config.track) <= len(texts) > 1:
        number = int(config.track) - 1
        texts, places, config = [texts[number]], [places[number]], replace(config, track="auto")
    melodies: list[Melody] = []
    remarks: list[str] = []
    left_out: Counter[str] = Counter()
    voices: Counter[str] = Counter()
    for text, place in zip(texts, places, strict=True):
        try:
            voice, found = _tune(text, config)
        except MelodyGRUError as error:
            reason = str(error).split(";")[0].rstrip(".").removeprefix("has ")
            left_out[reason] += 1
            remarks.append(f"{place or 'tune'} left out: {reason}")
            continue
        voices[voice] += 1
        melodies += found.melodies
        remarks += [f"{place}: {remark}" if place else remark for remark in found.remarks]
    if not melodies:
        what = "no tune that can be read" if len(texts) > 1 else "a tune that cannot be read"
        raise MidiError(f"has {what}: {left_out.most_common(1)[0][0]}.")
    return Reading(named(melodies, stem), voices.most_common(1)[0][0] or "tune", tuple(remarks))


def abc_tunes(data: bytes) -> list[str]:
    """The text of every tune in an ABC file, from its `X:` line to the next one's.

    Fields before the first tune hold for all that do not say otherwise. Text without any `X:` is one tune.
    Raises MidiError where there is no tune.
    """
    head, *tunes = _TUNE.split(decoded(data), maxsplit=_MOST_TUNES + 1)
    if len(tunes) > _MOST_TUNES:
        raise MidiError(f"has more than {_MOST_TUNES:,} tunes; cut it into several files.")
    if not tunes:
        head, tunes = "", [head]
    common = _COMMON.findall(head)
    if len(common) > _MOST_COMMON:
        raise MidiError(f"has more than {_MOST_COMMON} fields before its first tune (X:); take them out.")
    found = [tune for tune in (_with_fields(tune, common) for tune in tunes) if re.search(r"(?m)^K:", tune)]
    if not found:
        raise MidiError("is not ABC notation: it has no tune with a key (K:).")
    return found


def _with_fields(tune: str, common: Sequence[str]) -> str:
    """A tune with the fields of its file's header, which its own ones override."""
    if not common:
        return tune
    own = set(re.findall(r"(?m)^([A-Za-z]):", tune))
    first, _, rest = tune.partition("\n")
    return "\n".join([first, *(field for field in common if field[0] in "mI%" or field[0] not in own), rest])


def _tune(text: str, config: ExtractionConfig) -> tuple[str, VoiceRead]:
    """The voice that is the melody of a tune, by name, and its melodies."""
    tune = scan(text)
    read: list[tuple[WrittenVoice, VoiceRead]] = []
    remarks: list[str] = []
    failed: list[LeftOut] = []
    for voice in tune.voices:
        try:
            read.append((voice, read_voice(tune, voice.bars, config)))
        except LeftOut as error:
            failed.append(error)
            remarks.append(f"voice {voice.name or 1} left out: {error}")
    if not read:
        raise failed[0] if failed else LeftOut("no notes")
    tracks = tuple(
        RawTrack(number, voice.name, _raw_notes(voice, found.melodies))
        for number, (voice, found) in zip(count(1), read, strict=False)
    )
    choice = choose_melody(RawFile(STEPS_PER_QUARTER, tracks, (), (), (), None, (), ()), config.track, config.min_notes)
    voice, found = next((one for one in read if one[0].name == choice.label), read[0])
    title = " ".join("".join(c if c.isprintable() else " " for c in title_of(tune.header)).split())
    melodies = tuple(replace(melody, name=title) for melody in found.melodies)
    return voice.name, VoiceRead(melodies, (*remarks, *found.remarks))


def _raw_notes(voice: WrittenVoice, melodies: Sequence[Melody]) -> tuple[RawNote, ...]:
    """The notes of a voice's melodies one behind the other."""
    channel = _PERCUSSION if voice.percussion else _PITCHED
    notes, start = [], 0
    for melody in melodies:
        notes += [RawNote(start + n.onset, start + n.end, n.pitch, _VELOCITY, channel) for n in melody.notes]
        start += melody.length
    return tuple(notes)
