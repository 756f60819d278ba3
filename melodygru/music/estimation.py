"""What a melody does not say and is estimated: metre, bar lines and key, each with how sure that is.

Rules (`melodygru.music.metre_finding`, `melodygru.music.key_hearing`) find the likeliest readings from the notes alone.
Where there is a judge, who tells how improbable each reading is to one who knows much music, its word is weighed
against theirs: a trained network is such a judge (`melodygru.network.judge`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from melodygru.music.key_hearing import KEYS, hear_key, key_scores
from melodygru.music.melody import Melody, Note
from melodygru.music.metre_finding import GRID, METRES, Reading, metre_class, metre_scores, readings
from melodygru.music.theory import STEPS_PER_QUARTER, Key, TimeSignature
from melodygru.records import dataclass

FloatArray = npt.NDArray[np.float64]

Judge = Callable[[Sequence[Melody]], "Sequence[float] | None"]
"""Readings of a melody in, nats out: the negative log-likelihood of the same notes in each; None: has nothing to say.

The melodies are only the beginning of long ones, of `MOST_JUDGED` notes.
"""
READINGS_JUDGED = 8
"""Of so many readings the right one is among the likeliest by rule for 99 % of tunes."""
KEYS_JUDGED = 4
"""The same of keys."""
UNLIKELY_METRE, UNLIKELY_KEY = 6.0, 4.0
"""Nats by which the rule finds a reading or a key worse than the likeliest, from which on a judge is not asked.

Of eight readings seven are left on average, of four keys two; of 250 tunes that may be learned from no right reading
was lost, and the right key of 0.4 %.
"""
MOST_JUDGED = 128
"""Notes that a judge is given: bounds its time."""
RULE_OF_METRE, NATS_OF_METRE = 0.446, 0.322
"""What a nat of the rule and one of the judge count for a reading, fitted on tunes that may be learned from."""
RULE_OF_KEY, NATS_OF_KEY = 0.938, 0.209
"""The same for a key."""
READINGS_OF_PACE, NATS_OF_PACE = 3, 0.2
"""Readings that are asked about for each way to write beats, and what a nat counts beside how usual the tempo is."""
USUAL_QUARTER, SPREAD_OF_QUARTERS = 60 / 118.5, 0.32
"""Seconds a quarter in tunes that may be learned from: geometric mean, and standard deviation of the logarithm."""
SURE = 0.75
"""A chance from which an estimate is told as one; below it, that it is unsure."""
CLOSE = 0.2
"""A chance from which a second reading is told beside the likeliest."""
BANDS = ("75 % or more", "50 to 75 %", "less than 50 %")
"""How sure estimates are, in words, where many are counted; the first is `SURE`."""
_TOLD = re.compile(r"(metre|key) estimated[^:]*: [^%]*\((\d+) %\)")
DENIED, FEWEST_TO_DENY = 3.0, 32
"""Nats by which the rule must prefer another class of metre to the one that a file states, and of how many notes: of
399 tunes held out it does so wrongly for 0.25 %, and rightly for 73 % of those in threes if they state 4/4."""
_READINGS = re.compile(r"(\d+/\d+)(?: after a pickup of ([\d.]+) quarters?)? \(\d+ %\)")
_MOST_BARS_LEFT = 64
"""Bars after what a judge is given, of which there may be more."""


@dataclass(frozen=True)
class Estimate:
    """What was estimated, in words, the likeliest first.

    `chances` are in [0, 1] and fall; they sum to 1 with those of what is not named.
    """

    what: str
    names: tuple[str, ...]
    chances: tuple[float, ...]

    @property
    def sure(self) -> bool:
        """Whether the likeliest is likely enough to be taken at its word."""
        return self.chances[0] >= SURE

    @property
    def remark(self) -> str:
        """ "metre estimated: 3/4 (93 %)"; where it is unsure that is said, and a second close one is named."""
        close = [i for i in range(min(2, len(self.names))) if i == 0 or self.chances[i] >= CLOSE]
        told = " or ".join(f"{self.names[i]} ({100 * self.chances[i]:.0f} %)" for i in close)
        return f"{self.what} estimated{'' if self.sure else ', unsure'}: {told}"


def estimate_metre(
    notes: Sequence[Note],
    judge: Judge | None = None,
    metre: TimeSignature | None = None,
    pickup: int | None = None,
    key: Key | None = None,
) -> tuple[Reading, Estimate]:
    """The likeliest metre and pickup of notes, which are in order of onset and never overlap; one at least.

    Args:
        judge: is asked about the likeliest.
        metre, pickup: what is known already; a pickup in steps, taken to be below a bar.
        key: what is known of that; else it is heard.
    """
    metres = METRES if metre is None else (metre,)
    found, scores = readings(metres), metre_scores(notes, metres)
    if pickup is not None:
        found, scores = _with_pickup(found, scores, pickup)
    order = np.argsort(-scores, kind="stable")[:READINGS_JUDGED].tolist()
    order = _worth_asking(scores, order, UNLIKELY_METRE)
    likeliest = [found[i] for i in order]
    known = key or hear_key(as_read(notes, likeliest[0]).notes, likeliest[0].metre)
    nats = judge([as_read(notes, one, known) for one in likeliest]) if judge and len(likeliest) > 1 else None
    chances = _chances(scores, order, nats, RULE_OF_METRE, NATS_OF_METRE)
    best = np.argsort(-chances, kind="stable").tolist()
    names = tuple(str(likeliest[i]) for i in best)
    return likeliest[best[0]], Estimate("metre", names, tuple(chances[best].tolist()))


def denies(notes: Sequence[Note], metre: TimeSignature) -> bool:
    """Whether notes, in order of onset, plainly speak for a metre of another class than this one: by rule alone.

    Notes that are all as long as each other speak for none.
    """
    if len(notes) < FEWEST_TO_DENY or len({two.onset - one.onset for one, two in pairwise(notes)}) == 1:
        return False
    scores = metre_scores(notes)
    same = np.array([metre_class(one.metre) == metre_class(metre) for one in readings()])
    return bool(same.any() and scores[~same].max() - scores[same].max() > DENIED)


def estimate_pace(notes: Sequence[Note], quarter: float, judge: Judge | None = None) -> float:
    """2, 1 or 1/2: by what the steps of notes are to be multiplied whose beats were tracked.

    Whether what lasts `quarter` seconds is written as a quarter, a half or an eighth is a matter of custom: of usual
    tempi, and of what a judge has seen written. Notes are in order of onset.
    """
    paces = [1.0, 2.0] + [0.5] * all(one.onset % 2 == 0 for one in notes) * (len(notes) > 1)
    paces = [pace for pace in paces if all((two.onset - one.onset) * pace >= GRID for one, two in pairwise(notes))] or [
        1.0
    ]
    begun, asked = notes[:MOST_JUDGED], []
    for pace in paces:
        moved = [int(note.onset * pace) for note in begun]
        ends = [*moved[1:], moved[-1] + STEPS_PER_QUARTER]
        tune = [Note(note.pitch, at, end - at) for note, at, end in zip(begun, moved, ends, strict=True)]
        scores = metre_scores(tune)
        likeliest = [readings()[i] for i in np.argsort(-scores, kind="stable")[:READINGS_OF_PACE].tolist()]
        key = hear_key(as_read(tune, likeliest[0]).notes, likeliest[0].metre)
        asked.append([as_read(tune, one, key) for one in likeliest])
    nats = judge([melody for of_pace in asked for melody in of_pace]) if judge and len(paces) > 1 else None
    worth = [-0.5 * (float(np.log(quarter / pace / USUAL_QUARTER)) / SPREAD_OF_QUARTERS) ** 2 for pace in paces]
    if nats is None:
        return 1.0
    least = np.array(nats).reshape(len(paces), -1).min(1)
    return paces[int(np.argmax(np.array(worth) - NATS_OF_PACE * least))]


def estimate_key(melody: Melody, judge: Judge | None = None) -> tuple[Key, Estimate]:
    """The likeliest key of a melody, whatever key it names."""
    scores = key_scores(melody.notes, melody.time_signature)
    order = np.argsort(-scores, kind="stable")[:KEYS_JUDGED].tolist()
    order = _worth_asking(scores, order, UNLIKELY_KEY)
    beginning = replace(melody, notes=melody.notes[:MOST_JUDGED])
    nats = judge([replace(beginning, key=KEYS[i]) for i in order]) if judge and len(order) > 1 else None
    chances = _chances(scores, order, nats, RULE_OF_KEY, NATS_OF_KEY)
    best = np.argsort(-chances, kind="stable").tolist()
    names = tuple(str(KEYS[order[i]]) for i in best)
    return KEYS[order[best[0]]], Estimate("key", names, tuple(chances[best].tolist()))


def told_chance(remark: str) -> tuple[str, float] | None:
    """What a remark says that was estimated ("metre", "key"), and its chance; None for other remarks."""
    found = _TOLD.match(remark)
    return None if found is None else (found[1], int(found[2]) / 100)


def told_readings(remark: str) -> list[tuple[str, float]]:
    """The metres that a remark says were estimated, each with its pickup in quarters: two where they are close."""
    if not remark.startswith("metre estimated"):
        return []
    return [(metre, float(pickup or 0)) for metre, pickup in _READINGS.findall(remark)]


def band_of(chance: float) -> str:
    """Which of `BANDS` a chance is in."""
    return BANDS[0 if chance >= SURE else 1 if chance >= 0.5 else 2]


def as_read(notes: Sequence[Note], reading: Reading, key: Key = Key()) -> Melody:
    """The beginning of a melody, `MOST_JUDGED` notes, in one reading; its bars are those of the whole."""
    bar = reading.metre.bar_steps
    shift = (bar - reading.pickup) % bar - notes[0].onset
    moved = tuple(Note(note.pitch, note.onset + shift, note.duration) for note in notes[:MOST_JUDGED])
    end, whole = moved[-1].end, notes[-1].end + shift
    # An upbeat to nothing is none.
    pickup = reading.pickup if end > bar else 0
    bars = -(-min(whole, end + _MOST_BARS_LEFT * bar) // bar) - bool(pickup)
    return Melody(moved, reading.metre, key, pickup=pickup, bars=max(1, bars))


def _with_pickup(found: Sequence[Reading], scores: FloatArray, pickup: int) -> tuple[tuple[Reading, ...], FloatArray]:
    """The readings that have this pickup; where it is between the places that are looked at, one of each metre."""
    chosen = [i for i, one in enumerate(found) if one.pickup == pickup % one.metre.bar_steps]
    if chosen:
        return tuple(found[i] for i in chosen), scores[chosen]
    nearest = {one.metre: i for i, one in enumerate(found) if abs(one.pickup - pickup % one.metre.bar_steps) < GRID}
    return tuple(Reading(metre, pickup % metre.bar_steps) for metre in nearest), scores[list(nearest.values())]


def _worth_asking(scores: FloatArray, order: Sequence[int], unlikely: float) -> list[int]:
    """Those of the likeliest about which there is any doubt."""
    return [i for i in order if scores[order[0]] - scores[i] <= unlikely]


def _chances(
    scores: FloatArray, order: Sequence[int], nats: Sequence[float] | None, of_rule: float, of_nats: float
) -> FloatArray:
    """How likely each of the likeliest, `order`, is: by rule alone, or with what a judge says of them."""
    rule = np.exp(scores - scores.max())
    rule /= rule.sum()
    kept = rule[list(order)]
    if nats is None:
        return np.asarray(kept)
    both = of_rule * scores[list(order)] - of_nats * np.asarray(nats)
    odds = np.exp(both - both.max())
    # The judge shares out anew what the rule gives to those it was asked about.
    return np.asarray(kept.sum() * odds / odds.sum())
