"""Our best GRU on the four data sets of Chung et al. 2014, with logistic outputs as there.

    python benchmarks/chung2014_best.py --data FOLDER

The same data and figure as `benchmarks/chung2014.py`; the network is larger, and told what melodygru's is told: beside
the frame before, the frames 4, 8, 16, 32 and 64 frames ago, and what followed where the piece had the longest passages
like the one just heard. These add to the score of the very keys that they stand for. Trained with random transposition,
dropout with one mask a piece (Gal & Ghahramani 2016), AdamW, a cosine schedule and averaged weights; the weights with
the best validation are kept.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
from chung2014 import KEYS, PAPER, Piece, batches, load
from torch import Tensor, nn
from torch.nn import functional as F

LAGS = (4, 8, 16, 32, 64)
MATCHES = 2
RUNS = np.array([0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64])
SOURCES = 1 + len(LAGS) + MATCHES
PUBLISHED = {
    "Nottingham": "GRU 3.46, LSTM 3.29, TCN 3.07",
    "JSB_Chorales": "GRU 8.43, LSTM 8.45, TCN 8.10",
    "MuseData": "",
    "Piano_midi": "",
}
"""Bai et al. 2018, test; logistic outputs."""


def sources(piece: Piece) -> tuple[np.ndarray, np.ndarray]:
    """What is known when each of T frames is due.

    Returns:
        (T, SOURCES, 88) frames: the one before, those some frames ago, what followed the longest passages like the one
        just heard; and (T, MATCHES) how long those passages were, as classes in [0, len(RUNS)).
    """
    length = len(piece)
    frames = np.zeros((length, SOURCES, KEYS), np.uint8)
    runs = np.zeros((length, MATCHES), np.int64)
    frames[1:, 0] = piece[:-1]
    for place, lag in enumerate(LAGS, 1):
        frames[lag:, place] = piece[:-lag] if lag < length else piece[:0]
    _, codes = np.unique(piece, axis=0, return_inverse=True)
    codes = codes.ravel()
    # same[s]: how many frames before s are the same as those before the frame that is due.
    same = np.zeros(length + 1, np.int64)
    for due in range(1, length):
        same[1 : due + 1] = np.where(codes[:due] == codes[due - 1], same[:due] + 1, 0)
        same[0] = 0
        before = same[1:due]
        if not len(before):
            continue
        first = len(before) - 1 - int(before[::-1].argmax())
        rival = np.where(codes[1:due] == codes[1 + first], 0, before)
        for place, (lengths, at) in enumerate(((before, first), (rival, len(before) - 1 - int(rival[::-1].argmax())))):
            if lengths[at]:
                frames[due, 1 + len(LAGS) + place] = piece[1 + at]
                runs[due, place] = np.searchsorted(RUNS, lengths[at], side="right") - 1
    return frames, runs


class Network(nn.Module):
    """Stacked GRU layers over everything that is known, and scores of 88 keys."""

    def __init__(self, hidden: int, layers: int, dropout: float):
        super().__init__()
        self.dropout = dropout
        self.runs = nn.Embedding(len(RUNS), 16)
        self.input = nn.Linear(SOURCES * KEYS + MATCHES * 16, hidden)
        self.recurrent = nn.ModuleList(nn.GRU(hidden, hidden, batch_first=True) for _ in range(layers))
        self.out = nn.Linear(hidden, KEYS)
        self.copy = nn.Linear(hidden, SOURCES)
        self.copy_run = nn.Embedding(len(RUNS), MATCHES)
        nn.init.zeros_(self.copy.weight)
        nn.init.zeros_(self.copy_run.weight)

    def forward(self, frames: Tensor, runs: Tensor, state: list[Tensor] | None) -> tuple[Tensor, list[Tensor]]:
        """(B, T, SOURCES, 88), (B, T, MATCHES) to (B, T, 88) scores, and the states after the last frame."""
        known = frames.float()
        x = torch.cat([known.flatten(2), self.runs(runs).flatten(2)], dim=-1)
        x = self._locked(F.relu(self.input(self._locked(x, self.dropout / 3))), self.dropout)
        states = []
        for number, layer in enumerate(self.recurrent):
            x, last = layer(x, None if state is None else state[number])
            x = self._locked(x, self.dropout)
            states.append(last)
        weight = self.copy(x)
        own = torch.stack([self.copy_run(runs[..., place])[..., place] for place in range(MATCHES)], dim=-1)
        weight = torch.cat([weight[..., :-MATCHES], weight[..., -MATCHES:] + own], dim=-1)
        return self.out(x) + (weight[..., None] * known).sum(-2), states

    def _locked(self, x: Tensor, share: float) -> Tensor:
        return x * F.dropout(torch.ones_like(x[:, :1]), share) if self.training else x


Prepared = list[tuple[Piece, np.ndarray, np.ndarray]]


def padded(pieces: Prepared, shift: np.ndarray) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Pieces side by side, each moved by its shift in semitones: frames, sources, runs, and which frames are real."""
    longest = max(len(piece) for piece, _, _ in pieces)
    frames = torch.zeros(len(pieces), longest, KEYS)
    known = torch.zeros(len(pieces), longest, SOURCES, KEYS, dtype=torch.uint8)
    runs = torch.zeros(len(pieces), longest, MATCHES, dtype=torch.int64)
    mask = torch.zeros(len(pieces), longest)
    for row, ((piece, own, lengths), move) in enumerate(zip(pieces, shift.tolist(), strict=True)):
        frames[row, : len(piece)] = torch.from_numpy(np.roll(piece, move, axis=-1))
        known[row, : len(piece)] = torch.from_numpy(np.roll(own, move, axis=-1))
        runs[row, : len(piece)] = torch.from_numpy(lengths)
        mask[row, : len(piece)] = 1
    return frames, known, runs, mask


def shifts(pieces: Prepared, random: np.random.Generator, share: float) -> np.ndarray:
    """(B,) semitones in -5..6 for about this share of the pieces, such that no key falls off; else 0."""
    found = []
    for piece, _, _ in pieces:
        used = np.flatnonzero(piece.any(axis=0))
        low, high = max(-5, -int(used.min())), min(6, KEYS - 1 - int(used.max()))
        found.append(int(random.integers(low, high + 1)) if random.random() < share else 0)
    return np.array(found)


@torch.no_grad()
def evaluate(network: Network, pieces: Prepared, window: int = 400) -> float:
    """Average negative log-likelihood of a frame."""
    network.eval()
    total, order = 0.0, sorted(pieces, key=lambda piece: len(piece[0]))
    for first in range(0, len(order), 16):
        chosen = order[first : first + 16]
        frames, known, runs, mask = padded(chosen, np.zeros(len(chosen), int))
        state = None
        for begin in range(0, frames.shape[1], window):
            part = slice(begin, begin + window)
            logits, state = network(known[:, part], runs[:, part], state)
            nll = F.binary_cross_entropy_with_logits(logits, frames[:, part], reduction="none").sum(-1)
            total += float((nll * mask[:, part]).sum())
    return total / sum(len(piece) for piece, _, _ in pieces)


def run(name: str, arguments: argparse.Namespace) -> tuple[float, float, float, int, int]:
    """Train on one data set: training, validation and test figures, parameters, epochs."""
    torch.manual_seed(arguments.seed)
    random = np.random.default_rng(arguments.seed)
    data = load(arguments.data / f"{name}.mat")
    train, valid, test = ([(p, *sources(p)) for p in pieces] for pieces in (data.train, data.valid, data.test))
    network = Network(arguments.hidden, arguments.layers, arguments.dropout)
    optimizer = torch.optim.AdamW(network.parameters(), arguments.lr, betas=(0.9, 0.98), weight_decay=0.05)
    average = {key: value.clone() for key, value in network.state_dict().items()}
    best, kept, epoch, step, began = math.inf, average, 0, 0, time.monotonic()
    while (done := (time.monotonic() - began) / (60 * arguments.minutes)) < 1:
        by_length = dict(enumerate(train))
        for chosen in batches([np.full(len(p), i) for i, (p, _, _) in by_length.items()], arguments.batch, random):
            group = [by_length[int(piece[0])] for piece in chosen]
            frames, known, runs, mask = padded(group, shifts(group, random, arguments.transpose))
            state = None
            for begin in range(0, frames.shape[1], arguments.window):
                part = slice(begin, begin + arguments.window)
                network.train()
                logits, state = network(known[:, part], runs[:, part], state)
                nll = F.binary_cross_entropy_with_logits(logits, frames[:, part], reduction="none").sum(-1)
                rate = (
                    arguments.lr
                    * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(done, 1))))
                    * min(1, (step + 1) / 100)
                )
                for settings in optimizer.param_groups:
                    settings["lr"] = rate
                optimizer.zero_grad()
                ((nll * mask[:, part]).sum() / mask[:, part].sum()).backward()
                nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                optimizer.step()
                state, step = [part.detach() for part in state], step + 1
                with torch.no_grad():
                    decay = min(0.998, (step + 1) / (step + 10))
                    for key, value in network.state_dict().items():
                        average[key].lerp_(value, 1 - decay)
            done = (time.monotonic() - began) / (60 * arguments.minutes)
            if done >= 1:
                break
        epoch += 1
        current = {key: value.clone() for key, value in network.state_dict().items()}
        network.load_state_dict(average)
        if (now := evaluate(network, valid)) < best:
            best, kept = now, {key: value.clone() for key, value in average.items()}
        network.load_state_dict(current)
    network.load_state_dict(kept)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return evaluate(network, train), best, evaluate(network, test), parameters, epoch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", default=list(PAPER), choices=list(PAPER))
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--layers", type=int, default=1)
    parser.add_argument("--dropout", type=float, default=0.4)
    parser.add_argument("--transpose", type=float, default=0.7, help="share of pieces that are moved in an epoch")
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--window", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=10.0, help="of training on each set")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{'data':<14}{'train':>8}{'valid':>8}{'test':>8}{'paper GRU':>12}{'parameters':>13}{'epochs':>8}  others")
    for name in arguments.sets:
        train, valid, test, parameters, epochs = run(name, arguments)
        paper = PAPER[name]["gru"][1]
        print(
            f"{name:<14}{train:>8.2f}{valid:>8.2f}{test:>8.2f}{paper:>12.2f}{parameters:>13,}{epochs:>8}  "
            f"{PUBLISHED[name]}",
            flush=True,
        )


if __name__ == "__main__":
    main()
