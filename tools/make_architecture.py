"""Draw ``docs/images/architecture.svg``: the rooms of the package, and which may import which.

    python tools/make_architecture.py

The order is read from ``LEVELS`` of ``tests/test_rules.py``, which is what imports are held to; only the words beside it stand
here. A test says when the picture is no longer that order.
"""

from __future__ import annotations

import ast
from html import escape
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
RULES = REPOSITORY / "tests" / "test_rules.py"
PICTURE = REPOSITORY / "docs" / "images" / "architecture.svg"
# What a level is for, by one of its rooms.
WORDS = {
    "cli": "commands",
    "plot": "to look at",
    "fetch": "downloads",
    "stations": "learning and judging",
    "evaluation": "scores against fine truth",
    "verification": "whole and right",
    "production": "years of data",
    "downscaling": "arrays to a dataset",
    "pipeline": "the method",
    "spatial": "space and time",
    "layers": "parts of networks",
    "io": "files and stores",
    "sphere": "fields on the sphere",
    "grid": "plain values",
    "errors": "what can go wrong",
}
WIDTH, LEFT, RIGHT = 960, 200, 900  # the boxes of a level lie between left and right
HEIGHT, GAP, ROW = 30, 10, 46  # of a box; between boxes; from line to line
LETTER = 8.2  # width of a letter, pixels, on the safe side


def levels() -> list[list[str]]:
    """The rooms, level by level, the lowest first."""
    for node in ast.parse(RULES.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "LEVELS":
            return [sorted(names) for names in ast.literal_eval(node.value)]
    raise SystemExit(f"{RULES} has no LEVELS")


def lines(names: list[str]) -> list[list[tuple[str, float, float]]]:
    """The boxes of a level in as many lines as they need: name, left edge and width of each."""
    found: list[list[tuple[str, float, float]]] = [[]]
    x = float(LEFT)
    for name in names:
        width = len(name) * LETTER + 20
        if x + width > RIGHT:
            found.append([])
            x = LEFT
        found[-1].append((name, x, width))
        x += width + GAP
    return found


def words(names: list[str]) -> str:
    """What the level is for."""
    return next((text for name, text in WORDS.items() if name in names), "")


def draw() -> str:
    """The picture as SVG; the highest level is at the top, and imports go down."""
    parts, y = [], 30
    for number, names in enumerate(reversed(levels())):
        rows = lines(names)
        bottom = y + len(rows) * ROW
        shade = "#eef3f8" if number % 2 else "#ffffff"
        parts.append(f'<rect x="10" y="{y}" width="{RIGHT}" height="{bottom - y}" fill="{shade}"/>')
        middle = (y + bottom) / 2 + 5
        parts.append(
            f'<text x="{LEFT - 16}" y="{middle:g}" text-anchor="end" fill="#52606d">{escape(words(names))}</text>'
        )
        for line, row in enumerate(rows):
            parts += [box(name, x, y + line * ROW + (ROW - HEIGHT) / 2, width) for name, x, width in row]
        y = bottom
    parts.append(f'<path d="M935,30 V{y - 8}" stroke="#3a6ea5" stroke-width="2" marker-end="url(#arrow)"/>')
    parts.append(f'<text transform="translate(944,{(y + 30) / 2:g}) rotate(90)" text-anchor="middle" fill="#3a6ea5">'
                 "imports go down, or stay</text>")  # fmt: skip
    return HEAD.format(width=WIDTH, height=y + 20) + "\n".join(f"  {part}" for part in parts) + "\n</svg>\n"


def box(name: str, x: float, y: float, width: float) -> str:
    """A room."""
    return (
        f'<g><rect x="{x:g}" y="{y:g}" width="{width:g}" height="{HEIGHT}" rx="5" fill="#fbfbf9" stroke="#52606d"/>'
        f'<text x="{x + width / 2:g}" y="{y + 20:g}" text-anchor="middle" class="room">{escape(name)}</text></g>'
    )


HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img"
     aria-labelledby="title description" font-family="Helvetica, Arial, 'DejaVu Sans', sans-serif" font-size="14"
     fill="#1f2933">
  <title id="title">The rooms of the package</title>
  <desc id="description">From the command line at the top to the errors at the bottom; a module imports from its own level or
    from those below it.</desc>
  <defs>
    <style>.room {{ font-family: Menlo, Consolas, 'DejaVu Sans Mono', monospace; font-size: 13px }}</style>
    <marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="6" markerHeight="6" orient="auto">
      <path d="M0,0.8 L9.5,5 L0,9.2 z" fill="#3a6ea5"/>
    </marker>
  </defs>
  <rect x="0.5" y="0.5" width="959" height="{height}" rx="10" fill="#fbfbf9"/>
"""


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
