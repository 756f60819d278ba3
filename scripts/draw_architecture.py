"""Draw docs/pictures/architecture.svg from the imports: the floors, their rooms, and who imports whom.

    python scripts/draw_architecture.py

The floors are those of the import contract in pyproject.toml, the rooms' words the first sentences of their docstrings,
the arrows what grimp (import-linter's own reader) finds, imports within functions too. It is drawn from names alone, so
that a new import within a room, or from a room that is imported already, changes nothing: tests/test_architecture.py
fails when the picture is stale.
"""

from __future__ import annotations

import ast
import colorsys
import sys
import textwrap
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from xml.sax.saxutils import escape

import grimp

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "melodygru"
PICTURE = ROOT / "docs" / "pictures" / "architecture.svg"

# Pixels.
WIDTH, BOXES, LEFT, MARGIN = 1080, 640, 48, 16
LINE, PAD, GAP, LANE = 16, 10, 26, 30
CHARACTER = 6.7
"""The width of a character: names stand in a typewriter's font of 11 pixels."""
SAID = 6.3
"""The same of sentences, about: they stand in the reader's own font of 12 pixels."""
CAPTION = (
    "From each room a grey line leads to dots on the lanes of the rooms that it imports; a lane runs down to its room."
)


def floors() -> list[list[str]]:
    """The rooms of each floor, from the top down, as the import contract has them."""
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (layers,) = (one["layers"] for one in contract if one["type"] == "layers")
    return [[room.strip() for room in layer.split("|")] for layer in layers]


def contract_lines() -> int:
    """Lines of the import contract in pyproject.toml, its headings not counted."""
    _, _, after = (ROOT / "pyproject.toml").read_text("utf-8").partition("[tool.importlinter]\n")
    own, _, _ = after.partition("\n[")
    return sum(bool(line.strip()) for line in own.splitlines())


def imports() -> dict[str, set[str]]:
    """Of each module those that it imports, in functions too; not what is imported for types alone."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    graph = grimp.build_graph(PACKAGE, exclude_type_checking_imports=True, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def circle(found: dict[str, set[str]]) -> list[str]:
    """Modules that import one another in a circle; none if none do."""
    try:
        TopologicalSorter(found).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def room_of(module: str) -> str:
    """The room that a module stands in; empty for the front door (`__init__`, `__main__`), which is no room."""
    name = module.split(".")[1:2]
    return "" if name in ([], ["__main__"]) else name[0]


def arrows(found: dict[str, set[str]]) -> set[tuple[str, str]]:
    """Which room (first) imports which other."""
    pairs = {(room_of(module), room_of(other)) for module, others in found.items() for other in others}
    return {(one, other) for one, other in pairs if one and other and one != other}


def upward(found: dict[str, set[str]]) -> set[tuple[str, str]]:
    """Arrows that do not run down to a lower floor."""
    floor = {room: number for number, rooms in enumerate(floors()) for room in rooms}
    return {(one, other) for one, other in arrows(found) if floor[one] >= floor[other]}


def said_of(room: str) -> str:
    """The first sentence of a room's docstring."""
    place = ROOT / PACKAGE / room
    file = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    words = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
    return " ".join(words.split("\n\n")[0].split())


def contents(room: str, modules: list[str]) -> list[tuple[str, str]]:
    """What stands in a room: of each of its folders, the name and its modules; without a name its own."""
    inside: dict[str, list[str]] = defaultdict(list)
    folders = {module.rpartition(".")[0] for module in modules} | {f"{PACKAGE}.{room}"}
    for module in set(modules) - folders:
        *folder, name = module.split(".")[2:]
        inside["/".join(folder)].append(name)
    return [(f"{name}/" if name else "", " ".join(sorted(names))) for name, names in sorted(inside.items())]


def drawing(found: dict[str, set[str]]) -> str:
    """The whole picture as SVG."""
    house = floors()
    rooms = [room for floor in house for room in floor]
    pairs = arrows(found)
    hues = {room: _colour(place / len(rooms)) for place, room in enumerate(rooms)}
    # A lane runs down to each room that is imported. Those of lower rooms lie further out, so that no line that leaves
    # a lane for its room crosses another.
    lanes = {
        room: LEFT + BOXES + (place + 1) * LANE
        for place, room in enumerate(room for room in rooms if any(other == room for _, other in pairs))
    }
    boxes: list[str] = []
    leaves: dict[str, int] = {}
    enters: dict[str, tuple[int, str]] = {}
    y = MARGIN + GAP
    for number, floor in enumerate(house):
        held = [[module for module in found if room_of(module) == room] for room in floor]
        widths = _shared_out([sum(map(len, modules)) for modules in held])
        texts = [_words(room, modules, width) for room, modules, width in zip(floor, held, widths, strict=True)]
        tall = max(map(len, texts)) * LINE + 2 * PAD
        boxes.append(f'<text class="floor" x="{LEFT - 14}" y="{y + tall / 2 + 8:g}">{len(house) - number}</text>')
        x = LEFT
        for place, (room, lines, width) in enumerate(zip(floor, texts, widths, strict=True)):
            boxes.append(f'<rect class="room" x="{x}" y="{y}" width="{width}" height="{tall}" rx="5"/>')
            boxes.append(f'<rect x="{x}" y="{y}" width="6" height="{tall}" rx="3" fill="{hues[room]}"/>')
            boxes += [
                f'<text class="{kind}" x="{x + 16}" y="{y + PAD + LINE * row + 11}">{text}</text>'
                for row, (kind, text) in enumerate(lines)
            ]
            right, middle = x + width, x + width // 2
            if place == len(floor) - 1:
                leaves[room], enters[room] = y + tall - 14, (y + 14, f"H{right + 2}")
                start = f"M{right} {leaves[room]}"
            else:
                # Past its neighbour: in over the roof, out under the floor.
                leaves[room], enters[room] = y + tall + 9, (y - 9, f"H{middle}V{y - 2}")
                start = f"M{middle} {y + tall}V{leaves[room]}"
            out = [lanes[other] for one, other in pairs if one == room]
            if out:
                boxes.append(f'<path class="out" d="{start}H{max(out)}"/>')
            x += width + PAD
        y += tall + GAP
    for room, x in lanes.items():
        users = [one for one in rooms if (one, room) in pairs]
        top = min(leaves[one] for one in users)
        level, way = enters[room]
        boxes.append(f'<g stroke="{hues[room]}" fill="{hues[room]}"><title>{escape(room)} is imported by')
        boxes.append(f"{escape(', '.join(users))}</title>")
        boxes.append(f'<path class="lane" d="M{x} {top}V{level}{way}" marker-end="url(#{room})"/>')
        boxes += [f'<circle cx="{x}" cy="{leaves[one]}" r="4"/>' for one in users]
        boxes.append(
            f'<text class="name" transform="translate({x + 4} {top - 8}) rotate(-60)">{escape(room)}</text></g>'
        )
    height = y + MARGIN
    size = f'width="{WIDTH}" height="{height}"'
    marks = "".join(
        f'<marker id="{room}" viewBox="0 0 8 8" refX="6" refY="4" markerWidth="5" markerHeight="5" orient="auto">'
        f'<path d="M0 0L8 4L0 8z" fill="{hues[room]}"/></marker>'
        for room in lanes
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" {size} role="img">',
            f"<title>The rooms of {PACKAGE} on their floors, and which imports which</title>",
            STYLE,
            f"<defs>{marks}</defs>",
            f'<rect class="paper" {size}/>',
            *boxes,
            f'<text class="said" x="{LEFT}" y="{y}">{escape(CAPTION)}</text>',
            "</svg>\n",
        ]
    )


STYLE = """<style>
.paper { fill: #fff } .room { fill: #f6f7f9; stroke: #c9ced6 } text { fill: #1f2328 }
text { font: 11px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace }
.title { font-weight: bold; font-size: 13px } .folder { font-weight: bold }
.said { font-family: system-ui, sans-serif; font-size: 12px; fill: #59636e }
.floor { font: bold 20px system-ui, sans-serif; fill: #818b98; text-anchor: end }
.name { font-size: 10px; stroke: none }
.out { fill: none; stroke: #a9b1bc } .lane { fill: none; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
  .paper { fill: #0d1117 } .room { fill: #161b22; stroke: #3d444d } text { fill: #e6edf3 }
  .said { fill: #9198a1 } .floor { fill: #7d8590 } .out { stroke: #59636e }
}
</style>"""


def _colour(hue: float) -> str:
    """A colour of this hue, in [0, 1), that stands out as well from white as from what pages are in the dark."""
    found = ""
    for step in range(100):
        parts = colorsys.hls_to_rgb(hue, step / 100, 0.65)
        if sum(weight * part**2.2 for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True)) > 0.22:
            break
        found = "#" + "".join(f"{round(255 * part):02x}" for part in parts)
    return found


def _shared_out(sizes: list[int]) -> list[int]:
    """The widths of a floor's boxes: by what they hold, but none a fifth more or less than an equal share."""
    room, equal = BOXES - (len(sizes) - 1) * PAD, 1 / len(sizes)
    shares = [min(max(size / sum(sizes), 0.8 * equal), 1.2 * equal) for size in sizes]
    return [int(room * share / sum(shares)) for share in shares]


def _words(room: str, modules: list[str], width: int) -> list[tuple[str, str]]:
    """The lines of a room's box: their class and their text."""
    columns = int((width - 28) / CHARACTER)
    single = not (ROOT / PACKAGE / room).is_dir()
    lines = [("title", escape(f"{room}.py" if single else f"{room}/"))]
    lines += [("said", escape(line)) for line in textwrap.wrap(said_of(room), int((width - 28) / SAID))]
    for folder, names in contents(room, modules):
        for number, line in enumerate(textwrap.wrap(f"{folder} {names}".strip(), columns)):
            text = escape(line)
            if folder and not number:
                text = text.replace(escape(folder), f'<tspan class="folder">{escape(folder)}</tspan>', 1)
            lines.append(("modules", text))
    return lines


def main() -> None:
    found = imports()
    PICTURE.write_text(drawing(found), "utf-8", newline="\n")
    house = floors()
    print(f"{PICTURE.relative_to(ROOT)}: {sum(map(len, house))} rooms on {len(house)} floors, {len(found)} modules")
    print(f"arrows between rooms: {len(arrows(found))}, of them upwards: {len(upward(found))}")
    print(f"circles: {' -> '.join(circle(found)) or 0}")
    print(f"lines of the import contract: {contract_lines()}")


if __name__ == "__main__":
    main()
