"""What sounds around a melody: chords found for it, and the lanes of an accompaniment."""

from __future__ import annotations

from collections.abc import Sequence

from melodygru.errors import UsageError
from melodygru.music.chords import ChordSpan, parse_progression
from melodygru.music.melody import Melody
from melodygru.music.tracks import Stroke, Track
from melodygru.studio import answers, messages
from melodygru.studio.takes import chords_for
from melodygru.studio.work import Job
from melodygru.writing.layout import chords_under


def harmonize(job: Job, asked: messages.Harmonize) -> answers.Harmonized:
    """Chords that fit a melody, in several ways, the likeliest first. Raises UsageError for what has none."""
    from melodygru.arranging.harmony import harmonize as found
    from melodygru.writing.styles import STYLES

    melody = asked.melody.tune()
    if not melody.notes:
        raise UsageError("The melody has no notes; draw some, or have a new one written.")
    if asked.style is not None and asked.style not in STYLES:
        raise UsageError(f"There is no style {asked.style!r}; choose one of {', '.join(STYLES)}.")
    style = None if asked.style is None else STYLES[asked.style].collection
    with job.aside():
        ways = found(melody, style=style, chords_per_bar=asked.chords_per_bar, count=asked.ways)
    texts = [as_text(way.chords, melody) for way in ways]
    if any(len(text) > messages.LONGEST_TEXT for text in texts):
        raise UsageError("The melody is too long for chords to be written out; harmonize fewer bars.")
    return answers.Harmonized(
        ways=[answers.Way(text=text, chords=chords_for(way.chords)) for text, way in zip(texts, ways, strict=True)]
    )


def as_text(chords: Sequence[ChordSpan], melody: Melody) -> str:
    """Chords as people type them, bar by bar from bar 1 on: "| Am | F G |"; `parse_progression` reads them again."""
    metre = melody.time_signature
    bar, beat = metre.bar_steps, metre.beat_steps
    beats = range(0, bar - bar % beat, beat) or range(1)
    bars = []
    for start in range(bar if melody.pickup else 0, melody.length, bar):
        inside = [_symbol_at(chords, start + at) for at in beats]
        half = len(inside) // 2
        if len(set(inside)) == 1:
            inside = inside[:1]
        elif len(inside) % 2 == 0 and len(set(inside[:half])) == 1 == len(set(inside[half:])):
            inside = [inside[0], inside[half]]
        bars.append(" ".join(inside))
    return f"| {' | '.join(bars)} |"


def _symbol_at(chords: Sequence[ChordSpan], step: int) -> str:
    chord = next((span.chord for span in chords if span.onset <= step < span.end), None)
    return "N.C." if chord is None else chord.symbol


def accompany(job: Job, asked: messages.Around) -> answers.Around:
    """The lanes around a melody. Raises UsageError for chords or a groove that there are not."""
    from melodygru.arranging.arrangement import Arrangement

    melody = asked.melody.tune()
    spans: Sequence[ChordSpan] = ()
    if asked.chords is not None and asked.chords.strip():
        spans = chords_under(parse_progression(asked.chords, melody.time_signature), melody)
    wanted = Arrangement(groove=asked.groove, fills=asked.fills).settled(None, melody.time_signature)
    with job.aside():
        tracks = wanted.tracks(melody, spans, asked.seed)
    return answers.Around(groove=str(wanted.groove), lanes=[_lane(track) for track in tracks])


def _lane(track: Track) -> answers.Lane:
    notes = [(one.onset, one.end - one.onset, one.pitch, one.louder) for one in track.strokes]
    return answers.Lane(part=track.part, program=track.program, notes=notes)


def tracks_of(lanes: Sequence[messages.Lane], melody: Melody) -> list[Track]:
    """Lanes as tracks within a melody's bars: of one pitch none sounds into the next."""
    tracks = []
    for lane in lanes:
        strokes: list[Stroke] = []
        sounding: dict[int, int] = {}
        for onset, duration, pitch, louder in sorted(lane.notes):
            if onset >= melody.length:
                continue
            if (before := sounding.get(pitch)) is not None and strokes[before].end > onset:
                strokes[before] = strokes[before]._replace(end=onset)
            sounding[pitch] = len(strokes)
            strokes.append(Stroke(onset, min(onset + duration, melody.length), pitch, louder))
        kept = tuple(stroke for stroke in strokes if stroke.end > stroke.onset)
        tracks.append(Track(lane.part, lane.program, kept))
    return tracks
