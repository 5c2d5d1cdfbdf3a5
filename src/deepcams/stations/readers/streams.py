"""Station files read as a stream of columns, whatever holds them: CSV, JSON lines or Parquet, plain, gzipped or zipped.

What a file is is told from its first bytes, not from its name. Text is UTF-8, or else Windows-1252: names of stations are
not worth refusing a file for. Batches of a few MiB come one after the other, so files of any size fit into memory.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from deepcams.errors import InputError
from deepcams.stations.readers.chunk import Head
from deepcams.stations.readers.objects import coerced

_GZIP, _ZIP, _PARQUET = b"\x1f\x8b", b"PK\x03\x04", b"PAR1"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_BOM = b"\xef\xbb\xbf"
_HEAD = 1 << 16  # bytes
_LINES = 20
_BLOCK = 4 << 20  # bytes of text that are read at once
_ROWS = 1 << 17  # of Parquet
_NOTHING = ["", " ", "NA", "N/A", "n/a", "na", "NaN", "nan", "NAN", "null", "NULL", "None", "-", "--", "---", "*"]
_COLUMNS_DIFFER = re.compile(r"(?:Row #(\d+): )?Expected (\d+) columns, got (\d+)")
_NO_NUMBER = re.compile(r"CSV column #(\d+): (?:Row #(\d+): )?CSV conversion error to double: invalid value '(.*)'")
_NO_DECIMAL = re.compile(r"Failed to parse string: '(.*)' as a scalar of type double")


def require_pyarrow() -> None:
    """Refuse station files where the library that reads them is not installed.

    Raises:
        InputError: if it is not.
    """
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise InputError(
            'station files are read with the library pyarrow: run pip install "deepcams[stations]"'
        ) from error


def head_of(path: Path) -> Head:
    """The beginning of a file.

    Raises:
        InputError: if it cannot be read, is empty, damaged or not made of text.
    """
    with _explained(path):
        with _bytes_of(path) as stream:
            data = stream.read1(_HEAD)  # type: ignore[attr-defined]  # one read: what a cut-off gzip still has
        if data.startswith(_PARQUET):
            return Head(path, (), _parquet_columns(path), "")
    _check_text(path, data)
    lines = tuple(decoded(line) for line in data.removeprefix(_BOM).splitlines()[:_LINES])
    first = next((line for line in lines if line.strip()), "")
    if not first:
        raise InputError(f"{path}: an empty file; wanted observations of stations")
    if first.lstrip().startswith(("{", "[")):
        return Head(path, lines, _keys(lines), "")
    delimiter = max(",;\t|", key=re.sub(r'"[^"]*"', "", first).count)
    titles = next(csv.reader([first], delimiter=delimiter))
    return Head(path, lines, tuple(title.strip() for title in titles), delimiter)


def csv_chunks(
    head: Head, columns: Sequence[str], *, names: Sequence[str] | None = None, numeric: Sequence[str] = ()
) -> Iterator[Any]:
    """The lines of a CSV file, some columns of them.

    Args:
        head: the file.
        columns: those wanted.
        names: of all columns of a file that has no line of titles.
        numeric: those that are numbers, also wanted. Empty fields, ``NA``, ``-`` and the like are null. Where
            semicolons part the columns, numbers may have decimal commas.

    Yields:
        pyarrow.RecordBatch with the columns in this order: text as string, never null; numbers as float64.

    Raises:
        InputError: if a column is missing, a line has another number of columns than the first, a number is none, or
            the file is damaged.
    """
    require_pyarrow()
    import pyarrow as pa
    from pyarrow import csv as arrow

    wanted = list(dict.fromkeys([*columns, *numeric]))
    titles = list(names or head.columns)
    check_columns(head, wanted, titles)
    if not head.lines:  # the same columns, as somebody has saved them
        yield from _as_text(head, wanted, numeric)
        return
    if not head.delimiter:
        raise InputError(f"{head.path}: JSON; wanted a table of this format: CSV or Parquet")
    as_bytes = set(wanted) if head.delimiter == ";" else set(wanted) - set(numeric)
    skipped = 0 if names else next(i for i, line in enumerate(head.lines) if line.strip()) + 1
    with _explained(head.path, titles), _stream(head.path) as stream:
        reader = arrow.open_csv(
            stream,
            # Threads would make errors forget the number of their line, and help little behind a gzip.
            read_options=arrow.ReadOptions(
                use_threads=False, block_size=_BLOCK, column_names=titles, skip_rows=skipped
            ),
            # Files without titles come from programs that never quote; a quote is a part of a name there.
            parse_options=arrow.ParseOptions(delimiter=head.delimiter, quote_char=False if names else '"'),
            convert_options=arrow.ConvertOptions(
                include_columns=wanted,
                # As bytes: text that is not UTF-8 is no reason to fail.
                column_types={name: pa.binary() if name in as_bytes else pa.float64() for name in wanted},
                null_values=_NOTHING,
            ),
        )
        for batch in reader:
            arrays = [as_strings(batch[name]) if name in as_bytes else batch[name] for name in wanted]
            if head.delimiter == ";":
                arrays = [_from_text(one) if name in numeric else one for name, one in zip(wanted, arrays, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, names=wanted)


def parquet_chunks(head: Head, columns: Sequence[str]) -> Iterator[Any]:
    """The lines of a Parquet file, some columns of them.

    Yields:
        pyarrow.RecordBatch with the columns in this order, as the file types them.

    Raises:
        InputError: if a column is missing or the file is damaged.
    """
    require_pyarrow()
    import pyarrow.parquet

    check_columns(head, columns, head.columns)
    with _explained(head.path), pyarrow.parquet.ParquetFile(head.path) as file:
        for batch in file.iter_batches(batch_size=_ROWS, columns=list(columns)):
            yield batch.select(list(columns))


def _as_text(head: Head, columns: Sequence[str], numeric: Sequence[str]) -> Iterator[Any]:
    """The lines of a Parquet file with the types that those of CSV have."""
    import pyarrow as pa

    for batch in parquet_chunks(head, columns):
        arrays = [batch[name].cast(pa.float64() if name in numeric else pa.string()) for name in columns]
        arrays = [one if name in numeric else one.fill_null("") for name, one in zip(columns, arrays, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, names=list(columns))


def json_chunks(head: Head, schema: Any) -> Iterator[Any]:
    """The lines of a file with a JSON object in each line.

    Args:
        head: the file.
        schema: pyarrow.Schema of the wanted fields; others are ignored, those missing are null. Text should be asked
            for as binary, as :func:`as_strings` wants it.

    Yields:
        pyarrow.RecordBatch of this schema. What is of another type is turned into it (a number in quotes, a number as an
        identifier), or null where it cannot be.

    Raises:
        InputError: if a line is not a JSON object, or the file is damaged.
    """
    require_pyarrow()
    import pyarrow as pa
    from pyarrow import json as arrow

    options = arrow.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    before = 0
    with _explained(head.path), _stream(head.path) as stream:
        for block in _whole_lines(stream):
            try:
                table = arrow.read_json(pa.BufferReader(block), parse_options=options)
            except pa.ArrowInvalid:  # a line in thousands is enough: then each is read by itself, some ten times slower
                table = coerced(head.path, block, schema, before)
            before += block.count(b"\n")
            yield from table.combine_chunks().to_batches()


def _whole_lines(stream: Any) -> Iterator[bytes]:
    """Blocks of some MiB that end where a line ends; none that is blank."""
    rest, first = b"", True
    while data := stream.read(_BLOCK):
        data = data.removeprefix(_BOM) if first else data
        lines, end, tail = data.rpartition(b"\n")
        if end and (rest + lines).strip():
            yield rest + lines + end
        rest, first = tail if end else rest + tail, False
    if rest.strip():
        yield rest


def check_columns(head: Head, wanted: Sequence[str], there: Sequence[str]) -> None:
    """Refuse a file that lacks a column.

    Raises:
        InputError: that names those missing and those that are there.
    """
    missing = [name for name in wanted if name not in there]
    if missing:
        columns = ", ".join(there)
        raise InputError(f"{head.path}: no column {', '.join(missing)}; wanted {', '.join(wanted)}; found {columns}")


def as_strings(array: Any) -> Any:
    """Bytes as a pyarrow string array without nulls, from UTF-8 or else Windows-1252."""
    import pyarrow as pa
    import pyarrow.compute as pc

    array = pc.fill_null(array, b"")
    try:
        return array.cast(pa.string())
    except pa.ArrowInvalid:
        coded = array.dictionary_encode()
        texts = pa.array([decoded(text) for text in coded.dictionary.to_pylist()], pa.string())
        return texts.take(coded.indices)


def decoded(data: bytes) -> str:
    """Text from UTF-8 or else Windows-1252."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _from_text(array: Any) -> Any:
    """Numbers with a decimal comma or point."""
    import pyarrow as pa
    import pyarrow.compute as pc

    array = pc.utf8_trim_whitespace(array)
    nothing = pc.is_in(array, value_set=pa.array(_NOTHING))
    return pc.replace_substring(pc.if_else(nothing, None, array), ",", ".").cast(pa.float64())


@contextmanager
def _bytes_of(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a file, or of the single file in a zip, unpacked."""
    with path.open("rb") as raw:
        magic = raw.read(4)
        raw.seek(0)
        if magic.startswith(_GZIP):
            with gzip.open(raw) as unpacked:
                yield unpacked  # type: ignore[misc]  # it is one but does not say so
        elif magic == _ZIP:
            with zipfile.ZipFile(raw) as archive, archive.open(_member(path, archive)) as member:
                yield member
        else:
            yield raw


@contextmanager
def _stream(path: Path) -> Iterator[Any]:
    """The same for pyarrow, which unpacks gzip itself and faster."""
    import pyarrow as pa

    with path.open("rb") as raw:
        magic = raw.read(len(_GZIP))
    if magic == _GZIP:
        with pa.OSFile(str(path)) as packed, pa.CompressedInputStream(packed, "gzip") as stream:
            yield stream
    else:
        with _bytes_of(path) as unpacked, pa.PythonFile(unpacked, mode="r") as stream:
            yield stream


def _member(path: Path, archive: zipfile.ZipFile) -> str:
    members = [name for name in archive.namelist() if not name.endswith("/")]
    if len(members) != 1:
        raise InputError(f"{path}: a zip with {len(members)} files; wanted one file in it, or unpack it")
    return members[0]


def _check_text(path: Path, data: bytes) -> None:
    if not data:
        raise InputError(f"{path}: an empty file; wanted observations of stations")
    if data.startswith(_UTF16):
        raise InputError(f"{path}: text in UTF-16; wanted UTF-8: save it so")
    if b"\0" in data:
        raise InputError(f"{path}: neither text nor Parquet, beginning with {data[:8]!r}; wanted CSV, JSON or Parquet")


def _keys(lines: Sequence[str]) -> tuple[str, ...]:
    """The keys of the JSON objects in some lines: not all have all of them."""
    keys: dict[str, None] = {}
    for line in lines:
        try:
            found = json.loads(line)
        except ValueError:
            continue
        keys |= dict.fromkeys(found) if isinstance(found, dict) else {}
    return tuple(keys)


def _parquet_columns(path: Path) -> tuple[str, ...]:
    require_pyarrow()
    import pyarrow.parquet

    return tuple(pyarrow.parquet.read_schema(path).names)


@contextmanager
def _explained(path: Path, titles: Sequence[str] = ()) -> Iterator[None]:
    """Say what is wrong with a file that the libraries cannot read."""
    try:
        yield
    except (EOFError, OSError) as error:
        cut = isinstance(error, EOFError) or "Truncated" in str(error)
        what = "the file is cut off" if cut else f"cannot be read ({_first_line(error)}); if it is damaged"
        raise InputError(f"{path}: {what}{';' if cut else ','} fetch it again") from error
    except (ValueError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{path}: {_complaint(str(error), titles)}") from error


def _complaint(message: str, titles: Sequence[str]) -> str:
    """What a library says, for people."""
    if found := _COLUMNS_DIFFER.search(message):
        number, wanted, there = found.groups()
        line = f"line {number}" if number else "a line"
        return f"{line} has {there} columns, the first line {wanted}; wanted as many: is the file cut off or damaged?"
    if found := _NO_NUMBER.search(message):
        line = f"line {found[2]}: " if found[2] else ""
        return f"{line}column {titles[int(found[1])]} has {found[3]!r}; wanted a number"
    if found := _NO_DECIMAL.search(message):
        return f"a column of numbers has {found[1]!r}; wanted a number"
    return f"cannot be read ({message.splitlines()[0] if message else 'no reason given'}); is it cut off or damaged?"


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
