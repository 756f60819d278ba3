"""The studio's routes for scripts: over HTTP and OSC, and the file that says where they are."""

import json
import os
import runpy
import socket
import stat
import sys
from pathlib import Path

import httpx
import pytest

from melodygru.errors import FileError, UsageError
from melodygru.studio.osc import COMMANDS, messages_of, request_of
from melodygru.studio.server import Studio
from melodygru.studio.token import token_file, told
from tests.studio_server import running

CLIP = {
    "meter": "4/4",
    "key": "C major",
    "bars": 2,
    "notes": [{"pitch": 60 + at % 5, "onset": at * 24, "duration": 24} for at in range(8)],
}
FLAT = [number for note in CLIP["notes"] for number in (note["pitch"], note["onset"], note["duration"])]


def osc(address, *arguments):
    """The bytes of an OSC message."""
    builder = pytest.importorskip("pythonosc.osc_message_builder").OscMessageBuilder(address)
    for one in arguments:
        builder.add_arg(one)
    return builder.build().dgram


@pytest.fixture(scope="module")
def served():
    pytest.importorskip("pythonosc")
    with running(page=False, osc=0) as studio:
        yield studio


class Answers:
    """A program that speaks OSC."""

    def __init__(self, studio):
        self.studio, self.socket = studio, socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(60)

    def ask(self, command, *arguments, token=None):
        """All messages of an answer: (address, arguments)."""
        from pythonosc.osc_message import OscMessage

        token = self.studio.token if token is None else token
        self.socket.sendto(osc(f"/melodygru/{command}", token, "m1", *arguments), ("127.0.0.1", self.studio.osc_port))
        found = []
        while not found or found[-1][0] not in ("done", "error"):
            message = OscMessage(self.socket.recv(65536))
            assert message.params[0] == "m1"
            found.append((message.address.removeprefix("/melodygru/"), message.params[1:]))
        return found


@pytest.fixture
def program(served):
    answers = Answers(served)
    yield answers
    answers.socket.close()


def test_there_is_no_page_and_the_routes_are_there(served):
    assert served.page.get("").status_code == 404
    assert served.page.get("page/roll.js").status_code == 404
    described = served.page.get("api/openapi.json").json()
    assert {f"/api/{command}" for command in COMMANDS} <= set(described["paths"])


def test_notes_come_back_as_notes(program):
    (kind, (index, *flat)), done = program.ask("infill", "bars", "2", "seed", 3, "key", "C major", "notes", *FLAT)
    assert (kind, index, done) == ("notes", 0, ("done", []))
    notes = list(zip(flat[::3], flat[1::3], flat[2::3], strict=True))
    assert notes[:4] == [(n["pitch"], n["onset"], n["duration"]) for n in CLIP["notes"][:4]]
    assert all(0 <= onset < onset + length <= 192 for _, onset, length in notes)


def test_over_osc_and_over_http_the_same_is_written(served, program):
    (_, (_, *flat)), _ = program.ask("vary", "amount", 0.5, "seed", 3.0, "key", "C major", "notes", *map(float, FLAT))
    clip = {name: CLIP[name] for name in ("key", "notes")}
    answer = served.page.post("api/vary", json={"melody": clip, "amount": 0.5, "seed": 3}).json()
    assert flat == [
        one for note in answer["melody"]["notes"] for one in (note["pitch"], note["onset"], note["duration"])
    ]


def test_new_melodies_are_written(program):
    *takes, done = program.ask("generate", "bars", 2, "seed", 1, "takes", 2, "key", "A minor")
    assert [kind for kind, _ in takes] == ["notes", "notes"]
    assert [values[0] for _, values in takes] == [0, 1]
    assert done == ("done", [])


def test_chords_are_found(program):
    (kind, (number, *spans)), _ = program.ask("harmonize", "notes", *FLAT)
    assert (kind, number) == ("chords", 0)
    assert spans[0] == 0
    assert spans[-2] == 192
    assert all(isinstance(symbol, str) for symbol in spans[2::3])


@pytest.mark.parametrize(
    ("command", "arguments", "words"),
    [
        ("vary", ("amount", 7.5, "notes", *FLAT), "amount"),
        ("vary", ("amount", 0.5, "notes"), "no notes"),
        ("infill", ("bars", "9", "notes", *FLAT), "bars"),
        ("infill", ("bars", "1", "notes", 60, 0), "threes"),
        ("infill", ("bars",), "no value"),
        ("generate", ("key", "H major"), "key"),
        ("generate", ("tempo", 100), "tempo"),
        ("paint", (), "There is no /melodygru/paint"),
        ("vary", ("reply", 0, "notes", *FLAT), "reply"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(program, command, arguments, words):
    ((kind, (sentence,)),) = program.ask(command, *arguments)
    assert kind == "error"
    assert words in sentence
    assert sentence.endswith(".")


def test_strangers_are_not_answered(served, program):
    for data in (
        b"",
        b"\0",
        b"garbage" * 99,
        osc("/melodygru/vary"),
        osc("/melodygru/vary", "wrong", "m2"),
        osc("/x", served.token),
    ):
        program.socket.sendto(data, ("127.0.0.1", served.osc_port))
    # What comes next is the answer to the next question, and to no other.
    assert program.ask("harmonize", "notes", *FLAT)[-1] == ("done", [])


def test_answers_go_where_they_are_wanted(served, program):
    other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    other.bind(("127.0.0.1", 0))
    other.settimeout(60)
    data = osc("/melodygru/harmonize", served.token, 7, "reply", other.getsockname()[1], "notes", *FLAT)
    program.socket.sendto(data, ("127.0.0.1", served.osc_port))
    assert b"/melodygru/chords" in other.recv(65536)
    other.close()


def test_requests_are_made_of_names_values_and_notes():
    asked, reply = request_of("infill", ["bars", 2.0, "style", "jig", "meter", "6/8", "reply", 9, "notes", 60.0, 0, 12])
    assert reply == 9
    assert asked["bars"] == "2"
    assert asked["options"] == {"style": "jig"}
    assert asked["melody"] == {"meter": "6/8", "notes": [{"pitch": 60, "onset": 0, "duration": 12}]}
    asked, _ = request_of("generate", ["bars", 4, "key", "A minor"])
    assert asked == {"options": {"bars": 4, "key": "A minor"}}


def test_an_answer_that_cannot_be_given_is_an_error():
    assert list(messages_of("vary", 1, 422, b'{"detail": "No."}')) == [("error", [1, "No."])]


def test_the_file_says_how_and_only_its_owner_reads_it(tmp_path, monkeypatch):
    monkeypatch.setenv("MELODYGRU_CONFIG", str(tmp_path / "new"))
    path = token_file()
    with told(path, {"url": "http://x/"}):
        assert json.loads(path.read_text()) == {"url": "http://x/"}
        if os.name == "posix":
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not path.exists()


def test_a_file_of_a_later_server_is_left_alone(tmp_path):
    path = tmp_path / "serve.json"
    with told(path, {"port": 1}):
        path.write_text("other")
    assert path.read_text() == "other"


def test_a_file_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot be written"), told(tmp_path / "file" / "serve.json", {}):
        pass


def test_ports_that_cannot_be_had_are_said():
    pytest.importorskip("pythonosc")
    with pytest.raises(UsageError, match="osc is 70000"):
        Studio(0, page=False, osc=70000)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(UsageError, match="--osc cannot be had"):
            Studio(0, page=False, osc=taken.getsockname()[1])


CLIENT = Path(__file__).parent.parent.parent / "docs" / "live" / "melodygru_client.py"


def test_the_client_in_the_documents_works(served, tmp_path, monkeypatch):
    client = runpy.run_path(str(CLIENT))
    monkeypatch.setenv("MELODYGRU_CONFIG", str(tmp_path))
    with pytest.raises(client["MelodygruError"], match="No server was found"):
        client["Client"]()
    with told(tmp_path / "serve.json", {"url": served.url}):
        asks = client["Client"]()
        assert len(asks.generate(seed=1, bars=2)["notes"]) > 2
        filled = asks.infill(CLIP, "2", seed=1)
        assert filled["notes"][:4] == CLIP["notes"][:4]
        assert asks.vary(CLIP, 0.5, seed=1)["notes"] != CLIP["notes"]
        assert asks.harmonize(CLIP)[0]["onset"] == 0
        with pytest.raises(client["MelodygruError"], match="bars"):
            asks.infill(CLIP, "12")


def test_the_client_changes_a_clip_on_standard_input(served, tmp_path, monkeypatch, capsys):
    from io import StringIO

    monkeypatch.setenv("MELODYGRU_CONFIG", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["melodygru_client.py", "vary", "0.5"])
    monkeypatch.setattr(sys, "stdin", StringIO(json.dumps(CLIP)))
    with told(tmp_path / "serve.json", {"url": served.url}):
        runpy.run_path(str(CLIENT), run_name="__main__")
    assert len(json.loads(capsys.readouterr().out)["notes"]) > 3


@pytest.mark.parametrize(
    ("arguments", "clip", "said"),
    [
        (["infill", "1"], "nonsense", "no JSON"),
        (["vary", "0.3"], "[]", "A clip is"),
        (["vary", "much"], "{}", "'much' is no number"),
        (["generate", "x"], "", "'x' is no number"),
        ([], "", "Say generate"),
    ],
)
def test_the_client_says_what_is_wrong_in_a_sentence(arguments, clip, said, tmp_path, monkeypatch):
    from io import StringIO

    monkeypatch.setenv("MELODYGRU_CONFIG", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["melodygru_client.py", *arguments])
    monkeypatch.setattr(sys, "stdin", StringIO(clip))
    with told(tmp_path / "serve.json", {"url": "http://127.0.0.1:9/"}), pytest.raises(SystemExit, match=said):
        runpy.run_path(str(CLIENT), run_name="__main__")


def test_the_routes_without_the_secret_are_nowhere(served):
    answer = httpx.get(f"http://127.0.0.1:{served.port}/api/openapi.json", trust_env=False)
    assert answer.status_code == 404
