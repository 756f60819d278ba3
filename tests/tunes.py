"""A folder of small tunes, different from one another, for tests that train."""

import random
from pathlib import Path

from melodygru import Key, Melody, Note, TimeSignature
from melodygru.formats.midi.writer import write_midi


def tune(seed, bars=4):
    """A melody of `bars` bars that walks up and down its scale."""
    chance = random.Random(seed)
    metre = TimeSignature.parse(chance.choice(["4/4", "3/4", "6/8"]))
    key = Key(chance.randrange(12), chance.choice(["major", "minor"]))
    ladder = [pitch for pitch in range(55, 85) if pitch % 12 in key.scale]
    at, place, notes = 0, chance.randrange(4, len(ladder) - 4), []
    while at < bars * metre.bar_steps:
        duration = min(chance.choice([12, 12, 24]), bars * metre.bar_steps - at)
        notes.append(Note(ladder[place], at, duration))
        place = max(0, min(len(ladder) - 1, place + chance.choice([-2, -1, -1, 1, 1, 2])))
        at += duration
    return Melody(tuple(notes), metre, key, name=f"tune {seed}")


def write_tunes(folder, count=12, bars=4):
    """`count` tunes as MIDI files in `folder`, which is made."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(count):
        write_midi(tune(seed, bars), folder / f"{seed:03}.mid")
    return folder
