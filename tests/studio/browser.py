"""The studio's page in a browser: what its tests share."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
FLAGS += ["--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required"]
WIDE, NARROW = {"width": 1360, "height": 900}, {"width": 400, "height": 860}

BROWSER = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium, from Debian's package of that name"),
]


def melody_of(page: Any) -> dict[str, Any]:
    return page.evaluate("import(new URL('page/main.js', document.baseURI)).then((main) => main.roll.melody)")


def kept_melody(page: Any) -> dict[str, Any]:
    """What is worked on, whatever is being tried."""
    return page.evaluate("import(new URL('page/main.js', document.baseURI)).then((main) => main.session.now.melody)")


def places(melody: dict[str, Any]) -> list[tuple[int, int, int]]:
    return [(note["pitch"], note["onset"], note["duration"]) for note in melody["notes"]]


def settle(page: Any) -> None:
    """Wait until nothing is being written, and the model has heard what is there."""
    page.wait_for_function("() => !document.querySelector('[aria-busy]')")
    page.wait_for_selector(".note.level-0, .note.level-1, .note.level-2, .note.level-3")
    page.wait_for_function("() => document.querySelector('#midi').getAttribute('href') !== '#'")


def saved(page: Any, selector: str = "#midi") -> bytes:
    with page.expect_download() as download:
        page.click(selector)
    return Path(download.value.path()).read_bytes()


def select_bars(page: Any, first: int, last: int) -> None:
    """Select bars by the fields beside Regenerate."""
    page.fill("#first-bar", str(first))
    page.fill("#last-bar", str(last))
    page.press("#last-bar", "Enter")


def in_page(page: Any, script: str) -> Any:
    """What a script returns that has the page's `lanes`, `player`, `roll` and `session`."""
    return page.evaluate(
        "import(new URL('page/main.js', document.baseURI)).then(({ lanes, player, roll, session }) => { "
        + script
        + " })"
    )


def until(page: Any, script: str, seconds: float = 15) -> None:
    """Wait until a script of `in_page` returns what is true."""
    end = time.monotonic() + seconds
    while not in_page(page, script):
        assert time.monotonic() < end, script
        page.wait_for_timeout(50)


def swipe(page: Any, touch: Any, way: list[dict[str, float]]) -> None:
    """A finger that goes over these places."""
    for place, kind in zip(way, ["touchStart", *["touchMove"] * (len(way) - 1)], strict=True):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [place]})
        page.wait_for_timeout(16)
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
