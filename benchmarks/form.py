"""Do forms come out as asked? The share of notes that stand again in a repeated section, asked against got.

    python benchmarks/form.py [--model folk] [--count 50] [--section-bars 8]

Reads the written bytes back. A letter that comes again asks for all of its first section's notes, one with primes for
those of the bars that it keeps; other letters ask for nothing, and what they share is what any two sections would.
"Joins" tells how well the model explains the first two bars after a repeat begins: 1 where they are no less probable
than the rest, exp(-1) where by a nat an event. The last row is the same length without a form.
"""

import argparse
from collections import defaultdict

from melodygru import load_model
from melodygru.formats.midi.extraction import extract
from melodygru.formats.midi.parser import parse_midi
from melodygru.formats.midi.writer import midi_bytes
from melodygru.music.form import Form, stretches
from melodygru.writing.config import GenerationConfig


def kept_bars(form, bars, number):
    """Bars of section `number` that are to be the same as in its letter's first section: (bar there, bar here)."""
    start = number * bars
    parts = stretches(form, [bars] * len(form.sections))
    parts = [part for part in parts if start <= part.start < start + bars and part.source is not None]
    return [(part.source, part.start, part.end - part.start) for part in parts]


def sections_of(melody, bars):
    bar = melody.time_signature.bar_steps
    found = defaultdict(set)
    for note in melody.notes:
        number, place = divmod(note.onset, bars * bar)
        found[number].add((place, note.pitch, note.duration))
    return found


def measure(form, bars, melodies):
    """Shares asked and got, by kind of repeat, and what other letters have in common."""
    shares = defaultdict(list)
    for melody in melodies:
        found, bar = sections_of(melody, bars), melody.time_signature.bar_steps
        for number, section in enumerate(form.sections):
            for other in range(number):
                earlier = form.sections[other]
                first, here = found[other], found[number]
                got = len(first & here) / len(here)
                if earlier == section:
                    shares["same letter", 1.0].append(got)
                    break
                if earlier.letter == section.letter and not earlier.primes:
                    kept = kept_bars(form, bars, number)
                    asked = sum(
                        any(there <= other * bars + place / bar < there + many for there, _, many in kept)
                        for place, _, _ in first
                    ) / len(first)
                    again = [note for note in first if note in here]
                    shares[f"{section} of {earlier}", "asked"].append(asked)
                    shares[f"{section} of {earlier}", "got"].append(len(again) / len(first))
                    break
                if earlier.letter != section.letter:
                    shares["other letters", 0.0].append(got)
    return shares


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="folk")
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--section-bars", type=int, default=8)
    arguments = parser.parse_args()
    model, bars = load_model(arguments.model), arguments.section_bars
    print("| form | section | asked | got | joins |")
    print("| :--- | :--- | ---: | ---: | ---: |")
    for text in ("AABA", "ABAC", "AA'BA''"):
        form = Form.parse(text)
        # One candidate each: what is measured here is the form, not the choice among candidates.
        config = GenerationConfig(form=text, section_bars=bars, best_of=arguments.count * 2)
        done = model.compose(config, 1, arguments.count)
        melodies = [extract(parse_midi(midi_bytes(one.melody)), "tune").melodies[0] for one in done]
        joins = [one.rating.joins for one in done if one.rating is not None and one.rating.joins is not None]
        shares = measure(form, bars, melodies)
        mean = {key: sum(values) / len(values) for key, values in shares.items()}
        for name in dict.fromkeys(name for name, _ in mean):
            rows = {what: value for (kind, what), value in mean.items() if kind == name}
            asked = rows.pop("asked", None)
            got = next(iter(rows.values()))
            asked = next(iter(rows)) if asked is None else asked
            print(f"| {text} | {name} | {asked:.1%} | {got:.1%} | {sum(joins) / len(joins):.2f} |", flush=True)
    plain = model.compose(GenerationConfig(bars=4 * bars), 1, arguments.count)
    shares = measure(Form.parse("ABCD"), bars, [one.melody for one in plain])
    print(f"| none | any two of four | - | {sum(map(sum, shares.values())) / sum(map(len, shares.values())):.1%} | - |")


if __name__ == "__main__":
    main()
