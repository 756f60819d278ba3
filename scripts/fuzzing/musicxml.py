"""MusicXML, plain and zipped: small scores made anew, and changed by element, attribute, number and member."""

from __future__ import annotations

import zipfile
import zlib
from copy import deepcopy
from io import BytesIO
from random import Random
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, fromstring, tostring

from fuzzing.mutation import ODD_WORDS, change_bytes, few, odd_number

_CONTAINER = (
    '<container><rootfiles><rootfile full-path="score.xml" media-type="application/vnd.recordare.musicxml+xml"/>'
    "</rootfiles></container>"
)
_LARGEST = 1 << 16
_NOTE = "<note><pitch><step>C</step><octave>5</octave></pitch><duration>1</duration></note>"
_SNIPPETS = (
    _NOTE,
    "<note><chord/><pitch><step>G</step><alter>1</alter><octave>4</octave></pitch><duration>2</duration></note>",
    "<note><rest/><duration>3</duration><voice>2</voice></note>",
    '<note><rest measure="yes"/><duration>4</duration></note>',
    "<note><grace/><pitch><step>D</step><octave>5</octave></pitch></note>",
    "<note><cue/><pitch><step>D</step><octave>5</octave></pitch><duration>1</duration></note>",
    "<note><unpitched/><duration>1</duration></note>",
    "<backup><duration>2</duration></backup>",
    "<backup><duration>9999</duration></backup>",
    "<forward><duration>2</duration></forward>",
    "<forward><duration>40000</duration></forward>",
    '<barline location="left"><repeat direction="forward"/></barline>',
    '<barline location="right"><repeat direction="backward"/></barline>',
    '<barline location="right"><repeat direction="backward" times="16"/></barline>',
    '<barline location="left"><ending number="1" type="start"/></barline>',
    '<barline location="right"><ending number="1,2" type="stop"/><repeat direction="backward"/></barline>',
    '<barline location="left"><ending number="2" type="start"/></barline>',
    "<attributes><divisions>3</divisions></attributes>",
    "<attributes><key><fifths>-3</fifths><mode>dorian</mode></key></attributes>",
    "<attributes><key><key-step>F</key-step><key-alter>1</key-alter></key></attributes>",
    "<attributes><time><beats>3+2</beats><beat-type>8</beat-type></time></attributes>",
    "<attributes><time><senza-misura/></time></attributes>",
    "<attributes><transpose><diatonic>-1</diatonic><chromatic>-2</chromatic></transpose></attributes>",
    '<attributes><measure-style><measure-repeat type="start">1</measure-repeat></measure-style></attributes>',
    "<attributes><measure-style><multiple-rest>8</multiple-rest></measure-style></attributes>",
    "<attributes><staves>2</staves></attributes>",
    "<time-modification><actual-notes>3</actual-notes><normal-notes>2</normal-notes></time-modification>",
    "<time-modification><actual-notes>0</actual-notes><normal-notes>2</normal-notes></time-modification>",
    '<tie type="start"/>',
    '<tie type="stop"/>',
    "<type>eighth</type>",
    "<dot/>",
    "<chord/>",
    "<staff>2</staff>",
    "<voice>1</voice>",
    '<sound tempo="96"/>',
    '<sound dacapo="yes"/>',
    '<sound segno="s"/>',
    '<sound dalsegno="s"/>',
    '<sound coda="c"/>',
    '<sound tocoda="c"/>',
    '<sound fine="yes"/>',
    '<direction><direction-type><words>D.C. al Fine</words></direction-type><sound dacapo="yes"/></direction>',
    "<direction><direction-type><metronome><beat-unit>quarter</beat-unit><per-minute>ca. 90</per-minute></metronome>"
    "</direction-type></direction>",
    "<harmony><root><root-step>C</root-step></root><kind>major</kind></harmony>",
)


def seed(random: Random) -> bytes:
    """A small score: one or two parts of a few measures."""
    parts = [f"P{number}" for number in range(random.choice((1, 1, 2)))]
    divisions, beats = random.choice((1, 2, 4, 6, 24, 256, 10080)), random.choice((2, 3, 4, 6))
    listed = "".join(f'<score-part id="{part}"><part-name>Part {part}</part-name></score-part>' for part in parts)
    bars = random.randrange(1, 6)
    music = "".join(f'<part id="{part}">{_measures(random, bars, divisions, beats)}</part>' for part in parts)
    title = "<work><work-title>Air</work-title></work>" if random.random() < 0.4 else ""
    text = f'<score-partwise version="4.0">{title}<part-list>{listed}</part-list>{music}</score-partwise>'
    return b'<?xml version="1.0" encoding="UTF-8"?>' + text.encode()


def _measures(random: Random, bars: int, divisions: int, beats: int) -> str:
    unit = random.choice((4, 4, 8))
    time = f"<time><beats>{beats}</beats><beat-type>{unit}</beat-type></time>"
    head = f"<attributes><divisions>{divisions}</divisions><key><fifths>{random.randrange(-4, 5)}</fifths></key>{time}"
    made = []
    for number in range(1, bars + 1):
        notes = head + "</attributes>" if number == 1 else ""
        left = beats * 4 * divisions // unit
        while left > 0:
            length = min(left, random.choice((divisions, divisions, 2 * divisions, max(1, divisions // 2))))
            step, octave = random.choice("CDEFGAB"), random.choice((4, 5, 5))
            what = (
                f"<pitch><step>{step}</step><octave>{octave}</octave></pitch>" if random.random() < 0.9 else "<rest/>"
            )
            notes += f"<note>{what}<duration>{length}</duration><voice>1</voice></note>"
            left -= length
        if random.random() < 0.2:
            notes += random.choice(_SNIPPETS)
        made.append(f'<measure number="{number}">{notes}</measure>')
    return "".join(made)


def mutate(data: bytes, random: Random, other: bytes) -> bytes:
    """The score with a few elements, attributes or numbers changed, some of them taken from another."""
    if random.random() < 0.06:
        return change_bytes(data, random, other)
    try:
        root = fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError):
        return change_bytes(data, random, other)
    try:
        beside = fromstring(other)
    except (ElementTree.ParseError, ValueError, LookupError):
        beside = root
    for _ in range(few(random)):
        _change(root, beside, random)
    made = b'<?xml version="1.0" encoding="UTF-8"?>' + tostring(root)
    if random.random() < 0.02:
        return _with_declarations(made, random)
    return made if len(made) < _LARGEST else data


def _with_declarations(data: bytes, random: Random) -> bytes:
    """With a document type, entities or another encoding at its head."""
    heads = (
        b"<!DOCTYPE score-partwise PUBLIC '-//Recordare//DTD MusicXML 4.0 Partwise//EN' 'partwise.dtd'>",
        b"<!DOCTYPE a [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;'>]>",
        b"<?xml-stylesheet href='x'?>",
    )
    if random.random() < 0.3:
        name = random.choice((b"UTF-16", b"latin-1", b"utf-7", b"rot13", b"idna", b"", b"x" * 99))
        return data.replace(b"UTF-8", name, 1)
    return data.replace(b"?>", b"?>" + random.choice(heads), 1)


def _change(root: Element, other: Element, random: Random) -> None:
    """One change, in place. Measures and what is in them are what is mostly changed."""
    places = [element for element in root.iter() if len(element)] or [root]
    inner = [element for element in places if element.tag in ("measure", "note", "attributes", "barline", "part")]
    parent = random.choice(inner if inner and random.random() < 0.85 else places)
    at = random.randrange(len(parent)) if len(parent) else 0
    way = random.randrange(11)
    if way < 3:
        _change_words(root, random)
    elif way == 3 and len(parent):
        parent.remove(parent[at])
    elif way == 4 and len(parent):
        times = random.choice((1, 1, 1, 2, 5, 40, 300))
        parent[at:at] = [deepcopy(parent[at]) for _ in range(times)]
    elif way == 5 and len(parent) > 1:
        parent.insert(random.randrange(len(parent)), parent[at])
        del parent[at]
    elif way == 6:
        parent.insert(at, fromstring(random.choice(_SNIPPETS)))
    elif way == 7:
        donors = list(other.iter(parent[at].tag if len(parent) else "note"))
        parent.insert(at, deepcopy(random.choice(donors)) if donors else fromstring(_NOTE))
    elif way == 8:
        target = random.choice(places)
        if len(parent) and target is not parent[at] and parent[at] not in list(target.iter()):
            target.append(deepcopy(parent[at]))
    elif way == 9 and len(parent):
        parent[at].tag = random.choice(("note", "measure", "chord", "duration", "rest", "backup", "part", "x"))
    else:
        _change_attribute(random.choice(list(root.iter())), random)


def _change_words(root: Element, random: Random) -> None:
    said = [element for element in root.iter() if element.text and not len(element)]
    if said:
        element = random.choice(said)
        alike = [one.text for one in said if one.tag == element.tag]
        element.text = random.choice((odd_number(random), odd_number(random), random.choice(alike), _word(random)))


def _change_attribute(element: Element, random: Random) -> None:
    name = random.choice((*element.keys(), "number", "type", "times", "id", "tempo", "implicit", "print-object"))
    values = ("yes", "no", "start", "stop", "forward", "backward", "1", "2", "P0", odd_number(random), _word(random))
    element.set(name, random.choice(values))


def _word(random: Random) -> str:
    """A word that XML can hold."""
    return "".join(c for c in random.choice(ODD_WORDS) if c in "\n\t" or c >= " ")


def zipped_seed(random: Random) -> bytes:
    """A small score, zipped."""
    return _zipped({"META-INF/container.xml": _CONTAINER.encode(), "score.xml": seed(random)}, random)


def zipped_mutate(data: bytes, random: Random, other: bytes) -> bytes:
    """The score in it changed, its container, its members' names, or the bytes of the archive."""
    members, beside = _members(data), _members(other)
    if not members or random.random() < 0.15:
        return change_bytes(data, random, other)
    name = random.choice(sorted(members))
    if "score.xml" in members and random.random() < 0.7:
        members["score.xml"] = mutate(members["score.xml"], random, beside.get("score.xml", b""))
    elif random.random() < 0.3:
        odd = ("a.musicxml", "META-INF/a.xml", "../x.xml", "score.xml/", "\u202e.xml", "x" * 300 + ".xml", "")
        members[random.choice(odd)] = members.pop(name)
    elif random.random() < 0.3:
        members[name] = random.choice((b"", b"\0" * 50_000, members[name] * 3, data))
    else:
        members[name] = change_bytes(members[name], random, other)
    return _zipped(members, random)


def _members(data: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            for entry in archive.infolist()[:8]:
                with archive.open(entry) as file:
                    found[entry.filename] = file.read(_LARGEST)
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError, EOFError, zlib.error):
        pass
    return found


def _zipped(members: dict[str, bytes], random: Random) -> bytes:
    buffer, odd = BytesIO(), (zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    packing = random.choice(odd) if random.random() < 0.05 else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(buffer, "w", packing) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0)), data, packing)
    return buffer.getvalue()
