"""Random melodies for property tests: anything that the grid can hold."""

from hypothesis import strategies as st

from melodygru import Key, Melody, Note, TimeSignature
from melodygru.music.theory import MODES

keys = st.builds(Key, st.integers(0, 11), st.sampled_from(MODES))
metres = st.builds(TimeSignature, st.integers(1, 12), st.sampled_from([2, 4, 8, 16]))


@st.composite
def melodies(draw, max_notes=24, max_duration=260, min_notes=0, low=0, high=127):
    """Melodies with gaps, very long notes, pickups and silent bars at the end."""
    time_signature = draw(metres)
    bar = time_signature.bar_steps
    pickup = draw(st.one_of(st.just(0), st.integers(1, bar - 1))) if min_notes or draw(st.booleans()) else 0
    at = bar - pickup if pickup else draw(st.integers(0, 2 * bar))
    notes = []
    shortest = max(min_notes, 1 if pickup else 0)
    for index in range(draw(st.integers(shortest, max_notes))):
        if index:
            at += draw(st.one_of(st.just(0), st.integers(0, 300)))
        duration = draw(st.one_of(st.sampled_from([6, 8, 12, 24, 36, 48]), st.integers(1, max_duration)))
        notes.append(Note(draw(st.integers(low, high)), at, duration))
        at += duration
    tight = Melody(tuple(notes), time_signature, draw(keys), pickup=pickup)
    return Melody(
        tight.notes,
        time_signature,
        tight.key,
        draw(st.floats(20, 300)),
        draw(st.sampled_from(["", "Tune", "Größe ♭"])),
        pickup,
        tight.bars + draw(st.integers(0, 5)),
    )
