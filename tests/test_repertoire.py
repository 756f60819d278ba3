"""The repertoire: pieces are read with their chords, works found across collections, and held out whole."""

import json
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru import Key, Melody, Note, TimeSignature
from melodygru.formats.midi.parser import RawNote
from melodygru.formats.midi.writer import midi_bytes
from melodygru.formats.notation.musicxml import mxl
from melodygru.music.chords import QUALITIES, Chord, ChordSpan, voicing
from tests.strategies import melodies
from tests.tunes import tune

sys.path.insert(0, str(Path(__file__).parent.parent / "scripts"))
from repertoire import chords, harmony, manifest, steps
from repertoire.faults import fault
from repertoire.kinds import kind_of, kind_of_tune
from repertoire.pieces import Harmony, Piece, load, save
from repertoire.reading import Collected, without_silent_bars
from repertoire.romans import chord_of, roman_chords
from repertoire.works import tells, with_works

C, A_MINOR = Key(0), Key(9, "minor")


def piece(melody, corpus="hymns", file="a.mid", number=1, style="hymn"):
    return Piece(corpus, file, number, style, "", melody)


@given(melodies(min_notes=1, max_notes=8), st.lists(st.tuples(st.integers(0, 11), st.sampled_from(chords.VOCABULARY))))
def test_pieces_come_back_as_they_were_saved(tmp_path_factory, melody, told):
    own = tuple(Harmony(24 * place, 24 * place + 24, *chord) for place, chord in enumerate(told))
    pieces = [replace(piece(melody), chords=own, chords_from="symbols", work="w", split="held", kind="reel")] * 2
    path = tmp_path_factory.mktemp("pieces") / "pieces.jsonl"
    save(pieces, path)
    assert list(load(path)) == pieces


@pytest.mark.parametrize(
    ("texts", "kind"),
    [
        (["jig", "The Reel of Bogie"], "jig"),
        (["", "The Reel of Bogie"], "reel"),
        (["Slip Jig"], "slip jig"),
        (["pl-x--001_anonim--polka-mazurek.krn"], "mazurka"),
        (["Text mit Noten: Zweite Menuet"], "minuet"),
        (["Marching through Georgia"], ""),
    ],
)
def test_a_kind_is_told_by_the_first_text_that_names_one(texts, kind):
    assert kind_of(*texts) == kind


def test_a_tune_without_a_kind_has_that_of_its_place_in_oneills_book():
    text = "X:{}\nT:A Thing\nM:6/8\nK:G\n"
    kinds = [kind_of_tune("oneill", text.format(n)) for n in (5, 800, 1150, 1300, 1700, 1820, 1900)]
    assert kinds == ["air", "jig", "slip jig", "reel", "hornpipe", "march", ""]
    assert kind_of_tune("aird", text.format(5)) == ""


@pytest.mark.parametrize("quality", dict.fromkeys(QUALITIES.values()))
def test_every_chord_symbol_has_a_place_in_the_vocabulary(quality):
    name = next(text for text, tones in QUALITIES.items() if tones == quality)
    root, simple = chords.simplified(Chord.parse(f"Eb{name}"))
    assert root == 3
    assert {(3 + tone) % 12 for tone in QUALITIES[simple]} & set(Chord.parse(f"Eb{name}").tones) >= {3}
    assert simple == name or name not in chords.VOCABULARY


@pytest.mark.parametrize(
    ("symbol", "quality"),
    [("G13", "7"), ("C9", "7"), ("Am9", "m7"), ("Fmaj9", "maj7"), ("D7sus4", "sus4"), ("C6/9", "6"), ("Cadd9", "maj")],
)
def test_what_is_added_to_a_chord_is_passed_by(symbol, quality):
    assert chords.simplified(Chord.parse(symbol))[1] == quality


def test_chords_hold_until_the_next_within_the_melody():
    melody = Melody((Note(60, 0, 192),))
    told = chords.harmonies(
        [(-96, (0, "maj")), (48, (0, "maj")), (96, None), (144, (7, "7")), (400, (0, "maj"))], melody
    )
    assert told == (Harmony(0, 96, 0, "maj"), Harmony(96, 144, -1, ""), Harmony(144, 192, 7, "7"))


def sounding(symbols, steps):
    return [
        RawNote(place * steps, place * steps + steps, pitch, 80, 0)
        for place, symbol in enumerate(symbols)
        for pitch in voicing(Chord.parse(symbol))
    ]


@given(
    st.lists(
        st.sampled_from(["C", "F", "G", "Am", "Dm", "G7", "Em", "Dm7", "Bdim", "D7", "E7", "Fm"]),
        min_size=2,
        max_size=8,
    )
)
def test_chords_that_sound_are_heard(symbols):
    melody = Melody((Note(72, 0, 48 * len(symbols)),), TimeSignature(2, 4), C)
    found = chords.heard(sounding(symbols, 48), melody)
    at = {
        span.onset + step: (span.root, span.quality) for span in found for step in range(0, span.end - span.onset, 24)
    }
    assert [at[48 * place] for place in range(len(symbols))] == [chords.simplified(Chord.parse(s)) for s in symbols]


def test_a_passing_note_makes_no_chord_and_silence_has_none():
    melody = Melody((Note(72, 0, 24),), TimeSignature(4, 4), C, bars=1)
    notes = [*sounding(["C", "C"], 24), RawNote(12, 24, 74, 80, 0), RawNote(36, 48, 65, 80, 0)]
    assert chords.heard(notes, melody) == (Harmony(0, 48, 0, "maj"), Harmony(48, 96, -1, ""))


@pytest.mark.parametrize(
    ("numeral", "key", "chord"),
    [
        ("I64", C, (0, "maj")),
        ("V7/ii", C, (9, "7")),
        ("ii65", C, (2, "m7")),
        ("IV7", C, (5, "maj7")),
        ("viiø7", C, (11, "m7b5")),
        ("Ger65", C, (8, "7")),
        ("N6", C, (1, "maj")),
        ("Cad64", A_MINOR, (9, "m")),
        ("viio7", A_MINOR, (8, "dim7")),
        ("VI", A_MINOR, (5, "maj")),
        ("VII7", A_MINOR, (7, "7")),
        ("III+", A_MINOR, (0, "aug")),
        ("V7/bVII", A_MINOR, (2, "7")),
        ("i/iv", A_MINOR, (2, "m")),
        ("bnan", C, None),
        ("I/nothing", C, None),
    ],
)
def test_roman_numerals_in_their_keys(numeral, key, chord):
    assert chord_of(numeral, key) == chord


def test_an_analysis_is_read_with_its_keys_metres_and_beats():
    text = "Composer: X\nTime Signature: 6/8\n\nm0 b2.333 g: i\nm2 V7 b2 D: I\nTime Signature: 3/4\nm3 b2.5 bb: i64\n"
    found = [(one.measure, one.tick / 420, one.chord) for one in roman_chords(text)]
    assert [(measure, round(step), chord) for measure, step, chord in found] == [
        (0, 48, (7, "m")),
        (2, 0, (2, "7")),
        (2, 36, (2, "maj")),
        (3, 36, (10, "m")),
    ]


def walk(seed, transposed=0, slower=1, changed=0):
    """A tune of 24 bars, transposed, in longer values, some of its notes changed."""
    melody = tune(seed, 24)
    notes = [Note(n.pitch + transposed, n.onset * slower, n.duration * slower) for n in melody.notes]
    notes[: 3 * changed : 3] = [replace(note, pitch=note.pitch + 1) for note in notes[: 3 * changed : 3]]
    return Melody(tuple(notes), melody.time_signature, name=f"tune {seed}")


def test_editions_and_arrangements_are_one_work():
    pieces = [
        piece(walk(1), file="oh_Hear_Our_Cry-Old_Tune.mid"),
        piece(walk(1, transposed=5, changed=3), "dances", "x_anonim--mazur.krn", style="dance"),
        piece(walk(1, slower=2), "standards", "Something.mxl", style="standard"),
        piece(walk(2), file="carol_Hear_our_cry.mid"),
        piece(walk(3), "dances", "y_anonim--mazur.krn", style="dance"),
        piece(walk(4), "dances", "y_anonim--mazur.krn", 2, style="dance"),
        piece(walk(5), "lieder", "Schubert,_Franz-Op.1-2_Erlknig-lc12.mxl", style="song"),
        piece(walk(6), "lieder", "Schubert,_Franz-_-Erlknig-lc99.mxl", style="song"),
        piece(walk(7), "lieder", "Loewe,_Carl-_-Erlknig-lc9.mxl", style="song"),
    ]
    numbers = [one.work for one in with_works(pieces)]
    assert [numbers.index(work) for work in numbers] == [0, 0, 0, 0, 4, 4, 6, 6, 8]


@pytest.mark.parametrize(
    ("name", "says"), [("mazur no 2", False), ("polonez a dur", False), ("lied", False), ("erlkonig", True)]
)
def test_names_that_say_only_what_kind_of_piece_it_is_tell_nothing(name, says):
    assert tells(name) == says


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=4), min_size=1, max_size=60), st.integers(0, 3))
def test_an_eighth_of_each_collection_is_held_out_by_work(files, first):
    works = {f"w{number}": Counter(one) for number, one in enumerate(files)}
    begun = set(list(works)[:first])
    held = manifest.held_out(works, begun)
    assert begun <= held <= set(works)
    assert held == manifest.held_out(dict(reversed(works.items())), begun)
    counts, all_files = sum((works[work] for work in held - begun), Counter()), sum(works.values(), Counter())
    assert all(count <= all_files[name] / manifest.SHARE + 0.5 for name, count in counts.items())


TUNE = tune(3, 8)


@pytest.mark.parametrize(
    ("melody", "style", "reason"),
    [
        (TUNE, "game", ""),
        (replace(TUNE, notes=TUNE.notes[:7], bars=0), "song", "fewer than 8 notes"),
        (Melody(tuple(Note(60 + i, 12 * i, 12) for i in range(8))), "song", "shorter than 4 bars"),
        (Melody(tuple(Note(60 + i, 192 * i, 192) for i in range(8))), "song", "less than a note a bar"),
        (Melody(tuple(Note(60 + i % 3, 12 * i, 12) for i in range(64))), "song", "fewer than 4 pitches"),
        (Melody(tuple(Note(60 + i // 8, 12 * i, 12) for i in range(64))), "song", "one pitch again and again"),
        (Melody(tuple(Note(60 + i % 8, 12 * i, 12) for i in range(64))), "song", "an ostinato"),
        (TUNE.transpose(-36), "game", "a bass"),
    ],
)
def test_what_is_no_melody_is_left_out(melody, style, reason):
    assert fault(piece(melody, style=style)) == reason


def test_a_strophe_that_comes_again_is_taken_once():
    found = Collected()
    found.take([piece(TUNE), piece(TUNE, number=2), piece(walk(1), number=3), piece(TUNE.transpose(1), number=4)])
    found.take([piece(TUNE, file="another.mid")])
    assert [(one.file, one.number) for one in found.pieces] == [("a.mid", n) for n in (1, 3, 4)] + [("another.mid", 1)]
    assert found.left_out == {"a.mid #2": "another strophe to the same notes"}


def test_silent_bars_around_a_melody_are_cut_away():
    notes = tuple(Note(60 + i, 192 + 72 + 24 * i, 24) for i in range(6))
    cut = without_silent_bars(Melody(notes, bars=6))
    assert (cut.notes[0].onset, cut.pickup, cut.bars) == (72, 24, 2)
    upbeat = Melody(cut.notes, pickup=24, bars=4)
    assert without_silent_bars(upbeat) == cut
    late = Melody(tuple(replace(note, onset=note.onset + 24) for note in notes))
    assert (without_silent_bars(late).notes[0].onset, without_silent_bars(late).pickup) == (0, 0)


def write_table(path, *rows):
    path.write_text("\n".join(rows), "utf-8")


def test_a_hymns_harmony_is_free_where_its_maker_is_named(tmp_path):
    write_table(
        tmp_path / "hymns.tsv",
        "file\tsource\tcomposer\tlicence",
        "a.mid\tOpen Hymnal Project\tMonk, William (1823-1889)\tx",
        "b.mid\tOpen Hymnal Project\tfrom Klug's Geistliche Lieder, 1533\tx",
        "c.mid\tMutopia\tTraditional\tx",
    )
    assert harmony.free_settings(tmp_path / "hymns.tsv") == {"a.mid": True, "b.mid": False, "c.mid": True}


def symbols(text, bar=96):
    chosen = [Chord.parse(symbol) for symbol in text.split()]
    return [ChordSpan(place * bar, place * bar + bar, chord) for place, chord in enumerate(chosen)]


KERN = '**kern\n*I"Piano\n*k[]\n*C:\n*M2/4\n{}*-\n'


@pytest.fixture
def corpora(tmp_path):
    """A folder with a few files of each of four collections, and the folder's own lists."""
    folder = tmp_path / "corpora"
    for name in ("hymns", "standards", "dances", "lieder"):
        (folder / name).mkdir(parents=True)
    for seed in range(16):
        melody = replace(tune(seed, 8), time_signature=TimeSignature(4, 4), key=C, bars=0)
        (folder / "hymns" / f"carol_{seed}.mid").write_bytes(midi_bytes(melody, chords=symbols("C F G7 C")))
    write_table(
        folder / "hymns.tsv",
        "file\tsource\tcomposer\tlicence",
        *(f"carol_{n}.mid\tOpen Hymnal Project\tX (1800-1850)\t-" for n in range(8)),
    )
    lead = [replace(tune(seed, 8), time_signature=TimeSignature(4, 4), key=C, bars=0) for seed in (0, 40, 41)]
    for name, melody in zip(("Old", "New", "Sure"), lead, strict=True):
        (folder / "standards" / f"{name}.mxl").write_bytes(mxl(melody, symbols("Am Dm E7 Am")))
    write_table(
        folder / "standards.tsv",
        "file\tstrength",
        "Old.mxl\tto be checked by a person",
        "New.mxl\tto be checked by a person",
        "Sure.mxl\tsure",
    )
    bars = "".join(
        f"={bar}\n4{'cdefgab'[bar % 7]}\n8{'efgabcd'[bar % 7]}\n8{'gabcdef'[bar * 3 % 7]}\n" for bar in range(1, 9)
    )
    (folder / "dances" / "x_anonim--polonez.krn").write_text("!!!AGN: Secular; Polonaise\n" + KERN.format(bars))
    (folder / "dances" / "broken.krn").write_text("nothing")
    (folder / "lieder" / "A-_-B-lc1.mxl").write_bytes(mxl(tune(50, 8)))
    return folder


def test_all_steps_from_files_to_pieces(corpora, tmp_path):
    work = steps.Work(corpora, tmp_path / "out", tmp_path / "m.tsv", corpora=("hymns", "standards", "dances", "lieder"))
    told = {name: step(work) for name, step in steps.STEPS.items()}
    assert told["read"] == "hymns 16, standards 3, dances 1, lieder 0"
    pieces = {one.source: one for one in load(work.repertoire)}
    hymn, standard, dance = (
        pieces[name] for name in ("hymns/carol_1.mid", "standards/Sure.mxl", "dances/x_anonim--polonez.krn")
    )
    assert [(one.root, one.quality) for one in hymn.chords][:4] == [(0, "maj"), (5, "maj"), (7, "7"), (0, "maj")]
    assert (hymn.chords_from, pieces["hymns/carol_9.mid"].chords_from) == ("four parts", "")
    assert [one.root for one in standard.chords[:4]] == [9, 2, 4, 9]
    assert standard.melody.key == A_MINOR  # by its chords, whatever the program wrote
    assert (dance.kind, dance.style, dance.melody.bars) == ("polonaise", "dance", 8)

    rows = {f"{row.corpus}/{row.file}": row for row in manifest.load(work.manifest)}
    assert Counter(row.split for row in rows.values() if row.corpus == "hymns") == {"train": 14, "held": 2}
    assert rows["dances/broken.krn"].why.startswith("is not Humdrum **kern")
    assert rows["lieder/A-_-B-lc1.mxl"].why == "has no words"
    assert rows["standards/New.mxl"].split == "measured"
    kin = rows["hymns/carol_0.mid"].split
    assert rows["standards/Old.mxl"].split == ("measured" if kin == "held" else "left out")
    assert rows["standards/Old.mxl"].work == "hymns/carol_0.mid"
    assert all(one.split == rows[one.source].split for one in pieces.values())
    assert "| hymns | 16 |" in (work.out / "audit.md").read_text("utf-8")


def test_what_is_read_is_not_read_again_until_it_changes(corpora, tmp_path, monkeypatch):
    work = steps.Work(corpora, tmp_path / "out", tmp_path / "m.tsv", corpora=("dances",))
    steps.read(work)
    monkeypatch.setattr(steps, "read_corpus", None)
    steps.read(work)
    monkeypatch.undo()
    (corpora / "dances" / "broken.krn").unlink()
    assert steps.read(work) == "dances 1"
    assert json.loads((work.out / "read" / "dances.left_out.json").read_text()) == {}


def test_the_manifest_in_the_repository_keeps_works_whole():
    sides = {}
    for row in manifest.load(steps.MANIFEST):
        if row.split in (manifest.HELD, manifest.TRAIN):
            sides.setdefault(row.work or f"{row.corpus}/{row.file}", set()).add(row.split)
    assert all(len(side) == 1 for side in sides.values())
    assert not any(row.split == manifest.TRAIN and row.why for row in manifest.load(steps.MANIFEST))
