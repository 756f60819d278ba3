"""It goes on where the player stops."""

from __future__ import annotations

from melodygru.live.composing import Answer
from melodygru.live.stage import Stage


class Continue:
    """Goes on where the player stops: at the first beat after a beat of silence; whoever plays again has the word.

    While it plays, what comes next is written when less than its lead is left.
    """

    def __init__(self, stage: Stage):
        self._stage = stage
        self.turn = "listens"
        self._until = 0
        """Where what was written ends; what is asked for begins there."""
        self._asked = 0
        self._ready: Answer | None = None
        self._heard_from = 0.0
        """Where the player's last turn began."""

    def begin(self) -> None:
        """Listen first."""
        self.turn, self._asked, self._ready, self._heard_from = "listens", 0, None, self._stage.step

    def advance(self) -> None:
        """Take over, or go on."""
        stage = self._stage
        if self.turn == "listens":
            if (entry := self._entry()) is None:
                return
            if entry != self._until:
                self._until, self._asked, self._ready = entry, 0, None
        if not self._asked and stage.step >= self._until - stage.lead:
            self._ask()
        if self._ready is not None and stage.eve >= self._until:
            self._play(self._ready)

    def _entry(self) -> int | None:
        """The step at which to take over, None while the player plays, or has not yet."""
        stage = self._stage
        silent = stage.listener.silent_since
        if silent is None or silent < self._heard_from or stage.listener.held:
            return None
        return int(-(-(silent + stage.beat) // stage.beat)) * stage.beat

    def _ask(self) -> None:
        stage = self._stage
        found = stage.remembered(self._until)
        if found is None:
            return
        heard, start = found
        self._asked = stage.ask("go on", heard, self._until - start, start // stage.bar)

    def _play(self, answer: Answer) -> None:
        stage = self._stage
        start = self._until
        if stage.step > start + stage.beat / 2:
            # Too late for that beat: the same, from the next one on.
            start = self._until = int(-(-stage.eve // stage.beat)) * stage.beat
        self.turn, self._asked, self._ready = "plays", 0, None
        velocity = stage.listener.velocity(self._heard_from, stage.step)
        stage.play(answer, start, velocity)
        whole = -(-start // stage.bar) * stage.bar + stage.settings.bars * stage.bar
        self._until = max(whole, start + max((note.end for note in answer.notes), default=0))

    def written(self, answer: Answer) -> None:
        """Keep it until it is due."""
        if answer.number == self._asked:
            self._ready = answer

    def struck(self) -> None:
        """The player has the word."""
        if self.turn == "plays":
            self._stage.player.drop(self._stage.step)
            self._heard_from = self._stage.step
        self.turn, self._asked, self._ready = "listens", 0, None

    def hand_over(self) -> None:
        """Stop playing; or nothing, since silence is what hands over."""
        if self.turn == "plays":
            self._stage.player.drop(self._stage.step)
            self._heard_from = self._stage.step
            self.begin()
