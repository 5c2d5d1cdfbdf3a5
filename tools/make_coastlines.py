"""Make ``src/deepcams/plot/coastlines.npz`` from Natural Earth's land polygons (public domain).

The npm package world-atlas carries them as quantised TopoJSON (https://github.com/topojson/topojson-specification)::

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    python tools/make_coastlines.py package src/deepcams/plot/coastlines.npz

For each of the scales 110m and 50m the result holds ``points_<scale>`` (points, 2), longitude and latitude in
hundredths of a degree (int16), and ``starts_<scale>`` (lines,), the first point of each line. Longitudes run on across
the date line (to 190 and beyond), so that no line jumps.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SCALES = ("110m", "50m")
HUNDREDTHS = 100
SOUTH_END = -89.9  # degrees; farther south, a polygon only closes itself


def decode_arcs(path: Path) -> list[Floats]:
    """The arcs of a quantised TopoJSON file, each (points, 2) degrees of longitude and latitude."""
    topology = json.loads(path.read_text())
    scale, origin = (np.asarray(topology["transform"][key]) for key in ("scale", "translate"))
    return [np.cumsum(arc, axis=0) * scale + origin for arc in topology["arcs"]]


def split_artificial(arc: Floats) -> list[Floats]:
    """The arc without the segments that run along the antimeridian or the south pole: they are no coast."""
    on_edge = (np.abs(arc[:, 0]) > 180 - 1e-6) | (arc[:, 1] < SOUTH_END)
    artificial = on_edge[:-1] & on_edge[1:]
    parts = np.split(arc, np.flatnonzero(artificial) + 1)
    return [part for part in parts if len(part) > 1]


def unwrap(line: Floats) -> Floats:
    """The line with longitudes that never jump, moved by whole turns so that its middle is within -180..180."""
    longitude = np.unwrap(line[:, 0], period=360)
    middle = (longitude.min() + longitude.max()) / 2
    return np.column_stack([longitude - 360 * np.round(middle / 360), line[:, 1]])


def to_hundredths(line: Floats) -> NDArray[np.int16]:
    """The line in hundredths of a degree, without points that fall on the one before."""
    points = np.round(line * HUNDREDTHS).astype(np.int16)
    repeats = np.flatnonzero(~np.diff(points, axis=0).any(axis=1)) + 1
    return np.delete(points, repeats, axis=0)


def make(folder: Path, output: Path) -> None:
    """Write both scales' coastlines from ``folder/land-<scale>.json`` to ``output``."""
    arrays: dict[str, Any] = {}
    for scale in SCALES:
        arcs = decode_arcs(folder / f"land-{scale}.json")
        lines = [to_hundredths(unwrap(part)) for arc in arcs for part in split_artificial(arc)]
        lines = [line for line in lines if len(line) > 1]
        lengths = [len(line) for line in lines]
        arrays[f"points_{scale}"] = np.concatenate(lines)
        arrays[f"starts_{scale}"] = np.cumsum([0, *lengths[:-1]]).astype(np.int32)
    np.savez_compressed(output, **arrays)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python tools/make_coastlines.py WORLD_ATLAS_FOLDER OUTPUT.npz")
    make(Path(sys.argv[1]), Path(sys.argv[2]))
