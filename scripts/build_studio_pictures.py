"""Takes the pictures of docs/studio.md: starts the studio, uses it, and looks.

    python scripts/build_studio_pictures.py [FOLDER]

Needs chromium, and playwright (both come with what the tests need).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--autoplay-policy=no-user-gesture-required"]
WIDE, NARROW = {"width": 1280, "height": 1060}, {"width": 400, "height": 860}


def idle(page: Any) -> None:
    page.wait_for_function("() => !document.querySelector('[aria-busy]')")
    page.wait_for_selector(".gate-line")
    page.wait_for_timeout(500)


def use(page: Any) -> None:
    """Chords, a key, a seed; bars 5 to 8 anew; a groove around them; eight takes of which the second is heard."""
    page.fill("[name=chords]", "Am F C G")
    page.select_option("[name=tonic]", "A")
    page.select_option("[name=mode]", "minor")
    page.fill("[name=seed]", "5")
    page.click("#generate")
    idle(page)
    page.fill("#first-bar", "5")
    page.fill("#last-bar", "8")
    page.press("#last-bar", "Enter")
    page.click("#infill")
    idle(page)
    page.select_option("#groove", "pop")
    idle(page)
    page.click("#eight")
    page.wait_for_function("() => document.querySelectorAll('#takes .keep:not([disabled])').length === 8")
    page.keyboard.press("2")
    page.wait_for_timeout(1500)
    page.keyboard.press("Escape")
    page.wait_for_timeout(300)
    page.evaluate("scrollTo(0, 0)")


def note(page: Any) -> None:
    page.locator("#roll").focus()
    for _ in range(9):
        page.keyboard.press(".")
    page.wait_for_timeout(300)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures")
    command = [sys.executable, "-m", "melodygru", "studio", "--port", "0", "--no-browser"]
    with (
        tempfile.TemporaryDirectory() as empty,
        subprocess.Popen(command, cwd=empty, stdout=subprocess.PIPE, text=True) as server,
        sync_playwright() as playwright,
    ):
        assert server.stdout is not None
        address = re.findall(r"http://\S+", server.stdout.readline())[0]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), headless=True, args=FLAGS)
        for name, size, scheme in (
            ("studio", WIDE, "light"),
            ("studio-dark", WIDE, "dark"),
            ("studio-400", NARROW, "light"),
        ):
            context = browser.new_context(viewport=size, color_scheme=scheme)
            page = context.new_page()
            page.goto(address)
            page.wait_for_selector("html[data-ready]")
            use(page)
            if scheme == "dark":
                note(page)
            page.screenshot(path=str(folder / f"{name}.png"))
            context.close()
        browser.close()
        server.terminate()


if __name__ == "__main__":
    main()
