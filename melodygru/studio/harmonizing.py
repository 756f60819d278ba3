"""Chords for a melody, as `melodygru harmonize` finds them."""

from __future__ import annotations

from melodygru.arranging.harmony import harmonize
from melodygru.errors import UsageError
from melodygru.music.chords import voicing
from melodygru.studio import answers, messages
from melodygru.studio.work import Job


def ways(job: Job, asked: messages.Harmonize) -> answers.Harmonized:
    """Ways to harmonize a melody, the first being the likeliest to be right."""
    melody = asked.melody.tune()
    if not melody.notes:
        raise UsageError("The melody has no notes; draw some, or have a new one written.")
    job.check()
    found = harmonize(
        melody,
        style=asked.style,
        chords_per_bar=asked.chords_per_bar,
        count=asked.count,
        seed=asked.seed or 0,
        progress=lambda done, total: job.check(),
    )
    return answers.Harmonized(
        ways=[
            [
                answers.ChordSpan(
                    onset=span.onset,
                    end=span.end,
                    symbol="N.C." if span.chord is None else span.chord.symbol,
                    pitches=[] if span.chord is None else list(voicing(span.chord)),
                )
                for span in way.chords
            ]
            for way in found
        ]
    )
