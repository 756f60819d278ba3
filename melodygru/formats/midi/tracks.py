"""Which notes of a MIDI file are its melody.

Each track (split by channel) has a probability of being it: a conditional logit, a softmax over the parts of a file
(McFadden 1974), over what `melodygru.formats.midi.part_features` tells of it, and comparisons of the likeliest ones by
boosted trees. The likeliest that can give a melody is taken; of its notes the line that `melodygru.formats.midi.line`
makes. Weights and trees are learned by `scripts/train_track_choice.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from melodygru.errors import MidiError
from melodygru.formats.midi import track_trees
from melodygru.formats.midi.chunks import PERCUSSION
from melodygru.formats.midi.line import one_line
from melodygru.formats.midi.parser import RawFile, RawNote
from melodygru.formats.midi.part_features import BESIDE, FEATURES, OWN, TOLD, Array, Part, features
from melodygru.formats.midi.part_names import name_claim, words_of
from melodygru.formats.midi.track_weights import WEIGHTS
from melodygru.music.instruments import program_name
from melodygru.records import dataclass

MOST_PARTS = 128
"""Of a file with more parts, those with the most notes are looked at: no score has more staves."""
CLOSEST = 4
"""Parts that are compared with one another."""
NARROW = 0.25
"""A part is chosen narrowly where its probability is less than that above the next one's, in [0, 1]."""
SURE_NAME = 0.3
"""Surety of a name, in [0, 1], from which it is said to be why a part was chosen."""
QUARTERS_OF_A_BAR = 4
"""What a bar is taken for where rests are measured in bars: the metre is found later, of the chosen part's notes."""
SHOWN = 40
"""Characters of a name that messages show at most."""
LISTED = 12
"""Tracks that an error lists before it only counts."""


@dataclass(frozen=True)
class Choice:
    """The melody's raw notes, which never overlap, the part they come from, and how it was found.

    Attributes:
        notes: in order of onset.
        label: the part's name, or its number.
        how: "name", "notes", "skyline" (the top of a polyphonic part, or of all), or "asked".
        number: the track's, from 1; 0 where the notes are of all tracks.
        remark: where another part was nearly chosen instead, that it was; else empty.
    """

    notes: tuple[RawNote, ...]
    label: str
    how: str
    number: int
    remark: str = ""


def choose_melody(raw: RawFile, track: str = "auto", min_notes: int = 8, max_rest_bars: int = 2) -> Choice:
    """The melody of a file: the first of `likeliest_melodies`."""
    return next(likeliest_melodies(raw, track, min_notes, max_rest_bars))


def likeliest_melodies(
    raw: RawFile, track: str = "auto", min_notes: int = 8, max_rest_bars: int = 2
) -> Iterator[Choice]:
    """What may be the melody of a file, the likeliest first; at least one.

    Args:
        raw: the file.
        track: "auto", "top" (the part that is highest most of the time), a track's number from 1, its name, its
            General MIDI instrument, or "skyline" (the highest notes of all). Only "auto" may give several.
        min_notes: parts that have no stretch of so many notes come last.
        max_rest_bars: a longer rest ends a stretch.

    Raises:
        MidiError: there is none; its message lacks the file's name.
    """
    if not any(part.notes for part in raw.tracks):
        raise MidiError("has no notes; leave it out.")
    quarter = raw.ticks_per_quarter
    if track == "skyline":
        notes = [note for part in raw.tracks for note in part.notes if note.channel != PERCUSSION]
        yield _choice(Part(0, "all tracks", tuple(sorted(notes))), quarter, "skyline")
        return
    if track not in ("auto", "top"):
        yield _choice(_asked_for(raw, track), quarter, "asked")
        return
    parts = melodic_parts(raw)
    if not parts:
        raise MidiError("has only percussion (channel 10); leave it out.")
    longest = max_rest_bars * QUARTERS_OF_A_BAR * quarter
    if len(parts) == 1:
        yield _choice(parts[0], quarter, "asked" if track == "top" else "notes")
        return
    table, usable = features(parts, quarter, longest, min_notes)
    able = usable > 0
    if track == "top":
        heard_highest = table[:, FEATURES.index("top")]
        yield _choice(parts[max(range(len(parts)), key=lambda n: (able[n], heard_highest[n]))], quarter, "asked")
        return
    chances = probabilities(table, able)
    nats = np.log(chances)  # tells those apart that are all but impossible
    # Equal parts of other order or number are equally likely: their notes, then their names decide.
    order = sorted(
        range(len(parts)), key=lambda n: (not able[n], -round(float(nats[n]), 4), parts[n].notes, parts[n].name)
    )
    for place, number in enumerate(order):
        part = parts[number]
        how = "name" if name_claim(part.name).melody >= SURE_NAME else "notes"
        yield _choice(part, quarter, how, _remark(parts, chances, order[place:]))


def probabilities(
    table: Array,
    able: Array,
    weights: Mapping[str, float] = WEIGHTS,
    compare: Callable[[Array], Array] = track_trees.log_odds,
) -> Array:
    """(P,) that each of P parts is the melody, of their `features` (P, F); `able`: (P,) whether it can give one.

    Two stages. A sum of weights tells the parts that may be the melody; of the `CLOSEST` likeliest each is then
    compared with each other by trees that see both, since what speaks for one part depends on the other: of two parts
    that sing, the one that is heard more often is the melody, but not of a tune and its accompaniment.

    Args:
        table: (P, F).
        able: (P,) bool; parts that are not come last.
        weights: of each feature.
        compare: as `melodygru.formats.midi.track_trees.log_odds`.
    """
    first = table @ np.array([weights[name] for name in FEATURES])
    scores = first - 1000.0 * ~able
    closest = np.argsort(-scores, kind="stable")[:CLOSEST]
    closest = closest[able[closest]] if able.any() else closest
    if len(closest) > 1:
        seen = len(OWN) + len(BESIDE)
        pairs = [(i, j) for i in range(len(closest)) for j in range(len(closest)) if i != j]
        mine, other = (closest[[pair[side] for pair in pairs]] for side in (0, 1))
        beats = np.zeros((len(closest), len(closest)))
        beats[tuple(zip(*pairs, strict=True))] = compare(np.hstack([table[mine, :seen], table[other, :seen]]))
        told = table[closest, seen:] @ np.array([weights[name] for name in TOLD])
        duels = (beats - beats.T).sum(1) / 2 / (len(closest) - 1) + told
        scores = scores - scores[closest].max() + duels.min() - 1.0  # all others come after
        scores[closest] = duels
    odds = np.exp(np.maximum(scores - scores.max(), -700.0))
    return np.asarray(odds / odds.sum())


def melodic_parts(raw: RawFile) -> list[Part]:
    """Tracks split by channel, since type 0 files keep all instruments in one track; those of percussion left out."""
    parts = []
    elsewhere = _programs_told_elsewhere(raw)
    for track in raw.tracks:
        channels = {note.channel for note in track.notes}
        for channel in sorted(channels - {PERCUSSION}):
            notes = track.notes if len(channels) == 1 else tuple(n for n in track.notes if n.channel == channel)
            program = track.programs.get(channel, elsewhere.get(channel))
            parts.append(Part(track.number, track.name, notes, program, track.lyrics))
    if len(parts) > MOST_PARTS:
        parts = sorted(parts, key=lambda part: (-len(part.notes), part.notes))[:MOST_PARTS]
    return parts


def _programs_told_elsewhere(raw: RawFile) -> dict[int, int]:
    """Programs by channel that tracks without notes tell, where they agree: some files tell all in the first track."""
    told: dict[int, set[int]] = {}
    for track in raw.tracks:
        if not track.notes:
            for channel, program in track.programs.items():
                told.setdefault(channel, set()).add(program)
    return {channel: programs.pop() for channel, programs in told.items() if len(programs) == 1}


def _remark(parts: list[Part], chances: Array, order: list[int]) -> str:
    """That the first in that order was chosen narrowly over the second, where it was."""
    if len(order) < 2 or chances[order[0]] - chances[order[1]] >= NARROW:
        return ""
    first, second = (parts[number] for number in order[:2])
    if [note.pitch for note in first.notes] == [note.pitch for note in second.notes]:
        return ""  # doubled, or an echo
    told = [f"track {_shown(part.name)!r}" if part.name else part.label for part in (first, second)]
    if told[0] == told[1]:
        told = [f"{one}, channel {part.notes[0].channel + 1}" for one, part in zip(told, (first, second), strict=True)]
    return f"{told[0]} chosen narrowly over {told[1]}"


def _shown(name: str) -> str:
    """A name as messages have it."""
    return name if len(name) <= SHOWN else name[: SHOWN - 1] + "…"


def _asked_for(raw: RawFile, track: str) -> Part:
    """The part that a number, a name or an instrument means."""
    sounding = [part for part in raw.tracks if part.notes]
    wanted = track.casefold()
    found = [part for part in sounding if str(part.number) == track]
    found = found or [part for part in sounding if part.name.casefold() == wanted]
    found = found or [part for part in sounding if wanted in part.name.casefold()]
    if found:
        return Part(found[0].number, found[0].name, found[0].notes)
    parts = melodic_parts(raw)
    played = [part for part in parts if part.program is not None and _is_instrument(part.program, track)]
    if played:
        return max(played, key=lambda part: len(part.notes))
    names = [f"{part.number} {_shown(part.name)}".strip() for part in sounding]
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    heard = sorted({program_name(part.program) for part in parts if part.program is not None})
    told = f"; their instruments: {', '.join(heard[:LISTED])}" if heard else ""
    listed = f"{', '.join(names[:LISTED])}{more}{told}"
    raise MidiError(f"has no track {track!r} with notes; those with notes are: {listed}.")


def _is_instrument(program: int, wanted: str) -> bool:
    """Whether a General MIDI program is what a text means: "violin", "voice oohs", "program 40"."""
    number = wanted.casefold().removeprefix("program").strip()
    if number.isdecimal():
        return wanted.casefold().startswith("program") and int(number[:4]) == program
    words = set(words_of(wanted))
    return bool(words) and words <= set(words_of(program_name(program)))


def _choice(part: Part, ticks_per_quarter: int, how: str, remark: str = "") -> Choice:
    notes, polyphonic = one_line(part.notes, ticks_per_quarter, top=how == "skyline")
    return Choice(notes, part.label, "skyline" if polyphonic and how == "notes" else how, part.number, remark)
