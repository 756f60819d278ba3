"""The kinds of files that are fuzzed: how one is made, how it is changed, how it is examined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

from fuzzing import abc, checkpoints, kern, midi, musicxml, options, oracles, states


@dataclass(frozen=True)
class Kind:
    """One kind of file.

    Attributes:
        suffix: how its name ends.
        seed: a small file that is mostly sound.
        mutate: a file changed at the format's own level, perhaps with parts of another.
        examine: reads it; see `fuzzing.oracles`.
        seconds: of processor time that one reading may take.
    """

    suffix: str
    seed: Callable[[Random], bytes]
    mutate: Callable[[bytes, Random, bytes], bytes]
    examine: Callable[[bytes, Path, str, float, bool], str]
    seconds: float = 2.0


_options = partial(oracles.examine_options, known=options.known())
KINDS = {
    "midi": Kind(".mid", midi.seed, midi.mutate, oracles.examine_midi),
    "riff": Kind(".rmi", midi.wrapped_seed, midi.mutate, oracles.examine_midi),
    "musicxml": Kind(".musicxml", musicxml.seed, musicxml.mutate, oracles.examine_score),
    "mxl": Kind(".mxl", musicxml.zipped_seed, musicxml.zipped_mutate, oracles.examine_score),
    "abc": Kind(".abc", abc.seed, abc.mutate, oracles.examine_score),
    "kern": Kind(".krn", kern.seed, kern.mutate, oracles.examine_score),
    "checkpoint": Kind(".safetensors", checkpoints.seed, checkpoints.mutate, oracles.examine_checkpoint),
    "state": Kind(".safetensors", states.seed, checkpoints.mutate, states.examine),
    "options": Kind(".toml", options.seed, options.mutate, _options),
}
"""By name."""
