"""Melodies go out as other libraries' objects and come back the same."""

import warnings
from io import BytesIO

import mido
import pytest
from hypothesis import given, settings

from melodygru.errors import MidiError, UsageError
from melodygru.formats.midi.writer import midi_bytes
from melodygru.formats.reading import parse
from melodygru.music.melody import Melody
from tests.strategies import melodies
from tests.tunes import tune

MAKERS = {
    "pretty_midi": Melody.to_pretty_midi,
    "music21": Melody.to_music21,
    "symusic": Melody.to_symusic,
    "muspy": Melody.to_muspy,
    "partitura": Melody.to_partitura,
    "mido": lambda melody: mido.MidiFile(file=BytesIO(midi_bytes(melody))),
}


def facts(melody):
    """What every one of these objects keeps."""
    return melody.notes, melody.time_signature, melody.pickup


@pytest.mark.parametrize("library", MAKERS)
def test_a_tune_comes_back(library):
    melody = tune(3)
    back = Melody.from_object(MAKERS[library](melody))
    assert facts(back) == facts(melody)
    assert back.qpm == pytest.approx(melody.qpm, rel=1e-3)
    assert back.key.fifths == melody.key.fifths


@pytest.mark.parametrize("library", ["symusic", "mido"])
@settings(max_examples=20, deadline=None)
@given(melody=melodies(min_notes=1))
def test_an_object_is_read_as_the_file_of_it_is(library, melody):
    of_file = parse(midi_bytes(melody), "melody.mid").melodies
    assert Melody.from_object(MAKERS[library](melody)).notes in [one.notes for one in of_file]


def test_each_library_has_a_name_of_its_own():
    melody = tune(3)
    for library in ("pretty_midi", "music21", "symusic", "muspy", "partitura"):
        read = getattr(Melody, f"from_{library}")
        assert read(MAKERS[library](melody)).notes == melody.notes


def test_the_part_can_be_said():
    score = tune(3).to_symusic()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        midi = tune(5).to_pretty_midi()
        midi.instruments[0].name = "Lead"
        other = tune(3).transpose(-12).to_pretty_midi().instruments[0]
    other.name = "Bass"
    midi.instruments.append(other)
    assert [note.pitch for note in Melody.from_pretty_midi(midi, track="Bass").notes] == [
        note.pitch - 12 for note in Melody.from_symusic(score).notes
    ]


def test_what_is_no_music_is_said():
    with pytest.raises(UsageError, match=r"^A list of builtins is no music"):
        Melody.from_object([])
    with pytest.raises(MidiError, match=r"^The MidiFile of mido is cut short"):
        Melody.from_object(mido.MidiFile())
