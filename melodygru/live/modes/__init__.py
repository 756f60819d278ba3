"""Ways of playing together, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from melodygru.live.modes.accompanying import Accompany
from melodygru.live.modes.call_response import CallResponse
from melodygru.live.modes.continuing import Continue
from melodygru.live.modes.looping import Loop
from melodygru.live.modes.mode import Mode
from melodygru.live.stage import Stage

MODES: Mapping[str, Callable[[Stage], Mode]] = {
    "call-response": CallResponse,
    "continue": Continue,
    "loop": Loop,
    "accompany": Accompany,
}
"""What makes each."""
