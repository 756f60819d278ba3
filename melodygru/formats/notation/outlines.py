"""SVG of music whose letters are drawn as outlines, so that it looks the same wherever it is shown.

Verovio writes text (title, tempo, chord symbols, bar numbers) as text, partly in a font of its own that only browsers
load. Here every letter becomes a path, in the fonts that come with matplotlib (STIX, then DejaVu Sans, then what the
machine has), and music signs in Verovio's. What stays is paths, polygons and ellipses in one coordinate system.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_MUSIC_FONT = "Leipzig"
_STIX = {"": "STIXGeneral.ttf", "bold": "STIXGeneralBol.ttf", "italic": "STIXGeneralItalic.ttf"}
_BOLD, _ITALIC = {"tempo"}, {"mNum"}


def outlined(svg: str, title: str = "", tempo: tuple[str, str] | None = None) -> str:
    """An SVG of Verovio's with its text as paths and without its style sheet.

    Of classes those of the music stay: "note", "rest", "beam", "tuplet", "harm" …

    Args:
        svg: a page.
        title: for who cannot see it.
        tempo: a mark to put above the first line's chord symbols, as music signs and the text after them. (Verovio puts
            its own between them and the staff.)
    """
    ElementTree.register_namespace("", "http://www.w3.org/2000/svg")
    ElementTree.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    page = ElementTree.fromstring(svg)
    inner = page.find(f"{_SVG}svg")
    assert inner is not None, "Verovio's pages hold their music in an inner svg"
    left, top, width, height = (float(number) for number in inner.attrib["viewBox"].split())
    size = [float(page.attrib[name].removesuffix("px")) for name in ("width", "height")]
    root = ElementTree.Element(
        f"{_SVG}svg",
        {
            "width": f"{size[0]:g}",
            "height": f"{size[1]:g}",
            "viewBox": f"{left:g} {top:g} {width:g} {height:g}",
            "role": "img",
        },
    )
    ElementTree.SubElement(root, f"{_SVG}title").text = title or "Melody"
    signs = {group.attrib["id"]: group for group in page.iterfind(f"{_SVG}defs/{_SVG}g")}
    names = {name: name.split("-")[0] for name in signs}
    defs = ElementTree.SubElement(root, f"{_SVG}defs")
    for name, group in signs.items():
        group.attrib["id"] = names[name]
        defs.append(group)
    music = ElementTree.SubElement(root, f"{_SVG}g", {"fill": "black", "stroke": "black", "stroke-width": "0"})
    music.extend(list(inner))
    _tidy(music, names)
    if tempo is not None:
        _put_tempo(music, *tempo)
    _draw_texts(music, "")
    ElementTree.indent(root, " ")
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def _tidy(parent: ElementTree.Element, names: dict[str, str]) -> None:
    """Take out what is not seen, and ids, which differ from run to run."""
    for child in list(parent):
        if "placeholder" in child.get("class", "").split() or child.tag in (f"{_SVG}style", f"{_SVG}desc"):
            parent.remove(child)
            continue
        child.attrib.pop("id", None)
        if _HREF in child.attrib:
            child.attrib[_HREF] = "#" + names[child.attrib[_HREF][1:]]
        _tidy(child, names)


def _put_tempo(music: ElementTree.Element, signs: str, words: str) -> None:
    """Add a tempo mark to the first line, above its chord symbols, where the time signature stands."""
    system = next(group for group in music.iter(f"{_SVG}g") if group.get("class") == "system")
    harmonies = [group for group in system.iter(f"{_SVG}g") if group.get("class") == "harm"]
    texts = [text for group in harmonies for text in group.iter(f"{_SVG}text")]
    heights = [float(text.attrib["y"]) for text in texts]
    sizes = [
        run.attrib["font-size"] for text in texts for run in text.iter(f"{_SVG}tspan") if "font-size" in run.attrib
    ]
    metre = next(group for group in system.iter(f"{_SVG}g") if group.get("class") == "meterSig")
    left = re.match(r"translate\(([-\d.]+)", next(metre.iter(f"{_SVG}use")).attrib["transform"])
    size = min((float(one.removesuffix("px")) for one in sizes if one), default=360.0)
    place = {"x": left[1] if left else "0", "y": f"{min(heights, default=0.0) - 1.4 * size:.0f}", "font-size": "0px"}
    mark = ElementTree.SubElement(ElementTree.SubElement(system, f"{_SVG}g", {"class": "tempo"}), f"{_SVG}text", place)
    for text, font, large in ((signs, _MUSIC_FONT, 16 / 9), (words, "", 1.0)):
        run = ElementTree.SubElement(mark, f"{_SVG}tspan", {"font-family": font, "font-size": f"{large * size:g}px"})
        run.text = text


def _draw_texts(parent: ElementTree.Element, style: str) -> None:
    for index, child in enumerate(list(parent)):
        classes = set(child.get("class", "").split())
        own = "bold" if classes & _BOLD else "italic" if classes & _ITALIC else style
        if "harm" in classes:
            for run in child.iter(f"{_SVG}tspan"):
                run.text = re.sub(r"[b#](?=\d)", lambda sign: "♭♯"["b#".index(sign[0])], run.text or "")
        if child.tag == f"{_SVG}text":
            parent[index] = _drawn(child, own)
        else:
            _draw_texts(child, own)


def _drawn(text: ElementTree.Element, style: str) -> ElementTree.Element:
    """A text element as a group of paths."""
    group = ElementTree.Element(f"{_SVG}g", {"class": "text"})
    for x, y, anchor, runs in _chunks(text):
        glyphs: list[tuple[str, float, float]] = []
        at = 0.0
        for letters, font, size in runs:
            for letter in letters:
                path, advance, unit = _glyph(letter, style, font == _MUSIC_FONT)
                glyphs.append((path, at, size / unit))
                at += advance * size / unit
        start = x - at * {"middle": 0.5, "end": 1.0}.get(anchor, 0.0)
        for path, offset, scale in glyphs:
            if path:
                place = f"translate({start + offset:.1f}, {y:.1f}) scale({scale:.5f}, {-scale:.5f})"
                ElementTree.SubElement(group, f"{_SVG}path", {"transform": place, "d": path})
    return group


_Run = tuple[str, str, float]


def _chunks(text: ElementTree.Element) -> list[tuple[float, float, str, list[_Run]]]:
    """A text element as (x, y, anchor, runs of (letters, font, size)): a new one wherever a place is given."""
    found: list[tuple[float, float, str, list[_Run]]] = []

    def walk(element: ElementTree.Element, font: str, size: float, anchor: str) -> None:
        anchor = element.get("text-anchor", anchor)
        font = element.get("font-family", font)
        size = float(element.get("font-size", f"{size}px").removesuffix("px"))
        if not found or "x" in element.attrib or "y" in element.attrib:
            before = found[-1] if found else (0.0, 0.0, "", [])
            found.append((float(element.get("x", before[0])), float(element.get("y", before[1])), anchor, []))
        children = [child for child in element if child.tag == f"{_SVG}tspan"]
        if not children and element.text and size:
            found[-1][3].append((re.sub(r"\s", " ", element.text), font, size))
        for child in children:
            walk(child, font, size, anchor)

    walk(text, "", 0.0, "start")
    return found


@lru_cache(maxsize=4096)
def _glyph(letter: str, style: str, music: bool) -> tuple[str, float, float]:
    """The outline of a letter as path data with y upwards, its advance, and the units of an em."""
    if music and (sign := _music_sign(letter)):
        return sign
    for font in _fonts(letter, style):
        name = font.getBestCmap().get(ord(letter))
        if name is not None:
            glyphs = font.getGlyphSet()
            pen = import_module("fontTools.pens.svgPathPen").SVGPathPen(glyphs)
            glyphs[name].draw(pen)
            return pen.getCommands(), glyphs[name].width, font["head"].unitsPerEm
    return "" if letter == "?" else _glyph("?", style, False)[0], 500.0, 1000.0


def _music_sign(letter: str) -> tuple[str, float, float] | None:
    """A sign of Verovio's music font; None if it has no such sign."""
    folder = Path(import_module("verovio").__file__ or "").parent / "data"
    file = folder / _MUSIC_FONT / f"{ord(letter):04X}.xml"
    if not file.is_file():
        return None
    path = ElementTree.parse(file).getroot().find("path")
    return "" if path is None else path.attrib["d"], _music_advances().get(f"{ord(letter):04X}", 500.0), 1000.0


@lru_cache(maxsize=1)
def _music_advances() -> dict[str, float]:
    folder = Path(import_module("verovio").__file__ or "").parent / "data"
    sheet = ElementTree.parse(folder / f"{_MUSIC_FONT}.xml").getroot()
    return {sign.attrib["c"]: float(sign.attrib["h-a-x"]) for sign in sheet.iter("g") if "h-a-x" in sign.attrib}


def _fonts(letter: str, style: str) -> Iterator[Any]:
    """Fonts in the order in which they are asked for a letter; the machine's own come last, since they take long."""
    from matplotlib import font_manager, get_data_path

    folder = Path(get_data_path()) / "fonts" / "ttf"
    yield _font(str(folder / _STIX[style]))
    yield _font(str(folder / _STIX[""]))
    yield _font(str(folder / "DejaVuSans.ttf"))
    if letter.isprintable():
        yield from filter(None, map(_font, sorted(font_manager.findSystemFonts())))


@lru_cache(maxsize=64)
def _font(file: str) -> Any:
    """A font file; None for one of a kind that is not read."""
    try:
        return import_module("fontTools.ttLib").TTFont(file, fontNumber=0, lazy=True)
    except Exception:
        return None
