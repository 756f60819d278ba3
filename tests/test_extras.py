"""What each part needs: the light core writes melodies, and what is missing is said with the line that brings it."""

import ast
import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from melodygru import extras
from melodygru.cli import commands
from melodygru.errors import MissingPackageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CORE = {"numpy", "mido", "safetensors", "typer", "rich", "tqdm", "tomli"}
"""What the light core may import."""
WITHOUT = f"""
import importlib.abc, sys
class Nothing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {set(extras.EXTRA_OF)!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Nothing())
from melodygru.cli import main
main()
"""


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def named(requirements):
    """The distributions that requirements name."""
    return {plain(re.match(r"[\w.-]+", one)[0]) for one in requirements if not one.startswith("melodygru")}


def imports():
    """The packages of others that the program imports, and where."""
    found = {}
    for path in (ROOT / "melodygru").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            else:
                continue
            for name in names:
                package = name.partition(".")[0]
                if package not in sys.stdlib_module_names and package not in ("melodygru", "click", "starlette"):
                    found.setdefault(package, path)
    return found


def without(folder, *arguments):
    """Run the command line where only the light core is installed."""
    command = [sys.executable, "-c", WITHOUT, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)


def test_all_that_is_imported_is_brought_by_something():
    of, base = packages_distributions(), named(PROJECT["dependencies"])
    for package, path in imports().items():
        distribution = plain(of[package][0]) if package in of else plain(package)
        extra = extras.EXTRA_OF.get(package)
        wanted = base if package in CORE or extra == "" else named(PROJECT["optional-dependencies"].get(extra, ()))
        assert distribution in wanted, f"{package}, imported by {path}, is not where it is said to be"


def test_every_extra_is_in_all():
    said = set(extras.EXTRA_OF.values()) - {""}
    everything = " ".join(PROJECT["optional-dependencies"]["all"])
    assert said <= set(re.findall(r"\w+", everything)) - {"melodygru"}


@pytest.fixture(scope="module")
def tune(tmp_path_factory):
    folder = tmp_path_factory.mktemp("core")
    made = without(folder, "generate", "--bars", "4", "--seed", "1", "--program", "violin", "a.mid")
    assert made.returncode == 0, made.stderr
    return folder


@pytest.mark.parametrize(
    "line",
    [
        "infill a.mid --bars 2-3 b.mid",
        "vary a.mid c.mid",
        "show a.mid",
        "info a.mid",
        "tokens a.mid",
        "check a.mid",
        "replay a.mid",
        "score a.mid a.abc",
        "render a.mid a.wav",
        "styles",
    ],
)
def test_the_light_core_is_enough(tune, line):
    done = without(tune, *line.split())
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("line", "brings"),
    [
        ("train .", "pip install melodygru"),
        ("inspect .", "pip install melodygru"),
        ("explain a.mid", "pip install melodygru"),
        ("compare .", "pip install melodygru"),
        ("score a.mid a.musicxml", 'pip install "melodygru[score]"'),
        ("score a.mid a.pdf", 'pip install "melodygru[score]"'),
        ("show a.mid --out a.png", 'pip install "melodygru[score]"'),
        ("studio --no-browser", 'pip install "melodygru[studio]"'),
        ("export folk a.onnx", 'pip install "melodygru[onnx]"'),
        ("corpus oneill tunes", 'pip install "melodygru[score]"'),
    ],
)
def test_what_is_missing_is_said_with_the_line_that_brings_it(tune, line, brings):
    done = without(tune, *line.split())
    assert done.returncode == 1
    assert re.fullmatch(
        rf"Error: This needs \w+, which is not installed; run: {re.escape(brings)}", done.stderr.splitlines()[-1]
    )


def test_what_a_command_needs_is_there():
    for packages in commands.NEEDS.values():
        for package in packages:
            extras.require(package)
    assert set(commands.NEEDS) <= set(commands.COMMANDS)


def test_other_modules_are_nobodys_extra():
    assert extras.missing("no_such_module.at_all") is None
    assert isinstance(extras.missing("matplotlib.pyplot"), MissingPackageError)
    extras.require("torch")


def test_what_is_published_needs_what_it_says():
    sys.path.insert(0, str(ROOT / "scripts"))
    import build_distributions

    core, full = build_distributions.core(PROJECT), build_distributions.full(PROJECT)
    assert named(core["dependencies"]) == CORE
    assert named(core["optional-dependencies"]["train"]) == {"torch", "scipy", "threadpoolctl"}
    assert full["dependencies"] == [f"melodygru-core[train]=={full['version']}"]
    for extra in set(extras.EXTRA_OF.values()) - {""}:
        assert full["optional-dependencies"][extra] == [f"melodygru-core[{extra}]=={full['version']}"]
    assert not {"dev", "docs", "mutation"} & set(core["optional-dependencies"])
    assert core["scripts"] == full["scripts"] == {"melodygru": "melodygru.__main__:main"}
