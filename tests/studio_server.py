"""A real studio, in a thread, on a port of its own."""

import json
import time
from contextlib import contextmanager
from threading import Thread

import httpx

from melodygru.studio.server import Studio


@contextmanager
def running(model="repertoire", **more):
    """A studio that answers, `more` being its arguments; its `page` is a client whose addresses are the page's own."""
    studio = Studio(0, model, **more)
    thread = Thread(target=studio.run, daemon=True)
    thread.start()
    with httpx.Client(base_url=studio.url, timeout=60, trust_env=False) as studio.page:
        studio.page.get("api/choices").raise_for_status()
        yield studio
    studio.stop()
    thread.join(10)
    assert not thread.is_alive()


def events(response):
    """What a stream of server-sent events says, one after the other: (kind, data)."""
    kind = None
    for line in response.iter_lines():
        if line.startswith("event: "):
            kind = line[7:]
        elif line.startswith("data: "):
            yield kind, json.loads(line[6:])


def ask(studio, **asked):
    """All events of one request for melodies."""
    with studio.page.stream("POST", "api/generate", json=asked) as response:
        assert response.status_code == 200, response.read()
        return list(events(response))


def takes(studio, **asked):
    """The melodies of one request."""
    return [data for kind, data in ask(studio, **asked) if kind == "take"]


def idle(studio, seconds=10.0):
    """Whether the studio's threads have nothing to do, within so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if studio.workers.idle:
            return True
        time.sleep(0.02)
    return False
