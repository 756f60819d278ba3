"""Weights of what tells a melody's part; made by `scripts/train_track_choice.py`."""

from collections import defaultdict

WEIGHTS = defaultdict(float, {"named": 8.0, "named_other": -3.0, "sung": 3.0, "top": 4.0, "monophony": 1.0, "steps": 1.0, "usable": 1.0, "low": -1.0})
