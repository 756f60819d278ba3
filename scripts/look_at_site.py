"""Look at the built site in a browser: every player played, accessibility, pictures at two widths, light and dark.

    python scripts/look_at_site.py [PICTURES]

Serves build/site and opens every page of it in chromium. A player passes if, after one press, the audio clock moves and
what goes out is not silent; a page, if nothing is loaded from elsewhere, its script reports no error, and without
scripts its text is there. axe looks for faults of accessibility on the main pages. Pictures go to PICTURES, where a
folder is given. Ends with 1 where anything is wrong.
"""

from __future__ import annotations

import argparse
import functools
import os
import shutil
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

SITE = Path(__file__).parent.parent / "build" / "site"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
MAIN = ("index", "install", "tutorial", "gallery", "gallery/jig", "gallery/whose", "gru", "api", "cookbook", "studio")
WIDTHS = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 400, "height": 860}}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
"""Of axe: the criteria A and AA of WCAG 2.1."""
SECONDS = 8.0
"""How long a player may take to be heard: the machine may be busy, and a melody may begin with a rest."""
PLAY = """async ([index, seconds]) => {
  const button = document.querySelectorAll('figure.clip figcaption button')[index], { player } = window.melodygru;
  const from = player.clock;
  button.click();
  const end = performance.now() + 1000 * seconds;
  let loudest = 0;
  while (performance.now() < end && !(loudest > 0.003 && player.clock > from)) {
    await new Promise((done) => setTimeout(done, 30));
    loudest = Math.max(loudest, player.level());
  }
  const clock = player.clock - from, playing = player.playing && button.textContent === 'Stop';
  button.click();
  return { loudest, clock, playing, stopped: !player.playing && button.textContent === 'Play' };
}"""


class Quiet(SimpleHTTPRequestHandler):
    """Files of a folder, without a word."""

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


def listened(page: Any) -> tuple[int, list[str]]:
    """How many players a page has, and what is wrong with them."""
    count, wrong = page.locator("figure.clip figcaption button:visible").count(), []
    for index in range(count):
        heard = page.evaluate(PLAY, [index, SECONDS])
        if not (heard["loudest"] > 0.003 and heard["clock"] > 0 and heard["playing"] and heard["stopped"]):
            wrong.append(f"player {index + 1}: {heard}")
    if count != page.locator("figure.clip").count():
        wrong.append("a player has no button")
    return count, wrong


def heard(browser: Any, address: str) -> list[str]:
    """Open every page, and play all that it plays."""
    wrong, players, pages = [], 0, sorted(SITE.rglob("*.html"))
    page = browser.new_page(viewport=WIDTHS["wide"])
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))

    def asked(url: str) -> None:
        if not url.startswith((address, "data:")):
            faults.append(f"asks for {url}")

    page.on("request", lambda one: asked(one.url))
    for path in pages:
        name = path.relative_to(SITE).as_posix()
        page.goto(f"{address}/{name}")
        count, silent = listened(page)
        players += count
        wrong += [f"{name}: {fault}" for fault in [*silent, *faults]]
        faults.clear()
        if count:
            print(f"{name}: {count} players, {len(silent)} silent", flush=True)
    print(f"{len(pages)} pages, {players} players")
    return wrong


def seen(browser: Any, address: str, pictures: Path | None) -> list[str]:
    """The main pages at two widths, light and dark: accessibility, width, pictures; and without scripts."""
    wrong = []
    for width, viewport in WIDTHS.items():
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport=viewport, color_scheme=scheme)
            for name in MAIN:
                page.goto(f"{address}/{name}.html")
                where = f"{name}, {width}, {scheme}"
                found = Axe().run(page, options={"runOnly": RULES}).response["violations"]
                wrong += [f"{where}: {one['id']} at {one['nodes'][0]['target']} ({len(one['nodes'])})" for one in found]
                if page.evaluate("document.documentElement.scrollWidth > innerWidth + 1"):
                    wrong.append(f"{where}: wider than the window")
                if pictures:
                    page.screenshot(path=pictures / f"{name.replace('/', '-')}-{width}-{scheme}.png")
            page.close()
    page = browser.new_context(java_script_enabled=False).new_page()
    for name in MAIN:
        page.goto(f"{address}/{name}.html")
        if len(page.locator("article").inner_text()) < 200:
            wrong.append(f"{name}: is not readable without scripts")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pictures", type=Path, nargs="?", metavar="PICTURES", help="a folder for pictures")
    pictures = parser.parse_args().pictures
    if not (SITE / "index.html").is_file():
        parser.error("there is no build/site; build it by `make docs`")
    if pictures:
        pictures.mkdir(parents=True, exist_ok=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(SITE)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        wrong = [*seen(browser, address, pictures), *heard(browser, address)]
        browser.close()
    server.shutdown()
    print("\n".join(wrong) or "Nothing is wrong.")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
