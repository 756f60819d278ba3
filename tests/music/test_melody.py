import pytest

from melodygru import Key, Melody, Note, TimeSignature
from melodygru.errors import UsageError

WALTZ = TimeSignature(3, 4)


def test_bars_are_as_few_as_hold_the_notes():
    assert Melody(()).bars == 1
    assert Melody((Note(60, 0, 96),)).bars == 1
    assert Melody((Note(60, 0, 97),)).bars == 2
    assert Melody((Note(60, 60, 12), Note(62, 72, 72)), WALTZ, pickup=12).bars == 1


def test_the_length_counts_the_bar_of_the_pickup():
    melody = Melody((Note(60, 60, 12), Note(62, 72, 72)), WALTZ, pickup=12)
    assert melody.length == 144
    assert [melody.bar_of(note.onset) for note in melody.notes] == [0, 1]
    assert Melody((Note(60, 0, 1),), WALTZ, bars=4).length == 288


def test_seconds_follow_from_the_tempo():
    assert Melody((Note(60, 0, 96),), qpm=60).seconds == 4.0


def test_notes_are_kept_in_order_of_onset():
    melody = Melody((Note(40, 48, 24), Note(70, 0, 48)))
    assert [note.pitch for note in melody.notes] == [70, 40]


@pytest.mark.parametrize(
    "bad",
    [
        {"notes": (Note(60, 0, 25), Note(62, 24, 24))},
        {"notes": (Note(60, 0, 0),)},
        {"notes": (Note(128, 0, 1),)},
        {"notes": (Note(60, -1, 2),)},
        {"notes": (Note(60, 0, 200),), "bars": 1},
        {"notes": (Note(60, 90, 12),), "pickup": 12},
        {"notes": (), "pickup": 96},
        {"notes": (), "qpm": 0},
    ],
)
def test_what_is_no_melody_is_refused(bad):
    with pytest.raises(UsageError):
        Melody(**bad)


def test_transposing_moves_notes_and_key():
    melody = Melody((Note(60, 0, 24),), key=Key.parse("A minor")).transpose(3)
    assert melody.notes == (Note(63, 0, 24),)
    assert str(melody.key) == "C minor"
    with pytest.raises(UsageError):
        melody.transpose(70)
