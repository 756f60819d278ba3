"""The models that can be chosen by name: those in ./checkpoints, and the one that comes along."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from copy import copy
from pathlib import Path
from threading import Lock
from typing import Any

from melodygru.errors import CheckpointError, UsageError
from melodygru.network.checkpoint import read_metadata, read_model_config
from melodygru.network.model_files import models_here, resolve
from melodygru.studio.answers import ModelFacts
from melodygru.writing.candidates import Order
from melodygru.writing.config import GenerationConfig
from melodygru.writing.model import Model, load_model
from melodygru.writing.styles import default_style, unheard_of
from melodygru.writing.values import DEFAULT_MODEL

KEPT = 3
"""Models that stay in memory."""


class Models:
    """Models by name, loaded when they are first asked for; safe in threads.

    Args:
        first: the name or path of the one that is taken when none is named. Raises CheckpointError if there is none.
    """

    def __init__(self, first: str = DEFAULT_MODEL):
        path = resolve(first)
        self.default = path.stem
        self._given = {path.stem: path}
        self._loaded: OrderedDict[Path, tuple[float, Model]] = OrderedDict()
        self._lock = Lock()
        self._facts: dict[tuple[Path, float], ModelFacts | None] = {}

    def files(self) -> dict[str, Path]:
        """Where the models that there are lie, by name; names alone are ever looked up here."""
        return {**models_here(), **self._given}

    def facts(self) -> list[ModelFacts]:
        """What there is to choose from, the default first; files that are no sound models are passed over."""
        answers = []
        for name, path in sorted(self.files().items(), key=lambda entry: (entry[0] != self.default, entry[0])):
            mark = path, _changed(path)
            if mark not in self._facts:
                self._facts[mark] = _facts(name, path)
            if (facts := self._facts[mark]) is not None:
                answers.append(facts)
        return answers

    def get(self, name: str | None) -> Model:
        """A model by name. Raises UsageError for one that is not on the list, CheckpointError for a damaged file."""
        files = self.files()
        path = files.get(self.default if name is None else name)
        if path is None:
            raise UsageError(f"There is no model {name!r}; choose one of {', '.join(sorted(files))}.")
        # One at a time: two requests for a model are to load it once.
        with self._lock:
            changed = _changed(path)
            kept = self._loaded.pop(path, None)
            model = kept[1] if kept is not None and kept[0] == changed else load_model(path)
            self._loaded[path] = changed, model
            while len(self._loaded) > KEPT:
                self._loaded.popitem(last=False)
        return model

    def warm(self) -> None:
        """Load the default model, and have it write a bar, so that the first who asks need not wait."""
        model = self.get(None)
        order = Order(GenerationConfig(bars=1), 0)
        for one in model.compose_each(order):
            index = model.checkpoint.index
            if index is not None:
                index.longest_run(one.melody)
        assert model.fingerprint


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return -1.0


def _facts(name: str, path: Path) -> ModelFacts | None:
    try:
        context = read_model_config(path).context
        provenance = json.loads(read_metadata(path).get("provenance", "{}"))
    except (CheckpointError, ValueError, RecursionError):
        return None
    if not isinstance(provenance, dict):
        return None

    def number(of: Any, kind: Any) -> Any:
        return of if isinstance(of, kind) and not isinstance(of, bool) and 0 <= of < 1e15 else None

    return ModelFacts(
        name=name,
        pieces=number(provenance.get("pieces"), int),
        notes=number(provenance.get("notes"), int),
        nats_per_note=number(provenance.get("validation_nats_per_note"), float),
        typical_run=typical_run(provenance),
        default_style=default_style(name, context),
        unheard_of=list(unheard_of(context)),
    )


def typical_run(provenance: Mapping[str, Any]) -> float | None:
    """The median of the runs that people's own tunes share with a model's training music, where it was told."""
    runs: Any = provenance.get("shared_runs")
    median: Any = runs.get("median") if isinstance(runs, dict) and runs.get("pieces") else None
    return float(median) if isinstance(median, int | float) and 0 <= median < 1e9 else None


def interruptible(model: Model, check: Callable[[], None]) -> Model:
    """The same model with an engine of its own: what `check` raises ends its work at the next step.

    An engine is safe in several threads but for its `watch`, which looking inside sets; the weights are shared.
    """
    engine = copy(model.engine)
    advance = engine.advance

    def checked(*arguments: Any) -> None:
        check()
        advance(*arguments)

    vars(engine)["advance"] = checked
    own = copy(model)
    vars(own)["engine"] = engine
    return own
