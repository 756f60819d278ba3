"""Humdrum **kern: small files made anew, and changed by line, cell and spine."""

from __future__ import annotations

from random import Random

from fuzzing.mutation import ODD_NUMBERS, change_bytes, change_list, few

_CELLS = (
    "4c", "4d", "8e", "8f#", "16g", "2a-", "1b", "4.cc", "4..dd", "12e", "6f", "24g", "0c", "00c", "000c", "3%2c",
    "5%9d", "4r", "1r", "8ryy", "4", "c", "q", "8cq", "8cqq", "[4c", "4c]", "4c_", "[4c]", "4c 4e 4g", "4c;", "(4c",
    "4c)", "4cL", "4cJ", "4CCCCCC", "4cccccc", "4c###", "4c-n", ".", ".", ".", "", "*", "*^", "*v", "*x", "*+", "*-",
    "**kern", "**text", "**dynam", "*M4/4", "*M6/8", "*M3+2/8", "*M0/4", "*M4/0", "*M4/3%2", "*M999/8", "*met(c)",
    "*k[f#]", "*k[b-e-]", "*k[", "*G:", "*a:", "*d:dor", "*H:", "*MM120", "*MM0", "*MM1e9", "*MM[Allegro]", "*clefG2",
    "*clefGv2", "*ITrd-1c-2", "*Trd1c2", "*ITrd99c99", "*staff1", "*part1", "*Ivioln", '*I"Viola', "*I'v", "*>A",
    "*>B", "*>[A,B,A]", "*>norep[A,B]", "*>[A,A,A,A,A,A]", "*>[Z]", "*>[", "*tb8", "*8va", "*tuplet", "=1", "=2", "=",
    "==", "=:|!", "=!|:", "=:|!|:", "=2:|!|:", "=||", "=-", "!c", "!", "1000000000c", "0%0c", "4%0c", "99%99c",
    "4c" * 40, "4c " * 120,
)  # fmt: skip
_LINES = (
    "!!!OTL: Air", "!!! COM: x", "!!!OMD: Slow", "!! comment", "!", "", "*^", "*v\t*v", "*-", "==", "=:|!", "**kern",
    "**kern\t**kern", "*>[A,B,A]", "*x\t*x", "*+", "*^\t*^", "*v\t*v\t*v", "\t", "\t\t\t", "*\t*^",
)  # fmt: skip
Line = list[str]


def seed(random: Random) -> bytes:
    """A small file of one to three spines, one of them perhaps split for a while."""
    spines = random.choice((1, 1, 2, 3))
    beats = random.choice((2, 3, 4))
    lines = [
        ["**kern"] * spines,
        *([[f'*I"{name}' for name in ("Viola", "Violin", "Voice")[:spines]]] if random.random() < 0.4 else []),
        [random.choice(("*k[]", "*k[f#]", "*k[b-]"))] * spines,
        [f"*M{beats}/4"] * spines,
    ]
    for bar in range(1, random.randrange(2, 7)):
        lines.append([f"={bar}"] * spines)
        split = random.random() < 0.15
        if split:
            lines.append(["*^", *["*"] * (spines - 1)])
        lines += [[_note(random) for _ in range(spines + split)] for _ in range(beats)]
        if split:
            lines.append(["*v", "*v", *["*"] * (spines - 1)])
    return _joined([*lines, ["=="] * spines, ["*-"] * spines])


def _note(random: Random) -> str:
    return "4" + (random.choice("cdefgabCDEFGAB") * random.choice((1, 1, 2)) if random.random() < 0.9 else "r")


def _joined(lines: list[Line]) -> bytes:
    return "\n".join("\t".join(line) for line in lines).encode("utf-8", "surrogateescape") + b"\n"


def _lines(data: bytes) -> list[Line]:
    return [line.split("\t") for line in data.decode("utf-8", "surrogateescape").split("\n")][:2000]


def _line(random: Random) -> Line:
    if random.random() < 0.5:
        return random.choice(_LINES).split("\t")
    return [random.choice(_CELLS)] * random.choice((1, 1, 2, 3))


def _cell(cell: str, random: Random) -> str:
    way = random.randrange(6)
    if way == 0:
        return cell + random.choice(_CELLS)
    if way == 1:
        return f"{cell} {random.choice(_CELLS)}"
    if way == 2 and cell:
        at = random.randrange(len(cell))
        return cell[:at] + random.choice((*ODD_NUMBERS, *"#-n.%[]_qr;:|!*=>,(")) + cell[at + 1 :]
    return random.choice(_CELLS)


def _changed(line: Line, random: Random) -> Line:
    """A line with one of its cells changed, taken out, put in, or its cells in another order."""
    at, way = random.randrange(len(line)), random.randrange(7)
    if way == 0:
        return line[:at] + line[at + 1 :] or [""]
    if way == 1:
        return [*line[:at], random.choice(_CELLS), *line[at:]]
    if way == 2:
        return random.sample(line, len(line))
    if way == 3:
        return [random.choice(("*^", "*v", "*x", "*+", "*", "*-", "**kern"))] * len(line)
    return [*line[:at], _cell(line[at], random), *line[at + 1 :]]


def mutate(data: bytes, random: Random, other: bytes) -> bytes:
    """The file with a few lines, cells or whole spines changed, some of them taken from another."""
    if random.random() < 0.06:
        return change_bytes(data, random, other)
    lines, beside = _lines(data), _lines(other)
    for _ in range(few(random)):
        if random.random() < 0.15:
            lines = _change_spine(lines, random)
        else:
            change_list(lines, random, beside, _line, _changed)
    return _joined(lines)


def _change_spine(lines: list[Line], random: Random) -> list[Line]:
    """A column doubled, taken out or moved, from top to bottom, or from a line on with the manipulators for it."""
    at, way = random.randrange(4), random.randrange(4)
    if way == 0:
        return [[*line, line[min(at, len(line) - 1)]] if line != [""] else line for line in lines]
    if way == 1:
        return [line[:at] + line[at + 1 :] or [""] for line in lines]
    if way == 2:
        return [line[at:] + line[:at] for line in lines]
    begin = random.randrange(len(lines) + 1)
    end = random.randrange(begin, len(lines) + 1)
    split = [[*line[:1], *line] for line in lines[begin:end]]
    width = max((len(line) for line in lines[begin:end]), default=1)
    opened = ["*^", *["*"] * (width - 1)]
    closed = ["*v", "*v", *["*"] * (width - 1)]
    return [*lines[:begin], opened, *split, closed, *lines[end:]]
