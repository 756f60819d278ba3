"""Melody -> the bytes of a MIDI file that loops: every track ends on the last bar line, to the tick.

Through mido's integer messages, without seconds in between. What notes sound like is decided in
`melodygru.formats.midi.performance`; reading is `melodygru.formats.midi.parser`'s affair.

The format: The Complete MIDI 1.0 Detailed Specification, "Standard MIDI Files 1.0" (1996).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from operator import itemgetter
from os import PathLike
from typing import TYPE_CHECKING

from melodygru.errors import UsageError
from melodygru.formats.midi.chunks import INFORMATION, KEY_IN_WORDS, PERCUSSION
from melodygru.formats.midi.expression import tempos as tempos_of
from melodygru.formats.midi.mido_bridge import save
from melodygru.formats.midi.performance import Clock, Performance, Struck, perform
from melodygru.music.chords import ChordSpan, voicing
from melodygru.music.melody import Melody
from melodygru.music.theory import Key, name_on_line
from melodygru.system import write_atomically

if TYPE_CHECKING:
    from mido import Message, MetaMessage, MidiTrack

CHORDS_TRACK = "Chords"
"""The name of the track of the chords."""
CHORDS_PROGRAM = 0
"""Chords are played on a piano, whatever plays the melody."""
CHORDS_SOFTER = 20
"""By how much velocity the chords stay below the melody."""
_DEFAULT = Performance()


def midi_bytes(
    melody: Melody,
    performance: Performance = _DEFAULT,
    chords: Sequence[ChordSpan] = (),
    text: Sequence[str] | str | None = None,
) -> bytes:
    """A melody as the bytes of a MIDI file whose tracks end on its last bar line.

    Format 0: one track. Format 1, always so with chords: a track of tempo, metre, key and texts, one of the melody,
    and one of the chords, each struck at its span's onset and let go at its end, on a channel of its own. A marker
    names each new chord.

    Args:
        melody: what to write.
        performance: how it is played.
        chords: spans in order, that do not overlap and lie within the melody's bars; see
            `melodygru.music.chords.lay_out`.
        text: free text events at the start, which players pass by.

    Raises:
        UsageError: chords that do not fit, format 0 asked for together with chords, or swing in a metre that has none.
    """
    from mido import MetaMessage, MidiFile  # 50 ms that others do not need

    performance.check(melody.time_signature, with_chords=bool(chords))
    if melody.pickup and performance.pickup_as == "loop":
        bar = melody.time_signature.bar_steps
        chords = [replace(span, onset=max(span.onset - bar, 0), end=span.end - bar) for span in chords]
        melody = melody.looped()
    _check_spans(chords, melody.length)
    clock = Clock(melody, performance)
    last = melody.length * clock.ticks_per_step
    tempos = tempos_of(melody, performance.expression) if performance.expression_time else ()
    shape: list[tuple[int, Message | MetaMessage]] = [
        (step * clock.ticks_per_step, MetaMessage("set_tempo", tempo=round(60_000_000 / qpm))) for step, qpm in tempos
    ]
    head = [MetaMessage("track_name", name=melody.name or "Melody"), *_facts(melody, performance, text)]
    played = _notes(perform(melody, performance), performance.channel, performance.program)
    if chords or performance.midi_format == 1:
        markers = [(clock.tick(step), MetaMessage("marker", text=symbol)) for step, symbol in _symbols(chords)]
        tracks = [
            _track(head, sorted([*shape, *markers], key=itemgetter(0)), last),
            _track([MetaMessage("track_name", name="Melody")], played, last),
        ]
        if chords:
            struck = _chords(chords, clock, max(1, performance.velocity - CHORDS_SOFTER))
            events = _notes(struck, _chords_channel(performance.channel), CHORDS_PROGRAM)
            tracks.append(_track([MetaMessage("track_name", name=CHORDS_TRACK)], events, last))
    else:
        tracks = [_track(head, sorted([*shape, *played], key=itemgetter(0)) if shape else played, last)]
    return save(MidiFile(type=int(len(tracks) > 1), ticks_per_beat=performance.ppq, charset="utf-8", tracks=tracks))


def write_midi(
    melody: Melody,
    path: str | PathLike[str],
    force: bool = False,
    performance: Performance = _DEFAULT,
    chords: Sequence[ChordSpan] = (),
    text: Sequence[str] | str | None = None,
) -> None:
    """Write a melody as a MIDI file (see `midi_bytes`), whole or not at all.

    Raises UsageError as `midi_bytes` does, and FileError when the folder does not exist, the file does and `force` is
    false, or it cannot be written.
    """
    write_atomically(path, midi_bytes(melody, performance, chords, text), force=force)


def _facts(melody: Melody, performance: Performance, text: Sequence[str] | str | None) -> list[MetaMessage]:
    """What is true of the whole file: texts, key and tempo unless they are to stay out, metre."""
    from mido import MetaMessage

    metre = melody.time_signature
    texts = [text] if isinstance(text, str) else list(text or ())
    in_words = MetaMessage("text", text=f"{INFORMATION}{KEY_IN_WORDS.decode()}{melody.key}")
    return [
        *(MetaMessage("text", text=one) for one in texts if one),
        *([] if performance.no_key else [in_words]),
        *([] if performance.no_tempo else [MetaMessage("set_tempo", tempo=round(60_000_000 / melody.qpm))]),
        MetaMessage("time_signature", numerator=metre.numerator, denominator=metre.denominator,
                    clocks_per_click=min(255, metre.beat_steps)),
        *([] if performance.no_key else [MetaMessage("key_signature", key=_signature_name(melody.key))]),
    ]  # fmt: skip


def _notes(struck: Iterable[Struck], channel: int, program: int) -> list[tuple[int, Message]]:
    """The instrument, then notes on and off, by tick. At one tick releases come first: a key struck again is let go."""
    from mido import Message

    timed: list[tuple[int, int, Message]] = []
    for note in struck:
        on = Message("note_on", channel=channel - 1, note=note.pitch, velocity=note.velocity)
        timed.append((note.onset, 1, on))
        timed.append((note.end, 0, Message("note_off", channel=channel - 1, note=note.pitch, velocity=0)))
    ordered = [(tick, message) for tick, _, message in sorted(timed, key=lambda entry: entry[:2])]
    return [(0, Message("program_change", channel=channel - 1, program=program)), *ordered]


def _track(head: Sequence[MetaMessage], events: Iterable[tuple[int, Message | MetaMessage]], last: int) -> MidiTrack:
    """A track of `head` at tick 0, events in order of their tick, and its end at tick `last`."""
    from mido import MetaMessage, MidiTrack

    track, now = MidiTrack(head), 0
    for tick, message in events:
        track.append(message.copy(time=tick - now))
        now = tick
    track.append(MetaMessage("end_of_track", time=last - now))
    return track


def _check_spans(chords: Sequence[ChordSpan], length: int) -> None:
    at = 0
    for span in chords:
        if not at <= span.onset < span.end <= length:
            raise UsageError(
                f"A chord in steps {span.onset} to {span.end} does not fit; chords follow one another within "
                f"steps 0 to {length} (see melodygru.music.chords.lay_out)."
            )
        at = span.end


def _chords(chords: Sequence[ChordSpan], clock: Clock, velocity: int) -> list[Struck]:
    return [
        Struck(clock.tick(span.onset), clock.tick(span.end), pitch, velocity)
        for span in chords
        if span.chord is not None
        for pitch in voicing(span.chord)
    ]


def _symbols(chords: Sequence[ChordSpan]) -> list[tuple[int, str]]:
    """The steps at which the chord changes, with its symbol."""
    found: list[tuple[int, str]] = []
    for span in chords:
        symbol = span.chord.symbol if span.chord else "N.C."
        if not found or found[-1][1] != symbol:
            found.append((span.onset, symbol))
    return found


def _chords_channel(melody_channel: int) -> int:
    """The channel after the melody's, going round and passing over percussion."""
    following = melody_channel % 16 + 1
    return following + (following == PERCUSSION + 1)


def _signature_name(key: Key) -> str:
    """The signature as mido spells it. MIDI knows major and minor: other modes go by their sharps or flats."""
    return f"{key.tonic_name}m" if key.mode == "minor" else name_on_line(key.fifths)
