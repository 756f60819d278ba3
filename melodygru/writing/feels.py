"""Feels: names that set several options of new melodies at once, those that come along and a user's own.

All stand in files of one kind, feels.toml: a table a feel, whose keys are options as a file for --options has them, and
"about", which says what it is good for.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from melodygru.errors import MelodyGRUError, UsageError
from melodygru.formats.midi.performance import Performance
from melodygru.music.instruments import find_program
from melodygru.option import Option, described, taken_by
from melodygru.records import dataclass
from melodygru.system.files import read_toml
from melodygru.system.folders import config_home
from melodygru.writing.config import GenerationConfig
from melodygru.writing.option_files import flat, under_own_names

FILE = "feels.toml"
SHIPPED = Path(__file__).with_name(FILE)
_ABOUT = "about"
_LONGEST = 200
"""Letters of a feel's name, and of what it is good for."""
_OF_A_PRIMER = ("meter", "bpm", "key", "pickup")
"""Options that what is continued has settled."""
_MAKE_BARS = ("form", "section_bars")
"""Options that say themselves how many bars there are."""


@dataclass(frozen=True)
class Feel:
    """Options under one name.

    Attributes:
        name: as it is asked for.
        about: what it is good for; may be empty.
        options: of `GenerationConfig` and `Performance`, by name; a program may be in words.
        file: where it stands.
    """

    name: str
    about: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    file: Path = SHIPPED

    def beneath(self, said: Collection[str], unheard: Collection[str] = (), continues: bool = False) -> dict[str, Any]:
        """What of it holds.

        Args:
            said: names of the options that were said: they go before what it sets.
            unheard: those that the model cannot keep; see `melodygru.writing.styles.unheard_of`.
            continues: whether there is a melody to go on from, which says its metre, key and tempo itself.
        """
        left = {name: value for name, value in self.options.items() if name not in said and name not in unheard}
        if not set(said).isdisjoint(_MAKE_BARS):
            left.pop("bars", None)
        if continues:
            left = {name: value for name, value in left.items() if name not in _OF_A_PRIMER}
        there = {*said, *left}
        known = _known()
        return {name: value for name, value in left.items() if not known[name].needs or known[name].needs in there}


def feels() -> dict[str, Feel]:
    """All that there are, by name: those that come along first, then a user's; see `feel`."""
    return {name: _made(name, table, file) for name, (table, file) in _tables().items()}


def feel(name: str) -> Feel:
    """The feel of that name: of ./feels.toml, else the user's (`melodygru.system.folders.config_home`), else ours.

    Raises:
        UsageError: there is none; or it holds an option that there is not, or a value that is not legal.
        FileError: one of the files cannot be read, or is no TOML.
    """
    tables = _tables()
    if name not in tables:
        raise UsageError(
            f"There is no feel {name!r}; choose {', '.join(tables)}, or write one of your own into ./{FILE} or "
            f"{config_home() / FILE}."
        )
    return _made(name, *tables[name])


def _tables() -> dict[str, tuple[Any, Path]]:
    """What stands under each name, and in which file; of two, the nearer one's."""
    found: dict[str, tuple[Any, Path]] = {}
    for file in (SHIPPED, config_home() / FILE, Path(FILE)):
        if os.path.lexists(file):
            found |= {name: (table, file) for name, table in read_toml(file).items()}
    return found


def _known() -> dict[str, Option]:
    """The options that a feel may set."""
    taken = (*taken_by("generate", GenerationConfig), *taken_by("generate", Performance))
    return {option.name: option for option in taken}


def _made(name: str, table: Any, file: Path) -> Feel:
    """A feel, every value of which is legal. Raises UsageError, which names the file and the feel."""
    where = f"{file}, [{name}]"
    if not isinstance(table, dict):
        raise UsageError(f"{file} sets {name!r} outside any feel; write it under a feel's name: [mine].")
    about = table.get(_ABOUT, "")
    for text in (name, about):
        if not isinstance(text, str) or not text.isprintable() or len(text) > _LONGEST:
            raise UsageError(f"{where}: a name and what is said about it are a line of {_LONGEST} letters at most.")
    known = _known()
    values = flat({key: value for key, value in table.items() if key != _ABOUT})
    options = under_own_names(values, known.values(), where)
    try:
        _check(options, known)
    except MelodyGRUError as error:
        raise UsageError(f"{where}: {error}") from error
    # As the command line reads them, where 4 is 4.0: files are to be the same, to the byte.
    exact = {key: float(value) if known[key].kind is float else value for key, value in options.items()}
    return Feel(name, about, exact, file)


def _check(options: Mapping[str, Any], known: Mapping[str, Option]) -> None:
    """Raise UsageError for a value that is not legal, or values that contradict each other."""
    for name, value in options.items():
        if not isinstance(value, str | int | float):
            raise UsageError(f"{known[name].spelled} is no single value; write one.")
        if name != "program" and not known[name].parsed:
            known[name].check(value)
    # What needs an option that is said later is not heard before.
    alone = {name: value for name, value in options.items() if not known[name].needs or known[name].needs in options}
    GenerationConfig.from_dict({name: alone[name] for name in described(GenerationConfig) if name in alone})
    played = {name: alone[name] for name in described(Performance) if name in alone}
    if "program" in played:
        played["program"] = find_program(str(played["program"]))
    Performance.from_dict(played)
