"""Sections with lengths and wishes of their own, the motif that they share, and the seams between them."""

import random
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melodygru import load_model
from melodygru.errors import UsageError
from melodygru.formats.midi.parser import parse_midi
from melodygru.formats.midi.writer import midi_bytes
from melodygru.music.form import Form
from melodygru.music.theory import Key
from melodygru.writing.config import GenerationConfig
from melodygru.writing.model import Model
from melodygru.writing.option_files import flat
from melodygru.writing.planner import plan
from melodygru.writing.recipe import Recipe
from melodygru.writing.replay import made_again
from melodygru.writing.section_feels import with_feels
from melodygru.writing.sections import OWN, of_a_song, parse_own, text_of
from melodygru.writing.styles import unheard_of
from tests.command_line import run
from tests.networks import checkpoint
from tests.wish_checker import section_violations

FORMS = ["V4 C2 V4 C2", "A2 B3 A2", "V4 C4 B2 C4", "A4 A'4 B1", "V1 C5"]


@pytest.fixture(scope="module")
def model():
    return Model(checkpoint(seed=2), "toy")


def random_order(chance):
    """A form, and what each of its letters asks for itself; some of it may contradict itself."""
    form = chance.choice(FORMS)
    own = {}
    for letter in Form.parse(form).letters:
        wishes = {
            "density": chance.choice([1.0, 2.5, 4.0, 7.0]),
            "range": chance.choice(["C4:C5", "E4:A5", "G3:G4"]),
            "rests": chance.choice(["none", "few", "some"]),
            "scale": chance.choice(["major pentatonic", "blues", "major"]),
            "chords": chance.choice(["F G C Am", "C", "Dm7 G7"]),
            "contour": chance.choice(["arch", "up", "down"]),
            "max_leap": chance.choice([4, 7]),
            "no_repeat_notes": chance.choice([1, 2]),
            "triplets": False,
        }
        own[letter] = {name: value for name, value in wishes.items() if chance.random() < 0.3}
        if "chords" in own[letter]:
            own[letter].pop("scale", None)  # then the scale is that of the chord, off the strong beats
    more = {"motif": chance.choice(["none", "rhythm", "contour"]), "seams": chance.choice(["free", "lead"])}
    return form, {letter: wishes for letter, wishes in own.items() if wishes}, more


def test_bars_are_exact_repeats_equal_and_each_sections_own_wishes_kept(model):
    found, kept = [], 0
    for seed in range(40):
        form, own, more = random_order(random.Random(seed))
        said = {"section": text_of(own)} if own else {}
        try:
            config = GenerationConfig(form=form, key="C", best_of=2, **said, **more)
            done = model.compose(config, seed)
        except UsageError as error:
            found += [] if "--" in str(error) else [(seed, str(error))]
            continue
        for one in done:
            kept += 1
            found += [(seed, form, own, fault) for fault in section_violations(midi_bytes(one.melody), form, own, 0)]
    assert not found
    assert kept >= 30


def test_the_checker_sees_what_is_wrong(model):
    data = midi_bytes(model.compose(GenerationConfig(form="V4 C4 V4", best_of=1), 1)[0].melody)
    assert not section_violations(data, "V4 C4 V4", {}, 0)
    wrong = [("density", 30), ("range", "C8:D8"), ("scale", "blues"), ("chords", "F#"), ("max_leap", 0)]
    for name, value in wrong:
        assert section_violations(data, "V4 C4 V4", {"C": {name: value}}, 0), name
    assert any(section_violations(data, "V4 C4 V4", {"C": {"rests": rests}}, 0) for rests in ("none", "some"))
    assert section_violations(data, "V4 V4 V4", {}, 0)
    assert section_violations(data, "V4 C4", {}, 0)


texts = st.dictionaries(
    st.sampled_from("VCB"),
    st.fixed_dictionaries(
        {"density": st.floats(0.25, 96).map(lambda number: float(f"{number:g}"))},
        optional={
            "range": st.just("C4:C5"),
            "chords": st.sampled_from(["F G C Am", "C", "| C G/B | Am7 |"]),
            "scale": st.sampled_from(["blues", "major pentatonic", "C D Eb F# G"]),
            "contour": st.sampled_from(["arch", "0 7 4 0"]),
            "rests": st.just("few"),
            "begin_on": st.just("other"),
            "max_leap": st.integers(1, 12),
            "triplets": st.booleans(),
            "feel": st.just("anthem"),
        },
    ),
    min_size=1,
)


@settings(max_examples=50)
@given(texts)
def test_what_sections_say_is_read_as_it_is_written(own):
    assert parse_own(text_of(own), Form.parse("VCB")) == own
    assert flat({"sections": own}) == {"section": text_of(own)}


@settings(max_examples=200)
@given(st.text("VCB:=;' \"adensity4.range", max_size=40))
def test_any_text_is_read_or_refused_in_a_sentence(text):
    try:
        own = parse_own(text, Form.parse("V C B"))
    except UsageError:
        return
    assert all(set(wishes) <= set(OWN) for wishes in own.values())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"section": "A: density=4"}, "--section has no meaning without --form"),
        ({"form": "AB", "section": "C: density=4"}, "the form AB has no such section; it has A, B"),
        ({"form": "AB", "section": "chorus: density=4"}, "no such section"),
        ({"form": "AB", "section": "density=4"}, "cannot be read"),
        ({"form": "AB", "section": "A: bpm=90"}, "A section has no bpm of its own"),
        ({"form": "AB", "section": "A: triplets=2"}, "Section A: triplets is '2'; choose yes or no"),
        ({"form": "AB", "section": "A: max_leap=wide"}, "Section A: max_leap is 'wide'; give a whole number"),
        ({"form": "AB", "section": "A: density=400"}, "Section A: density is 400"),
        ({"form": "AB", "section": "A: density=many"}, "Section A: density is 'many'"),
        ({"form": "AB", "section": "A: density=1 density=2"}, "says density twice"),
        ({"form": "AB", "section": "B: chords=H7"}, "Section B: Chord 1 of 1 is not known"),
        ({"form": "AB", "section": "B: begin_on=tonic"}, "Section B: begin_on is 'tonic'"),
        ({"form": "AB", "section": "A: contour=arch range=C4:D4"}, "Section A: --contour and --range"),
        ({"form": "AB", "section": "A:"}, "cannot be read"),
        ({"motif": "rhythm"}, "--motif has no meaning without --form"),
    ],
)
def test_wishes_of_sections_that_cannot_be_are_told_with_the_section(options, words):
    with pytest.raises(UsageError, match=words):
        GenerationConfig(**options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"section": "A: density=20", "grid": "1/4"}, ["--grid 1/4", '--section "A: density=20"']),
        ({"section": "B: range=C#4:C#4", "key": "C"}, ['--section "B: range=C#4:C#4"']),
        ({"section": "A: range=C4:C4", "seams": "lead", "key": "C"}, ["--seams lead", "--seams free"]),
    ],
)
def test_contradictions_name_the_section(options, words):
    with pytest.raises(UsageError) as caught:
        plan(GenerationConfig(form="A4 B4", **options))
    assert all(word in str(caught.value) for word in words), caught.value


def test_parts_of_a_song_have_wishes_of_their_own_and_plain_letters_none():
    song = of_a_song(GenerationConfig(form="V8 C8 B4 C8", range="C4:A5"))
    assert song.own_wishes == {
        "V": {"range": "C#4:D#5", "density": 6.0},
        "C": {"range": "F4:G5", "density": 4.0},
        "B": {"begin_on": "other"},
    }
    assert (song.motif, song.seams) == ("rhythm", "lead")
    for plain in ({"form": "A8 B8"}, {"form": "AVC"}, {"form": "CB"}, {"form": "VC", "plain_sections": True}):
        assert of_a_song(GenerationConfig(**plain)) == GenerationConfig(**plain)
    said = of_a_song(GenerationConfig(form="verse chorus", section="chorus: density=9 range=C4:C5", seams="free"))
    assert said.own_wishes == {"C": {"density": 9.0, "range": "C4:C5"}}
    assert (said.form, said.seams) == ("VC", "free")
    # In a range too narrow for two neither is put above the other.
    assert "range" not in of_a_song(GenerationConfig(form="VC", range="C4:C5")).own_wishes["C"]


def motif(melody, begin, bars=2):
    """(onset, duration) of the notes in some bars, cut off at their end."""
    bar = melody.time_signature.bar_steps
    start, end = begin * bar, (begin + bars) * bar
    return {(n.onset - start, min(n.end, end) - n.onset) for n in melody.notes if start <= n.onset < end}


def share(one, two):
    return 2 * len(one & two) / (len(one) + len(two))


def test_sections_share_a_rhythm_and_the_bridge_begins_elsewhere(folk):
    shared, plain, same = [], [], 0
    for seed in range(3):
        config = GenerationConfig(form="V8 C8 B8", motif="rhythm", section="B: begin_on=other", best_of=1)
        melody = folk.compose(config, seed)[0].melody
        shared.append(share(motif(melody, 0), motif(melody, 8)))
        bridge, verse = (next(n.pitch for n in melody.notes if n.onset >= at * 96) for at in (16, 0))
        same += (bridge - verse) % 12 == 0
        other = folk.compose(replace(config, motif="none"), seed)[0].melody
        plain.append(share(motif(other, 0), motif(other, 8)))
    assert min(shared) > 0.85
    assert sum(plain) < sum(shared) - 0.6
    assert not same


def test_sections_share_where_the_motif_rises_and_falls(folk):
    agree = []
    for seed in range(3):
        melody = folk.compose(GenerationConfig(form="A8 B8", motif="contour", best_of=1), seed)[0].melody
        rows = ([n.pitch for n in melody.notes if at * 96 <= n.onset < (at + 2) * 96] for at in (0, 8))
        signs = [[(b > a) - (b < a) for a, b in pairwise(row)] for row in rows]
        agree += [a == b for a, b in zip(*signs, strict=False)]
    assert len(agree) > 20
    assert sum(agree) / len(agree) > 0.9


def test_seams_lead_over_without_a_rest_a_long_note_or_a_close(folk):
    leaps = []
    for seed in range(3):
        config = GenerationConfig(form="V4 C3 V4 B2 C3", key="G", seams="lead", best_of=1)
        melody = folk.compose(config, seed)[0].melody
        for seam in (4 * 96, 11 * 96, 13 * 96):
            last = max((n for n in melody.notes if n.onset < seam), key=lambda n: n.onset)
            first = next(n for n in melody.notes if n.onset >= seam)
            assert (last.end, first.onset) == (seam, seam)
            assert last.duration <= 48
            assert last.pitch % 12 != Key.parse("G").tonic
            leaps.append(abs(first.pitch - last.pitch))
        assert melody.notes[-1].pitch % 12 == Key.parse("G").tonic
    assert sum(leap <= 4 for leap in leaps) >= 6


def test_a_song_is_made_again_to_the_byte_from_what_its_file_says(here, capsys):
    said = ["--section", "chorus: density=5 chords='F G C Am' syncopation=much", "--section", "V: rests=few"]
    run("generate", "--form", "verse 2 chorus 2 verse 2", *said, "--seed", "3", "song.mid")
    data = (here / "song.mid").read_bytes()
    recipe = Recipe.find(parse_midi(data).texts)
    assert recipe.config.form == "V2 C2 V2"
    assert recipe.config.own_wishes["C"]["chords"] == "F G C Am"
    assert recipe.config.own_wishes["V"]["rests"] == "few"
    assert made_again(recipe, load_model()) == data


def test_a_section_has_what_its_feel_sets_for_a_part_beneath_what_it_says_itself(folk):
    config = GenerationConfig(form="V2 C2", section="C: feel=anthem density=2.5")
    own = with_feels(config).own_wishes["C"]
    assert config.section == "C: feel=anthem density=2.5"
    assert own == {
        "range": "C4:D5", "density": 2.5, "grid": "1/8", "triplets": False, "syncopation": "none", "leaps": "few",
        "max_leap": 7,
    }  # fmt: skip
    # Files say what a feel sets, and a model that has not learned of traits is not asked for them.
    heard = with_feels(config, unheard_of(folk.context)).own_wishes["C"]
    assert heard == {name: value for name, value in own.items() if name not in ("syncopation", "leaps")}
    for melody in folk.generate_many(2, seed=1, **config.as_dict()):
        data = midi_bytes(melody)
        assert not section_violations(data, "V2 C2", {"C": heard}, melody.key.tonic)


@pytest.mark.parametrize(
    ("name", "words"),
    [("quick", "the feel quick sets nothing that a section can have"), ("gloom", "There is no feel 'gloom'; choose")],
)
def test_feels_that_a_section_cannot_have_are_refused_with_the_section(here, folk, name, words):
    Path("feels.toml").write_text("[quick]\nbpm = 200\n")
    with pytest.raises(UsageError, match=f"Section C: {words}"):
        folk.generate_many(1, form="VC", section=f"C: feel={name}")


def test_sections_of_feels_are_made_again_when_the_feels_have_changed(here, capsys):
    Path("feels.toml").write_text('[mine]\ngrid = "1/8"\ntriplets = false\nbpm = 200\n')
    run("generate", "--form", "V2 C2", "--section", "C: feel=mine", "--seed", "3", "song.mid")
    Path("feels.toml").unlink()
    data = Path("song.mid").read_bytes()
    recipe = Recipe.find(parse_midi(data).texts)
    assert recipe.config.own_wishes["C"].items() >= {"grid": "1/8", "triplets": False}.items()
    assert recipe.config.bpm != 200
    assert made_again(recipe, load_model()) == data


def test_sections_too_far_apart_for_the_largest_leap_are_told():
    section = "V: range=E4:A5; C: range=G3:G4"
    config = GenerationConfig(form="V2 C2 V2 C2", key="A minor", section=section, max_leap=3)
    # The chorus ends on the A3 of the end, and the verse begins at E4.
    with pytest.raises(UsageError, match="--max-leap 3 and --form V2 C2 V2 C2 contradict each other here"):
        plan(config)
    made = plan(replace(config, key="G"))  # G4 is in both
    assert made.meta.bars == 8


def test_a_section_without_words_is_refused(here, capsys):
    assert run("generate", "--model", "toy", "--form", "AB", "--section", "", "a.mid") == 2
    assert "cannot be read at ''" in capsys.readouterr().err
