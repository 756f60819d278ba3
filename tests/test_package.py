"""Promises about the package as a whole."""

from importlib import import_module

import melodygru
from melodygru.cli import COMMANDS
from tests.command_line import HEAVY, modules_after


def test_every_public_name_exists_and_is_documented():
    for name in melodygru.__all__:
        assert getattr(melodygru, name).__doc__, name
    assert melodygru.__all__ == sorted(melodygru.__all__)
    assert set(melodygru.__all__) <= set(dir(melodygru))


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(melodygru, "nothing_of_this_name")


def test_importing_the_package_costs_nothing():
    loaded = modules_after("import melodygru")
    assert not loaded & {*HEAVY, "numpy", "typer", "rich", "mido"}


def test_help_imports_nothing_heavy():
    loaded = modules_after(
        "import sys; sys.argv = ['melodygru', '--help']\n"
        "from melodygru.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass"
    )
    assert not loaded & set(HEAVY)


def test_generate_imports_what_it_uses_and_nothing_else(tmp_path):
    loaded = modules_after(
        f"import sys; sys.argv = ['melodygru', 'generate', '--bars', '1', {str(tmp_path / 'a.mid')!r}]\n"
        "from melodygru.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass"
    )
    assert (tmp_path / "a.mid").exists()
    # pydantic comes with some versions of typer, and takes as long as NumPy.
    assert not loaded & {*HEAVY, "pydantic", "rich", "sklearn", "jinja2", "onnx", "multiprocessing", "concurrent"}


def test_the_help_page_tells_what_the_commands_do():
    for name, (module, short) in COMMANDS.items():
        told = getattr(import_module(module), name.replace("-", "_")).__doc__.split("\n\n")[0]
        assert " ".join(told.split()) == short
