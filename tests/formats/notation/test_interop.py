"""A melody as pretty_midi's and music21's objects: the same notes, in the right bars."""

import warnings

import pytest

from melodygru.music.melody import Melody, Note
from melodygru.music.theory import MODES, Key, TimeSignature

# A pickup of an eighth, a note over a bar line, a rest, and a last bar that is silent at its end.
MELODY = Melody(
    (Note(62, 84, 12), Note(65, 96, 60), Note(67, 156, 60), Note(66, 220, 8)),
    TimeSignature(4, 4),
    Key.parse("D dorian"),
    qpm=100.0,
    name="A Tune",
    pickup=12,
)


def test_pretty_midi_has_the_notes_in_seconds():
    midi = MELODY.to_pretty_midi()
    step = 60 / 100 / 24
    [instrument] = midi.instruments
    assert [note.pitch for note in instrument.notes] == [62, 65, 67, 66]
    assert [note.start for note in instrument.notes] == pytest.approx([84 * step, 96 * step, 156 * step, 220 * step])
    assert [note.end for note in instrument.notes] == pytest.approx([96 * step, 156 * step, 216 * step, 228 * step])


def test_pretty_midi_has_metre_tempo_and_key():
    midi = MELODY.to_pretty_midi()
    [metre], [key] = midi.time_signature_changes, midi.key_signature_changes
    assert (metre.numerator, metre.denominator, metre.time) == (4, 4, 0.0)
    assert key.key_number == 0, "D dorian has the signature of C major"
    assert midi.get_tempo_changes()[1].tolist() == pytest.approx([100.0])
    minor = Melody(MELODY.notes, key=Key.parse("A minor"), pickup=12)
    assert minor.to_pretty_midi().key_signature_changes[0].key_number == 9 + 12


def test_no_warning_of_pretty_midis_imports_gets_out():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        MELODY.to_pretty_midi()
    assert not caught


def test_a_score_has_its_measures_and_its_pickup():
    [part] = MELODY.to_music21().parts
    measures = list(part.getElementsByClass("Measure"))
    assert [measure.number for measure in measures] == [0, 1, 2]
    assert [measure.duration.quarterLength for measure in measures] == [0.5, 4.0, 4.0]
    assert measures[0].paddingLeft == 3.5
    assert [measure.offset for measure in measures] == [0.0, 0.5, 4.5]


def test_a_score_has_the_values_and_ties_that_one_writes():
    elements = [
        (getattr(element, "nameWithOctave", "rest"), float(element.quarterLength), element.tie and element.tie.type)
        for element in MELODY.to_music21().recurse().notesAndRests
    ]
    assert elements == [
        ("D4", 0.5, None),
        ("F4", 2.0, "start"),
        ("F4", 0.5, "stop"),
        ("G4", 1.5, "start"),
        ("G4", 1.0, "stop"),
        ("rest", pytest.approx(1 / 6), None),
        ("F#4", pytest.approx(1 / 3), None),
        ("rest", 0.5, None),
        ("rest", 2.0, None),
    ]


def test_every_value_of_a_score_is_one_that_can_be_written():
    elements = list(MELODY.to_music21().recurse().notesAndRests)
    assert all(element.duration.type != "complex" for element in elements)
    [*triplet] = [element.duration.tuplets[0] for element in elements if element.duration.tuplets]
    assert [(one.numberNotesActual, one.numberNotesNormal, one.type) for one in triplet] == [
        (3, 2, "start"),
        (3, 2, "stop"),
    ]
    joined = MELODY.to_music21().stripTies().recurse().notes
    assert [round(note.quarterLength * 24) for note in joined] == [note.duration for note in MELODY.notes]


def test_a_score_has_metre_key_tempo_and_title():
    score = MELODY.to_music21()
    [metre] = score.recurse().getElementsByClass("TimeSignature")
    [key] = score.recurse().getElementsByClass("Key")
    [tempo] = score.recurse().getElementsByClass("MetronomeMark")
    assert (metre.ratioString, key.tonic.name, key.mode, key.sharps) == ("4/4", "D", "dorian", 0)
    assert (tempo.number, score.metadata.title) == (100.0, "A Tune")


@pytest.mark.parametrize("mode", MODES)
def test_every_key_has_its_signature(mode):
    for tonic in range(12):
        one = Key(tonic, mode)
        [key] = Melody((Note(60, 0, 96),), key=one).to_music21().recurse().getElementsByClass("Key")
        assert (key.sharps, key.mode, key.tonic.pitchClass) == (one.fifths, mode, tonic)


@pytest.mark.parametrize(
    ("key", "names"),
    [
        ("Eb major", "C4 C#4 D4 E-4 E4 F4 F#4 G4 A-4 A4 B-4 B4"),
        ("A major", "C4 C#4 D4 D#4 E4 F4 F#4 G4 G#4 A4 A#4 B4"),
        ("F# major", "C4 C#4 D4 D#4 E4 E#4 F#4 G4 G#4 A4 A#4 B4"),
    ],
)
def test_pitches_are_spelled_as_the_key_spells_them(key, names):
    chromatic = Melody(tuple(Note(60 + i, 24 * i, 24) for i in range(12)), key=Key.parse(key))
    score = chromatic.to_music21()
    assert [note.nameWithOctave for note in score.recurse().notes] == names.split()
    assert [note.pitch.midi for note in score.recurse().notes] == list(range(60, 72))


def test_a_score_says_how_it_looks():
    score = MELODY.to_music21()
    first, *_, last = score.parts[0].getElementsByClass("Measure")
    assert (first.clef.sign, first.clef.line, first.clef.octaveChange) == ("G", 2, 0)
    assert last.rightBarline.type == "final"
    assert [measure.showNumber.name for measure in (first, last)] == ["NEVER", "DEFAULT"]
    [sharp] = [note.pitch.accidental for note in score.recurse().notes if note.pitch.accidental]
    assert (sharp.name, sharp.displayStatus) == ("sharp", True)
    thirds = [one.duration.tuplets[0] for one in score.recurse().notesAndRests if one.duration.tuplets]
    assert {(third.durationActual.type, third.durationNormal.type) for third in thirds} == {("16th", "16th")}
    assert not any(rest.fullMeasure for rest in score.recurse().getElementsByClass("Rest"))
    assert Melody((), bars=2).to_music21().recurse().getElementsByClass("Rest").first().fullMeasure is True


def test_a_low_score_has_its_clef_and_hides_what_the_key_says():
    score = Melody((Note(38, 0, 24), Note(30, 24, 24)), key=Key.parse("F# major")).to_music21()
    [clef] = score.recurse().getElementsByClass("Clef")
    assert (clef.sign, clef.line) == ("F", 4)
    natural, sharp = [note.pitch.accidental for note in score.recurse().notes]
    assert (natural.name, natural.displayStatus) == ("natural", True)
    assert (sharp.name, sharp.displayStatus) == ("sharp", False)
