"""The files that scores come in: by their endings who reads them, and the text of those that are text.

MusicXML (.musicxml, .xml, zipped .mxl), whose files `melodygru.formats.scores.xml_files` opens; Humdrum **kern (.krn),
read by `melodygru.formats.scores.kern`; ABC (.abc), whose tunes are told apart here, and read by
`melodygru.formats.scores.abc_tunes`.

The ABC standard 2.1: https://abcnotation.com/wiki/abc:standard:v2.1.
"""

from __future__ import annotations

import re

from melodygru.errors import MidiError
from melodygru.formats.midi.parser import MAX_FILE_BYTES

READERS = {
    ".musicxml": ("melodygru.formats.scores.melodies", "musicxml_melodies"),
    ".xml": ("melodygru.formats.scores.melodies", "musicxml_melodies"),
    ".mxl": ("melodygru.formats.scores.melodies", "mxl_melodies"),
    ".abc": ("melodygru.formats.scores.melodies", "abc_melodies"),
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


def abc_tunes(data: bytes) -> list[str]:
    """The text of every tune in an ABC file, from its `X:` line to the empty line after it.

    Fields before the first tune hold for all that do not say otherwise. Text without any `X:` is one tune.
    Raises MidiError where there is no tune.
    """
    text = decoded(data)
    head, *tunes = re.split(r"(?m)^(?=X:)", text)
    if not tunes:
        head, tunes = "", [text]
    common = re.findall(r"(?m)^[LMQRNKm]:.*$", head)
    found = [_with_fields(_until_empty_line(tune), common) for tune in tunes]
    found = [tune for tune in found if re.search(r"(?m)^K:", tune)]
    if not found:
        raise MidiError("is not ABC notation: it has no tune with a key (K:).")
    return found


def _until_empty_line(tune: str) -> str:
    """A tune ends at the first empty line after its music has begun; what follows is prose."""
    key = re.search(r"(?m)^K:.*\n\s*", tune)
    end = None if key is None else re.compile(r"\n[ \t]*\n").search(tune, key.end())
    return tune if end is None else tune[: end.start()] + "\n"


def _with_fields(tune: str, common: list[str]) -> str:
    own = set(re.findall(r"(?m)^([A-Za-z]):", tune))
    first, _, rest = tune.partition("\n")
    return "\n".join([first, *(field for field in common if field[0] not in own), rest])


_VOICE_LINE = re.compile(r"^(?:V:[ \t]*|\[V:[ \t]*)([^\s\]]+)([^\]\n]*)\]?", re.MULTILINE)


def abc_voices(tune: str) -> dict[str, str]:
    """The voices of a tune by name, each a tune of its own; the tune itself, without a name, where it has but one."""
    names: dict[str, str] = {}
    for identity, rest in _VOICE_LINE.findall(tune):
        named = re.search(r'(?:name|nm)\s*=\s*"([^"]*)"', rest)
        names[identity] = named[1] if named else names.get(identity) or identity
    if len(names) < 2:
        return {"": tune}
    lines: dict[str, list[str]] = {identity: [] for identity in names}
    current, in_body = next(iter(names)), False
    for line in tune.split("\n"):
        voice = _VOICE_LINE.match(line)
        if voice is not None:
            current = voice[1]
            rest = line[voice.end() :] if line.startswith("[") else ""
            if in_body and rest.strip():
                lines[current].append(rest)
        elif in_body and not re.match(r"[A-JN-Z]:(?!\|)", line):
            lines[current].append(line)
        else:
            for others in lines.values():
                others.append(line)
        in_body = in_body or line.startswith("K:")
    return {f"{identity} {name}" if name != identity else identity: "\n".join(lines[identity])
            for identity, name in names.items()}  # fmt: skip
