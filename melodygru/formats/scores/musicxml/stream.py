"""MusicXML -> its bars, one after the other as they stream by, with what matters in them.

Of a note only the fields that its time and its pitch hang on are kept, as text; most of a file says how notes look and
what is sung. Parsing with such handlers takes half as long as building a tree, and little more than a bar is in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element
from xml.parsers import expat

from melodygru.errors import MidiError
from melodygru.formats.scores.musicxml.files import UNKNOWN_ENCODING

_CHUNK = 1 << 16
"""Bytes that are parsed at a time."""
_MOST_TAGS = 1_000_000
"""In a bar, or before the first: a whole sonata has fewer, and they take 200 MB at most."""
_TIMED = frozenset({"note", "backup", "forward"})
_HEADS = frozenset({"score-part", "work-title", "movement-title"})
_TREES = frozenset({"attributes", "direction", "sound", "barline", "harmony"}) | _HEADS
_TEXT, _MARK, _SIGN = range(3)
"""What is kept of an element in a note: its text, that it is there, or one sign for each of its kind."""
_FIELDS = {
    **dict.fromkeys(("duration", "type", "actual-notes", "normal-notes", "step", "alter", "octave"), _TEXT),
    **dict.fromkeys(("voice", "staff"), _TEXT),
    **dict.fromkeys(("chord", "grace", "cue", "rest", "unpitched", "pitch"), _MARK),
    **dict.fromkeys(("dot", "tie"), _SIGN),
}
Fields = dict[str, str]
"""What stands in a <note>, <backup> or <forward>, by the names of the elements: their text, or "" where they have none.

Further: "dot" is a dot for each, "tie" the types of all ties, "size" that of the <type>, and "measure" is
"yes" for a rest of a whole bar.
"""


class Measure(NamedTuple):
    """A bar of a part.

    Attributes:
        part: the number of the part's element (0 in a score told bar by bar), and the part's name there.
        number: as it stands in the file.
        before: how many bars went before in a score told bar by bar; else -1.
        items: (tag, what stands there), in order: fields of what takes time, trees of all else.
    """

    part: tuple[int, str]
    number: str
    before: int
    items: list[tuple[str, Any]]


def stream(data: bytes, part_by_part: bool) -> Iterator[Measure | Element]:
    """The bars of a score, and before them <score-part>s and titles, as each of them ends.

    Raises MidiError, between them too, where the XML is broken, or has a bar that is too large.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    found = _Handlers(parser, part_by_part).found
    since = 0
    try:
        for start in range(0, len(data) + 1, _CHUNK):
            parser.Parse(data[start : start + _CHUNK], start + _CHUNK > len(data))
            since = 0 if found else since + data.count(b"<", start, start + _CHUNK)
            yield from found
            found.clear()
            if since > _MOST_TAGS:
                raise MidiError(f"has over {_MOST_TAGS:,} tags in a bar, or before the first; leave it out.")
    except expat.ExpatError as error:
        what, place = expat.ErrorString(error.code), f"line {error.lineno}, column {error.offset + 1}"
        raise MidiError(f"is broken XML, {what} ({place}); export it again.") from error
    except (ValueError, LookupError) as error:
        raise MidiError(UNKNOWN_ENCODING) from error


class _Handlers:
    """What expat calls: three pairs of handlers, for what is between, in a note, and in an element kept as a tree.

    Attributes:
        found: bars and heads that have ended.
    """

    def __init__(self, parser: expat.XMLParserType, part_by_part: bool) -> None:
        self.found: list[Measure | Element] = []
        self._parser = parser
        self._outer, self._inner = ("part", "measure") if part_by_part else ("measure", "part")
        self._outers = -1
        self._around: dict[str, str] = {}
        self._within: dict[str, str] = {}
        self._items: list[tuple[str, Any]] = []
        self._fields: Fields = {}
        self._field = ""
        self._trees: list[Element] = []
        self._text: list[str] = []
        self._between = self._start, self._end
        self._in_note = self._start_field, self._end_field
        self._in_tree = self._start_tree, self._end_tree
        parser.StartElementHandler, parser.EndElementHandler = self._between
        parser.CharacterDataHandler = self._text.append

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name in _TIMED:
            self._fields = {}
            self._text.clear()
            self._parser.StartElementHandler, self._parser.EndElementHandler = self._in_note
        elif name in _TREES:
            self._trees.append(Element(name, attributes))
            self._text.clear()
            self._parser.StartElementHandler, self._parser.EndElementHandler = self._in_tree
        elif name == self._inner:
            self._within, self._items = attributes, []
        elif name == self._outer:
            self._outers, self._around = self._outers + 1, attributes

    def _end(self, name: str) -> None:
        if name != self._inner:
            return
        if name == "measure":
            part, number, before = (self._outers, self._around.get("id", "")), self._within.get("number", ""), -1
        else:
            part, number, before = (0, self._within.get("id", "")), self._around.get("number", ""), self._outers
        self.found.append(Measure(part, number, before, self._items))

    def _start_field(self, name: str, attributes: dict[str, str]) -> None:
        kind = _FIELDS.get(name)
        if kind is None:
            return
        fields = self._fields
        if kind == _TEXT:
            self._field = name
            self._text.clear()
            if attributes and "size" in attributes:
                fields["size"] = attributes["size"]
        elif kind == _MARK:
            fields[name] = ""
            if attributes and "measure" in attributes:
                fields["measure"] = attributes["measure"]
        else:
            fields[name] = fields.get(name, "") + attributes.get("type", ".")

    def _end_field(self, name: str) -> None:
        if name == self._field:
            self._fields[name] = "".join(self._text).strip()
            self._field = ""
        elif name in _TIMED:
            self._items.append((name, self._fields))
            self._parser.StartElementHandler, self._parser.EndElementHandler = self._between

    def _start_tree(self, name: str, attributes: dict[str, str]) -> None:
        element = Element(name, attributes)
        self._trees[-1].append(element)
        self._trees.append(element)
        self._text.clear()

    def _end_tree(self, name: str) -> None:
        element = self._trees.pop()
        if self._text:
            element.text = "".join(self._text)
            self._text.clear()
        if self._trees:
            return
        if name in _HEADS:
            self.found.append(element)
        else:
            self._items.append((name, element))
        self._parser.StartElementHandler, self._parser.EndElementHandler = self._between
