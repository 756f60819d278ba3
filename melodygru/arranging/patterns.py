"""Patterns and grooves: what is played around a melody, as data in TOML files, those that come along and a user's own.

How rows are written says the head of patterns.toml. A row is laid out here as strikes in steps of a bar; which notes a
sign means is for `melodygru.arranging.chording`, `melodygru.arranging.bass` and `melodygru.arranging.drums`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from melodygru.arranging.pulses import Group, groups
from melodygru.errors import UsageError
from melodygru.music.instruments import find_program
from melodygru.music.theory import TimeSignature
from melodygru.music.tracks import BASS, CHORDS, DRUMS, PARTS
from melodygru.records import dataclass
from melodygru.system.files import read_toml
from melodygru.system.folders import config_home

FILE = "arranging.toml"
"""What a user's own file is called, here or in `melodygru.system.folders.config_home`."""
SHIPPED = Path(__file__).with_name("patterns.toml")
ON, SILENT = "-", "."
SIGNS = {CHORDS: "CcHhPpDdUu1234BbFf", BASS: "RrFfOoWwPp", DRUMS: "Xxo"}
"""What may be struck, by part; beside these are `ON` and `SILENT`."""
KINDS = ("two", "three", "quick-two", "quick-three")
"""Of groups; see `melodygru.arranging.pulses.Group.kind`."""
KIT = {
    "kick": 36, "rim": 37, "snare": 38, "clap": 39, "low": 45, "mid": 47, "high": 50, "hat": 42, "pedal": 44,
    "open": 46, "crash": 49, "ride": 51, "tambourine": 54, "cowbell": 56, "shaker": 70, "triangle": 81,
}  # fmt: skip
"""General MIDI's percussion map, as far as rows name it."""
_GROOVE = ("about", "styles", "metres", "chords", "bass", "drums", "chord-program", "bass-program", "kit", "swing")
_MOST_ROWS, _LONGEST_ROW, _LONGEST_WORD = 16, 400, 200


class Strike(NamedTuple):
    """A sign of a row: in force in the half-open range of steps [onset, end), on the first pulse of a group or not."""

    onset: int
    end: int
    sign: str
    leads: bool


Rows = Mapping[str, tuple[str, ...]]
"""Rows that take turns, by kind of group or by metre."""


@dataclass(frozen=True)
class Pattern:
    """What one part plays.

    Attributes:
        part: one of `melodygru.music.tracks.PARTS`.
        name: as it is asked for.
        about: what it is good for.
        voices: rows by voice: by drum, else one whose name is empty.
        other: the voices in sections of another letter than the first; empty: the same.
        fill: the voices of the last group before a section; empty: none.
    """

    part: str
    name: str
    about: str
    voices: Mapping[str, Rows]
    other: Mapping[str, Rows] = field(default_factory=dict)
    fill: Mapping[str, Rows] = field(default_factory=dict)

    def bar(
        self, metre: TimeSignature, turns: Sequence[int], voice: str = "", other: bool = False, fill: bool = False
    ) -> list[Strike]:
        """The strikes of one bar, in order, from step 0 on: every cell, those without a sound too.

        `turns`: of each group of the bar, how many groups there were before it since rows began to take turns; `other`
        and `fill`: whether the rows of that name are played.
        """
        rows = {**self.voices.get(voice, {}), **(self.other.get(voice, {}) if other else {})}
        if other and self.other and voice not in self.other and self.part == DRUMS:
            rows = {kind: row for kind, row in rows.items() if kind not in _kinds(self.other)}
        found: list[Strike] = []
        bar = groups(metre)
        if str(metre) in rows and not (other and self.other):
            whole = Group(0, metre.bar_steps // bar[0].pulse, bar[0].pulse, bar[0].quick)
            leads = {group.onset for group in bar}
            found = list(_cells(_turn(rows[str(metre)], turns[0] // len(bar)), whole, leads))
        else:
            for turn, group in zip(turns, bar, strict=True):
                found += _cells(_row(rows, group, turn), group, {group.onset})
        if fill and self.fill:
            last = bar[-1]
            found = [strike for strike in found if strike.onset < last.onset]
            found += _cells(_row(self.fill.get(voice, {}), last, 0), last, {last.onset})
        return found

    @property
    def drums(self) -> list[str]:
        """The names of all voices, those of `other` and `fill` too."""
        return list({**self.voices, **self.other, **self.fill})


def _kinds(voices: Mapping[str, Rows]) -> set[str]:
    return {kind for rows in voices.values() for kind in rows}


def _row(rows: Rows, group: Group, turn: int) -> str:
    found = rows.get(group.kind) or rows.get(group.kind.removeprefix("quick-"))
    return _turn(found, turn) if found else SILENT


def _turn(rows: tuple[str, ...], turn: int) -> str:
    return rows[turn % len(rows)]


def _cells(row: str, group: Group, leads: set[int]) -> Iterator[Strike]:
    """The cells of a row over a group: pulses that only the row has are left out, those that it has not are silent."""
    pulses = row.split()[: group.size]
    for number in range(group.size):
        signs = pulses[number] if number < len(pulses) else SILENT
        start = group.onset + number * group.pulse
        edges = [start + place * group.pulse // len(signs) for place in range(len(signs) + 1)]
        for sign, onset, end in zip(signs, edges[:-1], edges[1:], strict=True):
            if onset < end:
                yield Strike(onset, end, sign, onset in leads)


@dataclass(frozen=True)
class Groove:
    """A pattern for each part.

    Attributes:
        name: as it is asked for.
        about: what it is good for.
        patterns: names of patterns, by part.
        styles: those for which it is taken unasked.
        metres: those in which it is; none: all.
        programs: General MIDI instruments less one, of chords and bass, and the kit of drums.
        swing: see `melodygru.formats.midi.performance.Performance`; None: as it is.
    """

    name: str
    about: str
    patterns: Mapping[str, str]
    styles: tuple[str, ...] = ()
    metres: tuple[str, ...] = ()
    programs: Mapping[str, int] = field(default_factory=dict)
    swing: float | None = None


@dataclass(frozen=True)
class Book:
    """All patterns and grooves that there are."""

    patterns: Mapping[str, Mapping[str, Pattern]]
    grooves: Mapping[str, Groove]

    def pattern(self, part: str, name: str) -> Pattern:
        """A part's pattern by its name. Raises UsageError, with those that there are."""
        if name not in self.patterns[part]:
            raise UsageError(
                f"There is no pattern {name!r} for {part}; choose {', '.join(self.patterns[part])}, or write one of "
                f"your own into ./{FILE} or {config_home() / FILE}."
            )
        return self.patterns[part][name]

    def groove(self, name: str) -> Groove:
        """A groove by its name. Raises UsageError, with those that there are."""
        if name not in self.grooves:
            raise UsageError(
                f"There is no groove {name!r}; choose {', '.join(self.grooves)}, or write one of your own into "
                f"./{FILE} or {config_home() / FILE}."
            )
        return self.grooves[name]

    def fitting(self, style: str | None, metre: TimeSignature) -> Groove:
        """What is taken unasked for a style in a metre: the first that fits, those made for the metre before others."""
        fits = [groove for groove in self.grooves.values() if not groove.metres or str(metre) in groove.metres]
        own = [groove for groove in fits if (style or "song") in groove.styles] or fits
        return next((groove for groove in own if groove.metres), own[0])


def book() -> Book:
    """The patterns and grooves that come along, and a user's; of two with one name, the nearer one's.

    Raises FileError for a user's file that cannot be read, UsageError for one that is no such file.
    """
    patterns: dict[str, dict[str, Pattern]] = {part: {} for part in PARTS}
    grooves: dict[str, Groove] = {}
    own = [_read(file) for file in (config_home() / FILE, Path(FILE)) if os.path.lexists(file)]
    for one in (_shipped(), *own):
        for part in PARTS:
            patterns[part] |= one.patterns[part]
        grooves |= one.grooves
    found = Book(patterns, grooves)
    for groove in grooves.values():
        for part, name in groove.patterns.items():
            found.pattern(part, name)
    return found


@cache
def _shipped() -> Book:
    return _read(SHIPPED)


def _read(file: Path) -> Book:
    """What stands in a file, checked by itself."""
    patterns: dict[str, dict[str, Pattern]] = {part: {} for part in PARTS}
    grooves: dict[str, Groove] = {}
    for part, tables in read_toml(file).items():
        if part not in (*PARTS, "grooves") or not isinstance(tables, dict):
            raise UsageError(f"{file} has {part!r}; write tables such as [chords.mine], or [grooves.mine].")
        for name, table in tables.items():
            where = f"{file}, [{part}.{name}]"
            if not isinstance(table, dict) or not name.isprintable() or len(name) > _LONGEST_WORD:
                raise UsageError(f"{where} is no table with a name of a line; write [{part}.mine] and rows below.")
            if part == "grooves":
                grooves[name] = _groove(name, table, where)
            else:
                patterns[part][name] = _pattern(part, name, table, where)
    return Book(patterns, grooves)


def _pattern(part: str, name: str, table: Mapping[str, Any], where: str) -> Pattern:
    rows = {key: value for key, value in table.items() if key not in ("about", "b", "fill")}
    voices = _voices(part, rows, where)
    if not any(set(kinds) & set(KINDS[:2]) for kinds in voices.values()):
        raise UsageError(f"{where} has no row of two or three pulses; write one, such as two = 'C -'.")
    extra = []
    for key in ("b", "fill"):
        given = table.get(key, {})
        if not isinstance(given, dict):
            raise UsageError(f"{where}: {key} is no table of rows; write {key}.two = …")
        extra.append(_voices(part, given, where))
    return Pattern(part, name, _about(table, where), voices, *extra)


def _voices(part: str, rows: Mapping[str, Any], where: str) -> dict[str, dict[str, tuple[str, ...]]]:
    """Rows by voice, then by kind of group, checked."""
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for kind, value in rows.items():
        if kind not in KINDS:
            try:
                metre = TimeSignature.parse(kind)
            except UsageError as error:
                raise UsageError(
                    f"{where} has rows for {kind!r}; they are for {', '.join(KINDS)}, or a metre such as '2/4'."
                ) from error
            size = sum(group.size for group in groups(metre))
        else:
            size = 3 if kind.endswith("three") else 2
        by_voice = value if part == DRUMS else {"": value}
        if not isinstance(by_voice, dict) or (part == DRUMS and not set(by_voice) <= set(KIT)):
            raise UsageError(f"{where}, {kind}: write rows by drum, such as {{ kick = 'x .' }}, of {', '.join(KIT)}.")
        for voice, one in by_voice.items():
            found.setdefault(voice, {})[kind] = _rows(part, one, size, f"{where}, {kind}")
    return found


def _rows(part: str, value: Any, size: int, where: str) -> tuple[str, ...]:
    rows = [value] if isinstance(value, str) else value
    if not isinstance(rows, list) or not 0 < len(rows) <= _MOST_ROWS:
        raise UsageError(f"{where}: write a row in quotes, or a list of up to {_MOST_ROWS} of them.")
    for row in rows:
        if not isinstance(row, str) or len(row) > _LONGEST_ROW or len(row.split()) != size:
            raise UsageError(f"{where}: {str(row)[:40]!r} is no row of {size} pulses with blanks between them.")
        if odd := next((sign for sign in row if sign not in f"{SIGNS[part]}{ON}{SILENT} "), None):
            signs = " ".join(SIGNS[part])
            raise UsageError(
                f"{where}: {row[:40]!r} has {odd!r}; the signs are {signs}, {ON} (on) and {SILENT} (silence)."
            )
    return tuple(rows)


def _groove(name: str, table: Mapping[str, Any], where: str) -> Groove:
    if odd := next((key for key in table if key not in _GROOVE), None):
        raise UsageError(f"{where} has {odd!r}; a groove has {', '.join(_GROOVE)}.")
    missing = [part for part in PARTS if not isinstance(table.get(part), str)]
    if missing:
        raise UsageError(f"{where} names no pattern for {missing[0]}; write {missing[0]} = 'held', or another.")
    lists = {key: table.get(key, []) for key in ("styles", "metres")}
    for key, values in lists.items():
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise UsageError(f"{where}: {key} is no list of words; write {key} = ['…'].")
    swing, kit = table.get("swing"), table.get("kit", 0)
    if swing is not None and not (isinstance(swing, int | float) and 0.5 <= swing <= 0.75):
        raise UsageError(f"{where}: swing is {swing!r}; choose a number from 0.5 to 0.75.")
    if not isinstance(kit, int) or not 0 <= kit < 128:
        raise UsageError(f"{where}: kit is {kit!r}; choose a whole number from 0 to 127.")
    programs = {
        part: str(table[key]) for part, key in ((CHORDS, "chord-program"), (BASS, "bass-program")) if key in table
    }
    try:
        numbers = {part: find_program(text) for part, text in programs.items()}
        metres = tuple(str(TimeSignature.parse(metre)) for metre in lists["metres"])
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error
    patterns = {part: str(table[part]) for part in PARTS}
    about = _about(table, where)
    return Groove(name, about, patterns, tuple(lists["styles"]), metres, {**numbers, DRUMS: kit}, swing)


def _about(table: Mapping[str, Any], where: str) -> str:
    about = table.get("about", "")
    if not isinstance(about, str) or not about.isprintable() or len(about) > _LONGEST_WORD:
        raise UsageError(f"{where}: what is said about it is a line of {_LONGEST_WORD} letters at most.")
    return about
