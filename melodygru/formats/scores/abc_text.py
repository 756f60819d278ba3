"""The text of a tune in ABC notation -> music21's tokens, and what its header says.

music21's ABC tokenizer reads notes, lengths, tuplets and keys. It is helped over three
things, each found by measuring on the books of `melodygru.data.corpora`: grace notes and slurs
would break the dotted rhythm `A>B` that they stand in; an accidental would end with its
note, where these books mean it to last to the bar line; and `A::` would be a field.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from typing import Any

from melodygru.errors import DataError
from melodygru.formats.scores.quiet import quietly
from melodygru.music.theory import STEPS_PER_QUARTER, Key, TimeSignature

_HEADER_LINE = re.compile(r"[A-Za-z]:(?!\|)")
# A bar line's look tells where a section ends; "[|]" is an invisible one, put where lines are broken.
_INVISIBLE_BAR = re.compile(r"\[\|\]")
_INLINE_FIELD = re.compile(r"\[([A-Za-z]:[^\[\]|]*)\]")
# What is printed on or beside notes and changes neither pitch nor length: words, !signs!, grace
# notes, slurs (but not the "(3" of a triplet), bowing, rolls, trills, fermatas (also over nothing: "Hx"),
# line breaks. An "x" with a length is a rest that is not printed.
_TUPLET = re.compile(r"\(\d(?::\d*){0,2}")
_HIDDEN_REST = re.compile(r"x(?=\d)")
_ORNAMENTS = re.compile(r'"[^"]*"|![^!\s|]*!|\{[^{}]*\}|\((?!\d)|[)~.`\\!+*HJKLMOPQRSTUVWYhiklmnopqrstuvwxy]')
_PLAIN_KEY = re.compile(r"([A-G])([#b]?)\s*(maj|min|m(?![a-z])|ion|dor|phr|lyd|mix|aeo|loc|)[a-z]*", re.IGNORECASE)
_MODES = {"": "major", "maj": "major", "ion": "major", "min": "minor", "m": "minor", "aeo": "minor", "dor": "dorian",
          "phr": "phrygian", "lyd": "lydian", "mix": "mixolydian", "loc": "locrian"}  # fmt: skip

# music21 would count up to such numbers.
_BEYOND_ALL = re.compile(r"^(?:M:.*\d{3}|[LQ]:.*\d{5})", re.MULTILINE)

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


class LeftOut(DataError):
    """A tune that cannot be used; the message is the reason, the same words for every tune it befalls."""


def tokenize(text: str) -> tuple[list[Any], dict[str, Any]]:
    """The tune's notes, bar lines and fields as music21's tokens, and the first field of each letter."""
    from music21 import abcFormat

    lines, locrian = [], {}
    # An ending's number at the head of a continued line belongs to the bar line before it.
    for line in re.sub(r"\\[ \t]*\r?\n(?=[12])", "", text).splitlines():
        line = line.split("%")[0]
        if not _HEADER_LINE.match(line):
            line = _INLINE_FIELD.sub(r"\n\1\n", _INVISIBLE_BAR.sub("", line))
            line = "\n".join(part if _HEADER_LINE.match(part) else _music(part) for part in line.split("\n"))
        elif (key := _plain_key(line.removeprefix("K:"))) is not None and key.mode == "locrian":
            # music21 would read its accidentals as those of the major key on its tonic.
            name = Key.from_fifths(key.fifths).tonic_name
            locrian[name], line = line.removeprefix("K:"), f"K:{name}"
        if _BEYOND_ALL.search(line):
            raise LeftOut("a metre, length or tempo that no tune has")
        lines.append(line)
    # From version 2 on, music21 lets an accidental last to the bar line. Of 1,051 notes that repeat
    # an altered pitch in its bar, these books restate the sign before 51.
    handler = abcFormat.ABCHandler(abcVersion=(2, 1, 0))
    with quietly():
        handler.tokenize("\n".join(lines) + "\n")
        # Ties are taken out before music21 gives dotted pairs their lengths: it wants ">" right between two notes.
        kept: list[Any] = []
        tied: set[int] = set()
        for token in handler.tokens:
            if isinstance(token, abcFormat.ABCTie):
                # In "A>-A" the note that is tied stands before the sign of the dotted pair.
                before = kept[-2:-1] if kept and isinstance(kept[-1], abcFormat.ABCBrokenRhythmMarker) else kept[-1:]
                tied.update(id(note) for note in before)
            else:
                kept.append(token)
        handler.tokens = kept
        try:
            handler.tokenProcess()
        except Exception as error:
            raise LeftOut("music21 cannot read it") from error
    header: dict[str, Any] = {}
    for token in kept:
        if isinstance(token, abcFormat.ABCMetadata):
            if token.tag == "K" and token.data in locrian:
                token.data = locrian[token.data]
            header.setdefault(token.tag, token)
            if token.tag == "V" and token.data != header["V"].data:
                raise LeftOut("several voices")
    return [(token, id(token) in tied) for token in kept], header


def _music(line: str) -> str:
    """A line of notes without what is printed around them. Raises LeftOut for what no single melody holds."""
    # music21 takes the "A:" of "A::" for a field's name.
    line = _ORNAMENTS.sub("", _HIDDEN_REST.sub("z", line)).replace("::", ":||:")
    if "&" in line:
        raise LeftOut("several voices")
    if re.search(r"[|\[:]\s*[3-9]", _TUPLET.sub("", line)):
        raise LeftOut("more than two endings")
    # "||1" and "| 1" begin an ending like "|1", the only spelling that music21 knows.
    return re.sub(r"(?<!\|)\|+\s*([12])", r"|\1", line)


def read_pitch(token: Any) -> int | None:
    """The MIDI pitch of a note token, the highest of a chord's, None for a rest."""
    names = [sub.pitchName for sub in getattr(token, "subTokens", ())] or [token.pitchName]
    if not re.search("[A-Ga-gz]", token.src):
        raise LeftOut("a sign that is no note")
    return max((_midi_pitch(name) for name in names if name is not None), default=None)


@lru_cache(maxsize=256)
def _midi_pitch(name: str) -> int:
    from music21 import pitch

    return int(pitch.Pitch(name).midi)


def read_steps(token: Any) -> int:
    """The length of a note token, tuplet included, in steps."""
    quarters = Fraction(token.quarterLength).limit_denominator(10_000)
    if token.activeTuplet is not None:
        quarters *= Fraction(token.activeTuplet.tupletMultiplier()).limit_denominator(100)
    steps = quarters * STEPS_PER_QUARTER
    if steps.denominator != 1 or steps < 1:
        raise LeftOut("a rhythm off the grid of 24 steps a quarter")
    return int(steps)


def read_metre(token: Any) -> TimeSignature:
    """The metre of an `M:` field; cut time counts as 4/4, the same bar in the same steps."""
    parameters = None if token is None else _try(token.getTimeSignatureParameters)
    if parameters is None:
        raise LeftOut("no metre")
    numerator, denominator, symbol = parameters
    return TimeSignature(4, 4) if symbol == "cut" else TimeSignature(numerator, denominator)


def read_key(token: Any) -> Key:
    """Tonic and mode of a `K:` field; the scale of Highland pipes ("Hp") is A mixolydian."""
    plain = None if token is None else _plain_key(token.data)
    if plain is not None:
        return plain
    parameters = None if token is None else _try(token.getKeySignatureParameters)
    if parameters is None:
        raise LeftOut("no key")
    sharps, mode = parameters
    if mode is None:
        return Key.from_fifths(sharps, "mixolydian" if token.data.startswith("Hp") else "major")
    return Key.from_fifths(sharps, {"ionian": "major", "aeolian": "minor"}.get(mode, mode))


def _plain_key(text: str) -> Key | None:
    """The key that a text such as "Bb" or "Ddor" names; None where it says anything else beside it."""
    # Blanks at the end are none of the pattern's: it would try all ways of sharing them with those before the mode.
    plain = _PLAIN_KEY.fullmatch(text.strip())
    return None if plain is None else Key.parse(f"{plain[1]}{plain[2]} {_MODES[plain[3].lower()]}")


def read_tempo(header: dict[str, Any], time_signature: TimeSignature) -> float:
    """Quarters a minute: of the `Q:` field, else usual for the dance or the words, else for the metre."""
    mark = _try(header["Q"].getMetronomeMarkObject) if "Q" in header else None
    if mark is not None and mark.number:
        return min(max(float(mark.getQuarterBPM()), 20.0), 400.0)
    words = " ".join(header[tag].data.lower() for tag in "RNT" if tag in header)
    for word, qpm in _TEMPO_BY_WORD.items():
        if word in words:
            return qpm
    for word, bars in _BARS_A_MINUTE.items():
        if re.search(rf"\b{word}", words):
            return min(200.0, bars * time_signature.bar_steps / STEPS_PER_QUARTER)
    by_metre = _TEMPO_BY_METRE.get(str(time_signature), _DEFAULT_TEMPO)
    return _TEMPO_BY_METRE.get(header["M"].data, by_metre)


def _try(read: Callable[[], Any]) -> Any:
    """What a token's reader gives, or None where the field's text makes no sense to it."""
    try:
        return read()
    except Exception:
        return None
