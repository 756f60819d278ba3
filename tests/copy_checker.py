"""An independent judge of copying: every row of notes of every training piece, written out, and looked up.

Knows notes and fractions, and nothing of melodygru.
"""

from fractions import Fraction
from itertools import pairwise


def row_of(notes):
    """(interval, gap) from each note to the next; `notes` are (onset, pitch), in order."""
    return [(two[1] - one[1], two[0] - one[0]) for one, two in pairwise(notes)]


def shapes(notes, length):
    """Every row of `length` consecutive notes: its intervals, and the ratios of its gaps."""
    row = row_of(notes)
    ratios = [Fraction(two[1], one[1]) for one, two in pairwise(row)]
    for at in range(len(notes) - length + 1):
        intervals = tuple(interval for interval, _ in row[at : at + length - 1])
        yield at, (intervals, tuple(ratios[at : at + length - 2]))


class Shelf:
    """All rows of `length` notes that stand in some pieces."""

    def __init__(self, pieces, length):
        self.length = length
        self.known = {shape for notes in pieces for _, shape in shapes(notes, length)}

    def copies(self, notes):
        """Where rows of that length begin in `notes` that stand in a piece."""
        return [at for at, shape in shapes(notes, self.length) if shape in self.known]
