"""Every threshold, table and class that the fast lane is handed is changed, and both lanes follow, to the same."""

import re

import mido
import numpy as np
import pytest

from melodygru import libraries
from melodygru.data import key_finding
from melodygru.data.fast_lane import context_rules, reader, reading_rules
from melodygru.data.shards import read_shard, with_contexts
from melodygru.formats.midi import chunks, extraction, grid, line, metres, parser, tracks
from melodygru.formats.midi.extraction import ExtractionConfig
from melodygru.music import key_finding as key_finding_of_one
from melodygru.music import theory
from melodygru.network import columns, context, tokenizer
from melodygru.network.config import ContextConfig, TokenizerConfig
from tests.data.test_fast_lane import compiled, random_file, same

PPQ = 480
STEP = PPQ // 24
SCALE = (60, 64, 67, 65, 62, 59, 60, 72)
ALL_STEPS = dict.fromkeys(range(24), 1.0)
READING = {
    "information": [(chunks, "INFORMATION", "#I")],
    "key_in_words": [(chunks, "KEY_IN_WORDS", b"mode: ")],
    "blank": [(chunks, "BLANK", "\0 \t\r\n~")],
    "percussion": [(module, "PERCUSSION", 0) for module in (chunks, tracks, grid)],
    "longest_piece": [(parser, "MAX_QUARTERS", 5)],
    "longest_note": [(parser, "LONGEST_NOTE", 1)],
    "longest_seconds": [(parser, "MAX_SECONDS", 3)],
    "usual_tempo": [(parser, "USUAL_TEMPO", 10**10)],
    "legato": [(line, "LEGATO", 0.0)],
    "monophonic": [(line, "MONOPHONIC", 0.0)],
    "covered": [(line, "COVERED", 2.0)],
    "rolled": [(line, "ROLLED", 1000)],
    "neighbours": [(line, "NEIGHBOURS", 1)],
    "drop": [(line, "DROP", 60)],
    "steps_per_quarter": [(module, "STEPS_PER_QUARTER", 48) for module in (theory, grid)],
    "usual": [(grid, "USUAL", ALL_STEPS)],
    "written": [(grid, "WRITTEN", 0.0)],
    "near_a_step": [(grid, "NEAR_A_STEP", 0.01)],
    "near_a_place": [(grid, "NEAR_A_PLACE", 0.4)],
    "onsets_on_grid": [(grid, "ONSETS_ON_GRID", 0.5)],
    "ends_on_grid": [(grid, "ENDS_ON_GRID", 0.0)],
    "shortest_rest": [(grid, "SHORTEST_REST", 5)],
    "fewest_beats": [(metres, "FEWEST_BEATS", 1)],
    "most_beats": [(module, "MOST_BEATS", 8) for module in (theory, metres)],
    "smallest_unit": [(module, "BEAT_UNITS", (1, 2, 4)) for module in (theory, metres)],
    "upbeat": [(extraction, "UPBEAT", 0.2)],
    "end": [(tokenizer, "END", 7)],
    "rest": [(tokenizer, "REST", 140)],
    "tie": [(tokenizer, "TIE", 141)],
    # Not handed to the kernel, but used for many keys at a time too.
    "last_note_vote": [(module, "LAST_NOTE_VOTE", -0.5) for module in (key_finding_of_one, key_finding)],
}
ASKED = {"min_notes": 20, "max_rest_bars": 1, "max_duration": 30}
BOTH = (columns, context)
EDGES = (0, 1, 2)
CONTEXTS = {
    "start": [(module, "START", 129) for module in BOTH],
    "positions": [(module, "POSITIONS", 50) for module in BOTH],
    "beat_positions": [(module, "BEAT_POSITIONS", 10) for module in BOTH],
    "bar_numbers": [(module, "BAR_NUMBERS", 3) for module in BOTH],
    "bars_left_told": [(module, "BARS_LEFT", 3) for module in BOTH],
    "largest_interval": [(module, "LARGEST_INTERVAL", 2) for module in BOTH],
    "heights": [(module, "HEIGHTS", 60) for module in BOTH],
    "pickups": [(module, "PICKUPS", 5) for module in BOTH],
    "intervals": [(columns, "INTERVAL_TABLE", columns.INTERVAL_TABLE[::-1].copy())],
    "degrees": [(columns, "DEGREE_TABLE", columns.DEGREE_TABLE[::-1].copy())],
    "history": [(module, "MATCH_HISTORY", 9) for module in BOTH],
    "run_buckets": [(module, "RUN_BUCKETS", columns.RUN_BUCKETS[::-1].copy()) for module in BOTH],
    "longest_run": [
        *((module, "RUN_EDGES", EDGES) for module in BOTH),
        *((module, "RUN_BUCKETS", np.arange(3)) for module in BOTH),
    ],
}
OPTIONS = {"metre", "bars_left", "key", "ambitus", "pickup", "matches", "lags", "candidates", "columns", "lookback"}


def written(notes, metre=(4, 4), name="Tune", text=None, signature="C"):
    """A file of (onset, end, pitch) in steps, fractions too; 480 ticks a quarter."""
    made, track = mido.MidiFile(type=0, ticks_per_beat=PPQ), mido.MidiTrack()
    made.tracks.append(track)
    track.append(mido.MetaMessage("track_name", name=name))
    if metre:
        track.append(mido.MetaMessage("time_signature", numerator=metre[0], denominator=metre[1]))
    if signature:
        track.append(mido.MetaMessage("key_signature", key=signature))
    if text:
        track.append(mido.MetaMessage("text", text=text))
    messages = [(round(at * STEP), on, pitch) for onset, end, pitch in notes for at, on in ((onset, 80), (end, 0))]
    last = 0
    for tick, on, pitch in sorted(messages, key=lambda message: message[:2]):
        track.append(mido.Message("note_on", note=pitch, velocity=on, time=tick - last))
        last = tick
    return made


def scale(count=24, every=24, lasts=None, later=0.0, sometimes=0.0):
    """`count` notes, one each `every` steps, `later` than on it; every fifth later still."""
    lasts = every if lasts is None else lasts
    starts = [i * every + later + (sometimes if i % 5 == 4 else 0) for i in range(count)]
    return [(start, start + lasts, SCALE[i % len(SCALE)]) for i, start in enumerate(starts)]


def overlapping(by):
    """High notes of two quarters, each with one below it that begins `by` steps before its end and ends with it."""
    pairs = [((72 * i, 72 * i + 48, 76), (72 * i + 48 - by, 72 * i + 48, 60)) for i in range(16)]
    return [note for pair in pairs for note in pair]


def rolled():
    """Chords whose upper note is struck a step after the lower one, and single notes."""
    bars = [
        (
            (96 * i + 3, 96 * i + 24, 70),
            (96 * i + 4, 96 * i + 24, 79),
            (96 * i + 24, 96 * i + 48, 72),
            (96 * i + 48, 96 * i + 96, 74),
        )
        for i in range(12)
    ]
    return [note for bar in bars for note in bar]


def filled():
    """High notes of a quarter and chords of a low one under their rests, ever lower."""
    high = [(48 * i, 48 * i + 24, 76 - i) for i in range(16)]
    low = [(48 * i + 24, 48 * i + 48, pitch) for i in range(16) for pitch in (60 - i, 48)]
    alone = [(768 + 24 * i, 792 + 24 * i, pitch) for i in range(6) for pitch in (30, 24)]
    return [*high, *low, *alone]


FILES = (
    written(filled()),
    written(rolled()),
    written(scale()),
    written(scale(), name="~"),
    written(scale(), text="@Ikey: A minor"),
    written(scale(), text="key: A minor"),
    written(scale(), text="mode: A minor"),
    written(overlapping(by=10)),
    written(overlapping(by=20)),
    written(scale(every=24, later=5)),
    written(scale(every=6, later=3, count=60)),
    written(scale(later=0.2)),
    written(scale(later=0.3)),
    written(scale(sometimes=5)),
    written(scale(lasts=19)),
    written(scale(lasts=21)),
    written(scale(every=48, lasts=22)),
    written(scale(), metre=(1, 4)),
    written(scale(), metre=(12, 8)),
    written(scale(), metre=(6, 8)),
    written(scale(), metre=None),
    written(scale(later=24)),
    written([*scale(), (696, 1200, 67), *((1200 + a, 1200 + b, pitch) for a, b, pitch in scale(12))]),
    written(scale(25), signature="C"),
    written(scale(12), signature=None),
)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    for number, file in enumerate([*FILES, *map(random_file, range(20))]):
        file.save(folder / f"{number:02}.mid")
    return sorted(map(str, folder.iterdir()))


def told(shard):
    """What a shard holds, to be compared."""
    arrays = (shard.table, shard.offsets, shard.durations, shard.pitches, *shard.contexts.values())
    return shard.files, [array.tolist() for array in arrays]


def of_the_kernel(files, min_notes=8, max_rest_bars=2, max_duration=192):
    """What the fast lane makes of these files, and of which."""
    data = []
    for path in files:
        with open(path, "rb") as file:
            data.append(file.read())
    made = reader().extract(data, min_notes, max_rest_bars, max_duration)
    return made.files, made.keys, made.table.tolist(), made.durations.tolist(), made.pitches.tolist()


def change(monkeypatch, changes):
    for module, name, value in changes:
        monkeypatch.setattr(module, name, value)


@pytest.mark.parametrize("name", ["Rules", "ContextRules"])
def test_the_source_has_the_fields_that_it_is_handed(name):
    source = libraries._READING.read_text("utf-8")
    body = source.split(f"struct {name} {{")[1].split("}")[0]
    kinds = {"int64_t": int, "double": float}
    fields = [
        (field.strip(" *"), kinds.get(kind, np.ndarray))
        for kind, names in re.findall(r"^  (int64_t|double|const \w+) ?([\w, *]+);", body, re.MULTILINE)
        for field in names.split(",")
    ]
    handed = reading_rules(8, 2, 192) if name == "Rules" else context_rules(ContextConfig(), 192)
    assert [(field, type(value)) for field, value in handed.items()] == fields


def test_every_number_is_changed_here():
    assert {*READING, *ASKED} == {*reading_rules(8, 2, 192), "last_note_vote"}
    # What stands for a rest is the tokenizer's, and changed above.
    assert {*CONTEXTS, *OPTIONS, "max_duration", "rest", "references"} == {*context_rules(ContextConfig(), 192)}


@compiled
@pytest.mark.parametrize("rule", READING)
def test_both_lanes_follow_a_rule_of_reading(rule, files, monkeypatch):
    before, lane = told(read_shard(files, ExtractionConfig(), TokenizerConfig(), fast=False)), of_the_kernel(files)
    change(monkeypatch, READING[rule])
    slow = read_shard(files, ExtractionConfig(), TokenizerConfig(), fast=False)
    same(read_shard(files, ExtractionConfig(), TokenizerConfig()), slow)
    assert told(slow) != before
    assert of_the_kernel(files) != lane


@compiled
@pytest.mark.parametrize("rule", ASKED)
def test_both_lanes_follow_what_is_asked_for(rule, files):
    asked = {rule: ASKED[rule]}
    how = (
        (ExtractionConfig(), TokenizerConfig(**asked))
        if rule == "max_duration"
        else (ExtractionConfig(**asked), TokenizerConfig())
    )
    slow = read_shard(files, *how, fast=False)
    same(read_shard(files, *how), slow)
    assert told(slow) != told(read_shard(files, ExtractionConfig(), TokenizerConfig(), fast=False))
    assert of_the_kernel(files, **asked) != of_the_kernel(files)


@compiled
@pytest.mark.parametrize("rule", CONTEXTS)
def test_both_lanes_follow_a_rule_of_contexts(rule, files, monkeypatch):
    shard = read_shard(files, ExtractionConfig(), TokenizerConfig())
    how = (ContextConfig(), TokenizerConfig())
    slow, fast = (told(with_contexts(shard, *how, fast)) for fast in (False, True))
    change(monkeypatch, CONTEXTS[rule])
    changed = with_contexts(shard, *how, fast=False)
    same(with_contexts(shard, *how), changed)
    assert told(changed) != slow
    assert told(with_contexts(shard, *how)) != fast
