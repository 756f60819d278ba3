"""A MIDI file as a page shows it: notes for the player, a piano roll, and links to file and score."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import mido

from melodygru.music.theory import STEPS_PER_QUARTER, TimeSignature

DRUMS = 9
"""The channel, from 0, that General MIDI keeps for drums."""
ROW = 4
"""Height of a semitone in a roll, in its own units; a step is one unit wide."""
MARGIN = 2
"""Semitones above and below the outermost notes of a roll."""


@dataclass(frozen=True)
class Lane:
    """One track. Notes are (onset, duration, pitch, velocity), in steps, 24 to a quarter."""

    name: str
    program: int
    notes: list[tuple[float, float, int, int]]


@dataclass(frozen=True)
class Clip:
    """What a file plays: the melody first, then chords, bass and drums, as far as there are any."""

    lanes: list[Lane]
    length: float
    bpm: float
    meter: TimeSignature

    def as_json(self) -> str:
        """The clip for `player.js`; lists of numbers, since a page holds a dozen."""
        melody, *others = self.lanes
        told: dict[str, Any] = {
            "notes": melody.notes,
            "program": melody.program,
            "length": self.length,
            "bpm": self.bpm,
            "bar": self.meter.bar_steps,
            "lanes": [[lane.name.lower(), lane.program, lane.notes] for lane in others],
        }
        return json.dumps(told, separators=(",", ":"))


def read_clip(path: Path) -> Clip:
    """The clip of a file that melodygru wrote: one metre, one tempo, a track for each part."""
    file = mido.MidiFile(str(path))
    bpm, meter, length, lanes = 120.0, TimeSignature(), 0.0, []
    scale = STEPS_PER_QUARTER / file.ticks_per_beat

    def steps(ticks: int) -> float:
        exact = round(ticks * scale, 2)
        return int(exact) if exact == int(exact) else exact

    for track in file.tracks:
        at, sounding, lane = 0, {}, Lane(track.name, _program(track), [])
        for message in track:
            at += message.time
            if message.type == "set_tempo":
                bpm = round(mido.tempo2bpm(message.tempo), 3)
            elif message.type == "time_signature":
                meter = TimeSignature(message.numerator, message.denominator)
            elif message.type == "note_on" and message.velocity:
                sounding[message.note] = (at, message.velocity)
            elif message.type in ("note_on", "note_off") and message.note in sounding:
                began, velocity = sounding.pop(message.note)
                lane.notes.append((steps(began), steps(at - began), message.note, velocity))
        length = max(length, steps(at))
        if lane.notes:
            lanes.append(lane)
    return Clip(lanes, length, bpm, meter)


def _program(track: mido.MidiTrack) -> int:
    return next((message.program for message in track if message.type == "program_change"), 0)


def roll(clip: Clip, label: str) -> str:
    """A piano roll as SVG that takes its colours from the page: the melody over chords and bass, without drums."""
    pitched = [lane for lane in clip.lanes if lane.name.lower() != "drums"]
    pitches = [note[2] for lane in pitched for note in lane.notes]
    top, height = max(pitches) + MARGIN, (max(pitches) - min(pitches) + 2 * MARGIN + 1) * ROW
    parts = [
        f'<svg class="roll" viewBox="0 0 {clip.length:g} {height}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(label)}">'
    ]
    bar = clip.meter.bar_steps
    parts += [f'<path class="bar" d="M{step} 0V{height}"/>' for step in range(0, int(clip.length) + 1, bar)]
    for number, lane in enumerate(pitched):
        kind = "beside" if number else "melody"
        shape = "".join(
            f"M{onset:g} {(top - pitch) * ROW}h{max(0.5, duration - 0.5):g}v{ROW}h-{max(0.5, duration - 0.5):g}z"
            for onset, duration, pitch, _ in lane.notes
        )
        parts.insert(1, f'<path class="{kind}" d="{shape}"/>')
    return "".join([*parts, f'<path class="head" d="M0 0V{height}"/></svg>'])


def figure(clip: Clip, title: str, *, file: str = "", score: str = "", command: str = "") -> str:
    """The clip on a page, as HTML in one line without blank ones, as Markdown needs it.

    Without scripts the button stays away; roll, score, file and command are there.
    """
    links = f'<a href="{escape(file)}" download>MIDI</a>' if file else ""
    shown = (
        f'<details><summary>Score</summary><img loading="lazy" src="{escape(score)}" '
        f'alt="{escape(title)} as a score"></details>'
        if score
        else ""
    )
    said = f"<pre><code>{escape(command)}</code></pre>" if command else ""
    name = escape(title)
    return (
        f'<figure class="clip" data-clip="{escape(clip.as_json())}"><figcaption>'
        f'<button type="button" hidden aria-label="Play {name}">Play</button><span>{name}</span>{links}</figcaption>'
        f"{roll(clip, f'{title} as a piano roll')}{shown}{said}</figure>"
    )
