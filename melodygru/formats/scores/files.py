"""The files that scores come in: by their endings who reads them, and the text of those that are text.

MusicXML (.musicxml, .xml, zipped .mxl), read by `melodygru.formats.scores.musicxml`; Humdrum **kern (.krn), by
`melodygru.formats.scores.kern`; ABC (.abc), by `melodygru.formats.scores.abc`.
"""

from __future__ import annotations

from melodygru.errors import MidiError
from melodygru.formats.midi.parser import MAX_FILE_BYTES

READERS = {
    ".musicxml": ("melodygru.formats.scores.melodies", "musicxml_melodies"),
    ".xml": ("melodygru.formats.scores.melodies", "musicxml_melodies"),
    ".mxl": ("melodygru.formats.scores.melodies", "mxl_melodies"),
    ".abc": ("melodygru.formats.scores.abc.melodies", "abc_melodies"),
    ".krn": ("melodygru.formats.scores.melodies", "kern_melodies"),
}
"""By the endings of scores: the module, imported when such a file is read, and its function, which makes a `Reading` of
a score's bytes, a name for melodies that have no title, and an `ExtractionConfig`. It raises MidiError, saying why
there are no melodies; the message lacks the file's name ("has no notes; ...").
"""
SCORE_SUFFIXES = tuple(READERS)
"""Endings of scores, in any case."""

_LONGEST = max(map(len, SCORE_SUFFIXES))


def is_score(name: str) -> bool:
    """Whether a file's name ends like a score's."""
    # Most names, of which there may be a million, end in ".mid".
    return name[-4:] != ".mid" and name[-_LONGEST:].lower().endswith(SCORE_SUFFIXES)


def decoded(data: bytes) -> str:
    """Text in UTF-8 or UTF-16 with a mark at its head, else UTF-8, else Latin-1, with lines that end as Unix has them.

    Raises MidiError for an empty file or one that is too large.
    """
    check_size(data)
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def check_size(data: bytes) -> None:
    """Raises MidiError for an empty file or one that is too large."""
    if len(data) > MAX_FILE_BYTES:
        raise MidiError(f"is over {MAX_FILE_BYTES >> 20} MiB, too large for a score; leave it out.")
    if not data.strip():
        raise MidiError("is empty; export it again.")
