"""How a model is trained: every choice, with its unit and its legal range."""

from __future__ import annotations

from dataclasses import dataclass

from melodygru.errors import check_range


@dataclass(frozen=True)
class TrainConfig:
    """How a model is trained. The defaults were measured: see docs/decisions.md.

    Attributes:
        epochs: passes over the data, in [1, 100000].
        max_minutes: stop after this time, the schedule shaped to end there; None for no limit.
        batch_size: windows a step, in [1, 65536].
        window: longest stretch of a piece that is learned in one go, in events, in [8, 65536].
        lr: highest learning rate, in (0, 1].
        warmup: steps over which the rate rises, or a tenth of the run where that is shorter; the rate also falls
            along a cosine, to `final_lr` of its height at the end.
        weight_decay: AdamW's, for matrices and tables; biases have none.
        grad_clip: largest gradient norm; 0 for no limit.
        average: the weights that are kept are an exponential moving average with this decay, in [0, 1).
        transpose: share of windows, in [0, 1], that are moved by a random number of semitones in -5..+6,
            anew in each epoch; the rest stay at the pitch at which people play them.
        val_split: share of pieces held out for validation, in [0, 0.9].
        patience: stop after so many epochs without a better validation, and keep the best; 0: keep the last.
        seed: of weights, order, transposition and dropout.
    """

    epochs: int = 40
    max_minutes: float | None = None
    batch_size: int = 6
    window: int = 256
    lr: float = 2e-3
    warmup: int = 200
    final_lr: float = 0.02
    weight_decay: float = 0.1
    grad_clip: float = 1.0
    average: float = 0.999
    transpose: float = 0.7
    val_split: float = 0.1
    patience: int = 8
    seed: int = 0

    def __post_init__(self) -> None:
        check_range("epochs", self.epochs, 1, 100_000)
        if self.max_minutes is not None:
            check_range("max-minutes", self.max_minutes, 0.01, 100_000)
        check_range("batch-size", self.batch_size, 1, 65_536)
        check_range("window", self.window, 8, 65_536)
        check_range("lr", self.lr, 1e-8, 1)
        check_range("warmup", self.warmup, 0, 1_000_000)
        check_range("final-lr", self.final_lr, 0, 1)
        check_range("weight-decay", self.weight_decay, 0, 10)
        check_range("grad-clip", self.grad_clip, 0, 1e6, "0 means off")
        check_range("average", self.average, 0, 0.999999)
        check_range("transpose", self.transpose, 0, 1)
        check_range("val-split", self.val_split, 0, 0.9)
        check_range("patience", self.patience, 0, 100_000, "0 means off")
        check_range("seed", self.seed, 0, 2**63 - 1)
