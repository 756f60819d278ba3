"""What is told of a file that is opened, and how else it can be had: another track, another metre."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import mido
import pytest

from melodygru.formats.midi.parser import parse_midi
from tests.command_line import run
from tests.studio.browser import BROWSER, in_page, melody_of, places, saved, select_bars, settle, until

pytestmark = BROWSER


def opened_with(page: Any, name: str, file: mido.MidiFile) -> None:
    data = BytesIO()
    file.save(file=data)
    page.set_input_files("#open", {"name": name, "mimeType": "audio/midi", "buffer": data.getvalue()})
    page.wait_for_selector("#message:not([hidden])")
    settle(page)


def voice(name: str, notes: list[tuple[int, int, int]]) -> mido.MidiTrack:
    """A track of notes one after the other: (pitch, ticks, velocity), 480 ticks a quarter."""
    track = mido.MidiTrack([mido.MetaMessage("track_name", name=name)])
    for pitch, ticks, velocity in notes:
        track.append(mido.Message("note_on", note=pitch, velocity=velocity))
        track.append(mido.Message("note_off", note=pitch, time=ticks))
    return track


def offers(page: Any) -> list[str]:
    return page.locator("#message .offers button").all_inner_texts()


def test_a_played_file_without_a_metre_is_offered_in_the_other_likely_one(opened: Any) -> None:
    settle(opened)
    chance, pitch, notes = Random(7), 67, []
    for _ in range(48):
        pitch = max(55, min(79, pitch + chance.choice([-2, -1, 1, 2, 0, 3, -3])))
        notes.append((pitch, chance.choice([240, 240, 480, 480, 720]), 70 + chance.randrange(30)))
    opened_with(opened, "played.mid", mido.MidiFile(tracks=[voice("Flute", notes)]))
    read = melody_of(opened)
    assert "metre estimated" in opened.inner_text("#message")
    [offer] = offers(opened)
    other = offer.removeprefix("Read it in ").split(",")[0]
    assert {read["meter"], other} == {"3/4", "6/8"}
    opened.click("#message .offers button")
    until(opened, f"return roll.melody.meter === '{other}'")
    settle(opened)
    assert [note["pitch"] for note in melody_of(opened)["notes"]] == [note["pitch"] for note in read["notes"]]
    assert [note["velocity"] for note in melody_of(opened)["notes"]] == [loud for _, _, loud in notes]
    opened.keyboard.press("Control+z")
    assert melody_of(opened)["meter"] == read["meter"]


def tempi_of(data: bytes) -> list[tuple[float, int]]:
    """(quarters from the beginning, microseconds a quarter) of a file."""
    file, now, found = mido.MidiFile(file=BytesIO(data)), 0, []
    for message in file.tracks[0]:
        now += message.time
        if message.type == "set_tempo":
            found.append((now / file.ticks_per_beat, message.tempo))
    return found


def test_the_tempo_changes_of_a_file_are_played_kept_and_saved(opened: Any) -> None:
    settle(opened)
    head = mido.MidiTrack([mido.MetaMessage("time_signature", numerator=4, denominator=4)])
    head += [mido.MetaMessage("set_tempo", tempo=500_000), mido.MetaMessage("set_tempo", tempo=613_497, time=1920)]
    head += [mido.MetaMessage("set_tempo", tempo=1_000_000, time=3360)]
    tune = voice("Tune", [(72 + (i * 5) % 8, 480, 100) for i in range(16)])
    opened_with(opened, "song.mid", mido.MidiFile(tracks=[head, tune]))
    assert opened.inner_text("#pace") == "♩ = 60 to 120"
    kept = [(0, 500_000), (4, 613_497), (11, 1_000_000)]
    assert tempi_of(saved(opened)) == kept
    lasts = opened.evaluate(
        "import(new URL('page/audio.js', document.baseURI)).then(async ({ rendered }) => { const { session } = await"
        " import(new URL('page/main.js', document.baseURI)); const { melody } = session.now; const clip = { ...melody,"
        " length: 384, barSteps: 96, beatSteps: 24 }; return (await rendered(clip)).duration; })"
    )
    assert lasts == pytest.approx(4 * 0.5 + 7 * 0.613497 + 5 * 1.0, abs=0.001)
    # Bars written anew and variations leave them; a tempo that is typed takes their place.
    select_bars(opened, 2, 3)
    opened.click("#infill")
    settle(opened)
    assert tempi_of(saved(opened)) == kept
    opened.fill("[name=bpm]", "100")
    opened.press("[name=bpm]", "Enter")
    assert opened.inner_text("#pace") == "♩ = 100"
    assert tempi_of(saved(opened)) == [(0, 600_000)]
    opened.keyboard.press("Control+z")
    assert opened.inner_text("#pace") == "♩ = 60 to 120"


def test_playing_follows_the_tempo_changes(opened: Any) -> None:
    settle(opened)
    steps = opened.evaluate(
        """import(new URL('page/audio.js', document.baseURI)).then(async ({ Player }) => {
          const player = new Player();
          player.setClip({ notes: [], length: 960, bpm: 240, tempi: [[0, 240], [24, 30]],
            barSteps: 96, beatSteps: 24 });
          await player.play(0);
          await new Promise((resolve) => setTimeout(resolve, 1500));
          const seconds = player.clock, at = player.position;
          player.stop();
          return [at, seconds];
        })"""
    )
    # A quarter of a second at 240, then slowly: at 240 throughout it would be at 140 steps.
    assert 24 < steps[0] < 60


def test_other_voices_are_told_and_a_track_can_be_taken(opened: Any) -> None:
    settle(opened)
    head = mido.MidiTrack([mido.MetaMessage("time_signature", numerator=4, denominator=4)])
    head += [mido.MetaMessage("set_tempo", tempo=500_000), mido.MetaMessage("set_tempo", tempo=600_000, time=1920)]
    tune = [(72 + (i * 5) % 8, 480, 100) for i in range(16)]
    low = [(43 + (i % 2) * 5, 960, 60) for i in range(8)]
    opened_with(opened, "song.mid", mido.MidiFile(tracks=[head, voice("Tune", tune), voice("Low", low)]))
    text = opened.inner_text("#message")
    assert "tempo" not in text
    assert "taken from Tune" in text
    assert offers(opened) == ["Take Low"]
    assert places(melody_of(opened)) == [(pitch, 24 * at, 24) for at, (pitch, _, _) in enumerate(tune)]
    opened.click("#message .offers button")
    until(opened, "return roll.melody.notes.length === 8")
    settle(opened)
    assert places(melody_of(opened)) == [(pitch, 48 * at, 48) for at, (pitch, _, _) in enumerate(low)]
    assert in_page(opened, "return session.now.melody.notes.every((note) => note.velocity === 60)")
    assert offers(opened) == ["Take Tune"]


def test_a_swung_file_of_ours_swings_on_the_page(opened: Any, tmp_path: Path) -> None:
    settle(opened)
    for name, swing in (("swung.mid", 0.66), ("straight.mid", 0.5)):
        said = ["--model", "folk", "--bars", 4, "--seed", 5, "--grid", "1/8", "--swing", swing, tmp_path / name]
        assert run("generate", *said) == 0

    def open_file(name: str) -> list[tuple[int, int, int]]:
        before = melody_of(opened)
        opened.set_input_files("#open", tmp_path / name)
        until(opened, f"return JSON.stringify(roll.melody) !== {json.dumps(json.dumps(before, separators=(',', ':')))}")
        settle(opened)
        return places(melody_of(opened))

    def onsets(data: bytes) -> list[int]:
        return [note.onset for track in parse_midi(data).tracks for note in track.notes]

    swung = open_file("swung.mid")
    assert opened.input_value("[name=swing]") == "0.66"
    assert "swing is 0.66" in opened.inner_text("#message")
    assert onsets(saved(opened)) == onsets((tmp_path / "swung.mid").read_bytes())
    # Its notes are straight on the roll.
    assert open_file("straight.mid") == swung
    assert opened.input_value("[name=swing]") == "0.5"
