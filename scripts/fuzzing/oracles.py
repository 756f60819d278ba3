"""What must hold of everything that is read, whatever stands in the file.

Each `examine_…` reads a file's bytes as the program does and gives what can be told apart of the outcome, a line each:
a file with a new one is worth keeping. What must not happen raises `Broken`. What takes longer than the reading itself
is only looked at where the look is `thorough`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fuzzing.melodies import check_melody, check_written
from fuzzing.verdicts import Broken, attempt, check_sentence, outcome, time_limit
from melodygru.cli.options import merged, part_of, performance
from melodygru.data.fast_lane import reader
from melodygru.data.shards import Shard, read_shard
from melodygru.errors import CheckpointError, FileError, MelodyGRUError, MidiError, UsageError
from melodygru.formats.midi.extraction import ExtractionConfig
from melodygru.formats.reading import parse
from melodygru.formats.scores.cache import Reading
from melodygru.music.melody import Melody, Note
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.config import ContextConfig, TokenizerConfig
from melodygru.network.tokenizer import PieceMeta
from melodygru.option import Option
from melodygru.writing.config import GenerationConfig
from melodygru.writing.planner import plan

_CHECKED_NOTES = 1000
"""Up to so many notes a melody is written and read again."""


def examine_midi(data: bytes, folder: Path, suffix: str, seconds: float, thorough: bool) -> str:
    """Both lanes, and all that is true of melodies."""
    signature = examine_score(data, folder, suffix, seconds, thorough)
    path = folder / f"x{suffix}"
    path.write_bytes(data)
    slow = _shard(path, seconds, thorough, fast=False)
    if reader() is not None:
        fast = _shard(path, seconds, thorough, fast=True)
        if difference := _difference(fast, slow):
            raise Broken("lanes", f"the two lanes give different {difference}", difference.partition(":")[0])
    return signature


def _shard(path: Path, seconds: float, contexts: bool, fast: bool) -> Shard:
    told = ContextConfig() if contexts else None
    with time_limit(seconds):
        shard = read_shard([str(path)], ExtractionConfig(), TokenizerConfig(), told, fast)
    for said in (*(file.reason for file in shard.files), *(text for file in shard.files for text in file.remarks)):
        check_sentence(f"{said}.")
    return shard


def _difference(one: Shard, two: Shard) -> str:
    if one.files != two.files:
        return f"reports: {one.files} and {two.files}"[:600]
    for name in ("table", "offsets", "durations", "pitches"):
        first, second = getattr(one, name), getattr(two, name)
        if first.dtype != second.dtype or first.tolist() != second.tolist():
            return f"{name}: {first.tolist()[:40]} and {second.tolist()[:40]}"
    for name, array in one.contexts.items():
        if array.dtype != two.contexts[name].dtype or not np.array_equal(array, two.contexts[name]):
            return f"context {name}"
    return ""


def examine_score(data: bytes, folder: Path, suffix: str, seconds: float, thorough: bool) -> str:
    """What comes out is music, or a refusal; the same when read again."""
    found = again = attempt(lambda: parse(data, f"x{suffix}"), seconds, (MidiError,))
    if thorough:
        again = attempt(lambda: parse(data, f"x{suffix}"), seconds, (MidiError,))
    if isinstance(found, MelodyGRUError) or isinstance(again, MelodyGRUError):
        if str(found) != str(again):
            raise Broken("twice", f"read again, it is another: {str(found)[:200]} and {str(again)[:200]}")
        return outcome(str(found))
    if found != again:
        raise Broken("twice", "read again, it is another")
    return _music(found, thorough)


def _music(found: Reading, thorough: bool) -> str:
    """Check everything that is promised of a reading; what can be told apart of it."""
    if not found.melodies:
        raise Broken("melody", "a reading without a melody, and no reason")
    for remark in found.remarks:
        check_sentence(f"{remark}.")
    for melody in found.melodies:
        check_melody(melody)
        if thorough and len(melody.notes) <= _CHECKED_NOTES:
            check_written(melody)
    first = found.melodies[0]
    notes = sum(len(melody.notes) for melody in found.melodies)
    told = [f"{name} {size.bit_length()}" for name, size in (("notes", notes), ("bars", first.bars))]
    told += [f"metre {first.time_signature}", f"pickup {first.pickup > 0}", f"melodies {len(found.melodies) > 1}"]
    return "\n".join([*told, *(outcome(remark) for remark in found.remarks)])


def examine_checkpoint(data: bytes, folder: Path, suffix: str, seconds: float, thorough: bool) -> str:
    """Load it; what is loaded is finite, can be used for a step, and comes back from a file."""
    path = folder / f"x{suffix}"
    path.write_bytes(data)
    found = attempt(lambda: Checkpoint.load(path), seconds, (CheckpointError,))
    if isinstance(found, MelodyGRUError):
        return outcome(str(found))
    index = attempt(lambda: found.index, seconds, (CheckpointError,))
    if isinstance(index, MelodyGRUError):
        return outcome(str(index))
    if not all(array.dtype == np.float32 and np.isfinite(array).all() for array in found.weights.values()):
        raise Broken("weights", "weights that are not finite")
    with time_limit(5 * seconds):
        engine = found.engine()
        state = engine.start([PieceMeta()])
        logits = engine.duration_logits(state), engine.pitch_logits(state, np.array([24]))
        if not all(np.isfinite(numbers).all() for numbers in logits):
            raise Broken("weights", "a step gives numbers that are not finite")
        if found.critic is not None:
            found.critic.log_odds(Melody((Note(60, 0, 24), Note(62, 24, 24))))
    if thorough:
        found.save(path)
        back = Checkpoint.load(path)
        if back.metadata() != found.metadata() or back.packed_index != found.packed_index:
            raise Broken("twice", "saved and loaded, it is another")
    config = found.model_config
    return (
        f"{config.cell} {config.layers} {index is not None} {found.critic is not None} {sorted(found.provenance)[:3]}"
    )


def examine_options(data: bytes, folder: Path, suffix: str, seconds: float, thorough: bool, known: list[Option]) -> str:
    """Merge it with an empty command line, make of it what `generate` makes, and lay the piece out."""
    path = folder / f"x{suffix}"
    path.write_bytes(data)

    def ordered() -> GenerationConfig:
        asked = merged({}, path, known)
        for option in known:
            if option.name in asked:
                option.check(asked[option.name])
        config = GenerationConfig.from_dict(part_of(asked, GenerationConfig))
        performance(asked).check(config.time_signature, with_chords=bool(asked.get("render_chords")))
        return config

    found = attempt(ordered, seconds, (FileError, UsageError))
    if isinstance(found, MelodyGRUError):
        return outcome(str(found))
    if thorough:
        config = found
        planned = attempt(lambda: plan(config, TokenizerConfig().max_duration, None), 5 * seconds, (UsageError,))
        if isinstance(planned, MelodyGRUError):
            return outcome(str(planned))
    return "\n".join(found.as_dict())
