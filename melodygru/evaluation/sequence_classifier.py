"""A small network that tries to tell generated melodies from people's, event by event: for the two-sample test."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from melodygru.network.arrays import FloatArray, IntArray
from melodygru.network.tokenizer import END, REST, Events
from melodygru.training.gru import GRU

_LARGEST_INTERVAL = 12
_INTERVALS = 2 * _LARGEST_INTERVAL + 4
_DURATIONS = 97
_PLACES = 32
_SIZE, _HIDDEN, _DROPOUT = 12, 32, 0.3
_EPOCHS, _BATCH, _RATE = 12, 16, 4e-3
_SIDE_BY_SIDE = 6
"""Rows of a batch whose states are computed together: fewer need less padding, more keep the vectors fuller."""


class SequenceClassifier(nn.Module):
    """One GRU layer over the events of a melody, the mean of its states and the last one, one score."""

    def __init__(self) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(size, _SIZE) for size in (_INTERVALS, 13, _DURATIONS, _PLACES))
        self.recurrent = GRU(4 * _SIZE, _HIDDEN)
        self.out = nn.Linear(2 * _HIDDEN, 1)

    def forward(self, rows: Sequence[Tensor]) -> Tensor:
        """(T, 4) `columns` of each of B melodies to (B,) scores."""
        lengths = torch.tensor([len(row) for row in rows])
        # Side by side those of about the same length: what stands after the end of the shorter is computed too.
        blocks = lengths.argsort(stable=True).split(_SIDE_BY_SIDE)
        padded = [nn.utils.rnn.pad_sequence([rows[i] for i in block.tolist()], batch_first=True) for block in blocks]
        events = torch.cat([of_block.flatten(0, 1) for of_block in padded])
        x = torch.cat([table(events[:, i]) for i, table in enumerate(self.tables)], dim=1)
        if self.training:
            # Drawn as if all were as long as the longest.
            kept = torch.empty(len(rows), int(lengths.max()), x.shape[1]).bernoulli_(1 - _DROPOUT)
            x = x * torch.cat(
                [kept[block, : of.shape[1]].flatten(0, 1) for block, of in zip(blocks, padded, strict=True)]
            ).div_(1 - _DROPOUT)
        each = x.split([len(of_block.flatten(0, 1)) for of_block in padded])
        found = []
        for block, of_block, inputs in zip(blocks, padded, each, strict=True):
            states, _ = self.recurrent(inputs.unflatten(0, of_block.shape[:2]))
            own = lengths[block]
            inside = (torch.arange(states.shape[1]) < own[:, None]).float()
            mean = torch.bmm(inside[:, None], states)[:, 0] / own[:, None]
            found.append(torch.cat([mean, states[torch.arange(len(own)), own - 1]], dim=1))
        hidden = torch.cat(found)[torch.cat(blocks).argsort()]
        scores: Tensor = self.out(nn.functional.dropout(hidden, _DROPOUT, self.training))
        return scores[:, 0]


def columns(piece: Events) -> IntArray:
    """(T, 4) of every event but END: interval from the note before, degree above the tonic, duration, place in the bar.

    Nothing of the key's height: transposed melodies look the same.
    """
    inside = piece.durations != END
    pitches, durations = piece.pitches[inside], piece.durations[inside]
    onsets = np.cumsum(durations) - durations
    sounds = pitches < REST
    # The pitch of the last note at or before each event; the first note is its own.
    order = np.maximum.accumulate(np.where(sounds, np.arange(len(pitches)), -1))
    before = np.where(order > -1, pitches[np.maximum(order, 0)], REST)
    before = np.concatenate([before[:1], before[:-1]])
    steps = np.clip(pitches - before, -_LARGEST_INTERVAL, _LARGEST_INTERVAL) + _LARGEST_INTERVAL
    steps = np.where(before >= REST, _INTERVALS - 3, steps)
    intervals = np.where(sounds, steps, pitches - REST + _INTERVALS - 2)
    degrees = np.where(sounds, (pitches - piece.meta.key.tonic) % 12, 12)
    places = onsets % piece.meta.time_signature.bar_steps * _PLACES // piece.meta.time_signature.bar_steps
    return np.stack([intervals, degrees, np.minimum(durations, _DURATIONS - 1), places], axis=1)


class SequenceLearner:
    """Learns to tell people's pieces from others, and judges some that it has not seen."""

    def __init__(self, pieces: Sequence[Events], people: IntArray):
        """`people` (N,) says of each of the pieces 1 or 0."""
        self._rows = [columns(piece) for piece in pieces]
        self._people = people

    def __call__(self, train: IntArray, test: IntArray) -> FloatArray:
        """Scores of the pieces `test` (indices), learned from those of `train`: higher for what is like people's."""
        threads = torch.get_num_threads()
        # The products are small: a second thread takes more time than it saves, and waits where cores are busy.
        torch.set_num_threads(1)
        try:
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(0)
                return self._learn(train, test)
        finally:
            torch.set_num_threads(threads)

    def _learn(self, train: IntArray, test: IntArray) -> FloatArray:
        rows = [torch.from_numpy(row) for row in self._rows]
        network = SequenceClassifier()
        optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=0.05)
        steps = _EPOCHS * -(-len(train) // _BATCH)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps)
        random = np.random.default_rng(0)
        share = self._people[train].mean()
        for _ in range(_EPOCHS):
            for chosen in _batches(random.permutation(train)):
                target = torch.from_numpy(self._people[chosen]).float()
                # Both kinds weigh the same, however many there are of each.
                weight = torch.where(target > 0, 0.5 / share, 0.5 / (1 - share))
                scores = network([rows[i] for i in chosen])
                loss = nn.functional.binary_cross_entropy_with_logits(scores, target, weight)
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                optimizer.step()
                schedule.step()
        network.eval()
        with torch.no_grad():
            found = [network([rows[i] for i in chosen]).numpy() for chosen in _batches(test)]
        return np.concatenate(found).astype(np.float64)


def _batches(chosen: IntArray) -> list[IntArray]:
    return [chosen[i : i + _BATCH] for i in range(0, len(chosen), _BATCH)]
