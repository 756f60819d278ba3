"""Macros of an ABC tune (`m:`): a short text that stands for a longer one wherever it is met in the music.

Static ("m: ~G3 = G{A}G{F}G") and transposing ones ("m: ~n3 = n{o}n{m}n", n being any note and o the one above it), as
in section 9 of the ABC standard 2.1, https://abcnotation.com/wiki/abc:standard:v2.1.
"""

from __future__ import annotations

import re

from melodygru.formats.scores.abc.fields import LeftOut

_MOST = 64
"""Macros of a tune."""
_LONGEST = 200
"""Characters of a macro, as the standard has it."""
_NOTE = r"([\^_=]{0,4}[A-Ga-g][,']{0,8})"
_SCALE = "CDEFGAB"


class Macros:
    """The macros of one tune. `most` is how many characters of music they may make in all."""

    def __init__(self, most: int) -> None:
        self._by_target: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        self._left = most

    def add(self, text: str) -> None:
        """Take in an `m:` field. Raises LeftOut where there are more, or longer ones, than any tune has."""
        target, equals, meaning = text.partition("=")
        target, meaning = target.strip(), meaning.strip()
        if not equals or not target:
            return
        if len(self._by_target) >= _MOST or len(text) > _LONGEST:
            raise LeftOut("more or longer macros (m:) than any tune has")
        self._by_target[target] = meaning
        # The longest first, as one that begins like another would never be met.
        ordered = sorted(self._by_target, key=len, reverse=True)
        self._targets = ordered
        groups = (f"(?P<m{n}>{re.escape(one).replace('n', _NOTE, 1)})" for n, one in enumerate(ordered))
        self._pattern = re.compile("|".join(groups))

    def expanded(self, line: str) -> str:
        """A line of music with what its macros mean. Raises LeftOut if that is more than any tune has."""
        return line if self._pattern is None else self._pattern.sub(self._meaning, line)

    def _meaning(self, match: re.Match[str]) -> str:
        name = match.lastgroup or ""
        target = self._targets[int(name[1:])]
        meaning = self._by_target[target]
        if "n" in target:
            note = match[match.re.groupindex[name] + 1]
            meaning = re.sub("[h-z]", lambda sign: _moved(note, ord(sign[0]) - ord("n")), meaning)
        self._left -= len(meaning)
        if self._left < 0:
            raise LeftOut("macros (m:) that make more of it than any tune has")
        return meaning


def _moved(note: str, by: int) -> str:
    """A note so many degrees higher, without its accidental; by none: itself."""
    if not by:
        return note
    letter = note.strip("^_=,'")
    step = _SCALE.index(letter.upper()) + 7 * (letter.islower() + note.count("'") - note.count(",")) + by
    octave, degree = divmod(step, 7)
    return _SCALE[degree].lower() + "'" * (octave - 1) if octave > 0 else _SCALE[degree] + "," * -octave
