"""What can be asked of an accompaniment, and the tracks that come of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from melodygru.arranging.accompaniment import NOWHERE, Places, accompany, with_patterns
from melodygru.arranging.patterns import Groove, book
from melodygru.errors import UsageError, from_known
from melodygru.music.chords import ChordSpan
from melodygru.music.instruments import find_program
from melodygru.music.melody import Melody
from melodygru.music.theory import TimeSignature
from melodygru.music.tracks import BASS, CHORDS, DRUMS, PARTS, Track
from melodygru.option import AROUND, option
from melodygru.records import dataclass

COMMANDS = ("generate", "arrange")
FILL_EVERY = 8
"""Bars after which drums fill where there is no form."""
_WORDS = {"chord": CHORDS, "drum": DRUMS, "percussion": DRUMS, "beat": DRUMS, "basses": BASS, "harmony": CHORDS}
_ALL = ("all", "everything", "band", "full")


def parse_parts(text: str) -> tuple[str, ...]:
    """Parts out of "chords,bass,drums", "drums and bass" or "all", in the order of `PARTS`; UsageError for others."""
    words = [word for word in re.split(r"[\s,+&/]+", text.lower().strip()) if word not in ("", "and")]
    if words and all(word in _ALL for word in words):
        return PARTS
    named = [_WORDS.get(word, word) for word in words]
    if odd := next((word for word in named if word not in PARTS), None):
        raise UsageError(f"with is {text!r}, and {odd!r} is no part; choose among {', '.join(PARTS)}, or all.")
    if not named:
        raise UsageError(f"with names no part; choose among {', '.join(PARTS)}, or all.")
    return tuple(part for part in PARTS if part in named)


@dataclass(frozen=True)
class Arrangement:
    """An accompaniment as it is asked for. None is "not said".

    Attributes:
        parts: which tracks, as `parse_parts` reads them; where nothing is said, all.
        groove: what each plays; where nothing is said, what belongs to the style and the metre.
        chord_pattern, bass_pattern, drum_pattern: what one of them plays instead.
        chord_program, bass_program: General MIDI instruments, by number or name.
        fills: whether drums fill at the ends of sections, else of every eighth bar.

    Raises:
        UsageError: parts or instruments that there are not.
    """

    parts: str | None = option(
        None, "Tracks around the melody: chords, bass, drums, with commas between; or all.", spelling="--with",
        aliases=("with", "parts", "accompaniment", "tracks"), panel=AROUND, commands=COMMANDS,
        instead={"arrange": {"shown": "all"}},
    )  # fmt: skip
    groove: str | None = option(
        None, "What they play: pop, waltz, swing, folk, march, house …, or your own.", shown="the style's",
        aliases=("rhythm_style", "backing"), panel=AROUND, commands=COMMANDS,
    )  # fmt: skip
    chord_pattern: str | None = option(
        None, "What the chords play: block, pad, strum, arpeggio, oom-pah, stride, alberti …", shown="the groove's",
        aliases=("chords_pattern",), panel=AROUND, commands=COMMANDS,
    )  # fmt: skip
    bass_pattern: str | None = option(
        None, "What the bass plays: roots, root-fifth, walking, octaves, pedal …", shown="the groove's",
        panel=AROUND, commands=COMMANDS,
    )  # fmt: skip
    drum_pattern: str | None = option(
        None, "What the drums play: straight, swing, waltz, march, four-on-the-floor, half-time, brushes …",
        shown="the groove's", aliases=("drums_pattern",), panel=AROUND, commands=COMMANDS,
    )  # fmt: skip
    chord_program: str | None = option(
        None, "Instrument of the chords: 0 to 127, or a name.", shown="the groove's",
        aliases=("chords_program", "chord_instrument"), panel=AROUND, commands=COMMANDS,
    )  # fmt: skip
    bass_program: str | None = option(
        None, "Instrument of the bass.", shown="the groove's", aliases=("bass_instrument",), panel=AROUND,
        commands=COMMANDS,
    )  # fmt: skip
    fills: bool = option(
        False, "Drums fill where a section ends; without a form, every 8 bars.", spelling="--fills", shown="",
        panel=AROUND, commands=COMMANDS,
    )  # fmt: skip

    def __post_init__(self) -> None:
        self.which  # noqa: B018 -- raises
        shelf = book()
        if self.groove is not None:
            shelf.groove(self.groove)
        for part, name in self._patterns.items():
            shelf.pattern(part, name)
            if part not in self.which:
                raise UsageError(
                    f"--{part.rstrip('s') if part != BASS else part}-pattern has no meaning without {part}; "
                    f"give --with {','.join((*self.which, part))}."
                )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Arrangement:
        """The inverse of `as_dict`. Raises UsageError for what is unknown or not legal."""
        return from_known(cls, values)

    def as_dict(self) -> dict[str, Any]:
        """All that was said, as JSON values."""
        said = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in said.items() if value not in (None, False)}

    @property
    def which(self) -> tuple[str, ...]:
        """The parts that play."""
        return PARTS if self.parts is None else parse_parts(self.parts)

    @property
    def _patterns(self) -> dict[str, str]:
        said = {CHORDS: self.chord_pattern, BASS: self.bass_pattern, DRUMS: self.drum_pattern}
        return {part: name for part, name in said.items() if name is not None}

    def settled(self, style: str | None, metre: TimeSignature) -> Arrangement:
        """With the groove that belongs to a style and a metre as if it had been said: so files say it."""
        return self if self.groove is not None else replace(self, groove=book().fitting(style, metre).name)

    def played(self, metre: TimeSignature, style: str | None = None) -> Groove:
        """What is played, with what was said in place of the groove's own."""
        shelf = book()
        groove = shelf.fitting(style, metre) if self.groove is None else shelf.groove(self.groove)
        said = {CHORDS: self.chord_program, BASS: self.bass_program}
        programs = {part: find_program(str(name)) for part, name in said.items() if name is not None}
        return with_patterns(groove, self._patterns, programs)

    def tracks(
        self,
        melody: Melody,
        chords: Sequence[ChordSpan],
        seed: int,
        style: str | None = None,
        sections: Sequence[tuple[str, int]] = (),
    ) -> tuple[Track, ...]:
        """The tracks around a melody; see `melodygru.arranging.accompaniment.accompany`.

        `sections` are the letters of the melody's sections from bar 1 on, with their bars; empty without a form.
        """
        places = places_of(melody.bars, sections, self.fills)
        return accompany(melody, chords, self.which, self.played(melody.time_signature, style), seed, places)


def places_of(bars: int, sections: Sequence[tuple[str, int]], fills: bool) -> Places:
    """Where other rows and fills are played, in so many bars, whose sections (letter, bars) begin at bar 1."""
    if not sections and not fills:
        return NOWHERE
    other: set[int] = set()
    ends = [] if sections else list(range(FILL_EVERY, bars + 1, FILL_EVERY))
    done = 0
    for letter, length in sections:
        if letter != sections[0][0]:
            other |= set(range(done + 1, done + length + 1))
        done += length
        ends.append(done)
    return Places(frozenset(other), frozenset({*ends, bars} if fills else ()))
