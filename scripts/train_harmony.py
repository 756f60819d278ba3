"""Learn which chords people put under melodies, from pieces that have both.

    python scripts/train_harmony.py pieces.jsonl

`pieces.jsonl`: as `scripts/build_repertoire.py` makes it. Pieces that are held out are neither learned from nor looked
at; a tenth of the other works is watched, by which the number of passes was chosen. Writes
`melodygru/arranging/harmony.safetensors`. The network is a bidirectional GRU over the beats of a melody whose outputs
score chords, and whether the chord stays, in a conditional random field (Lafferty et al. 2001; with recurrent scores:
Huang et al. 2015): see `melodygru.arranging.chord_network`. How good it is: `benchmarks/harmonize.py`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from repertoire.harmonized import Harmonized, harmonized, watched
from repertoire.pieces import load
from safetensors.numpy import save_file
from torch import Tensor, nn

from melodygru.arranging.beats import LEARNED_STYLES, WIDTH, describe
from melodygru.arranging.chord_network import QUALITY_COUNT, STATES

TARGET = Path(__file__).parents[1] / "melodygru" / "arranging" / "harmony.safetensors"
HIDDEN, DROPOUT, STYLE_UNTOLD = 80, 0.4, 0.3
BATCH, PASSES, RATE, DECAY = 24, 16, 4e-3, 0.02
LONGEST = 160
"""Beats: of longer pieces a stretch is learned at a time."""
HEARD_A_PASS = {"hymn": 2, "standard": 4, "song": 1}
"""How often a piece is heard in a pass: there are few hymns and fewer standards."""


class Batch(NamedTuple):
    """(B, T, WIDTH) rows of beats; (B, T) states; (B, T) whether the beat is there."""

    rows: Tensor
    states: Tensor
    present: Tensor


class Network(nn.Module):
    """The network as it learns; `arrays` gives it as it harmonizes."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Linear(WIDTH, HIDDEN)
        self.grus = nn.GRU(HIDDEN, HIDDEN, num_layers=2, bidirectional=True, batch_first=True, dropout=DROPOUT)
        self.drop = nn.Dropout(DROPOUT)
        self.state, self.root, self.quality = (nn.Linear(2 * HIDDEN, n) for n in (STATES, 12, QUALITY_COUNT))
        self.stay = nn.Linear(2 * HIDDEN, 1)
        self.by_degrees = nn.Parameter(torch.zeros(STATES, STATES))
        self.by_interval = nn.Parameter(torch.zeros(12, QUALITY_COUNT, QUALITY_COUNT))
        self.register_buffer("intervals", (torch.arange(12)[None] - torch.arange(12)[:, None]) % 12)

    def transitions(self) -> Tensor:
        """(S, S) the score of each state after each."""
        moves = self.by_interval[self.intervals]  # (12 from, 12 to, Q from, Q to)
        return self.by_degrees + moves.permute(0, 2, 1, 3).reshape(STATES, STATES)

    def forward(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T, S) scores of states and (B, T) of staying."""
        heard = self.drop(torch.tanh(self.enter(rows)))
        heard = self.drop(self.grus(heard)[0])
        scores = self.state(heard).unflatten(-1, (12, QUALITY_COUNT))
        scores = scores + self.root(heard)[..., None] + self.quality(heard)[..., None, :]
        return scores.flatten(-2), self.stay(heard)[..., 0]

    def arrays(self) -> dict[str, np.ndarray]:
        """The weights as `melodygru.arranging.chord_network` takes them, float16."""
        found: dict[str, Tensor] = {"enter.weight": self.enter.weight, "enter.bias": self.enter.bias}
        for layer in range(2):
            for direction, suffix in (("forward", ""), ("backward", "_reverse")):
                for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                    found[f"gru.{layer}.{direction}.{kind}"] = getattr(self.grus, f"{kind}_l{layer}{suffix}")
        shape = (12, QUALITY_COUNT, -1)
        weight = self.state.weight.view(shape) + self.root.weight[:, None] + self.quality.weight[None]
        bias = self.state.bias.view(shape) + self.root.bias[:, None, None] + self.quality.bias[None, :, None]
        found |= {"state.weight": weight.reshape(STATES, -1), "state.bias": bias.reshape(STATES)}
        found |= {"stay.weight": self.stay.weight, "stay.bias": self.stay.bias, "transitions": self.transitions()}
        return {name: value.detach().numpy().astype(np.float16) for name, value in found.items()}


def log_sums(scores: Tensor, stays: Tensor, transitions: Tensor, present: Tensor) -> Tensor:
    """(B,) the logarithm of the summed powers of all paths of states: the forward algorithm."""
    powers = transitions.exp()
    own = powers.diagonal()
    alpha = scores[:, 0]
    for at in range(1, scores.shape[1]):
        top = alpha.max(1, keepdim=True).values
        share = (alpha - top).exp()
        moved = share @ powers + share * own * (stays[:, at, None].exp() - 1)
        following = moved.clamp_min(1e-30).log() + top + scores[:, at]
        alpha = torch.where(present[:, at, None], following, alpha)
    return alpha.logsumexp(1)


def path_scores(scores: Tensor, stays: Tensor, transitions: Tensor, batch: Batch) -> Tensor:
    """(B,) the scores of the paths that people took."""
    states = batch.states
    at_states = scores.gather(2, states[..., None])[..., 0] * batch.present
    moves = transitions[states[:, :-1], states[:, 1:]] + stays[:, 1:] * (states[:, :-1] == states[:, 1:])
    return at_states.sum(1) + (moves * batch.present[:, 1:]).sum(1)


def loss_of(network: Network, batch: Batch) -> Tensor:
    """Nats a beat."""
    scores, stays = network(batch.rows)
    transitions = network.transitions()
    all_paths = log_sums(scores, stays, transitions, batch.present)
    return (all_paths - path_scores(scores, stays, transitions, batch)).sum() / batch.present.sum()


def batches(pieces: Sequence[Harmonized], rng: np.random.Generator, learning: bool) -> Iterator[Batch]:
    """All pieces once (or as often as `HEARD_A_PASS` says), those of like length together."""
    chosen = [p for p in pieces for _ in range(HEARD_A_PASS[p.style] if learning else 1)]
    order = sorted(range(len(chosen)), key=lambda i: min(len(chosen[i].states), LONGEST) + rng.random() * 8)
    groups = [order[at : at + BATCH] for at in range(0, len(order), BATCH)]
    for number in rng.permutation(len(groups)):
        yield batch_of([chosen[i] for i in groups[number]], rng, learning)


def batch_of(pieces: Sequence[Harmonized], rng: np.random.Generator, learning: bool) -> Batch:
    """Pieces side by side, filled up to the longest."""
    rows, states = [], []
    for piece in pieces:
        seen = piece.rows.copy()
        if learning and rng.random() < STYLE_UNTOLD:
            seen[:, -len(LEARNED_STYLES) :] = 0
        begin = int(rng.integers(0, max(len(seen) - LONGEST, 0) + 1)) if learning else 0
        end = begin + LONGEST if learning else len(seen)
        rows.append(torch.from_numpy(seen[begin:end]))
        states.append(torch.from_numpy(piece.states[begin:end]))
    lengths = torch.tensor([len(one) for one in states])
    present = torch.arange(int(lengths.max()))[None] < lengths[:, None]
    filled = nn.utils.rnn.pad_sequence(states, batch_first=True, padding_value=0)
    return Batch(nn.utils.rnn.pad_sequence(rows, batch_first=True), filled, present)


def learn(pieces: Sequence[Harmonized], watch: Sequence[Harmonized], passes: int, seed: int) -> Network:
    """A network that has heard the pieces so often; weights averaged over the last third of it."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = Network()
    averaged = torch.optim.swa_utils.AveragedModel(
        network, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.995)
    )
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    steps = passes * sum(1 for _ in batches(pieces, rng, True))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps, pct_start=0.15)
    for number in range(passes):
        began, losses = time.monotonic(), []
        network.train()
        for batch in batches(pieces, rng, True):
            loss = loss_of(network, batch)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            averaged.update_parameters(network)
            losses.append(loss.item())
        told = f"pass {number + 1}: {np.mean(losses):.3f} nats a beat"
        if watch:
            told += "".join(f", {style} {nats:.3f}" for style, nats in watched_nats(averaged.module, watch).items())
        print(f"{told}, {time.monotonic() - began:.0f} s", flush=True)
    return averaged.module


def watched_nats(network: Network, pieces: Sequence[Harmonized]) -> dict[str, float]:
    """Nats a beat by style."""
    network.eval()
    rng, found = np.random.default_rng(0), {}
    with torch.no_grad():
        for style in LEARNED_STYLES:
            own = [piece for piece in pieces if piece.style == style]
            total = beats = 0.0
            for batch in batches(own, rng, False):
                known = float(batch.present.sum())
                total += float(loss_of(network, batch)) * known
                beats += known
            found[style] = total / max(beats, 1)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Learn chords for melodies.")
    parser.add_argument("pieces", type=Path)
    parser.add_argument("--out", type=Path, default=TARGET)
    parser.add_argument("--passes", type=int, default=PASSES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--all", action="store_true", help="learn from what is watched, too")
    given = parser.parse_args()
    torch.set_num_threads(1)
    known = [piece for piece in load(given.pieces) if piece.split == "train" and piece.chords]
    heard = [harmonized(piece) for piece in known if given.all or not watched(piece)]
    watch = [] if given.all else [harmonized(piece) for piece in known if watched(piece)]
    print(f"{len(heard)} pieces learned from, {len(watch)} watched")
    network = learn(heard, watch, given.passes, given.seed)
    save_file(network.arrays(), given.out)


if __name__ == "__main__":
    main()
