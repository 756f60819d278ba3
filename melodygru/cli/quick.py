"""A plain `melodygru generate` line, parsed from the options' descriptions alone, so that it need not wait for typer.

Whatever is not plain is typer's: other words for options, units, values that begin with a hyphen, lists, files of
options, help, mistakes. So there is one set of rules, and this is a short way through the middle of it; a test parses
lines both ways.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from melodygru.option import Option

_NAME = "generate"
_FLAGS = ("force", "show", "json")
"""Flags of the command's own; all other options are described."""
_WHOLE, _NUMBER = r"[0-9]{1,15}", r"[0-9]{1,15}(\.[0-9]{1,15})?"
"""Numbers that are spelled as everybody does."""
_ENDINGS = (".mid", ".midi")
_COMPLETION = "_COMPLETE"
"""How the variable ends with which shells ask for completions."""


def parsed(arguments: Sequence[str]) -> tuple[str, Callable[[], Any]] | None:
    """The command's name and its work; None for a line that typer is to look at."""
    if arguments[:1] != [_NAME] or any(name.endswith(_COMPLETION) for name in os.environ):
        return None
    from melodygru.cli.generate_command import generate

    values = values_of(arguments[1:], by_spelling(generate.listed))  # type: ignore[attr-defined]
    return None if values is None else (_NAME, partial(generate, **values))


def by_spelling(listed: Iterable[Option | str]) -> dict[str, Option]:
    """The options as lines spell them, without the hyphens: `--with`, whose name is parts, is no --parts."""
    options = [one for one in listed if isinstance(one, Option)]
    return {one.spelling.removeprefix("--") or one.spelled: one for one in options}


def values_of(arguments: Sequence[str], described: dict[str, Option]) -> dict[str, Any] | None:
    """By name what a line says, None for what it does not say; None in place of all for a line that is not plain.

    `described` are the options; see `by_spelling`.
    """
    said: dict[str, Any] = {}
    waiting = iter(arguments)
    value: Any
    for argument in waiting:
        if argument[:1] != "-":
            name, value = "out", argument if argument.lower().endswith(_ENDINGS) else None
        elif argument[:2] == "--" and argument[2:] in _FLAGS:
            name, value = argument[2:], True
        else:
            name, value = _option(argument, waiting, described)
        if value is None or name in said:
            return None
        said[name] = value
    unsaid = dict.fromkeys(one.name for one in described.values())
    return {**unsaid, "options_file": None, "out": None, **dict.fromkeys(_FLAGS, False), **said}


def _option(argument: str, waiting: Iterator[str], described: dict[str, Option]) -> tuple[str, Any]:
    """A described option's name, and its value; None for one that is not plain."""
    spelled, equals, value = argument[2:].partition("=")
    if argument[:2] != "--":
        return "", None
    if not equals and spelled.startswith("no-") and _is_switch(described.get(spelled[3:])):
        return described[spelled[3:]].name, False
    option = described.get(spelled)
    if option is None or option.typed is not None or option.parser is not None:
        return "", None
    if option.kind is bool:
        return option.name, True if _is_switch(option) and not equals else None
    if not equals:
        value = next(waiting, "")
    if not value or value[0] == "-":
        return option.name, None
    if option.kind is str:
        return option.name, value
    if not re.fullmatch(_WHOLE if option.kind is int else _NUMBER, value):
        return option.name, None
    return option.name, option.kind(value)


def _is_switch(option: Option | None) -> bool:
    """Whether an option is spelled --option and --no-option."""
    return option is not None and option.kind is bool and not option.spelling
