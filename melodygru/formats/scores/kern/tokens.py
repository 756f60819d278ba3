"""The tokens of a **kern spine -> what they say: notes and rests, bar lines, metres, keys, tempi, names.

Pitches are as they sound: of transposing instruments, beneath ottava signs and octave clefs too. Notes that are not
printed (`yy`) sound, since they are "logically implied". Grace notes (`q`, `Q`) take no time; appoggiaturas (`P`) are
written in the time they take.

The **kern representation: https://www.humdrum.org/rep/kern/; extensions: https://doc.verovio.humdrum.org/.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from melodygru.errors import MidiError, UsageError
from melodygru.formats.scores.kern.spines import Time
from melodygru.formats.scores.written import TICKS
from melodygru.music.theory import BEAT_UNITS, MOST_BEATS, Key, TimeSignature

LARGEST_CHORD = 100
"""Notes of a chord; no hands have as many fingers."""
_LONGEST_CELL = 4_000
"""Signs; no chord needs half of them."""
_LONGEST = 128
"""Whole notes that a note lasts at most; a maxima has 8."""
_WHOLE = 4 * TICKS
_LETTERS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_DURATION = re.compile(r"(?<!\d)(\d{1,4})(?:%(\d{1,4}))?(?!\d)")
_TREMOLO = re.compile(r"@+\d*@*")
_PITCH = re.compile(r"[a-gA-G]+")
_MODES = {"ion": "major", "dor": "dorian", "phr": "phrygian", "lyd": "lydian", "mix": "mixolydian",
          "aeo": "minor", "loc": "locrian"}  # fmt: skip
_SHARPS, _FLATS = "fcgdaeb", "beadgcf"
_NAMES = {"soprn": "Soprano", "cant": "Cantus", "mezzo": "Mezzo-soprano", "calto": "Alto", "alto": "Alto",
          "tenor": "Tenor", "barit": "Baritone", "bass": "Bass", "vox": "Voice", "feme": "Female voice",
          "male": "Male voice", "nfant": "Child's voice", "canto": "Canto", "piano": "Piano", "forte": "Fortepiano",
          "cemba": "Harpsichord", "organ": "Organ", "guitr": "Guitar", "liuto": "Lute", "arpa": "Harp",
          "violn": "Violin", "viola": "Viola", "cello": "Violoncello", "cbass": "Contrabass", "flt": "Flute",
          "picco": "Piccolo", "oboe": "Oboe", "cangl": "English horn", "clars": "Clarinet", "clar": "Clarinet",
          "fagot": "Bassoon", "cor": "Horn", "tromp": "Trumpet", "tromb": "Trombone", "tuba": "Tuba",
          "timpa": "Timpani"}  # fmt: skip
"""Humdrum's codes of instruments that are met with; the others are shown as they stand."""
_CLASSES = {"vox": "Voice", "klav": "Keyboard", "str": "Strings", "ww": "Woodwind", "bras": "Brass"}
_LONGEST_NAME = 120


class Event(NamedTuple):
    """What a token sounds: its length in ticks (0 of grace notes), (pitch, tied on) of each note, none of a rest.

    `beaten`: something without a pitch is struck.
    """

    length: Time
    notes: tuple[tuple[int, bool], ...]
    beaten: bool


REST = Event(0, (), False)
"""Nothing to hear."""


def event(cell: str) -> Event | None:
    """What a cell of data says, or None where it is no note, rest or chord.

    Raises MidiError for a chord too large, and a pitch outside MIDI's range.
    """
    if len(cell) > _LONGEST_CELL:
        return None
    if cell.count(" ") >= LARGEST_CHORD:
        raise MidiError("a chord of more notes than any score has")
    length: Time | None = None
    notes: list[tuple[int, bool]] = []
    beaten = grace = False
    for word in cell.split():
        own = _length(word)
        grace = grace or "q" in word or "Q" in word
        if length is None:
            length = own
        elif own is not None and own != length and not grace:
            raise MidiError("a chord of notes that differ in length")
        if "r" in word:
            continue
        if "R" in word:
            beaten = True
            continue
        pitch = _pitch(word)
        if pitch is None:
            return None
        if not 0 <= pitch < 128:
            raise MidiError("a pitch that MIDI does not know")
        notes.append((pitch, "[" in word or "_" in word))
    if grace:
        return REST
    return None if length is None else Event(length, tuple(notes), beaten)


def _length(word: str) -> Time | None:
    """Ticks; None where there is no duration, or more than one, or one that no note has."""
    found = _DURATION.findall(_TREMOLO.sub("", word))
    return _ticks(*found[0], word.count(".")) if len(found) == 1 else None


@lru_cache(1 << 14)
def _ticks(number: str, parts: str, dots: int) -> Time | None:
    """Of the reciprocal `number`/`parts` of a whole note with so many dots: 0 is a breve, 00 a long, 000 a maxima."""
    if int(number):
        whole = Fraction(_WHOLE * int(parts or 1), int(number))
    elif len(number) > 3 or parts:
        return None
    else:
        whole = Fraction(_WHOLE << len(number))
    if dots > 8:
        return None
    length = whole * ((2 << dots) - 1) / (1 << dots)
    if not 0 < length <= _LONGEST * _WHOLE:
        return None
    return length.numerator if length.denominator == 1 else length


def _pitch(word: str) -> int | None:
    found = _PITCH.findall(word)
    if len(found) != 1 or len(set(found[0])) > 1:
        return None
    letter, times = found[0][0], len(found[0])
    sharps, flats = word.count("#"), word.count("-")
    if (sharps and flats) or max(sharps, flats) > 3:
        return None
    octave = times - 1 if letter.islower() else -times
    return 60 + 12 * octave + _LETTERS[letter.lower()] + sharps - flats


class BarLine(NamedTuple):
    """A bar line: its number (None), whether a section ends at it, and whether a repeat ends or begins there."""

    number: int | None
    section: bool
    repeat_ends: bool
    repeat_begins: bool


def bar_line(cell: str) -> BarLine:
    """What a cell that begins with "=" says."""
    cell = cell[:40]
    number = re.search(r"\d{1,6}", cell)
    signs = "".join(sign for sign in cell.lstrip("=") if sign in ":|!")
    dots_only = bool(signs) and not signs.strip(":")
    ends = signs.startswith(":")
    begins = signs.endswith(":") and not (dots_only and len(signs) == 1)
    section = cell.startswith("==") or "||" in signs or "!" in signs or ends or begins
    return BarLine(int(number[0]) if number else None, section, ends, begins)


def metre(cell: str) -> TimeSignature | None:
    """The metre of "*M3/4", "*M3+2/8" or "*M3/3%2". Raises MidiError for what is no metre here."""
    found = re.fullmatch(r"\*M(\d{1,3}(?:\+\d{1,3}){0,7})/(\d{1,3})(?:%(\d{1,3}))?", cell)
    if found is None:
        raise MidiError(f"the metre {cell[2:40]!r}, which cannot be read,")
    beats, unit = sum(map(int, found[1].split("+"))), found[2]
    wholes = Fraction(beats * int(found[3] or 1), int(unit)) if int(unit) else Fraction(beats << len(unit))
    denominator = int(unit) if int(unit) and not found[3] else max(1, wholes.denominator)
    try:
        return TimeSignature(int(wholes * denominator), denominator)
    except UsageError as error:
        legal = f"1 to {MOST_BEATS} over {', '.join(map(str, BEAT_UNITS))}"
        raise MidiError(f"the metre {cell[2:]}, which is none here (legal are {legal}),") from error


def signature(cell: str) -> int | None:
    """The sharps (flats below 0) of "*k[f#c#]"; None for one that is no key's."""
    found = re.findall(r"([a-g])([#-]?)", cell[3:40])
    sharps = {letter for letter, sign in found if sign == "#"}
    flats = {letter for letter, sign in found if sign == "-"}
    if sharps and flats:
        return None
    count = len(sharps or flats)
    if sharps | flats != set((_SHARPS if sharps else _FLATS)[:count]):
        return None
    return count if sharps else -count


_KEY = re.compile(r"\*([A-Ga-g])([#-]?):([a-z]{0,3})[a-z]*")


def key(cell: str) -> Key | None:
    """The key of "*G:", "*e-:" or "*d:dor"; None for any other interpretation."""
    found = _KEY.fullmatch(cell)
    if found is None:
        return None
    letter, sign, mode = found.groups()
    if mode and mode not in _MODES:
        return None
    tonic = _LETTERS[letter.lower()] + {"": 0, "#": 1, "-": -1}[sign]
    return Key(tonic % 12, _MODES[mode] if mode else "major" if letter.isupper() else "minor")


def plain(text: str) -> str:
    """A title or name in printable signs, without what is blank around and between them, not too long."""
    signs = (sign if sign.isprintable() else " " for sign in text[: 10 * _LONGEST_NAME])
    return " ".join("".join(signs).split())[:_LONGEST_NAME]


def name(cell: str) -> tuple[int, str] | None:
    """What "*I..." says of a part's name, the better the less: 0 its own words, 1 its instrument, 2 the kind of those.

    None where it says something else.
    """
    if cell.startswith('*I"'):
        words = plain(cell[3:])
        return (0, words) if words else None
    found = re.fullmatch(r"\*I(C?)([a-z_]{2,8})\d*", cell)
    if found is None:
        return None
    return (2, _CLASSES.get(found[2], "")) if found[1] else (1, _NAMES.get(found[2], found[2]))


_TEMPO = re.compile(r"\*MM(\d{1,4}(?:\.\d{1,4})?)(?:-(\d{1,4}(?:\.\d{1,4})?))?")


def tempo(cell: str) -> float | None:
    """Quarters a minute of "*MM96" or, in the middle, of "*MM90-100"; None for what is no tempo."""
    found = _TEMPO.fullmatch(cell)
    if found is None:
        return None
    return _legal((float(found[1]) + float(found[2] or found[1])) / 2)


_SPOKEN = re.compile(r"\[([a-z0-9]{2,12})(-dot)?\]\s*=\s*(?:ca?\.?|circa)?\s*(\d{1,4}(?:\.\d{1,4})?)")
_BEATS = {"whole": 4.0, "half": 2.0, "quarter": 1.0, "eighth": 0.5, "sixteenth": 0.25}


def spoken_tempo(text: str) -> float | None:
    """Quarters a minute of "Allegro [quarter]=120" or "[half-dot] = ca. 66"; None of words alone."""
    found = _SPOKEN.search(text)
    if found is None or found[1] not in _BEATS:
        return None
    return _legal(float(found[3]) * _BEATS[found[1]] * (1.5 if found[2] else 1.0))


def _legal(qpm: float) -> float | None:
    return qpm if 4 <= qpm <= 1000 else None
