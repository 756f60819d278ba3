"""`arrange`, and `generate --with`: what is written, kept, replaced, split and made again."""

import io
import json
from itertools import pairwise

import mido
import pytest

from melodygru import Key, Melody, Note, TimeSignature, read_melodies
from melodygru.formats.midi import splice
from melodygru.formats.midi.performance import Performance
from melodygru.formats.midi.writer import midi_bytes, write_midi
from tests.command_line import run
from tests.midi_checker import read_tracks

PARTS = ["Chords", "Bass", "Drums"]
SWUNG = ["--groove", "swing", "--no-triplets"]


def tune(meter="4/4", bars=8, **more):
    metre = TimeSignature.parse(meter)
    notes = tuple(Note(67 + (i * 5) % 9, 24 * i, 24) for i in range(bars * metre.bar_steps // 24))
    return Melody(notes, metre, Key(), bars=bars, **more)


@pytest.fixture
def plain(tmp_path):
    """A tune as a file of one track that nobody has made with melodygru."""
    path = tmp_path / "plain.mid"
    write_midi(tune(), path)
    return path


def chunks(path):
    data = path.read_bytes()
    return [data[begin:end] for begin, end in splice.tracks(data)]


def names(path):
    return read_tracks(path.read_bytes()).names


def channels(path):
    file = mido.MidiFile(path)
    return [{message.channel for message in track if not message.is_meta} for track in file.tracks]


def test_arrange_adds_tracks_of_their_own_and_leaves_the_melodys_byte_for_byte(plain, tmp_path):
    out = tmp_path / "out.mid"
    assert run("arrange", plain, out, "--chords", "C Am F G", "--seed", 1) == 0
    assert names(out)[1:] == PARTS
    assert channels(out) == [{0}, {1}, {2}, {9}]
    assert chunks(out)[0] == chunks(plain)[0]
    written = read_tracks(out.read_bytes())
    assert len(set(written.ends)) == 1
    assert written.ends[0] == 8 * 4 * 480
    assert read_melodies(out)[0].notes == tune().notes


def test_tracks_of_others_stay_and_their_channels_are_not_taken(plain, tmp_path):
    file = mido.MidiFile(plain)
    other = mido.MidiTrack([mido.MetaMessage("track_name", name="Chords")])
    other += [
        mido.Message("note_on", channel=1, note=50, velocity=60),
        mido.Message("note_off", channel=1, note=50, time=99),
    ]
    file.tracks.append(other)
    file.type = 1
    file.save(tmp_path / "two.mid")
    out = tmp_path / "out.mid"
    assert run("arrange", tmp_path / "two.mid", out, "--chords", "C", "--with", "chords,bass", "--seed", 1) == 0
    assert chunks(out)[:2] == chunks(tmp_path / "two.mid")
    assert names(out)[2:] == ["Chords", "Bass"]
    assert channels(out) == [{0}, {1}, {2}, {3}]


def test_arranged_again_an_accompaniment_is_replaced_and_not_doubled(plain, tmp_path):
    once, twice, anew = (tmp_path / f"{name}.mid" for name in ("once", "twice", "anew"))
    assert run("arrange", plain, once, "--chords", "C Am F G", "--seed", 1) == 0
    assert run("arrange", once, twice, "--groove", "swing", "--with", "chords,bass", "--seed", 2) == 0
    assert names(twice)[1:] == ["Chords", "Bass"]
    assert (
        run("arrange", plain, anew, "--chords", "C Am F G", "--groove", "swing", "--with", "bass,chords", "--seed", 2)
        == 0
    )
    assert read_tracks(twice.read_bytes()).notes == read_tracks(anew.read_bytes()).notes


@pytest.mark.parametrize("made", [["--render-chords", "--chords", "Am F"], ["--with", "all", "--groove", "pop"]])
def test_what_generate_put_there_is_replaced(made, tmp_path):
    new, out = tmp_path / "new.mid", tmp_path / "out.mid"
    assert run("generate", "--model", "folk", "--bars", 4, "--seed", 1, *made, new) == 0
    assert run("arrange", new, out, "--chords", "Dm", "--key", "D minor", "--seed", 1) == 0
    assert names(out)[1:] == ["Melody", *PARTS]
    markers = [m.text for track in mido.MidiFile(out).tracks for m in track if m.type == "marker"]
    assert markers == ["Dm"]


def test_a_chain_of_commands_keeps_what_it_should(tmp_path, capsys):
    one, two, three, four = (tmp_path / f"{number}.mid" for number in range(4))
    assert run("generate", "--model", "folk", "--bars", 8, "--seed", 3, "--with", "all", *SWUNG, one) == 0
    assert run("infill", one, two, "--bars", "3-4", "--seed", 1, "--best-of", 2, "--no-triplets") == 0
    assert chunks(two)[2:] == chunks(one)[2:]
    assert run("vary", two, three, "--amount", 0.2, "--seed", 1, "--best-of", 2, "--no-triplets") == 0
    assert chunks(three)[2:] == chunks(one)[2:]
    assert run("arrange", three, four, "--seed", 5, "--groove", "swing") == 0
    assert names(four) == names(one)
    assert read_melodies(four)[0].notes == read_melodies(three)[0].notes
    for path in (one, two, three, four):
        assert run("replay", path) == 0
    # All swing alike: off the beat nothing sounds where it would if it were straight.
    for part in read_tracks(four.read_bytes()).notes[2:]:
        assert {note.onset % 480 for note in part} <= {0, round(480 * 0.64)}
    capsys.readouterr()
    assert run("render", four, tmp_path / "out.wav", "--rate", 22050, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["bars"], told["samples"]) == (8, round(told["seconds"] * 22050))
    assert run("show", four) == 0
    assert run("score", four, "-") == 0
    assert '"' in capsys.readouterr().out  # chord symbols


def test_split_writes_every_part_to_a_file_or_none(plain, tmp_path):
    out = tmp_path / "out.mid"
    line = ["arrange", plain, out, "--chords", "C Am F G", "--seed", 1]
    (tmp_path / "out-bass.mid").write_bytes(b"mine")
    assert run(*line, "--split") == 1
    assert sorted(path.name for path in tmp_path.glob("out*")) == ["out-bass.mid"]
    assert (tmp_path / "out-bass.mid").read_bytes() == b"mine"
    assert run(*line, "--split", "--force") == 0
    assert run(*line) == 0
    whole = read_tracks(out.read_bytes())
    for name, part in (("chords", 1), ("bass", 2), ("drums", 3), ("melody", 0)):
        path = tmp_path / f"out-{name}.mid"
        file = read_tracks(path.read_bytes())
        assert file.notes == [whole.notes[part]]
        assert file.ends == [whole.ends[part]]
        assert file.metre == (4, 4)
        assert any(message.type == "set_tempo" for message in mido.MidiFile(path).tracks[0])
        assert run("replay", path) == 0
    assert run(*line[:2], "-", *line[3:], "--split") == 2


def test_generate_splits_several_and_names_them(tmp_path, capsys):
    out = tmp_path / "new.mid"
    line = ["generate", "--model", "folk", "--bars", 4, "--seed", 1, "--count", 2, "--with", "chords,bass", "--split"]
    assert run(*line, out, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [len(one["files"]) for one in told["files"]] == [3, 3]
    expected = [f"new-{number:02}-{part}.mid" for number in (1, 2) for part in ("melody", "chords", "bass")]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(expected)
    assert run("replay", tmp_path / "new-02-bass.mid") == 0
    assert run(*line, out) == 1


def test_generate_with_tracks_says_the_chords_and_swings_with_the_groove(tmp_path):
    out = tmp_path / "new.mid"
    line = ["generate", "--model", "folk", "--bars", 4, "--seed", 1, "--chords", "Am F C G", "--groove", "swing"]
    assert run(*line, out) == 0
    drums = read_tracks(out.read_bytes()).notes[4]
    assert {note.onset % 480 for note in drums} == {0, round(480 * 0.64)}
    assert run(*line, "--swing", 0.5, out, "--force") == 0
    drums = read_tracks(out.read_bytes()).notes[4]
    assert {note.onset % 480 for note in drums} == {0, 240}
    assert run(*line, "--meter", "6/8", out, "--force") == 0  # which cannot swing


def test_a_pickup_has_nothing_under_it_and_loops_where_it_is_to(tmp_path):
    out = tmp_path / "new.mid"
    line = ["generate", "--model", "folk", "--bars", 4, "--seed", 1, "--pickup", "1/4", "--with", "all"]
    for more, first, bars in (([], 1920, 5), (["--pickup-as", "loop"], 0, 4)):
        assert run(*line, *more, out, "--force") == 0
        written = read_tracks(out.read_bytes())
        assert written.ends == [bars * 1920] * 5
        assert min(note.onset for part in written.notes[2:] for note in part) == first
        assert run("replay", out) == 0


def test_a_tune_that_is_written_out_swung_is_accompanied_swung(tmp_path):
    notes = [Note(67 + i % 5, 24 * i + at, length) for i in range(16) for at, length in ((0, 16), (16, 8))]
    write_midi(Melody(tuple(notes)), tmp_path / "in.mid")
    out = tmp_path / "out.mid"
    assert run("arrange", tmp_path / "in.mid", out, "--chords", "C", "--drum-pattern", "straight", "--seed", 1) == 0
    drums = read_tracks(out.read_bytes()).notes[3]
    assert {note.onset % 480 for note in drums} == {0, 320}


def test_chords_of_scores_and_of_harmonize_are_played(tmp_path, capsys):
    (tmp_path / "in.abc").write_text('X:1\nT:T\nM:4/4\nL:1/4\nK:C\n"C"GABc|"F"AGFE|"G7"DEFG|"C"E2C2|\n')
    assert run("arrange", tmp_path / "in.abc", tmp_path / "out.mid", "--seed", 1, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [symbol for _, symbol in told["chords"]] == ["C", "F", "G7", "C"]
    assert run("harmonize", tmp_path / "out.mid", tmp_path / "own.mid", "--replace") == 0
    assert run("arrange", tmp_path / "own.mid", tmp_path / "again.mid", "--seed", 1) == 0
    assert names(tmp_path / "again.mid")[2:] == PARTS
    assert "chords of the file" in capsys.readouterr().out


def test_humanized_all_tracks_stay_within_the_bars_and_in_order(tmp_path):
    out = tmp_path / "new.mid"
    line = ["generate", "--model", "folk", "--bars", 4, "--seed", 1, "--with", "all", "--humanize", 1]
    assert run(*line, out) == 0
    written = read_tracks(out.read_bytes())
    assert len(set(written.ends)) == 1
    for part in written.notes:
        assert all(0 <= note.onset < note.end <= written.ends[0] for note in part)
    assert all(one.end <= two.onset for one, two in pairwise(written.notes[3]))
    assert run("replay", out) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--with", "horns"], "'horns' is no part; choose among chords, bass, drums"),
        (["--groove", "polka"], "There is no groove 'polka'; choose held, pop"),
        (["--bass-pattern", "slap"], "There is no pattern 'slap' for bass; choose roots"),
        (["--with", "bass", "--drum-pattern", "march"], "--drum-pattern has no meaning without drums"),
        (["--chord-program", "kazoo"], "no General MIDI instrument"),
        (["--chords", "H"], "Chord 1 of 1 is not known: >>H<<"),
        (["--beats-per-chord", 2], "--beats-per-chord has no meaning without --chords"),
        (["--style", "techno"], "style is 'techno'"),
        (["--key", "H major"], "'H major' is not a key"),
        (["--seed", -1], "seed is -1"),
    ],
)
def test_what_is_not_legal_is_told_before_anything_is_written(plain, tmp_path, capsys, arguments, said):
    assert run("arrange", plain, tmp_path / "out.mid", *arguments) == 2
    error = capsys.readouterr().err
    assert said in error
    assert not (tmp_path / "out.mid").exists()


def test_a_file_without_a_free_channel_is_told(tmp_path, capsys):
    file = mido.MidiFile(file=io.BytesIO(midi_bytes(tune(), Performance(midi_format=1))))
    for channel in range(1, 16):
        track = mido.MidiTrack([mido.Message("program_change", channel=channel, program=1)])
        file.tracks.append(track)
    file.save(tmp_path / "full.mid")
    assert run("arrange", tmp_path / "full.mid", tmp_path / "out.mid", "--chords", "C") == 2
    assert f"{tmp_path / 'full.mid'} has no MIDI channel left" in capsys.readouterr().err
    assert run("arrange", tmp_path / "full.mid", tmp_path / "out.mid", "--chords", "C", "--with", "drums") == 0
