"""Does what was filled in lead on to what follows? Nats per note of the bars after a gap, filled and original.

    python benchmarks/infill.py FOLDER [--model folk] [--tunes 200] [--gap 4]

Of each tune of FOLDER, which the model should not have seen, a gap in the middle is filled. Judged are the eight bars
after it, under the same model: after the original's bars, after the filling that was chosen, after the first filling
drawn (no choice), and after the bars of another tune of the same metre, as near in pitch as octaves go. "Inside" are
the nats per note of the gap itself; "same" is how many of the original's notes a filling has.
"""

import argparse
import statistics
from dataclasses import replace
from pathlib import Path

import numpy as np

from melodygru import load_model
from melodygru.formats.reading import read_melodies
from melodygru.network.likelihood import event_nats
from melodygru.network.tokenizer import REST, Tokenizer
from melodygru.writing.config import GenerationConfig
from melodygru.writing.infilling import WEIGHED_BARS, gap_of, infill
from melodygru.writing.rewriting import span_of


def nats_after_and_inside(model, melody, span):
    """Nats per note of the eight bars after the span, and within it."""
    events = Tokenizer(model.checkpoint.tokenizer_config).encode(melody)
    nats = event_nats(model.engine, [events])[0]
    onsets = np.cumsum(events.durations) - events.durations
    stop = span[1] + WEIGHED_BARS * melody.time_signature.bar_steps
    found = []
    for start, end in ((span[1], stop), span):
        inside = (onsets >= start) & (onsets < end)
        found.append(nats[inside].sum() / max((events.pitches[inside] < REST).sum(), 1))
    return found


def with_bars_of(melody, other, span):
    """The melody with the notes of another's span in place of its own, moved by octaves towards it."""
    start, end = span
    own = [note.pitch for note in melody.notes if start <= note.onset < end]
    new = [replace(n, duration=min(n.duration, end - n.onset)) for n in other.notes if start <= n.onset < end]
    if not own or not new:
        return None
    shift = 12 * round((statistics.fmean(own) - statistics.fmean(note.pitch for note in new)) / 12)
    moved = [replace(note, pitch=min(127, max(0, note.pitch + shift))) for note in new]
    kept = [replace(n, duration=min(n.duration, start - n.onset)) for n in melody.notes if n.onset < start]
    return replace(melody, notes=(*kept, *moved, *(n for n in melody.notes if n.onset >= end)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="folk")
    parser.add_argument("--tunes", type=int, default=200)
    parser.add_argument("--gap", type=int, default=4)
    arguments = parser.parse_args()
    model, gap = load_model(arguments.model), arguments.gap
    tunes = [melody for file in sorted(arguments.folder.rglob("*.mid")) for melody in read_melodies(file)[:1]]
    tunes = [tune for tune in tunes if tune.bars >= 2 * gap + 4]
    judged = {"original": [], "filled": [], "first filling drawn": [], "another tune's bars": []}
    same, counted = [], 0
    for number, tune in enumerate(tunes):
        if counted == arguments.tunes:
            break
        first = (tune.bars - gap) // 2 + 1
        span = span_of(tune, first, first + gap - 1)
        near = [other for other in tunes[number + 1 :] + tunes[:number] if other.time_signature == tune.time_signature]
        swapped = next((made for other in near if (made := with_bars_of(tune, other, span)) is not None), None)
        if swapped is None:
            continue
        whole = gap_of(tune, span)
        filled = infill(model, tune, span, GenerationConfig(max_copy=0), number).melody
        plain = infill(model, tune, span, GenerationConfig(max_copy=0), number, only=0).melody
        for name, melody in zip(judged, (tune, filled, plain, swapped), strict=True):
            judged[name].append(nats_after_and_inside(model, melody, whole))
        own = {(note.onset, note.pitch) for note in tune.notes if span[0] <= note.onset < span[1]}
        new = {(note.onset, note.pitch) for note in filled.notes if span[0] <= note.onset < span[1]}
        same.append(len(own & new) / max(len(own), 1))
        counted += 1
    print(f"{counted} tunes, a gap of {gap} bars in the middle")
    print("| in the gap | nats per note after it | against the original | inside |")
    print("| :--- | ---: | ---: | ---: |")
    base = statistics.fmean(after for after, _ in judged["original"])
    for name, figures in judged.items():
        after, inside = (statistics.fmean(column) for column in zip(*figures, strict=True))
        print(f"| {name} | {after:.3f} | {after / base - 1:+.1%} | {inside:.3f} |")
    print(f"same {statistics.fmean(same):.1%} of the original's notes")


if __name__ == "__main__":
    main()
