"""Where the clip ends that a MIDI file is: silent bars at its end are part of it."""

from __future__ import annotations

from itertools import pairwise

from melodygru.formats.midi.metres import DEFAULT_METRE, stated_metres
from melodygru.formats.midi.parser import RawFile
from melodygru.music.theory import STEPS_PER_QUARTER

LONGEST_SILENCE = 100
"""Bars after the last note that a clip may have; a file that ends later has a stuck end rather than music."""
_NEVER = 1 << 62


def clip_end(raw: RawFile) -> tuple[int, int]:
    """The tick at which a file's clip ends, and how many bars that is; a pickup's counts.

    That is where its longest track ends, if that is on a bar line, as in all files that this package writes, and no
    more than `LONGEST_SILENCE` after the last note; else the first bar line that no note passes by more than a step.
    """
    last = max((note.end for track in raw.tracks for note in track.notes), default=0)
    written = _bar_line(raw, max((track.end for track in raw.tracks), default=0))
    sounding = _bar_line(raw, max(min(last, 1), last - raw.ticks_per_quarter // STEPS_PER_QUARTER))
    ends = written[0] == max(track.end for track in raw.tracks) and written[0] >= last
    return written if ends and (written[1] - sounding[1] <= LONGEST_SILENCE or not last) else sounding


def _bar_line(raw: RawFile, tick: int) -> tuple[int, int]:
    """The first bar line at or after a tick, and how many bars there are before it. A new metre begins a bar."""
    bars = [
        (start, max(1, metre.bar_steps * raw.ticks_per_quarter // STEPS_PER_QUARTER))
        for start, metre in stated_metres(raw, {}) or [(0, DEFAULT_METRE)]
    ]
    passed = 0
    for (start, bar), (following, _) in pairwise([*bars, (_NEVER, 0)]):
        count = -(-(min(tick, following) - start) // bar)
        if tick <= following:
            return min(start + count * bar, following), passed + count
        passed += count
    raise AssertionError(f"tick {tick} lies beyond all time")
