"""Make ``src/colours.json``, the colours of the viewer's page, from those of ``deepcams.plot.scales``.

::

    python viewer/make_colours.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from matplotlib.colors import to_hex

from deepcams.plot import scales

STEPS = 256


def colours() -> dict[str, Any]:
    """The tables by scale, and what the classes are called."""
    particles = scales.Quantity("pm2p5", "PM2.5", "ug m-3")
    built = {name: scales.build_scale(name, particles, 1.0) for name in scales.SCALES}
    tables = {name: [to_hex(scale.colours(i)) for i in range(scale.colours.N)] for name, scale in built.items()}
    difference = scales.difference_scale(1.0).colours
    return {
        **tables,
        "difference": [to_hex(difference(i / (STEPS - 1))) for i in range(STEPS)],
        "missing": scales.MISSING_COLOUR,
        "edges": scales.WHO_EDGES,
        "names": {f"{edge:g}": name for edge, name in scales.WHO_NAMES.items()},
        "note": scales.WHO_NOTE,
    }


if __name__ == "__main__":
    target = Path(__file__).parent / "src" / "colours.json"
    target.write_text(json.dumps(colours(), ensure_ascii=False) + "\n", "utf-8")
