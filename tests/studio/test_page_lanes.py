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
