"""A line of music in ABC notation, token by token: what notes, rests, bar lines, tuplets and endings look like.

Grace notes, decorations, annotations and lyrics are passed by, and so are directions to go back ("D.C."). What the
tokens mean is `melodygru.formats.scores.abc.voices`' affair.

Source of the notation: the ABC standard 2.1, https://abcnotation.com/wiki/abc:standard:v2.1
"""

from __future__ import annotations

import re
from typing import Protocol

from melodygru.formats.scores.abc.fields import LeftOut
from melodygru.formats.scores.abc.voices import MOST_TIMES, Member, Voice, ratio

_SHOWN = 20
"""Characters that a message shows of what cannot be understood."""

_ACCIDENTAL = r"((?:=?(?:\^{1,2}|_{1,2})(?:\d{0,2}/\d{0,2}|\d{1,2})?(?=[A-Ga-g])|=)?)"
_LENGTH = r"(\d*)(/*)(\d*)"
_NUMBERS = r"\d{1,2}(?:[,.\-]\d{1,2})*"
_DIRECTIONS = r"!(?:D\.?[ ]?[CS]|[Dd]al?[ ]|[Aa]l[ ]|[Ff]ine|[Tt]o[ ])[^!|]{0,30}!"
_TOKEN = re.compile(
    rf"""
    (?P<note>{_ACCIDENTAL}([A-Ga-g])([,']*){_LENGTH})
    |(?P<plain>[ \t\\)~.`H-WYh-w$]+|y\d*/*\d*|\((?![\d&])|![^!\s|]*!|{_DIRECTIONS}|\+[^+\s|]*\+|\{{[^{{}}]*\}}
        |\[\|\])                                 # "[|]": an invisible bar line, put where lines are broken
    |(?P<symbol>"([^"]*)")
    |(?P<bar>(?:\[?\|\]?|:){{1,40}})(?:[ \t]*\[?(?P<ending>{_NUMBERS}))?
    |(?P<rest>[zx]{_LENGTH})
    |(?P<tie>-)
    |(?P<broken><+|>+)
    |(?P<tuplet>\((\d{{1,2}})(?::(\d{{0,2}}))?(?::(\d{{0,2}}))?)
    |(?P<field>\[([A-Za-z]):([^\[\]]*)\])
    |\[[ \t]*(?P<inner>{_NUMBERS})               # an ending that begins within a bar
    |\["(?P<named>[^"]*)"\]?
    |(?P<chord>\[([^\[\]|]*)\]{_LENGTH})
    |(?P<bars>[ZX](\d*))
    |(?P<overlay>\(&|&\)|&)
    |(?P<digits>{_NUMBERS})                      # an ending whose bar line stands at the end of the line before
    """,
    re.VERBOSE,
)
_FIRST = {name: number + 1 for name, number in _TOKEN.groupindex.items()}
"""Of each token with parts, the number of the first of these."""
_NOTE = range(_FIRST["note"], _FIRST["note"] + 6)
_IN_CHORD = re.compile(rf'"[^"]*"|![^!]*!|\+[^+]*\+|(?P<note>{_ACCIDENTAL}([A-Ga-g])([,\']*){_LENGTH})(-?)')
# An invisible rest at the end of a bar that only bears the fermata before it, and has no length.
_PEG = re.compile(r"[H-WYh-w]x[ \t]*[|:\[]")


class TuneBeingRead(Protocol):
    """What a line of music is told to: the voice that it belongs to, which fields within it may change."""

    voice: Voice

    def change(self, letter: str, text: str) -> None:
        """A field within the music."""


def read_music(line: str, tune: TuneBeingRead) -> None:
    """Tell a line of music, token by token. Raises LeftOut for what cannot be understood."""
    place, begin = 0, len(line) - len(line.lstrip())
    for token in _TOKEN.finditer(line):
        if token.start() > place:
            _check(line[place : token.start()])
        place = token.end()
        kind = token.lastgroup
        if kind == "plain":
            continue
        voice = tune.voice
        if kind == "note":
            if not voice.muted:
                accidental, letter, octaves, *length = token.group(*_NOTE)
                voice.note(accidental, letter, octaves, ratio(*length))
        elif kind == "digits":
            if token.start() == begin:
                voice.ending(_times(token[0]), anywhere=False)
        elif kind == "field":
            first = _FIRST["field"]
            tune.change(token[first], token[first + 1].strip())
        else:
            _tell(voice, str(kind), token)
    _check(line[place:])


def _tell(voice: Voice, kind: str, token: re.Match[str]) -> None:
    """A token that is neither a note nor a field, told to its voice."""
    first = _FIRST[kind]
    if kind == "bar" and token[0] == ":":
        voice.colon()
    elif kind in ("bar", "ending"):
        voice.bar_line(*_bar_line(token["bar"]))
        if kind == "ending" and not voice.muted:
            voice.ending(_times(token["ending"]))
    elif kind == "overlay":
        voice.overlay(token[0])
    elif voice.muted:
        return
    elif kind == "symbol":
        voice.symbol(token[first].strip())
    elif kind == "rest":
        bare = token[0] == "x"
        if not (bare and token.start() and _PEG.match(token.string, token.start() - 1)):
            voice.rest(ratio(*token.group(first, first + 1, first + 2)), bare)
    elif kind == "bars":
        voice.silent_bars(_count(token[first]))
    elif kind == "tie":
        voice.tie()
    elif kind == "broken":
        voice.broken(token[0])
    elif kind == "tuplet":
        notes, times, sounds = (int(number) if number else None for number in token.group(first, first + 1, first + 2))
        voice.tuplet(notes or 0, times, sounds)
    elif kind == "chord":
        members = [
            Member(one[2], one[3], one[4], ratio(*one.group(5, 6, 7)), one[8] == "-")
            for one in _IN_CHORD.finditer(token[first])
            if one["note"]
        ]
        if members:
            voice.chord(members, ratio(*token.group(first + 1, first + 2, first + 3)))
        elif token[first].strip() in ("z", "x"):
            voice.rest(ratio(*token.group(first + 1, first + 2, first + 3)))
    else:  # an ending by its number or its words
        voice.ending(_times(token[kind]))


def _bar_line(sign: str) -> tuple[int, int, bool]:
    """How often a bar line closes and opens a repetition, and whether it ends a section."""
    if "|" not in sign:
        half = len(sign) // 2
        return half, half, half > 0
    closes = len(sign) - len(sign.lstrip(":"))
    opens = len(sign) - len(sign.rstrip(":"))
    return closes, opens, len(sign.strip(":")) > 1


def _times(text: str) -> tuple[int, ...]:
    """The numbers of an ending: "1,3" and "1-3"; none where there are only words."""
    found: list[int] = []
    for first, last in re.findall(r"(\d{1,2})(?:\s*-\s*(\d{1,2}))?", text):
        found.extend(range(int(first), int(last or first) + 1))
    if found and max(found) > MOST_TIMES:
        raise LeftOut("more repeats than any tune has")
    return tuple(number for number in found if number)


def _count(digits: str) -> int:
    return int(digits[:9] or 1)


def _check(between: str) -> None:
    """Signs that are no tokens: those of ASCII are passed by as the standard says, letters of others are no music."""
    if not between.isascii() and any(sign.isalpha() for sign in between):
        raise LeftOut(f"a sign that is no note, {between.strip()[:_SHOWN]!r}")
