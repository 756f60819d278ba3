"""MIDI -> sound, with no samples and no soundfont: voices of harmonics, a little room, a WAV file that loops.

Every note is read from wave tables that hold no partial above half the sample rate (`melodygru.formats.sound.voices`
says which there are), so nothing aliases. The sound lasts exactly as long as the clip, to the sample; what would ring
on past its end is faded out there, unless a tail is asked for. The same file gives the same bytes. For real instruments
there is `melodygru.formats.sound.soundfont`.

Wave table synthesis with several tables that die away at their own pace: Roads, The Computer Music Tutorial (1996), 4;
the room is noise that decays: Moorer, "About This Reverberation Business", Computer Music Journal 3:2 (1979).
"""

from __future__ import annotations

import wave
from collections.abc import Callable
from fractions import Fraction
from functools import lru_cache
from io import BytesIO

import numpy as np
import numpy.typing as npt

from melodygru.errors import MidiError, UsageError
from melodygru.formats.midi.chunks import PERCUSSION
from melodygru.formats.sound.percussion import hit
from melodygru.formats.sound.timeline import Sounding, Timeline, read_timeline
from melodygru.formats.sound.voices import VOICES, Layer, voice_name

FloatArray = npt.NDArray[np.float32]

RATE = 44_100
LOWEST_RATE, HIGHEST_RATE = 22_050, 96_000
LONGEST_TAIL = 30.0
MAX_SECONDS = 1_800
"""Longer clips are refused: half an hour of sound takes 300 MB in a file, and several times that in memory."""
MAX_NOTES = 100_000
"""Clips of more are refused: an orchestra has fewer in half an hour."""

_PEAK = 10 ** (-1 / 20)  # -1 dBFS
_LEVEL = 0.32  # of one note at full velocity
_BITS = 12  # of an index into a table
_TABLE = 1 << _BITS
_FRACTION = 32 - _BITS
_HIGHEST = 0.45  # highest partial over the sample rate
_END_FADE = 0.008  # seconds
_LONGEST_FADE = 0.3
_TILT = 0.7  # of the harmonics of the softest note, as a power
_BODY = 160.0  # Hz, below which bodies are too small
_SPREAD = 0.45  # how far layers that are out of tune stand apart, of 1
_ROOM_SECONDS, _ROOM_LEVEL, _ROOM_DELAY = 0.9, 0.17, 0.012


def wav_bytes(midi: bytes, program: int | None = None, tail: float = 0.0, rate: int = RATE) -> bytes:
    """A MIDI file's bytes as a WAV file's: 16 bits, stereo, exactly round((the clip's seconds + tail) * rate) samples.

    Args:
        midi: the file's bytes; `melodygru.formats.sound.timeline.read_timeline` tells what of them is heard, and where
            the clip ends.
        program: an instrument in [0, 128) in place of the file's own, for all but percussion and a track of chords.
        tail: seconds, in [0, 30], in which the last notes and the room may ring on after the clip.
        rate: samples a second, in [22050, 96000].

    Raises:
        MidiError: no MIDI file, no music in it, or too much; the message lacks the file's name.
        UsageError: a program, tail or rate out of range.
    """
    check(tail, rate)
    return pack(render(read_timeline(midi, program), tail, rate), rate)


def check(tail: float, rate: int) -> None:
    """Raises UsageError for a tail or a rate out of range."""
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise UsageError(f"rate is {rate}; choose from {LOWEST_RATE} to {HIGHEST_RATE} samples a second.")
    if not 0 <= tail <= LONGEST_TAIL:
        raise UsageError(f"tail is {tail:g}; choose from 0 to {LONGEST_TAIL:g} seconds.")


def samples_of(timeline: Timeline, tail: float, rate: int) -> int:
    """How many samples a clip has, its tail included.

    Raises MidiError for one of more than `MAX_SECONDS` or `MAX_NOTES`.
    """
    if timeline.seconds > MAX_SECONDS:
        raise MidiError(
            f"lasts {float(timeline.seconds) / 60:.0f} minutes, and sound is made of {MAX_SECONDS // 60} at most; "
            "cut it into several files."
        )
    if len(timeline.notes) > MAX_NOTES:
        raise MidiError(
            f"has {len(timeline.notes):,} notes, and sound is made of {MAX_NOTES:,} at most; cut it into several files."
        )
    return round((timeline.seconds + Fraction(tail)) * rate)


def render(
    timeline: Timeline, tail: float = 0.0, rate: int = RATE, progress: Callable[[int, int], None] | None = None
) -> FloatArray:
    """What a clip sounds like: (2, samples), left and right, in [-1, 1], its peak at -1 dBFS unless all is silent.

    `progress` is called with notes done, and all.

    Raises MidiError for a clip of more than `MAX_SECONDS` or `MAX_NOTES`.
    """
    size = samples_of(timeline, tail, rate)
    sound = np.zeros((2, size), np.float32)
    for done, note in enumerate(timeline.notes):
        if progress is not None:
            progress(done, len(timeline.notes))
        start = round(note.start * rate)
        if start < size:
            (_strike if note.channel == PERCUSSION else _play)(note, sound[:, start:], rate)
    _add_room(sound, rate)
    return finished(sound, tail, rate)


def finished(sound: FloatArray, tail: float, rate: int) -> FloatArray:
    """(2, samples) faded out at the very end, so that it loops without a click, and brought to -1 dBFS; in place."""
    fade = min(sound.shape[1], round(rate * max(_END_FADE, min(tail / 2, _LONGEST_FADE))))
    sound[:, sound.shape[1] - fade :] *= np.cos(np.linspace(0, np.pi / 2, fade, dtype=np.float32)) ** 2
    peak = max(float(sound.max(initial=0)), -float(sound.min(initial=0)))
    if peak:
        sound *= _PEAK / peak
    return sound


def pcm(sound: FloatArray) -> npt.NDArray[np.int16]:
    """(2, samples) in [-1, 1] -> (samples, 2) of 16 bits."""
    return np.ascontiguousarray(np.rint(sound.T * 32767).astype("<i2"))


def pack(sound: FloatArray, rate: int) -> bytes:
    """(2, samples) in [-1, 1] as a WAV file of 16 bits."""
    file = BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(pcm(sound).tobytes())
    return file.getvalue()


def _strike(note: Sounding, out: FloatArray, rate: int) -> None:
    """Add a drum at the beginning of `out` (2, n). How long the note lasts says nothing."""
    drum = hit(note.pitch, rate)[: out.shape[1]]
    _add(out, drum * np.float32(_LEVEL * note.gain * (note.velocity / 127) ** 1.6), note.pan)


def _play(note: Sounding, out: FloatArray, rate: int) -> None:
    """Add a note at the beginning of `out` (2, n)."""
    voice = VOICES[voice_name(note.program)]
    strength = note.velocity / 127
    hertz = 440.0 * 2 ** ((note.pitch - 69) / 12)
    held = max(1, round((note.end - note.start) * rate))
    size = min(out.shape[1], held + round(voice.release * rate))
    # Loud notes are bright.
    tilt, cutoff = _TILT * (1 - strength), (500 + 3 * hertz) * (0.8 + 5 * strength**2)
    loud = _LEVEL * voice.gain * note.gain * strength**1.6 * 2 ** ((60 - note.pitch) / 60)  # high notes are piercing
    envelope = _envelope(size, held, voice.attack, voice.release, rate) * np.float32(loud)
    at = np.arange(size, dtype=np.float32) / np.float32(rate)
    place = note.pan + min(0.3, max(-0.3, (note.pitch - 66) / 80))
    together = np.zeros(size, np.float32)
    for index, layer in enumerate(voice.layers):
        own = hertz * layer.ratio * 2 ** (layer.cents / 1200)
        swaying = voice.vibrato if held > 0.3 * rate else 0.0
        sound = _oscillate(layer, own, tilt, cutoff, rate, at, swaying, 5.1 + 0.3 * index)
        if layer.decay:
            sound *= np.exp(at * np.float32(-1 / (layer.decay * 2 ** ((60 - note.pitch) / 30))))
        sound *= np.float32(layer.level)
        if abs(layer.cents) < 2:
            together += sound
        else:
            _add(out, sound * envelope, place + (_SPREAD if layer.cents > 0 else -_SPREAD))
    if together.any():
        _add(out, together * envelope, place)


def _add(out: FloatArray, sound: FloatArray, pan: float) -> None:
    """Add a sound (n,) to `out` (2, >= n) at a place in [-1, 1], equally loud wherever that is."""
    angle = (min(1.0, max(-1.0, pan)) + 1) * np.pi / 4
    out[0, : len(sound)] += sound * np.float32(np.cos(angle))
    out[1, : len(sound)] += sound * np.float32(np.sin(angle))


def _envelope(size: int, held: int, attack: float, release: float, rate: int) -> FloatArray:
    """(size,): from 0 to 1 within `attack` seconds, 1 until sample `held`, 60 dB down and then 0 `release` later."""
    shape = np.ones(size, np.float32)
    rising = min(size, max(2, round(attack * rate)))
    shape[:rising] = np.sin(np.linspace(0, np.pi / 2, rising + 1, dtype=np.float32)[:-1]) ** 2
    if held < size:
        whole = max(1, round(release * rate))
        left = np.arange(size - held, dtype=np.float32) / np.float32(whole)
        shape[held:] *= np.exp(-6.9 * left) * np.cos(np.pi / 2 * np.clip(5 * left - 4, 0, 1)) ** 2
    return shape


def _oscillate(layer: Layer, hertz: float, tilt: float, cutoff: float, rate: int, at: FloatArray, vibrato: float,
               sway: float) -> FloatArray:  # fmt: skip
    """The wave of a layer, (n,), without loudness, at times `at` (n,); vibrato in cents, `sway` times a second."""
    # Phases are fractions of a cycle times 2^32, which wrap round by themselves.
    phase = np.arange(len(at), dtype=np.uint32) * np.uint32(round(hertz / rate * 2**32) % 2**32)
    if vibrato:
        depth = hertz * vibrato * np.log(2) / 1200 / (2 * np.pi * sway)  # cycles
        ramp = np.clip((at - np.float32(0.18)) / np.float32(0.42), 0, 1)
        swing = ramp * np.cos(np.float32(2 * np.pi * sway) * at) * np.float32(-depth * 2**32)
        phase += swing.astype(np.int64).astype(np.uint32)
    table, slope = _table(layer.partials, hertz, tilt, cutoff, _HIGHEST * rate)
    index = phase >> np.uint32(_FRACTION)
    between = (phase & np.uint32((1 << _FRACTION) - 1)).astype(np.float32)
    return table[index] + slope[index] * between


@lru_cache(maxsize=2048)
def _table(partials: tuple[float, ...], hertz: float, tilt: float, cutoff: float,
           limit: float) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """One cycle, (4096,), of the partials below `limit`, and its slopes.

    The h-th is weaker by h ** -tilt; those above `cutoff` are softened, and those that are too low for an instrument's
    body to radiate.
    """
    spectrum = np.zeros(_TABLE // 2 + 1, np.complex128)
    for number, amplitude in enumerate(partials, start=1):
        if (own := number * hertz) < limit:
            body = own / (own**2 + _BODY**2) ** 0.5
            spectrum[number] = -0.5j * _TABLE * amplitude * body * number**-tilt / (1 + (own / cutoff) ** 2)
    cycle = np.fft.irfft(spectrum, _TABLE)
    slope = (np.roll(cycle, -1) - cycle) / (1 << _FRACTION)
    return cycle.astype(np.float32), slope.astype(np.float32)


def _add_room(sound: FloatArray, rate: int) -> None:
    """Add what the room answers to (2, n), in place: convolution by blocks (overlap-add)."""
    answer, length, points = _room(rate)
    block = points - length + 1
    size = sound.shape[1]
    sent = (sound[0] + sound[1]) / 2
    for start in range(0, size, block):
        spectrum = np.fft.rfft(sent[start : start + block], points)
        stop = min(size, start + points)
        for side in range(2):
            sound[side, start:stop] += np.fft.irfft(spectrum * answer[side], points)[: stop - start].astype(np.float32)


@lru_cache(maxsize=4)
def _room(rate: int) -> tuple[npt.NDArray[np.complex128], int, int]:
    """A small room's answer to a click: its spectrum (2, points // 2 + 1), its samples, the transform's points.

    Noise of three bands, the high ones dying first; none below 150 Hz, which would blur the bass.
    """
    size = round(_ROOM_SECONDS * rate)
    at = np.arange(size) / rate
    hertz = np.fft.rfftfreq(size, 1 / rate)
    noise = np.fft.rfft(np.random.default_rng(1).random((2, size)) - 0.5)
    response = np.zeros((2, size))
    for bottom, top, decay in ((150, 900, 0.16), (900, 4_000, 0.12), (4_000, min(12_000, _HIGHEST * rate), 0.06)):
        response += np.fft.irfft(noise * ((hertz >= bottom) & (hertz < top)), size) * np.exp(-at / decay)
    response *= np.cos(np.pi / 2 * at / at[-1]) ** 2
    response *= _ROOM_LEVEL / np.sqrt((response**2).sum(axis=1, keepdims=True))
    delayed = np.concatenate([np.zeros((2, round(_ROOM_DELAY * rate))), response], axis=1)
    points = 1 << (2 * delayed.shape[1]).bit_length()
    return np.fft.rfft(delayed, points), delayed.shape[1], points
