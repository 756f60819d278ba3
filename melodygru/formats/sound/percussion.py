"""The drums of General MIDI's channel 10, simply: a tone that falls, and noise within a band, each dying away.

Enough to keep time by. Drums that are not listed are a short wooden knock, higher for higher numbers.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


class Drum(NamedTuple):
    """A tone that falls from `high` to `low` Hz, and noise in [bottom, top] Hz.

    `ring` and `hiss` are the seconds in which they die to 1/e, `tone` and `noise` how strong they are.
    """

    high: float
    low: float
    ring: float
    tone: float
    bottom: float = 0.0
    top: float = 0.0
    hiss: float = 0.0
    noise: float = 0.0


_KICK = Drum(130, 50, 0.08, 0.85)
_SNARE = Drum(230, 180, 0.06, 0.6, 900, 9_000, 0.07, 1.0)
_CRASH = Drum(400, 400, 0.01, 0.0, 2_500, 14_000, 0.5, 0.3)
_RIDE = Drum(520, 520, 0.05, 0.05, 4_000, 14_000, 0.25, 0.15)
_DRUMS = {
    35: _KICK, 36: _KICK, 38: _SNARE, 40: _SNARE,
    37: Drum(1_700, 1_600, 0.012, 0.5), 39: Drum(500, 500, 0.01, 0.0, 700, 5_000, 0.05, 0.6),
    41: Drum(130, 80, 0.2, 0.8), 43: Drum(150, 95, 0.2, 0.8), 45: Drum(180, 115, 0.18, 0.8),
    47: Drum(210, 135, 0.17, 0.8), 48: Drum(240, 160, 0.16, 0.8), 50: Drum(280, 190, 0.15, 0.8),
    42: Drum(0, 0, 0.01, 0.0, 6_000, 14_000, 0.025, 0.25), 44: Drum(0, 0, 0.01, 0.0, 5_000, 12_000, 0.03, 0.22),
    46: Drum(0, 0, 0.01, 0.0, 5_500, 14_000, 0.16, 0.25),
    49: _CRASH, 52: _CRASH, 55: _CRASH, 57: _CRASH, 51: _RIDE, 53: _RIDE, 59: _RIDE,
    54: Drum(0, 0, 0.01, 0.0, 5_000, 12_000, 0.06, 0.25), 56: Drum(830, 810, 0.06, 0.4),
    70: Drum(0, 0, 0.01, 0.0, 5_000, 12_000, 0.03, 0.2), 82: Drum(0, 0, 0.01, 0.0, 5_000, 12_000, 0.03, 0.2),
}  # fmt: skip

_ATTACK = 0.001
_FADES = 6.0  # time constants until a drum is let go: 52 dB down, and faded from there
_HIGHEST = 0.45  # of the sample rate


@lru_cache(maxsize=256)
def hit(pitch: int, rate: int) -> FloatArray:
    """A drum's sound, (samples,), at full strength: its peak about 1 at most. It begins and ends at 0."""
    drum = _DRUMS.get(pitch, Drum(260.0 * 2 ** (pitch / 60), 250.0 * 2 ** (pitch / 60), 0.035, 0.45))
    size = round(_FADES * max(drum.ring * bool(drum.tone), drum.hiss) * rate)
    at = np.arange(size) / rate
    glide = 0.03  # seconds in which the tone falls
    cycles = drum.low * at + (drum.high - drum.low) * glide * (1 - np.exp(-at / glide))
    sound = drum.tone * np.exp(-at / drum.ring) * np.sin(2 * np.pi * cycles)
    if drum.noise:
        sound += drum.noise * np.exp(-at / drum.hiss) * _noise(size, drum.bottom, drum.top, rate, pitch)
    ends = np.minimum(1, np.minimum(at / _ATTACK, at[::-1] / (0.2 * at[-1])))
    return (sound * np.sin(np.pi / 2 * ends) ** 2).astype(np.float32)


def _noise(size: int, bottom: float, top: float, rate: int, seed: int) -> npt.NDArray[np.float64]:
    """Noise of `size` samples within a band, RMS 0.35."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).random(size) - 0.5)
    hertz = np.fft.rfftfreq(size, 1 / rate)
    spectrum[(hertz < bottom) | (hertz > min(top, _HIGHEST * rate))] = 0
    noise = np.fft.irfft(spectrum, size)
    return 0.35 * noise / max(float(np.sqrt(np.mean(noise**2))), 1e-9)
