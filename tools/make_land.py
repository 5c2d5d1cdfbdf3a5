"""Make ``src/deepcams/land.npz`` from the bundled coastlines (Natural Earth, public domain).

    python tools/make_land.py src/deepcams/plot/coastlines.npz src/deepcams/land.npz

The coasts are drawn on a fine image of the globe, the sea is what can be reached from the open ocean or the Black Sea
without crossing one, and the rest, lakes included, is land. The result holds ``share`` (721, 1440) uint8: percent of land
around each node of the 0.25 degree grid (north first, longitude from 0), in a cell of that size.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

FINER = 10  # pixels of the image on a side of a cell
ROWS, COLUMNS = 721, 1440
# Latitude and longitude of a place in the Atlantic, and in the Black Sea: the Bosporus is narrower than a pixel.
SEAS = ((0.0, 330.0), (43.5, 34.5))
HUNDREDTHS = 100


def draw(points: NDArray[np.int16], starts: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The coasts as an image (rows, columns + margins), the globe repeated on both sides."""
    scale = 4 * FINER / HUNDREDTHS
    height, width = ROWS * FINER, COLUMNS * FINER
    image = np.zeros((height, 3 * width), np.uint8)
    for line in np.split(points.astype(np.float64), starts[1:]):
        y = (90 * HUNDREDTHS - line[:, 1]) * scale + FINER / 2
        for turn in (-1, 0, 1, 2):
            x = (line[:, 0] + 360 * HUNDREDTHS * turn) * scale + FINER / 2 + width
            cv2.polylines(image, [np.round(np.column_stack([x, y])).astype(np.int32)], False, 1, 1, cv2.LINE_4)
    return image[:, width : 2 * width]


def sea_of(coast: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """(rows, columns) what is joined to one of the seas without crossing a coast, also across the image's edges."""
    _, labels = cv2.connectedComponents(1 - coast, connectivity=4)
    places = [(round((90 - latitude) * 4 * FINER), round(longitude * 4 * FINER)) for latitude, longitude in SEAS]
    found = {int(labels[place]) for place in places}
    while True:
        sea = np.isin(labels, list(found))
        across = set(labels[sea[:, 0], -1].tolist()) | set(labels[sea[:, -1], 0].tolist())
        if across - {0} <= found:
            return sea
        found |= across - {0}


def main() -> None:
    """Make the file."""
    source, target = (Path(name) for name in sys.argv[1:3])
    with np.load(source) as content:
        coast = draw(content["points_50m"], content["starts_50m"])
    land = (~sea_of(coast)).astype(np.float32)
    share = land.reshape(ROWS, FINER, COLUMNS, FINER).mean(axis=(1, 3))
    np.savez_compressed(target, share=np.round(100 * share).astype(np.uint8))


if __name__ == "__main__":
    main()
