"""ABC tunes become the melodies that a player would play."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from melodygru.cli import app
from melodygru.data.corpora import CORPORA, Tune, corpus_melodies, file_name, tune_texts, write_corpus
from melodygru.errors import FileError, UsageError
from melodygru.formats.reading import read_melodies
from melodygru.formats.scores.abc_fields import LeftOut
from melodygru.formats.scores.abc_tunes import read_tune
from melodygru.music.melody import Melody
from melodygru.music.theory import Key, TimeSignature

C, D, E, F, G, A, B = 60, 62, 64, 65, 67, 69, 71


def tune(body: str, metre: str = "4/4", unit: str = "1/4", key: str = "C", extra: str = "") -> Melody:
    return read_tune(f"X:1\nT:A Tune\n{extra}M:{metre}\nL:{unit}\nK:{key}\n{body}\n")


def played(melody: Melody) -> list[tuple[int, int, int]]:
    """(pitch, onset, duration) of every note."""
    return [(note.pitch, note.onset, note.duration) for note in melody.notes]


def pitches(melody: Melody) -> list[int]:
    return [note.pitch for note in melody.notes]


def test_plain_bars_stand_on_the_grid():
    melody = tune("CDEF|G2z2|", extra="Q:1/4=90\n")
    assert played(melody) == [(C, 0, 24), (D, 24, 24), (E, 48, 24), (F, 72, 24), (G, 96, 48)]
    assert (melody.time_signature, melody.key, melody.qpm) == (TimeSignature(4, 4), Key(0, "major"), 90.0)
    assert (melody.name, melody.pickup, melody.bars) == ("A Tune", 0, 2)


def test_a_pickup_completes_the_short_bar_before_a_repeat():
    # 3 + 1 quarters: the G of the second time stands in the last quarter of the bar that C3 begins.
    melody = tune("G|CDEF|C3:|")
    assert played(melody)[:6] == [(G, 72, 24), (C, 96, 24), (D, 120, 24), (E, 144, 24), (F, 168, 24), (C, 192, 72)]
    assert played(melody)[6:] == [(G, 264, 24), (C, 288, 24), (D, 312, 24), (E, 336, 24), (F, 360, 24), (C, 384, 72)]
    assert (melody.pickup, melody.bars) == (24, 4)


def test_a_pickup_after_a_whole_bar_cuts_its_last_note_short():
    melody = tune("CDEF|C4|:G|CDEF|C3:|")
    assert played(melody)[4:7] == [(C, 96, 72), (G, 168, 24), (C, 192, 24)]
    assert melody.pickup == 0


def test_a_short_bar_before_a_section_without_pickup_is_held():
    melody = tune("G|CDEF|C3||CDEF|C3|]")
    assert played(melody)[5:7] == [(C, 192, 96), (C, 288, 24)]


def test_endings_are_played_each_in_its_turn():
    melody = tune("|:CDEF|1GGGG:|2AAAA|BBBB||CCCC|]")
    one, two = [G] * 4, [A] * 4 + [B] * 4
    assert pitches(melody) == [C, D, E, F, *one, C, D, E, F, *two, C, C, C, C]
    assert melody == tune("|:CDEF|[1GGGG:|[2AAAA|BBBB||CCCC|]")
    assert melody == tune("|:CDEF||1 GGGG:| 2 AAAA|BBBB||CCCC|]")
    assert melody == tune("|:CDEF|\\\n1GGGG:|\\\n2AAAA|BBBB||CCCC|]")


def test_a_repeat_goes_back_to_the_last_double_bar():
    assert pitches(tune("CCCC||DDDD::EEEE:|")) == [C] * 4 + [D] * 8 + [E] * 8


def test_a_repeat_sign_in_the_middle_of_a_bar_keeps_the_bar_lines():
    # The bar "C2 | D2" is whole; so is the bar of F2 and the D2 that is gone back to.
    melody = tune("C2|:D2|EEEE|GGGG|AAAA|F2:|")
    assert melody.pickup == 0
    assert [(p, o) for p, o, _ in played(melody) if p in (D, F)] == [(D, 48), (F, 384), (D, 432), (F, 768)]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Dmix", Key(2, "mixolydian")),
        ("Am", Key(9, "minor")),
        ("Ador", Key(9, "dorian")),
        ("E Minor", Key(4, "minor")),
        ("Bb", Key(10, "major")),
        ("Hp", Key(9, "mixolydian")),
    ],
)
def test_keys_keep_their_mode(text, key):
    assert tune("CDEF|GABc|", key=text).key == key


def test_the_key_signature_alters_the_notes():
    assert pitches(tune("CDEF|GABc|", key="Dmix")) == [60, 62, 64, 66, 67, 69, 71, 72]


def test_an_accidental_lasts_to_the_bar_line():
    assert pitches(tune("^FFFF|FFFF|")) == [66] * 4 + [65] * 4
    assert pitches(tune("^FF=FF|FFFF|")) == [66, 66, 65, 65, 65, 65, 65, 65]


def test_triplets_and_dotted_pairs_are_exact():
    melody = tune("(3CDE F>G|A<B c2|", metre="2/4", unit="1/8")
    assert played(melody) == [
        (C, 0, 8), (D, 8, 8), (E, 16, 8), (F, 24, 18), (G, 42, 6), (A, 48, 6), (B, 54, 18), (72, 72, 24),
    ]  # fmt: skip


def test_grace_notes_slurs_and_words_change_nothing():
    plain = tune("A>Bc>d|(3ABc d2|", metre="2/4", unit="1/8")
    adorned = tune('{g}A>{Bc}B"tr"(c>.d)|(3(A{g}Bc) Td2|', metre="2/4", unit="1/8")
    assert played(adorned) == played(plain)
    assert played(tune("CDEF|C4 Hx|x2 C2|")) == played(tune("CDEF|C4|z2 C2|"))


def test_ties_join_and_slurs_do_not():
    melody = tune("C2D2-|D2E-F|")
    assert played(melody) == [(C, 0, 48), (D, 48, 96), (E, 144, 24), (F, 168, 24)]
    # Only the note before the sign is tied, over a bar line or within a dotted pair.
    assert played(tune("CDD-E|E>-EG2|"))[:5] == [(C, 0, 24), (D, 24, 24), (D, 48, 24), (E, 72, 24), (E, 96, 48)]
    assert played(tune("CDDE-|EGG2|"))[-4:] == [(D, 48, 24), (E, 72, 48), (G, 120, 24), (G, 144, 48)]


def test_of_a_chord_the_top_note_is_kept():
    assert pitches(tune("[CEG]2 [c2E2]|CDEF|")) == [G, 72, C, D, E, F]


def test_cut_time_is_written_as_four_four():
    assert tune("CDEF|GABc|", metre="C|").time_signature == TimeSignature(4, 4)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("CDEF|CDE|CDEF|CDEF|", "a bar of the wrong length"),
        ("CDEF|\nM:3/4\nCDE|CDE|", "several metres"),
        ("CDEF|CDEF|\n[V:1] CDEF|\n[V:2] CDEF|", "several voices"),
        ("CDEF|(7C/D/E/F/G/A/B/ C3|", "a rhythm off the grid of 24 steps a quarter"),
        ("CDEF|", "fewer than two bars"),
        ("z4|z4|", "no notes"),
        ("CD|CD|CD|CD|", "bars of another metre than the one named"),
        ("|:CDEF|1GGGG:|2AAAA:|3BBBB|", "more than two endings"),
    ],
)
def test_what_cannot_be_used_is_left_out_with_its_reason(body, reason):
    with pytest.raises(LeftOut, match=reason):
        tune(body)


def test_names_and_numbers_outside_their_range_are_usage_errors():
    with pytest.raises(UsageError, match="oneill, ryan, aird, essen"):
        corpus_melodies("nottingham")
    with pytest.raises(UsageError, match="limit is 0"):
        corpus_melodies("aird", limit=0)
    with pytest.raises(UsageError, match="jobs is 0"):
        corpus_melodies("aird", jobs=0)


def test_file_names_are_safe_and_sort_in_the_books_order():
    melody = tune("CDEF|GABc|")
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
    assert "ryan: 1 MIDI files in" in result.stdout
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
