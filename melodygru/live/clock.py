"""Where the music is: steps against seconds, by our own tempo or by another program's MIDI clock.

A step is a pulse of MIDI clock: both are 24 to a quarter. Seconds are those of one monotonic clock, handed in with
every call, so that hours can be simulated.
"""

from __future__ import annotations

from typing import Protocol

from melodygru.errors import UsageError
from melodygru.music.theory import STEPS_PER_QUARTER

SLOWEST, FASTEST = 4.0, 1000.0
"""Quarters a minute that a melody may have."""


def period_of(qpm: float) -> float:
    """Seconds that a step takes at a tempo. Raises UsageError for one outside [SLOWEST, FASTEST]."""
    if not SLOWEST <= qpm <= FASTEST:
        raise UsageError(f"bpm is {qpm:g}; choose {SLOWEST:g} to {FASTEST:g} quarter notes a minute.")
    return 60.0 / qpm / STEPS_PER_QUARTER


class Clock(Protocol):
    """What tells steps from seconds. While it does not run, its position stands still."""

    @property
    def running(self) -> bool:
        """Whether time passes."""
        ...

    @property
    def qpm(self) -> float:
        """Quarters a minute."""
        ...

    @property
    def settled(self) -> bool:
        """Whether `qpm` is more than a guess."""
        ...

    def step_at(self, now: float) -> float:
        """The position at that second, in steps."""
        ...

    def time_of(self, step: float) -> float:
        """The second at which a step comes, if the tempo stays."""
        ...


class InternalClock:
    """Our own tempo. Every time is counted from one anchor, so that no error adds up."""

    def __init__(self, qpm: float, began: float, step: float = 0.0):
        self._period = period_of(qpm)
        self._anchor, self._step = began, step
        self.running = self.settled = True

    @property
    def qpm(self) -> float:
        """Quarters a minute."""
        return 60.0 / self._period / STEPS_PER_QUARTER

    def step_at(self, now: float) -> float:
        """The position at that second, in steps; negative before it begins."""
        return self._step + (now - self._anchor) / self._period

    def time_of(self, step: float) -> float:
        """The second at which a step comes."""
        return self._anchor + (step - self._step) * self._period

    def change(self, qpm: float, now: float) -> None:
        """Go on at another tempo from where the music is."""
        period = period_of(qpm)
        self._step, self._anchor = self.step_at(now), now
        self._period = period


ALPHA = 0.15
"""The share of a pulse's error by which the phase is corrected once locked: jitter of 1 ms leaves 0.3 ms."""
BETA = ALPHA**2 / (2 - ALPHA)
"""That by which the period is: the filter is then critically damped (Kalata 1984)."""
JUMP = 0.25
"""An error of this share of a period is no jitter, if the next pulse is as far off the same way: the tempo jumped."""
LEAST_JUMP = 0.004
"""Seconds that jitter may reach, however short the period is."""
SETTLED_PULSES = 24
"""After so many the tempo is known: with jitter of 1.5 ms (a sound card's period of 5 ms) to 0.2 % at 120 bpm."""
LOST_PULSES = 8
LOST_SECONDS = 0.25
"""Without a pulse for longer than both of these, the other program is no longer there."""


class FollowedClock:
    """MIDI clock: start, stop, continue, song position, and a pulse a step.

    Steps are counted, so that nothing drifts. Between pulses an alpha-beta filter on their times says where the music
    is; its gains begin as those of a least-squares line through all pulses since the tempo last jumped, and end at
    `ALPHA` and `BETA`.
    """

    def __init__(self, qpm: float = 120.0):
        self._period = period_of(qpm)
        self._step = 0
        """The step of the last pulse; of the next one, while the clock waits for it."""
        self._time = 0.0
        """When the last pulse came, filtered."""
        self._raw = 0.0
        """When it came, as it was heard."""
        self._pulses = 0
        """Pulses since the filter began anew; 0: none was heard."""
        self._off = 0
        """Which way the last pulse was farther off than jitter is: -1, 0 or 1."""
        self._playing = False
        self._counting = False
        """Whether a pulse has come since start or continue."""

    @property
    def running(self) -> bool:
        """Whether the other program plays, and its first pulse was heard."""
        return self._playing and self._counting

    @property
    def qpm(self) -> float:
        """Quarters a minute, as the filter has them."""
        return 60.0 / self._period / STEPS_PER_QUARTER

    @property
    def settled(self) -> bool:
        """Whether enough pulses were heard since the tempo last jumped."""
        return self._pulses >= SETTLED_PULSES

    def start(self) -> None:
        """The next pulse is step 0."""
        self._step = 0
        self.go_on()

    def go_on(self) -> None:
        """The next pulse is where the music stopped, or the song position that was told since."""
        self._playing, self._counting = True, False

    def stop(self) -> None:
        """The music stands still; the next pulse belongs where it would have been."""
        if self.running:
            self._step += 1
        self._playing = self._counting = False

    def locate(self, sixteenths: int) -> None:
        """Song position: the next pulse is that many sixteenths from the beginning, in [0, 16384)."""
        self._step = sixteenths * (STEPS_PER_QUARTER // 4)
        self._counting = False

    def pulse(self, now: float) -> None:
        """A pulse was heard at that second. Those that come while the music stands still tell the tempo."""
        self._filter(now)
        if self.running:
            self._step += 1
        elif self._playing:
            self._counting = True

    def lost(self, now: float) -> bool:
        """Whether pulses are missing for so long that the other program must be gone."""
        return self.running and now - self._raw > max(LOST_SECONDS, LOST_PULSES * self._period)

    def step_at(self, now: float) -> float:
        """The position at that second, in steps."""
        return self._step + (now - self._time) / self._period if self.running else float(self._step)

    def time_of(self, step: float) -> float:
        """The second at which a step comes, if the tempo stays."""
        return self._time + (step - self._step) * self._period

    def _filter(self, now: float) -> None:
        interval, self._raw = now - self._raw, now
        if self._pulses == 0 or interval > max(LOST_SECONDS, LOST_PULSES * self._period):
            self._time, self._pulses, self._off = now, 1, 0
            return
        expected = self._time + self._period
        error = now - expected
        far = abs(error) > max(JUMP * self._period, LEAST_JUMP)
        side = (error > 0) - (error < 0) if far else 0
        if self._pulses == 1 or (side and side == self._off):
            # Two pulses make a line: of a new tempo, the last two.
            self._period = min(max(interval, period_of(FASTEST)), period_of(SLOWEST))
            self._time, self._pulses, self._off = now, 2, 0
            return
        self._off = side
        n = self._pulses
        alpha = max(ALPHA, 2 * (2 * n + 1) / ((n + 1) * (n + 2)))
        beta = max(BETA, 6 / ((n + 1) * (n + 2)))
        self._time = expected + alpha * error
        self._period = min(max(self._period + beta * error, period_of(FASTEST)), period_of(SLOWEST))
        self._pulses = min(n + 1, 10_000)
