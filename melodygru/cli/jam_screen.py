"""What `melodygru jam` shows: one live panel on a terminal, a line when something changes elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import typer
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from melodygru.live.sender import Sender
from melodygru.live.session import Session, View
from melodygru.music.theory import pitch_name

COLUMNS, ROWS = 64, 12
"""Of the roll: half of its columns are past, half are to come."""
STEPS_PER_COLUMN = 6
"""A sixteenth."""
_LEAST_ROWS = 6


@contextmanager
def screen(session: Session, now: Callable[[], float]) -> Iterator[Callable[[], None]]:
    """What shows the session as it is at the moment, each time it is called."""
    if not sys.stdout.isatty():
        yield Lines(session, now)
        return
    console = Console()
    with Live(console=console, auto_refresh=False, transient=True) as live:
        yield lambda: live.update(panel(session.view(now()), lateness(session.sender)), refresh=True)


def lateness(sender: Sender) -> float:
    """Milliseconds by which 99 of 100 of the last messages were late at most; 0 before any."""
    late = sender.recent()
    return late[len(late) * 99 // 100] * 1000 if late else 0.0


class Lines:
    """A plain line whenever the turn changes, or something stands in the writer's way."""

    def __init__(self, session: Session, now: Callable[[], float]):
        self._session, self._now = session, now
        self._last = ("", "")

    def __call__(self) -> None:
        """Say what has changed."""
        view = self._session.view(self._now())
        if (view.turn, view.remark) != self._last:
            self._last = view.turn, view.remark
            remark = f" {view.remark}" if view.remark else ""
            typer.echo(f"{place(view)}: {view.turn}.{remark}")
            sys.stdout.flush()


def place(view: View) -> str:
    """Where the music is, in words."""
    if not view.running:
        return "no time passes"
    return f"bar {view.bar}, beat {view.beat}" + ("" if view.qpm is None else f", {view.qpm:.1f} bpm")


def panel(view: View, late: float) -> Panel:
    """The picture of one moment."""
    beats = "".join("●" if number == view.beat and view.running else "·" for number in range(1, view.beats + 1))
    knobs = f"temperature {view.temperature:.2f}   written in {view.written_in * 1000:.0f} ms   sent {late:.1f} ms late"
    knobs += f"   {view.late} late" if view.late else ""
    lines = [Text(f"{place(view)}  {beats}"), roll(view), Text(knobs, style="dim")]
    if view.remark:
        lines.append(Text(view.remark, style="yellow"))
    return Panel(Group(*lines), title=f"melodygru {view.turn}", width=COLUMNS + 10)


def roll(view: View) -> Text:
    """What was heard (left) and what is coming (right), around this moment."""
    notes = [*view.heard, *view.coming]
    first = view.step - COLUMNS // 2 * STEPS_PER_COLUMN
    pitches = [pitch for onset, end, pitch in notes if end > first and onset < first + COLUMNS * STEPS_PER_COLUMN]
    high = max(pitches, default=71)
    low = min(pitches, default=60)
    each = max(1, -(-(high - low + 1) // ROWS))
    rows = max(_LEAST_ROWS, -(-(high - low + 1) // each))
    picture = Text()
    for row in range(rows):
        top = high - row * each
        picture.append(f"{pitch_name(min(max(top, 0), 127)):>4} ", style="dim")
        for column in range(COLUMNS):
            at = first + column * STEPS_PER_COLUMN
            picture.append(*_cell(view, at, range(top - each + 1, top + 1), column == COLUMNS // 2))
        picture.append("\n" if row < rows - 1 else "")
    return picture


def _cell(view: View, at: float, pitches: Sequence[int], now: bool) -> tuple[str, str]:
    after = at + STEPS_PER_COLUMN
    for notes, sign, style in ((view.coming, "▒", "cyan"), (view.heard, "█", "green")):
        if any(onset < after and end > at and pitch in pitches for onset, end, pitch in notes):
            return sign, style
    return ("│", "dim") if now else (" ", "")
