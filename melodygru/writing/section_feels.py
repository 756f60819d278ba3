"""Feels of sections: `--section "C: feel=anthem"` gives the sections of one letter what a feel sets for a part.

A feel's key, metre, tempo, length and sound are the whole piece's; what a section can have of its own is
`melodygru.writing.sections.OWN`. Files say what feels set, not their names, so that they are made again whatever a feel
of that name sets later.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from melodygru.errors import UsageError
from melodygru.writing.config import GenerationConfig
from melodygru.writing.feels import feel
from melodygru.writing.sections import FEEL, OF_MELODIES, parse_own, text_of


def with_feels(config: GenerationConfig, unheard: Collection[str] = ()) -> GenerationConfig:
    """What is asked for, in which sections say what their feels set, beneath what they say themselves.

    Left out are options in `unheard`, which a model cannot keep, see `melodygru.writing.styles.unheard_of`. Raises
    UsageError, naming the section, for a feel that there is not, or that sets nothing that a section can have.
    """
    form = config.parsed_form
    if form is None or config.section is None:
        return config
    own = parse_own(config.section, form)
    if not any(FEEL in wishes for wishes in own.values()):
        return config
    told = {letter: _written_out(letter, wishes, unheard) for letter, wishes in own.items()}
    return replace(config, section=text_of({letter: wishes for letter, wishes in told.items() if wishes}) or None)


def _written_out(letter: str, wishes: Mapping[str, Any], unheard: Collection[str]) -> dict[str, Any]:
    own = {name: value for name, value in wishes.items() if name != FEEL}
    if FEEL not in wishes:
        return own
    try:
        chosen = feel(str(wishes[FEEL]))
    except UsageError as error:
        raise UsageError(f"Section {letter}: {error}") from error
    of_a_part = {name: value for name, value in chosen.options.items() if name in OF_MELODIES}
    if not of_a_part:
        raise UsageError(
            f"Section {letter}: the feel {chosen.name} sets nothing that a section can have of its own "
            f"({', '.join(OF_MELODIES)}); choose another."
        )
    return {name: value for name, value in of_a_part.items() if name not in unheard} | own
