"""Does a melody go with its chords? As often as people's do: chord tones on strong beats."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from melodygru.music.chords import ChordSpan, strong_beats
from melodygru.music.melody import Melody

PROGRESSIONS = {
    "Am F C G": ("A minor", "Am F C G"),
    "C Am F G": ("C major", "C Am F G"),
    "ii-V-I": ("C major", "Dm7 G7 Cmaj7 Cmaj7"),
    "twelve-bar blues": ("A major", "A7 D7 A7 A7 D7 D7 A7 A7 E7 D7 A7 E7"),
}
"""By name: the key that a progression is in, and its chords, a bar each."""


def chord_tones(melody: Melody, spans: Sequence[ChordSpan]) -> tuple[int, int]:
    """Of the notes that begin on strong beats, over a chord: how many belong to it; and how many there are."""
    strong = strong_beats(melody.time_signature)
    inside = count = 0
    for note in melody.notes:
        if note.onset % melody.time_signature.bar_steps not in strong:
            continue
        for span in spans:
            if span.onset <= note.onset < span.end and span.chord is not None:
                count += 1
                inside += note.pitch % 12 in span.chord.tones
    return inside, count


def share(pairs: Iterable[tuple[Melody, Sequence[ChordSpan]]]) -> float:
    """Share of chord tones among the notes on strong beats, of all together."""
    counts = [chord_tones(melody, spans) for melody, spans in pairs]
    return sum(inside for inside, _ in counts) / max(sum(count for _, count in counts), 1)


def ends_well(melody: Melody, spans: Sequence[ChordSpan]) -> bool:
    """Whether the last note belongs to the last chord."""
    last = spans[-1].chord
    return last is None or melody.notes[-1].pitch % 12 in last.tones
