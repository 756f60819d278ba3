"""Files whose melody's part is known: what `scripts/train_track_choice.py` learns and measures on.

Hymns (the first part has the melody), art songs (voice and piano), string quartets (the first violin), files of games
that were judged by ear and eye (a list of file names and tracks), and what is made of these: melodies with the
accompaniments of other pieces, and four melodies in four voices. Works stay whole when they are split.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from pathlib import Path

from melodygru.errors import MelodyGRUError
from melodygru.formats.midi.line import monophony
from melodygru.formats.midi.parser import RawFile, RawNote, read_midi
from melodygru.formats.midi.part_features import Part
from melodygru.formats.midi.tracks import melodic_parts
from melodygru.formats.scores.musicxml.reader import written_score
from melodygru.formats.scores.written import TICKS, WrittenScore

QUARTER = 480
"""Ticks of a quarter, of all examples."""
SPLITS = {"train": 0.6, "validation": 0.2, "test": 0.2}
"""Shares of the works."""
FEWEST = 16
"""Melodies of fewer notes tell nothing."""
_GAMES = (
    ("freedoom-d_dm", "validation"),
    ("freedoom-d_fdm", "validation"),
    ("freedoom-", "train"),
    ("tannerhelland", "test"),
)
"""Beginnings of games' file names, and where all files of that game go."""
_CHOIR = re.compile(r"alt|tenor|bass", re.IGNORECASE)
_KEYS = re.compile(r"piano|klavier|orgel|organ|harmonium|guitar|harf|harp|f[oó]rtep", re.IGNORECASE)


@dataclass(frozen=True)
class Example:
    """Parts of which some, by place in `parts`, are the melody; `work`: what may not be split; `metre`: as "3/4"."""

    kind: str
    work: str
    parts: tuple[Part, ...]
    melody: frozenset[int]
    metre: str = "4/4"
    name: str = ""

    @property
    def split(self) -> str:
        """Where its work belongs."""
        if self.kind == "game":
            return next(split for begin, split in _GAMES if self.work.startswith(begin))
        share = int.from_bytes(hashlib.sha256(self.work.encode()).digest()[:4], "big") / 2**32
        return "train" if share < SPLITS["train"] else "validation" if share < 1 - SPLITS["test"] else "test"


def hymns(folder: Path) -> Iterator[Example]:
    """Hymns and carols in several parts; a tune, by its first intervals, is a work, whatever its text."""
    for path in sorted(folder.glob("*.mid")):
        raw = _read(path)
        parts = _parts(raw)
        if len(parts) > 1 and len(parts[0].notes) >= FEWEST:
            yield Example("hymns", _tune(parts[0]), parts, frozenset([0]), _metre(raw), path.name)


def songs(folder: Path) -> Iterator[Example]:
    """Songs as parts kept by `read_scores`: the voice, or of a choir the first; a composer's songs are one work."""
    for path, told in _kept(folder):
        parts = told["parts"]
        voices = [n for n, part in enumerate(parts) if not _KEYS.search(part.name)]
        if not 0 < len(voices) < len(parts) or len(parts[voices[0]].notes) < FEWEST:
            continue
        choir = any(_CHOIR.search(parts[n].name) for n in voices[1:])
        melody = frozenset(voices[:1] if choir else voices)
        yield Example("songs", path.stem.split(",_-_")[0].split("_-_")[0], parts, melody, told["metre"], path.name)


def quartets(folder: Path) -> Iterator[Example]:
    """Movements of quartets: the first violin's, mostly; a work is one."""
    for path, told in _kept(folder):
        ends = [*told["movements"][1:], max(note.end for part in told["parts"] for note in part.notes)]
        for number, (begin, end) in enumerate(zip(told["movements"], ends, strict=True), 1):
            cut = [_cut(part, begin, end) for part in told["parts"][:4]]
            if all(len(part.notes) >= FEWEST for part in cut):
                yield Example("quartets", path.stem, tuple(cut), frozenset([0]), name=f"{path.stem} #{number}")


def games(folder: Path, labels: Path) -> Iterator[Example]:
    """Game files by a list of lines "file<TAB>tracks", each track as number or number/channel, or "none"."""
    for name, told in read_labels(labels).items():
        raw = _read(folder / name)
        parts = _parts(raw)
        melody = frozenset(n for n, part in enumerate(parts) if told & _ways(part))
        if melody:
            yield Example("game", name, parts, melody, _metre(raw), name)


def read_labels(path: Path) -> dict[str, set[str]]:
    """By file name, the tracks that may pass for its melody; empty where it has none."""
    rows = [line.split("\t") for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    return {name: set(tracks.split()) - {"none"} for name, tracks, *_ in rows}


def pop909(folder: Path) -> Iterator[Example]:
    """Pop songs with the track MELODY: for measuring alone."""
    for path in sorted(folder.glob("*.mid")):
        parts = _parts(_read(path))
        melody = frozenset(n for n, part in enumerate(parts) if part.name == "MELODY")
        if melody:
            yield Example("pop909", path.stem, parts, melody, name=path.name)


def melodies(folders: Sequence[Path]) -> Iterator[Example]:
    """Folk tunes and songs of one part, for mixing."""
    for folder in folders:
        for path in sorted(folder.glob("*.mid")):
            raw = _read(path)
            parts = [part for part in _parts(raw) if len(part.notes) >= FEWEST]
            if parts:
                yield Example("folk", _tune(parts[0]), (parts[0],), frozenset([0]), _metre(raw), path.name)


def mixtures(sources: Sequence[Example], count: int, seed: int) -> list[Example]:
    """Melodies of some examples, all of one split, with accompaniments of others in the same metre: pianos of songs,
    basses of hymns, what is not the melody in games.
    """
    rng = random.Random(seed)
    metres: dict[str, list[Example]] = {}
    for one in sources:
        metres.setdefault(one.metre, []).append(one)
    tunes = [one for one in sources if one.kind in ("hymns", "songs", "folk")]
    tunes = [one for one in tunes if monophony(one.parts[min(one.melody)].notes) >= 0.9]
    made: list[Example] = []
    while len(made) < count:
        tune = rng.choice(tunes)
        bar = _bar(tune.metre)
        beginning = bar * rng.choice((0, 0, 2, 4, 8))
        melody = _moved(tune.parts[min(tune.melody)], beginning, 12 * rng.choice((-1, -1, -1, 0, 0, 0, 0, 0, 0, 1)))
        broken = rng.random()
        if broken < 0.4:
            melody = _broken(melody, bar, rng)
        elif broken < 0.7:
            melody = _breathing(melody, bar, rng)
        end = melody.notes[-1].end + bar * rng.choice((0, 0, 4))
        parts = [melody]
        others = metres[tune.metre]
        for _ in range(rng.choice((1, 2, 2, 3, 3, 4, 5, 6))):
            other = rng.choice(others)
            lower = set(range(len(other.parts))) - (other.melody if other.kind != "hymns" else {0, 1, 2})
            free = [n for n in sorted(lower) if len(other.parts[n].notes) >= FEWEST]
            if free and other.work != tune.work:
                shift = rng.choice((-2, -1, 0, 0, 1, 2))
                looped = _looped(_moved(other.parts[rng.choice(free)], 0, shift), bar, end, rng)
                parts += [looped] if looped.notes else []
        accepted = {0}
        second = rng.random()
        if second < 0.35:
            parts += _fills(rng.choice(tunes), tune, bar, end, rng)
        elif second < 0.75:
            parts += _answers(rng.choice(tunes), tune, melody, bar, end, rng)
        if rng.random() < 0.25:
            parts.append(_arpeggio(bar, end, rng))
        if rng.random() < 0.1:
            accepted.add(len(parts))
            parts.append(_moved(melody, 0, rng.choice((-12, 0))))
        if len(parts) > len(accepted):
            made.append(Example("mixtures", tune.work, tuple(parts), frozenset(accepted), tune.metre, tune.name))
    return made


def made_quartets(sources: Sequence[Example], count: int, seed: int) -> list[Example]:
    """Four melodies of one metre in four voices: the upper one is the melody."""
    rng = random.Random(seed)
    tunes: dict[str, list[Example]] = {}
    for one in sources:
        if one.kind in ("hymns", "folk"):
            tunes.setdefault(one.metre, []).append(one)
    enough = [metre for metre in sorted(tunes) if len(tunes[metre]) >= 8]
    made = []
    for _ in range(count):
        metre = rng.choice(enough)
        chosen = rng.sample(tunes[metre], 4)
        end = max(one.parts[min(one.melody)].notes[-1].end for one in chosen)
        parts = []
        for centre, one in zip((76, 67, 60, 50), chosen, strict=True):
            part = one.parts[min(one.melody)]
            middle = sorted(note.pitch for note in part.notes)[len(part.notes) // 2]
            parts.append(_looped(_moved(part, 0, centre - middle), _bar(metre), end, rng))
        made.append(Example("made quartets", chosen[0].work, tuple(parts), frozenset([0]), metre, chosen[0].name))
    return made


def excerpt(example: Example, seed: int) -> Example:
    """Some bars of it, where the melody has notes enough; else all of it."""
    rng = random.Random(f"{seed} {example.work} {example.name}")
    bar = _bar(example.metre)
    size = bar * rng.choice((8, 16, 32))
    onsets = [note.onset for n in example.melody for note in example.parts[n].notes]
    begin = rng.choice(onsets) // bar * bar
    cut = [_cut(part, begin, begin + size) for part in example.parts]
    kept = [n for n, part in enumerate(cut) if part.notes]
    melody = frozenset(kept.index(n) for n in example.melody if len(cut[n].notes) >= FEWEST)
    parts = tuple(cut[n] for n in kept)
    return replace(example, parts=parts, melody=melody) if melody and len(parts) > len(melody) else example


def nameless(example: Example) -> Example:
    """The same without names and lyrics."""
    return replace(example, parts=tuple(replace(part, name="", lyrics=0) for part in example.parts))


def bare(example: Example) -> Example:
    """Without names, programs, lyrics and loudness."""
    return replace(example, parts=tuple(_named(part, "", None) for part in example.parts))


def read_scores(folder: Path, keep: Path) -> None:
    """Reads the scores of a folder, and keeps their parts as JSON; what is there already stays."""
    keep.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.glob("*.mxl")):
        kept = keep / f"{path.stem}.json"
        if not kept.exists():
            try:
                kept.write_text(json.dumps(_told(written_score(path.read_bytes(), zipped=True))))
            except MelodyGRUError as error:
                print(f"{path.name} {error}")


def _told(score: WrittenScore) -> dict:
    """Parts as they are written, in ticks of `QUARTER`, with the metre and where movements begin."""
    starts = [0, *accumulate(bar.length for bar in score.bars)]
    tracks = []
    for part in score.parts:
        notes: list[list[int]] = []
        tied: dict[int, list[int]] = {}
        for start, written in zip(starts, part.notes, strict=False):
            for note in written:
                onset, end = ((start + at) * QUARTER // TICKS for at in (note.offset, note.offset + note.length))
                before = tied.pop(note.pitch, None)
                if before is not None and before[1] == onset:
                    before[1] = end
                else:
                    before = [onset, end, note.pitch]
                    notes.append(before)
                if note.tied:
                    tied[note.pitch] = before
        if notes and not part.percussion:
            tracks.append({"name": part.name, "program": part.program, "notes": sorted(notes)})
    # A movement ends where the next has another metre or tempo after a double bar.
    turns = zip(score.bars, score.bars[1:], starts[1:], strict=False)
    ends = [at for bar, then, at in turns if bar.ends and (bar.metre, bar.qpm) != (then.metre, then.qpm)]
    movements = [0, *(at * QUARTER // TICKS for at in ends)]
    return {"movements": movements, "metre": str(score.bars[0].metre or "4/4"), "tracks": tracks}


def _kept(folder: Path) -> Iterator[tuple[Path, dict]]:
    for path in sorted(folder.glob("*.json")):
        told = json.loads(path.read_text())
        parts = tuple(
            Part(
                number,
                track["name"],
                tuple(RawNote(on, end, pitch, 80, 0) for on, end, pitch in track["notes"]),
                track["program"],
            )
            for number, track in enumerate(told["tracks"], 1)
        )
        yield path, {**told, "parts": parts}


def _read(path: Path) -> RawFile:
    return read_midi(path)


def _parts(raw: RawFile) -> tuple[Part, ...]:
    scale = QUARTER / raw.ticks_per_quarter
    return tuple(
        replace(
            part,
            notes=tuple(n._replace(onset=round(n.onset * scale), end=round(n.end * scale)) for n in part.notes),
            number=part.number,
        )
        for part in melodic_parts(raw)
    )


def _ways(part: Part) -> set[str]:
    return {str(part.number), f"{part.number}/{part.notes[0].channel}"}


def _metre(raw: RawFile) -> str:
    _, numerator, denominator = next(iter(raw.time_signatures), (0, 4, 4))
    return f"{numerator}/{denominator}" if numerator and denominator > 1 else "4/4"


def _bar(metre: str) -> int:
    numerator, denominator = metre.split("/")
    return int(numerator) * QUARTER * 4 // int(denominator)


def _tune(part: Part) -> str:
    """A melody's first intervals, so that the same tune under another name is the same work."""
    tops: dict[int, int] = {}
    for note in part.notes[:40]:
        tops[note.onset] = max(note.pitch, tops.get(note.onset, 0))
    pitches = [tops[onset] for onset in sorted(tops)][:15]
    return " ".join(str(b - a) for a, b in pairwise(pitches))


def _cut(part: Part, begin: int, end: int) -> Part:
    kept = (note for note in part.notes if begin <= note.onset < end)
    return replace(part, notes=tuple(n._replace(onset=n.onset - begin, end=n.end - begin) for n in kept))


def _moved(part: Part, ticks: int, pitch: int) -> Part:
    low, high = min(note.pitch for note in part.notes), max(note.pitch for note in part.notes)
    pitch += 12 * (low + pitch < 24) - 12 * (high + pitch > 103)
    notes = (n._replace(onset=n.onset + ticks, end=n.end + ticks, pitch=n.pitch + pitch) for n in part.notes)
    return replace(part, notes=tuple(notes))


def _broken(melody: Part, bar: int, rng: random.Random) -> Part:
    """With some bars of rest in its middle."""
    middle = melody.notes[len(melody.notes) // 2].onset // bar * bar
    rest = bar * rng.choice((2, 4, 8))
    return replace(
        melody,
        notes=tuple(
            n._replace(onset=n.onset + rest, end=n.end + rest) if n.onset >= middle else n for n in melody.notes
        ),
    )


def _fills(other: Example, tune: Example, bar: int, end: int, rng: random.Random) -> list[Part]:
    """A few bars of another melody, here and there: an instrument that answers, or an introduction."""
    part, often = _moved(other.parts[min(other.melody)], 0, rng.choice((-12, 0, 0, 12))), rng.choice((0.1, 0.2, 0.4))
    first, size = part.notes[0].onset // bar * bar, bar * rng.choice((1, 2, 2, 4))
    piece = [note for note in part.notes if first <= note.onset < first + size]
    places = [at for at in range(0, max(end - size, 1), size) if rng.random() < often] or [0]
    notes = sorted(n._replace(onset=n.onset - first + at, end=n.end - first + at) for at in places for n in piece)
    return [replace(part, notes=tuple(notes))] if other.work != tune.work and len(notes) >= 4 else []


def _breathing(melody: Part, bar: int, rng: random.Random) -> Part:
    """With a rest after each phrase, as singers and their bands have it."""
    phrase, rest = bar * rng.choice((2, 4, 4, 8)), bar * rng.choice((1, 1, 2, 4))
    begin = melody.notes[0].onset // bar * bar
    later = [(note, (note.onset - begin) // phrase * rest) for note in melody.notes]
    return replace(melody, notes=tuple(n._replace(onset=n.onset + by, end=n.end + by) for n, by in later))


def _answers(other: Example, tune: Example, melody: Part, bar: int, end: int, rng: random.Random) -> list[Part]:
    """A second melody that goes on wherever the first one is silent for most of a bar, and now and then beside it: an
    instrument that introduces, answers and leads out.
    """
    part = _moved(other.parts[min(other.melody)], 0, rng.choice((-12, 0, 0, 0, 12)))
    first, bars = part.notes[0].onset // bar * bar, -(-end // bar)
    sung = [0] * bars
    for note in melody.notes:
        sung[min(note.onset // bar, bars - 1)] += note.end - note.onset
    beside = rng.choice((0.0, 0.1, 0.3))
    plays = [heard < bar / 2 or rng.random() < beside for heard in sung]
    source = [[n for n in part.notes if first + at <= n.onset < first + at + bar]
              for at in range(0, part.notes[-1].onset - first + 1, bar)]  # fmt: skip
    notes, taken = [], 0
    for number, play in enumerate(plays):
        if play:
            place = taken % len(source)
            by = number * bar - first - place * bar
            notes += [n._replace(onset=n.onset + by, end=n.end + by) for n in source[place]]
            taken += 1
    return [replace(part, notes=tuple(sorted(notes)))] if other.work != tune.work and len(notes) >= 8 else []


def _arpeggio(bar: int, end: int, rng: random.Random) -> Part:
    """Broken chords that go round, in any register."""
    unit = QUARTER // rng.choice((2, 2, 3, 4))
    roots = [rng.choice((48, 55, 60, 60, 65, 72)) + rng.randrange(5) for _ in range(rng.choice((1, 2, 4, 8)))]
    pattern = [rng.choice((0, 3, 4, 7, 7, 12, 12, 16)) for _ in range(rng.choice((3, 4, 6, 8)))]
    notes = []
    for number, onset in enumerate(range(0, end, unit)):
        pitch = roots[onset // bar % len(roots)] + pattern[number % len(pattern)]
        notes.append(RawNote(onset, onset + unit, pitch, 80, 0))
    return Part(0, "", tuple(notes))


def _looped(part: Part, bar: int, end: int, rng: random.Random) -> Part:
    """Some of its bars, again and again until the end."""
    length = max(note.end for note in part.notes)
    first = part.notes[0].onset // bar * bar
    size = bar * rng.choice((4, 8, 16, 32))
    if length - first > size:
        bars = (length - first - size) // bar
        first += bar * rng.randrange(bars + 1)
    size = min(size, -(-(length - first) // bar) * bar)
    piece = [note for note in part.notes if first <= note.onset < first + size]
    if len(piece) < 4:
        piece, first, size = list(part.notes), 0, -(-length // bar) * bar
    notes = [
        n._replace(onset=n.onset - first + at, end=min(n.end, first + size) - first + at)
        for at in range(0, end, size)
        for n in piece
        if n.onset - first + at < end
    ]
    return replace(part, notes=tuple(sorted(notes)))


def _named(part: Part, name: str, program: int | None, lyrics: int = 0, velocity: int = 80) -> Part:
    notes = tuple(note._replace(velocity=velocity) for note in part.notes)
    return replace(part, notes=notes, name=name, program=program, lyrics=lyrics)


def in_the_wild(example: Example, seed: int) -> Example:
    """With names and programs as they are met: the role of a part is guessed from its register and its chords.

    In four files of eight names say nothing; programs are missing in three of ten.
    """
    rng = random.Random(f"{seed} {example.work} {example.name}")
    style = rng.choice(("words", "words", "words", "programs", "programs", "numbers", "nothing", "same"))
    told = rng.random() < 0.7
    sung, loud = rng.random() < 0.1, rng.random() < 0.5
    parts = []
    for number, part in enumerate(example.parts):
        is_melody = number in example.melody
        role = "melody" if is_melody else _role(part, rng)
        program = rng.choice(_PROGRAMS[role])
        if style == "words":
            name = rng.choice(_WORDS[role])
        elif style == "programs":
            name = _PROGRAM_WORDS.get(program, "")
        else:
            name = {"numbers": f"Track {number + 1}", "nothing": "", "same": "My Song"}[style]
        lyrics = len(part.notes) if sung and is_melody else 0
        velocity = 64 + (16 if is_melody and loud else 0) + rng.randrange(24)
        parts.append(_named(part, name, program if told else rng.choice((None, None, 0)), lyrics, velocity))
    if not told:
        parts = [replace(part, program=parts[0].program) for part in parts]
    return replace(example, parts=tuple(parts))


def _role(part: Part, rng: random.Random) -> str:
    middle = sorted(note.pitch for note in part.notes)[len(part.notes) // 2]
    chords = len(part.notes) / len({note.onset for note in part.notes})
    if middle < 50 and chords < 1.5:
        return rng.choice(("bass", "bass", "bass", "chords"))
    return rng.choice(("chords", "chords", "pad") if chords > 1.3 else ("counter", "counter", "pad", "chords"))


_PROGRAMS = {
    "melody": (0, 0, 0, 4, 11, 17, 22, 24, 25, 27, 29, 30, 40, 40, 42, 52, 53, 53, 54, 56, 56, 57, 60, 64, 65, 65, 66,
               68, 68, 71, 73, 73, 73, 75, 79, 80, 80, 81, 81, 82, 85, 87),
    "bass": (32, 33, 33, 33, 34, 35, 36, 38, 38, 39, 0, 42, 43, 58, 87),
    "chords": (0, 0, 0, 1, 4, 5, 6, 16, 18, 24, 25, 25, 27, 28, 29, 30, 46, 48, 50, 61, 88),
    "pad": (48, 48, 49, 50, 51, 52, 52, 53, 88, 89, 90, 91, 94, 95, 16, 19, 61),
    "counter": (0, 11, 24, 26, 40, 41, 42, 45, 46, 48, 48, 56, 57, 60, 61, 64, 65, 68, 70, 71, 73, 80, 81, 98, 99),
}  # fmt: skip
_WORDS = {
    "melody": ("Melody", "MELODY", "Melodie", "Lead", "Lead Vocal", "Vocal", "Vocals", "Voice", "Vox", "Voz", "Canto",
               "Gesang", "メロディ", "主旋律", "Solo", "Lead Synth", "Sax", "Flute", "Violin", "Guitar", "Piano",
               "Piano RH", "Trumpet", ""),
    "bass": ("Bass", "BASS", "E-Bass", "Fingered Bass", "Bajo", "Basse", "ベース", "Synth Bass", "Low", ""),
    "chords": ("Piano", "Guitar", "Rhythm Guitar", "Chords", "Accomp", "Begleitung", "Keys", "Organ", "伴奏",
               "Piano LH", "EP", ""),
    "pad": ("Strings", "Pad", "Choir", "Backing Vocals", "Warm Pad", "Ahhs", "Str.", "Synth", "ストリングス",
            "Brass", ""),
    "counter": ("Violin", "Flute", "Counter melody", "Harmony", "2nd Voice", "Vocal 2", "Guitar 2", "Brass", "Horns",
                "Arp", "Fills", "Cello", "Riff", "Clarinet", "Lead Guitar", ""),
}  # fmt: skip
_PROGRAM_WORDS = {
    0: "Grand Piano", 4: "E.Piano", 24: "Nylon Guitar", 25: "Steel Guitar", 29: "Overdriven Guitar",
    30: "Distortion Guitar", 32: "Acoustic Bass", 33: "Fingered Bass", 38: "Synth Bass 1", 40: "Violin", 42: "Cello",
    48: "String Ensemble 1",
    50: "Synth Strings 1", 52: "Choir Aahs", 53: "Voice Oohs", 54: "Synth Voice", 56: "Trumpet", 57: "Trombone",
    60: "French Horn", 61: "Brass Section", 65: "Alto Sax", 66: "Tenor Sax", 68: "Oboe", 71: "Clarinet", 73: "Flute",
    75: "Pan Flute", 80: "Lead 1 (square)", 81: "Lead 2 (sawtooth)", 88: "Pad 1 (new age)", 89: "Pad 2 (warm)",
}  # fmt: skip
