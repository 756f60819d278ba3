"""The folk tunes that music21 brings along become melodies, or folders."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from melodygru.cli.group import app
from melodygru.data.corpora import CORPORA, Tune, corpus_melodies, file_name, tune_texts, write_corpus
from melodygru.errors import FileError, UsageError
from melodygru.formats.reading import read_melodies
from melodygru.formats.scores.abc.tunes import read_tune
from melodygru.music.melody import Melody


def melody_of(body: str) -> Melody:
    return read_tune(f"X:1\nT:A Tune\nM:4/4\nL:1/4\nK:C\n{body}\n")


def test_names_and_numbers_outside_their_range_are_usage_errors():
    with pytest.raises(UsageError, match="oneill, ryan, aird, essen"):
        corpus_melodies("nottingham")
    with pytest.raises(UsageError, match="limit is 0"):
        corpus_melodies("aird", limit=0)
    with pytest.raises(UsageError, match="jobs is 0"):
        corpus_melodies("aird", jobs=0)


def test_file_names_are_safe_and_sort_in_the_books_order():
    melody = melody_of("CDEF|GABc|")
    assert file_name(Tune(7, melody)) == "0007-a-tune.mid"
    odd = Melody(melody.notes, name="Ó'Néill's / \"Jig\"")
    assert file_name(Tune(12, odd)) == "0012-oneills-jig.mid"
    assert file_name(Tune(3, Melody(melody.notes))) == "0003-tune.mid"


def test_only_essen_is_not_free():
    assert [name for name, corpus in CORPORA.items() if not corpus.free] == ["essen"]
    assert "non-commercial" in CORPORA["essen"].licence


def test_every_collection_holds_the_tunes_it_promises():
    assert {name: len(tune_texts(name)) for name in CORPORA} == {n: c.tunes for n, c in CORPORA.items()}


def test_a_collection_becomes_a_folder(tmp_path):
    seen = []
    written = write_corpus("aird", tmp_path, limit=5, jobs=1, on_tune=lambda done, total: seen.append((done, total)))
    assert sorted(path.name for path in written.folder.iterdir())[0] == "0001-the-ranting-highlandman.mid"
    assert written.files + sum(written.left_out.values()) == 5
    assert seen == [(n, 5) for n in range(1, 6)]
    with pytest.raises(FileError, match="not empty"):
        write_corpus("aird", tmp_path, limit=5, jobs=1)
    assert write_corpus("aird", tmp_path, limit=5, jobs=1, force=True).files == written.files


def test_the_tunes_that_come_along_are_small_and_readable():
    files = sorted((Path(__file__).parent.parent.parent / "data").glob("*/*.mid"))
    assert {file.parent.name for file in files} == {name for name, corpus in CORPORA.items() if corpus.free}
    assert len(files) == 300
    # On disk a file takes whole blocks of 4,096 bytes.
    assert sum(-(-file.stat().st_size // 4096) * 4096 for file in files) < 1_500_000
    for file in files[::30]:
        [melody] = read_melodies(file)
        assert melody.bars >= 4


def test_many_processes_give_what_one_gives():
    assert list(corpus_melodies("aird", limit=60, jobs=2)) == list(corpus_melodies("aird", limit=60, jobs=1))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("oneill", 1854), ("ryan", 1020), ("aird", 1157)])
def test_whole_books_have_their_notes_on_the_bar_lines(name, least):
    melodies = [tune.melody for tune in corpus_melodies(name) if tune.melody is not None]
    assert len(melodies) >= least
    bars = hits = in_eights = 0
    for melody in melodies:
        onsets = {note.onset for note in melody.notes}
        bar = melody.time_signature.bar_steps
        lines = range(bar if melody.pickup else 0, melody.length, bar)
        bars += len(lines)
        hits += sum(line in onsets for line in lines)
        in_eights += melody.bars % 8 == 0
    # Bars out of place would show here: notes begin on nearly every bar line, and tunes come in eights.
    assert hits / bars > 0.99
    assert in_eights / len(melodies) > 0.9


def test_the_command_writes_several_collections(tmp_path):
    result = CliRunner().invoke(app, ["corpus", "aird,ryan", str(tmp_path), "--limit", "2", "--jobs", "1"])
    assert result.exit_code == 0
    assert "aird: 2 MIDI files in" in result.stdout
    assert "ryan: 1 MIDI file in" in result.stdout
    assert "1  a bar of the wrong length" in result.stdout
    assert len(list(tmp_path.glob("*/*.mid"))) == 3


def test_the_command_lists_the_collections():
    result = CliRunner().invoke(app, ["corpus", "list"])
    assert result.exit_code == 0
    for name, corpus in CORPORA.items():
        assert name in result.stdout
        assert f"{corpus.tunes:,}" in result.stdout


def test_the_command_wants_a_folder():
    with pytest.raises(UsageError, match="Name a folder"):
        CliRunner().invoke(app, ["corpus", "aird"], catch_exceptions=False)
