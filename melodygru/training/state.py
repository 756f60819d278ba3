"""All that a run needs to go on where it stopped, in one `.safetensors` file: no pickle here either."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import field, fields
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from melodygru.errors import CheckpointError
from melodygru.network.config import ModelConfig
from melodygru.records import dataclass
from melodygru.system.files import write_atomically
from melodygru.training.config import TrainConfig

_PARTS = {"data": "data", "model": "settings of the model", "train": "settings of training"}
"""Of a run's identity, in words."""


class Saved(NamedTuple):
    """What a saved run keeps to.

    Attributes:
        settings: of training, fields of `TrainConfig`.
        model: the network's shape.
        origin: what its checkpoint says of where it comes from; see `melodygru.training.task.Origin`.
    """

    settings: dict[str, Any]
    model: ModelConfig
    origin: dict[str, Any]


class Learned(NamedTuple):
    """What a run has learned: the network, its optimizers, and the averaged weights, in the order of its parameters."""

    model: nn.Module
    optimizers: list[torch.optim.Optimizer]
    average: list[Tensor]

    def parameters(self) -> Iterator[tuple[str, nn.Parameter, Tensor]]:
        """Every parameter: its name, itself, its average."""
        for (name, parameter), mean in zip(self.model.named_parameters(), self.average, strict=True):
            yield name, parameter, mean


@dataclass
class TrainingState:
    """Where a run stands.

    Attributes:
        step: steps done.
        seconds: time spent, over all sittings.
        rows: what metrics.csv shows, an entry an epoch.
        best: the row with the best validation, alone in a list; empty before the first.
        epochs_since_best: how long ago that was.
    """

    FILE: ClassVar[str] = "state.safetensors"
    RUNNING: ClassVar[str] = "torchrun"
    """A file that is there from the beginning of a run under torchrun to its good end; in it, torchrun's name of it."""

    step: int = 0
    seconds: float = 0.0
    rows: list[dict[str, float]] = field(default_factory=list)
    best: list[dict[str, float]] = field(default_factory=list)
    epochs_since_best: int = 0
    epoch_loss: float = 0.0
    epoch_notes: int = 0
    recent_nats: float = 0.0
    learning_rate: float = 0.0
    seconds_before: float = 0.0
    share_before: float = 0.0
    events_here: int = 0

    @property
    def epoch_nats(self) -> float:
        """Nats per note of the steps of this epoch so far, with dropout, each with the weights it had."""
        return self.epoch_loss / max(self.epoch_notes, 1)

    @property
    def seconds_here(self) -> float:
        """Time spent in this sitting."""
        return self.seconds - self.seconds_before

    @property
    def events_per_second(self) -> float:
        """Events learned a second in this sitting, validation included."""
        return self.events_here / max(self.seconds_here, 1e-9)

    def counted(self, loss: float, notes: int, events: int, rate: float) -> None:
        """Count in the loss of a step: in nats, summed; its notes and events, and its learning rate."""
        self.epoch_loss += loss
        self.epoch_notes += notes
        nats = loss / max(notes, 1)
        self.recent_nats = 0.98 * self.recent_nats + 0.02 * nats if self.recent_nats else nats
        self.learning_rate = rate
        self.events_here += events

    def is_best(self, row: dict[str, float]) -> bool:
        """Note whether this epoch's validation is the best so far; without validation, every epoch is."""
        better = not self.best or not row["val_nats"] >= self.best[0]["val_nats"]
        self.epochs_since_best = 0 if better else self.epochs_since_best + 1
        if better:
            self.best = [row]
        return better

    def begin_epoch(self) -> None:
        """Count the next epoch's loss from nothing."""
        self.epoch_loss, self.epoch_notes = 0.0, 0

    @classmethod
    def begun(cls, folder: Path, run_id: str, *, anew: bool) -> None:
        """Note that a run under torchrun has begun; with `anew`, an older one's state is not what it goes on from."""
        if anew:
            (folder / cls.FILE).unlink(missing_ok=True)
        (folder / cls.RUNNING).write_text(run_id, "utf-8")

    @classmethod
    def ended(cls, folder: Path) -> None:
        """Note that it has ended: what lies there is not to be gone on with unless the user says so."""
        (folder / cls.RUNNING).unlink(missing_ok=True)

    @classmethod
    def broken_off(cls, folder: Path, run_id: str, restarts: int) -> bool:
        """Whether torchrun started this process in place of one whose run `folder` holds.

        `restarts` counts only those that a machine has seen; where a machine joined or left, the name of the run
        tells, unless it is "none", which all runs without a name share.
        """
        path = folder / cls.RUNNING
        known = path.exists() and path.read_text("utf-8") == run_id
        return known and (restarts > 0 or run_id != "none")

    def _numbers(self) -> list[str]:
        """Names of what is kept beside the tensors: all but what belongs to one sitting."""
        return [entry.name for entry in fields(self) if not entry.name.endswith(("_here", "_before"))]

    def save(self, folder: Path, identity: dict[str, Any], learned: Learned) -> None:
        """Write all of it, and what was learned, all or nothing. `identity`: what tells this run from others."""
        from safetensors.torch import save

        tensors = {f"model.{name}": tensor for name, tensor in learned.model.state_dict().items()}
        for name, parameter, mean in learned.parameters():
            tensors[f"average.{name}"] = mean
            for optimizer in learned.optimizers:
                for entry, value in optimizer.state.get(parameter, {}).items():
                    tensors[f"optimizer.{entry}.{name}"] = value.detach().reshape(value.shape or (1,))
        tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
        numbers = {name: getattr(self, name) for name in self._numbers()}
        metadata = {"format": "melodygru-state", "identity": json.dumps(identity), "numbers": json.dumps(numbers)}
        write_atomically(folder / self.FILE, save(tensors, metadata), force=True)

    @classmethod
    def saved(cls, folder: Path) -> Saved:
        """What the saved run keeps to. Raises CheckpointError."""
        from safetensors import SafetensorError, safe_open

        path = folder / cls.FILE
        try:
            with safe_open(path, framework="pt") as file:
                known = _identity(file.metadata() or {})
            settings = dict(known.get("train", {}))
            TrainConfig(**settings)
            return Saved(settings, ModelConfig.from_dict(known["model"]), dict(known.get("origin", {})))
        except (SafetensorError, OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise _damaged(path, error) from error

    def load(self, folder: Path, identity: dict[str, Any], learned: Learned) -> None:
        """Set everything to what was saved. Raises CheckpointError when it is damaged or of another run."""
        from safetensors import SafetensorError, safe_open

        path = folder / self.FILE
        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
                saved = _identity(metadata)
                # JSON has no tuples: compare what both sides look like in it.
                for part, value in json.loads(json.dumps(identity)).items():
                    if saved.get(part) != value:
                        raise CheckpointError(
                            f"{path} is of a run with other {_PARTS[part]}; resume with the same, or start anew "
                            "with --force in place of --resume."
                        )
                _load_learned(file, learned)
            numbers = json.loads(metadata["numbers"])
            for name in self._numbers():
                setattr(self, name, _of_kind(numbers[name], getattr(self, name)))
        except (SafetensorError, OSError, ValueError, KeyError, RuntimeError, TypeError, AttributeError) as error:
            # RuntimeError: shapes that do not fit, or JSON that is too deep.
            raise _damaged(path, error) from error
        self.seconds_before = self.seconds


def _damaged(path: Path, error: Exception) -> CheckpointError:
    return CheckpointError(f"{path} is damaged ({str(error)[:120]}); start anew with --force in place of --resume.")


def _load_learned(file: Any, learned: Learned) -> None:
    """Set weights, averages and what the optimizer knows of each. Raises ValueError for what does not fit them."""
    weights = learned.model.state_dict().items()
    learned.model.load_state_dict({name: _sound(file, f"model.{name}", own.shape) for name, own in weights})
    stored = set(file.keys())
    for name, parameter, mean in learned.parameters():
        mean.copy_(_sound(file, f"average.{name}", mean.shape))
        for optimizer in learned.optimizers:
            if any(parameter is own for group in optimizer.param_groups for own in group["params"]):
                known = [entry for entry in _ENTRIES if f"optimizer.{entry}.{name}" in stored]
                optimizer.state[parameter].update({entry: _entry(file, entry, name, parameter) for entry in known})


_ENTRIES = ("step", "exp_avg", "exp_avg_sq", "momentum")
"""What AdamW and Muon know of a parameter."""


def _entry(file: Any, entry: str, name: str, parameter: Tensor) -> Tensor:
    """What an optimizer knows of a parameter. Raises ValueError for what cannot be."""
    key = f"optimizer.{entry}.{name}"
    # AdamW counts steps in a number without dimensions; fused, where the weights lie.
    value = _sound(file, key, torch.Size([1]) if entry == "step" else parameter.shape)
    if entry in ("step", "exp_avg_sq") and (value < 0).any():
        raise ValueError(f"{key} is below 0")
    return (value.reshape(()) if entry == "step" else value).to(parameter.device)


def _identity(metadata: dict[str, str]) -> dict[str, Any]:
    """What tells the saved run from others. Raises ValueError for what is none."""
    identity = json.loads(metadata.get("identity", "{}"))
    if not isinstance(identity, dict) or not all(isinstance(part, dict | list) for part in identity.values()):
        raise ValueError("it does not say what it is of")
    if isinstance(of_training := identity.get("train"), dict):
        # Before there was a choice, it was AdamW.
        of_training.setdefault("optimizer", "adamw")
    if isinstance(of_model := identity.get("model"), dict) and isinstance(of_model.get("context"), dict):
        # What models of earlier versions are not told, they do not name; nor where they come from.
        of_model["context"] = dict.fromkeys(("style", "character", "chords"), False) | of_model["context"]
    return {"origin": {}} | identity


def _sound(file: Any, key: str, shape: torch.Size) -> Tensor:
    """A tensor of the file as float32. Raises ValueError for one of another shape, or that is not finite."""
    tensor: Tensor = file.get_tensor(key).to(torch.float32)
    if tensor.shape != shape:
        raise ValueError(f"{key} has shape {list(tensor.shape)}, not {list(shape)}")
    if not tensor.isfinite().all():
        raise ValueError(f"{key} is not finite")
    return tensor


def _of_kind(value: Any, now: Any) -> Any:
    """The value, if it is of the kind of what stands in its place. Raises ValueError for one of another kind."""
    kind = (int, float) if isinstance(now, float) else type(now)
    rows = value if isinstance(value, list) else []
    if not isinstance(value, kind) or isinstance(value, bool) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"{value!r} in place of {now!r}")
    if isinstance(value, int) and not 0 <= value < 1 << 63:
        raise ValueError(f"{value!r} is no count")
    return value
