"""How a model is trained: every choice, with its unit and its legal range."""

from __future__ import annotations

from melodygru.option import check_all, described, option
from melodygru.records import dataclass


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained; what is legal stands on each field. The defaults were measured: see docs/decisions.md.

    Attributes:
        epochs: passes over the data.
        max_minutes: stop after this time, the schedule shaped to end there; None for no limit.
        batch_size: windows a step.
        window: longest stretch of a piece that is learned in one go, in events.
        optimizer: "muon", or "adamw", which moves everything as Muon moves the rest.
        lr: highest learning rate.
        warmup: steps over which the rate rises, or a tenth of the run where that is shorter; the rate also falls
            along a cosine, to `final_lr` of its height at the end.
        weight_decay: a step's, in learning rates, of matrices and tables; biases have none.
        grad_clip: largest gradient norm; 0 for no limit.
        average: the weights that are kept are an exponential moving average with this decay.
        transpose: share of windows that are moved by a random number of semitones in -5..+6, anew in each epoch; the
            rest stay at the pitch at which people play them.
        val_split: share of pieces held out for validation.
        patience: stop after so many epochs without a better validation, and keep the best; 0: keep the last.
        seed: of weights, order, transposition and dropout.

    Raises:
        UsageError: a value out of range, named.
    """

    epochs: int = option(
        16, "Passes over the data.", low=1, high=100_000, shown="16; 10 from a model; more for little music"
    )
    max_minutes: float | None = option(
        None, "Stop after this time; the schedule is shaped to end there.", low=0.01, high=100_000
    )
    batch_size: int = option(6, "Stretches of music a step, of all processes together.", low=1, high=65_536)
    window: int = option(256, "Longest stretch that is learned in one go, in events.", low=8, high=65_536)
    optimizer: str = option("muon", "How the weights move: muon or adamw.", choices=("muon", "adamw"))
    lr: float = option(4e-3, "Highest learning rate.", low=1e-8, high=1, shown="0.004; 0.001 from a model")
    warmup: int = option(200, "Steps over which the learning rate rises.", low=0, high=1_000_000)
    final_lr: float = option(0.02, "The last learning rate, as a share of the highest.", low=0, high=1)
    weight_decay: float = option(0.1, "A step's, in learning rates, of matrices and tables.", low=0, high=10)
    grad_clip: float = option(1.0, "Largest gradient norm; 0 means off.", low=0, high=1e6, off=0)
    average: float = option(0.999, "Decay of the average of the weights.", low=0, high=0.999999)
    transpose: float = option(0.7, "Share of windows that are moved to another pitch.", low=0, high=1)
    val_split: float = option(
        0.1, "Share held out for validation; near-duplicate tunes never cross the split.", low=0, high=0.9,
    )  # fmt: skip
    patience: int = option(
        8, "Stop after so many epochs without a better validation, and keep the best; 0 means off.",
        low=0, high=100_000, off=0,
    )  # fmt: skip
    seed: int = option(0, "Same seed, same model on the CPU.", low=0, high=2**63 - 1)

    def __post_init__(self) -> None:
        check_all(described(TrainConfig).values(), self, kinds=False)
