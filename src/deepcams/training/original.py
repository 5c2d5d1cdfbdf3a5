"""The original's folders, read and written: pairs of coarse and fine images, ``trainset/train`` and ``testset/eval``.

Each of the two holds ``LR4x`` (coarse), ``GT`` (fine) and ``Bicubic4x`` (the bicubic interpolation of the coarse one),
with the same names of files. The refinement is what the shapes say, not what "4x" says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepcams.errors import InputError
from deepcams.grid import Grid
from deepcams.io.analyses import Field
from deepcams.io.images import (
    SIDECAR,
    SUFFIXES,
    Sidecar,
    find_sidecar,
    image_shape,
    read_image,
    refuse_unknown,
    write_mat,
    write_png16,
    write_sidecar,
)
from deepcams.spatial.interpolation import CUBIC, interpolate
from deepcams.sphere import to_blocks
from deepcams.training.series import Series
from deepcams.units import micrograms_per

COARSE, FINE, BICUBIC = "LR4x", "GT", "Bicubic4x"
TRAINING, TEST = Path("trainset/train"), Path("testset/eval")
_HELD_OUT = ("eval", "testset")
_STEP = 0.25  # degrees, of fine images that do not say where they are
_INSIDE = (Path(), Path("train"), Path("eval"), TRAINING, TEST)


def is_original(path: Path) -> bool:
    """Whether this is a folder in the original's layout, or one split of it."""
    return bool(_splits(path))


def open_original(path: Path, *, units: str | None, scale: float | None) -> list[Series]:
    """The series of images in a folder: one for training, one held out, or the one that is there.

    Args:
        path: the folder that holds ``trainset`` and ``testset``, or one of them, or one split.
        units: of the values in MATLAB files, if no sidecar says it or says it wrongly.
        scale: ug m-3 at the full range of a PNG, if no sidecar says it or says it wrongly.

    Raises:
        InputError: if pairs are missing or do not match, or nothing tells the scale.
    """
    return [_series(path, folder, units, scale) for folder in _splits(path)]


def _splits(path: Path) -> list[Path]:
    """The folders below (or at) a path that hold fine or coarse images."""
    found = [path / inside for inside in _INSIDE]
    return [folder for folder in found if (folder / FINE).is_dir() or (folder / COARSE).is_dir()]


@dataclass(frozen=True)
class _Images:
    """The images of one split, and how to read them."""

    paths: tuple[Path, ...]
    shape: tuple[int, int]
    scale: float | None
    unit: float | None

    def read(self, number: int) -> Field:
        """Image ``number`` as concentrations."""
        return read_image(self.paths[number], self.scale, unit=self.unit)


def _series(root: Path, folder: Path, units: str | None, scale: float | None) -> Series:
    """The series of one split."""
    sidecar = find_sidecar(folder)
    unit = micrograms_per(units) if units else sidecar.unit
    fine_paths, coarse_paths = _pairs(folder)
    fine, coarse = (_Images(paths, _shape(paths), scale or sidecar.scale, unit) for paths in (fine_paths, coarse_paths))
    _refuse_unknown_scale(fine, folder)
    grid, coarse_grid = _grids(fine, coarse, sidecar)
    held_out = folder.name in _HELD_OUT
    name = f"{root.name or root.absolute().name}/{folder.name}" if folder != root else folder.absolute().name
    return Series(name, grid, None, fine.read, coarse.read, coarse_grid, len(fine_paths), held_out)


def _pairs(folder: Path) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """The fine and the coarse images, in order of their names, one beside the other."""
    kinds = [_images(folder / kind) for kind in (FINE, COARSE)]
    for own, other, kind in ((kinds[0], kinds[1], COARSE), (kinds[1], kinds[0], FINE)):
        alone = sorted(own.keys() - other.keys())
        if alone:
            raise InputError(f"{own[alone[0]]}: no image of this name in {folder / kind} ({len(alone)} of {len(own)} lack "
                             "theirs); wanted pairs of the same name")  # fmt: skip
    if not kinds[0]:
        raise InputError(f"{folder}: no {' or '.join(SUFFIXES)} image in {FINE} and {COARSE}")
    names = sorted(kinds[0])
    return tuple(kinds[0][name] for name in names), tuple(kinds[1][name] for name in names)


def _images(folder: Path) -> dict[str, Path]:
    """The images in a folder, by name without suffix."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; wanted {FINE} and {COARSE} beside each other")
    paths = [one for one in sorted(folder.iterdir()) if one.suffix.lower() in SUFFIXES and not one.name.startswith(".")]
    return {path.stem: path for path in paths}


def _shape(paths: tuple[Path, ...]) -> tuple[int, int]:
    """The shape of all images.

    Raises:
        InputError: naming the first one that has another shape than the first.
    """
    shape = image_shape(paths[0])
    for path in paths[1:]:
        if image_shape(path) != shape:
            raise InputError(f"{path}: {_by(image_shape(path))} values, and {_by(shape)} in {paths[0].name}; "
                             "wanted one shape for all")  # fmt: skip
    return shape


def _refuse_unknown_scale(images: _Images, folder: Path) -> None:
    """Refuse images whose scale or unit is not known, before any is wanted."""
    images.read(0)
    if images.scale is None and any(path.suffix.lower() == ".png" for path in images.paths):
        raise InputError(
            f"{folder}: the scale of the PNG images is unknown: give it with --scale or in a file {SIDECAR}"
        )


def _grids(fine: _Images, coarse: _Images, sidecar: Sidecar) -> tuple[Grid, Grid]:
    """The grids of fine and coarse images; where nothing tells their place, around the equator.

    Raises:
        InputError: if no odd number of fine cells goes into a coarse one.
    """
    factor = round(fine.shape[1] / coarse.shape[1])
    middle = (factor - 1) // 2
    nodes_of: dict[tuple[int, int], Callable[[], tuple[Grid, Grid]]] = {
        (factor * coarse.shape[0], factor * coarse.shape[1]): lambda: _cells(fine, coarse, factor, sidecar.place),
        (factor * coarse.shape[0] - 2 * middle, factor * coarse.shape[1]): lambda: _globe(coarse, factor),
    }
    if fine.shape not in nodes_of or factor % 2 == 0 or factor < 3:
        raise InputError(f"{fine.paths[0]}: {_by(fine.shape)} values, and {_by(coarse.shape)} in {COARSE}: wanted an odd "
                         "number of fine rows and columns for each coarse one, the same for both")  # fmt: skip
    return nodes_of[fine.shape]()


def _cells(fine: _Images, coarse: _Images, factor: int, place: tuple[float, float, float] | None) -> tuple[Grid, Grid]:
    """The grids of images that are whole cells."""
    rows, columns = fine.shape
    made_up = min(_STEP, 180 / rows, 360 / columns)
    north, west, step = place or (made_up * (rows - 1) / 2, 0.0, made_up)
    middle = (factor - 1) // 2
    grid = Grid(north, west, step, rows, columns)
    return grid, Grid(grid.north - middle * step, grid.west + middle * step, factor * step, *coarse.shape)


def _globe(coarse: _Images, factor: int) -> tuple[Grid, Grid]:
    """The grids of images of the whole globe with rows on the poles."""
    grid = Grid(90, 0, 360 / coarse.shape[1], *coarse.shape)
    return grid.refine(factor), grid


def _by(shape: tuple[int, int]) -> str:
    return f"{shape[0]} x {shape[1]}"


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
