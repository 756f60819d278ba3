"""Messages stay one line that can be read, whatever value they quote."""

import pickle

from hypothesis import given
from hypothesis import strategies as st

from melodygru.errors import LONGEST_MESSAGE, CheckpointError, MelodyGRUError, UsageError


@given(st.text(), st.integers(0, 2000))
def test_whatever_a_message_quotes_it_is_one_line(quoted, times):
    text = str(UsageError(f"bars is {quoted * times}; choose a number from 1 to 1000."))
    assert text.isprintable()
    assert len(text) <= LONGEST_MESSAGE
    assert text.startswith("bars is ")
    assert text.endswith("; choose a number from 1 to 1000.")


def test_what_can_be_read_is_left_alone():
    for text in ("Größe ♭ is no key; choose C.", "x" * LONGEST_MESSAGE, ""):
        assert str(MelodyGRUError(text)) == text


def test_control_characters_are_told_as_people_write_them():
    assert str(MelodyGRUError("\x1b[31m\n\ud800")) == r"\x1b[31m\n\ud800"


def test_it_crosses_to_another_process():
    error = pickle.loads(pickle.dumps(CheckpointError("a\n" + "b" * 999)))
    assert (type(error), str(error)) == (CheckpointError, str(CheckpointError("a\n" + "b" * 999)))
