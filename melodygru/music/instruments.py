"""General MIDI instruments by number and by name.

The names stand in `general_midi.txt`, in the order of General MIDI Level 1, spelled as pretty_midi spells them.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from melodygru.errors import UsageError

EVERYDAY = {
    "piano": "Acoustic Grand Piano",
    "organ": "Church Organ",
    "guitar": "Acoustic Guitar (nylon)",
    "bass": "Acoustic Bass",
    "double bass": "Contrabass",
    "harp": "Orchestral Harp",
    "strings": "String Ensemble 1",
    "choir": "Choir Aahs",
    "brass": "Brass Section",
    "horn": "French Horn",
    "sax": "Alto Sax",
    "saxophone": "Alto Sax",
    "synth": "Lead 1 (square)",
}
"""What people say, and the instrument that they mean by it; alone, most of these words stand in several names."""

_PROGRAMS = 128
_SHOWN = 6


def find_program(text: str) -> int:
    """The program, in [0, 127], that a text means: a number, or a General MIDI name in any case.

    A name may be cut short ("vibra") or misspelled a little ("harmonika") as long as one instrument alone is meant; of
    those numbered 1 and 2 the first is. Raises UsageError, with the nearest names, where none or several are.
    """
    from difflib import get_close_matches

    wanted = _plain(text)
    if re.fullmatch(r"[+-]?[0-9]{1,9}", text.strip()):
        number = int(text)
        if not 0 <= number < _PROGRAMS:
            raise UsageError(
                f"program is {number}; choose a number from 0 to 127, or a General MIDI name: violin, flute."
            )
        return number
    names = _names()
    plain = [_plain(name) for name in names]
    for exact in (wanted, f"{wanted} 1", _plain(EVERYDAY.get(wanted, ""))):
        if exact in plain:
            return plain.index(exact)
    words = wanted.split()
    holders = [number for number, name in enumerate(plain) if words and all(f" {word}" in f" {name}" for word in words)]
    if not holders:
        holders = [plain.index(name) for name in get_close_matches(wanted, plain, n=_SHOWN, cutoff=0.8)]
    if len(holders) == 1:
        return holders[0]
    if holders:
        shown = ", ".join(names[number] for number in holders[:_SHOWN])
        more = f" and {len(holders) - _SHOWN} more" if len(holders) > _SHOWN else ""
        raise UsageError(
            f"program is {text!r}, which may be {shown}{more}; choose one of them, or a number from 0 to 127."
        )
    near = get_close_matches(wanted, [*plain, *EVERYDAY], n=3, cutoff=0.5)
    hint = ", ".join(names[plain.index(name)] if name in plain else name for name in near) or "violin, flute, piano"
    raise UsageError(
        f"program is {text!r}, which is no General MIDI instrument; write a name such as {hint}, or 0 to 127."
    )


def program_name(program: int) -> str:
    """The General MIDI name of a program in [0, 127]: "Violin" for 40. Raises UsageError outside that range."""
    if not 0 <= program < _PROGRAMS:
        raise UsageError(f"program is {program}; choose a number from 0 to 127.")
    return _names()[program]


@cache
def _names() -> tuple[str, ...]:
    return tuple(Path(__file__).with_name("general_midi.txt").read_text(encoding="ascii").splitlines())


def _plain(text: str) -> str:
    """Words and numbers in lower case, with one blank between them."""
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))
