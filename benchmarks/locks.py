"""Do locks hold? Random locks over real and generated melodies: what was locked, what was free, and what failed.

    python benchmarks/locks.py PIECES.jsonl [--first 0] [--count 2500] [--model folk] [--candidates 2]

PIECES.jsonl is the repertoire (docs/repertoire.md); of its held-out pieces a window of 2 to 6 bars is taken each time,
and every fourth melody is written by the model instead. Each lock has 1 to 4 places (bars, beats or single notes), each
of which keeps notes, rhythm or pitches; every second one goes with bars to write. What is locked is judged from the
text of the lock alone, note by note. Draws in which every note stays and no silence is open lock everything: they are
drawn anew, and counted apart. Every other refusal is a failure. Prints one line, to be added up over slices.
"""

import argparse
import json
import time
from random import Random

from melodygru import Key, Melody, Note, TimeSignature, load_model
from melodygru.errors import MelodyGRUError
from melodygru.writing.config import GenerationConfig
from melodygru.writing.infilling import infill, whole_of
from melodygru.writing.locks import Locks
from melodygru.writing.rewriting import span_of

KINDS = ("lock", "lock_rhythm", "lock_pitches")


def held_out(path):
    with open(path, encoding="utf-8") as lines:
        pieces = (json.loads(line) for line in lines)
        return [piece for piece in pieces if piece["split"] != "train" and piece["bars"] >= 4]


def window(piece, chance):
    """Two to six bars of a piece, from some bar line on; None where fewer than four notes begin there."""
    metre = TimeSignature(*piece["metre"])
    bar, shift = metre.bar_steps, 1 if piece["pickup"] else 0
    bars = min(chance.randint(2, 6), piece["bars"])
    start = (chance.randint(0, piece["bars"] - bars) + shift) * bar
    notes = [
        Note(pitch, onset - start, min(onset + duration, start + bars * bar) - onset)
        for onset, duration, pitch in piece["notes"]
        if start <= onset < start + bars * bar
    ]
    if len(notes) < 4:
        return None
    return Melody(tuple(notes), metre, Key(piece["tonic"], piece["mode"]), piece["qpm"], "", 0, bars)


def place(melody, chance):
    kind, bars, beats = chance.choice(("bars", "beats", "notes")), melody.bars, melody.time_signature
    if kind == "notes":
        first = chance.randint(1, len(melody.notes))
        return f"n{first}-{min(first + chance.randint(0, 5), len(melody.notes))}"
    first = chance.randint(1, bars)
    if kind == "bars":
        return f"{first}-{min(first + chance.randint(0, 2), bars)}"
    most = -(-beats.bar_steps // beats.beat_steps)
    beat = chance.randint(1, most)
    return f"{first}:{beat}-{chance.randint(beat, most)}"


def steps_of(text, melody):
    """The half-open range of steps that one place means, read on its own."""
    bar, beat = melody.time_signature.bar_steps, melody.time_signature.beat_steps
    if text[0] == "n":
        first, last = map(int, text[1:].split("-"))
        return melody.notes[first - 1].onset, melody.notes[last - 1].end
    if ":" in text:
        number, beats = text.split(":")
        first, last = map(int, beats.split("-"))
        start = (int(number) - 1) * bar
        return start + (first - 1) * beat, start + min(last * beat, bar)
    first, last = map(int, text.split("-"))
    return (first - 1) * bar, last * bar


def stays(note, span, places):
    """What of a note is locked: "notes" (all of it), "lock_rhythm", "lock_pitches" or "nothing"."""
    inside = span[0] <= note.onset < span[1]
    named = {kind for kind in KINDS if any(start <= note.onset < end for start, end in places[kind])}
    if not inside or "lock" in named or {"lock_rhythm", "lock_pitches"} <= named:
        return "notes"
    return named.pop() if named else "nothing"


def is_full(melody, span, places):
    """Whether everything stays: every note of the span whole, and no silence in it that no place holds."""
    held = {step for note in melody.notes for step in range(note.onset, note.end)}
    held |= {step for spans in places.values() for start, end in spans for step in range(start, end)}
    return all(stays(note, span, places) == "notes" for note in melody.notes) and held.issuperset(range(*span))


def judged(before, after, span, places):
    """What of the locks does not hold, and whether anything free changed (None: no note was free)."""

    def kept(note):
        return stays(note, span, places)

    there = {(note.onset, note.duration, note.pitch) for note in after.notes}
    rhythms = {(note.onset, note.duration) for note in after.notes}
    wrong, changed = [], None
    for note in before.notes:
        kind = kept(note)
        same = (note.onset, note.duration, note.pitch) in there
        if kind != "notes":
            changed = bool(changed) or not same
        if (kind == "notes" and not same) or (kind == "lock_rhythm" and (note.onset, note.duration) not in rhythms):
            wrong.append((kind, note))
    # Pitches in order: those of each run of such notes, without silence between them that no place holds.
    run = []
    for note in (*before.notes, None):
        goes_on = note is not None and kept(note) == "lock_pitches"
        covered = goes_on and all(
            any(start <= step < end for start, end in places["lock_pitches"])
            for step in range(run[-1].end if run else note.onset, note.onset)
        )
        if run and not covered:
            if not in_order([one.pitch for one in run], [one.pitch for one in after.notes]):
                wrong.append(("lock_pitches", run[0]))
            run = []
        run += [note] if goes_on else []
    return wrong, changed


def in_order(row, among):
    return any(among[at : at + len(row)] == row for at in range(len(among) - len(row) + 1))


def drawn(number, written, pieces, chance):
    """A melody, what is locked of it, and the span to write."""
    melody = None
    while melody is None:
        melody = chance.choice(written) if number % 4 == 0 else window(chance.choice(pieces), chance)
    said = {}
    for _ in range(chance.randint(1, 4)):
        kind, one = chance.choice(KINDS), place(melody, chance)
        said[kind] = f"{said[kind]},{one}" if kind in said else one
    if number % 2 == 0:
        return melody, said, whole_of(melody)
    first = chance.randint(1, melody.bars)
    return melody, said, span_of(melody, first, chance.randint(first, melody.bars))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pieces")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=2500)
    parser.add_argument("--model", default="folk")
    parser.add_argument("--candidates", type=int, default=2)
    arguments = parser.parse_args()
    model, pieces = load_model(arguments.model), held_out(arguments.pieces)
    written = model.generate_many(60, 4, seed=1) + model.generate_many(40, 4, meter="6/8", seed=2)
    counts = dict.fromkeys(("locks", "drawn anew", "failed", "broken", "unchanged", "silent"), 0)
    begun = time.perf_counter()
    for number in range(arguments.first, arguments.first + arguments.count):
        chance = Random(f"locks {number}")
        while True:
            melody, said, span = drawn(number, written, pieces, chance)
            places = {kind: [steps_of(one, melody) for one in said.get(kind, "").split(",") if one] for kind in KINDS}
            if not is_full(melody, span, places):
                break
            counts["drawn anew"] += 1
        counts["locks"] += 1
        locks = Locks.of(said, melody)
        try:
            done = infill(model, melody, span, GenerationConfig(max_copy=0), number, arguments.candidates, locks=locks)
        except MelodyGRUError as error:
            counts["failed"] += 1
            print(number, said, span, error, flush=True)
            continue
        wrong, changed = judged(melody, done.melody, span, places)
        counts["broken"] += bool(wrong)
        counts["unchanged"] += changed is False
        counts["silent"] += changed is None
        if wrong or changed is False:
            print(number, said, span, wrong[:2], changed, flush=True)
    took = time.perf_counter() - begun
    print(", ".join(f"{many} {what}" for what, many in counts.items()), f"in {took:.0f} s", flush=True)


if __name__ == "__main__":
    main()
