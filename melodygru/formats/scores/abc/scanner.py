"""The text of a tune in ABC notation -> its header and its voices, in one pass, in time linear in its length.

Fields, voices and bars are as they are written; of a bar with several voices (`&`) the first is taken, of a chord the
top note. Lines of music are read by `melodygru.formats.scores.abc.tokens`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from melodygru.formats.scores.abc.fields import (
    WHOLE,
    KeyField,
    LeftOut,
    default_unit,
    read_key,
    read_metre,
    read_order,
    read_tempo,
    read_unit,
    read_voice,
)
from melodygru.formats.scores.abc.macros import Macros
from melodygru.formats.scores.abc.tokens import read_music
from melodygru.formats.scores.abc.voices import Settings, Voice, scaled
from melodygru.formats.scores.abc.written import WrittenTune, WrittenVoice

MOST_CHARACTERS = 1 << 20
"""Of one tune, and of what its macros make of it; a symphony in ABC has a third of that."""
_MOST_VOICES = 200
"""Of a tune."""
_FIELD_LINE = re.compile(r"([A-Za-z+]):")
_NO_FIELD = re.compile(r"[A-Za-z]:[|:]")  # in the music: a note and a bar line
# What is left of tunes that came by mail: codes of blanks and equals signs, and lines cut at 76 characters or a few
# before. A tempo may be 20, and a line may end in an equals sign of its own.
_MAIL = re.compile(r"Q:[^\n\]]{0,40}?=20|=20|=3D|(?<=[^\n]{70}[^\n=])=\n")
_MAIL_CODES = {"=20": " ", "=3D": "=", "=\n": ""}
_COMMENT = re.compile(r"(?<!\\)%")


def scan(text: str) -> WrittenTune:
    """A tune from its `X:` line to the first empty line after its music has begun.

    Raises LeftOut, with the line, for what no tune has or what cannot be understood.
    """
    if len(text) > MOST_CHARACTERS:
        raise LeftOut(f"a text of over {MOST_CHARACTERS >> 20} MiB")
    scanner = _Scanner()
    if "=\n" in text or "=20\n" in text:
        text = _MAIL.sub(lambda code: _MAIL_CODES.get(code[0], code[0]), text)
    try:
        for line in _lines(text):
            if not line.strip() and scanner.sounded:
                break
            scanner.read(line)
        return scanner.finished()
    except LeftOut as error:
        raise LeftOut(error.reason, line=scanner.line) from None


def _lines(text: str) -> Iterator[str]:
    """Lines without comments; what is only a comment, or text between %%begin... and %%end..., becomes "%"."""
    between = False
    for line in text.split("\n"):
        if line.startswith("%%"):
            word = line[2:].lstrip()
            ends = word.startswith("end")
            between = word.startswith("begin") or (between and not ends)
            yield "%" if between or ends else line
        elif between or line.startswith("%"):
            yield "%"
        else:
            yield _COMMENT.split(line, maxsplit=1)[0] if "%" in line else line


class _Scanner:
    """What is known of a tune on the way through it."""

    def __init__(self) -> None:
        self.line = 0
        self.header: dict[str, str] = {}
        self.in_body = False
        self.voices: dict[str, Voice] = {}
        self.voice = Voice("", Settings())
        self.common = Settings()
        self.told_voices: list[str] = []
        self.named = False  # a voice was named in the body
        self.unit_named = False
        self.macros = Macros(MOST_CHARACTERS)
        self.propagation = "pitch"
        self.breaks_at_marks = False  # "!" breaks lines, as in old files
        self.latest_field = ""
        self.qpm: float | None = None

    @property
    def sounded(self) -> bool:
        """Whether anything has sounded yet."""
        return any(voice.bars for voice in self.voices.values())

    def read(self, line: str) -> None:
        """One more line of the tune."""
        self.line += 1
        field = None if self.in_body and _NO_FIELD.match(line) else _FIELD_LINE.match(line)
        if line.startswith("%%"):
            self._directive(line[2:])
        elif field is not None and field[1] == "+":
            if not self.in_body and self.latest_field in self.header:
                self.header[self.latest_field] += " " + line[2:].strip()
        elif field is not None:
            self.change(field[1], line[2:].strip(), alone=True)
        elif self.in_body and not line.isspace() and line not in ("", "%"):
            self.voice.line = self.line
            read_music(self.macros.expanded(line.replace("!", " ") if self.breaks_at_marks else line), self)

    def finished(self) -> WrittenTune:
        """The tune that was read."""
        voices = [
            WrittenVoice(v.name, bars, v.settings.percussion) for v in self.voices.values() if (bars := v.finished())
        ]
        return WrittenTune(self.header, voices, read_order(self.header.get("P", "")), self.qpm)

    # Fields

    def change(self, letter: str, text: str, alone: bool = False) -> None:
        """A field: `alone` on its line, or within the music."""
        if letter == "m":
            self.macros.add(text)
        elif letter == "I":
            self._directive(text)
        elif letter == "V":
            if self.in_body:
                self._choose(text)
            else:
                self.told_voices.append(text)
        elif self.in_body:
            if alone and letter in "TRN":  # the key was the file's, and the header goes on behind it
                self.header.setdefault(letter, text)
            self._tell_voices(letter, text, alone)
        else:
            if letter in "MLQ":
                self.header[letter] = text
            self.header.setdefault(letter, text)
            self.latest_field = letter
            if letter == "K":
                self._begin(text)

    def _begin(self, key: str) -> None:
        """The header is over: its fields hold for all voices."""
        self.in_body = True
        common, header = self.common, self.header
        common.metre = read_metre(header.get("M", ""))
        unit = read_unit(header.get("L", ""))
        self.unit_named = unit is not None
        common.unit = _steps(unit or default_unit(common.metre))
        if "Q" in header:
            common.qpm = self.qpm = read_tempo(header["Q"], Fraction(common.unit, WHOLE))
        common.take_in(read_key(key))
        for text in self.told_voices:
            self._voice(text)
        self.voice = next(iter(self.voices.values())) if self.voices else self._voice("")

    def _voice(self, text: str) -> Voice:
        """The voice that a `V:` field names, with what it says of it."""
        identity, name, told = read_voice(text)
        if identity not in self.voices:
            if len(self.voices) >= _MOST_VOICES:
                raise LeftOut("more voices than any tune has")
            self.voices[identity] = Voice(identity, self.common.copy())
            self.voices[identity].propagation = self.propagation
        voice = self.voices[identity]
        if name and name != identity:
            voice.name = f"{identity} {name}"
        voice.settings.take_in(told)
        voice.refresh()
        return voice

    def _choose(self, text: str) -> None:
        """From here on it is another voice's music."""
        if not self.named and "" in self.voices and not self.sounded:
            del self.voices[""]
        self.named = True
        self.voice = self._voice(text)
        self.voice.line = self.line

    def _tell_voices(self, letter: str, text: str, alone: bool) -> None:
        """A field in the music. Before any voice was named there, a line of its own holds for all of them."""
        for voice in list(self.voices.values()) if alone and not self.named else [self.voice]:
            settings = voice.settings
            if letter == "K":
                settings.take_in(read_key(text))
            elif letter == "M":
                settings.metre = read_metre(text)
                if not self.unit_named and not self.sounded:
                    settings.unit = _steps(default_unit(settings.metre))
            elif letter == "L":
                unit = read_unit(text)
                settings.unit = settings.unit if unit is None else _steps(unit)
                self.unit_named = True
            elif letter == "Q":
                settings.qpm = read_tempo(text, Fraction(settings.unit, WHOLE)) or settings.qpm
                self.qpm = self.qpm or settings.qpm
            elif letter == "P":
                voice.begin_part(text[:1])
            voice.refresh()

    def _directive(self, text: str) -> None:
        """What a `%%` line or an `I:` field says of how a tune sounds, which few do."""
        words = text.split()
        if words[:1] == ["propagate-accidentals"]:
            self.propagation = words[-1]
            for voice in self.voices.values():
                voice.propagation = words[-1]
        elif words[:1] == ["linebreak"]:
            self.breaks_at_marks = "!" in words
        elif words[:1] == ["MIDI"] and len(words) > 2:
            voices = [self.voice] if self.named else [*self.voices.values()]
            told = None
            if words[1] == "transpose" and re.fullmatch(r"[-+]?\d{1,2}", words[2]):
                told = KeyField(None, None, {"MIDI": int(words[2])}, None)
            elif words[1:3] == ["channel", "10"]:
                told = KeyField(None, None, {}, True)
            if told is not None:
                for settings in [voice.settings for voice in voices] if self.in_body else [self.common]:
                    settings.take_in(told)
                for voice in voices:
                    voice.refresh()


def _steps(unit: Fraction) -> int | Fraction:
    return scaled(WHOLE, unit.numerator, unit.denominator)
