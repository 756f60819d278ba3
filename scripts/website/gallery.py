"""Pages of the gallery, as Markdown with the commands to play: nothing on them is chosen by ear."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from melodygru.music.melody import Melody
from melodygru.music.theory import STEPS_PER_QUARTER
from melodygru.writing.styles import STYLES
from website.clips import figure, read_clip
from website.playing import run

SEEDS = range(1, 13)
PAIRS = 10
PAIR_BARS = 8
COIN = 1903
"""The seed of the coin that says which of a pair comes first."""
BOOKS = ("oneill", "ryan", "aird")
DANCES = {"4/4": "reel", "2/4": "march", "6/8": "jig", "9/8": "jig", "3/4": "waltz"}
"""In which style the model answers a tune of each metre."""


def stem(style: str) -> str:
    """A style in the names of files."""
    return style.replace(" ", "-")


def contents() -> str:
    """The gallery's first page."""
    lines = [
        "# Gallery",
        "",
        "Of every style the melodies of the first twelve seeds, and nothing else: none was chosen, and none left out. "
        "Each has its player, piano roll, score and MIDI file, and the command that writes the same bytes again.",
        "",
    ]
    lines += [f"- [{style}](gallery/{stem(style)}.md): {what.good_for}" for style, what in STYLES.items()]
    lines += [
        "",
        "Further: [arrangements](gallery/arrangements.md), [new bars in a melody](gallery/infill.md), and "
        "[which is the person's?](gallery/whose.md)",
        "",
    ]
    return "\n".join(lines)


def style_page(style: str) -> str:
    """Twelve melodies of a style."""
    what, name = STYLES[style], stem(style)
    lines = [f"# {style.capitalize()}", "", f"{what.good_for[0].upper()}{what.good_for[1:]}: {what.meter}, "]
    lines[-1] += (
        f"{what.bpm:g} quarters a minute, {what.range.replace(':', ' to ')}. Seeds 1 to 12; nothing was chosen."
    )
    for seed in SEEDS:
        command = f'melodygru generate --style "{style}" --seed {seed} {name}-{seed:02}.mid'
        lines += ["", f"<!-- play {style}, seed {seed}: {command} -->"]
    return "\n".join([*lines, ""])


def arrangements() -> str:
    """A melody of each style with all that can be put around it."""
    lines = ["# Arrangements", "", "Seed 1 of every style, with chords, bass and drums in the style's own groove "]
    lines[-1] += "([how they are made](../arranging.md))."
    for style in STYLES:
        command = f'melodygru generate --style "{style}" --with all --seed 1 {stem(style)}.mid'
        lines += ["", f"<!-- play {style}, arranged: {command} -->"]
    return "\n".join([*lines, ""])


def infills() -> str:
    """Melodies, and the same with four new bars."""
    lines = [
        "# New bars in a melody",
        "",
        "A melody as it was written, and again with bars 5 to 8 written anew: all other bars stay as they are. "
        "The first two seeds of three styles.",
    ]
    for style in ("song", "waltz", "jig"):
        for seed in SEEDS[:2]:
            before, after = f"{style}-{seed}.mid", f"{style}-{seed}-new.mid"
            made = f"melodygru generate --style {style} --seed {seed} {before}"
            changed = f"melodygru infill {before} {after} --bars 5-8 --seed {seed}"
            lines += ["", f"## {style.capitalize()}, seed {seed}", "", f"<!-- play Before: {made} -->"]
            lines += ["", f"<!-- play After, bars 5 to 8 are new: {changed} -->"]
    return "\n".join([*lines, ""])


def tunes(data: Path) -> list[Path]:
    """The people's tunes: of the files of the three books, in turn, those at equal distances in the order of names."""
    books = [sorted((data / book).glob("*.mid")) for book in BOOKS]
    return [book[len(book) * number // PAIRS] for number in range(PAIRS) for book in [books[number % len(books)]]]


def beginning(melody: Melody, bars: int) -> Melody:
    """The first full bars of a melody, and its pickup."""
    end = (bars + bool(melody.pickup)) * melody.time_signature.bar_steps
    notes = [replace(note, duration=min(note.end, end) - note.onset) for note in melody.notes if note.onset < end]
    return replace(melody, notes=tuple(notes), bars=bars, name="")


def whose(data: Path, folder: Path) -> str:
    """Pairs of a person's tune and the model's, which readers tell apart; writes their files into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        "# Which is the person's?",
        "",
        "Of each pair one is the beginning of a tune from a printed book of 1782 to 1903, the other that of a tune "
        "which the shipped model wrote in the same metre, key and tempo, as long and with the same pickup: "
        f"{PAIR_BARS} bars of each, played alike. A coin of a fixed seed "
        "laid them in order, and the tunes are those at equal distances in the lists of [those that come "
        "along](../../data/README.md); nothing was chosen. The model has learned from such books, so a tune may be "
        "among what it heard; more than eleven notes in a row of any tune it does not write ([how that is seen "
        "to](../rights.md)).",
    ]
    coin = np.random.default_rng(COIN)
    for number, path in enumerate(tunes(data), 1):
        person = Melody.from_midi(path)
        style = DANCES[str(person.time_signature)]
        theirs, ours = folder / f"pair-{number:02}-a.mid", folder / f"pair-{number:02}-b.mid"
        first = bool(coin.integers(2))
        if not first:
            theirs, ours = ours, theirs
        beginning(person, PAIR_BARS).save(theirs)
        whole = folder / f"pair-{number:02}-whole.mid"
        pickup = f"--pickup {Fraction(person.pickup, 4 * STEPS_PER_QUARTER)} " if person.pickup else ""
        command = (
            f'melodygru generate --style {style} --meter {person.time_signature} --key "{person.key}" '
            f"--bpm {person.qpm:g} --bars {person.bars} {pickup}--seed {number} {whole.name}"
        )
        run(f"{command} --force", folder)
        beginning(Melody.from_midi(whole), PAIR_BARS).save(ours)
        whole.unlink()
        a, b = (read_clip(folder / f"pair-{number:02}-{letter}.mid") for letter in "ab")
        lines += ["", f"## Pair {number}", "", figure(a, f"{number} A"), "", figure(b, f"{number} B"), ""]
        title = person.name or path.stem
        lines += [
            f"<details><summary>The answer</summary>The person's is {'A' if first else 'B'}: <cite>{title}</cite> "
            f"({path.parent.name}). The other: <code>{command.replace('<', '&lt;')}</code></details>"
        ]
    return "\n".join([*lines, ""])
