"""What a run begins with, and what its model says and does of itself without being asked."""

import json
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from melodygru import load_model, train
from melodygru.data.cache import load_dataset
from melodygru.errors import CheckpointError, UsageError
from melodygru.formats.midi.writer import write_midi
from melodygru.formats.reading import read_melodies
from melodygru.music.melody import Melody, Note
from melodygru.music.theory import TimeSignature
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.conditions import KINDS, STYLES
from melodygru.network.config import ContextConfig, preset_of
from melodygru.network.widening import told_more
from melodygru.training import start as module
from melodygru.training.config import TrainConfig
from melodygru.training.fitting import fitting
from melodygru.training.progress import Listener
from melodygru.training.start import Start, usual
from melodygru.writing.config import parse_range
from melodygru.writing.own_style import OwnStyle
from tests.command_line import run as command
from tests.networks import checkpoint
from tests.tunes import write_tunes

SHAPE = {"preset": "tiny", "hidden": 8, "device": "cpu"}
SHORT = {**SHAPE, "epochs": 1, "val_split": 0.2}
TOLD = told_more(preset_of("tiny").changed(hidden=8), "style", "character", "chords")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MELODYGRU_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return write_tunes(tmp_path / "tunes")


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A shipped model that has learned nothing."""
    path = tmp_path / "repertoire.safetensors"
    made = checkpoint(TOLD)
    made.save(path)
    monkeypatch.setattr(module, "shipped", lambda name: path if name == "repertoire" else None)
    return made


class Remarks(Listener):
    def started(self, run):
        self.told = run.remarks


def test_a_run_begins_with_the_shipped_model_if_it_is_of_its_shape(folder, shipped):
    listener = Remarks()
    made = Checkpoint.load(train(folder, "mine", lr=1e-8, listener=listener, **SHORT).checkpoint)
    assert all(np.allclose(made.weights[name], array, atol=1e-5) for name, array in shipped.weights.items())
    assert made.provenance["began_with"]["model"] == "repertoire"
    assert listener.told[0] == "starting from the shipped model repertoire; --init-from none for from scratch"
    scratch = Checkpoint.load(train(folder, "other", init_from="none", listener=listener, **SHORT).checkpoint)
    assert "began_with" not in scratch.provenance
    assert scratch.model_config.context == ContextConfig(character=True)
    wider = Checkpoint.load(train(folder, "wider", **{**SHORT, "hidden": 9}).checkpoint)
    assert "began_with" not in wider.provenance


def test_a_model_that_was_told_less_is_a_start_too(folder, tmp_path):
    before = replace(TOLD, context=ContextConfig(ambitus=False, pickup=False))
    old = checkpoint(before)
    old.save(tmp_path / "old.safetensors")
    made = Checkpoint.load(train(folder, "mine", init_from=tmp_path / "old", lr=1e-8, **SHORT).checkpoint)
    assert made.model_config.context == ContextConfig(character=True)
    for name in ("pitch.weight", "tables.mode.weight"):
        assert np.allclose(made.weights[name], old.weights[name], atol=1e-5)


def test_a_known_style_is_what_is_told_if_nothing_is(shipped):
    made = Start(shipped, "repertoire").as_style("waltz").weights
    for column, row in (("style", STYLES.index("dance")), ("kind", KINDS.index("waltz"))):
        name = f"tables.{column}.weight"
        assert np.array_equal(made[name][0], shipped.weights[name][row])
        assert np.array_equal(made[name][1:], shipped.weights[name][1:])
    assert Start(shipped, "repertoire").as_style("my songs") is shipped


def test_what_can_be_measured_is_learned(folder):
    made = train(folder, "mine", **{**SHORT, "epochs": 3}).checkpoint
    tables = Checkpoint.load(made).weights
    # What is never told stays as it began, but for what weight decay takes.
    for name, highest in (("density", 9), ("leaps", 5)):
        table = tables[f"tables.{name}.weight"]
        never = table[highest + 1 :].std()
        assert abs(never - 0.3) < 0.1


def waltzes(folder, count=6):
    folder.mkdir()
    for seed in range(count):
        chance = np.random.default_rng(seed)
        pitches = (60 + np.cumsum(chance.integers(-2, 3, 24))).tolist()
        notes = tuple(Note(pitch, 24 * place, 24) for place, pitch in enumerate(pitches))
        write_midi(Melody(notes, TimeSignature(3, 4), name=f"waltz {seed}"), folder / f"{seed}.mid")
    return folder


def test_the_style_of_a_folder_is_written_unasked(folder, tmp_path, capsys):
    made = train(waltzes(tmp_path / "waltzes"), "mine", **SHORT).checkpoint
    model = load_model(made)
    assert model.own_style.name == "waltzes"
    assert str(model.generate(bars=4, seed=1).time_signature) == "3/4"
    assert str(model.generate(bars=4, seed=1, meter="4/4").time_signature) == "4/4"
    command("generate", "--model", str(made), "--bars", "4", "--seed", "1", "out.mid")
    assert str(read_melodies("out.mid")[0].time_signature) == "3/4"
    capsys.readouterr()
    command("info", str(made), "--json")
    told = json.loads(capsys.readouterr().out)["provenance"]["style"]
    assert told == {"name": "waltzes", "meter": "3/4", "range": model.own_style.range}


@pytest.mark.parametrize(
    "told", [{}, {"style": "x"}, {"style": {"name": "x", "meter": "4/0", "range": "C4:C5"}}, {"style": {"name": "x"}}]
)
def test_a_style_of_which_a_checkpoint_says_nonsense_is_none(told):
    assert OwnStyle.of(told) is None


def test_the_usual_range_has_every_tonic_in_it(folder, tmp_path):
    dataset = load_dataset(waltzes(tmp_path / "waltzes"))
    low, high = parse_range(usual(dataset, np.arange(1))["range"])
    assert high - low >= 12
    assert low <= dataset.lowest[0] or high - low == 12


@pytest.mark.parametrize("style", ["", " ", "a\nb", "x" * 61])
def test_a_style_needs_a_name(folder, style):
    with pytest.raises(UsageError, match="is no name"):
        train(folder, "mine", style=style, **SHORT)


def test_the_index_covers_what_was_held_out(folder):
    made = Checkpoint.load(train(folder, "mine", **{**SHORT, "val_split": 0.5}).checkpoint)
    everything = sorted(melody.name for path in folder.glob("*.mid") for melody in read_melodies(path))
    assert sorted(made.index.names) == everything
    held_out = made.provenance["index_held_out"]
    assert held_out == made.provenance["validation_pieces"] == 6
    assert made.learned_index.names == made.index.names[:-held_out]
    # A melody that was held out is found whole in the one, and not in the other.
    held = next(m for path in folder.glob("*.mid") for m in read_melodies(path) if m.name == made.index.names[-1])
    assert made.index.longest_run(held).notes == len(held.notes)
    assert made.learned_index.longest_run(held).notes < len(held.notes)
    separate = Checkpoint.load(train(folder, "two", val_data=write_tunes("held", 3, 5), **SHORT).checkpoint)
    assert len(separate.index.names) == 15
    assert separate.provenance["index_held_out"] == 3


def rewritten(state, change):
    """The state of a run with its identity changed."""
    data = state.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    identity = json.loads(header["__metadata__"]["identity"])
    change(identity)
    header["__metadata__"]["identity"] = json.dumps(identity)
    text = json.dumps(header).encode()
    state.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])


def test_a_run_of_an_earlier_version_goes_on_as_it_was(folder, shipped):
    options = {**SHAPE, "batch_size": 4, "seed": 3, "val_split": 0.2, "patience": 0}
    plain = {"context": ContextConfig(lookback=(1,)), "init_from": "none"}
    whole = train(folder, "whole", epochs=2, **options, **plain)
    train(folder, "out", epochs=1, **options, **plain)

    def as_before(identity):
        del identity["origin"]
        for name in ("style", "character", "chords"):
            del identity["model"]["context"][name]

    # (A run that was to be of one epoch had another learning rate in it: what is gone on with counts here.)
    rewritten(Path("out/state.safetensors"), as_before)
    second = Checkpoint.load(train(folder, "out", epochs=2, resume=True, **options).checkpoint)
    assert second.model_config == Checkpoint.load(whole.checkpoint).model_config
    assert second.provenance["epochs"] == 2
    assert "began_with" not in second.provenance


def test_a_resumed_run_remembers_where_it_comes_from(folder, shipped):
    train(folder, "mine", style="jigs of mine", **SHORT)
    made = Checkpoint.load(train(folder, "mine", resume=True, **{**SHORT, "epochs": 2}).checkpoint)
    assert made.provenance["began_with"]["model"] == "repertoire"
    assert made.provenance["style"]["name"] == "jigs of mine"
    rewritten(Path("mine/state.safetensors"), lambda identity: identity["model"].update(hidden=-1))
    with pytest.raises(CheckpointError, match="damaged"):
        train(folder, "mine", resume=True, **SHORT)


def test_small_folders_are_heard_oftener_unless_a_model_knows_music():
    epochs = [fitting(windows, 6, from_model=False)["epochs"] for windows in (3, 60, 600, 60_000)]
    assert epochs == sorted(epochs, reverse=True)
    assert epochs[0] > epochs[-1] == TrainConfig().epochs
    assert all(fitting(windows, 6, from_model=True)["epochs"] == 10 for windows in (3, 60_000))


def test_what_is_said_goes_before_what_is_fitting(folder, shipped):
    told = Checkpoint.load(train(folder, "mine", lr=0.002, **SHORT).checkpoint).provenance["settings"]
    assert (told["epochs"], told["lr"]) == (1, 0.002)
    told = Checkpoint.load(train(folder, "other", **{**SHORT, "epochs": None}).checkpoint).provenance["settings"]
    assert (told["epochs"], told["lr"]) == (10, 0.001)
