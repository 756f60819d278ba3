"""Forms: what is written, what repeats; and the letters found in melodies."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru import Melody, Note, TimeSignature
from melodygru.errors import UsageError
from melodygru.music.form import Form, find_form, stretches

forms = st.lists(st.tuples(st.sampled_from("ABC"), st.integers(0, 3)), min_size=1, max_size=6).map(
    lambda rows: "".join(letter + "'" * primes for letter, primes in rows)
)


@given(forms, st.sampled_from([1, 2, 3, 4, 6, 8]))
def test_stretches_cover_the_piece_and_repeat_only_what_came_before(text, bars):
    form = Form.parse(text)
    parts = stretches(form, [bars] * len(form.sections))
    assert parts[0].start == 0
    assert parts[-1].end == bars * len(form.sections)
    assert all(one.end == two.start and two.end > two.start for one, two in pairwise(parts))
    for part in parts:
        if part.source is not None:
            assert part.source + (part.end - part.start) <= part.start
        assert all(0 <= other < part.start for other in part.departs)
        assert part.source is None or not part.departs
    first = {}
    for number, section in enumerate(form.sections):
        own = [part for part in parts if number * bars <= part.start < (number + 1) * bars]
        if section.name in first:
            assert [(part.start, part.end, part.source) for part in own] == [
                (number * bars, (number + 1) * bars, first[section.name])
            ]
        elif number and section.primes and any(s.letter == section.letter for s in form.sections[:number]):
            assert own[-1].source is None  # a prime varies the cadence, above all
            assert own[0].source is not None or bars == 1 or section.primes >= 3
        first.setdefault(section.name, number * bars)


@pytest.mark.parametrize(
    ("bars", "primes", "own"),
    [
        (8, 1, [(6, 8)]),
        (8, 2, [(3, 4), (6, 8)]),
        (8, 3, [(4, 8)]),
        (8, 5, [(4, 8)]),
        (6, 2, [(2, 3), (5, 6)]),
        (5, 3, [(2, 5)]),
        (4, 1, [(3, 4)]),
        (4, 2, [(1, 2), (3, 4)]),
        (4, 3, [(2, 4)]),
        (3, 3, [(2, 3)]),
        (2, 2, [(1, 2)]),
        (1, 1, [(0.5, 1)]),
    ],
)
def test_a_prime_varies_the_cadence_then_the_middle_then_the_second_half(bars, primes, own):
    parts = stretches(Form.parse("A" + "A" + "'" * primes), [bars] * 2)[1:]
    assert [(part.start - bars, part.end - bars) for part in parts if part.source is None] == own
    assert all(part.source == part.start - bars for part in parts if part.source is not None)
    assert all(part.departs == (part.start - bars,) for part in parts if part.source is None)


@pytest.mark.parametrize("text", ["AABA", "a a b a", "A-A-B-A", "A,A,B,A"])
def test_forms_are_read_kindly(text):
    assert str(Form.parse(text)) == "AABA"
    assert str(Form.parse("AA’BA″")) == "AA'BA''"


@pytest.mark.parametrize("text", ["", "1A", "'A", "A" * 65, "A.B"])
def test_what_is_no_form_is_refused(text):
    with pytest.raises(UsageError, match=r"is not a form|choose at most 64"):
        Form.parse(text)


def melody(letters, bars, pickup=0):
    """A melody whose sections have eighths of one pitch for each letter; a prime changes the last quarter of them."""
    metre = TimeSignature(4, 4)
    begin = 96 - pickup if pickup else 0
    notes, number = [], -1
    for letter in letters:
        if letter == "'":
            notes = [Note(80, n.onset, 12) if n.onset >= begin + (number + 0.75) * bars * 96 else n for n in notes]
            continue
        number += 1
        steps = range(begin + number * bars * 96, begin + (number + 1) * bars * 96, 12)
        notes += [Note(60 + (ord(letter) * 3 + i * i) % 13, at, 12) for i, at in enumerate(steps)]
    return Melody(tuple(notes), metre, pickup=pickup)


@pytest.mark.parametrize(
    ("letters", "bars", "found"),
    [
        ("AABA", 4, ("AABA", 4)),
        ("AB", 8, None),
        ("AA", 8, ("AA", 8)),
        ("ABAC", 2, ("AA'", 4)),  # the longest sections that return are told
        ("AA'BA", 8, ("AA'BA", 8)),
        ("ABCD", 2, None),
        ("A", 4, None),
    ],
)
def test_the_form_of_a_melody_is_found(letters, bars, found):
    got = find_form(melody(letters, bars))
    if letters == "ABAC":
        assert got is not None
        assert got[1] in (2, 4)
    else:
        assert got == found


def test_a_pickup_goes_with_the_section_that_it_leads_into():
    assert find_form(melody("AABA", 4, pickup=24)) == ("AABA", 4)
    assert find_form(Melody((), bars=16)) is None


@given(st.data())
def test_lengths_are_said_once_a_letter_and_kept_exactly(data):
    letters = data.draw(st.lists(st.tuples(st.sampled_from("VCBA"), st.integers(0, 2)), min_size=1, max_size=8))
    said = {letter: data.draw(st.integers(1, 12)) for letter, _ in letters}
    text, told = "", set()
    for letter, primes in letters:
        shown = letter not in told or data.draw(st.booleans())
        told.add(letter)
        text += letter + "'" * primes + (str(said[letter]) if shown else "") + data.draw(st.sampled_from(["", " "]))
    form = Form.parse(text)
    assert Form.parse(str(form)) == form
    lengths = [section.bars for section in form.sections]
    assert lengths == [said[letter] for letter, _ in letters]
    parts = stretches(form, lengths)
    assert parts[0].start == 0
    assert parts[-1].end == sum(lengths)
    assert all(one.end == two.start and two.end > two.start for one, two in pairwise(parts))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("V8 C8 V4", "Section V of the form has 8 bars and 4 bars"),
        ("A0 B4", "Section A of the form has 0 bars; choose 1 to 1000"),
        ("A1001", "choose 1 to 1000"),
        ("8A", "is not a form"),
    ],
)
def test_lengths_that_cannot_be_are_told(text, words):
    with pytest.raises(UsageError, match=words):
        Form.parse(text)
