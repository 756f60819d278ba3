"""Styles by name say what belongs to them, and are asked only of models that have learned them."""

from dataclasses import replace

import numpy as np
import pytest

from melodygru.errors import UsageError
from melodygru.music.theory import TimeSignature
from melodygru.network import conditions
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.config import ContextConfig
from melodygru.writing.config import GenerationConfig
from melodygru.writing.model import Model
from melodygru.writing.styles import STYLES, conditions_for
from tests.networks import SMALL, network

TOLD = replace(SMALL, max_duration=192, context=ContextConfig(lookback=(1, 2), style=True, character=True, chords=True))


def model(config=TOLD):
    weights = {name: tensor.numpy() for name, tensor in network(config, scale=0.3).state_dict().items()}
    return Model(Checkpoint(config, weights), "untrained")


@pytest.mark.parametrize("name", STYLES)
def test_every_style_is_of_what_the_network_is_told_and_can_be_written(name):
    style = STYLES[name]
    assert style.collection in conditions.STYLES
    assert style.kind in conditions.KINDS
    melody = model().generate(bars=2, style=name, seed=1, best_of=1)
    assert melody.time_signature == TimeSignature.parse(style.meter)
    assert melody.qpm == style.bpm
    low, high = GenerationConfig(style=name).pitches
    assert all(low <= note.pitch <= high for note in melody.notes)


def test_what_is_said_goes_before_what_belongs_to_a_style():
    melody = model().generate(bars=2, style="waltz", meter="4/4", bpm=77, range="C5:C6", seed=1)
    assert (str(melody.time_signature), melody.qpm) == ("4/4", 77)
    assert all(72 <= note.pitch <= 84 for note in melody.notes)


def test_wishes_become_conditions():
    config = GenerationConfig(
        style="jig", density=6, rests="some", syncopation="much", leaps="few", scale="blues", meter="6/8"
    )
    told = conditions_for(config, config.time_signature, ())
    assert (told.style, told.kind, told.scale) == ("folk", "jig", "blues")
    (character,) = told.character
    assert character.density == conditions.class_of("density", 6 / 3)
    assert (character.rests, character.syncopation, character.leaps) == (3, 5, 1)
    # Within a melody that stands, its style and chords, and traits that were asked for in words.
    (within,) = conditions_for(config, config.time_signature, (), whole=False).character
    assert within == conditions.Character(syncopation=5, leaps=1)


@pytest.mark.parametrize("wish", [{"style": "reel"}, {"syncopation": "much"}, {"leaps": "few"}])
def test_a_model_that_was_not_told_says_so(wish):
    (name, value) = next(iter(wish.items()))
    with pytest.raises(UsageError, match=f"--{name} {value} is nothing that the model untrained has learned"):
        model(replace(TOLD, context=TOLD.context.of_events)).generate(bars=2, seed=1, **wish)


def test_what_is_told_changes_what_is_written_and_nothing_said_is_one_melody():
    ours = model()
    one, again = ours.generate(bars=4, seed=5), ours.generate(bars=4, seed=5)
    assert one == again
    hymn, over = ours.generate(bars=4, seed=5, style="hymn"), ours.generate(bars=4, seed=5, chords="F G", key="C")
    assert one.notes != hymn.notes != over.notes
    assert np.isfinite([note.pitch for note in over.notes]).all()
