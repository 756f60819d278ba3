"""Call and response: it listens for some bars, and answers for as many."""

from __future__ import annotations

from melodygru.live.composing import Answer
from melodygru.live.stage import Stage


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
