"""Melodies written in the place of people's, style by style."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from melodygru.evaluation.counterparts import write_like
from melodygru.music.melody import Melody
from melodygru.network.arrays import IntArray
from melodygru.writing.model import Model
from melodygru.writing.styles import STYLES
from repertoire.pieces import Piece

ANY_RANGE = "C2:C7"


def style_of(piece: Piece) -> str:
    """What `--style` calls the music that a piece is of."""
    names = {(style.collection, style.kind): name for name, style in STYLES.items()}
    return names.get((piece.style, piece.kind), names[piece.style, ""])


def written_like(
    model: Model, pieces: Sequence[Piece], each: int, seed: int, options: Mapping[str, Any] | None = None, jobs: int = 1
) -> tuple[list[Melody], IntArray]:
    """`each` melodies in the place of every piece: of its style, in its metre, key and length.

    Returns:
        The melodies; (N,) the index of the piece that each stands for.
    """
    of_styles: dict[str, list[int]] = {}
    for index, piece in enumerate(pieces):
        of_styles.setdefault(style_of(piece), []).append(index)
    written: list[Melody] = []
    groups: list[int] = []
    for name, indices in of_styles.items():
        asked = {"style": name, "range": ANY_RANGE, **(options or {})}
        if not model.checkpoint.model_config.context.style:
            del asked["style"]
        people = [pieces[index].melody for index in indices]
        made, of, _ = write_like(model, people, each * len(people), seed, asked, lambda *_: None, jobs)
        written += made
        groups += [indices[place] for place in of.tolist()]
    return written, np.array(groups)
