"""What tests of writing share, and none changes: a shipped model, and a tune of its own."""

import pytest

from melodygru import load_model


@pytest.fixture(scope="session")
def folk():
    return load_model("folk")


@pytest.fixture(scope="session")
def model(folk):
    """A model that has learned; where an untrained one will do, modules have their own."""
    return folk


@pytest.fixture(scope="session")
def tune(folk):
    return folk.generate(bars=8, key="G", seed=2)
