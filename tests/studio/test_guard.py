"""The studio answers its own page alone, whoever asks for what; against a real server."""

import json
import os
import socket
import subprocess
import sys
import time
from io import StringIO
from urllib.parse import urlsplit

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from melodygru.errors import CheckpointError, UsageError
from melodygru.studio import front, guard
from melodygru.studio.server import PORT, Studio, listening
from tests.studio_server import running, takes

TUNE = {"bars": 1, "notes": [{"pitch": 60, "onset": 0, "duration": 24}, {"pitch": 64, "onset": 24, "duration": 48}]}


@pytest.fixture(scope="module")
def studio():
    with running() as served:
        yield served


class Answer:
    """An answer as it came: status, headers by lower-case name, body."""

    def __init__(self, data):
        head, _, self.body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split()[1])
        self.headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}

    @property
    def detail(self):
        return json.loads(self.body)["detail"]


def raw(studio, line, headers=(), body=b"", slowly=()):
    """Exactly these bytes, and what comes back; `slowly`: parts of a body, one after the other while they are taken."""
    with socket.create_connection(("127.0.0.1", studio.port), timeout=20) as one:
        named = {name.lower() for name, _ in headers}
        added = [] if "host" in named else [("Host", f"127.0.0.1:{studio.port}")]
        text = "".join(f"{name}: {value}\r\n" for name, value in (*added, *headers, ("Connection", "close")))
        one.sendall(f"{line} HTTP/1.1\r\n{text}\r\n".encode("latin-1") + body)
        sent = 0
        try:
            for part in slowly:
                one.sendall(part)
                sent += len(part)
        except OSError:
            pass  # the server has closed its ear
        found = b""
        try:
            while part := one.recv(65536):
                found += part
        except ConnectionResetError:
            pass
    assert found, f"no answer after {sent} bytes"
    answer = Answer(found)
    answer.sent = sent
    return answer


def sentence(answer, status):
    assert answer.status == status, answer.body
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.detail.endswith(".")
    assert answer.headers["content-security-policy"] == guard.POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    return True


def path(studio, rest=""):
    return f"/{studio.token}/{rest}"


def test_it_listens_on_this_computer_alone(studio):
    assert studio.url == f"http://127.0.0.1:{studio.port}/{studio.token}/"
    assert len(studio.token) >= 20
    others = [
        found[4][0]
        for found in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
        if not found[4][0].startswith("127.")
    ]
    for address in others:
        with pytest.raises(OSError, match=r"refused|timed out|unreachable"):
            socket.create_connection((address, studio.port), timeout=1)


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"])
@pytest.mark.parametrize(
    "where", ["", "x", "/", "/api/choices", "/api/generate", "/page/main.js", "{}", "{}x/", "{}/api"]
)
def test_without_the_secret_there_is_nothing(studio, method, where):
    changed = studio.token[:-1] + ("A" if studio.token[-1] != "A" else "B")
    answer = raw(studio, f"{method} /{where.format(changed)}")
    assert answer.status == 404
    if method != "HEAD":
        assert sentence(answer, 404)
        assert studio.token not in answer.body.decode()


@pytest.mark.parametrize("secret", ["%00", "é", "%ff%fe", "..", ".", "%2e%2e", "\\", "A" * 60_000])
def test_no_secret_makes_it_stumble(studio, secret):
    answer = raw(studio, f"GET /{secret}/api/choices")
    assert answer.status in (400, 404)


def test_the_secret_alone_leads_to_the_page(studio):
    answer = raw(studio, f"GET /{studio.token}")
    assert answer.status == 307
    assert answer.headers["location"] == path(studio)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "127.0.0.1.evil.example:{port}",
        "",
        "[::1]:{port}",
    ],
)
def test_a_foreign_name_for_this_computer_is_refused(studio, host):
    answer = raw(studio, f"GET {path(studio, 'api/choices')}", [("Host", host.format(port=studio.port))])
    assert sentence(answer, 403)
    assert studio.token not in answer.body.decode()


def test_both_names_of_this_computer_will_do(studio):
    for host in (f"127.0.0.1:{studio.port}", f"localhost:{studio.port}", f"LOCALHOST:{studio.port}"):
        assert raw(studio, f"GET {path(studio, 'api/choices')}", [("Host", host)]).status == 200


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "https://127.0.0.1:{port}",
        "http://localhost",
    ],
)
@pytest.mark.parametrize("line", ["GET {}", "GET {}api/choices", "POST {}api/generate", "OPTIONS {}api/generate"])
def test_a_foreign_page_is_refused(studio, origin, line):
    headers = [("Origin", origin.format(port=studio.port)), ("Content-Length", "0")]
    answer = raw(studio, line.format(path(studio)), headers)
    assert sentence(answer, 403)
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_the_own_page_is_not(studio):
    for host in ("127.0.0.1", "localhost"):
        headers = [("Origin", f"http://{host}:{studio.port}"), ("Sec-Fetch-Site", "same-origin")]
        assert raw(studio, f"GET {path(studio, 'api/choices')}", headers).status == 200


def test_other_sites_may_lead_here_and_nothing_else(studio):
    there = [("Sec-Fetch-Site", "cross-site")]
    opens = [*there, ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")]
    assert raw(studio, f"GET {path(studio)}", opens).status in (200, 404)
    for mode, dest in (("no-cors", "image"), ("no-cors", "script"), ("navigate", "iframe"), ("cors", "empty")):
        headers = [*there, ("Sec-Fetch-Mode", mode), ("Sec-Fetch-Dest", dest)]
        assert sentence(raw(studio, f"GET {path(studio, 'api/choices')}", headers), 403)
    assert sentence(raw(studio, f"POST {path(studio, 'api/look')}", [*opens, ("Content-Length", "0")]), 403)
    # Another port of this computer is the same site, and another page.
    assert sentence(raw(studio, f"GET {path(studio, 'api/choices')}", [("Sec-Fetch-Site", "same-site")]), 403)


@pytest.mark.parametrize("where", ["api/generate", "api/open", "api/choices", ""])
def test_a_body_too_large_is_refused_before_it_is_sent(studio, where):
    headers = [("Content-Type", "application/json"), ("Content-Length", str(10_000_000))]
    answer = raw(studio, f"POST {path(studio, where)}", headers)
    assert sentence(answer, 413)
    assert "4,000,000" in answer.detail


def test_who_sends_it_all_the_same_gets_the_answer(studio):
    headers = [("Content-Type", "application/json"), ("Content-Length", str(10_000_000))]
    answer = raw(studio, f"POST {path(studio, 'api/generate')}", headers, slowly=[bytes(100_000)] * 100)
    assert sentence(answer, 413)


def test_a_body_that_does_not_say_how_large_it_is_is_counted(studio):
    part = b"186a0\r\n" + b" " * 100_000 + b"\r\n"
    headers = [("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")]
    answer = raw(studio, f"POST {path(studio, 'api/generate')}", headers, slowly=[part] * 1000)
    assert sentence(answer, 413)
    small = [b"2\r\n{}\r\n0\r\n\r\n"]
    assert sentence(raw(studio, f"POST {path(studio, 'api/look')}", headers, slowly=small), 422)


def test_as_much_as_is_allowed_is_taken(studio):
    body = b" " * (guard.LARGEST_BODY - 2) + b"{}"
    answer = studio.page.post("api/look", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert "melody" in answer.json()["detail"]


def test_a_client_that_goes_before_it_has_asked_is_forgotten(studio):
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", studio.port)) as one:
            one.sendall(f"POST {path(studio, 'api/look')} HTTP/1.1\r\nHost: 127.0.0.1:{studio.port}\r\n".encode())
            one.sendall(b"Content-Length: 1000\r\n\r\n{")
    assert takes(studio, options={"bars": 1})


def test_a_body_that_never_comes_is_not_waited_for(studio, monkeypatch):
    monkeypatch.setattr(guard, "_PATIENCE", 0.2)
    assert sentence(raw(studio, f"POST {path(studio, 'api/look')}", [("Content-Length", "5")], b"{"), 408)


BOMBS = {
    "nesting": b'{"melody": ' + b"[" * 500_000,
    "closed nesting": b'{"options": ' + b'{"a":' * 200_000 + b"1" + b"}" * 200_001,
    "number": b'{"seed": ' + b"9" * 3_000_000 + b"}",
    "exponent": b'{"seed": 1e999999}',
    "nan": b'{"options": {"temperature": NaN}}',
    "infinity": b'{"options": {"bpm": Infinity}}',
    "minus infinity": b'{"options": {"density": -Infinity}}',
    "surrogate": b'{"options": {"key": "\\ud800"}}',
    "surrogate name": b'{"\\udfff": 1}',
    "surrogate model": b'{"model": "\\ud800"}',
    "zero": b'{"options": {"chords": "\\u0000"}}',
    "latin-1": b'{"options": {"key": "\xe9"}}',
    "utf-16": '{"seed": -1}'.encode("utf-16"),
    "cut off": b'{"options": {"bars": 1',
    "nothing": b"",
    "null": b"null",
    "text": b'"generate"',
    "list": b"[" + b"1," * 900_000 + b"1]",
    "long name": b'{"' + b"a" * 3_000_000 + b'": 1}',
    "long text": b'{"options": {"chords": "' + b"C " * 1_500_000 + b'"}}',
    "many chords": b'{"options": {"chords": "' + b"C|" * 1_900 + b'X"}}',
    "million notes": b'{"primer": {"notes": [' + b"{}," * 1_000_000 + b"{}]}}",
    "pitches": b'{"primer": {"notes": [{"pitch": 1e3, "onset": 0, "duration": 24}]}}',
}


@pytest.mark.parametrize("kind", BOMBS)
def test_what_is_no_request_gets_a_sentence_and_soon(studio, kind):
    began = time.monotonic()
    answer = studio.page.post("api/generate", content=BOMBS[kind], headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.json()["detail"].endswith(".")
    assert len(answer.content) < 2000
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_forms_of_other_pages_are_no_requests(studio, kind):
    """What a page from elsewhere may send without being asked whether it may."""
    answer = studio.page.post("api/generate", content=b'{"options": {"bars": 1}}', headers={"Content-Type": kind})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("method", "where"),
    [
        ("GET", "api/generate"),
        ("PUT", "api/look"),
        ("DELETE", "api/choices"),
        ("POST", "api/choices"),
        ("PATCH", "files/a/b"),
    ],
)
def test_other_methods_are_told_so(studio, method, where):
    answer = raw(studio, f"{method} {path(studio, where)}", [("Content-Length", "0")])
    assert sentence(answer, 405)
    assert answer.headers["allow"]


def test_every_answer_has_its_headers(studio):
    for where, kept in (
        ("", "no-cache"),
        ("page/style.css", "no-cache"),
        ("api/choices", "no-store"),
        ("x", "no-store"),
    ):
        headers = raw(studio, f"GET {path(studio, where)}").headers
        for name, value in guard.HEADERS.items():
            assert headers[name] == value
        assert headers["cache-control"] == kept
        assert "server" not in headers
    for part in ("default-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert part in guard.POLICY.split("; ")
    assert "unsafe" not in guard.POLICY


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A package whose page is small, beside what is not to be had."""
    page = tmp_path / "package" / "page"
    (page / "icons").mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html><title>Page</title>")
    (page / "main.js").write_text("// script")
    (page / "icons" / "play.svg").write_text("<svg/>")
    (page / ".hidden.js").write_text("secret")
    (page / "notes.py").write_text("secret")
    (tmp_path / "package" / "secret.js").write_text("secret")
    (tmp_path / "outside.js").write_text("secret")
    os.symlink(tmp_path / "outside.js", page / "link.js")
    os.symlink(tmp_path, page / "up")
    monkeypatch.setattr(front.resources, "files", lambda name: tmp_path / "package")
    return page


TRICKS = [
    "../secret.js", "..%2fsecret.js", "%2e%2e/secret.js", "%2e%2e%2fsecret.js", "%252e%252e%252fsecret.js",
    "..\\secret.js", "..%5csecret.js", "icons/../../secret.js", "icons%2f..%2f..%2fsecret.js", "//etc/passwd",
    "/etc/passwd", "%2fetc%2fpasswd", "link.js", "up/outside.js", "up/package/secret.js", ".hidden.js", "notes.py",
    "main.js%00", "main.js%00.svg", "icons", "icons/", "", ".", "..", "main.js/", "main.js/x.js",
    "C:%5cwindows%5cwin.js", "%c0%ae%c0%ae/secret.js", "a" * 300 + ".js", "up", "main", "main.js.", "main.js%20",
    "~/x.js", "CON.js",
]  # fmt: skip


@pytest.mark.parametrize("trick", TRICKS)
def test_nothing_but_the_pages_own_files_can_be_had(studio, folder, trick):
    answer = raw(studio, f"GET {path(studio, 'page/')}{trick}")
    assert sentence(answer, 404)
    assert b"secret" not in answer.body
    # The path may lead out of the page's folder, and out of the secret.
    answer = raw(studio, f"GET {path(studio)}{trick}")
    assert answer.status == 404 or (trick in ("", ".") and answer.status in (200, 404))


def test_the_pages_own_files_can(studio, folder):
    for where, kind in (
        ("", "text/html"),
        ("page/main.js", "text/javascript"),
        ("page/icons/play.svg", "image/svg+xml"),
    ):
        answer = raw(studio, f"GET {path(studio, where)}")
        assert answer.status == 200
        assert answer.headers["content-type"].startswith(kind)
        head = raw(studio, f"HEAD {path(studio, where)}")
        assert head.headers["content-length"] == answer.headers["content-length"]
        assert not head.body
    assert sentence(raw(studio, f"POST {path(studio)}", [("Content-Length", "0")]), 405)
    (folder / "index.html").unlink()
    assert "page" in raw(studio, f"GET {path(studio)}").detail


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(st.sampled_from("./\\%012efcpagemainjs-_~:\0 \n"), max_size=24))
def test_no_name_at_all_leads_out_of_the_folder(folder, name):
    found = front.page_file(name)
    assert found is None or b"secret" not in found[0]


def test_the_real_page_is_there(studio):
    page = studio.page.get("")
    if page.status_code == 404:
        pytest.skip("the page is not written yet")
    assert page.headers["content-type"].startswith("text/html")
    # Nothing that the policy would forbid.
    assert "<script>" not in page.text
    assert " style=" not in page.text
    assert "http://" not in page.text.replace("http://www.w3.org/", "")
    assert "https://" not in page.text


@pytest.mark.parametrize(
    "line",
    [
        "GET",
        "GET  HTTP",
        "\x00\x01\x02",
        "GET http://evil.example/",
        "CONNECT evil.example:80",
        "GET *",
        "GET /" + "a" * 100_000,
    ],
    ids=range(7),
)
def test_what_is_no_http_ends_in_a_status(studio, line):
    assert 400 <= raw(studio, line).status < 500


def test_two_lengths_are_no_request(studio):
    headers = [("Content-Length", "2"), ("Content-Length", "3"), ("Content-Type", "application/json")]
    assert raw(studio, f"POST {path(studio, 'api/look')}", headers, b"{}").status == 400


def test_what_nobody_thought_of_is_a_sentence_and_the_server_lives_on(studio, monkeypatch):
    from melodygru.studio import looking, writing

    def fails(*_):
        raise ZeroDivisionError("nobody thought of this")

    monkeypatch.setattr(looking, "look", fails)
    monkeypatch.setattr(writing, "generate", fails)
    for where, asked in (("look", {"melody": TUNE}), ("generate", {})):
        logged = StringIO()
        monkeypatch.setattr(sys, "stderr", logged)
        answer = studio.page.post(f"api/{where}", json=asked)
        assert answer.status_code == 500
        assert "ZeroDivisionError" in answer.json()["detail"]
        assert "nobody thought" not in answer.text
        # Said after the answer.
        end = time.monotonic() + 30
        while "nobody thought of this" not in logged.getvalue() and time.monotonic() < end:
            time.sleep(0.01)
        assert "nobody thought of this" in logged.getvalue()
    monkeypatch.undo()
    assert takes(studio, options={"bars": 1})


def test_ports():
    with listening(0) as first:
        port = first.getsockname()[1]
        assert first.getsockname()[0] == "127.0.0.1"
        with pytest.raises(UsageError, match=f"port {port} cannot be had"):
            listening(port)
    for bad in (-1, 65536):
        with pytest.raises(UsageError, match=f"port is {bad}"):
            listening(bad)
    with listening(None) as one, listening(None) as two:
        assert PORT <= one.getsockname()[1] < two.getsockname()[1]
    with pytest.raises(CheckpointError, match="no model 'nothing'"):
        Studio(0, "nothing")


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize("streaming", [False, True])
def test_the_command_says_where_it_is_and_ends_at_once(streaming):
    import re
    import signal

    import httpx

    command = [sys.executable, "-m", "melodygru", "studio", "--no-browser", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        url = re.search(r"http://127\.0\.0\.1:\d+/[\w-]{20,}/", line)[0]
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
            assert client.get("api/choices").json()["default_model"] == "repertoire"
            if streaming:
                asked = {"options": {"bars": 1000}, "takes": 2}
                with client.stream("POST", "api/generate", json=asked) as response:
                    next(response.iter_lines())
                    process.send_signal(signal.SIGINT)
                    process.wait(4)
            else:
                process.send_signal(signal.SIGINT)
                process.wait(4)
        assert process.stdout.read() == ""
        assert process.stderr.read().endswith("Stopped.\n")
        assert process.returncode == 130
    assert urlsplit(url).port


def test_the_page_is_served_before_heavy_things_are_imported():
    code = (
        "import sys; sys.argv = ['melodygru', 'studio', '--no-browser', '--port', '0']\n"
        "from melodygru.studio.server import Studio\n"
        "import threading, urllib.request\n"
        "served = Studio(0); thread = threading.Thread(target=served.run); thread.start()\n"
        "urllib.request.urlopen(served.url + 'api/choices').read()\n"
        "served.stop(); thread.join()\n"
        "print(' '.join({m.split('.')[0] for m in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"torch", "music21", "scipy", "matplotlib", "verovio", "sklearn", "typer", "rich"}


OPERATIONS = [
    "POST /api/generate", "POST /api/infill", "POST /api/vary", "POST /api/look", "POST /api/open", "POST /api/files",
    "GET /api/choices", "GET /files/{mark}/{name}",
]  # fmt: skip


@pytest.fixture(scope="module")
def described(studio):
    # What fits the description may still contradict itself (a range without the tonic): that is refused in words.
    config = {"checks": {"positive_data_acceptance": {"expected-statuses": ["2xx", "404", "422"]}}}
    found = schemathesis.openapi.from_url(studio.url + "api/openapi.json", config=schemathesis.Config.from_dict(config))
    found.config.update(base_url=studio.url)
    return found


def conforms(described, operation, mode, data):
    method, where = operation.split()
    data.draw(described[where][method].as_strategy(generation_mode=mode)).call_and_validate()


SETTINGS = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@pytest.mark.parametrize("operation", OPERATIONS)
@settings(max_examples=12, **SETTINGS)
@given(data=st.data())
def test_what_fits_the_description_is_answered_as_described(described, operation, data):
    conforms(described, operation, schemathesis.GenerationMode.POSITIVE, data)


@pytest.mark.parametrize("operation", OPERATIONS[:6])
@settings(max_examples=25, **SETTINGS)
@given(data=st.data())
def test_what_does_not_is_refused_as_described(described, operation, data):
    conforms(described, operation, schemathesis.GenerationMode.NEGATIVE, data)


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode))
@pytest.mark.parametrize("operation", OPERATIONS[:6])
@settings(max_examples=300, **SETTINGS)
@given(data=st.data())
def test_the_description_holds_for_very_much(described, operation, mode, data):
    conforms(described, operation, mode, data)


def test_whoever_opens_an_address_that_is_not_good_any_more_is_told_so_on_a_page(studio):
    opens = [("Sec-Fetch-Site", "none"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")]
    answer = raw(studio, f"GET /{'x' * len(studio.token)}/", opens)
    assert answer.status == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert b"started anew" in answer.body
    assert b"{" not in answer.body
    assert answer.headers["content-security-policy"] == guard.POLICY
