"""In which order a listener hears the excerpts, so that over listeners no system gains by its place.

Squares are Williams's, balanced for what comes first and for what comes right before what (Williams, "Experimental
designs balanced for the estimation of residual effects of treatments", Australian Journal of Scientific Research A
2:2, 1949).
"""

from __future__ import annotations


def williams(size: int) -> list[list[int]]:
    """Rows that each hold [0, size): each number stands at each place, and right before each other, equally often.

    `size` rows; of an odd `size` twice as many, each row with its mirror image.
    """
    zigzag = [(place + 1) // 2 if place % 2 else -(place // 2) for place in range(size)]
    rows = [[(step + shift) % size for step in zigzag] for shift in range(size)]
    return rows + [row[::-1] for row in rows] if size % 2 and size > 1 else rows


def balanced_orders(systems: int, seats: int) -> list[list[tuple[int, int]]]:
    """All (system, seat) in as many orders as it takes until every one has been everywhere equally often.

    Blocks follow each other, each with one excerpt of every system, each from another seat where there are as many
    seats as systems: who hears one seat's melodies side by side rates the difference, not the melody. Blocks stand in
    the order of one Williams square, systems within a block in that of another.

    Args:
        systems: how many there are, people included.
        seats: how many excerpts each system has; a seat's excerpts are alike in metre, key, tempo and length.
    """
    blocks, within = williams(seats), williams(systems)
    apart = max(1, seats // systems)

    def block(number: int, turn: int) -> list[tuple[int, int]]:
        return [(system, (number + apart * system) % seats) for system in within[(number + turn) % len(within)]]

    return [[one for number in row for one in block(number, turn)] for turn in range(len(within)) for row in blocks]
