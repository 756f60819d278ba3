"""Server-sent events, as the studio writes them."""

from __future__ import annotations

import json
from typing import Any


def event(kind: str, data: Any) -> bytes:
    """One event; `data` is JSON already, or becomes it."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"event: {kind}\ndata: {text}\n\n".encode()
