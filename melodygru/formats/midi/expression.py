"""How a musician would shape a melody: louder and softer by rule, and, where that is asked for, quicker and slower.

Rules of the KTH system for musical performance (Friberg, Bresin & Sundberg 2006, "Overview of the KTH rule system for
musical performance"), under their names; `--expression` is the k of all of them. Of these, quantities are those of its
program, Director Musices, at k = 1:

- High loud: 3 dB an octave, from the melody's middle pitch on (its median; theirs is the mean).
- Melodic charge: 0.2 dB a unit of charge, which grows with the distance on the circle of fifths: theirs from the root
  of the chord, ours from the tonic, since melodies need not have chords.
- Duration contrast: short notes are softer, by up to 0.825 dB at 200 ms. (That they are shorter too is left out: on a
  grid that would be another rhythm.)

Of these, shape is theirs and quantities are ours:

- Phrase arch: a phrase grows to its middle and falls away again, in level and in tempo. Theirs has a turning point to
  choose and ends deeper than it begins; ours is even, over phrases of four bars, since none are marked.
- Final ritardando: as a runner stops (Friberg & Sundberg 1999), with q = 2, constant braking force; their program has
  q = 3 and goes down to a quarter of the tempo.

Metrical accents are `melodygru.formats.midi.performance.accent`'s, which hold without expression too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from melodygru.music.melody import Melody
from melodygru.music.theory import STEPS_PER_QUARTER

VELOCITY_A_DECIBEL = 3.0
"""Steps of velocity that make a decibel, about, on sampled pianos at middle loudness."""
PHRASE_BARS = 4
"""Bars of a phrase: those of nearly all songs, hymns and dances."""
ARCH_DECIBELS = 4.0
"""How much louder the middle of a phrase is than its ends."""
ARCH_TEMPO = 0.06
"""By which share the middle of a phrase is quicker than its ends."""
OCTAVE_DECIBELS = 3.0
MOST_FOR_HEIGHT = 4.0
"""Decibels, up or down: a line of three octaves is not to leave the range of velocities."""
CHARGE_DECIBELS = 0.2
CHARGES = (0.0, 6.5, 2.0, 4.5, 4.0, 2.5, 6.0, 1.0, 5.5, 3.0, 3.5, 5.0)
"""Melodic charge by semitones above the tonic (Sundberg, Friberg & Frydén 1991)."""
SHORT_SOFTER = ((30.0, 0.0), (200.0, -0.825), (400.0, -0.525), (600.0, 0.0))
"""Duration contrast: decibels at milliseconds, straight lines between them."""
END_TEMPO = 0.75
"""The tempo at the last bar line, as a share of the tempo: small, since a clip may go on."""
RITARD_BARS = 1


def louder(melody: Melody, amount: float) -> list[int]:
    """By how much velocity each note is louder than without expression; `amount` in [0, 1] is the rules' k."""
    from statistics import median

    if not amount or not melody.notes:
        return [0] * len(melody.notes)
    arch, middle = _Arch(melody), median(note.pitch for note in melody.notes)
    charge = sum(CHARGES[(note.pitch - melody.key.tonic) % 12] for note in melody.notes) / len(melody.notes)
    milliseconds = 60_000 / melody.qpm / STEPS_PER_QUARTER
    found = []
    for note in melody.notes:
        level = ARCH_DECIBELS * (arch.at(note.onset) - 0.5)
        level += max(-MOST_FOR_HEIGHT, min(MOST_FOR_HEIGHT, (note.pitch - middle) / 12 * OCTAVE_DECIBELS))
        level += CHARGE_DECIBELS * (CHARGES[(note.pitch - melody.key.tonic) % 12] - charge)
        level += _between(SHORT_SOFTER, note.duration * milliseconds)
        found.append(round(amount * level * VELOCITY_A_DECIBEL))
    return found


def tempos(melody: Melody, amount: float) -> Iterator[tuple[int, float]]:
    """(step, quarter notes a minute) from each beat on, where the tempo is another than before.

    The tempo is the melody's own at the beginning of each phrase, and slower only in the last bar.
    """
    arch, beat = _Arch(melody), melody.time_signature.beat_steps
    bar, last = melody.time_signature.bar_steps, melody.qpm
    begins = melody.length - RITARD_BARS * bar
    for step in range(0, melody.length, beat):
        qpm = melody.qpm * (1 + amount * ARCH_TEMPO * arch.at(step))
        if step >= begins:
            done = (step - begins) / (melody.length - begins)
            end = 1 - amount * (1 - END_TEMPO)
            qpm = melody.qpm * math.sqrt(1 + (end * end - 1) * done)
        if qpm != last:
            yield step, qpm
        last = qpm


class _Arch:
    """How far on the arch of its phrase a step stands: 0 at both ends, 1 in the middle; a pickup leads into its own."""

    def __init__(self, melody: Melody):
        bar = melody.time_signature.bar_steps
        first = bar - melody.pickup if melody.pickup else 0
        self._borders = [*range(first, melody.length, PHRASE_BARS * bar), melody.length]

    def at(self, step: int) -> float:
        """The height, in [0, 1], of a parabola over the phrase."""
        for start, end in pairwise(self._borders):
            if start <= step < end:
                along = (step - start) / (end - start)
                return 4 * along * (1 - along)
        return 0.0


def _between(points: Sequence[tuple[float, float]], x: float) -> float:
    """The height at x of straight lines between points, and of the first and last beyond them."""
    for (one, low), (two, high) in pairwise(points):
        if one <= x < two:
            return low + (high - low) * (x - one) / (two - one)
    return points[0][1] if x < points[0][0] else points[-1][1]
