"""What kind of tune a piece is: what its file says, else what its title says, else where it stands in its book."""

from __future__ import annotations

import re
from collections.abc import Iterable

from melodygru.data.corpora import plain_name

# Of two kinds that are found, the earlier one here counts: a "march jig" is a jig, "polka mazurka" a mazurka.
_WORDS: dict[str, str] = {
    "slip jig": r"slip ?jigs?|hop jigs?",
    "strathspey": "strathspeys?|fling|strath",
    "hornpipe": "horn ?pipes?|clogs?",
    "jig": "jigs?|slide|giga|gigue",
    "reel": "reels?",
    "rag": "rags?|ragtime|cakewalk|two ?step|slow drag|syncopations|jazz",
    "mazurka": "mazurkas?|mazourkas?|mazur|mazurek|mazurki|oberek|kujawiak",
    "polonaise": "polonaises?|polonaisso|polonoise|polonez|pollonaise|polacca",
    "waltz": "waltz|waltzes|walc|valc|valse|valses|valz|vals|walzer|walse",
    "march": "march|marches|marsz|marche|marcia|quick ?steps?|quick ?march|grenadiers?",
    "minuet": "minuets?|menuets?|menuetto|minuetto|minuetti",
    "krakowiak": "krakowiaks?|cracovienne",
    "polka": "polkas?",
    "galop": "galops?|galopp",
    "tango": "tangos?",
    "contradance": "contredanses?|contradances?|kontredans[ea]?|anglaises?|anglez|cotillions?|kotylion|quadrilles?"
    "|popular dance",
    "gavotte": "gavott?es?",
    "polska": "swenska folk dansar",
    "air": "airs?|lament|lullaby",
    "carol": "carols?",
}
_KINDS = {kind: re.compile(rf"\b(?:{words})\b") for kind, words in _WORDS.items()}
_ONEILL = ((674, "air"), (1108, "jig"), (1174, "slip jig"), (1556, "reel"), (1794, "hornpipe"), (1850, "march"))
"""O'Neill's book is in order: up to which number of his his tunes are what; Carolan's pieces stand among the airs."""


def kind_of(*texts: str) -> str:
    """The kind that the first of the texts names that names one; "" where none does."""
    for text in texts:
        plain = plain_name(text)
        for kind, words in _KINDS.items():
            if words.search(plain):
                return kind
    return ""


def kind_of_tune(book: str, abc: str) -> str:
    """The kind of a tune in ABC: by its `R:`, its titles, or its place in O'Neill's book."""
    found = kind_of(*_fields("R", abc), *_fields("T", abc))
    number = re.match(r"X:\s*(\d+)", abc)
    if not found and book == "oneill" and number:
        found = next((kind for last, kind in _ONEILL if int(number[1]) <= last), "")
    return found


def _fields(letter: str, abc: str) -> Iterable[str]:
    return re.findall(rf"(?m)^{letter}:\s*(.*)$", abc)
