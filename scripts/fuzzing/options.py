"""TOML files of options: made anew from what the command describes, and changed by line, key and value."""

from __future__ import annotations

from random import Random

from fuzzing.mutation import ODD_NUMBERS, ODD_WORDS, change_bytes, change_list, few
from melodygru.cli import generate_command, options
from melodygru.formats.midi.performance import Performance
from melodygru.option import Option, taken_by
from melodygru.writing.config import GenerationConfig

TAKEN = (
    *taken_by("generate", GenerationConfig),
    *generate_command._OWN,
    *taken_by("generate", Performance),
    generate_command._RENDER_CHORDS,
)
"""The options that a file for `generate` can hold."""
_NAMES = tuple(option.name for option in TAKEN) + tuple(name for option in TAKEN for name in option.aliases)
_WORDS = (
    "A minor", "C", "H", "D dorian", "4/4", "6/8", "0/0", "2+3/8", "999/999", "AABA", "A8 B8 A8", "(((A)))", "C4-G5",
    "C-1-G9", "C4/4 D4/8 r/4", "C | F | G7 | C", "Cmaj7 N.C.", "arch", "wave", "0 5 9", "0 nan 1e308", "violin", "0",
    "x.mid", "1/16 4 1/8", "50%", "slow", "true", "C4", "folk",
)  # fmt: skip
_VALUES = (
    "true", "false", "0", "-1", "1", "2.5", "1e999", "nan", "-inf", "9223372036854775808", "9" * 5000, "0x7f", "0b1",
    "1979-05-27", "07:32:00", "[]", "{}", "[1, 2]", "{ a = 1 }", "''", '"\\u0000"', '"\\ud800"', '"""x"""', "[" * 3000,
    "[" * 90 + "]" * 90, "{ a = " * 300, "'" + "x" * 2000 + "'", "'a", "",
)  # fmt: skip


def seed(random: Random) -> bytes:
    """A file of a few options with values that most of them might have."""
    lines = [_line(random, legal=True) for _ in range(random.randrange(1, 7))]
    if random.random() < 0.3:
        lines.insert(0, "[feel]")
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _line(random: Random, legal: bool = False) -> str:
    if not legal and random.random() < 0.15:
        return random.choice(
            ("[x]", "[[x]]", "[a.b]", "# note", "=", "x", ".".join("a" * 1500) + " = 1", "[" + "a." * 1500 + "a]")
        )
    option = random.choice(TAKEN)
    name = random.choice((option.name, option.spelled)) if legal or random.random() < 0.8 else _name(random)
    return f"{name} = {_legal_value(option, random) if random.random() < (0.9 if legal else 0.4) else _value(random)}"


def _legal_value(option: Option, random: Random) -> str:
    if option.choices:
        return repr(random.choice(option.choices))
    if option.kind is bool:
        return random.choice(("true", "false"))
    if option.kind is str:
        return f'"{random.choice(_WORDS)}"'
    low, high = option.low or 0, option.high or 100
    value = random.uniform(low, high)
    return str(round(value)) if option.kind is int else f"{value:.3f}"


def _name(random: Random) -> str:
    return random.choice((*_NAMES, *ODD_WORDS, "a.b.c", "'quoted key'", '"\\u202e"', "Bars", "--bars", "top-k"))


def _value(random: Random) -> str:
    way = random.randrange(4)
    if way == 0:
        return random.choice(ODD_NUMBERS)
    if way == 1:
        return f'"{random.choice((*_WORDS, *ODD_WORDS))}"'
    return random.choice(_VALUES)


def _changed(line: str, random: Random) -> str:
    name, equals, value = line.partition("=")
    way = random.randrange(5)
    if way == 0:
        return f"{_name(random)} {equals}{value}"
    if way == 1:
        return f"{name}= {_value(random)}"
    if way == 2:
        return f"{name}= [{value}]"
    if way == 3:
        return f"{name}= {value.strip()}{random.choice(_VALUES)}"
    return line + random.choice((" #", '"', "\\", "\0", "\r", "\u2028", " = 1"))


def mutate(data: bytes, random: Random, other: bytes) -> bytes:
    """The file with a few lines, keys or values changed, some of them taken from another."""
    if random.random() < 0.06:
        return change_bytes(data, random, other)
    lines, beside = (part.decode("utf-8", "surrogateescape").split("\n") for part in (data, other))
    for _ in range(few(random)):
        change_list(lines, random, beside, _line, _changed)
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def known() -> list[Option]:
    """What `melodygru.cli.options.merged` is told that the file may hold."""
    return [*TAKEN, options.MODEL]
