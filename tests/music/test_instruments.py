"""General MIDI's names."""

import warnings

from melodygru.music.instruments import find_program, program_name


def test_names_are_those_of_pretty_midi():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it imports pkg_resources
        import pretty_midi
    for number in range(128):
        assert program_name(number) == pretty_midi.program_to_instrument_name(number)
        assert find_program(program_name(number)) == number
