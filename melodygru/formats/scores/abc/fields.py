"""What the fields of an ABC tune say: `M:` metre, `L:` unit, `Q:` tempo, `K:` key and clef, `P:` order of parts.

Source: the ABC standard 2.1, sections 3 and 4.6, https://abcnotation.com/wiki/abc:standard:v2.1; `sound=` and `shift=`
from the proposal for 2.2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from melodygru.errors import DataError, UsageError
from melodygru.music.theory import MODES, SCALES, STEPS_PER_QUARTER, Key, TimeSignature
from melodygru.records import dataclass

WHOLE = 4 * STEPS_PER_QUARTER
"""Steps of a whole note."""
LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
"""Semitones above C of the notes without accidentals."""
_MOST_DIGITS = 4
"""Of a number in a field; no metre, unit or tempo has more."""
_MOST_PARTS = 1000
"""Parts of a tune in the order of play."""
_DEEPEST = 8
"""How deep brackets may stand in one another in the order of play."""

_FIFTHS = {"F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5}
_SHARPENED = "FCGDAEB"
_MODE_NAMES = {"maj": "major", "ion": "major", "min": "minor", "aeo": "minor", "dor": "dorian",
               "phr": "phrygian", "lyd": "lydian", "mix": "mixolydian", "loc": "locrian"}  # fmt: skip
_CLEF = r"(?:treble|alto|tenor|bass|mezzo|soprano|baritone|perc|none|auto)"
_CLEF_WORD = re.compile(rf"({_CLEF}\d?)?(?:([-+^_])(8|15)(?:va|vb)?)?", re.IGNORECASE)
# "Dmix=c" adds a natural, and modifies nothing.
_MODIFIER = re.compile(r"(?:^|\s)(?!maj|min|ion|aeo|dor|phr|lyd|mix|loc|exp)([Cc]lef|[a-z]+)=\s*(\"[^\"]*\"|[^\s\"]*)")
_TONIC = re.compile(r"([A-Ga-g])([#b♯♭]?)\s*([A-Za-z]*)")
_ADDED = re.compile(r"(\^{1,2}|_{1,2}|=)([A-Ga-g])")
_NOTE_NAME = re.compile(r"([\^_=]?)([A-Ga-g])([#b]?)([,']{0,8})")
_BEATS = re.compile(r"\(?\s*(\d+(?:\s*\+\s*\d+)*)\s*\)?\s*/\s*(\d+)")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")

# Where the source names no tempo. Dances by bars a minute, since a reel is written in 2/4 or in 4/4.
_BARS_A_MINUTE = {
    "strathspey": 32,
    "fling": 36,
    "clog": 36,
    "hornpipe": 40,
    "reel": 48,
    "slip": 38,
    "hop": 38,
    "jig": 56,
    "waltz": 48,
}
# Airs by their words, and all others by metre, in quarter notes a minute.
_TEMPO_BY_WORD = {"slow": 76.0, "tender": 84.0, "moderate": 108.0}
_TEMPO_BY_METRE = {"C|": 184.0, "4/4": 150.0, "2/4": 108.0, "6/8": 165.0, "9/8": 170.0, "12/8": 165.0}
_DEFAULT_TEMPO = 120.0
# What a `Q:` field says in words alone, in beats a minute; the middle of what metronomes print.
_TEMPO_MARKS = {"prestissimo": 208.0, "presto": 184.0, "vivace": 160.0, "allegretto": 108.0, "allegro": 132.0,
                "lively": 132.0, "fast": 132.0, "moderato": 92.0, "moderate": 92.0, "andantino": 80.0, "andante": 72.0,
                "larghetto": 60.0, "adagio": 56.0, "slow": 56.0, "lento": 52.0, "largo": 46.0,
                "grave": 40.0}  # fmt: skip
_SLOWEST, _FASTEST = 20.0, 400.0
"""Quarters a minute; what is named beyond is a slip."""


class LeftOut(DataError):
    """A tune, or a voice of it, that cannot be used.

    Attributes:
        reason: the same words for every tune it befalls.
        bar, line: where, both counted from 1 (as written, from the tune's `X:`); 0 where it is all of it.
    """

    def __init__(self, reason: str, bar: int = 0, line: int = 0) -> None:
        self.reason, self.bar, self.line = reason, bar, line
        super().__init__(f"{reason} ({', '.join(self.place())})" if bar or line else reason)

    def place(self, before: int = 0) -> list[str]:
        """The place in words; `before`: lines of the file before the tune."""
        bar, line = [f"bar {self.bar}"] * (self.bar > 0), [f"line {self.line + before}"] * (self.line > 0)
        return [*bar, *line]


@dataclass(frozen=True)
class KeyField:
    """What a `K:` or `V:` field says; None for what it does not say.

    Attributes:
        key: tonic and mode; None also where a field says that there is none.
        signature: by letter, semitones that its notes are raised; empty for no signature.
        shifts: by how many semitones the music sounds higher than it is written, by what says so: "clef", "octave",
            "transpose".
        percussion: the clef is the drums'.
    """

    key: Key | None
    signature: Mapping[str, int] | None
    shifts: Mapping[str, int]
    percussion: bool | None


def read_key(text: str) -> KeyField:
    """A `K:` field: "D", "Bbm", "A Mixolydian", "D Phr ^f", "D exp _e^f", "Hp", "none", "G clef=treble-8 octave=-1".

    Raises LeftOut for a key that nobody knows.
    """
    shifts, percussion, words = _clef(text)
    rest = " ".join(words)
    if rest[:2] in ("HP", "Hp"):
        # Pipes know but one scale, whether its signature is printed or not.
        return KeyField(Key(9, "mixolydian"), _signature(2), shifts, percussion)
    if rest.lower().startswith("none") or not text.strip():
        return KeyField(None, _with_added({}, rest), shifts, percussion)
    tonic = _TONIC.match(rest)
    if tonic is None:
        added = _with_added({}, rest)
        if added or not rest:
            return KeyField(None, added or None, shifts, percussion)
        raise LeftOut(f"a key that nobody knows, {rest[:20]!r}")
    letter, sign, word = tonic[1].upper(), {"": 0, "#": 1, "♯": 1}.get(tonic[2], -1), tonic[3]
    after = rest[tonic.end() :]
    if word.lower().startswith("exp"):
        signature = _with_added({}, after)
        return KeyField(_nearest((LETTERS[letter] + sign) % 12, signature), signature, shifts, percussion)
    mode = "minor" if word.lower() in ("m", "mi") else _MODE_NAMES.get(word[:3].lower(), "major")
    fifths = _FIFTHS[letter] + 7 * sign + Key(0, mode).fifths
    key = Key((LETTERS[letter] + sign) % 12, mode)
    return KeyField(key, _with_added(_signature(fifths), after), shifts, percussion)


def read_voice(text: str) -> tuple[str, str, KeyField]:
    """A `V:` field: the voice's identity, its name (empty if it has none), and its clef and shifts."""
    identity, _, rest = text.strip().partition(" ")
    named = re.search(r'(?:^|\s)(?:name|nm)\s*=\s*(?:"([^"]*)"|(\S+))', rest)
    shifts, percussion, _ = _clef(rest)
    name = " ".join((named[1] or named[2] or "").replace("\\n", " ").split()) if named else ""
    return identity, name, KeyField(None, None, shifts, percussion)


def _clef(text: str) -> tuple[dict[str, int], bool | None, list[str]]:
    """Shifts, whether the clef is the drums', and the words that speak of neither."""
    shifts: dict[str, int] = {}
    modifiers = {name.lower(): value.strip('"') for name, value in _MODIFIER.findall(text)}
    words: list[str] = []
    clefs = [modifiers["clef"]] if "clef" in modifiers else []
    for word in _MODIFIER.sub(" ", text).split():
        match = _CLEF_WORD.fullmatch(word)
        if match is None or (word.lower() == "none" and not words):
            words.append(word)
        else:
            clefs.append(word)
    percussion = None
    for clef in clefs:
        # Signs of other clefs ("G2", "C3") name nothing that sounds.
        match = re.search(r"([-+^_])(8|15)(?:va|vb)?$", clef)
        octaves = 0 if match is None or match[1] in "^_" else int(match[1] + "12") * (2 if match[2] == "15" else 1)
        shifts["clef"] = octaves
        percussion = clef.lower().startswith("perc") or clef == "P"
    if (octave := _whole(modifiers.get("octave", ""), 8)) is not None:
        shifts["octave"] = 12 * octave
    if (semitones := _whole(modifiers.get("transpose", modifiers.get("t", "")), 60)) is not None:
        shifts["transpose"] = semitones
    heard = modifiers.get("sound", modifiers.get("shift"))
    if heard is not None and len(pair := _NOTE_NAME.findall(heard)) == 2:
        shifts["transpose"] = _named_pitch(pair[1]) - _named_pitch(pair[0])
    return shifts, percussion, words


def _whole(text: str, most: int) -> int | None:
    number = int(text) if re.fullmatch(r"[-+]?\d{1,3}", text) else None
    return number if number is not None and abs(number) <= most else None


def _named_pitch(parts: tuple[str, str, str, str]) -> int:
    sign, letter, after, octaves = parts
    alter = {"^": 1, "_": -1, "#": 1, "b": -1}.get(sign or after, 0)
    return LETTERS[letter.upper()] + alter + 12 * (letter.islower() + octaves.count("'") - octaves.count(","))


def _signature(fifths: int) -> dict[str, int]:
    """By letter, the sharps (flats: below 0) of so many fifths; beyond seven they are doubled."""
    found: dict[str, int] = {}
    for place in range(abs(fifths)):
        letter = _SHARPENED[place % 7] if fifths > 0 else _SHARPENED[-1 - place % 7]
        found[letter] = found.get(letter, 0) + (1 if fifths > 0 else -1)
    return found


def _with_added(signature: dict[str, int], text: str) -> dict[str, int]:
    added = {letter.upper(): {"^": 1, "_": -1}.get(sign[0], 0) * len(sign) for sign, letter in _ADDED.findall(text)}
    return {**signature, **added}


def _nearest(tonic: int, signature: Mapping[str, int]) -> Key:
    """The mode on a tonic that has the most notes of a signature; of several the one that is named first."""
    notes = {(LETTERS[letter] + signature.get(letter, 0)) % 12 for letter in LETTERS}
    modes = max(MODES, key=lambda mode: sum((tonic + step) % 12 in notes for step in SCALES[mode]))
    return Key(tonic, modes)


def read_metre(text: str) -> TimeSignature | None:
    """An `M:` field: "6/8", "C", "C|" (4/4: the same bar), "2+3/8", "(2+3)/8"; None for "none" or what says no metre.

    Raises LeftOut for a metre that no tune has.
    """
    text = text.strip()
    if text[:1] in ("C", "c"):
        return TimeSignature(4, 4)
    match = _BEATS.search(text)
    if match is None:
        return None
    if max(map(len, re.findall(r"\d+", match[0]))) > _MOST_DIGITS:
        raise LeftOut("a metre, length or tempo that no tune has")
    try:
        return TimeSignature(sum(map(int, match[1].split("+"))), int(match[2]))
    except UsageError as error:
        raise LeftOut(f"a metre that no tune has, {match[0][:20]}") from error


def read_unit(text: str) -> Fraction | None:
    """An `L:` field: the part of a whole note that a note without a number lasts; None for what says none."""
    match = re.match(r"\s*(\d+)(?:\s*/\s*(\d+))?", text)
    if match is None:
        return None
    numerator, denominator = match[1], match[2] or "1"
    if max(len(numerator), len(denominator)) > _MOST_DIGITS or not int(numerator) or not int(denominator):
        raise LeftOut("a metre, length or tempo that no tune has")
    return Fraction(int(numerator), int(denominator))


def default_unit(metre: TimeSignature | None) -> Fraction:
    """The unit where no `L:` names it: a sixteenth in metres below 3/4, else an eighth."""
    below = metre is not None and 4 * metre.numerator < 3 * metre.denominator
    return Fraction(1, 16 if below else 8)


def read_tempo(text: str, unit: Fraction) -> float | None:
    """A `Q:` field in quarters a minute: 1/4=120, C3=40 (three units), 120, "Allegro" 3/8=96, "Allegro" alone.

    None where it says nothing of the kind; what is out of [20, 400] is taken to the edge.
    """
    plain = re.sub(r'"[^"]*"', " ", text)
    beat, _, rate = plain.rpartition("=")
    number = _NUMBER.search(rate)
    if number is None:
        words = text.lower()
        return next((qpm for word, qpm in _TEMPO_MARKS.items() if word in words), None)
    if max(map(len, re.findall(r"\d+", plain))) > _MOST_DIGITS:
        raise LeftOut("a metre, length or tempo that no tune has")
    quarters = Fraction(0)
    for upper, lower, units, parts in re.findall(r"(\d+)\s*/\s*(\d+)|[A-Ga-g](\d*)(?:/(\d+))?", beat):
        if upper:
            quarters += 4 * Fraction(int(upper), int(lower) or 1)
        else:
            quarters += 4 * unit * Fraction(int(units or 1), int(parts or 1) or 1)
    # Without a beat it is the quarter that is counted, as abc2midi and others take it.
    qpm = float(number[0]) * float(quarters or 1)
    return min(max(qpm, _SLOWEST), _FASTEST) if qpm else None


def usual_tempo(words: str, metre: TimeSignature, named: str) -> float:
    """Quarters a minute where no `Q:` names them: of the words of its header, the dance, else the metre as `named`."""
    for word, qpm in _TEMPO_BY_WORD.items():
        if word in words:
            return qpm
    for word, bars in _BARS_A_MINUTE.items():
        if re.search(rf"\b{word}", words):
            return min(200.0, bars * metre.bar_steps / STEPS_PER_QUARTER)
    return _TEMPO_BY_METRE.get(named, _TEMPO_BY_METRE.get(str(metre), _DEFAULT_TEMPO))


def read_order(text: str) -> str:
    """The parts in the order of play that a `P:` field names: "A2(BC)3" is AABCBCBC. Empty where it names none.

    Raises LeftOut for more parts than any tune has.
    """
    if not re.fullmatch(r"[A-Z0-9().,\s]+", text):
        return ""
    stack = [""]
    for sign, times in re.findall(r"([A-Z()])[\s.,]*(\d*)", text):
        part = sign
        if sign == "(":
            stack.append("")
            continue
        if sign == ")":
            part = stack.pop() if len(stack) > 1 else ""
        again = int(times[:_MOST_DIGITS] or 1)
        if len(stack) > _DEEPEST or len(stack[-1]) + len(part) * again > _MOST_PARTS:
            raise LeftOut("more parts in its order of play than any tune has")
        stack[-1] += part * again
    return "".join(stack)
