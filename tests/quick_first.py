"""A plugin for scripts/mutate.py, where the first test that fails is enough: those that took longest come last."""

import json
from pathlib import Path

STATISTICS = Path("mutmut-stats.json")
"""Written by mutmut where it runs the tests, after it has run them all once."""


def pytest_collection_modifyitems(items):
    took = json.loads(STATISTICS.read_text())["duration_by_test"] if STATISTICS.exists() else {}
    items.sort(key=lambda item: took.get(item.nodeid, 0.0))
