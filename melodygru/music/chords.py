"""Chord symbols and progressions: text -> pitch classes, laid out on the grid.

A progression is symbols between blanks, a bar each; or with bar lines, "| Am F | C G |", a bar's chords sharing it. A
slash names the bass ("C/E"), "N.C." is no chord, "%" repeats. See Brandt & Roemer, "Standardized Chord Symbol Notation"
(1976).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from melodygru.errors import UsageError
from melodygru.music.theory import TimeSignature, parse_pitch
from melodygru.records import dataclass

QUALITIES: dict[str, tuple[int, ...]] = {}
"""Semitones above the root of every quality, by each of its spellings."""

for _spellings, _tones in (
    ("|maj|M|ma", (0, 4, 7)),
    ("m|min|-|mi", (0, 3, 7)),
    ("5", (0, 7)),
    ("6|maj6|M6", (0, 4, 7, 9)),
    ("m6|min6|-6", (0, 3, 7, 9)),
    ("6/9|69", (0, 4, 7, 9, 2)),
    ("m6/9|m69", (0, 3, 7, 9, 2)),
    ("7|dom7", (0, 4, 7, 10)),
    ("maj7|M7|Δ|Δ7|j7|ma7", (0, 4, 7, 11)),
    ("m7|min7|-7|mi7", (0, 3, 7, 10)),
    ("mMaj7|mmaj7|mM7|m(maj7)|m(Maj7)|-maj7|minmaj7", (0, 3, 7, 11)),
    ("m7b5|m7♭5|-7b5|ø|ø7|min7b5|m7(b5)", (0, 3, 6, 10)),
    ("dim|o|°", (0, 3, 6)),
    ("dim7|o7|°7", (0, 3, 6, 9)),
    ("aug|+|#5", (0, 4, 8)),
    ("aug7|+7|7#5|7+|7(#5)", (0, 4, 8, 10)),
    ("maj7#5|M7#5|+M7", (0, 4, 8, 11)),
    ("7b5|7(b5)", (0, 4, 6, 10)),
    ("sus2", (0, 2, 7)),
    ("sus4|sus", (0, 5, 7)),
    ("7sus4|7sus", (0, 5, 7, 10)),
    ("9sus4|9sus", (0, 5, 7, 10, 2)),
    ("9", (0, 4, 7, 10, 2)),
    ("maj9|M9|Δ9", (0, 4, 7, 11, 2)),
    ("m9|min9|-9", (0, 3, 7, 10, 2)),
    ("add9|add2|2", (0, 4, 7, 2)),
    ("madd9|m(add9)|madd2", (0, 3, 7, 2)),
    ("11", (0, 4, 7, 10, 2, 5)),
    ("m11|min11|-11", (0, 3, 7, 10, 2, 5)),
    ("13", (0, 4, 7, 10, 2, 9)),
    ("maj13|M13", (0, 4, 7, 11, 2, 9)),
    ("m13|min13|-13", (0, 3, 7, 10, 2, 9)),
    ("7b9|7(b9)", (0, 4, 7, 10, 1)),
    ("7#9|7(#9)", (0, 4, 7, 10, 3)),
    ("7#11|7(#11)", (0, 4, 7, 10, 6)),
    ("maj7#11|M7#11|maj7(#11)", (0, 4, 7, 11, 6)),
):
    QUALITIES |= dict.fromkeys(_spellings.split("|"), _tones)

_SYMBOL = re.compile(r"([A-G])([#b♯♭]?)(.*?)(?:/([A-G])([#b♯♭]?))?")
_NONE = ("n.c.", "nc", "n.c")
_REPEAT = ("%", "/")
FEWEST_BEATS, MOST_BEATS = 0.5, 64
"""What a chord may last: any multiple of the fewest."""


@dataclass(frozen=True)
class Chord:
    """A chord: pitch classes 0..11, `tones` from the root up, the root's first; `bass` is the root but for a slash."""

    symbol: str
    root: int
    tones: tuple[int, ...]
    bass: int

    @classmethod
    def parse(cls, text: str) -> Chord:
        """A chord from its symbol: "Am7/G". Raises UsageError for one that nobody knows."""
        match = _SYMBOL.fullmatch(text)
        if match is None or match[3] not in QUALITIES:
            raise UsageError(f"{text!r} is not a chord; write it like {_EXAMPLES}.")
        root = parse_pitch(f"{match[1]}{match[2]}4") % 12
        tones = tuple((root + tone) % 12 for tone in QUALITIES[match[3]])
        bass = parse_pitch(f"{match[4]}{match[5]}4") % 12 if match[4] else root
        return cls(text, root, tones, bass)


def chord_or_none(symbol: str) -> Chord | None:
    """A chord from its symbol; None for "N.C.", and for one that nobody knows."""
    try:
        return Chord.parse(symbol)
    except UsageError:
        return None


_EXAMPLES = "C, Am, F#m7, Bbmaj7, G7/B, Dsus4, Bdim, Caug, N.C. or Bm7b5"


@dataclass(frozen=True)
class ChordSpan:
    """A chord that holds in the half-open range of steps [onset, end); None for no chord."""

    onset: int
    end: int
    chord: Chord | None


def spans_of(changes: Sequence[tuple[int, str]], length: int) -> tuple[ChordSpan, ...]:
    """Chord symbols, in order of the steps from which each holds until the next, as far as they lie in [0, length).

    Symbols that nobody knows are no chord.
    """
    ends = [*(step for step, _ in changes[1:]), length] if changes else []
    cut = [(max(step, 0), min(end, length), symbol) for (step, symbol), end in zip(changes, ends, strict=True)]
    return tuple(ChordSpan(onset, end, chord_or_none(symbol)) for onset, end, symbol in cut if onset < end)


def parse_progression(
    text: str, time_signature: TimeSignature, beats_per_chord: float | None = None
) -> tuple[ChordSpan, ...]:
    """One pass of a progression from step 0: whole bars, since it goes round.

    Args:
        text: the symbols; see the module.
        time_signature: the metre.
        beats_per_chord: felt beats that each chord lasts, a multiple of 0.5 up to 64; None: a bar. Not with bar lines.

    Raises:
        UsageError: a symbol that nobody knows, pointed at, or a pass that is not whole bars.
    """
    bar, beat = time_signature.bar_steps, time_signature.beat_steps
    tokens = re.sub(r"([|:])", r" \1 ", text).replace(":", " ").replace(",", " ").split()
    symbols = [token for token in tokens if token != "|"]
    if not symbols or symbols[0] in _REPEAT:
        raise UsageError(f"The chords {text!r} do not begin with a chord; write some, such as Am F C G.")
    if "|" not in tokens:
        steps = bar if beats_per_chord is None else _steps(beats_per_chord, beat)
        lengths = [steps] * len(symbols)
        if sum(lengths) % bar:
            missing = (-sum(lengths) % bar) / beat
            raise UsageError(
                f"{len(symbols)} chords of {beats_per_chord:g} beats do not fill whole bars of {time_signature}: "
                f"{missing:g} beats are missing; add chords, or choose another --beats-per-chord."
            )
    elif beats_per_chord is not None:
        raise UsageError("--beats-per-chord and bar lines in --chords contradict each other; leave one of them out.")
    else:
        symbols, lengths = _by_bars(tokens, time_signature)
    chords = _chords(symbols, text)
    spans, at = [], 0
    for chord, steps in zip(chords, lengths, strict=True):
        spans.append(ChordSpan(at, at + steps, chord))
        at += steps
    return tuple(spans)


def _steps(beats: float, beat: int) -> int:
    if not FEWEST_BEATS <= beats <= MOST_BEATS or beats % FEWEST_BEATS or (beats * beat) % 1:
        raise UsageError(
            f"beats-per-chord is {beats:g}; choose a multiple of {FEWEST_BEATS} from {FEWEST_BEATS} to {MOST_BEATS}."
        )
    return int(beats * beat)


def _by_bars(tokens: Sequence[str], time_signature: TimeSignature) -> tuple[list[str], list[int]]:
    """Symbols and their steps, for a progression with bar lines."""
    bar, beat = time_signature.bar_steps, time_signature.beat_steps
    bars: list[list[str]] = [[]]
    for token in tokens:
        if token == "|":
            bars.append([])
        else:
            bars[-1].append(token)
    # Lines at either end, and double ones, enclose no bar; a blank between two lines of the middle repeats.
    while bars and not bars[0]:
        bars.pop(0)
    while bars and not bars[-1]:
        bars.pop()
    symbols: list[str] = []
    lengths: list[int] = []
    for number, inside in enumerate(bars, 1):
        inside = inside or ["%"]
        beats = bar // beat
        if len(inside) > max(beats, 1):
            raise UsageError(
                f"Bar {number} of the chords has {len(inside)} chords, and {time_signature} has {beats} beats; "
                "write at most one a beat."
            )
        each, more = divmod(beats, len(inside))
        parts = [beat * (each + (index < more)) for index in range(len(inside))]
        parts[-1] += bar - sum(parts)
        symbols += inside
        lengths += parts
    return symbols, lengths


def _chords(symbols: Sequence[str], text: str) -> list[Chord | None]:
    chords: list[Chord | None] = []
    for number, symbol in enumerate(symbols, 1):
        if symbol in _REPEAT:
            chords.append(chords[-1])
        elif symbol.lower() in _NONE:
            chords.append(None)
        else:
            try:
                chords.append(Chord.parse(symbol))
            except UsageError:
                alone = rf"(?<![^\s|,:]){re.escape(symbol)}(?![^\s|,:])"
                marked = re.sub(alone, lambda match: f">>{match[0]}<<", text, count=1)
                capital = symbol[0].upper() + symbol[1:]
                guess = f"did you mean {capital}? W" if capital != symbol and chord_or_none(capital) else "w"
                raise UsageError(
                    f"Chord {number} of {len(symbols)} is not known: {marked}; {guess}rite chords like {_EXAMPLES}."
                ) from None
    return chords


def lay_out(spans: Sequence[ChordSpan], start: int, end: int) -> tuple[ChordSpan, ...]:
    """The pass repeated from step `start` on to cover [start, end), the last span cut."""
    found: list[ChordSpan] = []
    at, length = start, spans[-1].end
    while at < end:
        found += [
            ChordSpan(at + span.onset, min(at + span.end, end), span.chord) for span in spans if at + span.onset < end
        ]
        at += length
    return tuple(found)


def strong_beats(time_signature: TimeSignature) -> tuple[int, ...]:
    """Steps of a bar where harmony is heard: its first, and its half where the felt beats are 4, 6 … or 2 compound."""
    beats = time_signature.bar_steps // time_signature.beat_steps
    halved = beats % 2 == 0 and (beats >= 4 or time_signature.is_compound)
    return (0, time_signature.bar_steps // 2) if halved else (0,)


def chord_scale(scale: Sequence[int], tonic: int, chord: Chord | None) -> frozenset[int]:
    """Pitch classes that suit over a chord: the key's scale, with the chord's own tones in place of those they alter.

    In A minor E7 has G# in place of G, in C major D7 F# in place of F: of the scale's notes a semitone from a foreign
    chord tone one gives way, the one that leaves fewest semitones side by side, and the tonic last. Scales of other
    than seven notes lose none.
    """
    tones = frozenset(scale)
    if chord is None:
        return tones
    for tone in chord.tones:
        if tone in tones:
            continue
        nearby = [n for n in ((tone - 1) % 12, (tone + 1) % 12) if n in tones and n not in chord.tones]
        if nearby and len(scale) == 7:
            tones -= {
                min(
                    nearby,
                    key=lambda note: (note == tonic, _semitones(tones - {note} | {tone}), note != (tone - 1) % 12),
                )
            }
        tones |= {tone}
    return tones


def _semitones(classes: frozenset[int]) -> int:
    return sum((one + 1) % 12 in classes for one in classes)


def voicing(chord: Chord, low: int = 48) -> tuple[int, ...]:
    """MIDI pitches to play a chord with, ascending: its bass in the octave below `low`, up to four tones above.

    Where there are more, the perfect fifth is left out and then the root, which tell least of a chord's quality.
    """
    bass = low - 12 + (chord.bass - low) % 12
    upper = [tone for tone in chord.tones if tone != chord.bass]
    for spare in ((chord.root + 7) % 12, chord.root):
        if len(upper) > 4 and spare in upper:
            upper.remove(spare)
    return (bass, *sorted(low + (tone - low) % 12 for tone in upper))
