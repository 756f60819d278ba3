"""The page as one file: HTML, style and modules of the studio's, Python, the package's own code, and the model.

Modules cannot import one another from a file that was opened from disk, so each becomes a data: URL under a bare name
in an import map. What is large lies in base64 at the page's end, where it keeps nobody from seeing the page.
"""

from __future__ import annotations

import ast
import base64
import gzip
import html
import importlib.util
import io
import json
import re
import zipfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from melodygru.errors import CheckpointError
from melodygru.music.theory import MODES, SCALES
from melodygru.network.checkpoint import Checkpoint
from melodygru.option import described
from melodygru.studio.standalone import runtime
from melodygru.studio.standalone.browser import MOST_BARS
from melodygru.studio.standalone.product import module
from melodygru.version import __version__
from melodygru.writing.config import GenerationConfig
from melodygru.writing.drawing import SEED
from melodygru.writing.model import Model
from melodygru.writing.styles import STYLES

LARGEST_MODEL = 64_000_000
"""Bytes; with larger ones a page would open too slowly to be one, and no browser writes sixteen bars in seconds."""
_ENTRIES = ("melodygru.studio.standalone.browser", "melodygru.studio.standalone.tensors")
"""What the worker imports; all that these import, also when they are called, goes along."""
_PACKAGES = ("mido", "packaging")
"""Pure Python from without: what writes MIDI files, and what that asks for its own version."""
_IMPORT = re.compile(r'(\bfrom |\bimport )"(\.{1,2}/[^"]+)"')
_TONICS = ("C", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_METRES = ("2/4", "3/4", "4/4", "5/4", "3/8", "6/8", "7/8", "9/8", "12/8")
# Nothing is ever asked of a network, and the browser is told to see to it. Python's runtime makes functions of text.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' data: blob:; worker-src blob:; "
    "style-src 'unsafe-inline'; img-src data:; connect-src data: blob:; base-uri 'none'; form-action 'none'"
)


def page(path: Path) -> bytes:
    """The page with the model of that file.

    Raises CheckpointError for a model that cannot be read or is too large, MissingPackageError where Python for the
    browser has not been fetched.
    """
    size = path.stat().st_size if path.is_file() else 0
    if size > LARGEST_MODEL:
        raise CheckpointError(
            f"{path} has {size / 1e6:.0f} MB, and a page holds models of up to {LARGEST_MODEL / 1e6:.0f} MB; "
            "make it smaller with melodygru export --int8."
        )
    model = Model(Checkpoint.load(path), path.stem)
    parts = runtime.files()
    loader = parts.pop("pyodide.asm.js") + b"\n" + parts.pop("pyodide.js")
    worker = _own("worker.js").encode()
    large = {
        "worker.js": _packed(loader + b"\n" + worker),
        "python.wasm": _packed(parts["pyodide.asm.wasm"]),
        "library.zip": parts["python_stdlib.zip"],
        "numpy.whl": parts[runtime.NUMPY],
        "code.zip": _code(),
        "product.wasm": module(),
        "model": _packed(path.read_bytes()),
    }
    return _filled(model, large).encode()


def _filled(model: Model, large: dict[str, bytes]) -> str:
    wishes = described(GenerationConfig)
    style = model.default_style if model.context.style else None
    chosen = STYLES[style] if style else None
    scripts = _scripts()
    values: dict[str, Any] = {
        **wishes,
        "seed": SEED,
        "name": html.escape(model.name),
        "policy": html.escape(_POLICY),
        "version": __version__,
        "most_bars": MOST_BARS,
        "tempo": chosen.bpm if chosen else f"{wishes['bpm'].default or 120:g}",
        "css": _studio("style.css"),
        "own_css": _own("page.css"),
        "tonics": _options(_TONICS, {name: name.replace("b", "♭").replace("#", "♯") for name in _TONICS}),
        "modes": _options(MODES),
        "metres": _options(_METRES),
        "scales": _options(SCALES),
        "fits": _options(wishes["chord_mode"].choices),
        "styles": "".join(
            f'<option data-tempo="{one.bpm:g}">{html.escape(name)}</option>'
            for name, one in (STYLES.items() if model.context.style else ())
        ),
        "no_style": "" if model.context.style else "hidden",
        "imports": json.dumps({"imports": scripts}),
        "large": "\n".join(_asset(name, data) for name, data in large.items()),
    }
    return _own("page.html").format_map(values)


def _options(values: Any, labels: dict[str, str] | None = None) -> str:
    return "".join(
        f'<option value="{html.escape(value)}">{html.escape((labels or {}).get(value, value))}</option>'
        for value in map(str, values)
    )


def _asset(name: str, data: bytes) -> str:
    packed = ' data-packed=""' if data[:2] == b"\x1f\x8b" else ""
    return f'<script type="text/plain" id="{name}"{packed}>{base64.b64encode(data).decode()}</script>'


def _packed(data: bytes) -> bytes:
    return gzip.compress(data, 9, mtime=0)


def _scripts() -> dict[str, str]:
    """Each module of the page and all that it imports, as a data: URL by the name under which they import it."""
    found: dict[str, str] = {}
    due = ["standalone/page/main.js"]
    while due:
        name = due.pop()
        text, imports = _renamed(name)
        found[name] = "data:text/javascript;base64," + base64.b64encode(text.encode()).decode()
        due += [one for one in imports if one not in found and one not in due]
    return found


def _renamed(name: str) -> tuple[str, list[str]]:
    """A module's text with the names of the import map in place of relative paths, and those names."""
    imports: list[str] = []

    def bare(match: re.Match[str]) -> str:
        parts = name.split("/")[:-1]
        for step in match[2].split("/"):
            if step == "..":
                parts.pop()
            elif step != ".":
                parts.append(step)
        imports.append("/".join(parts))
        return f'{match[1]}"{imports[-1]}"'

    return _IMPORT.sub(bare, _file(name)), imports


def _code() -> bytes:
    """The package's own code, as far as writing takes, and what that imports from without, as a zip."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in sorted(_sources()):
            packed.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED, 9)
    return written.getvalue()


def _sources() -> Iterator[tuple[str, bytes]]:
    root = Path(__file__).parents[3]
    found = dict[Path, bytes]()
    due = [*_ENTRIES]
    while due:
        parts = due.pop().split(".")
        for depth in range(1, len(parts) + 1):
            path = root.joinpath(*parts[:depth])
            path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
            if path not in found and path.is_file():  # what is none is a name within a module
                found[path] = path.read_bytes()
                due += _imports(found[path])
    for folder in {path.parent for path in found}:
        found |= {path: path.read_bytes() for path in folder.glob("*.toml")}
    yield from ((path.relative_to(root).as_posix(), data) for path, data in found.items())
    for package in _PACKAGES:
        spec = importlib.util.find_spec(package)
        assert spec is not None
        for folder in map(Path, spec.submodule_search_locations or ()):
            for path in folder.rglob("*.py"):
                yield f"{package}/{path.relative_to(folder).as_posix()}", path.read_bytes()


def _imports(source: bytes) -> Iterator[str]:
    """The package's modules, and names that may be such, that a module imports, but for those of types alone."""
    nodes: list[ast.AST] = [ast.parse(source)]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        nodes += ast.iter_child_nodes(node)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "melodygru":
            yield from (f"{node.module}.{one.name}" for one in node.names)


def _file(name: str) -> str:
    return resources.files("melodygru.studio").joinpath(*name.split("/")).read_text("utf-8")


def _own(name: str) -> str:
    return _file(f"standalone/page/{name}")


def _studio(name: str) -> str:
    return _file(f"page/{name}")
