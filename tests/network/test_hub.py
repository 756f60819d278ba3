"""Models from the Hub, by a server that answers as the Hub does, or as it should not."""

import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from melodygru.errors import CheckpointError, FileError
from melodygru.network import hub
from melodygru.writing.model import load_model
from tests.command_line import run
from tests.networks import checkpoint

pytest.importorskip("huggingface_hub")
SHA = "0123456789abcdef0123456789abcdef01234567"
CARD = "---\nlicense: mit\n---\n# Tunes\nWritten for \x1b[31mtests\n"


class Hub(BaseHTTPRequestHandler):
    """Repositories of one model each; what a test changes is on the server."""

    def do_GET(self):
        server = self.server
        server.asked.append(self.path)
        path = self.path.partition("?")[0]
        if path in ("/api/models/owner/tunes", "/api/models/owner/tunes/revision/v1"):
            said = {"rfilename": "model.safetensors", "size": server.size or len(server.data), "blobId": "0" * 40}
            said["lfs"] = {"sha256": server.sha256, "size": said["size"], "pointerSize": 130}
            siblings = [said] * server.files + [{"rfilename": "README.md", "size": len(CARD), "blobId": "0" * 40}]
            self.answer(
                json.dumps({"id": "owner/tunes", "modelId": "owner/tunes", "sha": SHA, "siblings": siblings}).encode()
            )
        elif path == f"/owner/tunes/resolve/{SHA}/README.md":
            self.answer(CARD.encode())
        elif path == f"/owner/tunes/resolve/{SHA}/model.safetensors":
            self.answer(server.data)
        else:
            code = "RevisionNotFound" if "/revision/" in path else "RepoNotFound"
            self.answer(b"{}", 404, {"X-Error-Code": code})

    def answer(self, data, status=200, headers=()):
        self.send_response(status)
        self.send_header("Content-Length", str(len(data) + self.server.missing))
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.end_headers()
        for start in range(0, len(data), 1 << 14):
            self.wfile.write(data[start : start + (1 << 14)])
            time.sleep(self.server.slow)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(tmp_path, monkeypatch):
    checkpoint(seed=4).save(tmp_path / "made.safetensors")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.data = (tmp_path / "made.safetensors").read_bytes()
    server.sha256, server.size = hashlib.sha256(server.data).hexdigest(), 0
    server.files, server.missing, server.slow, server.asked = 1, 0, 0, []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("MELODYGRU_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    yield server
    server.shutdown()
    server.server_close()


def left(tmp_path):
    return [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]


def test_a_model_is_fetched_once_and_then_kept(server, tmp_path):
    model = load_model("hf:owner/tunes")
    assert model.name == "tunes"
    asked = len(server.asked)
    assert load_model("hf:owner/tunes").fingerprint == model.fingerprint == load_model("made.safetensors").fingerprint
    assert len(server.asked) == asked
    assert sorted(path.name for path in left(tmp_path)) == ["README.md", "pulled.json", "tunes.safetensors"]
    (found,) = hub.kept()
    assert (found.name, found.revision, found.sha256) == ("hf:owner/tunes", SHA, server.sha256)
    assert hub.pull("hf:owner/tunes@v1").revision == SHA
    assert len(server.asked) > asked


def test_the_command_shows_card_and_checksum_and_lists(server, capsys):
    assert run("models", "pull", "hf:owner/tunes") == 0
    out = capsys.readouterr().out
    assert "license: mit" in out
    assert server.sha256 in out
    assert "\x1b" not in out  # a card cannot colour or move anything
    assert run("models", "list") == 0
    out = capsys.readouterr().out
    assert "hf:owner/tunes  " in out
    assert "folk  " in out
    assert run("models", "list", "--json") == 0
    assert "hf:owner/tunes" in json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("change", "name", "says"),
    [
        ({}, "hf:owner/other", "There is no public model hf:owner/other on the Hub"),
        ({}, "hf:owner/tunes@v2", "hf:owner/tunes@v2 has no such revision"),
        ({"sha256": "0" * 64}, "hf:owner/tunes", "was damaged on its way"),
        ({"size": 1 << 40}, "hf:owner/tunes", "at most 268,435,456 are fetched"),
        ({"files": 2}, "hf:owner/tunes", "has 2 files that end in .safetensors"),
        ({"files": 0}, "hf:owner/tunes", "has 0 files that end in .safetensors"),
        ({"missing": 10}, "hf:owner/tunes", "could not be fetched from http://127.0.0.1"),
    ],
)
def test_what_is_not_as_it_should_be_is_said_and_nothing_is_kept(server, tmp_path, change, name, says):
    for attribute, value in change.items():
        setattr(server, attribute, value)
    with pytest.raises(CheckpointError, match=says):
        hub.pull(name)
    assert left(tmp_path) == []


def test_what_is_no_model_is_refused_and_what_was_kept_stays(server, tmp_path):
    hub.pull("hf:owner/tunes")
    server.data = b"no model at all"
    server.sha256 = hashlib.sha256(server.data).hexdigest()
    with pytest.raises(CheckpointError, match="hf:owner/tunes is no model of melodygru's"):
        hub.pull("hf:owner/tunes")
    assert load_model("hf:owner/tunes").name == "tunes"
    assert len(left(tmp_path)) == 3


def test_what_is_too_large_or_too_slow_is_given_up(server, tmp_path, monkeypatch):
    monkeypatch.setattr(hub, "LARGEST", 1000)
    server.size = 999  # the server says so, and sends more
    with pytest.raises(CheckpointError, match="has more than 1,000 bytes"):
        hub.pull("hf:owner/tunes")
    monkeypatch.setattr(hub, "LARGEST", 1 << 20)
    monkeypatch.setattr(hub, "DEADLINE", 0.05)
    server.slow = 0.06
    with pytest.raises(CheckpointError, match="was not there within"):
        hub.pull("hf:owner/tunes")
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    "name",
    ["hf:", "hf:owner", "hf:../../etc", "hf:owner/../name", "hf:owner/..", "hf:a/b/c", "hf:/etc/passwd", "hf:a/b@../x",
     "hf:a\\b/c", "hf:a/b\n", "hf:" + "a" * 5000 + "/b"],
)  # fmt: skip
def test_names_that_lead_elsewhere_are_refused(server, tmp_path, name):
    with pytest.raises(CheckpointError, match="names no model of the Hub; write hf:owner/name"):
        load_model(name)
    assert server.asked == []
    assert left(tmp_path) == []


def test_without_a_network_it_is_said_and_what_is_kept_is_used(server, monkeypatch):
    hub.pull("hf:owner/tunes")
    server.shutdown()
    server.server_close()
    assert load_model("hf:owner/tunes").name == "tunes"
    monkeypatch.setattr(hub, "PATIENCE", 0.5)
    with pytest.raises(CheckpointError, match="check the connection, or give a model here"):
        load_model("hf:owner/others")


def test_offline_by_wish_it_is_said(server, monkeypatch, tmp_path):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(CheckpointError, match="HF_HUB_OFFLINE forbids to fetch it"):
        load_model("hf:owner/tunes")
    assert server.asked == []


def test_where_nothing_can_be_kept_it_is_said(server, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("MELODYGRU_CACHE", str(tmp_path / "file"))
    with pytest.raises(FileError, match="set MELODYGRU_CACHE to another"):
        hub.pull("hf:owner/tunes")


def test_a_model_without_a_card_and_a_long_one(server, capsys, monkeypatch):
    found = hub.pull("hf:owner/tunes")
    monkeypatch.setattr(f"{__name__}.CARD", "line\n" * 100)
    assert run("models", "pull", "hf:owner/tunes") == 0
    assert "… (40 more lines)" in capsys.readouterr().out
    assert run("models", "pull", "hf:owner/tunes", "--json") == 0
    assert json.loads(capsys.readouterr().out)["card"] == "line\n" * 100
    Path(found.file).with_name("README.md").unlink()
    assert found.card == ""


@pytest.mark.parametrize("line", [["pull"], ["list", "hf:owner/tunes"], ["push", "x"]])
def test_what_models_does_is_said(line, capsys):
    assert run("models", *line) == 2
    assert "Type melodygru models list, or melodygru models pull hf:owner/name." in capsys.readouterr().err
