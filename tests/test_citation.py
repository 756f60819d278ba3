"""What is said of the project to catalogues: model cards, and how it is cited."""

import re
import sys
from pathlib import Path

import pytest
import yaml

from melodygru.network.model_files import SHIPPED
from melodygru.version import __version__
from scripts.build_model_cards import CARDS, card, section

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("name", SHIPPED)
def test_the_cards_are_of_these_models(name):
    text = (CARDS / f"{name}.md").read_text("utf-8")
    assert text == card(name), "run: python scripts/build_model_cards.py"
    head = yaml.safe_load(text.split("---\n")[1])
    assert head["license"] == "mit"
    assert head["library_name"] == "melodygru"
    (entry,) = head["model-index"]
    assert entry["name"] == name
    (result,) = entry["results"]
    assert {"task", "dataset", "metrics"} == set(result)
    assert 0 < result["metrics"][0]["value"] < 5
    assert not re.search(r"\]\((?!https?:)", text)  # a card stands alone


def test_a_model_that_no_document_describes_has_no_card():
    with pytest.raises(SystemExit, match="no section nothing"):
        section("nothing")


def test_the_citation_is_of_this_version():
    said = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert said["cff-version"] == "1.2.0"
    assert said["type"] == "software"
    assert said["title"] == project["name"]
    assert said["license"] == project["license"]
    assert said["version"] == __version__
    assert all(said["authors"])
    assert said["message"]
