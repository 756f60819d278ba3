"""What a MIDI file of ours says of how it is played and laid out, so that it is read as it was written.

Swung eighths would be taken for triplets or dotted thirty-seconds, and a first bar that begins with a rest for a
pickup. Where the notes do not bear it out (whoever changed them since kept the text), it does not count.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from melodygru.formats.midi.chunks import OWN_TEXT
from melodygru.formats.midi.grid import USUAL, Grid
from melodygru.formats.midi.performance import Performance, triplet_quarters
from melodygru.music.theory import STEPS_PER_QUARTER

UPBEAT = "upbeat"
"""What the length of the pickup is called, in steps, in recipes of files that were changed: 0 for none."""
_A_STEP_OFF = 0.1
"""What an onset a step off its place is less usual by, as in `melodygru.formats.midi.grid.USUAL`."""
_NEAR_A_THIRD = 1 / 12
"""Quarters within which an onset may be the second third."""
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError)


class OwnWord(NamedTuple):
    """`swing` and `humanize`: as in `Performance`; `upbeat`: steps of the pickup, None where it is not said."""

    swing: float = 0.5
    humanize: float = 0.0
    upbeat: int | None = None


def own_word(texts: Sequence[str]) -> OwnWord:
    """What the first recipe among a file's texts says; nothing where there is none that can be read."""
    for text in texts:
        if text.startswith(OWN_TEXT + "{"):
            try:
                values = json.loads(text[len(OWN_TEXT) :])
                played = Performance.from_dict(values["performance"])
                return OwnWord(float(played.swing), played.humanize, _upbeat(values, played))
            except _UNREADABLE:
                break
    return OwnWord()


def _upbeat(values: Mapping[str, Any], played: Performance) -> int | None:
    """The pickup's steps in the file of a recipe."""
    if values["command"] == "generate":
        if played.pickup_as == "loop":
            return 0
        if "source" not in values:
            return int(Fraction(values["options"].get("pickup") or 0) * 4 * STEPS_PER_QUARTER)
        return int(values["source"]["pickup"]) if values["details"].get("include_primer", True) else None
    said = values.get("details", {}).get(UPBEAT)
    return None if said is None else int(said)


def unswung(onsets: Sequence[int], ticks_per_quarter: int, last: int, word: OwnWord) -> tuple[tuple[int, int], ...]:
    """(tick, step) of the quarters' ends and of where swing has their middles, as `Grid.anchors`; none without swing.

    None, too, where the notes lie better on the grid as they stand.

    Args:
        onsets: of the melody's notes, in ticks.
        ticks_per_quarter: the file's resolution.
        last: the tick at which the file ends.
        word: what it says.
    """
    if word.swing == Performance().swing:
        return ()
    straight = _straight([onset / ticks_per_quarter for onset in onsets], 1 / ticks_per_quarter, word)
    grid = Grid(ticks_per_quarter, anchors=swung_anchors(ticks_per_quarter, last, word.swing, straight))
    as_they_stand = Grid(ticks_per_quarter)
    return grid.anchors if _usual(onsets, grid) >= _usual(onsets, as_they_stand) else ()


def swung_anchors(
    ticks_per_quarter: int, last: int, swing: float, straight: Collection[int] = ()
) -> tuple[tuple[int, int], ...]:
    """`Grid.anchors` of time that swings up to the tick `last`, but for the quarters of these numbers."""
    middle = int(Fraction(swing) * ticks_per_quarter + Fraction(1, 2))  # as `Clock` rounds
    end, anchors = last // ticks_per_quarter + 1, []
    for quarter in range(end):
        anchors.append((quarter * ticks_per_quarter, quarter * STEPS_PER_QUARTER))
        if quarter not in straight:
            anchors.append((anchors[-1][0] + middle, anchors[-1][1] + STEPS_PER_QUARTER // 2))
    # Beyond the end time runs straight.
    anchors += [((end + more) * ticks_per_quarter, (end + more) * STEPS_PER_QUARTER) for more in (0, 1)]
    return tuple(anchors)


def _straight(onsets: Sequence[float], tick: float, word: OwnWord) -> set[int]:
    """The numbers of the quarters that are not swung: those with triplets.

    A note on the second third alone is one of a triplet only where it stands there to the tick, and swung ones do not.
    Where swing makes one of them (2/3), two notes on thirds are.

    Args:
        onsets: of the melody's notes, in quarters.
        tick: one, in quarters.
        word: what the file says.
    """
    inside: dict[int, list[float]] = {}
    for onset in onsets:
        inside.setdefault(int(onset), []).append(onset % 1)
    found = set()
    for quarter in triplet_quarters(onsets, word.swing):
        others = [place for place in inside[quarter] if place and abs(place - 2 / 3) > _NEAR_A_THIRD]
        exact = not word.humanize and all(abs(place - 2 / 3) <= tick for place in inside[quarter] if place)
        if others or exact:
            found.add(quarter)
    if abs(word.swing - 2 / 3) <= tick:
        for quarter, places in inside.items():
            if all(any(abs(place - third) <= tick for place in places) for third in (1 / 3, 2 / 3)):
                found.add(quarter)
    return found


def _usual(onsets: Sequence[int], grid: Grid) -> float:
    """How usual the places of onsets are on average, each at the place that does it most good."""
    total = 0.0
    for onset in onsets:
        inside = float(grid.steps(onset)) % STEPS_PER_QUARTER
        total += max(
            usual - _A_STEP_OFF * min(abs(inside - place), STEPS_PER_QUARTER - abs(inside - place))
            for place, usual in USUAL.items()
        )
    return total / max(1, len(onsets))
