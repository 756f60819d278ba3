"""Pieces as a network learns from them: events, what is told of each, and which are held out.

Beside each second of some pieces stands a variant in a neighbouring mode: the one degree in which the two modes differ
is raised or lowered throughout. Few tunes are lydian or phrygian; how their colour sounds is learned so.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import numpy as np

from melodygru.data.dataset import Dataset, fingerprint_of
from melodygru.music.chords import QUALITIES, Chord, ChordSpan
from melodygru.music.melody import Melody
from melodygru.music.theory import MODES, Key
from melodygru.network.arrays import Array
from melodygru.network.conditions import KINDS
from melodygru.network.config import ContextConfig, TokenizerConfig
from melodygru.network.describing import Known, known_of
from melodygru.network.tokenizer import REST, Events, Tokenizer
from repertoire.pieces import Harmony, Piece

NEIGHBOURS: dict[str, tuple[tuple[str, int, int], ...]] = {
    "major": (("mixolydian", 11, -1), ("lydian", 5, 1)),
    "minor": (("dorian", 8, 1), ("phrygian", 2, -1)),
    "dorian": (("minor", 9, -1), ("mixolydian", 3, 1)),
    "mixolydian": (("dorian", 4, -1), ("major", 10, 1)),
    "phrygian": (("locrian", 7, -1), ("minor", 1, 1)),
}
"""Of each mode: neighbours, the degree that differs (semitones above the tonic), and by how much it moves."""
OFTEN = frozenset({"hymn", "standard", "dance", "game"})
"""Styles of few pieces: each piece is learned twice a pass."""


@dataclass(frozen=True)
class Lessons:
    """What is learned.

    Attributes:
        dataset: all pieces and variants, P of them.
        learned: indices of what is learned from, in which a piece may stand twice.
        held: indices of what is held out.
        known: (P,) what is known of each.
        styles: (P,) of the pieces.
    """

    dataset: Dataset
    learned: Array
    held: Array
    known: list[Known]
    styles: list[str]


def lessons(
    pieces: Iterable[Piece], seed: int, variants: float = 0.25, styles: Collection[str] = (), twice: bool = True
) -> Lessons:
    """Lessons of those pieces that are learned from or held out.

    Args:
        seed: of which pieces have variants, and which.
        variants: share of the pieces learned from that have one.
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
        if piece.split not in ("train", "held") or (styles and piece.style not in styles):
            continue
        add(piece, piece.melody, spans(piece.chords), piece.split)
        if piece.split == "train" and chance.random() < variants:
            other = in_another_mode(piece.melody, chance)
            if other is not None:
                add(piece, other, (), "variant")
    dataset = _dataset(events, [piece for piece, _ in told])
    learned = [
        index
        for index, (piece, split) in enumerate(told)
        if split != "held"
        for _ in range(1 + (twice and split == "train" and piece.style in OFTEN))
    ]
    held = [index for index, (_, split) in enumerate(told) if split == "held"]
    of_styles = [piece.style for piece, _ in told]
    return Lessons(dataset, np.array(learned), np.array(held), known, of_styles)


def in_another_mode(melody: Melody, chance: random.Random) -> Melody | None:
    """The melody in a neighbouring mode; None where the two would not differ."""
    if melody.key.mode not in NEIGHBOURS:
        return None
    mode, degree, by = chance.choice(NEIGHBOURS[melody.key.mode])
    moved = (melody.key.tonic + degree) % 12
    if not any(note.pitch % 12 == moved for note in melody.notes):
        return None
    notes = tuple(replace(n, pitch=n.pitch + by * (n.pitch % 12 == moved)) for n in melody.notes)
    return replace(melody, notes=notes, key=Key(melody.key.tonic, mode))


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
