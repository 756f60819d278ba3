"""A voice of an ABC tune, told token by token -> its bars as they are written: what sounds, bar lines, endings.

Here are the rules of pitch and length: signatures, accidentals and ties, tuplets, dotted pairs, chords. What the tokens
look like is `melodygru.formats.scores.abc.tokens`' affair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from melodygru.formats.midi.parser import LONGEST_NOTE
from melodygru.formats.scores.abc.fields import LETTERS, WHOLE, KeyField, LeftOut
from melodygru.formats.scores.abc.written import Sound, Steps, WrittenBar
from melodygru.music.chords import chord_or_none
from melodygru.music.theory import STEPS_PER_QUARTER, Key, TimeSignature
from melodygru.records import dataclass

MOST_BARS = 20_000
"""Of a voice, as it is written and as it is played: no tune comes near, and a few signs could ask for millions."""
_MOST_SOUNDS = 100_000
"""Of a voice as it is written; the longest symphonies have a fifth of that in one."""
MOST_TIMES = 16
"""How often something is played at most."""
_MOST_DIGITS = 4
"""Of a length."""
_TUPLET_TIMES = {2: 3, 3: 2, 4: 3, 6: 2, 8: 3}
_MIDDLE_C = 60


class Member(NamedTuple):
    """A note of a chord as it is written; see `Voice.note`."""

    accidental: str
    letter: str
    octaves: str
    length: tuple[int, int]
    tied: bool


@dataclass
class Settings:
    """What fields say of a voice's music from here on.

    Attributes:
        metre, key, qpm: as in `WrittenBar`; the key as it is written.
        unit: steps of a note without a number.
        signature: by letter, semitones that its notes are raised.
        shifts: by how many semitones the music sounds higher than written, by what says so.
        percussion: it is the drums'.
    """

    metre: TimeSignature | None = None
    unit: Steps = WHOLE // 8
    key: Key | None = None
    signature: dict[str, int] = field(default_factory=dict)
    shifts: dict[str, int] = field(default_factory=dict)
    percussion: bool = False
    qpm: float | None = None

    def take_in(self, told: KeyField) -> None:
        """What a `K:` or `V:` field says."""
        if told.signature is not None:
            self.signature, self.key = dict(told.signature), told.key
        self.shifts |= told.shifts
        if told.percussion is not None:
            self.percussion = told.percussion

    def copy(self) -> Settings:
        """The same, to be changed by itself."""
        return Settings(
            self.metre, self.unit, self.key, dict(self.signature), dict(self.shifts), self.percussion, self.qpm
        )


NO_CHORD = ("N.C.", "N.C", "NC")
"""Symbols that say that no chord sounds."""
Place = tuple[str, int]
"""A letter in capitals, and the octave above middle C's."""


class Voice:
    """A voice while it is read.

    Attributes:
        name: as it is shown; empty for the only one.
        settings: what holds now; `refresh` follows when they change.
        bars: as written; the last one is not over yet.
        propagation: how far accidentals reach in their bar: to all octaves ("pitch"), "octave", or "not".
        line: of the tune, from 1, that is being read.
        muted: "bar" or "bracket" while another voice of the same bar is passed by, up to the end of which.
    """

    def __init__(self, name: str, settings: Settings) -> None:
        self.name, self.settings = name, settings
        self.bars: list[WrittenBar] = []
        self.propagation = "pitch"
        self.line = 1
        self.muted = ""
        self._sounds = 0
        self._in_bracket = False
        self._after_bar = False
        self._peg: Sound | None = None  # the bar's last invisible rest that has no number
        self._colon = False  # one that stands apart from its bar line
        self._part = ""
        self._shift = 0
        self._last: Sound | None = None
        self._altered: dict[object, int] = {}  # by letter or place, up to the bar line
        self._latest: dict[Place, int] = {}  # the last sound's notes, as they are altered
        self._held: dict[Place, int] = {}  # those of them that are tied: their accidentals go along over the bar line
        self._broken: tuple[int, int] | None = None
        self._tuplet = (1, 1, 0)
        self._symbol = ""
        self.refresh()

    def refresh(self) -> None:
        """The settings have changed: the bar that has not sounded yet takes them over."""
        told = self.settings
        self._shift = sum(told.shifts.values())
        if self.bars and not self.bars[-1].sounds:
            self.bars[-1].metre, self.bars[-1].key, self.bars[-1].qpm = told.metre, self._key(), told.qpm

    def _key(self) -> Key | None:
        key = self.settings.key
        return None if key is None else key.transpose(self._shift)

    def begin_part(self, name: str) -> None:
        """The next bar, or this one if nothing has sounded in it, begins a part."""
        if self.bars and not self.bars[-1].sounds:
            self.bars[-1].part = name
        else:
            self._part = name

    # What sounds

    def note(self, accidental: str, letter: str, octaves: str, length: tuple[int, int]) -> None:
        """A note as it is written; `length` is its numerator and denominator, in units."""
        held, self._held, self._latest = self._held, {}, {}
        self._sound(self._pitch(accidental, letter, octaves, held), scaled(self.settings.unit, *length))

    def chord(self, members: Sequence[Member], length: tuple[int, int]) -> None:
        """Notes at once; they are as long as the first of them."""
        held, self._held, self._latest = self._held, {}, {}
        pitches = [self._pitch(one.accidental, one.letter, one.octaves, held) for one in members]
        top = max(range(len(pitches)), key=pitches.__getitem__)
        self._sound(pitches[top], scaled(scaled(self.settings.unit, *members[0].length), *length))
        if members[top].tied:
            self.tie()

    def rest(self, length: tuple[int, int], bare: bool = False) -> None:
        """A rest; `length` as in `note`. `bare`: invisible and without a number, see `bar_line`."""
        self._held, self._latest = {}, {}
        self._sound(None, scaled(self.settings.unit, *length))
        if bare:
            self._peg = self._last

    def silent_bars(self, count: int) -> None:
        """Rests of whole bars. Raises LeftOut for more than any tune has."""
        if len(self.bars) + count > MOST_BARS:
            raise LeftOut("more bars than any tune has")
        metre = self.settings.metre
        bar = WHOLE if metre is None else metre.bar_steps
        begun = self.bars[-1].length if self.bars else 0
        self._held, self._latest = {}, {}
        for number in range(count):
            if number:
                self._begin_bar()
                begun = 0
            if begun < bar:  # in a bar that has begun, the rest of it
                self._sound(None, bar - begun)

    def tie(self) -> None:
        """The last note goes on in the next."""
        if self._last is not None and self._latest:
            self._last.tied = True
            self._held = self._latest

    def symbol(self, text: str) -> None:
        """What stands between quotes: a chord symbol, which belongs to the next sound, or words."""
        if text in NO_CHORD or chord_or_none(text) is not None:
            self._symbol = text

    def broken(self, signs: str) -> None:
        """ "A>B", "A<<B": the sounds before and after it take from one another."""
        part = 2 ** min(len(signs), 3)
        long, short = (2 * part - 1, part), (1, part)
        first, self._broken = (long, short) if signs[0] == ">" else (short, long)
        if self._last is not None:
            self._last.steps = scaled(self._last.steps, *first)

    def tuplet(self, notes: int, times: int | None, sounds: int | None) -> None:
        """The next `sounds` sounds, `notes` of them in the time of `times`. By default as many as they are."""
        metre = self.settings.metre
        if not notes or (times is not None and not times):
            return
        usual = _TUPLET_TIMES.get(notes, 3 if metre is not None and metre.is_compound else 2)
        self._tuplet = (times or usual, notes, notes if sounds is None else sounds)

    def _pitch(self, accidental: str, letter: str, octaves: str, held: dict[Place, int]) -> int:
        capital = letter.upper()
        octave = octaves.count("'") - octaves.count(",") + (letter != capital)
        place = (capital, octave)
        key: object = capital if self.propagation == "pitch" else place
        if accidental:
            alter = alteration(accidental)
            if self.propagation != "not":
                self._altered[key] = alter
        elif place in held:
            alter = held[place]
        else:
            alter = self._altered.get(key, self.settings.signature.get(capital, 0))
        self._latest[place] = alter
        pitch = _MIDDLE_C + LETTERS[capital] + 12 * octave + alter + self._shift
        if not 0 <= pitch < 128:
            raise LeftOut("a pitch that MIDI does not know")
        return pitch

    def _sound(self, pitch: int | None, steps: Steps) -> None:
        times, notes, left = self._tuplet
        if left:
            steps = scaled(steps, times, notes)
            self._tuplet = (times, notes, left - 1)
        if self._broken is not None:
            steps = scaled(steps, *self._broken)
            self._broken = None
        if not self.bars:
            self._begin_bar()
        self._sounds += 1
        if self._sounds > _MOST_SOUNDS:
            raise LeftOut("more notes than any tune has")
        if steps > LONGEST_NOTE * STEPS_PER_QUARTER:
            raise LeftOut("a note longer than any tune has")
        self._after_bar = self._colon = False
        self._last = Sound(pitch, steps, symbol=self._symbol)
        self._symbol = ""
        self.bars[-1].sounds.append(self._last)

    # Where bars begin and end

    def bar_line(self, closes: int, opens: int, double: bool) -> None:
        """A bar line: "::|" closes two times, "|::" opens two times; `double` for any that ends a section."""
        if self.muted == "bracket":
            return
        self.muted = ""
        self._altered.clear()
        closes += self._colon
        self._colon = False
        if max(closes, opens) >= MOST_TIMES:
            raise LeftOut("more repeats than any tune has")
        if self._peg is not None:
            # "x": something to hang a sign on, in a bar that is full without it.
            bar, metre = self.bars[-1], self.bars[-1].metre
            if metre is not None and bar.length == metre.bar_steps + self._peg.steps:
                bar.sounds = [sound for sound in bar.sounds if sound is not self._peg]
            self._peg = None
        if not self.bars or self.bars[-1].sounds:
            self._begin_bar()
        bar = self.bars[-1]
        bar.opens = max(bar.opens, opens)
        if len(self.bars) > 1:
            before = self.bars[-2]
            before.closes = max(before.closes, closes)
            before.ends |= double or closes > 0 or opens > 0
        self._after_bar = True

    def colon(self) -> None:
        """A colon that stands apart from its bar line: ': |' and '| :'."""
        if self._after_bar:
            self.bar_line(0, 1, double=True)
        else:
            self._colon = True

    def ending(self, numbers: tuple[int, ...], anywhere: bool = True) -> None:
        """The times for which an ending begins here; a number that stands `anywhere` counts after a bar line alone."""
        if not anywhere and not self._after_bar:
            return
        if not self.bars or self.bars[-1].sounds:
            self._begin_bar()
        # Without a number it is the one that follows the last.
        last = next((max(bar.ending) for bar in reversed(self.bars[:-1]) if bar.ending), 0) if not numbers else 0
        self.bars[-1].ending = numbers or (last + 1,)
        self._after_bar = False

    def overlay(self, sign: str) -> None:
        """ "&": another voice of the same bar; "(&" and "&)" about several bars of it."""
        if sign == "(&":
            self._in_bracket = True
        elif sign == "&)":
            self._in_bracket, self.muted = False, ""
        else:
            self.muted = "bracket" if self._in_bracket else "bar"

    def _begin_bar(self) -> None:
        if len(self.bars) >= MOST_BARS:
            raise LeftOut("more bars than any tune has")
        told = self.settings
        self.bars.append(WrittenBar(self.line, told.metre, self._key(), told.qpm, part=self._part))
        self._part = ""

    def finished(self) -> list[WrittenBar]:
        """The bars, without an empty one at the end."""
        if self.bars and not self.bars[-1].sounds:
            self.bars.pop()
        return self.bars


@lru_cache(maxsize=1024)
def alteration(accidental: str) -> int:
    """Semitones that an accidental raises: "^" 1, "__" -2, "=" 0; microtones ("^3/2") to the nearest, halves down."""
    signs = accidental.rstrip("0123456789/")
    number = accidental[len(signs) :]
    size = Fraction(signs.count("^") - signs.count("_"))
    if number:
        upper, slash, lower = number.partition("/")
        size *= Fraction(int(upper or 1), int(lower or 2) or 1) if slash else int(upper)
    nearest = int(abs(size) + Fraction(1, 2) - Fraction(1, 1000))
    return nearest if size > 0 else -nearest


@lru_cache(maxsize=4096)
def ratio(number: str, slashes: str, below: str) -> tuple[int, int]:
    """A written length as numerator and denominator, in units: "3/2", "/" a half, "//" a quarter, "/4"."""
    if max(len(number), len(below), len(slashes)) > _MOST_DIGITS:
        raise LeftOut("a note longer or shorter than any tune has")
    upper = int(number or 1)
    lower = int(below) if below and slashes else 2 ** len(slashes)
    if not upper or not lower:
        raise LeftOut("a note of no length")
    return upper, lower


def scaled(steps: Steps, numerator: int, denominator: int) -> Steps:
    """A length times a fraction, an integer where it is one."""
    if denominator == 1:
        return steps * numerator
    if isinstance(steps, int):
        whole, rest = divmod(steps * numerator, denominator)
        return whole if not rest else Fraction(steps * numerator, denominator)
    exact = steps * numerator / denominator
    return int(exact) if exact.denominator == 1 else exact
