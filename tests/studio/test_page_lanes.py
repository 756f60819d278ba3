"""What sounds around the melody on the page: chords found for it; lanes of a groove, edited, mixed, exported."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import mido

from tests.studio.browser import BROWSER, in_page, melody_of, places, saved, settle, until

pytestmark = BROWSER


def lanes_of(page: Any) -> dict[str, list[list[int]]]:
    """Notes of the lanes that sound, by part."""
    return {lane["part"]: lane["notes"] for lane in in_page(page, "return lanes.of(session.now)")}


def tracks_of(data: bytes) -> dict[str, list[mido.Message]]:
    file = mido.MidiFile(file=BytesIO(data))
    return {
        track.name.split(" ")[0]: [message for message in track if message.type == "note_on" and message.velocity]
        for track in file.tracks
    }


def with_groove(page: Any, name: str = "pop") -> None:
    settle(page)
    page.select_option("#groove", name)
    until(page, "return lanes.of(session.now).some((lane) => lane.part === 'bass' && lane.notes.length)")
    settle(page)


def test_chords_are_found_and_another_way_and_undone(opened: Any) -> None:
    settle(opened)
    melody = melody_of(opened)
    opened.click("#harmonize")
    opened.wait_for_selector(".ruler .chord")
    settle(opened)
    first = opened.input_value("[name=chords]")
    assert first.startswith("| ")
    opened.click("#harmonize")
    settle(opened)
    opened.wait_for_function("(first) => document.querySelector('[name=chords]').value !== first", arg=first)
    assert melody_of(opened) == melody
    opened.keyboard.press("Control+z")
    assert opened.input_value("[name=chords]") == first
    opened.keyboard.press("Control+z")
    assert opened.input_value("[name=chords]") == ""


def test_a_groove_plays_around_any_melody_and_follows_its_changes(opened: Any) -> None:
    with_groove(opened)
    before = lanes_of(opened)
    assert {part: bool(notes) for part, notes in before.items()} == {"chords": True, "bass": True, "drums": True}
    assert opened.input_value("[name=chords]"), "without chords there were some found"
    opened.fill("[name=chords]", "Dm G C F")
    opened.press("[name=chords]", "Enter")
    # The roots of every fourth bar are those of its first chord.
    until(
        opened,
        "return lanes.of(session.now).find((lane) => lane.part === 'bass').notes"
        ".every(([onset, , pitch]) => onset % 384 || pitch % 12 === 2)",
    )
    assert lanes_of(opened)["bass"] != before["bass"]


def test_lanes_leave_as_tracks_but_for_those_that_are_mute(opened: Any) -> None:
    with_groove(opened)
    file = tracks_of(saved(opened))
    assert set(file) >= {"Melody", "Chords", "Bass", "Drums"}
    assert {message.channel for message in file["Drums"]} == {9}
    assert len(file["Melody"]) == len(melody_of(opened)["notes"])
    opened.click("#drumsOn")
    opened.locator("#bass-volume").fill("0.3")
    opened.locator("#bass-volume").dispatch_event("change")
    opened.wait_for_timeout(500)
    quieter = tracks_of(saved(opened))
    assert "Drums" not in quieter
    assert quieter["Bass"][0].velocity < file["Bass"][0].velocity - 20
    assert saved(opened, "[data-format=wav]").startswith(b"RIFF")


def test_a_lane_is_drawn_in_and_undone(opened: Any) -> None:
    with_groove(opened)
    melody = places(melody_of(opened))
    before = lanes_of(opened)["bass"]
    opened.select_option("#lane", "bass")
    opened.wait_for_selector(".lane-note", state="attached")
    assert opened.locator(".lane-note").count() == len(before)
    box = opened.locator("#roll").bounding_box()
    opened.mouse.click(box["x"] + 400, box["y"] + 120)
    assert len(lanes_of(opened)["bass"]) == len(before) + 1
    assert places(melody_of(opened)) == melody, "the melody is not touched"
    opened.mouse.click(box["x"] + 400, box["y"] + 120)
    assert len(lanes_of(opened)["bass"]) == len(before)
    opened.keyboard.press("Control+z")
    assert len(lanes_of(opened)["bass"]) == len(before) + 1
    opened.keyboard.press("Control+z")
    assert lanes_of(opened)["bass"] == before
    opened.select_option("#lane", "drums")
    labels = opened.evaluate("[...document.querySelectorAll('.keys text')].map((one) => one.textContent)")
    assert {"kick", "snare", "hat"} <= set(labels)
    opened.select_option("#lane", "")
    assert opened.locator(".lane-note").count() == 0


def test_notes_of_a_lane_are_moved_and_stretched(opened: Any) -> None:
    with_groove(opened)
    opened.select_option("#snap", "12")
    opened.select_option("#lane", "bass")
    opened.wait_for_selector(".lane-note", state="attached")
    in_page(opened, "roll.zoomBy(2)")
    before = lanes_of(opened)["bass"]
    # The first that is wide enough to be taken by its middle and by its end.
    number = next(number for number, (_, duration, _, _) in enumerate(before) if duration >= 10)
    onset, duration, pitch, louder = before[number]
    box = opened.locator(".lane-note").nth(number).bounding_box()
    step = in_page(opened, "return roll.scale")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def drag(from_x: float, steps: int, rows: int = 0) -> None:
        opened.mouse.move(from_x, y)
        opened.mouse.down()
        opened.mouse.move(from_x + steps * step / 2, y - rows * 6)
        opened.mouse.move(from_x + steps * step, y - rows * 13)
        opened.mouse.up()

    drag(x, 12, 2)
    moved = sorted([*before[:number], [onset + 12, duration, pitch + 2, louder], *before[number + 1 :]])
    assert sorted(lanes_of(opened)["bass"]) == moved
    opened.keyboard.press("Control+z")
    assert lanes_of(opened)["bass"] == before
    drag(box["x"] + box["width"] - 2, 24)
    [(_, longer, _, _)] = [one for one in lanes_of(opened)["bass"] if one not in before]
    assert longer in range(duration + 13, duration + 36)
    assert (onset + longer) % 12 == 0
    opened.keyboard.press("Control+z")
    # A new one is as long as it is dragged, and one step to undo; Escape leaves all as it was.
    last = max(end for end in (one[0] + one[1] for one in before))
    assert last
    opened.mouse.move(x, y - 5 * 13)
    opened.mouse.down()
    opened.mouse.move(x + 48 * step, y - 5 * 13, steps=3)
    opened.mouse.up()
    [new] = [one for one in lanes_of(opened)["bass"] if one not in before]
    assert new[2] == pitch + 5
    assert new[1] >= 36
    opened.keyboard.press("Control+z")
    assert lanes_of(opened)["bass"] == before
    opened.mouse.move(x, y)
    opened.mouse.down()
    opened.mouse.move(x + 48 * step, y)
    opened.keyboard.press("Escape")
    opened.mouse.up()
    assert lanes_of(opened)["bass"] == before


def test_a_groove_that_was_chosen_is_undone(opened: Any) -> None:
    opened.fill("[name=chords]", "Am F C G")
    opened.press("[name=chords]", "Enter")
    opened.wait_for_selector(".ruler .chord")
    with_groove(opened)
    opened.select_option("#groove", "ballad")
    until(opened, "return lanes.played === 'ballad'")
    opened.click("#undo")
    assert opened.input_value("#groove") == "pop"
    opened.click("#undo")
    assert opened.input_value("#groove") == ""
    assert opened.is_disabled("#bassOn")
    opened.click("#redo")
    assert opened.input_value("#groove") == "pop"
    until(opened, "return lanes.of(session.now).length === 3")
    # Another melody is played around too.
    opened.click("#generate")
    settle(opened)
    assert opened.input_value("#groove") == "pop"


def test_a_page_of_notes_has_the_bass_on_its_staff_and_says_what_it_leaves_out(opened: Any) -> None:
    with_groove(opened)
    data = saved(opened, "[data-format=musicxml]")
    assert data.count(b"<score-part ") == 2
    assert data.count(b"<part-name>Bass</part-name>") == 1
    assert b"<harmony" in data
    opened.wait_for_selector("#message:not([hidden])")
    assert "goes with MIDI and WAV" in opened.inner_text("#message")
    opened.click("#bassOn")
    assert saved(opened, "[data-format=musicxml]").count(b"<score-part ") == 1


def test_lanes_are_heard_and_mute(opened: Any) -> None:
    with_groove(opened)
    opened.click("#melodyOn")
    opened.keyboard.press("Space")
    listen = (
        "let most = 0; return new Promise((done) => { const begin = performance.now(); const look = () => {"
        " most = Math.max(most, player.level());"
        " performance.now() - begin > 1200 ? done(most) : setTimeout(look, 30); }; look(); })"
    )
    assert in_page(opened, listen) > 0.005
    for part in ("chords", "bass", "drums"):
        opened.click(f"#{part}On")
    opened.wait_for_timeout(1500)
    assert in_page(opened, listen) < 0.002
    opened.keyboard.press("Space")
