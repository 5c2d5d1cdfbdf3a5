"""The images of the original's layout: coarse, fine, and the bicubic interpolation of the coarse one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepcams.grid import Grid
from deepcams.io.analyses import Field
from deepcams.io.images import refuse_unknown, write_mat, write_png16, write_sidecar
from deepcams.spatial.interpolation import CUBIC, interpolate
from deepcams.sphere import to_blocks
from deepcams.training.pairs import BICUBIC, COARSE, FINE


@dataclass(frozen=True)
class Pictures:
    """Makes images of whole cells from fields: the rows on the poles, which are half cells, are left out.

    Attributes:
        grid: the coarse fields' grid.
        factor: the refinement to the fine ones.
    """

    grid: Grid
    factor: int

    @property
    def fine(self) -> Grid:
        """The grid of the fine images: their first column is the first of the first coarse cell."""
        middle, step = (self.factor - 1) // 2, self.grid.step / self.factor
        north, west = float(self.grid.latitude[self._rows][0]) + middle * step, self.grid.west - middle * step
        count = len(self.grid.latitude[self._rows])
        return Grid(north, west, step, self.factor * count, self.factor * self.grid.columns)

    @property
    def _rows(self) -> slice:
        return slice(int(self.grid.north_pole), self.grid.rows - self.grid.south_pole)

    def of(self, fine: Field, coarse: Field) -> dict[str, Field]:
        """The images of an hour, by the names of their folders.

        Args:
            fine: (rows, columns) on the grid refined.
            coarse: (grid.rows, grid.columns).
        """
        smooth = interpolate(coarse, self.grid, self.factor, kernel=CUBIC, conserving=False)
        blocks = {FINE: to_blocks(fine, self.grid, self.factor), BICUBIC: smooth}
        images = {kind: one[self._rows].reshape(self.fine.shape) for kind, one in blocks.items()}
        return {COARSE: coarse[self._rows], **images}

    def write(self, folder: Path, name: str, fine: Field, coarse: Field, form: str, scale: float | None) -> None:
        """Write the images of an hour.

        Args:
            folder: of the split.
            name: of the files, without suffix.
            fine: as in :meth:`of`.
            coarse: as in :meth:`of`.
            form: ``png`` or ``mat``.
            scale: ug m-3 at full range; for PNG only.
        """
        for kind, image in self.of(fine, coarse).items():
            (folder / kind).mkdir(parents=True, exist_ok=True)
            path = folder / kind / f"{name}.{form}"
            if form == "png" and scale is not None:
                write_png16(path, image, scale)
            else:
                write_mat(path, image)

    def write_sidecar(self, folder: Path, scale: float | None, origin: Mapping[str, Any]) -> None:
        """Write ``scale.json``, with the place of the images."""
        write_sidecar(folder, scale, self.fine, origin)


def needed_scale(hours: Iterable[tuple[str, Mapping[str, Field]]], progress: Callable[[int], None]) -> float:
    """The largest value in any image of the named hours; the bicubic ones may overshoot the others.

    Raises:
        InputError: if an image cannot be a PNG: it has unknown values.
    """
    largest = 0.0
    for name, images in hours:
        for image in images.values():
            refuse_unknown(name, image)
            largest = max(largest, float(image.max()))
        progress(1)
    return largest
