"""What happens inside a model while it hears a melody, for the page."""

from __future__ import annotations

import numpy as np

from melodygru.errors import UsageError
from melodygru.music.spelling import note_name
from melodygru.music.theory import Key
from melodygru.network.tokenizer import END, REST, TIE, note_value
from melodygru.network.trace import trace
from melodygru.studio import answers, messages
from melodygru.studio.models import Models, interruptible
from melodygru.studio.takes import run_of
from melodygru.studio.work import Job


def look(job: Job, models: Models, asked: messages.Look) -> answers.LookAnswer:
    """What happens inside a model while it hears a melody."""
    model = models.get(asked.model)
    melody = asked.melody.tune()
    if not melody.notes:
        raise UsageError("The melody has no notes to look at; draw some.")
    heard = trace(interruptible(model, job.check).engine, melody)
    nats = heard.nats.sum(axis=0).tolist()
    gates = [layer["keep"] for layer in heard.gates if "keep" in layer]
    kept: list[float | None] = [None] * len(nats)
    if gates:
        kept = np.concatenate(gates, axis=1).mean(axis=1).tolist()
    notes: list[answers.Heard] = []
    firsts, rows = 0, list[tuple[int, int, float]]()
    events = zip(heard.onsets.tolist(), heard.events.durations.tolist(), heard.events.pitches.tolist(), strict=True)
    for at, (onset, duration, pitch) in enumerate(events):
        if duration != END and (value := kept[at]) is not None:
            rows.append((onset, duration, value))
        if pitch == TIE:
            notes[-1].nats += nats[at]
        elif pitch < REST:
            choices = heard.considered[at]
            firsts += (choices[0].duration, choices[0].pitch) == (duration, pitch)
            notes.append(
                answers.Heard(
                    onset=onset,
                    nats=nats[at],
                    keep=kept[at],
                    considered=[_choice(one.duration, one.pitch, one.probability, melody.key) for one in choices],
                )
            )
    return answers.LookAnswer(
        nats_per_note=sum(nats) / len(notes),
        first_choice=firsts / len(notes),
        run=run_of(job, model, melody),
        notes=notes,
        keep=rows,
    )


def _choice(duration: int, pitch: int, probability: float, key: Key) -> answers.Choice:
    if duration == END:
        return answers.Choice(pitch=None, duration=0, name="end of the tune", probability=probability)
    what = {REST: "rest", TIE: "longer by a"}.get(pitch) or note_name(pitch, key)
    return answers.Choice(
        pitch=pitch if pitch < REST else None,
        duration=duration,
        name=f"{what} {note_value(duration)}",
        probability=probability,
    )
