"""Melody -> the bytes of a MIDI file that loops: every track ends on the last bar line, to the tick.

In whole ticks, without seconds in between; the bytes are those of `melodygru.formats.midi.events`. What notes sound
like is decided in `melodygru.formats.midi.performance`; reading is `melodygru.formats.midi.parser`'s affair.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from os import PathLike

from melodygru.errors import UsageError
from melodygru.formats.midi import events
from melodygru.formats.midi.arranged import accompaniment_text, arranged, own_tracks
from melodygru.formats.midi.chord_text import text_of_chords
from melodygru.formats.midi.chunks import INFORMATION, KEY_IN_WORDS, PERCUSSION
from melodygru.formats.midi.events import Event
from melodygru.formats.midi.expression import tempos as tempos_of
from melodygru.formats.midi.parser import RawFile
from melodygru.formats.midi.performance import Clock, Performance, Struck, perform, perform_track
from melodygru.formats.midi.splice import unwrapped
from melodygru.music.chords import ChordSpan, voicing
from melodygru.music.melody import Melody
from melodygru.music.tracks import DRUMS, PARTS, Track
from melodygru.system.files import write_atomically

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
    tracks: Sequence[Track] | None = None,
    velocities: Mapping[int, int] | None = None,
    tempi: Sequence[tuple[int, float]] = (),
) -> bytes:
    """A melody as the bytes of a MIDI file whose tracks end on its last bar line.

    Format 0: one track. Format 1, always so with chords or tracks: a track of tempo, metre, key and texts, one of the
    melody, and the others, each on a channel of its own, drums on 10. Where no tracks are given, that is one of the
    chords, each struck at its span's onset and let go at its end. A marker names each new chord.

    Args:
        melody: what to write.
        performance: how it is played.
        chords: spans in order, that do not overlap and lie within the melody's bars; see
            `melodygru.music.chords.lay_out`.
        text: free text events at the start, which players pass by.
        tracks: what sounds beside the melody, within its bars; see `melodygru.arranging.accompaniment`.
        velocities: of notes that say how loud they are, by their onsets in steps: [1, 127]. Others are as `performance`
            has them.
        tempi: (step, quarters a minute) where the tempo changes, rising from step 0; see
            `melodygru.formats.midi.tempo_map`. They stand in place of the melody's own tempo.

    Raises:
        UsageError: chords that do not fit, format 0 asked for together with chords, or swing in a metre that has none.
    """
    performance.check(melody.time_signature, with_chords=bool(chords or tracks))
    said = velocities or {}
    if melody.pickup and performance.pickup_as == "loop":
        bar = melody.time_signature.bar_steps
        chords = [
            replace(span, onset=max(span.onset - bar, 0), end=span.end - bar) for span in chords if span.end > bar
        ]
        tracks = None if tracks is None else [_earlier(track, bar) for track in tracks]
        said = {onset - bar if onset >= bar else onset + (melody.bars - 1) * bar: loud for onset, loud in said.items()}
        melody = melody.looped()
    _check_spans(chords, melody.length)
    clock = Clock(melody, performance)
    groove = Clock(melody, performance, straight=())  # it swings under the melody's triplets too
    last = melody.length * clock.ticks_per_step
    tempos = tempos_of(melody, performance.expression) if performance.expression_time and not tempi else tempi[1:]
    shape = [(step * clock.ticks_per_step, events.tempo(qpm)) for step, qpm in tempos]
    head = [
        events.words(events.TRACK_NAME, melody.name or "Melody"),
        *_facts(replace(melody, qpm=tempi[0][1]) if tempi else melody, performance, text),
    ]
    struck = [
        one._replace(velocity=said.get(note.onset, one.velocity))
        for one, note in zip(perform(melody, performance), melody.notes, strict=True)
    ]
    played = _notes(struck, performance.channel, performance.program)
    if chords or tracks or performance.midi_format == 1:
        markers = [(clock.tick(step), events.words(events.MARKER, symbol)) for step, symbol in _symbols(chords)]
        written = [
            _track(head, sorted([*shape, *markers], key=itemgetter(0)), last),
            _track([events.words(events.TRACK_NAME, "Melody")], played, last),
        ]
        for place, track in enumerate(tracks or ()):
            told = _told(track, chords if place == 0 else ())
            struck = perform_track(track, melody, performance, groove.tick)
            channels = free_channels({performance.channel - 1})
            channel = PERCUSSION if track.part == DRUMS else channels[PARTS.index(track.part)]
            written.append(sideman(track, struck, channel, last, told))
        if chords and tracks is None:
            struck = _chords(chords, clock, max(1, performance.velocity - CHORDS_SOFTER))
            beside = _notes(struck, _chords_channel(performance.channel), CHORDS_PROGRAM)
            written.append(_track([events.words(events.TRACK_NAME, CHORDS_TRACK)], beside, last))
    else:
        written = [_track(head, sorted([*shape, *played], key=itemgetter(0)) if shape else played, last)]
    return events.file_of(written, performance.ppq)


def sideman(
    track: Track,
    struck: Iterable[Struck],
    channel: int,
    last: int,
    told: Sequence[str],
    markers: Iterable[tuple[int, str]] = (),
    program: bool = True,
) -> bytes:
    """A track beside the melody, as it is written: a chunk.

    Args:
        track: for its name and its program.
        struck: its notes.
        channel: from 0.
        last: the tick at which it ends.
        told: text events at its start.
        markers: (tick, text) in order.
        program: whether the channel is told its instrument.
    """
    played = _notes(struck, channel + 1, track.program)[not program :]
    played += [(tick, events.words(events.MARKER, text)) for tick, text in markers]
    head = [events.words(events.TRACK_NAME, track.name), *(events.words(events.TEXT, text) for text in told)]
    return _track(head, sorted(played, key=itemgetter(0)), last)


def put_around(
    data: bytes,
    raw: RawFile,
    played: Sequence[tuple[Track, Sequence[Struck]]],
    chords: Sequence[ChordSpan],
    tick: Callable[[int], int],
    length: int,
    text: str,
    names: Sequence[str] = (),
) -> bytes:
    """A MIDI file with tracks around its melody, in place of those that we put there before; all others stay.

    Args:
        data: the file.
        raw: the same, as read.
        played: the tracks, and their notes in the file's ticks.
        chords: what they play, in steps of the melody: named in markers.
        tick: when a step sounds.
        length: of the melody, in steps: where the tracks end.
        text: how the file is made.
        names: of tracks that are ours without saying so.

    Raises:
        MidiError: a file of which the tracks cannot be told; its message lacks the file's name.
        UsageError: no channel is left.
    """
    ours = own_tracks(unwrapped(data))
    others = [track for number, track in enumerate(raw.tracks) if number not in ours and track.name not in names]
    taken = {channel for track in others for channel in (*track.programs, *(note.channel for note in track.notes))}
    channels = free_channels(taken)
    chunks = []
    for place, (track, struck) in enumerate(played):
        if track.part != DRUMS and not channels:
            raise UsageError("has no MIDI channel left; take a track out of it, or give --with drums.")
        channel = PERCUSSION if track.part == DRUMS else channels.pop(0)
        markers = [(tick(step), symbol) for step, symbol in _symbols(chords)] if place == 0 else []
        told = _told(track, chords if place == 0 else ())
        # A kit of other drums in the file stays theirs.
        chunks.append(sideman(track, struck, channel, tick(length), told, markers, channel not in taken))
    return arranged(data, chunks, text, names)


def _told(track: Track, chords: Sequence[ChordSpan]) -> list[str]:
    """What a track says of itself: that it is ours, and with which chords the file is."""
    return [accompaniment_text(track.part), *([text_of_chords(chords)] if chords else [])]


def free_channels(taken: Collection[int]) -> list[int]:
    """Channels from 0 on that are not percussion's and not taken, those behind the taken ones first."""
    behind = max(taken, default=-1) + 1
    order = [*range(behind, 16), *range(behind)]
    return [channel for channel in order if channel != PERCUSSION and channel not in taken]


def _earlier(track: Track, steps: int) -> Track:
    strokes = tuple(stroke._replace(onset=stroke.onset - steps, end=stroke.end - steps) for stroke in track.strokes)
    return replace(track, strokes=strokes)


def write_midi(
    melody: Melody,
    path: str | PathLike[str],
    force: bool = False,
    performance: Performance = _DEFAULT,
    chords: Sequence[ChordSpan] = (),
    text: Sequence[str] | str | None = None,
    tracks: Sequence[Track] | None = None,
) -> None:
    """Write a melody as a MIDI file (see `midi_bytes`), whole or not at all.

    Raises UsageError as `midi_bytes` does, and FileError when the folder does not exist, the file does and `force` is
    false, or it cannot be written.
    """
    write_atomically(path, midi_bytes(melody, performance, chords, text, tracks), force=force)


def _facts(melody: Melody, performance: Performance, text: Sequence[str] | str | None) -> list[bytes]:
    """What is true of the whole file: texts, key and tempo unless they are to stay out, metre."""
    metre = melody.time_signature
    texts = [text] if isinstance(text, str) else list(text or ())
    in_words = f"{INFORMATION}{KEY_IN_WORDS.decode()}{melody.key}"
    return [
        *(events.words(events.TEXT, one) for one in texts if one),
        *([] if performance.no_key else [events.words(events.TEXT, in_words)]),
        *([] if performance.no_tempo else [events.tempo(melody.qpm)]),
        events.time_signature(metre.numerator, metre.denominator, min(255, metre.beat_steps)),
        *([] if performance.no_key else [events.key_signature(melody.key)]),
    ]


def _notes(struck: Iterable[Struck], channel: int, program: int) -> list[Event]:
    """The instrument, then notes on and off, by tick. At one tick releases come first: a key struck again is let go."""
    timed: list[tuple[int, int, bytes]] = []
    for note in struck:
        timed.append((note.onset, 1, events.note_on(channel - 1, note.pitch, note.velocity)))
        timed.append((note.end, 0, events.note_off(channel - 1, note.pitch)))
    ordered = [(tick, event) for tick, _, event in sorted(timed, key=itemgetter(0, 1))]
    return [(0, events.program_change(channel - 1, program)), *ordered]


def _track(head: Sequence[bytes], played: Iterable[Event], last: int) -> bytes:
    """A track of `head` at tick 0, events in order of their tick, and its end at tick `last`."""
    return events.track([*((0, event) for event in head), *played], last)


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
