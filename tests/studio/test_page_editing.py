"""What can be done by hand on the page: go to a place, copy, draw loudness and lines, mix, compare, turn options."""

from __future__ import annotations

import statistics
from io import BytesIO
from typing import Any

import mido
import pytest

from melodygru.formats.midi.writer import midi_bytes
from melodygru.music.melody import Melody, Note
from tests.studio.browser import BROWSER, in_page, melody_of, places, saved, select_bars, settle, until

pytestmark = BROWSER

BAR = 96


def x_of(page: Any, step: float) -> float:
    return page.locator(".grid").bounding_box()["x"] + step * in_page(page, "return roll.scale")


def click_ruler(page: Any, step: float) -> None:
    box = page.locator(".ruler").bounding_box()
    page.mouse.click(x_of(page, step) + 1, box["y"] + 8)


def pressed(page: Any, what: str) -> bool:
    return page.get_attribute(what, "aria-pressed") == "true"


def test_a_click_on_the_bar_numbers_plays_from_there(opened: Any) -> None:
    settle(opened)
    click_ruler(opened, 2 * BAR + 24)
    assert in_page(opened, "return roll.bars") is None
    assert opened.locator(".grid .cursor.on").count() == 1
    opened.keyboard.press("Space")
    opened.wait_for_timeout(300)
    assert 2 * BAR + 24 <= in_page(opened, "return player.position") < 3 * BAR
    click_ruler(opened, BAR)
    opened.wait_for_timeout(150)
    assert BAR <= in_page(opened, "return player.position") < 2 * BAR
    opened.keyboard.press("Space")


def test_bars_are_dragged_over_and_what_is_elsewhere_lets_them_go(opened: Any) -> None:
    settle(opened)
    box = opened.locator(".ruler").bounding_box()
    opened.mouse.move(x_of(opened, BAR) + 4, box["y"] + 8)
    opened.mouse.down()
    opened.mouse.move(x_of(opened, 3 * BAR) + 4, box["y"] + 8, steps=5)
    opened.mouse.up()
    assert in_page(opened, "return roll.bars") == [2, 4]
    click_ruler(opened, 5 * BAR)
    assert in_page(opened, "return roll.bars") is None


def test_notes_and_bars_are_copied_pasted_and_duplicated(opened: Any) -> None:
    settle(opened)
    before = melody_of(opened)
    first_two = [note for note in places(before) if note[1] < 2 * BAR]
    select_bars(opened, 1, 2)
    opened.locator("#roll").focus()
    opened.keyboard.press("Control+c")
    click_ruler(opened, 4 * BAR)
    opened.locator("#roll").focus()
    opened.keyboard.press("Control+v")
    there = [(pitch, onset - 4 * BAR, length) for pitch, onset, length in places(melody_of(opened))
             if 4 * BAR <= onset < 6 * BAR]  # fmt: skip
    assert there == first_two
    opened.keyboard.press("Control+z")
    assert melody_of(opened) == before
    # The last bars once more: the melody grows.
    select_bars(opened, 15, 16)
    opened.click("#duplicate")
    longer = melody_of(opened)
    assert longer["bars"] == 18
    last = [note for note in places(before) if note[1] >= 14 * BAR]
    assert [(pitch, onset - 2 * BAR, length) for pitch, onset, length in places(longer) if onset >= 16 * BAR] == last
    assert in_page(opened, "return roll.bars") == [17, 18]
    opened.keyboard.press("Control+z")
    # One note.
    opened.locator("#roll").focus()
    opened.keyboard.press(".")
    opened.keyboard.press("Control+x")
    assert len(melody_of(opened)["notes"]) == len(before["notes"]) - 1
    opened.keyboard.press("Control+v")
    assert melody_of(opened) == before


def test_new_is_an_empty_roll_and_can_be_undone(opened: Any) -> None:
    settle(opened)
    before = melody_of(opened)
    opened.fill("[name=bars]", "4")
    opened.click("#new")
    empty = melody_of(opened)
    assert (empty["notes"], empty["bars"], empty["key"]) == ([], 4, before["key"])
    opened.keyboard.press("Enter")
    assert len(melody_of(opened)["notes"]) == 1
    opened.keyboard.press("Control+z")
    opened.keyboard.press("Control+z")
    assert melody_of(opened) == before


def velocities(data: bytes) -> list[int]:
    track = mido.MidiFile(file=BytesIO(data)).merged_track
    return [message.velocity for message in track if message.type == "note_on" and message.velocity]


def test_loudness_is_drawn_heard_and_saved(opened: Any) -> None:
    settle(opened)
    count = len(melody_of(opened)["notes"])
    opened.click("#loudness")
    assert opened.locator(".strip circle.stem").count() == count
    strip = opened.locator(".strip").bounding_box()
    first, second = melody_of(opened)["notes"][:2]
    opened.mouse.move(x_of(opened, first["onset"]) + 3, strip["y"] + 50)
    opened.mouse.down()
    opened.mouse.move(x_of(opened, second["onset"]) + 3, strip["y"] + 6, steps=8)
    opened.mouse.up()
    notes = melody_of(opened)["notes"]
    assert notes[0]["velocity"] < 40
    assert notes[1]["velocity"] > 110
    assert "velocity" not in notes[2]
    settle(opened)
    assert velocities(saved(opened))[:2] == [notes[0]["velocity"], notes[1]["velocity"]]
    # They stay where bars are written anew elsewhere, and by keys they go up and down.
    select_bars(opened, 9, 10)
    opened.click("#infill")
    settle(opened)
    assert [note.get("velocity") for note in melody_of(opened)["notes"][:2]] == [
        notes[0]["velocity"], notes[1]["velocity"],
    ]  # fmt: skip
    opened.locator("#roll").focus()
    opened.keyboard.press("Home")
    in_page(opened, "roll.choose([roll.melody.notes[0]])")
    opened.keyboard.press("Alt+ArrowUp")
    opened.keyboard.press("Alt+ArrowUp")
    assert melody_of(opened)["notes"][0]["velocity"] == notes[0]["velocity"] + 8
    opened.keyboard.press("Control+z")
    assert melody_of(opened)["notes"][0]["velocity"] == notes[0]["velocity"]


def test_volume_mutes_and_count_in(opened: Any) -> None:
    opened.fill("[name=chords]", "Am F C G")
    opened.press("[name=chords]", "Enter")
    opened.wait_for_selector(".ruler .chord")
    for button, what in (("#melodyOn", "melodyOn"), ("#chordsOn", "on.chords")):
        opened.click(button)
        assert not pressed(opened, button)
        assert in_page(opened, f"return player.{what}") is False
    opened.keyboard.press("Space")
    loudest = in_page(
        opened,
        "let most = 0; return new Promise((done) => { const begin = performance.now(); const look = () => {"
        " most = Math.max(most, player.level());"
        " performance.now() - begin > 900 ? done(most) : setTimeout(look, 30); }; look(); })",
    )
    assert loudest < 0.001, "both are mute"
    opened.keyboard.press("Space")
    opened.click("#melodyOn")
    opened.locator("#volume").fill("0.3")
    assert in_page(opened, "return player.volume") == pytest.approx(0.3)
    opened.click("#countIn")
    opened.keyboard.press("Space")
    opened.wait_for_timeout(700)
    assert in_page(opened, "return player.position") == 0, "a bar of clicks comes first"
    until(opened, "return player.position > 4")
    opened.keyboard.press("Space")


def test_swing_and_inexactness_are_heard_and_saved(opened: Any) -> None:
    settle(opened)
    straight = saved(opened)
    opened.locator("[name=swing]").fill("0.66")
    opened.locator("[name=swing]").dispatch_event("change")
    opened.wait_for_timeout(400)
    swung = saved(opened)
    ticks = {message.time for message in mido.MidiFile(file=BytesIO(swung)).merged_track if message.type == "note_on"}
    assert ticks != {m.time for m in mido.MidiFile(file=BytesIO(straight)).merged_track if m.type == "note_on"}
    opened.locator("[name=humanize]").fill("0.8")
    opened.locator("[name=humanize]").dispatch_event("change")
    opened.wait_for_timeout(400)
    assert velocities(saved(opened)) != velocities(swung)
    played = opened.evaluate(
        """() => import(new URL('page/performing.js', document.baseURI)).then(({ performed }) =>
          performed({ meter: '4/4', bpm: 120, notes: [0, 12, 24, 36].map((onset) =>
            ({ pitch: 60, onset, duration: 12 })) }, 2 / 3, 0, 0).map((note) => [note.onset, note.velocity]))"""
    )
    assert [round(onset, 6) for onset, _ in played] == [0, 16, 24, 40]
    assert [velocity for _, velocity in played] == [96, 84, 88, 84]


def test_expression_is_heard_as_it_is_saved(opened: Any) -> None:
    settle(opened)
    plain = velocities(saved(opened))
    opened.locator("[name=expression]").fill("0.8")
    opened.locator("[name=expression]").dispatch_event("change")
    until(opened, "return document.querySelector('#expression').value === '0.8'")
    opened.wait_for_timeout(500)
    shaped = velocities(saved(opened))
    assert shaped != plain
    played = opened.evaluate(
        """async () => {
          const { performed } = await import(new URL('page/performing.js', document.baseURI));
          const { session } = await import(new URL('page/main.js', document.baseURI));
          return performed(session.now.melody, 0.5, 0, 0.8).map((note) => note.velocity);
        }"""
    )
    assert max(abs(one - other) for one, other in zip(played, shaped, strict=True)) <= 1


def test_a_line_is_drawn_over_the_roll_and_followed(opened: Any) -> None:
    settle(opened)
    opened.fill("[name=bars]", "8")
    opened.click("#generate")
    settle(opened)
    opened.click("#lining")
    box = opened.locator("#roll").bounding_box()
    opened.mouse.move(box["x"] + 60, box["y"] + box["height"] - 130)
    opened.mouse.down()
    opened.mouse.move(box["x"] + box["width"] - 30, box["y"] + 90, steps=14)
    opened.mouse.up()
    assert not pressed(opened, "#lining")
    assert opened.locator("polyline.drawn").count() == 1
    heights = [int(text) for text in opened.input_value("[name=contour]").split()]
    assert len(heights) == 12
    assert heights == sorted(heights)
    assert heights[-1] - heights[0] >= 7
    opened.click("#generate")
    settle(opened)
    notes = melody_of(opened)["notes"]
    half = 4 * BAR
    low = statistics.mean(note["pitch"] for note in notes if note["onset"] < half)
    high = statistics.mean(note["pitch"] for note in notes if note["onset"] >= half)
    assert high > low + 2


def test_notes_are_locked_by_clicking_and_stay(opened: Any) -> None:
    settle(opened)
    before = melody_of(opened)["notes"]
    opened.click("#locking")
    for number, clicks in ((0, 1), (2, 1), (4, 2)):
        box = opened.locator(".note").nth(number).bounding_box()
        for _ in range(clicks):
            opened.mouse.click(box["x"] + 2, box["y"] + 5)
    assert opened.locator(".note.lock").count() == 2
    assert opened.locator(".note.lock_rhythm").count() == 1
    opened.click("#locking")
    opened.click("#infill")
    settle(opened)
    after = places(melody_of(opened))
    for number in (0, 2):
        assert tuple(before[number][name] for name in ("pitch", "onset", "duration")) in after
    assert before[4]["onset"] in [onset for _, onset, _ in after]
    assert after != places({"notes": before})
    opened.fill("#amount", "100")
    opened.click("#vary")
    settle(opened)
    varied = melody_of(opened)["notes"]
    for number in (0, 2):
        assert tuple(before[number][name] for name in ("pitch", "onset", "duration")) in places({"notes": varied})
    kept = [(note["onset"], note["duration"]) for note in varied]
    assert (before[4]["onset"], before[4]["duration"]) in kept
    assert places({"notes": varied}) != after


def test_results_come_while_an_option_is_turned(opened: Any, capsys: pytest.CaptureFixture[str]) -> None:
    opened.fill("[name=bars]", "8")
    opened.click("#generate")
    settle(opened)
    opened.click("#auto")
    steps = in_page(opened, "return session.steps.before.length")
    took = opened.evaluate(
        """async () => {
          const { session } = await import(new URL('page/main.js', document.baseURI));
          const field = document.querySelector('[name=temperature]');
          const took = [];
          for (let i = 0; i < 20; i++) {
            const before = session.now, began = performance.now();
            field.value = String(0.5 + 0.05 * i);
            field.dispatchEvent(new Event('input', { bubbles: true }));
            while (session.now === before) await new Promise((done) => setTimeout(done, 1));
            took.push(performance.now() - began);
          }
          return took.sort((one, two) => one - two);
        }"""
    )
    with capsys.disabled():
        print(f"\noption turned to melody on the roll, 8 bars: p50 {took[10]:.0f} ms, p95 {took[18]:.0f} ms")
    assert melody_of(opened)["bars"] == 8
    assert in_page(opened, "return session.steps.before.length") == steps + 1, "one step for all"
    opened.wait_for_timeout(1700)
    assert "generated" in opened.locator("#history .card").first.inner_text()


def test_what_takes_long_says_how_long_and_can_be_stopped(opened: Any) -> None:
    settle(opened)
    before = melody_of(opened)
    opened.fill("[name=bars]", "1000")
    opened.click("#generate")
    opened.wait_for_selector("#working .task")
    opened.wait_for_function("() => /left|nearly/.test(document.querySelector('#working .left')?.textContent ?? '')")
    opened.click("#working button")
    opened.wait_for_function("() => !document.querySelector('[aria-busy]')")
    assert opened.locator("#working .task").count() == 0
    assert melody_of(opened) == before
    assert not opened.is_visible("#message")
    # Others too: here with a server that takes its time.
    opened.fill("[name=bars]", "")
    for button, where in (("#infill", "infill"), ("#vary", "vary"), ("[data-format=wav]", "files")):
        opened.route(f"**/api/{where}", lambda route: None)
        select_bars(opened, 1, 2)
        opened.click(button)
        opened.wait_for_selector("#working .task")
        assert "s so far" in opened.inner_text("#working .left")
        opened.click("#working button")
        opened.wait_for_function("() => !document.querySelector('[aria-busy]')")
        assert melody_of(opened) == before
        opened.unroute(f"**/api/{where}")


def test_changes_tell_how_far_they_are(opened: Any) -> None:
    settle(opened)
    melody = melody_of(opened)
    asked = {"melody": melody, "bars": "2-15", "seed": 1, "options": {"best_of": 200}}
    opened.evaluate(
        """async (asked) => {
          const api = await import(new URL('page/api.js', document.baseURI));
          window.told = [];
          const task = { signal: new AbortController().signal, at: (done) => window.told.push(done) };
          window.made = await api.change('infill', asked, task);
        }""",
        asked,
    )
    told = opened.evaluate("window.told")
    assert len(told) >= 2
    assert told == sorted(told)
    assert 0 <= told[0] <= told[-1] <= 1
    assert opened.evaluate("window.made.melody.bars") == 16


def drop(page: Any, data: bytes, name: str) -> None:
    page.evaluate(
        """([bytes, name]) => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(bytes)], name));
          document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
        }""",
        [list(data), name],
    )


def test_a_dropped_file_keeps_its_loudness_and_says_what_is_left_out(opened: Any) -> None:
    settle(opened)
    file = mido.MidiFile(file=BytesIO(midi_bytes(Melody(tuple(Note(72 + i % 5, 24 * i, 24) for i in range(32))))))
    (track,) = file.tracks
    track.name = "Tune"
    for number, message in enumerate(one for one in track if one.type == "note_on" and one.velocity):
        message.velocity = 40 + number
    track.insert(8, mido.MetaMessage("set_tempo", tempo=400_000, time=0))
    bass = mido.MidiTrack([mido.MetaMessage("track_name", name="Low part")])
    for number in range(16):
        bass.append(mido.Message("note_on", note=40 + number % 3, velocity=70, time=0))
        bass.append(mido.Message("note_off", note=40 + number % 3, velocity=0, time=960))
    file.tracks.append(bass)
    file.type = 1
    out = BytesIO()
    file.save(file=out)
    drop(opened, out.getvalue(), "two.mid")
    opened.wait_for_selector("#message:not([hidden])")
    said = opened.inner_text("#message p")
    assert "tempo" not in said  # it is kept, see test_page_files
    assert len(melody_of(opened)["tempi"]) == 2
    assert "other voices" in said
    assert [note["velocity"] for note in melody_of(opened)["notes"]] == [40 + number for number in range(32)]
    opened.get_by_role("button", name="Take Low part").click()
    opened.wait_for_function("() => document.querySelector('#title').textContent.includes('16 notes')")
    assert {note["pitch"] for note in melody_of(opened)["notes"]} == {40, 41, 42}
