"""The table of Chung et al. 2014 (arXiv:1412.3555): tanh, LSTM and GRU on four sets of polyphonic music.

    python benchmarks/chung2014.py --data FOLDER

FOLDER holds JSB_Chorales.mat, MuseData.mat, Nottingham.mat and Piano_midi.mat (Boulanger-Lewandowski 2012: binary
piano rolls of 88 keys, already split). A frame is predicted from those before it, its 88 keys independently of each
other given the past (logistic outputs); the figure is the average negative log-likelihood of a frame in nats, over all
frames of all pieces, the first frame of each included.

As in the paper: one layer of 100 (tanh), 36 (LSTM) or 46 units (GRU); RMSProp; noise of 0.075 on all weights; gradient
norm clipped to 1; ten learning rates drawn log-uniformly from [e^-12, e^-6), the best on the validation set taken;
early stopping. All ten are trained at once, as slices of the same tensors; the worst are given up along the way
(successive halving). Not told in the paper, and chosen here: momentum of 0.9 (Graves 2013), the rate halved after ten
epochs without a better validation, sixteen pieces a batch, back-propagation through 50 frames with the state carried
on, 88 keys (it has 93 to 108).

`benchmarks/chung2014_best.py` trains our best GRU on the same data.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.io
import torch
from torch import Tensor
from torch.nn import functional as F

KEYS = 88
UNITS = {"tanh": 100, "gru": 46, "lstm": 36}
PAPER = {
    "Nottingham": {"tanh": (3.22, 3.13), "gru": (2.79, 3.23), "lstm": (3.08, 3.20)},
    "JSB_Chorales": {"tanh": (8.82, 9.10), "gru": (6.94, 8.54), "lstm": (8.15, 8.67)},
    "MuseData": {"tanh": (5.64, 6.23), "gru": (5.06, 5.99), "lstm": (5.18, 6.23)},
    "Piano_midi": {"tanh": (5.64, 9.03), "gru": (4.93, 8.82), "lstm": (6.49, 9.03)},
}
"""Table 2 of the paper: (train, test)."""
WEIGHT_NOISE = 0.075
MOMENTUM = 0.9
STALLED = 10
"""Epochs without a better validation after which the rate is halved."""
LARGEST_NORM = 1.0
LOG_RATES = (-12.0, -6.0)
LEFT = {2: 5, 4: 3, 8: 2, 16: 1}
"""How many of the learning rates are left after so many epochs."""

Piece = np.ndarray
"""(T, 88) of 0 and 1."""


@dataclass(frozen=True)
class Splits:
    """The pieces of one data set."""

    train: list[Piece]
    valid: list[Piece]
    test: list[Piece]


def load(path: Path) -> Splits:
    """Read one `.mat` file."""
    table = scipy.io.loadmat(path)
    return Splits(
        *([np.asarray(piece, np.uint8) for piece in table[f"{name}data"][0]] for name in ("train", "valid", "test"))
    )


def padded(pieces: list[Piece]) -> tuple[Tensor, Tensor]:
    """Pieces side by side: frames (B, T, 88), and which of them are real, (B, T); both float."""
    longest = max(map(len, pieces))
    frames, mask = torch.zeros(len(pieces), longest, KEYS), torch.zeros(len(pieces), longest)
    for row, piece in enumerate(pieces):
        frames[row, : len(piece)] = torch.from_numpy(piece)
        mask[row, : len(piece)] = 1
    return frames, mask


def piece_nll(logits: Tensor, frames: Tensor, mask: Tensor) -> Tensor:
    """(..., B, T, 88) scores to (..., B) negative log-likelihoods of all real frames of each piece."""
    nll = F.binary_cross_entropy_with_logits(logits, frames.expand_as(logits), reduction="none").sum(-1)
    return (nll * mask).sum(-1)


class Ensemble:
    """E networks of one layer, trained side by side; every weight has E as its first dimension."""

    def __init__(self, cell: str, members: int):
        self.cell, self.units = cell, UNITS[cell]
        gates = {"tanh": 1, "gru": 3, "lstm": 4}[cell]
        bound = 1 / math.sqrt(self.units)

        def uniform(*shape: int) -> Tensor:
            return torch.empty(members, *shape).uniform_(-bound, bound).requires_grad_()

        self.w_x, self.b = uniform(KEYS, gates * self.units), uniform(1, gates * self.units)
        self.w_h = uniform(self.units, gates * self.units)
        self.w_y, self.b_y = uniform(self.units, KEYS), uniform(1, KEYS)
        self.peepholes = uniform(3, self.units) if cell == "lstm" else None
        named = (self.w_x, self.b, self.w_h, self.w_y, self.b_y, self.peepholes)
        self.weights = [weight for weight in named if weight is not None]

    @torch.no_grad()
    def keep(self, members: list[int]) -> None:
        """Give up all other members."""
        for weight in self.weights:
            weight.set_(weight[members].clone())

    def start(self, batch: int) -> tuple[Tensor, ...]:
        """The state before the first frame: (E, B, units) tensors of zeros."""
        zeros = torch.zeros(len(self.w_x), batch, self.units)
        return (zeros, zeros) if self.cell == "lstm" else (zeros,)

    def logits(self, inputs: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Inputs (B, T, 88), each the frame before, to (E, B, T, 88) scores, and the state after the last."""
        batch, steps, _ = inputs.shape
        # (T, E, B, gates): what the inputs say, for all frames at once.
        from_x = torch.baddbmm(
            self.b, inputs.transpose(0, 1).reshape(1, -1, KEYS).expand(len(self.w_x), -1, -1), self.w_x
        )
        from_x = from_x.unflatten(1, (steps, batch)).transpose(0, 1)
        step = {"tanh": self._tanh, "gru": self._gru, "lstm": self._lstm}[self.cell]
        outputs = []
        for x in from_x.unbind(0):
            state = step(x, state)
            outputs.append(state[0])
        hidden = torch.stack(outputs, dim=2).flatten(1, 2)
        return torch.baddbmm(self.b_y, hidden, self.w_y).unflatten(1, (batch, steps)), state

    def _tanh(self, x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (torch.tanh(torch.baddbmm(x, state[0], self.w_h)),)

    def _gru(self, x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The paper's: the reset gate before the product, and z lets the new in."""
        n, h = self.units, state[0]
        gates = torch.sigmoid(torch.baddbmm(x[..., : 2 * n], h, self.w_h[..., : 2 * n]))
        r, z = gates.chunk(2, -1)
        candidate = torch.tanh(torch.baddbmm(x[..., 2 * n :], r * h, self.w_h[..., 2 * n :]))
        return (torch.lerp(h, candidate, z),)

    def _lstm(self, x: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """With peepholes, as in the paper (and Graves 2013)."""
        assert self.peepholes is not None
        h, c = state
        i, f, o, new = torch.baddbmm(x, h, self.w_h).chunk(4, -1)
        to_i, to_f, to_o = self.peepholes.unsqueeze(2).unbind(1)
        c = torch.sigmoid(f + to_f * c) * c + torch.sigmoid(i + to_i * c) * torch.tanh(new)
        return torch.sigmoid(o + to_o * c) * torch.tanh(c), c


class RMSProp:
    """Tieleman & Hinton 2012, with momentum (Graves 2013), and a learning rate for each member of an ensemble."""

    def __init__(self, weights: list[Tensor], rates: Tensor, decay: float = 0.95, floor: float = 1e-4):
        self.weights, self.rates, self.decay, self.floor = weights, rates, decay, floor
        self.squares = [torch.zeros_like(weight) for weight in weights]
        self.moves = [torch.zeros_like(weight) for weight in weights]

    @torch.no_grad()
    def step(self) -> None:
        """Clip each member's gradient to norm 1, and go one step."""
        gradients = [weight.grad for weight in self.weights if weight.grad is not None]
        norm = torch.stack([gradient.flatten(1).square().sum(1) for gradient in gradients]).sum(0).sqrt()
        scale = (LARGEST_NORM / (norm + 1e-9)).clamp(max=1)[:, None, None]
        for weight, gradient, square, move in zip(self.weights, gradients, self.squares, self.moves, strict=True):
            clipped = gradient * scale
            square.mul_(self.decay).addcmul_(clipped, clipped, value=1 - self.decay)
            move.mul_(MOMENTUM).addcdiv_(self.rates[:, None, None] * clipped, square.sqrt() + self.floor)
            weight.sub_(move)
            weight.grad = None

    def keep(self, members: list[int]) -> None:
        """Forget all others."""
        self.rates = self.rates[members]
        self.squares = [square[members] for square in self.squares]
        self.moves = [move[members] for move in self.moves]


def batches(pieces: list[Piece], size: int, random: np.random.Generator) -> Iterator[list[Piece]]:
    """Pieces of like length together, the batches in random order."""
    order = np.argsort([len(piece) * random.uniform(0.9, 1.1) for piece in pieces])
    groups = [order[i : i + size] for i in range(0, len(order), size)]
    for group in random.permutation(len(groups)):
        yield [pieces[i] for i in groups[group]]


def shifted(frames: Tensor) -> Tensor:
    """What is known when each frame is due: the frame before it, silence before the first."""
    return F.pad(frames, (0, 0, 1, 0))[:, :-1]


def train_epoch(
    network: Ensemble, optimizer: RMSProp, pieces: list[Piece], batch: int, window: int, random: np.random.Generator
) -> None:
    """One pass over the pieces."""
    for chosen in batches(pieces, batch, random):
        frames, mask = padded(chosen)
        inputs, state = shifted(frames), network.start(len(chosen))
        for begin in range(0, frames.shape[1], window):
            part = slice(begin, begin + window)
            with torch.no_grad():
                noise = [WEIGHT_NOISE * torch.randn_like(weight) for weight in network.weights]
                for weight, change in zip(network.weights, noise, strict=True):
                    weight += change
            logits, state = network.logits(inputs[:, part], state)
            (piece_nll(logits, frames[:, part], mask[:, part]).sum() / mask[:, part].sum()).backward()
            with torch.no_grad():
                for weight, change in zip(network.weights, noise, strict=True):
                    weight -= change
            optimizer.step()
            state = tuple(part.detach() for part in state)


@torch.no_grad()
def evaluate(network: Ensemble, pieces: list[Piece], batch: int = 64, window: int = 500) -> tuple[Tensor, Tensor]:
    """(E,) average negative log-likelihood of a frame: over all frames, and the mean of each piece's own."""
    total, each = torch.zeros(len(network.w_x)), torch.zeros(len(network.w_x))
    order = sorted(pieces, key=len)
    for first in range(0, len(order), batch):
        frames, mask = padded(order[first : first + batch])
        inputs, state = shifted(frames), network.start(len(frames))
        nll = torch.zeros(len(network.w_x), len(frames))
        for begin in range(0, frames.shape[1], window):
            part = slice(begin, begin + window)
            logits, state = network.logits(inputs[:, part], state)
            nll += piece_nll(logits, frames[:, part], mask[:, part])
        total += nll.sum(1)
        each += (nll / mask.sum(1)).sum(1)
    return total / sum(map(len, pieces)), each / len(pieces)


def run(cell: str, data: Splits, arguments: argparse.Namespace) -> tuple[float, float, float, float, float, int]:
    """Train one cell; train, validation and test figures, the last by pieces too, the learning rate, epochs."""
    torch.manual_seed(arguments.seed)
    random = np.random.default_rng(arguments.seed)
    rates = torch.empty(arguments.draws).uniform_(*LOG_RATES).exp()
    network = Ensemble(cell, arguments.draws)
    optimizer = RMSProp(network.weights, rates)
    best, kept, rate, since, epoch, began = math.inf, [], 0.0, 0, 0, time.monotonic()
    while since < arguments.patience and epoch < arguments.epochs and time.monotonic() - began < 60 * arguments.minutes:
        train_epoch(network, optimizer, data.train, arguments.batch, arguments.window, random)
        epoch, since = epoch + 1, since + 1
        now = evaluate(network, data.valid)[0].nan_to_num(math.inf)
        if float(now.min()) < best:
            best, member, since = float(now.min()), int(now.argmin()), 0
            kept, rate = (
                [weight[[member]].detach().clone() for weight in network.weights],
                float(optimizer.rates[member]),
            )
        elif since % STALLED == 0:
            optimizer.rates = optimizer.rates / 2
        if epoch in LEFT:
            members = now.argsort()[: LEFT[epoch]].tolist()
            network.keep(members)
            optimizer.keep(members)
    with torch.no_grad():
        for weight, value in zip(network.weights, kept, strict=True):
            weight.set_(value)
    (train, _), (test, by_piece) = (evaluate(network, pieces) for pieces in (data.train, data.test))
    return float(train), best, float(test), float(by_piece), rate, epoch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", default=list(PAPER), choices=list(PAPER))
    parser.add_argument("--cells", nargs="+", default=list(UNITS), choices=list(UNITS))
    parser.add_argument("--draws", type=int, default=10, help="learning rates that are tried")
    parser.add_argument("--epochs", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=math.inf, help="of each cell on each set")
    parser.add_argument("--patience", type=int, default=40)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--window", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    print(
        f"{'data':<14}{'cell':<6}{'train':>8}{'valid':>8}{'test':>8}{'by piece':>10}{'paper':>14}{'test':>9}"
        f"{'rate':>10}{'epochs':>8}{'time':>8}"
    )
    for name in arguments.sets:
        data = load(arguments.data / f"{name}.mat")
        for cell in arguments.cells:
            began = time.monotonic()
            train, valid, test, by_piece, rate, epochs = run(cell, data, arguments)
            paper = PAPER[name][cell]
            print(
                f"{name:<14}{cell:<6}{train:>8.2f}{valid:>8.2f}{test:>8.2f}{by_piece:>10.2f}{paper[0]:>7.2f}/{paper[1]:>6.2f}"
                f"{test / paper[1] - 1:>+9.1%}{rate:>10.5f}{epochs:>8}{time.monotonic() - began:>7.0f}s",
                flush=True,
            )


if __name__ == "__main__":
    main()
