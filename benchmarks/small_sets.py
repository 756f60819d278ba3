"""How well the pitches of little music are foretold: by n-grams, by a network from scratch, and by both together.

    python benchmarks/small_sets.py swiss yugoslavian
    python benchmarks/small_sets.py my-folder/ --tunes 60 --folds 5

Cross-validation over tunes, families of near-duplicates kept together. A set is one of those of Pearce (2005), as far
as music21's corpus has them (chorales; from the Essen collection, which is for non-commercial use only, the others), or
a folder of MIDI files and scores, of which `--tunes` are taken. Each line gives bits a note: of the pitches of notes,
given when each begins and ends; the 95 % interval is a bootstrap over tunes. Pearce's figures, the best of his n-gram
models of pitch alone, are not told the timing, and his sets are not quite the same tunes.

    n-grams   those of `melodygru.network.mixing` alone, counted on all tunes but the fold's
    network   what `melodygru train --init-from none` makes of them, a tenth held out for validation, n-grams off
    both      the two mixed, weighed by that tenth: what it makes by itself

With `--results FILE` each fold is written down as it is done, and one that is there is not done again.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import numpy as np

from melodygru import Melody, train
from melodygru.data.collection import read_collection
from melodygru.data.corpora import tune_texts
from melodygru.data.families import families
from melodygru.errors import MidiError
from melodygru.formats.midi.extraction import ExtractionConfig
from melodygru.formats.midi.writer import write_midi
from melodygru.formats.reading import parse
from melodygru.network.arrays import nats_of
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.engine import NumpyEngine
from melodygru.network.likelihood import bootstrap
from melodygru.network.mixing import NgramModel
from melodygru.network.ngrams import Heard
from melodygru.network.tokenizer import END, REST, Events, PieceMeta, Tokenizer
from melodygru.training.ngram_fitting import expert_weights

PUBLISHED = {
    "chorales": 2.347,
    "alsatian": 2.540,
    "yugoslavian": 2.588,
    "swiss": 2.454,
    "austrian": 2.651,
    "german-children": 2.106,
    "shanxi": 2.681,
}
"""Pearce 2005, Table 6.7. The eighth set, Nova Scotian songs (2.468), is not at hand; of Shanxi music21 has a third."""
_ORIGINS = {
    "alsatian": r"(?<!Schweiz; )Elsass",
    "yugoslavian": "Jugoslaw",
    "swiss": r"Mitteleuropa, *(franzoesische )?Schweiz",
    "austrian": r"Mitteleuropa, *(\w+ *- *)?Oesterreich",
    "shanxi": "Shanxi",
}
"""What the lines of origin of the tunes in the Essen collection say."""
_CHORALES = range(253, 439)
Row = dict[str, float]
_WHOLE = ExtractionConfig(min_notes=8)


def published_set(name: str) -> list[Melody]:
    """The tunes of one of Pearce's sets, as far as they are at hand and can be read."""
    if name == "chorales":
        files = sorted((_corpus() / "bach").glob("bwv*.mxl"))
        numbered = [(re.match(r"bwv(\d+)\.mxl", file.name), file) for file in files]
        files = [file for number, file in numbered if number and int(number[1]) in _CHORALES]
        return [melody for file in files for melody in parse(file.read_bytes(), file.name, _WHOLE).melodies]
    if name == "german-children":
        file = _corpus() / "essenFolksong" / "kinder0.abc"
        texts = re.split(r"(?m)^(?=X:)", file.read_text("utf-8", errors="replace"))[1:]
    else:
        texts = [text for text in tune_texts("essen") if re.search(rf"(?m)^O:.*{_ORIGINS[name]}", text)]
    return [melody for number, text in enumerate(texts) for melody in _tunes(text, f"{name}{number}.abc")]


def _corpus() -> Path:
    spec = find_spec("music21")
    return Path((spec.submodule_search_locations or [""])[0] if spec else "") / "corpus"


def _tunes(text: str, name: str) -> Sequence[Melody]:
    try:
        return parse(text.encode(), name, _WHOLE).melodies
    except MidiError:
        return ()


def chosen(name: str, tunes: int | None, seed: int) -> list[Melody]:
    """A set's tunes; of a folder, so many of them, drawn by family."""
    melodies = published_set(name) if name in PUBLISHED else list(read_collection(name).pieces)
    if tunes is None:
        return melodies
    kin = np.array(families(melodies))
    order = np.random.default_rng(seed).permutation(np.unique(kin))
    return list(islice((melodies[i] for family in order for i in np.flatnonzero(kin == family)), tunes))


def folds_of(melodies: Sequence[Melody], folds: int, seed: int) -> np.ndarray:
    """(P,) the fold of each tune: whole families, each put into the fold that is smallest so far."""
    kin = np.array(families(melodies))
    sizes, found = np.zeros(folds, int), np.zeros(len(melodies), int)
    for family in np.random.default_rng(seed).permutation(np.unique(kin)):
        fold = int(sizes.argmin())
        found[kin == family] = fold
        sizes[fold] += (kin == family).sum()
    return found


def note_bits(engine: NumpyEngine | _Grams, pieces: Sequence[Events]) -> np.ndarray:
    """(P,) bits of the pitches of each tune's notes, summed, when it is known which events are notes."""
    longest = max(len(piece.durations) for piece in pieces)
    durations, pitches = np.full((2, len(pieces), longest), [[[END]], [[REST]]])
    for row, piece in enumerate(pieces):
        durations[row, : len(piece.durations)], pitches[row, : len(piece.pitches)] = piece.durations, piece.pitches
    state, total = engine.start([piece.meta for piece in pieces]), np.zeros(len(pieces))
    for duration, pitch in zip(durations.T, pitches.T, strict=True):
        notes = engine.pitch_logits(state, duration)[:, :REST]
        total += np.where(pitch < REST, nats_of(notes, np.minimum(pitch, REST - 1)), 0)
        engine.advance(state, duration, pitch)
    return total / np.log(2)


def one_fold(melodies: Sequence[Melody], test: np.ndarray, options: dict[str, object], network: bool) -> list[Row]:
    """Of each tune of the fold, its notes, and its bits by each of the three."""
    tokenizer = Tokenizer()
    learned = [melody for melody, held in zip(melodies, test, strict=True) if not held]
    pieces = [tokenizer.encode(melody) for melody, held in zip(melodies, test, strict=True) if held]
    events = [tokenizer.encode(melody) for melody in learned]
    grams = NgramModel.of(events, expert_weights(events, np.array(families(learned))), 0.0)
    if not network:
        bits = {"n-grams": note_bits(_Grams(grams), pieces)}
    else:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "tunes").mkdir()
            for number, melody in enumerate(learned):
                write_midi(melody, Path(folder) / "tunes" / f"{number:04}.mid")
            result = train(Path(folder) / "tunes", Path(folder) / "model", init_from="none", ngrams="on", **options)  # type: ignore
            if result.stopped == "interrupted":
                raise SystemExit("Stopped; with --results it goes on from the last whole fold.")
            both = Checkpoint.load(result.checkpoint)
        of = {"n-grams": replace(both, ngrams=grams), "network": replace(both, ngrams=None), "both": both}
        bits = {name: note_bits(checkpoint.engine(), pieces) for name, checkpoint in of.items()}
    return [
        {"notes": piece.notes, **{name: float(values[row]) for name, values in bits.items()}}
        for row, piece in enumerate(pieces)
    ]


class _Grams:
    """N-grams as an engine, without a network."""

    def __init__(self, ngrams: NgramModel):
        self.ngrams = ngrams

    def start(self, metas: Sequence[PieceMeta]) -> Heard:
        return Heard(metas)

    def pitch_logits(self, state: Heard, durations: np.ndarray) -> np.ndarray:
        return self.ngrams.expected(state, durations)

    def advance(self, state: Heard, durations: np.ndarray, pitches: np.ndarray) -> None:
        state.advance(durations, pitches)


def measured(name: str, arguments: argparse.Namespace) -> Iterator[tuple[int, list[Row]]]:
    """The folds of a set, each as `one_fold` gives it."""
    melodies = chosen(name, arguments.tunes, arguments.seed)
    folds = folds_of(melodies, arguments.folds, arguments.seed)
    options = {"preset": arguments.preset, "seed": arguments.seed}
    options |= {name: value for name in ("epochs", "dropout") if (value := getattr(arguments, name)) is not None}
    options = {} if arguments.ngrams_alone else options
    known = {}
    if arguments.results and arguments.results.exists():
        lines = [json.loads(line) for line in arguments.results.read_text().splitlines()]
        known = {line["fold"]: line["tunes"] for line in lines if line["set"] == name and line["options"] == options}
    for fold in range(min(arguments.folds, arguments.only or arguments.folds)):
        if fold not in known:
            known[fold] = one_fold(melodies, folds == fold, options, not arguments.ngrams_alone)
            if arguments.results:
                with arguments.results.open("a") as file:
                    told = {"set": name, "options": options, "fold": fold, "tunes": known[fold]}
                    file.write(json.dumps(told) + "\n")
        yield fold, known[fold]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="+", help=f"{', '.join(PUBLISHED)}, or a folder")
    parser.add_argument("--tunes", type=int, help="of a folder, take so many")
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--only", type=int, help="do this many of the folds")
    parser.add_argument("--preset", default="small")
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--dropout", type=float)
    parser.add_argument("--ngrams-alone", action="store_true", help="train no networks")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path)
    arguments = parser.parse_args()
    print(f"{'set':<24}{'tunes':>7}{'notes':>8}   {'n-grams':<22}{'network':<22}{'both':<22}{'published':>9}")
    for name in arguments.sets:
        rows: list[Row] = []
        for fold, tunes in measured(name, arguments):
            rows += tunes
            notes = np.array([row["notes"] for row in rows])
            line = (
                f"{Path(name).name + f' ({fold + 1} of {arguments.folds})':<24}{len(rows):>7}{int(notes.sum()):>8}   "
            )
            for of in ("n-grams", "network", "both"):
                bits = np.array([row.get(of, np.nan) for row in rows])
                low, high = bootstrap(bits, notes)
                line += f"{bits.sum() / notes.sum():.3f} ({low:.2f} to {high:.2f})".ljust(22)
            print(line + (f"{PUBLISHED[name]:>9.3f}" if name in PUBLISHED else "        -"), flush=True)


if __name__ == "__main__":
    main()
