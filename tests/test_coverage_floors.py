"""What `make test` says of coverage."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "scripts"))
from check_coverage import judged, rooms_of


def file(lines, missing, branches=0, without=0):
    counts = {
        "covered_lines": lines,
        "missing_lines": missing,
        "covered_branches": branches,
        "missing_branches": without,
    }
    return {"summary": counts}


FILES = {
    "melodygru/__init__.py": file(4, 0),
    "melodygru/errors.py": file(3, 1),
    "melodygru/music/melody.py": file(10, 0, 1, 1),
    "/somewhere/melodygru/music/deep/chords.py": file(0, 10, 1, 1),
}


def test_modules_are_counted_by_room():
    rooms = rooms_of(FILES)
    assert rooms["front door"] == {"lines": (4, 4), "branches": (0, 0)}
    assert rooms["errors"]["lines"] == (3, 4)
    assert rooms["music"] == {"lines": (10, 20), "branches": (2, 4)}


def test_what_is_under_its_floor_is_said_and_what_has_none():
    floors = {"front door": [100, 100], "errors": [75, 0], "music": [50, 51], "cellar": [1, 1]}
    lines, wrong = judged(rooms_of(FILES), floors)
    assert len(lines) == 4
    assert [sentence.split(";")[0] for sentence in wrong] == [
        "cellar has a floor in pyproject.toml, but there is no such room.",
        "The tests go through 50.0 % of the branches of music",
    ]
    _, wrong = judged(rooms_of(FILES), {})
    assert wrong == [f"{room} has no floor in pyproject.toml; enter one." for room in ("errors", "front door", "music")]
