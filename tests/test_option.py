"""An option is said once: what is legal is the same wherever it is given, and stands nowhere else."""

import ast
import math
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from melodygru.cli import options, parameters
from melodygru.cli.command import Command
from melodygru.errors import UsageError
from melodygru.formats.midi.performance import Performance
from melodygru.option import FEEL, TUNE, Option, check_all, described, option, taken_by
from melodygru.studio import messages
from melodygru.studio.front import page_file
from melodygru.writing.config import GenerationConfig
from melodygru.writing.drawing import COUNT, SEED, WRITING, SamplingConfig
from melodygru.writing.fields import Fields

PACKAGE = Path(options.__file__).parent.parent
WISHES, PLAYED = described(GenerationConfig), described(Performance)
LIMITED = [one for one in (*WISHES.values(), *PLAYED.values()) if one.limits]
NEEDED = {"beats_per_chord": {"chords": "C " * 8}, "section_bars": {"form": "A"}}


def config_of(one):
    return GenerationConfig if one.name in WISHES else Performance


def just_inside(one):
    """The ends of what is legal."""
    ends = [one.high, one.low if not one.above else math.nextafter(one.low, 1)]
    return [one.kind(end) for end in ends] + ([] if one.off is None else [one.kind(one.off)])


def just_outside(one):
    """The nearest values that are not legal, and not a number."""
    if one.kind is int:
        beyond = [int(one.low) - 1, int(one.high) + 1]
    else:
        below = one.low if one.above else math.nextafter(one.low, -math.inf)
        beyond = [below, math.nextafter(one.high, math.inf), math.nan]
    return [value for value in beyond if value != one.off]


def typed(*arguments):
    """What a command makes of wishes and of how to play, typed or in an option file."""
    made = {}

    @options.takes(*taken_by("generate", GenerationConfig), *taken_by("generate", Performance), file=True)
    def probe(asked):
        made["wishes"] = GenerationConfig.from_dict(options.part_of(asked, GenerationConfig))
        made["played"] = options.performance(asked)

    app = typer.Typer()
    app.command(cls=Command)(parameters.signed(probe))
    typer.main.get_command(app).main([str(argument) for argument in arguments], standalone_mode=False)
    return made


def ways(one, value, folder):
    """The ways in which a value of an option can be given."""
    others = NEEDED.get(one.name, {})
    text = f"{value:d}" if one.kind is int else repr(float(value))
    said = [word for name, other in others.items() for word in (f"--{name}", other)]
    file = folder / "o.toml"
    file.write_text("\n".join([*(f"{name} = '{other}'" for name, other in others.items()), f"{one.name} = {text}"]))
    yield lambda: config_of(one).from_dict({**others, one.name: value})
    yield lambda: typed(*said, f"--{one.spelled}={text}")
    yield lambda: typed("--options", file)
    if one.name in WISHES:
        yield lambda: messages.Options(**others, **{one.name: value}).config()


@pytest.mark.parametrize("one", [one for one in LIMITED if one.name != "seed"], ids=lambda one: one.name)
def test_limits_are_the_same_wherever_a_value_is_given(tmp_path, one):
    for value in just_inside(one):
        for give in ways(one, value, tmp_path):
            give()
    for value in just_outside(one):
        for give in ways(one, value, tmp_path):
            with pytest.raises((UsageError, ValidationError), match=one.name.split("_")[0]):
                give()


@pytest.mark.parametrize("one", [one for one in WISHES.values() if one.choices], ids=lambda one: one.name)
def test_choices_are_the_same_wherever_they_are_given(tmp_path, one):
    others = {"chords": {"chords": "C"}, "form": {"form": "AB"}}.get(one.needs, {})
    said = [word for name, other in others.items() for word in (f"--{name}", other)]
    for word in one.choices:
        assert getattr(GenerationConfig(**others, **{one.name: word}), one.name) == word
        assert getattr(typed(*said, f"--{one.spelled}", word)["wishes"], one.name) == word
        assert getattr(messages.Options(**others, **{one.name: word}), one.name) == word
    for give in (GenerationConfig, messages.Options):
        with pytest.raises((UsageError, ValidationError), match=one.choices[0]):
            give(**others, **{one.name: "none of them"})


numbers = st.one_of(st.integers(-(10**6), 10**6), st.floats())


@given(st.sampled_from([one for one in LIMITED if not one.parsed]), numbers)
def test_a_value_is_taken_exactly_if_it_is_legal(one, value):
    values = {**NEEDED.get(one.name, {}), one.name: value}
    fits = isinstance(value, int) or one.kind is float
    if fits and one.is_legal(value):
        config_of(one).from_dict(values)
        assert value == one.off or one.limits[0] <= value <= one.limits[1]
    else:
        with pytest.raises(UsageError, match=rf"^{one.spelled} is "):
            config_of(one).from_dict(values)


def test_a_new_field_is_an_option_of_the_commands_that_take_it(capsys):
    @dataclass(frozen=True)
    class More(GenerationConfig):
        mood: str | None = option(
            None, "The mood: {choices}.", choices=("bright", "dark"), panel=TUNE, aliases=("feeling",), commands=WRITING
        )

        def __post_init__(self):
            check_all(described(More).values(), self)

    assert [one.name for one in taken_by("vary", More)][-1] == "mood"
    assert "mood" not in [one.name for one in taken_by("evaluate", More)]
    got = []

    @options.takes(*taken_by("generate", More), file=True)
    def command(asked):
        got.append(More(**options.part_of(asked, More)))

    app = typer.Typer()
    app.command(cls=Command)(parameters.signed(command))
    made = typer.main.get_command(app)
    made.aliases = command.aliases
    made.main(["--feeling", "bright", "--bars", "4"], standalone_mode=False)
    assert (got[0].mood, got[0].bars) == ("bright", 4)
    with pytest.raises(UsageError, match="mood is 'flat'; choose bright or dark"):
        made.main(["--mood=flat"], standalone_mode=False)
    made.main(["--help"], standalone_mode=False)
    page = capsys.readouterr().out
    assert re.search(r"--mood\s.*The mood: bright, dark", page[page.index(f" {TUNE} ") :])


def test_options_of_the_command_line_stand_in_the_order_of_their_panels():
    @options.takes(*taken_by("generate", Performance), SEED, *taken_by("generate", GenerationConfig), COUNT)
    def command(asked):
        pass

    names = list(parameters.signed(command).__signature__.parameters)
    first = ["bars", "key", "meter", "bpm", "seed", "temperature", "top_k", "top_p", "style", "best_of"]
    assert names[: len(first)] == first
    assert names.index("section_bars") < names.index("program") < names.index("midi_format")


def literals(text):
    """Numbers in a text."""
    return {float(number) for number in re.findall(r"(?<![\w/.])\d+(?:\.\d+)?(?![\w/])", text.replace(",", ""))}


def test_limits_are_said_in_no_second_place():
    for one in LIMITED:
        # The lower end may have a meaning of its own, such as "0 is off".
        assert one.high == one.off or one.high not in literals(one.help + one.note + one.remedy), one.name
    for config in (Fields, SamplingConfig, Performance):
        assert not re.search(r"in [\[(]\d", config.__doc__), config
    # The page as it lies in the package: inputs of options have no numbers of their own.
    page = (PACKAGE / "studio" / "page" / "index.html").read_text("utf-8")
    inputs = re.findall(r'<input [^>]*?(?:name|id)="([\w-]+)"([^>]*)>', page)
    asked = [(name, rest) for name, rest in inputs if name in {*messages.LIMITS, "tempo", "amount"}]
    assert len(asked) >= 8
    for name, rest in asked:
        said = set(re.findall(r'(min|max|value|placeholder)="([\d.]+)"', rest))
        # A slider need not go all the way.
        assert said == ({("max", "2")} if name == "temperature" else set()), name
    scripts = "".join(path.read_text("utf-8") for path in (PACKAGE / "studio" / "page").glob("*.js"))
    assert not re.search(r"[<>]=? ?1000\b", scripts)
    # Nobody checks by hand what a description says.
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "check_range":
                first = node.args[0]
                named = first.value.replace("-", "_") if isinstance(first, ast.Constant) else ""
                assert named not in {*WISHES, *PLAYED}, f"{path.name}:{node.lineno}"


def test_the_page_has_its_limits_before_its_scripts_run():
    page = page_file("index.html")[0].decode()
    for name, ends in (("bars", WISHES["bars"]), ("bpm", WISHES["bpm"]), ("density", WISHES["density"])):
        assert f'name="{name}" min="{ends.low:g}" max="{ends.high:g}"' in page
    assert 'name="seed" min="0"' in page
    assert re.search(r'id="amount" [^>]*min="0" max="100" step="any" value="30"', page)
    assert not re.search(r"[{}]", page)


def test_help_and_errors_say_what_the_data_says():
    one = Option("From {low} to {high}, {limits}.", name="a_b", kind=float, low=0.5, high=2, default=1.0, panel=FEEL)
    assert (one.spelled, one.help_text, one.shown_default) == ("a-b", "From 0.5 to 2, 0.5 to 2.", "1")
    with pytest.raises(UsageError, match=r"^a-b is 3; choose a number from 0.5 to 2.$"):
        one.check(3)
    with pytest.raises(UsageError, match=r"^a-b is True; give a number.$"):
        one.check(True)
    with pytest.raises(TypeError):
        option(None, "Help.", limit=5)
