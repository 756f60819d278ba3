"""Numbers on their way from a GPU: nobody waits for them, since waiting would leave the GPU without work."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor

_LAG = 16
"""So many steps later a GPU's numbers are asked for: by then they have long arrived."""


class Pending:
    """What was computed in the last steps, in order. On a CPU it is there at once."""

    def __init__(self, device: torch.device, lag: int | None = None):
        self._gpu = device.type == "cuda"
        self._lag = (0 if device.type == "cpu" else _LAG) if lag is None else lag
        self._waiting: deque[tuple[Tensor, Any, Any]] = deque()

    def add(self, numbers: Sequence[Tensor], told: Any) -> None:
        """Some numbers of a step, tensors without dimensions, and what is to be given back with them."""
        together = torch.stack([number.detach().float() for number in numbers])
        done = None
        if self._gpu:
            together = together.to("cpu", non_blocking=True)
            done = torch.cuda.Event()
            done.record()
        self._waiting.append((together, done, told))

    def arrived(self, everything: bool = False) -> Iterator[tuple[list[float], Any]]:
        """The numbers of all steps but the latest, and what was told with them; of `everything`, of those too."""
        while len(self._waiting) > (0 if everything else self._lag):
            numbers, done, told = self._waiting.popleft()
            if done is not None:
                done.synchronize()
            yield numbers.tolist(), told
