"""Files say how they were made, and are made again to the byte."""

import json
import random
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melodygru.errors import MidiError
from melodygru.formats.midi.parser import parse_midi, read_midi
from melodygru.formats.midi.performance import Performance
from melodygru.music.melody import Melody, Note
from melodygru.music.theory import Key
from melodygru.version import __version__
from melodygru.writing.candidates import Generated
from melodygru.writing.config import GenerationConfig
from melodygru.writing.recipe import Recipe, melody_as_dict, melody_from_dict, rendered
from melodygru.writing.styles import STYLES
from tests.command_line import run
from tests.networks import checkpoint
from tests.strategies import melodies
from tests.writing.test_wishes import random_wishes

EARLIER = Path(__file__).parent / "earlier"

recipes = st.builds(
    Recipe,
    version=st.just("1.2.3"),
    model=st.sampled_from(["folk", "Größe ♭", ""]),
    fingerprint=st.just("0123456789abcdef"),
    seed=st.integers(0, 2**70),
    number=st.integers(0, 10_000),
    config=st.builds(GenerationConfig, bars=st.one_of(st.none(), st.integers(1, 1000)), bpm=st.floats(4, 1000)),
    command=st.sampled_from(["generate", "infill", "vary"]),
    source=st.one_of(st.none(), melodies()),
    details=st.dictionaries(st.sampled_from(["amount", "bars", "x"]), st.one_of(st.integers(), st.text())),
)


@settings(deadline=None)
@given(recipes, st.floats(0.5, 0.75), st.integers(0, 127))
def test_a_recipe_comes_back_from_its_text(recipe, swing, program):
    played = Performance(program=program, swing=swing, seed=recipe.seed + recipe.number)
    recipe = replace(recipe, performance=played)
    again = Recipe.find(["@Ikey: C major", "melodygru", recipe.text()])
    assert again == recipe
    if recipe.source is not None:
        assert again.source == melody_from_dict(json.loads(json.dumps(melody_as_dict(recipe.source))))


def test_a_recipe_tells_how_keys_are_spelled_and_those_of_before_spell_them_plainly():
    recipe = Recipe("1.2.3", "folk", "0", 1, config=GenerationConfig(key="Gb"))
    text = recipe.text()
    assert '"as_written":true' in text
    assert Recipe.find([text]).as_written
    before = Recipe.find([text.replace(',"as_written":true', "")])
    assert not before.as_written
    assert before.text() == text.replace(',"as_written":true', "")
    written = [
        rendered(Generated(Melody((Note(66, 0, 96),), key=Key.parse("Gb", as_written=True))), one)
        for one in (recipe, before)
    ]
    assert [parse_midi(data).key_in_words for data in written] == [Key(6), Key(6)]
    assert [str(parse_midi(data).key_in_words) for data in written] == ["Gb major", "F# major"]


def test_other_texts_are_passed_by():
    assert Recipe.find([]) is None
    assert Recipe.find(["@Ikey: C major", "melodygru is nice", "{}"]) is None


SOUND = Recipe("1", "folk", "ab", 1).as_dict()


@pytest.mark.parametrize(
    "change",
    [
        {"seed": -1},
        {"seed": "x"},
        {"number": -2},
        {"seed": None},
        {"seed": 1e400},
        {"command": "rm"},
        {"options": {"bars": 10**9}},
        {"options": {"colour": 1}},
        {"options": {"bpm": float("nan")}},
        {"options": [1]},
        {"performance": {"swing": 9}},
        {"source": {"notes": [1, 2]}},
        {"source": 5},
        {"details": 7},
    ],
)
def test_a_damaged_recipe_is_refused_in_a_sentence(change):
    text = "@Imelodygru " + json.dumps({**SOUND, **change})
    with pytest.raises(MidiError, match="says how it was made in a way that cannot be read"):
        Recipe.find([text])


@pytest.mark.parametrize(
    "text", ["@Imelodygru {", "@Imelodygru {}", "@Imelodygru {" + '"a":[' * 5000, '@Imelodygru {"seed":1}']
)
def test_what_is_cut_off_is_refused_too(text):
    with pytest.raises(MidiError):
        Recipe.find([text])


def options_of(wishes):
    found = []
    for name, value in wishes.items():
        option = f"--{name.replace('_', '-')}"
        found += [option if value else f"--no-{name}"] if isinstance(value, bool) else [option, str(value)]
    return found


def write_some(count, start=0, model=("--model", "toy"), extra=()):
    """Files made with random options, in this folder."""
    made, seed = [], start
    while len(made) < count:
        seed += 1
        name = f"r{seed}.mid"
        chance = random.Random(seed)
        feel = [
            ["--humanize", "0.5"],
            ["--swing", "0.6"],
            ["--program", "flute"],
            ["--count", "2"],
            ["--ppq", "96"],
            [],
        ]
        if (
            run(
                "generate",
                *model,
                *extra,
                *options_of(random_wishes(chance)),
                *chance.choice(feel),
                "--seed",
                seed,
                name,
            )
            == 0
        ):
            made += [path for path in (name, f"r{seed}-01.mid", f"r{seed}-02.mid") if Path(path).exists()]
    return made


def test_files_are_made_again_to_the_byte(here, capsys):
    for name in write_some(25):
        assert run("replay", name, "again.mid", "--force") == 0
        assert Path("again.mid").read_bytes() == Path(name).read_bytes()
        assert "made again with melodygru" in capsys.readouterr().out


def test_primers_infills_and_variations_are_made_again(here, capsys):
    assert run("generate", "--model", "toy", "--bars", 8, "--seed", 1, "a.mid") == 0
    commands = [
        ["generate", "--primer", "a.mid", "--primer-bars", 2, "--bars", 6, "--humanize", 0.4],
        ["generate", "--primer-notes", "C4/4 D4/8. E4/16 r/4", "--no-include-primer", "--bars", 4],
        ["generate", "--chords", "Am F", "--render-chords", "--bars", 4, "--best-of", 5],
        ["infill", "a.mid", "--bars", "3-4", "--best-of", 6],
        ["vary", "a.mid", "--amount", 0.5, "--keep", "contour"],
        ["vary", "a.mid", "--amount", 0.4, "--bars", "2-5"],
    ]
    for number, command in enumerate(commands):
        name = f"b{number}.mid"
        place = 2 if command[0] != "generate" else 1
        assert run(*command[:place], name, *command[place:], "--model", "toy", "--seed", 3) == 0, command
        capsys.readouterr()
    Path("a.mid").unlink()  # nothing but the file itself and the model is needed
    for number, command in enumerate(commands):
        assert run("replay", f"b{number}.mid") == 0, (command, capsys.readouterr().err)
    capsys.readouterr()
    assert run("replay", "b0.mid", "--json") == 0
    assert json.loads(capsys.readouterr().out)["same"] is True


@pytest.mark.parametrize("file", sorted(EARLIER.glob("*.mid")), ids=lambda file: file.stem)
def test_files_of_earlier_versions_are_made_again_to_the_byte(here, capsys, file):
    """Their recipes leave out what was the default then; what is the default now changes nothing of them."""
    recipe = Recipe.find(read_midi(file).texts)
    assert (recipe.model, recipe.config.style) == ("folk", None)
    assert run("replay", file, "again.mid") == 0
    assert Path("again.mid").read_bytes() == file.read_bytes()
    capsys.readouterr()
    assert run("info", file, "--json") == 0
    assert json.loads(capsys.readouterr().out)["made_by"]["model"] == "folk"


def test_the_folk_model_writes_what_it_wrote(here):
    assert run("generate", "--model", "folk", "--bars", 4, "--seed", 1, "now.mid") == 0
    now, then = read_midi("now.mid"), read_midi(EARLIER / "generated.mid")
    assert now.tracks == then.tracks
    assert Recipe.find(now.texts).config == Recipe.find(then.texts).config


@pytest.mark.parametrize("wish", [[], ["--style", "waltz"], ["--feel", "lullaby"], ["--model", "folk"]])
def test_files_of_a_style_say_all_that_belongs_to_it(here, monkeypatch, wish):
    """So they are made again to the byte whatever a style, a feel or a default is one day."""
    assert run("generate", "--bars", 4, "--seed", 2, *wish, "a.mid") == 0
    others = {name: replace(style, meter="5/4", bpm=33, range="C2:C3") for name, style in STYLES.items()}
    monkeypatch.setattr("melodygru.writing.styles.STYLES", others)
    monkeypatch.setattr("melodygru.writing.config.STYLES", others)
    monkeypatch.setattr("melodygru.writing.styles.DEFAULT_STYLE", "hymn")
    assert run("replay", "a.mid", "b.mid") == 0
    assert Path("a.mid").read_bytes() == Path("b.mid").read_bytes()


def test_what_is_made_of_a_file_goes_on_in_its_style_with_its_model(here, capsys):
    assert run("generate", "--style", "waltz", "--bars", 8, "--seed", 1, "a.mid") == 0
    steps = [
        ["infill", "a.mid", "b.mid", "--bars", "3-4", "--best-of", 4],
        ["vary", "b.mid", "c.mid", "--amount", 0.3, "--best-of", 4],
        ["infill", "c.mid", "d.mid", "--bars", "6", "--best-of", 4],
        ["generate", "--primer", "d.mid", "--primer-bars", 2, "--bars", 4, "e.mid"],
    ]
    for step in steps:
        assert run(*step, "--seed", 3) == 0
        assert ", style waltz, seed 3." in capsys.readouterr().out
    for name in "bcde":
        recipe = Recipe.find(read_midi(f"{name}.mid").texts)
        assert (recipe.model, recipe.config.style) == ("repertoire", "waltz")
        assert run("replay", f"{name}.mid") == 0
    # What is said goes before; a model that knows no styles is asked for none.
    assert run("vary", "a.mid", "f.mid", "--style", "mazurka", "--best-of", 2, "--seed", 1) == 0
    assert run("vary", "a.mid", "g.mid", "--model", "folk", "--best-of", 2, "--seed", 1) == 0
    styles = [Recipe.find(read_midi(f"{name}.mid").texts).config.style for name in "fg"]
    assert styles == ["mazurka", None]
    assert run("vary", "a.mid", "h.mid", "--model", "folk", "--style", "waltz") == 2
    assert "--style waltz is nothing that the model folk has learned" in capsys.readouterr().err
    assert run("generate", "--model", "toy", "--bars", 2, "i.mid") == 0
    assert run("infill", "i.mid", "j.mid", "--bars", 1, "--best-of", 2) == 0
    assert Recipe.find(read_midi("j.mid").texts).model == "toy"


def test_what_differs_is_said(here, capsys):
    assert run("generate", "--model", "toy", "--bars", 4, "--seed", 1, "a.mid") == 0
    data = Path("a.mid").read_bytes()

    Path("note.mid").write_bytes(data[:-40] + bytes([data[-40] ^ 1]) + data[-39:])
    assert run("replay", "note.mid") == 1
    assert "is not what melodygru" in capsys.readouterr().err

    # An older version whose bytes come out the same is no trouble; one whose bytes do not is named.
    older = Path("note.mid").read_bytes().replace(f'"version":"{__version__}"'.encode(), b'"version":"0.0.9"')
    Path("old.mid").write_bytes(older)
    assert run("replay", "old.mid") == 1
    assert "install 0.0.9" in capsys.readouterr().err

    checkpoint(seed=5).save("checkpoints/toy.safetensors")
    assert run("replay", "a.mid") == 1
    assert "of fingerprint" in capsys.readouterr().err

    checkpoint().save("kept.safetensors")
    assert run("replay", "a.mid", "--model", "kept.safetensors") == 0
    Path("checkpoints/toy.safetensors").unlink()
    capsys.readouterr()
    assert run("replay", "a.mid") == 1
    assert "There is no model 'toy'" in capsys.readouterr().err


def test_where_the_new_file_goes(here, capsysbinary):
    assert run("generate", "--model", "toy", "--bars", 2, "--seed", 1, "a.mid") == 0
    capsysbinary.readouterr()
    assert run("replay", "a.mid", "-") == 0
    assert capsysbinary.readouterr().out == Path("a.mid").read_bytes()
    assert run("replay", "a.mid", "a.mid") == 1
    assert b"a.mid exists" in capsysbinary.readouterr().err
    assert run("replay", "a.mid", "checkpoints") == 2
    assert run("replay", "nowhere.mid") == 1
    Path("b.mid").write_bytes(b"MThd")
    assert run("replay", "b.mid") == 1
    assert b"Traceback" not in capsysbinary.readouterr().err


def test_a_file_of_somebody_else_has_no_recipe(here, capsys):
    from melodygru import Melody, Note

    Melody((Note(60, 0, 24),)).save("theirs.mid")
    assert run("replay", "theirs.mid") == 1
    assert "does not say how it was made" in capsys.readouterr().err


def test_the_recipe_names_no_path(here):
    shutil.copy("checkpoints/toy.safetensors", "elsewhere.safetensors")
    assert run("generate", "--model", here / "elsewhere.safetensors", "--bars", 2, "a.mid") == 0
    texts = parse_midi(Path("a.mid").read_bytes()).texts
    assert Recipe.find(texts).model == "elsewhere"
    assert str(here) not in "".join(texts)


@pytest.mark.slow
def test_a_hundred_files_are_made_again_in_fresh_processes(here):
    names = write_some(100, start=500, model=())
    same = 0
    for name in names[:100]:
        command = [sys.executable, "-m", "melodygru", "replay", name, f"again-{name}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        same += done.returncode == 0 and Path(f"again-{name}").read_bytes() == Path(name).read_bytes()
    print(f"{same} of 100 files made again to the byte, each in a process of its own")
    assert same == 100
