"""Series written as tables, one line for each hour and place: CSV, gzipped CSV, Parquet.

Hours that were never made have no line. Tables are written day by day, in the order of time.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from deepcams.errors import InputError
from deepcams.extraction.sampling import Maps, Sampler
from deepcams.io.output import partial
from deepcams.timeline import Hours, TimeKind
from deepcams.units import Species

_GROUP = 100_000  # lines in a row group of Parquet, at least
_GZIP_LEVEL = 4  # the usual 6 takes twice as long for a few percent


@dataclass(frozen=True)
class Part:
    """Some hours of all series.

    Attributes:
        times: (hours,) datetime64[h], one after the other.
        kinds: (hours,) int8, their TimeKind.
        values: (hours, n) float32.
        highest: (hours, n) float32 the highest value in each area; None of points.
    """

    times: Hours
    kinds: NDArray[np.int8]
    values: Maps
    highest: Maps | None

    def made(self) -> Part:
        """The hours that are not missing."""
        there = self.kinds != TimeKind.MISSING
        highest = None if self.highest is None else self.highest[there]
        return Part(self.times[there], self.kinds[there], self.values[there], highest)


@dataclass(frozen=True, eq=False)
class Heading:
    """What a file of series is to hold.

    Attributes:
        sampler: the series.
        species: the variable.
        times: (hours,) datetime64[h] of all hours that will come.
        kinds: (hours,) int8, their TimeKind.
        attributes: provenance, as text.
    """

    sampler: Sampler
    species: Species
    times: Hours
    kinds: NDArray[np.int8]
    attributes: Mapping[str, str]

    @property
    def titles(self) -> list[str]:
        """The columns of a table.

        Raises:
            InputError: if a column of the user's has the name of one of ours.
        """
        name = self.species.name
        values = [name, f"{name}_max"] if self.sampler.areas else [name]
        own = ["time", "name", "latitude", "longitude", *values, "time_kind"]
        for title in self.sampler.columns:
            if title in own:
                raise InputError(f"a column of the points is called {title!r}, which the output needs; rename it")
        return [*own[:4], *self.sampler.columns, *own[4:]]


Write = Callable[[Part], None]


@contextmanager
def csv_writer(path: Path, heading: Heading, *, overwrite: bool) -> Iterator[Write]:
    """Write series as CSV, gzipped if the name ends in ``.gz``; the file has its name only when the block ends well.

    Args:
        path: the output.
        heading: what it will hold.
        overwrite: whether an existing file may be replaced.

    Yields:
        A function that writes the next hours.

    Raises:
        OutputError: if the file cannot be written.
    """
    with partial(path, overwrite=overwrite) as temporary, _text(temporary) as stream:
        stream.write(_line(heading.titles) + "\n")
        fixed = _fixed(heading.sampler)

        def write(part: Part) -> None:
            part = part.made()
            columns = [_numbers(part.values)] + ([] if part.highest is None else [_numbers(part.highest)])
            for hour, (time, kind) in enumerate(zip(part.times, part.kinds, strict=True)):
                start, end = f"{time}:00Z,", f",{int(kind)}\n"
                numbers = map(",".join, zip(*(column[hour] for column in columns), strict=True))
                stream.writelines(f"{start}{place},{text}{end}" for place, text in zip(fixed, numbers, strict=True))

        yield write


@contextmanager
def _text(path: Path) -> Iterator[IO[str]]:
    if path.suffix.lower() != ".gz":
        with path.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        return
    # The name and the time in a gzip header would make the same series give other bytes.
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", _GZIP_LEVEL, raw, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="") as stream,
    ):
        yield stream


def _line(texts: list[str]) -> str:
    """The texts as CSV, quoted where they must be."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(texts)
    return buffer.getvalue()


def _fixed(sampler: Sampler) -> list[str]:
    """What each series' lines begin with after the time."""
    places = zip(sampler.names, sampler.latitude.tolist(), sampler.longitude.tolist(), strict=True)
    further = list(sampler.columns.values())
    return [
        _line([name, _degrees(north), _degrees(east), *(texts[i] for texts in further)])
        for i, (name, north, east) in enumerate(places)
    ]


def _degrees(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _numbers(values: Maps) -> list[list[str]]:
    """The shortest texts that give the same float32 again; nothing for NaN."""
    return [["" if text == "nan" else text for text in row] for row in values.astype(str).tolist()]


@contextmanager
def parquet_writer(path: Path, heading: Heading, *, overwrite: bool) -> Iterator[Write]:
    """Write series as Parquet; otherwise as :func:`csv_writer`. The provenance is in the schema's metadata.

    Raises:
        InputError: if the extra ``extract`` is not installed.
        OutputError: if the file cannot be written.
    """
    require_pyarrow()
    import pyarrow
    import pyarrow.parquet

    schema = _schema(heading)
    waiting: list[Any] = []
    with (
        partial(path, overwrite=overwrite) as temporary,
        pyarrow.parquet.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):

        def flush() -> None:
            if waiting:
                writer.write_table(pyarrow.concat_tables(waiting))
                waiting.clear()

        def write(part: Part) -> None:
            waiting.append(_table(part.made(), heading.sampler, schema))
            if sum(table.num_rows for table in waiting) >= _GROUP:
                flush()

        yield write
        flush()


def require_pyarrow() -> None:
    """Refuse Parquet where its library is not installed.

    Raises:
        InputError: if it is not.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise InputError(
            'Parquet needs the library pyarrow: run pip install "deepcams[extract]", or ask for .csv'
        ) from error


def _schema(heading: Heading) -> Any:
    import pyarrow as pa

    text, unit = pa.dictionary(pa.int32(), pa.string()), {"units": heading.species.unit}
    types = {
        "time": pa.timestamp("ms", tz="UTC"),
        "latitude": pa.float64(),
        "longitude": pa.float64(),
        "time_kind": pa.int8(),
    }
    values = {
        title for title in heading.titles if title.startswith(heading.species.name)
    } - heading.sampler.columns.keys()
    types |= dict.fromkeys(values, pa.float32())
    fields = [
        pa.field(title, types.get(title, text), metadata=unit if title in values else None) for title in heading.titles
    ]
    return pa.schema(fields, metadata=dict(heading.attributes))


def _table(part: Part, sampler: Sampler, schema: Any) -> Any:
    import pyarrow as pa

    hours, places = part.values.shape
    everywhere, always = np.tile(np.arange(places, dtype=np.int32), hours), part.times.astype("datetime64[ms]")
    texts = [sampler.names, *sampler.columns.values()]
    named, *further = [pa.DictionaryArray.from_arrays(everywhere, pa.array(one, pa.string())) for one in texts]
    values = [part.values] if part.highest is None else [part.values, part.highest]
    columns = [
        np.repeat(always, places),
        named,
        sampler.latitude[everywhere],
        sampler.longitude[everywhere],
        *further,
        *(pa.array(one.ravel(), from_pandas=True) for one in values),  # NaN is written as null
        np.repeat(part.kinds, places),
    ]
    arrays = [one if isinstance(one, pa.Array) else pa.array(one) for one in columns]
    return pa.table([one.cast(field.type) for one, field in zip(arrays, schema, strict=True)], schema=schema)
