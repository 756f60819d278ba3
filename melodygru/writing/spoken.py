"""Wishes as people say them -> as files keep them: "A minor pentatonic", "Am - F - C - G", "vi IV I V", "C4-C5", "16".

What is said in the usual way comes back as it is, so that files which tell how they were made go on to tell the same.
What cannot be understood comes back as it is too: whoever parses it says what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from melodygru.errors import UsageError
from melodygru.music.chords import chord_or_none
from melodygru.music.form import parts_in_words
from melodygru.music.numerals import is_numeral, symbol_of
from melodygru.music.scales import SCALE_INTERVALS, parse_scale
from melodygru.music.theory import Key, parse_pitch
from melodygru.writing.values import GRIDS

_TONIC = re.compile(r"([A-Ga-g] ?(?:#|b|♯|♭|[Ss]harp|[Ff]lat)?) (.+)")
_AROUND = re.compile(r"^(?:in )?(?:the )?key (?:of )?| (?:scale|mode)$", re.IGNORECASE)
_SMALL_NOTES = re.compile(r"[a-g][#b]?(?:[ ,]+[a-g][#b]?){2,}")
_LONGEST = 2000
"""Characters of what is looked at; nobody says more, and files of strangers may hold anything."""


def plain(said: Mapping[str, str]) -> dict[str, str]:
    """What was said, in the usual spelling; key and scale may say one another, and chords the key.

    `said` are the fields of `melodygru.writing.config.GenerationConfig` that have other spellings.

    Raises UsageError for a key and a scale that contradict each other, and for degrees that are none.
    """
    found = {name: text for name, text in said.items() if len(text) <= _LONGEST}
    _key_and_scale(found)
    if "chords" in found:
        found["chords"] = _chords(found["chords"], found)
    if "form" in found:
        found["form"] = parts_in_words(found["form"]) or found["form"]
    if "range" in found:
        found["range"] = _range(found["range"])
    for name in ("grid", "pickup"):
        if name in found:
            found[name] = _fraction(found[name])
    return found


def _key_and_scale(found: dict[str, str]) -> None:
    """Part a key that names a scale, a scale that names its tonic, and find the key of a scale in notes."""
    if "key" in found:
        found["key"] = _AROUND.sub("", found["key"])
        if not _is_key(found["key"]) and (parted := _with_tonic(found["key"])):
            if "scale" in found and _scale(found["scale"]) != parted[1]:
                raise _contradict(found)
            found["key"], found["scale"] = parted
    if "scale" not in found:
        return
    scale = found["scale"]
    if parted := _with_tonic(scale):
        if "key" in found and _is_key(found["key"]) and Key.parse(found["key"]).tonic != Key.parse(parted[0]).tonic:
            raise _contradict(found)
        found.setdefault("key", parted[0])
        found["scale"] = parted[1]
    elif _SMALL_NOTES.fullmatch(scale):
        found["scale"] = scale = re.sub("[a-g]#?b?", lambda note: note[0].capitalize(), scale)
    if "key" not in found and (notes := _notes(scale)):
        above = {(parse_pitch(f"{note}4") - parse_pitch(f"{notes[0]}4")) % 12 for note in notes}
        found["key"] = f"{notes[0]} {'minor' if 3 in above and 4 not in above else 'major'}"


def _contradict(found: Mapping[str, str]) -> UsageError:
    key, scale = found["key"], found["scale"]
    return UsageError(f"--key {key!r} and --scale {scale!r} contradict each other; leave one of them out.")


def _with_tonic(text: str) -> tuple[str, str] | None:
    """A key and a scale out of "A minor pentatonic"; None for anything else."""
    match = _TONIC.fullmatch(" ".join(_AROUND.sub("", text).replace("-", " ").split()))
    if match is None:
        return None
    tonic, rest = match.groups()
    if rest == "pentatonic":
        parse_scale(rest)  # says that there are two
    scale = _scale("blues" if rest == "minor blues" else rest)
    if scale not in SCALE_INTERVALS:
        return None
    mode = next((mode for mode in ("minor", "major") if mode in scale), scale)
    # A scale that is no mode, such as blues, stands on a bare tonic.
    key = f"{tonic} {mode}" if _is_key(f"{tonic} {mode}") else tonic
    return key[0].upper() + key[1:], scale


def _notes(text: str) -> list[str]:
    """The notes of a scale in notes; none for a scale that has a name."""
    scale = _scale(text)
    return [] if scale is None or scale in SCALE_INTERVALS else scale.split()


def _scale(text: str) -> str | None:
    try:
        return parse_scale(text)
    except UsageError:
        return None


def _is_key(text: str) -> bool:
    try:
        Key.parse(text)
    except UsageError:
        return False
    return True


_BETWEEN = re.compile(r"\s[-–—>→]+\s|[–—→;]|->|-(?=[A-G][^a-z]*|[b#]?[IViv]+\b)")
"""What stands between chords beside blanks, commas and bar lines; a hyphen after a root alone is a minor chord's."""


def _chords(text: str, found: dict[str, str]) -> str:
    """A progression with blanks between its chords, degrees in the key as symbols, and roots in capitals."""
    tokens = re.findall(r"[|:,]|[^\s|:,]+", text)
    if any(chord_or_none(token) is None and token not in "|:,%/" for token in tokens):
        text = " ".join(_BETWEEN.sub(" ", text).split())
        tokens = re.findall(r"[|:,]|[^\s|:,]+", text)
    if any(map(is_numeral, tokens)):
        key = found.setdefault("key", "C minor" if {"i", "i7"} & set(tokens) else "C major")
        if _is_key(key):
            text = _replaced(text, lambda token: symbol_of(token, Key.parse(key)) if is_numeral(token) else token)
    elif any(token[0] in "abcdefg" and token[1:].startswith("m") for token in tokens):
        # One small "am" tells that no shift key was pressed; small letters alone might mean minor chords.
        text = _replaced(text, _capital)
    return text


def _replaced(text: str, by: Callable[[str], str]) -> str:
    return re.sub(r"[^\s|:,]+", lambda match: by(match[0]), text)


def _capital(token: str) -> str:
    capital = token[:1].upper() + token[1:]
    return capital if token[:1].islower() and chord_or_none(capital) else token


_PITCH = r"[A-Ga-g][#b♯♭]?-?\d{1,2}"
_RANGE = re.compile(rf"({_PITCH}) ?(?:-|–|—|\.\.\.?|to| ) ?({_PITCH})")


def _range(text: str) -> str:
    match = _RANGE.fullmatch(" ".join(text.split()))
    return text if match is None else f"{match[1]}:{match[2]}"


_WORDS = {"whole": "1/1", "half": "1/2", "quarter": "1/4", "eighth": "1/8", "sixteenth": "1/16"}
_WORDS |= {"beat": "1/4", "thirty-second": "1/32", "minim": "1/2", "crotchet": "1/4", "quaver": "1/8"}
_NUMBER = re.compile(r"(?:1/)?(2|4|8|16|32)(?:th|nd)?(?: ?notes?)?")


def _fraction(text: str) -> str:
    """A fraction of a whole note out of "16", "16th", "1/16th" or "eighth notes"."""
    word = " ".join(text.lower().split()).removesuffix(" notes").removesuffix(" note").rstrip("s")
    if re.fullmatch(r"(1/)?\d{1,2} ?(t|triplet|trip)", word):
        note = f"1/{re.findall('[0-9]+', word)[-1]}"
        raise UsageError(f"--grid {text!r} says two things; give --grid {note}: triplets are allowed in simple metres.")
    match = _NUMBER.fullmatch(word)
    if match is not None and f"1/{match[1]}" in GRIDS:
        return f"1/{match[1]}"
    return _WORDS.get(word, text)
