"""A melody as a piano roll in a picture: PNG, SVG or PDF. The same melody makes the same bytes."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from io import BytesIO
from typing import Any

from melodygru.errors import UsageError, check_range
from melodygru.formats.rolls.page import MAX_SIDE, Page, PictureStyle
from melodygru.formats.rolls.piano_roll import whole_range
from melodygru.music.chords import ChordSpan
from melodygru.music.melody import Melody

_MAX_PIXELS = 100_000_000


def parse_size(text: str) -> tuple[int, int]:
    """Width and height in pixels from "1600x600". Raises UsageError for anything else, or what is too large."""
    match = re.fullmatch(r"\s*(\d{1,6})\s*[xX×*]\s*(\d{1,6})\s*", text)
    if match is None:
        raise UsageError(f"size is {text!r}; write width and height in pixels: 1600x600.")
    width, height = int(match[1]), int(match[2])
    for side in (width, height):
        check_range("size", side, 1, MAX_SIDE, "pixels a side")
    if width * height > _MAX_PIXELS:
        raise UsageError(f"size is {text}, {width * height:,} pixels; choose at most {_MAX_PIXELS:,}.")
    return width, height


def roll_picture(
    melody: Melody,
    kind: str,
    size: tuple[int, int] | None = None,
    style: PictureStyle | None = None,
    bars: tuple[int, int] | None = None,
    chords: Sequence[ChordSpan] = (),
) -> bytes:
    """A picture of some bars of a melody.

    Args:
        melody: its notes.
        kind: "png", "svg" or "pdf".
        size: in pixels, exactly; None: 1600 wide at 100 pixels an inch, and as high as it needs.
        style: how it looks.
        bars: the first and the last, both included and in the melody; None: all.
        chords: in steps of the melody.

    Raises:
        UsageError: a picture too small for letters.
    """
    style = style or PictureStyle()
    page = Page(melody, size, style, bars or whole_range(melody), chords)
    import matplotlib
    from matplotlib.figure import Figure

    # An SVG's pixels are 1/96 inch to those that show it; pixels are what was asked for.
    dots = 96 if kind == "svg" else style.dpi
    settings = {
        "font.family": ["DejaVu Sans", "sans-serif"],
        "svg.fonttype": "none",
        "svg.hashsalt": "melodygru",
        "pdf.fonttype": 42,
    }
    metadata: dict[str, Any] = {
        "png": {"Software": None},
        "svg": {"Date": None, "Creator": None},
        "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
    }[kind]
    target = BytesIO()
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        # A title in letters that the font lacks is drawn as boxes.
        warnings.filterwarnings("ignore", "Glyph .* missing")
        # Matplotlib cuts off fractions of pixels.
        figure = Figure(((page.pixels[0] + 0.01) / dots, (page.pixels[1] + 0.01) / dots), dots)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, page.width), ylim=(page.height, 0))
        axes.set_axis_off()
        figure.set_facecolor(page.theme.paper)
        page.points = 72 / dots * style.dpi / 100
        page.draw(axes)
        figure.savefig(target, format=kind, dpi=dots, facecolor=page.theme.paper, metadata=metadata)
    return target.getvalue()
