"""After a run: n-grams of its folder are put beside the network, where they make it better."""

from __future__ import annotations

from dataclasses import replace

from melodygru.data.dataset import Dataset
from melodygru.errors import UsageError
from melodygru.network.arrays import Array
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.mixing import MOST_EVENTS
from melodygru.training.ngram_fitting import fit_ngrams
from melodygru.training.progress import Listener, TrainResult

NGRAMS = ("auto", "on", "off")
"""Whether n-grams are kept: where they make held-out pieces likelier, always, never."""


def check_ngrams(how: str, index: bool) -> None:
    """Raise UsageError for a choice that is none, or that contradicts `index`: whether the music may be told."""
    if how not in NGRAMS:
        raise UsageError(f"--ngrams is {how!r}; choose {', '.join(NGRAMS[:-1])} or {NGRAMS[-1]}.")
    if how == "on" and not index:
        raise UsageError("N-grams hold the notes that were learned from, and --no-index keeps those out; choose one.")


def wanted(how: str, index: bool, dataset: Dataset, pieces: Array, held: Array) -> bool:
    """Whether n-grams of these pieces are to be tried. Raises UsageError where there is too much music for them."""
    events = int((dataset.offsets[1:] - dataset.offsets[:-1])[pieces].sum())
    if how == "on" and events > MOST_EVENTS:
        raise UsageError(
            f"--ngrams on counts at most {MOST_EVENTS:,} events, and there are {events:,} to learn from; leave it out: "
            "a network that has so much needs no n-grams."
        )
    return how == "on" or (how == "auto" and index and len(held) > 0 and events <= MOST_EVENTS)


def mix(
    result: TrainResult,
    how: str,
    dataset: Dataset,
    pieces: Array,
    held: Dataset,
    held_pieces: Array,
    listener: Listener,
) -> TrainResult:
    """Put n-grams of the pieces learned from into the checkpoint of a run, if they pay or `how` is "on"."""
    if result.stopped == "interrupted":
        return result
    listener.busy("weighing n-grams")
    checkpoint = replace(Checkpoint.load(result.checkpoint), ngrams=None)
    learned, heard = [dataset.events(piece) for piece in pieces], [held.events(piece) for piece in held_pieces]
    found = fit_ngrams(checkpoint.engine(), learned, dataset.families[pieces], heard)
    if how == "auto" and not found.pays:
        return result
    gain = found.alone - found.mixed if heard else 0.0
    told = {**checkpoint.provenance, "ngrams": {"pieces": len(learned), "validation_gain_per_note": round(gain, 5)}}
    if heard:
        told["validation_nats_per_note"] = round(result.val_nats - gain, 5)
    replace(checkpoint, ngrams=found.ngrams, provenance=told).save(result.checkpoint)
    return replace(
        result, val_nats=result.val_nats - gain, val_pitch_nats=result.val_pitch_nats - gain, ngrams_gain=gain
    )
