"""A plugin for scripts/mutate.py, where the first test that fails is enough: those that try many examples come last."""


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: (hasattr(item.function, "hypothesis"), item.nodeid))
