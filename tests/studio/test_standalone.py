"""The page that writes by itself: what it is made of, and what runs in it, as far as that needs no browser."""

import ast
import base64
import ctypes
import gzip
import hashlib
import io
import json
import re
import stat
import sys
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import save

import melodygru
from melodygru.errors import CheckpointError, FileError, MissingPackageError
from melodygru.network.cells import CELLS
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.model_files import resolve
from melodygru.studio.standalone import making, runtime, tensors
from melodygru.studio.standalone.browser import MOST_BARS, Matrix, Writer
from melodygru.writing.copy_guard import CopyGuard
from tests.command_line import run
from tests.networks import SMALL, checkpoint

FOLK = resolve("folk").resolve()


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MELODYGRU_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / f"pyodide-{runtime.VERSION}"


@pytest.fixture
def stand_ins(monkeypatch):
    """Small files in place of Python for the browser."""
    contents = {name: f"what {name} says".encode() for name in runtime.SHA256}
    monkeypatch.setattr(runtime, "files", contents.copy)
    return contents


@pytest.fixture
def toy(tmp_path):
    path = tmp_path / "toy.safetensors"
    checkpoint().save(path)
    return path


# What the page holds.


def assets(page):
    found = re.findall(r'<script type="text/plain" id="([^"]+)"[^>]*>([^<]*)</script>', page)
    return {name: base64.b64decode(text) for name, text in found}


def modules(page):
    imports = json.loads(re.search(r'<script type="importmap">(.*?)</script>', page)[1])["imports"]
    return {name: base64.b64decode(url.partition("base64,")[2]).decode() for name, url in imports.items()}


def test_every_module_that_the_page_imports_is_in_it(toy, stand_ins):
    found = modules(making.page(toy).decode())
    imports = re.compile(r'^(?:import|\}) .*?"(.+?)";$', re.M)
    named = {name for text in found.values() for name in imports.findall(text)}
    assert named <= set(found)
    assert len(named) > 10
    assert {"standalone/page/main.js", "page/audio.js", "page/roll_view.js"} <= set(found)
    assert "page/api.js" not in found, "nothing asks a server"


def test_the_page_forbids_itself_every_network(toy, stand_ins):
    page = making.page(toy).decode()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)[1]
    assert policy.startswith("default-src &#x27;none&#x27;;")
    assert "http" not in policy
    outside = re.sub(r"<script.*?</script>", "", page, flags=re.S)
    assert not re.findall(r'(?:src|href)="(?!")[^"]', outside)


def test_the_model_and_python_lie_in_it_as_they_are(toy, stand_ins):
    found = assets(making.page(toy).decode())
    assert gzip.decompress(found["model"]) == toy.read_bytes()
    assert found["numpy.whl"] == stand_ins[runtime.NUMPY]
    assert gzip.decompress(found["python.wasm"]) == stand_ins["pyodide.asm.wasm"]


def test_the_code_in_it_is_whole(toy, stand_ins):
    """Each of the package's modules that a module in the zip imports as it is loaded is in the zip too."""
    with zipfile.ZipFile(io.BytesIO(assets(making.page(toy).decode())["code.zip"])) as packed:
        names = set(packed.namelist())
        sources = {name: packed.read(name) for name in names if name.startswith("melodygru/") and name.endswith(".py")}
    have = {name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in names}
    missing = set()
    for name, source in sources.items():
        for node in ast.parse(source).body:
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("melodygru"):
                wanted = [node.module, *(f"{node.module}.{one.name}" for one in node.names)]
                if node.module not in have:
                    missing.add((name, *wanted))
    assert missing == set()
    assert not any(name.startswith(("melodygru/training", "melodygru/cli", "melodygru/checkpoints")) for name in names)


def test_the_page_is_the_same_each_time(toy, stand_ins):
    assert making.page(toy) == making.page(toy)


def test_the_names_in_a_page_are_no_markup(tmp_path, stand_ins):
    path = tmp_path / "<b>x&y.safetensors"
    checkpoint().save(path)
    page = making.page(path).decode()
    assert "<title>melodygru: &lt;b&gt;x&amp;y writes melodies</title>" in page
    assert "<b>x" not in page


def test_a_model_that_is_too_large_is_refused(toy, stand_ins, monkeypatch):
    monkeypatch.setattr(making, "LARGEST_MODEL", 1000)
    with pytest.raises(CheckpointError, match=r"a page holds models of up to 0 MB; make it smaller"):
        making.page(toy)


# Where Python for the browser comes from.


def test_without_it_the_command_says_how_to_get_it(here, empty_cache, capsys):
    assert run("export", "toy", "page.html") == 1
    said = capsys.readouterr().err
    assert "is not here yet; run once, with a network: python -m melodygru.studio.standalone.runtime" in said.replace(
        "\n", " "
    )
    assert not Path("page.html").exists()


def test_a_damaged_file_is_not_taken(empty_cache):
    empty_cache.mkdir(parents=True)
    (empty_cache / "pyodide.js").write_text("something else")
    with pytest.raises(MissingPackageError, match=r"pyodide.js is damaged; run once"):
        runtime.files()


def test_the_command_writes_a_page(here, stand_ins, capsys):
    assert run("export", "toy", "page.html") == 0
    assert "open it in a browser, also without a network" in capsys.readouterr().out.replace("\n", " ")
    assert Path("page.html").read_bytes() == making.page(Path("checkpoints/toy.safetensors"))
    assert run("export", "toy", "page.html") == 1, "what is there stays"
    assert run("export", "toy", "page.html", "--int8") == 2


@pytest.fixture
def clients(tmp_path, monkeypatch, empty_cache):
    """npm and pip that have packages of these contents; their checksums are those that are known."""
    contents = {name: f"what {name} says".encode() for name in runtime.SHA256}
    monkeypatch.setattr(runtime, "SHA256", {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()})
    with tarfile.open(tmp_path / "packed.tgz", "w:gz") as packed:
        for name, data in contents.items():
            if name != runtime.NUMPY:
                entry = tarfile.TarInfo(f"package/{name}")
                entry.size = len(data)
                packed.addfile(entry, io.BytesIO(data))
    with zipfile.ZipFile(tmp_path / "carrier.whl", "w") as packed:
        packed.writestr(runtime._IN_CARRIER, contents[runtime.NUMPY])
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(f"#!/bin/sh\n/bin/cp {tmp_path}/packed.tgz pyodide-{runtime.VERSION}.tgz\n")
    python = npm.with_name("python")
    python.write_text(f"#!/bin/sh\n/bin/cp {tmp_path}/carrier.whl .\n")
    for one in (npm, python):
        one.chmod(one.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(npm.parent))
    monkeypatch.setattr(runtime.sys, "executable", str(python))
    return contents, npm, python


def test_it_is_fetched_once(clients, capsys):
    contents, npm, python = clients
    assert runtime.main() == 0
    assert runtime.files() == contents
    npm.unlink()
    python.unlink()
    assert runtime.main() == 0, "nothing is fetched that is here"
    assert "Python for the browser is in" in capsys.readouterr().out


def test_what_is_fetched_must_be_what_is_known(clients, monkeypatch):
    monkeypatch.setitem(runtime.SHA256, runtime.NUMPY, "0" * 64)
    with pytest.raises(FileError, match=r"numpy.* is not the one that is known \(sha256\)"):
        runtime.fetch()
    assert not (runtime.folder() / runtime.NUMPY).exists()


def test_a_fetch_that_fails_says_why(clients, capsys):
    _, npm, _ = clients
    npm.write_text("#!/bin/sh\necho 'no such host' >&2\nexit 1\n")
    assert runtime.main() == 1
    assert capsys.readouterr().err == "npm pack --silent failed (no such host); is there a network? Try again.\n"
    npm.unlink()
    with pytest.raises(FileError, match=r"npm is not installed.*install Node.js"):
        runtime.fetch()


@pytest.mark.parametrize("what", ["npm", "pip"])
def test_what_is_fetched_may_be_no_package_at_all(clients, tmp_path, what):
    (tmp_path / ("packed.tgz" if what == "npm" else "carrier.whl")).write_bytes(b"nothing of the kind")
    with pytest.raises(FileError, match=rf"What {what} fetched .*; try again"):
        runtime.fetch()


def test_a_cache_that_cannot_be_is_said(clients, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MELODYGRU_CACHE", str(tmp_path / "file"))
    with pytest.raises(FileError, match=r"file/pyodide-.* cannot be written \(Not a directory\); check the disk"):
        runtime.fetch()


# What runs in it.


def by_numpy(a, b, c, rows, inner, columns):
    """The product of matrices at addresses, as the page's is called."""

    def at(place, *shape):
        return np.ctypeslib.as_array(ctypes.cast(place, ctypes.POINTER(ctypes.c_float)), shape)

    by_numpy.calls += 1
    at(c, rows, columns)[:] = at(a, rows, inner) @ at(b, inner, columns)


by_numpy.calls = 0


@pytest.fixture
def multiplies(monkeypatch):
    by_numpy.calls = 0
    monkeypatch.setattr(Matrix, "product", by_numpy)


@pytest.mark.parametrize(("rows", "inner", "columns"), [(1, 1, 8), (2, 5, 16), (9, 33, 40), (3, 4, 7), (0, 4, 8)])
@pytest.mark.parametrize("strided", [False, True])
def test_rows_times_a_matrix(multiplies, rows, inner, columns, strided):
    random = np.random.default_rng(rows)
    left = random.normal(size=(rows, 2 * inner)).astype(np.float32)[:, :: 2 if strided else 1][:, :inner]
    matrix = random.normal(size=(inner, columns)).astype(np.float32)
    found = left @ matrix.view(Matrix)
    assert type(found) is np.ndarray
    np.testing.assert_allclose(found, left @ matrix, rtol=1e-6)
    assert by_numpy.calls == (rows > 0 and columns % 8 == 0), "all else is NumPy's"
    np.testing.assert_allclose(left @ matrix.view(Matrix)[:, 1:], left @ matrix[:, 1:], rtol=1e-5, atol=1e-6)


def test_the_page_writes_what_python_writes(multiplies):
    writer, model = Writer(str(FOLK), "folk", by_numpy), melodygru.load_model(FOLK)
    shares = []
    told = json.loads(writer.write(json.dumps({"seed": 4, "bars": 6, "tonic": "A", "mode": "minor"}), shares.append))
    right = model.generate(6, seed=4, key="A minor")
    assert [(note["onset"], note["duration"], note["pitch"]) for note in told["melody"]["notes"]] == [
        (note.onset, note.duration, note.pitch) for note in right.notes
    ]
    assert by_numpy.calls > 0
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert told["file"] == "folk_Am_120bpm_6bars_s4.mid"


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("int8", [False, True])
def test_every_kind_of_model_writes_the_same(tmp_path, monkeypatch, cell, int8):
    """Matrices that are odd, empty or cut in parts (of minGRU, the GRU of 2014) are NumPy's; int8 weights are read."""
    path = tmp_path / "toy.safetensors"
    checkpoint(replace(SMALL, cell=cell, hidden=40)).save(path, int8=int8)
    right = melodygru.load_model(path).generate(3, seed=1)
    monkeypatch.setitem(sys.modules, "safetensors", tensors)
    told = json.loads(Writer(str(path), "toy", by_numpy).write(json.dumps({"seed": 1, "bars": 3})))
    assert [(note["onset"], note["pitch"]) for note in told["melody"]["notes"]] == [
        (note.onset, note.pitch) for note in right.notes
    ]


def test_a_style_is_the_models(here):
    path = resolve("repertoire")
    told = json.loads(Writer(str(path), "repertoire").write(json.dumps({"seed": 2, "bars": 4, "style": "waltz"})))
    right = melodygru.load_model("repertoire").generate(4, seed=2, style="waltz")
    assert told["melody"]["meter"] == str(right.time_signature) == "3/4"
    assert [note["pitch"] for note in told["melody"]["notes"]] == [note.pitch for note in right.notes]


def test_its_file_is_the_command_lines(here):
    writer = Writer(str(FOLK), "folk")
    writer.write(json.dumps({"seed": 4, "bars": 4, "chords": "Am F", "chord_mode": "soft"}))
    assert run("generate", "--model", FOLK, "--seed", "4", "--bars", "4", "--chords", "Am F", "--chord-mode", "soft",
               "out.mid") == 0  # fmt: skip
    assert Path("out.mid").read_bytes() == writer.midi()


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"bars": MOST_BARS + 1}, f"--bars is {MOST_BARS + 1}; this page writes 1 to {MOST_BARS}."),
        ({"seed": -1}, "seed is -1; choose a whole number of at least 0."),
        ({"bars": 2.5}, "bars"),
        ({"chords": "H"}, "Chord 1 of 1 is not known"),
        ({"temperature": 99}, "temperature"),
        ({"scale": "none"}, "scale"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(asked, problem):
    told = json.loads(Writer(str(FOLK), "folk").write(json.dumps({"seed": 1, "bars": 4, **asked})))
    assert list(told) == ["problem"]
    assert problem in told["problem"]


@given(st.data())
def test_tensors_are_read_as_the_package_reads_them(tmp_path_factory, data):
    kinds = st.sampled_from(["f4", "f2", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"])
    shapes = st.lists(st.integers(0, 4), max_size=3)
    random = np.random.default_rng(0)
    shape = data.draw(shapes)
    arrays = {kind: np.asarray(100 * random.normal(size=shape)).astype(kind) for kind in data.draw(st.sets(kinds))}
    path = tmp_path_factory.getbasetemp() / "drawn.safetensors"
    path.write_bytes(save(arrays, {"format": "x"}))
    with safe_open(path, framework="np") as theirs, tensors.safe_open(path, framework="np") as mine:
        assert set(mine.keys()) == set(theirs.keys())
        for name in arrays:
            slices = mine.get_slice(name), theirs.get_slice(name)
            assert slices[0].get_dtype() == slices[1].get_dtype()
            assert list(slices[0].get_shape()) == list(slices[1].get_shape())
            np.testing.assert_array_equal(mine.get_tensor(name), theirs.get_tensor(name))
            assert mine.get_tensor(name).dtype == theirs.get_tensor(name).dtype


def test_a_checkpoint_is_read_with_them(monkeypatch):
    right = Checkpoint.load(FOLK)
    monkeypatch.setitem(sys.modules, "safetensors", tensors)
    found = Checkpoint.load(FOLK)
    assert found.provenance == right.provenance
    for name, array in right.weights.items():
        np.testing.assert_array_equal(found.weights[name], array)


def test_copies_are_known_where_there_are_no_threads(monkeypatch):
    index = Checkpoint.load(FOLK).index
    right = CopyGuard(index, 5)

    def start(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", start)
    alone = CopyGuard(index, 5)
    pitches = np.cumsum([60, *index.intervals[:5]]).tolist()
    onsets = np.cumsum([0, *index.gaps(0, 5)]).tolist()
    assert alone.banned(pitches[:5], onsets[:5], onsets[5]) == right.banned(pitches[:5], onsets[:5], onsets[5]) != set()
