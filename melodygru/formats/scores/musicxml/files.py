"""The files that MusicXML comes in -> XML that can be parsed without harm.

Files come from strangers: what unpacks to more than it is, and entities that multiply, are refused here.
`melodygru.formats.scores.musicxml.stream` parses it.
"""

from __future__ import annotations

import re
import zlib
from io import BytesIO
from xml.etree import ElementTree
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

from melodygru.errors import MidiError
from melodygru.formats.midi.parser import MAX_FILE_BYTES
from melodygru.formats.scores.files import check_size

UNKNOWN_ENCODING = "is in an encoding that cannot be read; export it again, in UTF-8."
_CONTAINER = "META-INF/container.xml"
_ROOTS = ("score-partwise", "score-timewise")
_DECLARATION = re.compile(r"<\?xml[^>]{0,200}\?>")


def score_file(data: bytes, zipped: bool) -> tuple[bytes, bool]:
    """The score's own XML in a file, `zipped` as .mxl or not; and whether it goes part by part, not bar by bar.

    Raises MidiError where there is none.
    """
    check_size(data)
    # Some programs give zipped scores the name of the others.
    data = _in_utf8(_unzipped(data) if zipped or data[:4] == b"PK\3\4" else data)
    prefix, _, root = _root_name(data).rpartition(":")
    if root not in _ROOTS:
        raise MidiError("is not MusicXML: its first element is neither <score-partwise> nor <score-timewise>.")
    if prefix:
        data = re.sub(rb"(</?)[\w.-]{1,100}:", rb"\1", data)
    return data, root == _ROOTS[0]


def _in_utf8(data: bytes) -> bytes:
    """XML as expat takes it: nothing before its head, and in the encoding that it says it has.

    Programs declare UTF-16 when they write UTF-8, and write Latin-1 without declaring it.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<"):
        encoding = {b"<": "utf-16-le", b"\0": "utf-16-be"}.get(data[:1], "utf-16")
        text = data.decode(encoding, errors="replace")
    else:
        data = data.removeprefix(b"\xef\xbb\xbf").lstrip()
        declared = re.match(rb"<\?xml[^>]{0,100}encoding\s*=\s*[\"']([\w.-]+)", data)
        name = declared[1].lower() if declared else b"utf-8"
        if (data.isascii() and not name.startswith(b"utf-16")) or not name.startswith(b"utf"):
            return data
        try:
            text = data.decode()
        except UnicodeDecodeError:
            text = data.decode("latin-1")
        else:
            if name == b"utf-8":
                return data
    return _DECLARATION.sub("", text.lstrip(), count=1).lstrip().encode()


class _Found(Exception):
    """Ends the parsing at the first element, whose name it carries."""


def _root_name(data: bytes) -> str:
    """The name of the first element, before which a document would declare its entities."""

    def start(name: str, attributes: dict[str, str]) -> None:
        raise _Found(name)

    def refuse(*declaration: object) -> None:
        raise MidiError("declares entities, which MusicXML does not need and which can do harm; export it again.")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except _Found as found:
        return str(found)
    except expat.ExpatError as error:
        raise MidiError(f"is not MusicXML: it is no XML; export it again ({error}).") from error
    except (ValueError, LookupError) as error:
        raise MidiError(UNKNOWN_ENCODING) from error
    return ""


def _unzipped(data: bytes) -> bytes:
    """The score in an .mxl file: the one its container names, else the first that looks like one."""
    try:
        with ZipFile(BytesIO(data)) as archive:
            names = archive.namelist()
            scores = [name for name in names if name.lower().endswith((".musicxml", ".xml")) and "META-INF" not in name]
            if _CONTAINER in names:
                named, members = _root_files(_member(archive, _CONTAINER)), set(names)
                scores = [name for name in named if name in members] + scores
            if not scores:
                raise MidiError("is a zip file without a score; export it again.")
            return _member(archive, scores[0])
    except (BadZipFile, EOFError, OSError, RuntimeError, NotImplementedError, ValueError, zlib.error) as error:
        # RuntimeError: it wants a password.
        raise MidiError(f"is not a zip file that can be read, as .mxl files are; export it again ({error}).") from error


def _member(archive: ZipFile, name: str) -> bytes:
    """A member's bytes. What the archive says of its size may be false: no more than the limit is ever unpacked."""
    if archive.getinfo(name).compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        # The others, which .mxl files never are, Python unpacks at one go, however much that is.
        raise MidiError("is a zip file packed in another way than .mxl files are; export it again.")
    with archive.open(name) as file:
        data = file.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise MidiError(f"unpacks to over {MAX_FILE_BYTES >> 20} MiB, too large for a score; leave it out.")
    return data


def _root_files(container: bytes) -> list[str]:
    _root_name(container)
    try:
        found = ElementTree.fromstring(container).iter()
    except ElementTree.ParseError:
        return []
    return [element.get("full-path", "") for element in found if element.tag.endswith("rootfile")]
