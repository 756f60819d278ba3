"""Files in which a melody's notes are replaced: all else is there to the byte. Their bytes are read by a reader of the
tests' own.
"""

from collections import Counter
from dataclasses import replace
from io import BytesIO
from itertools import pairwise

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru import Melody, Note
from melodygru.errors import MidiError
from melodygru.formats.midi.parser import parse_midi, read_midi
from melodygru.formats.midi.performance import Performance
from melodygru.formats.midi.writer import midi_bytes
from melodygru.formats.reading import WHOLE
from melodygru.writing.editing import Tune
from melodygru.writing.recipe import Recipe
from tests.command_line import run
from tests.formats.midi.test_beats import PITCHES, WALTZ, played

PPQ, STEP = 96, 4
TEXT = '@Imelodygru {"x":1}'


def number(value, padding=0):
    """A number of variable length; with padding, longer than it need be."""
    found = [value & 0x7F]
    while value := value >> 7:
        found.append(value & 0x7F | 0x80)
    return bytes([0x80] * padding + found[::-1])


def chunk(body, kind=b"MTrk"):
    return kind + len(body).to_bytes(4, "big") + body


def track(timed, running=False, padding=0, end=None):
    """A track's chunk of (tick, message), in their order at equal ticks, as tightly as running status allows."""
    body, now, status = b"", 0, 0
    for tick, message in sorted(timed, key=lambda one: one[0]):
        short = running and message[0] == status
        body += number(tick - now, padding) + message[short:]
        now, status = tick, message[0] if message[0] < 0xF0 else 0
    return chunk(body + number(max(0, (end or now) - now)) + b"\xff\x2f\x00")


def header(tracks, kind=1):
    return chunk(b"\0" + bytes([kind]) + tracks.to_bytes(2, "big") + PPQ.to_bytes(2, "big"), b"MThd")


def meta(kind, payload):
    return bytes([0xFF, kind]) + number(len(payload)) + payload


def strokes(note, channel=0, velocity=80):
    """(tick, message) that strike a note of the melody and let it go."""
    return [
        (note.onset * STEP, bytes([0x90 | channel, note.pitch, velocity])),
        (note.end * STEP, bytes([0x80 | channel, note.pitch, 0])),
    ]


def chunks(data):
    """The chunks of a file, whole."""
    at, found = 0, []
    while at < len(data):
        end = at + 8 + int.from_bytes(data[at + 4 : at + 8], "big")
        found.append(data[at:end])
        at = end
    return found


def events(data):
    """(tick, message with its status) of a track's chunk, its end included."""
    at, tick, status, found = 8, 0, 0, []

    def read_number():
        nonlocal at
        value = 0
        while True:
            at += 1
            value = value << 7 | data[at - 1] & 0x7F
            if data[at - 1] < 0x80:
                return value

    while at < len(data):
        tick += read_number()
        if data[at] >= 0x80:
            status = data[at]
            at += 1
        assert status, "a running status that no event began"
        begin = at
        if status >= 0xF0:
            at += status == 0xFF
            size = read_number()
            at += size
        else:
            at += 1 if status & 0xE0 == 0xC0 else 2
        found.append((tick, bytes([status]) + data[begin:at]))
        status = status if status < 0xF0 else 0
    assert at == len(data)
    return found


def melody_of(pitches, durations=(24, 12, 12)):
    notes, at = [], 0
    for index, pitch in enumerate(pitches):
        notes.append(Note(pitch, at, durations[index % len(durations)]))
        at = notes[-1].end
    return Melody(tuple(notes))


# What the parser takes for the beginning of a track, where a length seems wrong, is left out.
contents = st.binary(max_size=200).filter(lambda body: b"MTr" not in body)
odd_messages = st.one_of(
    st.builds(lambda a, b, c: bytes([0xB0 | a, b, c]), st.integers(0, 3), st.integers(0, 127), st.integers(0, 127)),
    st.builds(lambda a, b: bytes([0xC0 | a, b]), st.integers(0, 3), st.integers(0, 127)),
    st.builds(lambda a, b, c: bytes([0xE0 | a, b, c]), st.integers(0, 3), st.integers(0, 127), st.integers(0, 127)),
    st.builds(lambda a, b, c: bytes([0xA0 | a, b, c]), st.integers(0, 3), st.integers(0, 127), st.integers(0, 127)),
    st.builds(lambda body: b"\xf0" + number(len(body) + 1) + body + b"\xf7", contents),
    st.builds(lambda body: b"\xf7" + number(len(body)) + body, st.binary(max_size=5)),
    # Lyrics, markers, ports, and what no standard knows.
    st.builds(
        meta,
        st.sampled_from([1, 2, 5, 6, 0x20, 0x21, 0x54, 0x60, 0x7F]),
        st.binary(max_size=150).filter(lambda body: b"MTr" not in body),
    ),
    st.just(meta(5, "Größe".encode("latin-1"))),
)
odd_events = st.lists(st.tuples(st.integers(0, 16 * PPQ), odd_messages), max_size=12)


@st.composite
def files(draw):
    """(bytes, tracks, number of the melody's from 0, the melody, what else stands in its track)."""
    pitches = draw(st.lists(st.integers(60, 84), min_size=12, max_size=30))
    melody = melody_of(pitches, draw(st.sampled_from([(24,), (24, 12, 12), (36, 12), (6, 6, 12)])))
    channel = draw(st.integers(0, 3))
    beside = draw(odd_events)
    kind = draw(st.sampled_from(["alone", "chords", "channels"]))
    if kind != "alone":
        # Below each note another, of its length: chords on its channel, or another part on another one.
        other = channel if kind == "chords" else channel + 4
        beside += [one for note in melody.notes for one in strokes(replace(note, pitch=note.pitch - 12), other)]
    # With its metre: an estimated one would move the bar lines, and with them the melody's grid.
    own = [
        (0, meta(3, b"Melody")),
        (0, meta(0x58, bytes([4, 2, 24, 8]))),
        *beside,
        *(one for note in melody.notes for one in strokes(note, channel)),
    ]
    others = []
    for index in range(draw(st.integers(0, 3))):
        theirs = [(0, meta(3, b"Bass %d" % index)), *draw(odd_events)]
        # Unisons with the melody on its channel, struck twice and for no time too, and notes that never end.
        for note in draw(st.lists(st.sampled_from(melody.notes), max_size=6)):
            theirs += strokes(replace(note, duration=draw(st.sampled_from([note.duration, 1, 100]))), channel)
            theirs += [(note.onset * STEP, bytes([0x90 | channel, note.pitch, velocity])) for velocity in (9, 0)]
        theirs += [(10, bytes([0x90 | channel, 40, 1]))] if draw(st.booleans()) else []
        others.append(track(theirs, draw(st.booleans()), draw(st.integers(0, 2))))
    home = draw(st.integers(0, len(others)))
    end = melody.length * STEP + draw(st.sampled_from([0, 400]))
    made = [*others[:home], track(own, draw(st.booleans()), draw(st.integers(0, 2)), end), *others[home:]]
    if draw(st.booleans()):
        made.insert(draw(st.integers(0, home)), chunk(draw(contents), b"XFIH"))
    tail = chunk(draw(contents), b"XFKM") if draw(st.booleans()) else b""
    return header(len(others) + 1, int(bool(others))) + b"".join(made) + tail


def is_note(message):
    return message[0] & 0xE0 == 0x80


@given(files(), st.data())
def test_all_but_the_melodys_notes_stays_to_the_byte(data, draw):
    tune = Tune.parse(data, "x")
    old = tune.melody
    first, last = sorted(draw.draw(st.tuples(*[st.integers(0, len(old.notes) - 1)] * 2)))
    gone = old.notes[first : last + 1]
    pitches = draw.draw(st.lists(st.integers(86, 100), min_size=len(gone), max_size=len(gone)))
    new = [replace(note, pitch=pitch) for note, pitch in zip(gone, pitches, strict=True)][
        draw.draw(st.integers(0, 1)) :
    ]
    changed = replace(old, notes=(*old.notes[:first], *new, *old.notes[last + 1 :]), bars=old.bars)
    made = tune.rewritten(changed, TEXT)
    before, after = chunks(data), chunks(made)
    home = next(number for number, one in enumerate(before) if b"\xff\x03\x06Melody" in one)
    assert before[:home] + before[home + 1 :] == after[:home] + after[home + 1 :]
    # In its own track: what stood there and is no note of the melody's, in its order; and what was put in.
    channel = tune.extraction.notes[0].channel
    taken = Counter(one for note in gone for one in strokes(note, channel))
    kept = []
    for tick, message in events(before[home]):
        plain = (tick, message[:2] + b"\x50") if message[0] & 0xF0 == 0x90 else (tick, message)
        if taken[plain]:
            taken[plain] -= 1
        else:
            kept.append((tick, message))
    assert not +taken
    found = events(after[home])
    rest = iter(found)
    assert all(one in rest for one in kept)
    put = Counter(found) - Counter(kept)
    loud = {message[2] for _, message in put if message[0] & 0xF0 == 0x90}
    assert {(tick, message[:2]) for tick, message in put if is_note(message)} == {
        (tick, message[:2]) for note in new for tick, message in strokes(note, channel)
    }
    assert all(1 <= velocity <= 127 for velocity in loud)
    assert [message for _, message in put if not is_note(message)] == [meta(1, TEXT.encode())]
    again = parse_midi(made)
    assert [one for one in again.texts if one.startswith("@Imelodygru")] == [TEXT]
    assert parse_midi(data).faults == again.faults


def wrapped(data, how):
    if how == "riff":
        inner = data + b"\0" * (len(data) % 2)
        body = b"RMIDdata" + len(data).to_bytes(4, "little") + inner + b"LIST\x04\0\0\0INFO"
        return b"RIFF" + len(body).to_bytes(4, "little") + body
    if how == "mac":
        head = bytearray(128)
        head[1:6], head[65:69], head[83:87] = b"\x04song", b"Midi", len(data).to_bytes(4, "big")
        return bytes(head) + data + b"\0" * (-len(data) % 128) + b"resource fork"
    return data + {"slack": b"\0\0\0what lay on the disk", "plain": b""}[how]


@pytest.mark.parametrize("how", ["riff", "mac", "slack", "plain"])
def test_a_wrapped_file_comes_out_plain(how):
    melody = melody_of([60, 62, 64, 65] * 4)
    data = midi_bytes(melody)
    tune = Tune.parse(wrapped(data, how), "x")
    changed = replace(melody, notes=(replace(melody.notes[0], pitch=61), *melody.notes[1:]))
    made = tune.rewritten(changed, TEXT)
    assert made[:14] == data[:14]
    assert made == Tune.parse(data, "x").rewritten(changed, TEXT) + wrapped(b"", how) * (how == "slack")
    assert Tune.parse(made, "x").melody.notes == changed.notes


def two_hands(path):
    """Right and left hand on one channel; the left strikes some of the melody's notes too."""
    melody = melody_of([72, 74, 76, 77] * 4, (24,))
    left = [*melody.notes[:2], *(Note(48 + i, 96 * i, 96) for i in range(4)), *melody.notes[5:7]]
    hands = [
        track([(0, meta(3, name)), *(one for note in hand for one in strokes(note))])
        for name, hand in ((b"Melody", melody.notes), (b"Left hand", left))
    ]
    path.write_bytes(header(3) + track([(0, meta(0x51, b"\x07\xa1\x20"))]) + b"".join(hands))


@pytest.mark.parametrize("command", [["infill", "--bars", "1-2"], ["vary", "--amount", 1]])
def test_the_other_hand_keeps_what_it_strikes_with_the_melody(here, command):
    two_hands(here / "in.mid")
    assert run(command[0], "in.mid", "out.mid", *command[1:], "--model", "toy", "--seed", 1, "--best-of", 2) == 0
    before, after = (chunks((here / name).read_bytes()) for name in ("in.mid", "out.mid"))
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, True, False, True]
    assert run("replay", "out.mid") == 0


def test_what_is_written_once_more_is_made_again(here):
    """generate -> infill -> vary -> infill -> replay; the one recipe is that of the last."""
    for extra in (["--render-chords", "--chords", "Am F C G"], ["--humanize", 0.6], ["--pickup", "1/4"]):
        assert run("generate", "--model", "toy", "--bars", 8, "--seed", 2, *extra, "a.mid", "--force") == 0
        steps = [["infill", "--bars", "2-3"], ["vary", "--amount", 0.3], ["infill", "--bars", "6-7"]]
        for number_, step in enumerate(steps):
            names = [f"{'abcd'[number_ + place]}.mid" for place in (0, 1)]
            asked = ["--model", "toy", "--seed", 3, "--best-of", 2, "--force"]
            assert run(step[0], *names, *step[1:], *asked) == 0
            told = [text for text in read_midi(names[1]).texts if text.startswith("@Imelodygru")]
            assert len(told) == 1
            assert Recipe.find(told).command == step[0]
            before, after = (chunks((here / name).read_bytes()) for name in names)
            # The head of the file, where the recipe stands, the melody, and chords, of which none changes.
            assert before[0] == after[0]
            assert before[3:] == after[3:]
        assert run("replay", "d.mid") == 0


def test_a_recipe_stays_in_the_track_that_it_stands_in():
    melody = melody_of([60, 62, 64, 65] * 4)
    data = midi_bytes(melody, Performance(midi_format=1), text='@Imelodygru {"old":1}')
    changed = replace(
        melody, notes=(replace(melody.notes[3], onset=melody.notes[3].onset, pitch=71), *melody.notes[4:])
    )
    made = chunks(Tune.parse(data, "x").rewritten(changed, TEXT))
    assert meta(1, TEXT.encode()) in made[1]
    assert all(b"@Imelodygru" not in one for one in made[2:])
    assert b"old" not in made[1]


def test_what_cannot_be_edited_is_named(tmp_path):
    melody = melody_of([60, 62, 64, 65] * 4)
    (tmp_path / "x.mid").write_bytes(midi_bytes(melody))
    tune = Tune.read(tmp_path / "x.mid")
    other = replace(tune, data=midi_bytes(melody.transpose(1)))
    with pytest.raises(MidiError, match=r"x\.mid is faulty in a way that reading survives and writing does not"):
        other.rewritten(melody.transpose(2), TEXT)


def test_notes_of_one_pitch_that_overlap_lose_their_own_ends():
    """First in, first out: the release after a note that goes may be another's."""
    notes = melody_of([72] * 12).notes
    timed = []
    for index, note in enumerate(notes):
        longer = note.duration * STEP + (5 if index + 1 < len(notes) and notes[index + 1].onset == note.end else 0)
        timed += [(note.onset * STEP, b"\x90\x48\x50"), (note.onset * STEP + longer, b"\x80\x48\x00")]
    data = header(1, 0) + track(timed)
    tune = Tune.parse(data, "x")
    changed = replace(
        tune.melody, notes=(*tune.melody.notes[:2], replace(tune.melody.notes[2], pitch=76), *tune.melody.notes[3:])
    )
    made = parse_midi(tune.rewritten(changed, TEXT)).tracks[0].notes
    stays = [note for index, note in enumerate(parse_midi(data).tracks[0].notes) if index != 2]
    assert [note for note in made if note.pitch == 72] == stays


def hummed():
    """A file without metre that was played without a click."""
    stream, now = mido.MidiFile(ticks_per_beat=480, tracks=[mido.MidiTrack()]), 0
    ticks = [max(0, round(960 * at)) for at in played(WALTZ, 0.15)]
    for i, (one, two) in enumerate(pairwise(ticks)):
        stream.tracks[0].append(mido.Message("note_on", note=PITCHES[i % 8], velocity=80, time=one - now))
        stream.tracks[0].append(mido.Message("note_off", note=PITCHES[i % 8], time=two - one))
        now = two
    held = BytesIO()
    stream.save(file=held)
    return held.getvalue()


def test_a_file_that_was_estimated_is_read_in_the_same_way_from_its_recipe_whoever_judges():
    data = hummed()

    def judge(melodies):
        return [100.0 * number for number in range(len(melodies), 0, -1)]

    tune = Tune.parse(data, "x", judge=judge)
    told = tune.read_as(WHOLE)
    assert set(told) == {"meter", "pickup", "key", "pace"}
    assert Tune.parse(data, "x", replace(WHOLE, **told)).melody == tune.melody
    stated = Tune.parse(midi_bytes(tune.melody), "x", judge=judge)
    assert stated.read_as(WHOLE) == {}


def test_new_notes_lie_on_the_beats_of_the_player():
    tune = Tune.parse(hummed(), "x")
    gone = tune.melody.notes[20]
    other = replace(gone, pitch=gone.pitch + 1)
    changed = replace(tune.melody, notes=tuple(other if note == gone else note for note in tune.melody.notes))
    before, after = ({note.onset for note in parse_midi(data).tracks[0].notes} for data in
                     (tune.data, tune.rewritten(changed, TEXT)))  # fmt: skip
    assert before == after
