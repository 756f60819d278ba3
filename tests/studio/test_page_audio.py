"""The page's player, in a browser: it keeps time, loops, follows changes, and neither clips nor clicks."""

import base64
import functools
import os
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

import melodygru

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
PAGE = Path(melodygru.__file__).parent / "studio" / "page"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium, from Debian's package of that name"),
]

CLIP = {
    "notes": [{"pitch": 60 + 2 * i, "onset": 12 * i, "duration": 12} for i in range(8)],
    "length": 96, "bpm": 240, "barSteps": 96, "beatSteps": 24,
    "chords": [{"onset": 0, "end": 96, "pitches": [48, 55, 64]}],
}  # fmt: skip


class Quiet(SimpleHTTPRequestHandler):
    """The page's files, and an empty page."""

    def do_GET(self):
        if self.path != "/":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><link rel=icon href='data:,'><title>Sound</title>")

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def page():
    playwright = pytest.importorskip("playwright.sync_api")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=PAGE))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    with playwright.sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.said = []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.goto(f"http://127.0.0.1:{server.server_port}/")
        page.evaluate("async () => { window.audio = await import('./audio.js'); }")
        yield page
        browser.close()
    server.shutdown()
    server.server_close()
    thread.join()
    assert page.said == []


def player(page, script, **values):
    """Run a script with a new player `p`, the values `v`, and `log(seconds)`, which tells what is heard every 20 ms."""
    return page.evaluate(
        """async (v) => {
          const p = new audio.Player();
          let ended = 0;
          p.onended = () => ended++;
          const log = async (seconds) => {
            const out = [], from = performance.now();
            while (performance.now() - from < 1000 * seconds) {
              out.push([performance.now() / 1000, p.position, p.level(), p.clock]);
              await new Promise((done) => setTimeout(done, 20));
            }
            return out;
          };
          """
        + script
        + "}",
        values,
    )


def test_it_keeps_time_and_ends(page):
    got = player(
        page,
        """const before = [p.clock, p.playing, p.position, p.level()];
        p.setClip(v.clip);
        await p.play();
        const heard = await log(0.8), ended_early = ended;
        const rest = await log(1.2);
        return {before, heard, ended_early, ended, playing: p.playing, silent: p.level()};""",
        clip=CLIP,
    )
    assert got["before"] == [0, False, 0, 0]
    heard = np.array(got["heard"])
    moving = heard[(heard[:, 1] > 4) & (heard[:, 1] < 90)]
    assert np.polyfit(moving[:, 0], moving[:, 1], 1)[0] == pytest.approx(96, rel=0.05)
    assert (np.diff(heard[:, 1]) >= 0).all()
    assert heard[-1, 3] > heard[0, 3] + 0.5
    assert np.median(heard[:, 2]) > 0.01
    assert (got["ended_early"], got["ended"], got["playing"]) == (0, 1, False)


def test_it_loops_and_follows_changes(page):
    got = player(
        page,
        """p.setClip(v.clip);
        p.loop = true;
        p.loopRange = [24, 72];
        p.metronome = true;
        await p.play(24);
        const fast = await log(1.6);
        p.setClip({...v.clip, bpm: 60});
        const slow = await log(1);
        p.stop();
        const at = p.position;
        await log(1);
        return {fast, slow, at, ended, playing: p.playing, after: p.position, level: p.level()};""",
        clip=CLIP,
    )
    fast, slow = np.array(got["fast"]), np.array(got["slow"])
    assert fast[:, 1].min() >= 24
    assert fast[:, 1].max() < 72
    assert (np.diff(fast[:, 1]) < -30).sum() >= 2
    settled = slow[slow[:, 0] > slow[0, 0] + 0.3]
    pace = np.median(np.diff(settled[:, 1]) / np.diff(settled[:, 0]))
    assert pace == pytest.approx(24, rel=0.15)
    steps = np.diff(np.concatenate([fast[-5:, 1], slow[:, 1]]))
    assert ((np.abs(steps) < 15) | (steps < -30)).all()  # no leap at the change
    assert (got["ended"], got["playing"], got["level"]) == (1, False, 0)
    assert got["at"] == got["after"]


def test_going_elsewhere_is_not_ending_and_a_preview_is_heard(page):
    got = player(
        page,
        """p.setClip(v.clip);
        await p.play();
        await log(0.1);
        await p.play(60);
        await log(0.1);
        const there = [ended, p.playing, p.position];
        p.stop();
        await log(0.8);
        p.preview(72);
        await log(0.12);
        return {there, level: p.level(), playing: p.playing};""",
        clip=CLIP,
    )
    ended, playing, position = got["there"]
    assert (ended, playing) == (0, True)
    assert 60 <= position < 90
    assert got["level"] > 0.01
    assert not got["playing"]


def rendered(page, clip, **options):
    text = page.evaluate(
        """async ({clip, options}) => {
          const sound = await audio.rendered(clip, 44100, options);
          const both = new Float32Array(2 * sound.length);
          both.set(sound.getChannelData(0));
          both.set(sound.getChannelData(1), sound.length);
          const bytes = new Uint8Array(both.buffer);
          let text = "";
          for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
          return btoa(text);
        }""",
        {"clip": clip, "options": options},
    )
    return np.frombuffer(base64.b64decode(text), np.float32).reshape(2, -1)


def test_it_neither_clips_nor_clicks(page):
    for program in (0, 24, 40, 73, 88):
        sound = rendered(page, {**CLIP, "program": program}, tail=1.5)
        assert sound.shape == (2, round(2.5 * 44_100))
        assert 0.1 < np.abs(sound).max() < 0.9
        assert np.abs(sound[:, -200:]).max() < 1e-3
    # No partial is so high: what is there would be a click.
    sound = rendered(page, {**CLIP, "program": 73, "chords": []}, tail=0.5)
    spectrum = np.fft.rfft(sound[0])
    spectrum[np.fft.rfftfreq(sound.shape[1], 1 / 44_100) < 12_000] = 0
    assert np.abs(np.fft.irfft(spectrum)).max() < 10 ** (-80 / 20)


def in_band(sound, low, high):
    """The share of a sound's energy in [low, high) Hz, in dB."""
    energy = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    frequencies = np.fft.rfftfreq(len(sound), 1 / 44_100)
    inside = energy[(frequencies >= low) & (frequencies < high)].sum()
    return 10 * np.log10(inside / energy.sum() + 1e-12)


def test_what_is_struck_is_bright_for_a_moment_and_mellow_after(page):
    for program in (0, 4, 24, 11):
        note = {"pitch": 60, "onset": 0, "duration": 96, "velocity": 90}
        sound = rendered(page, {**CLIP, "notes": [note], "chords": [], "program": program, "bpm": 60})[0]
        begin, later = sound[: 44_100 // 5], sound[44_100 : 2 * 44_100]
        # Bare waves had next to nothing up there: -57 dB over the whole note (piano), -87 dB and less (the others).
        assert -60 < in_band(begin, 8_000, 16_000) < -20, program
        assert in_band(later, 8_000, 16_000) < in_band(begin, 8_000, 16_000) - 15, program
        assert in_band(later, 4_000, 22_050) < -35, program


def test_everything_at_once_is_held_below_full_scale(page):
    notes = [
        {"pitch": pitch, "onset": 12 * i, "duration": 12, "velocity": 127}
        for i in range(8)
        for pitch in (48, 55, 60, 64, 67, 72, 76)
    ]
    sound = rendered(page, {**CLIP, "notes": notes, "program": 48}, tail=0.5, metronome=True)
    assert np.abs(sound).max() < 1
