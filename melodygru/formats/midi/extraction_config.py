"""How melodies are taken from files: what may be asked of `melodygru.formats.midi.extraction`."""

from __future__ import annotations

from dataclasses import replace

from melodygru.errors import UsageError, check_range
from melodygru.music.theory import MOST_BEATS, STEPS_PER_QUARTER, Key, TimeSignature
from melodygru.records import dataclass


@dataclass(frozen=True)
class ExtractionConfig:
    """How melodies are taken from files.

    Attributes:
        track: "auto", "top", a track's number from 1, its name, its instrument, or "skyline"; see
            `melodygru.formats.midi.tracks.likeliest_melodies`.
        min_notes: pieces of fewer notes are left out, in [1, 1000].
        max_rest_bars: a longer rest splits a piece at the bar lines around it, in bars, in [1, 100].
        whole_clip: silent bars at the clip's end belong to its last melody; see `melodygru.formats.midi.clip`.
        meter, key: what the file is in, such as "3/4" and "A minor", whatever it says; "" for what it says.
        pickup: quarters from the first note to bar 1, below a bar; None for what the file says. Where a metre or a
            pickup is given, the file's own metres and bar lines do not count.
        pace: by what the steps of beats that were tracked are multiplied, 2, 1 or 1/2; None for what a judge says.
        doubt: the one metre that a file states does not count where its notes plainly deny it. Of folders it does:
            the fast lane, which reads them, asks no notes.
        own_word: a file of ours is taken at its word, see `melodygru.formats.midi.own_word`. Of folders it is not, and
            of files that were changed by versions which did not.
    """

    track: str = "auto"
    min_notes: int = 8
    max_rest_bars: int = 2
    whole_clip: bool = False
    meter: str = ""
    key: str = ""
    pickup: float | None = None
    pace: float | None = None
    doubt: bool = False
    own_word: bool = False

    def __post_init__(self) -> None:
        check_range("min_notes", self.min_notes, 1, 1000)
        check_range("max_rest_bars", self.max_rest_bars, 1, 100)
        if self.pickup is not None:
            check_range("a pickup in quarters", self.pickup, 0, MOST_BEATS * 4)
        bar = 0 if self.metre is None else self.metre.bar_steps
        if bar and self.pickup_steps is not None and self.pickup_steps >= bar:
            raise UsageError(f"A pickup of {self.pickup:g} quarters is no less than a bar of {self.meter}; give less.")
        if self.key:
            Key.parse(self.key)

    @property
    def metre(self) -> TimeSignature | None:
        """The metre given. Raises UsageError for a text that is none."""
        return TimeSignature.parse(self.meter) if self.meter else None

    @property
    def named_key(self) -> Key | None:
        """The key given. Raises UsageError for a text that is none."""
        return Key.parse(self.key) if self.key else None

    @property
    def overrides(self) -> bool:
        """Whether files are read as they do not say."""
        return bool(self.meter or self.key) or self.pickup is not None

    @property
    def of_scores(self) -> ExtractionConfig:
        """The same for scores, which say how they are to be read."""
        return replace(self, meter="", key="", pickup=None) if self.overrides else self

    @property
    def pickup_steps(self) -> int | None:
        """The pickup given, in steps."""
        return None if self.pickup is None else round(self.pickup * STEPS_PER_QUARTER)
