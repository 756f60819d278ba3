"""What a file does not say, or says against its notes: metre, bar lines and key, as they are estimated.

Each estimate is told in a remark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from melodygru.formats.midi.extraction_config import ExtractionConfig
from melodygru.formats.midi.grid import Placed
from melodygru.formats.midi.metres import DEFAULT_METRE, Section
from melodygru.music.estimation import Judge, denies, estimate_key, estimate_metre
from melodygru.music.key_finding import key_for_signature
from melodygru.music.key_hearing import hear_key
from melodygru.music.melody import Melody, Note, pitch_class_weights
from melodygru.music.metre_finding import metre_class
from melodygru.music.theory import Key, TimeSignature

FEWEST_TO_HEAR = 4
"""Notes below which nothing speaks for a metre: two lengths that follow each other are no pattern."""
KEY_ESTIMATED = "key estimated"
"""The remark on a file that has a piece without a key."""


def estimated(
    placed: Sequence[Placed], config: ExtractionConfig, judge: Judge | None, remarks: dict[str, None]
) -> Section:
    """All of a melody as one section, in the likeliest of the readings that the wishes leave."""
    notes = [Note(pitch, onset, end - onset) for onset, end, pitch in placed]
    if len(notes) < FEWEST_TO_HEAR and config.metre is None:
        config = replace(config, meter=str(DEFAULT_METRE), pickup=config.pickup or 0)
        remarks[f"metre assumed: {DEFAULT_METRE}, with so few notes"] = None
    reading, estimate = estimate_metre(notes, judge, config.metre, config.pickup_steps, config.named_key)
    if config.metre is None or config.pickup is None:
        remarks[estimate.remark] = None
    start = placed[0].onset + reading.pickup - (reading.metre.bar_steps if reading.pickup else 0)
    return Section(start, max(placed[-1].end, start + 1), reading.metre, pickup=bool(reading.pickup))


def against(
    stated: TimeSignature, placed: Sequence[Placed], config: ExtractionConfig, judge: Judge | None,
    remarks: dict[str, None],
) -> Section | None:  # fmt: skip
    """All of a melody in the likeliest reading, where its notes deny the metre stated; else None."""
    if not denies([Note(pitch, onset, end - onset) for onset, end, pitch in placed], stated):
        return None
    told: dict[str, None] = {}
    section = estimated(placed, config, judge, told)
    [remark] = told
    if metre_class(section.metre) == metre_class(stated):
        return None
    remarks[remark.replace("metre estimated", f"metre estimated against the {stated} stated", 1)] = None
    return section


def key_of(
    notes: tuple[Note, ...],
    metre: TimeSignature,
    pickup: int,
    signature: tuple[int, int, bool] | None,
    in_words: Key | None,
    remarks: dict[str, None],
    judge: Judge | None,
) -> Key:
    """`judge`: is asked where there is no signature; None where the fast lane reads such files too, without one."""
    if signature is None:
        if judge is None:
            remarks[KEY_ESTIMATED] = None
            return hear_key(notes, metre)
        key, estimate = estimate_key(Melody(notes, metre, pickup=pickup), judge)
        remarks[estimate.remark] = None
        return key
    _, fifths, minor = signature
    return stated_key(fifths, minor, in_words) or key_for_signature(
        fifths, pitch_class_weights(notes), notes[-1].pitch % 12
    )


def stated_key(fifths: int, minor: bool, in_words: Key | None) -> Key | None:
    """The key that a signature and perhaps words state; None where the notes must tell which mode is meant."""
    if in_words is not None and (in_words.fifths - fifths) % 12 == 0:
        # Believed only while it agrees with the signature: whoever transposed the file kept that.
        return in_words
    return Key.from_fifths(fifths, "minor") if minor else None
