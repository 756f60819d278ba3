"""Write docs/cards/: of each shipped model a card in the form that the Hugging Face Hub reads.

    python scripts/build_model_cards.py

A card is the model's section of docs/models.md below a head of YAML, with what the checkpoint says of itself.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from melodygru.network.config import SUFFIX
from melodygru.network.model_files import SHIPPED
from melodygru.writing.model import Model, load_model

ROOT = Path(__file__).parent.parent
CARDS = ROOT / "docs" / "cards"


def section(name: str) -> str:
    """The model's section of docs/models.md, without its heading; links to other documents as plain words."""
    text = (ROOT / "docs" / "models.md").read_text("utf-8")
    found = re.search(rf"^## {re.escape(name)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise SystemExit(f"docs/models.md has no section {name}")
    return re.sub(r"\[([^\]\n]*)\]\((?!https?:)[^)\n]*\)", r"\1", found[1]).strip()


def head(name: str, model: Model) -> str:
    """What the Hub reads of a card: YAML, whose strings are JSON's."""
    said = model.provenance
    nats = round(float(said["validation_nats_per_note"]), 3)
    return "\n".join(
        [
            "---",
            "license: mit",
            "library_name: melodygru",
            "tags: [music, midi, symbolic-music, melody-generation, gru]",
            "model-index:",
            f"  - name: {json.dumps(name)}",
            "    results:",
            "      - task: {type: other, name: Melody generation}",
            f"        dataset: {{type: {json.dumps(name)}, name: "
            f"{json.dumps(str(said['validation_pieces']) + ' pieces held out in training')}}}",
            "        metrics:",
            f"          - {{type: nats_per_note, value: {nats}, name: Nats per note}}",
            "---",
        ]
    )


def card(name: str) -> str:
    """The whole card of a shipped model."""
    file = ROOT / "checkpoints" / f"{name}{SUFFIX}"
    model = load_model(file)
    said, config = model.provenance, model.checkpoint.model_config
    parameters = sum(weight.size for weight in model.checkpoint.weights.values())
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    facts = {
        "file": f"`{name}{SUFFIX}`, {file.stat().st_size:,} bytes, SHA-256 `{sha256}`",
        "weights": f"{parameters:,}, {config.layers} layers of {config.hidden} units ({config.cell})",
        "fingerprint": f"`{model.fingerprint}`",
        "learned from": f"{said['pieces']:,} pieces with {said['notes']:,} notes, every form of a piece counted",
        "held out": f"{said['validation_pieces']:,} pieces: {said['validation_nats_per_note']:.3f} nats per note",
        "made": f"{said['date']}, melodygru {said['melodygru']}, torch {said['torch']}",
    }
    rows = "\n".join(f"| {what} | {value} |" for what, value in facts.items())
    return f"""{head(name, model)}

# melodygru: {name}

Writes melodies as MIDI files. Written by `python scripts/build_model_cards.py` from what the file says of itself, and
from the project's page on its models.

    pip install melodygru
    melodygru generate --model {name} --bars 16 out.mid

## What the file says of itself

| | |
| --- | --- |
{rows}

## What was measured

{section(name)}
"""


def main() -> None:
    CARDS.mkdir(parents=True, exist_ok=True)
    for name in SHIPPED:
        (CARDS / f"{name}.md").write_text(card(name), "utf-8")


if __name__ == "__main__":
    main()
