"""Write melodygru/writing/samples.toml: the first two bars of a melody in each style, as `melodygru styles` shows them.

    python scripts/build_style_samples.py

They are written by the model that comes along, with the first seed whose two bars `--primer-notes` has words for.
"""

from __future__ import annotations

from pathlib import Path

from melodygru import Melody, load_model
from melodygru.music.spelling import note_name
from melodygru.writing import styles

BARS, SEEDS = 2, 100
LONGEST = 72
"""Letters of a sample: two lines of the table."""
_PLAIN = {96: "1", 48: "2", 24: "4", 12: "8", 6: "16", 3: "32"}
WORDS = _PLAIN | {steps * 3 // 2: f"{word}." for steps, word in _PLAIN.items() if steps > 3}
WORDS |= {steps * 2 // 3: f"{word}t" for steps, word in _PLAIN.items() if steps > 3}
"""Durations in steps, as `melodygru.writing.primer.parse_notes` reads them."""
HEAD = """# The first two bars of a melody in each style, notes as --primer-notes takes them.
# Written by `python scripts/build_style_samples.py`.
"""


def incipit(melody: Melody) -> str | None:
    """Its first bars in words; None where they are too many, or a note crosses the end."""
    words, at, end = [], 0, BARS * melody.time_signature.bar_steps
    for note in melody.notes:
        if at == end:
            break
        if note.onset > at:
            words.append(("r", note.onset - at))
        words.append((note_name(note.pitch, melody.key), note.duration))
        at = note.end
    if at != end or any(steps not in WORDS for _, steps in words):
        return None
    text = " ".join(f"{name}/{WORDS[steps]}" for name, steps in words)
    return text if len(text) <= LONGEST else None


def main() -> None:
    model, lines = load_model(), [HEAD]
    for place, style in enumerate(styles.STYLES):
        seeds = range(place * SEEDS, (place + 1) * SEEDS)  # the same seed begins alike in any style
        found = (incipit(model.generate(bars=8, style=style, seed=seed)) for seed in seeds)
        lines.append(f'"{style}" = "{next(filter(None, found))}"')
    (Path(styles.__file__).with_name("samples.toml")).write_text("\n".join(lines) + "\n", "utf-8")


if __name__ == "__main__":
    main()
