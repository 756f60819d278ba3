"""What is wrong with a request, in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from reprlib import Repr
from typing import Any

_LONGEST_SENTENCE = 600
_shorten = Repr()
_shorten.maxstring = _shorten.maxother = _shorten.maxlong = 60
_shorten.maxlevel = 2


def sentence(errors: Sequence[Any]) -> str:
    """What pydantic found, as a sentence about the first of them: which field, what it was, and what is legal."""
    error = errors[0]
    place = [str(part) for part in error["loc"] if part not in ("body", "query", "path")]
    where, kind = ".".join(place) or "The request", error["type"]
    if kind == "missing":
        return plain(f"{where} is missing; give it." if place else "The request has no body; send JSON.")
    if kind == "extra_forbidden":
        return plain(f"There is no {where}; leave it out.")
    if kind == "json_invalid":
        return plain(f"The request is no JSON ({error.get('ctx', {}).get('error', 'it cannot be read')}); send JSON.")
    said = error["msg"][:1].lower() + error["msg"][1:]
    said = said.replace("input should", "it should", 1).replace("value should", "it should", 1)
    return plain(f"{where} is {_shorten.repr(error.get('input'))}; {said}.")


def plain(text: str) -> str:
    """A sentence that can be sent whatever was in the request: in one line, not too long, without halves of letters."""
    text = " ".join(text.split())
    if len(text) > _LONGEST_SENTENCE:
        text = f"{text[: _LONGEST_SENTENCE * 2 // 3]} … {text[-_LONGEST_SENTENCE // 3 :]}"
    return text.encode("utf-8", "backslashreplace").decode()
