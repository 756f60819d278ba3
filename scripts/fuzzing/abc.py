"""ABC notation: small tunes made anew, and changed by token: notes, bars, fields, ornaments."""

from __future__ import annotations

import re
from random import Random

from fuzzing.mutation import ODD_NUMBERS, ODD_WORDS, change_bytes, change_list, few

_FIELDS = (
    "X:1", "X:2", "X:", "T:Air", "T:\x1b[31m", "C:trad", "M:4/4", "M:6/8", "M:C", "M:C|", "M:none", "M:2+3/8",
    "M:(2+3)/8", "M:0/0", "M:3/0", "M:999/4", "M:4/999999", "L:1/8", "L:1/4", "L:1/0", "L:0", "L:1/99999999", "L:1",
    "Q:1/4=120", "Q:120", "Q:C=120", 'Q:"Slow" 1/4=60', "Q:1/4 1/4=60", "Q:0", "Q:1/4=0", "Q:1/4=1e999", "Q:1/0=9",
    "K:C", "K:Gm", "K:D dor", "K:Ador", "K:none", "K:HP", "K:Hp", "K:C exp ^f _b", "K:D mix ^c", "K:C clef=treble-8",
    "K:C octave=-1", "K:G transpose=2", "K:C octave=99", "K:C transpose=9999999999", "K:H", "K:", "V:1",
    "V:2 name=\"Bass\" clef=bass", "V:1 octave=2", "V:x merge", "P:A", "P:B", "P:AABB", "P:A3(BC2)4", "P:A999999999",
    "P:((((((A)9)9)9)9)9)9", "P:Z", "R:reel", "N:note", "w:la la-la * |", "W:words", "s:!p!", "U:T=!trill!",
    "m:~n2=o/n/m/n", "I:linebreak $", "I:abc-charset utf-8", "%%MIDI transpose 12", "%%MIDI program 40", "%comment",
    "d:x", "+:more",
)  # fmt: skip
_MUSIC = (
    *"CDEFGABcdefgab", *"CDEFGABcdefgab", "z", "z2", "x", "x4", "Z", "Z4", "Z99999", "X2", "y", "^C", "_B", "=F",
    "^^G", "__A", "^/C", "^3/2d", "_1/4e", "C,", "C,,,,", "c'", "c''''''", "C2", "D3", "E/", "F//", "G/4", "A3/2",
    "B1000000000", "c999999999/1", "d1/999999999", "e0", "f/0", "g2/0", "|", "|", "|", "|", "||", "|]", "[|", "[|]",
    "|:", ":|", "::", ":||:", ":||::|", "|::", "::|", "|1", ":|2", "[1", "[2", "[1,2", "[1-3", "[3", "|99",
    "|1000000000", "(3", "(3:2:3", "(5", "(9:8", "(0", "(3:0:0", "(99:1:9", "(3::", "(", ")", "((((", "((((((((((",
    "[CEG]", "[CEG]2", "[", "]", "[[[", "[]", "[C2E4]", "{", "}", "{ABc}", "{/A}", "{{", "!trill!", "!D.C.!", "!D.S.!",
    "!segno!", "!coda!", "!fine!", "!dacapo!", "+fermata+", "!", "+", "~", ".", "T", "H", "u", "v", '"Am"', '"^text"',
    '"', "-", "-|", "-|-", ">", "<", ">>", "<<<", ">>>>>>>>", "&", "$", "`", "\\", "\\\n", "*", "#", "@", ";", "?",
    "[K:D]", "[M:3/4]", "[L:1/16]", "[V:2]", "[P:B]", "[Q:1/4=90]", "[r:remark]", "[I:x]", "[K:", "%", " ", "\n",
    "\n\n", "\r\n", "\t",
)  # fmt: skip
_TOKENS = re.compile(
    r"\n[A-Za-z+]:[^\n]*|\n%[^\n]*|\[[A-Za-z]:[^\]\n]*\]|![^!\n]*!|\"[^\"\n]*\"|\{[^}\n]*\}|\(\d(?::\d*){0,2}"
    r"|[|:\]\[]*\|[|:\]\[]*\d*|[\^=_]*[A-Ga-gzxZ][,']*\d*/*\d*|\s|.",
    re.DOTALL,
)


def seed(random: Random) -> bytes:
    """One or two small tunes: fields, then bars of notes with repeats, endings and ornaments."""
    return "\n\n".join(_tune(random, number + 1) for number in range(random.choice((1, 1, 2)))).encode()


def _tune(random: Random, number: int) -> str:
    top = random.choice((2, 3, 4, 6))
    fields = [f"X:{number}", f"T:Air {number}", f"M:{top}/{random.choice((4, 8))}", f"L:1/{random.choice((4, 8))}"]
    fields += [field for field in _FIELDS[2:] if random.random() < 0.03 and field[0] not in "MLKX"]
    fields.append(f"K:{random.choice(('C', 'G', 'Am', 'D dor', 'Bb', 'A exp ^f', 'G octave=1'))}")
    unit, bottom = int(fields[3][4:]), int(fields[2][4:])
    length, bars = max(1, top * unit // bottom), []
    for _ in range(random.randrange(1, 9)):
        bar, left = "", length
        while left:
            count = min(left, random.choice((1, 1, 1, 2, 3)))
            bar += random.choice("CDEFGABcdefgz") + (str(count) if count > 1 else "")
            left -= count
        if random.random() < 0.2:
            bar = random.choice(_MUSIC) + bar
        bars.append(bar)
    lines = random.choice((" | ", "|", "|\n"))
    body = lines.join(bars)
    return "\n".join(fields) + "\n" + random.choice(("|:{}:|", "{}|", "|:{}|1 C:|2 D|]")).format(body)


def _token(random: Random) -> str:
    way = random.randrange(12)
    if way < 2:
        return "\n" + random.choice(_FIELDS) + "\n"
    if way == 2:
        return random.choice("CDEFGABz^_=|(/:,'>-") + random.choice(ODD_NUMBERS)
    if way == 3 and random.random() < 0.2:
        return random.choice(ODD_WORDS)
    return random.choice(_MUSIC)


def _changed(token: str, random: Random) -> str:
    number = re.search(r"\d+", token)
    if number and random.random() < 0.6:
        return token[: number.start()] + random.choice(ODD_NUMBERS) + token[number.end() :]
    if token.startswith("\n") and ":" in token and random.random() < 0.5:
        return token + random.choice((" ", "=", "/")) + random.choice(_FIELDS).partition(":")[2]
    return token + _token(random) if random.random() < 0.5 else _token(random)


def mutate(data: bytes, random: Random, other: bytes) -> bytes:
    """The tunes with a few tokens changed, some of them taken from others."""
    if random.random() < 0.06:
        return change_bytes(data, random, other)
    tokens, beside = tokens_of(data), tokens_of(other)
    for _ in range(few(random)):
        change_list(tokens, random, beside, _token, _changed)
    return "".join(tokens).encode("utf-8", "surrogateescape")


def tokens_of(data: bytes) -> list[str]:
    """The file as tokens: joined, they give it back."""
    return _TOKENS.findall(data.decode("utf-8", "surrogateescape"))
