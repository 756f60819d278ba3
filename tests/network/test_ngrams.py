import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru import Key, TimeSignature
from melodygru.network import ngrams
from melodygru.network.mixing import experts
from melodygru.network.ngrams import NOTES_BEFORE, ORDERS, Heard, LongTerm, shares
from melodygru.network.tokenizer import END, REST, TIE, Events, PieceMeta
from melodygru.network.viewpoints import VIEWPOINTS, Notes

METAS = [PieceMeta(), PieceMeta(TimeSignature(6, 8), Key(7, "minor"), 8, True), PieceMeta(TimeSignature(3, 4), Key(2))]


def piece(notes, meta=METAS[0]):
    """A piece of (duration, pitch class) events, and END."""
    durations, pitches = zip(*notes, (END, REST), strict=True)
    return Events(np.array(durations), np.array(pitches), meta)


@st.composite
def pieces(draw, most=14):
    pitches = st.sampled_from([60, 62, 62, 64, 65, 67, REST, TIE])
    notes = draw(st.lists(st.tuples(st.sampled_from([12, 24]), pitches), min_size=1, max_size=most))
    return piece(notes, draw(st.sampled_from(METAS)))


def notes_of(events):
    """Each note of a piece in order, plainly: its pitch, and its `Notes` of one."""
    onset, before = 0, -1
    meta = events.meta
    bar = meta.time_signature.bar_steps
    for duration, pitch in zip(events.durations.tolist(), events.pitches.tolist(), strict=True):
        if pitch < REST:
            left = meta.bars + meta.has_pickup - onset // bar
            told = (before, meta.key.tonic, duration, onset % bar, bar, meta.time_signature.beat_steps, left)
            yield pitch, Notes(*(np.array([number]) for number in told))
            before = pitch
        onset += duration


class Plain:
    """PPM* of one viewpoint, as slowly and plainly as it can be said: dictionaries of tuples."""

    def __init__(self, view, once=False):
        self.view, self.once = view, once
        self.after = {}

    def seen(self, events):
        """Of each note: its contexts from order 0 on, its pitch less its base (None without one), and its base."""
        codes = []
        for pitch, note in notes_of(events):
            known = int(note.known()[self.view, 0])
            before = (codes[::-1] + [None] * NOTES_BEFORE)[:NOTES_BEFORE]
            contexts = [(), *((known, *before[:count]) for count in range(NOTES_BEFORE + 1))]
            base = int(note.base()[self.view, 0])
            yield contexts, pitch - base if base >= 0 else None, base
            codes.append(int(note.codes(np.array([pitch]))[self.view, 0]))

    def learn(self, contexts, symbol, token):
        for order, context in enumerate(contexts):
            longer = contexts[order + 1] if order + 1 < ORDERS else token
            self.after.setdefault((order, context), {}).setdefault(symbol, set()).add(longer)

    def chances(self, contexts, base):
        """(128,) probabilities."""
        chances = np.full(REST, 1 / REST)
        if base < 0:
            return chances
        for order, context in enumerate(contexts):
            found = self.after.get((order, context))
            if found is None:
                break
            counts = {symbol: 1 if self.once else len(longer) for symbol, longer in found.items()}
            total = sum(counts.values()) + len(counts)
            chances = chances * len(counts) / total
            for symbol, count in counts.items():
                chances[symbol + base] += count / total
            if len(counts) == 1 and not self.once:
                break
        return chances


def stepwise(long_term, events):
    """(E, T, 128) what all experts say of each event of a piece."""
    heard, said = Heard([events.meta], 2), []
    for duration, pitch in zip(events.durations, events.pitches, strict=True):
        said.append(experts(long_term, heard, np.array([duration]))[0][:, 0])
        heard.advance(np.array([duration]), np.array([pitch]))
    return np.stack(said, axis=1)


def test_a_pitch_is_as_likely_as_when_worked_out_by_hand():
    # C D C E in quarters, whose intervals are +2 -2 +4, and then C: what comes after an interval of -4?
    learned = piece([(24, 60), (24, 62), (24, 60), (24, 64)])
    heard = piece([(24, 64), (24, 60), (24, 62)])
    said = np.exp(stepwise(LongTerm.of([learned]), heard)[0, 2])
    # No context with -4 is known; nor is one of the note's, which the viewpoint knows nothing of, but for the empty:
    # orders 0 and 1 each have +2, -2 and +4 once, so each keeps half, and half of a half goes to all pitches.
    for interval in (2, -2, 4):
        assert said[60 + interval] == pytest.approx(3 / 4 / 3 + 1 / 4 / 128)
    assert said[61] == pytest.approx(1 / 4 / 128)


def test_each_context_keeps_its_share_and_escapes_to_the_next_shorter_one():
    # Of order 1, two counts of one kind: 2/3 stay, 1/3 escapes, of which 4/6 stay with order 0.
    counts, kinds = np.array([[4.0, 2.0]]), np.array([[2.0, 1.0]])
    np.testing.assert_allclose(shares(counts, kinds), [[1 / 3 / 6, 1 / 3]])


@given(st.lists(pieces(), min_size=1, max_size=4), pieces())
def test_long_term_is_the_plain_model(learned, due):
    said = np.exp(stepwise(LongTerm.of(learned), due))
    for view in range(len(VIEWPOINTS)):
        plain = Plain(view)
        for number, events in enumerate(learned):
            for place, (contexts, symbol, _) in enumerate(plain.seen(events)):
                if symbol is not None:
                    plain.learn(contexts, symbol, (number, place))
        sounding = np.flatnonzero(due.pitches < REST)
        for at, (contexts, _, base) in zip(sounding, plain.seen(due), strict=True):
            np.testing.assert_allclose(said[view, at], plain.chances(contexts, base), atol=1e-9)


@given(pieces(30))
def test_short_term_is_the_plain_model(due):
    said = np.exp(stepwise(LongTerm.of([]), due))
    for view in range(len(VIEWPOINTS)):
        plain = Plain(view, once=True)
        sounding = np.flatnonzero(due.pitches < REST)
        for at, (contexts, symbol, base) in zip(sounding, plain.seen(due), strict=True):
            np.testing.assert_allclose(said[len(VIEWPOINTS) + view, at], plain.chances(contexts, base), atol=1e-9)
            if symbol is not None:
                plain.learn(contexts, symbol, at)


@given(st.lists(pieces(), min_size=1, max_size=3), pieces())
def test_what_is_said_sums_to_one(learned, due):
    np.testing.assert_allclose(np.exp(stepwise(LongTerm.of(learned), due)).sum(axis=-1), 1)


def test_only_the_latest_notes_are_remembered(monkeypatch):
    monkeypatch.setattr(ngrams, "HISTORY", 8)
    random = np.random.default_rng(4)
    notes = [(24, int(pitch)) for pitch in random.choice([60, 62, 64], 40)]
    long, short = piece(notes), piece(notes[-7 - NOTES_BEFORE :])
    said = [stepwise(LongTerm.of([]), one)[len(VIEWPOINTS) :, -2] for one in (long, short)]
    # Seven notes are looked at, with what came before them; where the bar stands is another matter.
    np.testing.assert_allclose(said[0][[0, 1, 2]], said[1][[0, 1, 2]])


def test_a_melody_hears_itself_alone_whoever_is_beside_it():
    long_term = LongTerm.of([piece([(24, 60 + i % 5) for i in range(30)])])
    random = np.random.default_rng(1)
    rows = [[(int(random.choice([12, 24])), int(random.choice([60, 62, 64, REST]))) for _ in range(80)] for _ in METAS]
    together, said = Heard(METAS, 2), []
    for events in zip(*rows, strict=True):
        durations, pitches = (np.array(column) for column in zip(*events, strict=True))
        said.append(experts(long_term, together, durations)[0])
        together.advance(durations, pitches)
    for row, meta in enumerate(METAS):
        alone = stepwise(long_term, piece(rows[row], meta))
        np.testing.assert_array_equal(alone[:, :-1], np.stack(said, axis=1)[:, :, row])


def test_those_that_are_kept_go_on_as_before():
    notes = [(24, 60 + (i * i) % 7) for i in range(30)]
    heard, kept = Heard(METAS, 2), Heard(METAS, 2)
    for at, (duration, pitch) in enumerate(notes):
        if at == 20:
            kept.keep(np.array([2, 0]))
        for one in (heard, kept):
            size = len(one.onset)
            one.advance(np.full(size, duration), np.full(size, pitch))
    logs = [one.log_probabilities(one.due(np.full(len(one.onset), 24)))[0] for one in (heard, kept)]
    np.testing.assert_array_equal(logs[0][:, [2, 0]], logs[1])
