"""The context of each event, against a slow reading of its definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melodygru import Key, Melody, Note, TimeSignature
from melodygru.network.columns import INTERVALS, RUNS, candidate_columns, input_columns, intervals
from melodygru.network.config import ContextConfig
from melodygru.network.context import Context, context_arrays
from melodygru.network.tokenizer import REST, Tokenizer
from tests.strategies import melodies

CONFIG = ContextConfig(lookback=(1, 2, 4))
EDGES = (0, 1, 2, 3, 4, 6, 9, 16, 32)


def bucket(run):
    return max(i for i, edge in enumerate(EDGES) if edge <= run)


def slow_candidates(events, config, t):
    """(pitch, duration, run) of every candidate for event t, by looking at everything before it."""
    durations, pitches = events.durations.tolist(), events.pitches.tolist()
    onsets = [sum(durations[:i]) for i in range(len(durations))]
    bar = events.meta.time_signature.bar_steps

    def look_back(i, bars):
        target = onsets[i] - bars * bar
        if target < 0:
            return None
        j = max(j for j in range(i) if onsets[j] <= target)
        return pitches[j], min(onsets[j] + durations[j] - target, 192), onsets[j] == target

    found = []
    for bars in config.lookback:
        there = look_back(t, bars) if t else None
        if there is None:
            found.append((REST, 0, 0))
            continue
        run, i = 0, t - 1
        while i > 0 and look_back(i, bars) == (pitches[i], durations[i], True):
            run, i = run + 1, i - 1
        found.append((there[0], there[1], 3 * bucket(run) + 1 + there[2]))

    last, steps = -1, []
    for pitch in pitches:
        steps.append(("rest", pitch) if pitch >= REST else ("first",) if last < 0 else pitch - last)
        last = pitch if pitch < REST else last
    reference = next((p for p in reversed(pitches[:t]) if p < REST), -1)
    for moved, codes in (
        (False, list(zip(pitches, durations, strict=True))),
        (True, list(zip(steps, durations, strict=True))),
    ):
        lengths = []
        for j in range(t):
            length = 0
            while length < j and codes[j - 1 - length] == codes[t - 1 - length]:
                length += 1
            lengths.append(length)
        for _ in range(2):
            best = max(lengths, default=0)
            if best == 0:
                found.append((REST, 0, 0))
                continue
            j = max(j for j in range(t) if lengths[j] == best)
            pitch = pitches[j]
            if moved and isinstance(steps[j], int):
                pitch = reference + steps[j]
            found.append((pitch, durations[j], 3 * bucket(best) + 2))
            lengths = [0 if codes[i] == codes[j] else lengths[i] for i in range(t)]
    return found


@settings(max_examples=25)
@given(melodies(max_notes=16, max_duration=60, low=55, high=60))
def test_candidates_are_what_the_definition_says(melody):
    events = Tokenizer().encode(melody)
    arrays = context_arrays([events], CONFIG, 192)[0]
    per_spot = len(candidate_columns(CONFIG, 192))
    spots = arrays["inputs"][:, len(input_columns(CONFIG, 192)) :].reshape(len(events.durations), -1, per_spot)
    for t in range(len(events.durations)):
        expected = slow_candidates(events, CONFIG, t)
        columns = (arrays["candidate_pitch"][t], spots[t, :, -2], spots[t, :, -1])
        got = [tuple(row) for row in np.stack(columns, axis=1).tolist()]
        assert got == expected, t


@settings(max_examples=20)
@given(st.lists(melodies(max_notes=12, min_notes=1), min_size=1, max_size=5), st.integers(1, 3))
def test_a_batch_gives_what_each_piece_gives_alone(tunes, batch):
    pieces = [Tokenizer().encode(melody) for melody in tunes]
    together = context_arrays(pieces, CONFIG, 192, batch=batch)
    for piece, arrays in zip(pieces, together, strict=True):
        alone = context_arrays([piece], CONFIG, 192)[0]
        assert all((alone[name] == arrays[name]).all() for name in alone)


@given(melodies(min_notes=1))
def test_every_input_is_within_its_table(melody):
    events = Tokenizer().encode(melody)
    inputs = context_arrays([events], CONFIG, 192)[0]["inputs"]
    sizes = [c.size for c in input_columns(CONFIG, 192)]
    sizes += [c.size for c in candidate_columns(CONFIG, 192)] * CONFIG.candidates
    assert inputs.shape == (len(events.durations), len(sizes))
    assert (inputs < np.array(sizes)).all()


@settings(max_examples=20)
@given(melodies(min_notes=1, low=50, high=70), st.integers(-12, 12))
def test_transposition_changes_only_the_absolute_pitches(melody, semitones):
    here = context_arrays([Tokenizer().encode(melody)], CONFIG, 192)[0]
    there = context_arrays([Tokenizer().encode(melody.transpose(semitones))], CONFIG, 192)[0]
    assert (here["inputs"][:, 1:] == there["inputs"][:, 1:]).all()
    assert (here["position"] == there["position"]).all()


def test_where_the_melody_is_in_its_bars():
    melody = Melody((Note(60, 60, 12), Note(64, 72, 36), Note(67, 108, 36)), TimeSignature(6, 8), Key(0), pickup=12)
    events = Tokenizer().encode(melody)
    arrays = context_arrays([events], ContextConfig(lookback=(), matches=False), 192)[0]
    names = [column.name for column in input_columns(ContextConfig(lookback=(), matches=False), 192)]
    rows = [dict(zip(names, row.tolist(), strict=True)) for row in arrays["inputs"]]
    assert [row["position"] for row in rows] == [0, 60, 0, 36, 0]
    assert [row["beat_position"] for row in rows] == [0, 24, 0, 0, 0]
    assert [row["bar"] for row in rows] == [15, 15, 0, 0, 1]
    assert [row["bars_left"] for row in rows] == [2, 2, 1, 1, 0]
    assert [row["previous_pitch"] for row in rows] == [130, REST, 60, 64, 67]
    assert [row["previous_degree"] for row in rows] == [13, 12, 0, 4, 7]
    assert arrays["reference"].tolist() == [-1, -1, 60, 64, 67]


def test_room_is_made_when_events_are_many():
    from melodygru.network.tokenizer import PieceMeta

    small = Context([PieceMeta()], CONFIG, 192, events=2)
    large = Context([PieceMeta()], CONFIG, 192, events=64)
    for pitch in (60, 62, 60, 62, 60, 62, 64, 60, 62):
        for context in (small, large):
            context.advance(np.array([24]), np.array([pitch]))
    assert (small.inputs == large.inputs).all()


@pytest.mark.parametrize(
    ("pitch", "reference", "expected"),
    [(60, 60, 24), (62, 60, 26), (0, 60, 0), (127, 60, 48), (REST, 60, 49), (REST + 1, 60, 50), (60, -1, 51)],
)
def test_intervals_are_clipped_and_named(pitch, reference, expected):
    assert intervals(np.array([pitch]), np.array([reference]))[0] == expected < INTERVALS


def test_nothing_is_known_when_everything_is_switched_off():
    config = ContextConfig(False, False, False, False, False, (), False)
    assert [column.name for column in input_columns(config, 192)] == [
        "previous_pitch",
        "previous_interval",
        "previous_duration",
    ]
    assert config.candidates == 0
    assert 3 * len(EDGES) == RUNS
