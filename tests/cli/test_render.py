"""`melodygru render` and `melodygru play`: files that loop, and whatever there is to play them with."""

import io
import json
import os
import shutil
import sys
import types
import wave
from pathlib import Path

import numpy as np
import pytest

from melodygru import Melody, Note
from melodygru.errors import FileError
from melodygru.formats.midi.writer import midi_bytes
from melodygru.formats.sound import players, soundfont
from melodygru.formats.sound.players import PlaybackError
from melodygru.formats.sound.synthesis import pack, pcm
from melodygru.formats.sound.timeline import read_timeline
from tests.command_line import run

TUNE = Melody((Note(60, 0, 24), Note(64, 24, 24), Note(67, 48, 48)), qpm=240.0, bars=1)
SAMPLES = 44_100  # a bar of 4/4 at 240 bpm lasts a second


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """A folder with a tune in it, and no program on the PATH."""
    monkeypatch.chdir(tmp_path)
    Path("bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    Path("tune.mid").write_bytes(midi_bytes(TUNE))
    return tmp_path


@pytest.fixture
def no_device(monkeypatch):
    """No PortAudio."""
    monkeypatch.setitem(sys.modules, "sounddevice", None)


def frames(data):
    with wave.open(io.BytesIO(data)) as file:
        return file.getnframes(), file.getframerate(), file.getnchannels()


def test_a_sound_file_as_long_as_the_clip(capsys):
    assert run("render", "tune.mid", "out.wav") == 0
    assert capsys.readouterr().out == "Wrote out.wav: 1 bar, 1.000 seconds, 44,100 Hz stereo.\n"
    assert frames(Path("out.wav").read_bytes()) == (SAMPLES, 44_100, 2)
    first = Path("out.wav").read_bytes()
    assert run("render", "tune.mid", "out.wav") == 1
    assert "out.wav exists" in capsys.readouterr().err
    assert run("render", "tune.mid", "out.wav", "--force") == 0
    assert Path("out.wav").read_bytes() == first
    assert run("render", "tune.mid", "violin.wav", "--program", "violin") == 0
    assert Path("violin.wav").read_bytes() != first


def test_json_says_what_was_written(capsys):
    assert run("render", "tune.mid", "out.wav", "--tail", 0.5, "--rate", 22_050, "--program", 73, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "out": "out.wav", "bars": 1, "seconds": 1.0, "tail": 0.5, "rate": 22_050, "samples": 33_075, "notes": 3,
        "programs": [73], "soundfont": None,
    }  # fmt: skip
    assert frames(Path("out.wav").read_bytes()) == (33_075, 22_050, 2)


def test_standard_output_holds_the_file_alone(capfdbinary):
    assert run("render", "tune.mid", "-") == 0
    captured = capfdbinary.readouterr()
    assert frames(captured.out)[0] == SAMPLES
    assert b"Wrote -" in captured.err


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["tune.mid", "out.mp3"], 2, "out.mp3 does not end in .wav"),
        (["tune.mid", "-", "--json"], 2, "not both"),
        (["tune.mid", "nowhere/out.wav"], 1, "The folder nowhere does not exist"),
        (["nothing.mid", "out.wav"], 1, "nothing.mid cannot be read"),
        (["text.mid", "out.wav"], 1, "text.mid is not a MIDI file"),
        (["tune.mid", "out.wav", "--rate", "8000"], 2, "rate is 8000"),
        (["tune.mid", "out.wav", "--tail", "31"], 2, "tail is 31"),
        (["tune.mid", "out.wav", "--tail", "nan"], 2, "tail is nan"),
        (["tune.mid", "out.wav", "--program", "200"], 2, "program is 200"),
        (["tune.mid", "out.wav", "--program", "kazoo"], 2, "kazoo"),
        (["tune.mid", "out.wav", "--soundfont", "no.sf2"], 1, "The soundfont no.sf2 does not exist"),
        (["tune.mid", "out.wav", "--soundfont", "text.mid"], 1, "text.mid is not a soundfont"),
        (["tune.mid", "out.wav", "--soundfont", "small.sf2"], 1, "FluidSynth is not installed"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(arguments, code, sentence, capsys):
    Path("text.mid").write_text("These are words.")
    Path("small.sf2").write_bytes(b"RIFF\0\0\0\0sfbk")
    assert run("render", *arguments) == code
    told = capsys.readouterr().err
    assert sentence in told
    assert told.startswith("Error: ")
    assert told.count("\n") == 1
    assert not Path("out.wav").exists()


def test_a_soundfont_is_found_in_the_usual_places(here, monkeypatch):
    monkeypatch.delenv("SOUNDFONT", raising=False)
    monkeypatch.setattr(soundfont, "_PLACES", (str(here / "none"), str(here)))
    with pytest.raises(FileError, match="No soundfont was found"):
        soundfont.find_soundfont("auto")
    for name in ("a.sf2", "FluidR3_GM.sf2", "z.SF2"):
        Path(name).write_bytes(b"RIFF\0\0\0\0sfbk")
    assert soundfont.find_soundfont("auto").name == "FluidR3_GM.sf2"
    monkeypatch.setenv("SOUNDFONT", "z.SF2")
    assert soundfont.find_soundfont("auto").name == "z.SF2"


FLUIDSYNTH = shutil.which("fluidsynth")


@pytest.mark.skipif(FLUIDSYNTH is None, reason="needs FluidSynth")
def test_a_soundfont_plays_for_exactly_as_long(monkeypatch):
    monkeypatch.setenv("PATH", str(Path(FLUIDSYNTH).parent))
    try:
        font = soundfont.find_soundfont("auto")
    except FileError:
        pytest.skip("needs a soundfont")
    midi = midi_bytes(TUNE)
    found = {}
    for program in (None, 73):
        timeline = read_timeline(midi, program)
        for tail in (0.0, 0.7):
            sound = soundfont.render(midi, timeline, font, program, tail)
            assert sound.shape == (2, round((1 + tail) * 44_100))
            assert np.abs(sound).max() == pytest.approx(10 ** (-1 / 20), abs=1e-3)
            assert np.abs(sound[:, -1]).max() < 1e-3
            found[program, tail] = sound
    assert np.abs(found[None, 0.7][:, SAMPLES : SAMPLES + 4_000]).max() > 0.01
    assert np.abs(found[None, 0.0] - found[73, 0.0]).max() > 0.1


def fake_player(name, code=0):
    """A program of that name on the PATH that keeps what it is given, and ends with an exit code."""
    script = Path("bin", name)
    script.write_text(
        f"#!{sys.executable}\nimport pathlib, shutil, sys\n"
        f"shutil.copy(sys.argv[-1], {str(Path.cwd())!r} + '/{name}.wav')\n"
        f"log = pathlib.Path({str(Path.cwd())!r}, 'log')\n"
        "log.write_text((log.read_text() if log.exists() else '') + ' '.join(sys.argv[1:-1]) + '\\n')\n"
        f"sys.exit({code})\n"
    )
    script.chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="programs are scripts here")
def test_a_program_plays_where_there_is_no_device(no_device, capsys):
    fake_player("pw-play", code=1)
    fake_player("aplay")
    assert run("play", "tune.mid", "--program", "flute") == 0
    assert capsys.readouterr().out == "Playing tune.mid: 1 bar, 1.000 seconds.\n"
    assert frames(Path("aplay.wav").read_bytes())[0] > SAMPLES  # the last note dies away
    assert Path("log").read_text() == "\n-q\n"  # what failed was tried, and then the other


@pytest.mark.skipif(os.name == "nt", reason="programs are scripts here")
def test_a_program_is_given_many_repetitions(no_device, monkeypatch):
    monkeypatch.setattr(players, "_LOOPED", 5.0)
    fake_player("paplay", code=1)
    assert run("play", "tune.mid", "--loop") == 1
    played, _, _ = frames(Path("paplay.wav").read_bytes())
    assert played == 5 * SAMPLES


def test_where_nothing_plays_it_says_so(no_device, capsys):
    assert run("play", "tune.mid") == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "There is nothing to play sound with" in captured.err
    assert "melodygru render" in captured.err
    assert captured.err.count("\n") == 1


class FakeStream:
    """An output that keeps what it is given, and is interrupted after some writes."""

    def __init__(self, writes):
        self.writes, self.given, self.calls = writes, [], []

    def start(self):
        self.calls.append("start")

    def write(self, samples):
        if len(self.given) == self.writes:
            raise KeyboardInterrupt
        self.given.append(samples.copy())

    def stop(self):
        self.calls.append("stop")

    def abort(self):
        self.calls.append("abort")

    def close(self):
        self.calls.append("close")


def fake_device(monkeypatch, stream):
    module = types.ModuleType("sounddevice")
    module.PortAudioError = type("PortAudioError", (Exception,), {})
    module.asked = []

    def check(**settings):
        if stream is None:
            raise module.PortAudioError("no device")

    def open_stream(**settings):
        module.asked.append(settings)
        return stream

    module.check_output_settings, module.OutputStream = check, open_stream
    monkeypatch.setitem(sys.modules, "sounddevice", module)
    return module


def test_the_sound_device_is_given_every_sample(monkeypatch):
    stream = FakeStream(writes=None)
    module = fake_device(monkeypatch, stream)
    sound = np.random.default_rng(1).uniform(-1, 1, (2, 10_001)).astype(np.float32)
    begun = []
    players.play(sound, 44_100, begun=lambda: begun.append(len(stream.given)))
    assert begun == [0]
    assert module.asked == [{"samplerate": 44_100, "channels": 2, "dtype": "int16"}]
    np.testing.assert_array_equal(np.concatenate(stream.given), pcm(sound))
    assert stream.calls == ["start", "stop", "close"]


def test_it_loops_without_a_gap_and_stops_at_once(monkeypatch, capsys):
    stream = FakeStream(writes=80)
    fake_device(monkeypatch, stream)
    assert run("play", "tune.mid", "--loop") == 130
    captured = capsys.readouterr()
    assert captured.out == "Playing tune.mid: 1 bar, 1.000 seconds, over and over.\n"
    assert captured.err == "Stopped.\n"
    assert stream.calls == ["start", "abort", "close"]  # what was not heard yet never is
    played = np.concatenate(stream.given)
    assert len(played) > 2 * SAMPLES
    np.testing.assert_array_equal(played[SAMPLES : 2 * SAMPLES], played[:SAMPLES])
    assert max(len(chunk) for chunk in stream.given) <= 0.05 * 44_100


def test_without_a_device_there_is_a_reason(monkeypatch):
    fake_device(monkeypatch, None)
    with pytest.raises(PlaybackError, match="no sound device; none of pw-play"):
        players.play(np.zeros((2, 100), np.float32), 44_100)


def test_a_packed_file_is_16_bits():
    sound = np.array([[0.0, 1.0, -1.0, 0.5], [0.0, -0.5, 0.25, 1.0]], np.float32)
    with wave.open(io.BytesIO(pack(sound, 48_000))) as file:
        assert (file.getsampwidth(), file.getframerate()) == (2, 48_000)
        values = np.frombuffer(file.readframes(4), "<i2").reshape(-1, 2)
    assert values.tolist() == [[0, 0], [32767, -16384], [-32767, 8192], [16384, 32767]]
