"""Every wish is kept to the letter: random combinations over random metres, judged on the written file."""

import random
import time

import pytest

from melodygru.errors import SamplingError, UsageError
from melodygru.formats.midi.writer import midi_bytes
from melodygru.music.theory import Key
from melodygru.writing.config import GenerationConfig
from melodygru.writing.model import Model
from tests.networks import checkpoint
from tests.wish_checker import SCALES, SHAPES, chord_of, violations

METRES = ["4/4", "4/4", "3/4", "6/8", "2/4", "5/4", "7/8", "9/8", "12/8", "2/2", "3/8", "5/8"]
KEYS = ["C", "A minor", "D dorian", "Bb", "F# minor", "E mixolydian", "G lydian", "Eb major", "B phrygian", "C locrian"]
SYMBOLS = ["C", "Am", "F", "G7", "Dm7", "Bdim", "Ebmaj7", "F#m7b5", "Asus4", "N.C.", "Caug", "Gsus2", "Bb/D", "E7"]
FORMS = ["AABA", "ABAC", "AA'BA''", "AAB", "AA'"]


def random_wishes(chance):
    """Options by name, some of which may contradict each other."""
    wishes = {"bars": chance.choice([1, 2, 3, 4, 6, 8, 12]), "meter": chance.choice(METRES), "key": chance.choice(KEYS)}

    def maybe(name, value, share=0.25):
        if chance.random() < share:
            wishes[name] = value

    maybe("scale", chance.choice(list(SCALES)))
    if "scale" in wishes:
        maybe("scale_mode", chance.choice(["strict", "soft"]))
    low = chance.randrange(0, 5)
    maybe("range", f"{chance.choice('CDEFGAB')}{low + 1}:{chance.choice('CDEFGAB')}{low + chance.randrange(2, 4)}")
    maybe("max_leap", chance.choice([2, 3, 4, 5, 7, 12]))
    maybe("density", chance.choice([1, 2.5, 4, 5, 7, 9]))
    maybe("contour", chance.choice(list(SHAPES)), 0.2)
    maybe("rests", chance.choice(["none", "few", "some"]))
    maybe("grid", chance.choice(["1/4", "1/8", "1/8", "1/16", "1/32"]))
    maybe("triplets", chance.random() < 0.5)
    maybe("end_on", chance.choice(["tonic", "chord", "any"]), 0.4)
    maybe("pickup", chance.choice(["1/4", "1/8", "3/8"]), 0.15)
    maybe("no_repeat_notes", chance.choice([1, 2, 3]))
    if chance.random() < 0.3:
        wishes["chords"] = " ".join(chance.choice(SYMBOLS) for _ in range(chance.randrange(1, 5)))
        maybe("chord_mode", chance.choice(["strict", "soft"]), 0.3)
    if chance.random() < 0.2:
        wishes["form"] = chance.choice(FORMS)
        letters = sum(letter.isalpha() for letter in wishes["form"])
        wishes["bars"] = letters * chance.choice([1, 2, 4])
    return wishes


def judge(model, rounds, count, start=0):
    """Violations over `rounds` random combinations, `count` melodies of each; how many melodies; what was refused."""
    found, melodies, refused = [], 0, []
    for seed in range(start, start + rounds):
        wishes = random_wishes(random.Random(seed))
        try:
            config = GenerationConfig.from_dict(wishes)
            done = model.compose(config, seed, count)
        except (UsageError, SamplingError) as error:
            refused.append((wishes, error))
            continue
        for one in done:
            data = midi_bytes(one.melody)
            found += [(seed, wishes, fault) for fault in violations(data, wishes, Key.parse(wishes["key"]).tonic)]
            melodies += 1
    return found, melodies, refused


@pytest.fixture(scope="module")
def model():
    return Model(checkpoint(seed=2), "toy")


@pytest.mark.parametrize("rounds", [60, pytest.param(120, marks=pytest.mark.slow)])
def test_random_wishes_are_kept_or_refused_in_a_sentence(model, rounds):
    found, melodies, refused = judge(model, rounds, 2)
    assert not found
    assert melodies >= 1.25 * rounds
    for wishes, error in refused:
        # A refusal names what contradicts what; a search that gave up would be no refusal.
        assert isinstance(error, UsageError), (wishes, error)
        assert "--" in str(error)


@pytest.mark.slow
def test_ten_thousand_melodies_keep_every_wish(model):
    began = time.monotonic()
    found, melodies, refused = [], 0, []
    start = 1000
    while melodies < 10_000:
        more = judge(model, 100, 4, start)
        found, melodies, refused, start = found + more[0], melodies + more[1], refused + more[2], start + 100
    # Where so many wishes leave fewer melodies than were asked for, that is told too, and no giving up.
    given_up = [
        w for w, error in refused if isinstance(error, SamplingError) and "different melodies" not in str(error)
    ]
    print(f"{melodies} melodies, {len(found)} violations, {len(refused)} of {start - 1000} combinations refused as ")
    print(f"contradictory, {len(given_up)} given up; {time.monotonic() - began:.0f} s")
    assert not found
    assert not given_up


def test_the_checker_sees_what_is_wrong(model):
    """A judge that never finds anything would be no judge: each wish is held against melodies made without it."""
    blind = []
    for wish in (
        {"range": "C5:E5"},
        {"max_leap": 2},
        {"contour": "arch"},
        {"no_repeat_notes": 1},
        {"scale": "minor pentatonic"},
        {"density": 24},
        {"grid": "1/4"},
        {"rests": "none"},
        {"rests": "some"},
        {"chords": "F#dim"},
        {"end_on": "chord", "chords": "F#dim"},
        {"form": "AAAA"},
        {"pickup": "1/4"},
        {"bars": 7},
        {"meter": "3/4"},
    ):
        base = {"bars": 8, "meter": "4/4", "key": "C"}
        files = [midi_bytes(one.melody) for one in model.compose(GenerationConfig.from_dict(base), 1, 10)]
        if not any(violations(data, {**base, **wish}, 0) for data in files):
            blind.append(wish)
    assert not blind
    assert chord_of("Bb/D") == {10, 2, 5}
