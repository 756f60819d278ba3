"""The key that somebody means who says only half of it: a mode without a tonic, or a tonic without a mode."""

from __future__ import annotations

from collections.abc import Sequence

from melodygru.music.chord_keys import estimate_key
from melodygru.music.chords import ChordSpan
from melodygru.music.theory import Key

_FIRST, _LAST = 0.3, 0.15
"""Votes for the root of the first chord and of the last, as in `melodygru.music.chord_keys.estimate_key`."""
_SUGGESTED = 0.1
"""Vote for what `estimate_key` hears: it decides where all else is equal."""


def meant_key(tonic: str | None, mode: str | None, chords: Sequence[ChordSpan] = (), own: Key | None = None) -> Key:
    """The whole key of what was said.

    Args:
        tonic: such as "Bb"; None: not said.
        mode: one of `melodygru.music.theory.MODES`; None: not said. One of the two is.
        chords: what is to sound beneath: they say the other half, as far as they can.
        own: the key of the melody that is changed or continued: it says the other half before the chords.

    Raises:
        UsageError: a tonic or a mode that there is not.
    """
    if tonic is not None:
        said = Key.parse(tonic if mode is None else f"{tonic} {mode}", as_written=True)
        if mode is not None:
            return said
        among = [Key(said.tonic, one, said.written) for one in ("major", "minor")]
        if own is not None and own.tonic == said.tonic:
            return own
    else:
        assert mode is not None
        if own is not None:
            return own if own.mode == mode else Key(own.tonic, mode)
        among = [Key(one, mode) for one in range(12)]
    sounding = [span for span in chords if span.chord is not None]
    # Without chords: C, and major.
    return max(among, key=lambda key: _fit(key, sounding)) if sounding else among[0]


def _fit(key: Key, chords: Sequence[ChordSpan]) -> tuple[float, float]:
    """How well a key suits chords: the share of their tones (by duration) in its scale; then their ends."""
    inside = total = 0
    for span in chords:
        assert span.chord is not None
        inside += sum(tone in key.scale for tone in span.chord.tones) * (span.end - span.onset)
        total += len(span.chord.tones) * (span.end - span.onset)
    first, last = chords[0].chord, chords[-1].chord
    assert first is not None
    assert last is not None
    votes = _FIRST * (first.root == key.tonic) + _LAST * (last.root == key.tonic)
    return inside / total, votes + _SUGGESTED * (estimate_key(chords) == key)
