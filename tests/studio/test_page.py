"""The studio's page, as a person uses it: in a browser, against the command as it is started from a shell."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import mido
import pytest

from melodygru.formats.midi.writer import midi_bytes
from melodygru.music.melody import Melody, Note
from melodygru.music.theory import Key, TimeSignature
from tests.studio.browser import BROWSER, NARROW, WIDE, kept_melody, melody_of, places, saved, settle, swipe, until

pytestmark = BROWSER


def test_a_melody_is_there_at_once_and_says_how_original_it_is(opened: Any) -> None:
    settle(opened)
    assert melody_of(opened)["bars"] == 16
    assert re.match(r"Longest shared run \d+ notes \(typical for people: \d+\)", opened.inner_text("#originality"))
    assert opened.locator(".gate-line").count() == 1


def test_generate_keeps_to_what_the_form_says(opened: Any) -> None:
    opened.fill("[name=bars]", "8")
    opened.select_option("[name=tonic]", "A")
    opened.select_option("[name=mode]", "minor")
    opened.select_option("[name=meter]", "6/8")
    opened.fill("[name=bpm]", "90")
    opened.fill("[name=seed]", "7")
    opened.click("#generate")
    settle(opened)
    melody = melody_of(opened)
    assert (melody["bars"], melody["key"], melody["meter"], melody["bpm"]) == (8, "A minor", "6/8", 90)
    opened.click("#generate")
    settle(opened)
    assert melody_of(opened) == melody, "the same seed"


def test_notes_appear_while_the_model_writes(opened: Any) -> None:
    opened.evaluate(
        """() => {
          window.seen = window.steps = 0;
          new MutationObserver(() => {
            const ghosts = [...document.querySelectorAll('.ghost')];
            const many = ghosts.reduce((sum, one) => sum + one.getAttribute('d').split('M').length - 1, 0);
            window.seen = Math.max(window.seen, many);
            window.steps += many > 0;
          }).observe(document.querySelector('.ghosts'), { childList: true });
        }"""
    )
    opened.fill("[name=bars]", "64")  # that it takes a while, on a quick machine too
    opened.click("#generate")
    settle(opened)
    assert opened.evaluate("window.seen") > 20
    assert opened.evaluate("window.steps") > 2
    assert opened.locator(".ghost").count() == 0


def test_regenerated_bars_change_and_the_others_stay_and_undo_brings_them_back(opened: Any) -> None:
    before = melody_of(opened)
    opened.fill("#first-bar", "5")
    opened.fill("#last-bar", "8")
    opened.press("#last-bar", "Enter")
    opened.click("#infill")
    settle(opened)
    after = melody_of(opened)
    inside = range(4 * 96, 8 * 96)
    assert [note for note in places(after) if note[1] not in inside] == [
        note for note in places(before) if note[1] not in inside
    ]
    assert places(after) != places(before)
    opened.click("#undo")
    assert melody_of(opened) == before
    opened.click("#redo")
    assert melody_of(opened) == after


def test_notes_are_drawn_moved_stretched_and_removed_with_the_mouse(opened: Any) -> None:
    before = melody_of(opened)
    scale = opened.evaluate(
        "import(new URL('page/main.js', document.baseURI)).then(({ roll }) => {"
        " roll.zoomBy(3); roll.host.scrollLeft = 0; roll.host.scrollTop = 24 * 13; return roll.scale; })"
    )
    box = opened.locator(".grid").bounding_box()
    x = lambda step: box["x"] + step * scale  # noqa: E731
    y = lambda pitch: box["y"] + (108 - pitch + 0.5) * 13  # noqa: E731
    pitch = next(
        pitch for pitch in range(70, 84) if all(note["pitch"] - pitch not in (0, 2) for note in before["notes"])
    )
    # A click writes; the drag that follows stretches.
    opened.mouse.move(x(1), y(pitch))
    opened.mouse.down()
    opened.mouse.move(x(11), y(pitch), steps=4)
    opened.mouse.up()
    drawn = melody_of(opened)
    assert (pitch, 0, 12) in places(drawn)
    opened.mouse.move(x(4), y(pitch))
    opened.mouse.down()
    opened.mouse.move(x(10), y(pitch + 2), steps=4)
    opened.mouse.up()
    assert (pitch + 2, 6, 12) in places(melody_of(opened))
    opened.mouse.move(x(8), y(pitch + 2))
    opened.mouse.click(x(8), y(pitch + 2), button="right")
    opened.wait_for_timeout(550)
    opened.mouse.click(x(8), y(pitch + 2), button="right")
    assert not [note for note in places(melody_of(opened)) if 6 <= note[1] < 18 and note[0] == pitch + 2]
    for _ in range(3):
        opened.keyboard.press("Control+z")
    assert melody_of(opened) == before


def test_everything_can_be_done_with_the_keyboard(opened: Any) -> None:
    before = melody_of(opened)
    opened.keyboard.press("g")
    until(opened, f"return JSON.stringify(session.now.melody.notes) !== JSON.stringify({json.dumps(before['notes'])})")
    settle(opened)
    melody = melody_of(opened)
    opened.locator("#roll").focus()
    opened.keyboard.press(".")
    assert re.search(r"bar \d+, beat", opened.inner_text("#said"))
    opened.keyboard.press("ArrowUp")
    first = melody["notes"][0]
    assert melody_of(opened)["notes"][0] == {**first, "pitch": first["pitch"] + 1}
    opened.keyboard.press("Delete")
    assert len(melody_of(opened)["notes"]) == len(melody["notes"]) - 1
    opened.keyboard.press("Enter")
    assert len(melody_of(opened)["notes"]) == len(melody["notes"])
    for _ in range(3):
        opened.keyboard.press("Control+z")
    assert melody_of(opened) == melody
    opened.keyboard.press("Space")
    opened.wait_for_function("() => document.querySelector('#play').getAttribute('aria-pressed') === 'true'")
    opened.keyboard.press("Space")
    opened.keyboard.press("?")
    assert opened.locator("dialog[open]").count() == 1
    opened.keyboard.press("Escape")
    seen = set()
    opened.evaluate("document.activeElement.blur()")
    for _ in range(110):
        opened.keyboard.press("Tab")
        seen.add(opened.evaluate("document.activeElement.id || document.activeElement.name"))
    wanted = {
        "play",
        "loop",
        "countIn",
        "volume",
        "snap",
        "roll",
        "infill",
        "vary",
        "continue",
        "drag",
        "midi",
        "generate",
    }
    wanted |= {"generate", "eight", "bars", "bpm", "tonic", "mode", "meter"}
    wanted |= {"scale", "chords", "form", "seed", "hold", "model"}
    assert wanted <= seen


def test_it_is_heard(opened: Any) -> None:
    settle(opened)
    opened.click("#play")
    heard = opened.evaluate(
        """async () => {
          const { player } = await import(new URL('page/main.js', document.baseURI));
          const clock = player.clock, position = player.position;
          let loudest = 0;
          for (let i = 0; i < 30; i++) {
            await new Promise((resolve) => setTimeout(resolve, 40));
            loudest = Math.max(loudest, player.level());
          }
          return [player.clock - clock, player.position - position, loudest];
        }"""
    )
    assert heard[0] > 0.9
    assert heard[1] > 30
    assert heard[2] > 0.005
    assert opened.locator(".cursor.on").count() >= 1
    opened.click("#play")
    assert opened.get_attribute("#play", "aria-pressed") == "false"


def test_what_is_downloaded_is_what_is_on_the_roll(opened: Any, tmp_path: Path) -> None:
    settle(opened)
    melody = melody_of(opened)
    file = mido.MidiFile(file=BytesIO(saved(opened)))
    at, sounding, found = 0, {}, []
    for message in file.merged_track:
        at += message.time
        if message.type == "note_on" and message.velocity:
            sounding[message.note] = at
        elif message.type in ("note_on", "note_off"):
            begin = sounding.pop(message.note)
            found.append((message.note, begin * 24 // 480, (at - begin) * 24 // 480))
    assert sorted(found, key=lambda note: note[1]) == places(melody)
    assert saved(opened, "[data-format=wav]").startswith(b"RIFF")
    assert b"<score-partwise" in saved(opened, "[data-format=musicxml]")
    path = tmp_path / "mine.mid"
    path.write_bytes(saved(opened))
    again = subprocess.run(
        [sys.executable, "-m", "melodygru", "replay", str(path)], capture_output=True, text=True, check=False
    )
    assert again.returncode == 0, again.stderr


def test_the_clip_can_be_dragged_out(opened: Any) -> None:
    settle(opened)
    kinds = opened.evaluate(
        """() => {
          const data = new DataTransfer();
          document.querySelector('#drag').dispatchEvent(new DragEvent('dragstart', { dataTransfer: data }));
          return data.getData('DownloadURL');
        }"""
    )
    kind, name, url = kinds.split(":", 2)
    assert kind == "audio/midi"
    assert name.endswith(".mid")
    assert opened.request.get(url).body() == saved(opened)


def test_a_file_that_is_dropped_is_begun_from(opened: Any) -> None:
    notes = tuple(Note(60 + i % 5, 12 * i, 12) for i in range(48))
    tune = Melody(notes, TimeSignature(3, 4), Key.parse("F major"), 100.0, "Mine")
    opened.evaluate(
        """(bytes) => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(bytes)], 'mine.mid'));
          document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
        }""",
        list(midi_bytes(tune)),
    )
    opened.wait_for_function("() => document.querySelector('#title').textContent.includes('3/4')")
    settle(opened)
    melody = melody_of(opened)
    assert places(melody) == [(note.pitch, note.onset, note.duration) for note in notes]
    assert (melody["meter"], melody["key"], melody["bpm"]) == ("3/4", "F major", 100)
    opened.fill("#more-bars", "4")
    opened.click("#continue")
    settle(opened)
    longer = melody_of(opened)
    assert longer["bars"] == melody["bars"] + 4
    assert places(longer)[: len(notes) - 1] == places(melody)[:-1]


def test_a_bad_file_is_told_in_a_sentence_and_costs_nothing(opened: Any) -> None:
    before = melody_of(opened)
    opened.refused = "status of 422"
    opened.set_input_files("#open", {"name": "bad.mid", "mimeType": "audio/midi", "buffer": b"MThd no"})
    opened.wait_for_selector("#message:not([hidden])")
    assert re.search(r"[a-z].*[.;]", opened.inner_text("#message p"))
    assert melody_of(opened) == before


def test_a_style_says_what_belongs_to_it_and_is_gone_on_in(opened: Any) -> None:
    assert "Song" in opened.inner_text("#kind")
    opened.select_option("[name=style]", "waltz")
    assert opened.get_attribute("[name=bpm]", "placeholder") == "150"
    assert opened.locator("[name=meter] option").first.inner_text() == "auto (3/4)"
    opened.fill("[name=bars]", "8")
    opened.click("#generate")
    settle(opened)
    waltz = melody_of(opened)
    assert (waltz["meter"], waltz["bpm"], waltz["bars"]) == ("3/4", 150, 8)
    # Back to no choice: what is on the roll knows its style itself.
    opened.select_option("[name=style]", "")
    opened.fill("#first-bar", "3")
    opened.press("#first-bar", "Enter")
    with opened.expect_request("**/api/infill") as asked:
        opened.click("#infill")
    assert asked.value.post_data_json["options"]["style"] == "waltz"
    settle(opened)
    with opened.expect_request("**/api/vary") as asked:
        opened.click("#vary")
    assert asked.value.post_data_json["options"]["style"] == "waltz"
    settle(opened)
    opened.keyboard.press("Control+z")
    opened.keyboard.press("Control+z")
    assert melody_of(opened) == waltz
    assert b'"style":"waltz"' in saved(opened)


def test_a_feel_says_what_it_sets_and_what_is_typed_goes_before(opened: Any) -> None:
    # With the keyboard, as any choice.
    opened.locator("[name=feel]").focus()
    opened.keyboard.type("lullaby")
    said = opened.inner_text("#kind")
    assert "style song" in said
    assert "meter 6/8" in said
    assert opened.locator("[name=style] option").first.inner_text() == "auto (song)"
    assert opened.get_attribute("[name=lowest]", "placeholder") == "C4"
    assert opened.input_value("[name=program]") == "10"
    opened.fill("[name=bpm]", "80")
    opened.fill("[name=bars]", "4")
    opened.click("#generate")
    settle(opened)
    melody = melody_of(opened)
    assert (melody["meter"], melody["bpm"], melody["bars"]) == ("6/8", 80, 4)
    assert all(60 <= note["pitch"] <= 74 for note in melody["notes"])


def test_what_a_model_does_not_know_is_out_of_reach(opened: Any) -> None:
    names = ["style", "syncopation", "leaps"]
    opened.select_option("[name=style]", "march")
    opened.select_option("[name=model]", "folk")
    assert [opened.is_disabled(f"[name={name}]") for name in names] == [True, True, True]
    assert not opened.is_disabled("[name=rests]")
    assert "folk" in opened.inner_text("#kind")
    opened.click("#generate")
    settle(opened)
    assert melody_of(opened)["bpm"] == 120
    opened.click("#vary")
    settle(opened)
    opened.select_option("[name=model]", "repertoire")
    assert [opened.is_disabled(f"[name={name}]") for name in names] == [False, False, False]
    assert opened.input_value("[name=style]") == "march"


def test_eight_takes_are_heard_and_the_best_is_kept(opened: Any) -> None:
    opened.fill("[name=bars]", "4")
    opened.click("#eight")
    opened.wait_for_function("() => document.querySelectorAll('#takes .keep:not([disabled])').length === 8")
    before = melody_of(opened)
    opened.keyboard.press("3")
    opened.wait_for_selector("#takes li:nth-child(3).heard .cursor.on", state="attached")
    assert kept_melody(opened) == before, "to hear is not to keep"
    assert melody_of(opened)["bars"] == 4, "what is heard is seen"
    opened.keyboard.press("Escape")
    assert melody_of(opened) == before
    opened.keyboard.press("3")
    opened.keyboard.press("k")
    settle(opened)
    assert melody_of(opened)["bars"] == 4
    assert "take 3" in opened.inner_text("#title")
    opened.locator("#history .card").nth(1).click()
    assert melody_of(opened) == before


def test_a_note_tells_what_else_the_model_considered(opened: Any) -> None:
    settle(opened)
    opened.locator("#roll").focus()
    opened.keyboard.press(".")
    tip = opened.inner_text("#tip")
    assert "Surprise" in tip
    assert tip.count("%") >= 5


def test_history_comes_back_when_the_page_is_opened_again(opened: Any) -> None:
    settle(opened)
    opened.fill("[name=bars]", "4")
    opened.click("#generate")
    settle(opened)
    melody = melody_of(opened)
    opened.reload()
    opened.wait_for_selector("html[data-ready]")
    assert melody_of(opened) == melody
    assert opened.locator("#history .card").count() == 2
    assert opened.input_value("[name=bars]") == "4"
    opened.click("#clear-history")
    opened.click("#clear-history")
    assert opened.locator("#history .card").count() == 0


@pytest.mark.parametrize("opened", [{"viewport": NARROW, "has_touch": True, "is_mobile": True}], indirect=True)
def test_a_finger_taps_notes_and_scrolls(opened: Any) -> None:
    settle(opened)
    before = melody_of(opened)
    box = opened.locator("#roll").bounding_box()
    y = box["y"] + 60
    opened.touchscreen.tap(box["x"] + 100, y)
    opened.wait_for_selector(".note.chosen", state="attached")
    assert melody_of(opened) != before
    opened.tap("#delete")
    touch = opened.context.new_cdp_session(opened)
    opened.evaluate(
        "import(new URL('page/main.js', document.baseURI)).then(({ roll, session }) => {"
        " const notes = [0, 1, 2, 3].map((beat) => ({ pitch: 60 + beat, onset: 24 * beat, duration: 24 }));"
        " session.show({ ...session.now, melody: { ...session.now.melody, notes } });"
        " roll.host.scrollTop = roll.y(61) - 100; })"
    )
    opened.wait_for_timeout(100)
    note = opened.locator(".note").nth(1).bounding_box()
    x, y = note["x"] + 3, note["y"] + note["height"] / 2
    swipe(opened, touch, [{"x": x, "y": y + 2.6 * step} for step in range(11)])
    assert melody_of(opened)["notes"][1]["pitch"] == 59
    melody = melody_of(opened)
    swipe(opened, touch, [{"x": box["x"] + 300 - 20 * step, "y": box["y"] + 60} for step in range(11)])
    opened.wait_for_function("() => document.querySelector('#roll').scrollLeft > 50")
    assert melody_of(opened) == melody, "a finger that scrolls writes nothing"


def test_what_was_drawn_is_there_again_and_rubbish_in_the_store_does_no_harm(opened: Any) -> None:
    opened.locator("#roll").focus()
    opened.keyboard.press(".")
    opened.keyboard.press("ArrowUp")
    drawn = melody_of(opened)
    opened.reload()
    opened.wait_for_selector("html[data-ready]")
    assert melody_of(opened) == drawn
    rubbish = '[{"melody": {"notes": []}}, {"melody": {"notes": [{}], "meter": 4}}, 7, null]'
    opened.evaluate("(text) => { onpagehide = () => localStorage.setItem('melodygru history', text); }", rubbish)
    opened.reload()
    opened.wait_for_selector("html[data-ready]")
    assert melody_of(opened) == drawn


def test_an_order_that_is_refused_costs_nothing(opened: Any) -> None:
    opened.refused = "status of 422"
    opened.fill("[name=bars]", "200")
    opened.click("#generate")
    opened.wait_for_selector(".ghost", state="attached")
    opened.fill("[name=bars]", "0")
    opened.click("#generate")
    opened.wait_for_selector("#message:not([hidden])")
    settle(opened)
    assert melody_of(opened)["bars"] == 200
    opened.fill("[name=bars]", "200")
    before = melody_of(opened)
    opened.click("#generate")
    opened.wait_for_selector(".ghost", state="attached")
    opened.keyboard.press("Control+z")
    settle(opened)
    assert opened.locator(".ghost").count() == 0
    assert melody_of(opened) == before, "what was being written is undone, and no more"


LOOKS = [{"viewport": size, "color_scheme": scheme} for size in (WIDE, NARROW) for scheme in ("light", "dark")]


@pytest.mark.parametrize("opened", LOOKS, indirect=True, ids=["light", "dark", "400 px light", "400 px dark"])
def test_nothing_shifts_overflows_or_is_nameless(opened: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    settle(opened)
    opened.evaluate(
        "() => { window.shift = 0; new PerformanceObserver((list) => { for (const one of list.getEntries())"
        " window.shift += one.hadRecentInput ? 0 : one.value; }).observe({ type: 'layout-shift', buffered: true }); }"
    )
    opened.click("#eight")
    opened.wait_for_function("() => document.querySelectorAll('#takes .keep:not([disabled])').length === 8")
    opened.keyboard.press("1")
    assert opened.evaluate("window.shift") < 0.05
    assert opened.evaluate("document.documentElement.scrollWidth") <= opened.viewport_size["width"]
    found = Axe().run(opened).response["violations"]
    assert [(one["id"], [node["target"] for node in one["nodes"]]) for one in found] == []
