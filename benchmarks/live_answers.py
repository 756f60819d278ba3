"""Does the answer answer? Answers of `melodygru jam` beside their own calls, and beside calls of others.

    python benchmarks/live_answers.py FOLDER [--calls 120] [--bars 2] [--show 20]

Calls are bars of the melodies in a folder that the model has not learned from. Each is answered as it is live. How
alike an answer and a call are is told by numbers that know nothing of the key: how far their mean pitches lie apart,
how their numbers of notes differ, and how much of the answer's motifs (three notes: two intervals, two times between
onsets) and of their rhythms stands in the call. Each answer is compared with its call, and, paired with that, with the
call of another melody in the same metre. The p-values are of a sign-flip permutation test over the pairs.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np

from melodygru.errors import MelodyGRUError
from melodygru.formats.reading import read_melodies
from melodygru.live.composing import Ask, answered
from melodygru.live.listening import heard_melody
from melodygru.music.melody import Melody, Note
from melodygru.music.theory import pitch_name
from melodygru.writing.model import load_model

LEAST_NOTES = 5
FLIPS = 10_000


def calls_of(folder: Path, bars: int) -> list[Melody]:
    """One call of each melody: bars 3 and on, if enough sounds there; the key is heard, as it is live."""
    found = []
    for path in sorted(folder.rglob("*.*")):
        try:
            melodies = read_melodies(path)
        except MelodyGRUError:
            continue
        for melody in melodies[:1]:
            bar = melody.time_signature.bar_steps
            start = (2 + bool(melody.pickup)) * bar
            end = start + bars * bar
            notes = [
                replace(note, onset=note.onset - start, duration=min(note.duration, end - note.onset))
                for note in melody.notes
                if start <= note.onset < end
            ]
            if len(notes) >= LEAST_NOTES:
                found.append(heard_melody(notes, bars, melody.time_signature, None, melody.qpm))
    return found


def motifs(notes: Sequence[Note]) -> list[tuple[int, int, int, int]]:
    """Of every three notes in a row the two intervals and the two times between onsets."""
    return [
        (two.pitch - one.pitch, three.pitch - two.pitch, two.onset - one.onset, three.onset - two.onset)
        for one, two, three in zip(notes, notes[1:], notes[2:], strict=False)
    ]


def rhythms(notes: Sequence[Note]) -> list[tuple[int, ...]]:
    """The same, without the intervals."""
    return [motif[2:] for motif in motifs(notes)]


def shared(one: Sequence[object], two: Sequence[object]) -> float:
    """The share of `one` that stands in `two`."""
    return sum(motif in two for motif in one) / max(len(one), 1)


def compared(answer: Sequence[Note], call: Sequence[Note]) -> tuple[float, float, float, float]:
    """Semitones between the mean pitches, the ratio of numbers of notes as a logarithm, shared motifs and rhythms."""
    apart = abs(float(np.mean([n.pitch for n in answer])) - float(np.mean([n.pitch for n in call])))
    return (
        apart,
        abs(math.log(len(answer) / len(call))),
        shared(motifs(answer), motifs(call)),
        shared(rhythms(answer), rhythms(call)),
    )


def chance_of(differences: np.ndarray, rng: np.random.Generator) -> float:
    """How often a mean as large comes by chance, if each difference may as well have the other sign."""
    signs = rng.choice((-1.0, 1.0), (FLIPS, len(differences)))
    return float((np.abs(signs @ differences) >= abs(differences.sum()) - 1e-9).mean())


def written(notes: Sequence[Note]) -> str:
    """Notes in a line: pitch and quarters."""
    return " ".join(f"{pitch_name(note.pitch)}/{note.duration / 24:g}" for note in notes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--calls", type=int, default=120)
    parser.add_argument("--bars", type=int, default=2)
    parser.add_argument("--show", type=int, default=0, help="so many answers with their calls")
    options = parser.parse_args()
    model, chance = load_model(), Random(1)
    calls = calls_of(options.folder, options.bars)
    chance.shuffle(calls)
    calls = calls[: options.calls]
    pairs = []
    for number, call in enumerate(calls):
        metre = call.time_signature
        start = options.bars * metre.bar_steps
        answer = answered(model, Ask(number, "answer", options.bars, metre, number, call, start))
        if len(answer.notes) > 2:
            pairs.append((call, answer))
        if number < options.show:
            print(f"{metre} {call.key}\n  call   {written(call.notes)}\n  answer {written(answer.notes)}")
    own, others = [], []
    for call, answer in pairs:
        rest = [other for other, _ in pairs if other is not call and other.time_signature == call.time_signature]
        if rest:
            own.append(compared(answer.notes, call.notes))
            others.append(compared(answer.notes, chance.choice(rest).notes))
    mine, theirs, rng = np.array(own), np.array(others), np.random.default_rng(1)
    times = sorted(answer.seconds for _, answer in pairs)
    print(f"{len(own)} calls of {options.bars} bars; written in {times[len(times) // 2] * 1000:.0f} ms (median)")
    names = ("mean pitches apart, semitones", "log ratio of notes", "motifs that stand in the call", "rhythms that do")
    for place, name in enumerate(names):
        one, two = mine[:, place], theirs[:, place]
        print(f"{name:32} own call {one.mean():.3f}, another's {two.mean():.3f}, p {chance_of(one - two, rng):.4f}")


if __name__ == "__main__":
    main()
