"""Where melodies stand, for tests of what their past forbids."""

from dataclasses import fields
from itertools import chain

import numpy as np

from melodygru.writing.constraints.base import Progress


def progress(notes=(), rests=(), onset=0, repeats=1):
    """One melody under way: its notes as (onset, pitch), the onsets of its rests, and where it stands."""
    made = Progress.start(1)
    made.onset = np.array([onset])
    made.pitches[0], made.onsets[0], made.rests[0] = [p for _, p in notes], [at for at, _ in notes], list(rests)
    made.reference = np.array([notes[-1][1] if notes else -1])
    made.repeats = np.array([repeats])
    return made


def together(*ones):
    """Several melodies under way side by side."""
    columns = [[getattr(one, part.name) for one in ones] for part in fields(Progress)]
    return Progress(*(np.concatenate(c) if isinstance(c[0], np.ndarray) else [*chain(*c)] for c in columns))
