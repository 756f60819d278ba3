"""Training by several processes, as `torchrun` starts them: what they tell one another.

All that is said goes through torch.distributed (NCCL between GPUs, gloo between CPUs). A plain run is a group of
one, to which nothing here applies: torch.distributed is then never touched. What each process computes is the
trainer's affair.
"""

from __future__ import annotations

import datetime
import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn

from melodygru.errors import MelodyGRUError, TrainingError, UsageError
from melodygru.records import dataclass

if TYPE_CHECKING:
    from torch.distributed import Store


_VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR")
"""What torchrun sets."""
_TIMEOUT = datetime.timedelta(hours=12)
"""How long the others wait for the first to read a collection. A process that dies is noticed at once."""
_ANSWER = datetime.timedelta(seconds=0.5)
"""How long a process waits for the first before it asks anew who that is."""

_Items = TypeVar("_Items")
_Result = TypeVar("_Result")


class PeerLostError(TrainingError):
    """Another process of the run has ended: nothing can be told to the rest any more."""


@dataclass(frozen=True)
class Group:
    """The processes of a run, and which of them this one is. The default is a run of one.

    Attributes:
        rank: number of this process, in [0, world).
        world: how many there are, on all machines.
        local_rank: number of this process on its machine; on CUDA, of its device.
        local_world: how many there are on this machine.
        launched: whether torchrun started them, be it one only.
        restarts: how often torchrun has started them again, as far as this machine knows.
        run_id: torchrun's name of the run: the same after a restart; "none" where it was given none.
    """

    rank: int = 0
    world: int = 1
    local_rank: int = 0
    local_world: int = 1
    launched: bool = False
    restarts: int = 0
    run_id: str = "none"

    @classmethod
    def from_environment(cls) -> Group:
        """The group that torchrun tells of in environment variables; without them, a group of one."""
        if not all(os.environ.get(name) for name in _VARIABLES):
            return cls()
        rank, world, local_rank = (_number(name) for name in _VARIABLES[:3])
        if not (0 <= rank < world and local_rank >= 0):
            raise UsageError(
                f"RANK is {rank}, LOCAL_RANK {local_rank} and WORLD_SIZE {world}, which no run can have; start with "
                "torchrun, or unset them."
            )
        local_world, restarts = (_number(name) for name in ("LOCAL_WORLD_SIZE", "TORCHELASTIC_RESTART_COUNT"))
        run_id = os.environ.get("TORCHELASTIC_RUN_ID", "none")
        return cls(rank, world, local_rank, max(1, local_world), True, restarts, run_id)

    @property
    def first(self) -> bool:
        """Whether this process speaks, reads, compares and writes for all."""
        return self.rank == 0

    @contextmanager
    def joined(self) -> Iterator[None]:
        """The processes can talk to one another, for as long as the context lasts."""
        if not self.launched:
            yield
            return
        if not torch.distributed.is_available():
            raise UsageError("This build of torch has no torch.distributed; start without torchrun.")
        # What lies on the CPU is told by gloo, gradients on GPUs by NCCL.
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        try:
            store, _, _ = next(torch.distributed.rendezvous("env://", self.rank, self.world))
            own = _unused(store, self.rank, self.world)
            torch.distributed.init_process_group(
                backend, store=own, rank=self.rank, world_size=self.world, timeout=_TIMEOUT
            )
        except (RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise TrainingError(
                f"The {self.world} processes of this run do not find one another ({reason}); see to the addresses and "
                "ports that torchrun was given."
            ) from error
        try:
            yield
            self.sum(0)  # nobody leaves before all are done
        finally:
            torch.distributed.destroy_process_group()

    def part(self, rows: _Items) -> _Items:
        """This process's part of what all of them do: every item is in the part of one process only."""
        return rows[self.rank :: self.world]  # type: ignore[index]

    def sum_(self, tensors: Iterable[Tensor]) -> None:
        """Replace tensors of one type and device, the same on all processes but for their values, by their sums."""
        if self.world == 1:
            return
        parts = list(tensors)
        flat = torch.cat([part.reshape(-1) for part in parts])
        with self._talking():
            torch.distributed.all_reduce(flat)
        with torch.no_grad():
            sums = flat.split([part.numel() for part in parts])
            torch._foreach_copy_(parts, [total.view_as(part) for total, part in zip(sums, parts, strict=True)])

    def sum_gradients(self, model: nn.Module, numbers: Tensor) -> None:
        """Replace the gradients of a model, and some numbers beside them, by their sums over the processes.

        A process that had nothing to learn from, and so has no gradients, takes part with zeros.
        """
        if self.world == 1:
            return
        for parameter in model.parameters():
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
        self.sum_([*gradients, numbers])

    def sum(self, *numbers: float) -> list[float]:
        """Sums of numbers over the processes."""
        totals = torch.tensor(numbers, dtype=torch.float64)
        self.sum_([totals])
        return totals.tolist()

    def gather(self, value: _Result) -> list[_Result]:
        """(world,) values, a picklable one of each process, in order of rank."""
        if self.world == 1:
            return [value]
        values: list[Any] = [None] * self.world
        with self._talking():
            torch.distributed.all_gather_object(values, value)
        return values

    def of_first(self, make: Callable[[], _Result]) -> _Result:
        """What `make` gives in the first process, told to all; the others do not call it."""
        with self.together():
            value = make() if self.first else None
        return self.gather(value)[0]  # type: ignore[return-value]

    def first_alone(self, make: Callable[[], _Result]) -> _Result:
        """What `make` gives in each process; the first is done before the others begin, and an error of it is all's."""
        value = None
        for turn in (self.first, not self.first):
            with self.together():
                if turn:
                    value = make()
        return value  # type: ignore[return-value]

    @contextmanager
    def together(self) -> Iterator[None]:
        """What goes wrong in one process is raised in all of them at the end of the context, and told by the first."""
        failure = None
        try:
            yield
        except PeerLostError:
            raise
        except Exception as error:
            failure = error
        self.raise_first(failure)

    def raise_first(self, failure: Exception | None) -> None:
        """Raise in all processes what went wrong in one, if anything: `failure` is what did in this."""
        # Few errors are sure to come through a pickle.
        known = failure is None or isinstance(failure, (MelodyGRUError, MemoryError))
        told = failure if known else RuntimeError(f"{type(failure).__name__}: {failure}")
        failures = self.gather(told)
        rank = next((rank for rank, error in enumerate(failures) if error is not None), None)
        if rank is None:
            return
        error = failure if rank == self.rank else failures[rank]
        assert error is not None
        raise self._told_by_first(error)

    @contextmanager
    def _talking(self) -> Iterator[None]:
        """What torch says of a connection that has gone, in one sentence."""
        try:
            yield
        except RuntimeError as error:
            raise self._told_by_first(
                PeerLostError(
                    "Another process of this run has ended, and so must this one; torchrun tells which, and starts all "
                    "of them again where it was given --max-restarts."
                )
            ) from error

    def _told_by_first(self, error: Exception) -> Exception:
        """The error, marked as one of which this process need not tell."""
        # A wrong option stays wrong when torchrun starts all again: it was told the first time.
        if not self.first or (self.restarts and isinstance(error, UsageError)):
            error.told_elsewhere = True  # type: ignore[attr-defined]
        return error


def _unused(store: Store, rank: int, world: int) -> Store:
    """A part of the store in which nothing was written when torchrun had started the processes before.

    It keeps one store for all restarts, in which processes then find the addresses of dead ones
    (https://github.com/pytorch/pytorch/issues/135712). Restarts are not counted alike on all machines, so the first
    process names a part, and each of the others takes the name once the first has answered to it, and no older one.
    """
    me = uuid.uuid4().hex
    if rank == 0:
        store.set("melodygru/first", me)
        for other in range(1, world):
            answered = store.get(f"melodygru/{me}/{other}").decode()
            store.set(f"melodygru/{me}/{answered}", "")
        return torch.distributed.PrefixStore(me, store)
    while True:
        name = store.get("melodygru/first").decode()
        store.set(f"melodygru/{name}/{rank}", me)
        try:
            store.wait([f"melodygru/{name}/{me}"], _ANSWER)
        except torch.distributed.DistStoreError:
            continue
        return torch.distributed.PrefixStore(name, store)


def told_elsewhere(error: BaseException) -> bool:
    """Whether another process of the run tells the user of this error, or of the one that it puts in other words."""
    if getattr(error, "told_elsewhere", False):
        return True
    return error.__cause__ is not None and told_elsewhere(error.__cause__)


def _number(name: str) -> int:
    """A whole number from the environment; 0 without one."""
    value = os.environ.get(name) or "0"
    try:
        return int(value)
    except ValueError as error:
        raise UsageError(f"{name} is {value!r}; torchrun sets it to a whole number: start with it.") from error
