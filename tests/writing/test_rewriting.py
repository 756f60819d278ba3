"""Infilling and variations: what stays stays event for event, what changes changes by as much as asked for."""

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melodygru import Key, Melody, Note, TimeSignature
from melodygru.errors import UsageError
from melodygru.formats.midi.performance import Performance
from melodygru.formats.midi.writer import midi_bytes
from melodygru.formats.reading import read_melodies
from melodygru.network.engine import NumpyEngine
from melodygru.network.likelihood import event_nats
from melodygru.network.tokenizer import END, Tokenizer
from melodygru.writing.config import GenerationConfig
from melodygru.writing.editing import Tune
from melodygru.writing.infilling import gap_of, infill
from melodygru.writing.rewriting import kept_events, parse_bars, span_of
from melodygru.writing.variation import measured, vary
from tests.command_line import run
from tests.networks import SMALL, batch_of, network
from tests.strategies import melodies

CONFIG = GenerationConfig()


def test_bars_are_counted_as_people_do():
    plain, upbeat = Melody((Note(60, 0, 24),), bars=8), Melody((Note(60, 72, 24),), bars=8, pickup=24)
    assert parse_bars("5-8", plain) == (5, 8)
    assert parse_bars(" 3 ", plain) == (3, 3)
    assert span_of(plain, 5, 8) == (4 * 96, 8 * 96)
    assert span_of(upbeat, 5, 8) == (5 * 96, 9 * 96)
    assert span_of(upbeat, 0, 1) == (72, 2 * 96)
    for text in ("8-5", "0-2", "9", "5-9", "x", "", "-1"):
        with pytest.raises(UsageError, match="bars is"):
            parse_bars(text, plain)


@settings(deadline=None)
@given(melodies(min_notes=1), st.data())
def test_what_is_outside_is_kept_as_events(melody, data):
    at = data.draw(st.integers(0, len(melody.notes) - 1))
    note = melody.notes[at]
    span = (note.onset, note.end)
    kept = kept_events(melody, [span], 192)
    events = Tokenizer().encode(melody)
    onsets = (np.cumsum(events.durations) - events.durations).tolist()
    whole = dict(zip(onsets, zip(events.durations.tolist(), events.pitches.tolist(), strict=True), strict=True))
    outside = {onset: event for onset, event in whole.items() if not span[0] <= onset < span[1]}
    if span[1] == melody.length:
        outside = {onset: event for onset, event in outside.items() if event[0] != END}  # the end is written anew
    assert kept == outside


def test_a_gap_leaves_notes_that_sound_into_it_whole():
    melody = Melody((Note(60, 0, 120), Note(62, 144, 24), Note(64, 180, 60), Note(65, 240, 48)), bars=3)
    assert gap_of(melody, (96, 192)) == (120, 240)
    assert gap_of(melody, (0, 96)) == (0, 120)
    with pytest.raises(UsageError, match="fills these bars"):
        gap_of(Melody((Note(60, 0, 288),)), (96, 192))


@pytest.mark.parametrize("bars", [(3, 4), (1, 2), (7, 8), (1, 8)])
def test_filled_bars_are_new_and_all_others_stay(model, tune, bars):
    span = span_of(tune, *bars)
    gap = gap_of(tune, span)
    done = infill(model, tune, span, CONFIG, 1, candidates=6)
    assert [n for n in done.melody.notes if not gap[0] <= n.onset < gap[1]] == [
        n for n in tune.notes if not gap[0] <= n.onset < gap[1]
    ]
    new = [n for n in done.melody.notes if gap[0] <= n.onset < gap[1]]
    assert new
    assert all(n.onset < span[1] and n.end <= gap[1] for n in new)
    assert done.melody.bars == tune.bars
    assert infill(model, tune, span, CONFIG, 1, candidates=6).melody == done.melody
    assert infill(model, tune, span, CONFIG, 1, candidates=6, only=done.number).melody == done.melody


def test_the_filling_is_the_one_that_explains_what_follows_best(model, tune):
    span = span_of(tune, 3, 4)
    alone = [infill(model, tune, span, CONFIG, 1, 8, only=number) for number in range(8)]
    chosen = infill(model, tune, span, CONFIG, 1, 8)
    old = {(n.onset, n.pitch) for n in tune.notes if span[0] <= n.onset < span[1]}
    new = [one for one in alone if len(old & {(n.onset, n.pitch) for n in one.melody.notes}) <= 0.9 * len(old)]
    assert new
    assert chosen.nats == min(one.nats for one in new)
    assert len({one.melody.notes for one in alone}) > 1


def test_wishes_are_kept_in_what_is_new(model, tune):
    span = span_of(tune, 3, 6)
    config = GenerationConfig(scale="major pentatonic", grid="1/8", triplets=False, rests="none")
    new = infill(model, tune, span, config, 1, 4).melody
    inside = [n for n in new.notes if span[0] <= n.onset < span[1]]
    assert all((n.pitch - 7) % 12 in (0, 2, 4, 7, 9) for n in inside)
    assert all(n.onset % 12 == 0 for n in inside)
    over = infill(model, tune, span, GenerationConfig(chords="G D7", max_copy=0), 1, 4).melody
    for beat in range(span[0], span[1], 48):
        heard = [n.pitch % 12 for n in over.notes if n.onset <= beat < n.end and n.onset >= span[0]]
        assert set(heard) <= ({7, 11, 2} if beat // 96 % 2 == 0 else {2, 6, 9, 0})
    with pytest.raises(UsageError, match="--bars is the melody's own"):
        infill(model, tune, span, GenerationConfig(bars=4), 1)


def test_likelihoods_are_the_networks_own(tune):
    import torch

    net = network()
    engine = NumpyEngine(SMALL, {name: tensor.numpy() for name, tensor in net.state_dict().items()})
    pieces = [Tokenizer().encode(tune), Tokenizer().encode(replace(tune, notes=tune.notes[:9], bars=0))]
    with torch.no_grad():
        durations, pitches = net.nll(batch_of(pieces))
    for row, nats in enumerate(event_nats(engine, pieces)):
        assert nats == pytest.approx((durations + pitches)[row, : len(nats)].numpy(), abs=2e-4)


AMOUNTS = [0.1, 0.35, 0.7, 1.0]


@pytest.mark.parametrize("amount", AMOUNTS)
def test_as_much_changes_as_was_asked_for(model, tune, amount):
    notes, tolerance = len(tune.notes), 1 / len(tune.notes)
    for keep in (None, "rhythm", "contour"):
        done = vary(model, tune, amount, CONFIG, 4, keep, candidates=2)
        assert done.amount == pytest.approx(measured(tune.notes, done.melody, keep))
        assert done.amount == pytest.approx(amount, abs=tolerance + (0.05 if keep == "contour" else 0)), keep
        assert (done.melody.bars, done.melody.key, done.melody.time_signature) == (
            tune.bars,
            tune.key,
            tune.time_signature,
        )
        if keep is not None:
            assert [(n.onset, n.duration) for n in done.melody.notes] == [(n.onset, n.duration) for n in tune.notes]
        if keep == "contour":
            ours, theirs = (
                [np.sign(b.pitch - a.pitch) for a, b in zip(m.notes, m.notes[1:], strict=False)]
                for m in (tune, done.melody)
            )
            assert ours == theirs
    done = vary(model, tune, amount, CONFIG, 4, "pitches", candidates=6)
    assert [n.pitch for n in done.melody.notes] == [n.pitch for n in tune.notes]
    assert len(done.melody.notes) == notes
    assert done.amount == pytest.approx(amount, abs=0.15)


def test_nothing_changes_where_nothing_is_asked_for(model, tune):
    assert vary(model, tune, 0, CONFIG, 1).melody == tune
    span = span_of(tune, 3, 4)
    for keep in (None, "rhythm"):
        done = vary(model, tune, 1, CONFIG, 1, keep, span, 2)
        inside = [n for n in tune.notes if span[0] <= n.onset < span[1]]
        assert [n for n in tune.notes if n not in inside] == [
            n for n in done.melody.notes if not span[0] <= n.onset < span[1]
        ]
        assert done.amount == 1
    with pytest.raises(UsageError, match=r"amount is 1\.5; choose a number from 0 to 1"):
        vary(model, tune, 1.5, CONFIG, 1)
    with pytest.raises(UsageError, match="keep is 'all'; choose rhythm, pitches or contour"):
        vary(model, tune, 0.5, CONFIG, 1, "all")


def events_of(data):
    """Every message but the recipe, as (track, tick, what)."""
    found = []
    for number, track in enumerate(mido.MidiFile(file=BytesIO(data), charset="latin-1").tracks):
        at = 0
        for message in track:
            at += message.time
            if not (message.type == "text" and message.text.startswith("@Imelodygru ")):
                found.append((number, at, str(message.copy(time=0))))
    return sorted(found)


def test_all_else_in_the_file_stays_event_for_event(model, here):
    """A file of another program: two tracks, controllers, odd velocities, played timing."""
    melody = model.generate(bars=8, seed=5)
    file = mido.MidiFile(
        file=BytesIO(midi_bytes(melody, Performance(humanize=0.6, seed=1, midi_format=1))), charset="latin-1"
    )
    file.tracks[1].insert(1, mido.Message("control_change", control=7, value=90, time=0))
    bass = mido.MidiTrack(
        [mido.MetaMessage("track_name", name="Bass é"), mido.Message("program_change", channel=3, program=33)]
    )
    for _ in range(8):
        bass += [
            mido.Message("note_on", channel=3, note=36, velocity=77, time=0),
            mido.Message("note_off", channel=3, note=36, time=1920),
        ]
    file.tracks.append(bass)
    out = BytesIO()
    file.save(file=out)
    Path("in.mid").write_bytes(out.getvalue())
    before = Tune.read("in.mid")
    assert run("infill", "in.mid", "out.mid", "--bars", "3-4", "--seed", 1, "--best-of", 4) == 0
    old, new = events_of(Path("in.mid").read_bytes()), events_of(Path("out.mid").read_bytes())
    gap = (2 * 1920 - 60, 4 * 1920 + 60)
    changed = set(old) ^ set(new)
    assert changed
    assert all(gap[0] <= at <= gap[1] and "note_" in what and number == 1 for number, at, what in changed)
    after = read_melodies("out.mid")[0]
    assert [n for n in after.notes if not 192 <= n.onset < 384] == [
        n for n in before.melody.notes if not 192 <= n.onset < 384
    ]
    assert [event for event in new if event[0] == 2] == [event for event in old if event[0] == 2]


def test_the_command_line_fills_and_varies(here, capsys):
    assert run("generate", "--model", "folk", "--bars", 8, "--seed", 1, "--pickup", "1/8", "a.mid") == 0
    assert run("infill", "a.mid", "b.mid", "--bars", "5-6", "--best-of", 4, "--seed", 1, "--json") == 0
    answer = json.loads(capsys.readouterr().out.split("\n", 1)[1])
    assert (answer["bars"], answer["model"]) == ("5-6", "folk")
    assert answer["notes_new"] > 0
    assert run("vary", "a.mid", "c.mid", "--amount", 0.5, "--keep", "rhythm", "--seed", 1) == 0
    assert "50% of a.mid changed" in capsys.readouterr().out
    assert run("infill", "a.mid", "b.mid", "--bars", "5-6") == 1
    assert "b.mid exists" in capsys.readouterr().err
    assert run("infill", "a.mid", "d.mid", "--bars", "5-99") == 2
    assert run("vary", "a.mid", "d.mid", "--amount", 2) == 2
    assert run("vary", "nothing.mid", "d.mid") == 1
    assert run("vary", "a.mid", ".", "--amount", 0.2) == 2
    assert not Path("d.mid").exists()


def test_several_metres_are_no_tune_to_change(here, capsys):
    one = Melody(tuple(Note(60 + i, 24 * i, 24) for i in range(16)), TimeSignature(4, 4), Key())
    file = mido.MidiFile(file=BytesIO(midi_bytes(one)))
    file.tracks[0].insert(12, mido.MetaMessage("time_signature", numerator=3, denominator=4, time=0))
    file.save("two.mid")
    if len(read_melodies("two.mid")) > 1:
        assert run("vary", "two.mid", "d.mid") == 1
        assert "changes its metre" in capsys.readouterr().err
