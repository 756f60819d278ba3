"""What the studio answers, as pydantic models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, RootModel

from melodygru.music.melody import Melody as Tune
from melodygru.music.originality import SharedRun


class Note(BaseModel):
    """One note: a MIDI pitch, and steps, 24 to a quarter."""

    pitch: int
    onset: int
    duration: int


class MelodyAnswer(BaseModel):
    """A melody as the studio gives it; see `Melody`. What was read from a file may have more bars than are taken."""

    name: str
    meter: str
    key: str
    bpm: float
    pickup: int
    bars: int
    notes: list[Note]
    tempi: list[tuple[int, float]] = []

    @classmethod
    def of(cls, melody: Tune, tempi: Sequence[tuple[int, float]] = ()) -> MelodyAnswer:
        """A melody for the wire, with the tempo changes under it."""
        return cls(
            name=melody.name,
            meter=str(melody.time_signature),
            key=str(melody.key),
            bpm=melody.qpm,
            pickup=melody.pickup,
            bars=melody.bars,
            # Notes of a melody are known to be sound, wherever they lie.
            notes=[
                Note.model_construct(pitch=note.pitch, onset=note.onset, duration=note.duration)
                for note in melody.notes
            ],
            tempi=list(tempi),
        )


class ChordSpan(BaseModel):
    """A chord that holds in the steps [onset, end), and the pitches to play it with; none for N.C."""

    onset: int
    end: int
    symbol: str
    pitches: list[int]


class Run(BaseModel):
    """The longest run of notes that a melody shares with what its model has learned from.

    `bars` is its length, `bar` where it begins, `piece_bar` where in that piece; `typical` is the median of people's
    own tunes that the model has never seen.
    """

    notes: int
    of: int
    bars: float
    bar: int
    piece: str
    piece_bar: int
    typical: float | None

    @classmethod
    def of_shared(cls, run: SharedRun, notes: int, typical: float | None) -> Run:
        """A run for the wire, in a melody of so many notes."""
        return cls(
            notes=run.notes,
            of=notes,
            bars=run.bars,
            bar=run.bar,
            piece=run.piece,
            piece_bar=run.piece_bar,
            typical=typical,
        )


class FileLink(BaseModel):
    """Where a file can be fetched, and its name."""

    url: str
    name: str


class Take(BaseModel):
    """A melody that was made, and how; `file` is what the command line would have written."""

    index: int
    melody: MelodyAnswer
    chords: list[ChordSpan]
    model: str
    made_by: Literal["generate", "infill", "vary"]
    seed: int
    number: int
    options: dict[str, Any]
    run: Run | None
    file: FileLink


class Start(BaseModel):
    """What is about to be written: all that is known before the first note. Lengths and the pickup are in steps."""

    seed: int
    model: str
    candidates: int
    takes: int
    meter: str
    key: str
    bpm: float
    bars: int
    pickup: int
    length: int
    bar_steps: int
    beat_steps: int


class Progress(BaseModel):
    """How much of the work is done, in [0, 1]."""

    done: float


class Drawn(RootModel[list[tuple[int, int, int, int]]]):
    """Candidate, onset, duration, and pitch or -1 for a rest, of events as they are drawn.

    Each takes the place of all that its candidate has at this onset and after it.
    """


class Checked(BaseModel):
    """What would be written: key, metre, tempo and bars; or what stands in the way of it.

    `parts` are the letters of the form's sections; those that are parts of a song with what they are called.
    """

    key: str | None = None
    meter: str | None = None
    bpm: float | None = None
    bars: int | None = None
    problem: str | None = None
    parts: dict[str, str] = {}


class ChordsAnswer(BaseModel):
    """Chords laid out under a melody."""

    chords: list[ChordSpan]


class Way(BaseModel):
    """Chords for a melody, as they are typed and as they lie under it."""

    text: str
    chords: list[ChordSpan]


class Harmonized(BaseModel):
    """Chords that fit a melody, the likeliest first."""

    ways: list[Way]


class Lane(BaseModel):
    """What one part plays: (onset, duration, pitch, by how much louder than the melody off the beat) of its notes."""

    part: str
    program: int
    notes: list[tuple[int, int, int, int]]


class Around(BaseModel):
    """The groove, and what each part plays."""

    groove: str
    lanes: list[Lane]


class Choice(BaseModel):
    """An event that was possible. `pitch` is null for a rest, or the end (of duration 0)."""

    pitch: int | None
    duration: int
    name: str
    probability: float


class Heard(BaseModel):
    """A note as a model hears it: its surprise in nats, what was kept of the memory, what else was possible."""

    onset: int
    nats: float
    keep: float | None
    considered: list[Choice]


class LookAnswer(BaseModel):
    """A melody as a model hears it; `keep` has (onset, duration, value) of every event, rests too."""

    nats_per_note: float
    first_choice: float
    run: Run | None
    notes: list[Heard]
    keep: list[tuple[int, int, float]]


class ReadingAnswer(BaseModel):
    """A way to read a file: its metre, and the quarters before its bar 1."""

    meter: str
    pickup: float


class Opened(BaseModel):
    """What is in a file, and the style that it was written in if it says one.

    `velocities` has those of each melody's notes in order, where the file says them; `tracks` the numbers and names of
    the file's tracks that have notes, `tempi` how many tempos it has; `readings` the two likeliest metres and pickups,
    where they are close: `api/open` takes one. `swing` is how a file of ours swings: its notes are told straight.
    """

    melodies: list[MelodyAnswer]
    velocities: list[list[int] | None]
    track: str
    tracks: list[tuple[int, str]]
    tempi: int
    remarks: list[str]
    style: str | None
    readings: list[ReadingAnswer] = []
    swing: float | None = None


class ModelFacts(BaseModel):
    """A model that can be chosen; what it writes where no style is said, and the options that it cannot keep."""

    name: str
    pieces: int | None
    notes: int | None
    nats_per_note: float | None
    typical_run: float | None
    default_style: str | None
    unheard_of: list[str]


class StyleFacts(BaseModel):
    """A style: what it is good for, and what holds in it where nothing is said."""

    good_for: str
    meter: str
    bpm: float
    range: str


class FeelFacts(BaseModel):
    """A feel: what it is good for, and the options that it sets."""

    about: str
    options: dict[str, Any]
    program: int | None


class Choices(BaseModel):
    """What there is to choose from.

    `words` are the values of options that are told one by one; `grooves` what each is good for.
    """

    version: str
    models: list[ModelFacts]
    default_model: str
    styles: dict[str, StyleFacts]
    feels: dict[str, FeelFacts]
    words: dict[str, list[str]]
    scales: list[str]
    instruments: list[str]
    grooves: dict[str, str]
    keeps: list[str]
    limits: dict[str, tuple[float, float]]


class Problem(BaseModel):
    """What went wrong, in a sentence."""

    detail: str
