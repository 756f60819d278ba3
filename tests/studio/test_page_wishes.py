"""What is wished for holds in every action on the page, and what contradicts itself is told beside the field."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from melodygru.formats.midi.parser import parse_midi
from melodygru.music.chords import parse_progression, strong_beats
from melodygru.music.theory import Key, TimeSignature
from melodygru.writing.recipe import Recipe
from tests.studio.browser import BROWSER, NARROW, melody_of, saved, select_bars, settle

pytestmark = BROWSER

PROGRESSION = "Am F C G"
PENTATONIC = {9, 11, 1, 4, 6}  # A major pentatonic


def off_chord(melody: dict[str, Any], progression: str = PROGRESSION) -> list[dict[str, Any]]:
    """Notes that begin on a strong beat and are none of the chord's."""
    metre = TimeSignature.parse(melody["meter"])
    spans = parse_progression(progression, metre)
    strong = set(strong_beats(metre))

    def tones(onset: int) -> Any:
        at = onset % spans[-1].end
        chord = next(span.chord for span in spans if span.onset <= at < span.end)
        return chord.tones if chord else range(12)

    return [
        note
        for note in melody["notes"]
        if note["onset"] % metre.bar_steps in strong and note["pitch"] % 12 not in tones(note["onset"])
    ]


def foreign(melody: dict[str, Any], classes: Any) -> list[int]:
    return [note["pitch"] for note in melody["notes"] if note["pitch"] % 12 not in classes]


def act(page: Any, button: str) -> None:
    page.click(button)
    settle(page)


def test_chords_and_scale_hold_in_every_action(opened: Any) -> None:
    opened.fill("[name=bars]", "8")
    opened.fill("[name=chords]", PROGRESSION)
    opened.fill("[name=seed]", "5")
    act(opened, "#generate")
    for button in ("#infill", "#vary", "#continue", "#infill", "#vary"):
        before = melody_of(opened)
        if button == "#infill":
            select_bars(opened, 3, 6)
        elif button == "#vary":
            select_bars(opened, 1, 8)
        act(opened, button)
        assert melody_of(opened) != before
        assert off_chord(melody_of(opened)) == [], button
        labels = opened.evaluate("[...document.querySelectorAll('.ruler .chord')].map((one) => one.textContent)")
        assert labels[:4] == ["Am", "F", "C", "G"]
    assert melody_of(opened)["bars"] == 16
    opened.fill("[name=chords]", "")
    opened.select_option("[name=scale]", "major pentatonic")
    opened.select_option("[name=tonic]", "A")
    act(opened, "#generate")
    for button in ("#infill", "#vary", "#continue"):
        select_bars(opened, 2, 7)
        act(opened, button)
        assert foreign(melody_of(opened), PENTATONIC) == [], button


def test_every_option_goes_along_with_every_action(opened: Any) -> None:
    said = {"density": 3.0, "max_leap": 7, "grid": "1/8", "rests": "few", "scale": "major pentatonic", "leaps": "few"}
    said |= {"syncopation": "none", "temperature": 0.9, "range": "C4:C6", "contour": "arch", "tonic": "G"}
    opened.evaluate(
        """(said) => { for (const [name, value] of Object.entries(said)) {
          const field = document.querySelector(`[name=${name}]`);
          if (field) { field.value = value; field.dispatchEvent(new Event('input', { bubbles: true })); }
        } }""",
        said,
    )
    opened.fill("[name=lowest]", "C4")
    opened.fill("[name=highest]", "C6")
    asked = {}
    opened.route("**/api/**", lambda route: answer_nothing(route, asked))
    select_bars(opened, 3, 4)
    for button, where in (("#infill", "infill"), ("#vary", "vary"), ("#continue", "generate")):
        opened.refused = "status of 422"
        opened.click(button)
        opened.wait_for_function("() => !document.querySelector('[aria-busy]')")
        assert {**asked[where]["options"], **said} == asked[where]["options"], where
        assert not {"meter", "bpm", "form"} & set(asked[where]["options"])


def answer_nothing(route: Any, asked: dict[str, Any]) -> None:
    asked[route.request.url.rpartition("/")[2]] = json.loads(route.request.post_data or "{}")
    route.fulfill(status=422, content_type="application/json", body='{"detail": "Not now."}')


def test_chords_are_put_over_what_is_there_and_go_with_the_file(opened: Any) -> None:
    settle(opened)
    before = melody_of(opened)
    opened.fill("[name=chords]", "Dm7 G7 Cmaj7 %")
    opened.press("[name=chords]", "Enter")
    opened.wait_for_selector(".ruler .chord")
    assert melody_of(opened) == before
    assert b"Dm7" in saved(opened)
    act(opened, "#generate")
    data = saved(opened)
    assert b"Dm7" in data
    assert b"render_chords" in data, "the program's own file, which can be made again"
    opened.keyboard.press("Control+z")
    # As bars are written anew, these are followed; and they can be undone.
    select_bars(opened, 1, 16)
    act(opened, "#infill")
    assert off_chord(melody_of(opened), "Dm7 G7 Cmaj7 %") == []
    opened.keyboard.press("Control+z")
    opened.keyboard.press("Control+z")
    assert opened.locator(".ruler .chord").count() == 0
    assert opened.input_value("[name=chords]") == ""


@pytest.mark.parametrize(("mode", "key"), [("minor", "A minor"), ("major", "C major"), ("dorian", "D dorian")])
def test_a_mode_without_a_tonic_takes_the_tonic_that_the_chords_suggest(opened: Any, mode: str, key: str) -> None:
    opened.select_option("[name=mode]", mode)
    opened.fill("[name=chords]", PROGRESSION)
    act(opened, "#generate")
    melody = melody_of(opened)
    assert melody["key"] == key
    assert foreign(melody, Key.parse(key).scale) == []


CONTRADICTIONS = [
    ({"meter": "7/8", "grid": "1/4"}, "grid", "Shortest note 1/4 and Metre 7/8"),
    ({"bars": "0"}, "bars", "Bars is 0"),
    ({"chords": "Am Fq"}, "chords", "Fq"),
    ({"lowest": "C6", "highest": "C4"}, "lowest", "C6"),
    ({"density": "90", "bars": "4"}, "density", "Notes a bar 90"),
]


@pytest.mark.parametrize(("said", "field", "words"), CONTRADICTIONS)
def test_contradictions_are_told_beside_the_field_before_anything_is_pressed(
    opened: Any, said: dict[str, str], field: str, words: str
) -> None:
    opened.refused = "status of 422"
    for name, value in said.items():
        one = opened.locator(f"[name={name}]")
        if one.evaluate("(one) => one.tagName") == "SELECT":
            one.select_option(value)
        else:
            one.fill(value)
    opened.wait_for_selector("#hint.wrong")
    text = opened.inner_text("#hint")
    assert words in text
    assert not re.search(r"--|primer|options\.|Failed to fetch", text)
    assert opened.get_attribute(f"[name={field}]", "aria-invalid") == "true"
    field_box, hint = (opened.locator(where).bounding_box() for where in (f"[name={field}]", "#hint"))
    assert 0 <= hint["y"] - field_box["y"] < 130
    for name in said:
        one = opened.locator(f"[name={name}]")
        if one.evaluate("(one) => one.tagName") == "SELECT":
            one.select_option(index=0)
        else:
            one.fill("")
    opened.wait_for_function("() => !document.querySelector('#hint.wrong:not([hidden])')")


def test_each_part_of_a_form_has_wishes_of_its_own(opened: Any) -> None:
    settle(opened)
    assert not opened.locator("#parts").is_visible()
    opened.fill("[name=form]", "verse 2 chorus 2 verse 2")
    opened.wait_for_selector("#parts fieldset")
    assert opened.locator("#parts legend").all_inner_texts() == ["Verse (V)", "Chorus (C)"]
    for option, value in {"density": "6", "range": "E5:A5", "chords": "F C"}.items():
        opened.fill(f'[data-letter=C][data-option="{option}"]', value)
    opened.select_option("[data-letter=V][data-option=feel]", "lullaby")
    opened.fill("[name=seed]", "3")
    act(opened, "#generate")
    data = saved(opened)
    own = Recipe.find(parse_midi(data).texts).config.own_wishes
    assert own["C"] == {"density": 6.0, "range": "E5:A5", "chords": "F C"}
    assert own["V"]["max_leap"] == 9
    pitches = [note["pitch"] for note in melody_of(opened)["notes"] if 192 <= note["onset"] < 384]
    assert min(pitches) >= 76
    assert max(pitches) <= 81
    # What cannot be is told beside the parts, and what was said is there again when the page is opened anew.
    opened.fill("[data-letter=C][data-option=range]", "E5")
    opened.wait_for_selector("#hint.wrong")
    assert opened.inner_text("#hint").startswith("Section C:")
    rows, hint = (opened.locator(where).bounding_box() for where in ("#parts", "#hint"))
    assert 0 <= hint["y"] - (rows["y"] + rows["height"]) < 40
    opened.fill("[data-letter=C][data-option=range]", "E5:A5")
    opened.reload()
    opened.wait_for_selector("html[data-ready]")
    opened.wait_for_function("() => document.querySelectorAll('#parts legend')[1]?.textContent === 'Chorus (C)'")
    assert opened.input_value("[data-letter=C][data-option=chords]") == "F C"
    # Parts that the form no longer has, and a form that is no more, leave nothing behind.
    opened.fill("[name=form]", "V2 B2")
    opened.wait_for_function("() => document.querySelectorAll('#parts legend')[1]?.textContent === 'Bridge (B)'")
    assert opened.input_value("#section").startswith("V: ")
    assert "C:" not in opened.input_value("#section")
    opened.fill("[name=form]", "")
    opened.wait_for_selector("#parts", state="hidden")
    act(opened, "#generate")
    assert Recipe.find(parse_midi(saved(opened)).texts).config.section is None


@pytest.mark.parametrize("opened", [{"viewport": NARROW, "has_touch": True}], indirect=True)
def test_the_parts_fit_a_telephone(opened: Any) -> None:
    opened.fill("[name=form]", "V2 C2")
    opened.wait_for_selector("#parts fieldset")
    assert opened.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    for box in (one.bounding_box() for one in opened.locator("#parts input, #parts select").all()):
        assert box["width"] >= 70
        assert box["x"] + box["width"] <= NARROW["width"]


def test_another_key_than_that_of_the_melody_is_told(opened: Any) -> None:
    settle(opened)
    own = melody_of(opened)["key"]
    opened.select_option("[name=tonic]", "F#")
    opened.select_option("[name=mode]", "minor")
    opened.wait_for_selector("#hint")
    assert f"is in {own}" in opened.inner_text("#hint")
    assert "F# minor" in opened.inner_text("#hint")


def test_what_goes_wrong_is_told_in_the_pages_own_words(opened: Any) -> None:
    sentences = [
        "--grid 1/4 and --meter 7/8 contradict each other: a bar is not whole 1/4s.",
        "The primer has 16 bars, and --bars is 8; ask for more bars, shorten the primer with --primer-bars, or leave "
        "it out of the file with --no-include-primer.",
        "Only 1 different melody was found, and count is 8; lower --count, raise --temperature, or ask for more bars.",
        "--max-leap 1, --no-repeat-notes 1 and --chords contradict each other in 4 bars of 4/4 in C major; change one.",
        "options.bars is 1001; it should be less than or equal to 1000.",
        "--max-copy 3 cannot be kept: the model given does not say what it has learned from; leave --max-copy out, or "
        "train it again without --no-index.",
    ]
    said = opened.evaluate(
        "(all) => import(new URL('page/words.js', document.baseURI)).then(({ inOurWords }) => all.map(inOurWords))",
        sentences,
    )
    for text in said:
        assert not re.search(r"--|[Pp]rimer|options\.|_", text), text
        assert text.endswith(".")
        assert "  " not in text
    assert said[0].startswith("Shortest note 1/4 and Metre 7/8 contradict")
    assert said[4] == "Bars is 1001; choose 1000 or less."
    assert said[1] == "The tune has 16 bars, and Bars is 8; ask for more bars."
    opened.context.set_offline(True)
    opened.refused = "ERR_INTERNET_DISCONNECTED"
    opened.click("#generate")
    opened.wait_for_selector("#message:not([hidden])")
    assert "The studio does not answer" in opened.inner_text("#message")
    assert "fetch" not in opened.inner_text("#message")
    opened.context.set_offline(False)
