"""Do sections contrast, share a motif and lead over? Parts of a song, beside the same form in plain letters.

    python benchmarks/sections.py [--model repertoire] [--count 48] [--form "V8 C8 V8 C8"] [--seed 1]

Every candidate counts, not the best alone. "Higher": semitones from the mean pitch of the verse to that of the chorus.
"Notes": notes a bar of either. "Motif": the share of notes (Dice's coefficient over place and length, in percent) that
the first two bars of both have in common; "of others": the same of a chorus and the verses of other songs. Over a seam
where another section follows: a step is two semitones at most; a full close is a last note on the tonic of half a bar
or more; silence is counted in beats. Where a repeat is followed that ends the piece too, nothing is counted: a piece
has to end.
"""

import argparse
import time
from bisect import bisect_left
from itertools import pairwise
from statistics import mean

from melodygru import load_model
from melodygru.writing.candidates import Order
from melodygru.writing.config import GenerationConfig
from melodygru.writing.sections import of_a_song
from melodygru.writing.styles import styled, written_out


def section_notes(melody, start, end):
    """Notes of a half-open range of bars, with onsets from its beginning."""
    bar = melody.time_signature.bar_steps
    return [
        (note.onset - start * bar, note.duration, note.pitch)
        for note in melody.notes
        if start * bar <= note.onset < end * bar
    ]


def motif(notes, bar, bars=2):
    return {(onset, min(duration, bars * bar - onset)) for onset, duration, _ in notes if onset < bars * bar}


def alike(one, two):
    return 200 * len(one & two) / max(len(one) + len(two), 1)


def over_seam(melody, at):
    """The interval over the bar line `at` in semitones, whether it is a full close, and the silence in beats."""
    metre = melody.time_signature
    place = bisect_left([note.onset for note in melody.notes], at * metre.bar_steps)
    last, first = melody.notes[place - 1], melody.notes[place]
    closes = last.pitch % 12 == melody.key.tonic and last.duration >= metre.bar_steps // 2
    return abs(first.pitch - last.pitch), closes, (first.onset - last.end) / metre.beat_steps


def row(name, melodies, config):
    form = config.parsed_form
    placed = list(form.placed(config.section_lengths()))
    bar = config.time_signature.bar_steps
    begin = {section.letter: (start, end) for section, start, end in reversed(placed)}
    verses, choruses = ([section_notes(one, *begin[letter]) for one in melodies] for letter in "VC")
    pitch = [[mean(p for *_, p in notes) for notes in part] for part in (verses, choruses)]
    higher = [two - one for one, two in zip(*pitch, strict=True)]
    own = [alike(motif(v, bar), motif(c, bar)) for v, c in zip(verses, choruses, strict=True)]
    other = [alike(motif(verses[n - 1], bar), motif(c, bar)) for n, c in enumerate(choruses)]
    ending = placed[-1][0].letter
    places = [start for (before, *_), (section, start, _) in pairwise(placed) if before.letter != ending]
    seams = [over_seam(one, at) for one in melodies for at in places]
    v, c = (
        mean(len(notes) / (end - start) for notes in part)
        for part, (start, end) in ((verses, begin["V"]), (choruses, begin["C"]))
    )
    print(
        f"| {name} | {mean(higher):+.1f} | {mean(h >= 2 for h in higher):.0%} | {v:.1f} / {c:.1f} | {mean(own):.0f} | "
        f"{mean(other):.0f} | {mean(i <= 2 for i, *_ in seams):.0%} | {mean(i <= 4 for i, *_ in seams):.0%} | "
        f"{mean(close for _, close, _ in seams):.0%} | {max(rest for *_, rest in seams):.1f} |",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="repertoire")
    parser.add_argument("--count", type=int, default=48)
    parser.add_argument("--form", default="V8 C8 V8 C8")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    model = load_model(arguments.model)
    plain = written_out(styled(GenerationConfig(form=arguments.form), model.context, model.default_style))
    print(
        "| form | higher | by 2 or more | notes: verse / chorus | motif | of others | seams: step | third or less "
        "| full close | longest silence |"
    )
    print("| :--- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, config in (("plain letters", plain), ("parts of a song", of_a_song(plain))):
        began, order = time.process_time(), Order(config, arguments.seed)
        drawn = model.draw_window(order, model.planned(order), 0, arguments.count, False)
        seconds = time.process_time() - began
        row(name, [one.generated.melody for one in drawn], config)
        print(f"{seconds:.1f} s")


if __name__ == "__main__":
    main()
