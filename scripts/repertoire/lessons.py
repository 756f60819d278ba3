"""Pieces as a network learns from them: events, what is told of each, and which are held out.

Beside some pieces stands a variant (`repertoire.variants`): few tunes are lydian or phrygian, or blues; how that sounds
is learned so.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from melodygru.data.dataset import Dataset, fingerprint_of
from melodygru.music.chords import QUALITIES, Chord, ChordSpan
from melodygru.music.melody import Melody
from melodygru.music.theory import MODES, SCALES
from melodygru.network.arrays import Array
from melodygru.network.conditions import KINDS
from melodygru.network.config import ContextConfig, TokenizerConfig
from melodygru.network.describing import Known, known_of
from melodygru.network.tokenizer import REST, Events, Tokenizer
from repertoire.manifest import HELD, TRAIN
from repertoire.pieces import Harmony, Piece
from repertoire.variants import variant

WATCHED = 25
"""One of so many works is watched."""
MINOR_RATHER = 3
"""Pieces with a minor third, which are few and have more modes to move to, have so many times as many variants."""
OFTEN = frozenset({"hymn", "standard", "dance", "game"})
"""Styles of few pieces: each piece is learned twice a pass."""


@dataclass(frozen=True)
class Lessons:
    """What is learned.

    Attributes:
        dataset: all pieces and variants, P of them.
        learned: indices of what is learned from, in which a piece may stand twice.
        watched: indices of what is validated on, and what choices are made by: some of what may be learned from.
        held: indices of what is held out, for reports alone.
        known: (P,) what is known of each.
        styles: (P,) of the pieces.
    """

    dataset: Dataset
    learned: Array
    watched: Array
    held: Array
    known: list[Known]
    styles: list[str]


def lessons(
    pieces: Iterable[Piece], seed: int, variants: float = 0.3, styles: Collection[str] = (), twice: bool = True
) -> Lessons:
    """Lessons of those pieces that are learned from or held out.

    Args:
        seed: of which pieces have variants, and which.
        variants: share of the pieces learned from with a major third that have one.
        styles: only these; all if empty.
        twice: whether pieces of small collections are learned twice a pass.
    """
    chance, tokenizer = random.Random(seed), Tokenizer(TokenizerConfig())
    events: list[Events] = []
    known: list[Known] = []
    told: list[tuple[Piece, str]] = []

    def add(piece: Piece, melody: Melody, chords: tuple[ChordSpan, ...], split: str) -> None:
        encoded = tokenizer.encode(melody)
        events.append(encoded)
        known.append(known_of(encoded, piece.style, piece.kind if piece.kind in KINDS else "", chords))
        told.append((piece, split))

    for piece in pieces:
        if piece.split not in (TRAIN, HELD) or (styles and piece.style not in styles):
            continue
        kept = piece.split == TRAIN and crc32(piece.work.encode()) % WATCHED == 0
        add(piece, piece.melody, spans(piece.chords), "watched" if kept else piece.split)
        rare = 3 in SCALES[piece.melody.key.mode]
        if piece.split == TRAIN and not kept and chance.random() < variants * (MINOR_RATHER if rare else 1):
            other = variant(piece.melody, chance)
            if other is not None:
                add(piece, other, (), "variant")
    dataset = _dataset(events, [piece for piece, _ in told])
    learned = [
        index
        for index, (piece, split) in enumerate(told)
        if split in (TRAIN, "variant")
        for _ in range(1 + (twice and split == TRAIN and piece.style in OFTEN))
    ]
    watched = [index for index, (_, split) in enumerate(told) if split == "watched"]
    held = [index for index, (_, split) in enumerate(told) if split == HELD]
    of_styles = [piece.style for piece, _ in told]
    return Lessons(dataset, np.array(learned), np.array(watched), np.array(held), known, of_styles)


def spans(chords: Iterable[Harmony]) -> tuple[ChordSpan, ...]:
    """Chords as generation knows them."""
    return tuple(
        ChordSpan(
            one.onset,
            one.end,
            None
            if one.root < 0
            else Chord("", one.root, tuple((one.root + t) % 12 for t in QUALITIES[one.quality]), 0),
        )
        for one in chords
    )


def _dataset(events: list[Events], pieces: list[Piece]) -> Dataset:
    metas = [one.meta for one in events]
    table = np.array(
        [
            (
                meta.time_signature.numerator,
                meta.time_signature.denominator,
                meta.key.tonic,
                MODES.index(meta.key.mode),
                meta.bars,
                meta.has_pickup,
            )
            for meta in metas
        ],
        np.int32,
    )
    sounding = [one.pitches[one.pitches < REST] for one in events]
    works = {work: number for number, work in enumerate(dict.fromkeys(piece.work for piece in pieces))}
    return Dataset(
        {
            name: np.concatenate([getattr(one, name) for one in events]).astype(np.uint8)
            for name in ("durations", "pitches")
        },
        table,
        ContextConfig(),
        TokenizerConfig(),
        np.cumsum([0, *(len(one.durations) for one in events)]),
        np.array([works[piece.work] for piece in pieces]),
        np.array([pitches.min() for pitches in sounding]),
        np.array([pitches.max() for pitches in sounding]),
        table[:, 5] > 0,
        [piece.melody.name or piece.source for piece in pieces],
        {},
        fingerprint_of(events),
    )
