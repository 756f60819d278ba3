"""How soon does the studio answer? A whole process, over the network of this computer.

    python benchmarks/bench_studio.py [--clients 50] [--bars 16]

The page is asked for as soon as its address is printed; a first note is the first `notes` event of a stream. In a
browser (chromium, if it is there) the first sound is the first that is not silent after the space bar, pressed as soon
as the page is ready; the first note is the first frame that shows one after Generate was pressed.
"""

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from tables import machine, print_table

ROOT = Path(__file__).parent.parent
REPEATS = 20
STARTS = 5


class Served:
    """A studio in a process of its own; `started` has seconds from its start to its address, its page, its choices."""

    def __init__(self, asks=True):
        began = time.perf_counter()
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "melodygru", "studio", "--no-browser", "--port", "0"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
        )
        self.url = re.search(r"http\S+", self.process.stdout.readline())[0]
        self.started = [time.perf_counter() - began]
        for where in ("", "api/choices") if asks else ():
            urllib.request.urlopen(self.url + where).read()
            self.started.append(time.perf_counter() - began)

    def stop(self):
        """Seconds from Ctrl-C to the process's end."""
        began = time.perf_counter()
        self.process.send_signal(signal.SIGINT)
        self.process.wait(10)
        return time.perf_counter() - began

    def generate(self, seed, bars):
        """Seconds until the first note and until all is done; None where anything went wrong."""
        parts = urlsplit(self.url)
        body = json.dumps({"options": {"bars": bars}, "seed": seed})
        connection = HTTPConnection(parts.hostname, parts.port, timeout=120)
        began = time.perf_counter()
        try:
            connection.request("POST", f"{parts.path}api/generate", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            first, kind, takes = None, None, 0
            for line in response:
                if line.startswith(b"event: "):
                    kind = line[7:].strip()
                    if kind == b"notes" and first is None:
                        first = time.perf_counter() - began
                    takes += kind == b"take"
            if response.status != 200 or kind != b"done" or takes != 1:
                return None
            return first, time.perf_counter() - began
        except OSError:
            return None
        finally:
            connection.close()


_SOUND = """async () => {
  const { player } = await import(new URL('page/main.js', document.baseURI));
  while (player.level() < 0.002) await new Promise((resolve) => setTimeout(resolve, 5));
}"""
_NOTE = """() => new Promise((done) => {
  const began = performance.now();
  const watch = new MutationObserver(() => {
    if (!document.querySelector('.ghost')) return;
    watch.disconnect();
    requestAnimationFrame(() => done(performance.now() - began));
  });
  watch.observe(document.querySelector('.ghosts'), { childList: true });
  document.querySelector('#generate').click();
})"""


def in_browser():
    """Rows of the table: from the process's start to sound in seconds, from Generate to a note in milliseconds."""
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
    sounds, notes = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), headless=True, args=flags)
        for _ in range(STARTS):
            page = browser.new_context().new_page()
            began = time.perf_counter()
            served = Served(asks=False)
            page.goto(served.url)
            page.wait_for_selector("html[data-ready]")
            page.keyboard.press("Space")
            page.evaluate(_SOUND)
            sounds.append(time.perf_counter() - began)
            page.keyboard.press("Space")
            for _ in range(4):
                notes.append(page.evaluate(_NOTE))
                page.wait_for_function("() => !document.querySelector('[aria-busy]')")
            page.context.close()
            served.stop()
        browser.close()
    seconds = [f"{statistics.median(sounds):.2f} s", f"{max(sounds):.2f} s", "process to first sound"]
    return [seconds, [f"{statistics.median(notes):.0f} ms", f"{max(notes):.0f} ms", "Generate to first note on screen"]]


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--bars", type=int, default=16)
    asked = parser.parse_args()
    print(machine())
    starts, stops = [], []
    for _ in range(STARTS):
        served = Served()
        starts.append(served.started)
        stops.append(served.stop())
    rows = [
        [f"{min(column):.2f}", f"{statistics.median(column):.2f}", what]
        for column, what in zip(
            [*zip(*starts, strict=True), stops],
            ["process to address", "process to page", "process to choices", "Ctrl-C to end"],
            strict=True,
        )
    ]
    print_table("Start-up, seconds", ["best", "median", "what"], rows)

    if shutil.which("chromium"):
        print_table("In a browser", ["median", "slowest", "what"], in_browser())

    served = Served()
    time.sleep(2)  # the model is loaded and warm
    alone = [served.generate(seed, asked.bars) for seed in range(REPEATS)]
    rows = [
        [f"{1000 * statistics.median(column):.0f}", f"{1000 * max(column):.0f}", what]
        for column, what in zip(
            zip(*alone, strict=True), ["request to first note", f"request to done, {asked.bars} bars"], strict=True
        )
    ]
    print_table("One client, milliseconds", ["median", "slowest", "what"], rows)

    with ThreadPoolExecutor(asked.clients) as pool:
        began = time.perf_counter()
        many = list(pool.map(lambda seed: served.generate(seed, asked.bars), range(asked.clients)))
        whole = time.perf_counter() - began
    fine = [one for one in many if one is not None]
    rows = [
        [f"{percentile(column, 0.5):.2f}", f"{percentile(column, 0.99):.2f}", what]
        for column, what in zip(zip(*fine, strict=True), ["request to first note", "request to done"], strict=True)
    ]
    print_table(f"{asked.clients} clients at once, {asked.bars} bars each, seconds", ["p50", "p99", "what"], rows)
    print(f"\n{len(many) - len(fine)} errors; {asked.clients / whole:.1f} melodies a second")
    served.stop()


if __name__ == "__main__":
    main()
