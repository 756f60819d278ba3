"""Facts of music: pitch names, time signatures and keys.

Pitches are MIDI note numbers (60 = C4, middle C); pitch classes are 0..11 with
C = 0. Times are in steps of the grid, `STEPS_PER_QUARTER` to a quarter note.
"""

from __future__ import annotations

import re
from dataclasses import field

from melodygru.errors import UsageError
from melodygru.records import dataclass

STEPS_PER_QUARTER = 24
"""The grid: thirty-seconds (3 steps) and triplet sixteenths (4) are both exact; it is MIDI clock."""

SCALES: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
}
"""Semitones above the tonic of each mode, in the order of `MODES`."""

MODES: tuple[str, ...] = tuple(SCALES)

# How many fifths a mode's key signature lies from that of the major key on the same tonic:
# D dorian has C major's signature (0), D major has two sharps (+2), hence -2.
_MODE_FIFTHS = {
    "major": 0,
    "minor": -3,
    "dorian": -2,
    "phrygian": -4,
    "lydian": 1,
    "mixolydian": -1,
    "locrian": -5,
}
_MODE_ALIASES = {"": "major", "maj": "major", "ionian": "major", "min": "minor", "m": "minor"}
_MODE_ALIASES |= {"aeolian": "minor", "aeol": "minor", "mix": "mixolydian", "dor": "dorian"}
_MODE_ALIASES |= {"dur": "major", "moll": "minor"}
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SHARP_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_FLAT_NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
_LINE_OF_FIFTHS = "FCGDAEB"
_KEY_PATTERN = re.compile(r"([A-Ga-g]) ?(#|b|♯|♭|[Ss]harp|[Ff]lat)? ?(m(?![a-z])|[A-Za-z]*)")
"""Of a key whose blanks and hyphens are single blanks."""
_NOTE_PATTERN = re.compile(r"\s*([A-Ga-g])(#|b|♯|♭)?(-?\d+)\s*")


def pitch_name(pitch: int) -> str:
    """The scientific name of a MIDI pitch in [0, 128), whatever the key: 60 is "C4", 61 "C#4"."""
    return f"{_SHARP_NAMES[pitch % 12]}{pitch // 12 - 1}"


def parse_pitch(text: str) -> int:
    """A MIDI pitch in [0, 128) from its scientific name: "C4" is 60, "Bb3" is 58.

    Raises UsageError for a name that nobody knows or a pitch outside MIDI's range.
    """
    match = _NOTE_PATTERN.fullmatch(text)
    if match is None:
        raise UsageError(f"{text!r} is not a pitch; write a letter, an accidental and an octave: C4, F#5, Bb3.")
    pitch = _LETTERS[match[1].upper()] + _accidental(match[2]) + 12 * (int(match[3]) + 1)
    if not 0 <= pitch < 128:
        raise UsageError(f"The pitch {text!r} is outside MIDI's range; choose one from C-1 to G9.")
    return pitch


def name_on_line(fifths: int) -> str:
    """The note so many fifths above C, in [-8, 12]: -1 is F, 6 F#, -6 Gb; the tonic of major with such a signature."""
    octave, place = divmod(fifths + 1, 7)
    return _LINE_OF_FIFTHS[place] + ("b", "", "#")[octave + 1]


def _accidental(sign: str | None) -> int:
    return 0 if sign is None else 1 if sign in ("#", "♯", "sharp", "Sharp") else -1


MOST_BEATS = 32
"""The largest numerator of a metre."""
BEAT_UNITS = (1, 2, 4, 8, 16, 32)
"""Denominators of metres: parts of a whole note."""


@dataclass(frozen=True)
class TimeSignature:
    """A metre of 1..32 `numerator` units, each 1/`denominator` of a whole note (1, 2, 4, 8, 16 or 32)."""

    numerator: int = 4
    denominator: int = 4

    def __post_init__(self) -> None:
        if not 1 <= self.numerator <= MOST_BEATS or self.denominator not in BEAT_UNITS:
            raise UsageError(
                f"The metre {self.numerator}/{self.denominator} is not legal; write 1 to 32 beats over 1, 2, 4, 8, "
                "16 or 32, such as 4/4, 3/4 or 6/8."
            )

    @classmethod
    def parse(cls, text: str) -> TimeSignature:
        """A metre from text such as "6/8". Raises UsageError for anything else."""
        match = re.fullmatch(r"\s*(\d{1,4})\s*/\s*(\d{1,4})\s*", text)
        if match is None:
            raise UsageError(f"{text!r} is not a metre; write two numbers, such as 4/4, 3/4 or 6/8.")
        return cls(int(match[1]), int(match[2]))

    @property
    def bar_steps(self) -> int:
        """Length of a bar in steps: 96 for 4/4, 72 for 3/4 and 6/8."""
        return self.numerator * STEPS_PER_QUARTER * 4 // self.denominator

    @property
    def beat_steps(self) -> int:
        """Length of the felt beat in steps: three units in compound metres (6/8, 9/8, 12/8), else one."""
        unit = STEPS_PER_QUARTER * 4 // self.denominator
        return 3 * unit if self.is_compound else unit

    @property
    def is_compound(self) -> bool:
        """True for 6/8, 9/8, 12/8, 6/16 …: metres whose beat divides by three."""
        return self.denominator >= 8 and self.numerator % 3 == 0 and self.numerator > 3

    def __str__(self) -> str:
        return f"{self.numerator}/{self.denominator}"


@dataclass(frozen=True)
class Key:
    """A tonic (pitch class 0..11, C = 0) and a mode, one of `MODES`.

    `written` is the tonic as somebody spelled it, such as "Gb", where that tells F# from Gb: keys are equal without it.
    """

    tonic: int = 0
    mode: str = "major"
    written: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.tonic < 12 or self.mode not in SCALES:
            raise UsageError(
                f"There is no key of tonic {self.tonic} and mode {self.mode!r}; "
                f"the tonic is 0 to 11 and the mode one of {', '.join(MODES)}."
            )

    @classmethod
    def parse(cls, text: str, as_written: bool = False) -> Key:
        """A key from text: "A minor", "Am", "a-minor", "Bb", "B flat", "F# dorian"; `as_written` keeps Gb from F#.

        Raises UsageError for anything else.
        """
        match = _KEY_PATTERN.fullmatch(" ".join(text.replace("-", " ").split()))
        word = "?" if match is None else match[3] if match[3] == "M" else match[3].lower()
        mode = "major" if word == "M" else _MODE_ALIASES.get(word, word)
        if match is None or mode not in SCALES:
            raise UsageError(
                f"{text!r} is not a key; write a tonic A to G with an optional # or b, and a mode "
                f'({", ".join(MODES)}): "A minor", Bb, "D dorian".'
                + (" H is B here." if text.strip()[:1] in ("H", "h") else "")
            )
        letter, alter = match[1].upper(), _accidental(match[2])
        written = letter + ("b", "", "#")[alter + 1] if as_written else ""
        return cls((_LETTERS[letter] + alter) % 12, mode, written)

    @classmethod
    def from_fifths(cls, fifths: int, mode: str = "major") -> Key:
        """The key of `mode` whose signature has `fifths` sharps (or, below 0, flats), in [-7, 7]."""
        return cls((7 * (fifths - _MODE_FIFTHS[mode])) % 12, mode)

    @property
    def fifths(self) -> int:
        """Sharps (above 0) or flats (below 0) of the signature: as `written`, in [-7, 7], or as few as can be."""
        if (as_written := self._as_written) is not None:
            return as_written
        return (7 * self.tonic + _MODE_FIFTHS[self.mode] + 5) % 12 - 5

    @property
    def _as_written(self) -> int | None:
        """The signature of the tonic as it is written; None where there is none of seven sharps or flats at most."""
        if not self.written:
            return None
        alter = 0 if len(self.written) == 1 else _accidental(self.written[1])
        fifths = _LINE_OF_FIFTHS.index(self.written[0]) - 1 + 7 * alter + _MODE_FIFTHS[self.mode]
        return fifths if -7 <= fifths <= 7 else None

    @property
    def scale(self) -> tuple[int, ...]:
        """The pitch classes of the key's scale, from the tonic up."""
        return tuple((self.tonic + interval) % 12 for interval in SCALES[self.mode])

    @property
    def tonic_name(self) -> str:
        """The tonic as `written`, else as the signature spells it: Bb in flat keys, A# nowhere that Bb will do."""
        if self._as_written is not None:
            return self.written
        return (_FLAT_NAMES if self.fifths < 0 else _SHARP_NAMES)[self.tonic]

    @property
    def plain(self) -> Key:
        """The same key, spelled as its signature would be: with as few sharps or flats as can be."""
        return Key(self.tonic, self.mode)

    def transpose(self, semitones: int) -> Key:
        """The same mode, `semitones` higher (negative: lower)."""
        return Key((self.tonic + semitones) % 12, self.mode)

    def __str__(self) -> str:
        return f"{self.tonic_name} {self.mode}"
