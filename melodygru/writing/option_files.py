"""Options out of TOML files, under the names that they have here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from melodygru.errors import UsageError
from melodygru.option import Option


def flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of all tables, however deep those lie in one another; of two with one name, the later one's.

    Tables [sections.C] are the wishes of sections' own. Raises UsageError for what is wrong in them.
    """
    found: dict[str, Any] = {}
    waiting = [iter(values.items())]
    while waiting:
        name, value = next(waiting[-1], (None, None))
        if name is None:
            waiting.pop()
        elif name == "sections" and isinstance(value, dict):
            from melodygru.writing.sections import text_of_tables  # seldom there

            found["section"] = text_of_tables(value)
        elif isinstance(value, dict):
            waiting.append(iter(value.items()))
        else:
            found[name] = value
    return found


def under_own_names(values: Mapping[str, Any], options: Iterable[Option], where: str) -> dict[str, Any]:
    """Values by the options' own names, with underscores, whatever they are called in a file.

    Raises UsageError, which names the place as `where` does, for a name that no option has.
    """
    own = {name.replace("-", "_"): option.name for option in options for name in (option.name, *option.aliases)}
    found = {}
    for name, value in values.items():
        plain = name.replace("-", "_")
        if plain not in own:
            raise UsageError(
                f"{where} has the option {name!r}, which there is not; see --help for those that there are."
            )
        found[own[plain]] = value
    return found
