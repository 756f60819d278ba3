"""Sound -> the loudspeakers: through PortAudio where it works, else through a program that is there.

Nothing here is printed, and an interruption (KeyboardInterrupt) silences whatever plays before it goes on its way.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from melodygru.errors import MelodyGRUError
from melodygru.formats.sound.synthesis import FloatArray, pack, pcm
from melodygru.system.programs import run_quietly

PROGRAMS = (
    ("pw-play", ()),
    ("paplay", ()),
    ("aplay", ("-q",)),
    ("afplay", ()),
    ("ffplay", ("-nodisp", "-autoexit", "-loglevel", "error")),
)
"""Programs that play a WAV file, with what they are told besides its name, in the order in which they are tried."""

_CHUNK = 0.03  # seconds that are handed over at a time: no longer does an interruption wait
_LOOPED = 240.0  # seconds of repetitions in the file that a program is given, after which there is a short gap
_Begun = Callable[[], object]
_SETTLED = 1.0  # a program that fails later than this did play


class PlaybackError(MelodyGRUError):
    """There is nothing to play sound with."""


def play(sound: FloatArray, rate: int, loop: bool = False, begun: Callable[[], object] = lambda: None) -> None:
    """Play sound, (2, samples) in [-1, 1], and come back when it is over; with `loop`, over and over without a gap.

    `begun` is called once, when the first way to play that may work is taken.

    Raises PlaybackError where there is no sound device and no program that plays.
    """
    tried = []
    for way in (_through_portaudio, _through_winsound, _through_programs):
        reason = way(sound, rate, loop, begun)
        if reason is None:
            return
        tried.append(reason)
    raise PlaybackError(
        f"There is nothing to play sound with ({'; '.join(reason for reason in tried if reason)}); "
        "write a sound file instead: melodygru render FILE.mid out.wav."
    )


def _through_portaudio(sound: FloatArray, rate: int, loop: bool, begun: _Begun) -> str | None:
    """None when it was played, else the reason why not."""
    try:
        # OSError: PortAudio is not there.
        import sounddevice
    except (ImportError, OSError):
        return "PortAudio is not installed"
    try:
        sounddevice.check_output_settings(channels=2, dtype="int16", samplerate=rate)
        stream = sounddevice.OutputStream(samplerate=rate, channels=2, dtype="int16")
    except (sounddevice.PortAudioError, ValueError):
        return "no sound device"
    samples, chunk = pcm(sound), max(1, round(_CHUNK * rate))
    begun()
    stream.start()
    try:
        while True:
            for start in range(0, len(samples), chunk):
                stream.write(samples[start : start + chunk])
            if not loop:
                break
        stream.stop()  # waits until all is heard
    except BaseException:
        stream.abort()  # does not
        raise
    finally:
        stream.close()
    return None


def _through_winsound(sound: FloatArray, rate: int, loop: bool, begun: _Begun) -> str | None:
    """None when it was played, else the reason why not; empty where there is no Windows."""
    if sys.platform != "win32":
        return ""
    import winsound

    with tempfile.TemporaryDirectory() as folder:
        file = _wav_file(folder, sound, rate)
        flags = winsound.SND_FILENAME | winsound.SND_ASYNC | winsound.SND_NODEFAULT
        try:
            winsound.PlaySound(str(file), flags | (winsound.SND_LOOP if loop else 0))
        except RuntimeError:
            return "Windows has no sound device"
        begun()
        try:
            # In small pieces, since an interruption waits for the end of a piece.
            until = float("inf") if loop else time.monotonic() + sound.shape[1] / rate
            while time.monotonic() < until:
                time.sleep(_CHUNK)
        finally:
            winsound.PlaySound(None, 0)
    return None


def _through_programs(sound: FloatArray, rate: int, loop: bool, begun: _Begun) -> str | None:
    """None when it was played, else the reason why not."""
    there = [(found, extra) for name, extra in PROGRAMS if (found := shutil.which(name))]
    if not there:
        return f"none of {', '.join(name for name, _ in PROGRAMS)}"
    if loop:
        sound = np.tile(sound, max(1, round(_LOOPED * rate / sound.shape[1])))
    begun()
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        file = _wav_file(folder, sound, rate)
        for program, extra in there:
            started = time.monotonic()
            code = run_quietly([program, *extra, str(file)])
            while loop and code == 0:
                code = run_quietly([program, *extra, str(file)])
            if code == 0:
                return None
            failed.append(Path(program).stem)
            if time.monotonic() - started > _SETTLED:
                break
    return f"{' and '.join(failed)} failed"


def _wav_file(folder: str, sound: FloatArray, rate: int) -> Path:
    file = Path(folder, "clip.wav")
    file.write_bytes(pack(sound, rate))
    return file
