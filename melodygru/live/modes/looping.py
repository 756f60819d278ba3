"""A loop that changes each time it comes round."""

from __future__ import annotations

from melodygru.live.composing import Answer
from melodygru.live.stage import Stage
from melodygru.music.melody import Melody


class Loop:
    """Plays a loop, and writes the next while this one sounds: a variation of it, or of what was played meanwhile."""

    def __init__(self, stage: Stage):
        self._stage = stage
        self.turn = "writes"
        self._due = 0
        """Where the next pass begins."""
        self._asked = 0
        self._ready: Answer | None = None
        self._current: Melody | None = None
        self._held = False
        """Whether the loop is to stay as it is."""

    def begin(self) -> None:
        """The first loop begins with a bar that is far enough away to write it."""
        stage = self._stage
        self._due = max(stage.bar_line(stage.step + stage.lead) + stage.bar, 0)
        self._asked, self._ready = 0, None
        if self._current is None:
            self._asked = stage.ask("new", shift=self._due // stage.bar)

    def advance(self) -> None:
        """Ask in time; at the bar line play what is there, or the same again."""
        stage = self._stage
        length = stage.settings.bars * stage.bar
        if not self._asked and stage.step >= self._due - min(stage.lead, length / 2):
            self._ask(length)
        if stage.eve < self._due:
            return
        if self._ready is not None and self._ready.notes:
            notes = [note for note in self._ready.notes if note.onset < length]
            self._current = stage.melody_of(notes, stage.settings.bars, self._due)
        if self._current is not None:
            self.turn = "plays"
            stage.play(Answer(0, self._current.notes), self._due, self._velocity(length), length)
            self._asked = 0
        elif self._ready is not None:
            self._asked = 0  # nothing came of it: once more
        self._ready = None
        self._due += length if self._current is not None else stage.bar

    def _velocity(self, length: int) -> int:
        return self._stage.listener.velocity(self._due - length, self._stage.step)

    def _ask(self, length: int) -> None:
        stage = self._stage
        if self._held and self._current is not None:
            self._asked = -1  # nothing, until the next pass
            return
        heard = stage.heard(self._due - length, self._due) or self._current
        self._asked = stage.ask("new" if heard is None else "vary", heard, length, self._due // stage.bar)

    def written(self, answer: Answer) -> None:
        """Keep it for the next pass."""
        if answer.number == self._asked:
            self._ready = answer

    def struck(self) -> None:
        """The player plays over the loop; the next one varies what that was."""

    def hand_over(self) -> None:
        """Keep this loop as it is, or vary it again."""
        self._held = not self._held
