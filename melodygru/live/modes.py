"""Ways of playing together: who plays when, and what is asked of the writer for that.

All are told of what happens in steps of the clock, and keep what they wait for in the same. Whatever begins at a bar
line is decided `Stage.eve` before it, and asked for `Stage.lead` before it.
"""

from __future__ import annotations

from typing import Protocol

from melodygru.live.composing import Answer
from melodygru.live.stage import Stage
from melodygru.music.melody import Melody

ENOUGH_BARS = 2
"""Bars without a note after which there is nobody to accompany."""


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


class CallResponse:
    """Listens for some bars, and answers for as many, on the bar line; nothing heard, nothing said.

    Answers are drafted twice while the call still sounds, from what was heard until then: the newest that is there when
    the bar line comes is played. Who plays on while it sounds interrupts it, and that is the next call.
    """

    def __init__(self, stage: Stage):
        self._stage = stage
        self.turn = "listens"
        self._start = self._end = 0
        self._asked: list[int] = []
        self._ready: Answer | None = None
        self._playing = False

    @property
    def _length(self) -> int:
        return self._stage.settings.bars * self._stage.bar

    def begin(self) -> None:
        """The first call begins with this bar, or the next if half of it is over."""
        stage = self._stage
        self._listen(max(stage.bar_line(stage.step + stage.bar / 2), 0))

    def advance(self) -> None:
        """Ask in time, answer on the bar line, listen again afterwards."""
        stage = self._stage
        if self.turn != "listens":
            if stage.step >= self._end:
                self._listen(self._end)
            return
        lead = min(stage.lead, self._length / 2)
        due = sum(stage.step >= self._end - times * lead for times in (1.5, 1))
        if due > len(self._asked):
            self._ask()
        if stage.eve >= self._end:
            self._answer()

    def _ask(self) -> None:
        stage = self._stage
        start = max(self._start, self._end - self._length)
        call = stage.heard(start, self._end)
        if call is None:
            self._asked.append(0)
            return
        self._asked.append(stage.ask("answer", call, self._end - start, start // stage.bar))

    def _answer(self) -> None:
        stage = self._stage
        if not any(self._asked) and stage.heard(self._start, self._end) is None:
            self._listen(self._end)
            return
        if not any(self._asked):
            self._ask()  # all of the call came in the last moment
        self.turn, self._start, self._playing = "answers", self._end, False
        self._end += self._length
        if self._ready is not None:
            self._play(self._ready)

    def _play(self, answer: Answer) -> None:
        stage = self._stage
        velocity = stage.listener.velocity(self._start - self._length, stage.step)
        self._playing = True
        stage.play(answer, self._start, velocity, self._length)

    def written(self, answer: Answer) -> None:
        """Keep it for the bar line; if that is past, play what is left of it."""
        if answer.number not in self._asked:
            return
        if self.turn == "listens":
            self._ready = answer
        elif not self._playing:
            self._play(answer)

    def struck(self) -> None:
        """Interrupts an answer, but for what still belongs to the last call, or already to the next."""
        stage = self._stage
        if self.turn == "answers" and self._start + stage.beat <= stage.step < self._end - stage.beat / 2:
            stage.player.drop(stage.step)
            self._listen(stage.bar_line(stage.step))

    def hand_over(self) -> None:
        """The call ends with this bar; an answer ends now, and the next call begins with this bar."""
        stage = self._stage
        if self.turn == "listens":
            self._end = stage.bar_line(stage.eve) + stage.bar
            self._asked.clear()
        else:
            stage.player.drop(stage.step)
            self._listen(stage.bar_line(stage.step))

    def _listen(self, start: int) -> None:
        self.turn, self._start, self._end = "listens", start, start + self._length
        self._asked.clear()
        self._ready = None


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
        self._shift = 0

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
