"""What is parsed without typer is what typer makes of the same line."""

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

from melodygru.cli import parameters, quick
from melodygru.cli.command import Command
from melodygru.cli.generate_command import generate
from tests.command_line import modules_after, run

DESCRIBED = quick.by_spelling(generate.listed)
ODD = ["4/4", "Am F C G", "A minor", "waltz", "", "-", "--", "1e3", "0x10", "٣", "120bpm", "60%", "+3", "07"]
VALUES = st.one_of(
    st.integers(-20, 2000).map(str),
    st.floats(-2, 300).map(lambda value: f"{value:.3g}"),
    st.sampled_from(ODD),
    st.text(max_size=4),
)
NAMES = st.sampled_from(sorted(DESCRIBED)) | st.sampled_from(["tempo", "bar", "out", "overwrite", "Bars", "options"])
WORDS = st.one_of(
    st.tuples(NAMES, VALUES).map(lambda pair: [f"--{pair[0]}", pair[1]]),
    st.tuples(NAMES, VALUES).map(lambda pair: [f"--{pair[0]}={pair[1]}"]),
    NAMES.map(lambda name: [f"--{name}"]),
    NAMES.map(lambda name: [f"--no-{name}"]),
    st.sampled_from([["--force"], ["--json"], ["--show"], ["-h"], ["a.mid"], ["b.MIDI"], ["c"], ["-n", "2"], ["-"]]),
)


@pytest.fixture(scope="module")
def by_typer():
    """By name what typer makes of a line."""
    app = typer.Typer()
    app.command(cls=Command)(parameters.signed(generate))
    made = typer.main.get_command(app)
    made.aliases = generate.aliases
    return lambda arguments: dict(made.make_context("generate", list(arguments)).params)


@settings(max_examples=400, deadline=None)
@given(lines=st.lists(WORDS, max_size=5))
def test_a_line_is_left_to_typer_or_parsed_as_typer_does(by_typer, lines):
    arguments = [word for line in lines for word in line]
    values = quick.values_of(arguments, DESCRIBED)
    if values is not None:
        # What may be said several times is empty where it was not said: the command gets None either way.
        theirs = {name: None if value == () else value for name, value in by_typer(arguments).items()}
        assert values == theirs
        assert {name: type(value) for name, value in values.items()} == {n: type(v) for n, v in theirs.items()}


def test_what_is_typed_most_is_parsed_here():
    line = ["--bars", "16", "--seed=1", "--key", "A minor", "--bpm", "97.5", "--no-triplets", "--force", "out.mid"]
    values = quick.values_of(line, DESCRIBED)
    said = {name: value for name, value in values.items() if value or name == "triplets"}
    wanted = {"bars": 16, "seed": 1, "key": "A minor", "bpm": 97.5, "triplets": False, "force": True, "out": "out.mid"}
    assert said == wanted
    assert quick.values_of([], DESCRIBED)["bars"] is None


@pytest.mark.parametrize(
    "line",
    [
        *(
            ["--bars"],
            ["--bars", "4", "--bars", "5"],
            ["a.mid", "b.mid"],
            ["ideas"],
            ["--bars", "-4"],
            ["--bpm", "1e2"],
        ),
        *(["--options", "o.toml"], ["--help"], ["-b", "4"], ["--qpm", "90"], ["--bars", "4bars"], ["--force=1"], ["-"]),
    ],
    ids=" ".join,
)
def test_what_is_not_plain_is_left_to_typer(line):
    assert quick.values_of(line, DESCRIBED) is None


def test_options_are_parsed_as_they_are_spelled(by_typer):
    """Not as they are named: --with is the option `parts`, and there is no --parts."""
    assert "parts" not in DESCRIBED
    assert quick.values_of(["--parts", "bass"], DESCRIBED) is None
    line = ["--with", "chords,bass"]
    assert quick.values_of(line, DESCRIBED)["parts"] == by_typer(line)["parts"] == "chords,bass"


def test_other_commands_and_completions_are_left_to_typer(monkeypatch):
    assert quick.parsed(["tokens", "a.mid"]) is None
    assert quick.parsed(["generate", "a.mid"])[0] == "generate"
    monkeypatch.setenv("_MELODYGRU_COMPLETE", "complete_bash")
    assert quick.parsed(["generate", "a.mid"]) is None


def test_a_plain_line_needs_no_typer(here):
    loaded = modules_after(
        "import sys; sys.argv = ['melodygru', 'generate', '--model', 'toy', '--bars', '2', 'a.mid']\n"
        "from melodygru.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass"
    )
    assert not loaded & {"typer", "rich", "mido"}
    assert (here / "a.mid").exists()


def test_errors_are_told_the_same(here, capsys):
    told = []
    for spelled in (["--bars", "0"], ["--bars=0", "-k", "C"]):  # the second by typer
        assert run("generate", "--model", "toy", *spelled, "a.mid") == 2
        told.append(capsys.readouterr().err)
    assert told[0] == told[1] != ""
