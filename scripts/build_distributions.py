#!/usr/bin/env python3
"""Build what is published: `melodygru-core`, which holds the program, and `melodygru`, which depends on it.

    python scripts/build_distributions.py dist [--pure]

`melodygru-core` is this repository with the light dependencies alone: a wheel with the compiled parts for this system
(with --pure one without, for all others) and a source distribution. `melodygru` holds no code of its own: it brings
`melodygru-core` of the same version, with what `train` needs, and the extras. Both have the command `melodygru`, so
that pipx and uv, which show the commands of what was named alone, find it in either.

Everything is derived from `pyproject.toml` and `melodygru/extras.py`. Needs the packages `build` and `tomli-w`.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
from melodygru.extras import EXTRA_OF  # noqa: E402
from melodygru.version import __version__  # noqa: E402

TRAIN = "train"
"""The extra of melodygru-core that `melodygru` itself brings."""
_COPIED = ("melodygru", "README.md", "LICENSE", "hatch_build.py")


def core(project: dict[str, Any]) -> dict[str, Any]:
    """The table [project] of melodygru-core, from that of the repository."""
    base = {package for package, extra in EXTRA_OF.items() if not extra}
    heavy = [one for one in project["dependencies"] if re.split(r"[^\w.-]", one)[0] in base]
    extras = {TRAIN: heavy, **_users(project)}
    extras["all"] = [one.replace("melodygru[", "melodygru-core[") for one in [f"melodygru[{TRAIN}]", *extras["all"]]]
    light = [one for one in project["dependencies"] if one not in heavy]
    return {**project, "name": "melodygru-core", "dependencies": light, "optional-dependencies": extras}


def full(project: dict[str, Any]) -> dict[str, Any]:
    """The table [project] of melodygru, from that of the repository."""
    extras = {name: [f"melodygru-core[{name}]=={__version__}"] for name in _users(project)}
    needs = [f"melodygru-core[{TRAIN}]=={__version__}"]
    made = {**project, "dependencies": needs, "optional-dependencies": extras}
    return {**made, "version": __version__, "dynamic": []}


def _users(project: dict[str, Any]) -> dict[str, list[str]]:
    """The extras that are for users."""
    return {
        name: ones for name, ones in project["optional-dependencies"].items() if name not in ("dev", "docs", "mutation")
    }


def write_projects(folder: Path) -> None:
    """Write both as projects that can be built, in the folders core and full."""
    import tomli_w

    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project, tools = settings["project"], settings["tool"]
    hatch = tools["hatch"]
    taken = [*_COPIED, *hatch["build"]["targets"]["wheel"]["force-include"]]
    hatch["build"]["targets"]["sdist"] = {"include": taken}
    empty = {"build": {"targets": {"wheel": {"bypass-selection": True}}}}
    built = {
        "core": (core(project), taken, {"hatch": hatch, "cibuildwheel": tools["cibuildwheel"]}),
        "full": (full(project), ("README.md", "LICENSE"), {"hatch": empty}),
    }
    for name, (table, files, tool) in built.items():
        for file in files:
            source, target = ROOT / file, folder / name / file
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "compiled"))
            else:
                shutil.copy(source, target)
        made = {"build-system": settings["build-system"], "project": table, "tool": tool}
        (folder / name / "pyproject.toml").write_text(tomli_w.dumps(made), encoding="utf-8")


def build(out: Path, pure: bool) -> None:
    """Build both into a folder."""
    with tempfile.TemporaryDirectory() as scratch:
        write_projects(Path(scratch))
        for name in ("core", "full"):
            kinds = ["--wheel"] if name == "full" or pure else ["--sdist", "--wheel"]
            environment = {**os.environ, "MELODYGRU_PURE": "1"} if pure else None
            command = [sys.executable, "-m", "build", *kinds, "--outdir", str(out.resolve()), str(Path(scratch) / name)]
            subprocess.run(command, check=True, env=environment)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="the folder that they are written to")
    parser.add_argument("--pure", action="store_true", help="the wheel that holds no compiled parts")
    parser.add_argument("--projects", action="store_true", help="write the folders core and full, and build nothing")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.projects:
        write_projects(arguments.out)
    else:
        build(arguments.out, arguments.pure)


if __name__ == "__main__":
    main()
