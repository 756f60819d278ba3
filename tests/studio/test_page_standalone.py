"""The page that writes by itself, in a browser without a network: its notes are Python's, its file the command line's.

All 200 seeds are compared by benchmarks/bench_page.py; here stands one of each kind of wish.
"""

import base64
import sys
from pathlib import Path

import numpy as np
import pytest

from melodygru.errors import MissingPackageError
from melodygru.network.model_files import resolve
from melodygru.studio.standalone import runtime
from melodygru.studio.standalone.making import page as page_of
from melodygru.studio.standalone.product import module
from melodygru.writing.model import load_model
from tests.command_line import run
from tests.network.test_mixing import mixed
from tests.studio.browser import BROWSER, NARROW, WIDE, places

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
bench_page = pytest.importorskip("bench_page")


def _lacking():
    try:
        runtime.files()
    except MissingPackageError as error:
        return str(error)
    return ""


pytestmark = [*BROWSER, pytest.mark.skipif(bool(_lacking()), reason=_lacking())]

FOLK = resolve("folk").resolve()
STARTING = 300_000
"""Milliseconds that Python may take to start on a busy machine."""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_bytes(page_of(FOLK))
    return path


@pytest.fixture(scope="module")
def opened(chromium, file):
    """The page, opened from disk without a network, with its first melody; at its end nothing may have gone wrong."""
    context = chromium.new_context(offline=True, accept_downloads=True, viewport=WIDE, color_scheme="light")
    page = context.new_page()
    wrong, asked = [], []
    page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready]", timeout=STARTING)
    yield page
    assert wrong == []
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [file.as_uri()]
    context.close()


def idle(page):
    page.wait_for_function("() => !document.querySelector('[aria-busy]')", timeout=STARTING)


def melody(page):
    return page.evaluate("import('standalone/page/main.js').then(({ roll }) => roll.melody)")


@pytest.mark.parametrize("seed", range(len(bench_page.ASKED)))
def test_the_same_seed_gives_the_same_notes_as_python(opened, seed):
    wishes, options = bench_page.ASKED[seed]
    assert bench_page.written(opened, seed, wishes)[0] == bench_page.expected(load_model(FOLK), seed, options)


def test_what_the_form_asks_for_is_what_is_written_and_saved(opened, here):
    opened.fill("[name=seed]", "12")
    opened.fill("[name=bars]", "5")
    opened.fill("[name=chords]", "Am F C G")
    opened.select_option("[name=chord_mode]", "soft")
    opened.select_option("[name=meter]", "3/4")
    opened.click("#generate")
    idle(opened)
    wishes = ["--seed", "12", "--bars", "5", "--chords", "Am F C G", "--chord-mode", "soft", "--meter", "3/4"]
    assert run("generate", "--model", FOLK, *wishes, "out.mid") == 0
    right = load_model(FOLK).generate(5, seed=12, chords="Am F C G", chord_mode="soft", meter="3/4")
    assert places(melody(opened)) == [(note.pitch, note.onset, note.duration) for note in right.notes]
    assert "5 bars of 3/4" in opened.inner_text("#about")
    assert opened.locator("#roll .note").count() == len(right.notes)
    assert opened.locator("#roll text.chord").all_text_contents()[:4] == ["Am", "F", "C", "G"]
    for _ in range(2):  # the file is made at the first click, and is there at the second
        with opened.expect_download() as download:
            opened.click("#midi")
        assert Path(download.value.path()).read_bytes() == Path("out.mid").read_bytes()
    assert download.value.suggested_filename == f"folk_Am_{right.qpm:g}bpm_5bars_s12.mid"
    opened.click("#clear-options")


def test_what_cannot_be_is_said_at_its_field_in_the_pages_words(opened):
    before = melody(opened)
    opened.fill("[name=chords]", "Am Q7")
    opened.click("#generate")
    idle(opened)
    assert "Q7" in opened.inner_text("#problem")
    assert opened.get_attribute("[name=chords]", "aria-invalid") == "true"
    assert opened.get_attribute("[name=chords]", "aria-describedby") == "problem"
    opened.fill("[name=chords]", "")
    opened.fill("[name=bars]", "1000")
    opened.click("#generate")
    idle(opened)
    assert opened.inner_text("#problem") == "Bars is 1000; this page writes 1 to 64."
    assert opened.get_attribute("[name=chords]", "aria-invalid") is None
    assert melody(opened) == before, "what was there stays"
    opened.click("#clear-options")
    opened.click("#generate")
    idle(opened)
    assert opened.is_hidden("#problem")


def test_it_sounds_by_the_keyboard(opened):
    playing = "import('standalone/page/main.js').then(({ player }) => player."
    opened.locator("#roll").focus()
    opened.keyboard.press(" ")
    opened.wait_for_function(f"() => {playing}clock > 0.2 && player.level() > 0.001)", timeout=STARTING)
    before = opened.evaluate(playing + "position)")
    opened.wait_for_function(f"() => {playing}position > {before})", timeout=STARTING)
    assert opened.get_attribute("#play", "aria-pressed") == "true"
    opened.keyboard.press(" ")
    opened.wait_for_function("() => document.querySelector('#play').getAttribute('aria-pressed') === 'false'")


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "400 px"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_overflows_or_is_nameless(opened, size, scheme):
    from axe_playwright_python.sync_playwright import Axe

    opened.set_viewport_size(size)
    opened.emulate_media(color_scheme=scheme)
    opened.wait_for_function(f"() => document.documentElement.dataset.theme === '{scheme}'")
    assert opened.evaluate("document.documentElement.scrollWidth") <= size["width"]
    for id in ("play", "midi", "generate"):  # the page goes no way sideways, and nothing is pushed out of sight
        box = opened.locator(f"#{id}").bounding_box()
        assert 0 <= box["x"] < box["x"] + box["width"] <= size["width"]
    found = Axe().run(opened).response["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []
    opened.set_viewport_size(WIDE)


def test_a_model_with_ngrams_writes_the_same(chromium, tmp_path):
    """What counts in whole numbers counts alike where those are of 32 bits."""
    mixed().save(tmp_path / "toy.safetensors")
    path = tmp_path / "page.html"
    path.write_bytes(page_of(tmp_path / "toy.safetensors"))
    context = chromium.new_context(offline=True)
    page = context.new_page()
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]", timeout=STARTING)
    model = load_model(tmp_path / "toy.safetensors")
    for seed in range(3):
        options = {"bars": 6, "temperature": 0.8}
        assert bench_page.written(page, seed, options)[0] == bench_page.expected(model, seed, options)
    context.close()


@pytest.mark.parametrize("left_out", ["model", "worker.js"])
def test_a_page_that_is_cut_off_says_so(chromium, file, tmp_path, left_out):
    text = file.read_text()
    at = text.index(f'id="{left_out}"')
    path = tmp_path / "cut.html"
    path.write_text(text[: text.index(">", at) + 1])
    context = chromium.new_context(offline=True)
    page = context.new_page()
    page.goto(path.as_uri())
    page.wait_for_function("() => document.querySelector('#about').textContent.includes('cut off')", timeout=STARTING)
    assert page.inner_text("#problem") == "This page is cut off; get it again."
    assert page.is_disabled("#generate")
    context.close()


SIZES = [(1, 1, 8), (2, 3, 16), (3, 31, 24), (4, 256, 768), (5, 7, 8), (8, 256, 768), (9, 64, 32), (33, 5, 40)]


@pytest.mark.parametrize(("rows", "inner", "columns"), SIZES)
def test_the_product_of_matrices_is_numpys(chromium, rows, inner, columns):
    """At places in memory that are no multiples of a vector, and nothing beside the result is touched."""
    random = np.random.default_rng(rows)
    a, b = random.normal(size=(rows, inner)).astype("<f4"), random.normal(size=(inner, columns)).astype("<f4")
    script = """async ([code, a, b, rows, inner, columns]) => {
      const bytes = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
      const memory = new WebAssembly.Memory({ initial: 64 });
      const { instance } = await WebAssembly.instantiate(bytes(code), { page: { memory } });
      const here = new Uint8Array(memory.buffer), [left, right] = [bytes(a), bytes(b)];
      const [atA, atB] = [4, 8 + left.length], atC = atB + right.length + 12, size = 4 * rows * columns;
      here.set(left, atA), here.set(right, atB), here.fill(77, atC - 8, atC + size + 8);
      instance.exports.product(atA, atB, atC, rows, inner, columns);
      const beside = [...here.slice(atC - 8, atC), ...here.slice(atC + size, atC + size + 8)];
      return [[...new Float32Array(here.slice(atC, atC + size).buffer)], beside.every((one) => one === 77)];
    }"""
    page = chromium.new_page()
    texts = [base64.b64encode(data).decode() for data in (module(), a.tobytes(), b.tobytes())]
    found, untouched = page.evaluate(script, [*texts, rows, inner, columns])
    page.close()
    np.testing.assert_allclose(np.reshape(found, (rows, columns)), a @ b, rtol=1e-4, atol=1e-5)
    assert untouched
