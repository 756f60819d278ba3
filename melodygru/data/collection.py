"""A folder of MIDI files and scores, and what became of each: kept, or left out with its reason.

One bad file never stops the run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path

from melodygru.data.budget import Budget, OutOfTime, reason_of
from melodygru.data.workers import do
from melodygru.errors import DataError, MelodyGRUError
from melodygru.formats.midi.extraction import ExtractionConfig
from melodygru.formats.reading import MIDI_SUFFIXES, read
from melodygru.formats.scores.files import SCORE_SUFFIXES, is_score
from melodygru.music.chords import ChordSpan
from melodygru.music.melody import Melody
from melodygru.network.judge import by_shipped_model
from melodygru.records import dataclass

SUFFIXES = (*MIDI_SUFFIXES, *SCORE_SUFFIXES)
"""Endings of files that are read, in any case."""
SCORE_COST = 25
"""How many MIDI files a score counts for where work is shared out. It takes longer than that; parts get smaller."""
_FEW = 400
"""Below this much work, in MIDI files, starting processes takes longer than it saves."""
_CHUNK = 50


@dataclass(frozen=True)
class Verdict:
    """What became of one file.

    Attributes:
        path: the file.
        melodies: its melodies; none if it was left out.
        reason: why it was left out; empty if it was kept.
        track: the name or number of the track that the melodies come from.
        remarks: what was estimated, or not taken at its word.
        chords: over each melody; empty where there are none.
    """

    path: Path
    melodies: tuple[Melody, ...] = ()
    reason: str = ""
    track: str = ""
    remarks: tuple[str, ...] = ()
    chords: tuple[tuple[ChordSpan, ...], ...] = ()


@dataclass(frozen=True)
class Collection:
    """The verdicts on all files of a folder, by path."""

    verdicts: tuple[Verdict, ...]

    @property
    def pieces(self) -> list[Melody]:
        """All melodies, in the order of their files."""
        return list(chain.from_iterable(verdict.melodies for verdict in self.verdicts))

    @property
    def left_out(self) -> list[Verdict]:
        """Files of which nothing could be used."""
        return [verdict for verdict in self.verdicts if not verdict.melodies]


def find_files(folder: str | os.PathLike[str]) -> list[Path]:
    """All MIDI files and scores of a folder and its subfolders, sorted; or the one file that is given.

    Raises DataError when there is no such folder, or no such file in it.
    """
    return [Path(name) for name in find_names(folder)]


def find_names(folder: str | os.PathLike[str]) -> list[str]:
    """`find_files` as strings: of a million files, Path objects alone would take many seconds.

    A subfolder that cannot be looked into is among them, as a file that cannot be read.
    """
    folder = os.fspath(Path(folder))
    if os.path.isfile(folder):
        return [folder]
    if not os.path.isdir(folder):
        raise DataError(f"There is no folder {folder}; give the folder that your MIDI files or scores are in.")
    closed: list[str] = []

    def note(error: OSError) -> None:
        if error.filename == folder:
            raise DataError(f"{folder} cannot be read ({error.strerror}); check its permissions.") from error
        closed.append(error.filename)

    names = [
        os.path.join(inside, name)
        for inside, _, within in os.walk(folder, onerror=note)
        for name in within
        if os.path.splitext(name)[1].lower() in SUFFIXES
    ]
    files = [*filter(os.path.isfile, names), *filter(os.path.isdir, closed)]
    files.sort(key=lambda name: name.split(os.sep))
    if not files:
        endings = " ".join(SUFFIXES)
        raise DataError(
            f"{folder} holds no MIDI file or score ({endings}), nor do its subfolders; give another folder."
        )
    return files


def work_of(names: Sequence[str]) -> int:
    """How much work these files are, in MIDI files."""
    return len(names) + (SCORE_COST - 1) * sum(map(is_score, names))


def judge(path: Path, config: ExtractionConfig) -> Verdict:
    """Read one file; whatever is wrong with it ends in the verdict."""
    if is_score(path.name):
        config = config.of_scores
    try:
        found = read(path, config, by_shipped_model)
    except MelodyGRUError as error:
        # A reason counts many files together: the file's own name is not part of it.
        return Verdict(path, reason=str(error).removeprefix(f"{path} ").split(";")[0].rstrip("."))
    except (KeyboardInterrupt, OutOfTime):
        raise
    except BaseException as error:  # a fault of ours in one odd file must not cost the user the other thousands
        return Verdict(path, reason=reason_of(error))
    return Verdict(path, found.melodies, "", found.track, found.remarks, found.chords)


def read_collection(
    folder: str | os.PathLike[str],
    track: str = "auto",
    progress: Callable[[int, int], None] | None = None,
    jobs: int | None = None,
    budget: Budget = Budget(),
) -> Collection:
    """Read all MIDI files and scores of a folder.

    Args:
        folder: searched with all its subfolders.
        track: see `melodygru.formats.midi.extraction.ExtractionConfig`.
        progress: called with files read and files in all.
        jobs: processes; None for as many as there are cores, when there are many files.
        budget: what each file may cost.

    Raises:
        DataError: no folder, or no such file in it.
    """
    files = find_files(folder)
    work, names = _Judging(ExtractionConfig(track), budget), [str(path) for path in files]
    many = work_of(names) >= _FEW
    size = max(1, _CHUNK * len(files) // work_of(names))
    tasks = [(number, names[i : i + size]) for number, i in enumerate(range(0, len(names), size))]
    verdicts: list[Verdict] = []
    for found in do(work, tasks, jobs, many):
        for verdict in found:
            verdicts.append(verdict)
            if progress is not None:
                progress(len(verdicts), len(files))
    return Collection(tuple(verdicts))


@dataclass(frozen=True)
class _Judging:
    """Verdicts on the files of a task, as `melodygru.data.workers` want it."""

    config: ExtractionConfig
    budget: Budget

    def read(self, paths: Sequence[str]) -> list[Verdict]:
        return [judge(Path(path), self.config) for path in paths]

    def lost(self, path: str, reason: str) -> list[Verdict]:
        return [Verdict(Path(path), reason=reason)]

    def joined(self, parts: Sequence[list[Verdict]]) -> list[Verdict]:
        return list(chain.from_iterable(parts))

    def finish(self, number: int, whole: list[Verdict]) -> list[Verdict]:
        return whole
