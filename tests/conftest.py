"""What all tests share: fixed seeds for hypothesis, no timing limits on shared machines, a folder with a model."""

import os
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    # Read as libraries are loaded. Each core has tests of its own: threads of several wait for one another.
    os.environ.setdefault(_name, "1")

import pytest  # noqa: E402
from hypothesis import HealthCheck, Phase, settings  # noqa: E402

from melodygru.cli.progress import Progress  # noqa: E402
from tests.networks import checkpoint  # noqa: E402

# The fuzzer forks, and sets limits on its processes.
collect_ignore = [] if hasattr(os, "fork") else ["test_fuzzing.py"]

# Where changes to the code are tried (scripts/mutate.py), a few examples do, and that one fails is enough to know.
FEW = os.environ.get("MELODYGRU_EXAMPLES")
settings.register_profile(
    "melodygru",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
    max_examples=int(FEW or 60),
    phases=[Phase.explicit, Phase.generate] if FEW else list(Phase),
)
settings.load_profile("melodygru")


@pytest.fixture(autouse=True, scope="session")
def _silent():
    """Commands that run in this process say nothing of how long a busy machine takes, unless a test has them tick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Progress, "_run", lambda self: None)
        yield


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder with an untrained model in checkpoints/."""
    monkeypatch.chdir(tmp_path)
    Path("checkpoints").mkdir()
    checkpoint().save("checkpoints/toy.safetensors")
    return tmp_path
