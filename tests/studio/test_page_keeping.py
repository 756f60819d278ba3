"""What the page keeps to itself and what it forgets: selections, tabs, steps to undo, one tempo, one seed."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.studio.browser import (
    BROWSER,
    NARROW,
    in_page,
    kept_melody,
    melody_of,
    select_bars,
    settle,
    swipe,
)  # fmt: skip

pytestmark = BROWSER


def test_a_selection_goes_with_the_melody_that_it_was_made_in(opened: Any) -> None:
    settle(opened)
    select_bars(opened, 5, 6)
    opened.click("#generate")
    settle(opened)
    assert in_page(opened, "return roll.bars") is None
    assert opened.input_value("#first-bar") == ""
    opened.click("#play")
    opened.wait_for_timeout(400)
    assert in_page(opened, "return player.position") < 96


def test_there_is_one_tempo(opened: Any) -> None:
    settle(opened)
    assert opened.locator("input[type=number][id*=tempo], #tempo").count() == 0
    opened.fill("[name=bpm]", "90")
    opened.press("[name=bpm]", "Enter")
    assert melody_of(opened)["bpm"] == 90
    assert "90" in opened.inner_text("#pace")
    opened.click("#generate")
    settle(opened)
    assert melody_of(opened)["bpm"] == 90
    opened.locator("#history .card").last.click()
    assert opened.input_value("[name=bpm]") == str(melody_of(opened)["bpm"]) != "90"


def test_a_held_seed_is_seen_to_be_held(opened: Any) -> None:
    settle(opened)
    assert not opened.is_visible("#held")
    opened.click("#hold")
    assert opened.is_visible("#held")
    assert opened.get_attribute("#hold", "aria-pressed") == "true"
    assert opened.input_value("[name=seed]") == "7"
    opened.click("#hold")
    assert opened.input_value("[name=seed]") == ""
    assert not opened.is_visible("#held")


def test_takes_come_into_sight_and_what_is_heard_is_seen_and_compared(opened: Any) -> None:
    settle(opened)
    opened.set_viewport_size({"width": 1200, "height": 600})
    opened.fill("[name=bars]", "4")
    before = melody_of(opened)
    opened.click("#eight")
    opened.wait_for_function("() => document.querySelectorAll('#takes .keep:not([disabled])').length === 8")
    opened.wait_for_timeout(500)
    box = opened.locator("#takes li").nth(7).bounding_box()
    assert box["y"] + box["height"] <= 601
    opened.keyboard.press("1")
    opened.wait_for_timeout(300)
    first = melody_of(opened)
    assert "only tried" in opened.inner_text("#originality")
    opened.keyboard.press("2")
    second = melody_of(opened)
    assert first["bars"] == second["bars"] == 4
    assert first != second
    at = in_page(opened, "return player.position")
    opened.keyboard.press("x")
    assert melody_of(opened) == first
    assert in_page(opened, "return player.playing && player.position") == pytest.approx(at, abs=30)
    opened.keyboard.press("x")
    assert melody_of(opened) == second
    # Nothing can be drawn in what is only tried; Escape goes back.
    opened.locator("#roll").focus()
    opened.keyboard.press(".")
    opened.keyboard.press("ArrowUp")
    assert melody_of(opened) == second
    assert "Keep" in opened.inner_text("#message")
    opened.keyboard.press("Escape")
    assert melody_of(opened) == kept_melody(opened) == before
    assert "Longest" in opened.inner_text("#originality")


def test_the_tip_hides_no_notes(opened: Any) -> None:
    settle(opened)
    opened.locator("#roll").focus()
    opened.keyboard.press(".")
    tip, roll = opened.locator("#tip").bounding_box(), opened.locator("#roll").bounding_box()
    assert tip["y"] >= roll["y"] + roll["height"] or tip["y"] + tip["height"] <= roll["y"]
    note = opened.locator(".note").nth(3).bounding_box()
    opened.mouse.move(note["x"] + 2, note["y"] + 4)
    opened.mouse.down()
    opened.mouse.move(note["x"] + 20, note["y"] + 30, steps=4)
    assert not opened.is_visible("#tip")
    opened.mouse.up()


def test_two_tabs_have_a_history_each(opened: Any) -> None:
    settle(opened)
    other = opened.context.new_page()
    other.goto(opened.url)
    other.wait_for_selector("html[data-ready]")
    opened.bring_to_front()  # tabs behind others may draw when they like
    opened.fill("[name=bars]", "4")
    opened.click("#generate")
    settle(opened)
    other.bring_to_front()
    other.fill("[name=bars]", "6")
    other.click("#generate")
    settle(other)
    for page, bars in ((opened, 4), (other, 6)):
        page.bring_to_front()
        melody = melody_of(page)
        page.reload()
        page.wait_for_selector("html[data-ready]")
        assert melody_of(page) == melody
        assert melody["bars"] == bars
        labels = page.locator("#history .card").all_inner_texts()
        assert sum(", 4 bars" in text for text in labels) == (bars == 4)
        assert sum(", 6 bars" in text for text in labels) == (bars == 6)
    # A third begins with what both left behind.
    third = opened.context.new_page()
    third.goto(opened.url)
    third.wait_for_selector("html[data-ready]")
    labels = " ".join(third.locator("#history .card").all_inner_texts())
    assert ", 4 bars" in labels
    assert ", 6 bars" in labels
    third.close()
    other.close()


def test_a_row_of_arrows_is_one_step(opened: Any) -> None:
    settle(opened)
    before = melody_of(opened)
    opened.locator("#roll").focus()
    opened.keyboard.press(".")
    for _ in range(5):
        opened.keyboard.press("ArrowUp")
    assert melody_of(opened)["notes"][0]["pitch"] == before["notes"][0]["pitch"] + 5
    opened.keyboard.press("Control+z")
    assert melody_of(opened) == before
    opened.keyboard.press("Control+Shift+z")
    assert melody_of(opened)["notes"][0]["pitch"] == before["notes"][0]["pitch"] + 5


def test_what_was_said_of_the_last_melody_does_not_stay(opened: Any) -> None:
    settle(opened)
    said = opened.inner_text("#originality")
    assert "Longest" in said
    opened.route("**/api/look", lambda route: None)  # never answered
    opened.locator("#roll").focus()
    opened.keyboard.press("g")
    opened.wait_for_function("() => !document.querySelector('[aria-busy]')")
    assert opened.inner_text("#originality") == "…"
    opened.unroute("**/api/look")


def test_the_space_bar_plays_from_a_slider_too(opened: Any) -> None:
    settle(opened)
    opened.locator("#temperature").focus()
    opened.keyboard.press("Space")
    opened.wait_for_function("() => document.querySelector('#play').getAttribute('aria-pressed') === 'true'")
    opened.keyboard.press("ArrowRight")
    assert opened.input_value("#temperature") == "1.05"
    opened.keyboard.press("Space")


def test_every_control_says_what_it_is(opened: Any) -> None:
    names = opened.evaluate(
        """() => [...document.querySelectorAll('main input:not([type=file]), main select, main button')].map((one) =>
          one.getAttribute('aria-label') ?? [...(one.labels ?? [])].map((label) => label.textContent).join(' ')
          ?? one.textContent)"""
    )
    shown = [re.sub(r"\\s+", " ", name).strip() for name in names]
    assert not {"by %", "by bars", "by", "%", "to"} & set(shown)
    assert opened.get_by_label("How many of the notes to vary, in per cent").count() == 1


@pytest.mark.parametrize("opened", [{"viewport": NARROW, "has_touch": True, "is_mobile": True}], indirect=True)
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768), (768, 1024), (390, 844)])
def test_no_control_is_out_of_sight(opened: Any, width: int, height: int) -> None:
    """On a telephone, where rows are pushed sideways, they fade at the edge where they go on."""
    settle(opened)
    opened.set_viewport_size({"width": width, "height": height})
    opened.evaluate("document.querySelector('#midi-bar').hidden = false")
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    pushed = opened.evaluate(
        "[...document.querySelectorAll('.bar')].filter((bar) => bar.scrollWidth > bar.clientWidth + 1)"
        ".map((bar) => getComputedStyle(bar).maskImage)"
    )
    assert all("gradient" in mask for mask in pushed)
    assert bool(pushed) == (width < 560)
    out = opened.evaluate(
        "(width) => [...document.querySelectorAll('#stage button, #stage select, #stage input:not(.hidden)')]"
        ".filter((one) => one.getBoundingClientRect().right > width && !one.closest('.controls .bar')).length",
        width,
    )
    assert out == 0
    if width > 560:
        sights = "[...document.querySelectorAll('.controls *')].every((one) => one.getBoundingClientRect().right"
        assert opened.evaluate(f"{sights} <= document.querySelector('#stage').getBoundingClientRect().right)")
    roll = opened.locator("#roll").bounding_box()
    assert roll["y"] + 200 < height, "the roll is in sight"


def test_a_finger_selects_several_bars(opened: Any) -> None:
    settle(opened)
    box = opened.locator(".ruler").bounding_box()
    touch = opened.context.new_cdp_session(opened)
    way = [{"x": box["x"] + 60 + 16 * step, "y": box["y"] + 10} for step in range(11)]
    swipe(opened, touch, way)
    first, last = in_page(opened, "return roll.bars")
    assert last > first


def test_a_reload_after_a_restart_says_what_to_do(opened: Any, address: str) -> None:
    # What a browser is told at the address that was good before.
    page = opened.context.new_page()
    page.goto(address.rsplit("/", 2)[0] + "/another-secret/")
    text = page.inner_text("body")
    assert "started anew" in text
    assert "{" not in text
    assert page.locator("h1").count() == 1
    page.close()


def test_a_page_whose_studio_was_started_anew_says_what_to_do(opened: Any) -> None:
    settle(opened)
    opened.refused = "status of 404"
    gone = '{"detail": "There is nothing here."}'
    opened.route("**/api/**", lambda route: route.fulfill(status=404, content_type="application/json", body=gone))
    opened.click("#generate")
    opened.wait_for_selector("#message:not([hidden])")
    assert "open the address that it printed" in opened.inner_text("#message")
