"""A staff of **kern while it is read -> a part: its name, its keys, and the notes of its top voice in each bar."""

from __future__ import annotations

from collections.abc import Iterator

from melodygru.formats.scores.kern import tokens
from melodygru.formats.scores.kern.spines import Time
from melodygru.formats.scores.written import WrittenNote, WrittenPart
from melodygru.music.theory import Key


class Part:
    """What holds in a staff now, and its bars so far.

    Attributes:
        name: how sure it is, the less the surer, and what it is; see `melodygru.formats.scores.kern.tokens.name`.
        beaten: something without a pitch was struck.
        for_drums: it had the clef of percussion.
    """

    def __init__(self, bars: int) -> None:
        """A staff that begins after so many bars."""
        self.name: tuple[int, str] = (9, "")
        self.beaten = self.for_drums = False
        self._notes: list[tuple[WrittenNote, ...]] = [()] * bars
        self._keys: list[Key | int | None] = [None] * bars
        self._key: Key | None = None
        self._signature: int | None = None
        self._key_is_new = False  # no note has come since: a signature that comes is that key's
        # Of this bar, each with the notes of its voices, 0 the uppermost, -1 the only one.
        self._stretches: list[dict[int, list[tuple[Time, tokens.Event]]]] = []
        self._split = False  # the last stretch has several voices

    def name_key(self, cell: str) -> None:
        """A key; or "*?:" or "*X:", where none is known or there is none: the signature is what is left."""
        found = tokens.key(cell)
        if found is not None or cell in ("*?:", "*X:"):
            self._key, self._key_is_new = found, found is not None

    def sign(self, cell: str) -> None:
        """A signature: another one ends a key, unless that was named beside it."""
        found = tokens.signature(cell)
        if not self._key_is_new and found != self._signature:
            self._key = None
        self._signature = found

    def begin_bar(self) -> None:
        """With its first note or rest."""
        self._key_is_new = False
        self._keys.append(self._signature if self._key is None else self._key)

    def add(self, voice: int, begin: Time, event: tokens.Event) -> None:
        """What sounds from a tick of the bar on; `voice`: its number from 0, the uppermost, or -1 for the only one."""
        split = voice >= 0
        if not self._stretches or self._split is not split:
            self._stretches.append({})
            self._split = split
        if event.notes:
            self._stretches[-1].setdefault(voice, []).append((begin, event))

    def close_bar(self) -> None:
        """Keep the notes of the uppermost voice that has any, of each stretch."""
        self._notes.append(tuple(self._of_top_voice()))
        self._stretches = []

    def _of_top_voice(self) -> Iterator[WrittenNote]:
        for voices in filter(None, self._stretches):
            for begin, event in voices[min(voices)]:
                offset, end = round(begin), round(begin + event.length)
                if end > offset:
                    for pitch, tied in sorted(event.notes):
                        yield WrittenNote(offset, end - offset, pitch, tied)

    def written(self) -> WrittenPart:
        """The part, when all its bars are closed."""
        percussion = self.for_drums or (self.beaten and not any(self._notes))
        return WrittenPart(self.name[1], tuple(self._notes), tuple(self._keys), percussion)
