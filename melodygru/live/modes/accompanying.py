"""Chords and a bass under what the player plays."""

from __future__ import annotations

from melodygru.live.composing import Answer
from melodygru.live.stage import Stage

ENOUGH_BARS = 2
"""Bars without a note after which there is nobody to accompany."""


class Accompany:
    """Plays chords and a bass under the player, a bar at a time: each bar follows from those heard before it.

    It begins a bar after the player does, and ends when nothing was heard for two bars.
    """

    def __init__(self, stage: Stage):
        self._stage = stage
        self.turn = "listens"
        self._due = 0
        self._asked = 0
        self._ready: Answer | None = None
        self._quiet = False
        """Whether it was told to be."""

    def begin(self) -> None:
        """The first bar that can be accompanied is the next but one, at the latest."""
        self.turn, self._asked, self._ready = "listens", 0, None
        self._due = max(self._stage.bar_line(self._stage.step) + self._stage.bar, 0)

    def advance(self) -> None:
        """Ask in time, and play at the bar line."""
        stage = self._stage
        if not self._asked and stage.step >= self._due - min(stage.lead, stage.bar / 2):
            self._ask()
        if stage.eve < self._due:
            return
        if self._asked < 0:
            self.turn, self._asked = "listens", 0
        elif self._ready is not None:
            self._play(self._ready, self._due)
        self._due += stage.bar
        if self._ready is not None:
            self._asked, self._ready = 0, None

    def _ask(self) -> None:
        stage = self._stage
        heard = stage.heard(max(self._due - ENOUGH_BARS * stage.bar, 0), self._due)
        if heard is None or self._quiet:
            self._asked = -1  # nothing, until the next bar
            return
        found = stage.remembered(self._due)
        assert found is not None, "what was just heard is remembered"
        melody, start = found
        self._asked = stage.ask("around", melody, self._due - start, start // stage.bar)

    def _play(self, answer: Answer, due: int) -> None:
        stage = self._stage
        self.turn = "plays"
        stage.play_around(answer, due, stage.listener.velocity(due - ENOUGH_BARS * stage.bar, stage.step))

    def written(self, answer: Answer) -> None:
        """Keep it for the bar line; if that is just past, play what is left of the bar."""
        if answer.number != self._asked:
            return
        stage = self._stage
        if stage.eve < self._due - stage.bar / 2 and self._due - stage.bar >= 0:
            self._play(answer, self._due - stage.bar)
            self._asked = 0
        else:
            self._ready = answer

    def struck(self) -> None:
        """The player plays: that is listened to."""

    def hand_over(self) -> None:
        """Be quiet, or accompany again."""
        self._quiet = not self._quiet
        if self._quiet:
            self._stage.player.drop(self._stage.step)
