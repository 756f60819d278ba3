"""The fuzzer finds what it looks for, and the readers stand what it has found so far."""

import subprocess
import sys
from itertools import count
from pathlib import Path
from random import Random

import pytest

from melodygru import Melody, Note
from melodygru.errors import MidiError, UsageError
from melodygru.formats.scores.cache import Reading

sys.path.insert(0, str(Path(__file__).parent.parent / "scripts"))
from fuzzing import abc, melodies, midi, oracles, verdicts
from fuzzing.campaign import Campaign
from fuzzing.kinds import KINDS, Kind
from fuzzing.minimising import minimised
from fuzzing.worker import Finding, examined, told_apart

ROOT = Path(__file__).parent.parent
CORPUS = ROOT / "tests" / "fuzz_corpus"
TUNE = Melody(tuple(Note(60 + i, 12 * i, 12) for i in range(8)), name="x")


def fuzz(*arguments, seconds):
    command = [sys.executable, str(ROOT / "scripts" / "fuzz.py"), *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds)


def test_what_was_found_once_is_found_no_more():
    done = fuzz("--again", CORPUS, seconds=120)
    told = [line.partition(":")[0] for line in done.stdout.splitlines()]
    assert told == sorted(path.name for path in CORPUS.iterdir() if path.suffix != ".md")
    assert done.returncode == 0, done.stdout
    assert all(name in (CORPUS / "README.md").read_text("utf-8") for name in told)


@pytest.mark.parametrize("readings", [10, pytest.param(25, marks=pytest.mark.slow)])
def test_some_files_of_every_kind_are_read_well(tmp_path, readings):
    done = fuzz("--readings", readings, "--minutes", 5, "--seed", 3, "--out", tmp_path, seconds=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(f" {readings} readings in ") == len(KINDS)


@pytest.mark.slow
def test_five_minutes_find_nothing(tmp_path):
    done = fuzz("--minutes", 5, "--seed", 1, "--out", tmp_path, seconds=900)
    assert done.returncode == 0, done.stdout + done.stderr


def raising(error):
    def parse(data, name):
        raise error

    return parse


def endless(data, name):
    while True:
        pass


def greedy(data, name):
    raise MemoryError


def changing():
    numbers = count()
    return lambda data, name: Reading((TUNE.transpose(next(numbers)),), "", ())


def reading(melody, *remarks):
    return lambda data, name: Reading((melody,), "", remarks)


class Overlapping(Melody):
    def __post_init__(self):
        pass


@pytest.mark.parametrize(
    ("parse", "oracle"),
    [
        (reading(TUNE), ""),
        (raising(MidiError("has no notes; leave it out.")), ""),
        (raising(MidiError("no full stop")), "sentence"),
        (raising(MidiError("has KeyError: 1.")), "sentence"),
        (raising(UsageError("Three is too many.")), "error"),
        (raising(KeyError(1)), "error"),
        (endless, "time"),
        (greedy, "memory"),
        (changing(), "twice"),
        (reading(TUNE, "could not be understood (KeyError)"), "sentence"),
        (reading(Overlapping((Note(60, 0, 24), Note(62, 12, 12)), bars=1)), "melody"),
        (reading(Melody((Note(60, 0, 24 * 400_000),))), "melody"),
        (reading(Melody((Note(60, 0, 24),), name="\x1b[31m")), "melody"),
    ],
)  # fmt: skip
def test_every_oracle_can_object(parse, oracle, monkeypatch, tmp_path):
    monkeypatch.setattr(oracles, "parse", parse)
    found = examined(Kind(".abc", abc.seed, abc.mutate, oracles.examine_score, seconds=0.2), b"x", tmp_path)
    assert (found.oracle if isinstance(found, Finding) else "") == oracle


def test_melodies_are_written_and_read_again(monkeypatch):
    melodies.check_written(TUNE)
    monkeypatch.setattr(melodies, "parse", reading(TUNE.transpose(1)))
    with pytest.raises(verdicts.Broken, match="it is another"):
        melodies.check_written(TUNE)


def test_the_lanes_are_compared(monkeypatch, tmp_path):
    calls = []

    def read_shard(paths, *rest):
        calls.append(rest)
        return real(paths[: 2 - len(calls)], *rest)

    real = oracles.read_shard
    monkeypatch.setattr(oracles, "reader", lambda: True)
    monkeypatch.setattr(oracles, "read_shard", read_shard)
    found = examined(KINDS["midi"], midi.seed(Random(3)), tmp_path)
    assert (found.oracle, [rest[-1] for rest in calls]) == ("lanes", [False, True])


DYING = """
import os, signal, sys
sys.path.insert(0, "scripts")
from pathlib import Path
from fuzzing.campaign import Campaign
from fuzzing.kinds import KINDS, Kind
def examine(data, folder, suffix, seconds, thorough):
    if b"z" in data:
        os.kill(os.getpid(), signal.SIGSEGV)
    return ""
KINDS["abc"] = Kind(".abc", lambda random: b"ab", lambda data, random, other: random.choice((b"ab", b"azb")), examine)
result = Campaign("abc", 1, folder=Path(sys.argv[1])).run(60, 12)
print([(finding.oracle, data) for finding, data in result.found.values()], result.readings)
"""


def test_a_reader_that_dies_is_found_and_its_file_made_small(tmp_path):
    command = [sys.executable, "-c", DYING, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines()[-1] == "[('death', b'z')] 12", done.stdout + done.stderr
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".abc", ".txt"]


@pytest.mark.parametrize("name", KINDS)
def test_files_are_made_and_changed_by_the_seed_alone(name):
    kind = KINDS[name]

    def drawn():
        random, files = Random(5), []
        for _ in range(60):
            made = kind.seed(random)
            files += [made, kind.mutate(kind.mutate(made, random, made), random, files[0] if files else made)]
        return files

    files = drawn()
    assert files == drawn()
    assert len(set(files)) > 60


def test_parts_put_together_give_the_file_again():
    random = Random(6)
    for _ in range(50):
        tunes, notes = abc.seed(random), midi.seed(random)
        assert "".join(abc.tokens_of(tunes)).encode() == tunes
        assert midi.rendered(midi.parsed(notes)) == notes


def test_of_outcomes_that_differ_in_words_alone_the_first_are_kept():
    seen = set()
    kept = []
    for word in map(str, range(100)):
        news = told_apart(f"is no key ({'x' * int(word)}\nnotes", seen)  # cut short within the bracket
        kept += [word] if news else []
        seen |= news
    assert kept == list(map(str, range(12)))
    assert not told_apart("notes", seen)


def test_what_is_not_needed_is_taken_out():
    assert minimised(b"xxaxxxbxx" * 3, lambda data: b"a" in data and b"b" in data, 5) == b"ab"
    assert minimised(b"", lambda data: True, 5) == b""
    assert minimised(b"abc", lambda data: False, 5) == b"abc"
    assert Campaign("abc", 1, [b"x" * 100_000])._first == [b"x" * 65_536]
