"""Files made to stall their reader: each is refused with its reason, or read, before any of the work would cost much.

Time is not measured here. What is counted is how much a reader makes of a small file.
"""

import struct
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru.data.shards import read_shard
from melodygru.errors import MidiError
from melodygru.formats.midi import chunks
from melodygru.formats.midi.extraction import MAX_NOTES, ExtractionConfig, extract
from melodygru.formats.midi.parser import LONGEST_NOTE, MAX_QUARTERS, parse_midi
from melodygru.formats.midi.splice import HEAD, events, tracks
from melodygru.formats.reading import parse
from melodygru.formats.sound.timeline import read_timeline
from melodygru.network.config import ContextConfig, TokenizerConfig
from melodygru.network.tokenizer import Tokenizer

END = b"\xff\x2f\x00"
FAR = b"\xff\xff\xff\x7f"  # the largest delta that the format allows
ENDLESS = b"\xff" * 12 + b"\x7f"
METRE = b"\x00\xff\x58\x04\x04\x02\x18\x08"


def midi(body, tpq=480):
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, tpq) + b"MTrk" + struct.pack(">I", len(body)) + body


def strokes(count, delta=b"\x83\x60", pitches=(60, 62, 64, 65)):
    """Notes that last and follow one another by `delta`."""
    pairs = ((b"\x00", pitches[i % len(pitches)]) for i in range(count))
    return b"".join(rest + bytes((0x90, pitch, 80)) + delta + bytes((0x80, pitch, 0)) for rest, pitch in pairs)


TUNE = METRE + strokes(8)
LAST = b"\x00\x90\x43\x50"
BOMBS = {
    "the last note ends after a delta of the largest size": (LAST + FAR + b"\x80\x43\x00\x00", 9),
    "the same, with a delta of 13 bytes": (LAST + ENDLESS + b"\x80\x43\x00\x00", 9),
    "the last note is never let go, and the track ends far away": (LAST + FAR, 9),
    "the track alone ends far away": (FAR, 8),
    "a chord is never let go": (LAST + b"\x00\x47\x50\x00\x4a\x50" + FAR, 9),
}


@pytest.mark.parametrize(
    ("tpq", "quarter"), [(1, b"\x01"), (24, b"\x18"), (480, b"\x83\x60"), (0x7FFF, b"\x81\xff\x7f")]
)
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_far_end_costs_nothing(bomb, tpq, quarter, tmp_path):
    end, notes = BOMBS[bomb]
    data = midi(METRE + strokes(8, quarter) + end + END, tpq)
    path = tmp_path / "bomb.mid"
    path.write_bytes(data)
    tracemalloc.start()
    [melody] = parse(data, "bomb.mid").melodies
    shard = read_shard([str(path)], ExtractionConfig(), TokenizerConfig(), ContextConfig())
    timeline = read_timeline(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [note.duration for note in melody.notes] == [24] * 8 + [24 * chunks.UNRELEASED] * (notes - 8)
    assert melody.bars == timeline.bars == (3 if notes > 8 else 2)
    assert len(shard.durations) < 20
    assert peak < 5_000_000


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            midi(TUNE + FAR + strokes(8) + b"\x00" + END, tpq=24),
            rf"lasts [\d,]+ quarter notes, more than the {MAX_QUARTERS:,}",
        ),
        (midi(TUNE + ENDLESS + strokes(8) + b"\x00" + END, tpq=24), "quarter notes"),
        (midi(b"\x00\xff\x51\x03\xff\xff\xff" + strokes(9, b"\xcf\x00") + b"\x00" + END, tpq=3), "hours"),
        (midi(strokes(MAX_NOTES + 1, b"\x01") + b"\x00" + END, tpq=1), f"melody of over {MAX_NOTES:,} notes"),
    ],
)
def test_what_no_piece_has_is_refused_with_its_limit(data, words):
    with pytest.raises(MidiError, match=words) as caught:
        parse(data, "long.mid")
    assert str(caught.value).endswith("leave it out.")


def test_events_are_counted(monkeypatch):
    monkeypatch.setattr(chunks, "MAX_EVENTS", 40)
    few = b"MTrk" + struct.pack(">I", 8 * 15 + 4) + strokes(15, b"\x60") + b"\x00" + END
    head = b"MThd" + struct.pack(">IHHH", 6, 1, 2, 480)
    with pytest.raises(MidiError, match="has over 40 events"):
        parse_midi(head + few + few)  # the tracks share the budget
    assert len(parse_midi(head + few).tracks) == 1


def test_endless_quantities_end_the_track_at_once():
    data = midi(TUNE + b"\xff" * 300_000 + LAST + b"\x00" + END)
    assert len(parse_midi(data).tracks[0].notes) == 8


@pytest.mark.parametrize("before", [b"", b"\xff\x01", b"\xf0"])
def test_whoever_hears_or_changes_a_file_takes_endless_quantities_as_its_reader_does(before):
    data = midi(TUNE + b"\x00" * bool(before) + before + b"\xff" * 1_000_000 + b"\x00" + END)
    assert len(read_timeline(data).notes) == len(parse_midi(data).tracks[0].notes) == 8
    ((begin, end),) = tracks(data)
    assert list(events(data, begin + HEAD, end))[-1].tick == parse_midi(data).tracks[0].notes[-1].end


def test_many_metres_are_read_in_one_pass(monkeypatch):
    """As many sections as notes: each looks at its own notes alone."""
    body = b"".join(bytes((0, 0xFF, 0x58, 4, 2 + i % 9, 2, 24, 8)) + strokes(2, b"\x83\x60") for i in range(2_000))
    looked = []
    taken = extract.__globals__["Note"]
    monkeypatch.setitem(extract.__globals__, "Note", lambda *told: looked.append(told) or taken(*told))
    extract(parse_midi(midi(body + b"\x00" + END)), "many", ExtractionConfig(min_notes=1))
    assert len(looked) <= 4_000


@given(
    st.binary(min_size=1, max_size=12),
    st.sampled_from([1, 2, 96, 480, 32767]),
    st.integers(0, len(TUNE)),
    st.booleans(),
)
def test_a_broken_length_anywhere_leaves_a_bounded_piece_or_a_reason(junk, tpq, place, last):
    """Whatever is read can be laid out and encoded: what comes out is bounded by what went in."""
    body = TUNE[:place] + bytes(byte | 0x80 for byte in junk) + TUNE[place:]
    data = midi(body + (FAR if last else b"\x00") + END, tpq)
    try:
        melodies = parse(data, "a.mid").melodies
    except MidiError:
        return
    for melody in melodies:
        assert melody.bars <= 100 * (len(melody.notes) + 1) + LONGEST_NOTE * (len(melody.notes) + 1)
        events = Tokenizer(TokenizerConfig()).encode(melody)
        assert len(events.durations) < 100_000
