"""Write docs/styles.md: of every style a melody, as a roll and as a score, and the command that makes it again.

python scripts/build_styles_page.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from build_cookbook import ROOT, run

from melodygru.writing.styles import STYLES

PAGE = ROOT / "docs" / "styles.md"
PICTURES = ROOT / "docs" / "pictures" / "styles"
SEED = 1
BARS = 8
_HEAD = """# Styles

What `--style` knows, with the shipped model. Below each stand the first eight bars that it writes with `--seed 1`:
nothing was chosen. Metre, tempo and range belong to the style until others are asked for:
`--style waltz --key "E phrygian" --chords "Em F" --rests many` is a waltz still. Written by
`python scripts/build_styles_page.py`.
"""


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    lines = [_HEAD]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for style, what in STYLES.items():
            stem = style.replace(" ", "-")
            command = f'melodygru generate --style "{style}" --bars {BARS} --seed {SEED} {stem}.mid'
            run(command, folder)
            run(f'melodygru show {stem}.mid --out "{PICTURES / stem}-roll.svg" --size 900x260 --force', folder)
            run(f'melodygru score {stem}.mid "{PICTURES / stem}.svg" --force', folder)
            of = what.collection + (f", {what.kind}" if what.kind else "")
            lines += [f"## {style}", "", f"{what.good_for[0].upper()}{what.good_for[1:]}. Of the collection {of}; "]
            lines[-1] += f"{what.meter}, {what.bpm:g} quarters a minute, {what.range.replace(':', ' to ')}."
            lines += ["", "```console", f"$ {command}", "```", ""]
            lines += [f"![A {style} as a score](pictures/styles/{stem}.svg)", ""]
            lines += [f"![The same as a roll](pictures/styles/{stem}-roll.svg)", ""]
            print(style, flush=True)
    PAGE.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
