"""What stands above and between the notes of MusicXML -> tempi, and the signs that say in what order bars are played.

Signs of repetition are told three times over: as signs, as words ("D.C. al Fine"), and as attributes of <sound>. All
count, and it is enough that one part has them.
"""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from melodygru.errors import MidiError
from melodygru.formats.scores.musicxml.durations import TYPES
from melodygru.formats.scores.order import Signs
from melodygru.formats.scores.written import TICKS

_MOST_TIMES = 16
"""How often something is repeated at most."""
_TEMPI = (4, 1000)
"""Quarters a minute; what is outside is a slip."""
_NUMBER = r"\d{1,5}(?:[.,]\d{1,6})?"
_PER_MINUTE = re.compile(rf"({_NUMBER})(?:\s*(?:-|–|—|to|bis|à|\.\.)\s*({_NUMBER}))?")
_SECTION_ENDS = ("light-light", "light-heavy", "heavy-light", "heavy-heavy")
_LONGEST_WORDS = 60
"""Letters; what is longer is no sign."""
_WORDS = {
    "dacapo": re.compile(r"(d\.?\s?c\b|da\s?capo\b).*"),
    "dalsegno": re.compile(r"(d\.?\s?s\b|(dal|del)\s?segno\b).*"),
    "tocoda": re.compile(r"(to|al|alla)\s(the\s)?coda\b.*"),
    "fine": re.compile(r"fine\W*"),
    "coda": re.compile(r"coda\W*"),
    "segno": re.compile(r"segno\W*"),
}
"""How words begin, in small letters, that say what attributes of <sound> do."""


def tempo(direction: Element) -> float | None:
    """Quarters a minute that a <direction> or a <sound> names, by its metronome mark, else by its sound."""
    for mark in direction.iter("metronome"):
        found = _metronome(mark)
        if found is not None:
            return found
    sound = direction if direction.tag == "sound" else direction.find("sound")
    return None if sound is None else _legal(_number(sound.get("tempo", "")), 1)


def _metronome(mark: Element) -> float | None:
    """Quarters a minute; None where one value is said to be as long as another."""
    units = mark.findall("beat-unit")
    beat = TYPES.get((units[0].text or "").strip()) if len(units) == 1 else None
    dots = len(mark.findall("beat-unit-dot"))
    if beat is None or dots > 3 or mark.find("beat-unit-tied") is not None:
        return None
    return _legal(_number(mark.findtext("per-minute") or ""), beat * (2 - 0.5**dots) / TICKS)


def _number(text: str) -> float:
    """The number in such text as "ca. 90", the middle of "90-100"; 0 where there is none."""
    found = _PER_MINUTE.search(text[:_LONGEST_WORDS])
    if found is None:
        return 0.0
    numbers = [float(one.replace(",", ".")) for one in found.groups() if one]
    return sum(numbers) / len(numbers)


def _legal(per_minute: float, quarters: float) -> float | None:
    qpm = round(per_minute * quarters, 6)
    return qpm if _TEMPI[0] <= qpm <= _TEMPI[1] else None


def note_direction(direction: Element, signs: Signs, bar: int, at_start: bool, at_end: bool) -> None:
    """Write down the signs of repetition in a <direction> or a <sound> of a bar, given where in the bar it stands."""
    sound = direction if direction.tag == "sound" else direction.find("sound")
    told = {} if sound is None else {kind: sound.get(kind, "") for kind in _WORDS if sound.get(kind)}
    for kind in ("segno", "coda"):
        if direction.tag == "direction" and direction.find(f"direction-type/{kind}") is not None:
            told.setdefault(kind, "")
    for words in direction.iter("words"):
        text = " ".join((words.text or "")[: _LONGEST_WORDS + 1].lower().split()).strip("( .)")
        if 0 < len(text) <= _LONGEST_WORDS:
            for kind, pattern in _WORDS.items():
                if pattern.fullmatch(text):
                    told.setdefault(kind, "")
    # A sign beside the words "To Coda", and a segno beside "Dal Segno", are part of what they say.
    if "tocoda" in told:
        told.pop("coda", None)
    if "dalsegno" in told:
        told.pop("segno", None)
    begins = bar + 1 if at_end and not at_start else bar
    for kind, name in told.items():
        if kind == "segno":
            signs.segno.setdefault(begins, name)
        elif kind == "coda":
            signs.coda.setdefault(begins, name)
        elif kind == "tocoda":
            signs.to_coda.setdefault(bar, not at_start)
        elif kind == "fine":
            signs.fine.add(bar)
        else:
            signs.jumps.setdefault(bar, name if kind == "dalsegno" else None)


def note_barline(barline: Element, signs: Signs, section_ends: set[int], bar: int, at_start: bool) -> None:
    """Write down what a <barline> of a bar says. Raises MidiError for more repeats than any score has."""
    location = barline.get("location", "right")
    left = location == "left" or (location == "middle" and at_start)
    before = bar - 1 if left else bar
    style = (barline.findtext("bar-style") or "").strip()
    if style in _SECTION_ENDS and location != "middle":
        section_ends.add(before)
    ending, repeat = barline.find("ending"), barline.find("repeat")
    if ending is not None:
        numbers = _times(ending.get("number") or "1")
        if ending.get("type") == "start":
            signs.endings.setdefault(before + 1, frozenset(numbers))
        else:
            signs.ends.add(before)
    if repeat is not None:
        section_ends.add(before)
        if repeat.get("direction") == "forward":
            signs.forward.add(before + 1)
        elif before >= 0:
            times = _times(repeat.get("times") or "2")
            signs.backward[before] = max(signs.backward.get(before, 2), *times)


def _times(text: str) -> list[int]:
    """The numbers in such text as "1, 2" or "1-3"; 1 where there are none."""
    found: set[int] = set()
    for first, last in re.findall(r"(\d+)(?:\s*-\s*(\d+))?", text[:_LONGEST_WORDS]):
        if max(len(first), len(last)) > 2 or max(int(first), int(last or 0)) > _MOST_TIMES:
            raise MidiError("repeats something more often than any score does; export it again.")
        found.update(range(int(first), int(last or first) + 1))
    found.discard(0)
    return sorted(found) or [1]
