"""What a model of the repertoire writes, heard: likeness, styles, modes, chords, and what comes out unasked.

    python scripts/hear_repertoire.py OUT/repertoire.jsonl MODEL [--only likeness,styles,modes,changes,usual] [--jobs N]

People's music in it is what the manifest holds out; classifiers of styles and modes learn from what it does not.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from repertoire import manifest
from repertoire.hearing import changes, likeness, modes, recognition, usual
from repertoire.hearing.counterparts import ANY_RANGE, written_like
from repertoire.lessons import spans
from repertoire.listener import listener_of
from repertoire.pieces import Piece, load

from melodygru.music.chords import lay_out, parse_progression
from melodygru.music.melody import Melody
from melodygru.music.originality import line_of
from melodygru.writing.candidates import Order
from melodygru.writing.config import GenerationConfig
from melodygru.writing.model import Model, load_model
from melodygru.writing.orders import compose_all

TONICS = ("C", "D", "E", "F", "G", "A", "Bb", "Eb")
_MOST = 200
_EACH_MODE = 40
_EACH_STYLE = 40


class Hall:
    """People's pieces, and a model that plays beside them."""

    def __init__(self, pieces: Sequence[Piece], model: Model, seed: int, jobs: int):
        self.learned = [p for p in pieces if p.split == manifest.TRAIN]
        self.held = [p for p in pieces if p.split == manifest.HELD]
        self.model, self.seed, self.jobs = model, seed, jobs

    def some(self, pieces: Sequence[Piece], most: int) -> list[Piece]:
        """At most so many of them, drawn."""
        return [pieces[i] for i in np.random.default_rng(self.seed).permutation(len(pieces))[:most]]

    def write(self, asked: Sequence[dict[str, object]]) -> list[Melody]:
        """A melody for each wish."""
        orders = [(Order(GenerationConfig.from_dict(one), self.seed + i), 1) for i, one in enumerate(asked)]
        return [m.melody for found in compose_all(self.model, orders, self.jobs) if found for m in found]


def hear_likeness(hall: Hall) -> None:
    """Two-sample tests on held-out works; beside them folk melodies judged against hymns."""
    groups = {
        "song": ["song"],
        "hymn": ["hymn"],
        "folk": ["folk"],
        "standard, dance, game": ["standard", "dance", "game"],
    }
    print(
        "| style | pieces | " + " | ".join(("all, trees", "all, logistic", "breath, trees", "breath, logistic")) + " |"
    )
    control: list[Melody] = []
    for name, styles in groups.items():
        people = hall.some([p for p in hall.held if p.style in styles], _MOST)
        written, of = written_like(hall.model, people, 1, hall.seed, jobs=hall.jobs)
        if name == "folk":
            control = written
        _print_tests(name, people, written, of)
        print("|   shared runs: " + _shared(hall.model, [p.melody for p in people], written))
    hymns = hall.some([p for p in hall.held if p.style == "hymn"], _MOST)
    chosen = control[: len(hymns)]
    _print_tests("folk as hymns (control)", hymns, chosen, np.arange(len(chosen)) % len(hymns))


def _print_tests(name: str, people: Sequence[Piece], written: Sequence[Melody], of: np.ndarray) -> None:
    tests, most = likeness.told_apart([p.melody for p in people], written, of, [p.work for p in people])
    cells = [f"{t.auc:.3f} ({t.low:.3f} to {t.high:.3f})" for t in tests.values()]
    print(f"| {name} | {len(people)} | " + " | ".join(cells) + " |")
    print("|   tells most: " + "; ".join(most), flush=True)


def _shared(model: Model, people: Sequence[Melody], written: Sequence[Melody]) -> str:
    index = model.checkpoint.index
    if index is None:
        return "not known"
    runs = [np.array(index.longest([line_of(m) for m in melodies])) for melodies in (people, written)]
    return " / ".join(f"median {np.median(r):.0f}, 95 % up to {np.percentile(r, 95):.0f}" for r in runs[1:])


def hear_styles(hall: Hall) -> None:
    """Is the style that was asked for found again?"""
    for metre, styles in recognition.STYLES.items():
        judge = recognition.Recogniser(hall.learned, metre)
        written, asked = [], []
        for style in styles:
            like = [p for p in hall.held if p.style == style and str(p.melody.time_signature) == metre]
            like = (like * _EACH_STYLE)[:_EACH_STYLE]
            melodies, _ = written_like(hall.model, like, 1, hall.seed, jobs=hall.jobs)
            written += melodies
            asked += [style] * len(melodies)
        found, shares = judge.of_written(written, asked)
        print(f"{metre}: {found:.0%} of {len(written)} melodies; of people's {judge.of_people():.0%}")
        for style, row in zip(styles, shares, strict=True):
            print(
                f"  {style:9s} heard as " + ", ".join(f"{s} {x:.0%}" for s, x in zip(styles, row, strict=True)),
                flush=True,
            )


def hear_modes(hall: Hall) -> None:
    """The seven modes: tonic, colour, foreign notes."""
    people = [p.melody for p in hall.learned + hall.held if p.style in ("folk", "hymn")]
    listener = listener_of(hall.learned)
    print("| style | mode | tonic found | note | instead | in the parent | ratio | judged so | people's: tonic, note |")
    for style in ("song", "folk"):
        made: dict[str, list[Melody]] = {}
        for mode in ("major", "minor", *modes.COLOURS):
            wishes: list[dict[str, object]] = [
                {"key": f"{TONICS[i % len(TONICS)]} {mode}", "style": style, "range": ANY_RANGE, "bars": 16}
                for i in range(_EACH_MODE)
            ]
            made[mode] = hall.write(wishes)
        for mode, melodies in made.items():
            found = np.mean([listener.tonic(m) == m.key.tonic for m in melodies])
            real = [m for m in people if m.key.mode == mode]
            held = [p.melody for p in hall.held if p.style in ("folk", "hymn") and p.melody.key.mode == mode]
            of_people = f"{np.mean([listener.tonic(m) == m.key.tonic for m in held]):.0%}" if held else "-"
            if mode in ("major", "minor"):
                print(f"| {style} | {mode} | {found:.0%} | | | | | | {of_people}")
                continue
            colour = modes.COLOURS[mode]
            own, instead = (modes.degree_share(melodies, degree) for degree in colour[:2])
            parent = modes.degree_share(made[colour.parent], colour.instead)
            said = ""
            if len(real) >= 50:
                rest = [m for m in people if m.key.mode == colour.parent][:1000]
                said = f"{modes.judged(modes.mode_judge(real, rest, colour), melodies, colour):.0%}"
                of_people += f", {modes.degree_share(real, colour.note):.1%}"
            cells = [
                style,
                mode,
                f"{found:.0%}",
                f"{own:.1%}",
                f"{instead:.1%}",
                f"{parent:.1%}",
                f"{own / parent:.2f}",
            ]
            print("| " + " | ".join((*cells, said, of_people)), flush=True)


def hear_changes(hall: Hall) -> None:
    """Chord tones on strong beats, beside people's."""
    for style in ("song", "standard", "hymn"):
        real = [p for p in hall.held if p.style == style and p.chords]
        print(f"people's {style}: {changes.share((p.melody, spans(p.chords)) for p in real):.1%} of {len(real)} pieces")
    for name, (key, text) in changes.PROGRESSIONS.items():
        for style in ("song", "standard"):
            for mode in ("learned", "strict"):
                bars = 12 if "twelve" in name else 16
                asked = {"key": key, "chords": text, "style": style, "bars": bars, "chord_mode": mode}
                melodies = hall.write([asked] * 30)
                laid = lay_out(parse_progression(text, melodies[0].time_signature), 0, melodies[0].length)
                inside = changes.share((m, laid) for m in melodies)
                ends = np.mean([changes.ends_well(m, laid) for m in melodies])
                print(f"{name}, {style}, {mode}: {inside:.1%}; ends on a chord tone {ends:.0%}", flush=True)


def hear_usual(hall: Hall) -> None:
    """Thirty melodies of each style, nothing else said, beside people's."""
    for style in ("song", "hymn", "standard", "folk", "game", "dance"):
        people = [p.melody for p in hall.learned + hall.held if p.style == style]
        melodies = hall.write([{"style": style}] * 30)
        metre = str(melodies[0].time_signature)
        people = [m for m in people if str(m.time_signature) == metre]
        for name, low, middle, high, own, within in usual.compared(people, melodies):
            said = f"{own:.3g}, people {low:.3g} to {high:.3g} ({middle:.3g})"
            print(f"{style}, {metre}: {name}: {said}{'' if within else '  OUT'}")


PARTS = {
    "likeness": hear_likeness,
    "styles": hear_styles,
    "modes": hear_modes,
    "changes": hear_changes,
    "usual": hear_usual,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pieces", type=Path, help="repertoire.jsonl")
    parser.add_argument("model")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args()
    hall = Hall(list(load(given.pieces)), load_model(given.model), given.seed, given.jobs)
    for name in given.only.split(","):
        print(f"\n## {name}\n")
        PARTS[name](hall)


if __name__ == "__main__":
    main()
