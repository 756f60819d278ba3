"""What a user can choose, as data.

One description says all there is to say of an option: what it means, what is legal, what holds when nothing is said.
The checks, the command line with its help pages, option files, and the studio's messages and page derive from it.

Most descriptions stand on a field of a frozen dataclass, whose name, kind and default are the option's too:

    bars: int | None = option(None, "Length in full bars: {limits}.", low=1, high=1000, shown="16")
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import field, fields, replace
from functools import cache
from numbers import Integral, Real
from typing import Any

from melodygru.errors import UsageError
from melodygru.records import dataclass

MUSIC, TUNE, START, AROUND, FEEL, PORTS, FILES = PANELS = (
    "Music", "Control", "Starting from something", "Around the melody", "Feel", "Ports and clock", "Files",
)  # fmt: skip
"""Panels of the help page, in their order."""

_KINDS: dict[str, tuple[type, type, str]] = {
    "int": (int, Integral, "a whole number"),
    "float": (float, Real, "a number"),
    "bool": (bool, bool, "true or false"),
    "str": (str, object, ""),
}


@dataclass(frozen=True, eq=False)
class Option:
    """What there is to say of one option.

    In `help`, `shown` and `remedy`, "{low}", "{high}", "{limits}" ("1 to 1000"), "{multiple}", "{choices}" and
    "{default}" stand for what is said of it here.

    Attributes:
        help: what it means, with its unit, for the help page.
        name: as Python spells it; the command line and option files take hyphens for underscores.
        kind: int, float, bool or str; a str of no `choices` may be anything, and says what it is by `str()`.
        low, high: the least and the most that are legal; None: no limit.
        above: whether `low` itself is not legal.
        off: a value that means "off"; legal, even where it is out of range.
        multiple: of what a legal value is a multiple.
        choices: the values that there are, if they can be told one by one.
        note: said with the limits, if something else was given.
        remedy: what is said instead of the limits or choices: "choose …"; needed where there is one limit only.
        kin: words that people say in place of choices, and the choice that comes nearest.
        parsed: whether what is legal depends on other options, and is checked where the value is parsed.
        default: what holds when nothing is said; None if that depends on other things.
        shown: how the help page tells what holds then; None: the default; empty: not at all.
        panel: of the help page; one of `PANELS`, or the first, unnamed.
        spelling: on the command line, where it does not follow from the name.
        hidden: whether the help page is silent of it: an older way to say something.
        typed: its kind on the command line, where that takes words for numbers, or several.
        parser: what makes its value of a text on the command line, where that is more than a number.
        aliases: names that people know from elsewhere, as `name` is spelled.
        needs: the option without which this one has no meaning.
        commands: those that take it.
        instead: of some commands, by name: attributes that differ there.
    """

    help: str = ""
    name: str = ""
    kind: type = str
    low: float | None = None
    high: float | None = None
    above: bool = False
    off: float | None = None
    multiple: float | None = None
    choices: tuple[Any, ...] = ()
    note: str = ""
    remedy: str = ""
    kin: Mapping[str, Any] = field(default_factory=dict)
    parsed: bool = False
    default: Any = None
    shown: str | None = None
    panel: str = ""
    spelling: str = ""
    hidden: bool = False
    typed: Any = None
    parser: Callable[[str], Any] | None = None
    aliases: tuple[str, ...] = ()
    needs: str = ""
    commands: tuple[str, ...] = ()
    instead: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def spelled(self) -> str:
        """The name as the command line spells it, without the hyphens before it."""
        return self.name.replace("_", "-")

    @property
    def limits(self) -> tuple[float, float] | None:
        """The least and the most that are ever legal, `off` included; None without limits."""
        if self.low is None or self.high is None:
            return None
        ends = (self.low, self.high) if self.off is None else (self.low, self.high, self.off)
        return min(ends), max(ends)

    @property
    def help_text(self) -> str:
        """The help page's sentences."""
        return self._filled(self.help)

    @property
    def shown_default(self) -> str:
        """What holds when nothing is said, as the help page tells it; empty if it does not."""
        if self.shown is None:
            return "" if self.default is None else _plain(self.default)
        return self._filled(self.shown)

    def within(self, command: str) -> Option:
        """The option as one command has it."""
        return replace(self, **self.instead[command]) if command in self.instead else self

    def is_legal(self, value: Any) -> bool:
        """Whether a value of the right kind is legal; NaN is outside every range."""
        if self.off is not None and value == self.off:
            return True
        if self.choices:
            return value in self.choices and not isinstance(value, bool)  # True is 1
        if self.low is not None and not (value > self.low if self.above else value >= self.low):
            return False
        if self.high is not None and not value <= self.high:
            return False
        return self.multiple is None or value % self.multiple == 0

    def check_kind(self, value: Any) -> None:
        """Raise UsageError for a value of another kind; what is no choice is told as that."""
        if self.choices:
            return
        _, legal, what = _KINDS[self.kind.__name__]
        if not isinstance(value, legal) or (isinstance(value, bool) and self.kind in (int, float)):
            raise UsageError(f"{self.spelled} is {value!r}; give {what}.")

    def check_limits(self, value: Any) -> None:
        """Raise UsageError for a value of the right kind that is not legal."""
        if not self.is_legal(value):
            near = self.kin.get(str(value).strip().lower())
            guess = "" if near is None else f"; {near} comes nearest"
            raise UsageError(f"{self.spelled} is {self._quoted(value)}; {self._remedy()}{guess}.")

    def check(self, value: Any) -> None:
        """Raise UsageError for a value of another kind, or one that is not legal."""
        self.check_kind(value)
        self.check_limits(value)

    def check_needs(self, said: Collection[str]) -> None:
        """Raise UsageError if its name is among those of what was said, and that of what it needs is not."""
        if self.needs and self.name in said and self.needs not in said:
            need = self.needs.replace("_", "-")
            raise UsageError(f"--{self.spelled} has no meaning without --{need}; give --{need} too.")

    def _quoted(self, value: Any) -> str:
        if self.choices:
            return repr(value)
        # What is told with limits is as short as they are; whole numbers that have none are told whole.
        return f"{value}" if self.remedy and isinstance(value, Integral) else f"{value:g}"

    def _remedy(self) -> str:
        if self.remedy:
            return self._filled(self.remedy)
        if self.choices:
            return f"choose {', '.join(map(str, self.choices[:-1]))} or {self.choices[-1]}"
        note = self.note or ("" if self.off is None else f"{self.off:g} means off")
        between = f"above {self.low:g}, up to {self.high:g}" if self.above else f"from {self.low:g} to {self.high:g}"
        return f"choose a number {between}{f' ({note})' if note else ''}"

    def _filled(self, text: str) -> str:
        values = {name: _plain(getattr(self, name)) for name in ("low", "high", "multiple", "default")}
        limits = f"{values['low']} to {values['high']}"
        return text.format(**values, limits=limits, choices=", ".join(map(str, self.choices)))


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, Real) else str(value)


def option(value: Any, help: str, **description: Any) -> Any:
    """A field of a dataclass, its default, and what `Option` says of it. Raises TypeError for what that cannot say."""
    return field(default=value, metadata={"option": Option(help, **description)})


def option_of(config: type, name: str) -> Any:
    """A field that is None when nothing is said, and an option as another dataclass describes it."""
    return field(default=None, metadata={"option": described(config)[name]})


@cache
def described(config: type) -> dict[str, Option]:
    """The options on the fields of a dataclass, by name, in their order."""
    found = {}
    for one in fields(config):
        if (said := one.metadata.get("option")) is not None:
            kind = _KINDS[str(one.type).removesuffix(" | None")][0]
            default = said.default if one.default is None else one.default
            found[one.name] = replace(said, name=one.name, kind=kind, default=default)
    return found


def taken_by(command: str, config: type) -> list[Option]:
    """The options on the fields of a dataclass that a command takes, as it has them."""
    return [one.within(command) for one in described(config).values() if command in one.commands]


def check_all(options: Iterable[Option], values: Any, *, kinds: bool = True) -> None:
    """Check what stands in the attributes of `values`: first of what kind each is, then whether it is legal.

    None is legal where nothing need be said. Raises UsageError for the first that is not.
    """
    said = [(one, value) for one in options if (value := getattr(values, one.name)) is not None]
    if kinds:
        for one, value in said:
            one.check_kind(value)
    for one, value in said:
        if not one.parsed:
            one.check_limits(value)
