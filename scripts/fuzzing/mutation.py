"""Changes that suit any format: of bytes, of lists, and numbers that no file should have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeVar

_Item = TypeVar("_Item")

ODD_NUMBERS = (
    "", "0", "-0", "-1", "1", "2", "3", "7", "12", "24", "127", "128", "255", "256", "1000", "65535", "65536",
    "1000000", "9999999999", "2147483648", "4294967296", "18446744073709551616", "1" + "0" * 30, "9" * 5000,
    "0.5", "0.001", "1e-9", "1e9", "1e308", "1e999", "NaN", "inf", "-inf", "0x10", "1/0", "0/0", "1/3", "٣", "²", "1_0",
    " 4 ", "+4", "4.0", "four",
)  # fmt: skip
"""Numbers as text: at the ends of their kinds, beyond them, and none at all."""
ODD_WORDS = (
    "",
    " ",
    "x",
    "\0",
    "\ud7ff",
    "é",
    "日本",
    "\u202e",
    "\x1b[31m",
    "%s",
    "{}",
    "../..",
    "A" * 3000,
    "\n",
    "\t",
)
"""Text that somebody might forget."""


def odd_number(random: Random) -> str:
    """A number as text, odd or not."""
    return random.choice(ODD_NUMBERS) if random.random() < 0.7 else str(random.randrange(40))


def change_bytes(data: bytes, random: Random, other: bytes = b"") -> bytes:
    """A few bytes changed, put in, taken out, doubled, or taken from another file."""
    made = bytearray(data)
    for _ in range(few(random)):
        at = random.randrange(len(made) + 1)
        size = min(random.choice((1, 1, 1, 2, 4, 8, 32)), len(made) - at)
        way = random.randrange(7)
        if way == 0 and at < len(made):
            made[at] ^= 1 << random.randrange(8)
        elif way == 1 and at < len(made):
            made[at] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))
        elif way == 2:
            del made[at : at + size]
        elif way == 3:
            made[at:at] = made[at : at + size] * random.choice((1, 1, 3, 50))
        elif way == 4:
            made[at:at] = random.choice((b"\xff" * 4, b"\0" * 4, random.randbytes(4)))
        elif way == 5 and other:
            begin = random.randrange(len(other))
            made[at : at + size] = other[begin : begin + random.choice((4, 16, 64))]
        elif way == 6 and random.random() < 0.2:
            del made[at:]
    return bytes(made)


def few(random: Random) -> int:
    """How many changes to make: mostly one, seldom many."""
    return random.choice((1, 1, 1, 2, 2, 3, 5, 9))


def change_list(
    items: list[_Item],
    random: Random,
    other: Sequence[_Item],
    new: Callable[[Random], _Item],
    changed: Callable[[_Item, Random], _Item],
) -> None:
    """One change of a list, in place: items taken out, doubled, moved, made anew, changed, or from another list."""
    at = random.randrange(len(items) + 1)
    size = random.choice((1, 1, 1, 2, 4, 16))
    way = random.randrange(8)
    if way == 0:
        del items[at : at + size]
    elif way == 1:
        items[at:at] = items[at : at + size] * random.choice((1, 1, 2, 20, 200))
    elif way == 2:
        moved = items[at : at + size]
        del items[at : at + size]
        place = random.randrange(len(items) + 1)
        items[place:place] = moved
    elif way == 3 and other:
        begin = random.randrange(len(other))
        items[at:at] = other[begin : begin + size]
    elif way == 4 and at < len(items):
        items[at] = new(random)
    elif way == 5:
        items[at:at] = [new(random) for _ in range(size)]
    elif at < len(items):
        items[at] = changed(items[at], random)


def change_json(value: Any, random: Random) -> Any:
    """A JSON value with one thing in it changed: its kind, its size, a key, or a number."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        key = random.choice(sorted(value))
        way = random.randrange(8)
        if way == 0:
            return {name: entry for name, entry in value.items() if name != key}
        if way == 1:
            return {**value, random.choice((*ODD_WORDS, key + "x", key.upper())): value[key]}
        return {**value, key: change_json(value[key], random)}
    if isinstance(value, list) and value and random.random() < 0.8:
        at = random.randrange(len(value))
        way = random.randrange(5)
        if way == 0:
            return value[:at] + value[at + 1 :]
        if way == 1:
            return value[: at + 1] * random.choice((2, 40))
        return [*value[:at], change_json(value[at], random), *value[at + 1 :]]
    if isinstance(value, int | float) and random.random() < 0.6:
        return random.choice((0, -1, 1, value + 1, value - 1, value * 2, -value, 2**31, 2**63, 1e308, 0.5, 10**40))
    nested: Any = 0
    for _ in range(random.choice((1, 3, 200))):
        nested = [nested]
    return random.choice(
        (None, True, 0, -1, 2**64, 1.5, float("nan"), float("inf"), "", [], {}, nested, [value] * 3, {"a": value},
         random.choice(ODD_WORDS), odd_number(random), str(value))
    )  # fmt: skip
