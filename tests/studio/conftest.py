"""The studio's command as it is started from a shell, once for all, and a browser for each file of tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.studio.browser import CHROMIUM, FLAGS, WIDE


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The studio's URL, token and all."""
    folder = tmp_path_factory.mktemp("studio")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "melodygru", "studio", "--port", "0", "--no-browser"]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        yield re.findall(r"http://\S+", line)[0]
        server.terminate()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium: Any, address: str, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A page that is ready, in a browser that has never been here; at its end nothing may have gone wrong unseen."""
    settings = {"viewport": WIDE, "color_scheme": "light", **getattr(request, "param", {})}
    context = chromium.new_context(accept_downloads=True, **settings)
    page = context.new_page()
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("requestfailed", lambda request: wrong.append(f"{request.url} {request.failure}"))
    foreign: list[str] = []
    page.on("request", lambda one: None if one.url.startswith(address) else foreign.append(one.url))
    # The first melody is the same each time.
    context.add_init_script("localStorage['melodygru options'] ??= JSON.stringify({ seed: '7' })")
    page.goto(address)
    page.wait_for_selector("html[data-ready]")
    page.evaluate(
        "() => { const seed = document.querySelector('[name=seed]'); seed.value = '';"
        " seed.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    yield page
    assert foreign == []
    # A click on a download ends as an aborted request; and what is refused is reported by the browser itself.
    refused = getattr(page, "refused", "ERR_ABORTED")
    assert [one for one in wrong if "ERR_ABORTED" not in one and refused not in one] == []
    context.close()
