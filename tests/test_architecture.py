"""The house stands as its picture shows it: rooms on floors, imports that only go down, and no circles."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
house = pytest.importorskip("draw_architecture", reason="grimp, which comes with import-linter, is not installed")


@pytest.fixture(scope="module")
def found():
    return house.imports()


def test_the_picture_is_of_these_rooms(found):
    stored = house.PICTURE.read_text("utf-8")
    assert stored == house.drawing(found), "the picture is stale: run `python scripts/draw_architecture.py`"


def test_every_room_has_a_floor_and_a_paragraph(found):
    rooms = [room for floor in house.floors() for room in floor]
    assert sorted(rooms) == sorted({house.room_of(module) for module in found} - {""})
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    for room in rooms:
        assert f"**`{room}" in text, room


def test_no_arrow_runs_up(found):
    assert len(house.arrows(found)) > 30
    assert house.upward(found) == set()


def test_no_module_imports_itself_round_a_circle(found):
    assert len(found) > 100
    assert house.circle(found) == []


def test_the_contract_is_short():
    assert 4 <= house.contract_lines() <= 10


def test_what_runs_up_and_round_is_seen():
    looped = {"melodygru.music.melody": {"melodygru.cli"}, "melodygru.cli": {"melodygru.music.melody"}}
    assert house.upward(looped) == {("music", "cli")}
    assert set(house.circle(looped)) == set(looped)
    assert house.room_of("melodygru") == house.room_of("melodygru.__main__") == ""


def test_words_are_escaped_and_the_order_of_modules_does_not_matter(found, monkeypatch):
    monkeypatch.setattr(house, "said_of", lambda room: "<a & b>")
    picture = house.drawing(found)
    assert "&lt;a &amp; b&gt;" in picture
    assert house.drawing(dict(reversed(found.items()))) == picture
