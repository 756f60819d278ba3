"""A melody as ABC notation, version 2.1: https://abcnotation.com/wiki/abc:standard:v2.1.

Values, triplets and ties are those of the printed score (`melodygru.formats.notation.note_values`), with one tie more
where a chord changes under a held note, since in ABC a chord symbol stands on a note. Accidentals last to the bar line,
and are written so that it does not matter whether they are taken to hold in other octaves too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from melodygru.formats.notation.beams import beams
from melodygru.formats.notation.chord_symbols import changes, chords_in, symbol_of
from melodygru.formats.notation.musicxml import line_breaks, number, readable, tempo_unit
from melodygru.formats.notation.note_values import VALUES, Bar, Symbol, written_bars
from melodygru.music.chords import ChordSpan
from melodygru.music.melody import Melody
from melodygru.music.spelling import Spelling, signature, spell
from melodygru.music.theory import STEPS_PER_QUARTER

_MODES = {"major": "", "minor": "m"}
_ACCIDENTALS = {-1: "_", 0: "=", 1: "^"}
_UNITS = {"quarter": Fraction(1, 4), "half": Fraction(1, 2)}


def abc(melody: Melody, chords: Sequence[ChordSpan] = ()) -> str:
    """The melody as one tune in ABC: a header and its bars, in lines as the printed score has them."""
    metre, key = melody.time_signature, melody.key
    unit = Fraction(1, 8 if metre.denominator <= 8 else 16)
    beat, dots, rate = tempo_unit(metre, melody.qpm)
    counted = _UNITS[beat] * (Fraction(3, 2) if dots else 1)
    mode = _MODES.get(key.mode, key.mode[:3])
    [tonic] = spell([key.tonic], key)  # of F locrian E#, as its six sharps have it
    header = [
        "%abc-2.1",
        "X:1",
        f"T:{_escaped(readable(melody.name))}",
        f"M:{metre}",
        f"L:{unit}",
        f"Q:{counted}={number(rate)}",
        f"K:{tonic.letter}{('', '#', 'b')[tonic.alter]}{mode}",
    ]
    bars = written_bars(melody)
    breaks = line_breaks(bars)
    names = iter(spell([note.pitch for note in melody.notes], key))
    symbols = changes(chords)
    name: Spelling | None = None
    lines, line = [], ""
    for index, bar in enumerate(bars):
        if index in breaks:
            lines.append(line.rstrip())
            line = ""
        spelled: list[Spelling | None] = []
        bar = _split_at(bar, [span.onset for span in symbols])
        for symbol in bar.symbols:
            if symbol.pitch is not None and not symbol.tied_from:
                name = next(names)
            spelled.append(None if symbol.pitch is None else name)
        over = {at: symbol_of(span) for at, span in chords_in(bar, symbols).items()}
        line += _bar(bar, spelled, melody, over, unit) + (" |]" if index + 1 == len(bars) else " | ")
    return "\n".join([*header, *lines, line]) + "\n"


def _escaped(text: str) -> str:
    """A text as fields have it: a backslash begins signs that have no key, a percent sign a comment."""
    return text.replace("\\", "\\\\").replace("%", "\\%")


def _split_at(bar: Bar, places: Sequence[int]) -> Bar:
    """The bar with its plain notes and rests cut, and tied, where a chord begins within them and values allow it."""
    found: list[Symbol] = []
    for symbol in bar.symbols:
        for place in sorted(places):
            lengths = (2 * (place - symbol.onset), 2 * (symbol.end - place))
            if symbol.triplet is None and all(length in VALUES for length in lengths):
                sounds = symbol.pitch is not None
                first, second = (VALUES[length] for length in lengths)
                found.append(
                    replace(
                        symbol,
                        duration=place - symbol.onset,
                        base=first[0],
                        dots=first[1],
                        tied=sounds,
                        whole_bar=False,
                    )
                )
                symbol = replace(
                    symbol, onset=place, duration=symbol.end - place, base=second[0], dots=second[1],
                    tied_from=sounds, whole_bar=False,
                )  # fmt: skip
        found.append(symbol)
    return replace(bar, symbols=tuple(found))


def _bar(bar: Bar, names: Sequence[Spelling | None], melody: Melody, over: dict[int, str], unit: Fraction) -> str:
    """One bar's text: notes under one beam stand together, all else apart."""
    plain = signature(melody.key)
    by_octave: dict[tuple[str, int], int] = {}
    by_letter: dict[str, int] = {}
    joined = beams(bar, melody.time_signature)
    text = ""
    for index, (symbol, name) in enumerate(zip(bar.symbols, names, strict=True)):
        if index and not (joined[index] and joined[index][0] in ("continue", "end")):
            text += " "
        text += "".join(f'"{chord}"' for at, chord in over.items() if symbol.onset <= at < symbol.end)
        if symbol.triplet is not None and symbol.onset == symbol.triplet[0]:
            inside = sum(one.triplet == symbol.triplet for one in bar.symbols)
            text += "(3" if inside == 3 else f"(3:2:{inside}"
        if name is None:
            text += "z"
        else:
            place = (name.letter, name.octave)
            readings = by_octave.get(place, plain[name.letter]), by_letter.get(name.letter, plain[name.letter])
            if readings != (name.alter, name.alter):
                text += _ACCIDENTALS[name.alter]
                by_octave[place] = by_letter[name.letter] = name.alter
            text += _letter(name)
        text += _length(symbol, unit) + "-" * symbol.tied
    return text


def _letter(name: Spelling) -> str:
    """C, D … below middle C's octave with commas; c, d … from the octave above it with apostrophes."""
    if name.octave >= 5:
        return name.letter.lower() + "'" * (name.octave - 5)
    return name.letter + "," * (4 - name.octave)


def _length(symbol: Symbol, unit: Fraction) -> str:
    """The written length in units: nothing for 1, 3/2, and / for a half."""
    sounding = Fraction(symbol.duration, 4 * STEPS_PER_QUARTER)
    length = (sounding if symbol.triplet is None else sounding * Fraction(3, 2)) / unit
    if length == 1:
        return ""
    if length == Fraction(1, 2):
        return "/"
    return str(length)
