"""Which of the melodies that were drawn are given: candidates made by hand, of which some are the same."""

import pytest

from melodygru import Melody, Note
from melodygru.writing.candidates import Candidate, Generated, Rating
from melodygru.writing.selection import _SPARE, BestOfAll, Selection


def candidate(number, pitch=None, liking=0.0, total=None):
    """A melody of one note; the pitch makes it what it is."""
    pitch = number if pitch is None else pitch
    rating = None if total is None else Rating(total, total, total, total)
    return Candidate(Generated(Melody((Note(pitch % 128, pitch, 24),)), rating=rating, number=number), liking)


def numbers(found):
    return [one.number for one in found]


def test_as_they_come_each_new_one_is_given_at_once():
    selection = Selection()
    assert numbers(selection.choose([candidate(0), candidate(1), candidate(2, pitch=0)])) == [0, 1]
    assert numbers(selection.choose([candidate(3, pitch=1), candidate(4)])) == [4]
    assert selection.found == 3
    # Where two were the same, what is drawn besides fills up; in the order in which it was drawn.
    selection.keep([candidate(5, pitch=4), candidate(6), candidate(7)])
    assert selection.found == 5
    assert numbers(selection.fill(4)) == [6]
    assert numbers(selection.fill(5)) == [6, 7]


def test_of_each_few_the_best_liked_is_given_and_the_others_fill_up_in_their_order():
    selection = Selection(4)
    first = [candidate(n, liking=liking) for n, liking in enumerate([0.1, 0.7, 0.7, -2.0])]
    second = [candidate(n, liking=liking) for n, liking in ((4, 1.0), (5, 3.0), (6, 2.0), (7, 0.0))]
    second[1] = candidate(5, pitch=1, liking=3.0)  # like one before, so the next best is chosen
    assert numbers(selection.choose([*first, *second])) == [1, 6]
    assert numbers(selection.fill(7)) == [0, 2, 3, 4, 7]
    assert numbers(selection.fill(3)) == [0]
    assert selection.found == 7


def test_a_few_that_are_all_like_others_give_nothing():
    selection = Selection(2)
    assert numbers(selection.choose([candidate(0), candidate(1), candidate(2, pitch=0), candidate(3, pitch=1)])) == [0]
    assert selection.found == 2


def test_no_more_are_kept_than_may_be_of_use():
    selection = Selection(4)
    for window in range(400):
        list(selection.choose([candidate(4 * window + place) for place in range(4)]))
    assert _SPARE <= len(selection.kept) < _SPARE + 4


def test_the_best_of_all_come_when_all_are_there_and_equals_in_their_order():
    selection = BestOfAll()
    totals = [0.5, 0.9, 0.5, 0.1, 1.0]
    assert numbers(selection.choose([candidate(n, total=total) for n, total in enumerate(totals)])) == []
    selection.keep([candidate(5, pitch=4, total=1.0), candidate(6, total=0.95)])
    assert selection.found == 6
    assert numbers(selection.fill(5)) == [4, 6, 1, 0, 2]


@pytest.mark.parametrize(("kind", "rated"), [(Selection, False), (BestOfAll, True)])
def test_ratings_are_asked_for_only_where_they_choose(kind, rated):
    assert kind().rated is rated
