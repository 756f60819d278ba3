"""Expression shapes loudness by rule, and the tempo if asked to; notes stay where they are."""

from io import BytesIO
from itertools import pairwise
from statistics import mean

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru import Key, Melody, Note, TimeSignature
from melodygru.errors import UsageError
from melodygru.formats.midi.expression import louder, tempos
from melodygru.formats.midi.performance import Performance, perform
from melodygru.formats.midi.writer import midi_bytes
from tests.command_line import run
from tests.strategies import melodies

EVEN = Melody(tuple(Note(60, 24 * i, 24) for i in range(32)), qpm=60)


def test_a_phrase_grows_to_its_middle_and_falls_away():
    made = louder(EVEN, 1)
    for phrase in (made[:16], made[16:]):
        assert phrase[8] == max(phrase) == 6  # two decibels above the mean, at three steps of velocity each
        assert phrase[0] == min(phrase) == -6
        assert all(one <= two for one, two in pairwise(phrase[:9]))
        assert all(one >= two for one, two in pairwise(phrase[8:]))
    assert louder(EVEN, 0) == [0] * 32
    assert max(louder(EVEN, 0.5)) == 3


def test_high_short_and_far_notes_are_heard():
    """All at the same place in the bar of phrases of their own."""

    def at(pitch, duration, qpm=60):
        notes = (*(Note(p, 384 * i, 24) for i, p in enumerate((60, 60))), Note(pitch, 768, duration))
        return louder(Melody(notes, key=Key.parse("C"), qpm=qpm, bars=12), 1)[2]

    assert at(72, 24) - at(60, 24) == 9  # an octave: three decibels
    assert at(84, 24) - at(60, 24) == 12  # and never more than four
    assert at(60, 6, 75) - at(60, 24, 75) == -2  # a sixteenth of 200 ms
    above, tonic = at(61, 24), at(60, 24)
    assert above - tonic > 3 / 12 * 3  # the second step of the circle's far side, beyond its height


@given(melodies(min_notes=1), st.floats(0, 1), st.sampled_from([1, 64, 127]), st.floats(0, 1))
def test_velocities_are_legal_and_notes_stay(melody, amount, velocity, humanize):
    straight = perform(melody, Performance(velocity=velocity))
    shaped = perform(melody, Performance(velocity=velocity, expression=amount))
    assert [(n.onset, n.end, n.pitch) for n in straight] == [(n.onset, n.end, n.pitch) for n in shaped]
    both = perform(melody, Performance(velocity=velocity, expression=amount, humanize=humanize))
    assert all(1 <= note.velocity <= 127 for note in (*shaped, *both))


@given(melodies(min_notes=1), st.floats(0, 1))
def test_the_tempo_bends_and_ticks_do_not(melody, amount):
    plain = mido.MidiFile(file=BytesIO(midi_bytes(melody)), charset="utf-8")
    played = Performance(expression=amount, expression_time=True)
    bent = mido.MidiFile(file=BytesIO(midi_bytes(melody, played)), charset="utf-8")

    def others(file):
        at, found = 0, []
        for message in file.tracks[0]:
            at += message.time
            if message.type not in ("set_tempo", "note_on"):
                found.append((at, str(message.copy(time=0))))
        return found

    assert others(plain) == others(bent)
    assert sum(m.time for m in plain.tracks[0]) == sum(m.time for m in bent.tracks[0])
    found = [mido.tempo2bpm(m.tempo) for m in bent.tracks[0] if m.type == "set_tempo"]
    assert found[0] == pytest.approx(melody.qpm, rel=1e-3)
    assert all(0.74 * melody.qpm <= qpm <= 1.07 * melody.qpm for qpm in found)


def test_it_slows_down_at_the_end_alone():
    found = dict(tempos(EVEN, 1))
    assert all(qpm >= 60 for step, qpm in found.items() if step <= 672)
    last = [found[step] for step in (696, 720, 744)]
    assert 60 * 0.75 < last[2] < last[1] < last[0] < 60
    assert mean(qpm for step, qpm in found.items() if step < 384) > 61
    assert list(tempos(EVEN, 0)) == []
    waltz = Melody((Note(60, 36, 36), Note(62, 72, 36)), TimeSignature(6, 8), pickup=36, bars=2)
    assert next(iter(dict(tempos(waltz, 1)))) > 36  # a pickup is where the first phrase begins


def test_expression_in_time_needs_some_and_a_tempo(here, capsys):
    with pytest.raises(UsageError, match="--expression-time and --no-tempo contradict"):
        Performance(expression=1, expression_time=True, no_tempo=True).check(TimeSignature())
    assert run("generate", "--model", "folk", "--bars", 2, "--expression-time", "a.mid") == 2
    assert "--expression-time has no meaning without --expression" in capsys.readouterr().err
    asked = ("--expression", 0.7, "--expression-time", "--seed", 1, "--render-chords", "--chords", "C G")
    assert run("generate", "--model", "folk", "--bars", 2, *asked, "b.mid") == 0
    assert run("replay", "b.mid") == 0
    assert Melody.from_midi("b.mid").qpm == 120
