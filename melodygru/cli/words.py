"""What people type that is none of our words: what to type instead.

Read when a line was not understood, and never before: whoever types our own words does not wait for it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

_ELSEWHERE: dict[str, tuple[str, str]] = {}
"""Commands that other programs have, each with what it is for and what does it here."""

for _words, _what, _line in (
    ("continue extend complete prolong", "to go on from a melody", "generate --primer {0} OUT.mid"),
    ("new create make write compose melody song tune start run sample", "for a new melody", "generate"),
    ("variation variations mutate remix change alter develop", "to change a melody", "vary {0} OUT.mid"),
    ("fill inpaint rewrite regenerate replace redo", "to write some bars anew", "infill {0} OUT.mid --bars 5-8"),
    ("convert wav audio bounce mp3 synth synthesize", "to write sound", "render {0} OUT.wav"),
    ("pdf sheet notation notate print lilypond musicxml abc engrave", "for notes on paper", "score {0} OUT.pdf"),
    ("open edit gui ui web app draw editor server serve", "for the page that writes, draws and plays", "studio"),
    ("listen hear", "to hear a file", "play {0}"),
    ("view display roll pianoroll piano-roll look see plot cat", "to see a melody", "show {0}"),
    ("learn fit finetune fine-tune training", "to learn from your own files", "train my-folder/"),
    ("list ls genres presets moods feels style", "for what it can write", "styles"),
    ("models model describe stats metadata meta", "for what is in a model or a file", "info {0}"),
    ("similar originality plagiarism copied compare-files", "for what stands in the training music", "check {0}"),
    ("repeat reproduce again rerun", "to make a file again", "replay {0}"),
    ("analyze analyse analysis scan", "for what is in a folder", "inspect my-folder/"),
    ("download data dataset datasets", "for tunes to train on", "corpus"),
    ("onnx quantize quantise", "to write a model for other programs", "export MODEL OUT.onnx"),
    ("transpose", "to write in another key", 'generate --key "D minor"'),
    ("harmonise reharmonize chords chordify", "for chords to a melody", "harmonize {0} OUT.mid"),
    ("accompany accompaniment backing band drums bass orchestrate", "for tracks around it", "arrange {0} OUT.mid"),
    ("key tempo bpm bars", "to say what is wanted", 'generate --key "A minor" --bpm 96 --bars 8'),
    ("version", "for the version", "--version"),
):
    _ELSEWHERE |= dict.fromkeys(_words.split(), (_what, _line))

_OPTIONS: dict[str, str] = {}
"""Options that other programs have: what to say here."""

for _words, _advice in (
    ("loop loopable", "what is written loops as it is; `melodygru play FILE --loop` goes round"),
    ("mood emotion genre vibe", "say --style or --feel; `melodygru styles` lists them"),
    ("mode", 'say it with the key: --key "D dorian", or --scale'),
    ("octave register", "say --range C4:C6"),
    ("transpose", "say the key that is wanted: --key D"),
    ("minutes duration seconds", "say --bars; at 120 bpm a bar of 4/4 lasts 2 seconds"),
    ("notes", "say how many a bar: --density 6"),
    ("complexity difficulty busy", "say --density, --syncopation or --leaps"),
    ("random creativity randomness", "say --temperature 1.1; --seed makes a melody come again"),
    ("quantize quantise", "say --grid 1/8; all that is written lies on it"),
    ("structure sections", "say --form AABA --section-bars 8"),
    ("bass drums band percussion", "say --with chords,bass,drums"),
    ("variations", "say --count 4"),
    ("continue from prime input", "say --primer FILE"),
    ("format", "give OUT an ending; `melodygru score` and `melodygru render` write notes and sound"),
    ("wav audio mp3", "write MIDI, then `melodygru render OUT.mid OUT.wav`"),
    ("open gui", "`melodygru studio` opens the page"),
    ("verbose quiet v q", "leave it out; --json is for programs"),
    ("overwrite yes y f", "say --force"),
):
    _OPTIONS |= dict.fromkeys(_words.split(), _advice)

SHORT = {"-o": "--out", "-n": "--count", "-b": "--bars", "-k": "--key", "-t": "--bpm", "-s": "--seed", "-m": "--model"}
"""Options in one letter, as other programs have them."""

_UNITS = r"bpm|qpm|bars?|measures?|notes?|beats?|semitones?|st|minutes?|min|tunes?|times?"
_WITH_UNIT = re.compile(rf"([-+]?\d+(?:\.\d+)?) ?-?(?:{_UNITS})", re.IGNORECASE)
_PERCENT = re.compile(r"(\d+(?:\.\d+)?) ?%")
_TEMPI = "largo 50, adagio 66, andante 80, moderato 108, allegretto 112, allegro 132, vivace 160, presto 184"
_IN_WORDS = ("--chords", "--key", "--scale", "--form")
"""Options whose values have blanks, which shells part."""


def number(value: str) -> str:
    """A number without its unit: 120 of "120bpm", 0.6 of "60%"; anything else as it is."""
    if match := _WITH_UNIT.fullmatch(value):
        return match[1]
    if match := _PERCENT.fullmatch(value):
        return f"{float(match[1]) / 100:g}"
    return value


def tempo(value: str) -> str | None:
    """What to say in place of a tempo in words; None for anything else."""
    known = dict(entry.rsplit(" ", 1) for entry in _TEMPI.split(", "))
    word = value.strip().lower()
    return f"{word} is about --bpm {known[word]}" if word in known else None


def unknown_command(name: str, rest: Sequence[str], commands: Iterable[str]) -> str:
    """What to say to somebody who has typed a command that there is not."""
    commands = list(commands)
    word = name.lower()
    given = next((one for one in rest if not one.startswith("-")), "FILE")
    near = get_close_matches(word, commands, 1, 0.75)
    if word in commands or near:
        advice = f"did you mean `melodygru {' '.join([near[0] if near else word, *rest])}`?"
    elif word in _ELSEWHERE:
        what, line = _ELSEWHERE[word]
        advice = f"{what}: `melodygru {line.format(given)}`."
    elif Path(name).suffix.lower() in (".mid", ".midi"):
        advice = f"to write such a file: `melodygru generate {name}`; to hear one: `melodygru play {name}`."
    elif os.path.isdir(name):
        advice = f"to learn from a folder: `melodygru train {name}`; to see what is in it: `melodygru inspect {name}`."
    else:
        advice = "`melodygru --help` lists those that there are; `melodygru generate` writes a melody."
    return f"There is no command {name!r}; {advice}"


def unknown_option(command: str, name: str, known: Mapping[str, str]) -> str:
    """What to say to somebody who has typed an option that the command has not.

    `known` are the command's options and other names of them, each with the option's own name.
    """
    plain = name.lstrip("-").lower().replace("_", "-")
    near = get_close_matches(f"--{plain}", known, 1, 0.75)
    if near:
        advice = f"did you mean {known[near[0]]}?"
    elif plain in _OPTIONS and command in ("generate", "infill", "vary"):
        advice = f"{_OPTIONS[plain]}."
    else:
        advice = f"`melodygru {command} --help` lists those that there are."
    return f"{command} has no option {name}; {advice}"


def unquoted(arguments: Sequence[str]) -> str | None:
    """What to say where the blanks of an option's value were not in quotes, as in --chords Am F C G; None if they were.

    A word that names a file, or could be one's name, is none of the value.
    """
    for place, option in enumerate(arguments):
        if option not in _IN_WORDS:
            continue
        words = []
        for word in arguments[place + 1 :]:
            if word.startswith("-") or re.search(r"[./\\]", word) or os.path.exists(word):
                break
            words.append(word)
        if len(words) > 1 and _is_music(words[1]):
            return f'Put what has blanks in quotes: {option} "{" ".join(words)}".'
    return None


def _is_music(word: str) -> bool:
    """Whether a word is a chord, a degree, or of the name of a key or scale."""
    from melodygru.music.chords import chord_or_none
    from melodygru.music.form import parts_in_words
    from melodygru.music.numerals import is_numeral
    from melodygru.music.scales import SCALE_INTERVALS

    names = {part for name in SCALE_INTERVALS for part in name.split()} | {"flat", "sharp", "pentatonic", "|", "%"}
    capital = word[:1].upper() + word[1:]
    return word.lower() in names or bool(chord_or_none(capital) or is_numeral(word) or parts_in_words(word))


def stray(command: str, words: Collection[str], usage: str) -> str:
    """What to say to somebody who has typed words that a command has no place for."""
    given = " ".join(words)
    if command == "generate":
        usage += '; wishes are options: melodygru generate --style song --key "A minor" --bars 8 tune.mid'
    return f"{command} does not know what to do with {given!r}: it takes {usage}."


def missing(command: str, name: str, usage: str) -> str:
    """What to say to somebody who has left out a file that a command needs."""
    return f"{command} needs {name}: melodygru {command} {usage}."
