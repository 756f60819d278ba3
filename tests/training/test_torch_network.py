import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from melodygru import Melody, Note
from melodygru.errors import UsageError
from melodygru.network.config import PRESETS, ContextConfig, ModelConfig
from melodygru.network.tokenizer import REST, Tokenizer
from melodygru.training.torch_network import MelodyGRU, transposed
from tests.networks import SMALL, batch_of, network
from tests.strategies import melodies


def scale(low, steps=12):
    return Tokenizer().encode(Melody(tuple(Note(low + i, 12 * i, 12) for i in range(steps))))


@settings(max_examples=15)
@given(st.lists(melodies(max_notes=10), min_size=2, max_size=4))
def test_padding_changes_nothing(tunes):
    model, pieces = network(), [Tokenizer().encode(melody) for melody in tunes]
    durations, pitches = model.nll(batch_of(pieces))
    for row, piece in enumerate(pieces):
        length = len(piece.durations)
        alone = model.nll(batch_of([piece]))
        torch.testing.assert_close(durations[row, :length], alone[0][0], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(pitches[row, :length], alone[1][0], atol=1e-5, rtol=1e-5)
        assert not durations[row, length:].any()
        assert not pitches[row, length:].any()


def test_probabilities_sum_to_one():
    model, batch = network(), batch_of([scale(60)])
    mask = batch["mask"]
    state = model.states(batch)[mask]
    event = {name: values[mask] for name, values in batch.items() if name != "mask"}
    for logits in (model.duration_logits(state, event), model.pitch_logits(state, event["durations"], event)):
        torch.testing.assert_close(logits.softmax(1).sum(1), torch.ones(len(state)))
    assert model.duration_logits(state, event).shape == (13, 193)
    assert model.pitch_logits(state, event["durations"], event).shape == (13, 130)


def test_end_has_no_pitch_to_pay_for():
    durations, pitches = network().nll(batch_of([scale(60)]))
    assert pitches[0, -1] == 0
    assert durations[0, -1] > 0


def test_the_past_does_not_know_the_future():
    model = network()
    one, two = scale(60), scale(60)
    two.pitches[8] = 71
    before, after = model.nll(batch_of([one])), model.nll(batch_of([two]))
    assert torch.equal(before[1][0, :8], after[1][0, :8])
    assert not torch.equal(before[1][0, 8:], after[1][0, 8:])


@pytest.mark.parametrize("semitones", [-5, 0, 6])
def test_transposing_the_batch_is_transposing_the_melody(semitones):
    melody = Melody(tuple(Note(60 + i % 5, 12 * i, 12) for i in range(20)))
    model = network()
    moved = model.nll(batch_of([Tokenizer().encode(melody.transpose(semitones))]))
    shifted = model.nll(batch_of([Tokenizer().encode(melody)]), torch.tensor([semitones]))
    torch.testing.assert_close(moved[0], shifted[0])
    torch.testing.assert_close(moved[1], shifted[1])


def test_transposing_leaves_rests_alone():
    batch = batch_of([Tokenizer().encode(Melody((Note(60, 24, 24), Note(62, 72, 24))))])
    moved = transposed(batch, torch.tensor([5]))
    assert moved["pitches"][0].tolist() == [REST, 65, REST, 67, REST]
    assert moved["tonic"][0].tolist() == [5] * 5


@pytest.mark.parametrize(("preset", "low", "high"), [("tiny", 5e4, 2e5), ("small", 7e5, 1.6e6), ("base", 4e6, 6.5e6)])
def test_presets_are_as_large_as_they_say(preset, low, high):
    assert low < sum(p.numel() for p in MelodyGRU(PRESETS[preset]).parameters()) < high


def test_gru_and_lstm_recurrent_weights_are_three_to_four():
    sizes = {}
    for cell in ("gru", "lstm", "rnn"):
        model = MelodyGRU(ModelConfig(cell=cell, hidden=32))
        sizes[cell] = sum(p.numel() for p in model.recurrent.parameters())
    assert sizes["gru"] * 4 == sizes["lstm"] * 3 == sizes["rnn"] * 12


@pytest.mark.parametrize(
    "context",
    [
        ContextConfig(metre=False, bars_left=False, key=False, lookback=(), matches=False),
        ContextConfig(lookback=(), matches=False),
        ContextConfig(key=False),
        ContextConfig(matches=False),
        ContextConfig(metre=False),
    ],
)
def test_every_part_of_the_context_can_be_left_out(context):
    config = ModelConfig(hidden=8, embedding=4, candidate_embedding=2, context=context)
    durations, pitches = network(config).nll(batch_of([scale(60)], config))
    assert torch.isfinite(durations).all()
    assert torch.isfinite(pitches).all()


@pytest.mark.parametrize(
    "bad",
    [
        {"cell": "gpt"},
        {"hidden": 0},
        {"layers": 9},
        {"dropout": 1.0},
        {"hidden": float("nan")},
        {"context": {"lookback": [0]}},
    ],
)
def test_a_configuration_out_of_range_is_refused(bad):
    with pytest.raises(UsageError):
        ModelConfig.from_dict(bad)


def test_a_configuration_survives_json():
    import json

    from melodygru.errors import as_dict

    assert ModelConfig.from_dict(json.loads(json.dumps(as_dict(SMALL)))) == SMALL
