"""The correction: LightGBM's trees with what is needed to use them, as a text file that nothing in it is executed of."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from deepcams.errors import InputError
from deepcams.io.output import partial
from deepcams.stations.calibration.features import EPSILON, NAMES, Floats, Singles
from deepcams.stations.calibration.trees import check_trees

FORMAT = 1
SUFFIX = ".txt"
_TITLE = f"deepcams calibration {FORMAT}"
_LARGEST = 100_000_000  # bytes
_LARGEST_NUMBER = 20  # logarithm, or degrees


def require_lightgbm() -> Any:
    """The library of the trees.

    Raises:
        InputError: if it is not installed.
    """
    try:
        import lightgbm
    except (ImportError, OSError) as error:  # it needs the system's OpenMP library
        raise InputError(
            f'calibration needs the library lightgbm ({error}): run pip install "deepcams[stations]"'
        ) from error
    return lightgbm


class Limits(NamedTuple):
    """How far a correction may go, as logarithms of (corrected + eps) / (field + eps)."""

    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Correction:
    """A correction that was learned.

    Attributes:
        trees: LightGBM's text.
        smearing: what is added to the trees' logarithm so that the mean is not biased low.
        limits: within which the logarithm stays.
        step: degrees, of the grid it was learned on.
        facts: what else is known of it, JSON-ready: what it was learned from, its scores.
        sites: (n, 2) latitude and longitude of the cells it was learned at.
    """

    trees: str
    smearing: float
    limits: Limits
    step: float
    facts: Mapping[str, Any]
    sites: Floats

    @cached_property
    def _booster(self) -> Any:
        lightgbm = require_lightgbm()
        try:
            return lightgbm.Booster(model_str=self.trees)
        except (lightgbm.basic.LightGBMError, ValueError) as error:
            raise InputError(f"the trees of the correction cannot be used ({error})") from error

    def logarithm(self, features: Singles, *, threads: int = 1) -> Floats:
        """(n,) log((corrected + eps) / (field + eps)) for features (n, 17)."""
        found = self._booster.predict(features, num_threads=threads) + self.smearing
        return np.clip(found, *self.limits)

    def correct(self, field: Singles, features: Singles, *, threads: int = 1) -> Singles:
        """(n,) the corrected values, ug m-3: never negative, NaN where the field (n,) is."""
        ratio = np.exp(self.logarithm(features, threads=threads))
        corrected = np.maximum((field + EPSILON) * ratio - EPSILON, 0)
        return np.where(np.isfinite(field), corrected, np.nan).astype(np.float32)

    @cached_property
    def text(self) -> str:
        """The file's content."""
        head = {
            "features": NAMES,
            "epsilon": EPSILON,
            "smearing": self.smearing,
            "limits": self.limits,
            "step": self.step,
            "facts": self.facts,
            "sites": np.round(self.sites, 4).tolist(),
        }
        rest = f"{json.dumps(head, sort_keys=True)}\n{self.trees}"
        return f"{_title(rest)}\n{rest}"

    @property
    def sha256(self) -> str:
        """Of the file's content."""
        return _sha256(self.text)

    def save(self, path: Path, *, overwrite: bool) -> None:
        """Write the file.

        Raises:
            OutputError: if it cannot be written.
        """
        with partial(path, overwrite=overwrite) as temporary:
            temporary.write_bytes(self.text.encode())


def load(path: Path) -> Correction:
    """A correction that was saved.

    Raises:
        InputError: if it cannot be read, was changed, or is of another version or of other features.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise InputError(f"{path}: is larger than any correction; wanted a file of deepcams calibrate --save-model")
        text = path.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: cannot be read ({error}); wanted a file of deepcams calibrate --save-model"
        ) from error
    title, _, rest = text.partition("\n")
    head, _, trees = rest.partition("\n")
    if not title.startswith(f"{_TITLE},"):
        raise InputError(f"{path}: begins with {title[:40]!r}, wanted {_TITLE!r}: a file of deepcams calibrate --save-model of "
                         "this version")  # fmt: skip
    try:
        if title != _title(rest):
            raise InputError("is damaged or was changed: it is not what was saved")
        return _read(head, trees)
    except InputError as error:
        raise InputError(f"{path}: {error}; learn it anew with deepcams calibrate --save-model") from None


def _title(rest: str) -> str:
    """The first line of a file, which knows the others."""
    return f"{_TITLE}, sha256 of the rest {_sha256(rest)}"


def _read(head: str, trees: str) -> Correction:
    try:
        found = json.loads(head)
        if tuple(found["features"]) != NAMES or found["epsilon"] != EPSILON:
            raise InputError("was learned from other features than this version makes")
        low, high = map(float, found["limits"])
        smearing, step = float(found["smearing"]), float(found["step"])
        sites = np.array(found["sites"], np.float64)
        facts = dict(found["facts"])
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise InputError(f"is damaged: its second line cannot be understood ({error})") from error
    numbers = smearing, low, high, step
    sound = all(map(math.isfinite, numbers)) and low <= high and max(map(abs, numbers)) < _LARGEST_NUMBER and step > 0
    if not sound or sites.ndim != 2 or sites.shape[1:] != (2,) or not sites.size or not np.isfinite(sites).all():
        raise InputError("is damaged: its limits or its sites are no numbers")
    check_trees(trees, len(NAMES))
    return Correction(trees, smearing, Limits(low, high), step, facts, sites)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
