"""Tables of what was read: how much, how fast, how long, how high, and in which keys and metres."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from statistics import median

from melodygru.music.melody import Melody
from melodygru.music.theory import STEPS_PER_QUARTER
from repertoire.pieces import Piece

EIGHTH, HALF = STEPS_PER_QUARTER // 2, 2 * STEPS_PER_QUARTER
MOST_NAMED = 4
"""Modes and metres that a row names."""


def table(pieces: Sequence[Piece], left_out: Mapping[str, Mapping[str, str]]) -> str:
    """A table in Markdown, a row for each collection; `left_out`: reasons by collection and file."""
    groups: dict[str, list[Piece]] = defaultdict(list)
    for piece in pieces:
        groups[piece.corpus].append(piece)
    head = ("corpus", "files", "left out", "pieces", "notes", *_MEASURES, "modes", "metres", "with chords")
    lines = [head, tuple("---" for _ in head)]
    for corpus, members in groups.items():
        melodies = [piece.melody for piece in members]
        lines.append(
            (
                corpus,
                str(len({piece.file for piece in members})),
                str(len(left_out.get(corpus, ()))),
                f"{len(members):,}",
                f"{sum(len(melody.notes) for melody in melodies):,}",
                *(measure(melodies) for measure in _MEASURES.values()),
                _shares(melody.key.mode for melody in melodies),
                _shares(str(melody.time_signature) for melody in melodies),
                _percent(sum(bool(piece.chords) for piece in members), len(members)),
            )
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def reasons(left_out: Mapping[str, Mapping[str, str]]) -> str:
    """A table of why files and tunes were left out, the places that reasons name taken away."""
    counts = Counter((corpus, reason.partition(" (")[0]) for corpus, why in left_out.items() for reason in why.values())
    rows = [f"| {corpus} | {count} | {reason} |" for (corpus, reason), count in counts.items()]
    return "\n".join(["| corpus | files | why |", "| --- | --- | --- |", *rows])


def _shares(values: object) -> str:
    counts = Counter(values)  # type: ignore[call-overload]
    return ", ".join(f"{value} {_percent(count, counts.total())}" for value, count in counts.most_common(MOST_NAMED))


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / max(whole, 1):.0f} %"


def _share_of_notes(holds: Callable[[int], bool]) -> Callable[[Sequence[Melody]], str]:
    def measure(melodies: Sequence[Melody]) -> str:
        durations = [note.duration for melody in melodies for note in melody.notes]
        return _percent(sum(map(holds, durations)), len(durations))

    return measure


def _rests(melodies: Sequence[Melody]) -> str:
    span = sum(melody.notes[-1].end - melody.notes[0].onset for melody in melodies)
    return _percent(span - sum(note.duration for melody in melodies for note in melody.notes), span)


def _of_intervals(holds: Callable[[int], bool]) -> Callable[[Sequence[Melody]], str]:
    def measure(melodies: Sequence[Melody]) -> str:
        sizes = [abs(two.pitch - one.pitch) for melody in melodies for one, two in pairwise(melody.notes)]
        return _percent(sum(map(holds, sizes)), len(sizes))

    return measure


def _median(value: Callable[[Melody], float]) -> Callable[[Sequence[Melody]], str]:
    return lambda melodies: f"{median(map(value, melodies)):.3g}"


def _range(melody: Melody) -> int:
    pitches = [note.pitch for note in melody.notes]
    return max(pitches) - min(pitches)


_MEASURES: dict[str, Callable[[Sequence[Melody]], str]] = {
    "notes a bar": _median(lambda melody: len(melody.notes) / melody.bars),
    "eighths": _share_of_notes(lambda duration: duration == EIGHTH),
    "halves and longer": _share_of_notes(lambda duration: duration >= HALF),
    "silence": _rests,
    "same pitch again": _of_intervals(lambda size: size == 0),
    "leaps of over a fourth": _of_intervals(lambda size: size > 5),
    "range": _median(_range),
    "middle pitch": _median(lambda melody: median(note.pitch for note in melody.notes)),
    "bars": _median(lambda melody: melody.bars),
    "begin with a pickup": lambda melodies: _percent(sum(melody.pickup > 0 for melody in melodies), len(melodies)),
}
"""Of the melodies of a collection; where nothing else is said a median over its pieces."""
