"""The network: a stacked GRU (or another cell of `melodygru.training.layers`) with two heads, in torch, for training.

One step an event. Its input is the previous event and the context (`melodygru.network.context`): classes, a column
each, whose tables' rows stand side by side as one vector. From the top layer's state the first head tells the duration
of the event due, END among them; the second tells its pitch, given that duration. In both heads the candidates (what
came next at earlier places like this one) add to the logit of the very duration or pitch that they stand for, as a
pointer does: copying needs no detour through the hidden state, and holds in every key.

`melodygru.network.engine` is the same network's single step in NumPy.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from melodygru.network.columns import (
    DEGREE_TABLE,
    DEGREES,
    INTERVAL_TABLE,
    INTERVALS,
    PITCH_CLASSES,
    POSITIONS,
    RUNS,
    candidate_columns,
    input_columns,
)
from melodygru.network.conditions import CHORD_DEGREES, chord_degrees
from melodygru.network.config import ModelConfig
from melodygru.network.tokenizer import REST
from melodygru.training.functional import dropout, looked_up, multiplied_as, side_by_side
from melodygru.training.layers import make_layer

Batch = Mapping[str, Tensor]
"""Padded pieces. With B pieces of up to T events: "durations", "pitches" (B, T) int64, "mask" (B, T) bool
(False: padding, legal classes all the same), and the arrays of `melodygru.network.context.CONTEXT_ARRAYS`, (B, T) or
(B, T, ...)."""


def transposed(batch: Batch, semitones: Tensor) -> dict[str, Tensor]:
    """The batch with piece b moved by `semitones[b]`, (B,), key and all. The pitches played must stay in [0, 128)."""
    moved = dict(batch)
    shift = semitones.to(batch["pitches"].dtype)[:, None]
    inputs = batch["inputs"].clone()
    inputs[..., 0] = _shift(inputs[..., 0], shift)
    moved["inputs"] = inputs
    moved["pitches"] = _shift(batch["pitches"], shift)
    # A transposed match may lie a little outside what is played: it then stays a legal class.
    moved["candidate_pitch"] = _shift(batch["candidate_pitch"], shift[..., None])
    moved["reference"] = torch.where(batch["reference"] >= 0, batch["reference"] + shift, batch["reference"])
    moved["tonic"] = (batch["tonic"] + shift) % 12
    if "root" in batch:
        moved["root"] = torch.where(batch["root"] >= 0, (batch["root"] + shift) % 12, batch["root"])
    return moved


def _shift(pitches: Tensor, shift: Tensor) -> Tensor:
    return torch.where(pitches < REST, (pitches + shift).clamp(0, REST - 1), pitches)


class MelodyGRU(nn.Module):
    """The stacked recurrent network of a `ModelConfig`."""

    interval_of: Tensor
    degree_of: Tensor
    chord_degree_of: Tensor

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        context, size, hidden = config.context, config.embedding, config.hidden
        self.places = input_columns(context, config.max_duration)
        self.spots = candidate_columns(context, config.max_duration)
        self.tables = nn.ModuleDict({c.name: nn.Embedding(c.size, size) for c in self.places})
        # One table serves all candidates; the input layer then weighs each candidate by itself.
        spots = self.spots if context.candidates else ()
        self.candidate_tables = nn.ModuleDict({c.name: nn.Embedding(c.size, config.candidate_embedding) for c in spots})
        width = len(self.places) * size + context.candidates * len(spots) * config.candidate_embedding
        self.input = nn.Linear(width, hidden)
        # A module a layer, since the dropout between layers is not the one that torch has built in.
        self.recurrent = nn.ModuleList(make_layer(config.cell, hidden, hidden) for _ in range(config.layers))
        durations = config.max_duration + 1
        self.duration_hidden = nn.Linear(hidden, config.duration_hidden)
        self.duration = nn.Linear(config.duration_hidden, durations)
        self.pitch_hidden = nn.Linear(hidden, config.pitch_hidden)
        self.pitch_given_duration = nn.Embedding(durations, config.pitch_hidden)
        self.pitch = nn.Linear(config.pitch_hidden, PITCH_CLASSES)
        self.pitch_interval = nn.Linear(config.pitch_hidden, INTERVALS, bias=False)
        if context.metre:
            self.duration_end = nn.Linear(config.duration_hidden, POSITIONS, bias=False)
            self.pitch_given_end = nn.Embedding(POSITIONS, config.pitch_hidden)
        if context.key:
            self.pitch_degree = nn.Linear(config.pitch_hidden, DEGREES, bias=False)
        if context.chords:
            self.pitch_chord = nn.Linear(config.pitch_hidden, CHORD_DEGREES, bias=False)
        if context.candidates:
            self.duration_copy = nn.Linear(config.duration_hidden, context.candidates, bias=False)
            self.duration_copy_run = nn.Parameter(torch.zeros(context.candidates, RUNS))
            self.pitch_copy = nn.Linear(config.pitch_hidden, context.candidates, bias=False)
            self.pitch_copy_run = nn.Parameter(torch.zeros(context.candidates, 2 * RUNS))
        # What an interval from each reference, none (-1, the last) among them, and a degree of each tonic is.
        self.register_buffer("interval_of", torch.from_numpy(INTERVAL_TABLE[:PITCH_CLASSES].T.copy()), persistent=False)
        self.register_buffer("degree_of", torch.from_numpy(DEGREE_TABLE[:PITCH_CLASSES].T.copy()), persistent=False)
        pitches = np.arange(PITCH_CLASSES)
        of_roots = [chord_degrees(pitches, np.full(PITCH_CLASSES, root)) for root in (*range(12), -1)]
        self.register_buffer("chord_degree_of", torch.from_numpy(np.stack(of_roots)), persistent=False)
        self._initialise()

    def _initialise(self) -> None:
        for table in (*self.tables.values(), *self.candidate_tables.values()):
            nn.init.normal_(table.weight, std=0.3)  # type: ignore[arg-type]
        for name, module in self.named_children():
            if name.startswith(("duration", "pitch")) and not name.endswith("_hidden"):
                # Heads begin near the uniform distribution.
                nn.init.normal_(module.weight, std=0.02)  # type: ignore[arg-type]
                if isinstance(module, nn.Linear) and module.bias is not None:
                    nn.init.zeros_(module.bias)

    def nll(self, batch: Batch, transpose: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Negative log-likelihood of every event: of its duration, and of its pitch given that, in nats.

        Args:
            batch: see `Batch`.
            transpose: (B,) semitones to move each piece by.

        Returns:
            Two (B, T) tensors, 0 at padding; the second also at END, which has no pitch.
        """
        if transpose is not None:
            batch = transposed(batch, transpose)
        # Padding is little, since a batch is of like lengths: choosing the events would take longer than it does.
        mask = batch["mask"]
        state = self.states(batch).flatten(0, 1).to(self.duration_hidden.weight.dtype)
        event = {name: values.flatten(0, 1) for name, values in batch.items() if name != "mask"}
        event["inputs"] = event["inputs"].long()
        durations = event["durations"]
        duration_nll = F.cross_entropy(self.duration_logits(state, event), durations, reduction="none")
        pitch_nll = F.cross_entropy(self.pitch_logits(state, durations, event), event["pitches"], reduction="none")
        there = mask.flatten()
        return (
            (duration_nll * there).view(mask.shape),
            (pitch_nll * (there & (durations > 0))).view(mask.shape),
        )

    def states(self, batch: Batch) -> Tensor:
        """(B, T, hidden): the top layer's state when each event is due; in training with dropout."""
        inputs = batch["inputs"].long()
        dtype = multiplied_as(self.input.weight)
        tables = [self.tables[column.name].get_parameter("weight") for column in self.places]
        x = looked_up(tables, inputs[..., : len(self.places)], dtype)
        if self.config.context.candidates:
            tables = [self.candidate_tables[column.name].get_parameter("weight") for column in self.spots]
            x = torch.cat([x, looked_up(tables, self._spots(inputs), dtype).flatten(-2)], dim=-1)
        x = self._locked_dropout(self.input(x), self.config.dropout / 2)
        for layer in self.recurrent:
            x = self._locked_dropout(self._run_layer(layer, x), self.config.dropout)
        return x

    def _locked_dropout(self, x: Tensor, share: float) -> Tensor:
        """Dropout with one mask for a whole piece (Gal & Ghahramani 2016), so that it does not average out."""
        if not self.training or share == 0:
            return x
        return x * dropout(torch.ones_like(x[:, :1]), share)

    def _run_layer(self, layer: nn.Module, x: Tensor) -> Tensor:
        """(B, T, hidden) states of one layer; in training without a share of its recurrent weights
        (DropConnect, as in AWD-LSTM, Merity et al. 2018).
        """
        # (minGRU has none.)
        if not self.training or self.config.dropout == 0 or not hasattr(layer, "weight_hh_l0"):
            return layer(x)[0]
        dropped = {"weight_hh_l0": dropout(layer.get_parameter("weight_hh_l0"), self.config.dropout)}
        return functional_call(layer, dropped, (x,))[0]

    def _spots(self, inputs: Tensor) -> Tensor:
        """(..., K, columns): the candidates' part of the inputs."""
        return inputs[..., len(self.places) :].unflatten(-1, (self.config.context.candidates, len(self.spots)))

    def duration_logits(self, state: Tensor, event: Batch) -> Tensor:
        """(N, max_duration + 1) logits for N events, from their states (N, hidden)."""
        hidden = F.relu(self.duration_hidden(state))
        made = iter(side_by_side(hidden, [self.duration, *self._optional("duration_end", "duration_copy")]))
        logits = next(made).float()
        if self.config.context.metre:
            # A duration is also a place in the bar where the event ends.
            steps = torch.arange(self.config.max_duration + 1, device=state.device)
            logits = logits + next(made).gather(1, self._ends(event, steps))
        if self.config.context.candidates:
            spots = self._spots(event["inputs"])
            run = spots[..., -1]
            weight = next(made) + _per_candidate(self.duration_copy_run, run)
            logits = logits.scatter_add(1, spots[..., -2], (weight * _exists(run)).to(logits.dtype))
        return logits

    def pitch_logits(self, state: Tensor, durations: Tensor, event: Batch) -> Tensor:
        """(N, PITCH_CLASSES) logits for N events whose durations (N,) are known."""
        hidden = self.pitch_hidden(state) + self.pitch_given_duration(durations)
        if self.config.context.metre:
            hidden = hidden + self.pitch_given_end(self._ends(event, durations[:, None])[:, 0])
        layers = [self.pitch, self.pitch_interval, *self._optional("pitch_degree", "pitch_chord", "pitch_copy")]
        made = iter(side_by_side(F.relu(hidden), layers))
        # A pitch is also an interval from the one before, and a degree of the key.
        logits = next(made).float()
        logits = logits + next(made).gather(1, self.interval_of[event["reference"].long()])
        if self.config.context.key:
            logits = logits + next(made).gather(1, self.degree_of[event["tonic"].long()])
        if self.config.context.chords:
            logits = logits + next(made).gather(1, self.chord_degree_of[event["root"].long()])
        if self.config.context.candidates:
            spots = self._spots(event["inputs"])
            run = spots[..., -1]
            agrees = (spots[..., -2] == durations[:, None]).long()
            weight = next(made) + _per_candidate(self.pitch_copy_run, 2 * run + agrees)
            index = event["candidate_pitch"].long()
            logits = logits.scatter_add(1, index, (weight * _exists(run)).to(logits.dtype))
        return logits

    def _optional(self, *names: str) -> list[nn.Linear]:
        """Those of these layers that there are."""
        return [layer for name in names if isinstance(layer := getattr(self, name, None), nn.Linear)]

    def _ends(self, event: Batch, durations: Tensor) -> Tensor:
        """Where in the bar events of these durations would end, in [0, POSITIONS)."""
        # (Padding has bars of no length.)
        bar = event["bar_steps"].long()[:, None].clamp(min=1)
        ends = (event["position"].long()[:, None] + durations) % bar
        return ends.clamp(max=POSITIONS - 1)


def _per_candidate(table: Tensor, index: Tensor) -> Tensor:
    """(N, K) entries of a (K, classes) table."""
    return table[torch.arange(table.shape[0], device=table.device), index]


def _exists(run: Tensor) -> Tensor:
    return (run % 3 > 0).float()
