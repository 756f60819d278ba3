"""Which instrument sounds how: General MIDI programs as layers of harmonics that die away at their own pace.

Data only; `melodygru.formats.sound.synthesis` makes sound of it. The page's player (studio/page/voices.js) has voices
of the same character. Spectra follow what acoustics textbooks tell of each family (Fletcher & Rossing, The Physics of
Musical Instruments, 1998): struck bars have partials at 2.756 and 5.404 times the lowest, tuned ones at 4 and 10;
clarinets lack even harmonics; and so on. They are sketches, not likenesses.
"""

from __future__ import annotations

from melodygru.records import dataclass


def falling(count: int, tilt: float, even: float = 1.0, first: int = 1) -> tuple[float, ...]:
    """Amplitudes h ** -tilt of harmonics h in [first, count], below that none; even ones times `even`."""
    return tuple(h**-tilt * (1.0 if h % 2 else even) * (h >= first) for h in range(1, count + 1))


@dataclass(frozen=True)
class Layer:
    """Harmonics that sound together.

    Attributes:
        partials: the amplitude of harmonic 1, 2, …
        decay: seconds in which a note at middle C falls to 1/e; longer below, shorter above. 0: it holds.
        ratio: this layer's fundamental over the note's.
        cents: how far it is out of tune; layers apart in tune stand apart in the stereo field too. Never two alike in
            strength: they would cancel each other, again and again, where both are heard from one loudspeaker.
        level: how strong it is.
    """

    partials: tuple[float, ...]
    decay: float = 0.0
    ratio: float = 1.0
    cents: float = 0.0
    level: float = 1.0


@dataclass(frozen=True)
class Voice:
    """An instrument.

    Attributes:
        attack: seconds to full loudness.
        release: seconds to silence (60 dB down) after the note.
        gain: evens out how loud the instruments are.
        vibrato: its depth in cents; it sets in after the note has begun.
    """

    layers: tuple[Layer, ...]
    attack: float
    release: float
    gain: float
    vibrato: float = 0.0


VOICES = {
    "piano": Voice(
        (
            Layer((1.0, 0.5, 0.22, 0.06), 0.5),
            Layer((0.4, 0.16, 0.07, 0.02), 1.9, cents=0.7),
            Layer((0.0, 0.16, 0.16, 0.2, 0.13, 0.1, 0.08, 0.06, 0.04, 0.03, 0.02, 0.015, 0.01, 0.008), 0.22),
        ),
        0.003, 0.32, 0.9,
    ),
    "electric": Voice(
        (Layer((1.0, 0.1, 0.04), 1.6), Layer((0.0, 0.2, 0.0, 0.12, 0.0, 0.06), 0.35)), 0.003, 0.3, 1.15
    ),
    "harpsichord": Voice(
        (Layer((0.8, 0.6, 0.5), 0.9), Layer(falling(19, 0.9, first=4), 0.4)), 0.002, 0.18, 0.9
    ),
    "bells": Voice(
        (Layer((1.0,), 1.1), Layer((0.3,), 0.45, 2.756), Layer((0.14,), 0.18, 5.404)), 0.002, 1.2, 1.1
    ),
    "mallets": Voice(
        (Layer((1.0,), 0.55), Layer((0.22,), 0.12, 3.984), Layer((0.06,), 0.04, 9.9)), 0.002, 0.6, 1.4
    ),
    "organ": Voice((Layer((1.0, 0.6, 0.3, 0.35, 0.0, 0.14, 0.0, 0.16)),), 0.02, 0.16, 0.75),
    "accordion": Voice(
        (Layer(falling(14, 0.95), cents=-2.5), Layer(falling(14, 1.05), cents=5.0, level=0.6)), 0.03, 0.16, 0.68
    ),
    "guitar": Voice(
        (Layer((1.0, 0.55, 0.25), 0.9), Layer((0.0, 0.15, 0.2, 0.18, 0.06, 0.1, 0.08, 0.05, 0.03, 0.02), 0.22)),
        0.002, 0.24, 0.88,
    ),
    "bass": Voice(
        (Layer((1.0, 0.5, 0.22, 0.1), 1.2), Layer((0.0, 0.2, 0.25, 0.18, 0.12, 0.08, 0.05), 0.25)), 0.004, 0.16, 1
    ),
    "strings": Voice(
        (Layer(falling(24, 1.1)), Layer(falling(24, 1.25), cents=4.0, level=0.35)), 0.06, 0.35, 0.8, 7.0
    ),
    "ensemble": Voice(
        (
            Layer(falling(20, 1.25)),
            Layer(falling(20, 1.3), cents=-9.0, level=0.5),
            Layer(falling(20, 1.3), cents=7.0, level=0.6),
        ),
        0.12, 0.7, 0.8,
    ),
    "choir": Voice(
        (Layer((1.0, 0.6, 0.42, 0.16, 0.07, 0.05, 0.03)), Layer((1.0, 0.5, 0.35, 0.1, 0.05), cents=7.0, level=0.5)),
        0.12, 0.6, 0.8, 5.0,
    ),
    "brass": Voice(
        (Layer((1.0, 0.9, 0.75, 0.55, 0.4, 0.28, 0.2, 0.13, 0.09, 0.06, 0.04)),), 0.035, 0.18, 0.55
    ),
    "reed": Voice((Layer((0.9, 0.8, 0.7, 0.42, 0.3, 0.2, 0.13, 0.09, 0.06, 0.04)),), 0.03, 0.18, 0.6, 4.0),
    "clarinet": Voice((Layer(falling(15, 1.25, even=0.08)),), 0.03, 0.18, 1.05, 3.0),
    "flute": Voice((Layer((1.0, 0.3, 0.1, 0.035, 0.015)),), 0.045, 0.2, 1.1, 6.0),
    "lead": Voice((Layer(falling(30, 1.2, even=0.25)),), 0.008, 0.15, 1.0),
    "pad": Voice(
        (
            Layer(falling(12, 1.6)),
            Layer(falling(12, 1.6), cents=-7.0, level=0.6),
            Layer(falling(12, 1.6), cents=8.0, level=0.5),
        ),
        0.2, 1, 0.9,
    ),
}  # fmt: skip
"""Voices by name: their layers; attack, release, gain, vibrato."""

_GROUPS = (
    "piano", "bells", "organ", "guitar", "bass", "strings", "ensemble", "brass",
    "reed", "flute", "lead", "pad", "pad", "guitar", "mallets", "pad",
)  # fmt: skip
_UNLIKE = {
    4: "electric", 5: "electric", 6: "harpsichord", 7: "harpsichord", 12: "mallets", 13: "mallets",
    15: "harpsichord", 20: "accordion", 21: "accordion", 22: "accordion", 23: "accordion", 45: "guitar", 46: "guitar",
    47: "mallets", 52: "choir", 53: "choir", 54: "choir", 71: "clarinet", 108: "mallets", 109: "accordion",
    110: "strings", 111: "reed", 112: "bells",
}  # fmt: skip
"""Programs that are unlike the group of eight that they stand in."""


def voice_name(program: int) -> str:
    """The voice of a General MIDI program in [0, 128), by its name in `VOICES`."""
    return _UNLIKE.get(program, _GROUPS[program >> 3])
