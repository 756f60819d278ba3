"""Files are written as mido writes them, to the byte."""

from io import BytesIO

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru.formats.midi import events
from melodygru.music.theory import Key, name_on_line
from tests.command_line import run

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
CHANNELS, DATA = st.integers(0, 15), st.integers(0, 127)
KINDS = {events.TEXT: ("text", "text"), events.TRACK_NAME: ("track_name", "name"), events.MARKER: ("marker", "text")}


def pairs():
    """An event of ours, and mido's message of the same."""
    return st.one_of(
        st.builds(
            lambda c, p, v: (events.note_on(c, p, v), mido.Message("note_on", channel=c, note=p, velocity=v)),
            *(CHANNELS, DATA, DATA),
        ),
        st.builds(
            lambda c, p: (events.note_off(c, p), mido.Message("note_off", channel=c, note=p, velocity=0)),
            CHANNELS,
            DATA,
        ),
        st.builds(
            lambda c, p: (events.program_change(c, p), mido.Message("program_change", channel=c, program=p)),
            *(CHANNELS, DATA),
        ),
        st.builds(
            lambda kind, text: (events.words(kind, text), mido.MetaMessage(KINDS[kind][0], **{KINDS[kind][1]: text})),
            *(st.sampled_from(sorted(KINDS)), TEXTS),
        ),
        st.builds(
            lambda qpm: (events.tempo(qpm), mido.MetaMessage("set_tempo", tempo=round(6e7 / qpm))), st.floats(10, 400)
        ),
        st.builds(
            lambda n, d, clocks: (
                events.time_signature(n, 2**d, clocks),
                mido.MetaMessage("time_signature", numerator=n, denominator=2**d, clocks_per_click=clocks),
            ),
            *(st.integers(1, 255), st.integers(0, 6), st.integers(0, 255)),
        ),
    )


TRACKS = st.lists(st.tuples(st.integers(0, 1 << 21), pairs()), max_size=12)


@given(st.lists(TRACKS, min_size=1, max_size=3), st.integers(1, 32767), st.integers(0, 1 << 21))
def test_every_byte_is_as_mido_writes_it(tracks, ppq, rest):
    ours, theirs = [], []
    for told in tracks:
        tick, own, line = 0, [], mido.MidiTrack()
        for delta, (event, message) in told:
            tick += delta
            own.append((tick, event))
            line.append(message.copy(time=delta))
        line.append(mido.MetaMessage("end_of_track", time=rest))
        ours.append(events.track(own, tick + rest))
        theirs.append(line)
    file = mido.MidiFile(type=int(len(tracks) > 1), ticks_per_beat=ppq, charset="utf-8", tracks=theirs)
    out = BytesIO()
    file.save(file=out)
    assert events.file_of(ours, ppq) == out.getvalue()


@pytest.mark.parametrize("mode", ["major", "minor", "dorian", "lydian", "phrygian"])
def test_key_signatures_are_mido_s(mode):
    for tonic in ["C", "G", "D", "A", "E", "B", "F", "Bb", "Eb", "F#", "C#"]:
        key = Key.parse(f"{tonic} {mode}")
        name = f"{key.tonic_name}m" if mode == "minor" else name_on_line(key.fifths)
        assert events.key_signature(key) == bytes(mido.MetaMessage("key_signature", key=name).bytes())


def test_events_out_of_order_are_a_mistake_of_the_caller_s():
    with pytest.raises(ValueError, match="tick 3 comes after tick 5"):
        events.track([(5, events.note_off(0, 60)), (3, events.note_off(0, 61))], 9)


@pytest.mark.parametrize(("qpm", "tempo"), [(0.5, (1 << 24) - 1), (3.58, 16759777), (4, 15_000_000), (1000, 60_000)])
def test_no_tempo_is_slower_than_the_format_has(qpm, tempo):
    assert events.tempo(qpm)[-3:] == tempo.to_bytes(3, "big")


def test_a_text_that_is_none_is_written_as_well_as_can_be():
    assert events.words(events.TEXT, "a\udcffb") == events.words(events.TEXT, "a?b")


def test_a_slow_tune_slows_down_at_its_end_too(here):
    assert run("generate", "--model", "toy", "--bpm", "4", "--expression", "1", "--expression-time", "a.mid") == 0
    tempi = [message.tempo for message in mido.MidiFile("a.mid").tracks[0] if message.type == "set_tempo"]
    assert max(tempi) > 15_000_000 == round(60_000_000 / 4)
