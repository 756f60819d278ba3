"""The tempo changes of a file, by the steps of its melody."""

from io import BytesIO
from random import Random

import mido
import pytest

from melodygru.formats.midi.extraction import extract
from melodygru.formats.midi.parser import parse_midi
from melodygru.formats.midi.tempo_map import MOST, seconds_under, tempi_under
from melodygru.formats.midi.writer import midi_bytes

PPQ = 480


def file_of(tempi, quarters=16):
    """A scale in quarters, under tempo changes: (tick, microseconds a quarter)."""
    head, now = mido.MidiTrack([mido.MetaMessage("time_signature", numerator=4, denominator=4)]), 0
    for tick, tempo in tempi:
        head.append(mido.MetaMessage("set_tempo", tempo=tempo, time=tick - now))
        now = tick
    tune = mido.MidiTrack()
    for number in range(quarters):
        tune.append(mido.Message("note_on", note=60 + number % 8, velocity=80))
        tune.append(mido.Message("note_off", note=60 + number % 8, time=PPQ))
    data = BytesIO()
    mido.MidiFile(tracks=[head, tune], ticks_per_beat=PPQ).save(file=data)
    return data.getvalue()


def read(data):
    raw = parse_midi(data)
    found = extract(raw, "a")
    return found.melodies[0], tempi_under(raw, found)


def test_what_is_written_under_a_melody_is_read_again():
    chance = Random(3)
    for _ in range(20):
        steps = sorted(chance.sample(range(1, 380), chance.randrange(1, 9)))
        tempi = [(0, 500_000), *((step * PPQ // 24, chance.randrange(200_000, 2_000_000)) for step in steps)]
        melody, found = read(file_of(tempi))
        assert [(step * PPQ // 24, round(60_000_000 / qpm)) for step, qpm in found] == tempi
        again, same = read(midi_bytes(melody, tempi=found))
        assert (again.notes, same) == (melody.notes, found)
        ends = [*(tick for tick, _ in tempi[1:]), 16 * PPQ]
        lasts = sum((end - tick) / PPQ * tempo / 1e6 for (tick, tempo), end in zip(tempi, ends, strict=True))
        assert seconds_under(melody, found) == pytest.approx(lasts)


@pytest.mark.parametrize(
    ("tempi", "kept"),
    [
        ([], ()),
        ([(0, 600_000)], ()),
        ([(0, 600_000), (960, 600_000)], ()),
        ([(960, 1_000_000)], ((0, 120.0), (48, 60.0))),  # 120 until something else is said
        ([(0, 500_000), (961, 1_000_000), (962, 750_000)], ((0, 120.0), (48, 80.0))),  # the later of one step
        ([(0, 500_000), (100 * PPQ, 750_000)], ()),  # behind the end
        ([(0, 500_000), (960, 0)], ()),
        ([(0, 500_000), (960, 16_000_000)], ((0, 120.0), (48, 4.0))),  # the slowest that a melody may be
    ],
)
def test_changes_are_those_under_the_melody(tempi, kept):
    melody, found = read(file_of(tempi))
    assert found == kept
    assert seconds_under(melody, ()) == melody.seconds


def test_more_changes_than_are_kept_are_none():
    quarters = MOST // 24 + 8
    tempi = [(step * PPQ // 24, 500_000 + step % 2) for step in range(MOST + 1)]
    assert read(file_of(tempi, quarters))[1] == ()
    assert len(read(file_of(tempi[:-1], quarters))[1]) == MOST
