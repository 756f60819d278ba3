"""What all tests share: fixed seeds for hypothesis, no timing limits on shared machines, a folder with a model."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.networks import checkpoint

settings.register_profile(
    "melodygru", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], max_examples=60
)
settings.load_profile("melodygru")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder with an untrained model in checkpoints/."""
    monkeypatch.chdir(tmp_path)
    Path("checkpoints").mkdir()
    checkpoint().save("checkpoints/toy.safetensors")
    return tmp_path
