"""A command as typer has it, which takes the words that people know from elsewhere, and tells what to type instead."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand

from melodygru.cli.options import ALIASES
from melodygru.cli.standard_input import STDIN, in_words, standard_input
from melodygru.errors import MelodyGRUError, UsageError
from melodygru.extras import require

_CLICK_ERROR: Any = typer.BadParameter.__base__
"""What click raises for arguments that it cannot parse; typer has moved click within itself, but not this."""
_INPUTS = ("file", "source", "primer")
"""Parameters that are files to read, and may be - for standard input."""


class Command(TyperCommand):
    """A command that takes other words for what it has, without naming them on its help page.

    Those are aliases of options, OUT as an option, numbers with their unit, and - for standard input. What it does not
    know is told with what to type instead, see `melodygru.cli.words`.
    """

    aliases: Mapping[str, str] = ALIASES
    needs: Sequence[str] = ()

    def invoke(self, ctx: Any) -> Any:
        """Run it, if the packages that it needs are installed. Raises MissingPackageError."""
        for package in self.needs:
            require(package)
        try:
            return super().invoke(ctx)
        except MelodyGRUError as error:
            error.args = tuple(in_words(str(one)) for one in error.args)
            raise

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse arguments after putting our own words in place of others. Raises UsageError for what is unknown."""
        options = [one for one in self.params if one.param_type_name == "option"]
        known = {name: one for one in options for name in (*one.opts, *one.secondary_opts)}
        arguments = self._in_own_words(args, known)
        try:
            rest = super().parse_args(ctx, list(arguments))  # which takes them out of the list
        except _CLICK_ERROR as error:
            if (advice := self._advice(error, ctx, arguments, known)) is None:
                raise
            raise UsageError(advice) from None
        for parameter in self.params:
            if parameter.name in _INPUTS and str(ctx.params.get(parameter.name)) == STDIN:
                ctx.params[parameter.name] = type(ctx.params[parameter.name])(standard_input(ctx))
        out = ctx.params.get("out")
        if isinstance(out, str) and out != STDIN and not Path(out).suffix and not os.path.isdir(out):
            from melodygru.cli.words import unquoted

            if (advice := unquoted(arguments)) is not None:  # OUT is the second word of a value
                raise UsageError(advice)
        return rest

    def _in_own_words(self, args: list[str], known: Mapping[str, Any]) -> list[str]:
        """The arguments with our own names of options, plain numbers, and what OUT is at their end."""
        made: list[str] = []
        last: list[str] = []
        waiting = iter(args)
        out = next((one for one in self.params if one.name == "out" and one.param_type_name == "argument"), None)
        for argument in waiting:
            if argument == "--":
                return [*made, *last, argument, *waiting]
            if argument[:1] != "-" or argument == STDIN:
                made.append(argument)
                continue
            name, equals, value = argument.partition("=")
            name = self._own_name(name, known)
            if name in ("--out", "-o") and name not in known and out is not None:
                last = [value if equals else next(waiting, "")]
                continue
            option = known.get(name)
            takes_value = option is not None and not option.is_flag
            if takes_value and not equals and (following := next(waiting, None)) is not None:
                equals, value = " ", following
            if option is not None and takes_value and equals and option.type.name in ("int", "integer", "float"):
                value = _number(name, value)
            made += [f"{name}={value}"] if equals == "=" else [name, value] if equals else [name]
        return [*made, *last]

    def _own_name(self, name: str, known: Collection[str]) -> str:
        if name in known:
            return name
        if not name.startswith("--"):
            from melodygru.cli.words import SHORT

            long = SHORT.get(name, name)
            return long if long in known or long == "--out" else name
        name = name.replace("_", "-")
        return name if name in known else self.aliases.get(name, name)

    def _advice(self, error: Any, ctx: Any, arguments: Sequence[str], known: Mapping[str, Any]) -> str | None:
        """What to type instead of what could not be parsed; None where click's own words will do."""
        from melodygru.cli import words

        usage = re.sub(r"[{}]", "", " ".join(self.collect_usage_pieces(ctx)))
        own = {name: name for name in known if name.startswith("--")}
        if (advice := words.unquoted(arguments)) is not None:
            return advice
        if (name := getattr(error, "option_name", None)) is not None and name not in known:
            others = {alias: to for alias, to in self.aliases.items() if to in known}
            return words.unknown_option(str(self.name), name, {**own, **others})
        if (parameter := getattr(error, "param", None)) is not None and parameter.param_type_name == "argument":
            if type(error).__name__ == "MissingParameter":
                return words.missing(str(self.name), parameter.make_metavar(ctx).strip("{}[]"), usage)
        elif parameter is not None and "--bpm" in parameter.opts:
            said = next((one for one in map(words.tempo, arguments) if one is not None), None)
            return None if said is None else f"--bpm takes quarter notes a minute, a number: {said}."
        if (extra := re.search(r"extra argument\(?s?\)? \((.*)\)", str(error))) is not None:
            return words.stray(str(self.name), extra[1].split(), usage)
        return None


def _number(name: str, value: str) -> str:
    try:
        float(value)
    except ValueError:
        from melodygru.cli.words import number

        return number(value)
    return value
