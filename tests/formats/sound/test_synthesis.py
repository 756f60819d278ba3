"""The sound that MIDI files are made into: exactly as long as the clip, in tune, without aliases or clicks."""

import io
import re
import wave
from fractions import Fraction
from pathlib import Path

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import melodygru
from melodygru import Melody, Note, TimeSignature
from melodygru.errors import MidiError, UsageError
from melodygru.formats.midi.performance import Performance
from melodygru.formats.midi.writer import midi_bytes
from melodygru.formats.sound import synthesis
from melodygru.formats.sound.percussion import hit
from melodygru.formats.sound.synthesis import render, wav_bytes
from melodygru.formats.sound.timeline import read_timeline
from melodygru.formats.sound.voices import VOICES, voice_name
from melodygru.music.chords import lay_out, parse_progression

RATE = 44_100
HELD = (16, 21, 40, 48, 52, 56, 65, 71, 73, 80, 88)  # programs whose notes do not die away
STRUCK = (0, 4, 6, 9, 12, 24, 32)


def sound(data):
    """(2, samples) in [-1, 1], and the rate."""
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (2, 2)
        frames = file.readframes(file.getnframes())
        return np.frombuffer(frames, "<i2").reshape(-1, 2).T / 32767, file.getframerate()


def clip(*notes, bpm=120.0, meter="4/4", bars=0, program=0):
    melody = Melody(tuple(Note(*note) for note in notes), TimeSignature.parse(meter), qpm=bpm, bars=bars)
    return midi_bytes(melody, Performance(program=program))


def written(*tracks, ticks_per_quarter=24):
    """A file of any messages: (tick, message)."""
    file = mido.MidiFile(type=1, ticks_per_beat=ticks_per_quarter)
    for events in tracks:
        now, track = 0, mido.MidiTrack()
        for tick, message in events:
            track.append(message.copy(time=tick - now))
            now = tick
        file.tracks.append(track)
    out = io.BytesIO()
    file.save(file=out)
    return out.getvalue()


def note(onset, end, pitch, velocity=84, channel=0):
    return [
        (onset, mido.Message("note_on", note=pitch, velocity=velocity, channel=channel)),
        (end, mido.Message("note_off", note=pitch, channel=channel)),
    ]


def end(tick):
    return (tick, mido.MetaMessage("end_of_track"))


def spectrum(samples, rate=RATE):
    """Hz, and amplitudes over the largest."""
    window = np.blackman(len(samples))
    amplitudes = np.abs(np.fft.rfft(samples * window))
    return np.fft.rfftfreq(len(samples), 1 / rate), amplitudes / amplitudes.max()


def level(samples):
    return float(np.sqrt(np.mean(np.square(samples))))


def sharpest(samples):
    """The largest second difference."""
    return float(np.abs(np.diff(samples, 2)).max())


metres = st.builds(TimeSignature, st.integers(1, 12), st.sampled_from([4, 8, 16]))


@settings(max_examples=40)
@given(
    metres,
    st.floats(60, 400),
    st.integers(1, 3),
    st.sampled_from([22_050, 32_000, 44_100, 48_000]),
    st.sampled_from([0.0, 0.25, 1.1]),
)
def test_exactly_as_long_as_the_clip(metre, bpm, bars, rate, tail):
    melody = Melody((Note(64, 0, 3), Note(60, metre.bar_steps * bars - 1, 1)), metre, qpm=bpm, bars=bars)
    microseconds = round(60_000_000 / bpm)
    seconds = Fraction(bars * metre.numerator * 4 * microseconds, metre.denominator * 1_000_000)
    heard, written_rate = sound(wav_bytes(midi_bytes(melody), tail=tail, rate=rate))
    assert written_rate == rate
    assert heard.shape[1] == round((seconds + Fraction(tail)) * rate)
    assert read_timeline(midi_bytes(melody)).bars == bars


@pytest.mark.parametrize("program", [0, 16, 24, 40, 73, 80])
def test_a4_is_440_hz(program):
    heard, _ = sound(wav_bytes(clip((69, 0, 96), program=program)))
    hertz, amplitudes = spectrum(heard[0, RATE // 4 : RATE * 5 // 4])
    near = (hertz > 400) & (hertz < 480)
    assert hertz[near][amplitudes[near].argmax()] == pytest.approx(440, abs=1.1)
    below = amplitudes[hertz < 400].max()
    assert below < 0.02


@pytest.mark.parametrize(("pitch", "rate"), [(100, 22_050), (110, 22_050), (112, 44_100), (120, 44_100), (127, 44_100)])
@pytest.mark.parametrize("program", [80, 16])
def test_nothing_aliases(pitch, rate, program):
    own = 440 * 2 ** ((pitch - 69) / 12)
    heard, _ = sound(wav_bytes(clip((pitch, 0, 96), program=program), rate=rate))
    hertz, amplitudes = spectrum(heard[0, rate // 10 : rate // 10 + rate], rate)
    away = np.abs(hertz - own * np.maximum(1, np.rint(hertz / own)))
    foreign = amplitudes[(away > 60) & (hertz > 40)]
    assert foreign.max() < 10 ** (-70 / 20)
    assert amplitudes[hertz > 0.46 * rate].max() < 10 ** (-70 / 20)


@pytest.mark.parametrize("program", HELD)
def test_notes_begin_and_end_without_a_click(program):
    """Around a note's beginning and end the wave bends no sharper than in its midst."""
    heard, _ = sound(wav_bytes(clip((57, 24, 60), (57, 108, 48), program=program, bars=2)))
    quarter = RATE // 2
    midst = sharpest(heard[0, 2 * quarter : 3 * quarter])
    for edge in (24, 84, 108, 156):
        at = round(edge / 24 * quarter)
        assert sharpest(heard[0, at - 300 : at + 600]) < 1.25 * midst, edge


@pytest.mark.parametrize("program", STRUCK)
def test_notes_that_die_away_end_without_a_click(program):
    heard, _ = sound(wav_bytes(clip((57, 0, 30), program=program, bars=1)))
    at = round(30 / 24 * RATE / 2)
    before, after = sharpest(heard[0, at - 2_000 : at]), sharpest(heard[0, at : at + 2_000])
    assert after < 1.1 * before


@pytest.mark.parametrize("program", [0, 40, 48, 88])
def test_a_clip_that_sounds_to_its_end_loops_without_a_click(program):
    heard, _ = sound(wav_bytes(clip((57, 0, 96), program=program)))
    assert np.abs(heard[:, 0]).max() < 1e-3
    assert np.abs(heard[:, -1]).max() < 1e-3
    midst = sharpest(heard[0, RATE : RATE + RATE // 2])
    twice = np.tile(heard[0], 2)
    seam = heard.shape[1]
    begins = sharpest(heard[0, :600])
    assert sharpest(twice[seam - 600 : seam + 100]) < 1.25 * max(midst, begins)
    # The last hundredth of a second fades; before it there is sound.
    assert level(heard[:, -2_000:-1_000]) > 0.01


def test_the_peak_is_minus_1_dbfs_and_there_is_no_dc():
    for data in (clip((60, 0, 48)), clip(*((60 + i, 12 * i, 12) for i in range(16)), program=48), drums()):
        heard, _ = sound(wav_bytes(data))
        assert np.abs(heard).max() == pytest.approx(10 ** (-1 / 20), abs=1e-4)
        assert np.abs(heard.mean(axis=1)).max() < 5e-4


def test_a_clip_without_notes_is_silent():
    heard, _ = sound(wav_bytes(midi_bytes(Melody((), bars=2))))
    assert heard.shape == (2, 4 * RATE)
    assert not heard.any()


def test_the_same_file_gives_the_same_bytes():
    data = clip((60, 0, 24), (64, 24, 24), (67, 48, 48), program=48)
    first = wav_bytes(data)
    from melodygru.formats.sound.synthesis import _room, _table

    _room.cache_clear()
    _table.cache_clear()
    assert wav_bytes(data) == first


def test_a_tail_rings_on():
    data = clip((60, 0, 96))
    short, long = sound(wav_bytes(data))[0], sound(wav_bytes(data, tail=1.0))[0]
    assert long.shape[1] - short.shape[1] == RATE
    ringing = long[:, short.shape[1] : short.shape[1] + RATE // 10]
    assert level(ringing) > 0.01
    assert level(long[:, -RATE // 10 :]) < 1e-3


def test_velocity_makes_notes_louder_and_brighter():
    soft, loud = note(0, 48, 60, velocity=40), note(48, 96, 60, velocity=120)
    heard, _ = sound(wav_bytes(written([*soft, *loud, end(96)])))
    first, second = heard[0, : RATE // 2], heard[0, RATE : RATE * 3 // 2]
    assert level(second) > 3 * level(first)

    def brightness(samples):
        hertz, amplitudes = spectrum(samples)
        return (hertz * amplitudes**2).sum() / (amplitudes**2).sum()

    assert brightness(second) > 1.1 * brightness(first)


def test_programs_differ_in_timbre():
    """The harmonics of one note, by program: no two families have the same ones."""
    shapes = {}
    for program in (0, 12, 16, 40, 56, 71, 73, 80):
        heard, _ = sound(wav_bytes(clip((60, 0, 96)), program=program))
        hertz, amplitudes = spectrum(heard[0, RATE // 4 : RATE * 3 // 4])
        own = 440 * 2 ** (-9 / 12)
        shapes[program] = np.array([amplitudes[np.abs(hertz - own * h) < 12].max() for h in range(1, 9)])
    for one in shapes:
        for two in shapes:
            assert one == two or np.abs(shapes[one] - shapes[two]).max() > 0.05, (one, two)
    assert shapes[71][1] < 0.3 * shapes[71][2]  # a clarinet lacks even harmonics


def test_every_program_sounds():
    for program in range(128):
        assert voice_name(program) in VOICES
    for name in VOICES:
        program = next(number for number in range(128) if voice_name(number) == name)
        for pitch in (21, 60, 108):
            heard = render(read_timeline(written([*note(0, 6, pitch), end(96)]), program), rate=22_050)
            assert np.isfinite(heard).all()
            assert level(heard[:, :4_000]) > 0.01


def test_chords_sound_too_and_keep_their_piano():
    melody = Melody((Note(72, 0, 24),), bars=1)
    data = midi_bytes(melody, chords=lay_out(parse_progression("C", melody.time_signature), 0, melody.length))
    timeline = read_timeline(data, program=40)
    assert {(one.pitch >= 72, one.program) for one in timeline.notes} == {(True, 40), (False, 0)}
    heard, _ = sound(wav_bytes(data, program=40))
    hertz, amplitudes = spectrum(heard[0, RATE : RATE * 2])  # the melody's note is over
    for pitch in {one.pitch for one in timeline.notes if one.pitch < 72}:
        own = 440 * 2 ** ((pitch - 69) / 12)
        assert amplitudes[np.abs(hertz - own) < 3].max() > 0.1


def drums():
    hits = [(36, 0), (42, 12), (38, 24), (42, 36), (49, 48), (60, 72)]
    return written([*(event for pitch, at in hits for event in note(at, at + 3, pitch, channel=9)), end(96)])


def test_drums_are_heard_where_they_are_struck():
    timeline = read_timeline(drums(), program=40)
    assert {one.program for one in timeline.notes} == {0}
    heard, _ = sound(wav_bytes(drums()))
    for at in (0.0, 0.25, 0.5, 0.75, 1.0, 1.5):
        assert level(heard[:, round(at * RATE) : round((at + 0.05) * RATE)]) > 0.01
    for pitch in range(128):
        stroke = hit(pitch, 22_050)
        assert abs(stroke[0]) < 1e-6
        assert abs(stroke[-1]) < 1e-6
        assert 0.05 < np.abs(stroke).max() < 2


def test_tempo_changes_are_kept():
    tempi = [(0, mido.MetaMessage("set_tempo", tempo=500_000)), (96, mido.MetaMessage("set_tempo", tempo=1_000_000))]
    data = written([*tempi, end(192)], [*note(0, 24, 60), *note(144, 168, 64), end(192)])
    timeline = read_timeline(data)
    assert timeline.seconds == 6
    assert [(one.start, one.end) for one in timeline.notes] == [(0.0, 0.5), (4.0, 5.0)]
    heard, _ = sound(wav_bytes(data))
    assert level(heard[:, 3 * RATE : 4 * RATE - 100]) < 0.003
    assert level(heard[:, 4 * RATE : 4 * RATE + 4_000]) > 0.05


def test_a_tempo_of_nothing_is_the_usual_one():
    nothing = (0, mido.MetaMessage("set_tempo", tempo=0))
    assert read_timeline(written([nothing, *note(0, 96, 60), end(96)])).seconds == 2


def test_files_of_others_end_on_a_bar_line():
    metre = (0, mido.MetaMessage("time_signature", numerator=3, denominator=4))
    # Its end of track is not on a bar line: the first one counts that the last note does not pass.
    assert read_timeline(written([metre, *note(0, 140, 60), end(150)])).bars == 2
    assert read_timeline(written([metre, *note(0, 145, 60), end(145)])).bars == 2  # a step over is a slip
    assert read_timeline(written([metre, *note(0, 150, 60), end(150)])).bars == 3
    # On a bar line: silence after the last note is meant.
    assert read_timeline(written([metre, *note(0, 24, 60), end(72 * 4)])).bars == 4
    # An incomplete bar before a change of metre is a bar of its own.
    change = (24, mido.MetaMessage("time_signature", numerator=4, denominator=4))
    timeline = read_timeline(
        written([metre, *note(0, 24, 60)[:1], note(0, 24, 60)[1], change, *note(24, 50, 62), end(50)])
    )
    assert (timeline.bars, timeline.seconds) == (2, Fraction(120, 48))


def test_channels_are_played_as_they_are_told():
    def control(tick, number, value):
        return (tick, mido.Message("control_change", control=number, value=value))

    events = [
        (0, mido.Message("program_change", program=73)),
        control(0, 7, 100),
        control(0, 10, 0),
        control(0, 64, 127),
        *note(0, 12, 60),
        control(24, 64, 0),
        (48, mido.Message("program_change", program=40)),
        control(48, 7, 50),
        control(48, 10, 127),
        *note(48, 60, 62),
        end(96),
    ]
    first, second = read_timeline(written(events)).notes
    assert (first.program, first.gain, first.pan, first.end) == (73, 1.0, -1.0, 0.5)  # the pedal holds it
    assert (second.program, second.gain, second.pan, second.end) == (40, 0.25, 1.0, 1.25)
    heard = render(read_timeline(written(events)))
    left, right = level(heard[0, : RATE // 4]), level(heard[1, : RATE // 4])
    assert left > 3 * right


def test_a_faulty_file_is_heard_on_its_own_instruments():
    broken = written([(0, mido.Message("program_change", program=73)), *note(0, 48, 60), end(96)])
    # A key of 99 sharps, which other readers refuse.
    faulty = broken.replace(b"\x00\xc0\x49", b"\x00\xff\x59\x02\x63\x00\x00\xc0\x49")
    assert [one.program for one in read_timeline(faulty).notes] == [73]


def test_what_cannot_be_heard_is_said():
    data = clip((60, 0, 24))
    for tail in (-1, 31, float("nan")):
        with pytest.raises(UsageError, match="tail is"):
            wav_bytes(data, tail=tail)
    for rate in (0, 22_049, 96_001):
        with pytest.raises(UsageError, match="rate is"):
            wav_bytes(data, rate=rate)
    for program in (-1, 128):
        with pytest.raises(UsageError, match="program is"):
            wav_bytes(data, program=program)
    with pytest.raises(MidiError, match="is not a MIDI file"):
        wav_bytes(b"RIFFxxxxWAVE")
    with pytest.raises(MidiError, match="nothing to hear"):
        wav_bytes(written([end(0)]))
    with pytest.raises(MidiError, match="minutes"):
        wav_bytes(clip((60, 0, 24), (60, 96 * 999, 24), bars=1000, bpm=20))


def test_a_clip_of_more_notes_than_any_is_refused(monkeypatch):
    monkeypatch.setattr(synthesis, "MAX_NOTES", 3)
    notes = [(60 + i, 24 * i, 24) for i in range(4)]
    assert wav_bytes(clip(*notes[:3]))
    with pytest.raises(MidiError, match="has 4 notes, and sound is made of 3 at most"):
        wav_bytes(clip(*notes))


def test_the_page_has_the_same_voices():
    page = (Path(melodygru.__file__).parent / "studio" / "page" / "voices.js").read_text(encoding="utf-8")
    found = re.findall(r"^  (\w+): \{ attack: ([\d.]+), release: ([\d.]+), gain: ([\d.]+)", page, re.M)
    theirs = {name: tuple(map(float, numbers)) for name, *numbers in found}
    assert theirs == {name: (voice.attack, voice.release, voice.gain) for name, voice in VOICES.items()}
    groups = re.findall(r'"(\w+)"', page.split("const GROUPS = [")[1].split("]")[0])
    unlike = {
        int(at): name for at, name in re.findall(r'(\d+): "(\w+)"', page.split("const UNLIKE = {")[1].split("}")[0])
    }
    assert [unlike.get(program, groups[program >> 3]) for program in range(128)] == [
        voice_name(program) for program in range(128)
    ]
