"""A bass on a staff of its own, as music21 and our own reader see it."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melodygru.formats.notation.bass_staff import bass_line
from melodygru.formats.notation.engraving import written
from melodygru.formats.notation.musicxml import musicxml
from melodygru.music.melody import Melody, Note
from melodygru.music.theory import Key, TimeSignature
from melodygru.music.tracks import BASS, Stroke, Track

pytestmark = pytest.mark.filterwarnings("ignore")


def melody_of(metre="4/4", bars=4, pickup=0):
    time = TimeSignature.parse(metre)
    bar = time.bar_steps
    notes = [Note(72, bar - pickup, pickup)] if pickup else []
    notes += [Note(67 + n % 5, (n + bool(pickup)) * bar, bar) for n in range(bars)]
    return Melody(tuple(notes), time, Key(7), 100.0, "Tune", pickup, bars)


def bass_of(*strokes):
    return Track(BASS, 33, tuple(sorted(Stroke(*one, 0) for one in strokes)))


def parts_in(data):
    from music21 import converter

    return converter.parseData(data, format="musicxml").parts


@pytest.mark.parametrize(("metre", "pickup"), [("4/4", 0), ("3/4", 24), ("6/8", 12)])
def test_the_bass_has_its_own_staff_with_the_same_bars(metre, pickup):
    melody = melody_of(metre, 4, pickup)
    bar, first = melody.time_signature.bar_steps, bool(pickup)
    bass = bass_of(*(((n + first) * bar + at, (n + first) * bar + at + 24, 40 + n) for n in range(4) for at in (0, 24)))
    upper, lower = parts_in(musicxml(melody, (), bass))
    assert [part.partName for part in (upper, lower)] == ["Melody", "Bass"]
    bars = [[m.barDuration.quarterLength for m in part.getElementsByClass("Measure")] for part in (upper, lower)]
    assert bars[0] == bars[1]
    assert [n.pitch.midi for n in upper.recurse().notes] == [note.pitch for note in melody.notes]
    heard = lower.stripTies().flatten().notes
    origin = pickup - bar if pickup else 0  # the score begins with the pickup
    assert [(round(n.offset * 24), n.pitch.midi) for n in heard] == [(o + origin, p) for o, _, p, _ in bass.strokes]


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 63), st.integers(1, 16), st.integers(28, 50)), min_size=1), st.booleans())
def test_of_several_notes_the_lowest_is_written_and_none_over_the_next(strokes, pickup):
    melody = melody_of("4/4", 4, 24 if pickup else 0)
    bass = bass_of(*((6 * at, 6 * (at + long), pitch) for at, long, pitch in strokes))
    line = bass_line(melody, bass)
    begins = {}
    for stroke in bass.strokes:
        if stroke.onset >= (96 if pickup else 0):
            begins[stroke.onset] = min(stroke.pitch, begins.get(stroke.onset, 127))
    heard = line.notes[1:] if pickup else line.notes
    assert {note.onset: note.pitch for note in heard} == begins
    assert line.length == melody.length


def test_pages_have_both_staves_and_scores_without_a_bass_are_as_before():
    melody, bass = melody_of(), bass_of(*((96 * n, 96 * n + 96, 36) for n in range(4)))
    alone, both = (written(melody, (), ".svg", bass=one).decode() for one in (None, bass))
    assert len(re.findall('class="staff"', both)) == 2 * len(re.findall('class="staff"', alone)) > 0
    assert written(melody, (), ".pdf", bass=bass) != written(melody, (), ".pdf")
    assert musicxml(melody, (), Track(BASS, 33, ())).count(b"<part ") == 1
    assert written(melody, (), ".abc", bass=bass) == written(melody, (), ".abc")
