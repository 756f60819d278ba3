"""Written files, judged by an independent reader, and read by the libraries and programs that people use."""

import itertools
import warnings
from collections import Counter
from pathlib import Path

import pytest

from melodygru import Key, Melody, load_model
from melodygru.formats.midi.writer import midi_bytes
from melodygru.writing.model import Model
from tests.midi_checker import faults, read_written
from tests.networks import checkpoint

METRES = ("4/4", "3/4", "6/8", "2/4")


def notes_by_mido(data):
    """(onset, end, pitch) in ticks."""
    return [note[:3] for note in sorted(read_written(data).notes)]


def notes_by_pretty_midi(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its imports
        import pretty_midi

        midi = pretty_midi.PrettyMIDI(str(path))
    (instrument,) = midi.instruments
    return sorted((midi.time_to_tick(n.start), midi.time_to_tick(n.end), n.pitch) for n in instrument.notes)


def notes_by_symusic(path):
    import symusic

    (track,) = symusic.Score(str(path)).tracks
    return sorted((note.time, note.time + note.duration, note.pitch) for note in track.notes)


def notes_by_music21(path):
    import music21

    # No quantisation of music21's own: the file's ticks are to come back as they are.
    score = music21.converter.parse(str(path), quantizePost=False, forceSource=True)
    notes = [
        (round(float(n.getOffsetInHierarchy(score)) * 480), round(float(n.duration.quarterLength) * 480), n.pitch.midi)
        for n in score.stripTies().flatten().notes
    ]
    return sorted((onset, onset + length, pitch) for onset, length, pitch in notes)


READERS = {"pretty_midi": notes_by_pretty_midi, "symusic": notes_by_symusic, "music21": notes_by_music21}


def judge(model, count, path, readers):
    """Faults of `count` melodies over all metres and keys, by kind."""
    found = Counter()
    keys = [Key(tonic, mode) for tonic in range(12) for mode in ("major", "minor")]
    wishes = itertools.islice(itertools.cycle(itertools.product(METRES, keys)), count)
    for seed, (meter, key) in enumerate(wishes):
        bars, qpm = 1 + seed % 16, 60 + seed % 120
        melody = model.generate(bars=bars, key=key, meter=meter, bpm=qpm, seed=seed)
        data = midi_bytes(melody)
        name = key.tonic_name + ("m" if key.mode == "minor" else "")
        found.update(faults(data, bars=bars, meter=meter, key=name, qpm=qpm))
        notes = notes_by_mido(data)
        path.write_bytes(data)
        if Melody.from_midi(path).notes != melody.notes:
            found["melodygru reads other notes"] += 1
        for reader in readers:
            if READERS[reader](path) != notes:
                found[f"{reader} reads other notes"] += 1
    return found


@pytest.mark.parametrize("reader", ["pretty_midi", "symusic"])
def test_readers_find_the_notes_that_were_written(tmp_path, reader):
    pytest.importorskip(reader)
    assert not judge(Model(checkpoint(), "toy"), 48, tmp_path / "a.mid", [reader])


def test_music21_finds_the_notes_that_were_written(tmp_path):
    assert not judge(Model(checkpoint(), "toy"), 5, tmp_path / "a.mid", ["music21"])


@pytest.mark.slow
@pytest.mark.skipif(not Path("checkpoints/folk.safetensors").exists(), reason="the shipped model is not here")
def test_a_thousand_melodies_of_the_shipped_model_are_sound(tmp_path):
    pytest.importorskip("symusic")
    assert not judge(load_model("folk"), 1000, tmp_path / "a.mid", READERS)
