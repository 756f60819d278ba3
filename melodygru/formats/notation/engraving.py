"""A melody as people read it: MusicXML, ABC, or pages of notes as SVG, PNG and PDF.

Pages are engraved by Verovio (https://www.verovio.org) from the MusicXML; their letters are outlines (see
`melodygru.formats.notation.outlines`), so that they need no fonts and look alike everywhere.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Sequence
from importlib import import_module, resources
from pathlib import PurePath
from typing import Any

from melodygru.errors import MelodyGRUError, UsageError
from melodygru.formats.notation.abc import abc
from melodygru.formats.notation.musicxml import musicxml, mxl, number, readable, tempo_unit
from melodygru.formats.notation.outlines import outlined
from melodygru.music.chords import ChordSpan
from melodygru.music.melody import Melody
from melodygru.music.tracks import Track

__all__ = ["SUFFIXES", "abc", "musicxml", "mxl", "pages", "pdf", "png", "svg", "written"]

_A4 = (2100, 2970)
"""A page, in tenths of a millimetre."""
_ENDLESS = 60_000
"""The height of Verovio's tallest page, in the same unit."""
_POINTS = 72 / 254
"""Points of a PDF in a tenth of a millimetre."""
_LARGEST_SIDE = 32_000
_OPTIONS = {
    "footer": "none",
    "xmlIdSeed": 1,
    "minLastJustification": 0,
    "spacingSystem": 8,
    "unit": 8,
    "bottomMarginHeader": 5,
}
# SMuFL's notes of metronome marks, https://w3c.github.io/smufl/latest/tables/metronome-marks.html.
_SIGNS, _DOT = {"half": "\ueca3", "quarter": "\ueca5"}, "\uecb7"
# Verovio keeps settings that all toolkits of a process share.
_ENGRAVING = threading.Lock()


def svg(melody: Melody, chords: Sequence[ChordSpan] = (), width: int = 1600, bass: Track | None = None) -> str:
    """The whole melody as one picture, `width` pixels wide in [100, 10000] and as high as it must be.

    Raises UsageError for another width, and for a melody too long for one picture.
    """
    if not 100 <= width <= 10_000:
        raise UsageError(f"A width of {width} pixels is not legal; choose 100 to 10000.")
    found = _engraved(melody, chords, bass, {"pageHeight": _ENDLESS, "adjustPageHeight": True}, 80)
    if len(found) > 1:
        raise UsageError(f"{melody.bars} bars are too many for one picture; write a PDF, which has pages.")
    height = round(width * _size(found[0])[1] / _size(found[0])[0])
    return re.sub(r'width="[^"]*" height="[^"]*"', f'width="{width}" height="{height}"', found[0], count=1)


def pages(melody: Melody, chords: Sequence[ChordSpan] = (), bass: Track | None = None) -> list[str]:
    """The melody on pages of A4, each an SVG."""
    return _engraved(melody, chords, bass, {"pageHeight": _A4[1]}, 150)


def png(melody: Melody, chords: Sequence[ChordSpan] = (), width: int = 1600, bass: Track | None = None) -> bytes:
    """The picture that `svg` gives as a PNG, black on white. Raises UsageError as that does."""
    drawn = svg(melody, chords, width, bass)
    if _size(drawn)[1] > _LARGEST_SIDE:
        raise UsageError(f"{melody.bars} bars are too many for one picture; write a PDF, which has pages.")
    draw = import_module("resvg_py").svg_to_bytes
    return bytes(draw(svg_string=drawn, background="white", skip_system_fonts=True))


def pdf(
    melody: Melody,
    chords: Sequence[ChordSpan] = (),
    progress: Callable[[int, int], None] | None = None,
    bass: Track | None = None,
) -> bytes:
    """The melody as a PDF of A4 pages; the same bytes each time. `progress` is called with pages done, and all."""
    canvas_module, draw = import_module("reportlab.pdfgen.canvas"), import_module("reportlab.graphics.renderPDF").draw
    read = import_module("svglib.svglib").svg2rlg
    size = (_A4[0] * _POINTS, _A4[1] * _POINTS)
    packed = io.BytesIO()
    canvas = canvas_module.Canvas(packed, pagesize=size, pageCompression=1, invariant=1)
    canvas.setTitle(readable(melody.name) or "Melody")
    canvas.setCreator("melodygru")
    engraved = pages(melody, chords, bass)
    for done, page in enumerate(engraved):
        if progress is not None:
            progress(done, len(engraved))
        drawing = read(io.BytesIO(page.encode()))
        canvas.saveState()
        canvas.scale(size[0] / drawing.width, size[1] / drawing.height)
        draw(drawing, canvas, 0, 0)
        canvas.restoreState()
        canvas.showPage()
    canvas.save()
    return packed.getvalue()


_WRITERS: dict[str, Callable[[Melody, Sequence[ChordSpan], Track | None], bytes]] = {
    ".musicxml": musicxml,
    ".xml": musicxml,
    ".mxl": mxl,
    ".abc": lambda melody, chords, bass: abc(melody, chords).encode(),
    ".svg": lambda melody, chords, bass: svg(melody, chords, bass=bass).encode(),
    ".png": lambda melody, chords, bass: png(melody, chords, bass=bass),
    ".pdf": lambda melody, chords, bass: pdf(melody, chords, bass=bass),
}
SUFFIXES = tuple(_WRITERS)
"""Endings of the files that `written` can make."""


def written(
    melody: Melody,
    chords: Sequence[ChordSpan],
    suffix: str,
    progress: Callable[[int, int], None] | None = None,
    bass: Track | None = None,
) -> bytes:
    """The bytes of a file that ends in `suffix` (".pdf", or a name such as "tune.pdf", in any case).

    `progress` is called with pages done, and all, of what has pages. A `bass` has a staff of its own, but in ABC.

    Raises UsageError for an ending that is not among `SUFFIXES`.
    """
    ending = (PurePath(suffix).suffix or suffix).lower()
    if ending not in _WRITERS:
        raise UsageError(f"{suffix} is no kind of score; choose an ending among {', '.join(SUFFIXES)}.")
    return pdf(melody, chords, progress, bass) if ending == ".pdf" else _WRITERS[ending](melody, chords, bass)


def _engraved(
    melody: Melody, chords: Sequence[ChordSpan], bass: Track | None, size: dict[str, Any], margin: int
) -> list[str]:
    """Verovio's pages, with outlines for letters. Raises MelodyGRUError if Verovio cannot engrave."""
    verovio = import_module("verovio")
    # Where its fonts are Verovio knows in the thread alone that imported it.
    verovio.setDefaultResourcePath(str(resources.files("verovio") / "data"))
    sides = {f"pageMargin{side}": margin for side in ("Left", "Right", "Top", "Bottom")}
    title, mark = readable(melody.name), None
    if any(span.onset < melody.length for span in chords):
        unit, dots, rate = tempo_unit(melody.time_signature, melody.qpm)
        mark = _SIGNS[unit] + _DOT * dots, f" = {number(rate)}"
        size = {**size, "bottomMarginHeader": 8}
    data = musicxml(melody, chords, bass, for_verovio=mark is not None).decode()
    with _ENGRAVING:
        toolkit = verovio.toolkit()
        header = "auto" if title else "none"
        toolkit.setOptions({**_OPTIONS, **sides, **size, "pageWidth": _A4[0], "header": header})
        toolkit.setOptions({"breaks": "line" if "<print" in data else "auto"})
        loaded = toolkit.loadData(data)
        found = [str(toolkit.renderToSVG(number)) for number in range(1, toolkit.getPageCount() + 1)] if loaded else []
    if not found:
        raise MelodyGRUError("Verovio could not engrave the melody; write MusicXML for another program instead.")
    # Fonts are read when a glyph is first asked for, which two threads must not do at once.
    with _ENGRAVING:
        return [outlined(page, title, None if index else mark) for index, page in enumerate(found)]


def _size(page: str) -> tuple[float, float]:
    """Width and height in pixels."""
    sizes = re.search(r'width="([^"]*)" height="([^"]*)"', page)
    assert sizes is not None, "outlined pages begin with their size"
    return float(sizes[1]), float(sizes[2])
