"""Pairs read back: what ``validate --pairs`` wrote, as the columns it was written from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.stations.files import PAIRS
from deepcams.stations.readers.streams import require_pyarrow
from deepcams.stations.table import Observations, Pairs, Stations, Texts

_TEXTS = {"ids": "id", "sensors": "sensor", "names": "name", "country": "country", "source": "source"}
_PLACE = ("latitude", "longitude")
_OBSERVED = ("begin", "period", "observed")
_COLUMNS = (*_TEXTS.values(), *_PLACE, *_OBSERVED)
"""What a file has besides the products."""


@dataclass(frozen=True, eq=False)
class StoredPairs:
    """The pairs of a validation.

    Attributes:
        pairs: observations with the values of all products; what they do not need (zones) is empty.
        provenance: what made them, as the file tells it; empty if it does not.
    """

    pairs: Pairs
    provenance: dict[str, Any]


def read_pairs(path: Path, products: Sequence[str] = ()) -> StoredPairs:
    """The pairs that a validation wrote.

    Args:
        path: the file, or the validation's folder.
        products: those wanted, in this order; none for all.

    Raises:
        InputError: if there is no such file, it does not hold pairs, or lacks a product.
    """
    require_pyarrow()
    import pyarrow as pa
    import pyarrow.parquet

    file = path / PAIRS if path.is_dir() else path
    if not file.is_file():
        raise InputError(
            f"{file}: does not exist; wanted the pairs of a validation: deepcams validate ... --pairs --out DIR"
        )
    try:
        schema = pyarrow.parquet.read_schema(file)
        names = _products(file, schema.names, products)
        table = pyarrow.parquet.read_table(file, columns=[*_COLUMNS, *names])
        return StoredPairs(_pairs(table, names), _provenance(schema.metadata))
    except (pa.ArrowException, OSError) as error:
        what = str(error).splitlines()[0]
        raise InputError(f"{file}: cannot be read ({what}); wanted {PAIRS} as validate --pairs writes it") from error


def _products(file: Path, found: Sequence[str], wanted: Sequence[str]) -> tuple[str, ...]:
    """The products to read."""
    missing = [name for name in _COLUMNS if name not in found]
    if missing:
        raise InputError(f"{file}: has no column {', '.join(missing)}, there are {', '.join(found) or 'none'}; wanted "
                         f"{PAIRS} as validate --pairs writes it")  # fmt: skip
    present = [name for name in found if name not in _COLUMNS]
    unknown = [name for name in wanted if name not in present]
    if unknown or not present:
        raise InputError(f"{file}: has no product{''.join(f' {name}' for name in unknown)}; there are "
                         f"{', '.join(present) or 'none'}")  # fmt: skip
    return tuple(dict.fromkeys(wanted)) or tuple(present)


def _pairs(table: Any, products: Sequence[str]) -> Pairs:
    """The columns of a table."""
    import pyarrow as pa

    def column(name: str, dtype: Any) -> NDArray[Any]:
        return table[name].to_numpy().astype(dtype)

    begin = table["begin"].cast(pa.timestamp("ms")).to_numpy().astype("datetime64[m]")
    size = table.num_rows
    stations, station = _stations({name: table[stored].to_pandas() for name, stored in _TEXTS.items()},
                                  *(column(name, np.float64) for name in _PLACE))  # fmt: skip
    observations = Observations(stations, station, begin, column("period", np.int32), column("observed", np.float32),
                                np.zeros(size, np.uint8))  # fmt: skip
    return Pairs(observations, {name: column(name, np.float32) for name in products})


def _stations(texts: dict[str, Any], latitude: NDArray[np.float64],
              longitude: NDArray[np.float64]) -> tuple[Stations, NDArray[np.int32]]:  # fmt: skip
    """Every station once, in the order they come, and the number of each line's."""
    import pandas as pd

    station = np.zeros(latitude.size, np.int64)
    for values in (*texts.values(), latitude, longitude):
        codes, found = pd.factorize(values, use_na_sentinel=False)
        station = pd.factorize(station * max(len(found), 1) + codes)[0]
    first = np.unique(station, return_index=True)[1]

    def of_stations(values: Any) -> Texts:
        return np.array([str(one) for one in values.iloc[first]], object)

    known = {name: of_stations(values) for name, values in texts.items()}
    empty = np.full(first.size, "", object)
    stations = Stations(
        **known,
        latitude=latitude[first],
        longitude=longitude[first],
        timezone=empty,
        mobile=np.zeros(first.size, np.bool_),
    )
    return stations, station.astype(np.int32)


def _provenance(metadata: dict[bytes, bytes] | None) -> dict[str, Any]:
    """What the file tells of how it was made."""
    try:
        found = json.loads((metadata or {}).get(b"provenance", b"{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
