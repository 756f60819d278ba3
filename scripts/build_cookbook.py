"""Write docs/cookbook.md: every command run, its real output, and a picture of the score that came out.

    python scripts/build_cookbook.py

The recipes are below, in order; each is a title, what a musician wants, the commands, and the file to show, whose
picture `melodygru score` draws. All of it is of the model that comes along: with another one this is to be run anew.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parent.parent
PICTURES = ROOT / "docs" / "pictures"
WIDTH = 900
"""Dots that a picture is wide."""
NUMBERS = ("Twelve", "Thirteen", "Fourteen", "Fifteen", "Sixteen")


@dataclass(frozen=True)
class Entry:
    """One thing that a musician wants."""

    title: str
    text: str
    commands: tuple[str, ...]
    shows: str
    before: str = ""
    """What is run beforehand, and not shown; `$ROOT` is this tree."""


ENTRIES = (
    Entry(
        "A clip that loops",
        "Eight bars in your metre, key and tempo. The file ends on its last bar line, to the tick, so the "
        "clip loops in any "
        "DAW as it is.",
        ('melodygru generate --style jig --bars 8 --key "E minor" --bpm 104 --seed 3 jig.mid',),
        "jig.mid",
    ),
    Entry(
        "A scale and nothing else",
        "`--scale` on the tonic of `--key`; no other note is written. `--scale-mode soft` lets a few in.",
        (
            "melodygru generate --style standard --bars 8 --key A --scale blues --range A3:A5 --swing 0.66 "
            "--program sax --seed 11 blues.mid",
        ),
        "blues.mid",
    ),
    Entry(
        "A melody over my chords",
        "Chord tones on the strong beats, between them the scale that follows each chord (G# over the E7). "
        "`--with chords` writes the chords as a track too, and `--groove held` holds each as long as it lasts.",
        (
            'melodygru generate --bars 8 --chords "Am | F | C | E7" --with chords --groove held --density 5 '
            "--seed 3 over.mid",
        ),
        "over.mid",
    ),
    Entry(
        "A tune with a form",
        "`AABA` with sections of four bars: a letter that comes again is the same music, another letter is "
        "other music. Eight "
        "candidates are made and the one whose sections join best is written.",
        (
            "melodygru generate --style air --form AABA --section-bars 4 --key G --pickup 1/4 --seed 2 air.mid",
            "melodygru info air.mid",
        ),
        "air.mid",
    ),
    Entry(
        "Question and answer",
        "A prime varies a section, above all its cadence: the two halves begin alike and end differently.",
        ('melodygru generate --form "AA\'" --section-bars 4 --key D --rests few --grid 1/8 --seed 6 answer.mid',),
        "answer.mid",
    ),
    Entry(
        "Go on from my idea",
        "Type a few notes; the melody goes on in their key and octave, on their bar line.",
        ('melodygru generate --primer-notes "E4/4 G4/8 A4/8 B4/4. A4/8" --bars 8 --seed 5 idea.mid',),
        "idea.mid",
    ),
    Entry(
        "Finish what I have in a file",
        "The first two bars of a file, and six new ones. `--no-include-primer` would write the new ones alone.",
        ("melodygru generate --primer idea.mid --primer-bars 2 --bars 8 --seed 8 finished.mid",),
        "finished.mid",
    ),
    Entry(
        "New bars in the middle",
        "Bars 5 and 6 anew; all other bars stay as they are. Many fillings are tried, and what comes after "
        "must follow well.",
        ("melodygru infill jig.mid filled.mid --bars 5-6 --seed 1",),
        "filled.mid",
    ),
    Entry(
        "The same tune, a little different",
        "A third of the notes changed, the rhythm kept.",
        ("melodygru vary jig.mid varied.mid --amount 0.3 --keep rhythm --seed 1",),
        "varied.mid",
    ),
    Entry(
        "Something to play at sight",
        "Five notes, steps and small leaps, quarters and eighths, no rests, never more than two equal notes in a row.",
        (
            "melodygru generate --bars 8 --key C --range C4:G4 --max-leap 5 --grid 1/8 --no-triplets --rests none "
            "--no-repeat-notes 2 --scale-mode strict --seed 9 sight.mid",
        ),
        "sight.mid",
    ),
    Entry(
        "The three best of thirty, and none of them somebody's",
        "Thirty candidates, ranked; a folder gets files whose names say what is inside. `check` compares them with all "
        "that the model has learned from.",
        (
            "mkdir ideas",
            "melodygru generate --bars 8 --key Dm --bpm 96 --best-of 30 --count 3 --seed 42 ideas",
            "melodygru check ideas/*.mid",
        ),
        "ideas/repertoire_Dm_96bpm_8bars_s42_01.mid",
    ),
    Entry(
        "How did I make that one?",
        "Every file knows. `info` tells it in words, `replay` makes the same bytes again; a set of options "
        "that you like goes "
        "into a TOML file.",
        (
            'printf \'key = "D minor"\\nmeter = "3/4"\\nhumanize = 0.3\\nprogram = "violin"\\n\' > waltz.toml',
            "melodygru generate --options waltz.toml --bars 8 --seed 7 waltz.mid",
            "melodygru info waltz.mid",
            "melodygru replay waltz.mid again.mid",
        ),
        "waltz.mid",
    ),
    Entry(
        "Melodies like those in my folder",
        "A folder of thirty tunes is enough: training begins with the shipped model, and takes minutes. What the model "
        "writes then is in the folder's own style, in its usual metre and range, unless you ask for something else.",
        (
            "melodygru train my-tunes/ | tail -n 3",
            "melodygru generate --model my-tunes --bars 8 --seed 4 mine.mid",
            "melodygru info my-tunes | grep style",
            "melodygru check --model my-tunes mine.mid",
        ),
        "mine.mid",
        before="mkdir my-tunes && ls $ROOT/data/aird/*.mid | head -n 30 | xargs -I {} cp {} my-tunes",
    ),
    Entry(
        "In a style, and on in it",
        "A style is a kind of music that the model has learned; it brings a metre, a tempo and a range, and what you "
        "say goes before. `melodygru styles` lists them. What is changed goes on in the style that the file says.",
        (
            'melodygru generate --style mazurka --bars 8 --key "A minor" --seed 4 mazurka.mid',
            "melodygru vary mazurka.mid other.mid --amount 0.4 --seed 1",
            "melodygru generate --style mazurka --bars 8 --syncopation much --leaps many --rests many --seed 4 "
            "wild.mid",
        ),
        "mazurka.mid",
    ),
    Entry(
        "A feel, and one of my own",
        "A feel sets several options at once, and says which. Your own go into feels.toml, here or in "
        "`~/.config/melodygru/`: a table each, with options spelled as on the command line.",
        (
            "melodygru generate --feel lullaby --bars 8 --key F --seed 2 lullaby.mid",
            'printf \'[night]\\nabout = "slow, low and sparse"\\nstyle = "standard"\\nbpm = 58\\n'
            'range = "G3:C5"\\ndensity = 3\\n\' > feels.toml',
            'melodygru generate --feel night --bars 8 --chords "Dm7 G7 Cmaj7 Am7" --seed 2 night.mid',
        ),
        "night.mid",
    ),
    Entry(
        "A song of parts",
        "A verse and a chorus, each of its own length: the chorus lies higher and has longer notes, begins with the "
        "verse's rhythm, and each part leads over to the next. What you say of a part goes before that, on the command "
        "line or in a table `[sections.C]` of an options file; a part may have a feel of its own "
        '(`--section "C: feel=anthem"`), which sets its range, scale, chords, density, rests and the like. Style, key, '
        "metre, tempo and sound are the whole song's.",
        (
            'melodygru generate --form "V4 C4 V4 C4" --section "V: rests=some" --section "C: chords=\'F G C Am\'" '
            "--seed 1 song.mid",
        ),
        "song.mid",
    ),
)


def run(command: str, folder: Path) -> str:
    """What the command prints. `melodygru` is this tree's."""
    words = re.sub(r"^melodygru ", f"{shlex.quote(sys.executable)} -m melodygru ", command)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "ROOT": str(ROOT), "COLUMNS": "100"}
    done = subprocess.run(
        ["bash", "-c", words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{command}\n{done.stderr}")
    return done.stdout.strip()  # how far it is stands on the other


def picture(file: Path, name: str) -> None:
    """The score of a MIDI file as a picture of this name in docs/pictures/."""
    made = file.parent / f"{name}.png"
    run(f"melodygru score {shlex.quote(str(file))} {shlex.quote(str(made))}", file.parent)
    # The paper is transparent, and ink would be lost on a dark page.
    with Image.open(made) as score:
        paper = Image.new("RGBA", score.size, "white")
        paper.alpha_composite(score.convert("RGBA"))
        small = paper.convert("L").resize((WIDTH, round(WIDTH * score.height / score.width)), Image.Resampling.LANCZOS)
        small.quantize(16).save(PICTURES / f"{name}.png", optimize=True)


def main() -> None:
    """Cook everything."""
    lines = [
        "# Cookbook",
        "",
        f"{NUMBERS[len(ENTRIES) - 12]} things that a musician wants. Every command was run as it stands, and what it "
        "printed stands below it; the",
        "pictures are the files, drawn by `melodygru score`. Written by `python scripts/build_cookbook.py`.",
        "",
    ]
    for old in PICTURES.glob("[0-9][0-9]-*.png"):
        old.unlink()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, entry in enumerate(ENTRIES, 1):
            lines += [f"## {number}. {entry.title}", "", entry.text, "", "```console"]
            if entry.before:
                run(entry.before, folder)
            for command in entry.commands:
                lines.append(f"$ {command}")
                printed = run(command, folder)
                lines += printed.splitlines() if printed else []
            stem = f"{number:02}-{Path(entry.shows).stem}"
            picture(folder / entry.shows, stem)
            lines += ["```", "", f"![{entry.title}](pictures/{stem}.png)", ""]
            print(f"{number:2} {entry.title}", flush=True)
    (ROOT / "docs" / "cookbook.md").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
