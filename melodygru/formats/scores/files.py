"""The files that scores come in -> what can be read without harm: an XML tree, or text.

MusicXML (.musicxml, .xml, zipped .mxl), ABC (.abc) and Humdrum **kern (.krn). Files come from strangers: what unpacks
to more than it is, entities that multiply, and numbers that no score has (music21 would count up to them) are refused
here, before anything reads them. What the notes mean is `melodygru.formats.scores.parts`' and
`melodygru.formats.scores.abc_melodies`' affair.

The formats: MusicXML 4.0, https://www.w3.org/2021/06/musicxml40/; the ABC standard 2.1,
https://abcnotation.com/wiki/abc:standard:v2.1; the Humdrum user's guide, https://www.humdrum.org/guide/.
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

READERS = {
    ".musicxml": ("melodygru.formats.scores.melodies", "musicxml_melodies"),
    ".xml": ("melodygru.formats.scores.melodies", "musicxml_melodies"),
    ".mxl": ("melodygru.formats.scores.melodies", "mxl_melodies"),
    ".abc": ("melodygru.formats.scores.abc_melodies", "abc_melodies"),
    ".krn": ("melodygru.formats.scores.melodies", "kern_melodies"),
}
"""By the endings of scores: the module, imported when such a file is read, and its function, which makes a `Reading` of
a score's bytes, a name for melodies that have no title, and an `ExtractionConfig`. It raises MidiError, saying why
there are no melodies; the message lacks the file's name ("has no notes; ...").
"""
SCORE_SUFFIXES = tuple(READERS)
"""Endings of scores, in any case."""

_LONGEST = max(map(len, SCORE_SUFFIXES))
_CONTAINER = "META-INF/container.xml"
# The largest magnitude of what these elements say.
_LIMITS = {
    "alter": 4,
    "actual-notes": 1000,
    "beat-repeat": 1000,
    "beat-type": 128,
    "chromatic": 48,
    "diatonic": 48,
    "divisions": 10_000_000,
    "dot": 8,
    "fifths": 14,
    "key-octave": 12,
    "measure-repeat": 1000,
    "multiple-rest": 10_000,
    "normal-notes": 1000,
    "octave": 12,
    "octave-change": 6,
    "staff": 64,
    "staff-lines": 64,
    "staves": 64,
    "tremolo": 16,
}
# What says how these elements look or are sung, not what sounds: it takes music21 a third of its time.
_LOOKS = {
    "score-partwise": {"defaults", "credit"},
    "measure": {"print", "figured-bass", "harmony", "grouping", "link", "bookmark"},
    "note": {"accidental", "beam", "lyric", "notations", "stem", "notehead", "play"},
}
_LONGEST_NOTE = 512
"""Quarters; a maxima, the longest note there is, has 32."""
_LARGEST_CHORD = 100
"""Notes; music21 takes a minute for one that has twenty thousand."""
_TOO_MANY = "has a chord of more notes than any score has; correct or leave it out."
_MOST_TIMES = 16
"""How often something is repeated at most."""


def is_score(name: str) -> bool:
    """Whether a file's name ends like a score's."""
    # Most names, of which there may be a million, end in ".mid".
    return name[-4:] != ".mid" and name[-_LONGEST:].lower().endswith(SCORE_SUFFIXES)


def decoded(data: bytes) -> str:
    """Text in UTF-8 or UTF-16 with a mark at its head, else UTF-8, else Latin-1, with lines that end as Unix has them.

    Raises MidiError for an empty file or one that is too large.
    """
    _check_size(data)
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _check_size(data: bytes) -> None:
    if len(data) > MAX_FILE_BYTES:
        raise MidiError(f"is over {MAX_FILE_BYTES >> 20} MiB, too large for a score; leave it out.")
    if not data.strip():
        raise MidiError("is empty; export it again.")


def kern_text(data: bytes) -> str:
    """The text of a Humdrum file with a **kern spine. Raises MidiError for any other."""
    text = decoded(data)
    if "**kern" not in text:
        raise MidiError("is not Humdrum **kern: it has no **kern spine.")
    if re.search(r"\*M\d{3}|\*M\d+/\d{4}|\d{4}%|%\d{4}", text):
        raise MidiError("names a metre or a length that no score has; export it again.")
    music = (line for line in text.split("\n") if not line.startswith("!"))
    if any(cell.count(" ") >= _LARGEST_CHORD for line in music for cell in line.split("\t")):
        raise MidiError(_TOO_MANY)
    # music21 takes the "=:" of an unnumbered bar line for the sign that begins a repeat.
    return re.sub(r"(?m)(?:^|(?<=\t))=:(?=[|!])", "=0:", text)


def xml_root(data: bytes, zipped: bool) -> ElementTree.Element:
    """The root of a MusicXML file, `zipped` as .mxl or not. Raises MidiError for what is none, or is harmful."""
    _check_size(data)
    data = _unzipped(data) if zipped else data
    root_name = _root_name(data)
    if root_name == "score-timewise":
        raise MidiError("is MusicXML measure by measure (score-timewise); export it part by part (score-partwise).")
    if root_name != "score-partwise":
        raise MidiError("is not MusicXML: its first element is not <score-partwise>.")
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise MidiError(f"is broken XML; export it again ({error}).") from error
    _check_numbers(root)
    for place in root.iter():
        if place.tag in _LOOKS:
            looks = _LOOKS[place.tag]
            place[:] = [element for element in place if element.tag not in looks]
    return root


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
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise MidiError(f"is not MusicXML: it is no XML; export it again ({error}).") from error
    return ""


def _unzipped(data: bytes) -> bytes:
    """The score in an .mxl file: the one its container names, else the first that looks like one."""
    try:
        with ZipFile(BytesIO(data)) as archive:
            names = archive.namelist()
            scores = [name for name in names if name.lower().endswith((".musicxml", ".xml")) and "META-INF" not in name]
            if _CONTAINER in names:
                named = _root_files(_member(archive, _CONTAINER))
                scores = [name for name in named if name in names] + scores
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
        elements = ElementTree.fromstring(container).iter()
    except ElementTree.ParseError:
        return []
    return [element.get("full-path", "") for element in elements if element.tag.endswith("rootfile")]


def _check_numbers(root: ElementTree.Element) -> None:
    divisions, chord = 1.0, 0
    for element in root.iter():
        tag, text = element.tag, element.text or ""
        if tag == "duration":
            if _number(tag, text) > _LONGEST_NOTE * divisions:
                raise MidiError("has a note longer than any score has; export it again.")
        elif tag == "note":
            chord = 0 if element.find("chord") is None else chord + 1
            if chord >= _LARGEST_CHORD:
                raise MidiError(_TOO_MANY)
        elif tag in _LIMITS:
            value = _number(tag, text)
            if abs(value) > _LIMITS[tag]:
                raise MidiError(f"has a <{tag}> larger than any score has; export it again.")
            if tag == "divisions":
                divisions = max(value, 1.0)
        elif tag == "beats":
            if not re.fullmatch(r"\s*\d{1,2}(\s*\+\s*\d{1,2}){0,7}\s*", text):
                raise MidiError("has a metre that cannot be read; export it again.")
        elif tag in ("repeat", "ending"):
            said = element.get("times" if tag == "repeat" else "number") or ""
            if any(len(number) > 2 or int(number) > _MOST_TIMES for number in re.findall(r"\d+", said)):
                raise MidiError("repeats something more often than any score does; export it again.")


def _number(tag: str, text: str) -> float:
    try:
        value = float(text or 0)
    except ValueError as error:
        raise MidiError(f"has a <{tag}> that is no number; export it again.") from error
    return value if value == value else float("inf")
