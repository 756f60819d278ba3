"""What every way of playing together can be told: who plays when, and what is asked of the writer for that.

All are told of what happens in steps of the clock, and keep what they wait for in the same. Whatever begins at a bar
line is decided `Stage.eve` before it, and asked for `Stage.lead` before it.
"""

from __future__ import annotations

from typing import Protocol

from melodygru.live.composing import Answer


class Mode(Protocol):
    """A way of playing together.

    Attributes:
        turn: what happens now, in a word, for the screen.
    """

    turn: str

    def begin(self) -> None:
        """The clock begins to run at `Stage.step`."""
        ...

    def advance(self) -> None:
        """Time has passed."""
        ...

    def written(self, answer: Answer) -> None:
        """The writer has written this."""
        ...

    def struck(self) -> None:
        """The player has begun a note."""
        ...

    def hand_over(self) -> None:
        """The player wants the other to play, or to stop playing."""
        ...
