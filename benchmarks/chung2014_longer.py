"""The GRU of Chung et al. 2014 trained for longer, and the figure averaged in other ways: why our table differs.

    python benchmarks/chung2014_longer.py --data FOLDER --noise none all --epochs 100

`benchmarks/chung2014.py` has all cells, ten learning rates, and minutes. Here is one GRU of 46 units, and what the
authors' own program does (github.com/jych/librnn, of after the paper) in place of what was guessed there: the whole
piece is gone back through, a step is a few pieces, the gradient is that of the sum over all frames, squares of RMSProp
have a floor of 0.01 and the move a largest norm of 1, the learning rate falls in a line to a hundredth, the first frame
of a piece is not foretold. Weight noise there is on the recurrent layer alone.

The compiled loop of `melodygru.training.gru` is used; its reset gate comes after the product (Cho et al. have it
before). A run is saved after each epoch beside `--results`, and goes on from there.

Figures: nats a frame of training, validation and test, by the weights with the best validation; of test also with each
piece's own average averaged, which is another reading of "average".
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from chung2014 import KEYS, PAPER, Piece, Splits, load, padded, piece_nll
from torch import Tensor, nn

from melodygru.training.gru import GRU

NOISE = 0.075
MOMENTUM, DECAY, FLOOR, LARGEST_MOVE = 0.9, 0.95, 1e-2, 1.0
LAST_RATE = 0.01
"""Of the first."""


class Network(nn.Module):
    """One GRU layer and scores of 88 keys."""

    def __init__(self, units: int):
        super().__init__()
        self.recurrent, self.out = GRU(KEYS, units), nn.Linear(units, KEYS)
        for weight in self.parameters():
            nn.init.uniform_(weight, -0.1, 0.1) if weight.dim() > 1 else nn.init.zeros_(weight)

    def forward(self, frames: Tensor) -> Tensor:
        """(B, T, 88) frames to (B, T - 1, 88) scores of all but the first."""
        return self.out(self.recurrent(frames[:, :-1])[0])


class Adam:
    """Not the paper's: what the network can reach at all."""

    def __init__(self, weights: list[nn.Parameter]):
        self.weights, self.inner = weights, torch.optim.Adam(weights, betas=(0.9, 0.98))

    def step(self, rate: float, largest_norm: float) -> None:
        """Clip the gradient to a norm, and go one step."""
        nn.utils.clip_grad_norm_(self.weights, largest_norm)
        self.inner.param_groups[0]["lr"] = rate
        self.inner.step()
        self.inner.zero_grad()

    def state(self) -> dict[str, object]:
        """All that it goes on from."""
        return self.inner.state_dict()

    def resume(self, state: dict[str, object]) -> None:
        """Go on from there."""
        self.inner.load_state_dict(state)


class RMSProp:
    """As in the authors' program: momentum, a floor under the root of the squares, a largest norm of the move."""

    def __init__(self, weights: list[nn.Parameter]):
        self.weights = weights
        self.squares = [torch.zeros_like(weight) for weight in weights]
        self.moves = [torch.zeros_like(weight) for weight in weights]

    @torch.no_grad()
    def step(self, rate: float, largest_norm: float) -> None:
        """Clip the gradient to a norm, and go one step."""
        gradients = [weight.grad for weight in self.weights if weight.grad is not None]
        nn.utils.clip_grad_norm_(self.weights, largest_norm)
        torch._foreach_mul_(self.squares, DECAY)
        torch._foreach_addcmul_(self.squares, gradients, gradients, value=1 - DECAY)
        roots = torch._foreach_sqrt(self.squares)
        torch._foreach_clamp_min_(roots, FLOOR)
        torch._foreach_mul_(self.moves, MOMENTUM)
        torch._foreach_addcdiv_(self.moves, gradients, roots, value=-rate)
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(self.moves)))
        torch._foreach_add_(self.weights, self.moves, alpha=float(LARGEST_MOVE / norm.clamp(min=LARGEST_MOVE)))
        for weight in self.weights:
            weight.grad = None

    def state(self) -> dict[str, object]:
        """All that it goes on from."""
        return {"squares": self.squares, "moves": self.moves}

    def resume(self, state: dict[str, object]) -> None:
        """Go on from there."""
        self.__dict__ |= state


OPTIMIZERS = {"rmsprop": RMSProp, "adam": Adam}


def batches(pieces: list[Piece], size: int, random: np.random.Generator) -> list[list[Piece]]:
    """Pieces of like length together, the batches in random order."""
    order = np.argsort([len(piece) * random.uniform(0.9, 1.1) for piece in pieces])
    groups = [[pieces[i] for i in order[at : at + size]] for at in range(0, len(order), size)]
    return [groups[i] for i in random.permutation(len(groups))]


def train_epoch(
    network: Network,
    optimizer: Adam | RMSProp,
    pieces: list[Piece],
    arguments: argparse.Namespace,
    noise: str,
    rate: float,
    epoch: int,
) -> None:
    """One pass over the pieces; `noise` says which weights are noisy."""
    random = np.random.default_rng((arguments.seed, epoch))
    noisy = list({"none": nn.Module(), "recurrent": network.recurrent, "all": network}[noise].parameters())
    for chosen in batches(pieces, arguments.batch, random):
        frames, mask = padded(chosen)
        with torch.no_grad():
            change = [NOISE * torch.randn_like(weight) for weight in noisy]
            if noisy:
                torch._foreach_add_(noisy, change)
        nll = piece_nll(network(frames), frames[:, 1:], mask[:, 1:]).sum()
        (nll / len(chosen) if arguments.objective == "sum" else nll / mask[:, 1:].sum()).backward()
        if noisy:
            with torch.no_grad():
                torch._foreach_sub_(noisy, change)
        optimizer.step(rate, arguments.largest_norm)


@torch.no_grad()
def evaluate(network: Network, pieces: list[Piece]) -> tuple[float, float]:
    """Nats a frame, the first frames left out: over all frames, and the mean of each piece's own."""
    total, each, order = 0.0, 0.0, sorted(pieces, key=len)
    for first in range(0, len(order), 8):
        frames, mask = padded(order[first : first + 8])
        nll = piece_nll(network(frames), frames[:, 1:], mask[:, 1:])
        total, each = total + float(nll.sum()), each + float((nll / mask[:, 1:].sum(1)).sum())
    return total / sum(len(piece) - 1 for piece in pieces), each / len(pieces)


def run(data: Splits, arguments: argparse.Namespace, noise: str, saved: Path) -> dict[str, float]:
    """Train, going on from `saved` if it is there; figures by the weights with the best validation."""
    torch.manual_seed(arguments.seed)
    network = Network(arguments.units)
    optimizer = OPTIMIZERS[arguments.optimizer]([*network.parameters()])
    state = {"epoch": 0, "best": math.inf, "at": 0, "kept": network.state_dict(), "seconds": 0.0}
    if saved.exists():
        state = torch.load(saved, weights_only=False)
        network.load_state_dict(state["now"])
        optimizer.resume(state["optimizer"])
        torch.set_rng_state(state["random"])
    while state["epoch"] < arguments.epochs and state["epoch"] - state["at"] < arguments.patience:
        began = time.monotonic()
        done = state["epoch"] / max(1, arguments.epochs - 1)
        rate = arguments.rate * (1 - done * (1 - LAST_RATE))
        train_epoch(network, optimizer, data.train, arguments, noise, rate, state["epoch"])
        state["epoch"] += 1
        now = evaluate(network, data.valid)[0]
        if now < state["best"]:
            kept = {name: weight.clone() for name, weight in network.state_dict().items()}
            state |= {"best": now, "at": state["epoch"], "kept": kept}
        state["seconds"] += time.monotonic() - began
        state |= {"now": network.state_dict(), "optimizer": optimizer.state(), "random": torch.get_rng_state()}
        torch.save(state, saved)
        if arguments.verbose:
            print(f"{state['epoch']:>5} {now:.3f} {state['best']:.3f} {state['seconds']:.0f} s", flush=True)
    network.load_state_dict(state["kept"])
    figures = {name: evaluate(network, getattr(data, name)) for name in ("train", "valid", "test")}
    return {name: value[0] for name, value in figures.items()} | {
        "test by piece": figures["test"][1],
        "epochs": state["epoch"],
        "best at": state["at"],
        "seconds": state["seconds"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", default=["Nottingham"], choices=list(PAPER))
    parser.add_argument("--noise", nargs="+", default=["none"], choices=["none", "recurrent", "all"], dest="noises")
    parser.add_argument("--optimizer", default="rmsprop", choices=list(OPTIMIZERS))
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--units", type=int, default=46)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--objective", default="sum", choices=["sum", "mean"], help="over the frames of a piece")
    parser.add_argument("--largest-norm", type=float, default=1.0)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--patience", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, help="a folder for the states of runs, and their figures")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    folder = arguments.results or Path("chung2014-longer")
    folder.mkdir(parents=True, exist_ok=True)
    head = f"{'data':<14}{'noise':<11}{'train':>8}{'valid':>8}{'test':>8}{'by piece':>10}{'paper':>14}{'test':>9}"
    print(f"{head}{'epochs':>8}")
    for name in arguments.sets:
        data, paper = load(arguments.data / f"{name}.mat"), PAPER[name]["gru"]
        for noise in arguments.noises:
            told = [name, arguments.optimizer, noise, arguments.units, arguments.batch, arguments.objective]
            told += [arguments.largest_norm, arguments.rate, arguments.epochs, arguments.seed]
            saved = folder / ("-".join(map(str, told)) + ".pt")
            figures = run(data, arguments, noise, saved)
            saved.with_suffix(".json").write_text(json.dumps(figures))
            line = f"{name:<14}{noise:<11}"
            line += "".join(f"{figures[which]:>8.2f}" for which in ("train", "valid", "test"))
            line += f"{figures['test by piece']:>10.2f}{paper[0]:>7.2f}/{paper[1]:>6.2f}"
            print(f"{line}{figures['test'] / paper[1] - 1:>+9.1%}{figures['epochs']:>8}", flush=True)


if __name__ == "__main__":
    main()
