"""The listening test's page in a browser: it sounds, keeps and saves answers, and can be used by keys alone."""

import json
from pathlib import Path

import pytest

from melodygru.evaluation.listening.answers import read_answers
from melodygru.evaluation.listening.excerpts import HUMAN, Excerpt
from melodygru.evaluation.listening.page import make
from melodygru.evaluation.listening.scales import SCALES
from tests.studio.browser import BROWSER, CHROMIUM, FLAGS
from tests.tunes import tune

pytestmark = BROWSER
FIELDS = [*SCALES, "heard", "by"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("listening")
    melodies = iter(tune(seed, 1) for seed in range(4))
    test = make([Excerpt(system, seat, next(melodies)) for system in (HUMAN, "model") for seat in (0, 1)], "tunes", 0)
    (folder / "page.html").write_text(test.page, "utf-8")
    (folder / "key.json").write_text(test.key, "utf-8")
    return folder


@pytest.fixture(scope="module")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(params=[(1280, 900), (360, 740)], ids=["wide", "narrow"])
def page(chromium, made, request):
    width, height = request.param
    context = chromium.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
    page, wrong = context.new_page(), []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on(
        "request", lambda one: wrong.append(one.url) if not one.url.startswith(("file:", "blob:", "data:")) else None
    )
    page.goto((made / "page.html").as_uri())
    page.wait_for_selector("html[data-ready]")
    yield page
    assert wrong == []
    context.close()


def begin(page, listener="2"):
    page.fill("#listener", listener)
    page.press("#listener", "Enter")
    page.wait_for_selector("#rate:not([hidden])")


def hear(page):
    page.click("#play")
    page.wait_for_function("() => document.getElementById('heard-so-far').value === 1", timeout=20_000)


def answer(page, step=5):
    for name in SCALES:
        page.check(f"[name={name}][value='{step}']", force=True)
    page.check("[name=heard][value=no]", force=True)
    page.check("[name=by][value=machine]", force=True)


def test_a_listener_hears_answers_comes_back_and_saves(page, made, tmp_path):
    begin(page)
    title = page.text_content("#rate-title")
    answer(page)
    page.click("#answers button.main")
    assert "Play the melody to its end first" in page.text_content("#wrong")
    page.click("#play")
    before = page.evaluate("context.currentTime")
    page.evaluate("window.ear = context.createAnalyser(); source.connect(ear)")
    page.wait_for_function(f"() => context.currentTime > {before} + 0.2")
    # What goes out is no silence.
    page.wait_for_function(
        "() => { const wave = new Float32Array(ear.fftSize); ear.getFloatTimeDomainData(wave);"
        " return Math.max(...wave) > 0.02; }"
    )
    hear_rest = "() => document.getElementById('heard-so-far').value === 1"
    page.wait_for_function(hear_rest, timeout=20_000)
    page.reload()
    # What was answered stands there again; the melody is heard again.
    assert page.text_content("#rate-title") == title == "Melody 1 of 4"
    assert page.is_checked("[name=melody][value='5']")
    assert page.is_checked("[name=by][value=machine]")
    for number in range(4):
        hear(page)
        answer(page, 2 + number)
        page.click("#answers button.main")
    page.wait_for_selector("#end:not([hidden])")
    # On a busy machine chromium may give a page that is loaded at once what it had stored a moment before.
    page.wait_for_timeout(1000)
    page.reload()
    with page.expect_download() as download:
        page.click("#save")
    path = tmp_path / download.value.suggested_filename
    path.write_bytes(Path(download.value.path()).read_bytes())
    assert path.name == "answers-002.json"
    found = read_answers([path], made / "key.json")
    assert found.listeners == (2,)
    assert sorted(found.ratings["rhythm"].ravel()) == [2, 3, 4, 5]
    assert found.machine.all()
    saved = json.loads(path.read_text())
    assert all(one["plays"] == 1 for one in saved["answers"])
    assert saved["years"] is None


def test_every_melody_sounds_and_equally_loud(page):
    found = page.evaluate(
        """() => Object.values(told.items).map((item) => {
            const samples = samplesOf(item);
            const squares = samples.reduce((sum, one) => sum + one * one, 0);
            return [Math.sqrt(squares / (item.seconds * RATE)), Math.max(...samples.map(Math.abs)),
                Math.abs(samples[samples.length - 1])];
        })"""
    )
    for loudness, peak, last in found:
        assert loudness == pytest.approx(0.09, abs=1e-4)
        assert peak < 1
        assert last < 1e-3


def test_the_pitch_is_the_notes(page):
    hertz = page.evaluate(
        """() => {
            const samples = samplesOf({ seconds: 1, notes: [[69, 0, 1, 84]] });
            const strength = (hertz) => {
                let real = 0, imaginary = 0;
                for (let at = 0; at < RATE; at++) {
                    real += samples[at] * Math.cos((2 * Math.PI * hertz * at) / RATE);
                    imaginary += samples[at] * Math.sin((2 * Math.PI * hertz * at) / RATE);
                }
                return real * real + imaginary * imaginary;
            };
            const tried = Array.from({ length: 200 }, (_, i) => 350 + i);
            return tried.reduce((best, one) => (strength(one) > strength(best) ? one : best));
        }"""
    )
    assert hertz == 440


def test_all_can_be_done_by_keys(page):
    page.focus("#listener")
    page.keyboard.type("1")
    page.keyboard.press("Enter")
    page.wait_for_selector("#rate:not([hidden])")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.wait_for_function("() => document.getElementById('heard-so-far').value === 1", timeout=20_000)
    for _ in FIELDS:
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.text_content("#rate-title") == "Melody 2 of 4"
    assert page.evaluate("document.activeElement.id") == "rate-title"


def test_what_is_missing_is_said_and_found(page):
    page.click("#who button")
    assert "whole number from 1 to 99999" in page.text_content("#who-wrong")
    begin(page)
    hear(page)
    page.click("#answers button.main")
    assert "One answer is still missing" in page.text_content("#wrong")
    assert page.evaluate("document.activeElement.name") == "stylistic_success"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_it(page, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page.emulate_media(color_scheme=scheme)
    for done in ("start", "rate"):
        if done == "rate":
            begin(page)
            answer(page)
        assert Axe().run(page).violations_count == 0
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        small = page.evaluate(
            "() => [...document.querySelectorAll('button, .steps label')].filter((one) => one.offsetParent)"
            ".map((one) => one.getBoundingClientRect()).filter((box) => box.height < 44 || box.width < 38).length"
        )
        assert small == 0
