"""Streams of columns: whatever holds them, and whatever is wrong with them."""

from __future__ import annotations

import gzip
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from deepcams.errors import InputError
from deepcams.stations.readers.streams import csv_chunks, head_of, json_chunks, parquet_chunks

TABLE = "name,value,unit\nÅlesund,1.5,µg/m³\nBonn,,µg/m³\n"


@pytest.fixture
def file(tmp_path):
    def file(content, name="file.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return file


def rows(path, columns=("name",), numeric=("value",), **options):
    return [
        row for batch in csv_chunks(head_of(path), columns, numeric=numeric, **options) for row in batch.to_pylist()
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_told_from_the_first_line(file, delimiter):
    head = head_of(file(TABLE.replace(",", delimiter)))
    assert head.delimiter == delimiter
    assert head.columns == ("name", "value", "unit")
    assert head.lines[1].startswith("Ålesund")


def test_delimiters_in_quotes_do_not_count(file):
    assert head_of(file('"a, b, c";"d"\n1;2\n')).columns == ("a, b, c", "d")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_text_is_read_in_any_of_its_dresses(file, encoding, newline, pack):
    found = rows(file(pack(TABLE.replace("\n", newline).encode(encoding))), ("unit", "name"))
    assert found == [
        {"unit": "µg/m³", "name": "Ålesund", "value": 1.5},
        {"unit": "µg/m³", "name": "Bonn", "value": None},
    ]


def test_a_zip_with_one_file_is_read(file, tmp_path):
    with zipfile.ZipFile(tmp_path / "one.zip", "w") as archive:
        archive.writestr("hourly.csv", TABLE)
    assert len(rows(tmp_path / "one.zip")) == 2
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.csv", TABLE)
        archive.writestr("b.csv", TABLE)
    with pytest.raises(InputError, match=r"two\.zip: a zip with 2 files; wanted one"):
        head_of(tmp_path / "two.zip")


def test_gzips_one_after_the_other_are_one_file(file):
    path = file(gzip.compress(TABLE.encode()) + gzip.compress(b"Cork,3,ug/m3\n"))
    assert [row["value"] for row in rows(path)] == [1.5, None, 3.0]


def test_decimal_commas_where_semicolons_part_the_columns(file):
    path = file("name;value\nA;1,5\nB; 2.25 \nC;-\nD;NA\n")
    assert [row["value"] for row in rows(path)] == [1.5, 2.25, None, None]


@pytest.mark.parametrize("nothing", ["", "NA", "nan", "-", "null", "N/A"])
def test_numbers_that_are_not_there_are_null(file, nothing):
    assert rows(file(f"name,value\nA,{nothing}\n"))[0]["value"] is None


def test_titles_are_stripped_and_quotes_taken_off(file):
    assert rows(file('"name" , value\n"A, or ""B""",2\n')) == [{"name": 'A, or "B"', "value": 2.0}]


def test_files_without_titles_are_told_the_names(file):
    assert rows(file("A|1\nB|2\n"), names=("name", "value"))[1] == {"name": "B", "value": 2.0}


def test_empty_lines_before_the_titles_are_passed_over(file):
    assert len(rows(file("\n\n" + TABLE))) == 2


def test_a_missing_column_is_named_with_those_there(file):
    with pytest.raises(InputError, match=r"file\.csv: no column country, time; wanted .*; found name, value, unit"):
        rows(file(TABLE), ("country", "name", "time"))


@pytest.mark.parametrize("line", ["C,3", "C,3,ug/m3,4"])
def test_a_line_with_other_columns_is_named(file, line):
    with pytest.raises(InputError, match=rf"file\.csv: line 4 has {line.count(',') + 1} columns, the first line 3"):
        rows(file(TABLE + line + "\n"))


def test_what_is_no_number_is_named(file):
    with pytest.raises(InputError, match=r"file\.csv: line 4: column value has 'many'; wanted a number"):
        rows(file(TABLE + "C,many,ug/m3\n"))
    with pytest.raises(InputError, match=r"file\.csv: a column of numbers has 'many'"):
        rows(file("name;value\nC;many\n"))


EMPTY = {"nothing": b"", "blank lines": b"\n\n", "a mark": b"\xef\xbb\xbf", "an empty gzip": gzip.compress(b"")}


@pytest.mark.parametrize("content", EMPTY.values(), ids=EMPTY)
def test_an_empty_file_is_refused(file, content):
    with pytest.raises(InputError, match=r"file\.csv: an empty file"):
        head_of(file(content))


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"none\.csv: cannot be read"):
        head_of(tmp_path / "none.csv")


@pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_gzip_that_is_cut_off_is_refused(file, share):
    lines = "".join(f"station {i},{i * 0.37 % 50:.3f}\n" for i in range(200_000))
    packed = gzip.compress(f"name,value\n{lines}".encode())
    with pytest.raises(InputError, match=r"file\.csv: the file is cut off; fetch it again"):
        rows(file(packed[: int(share * len(packed))]))


def test_half_a_gzip_still_has_a_head(file):
    packed = gzip.compress(("name,value\n" + "A,1\n" * 200_000).encode())
    assert head_of(file(packed[: len(packed) // 2])).columns == ("name", "value")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x1f\x8bnonsense and more", "is cut off|cannot be read"),
        (b"PK\x03\x04nonsense", "cannot be read"),
        (b"PAR1nonsense", "cannot be read"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16; wanted UTF-8"),
        (b"\x89HDF\r\n\x1a\n\0\0\0", "neither text nor Parquet"),
    ],
)
def test_other_files_are_refused(file, content, message):
    with pytest.raises(InputError, match=message):
        head_of(file(content))


def test_batches_are_of_some_megabytes_however_large_the_file(file):
    path = file("name,value\n" + "a station with a name,1.25\n" * 800_000)
    sizes = [batch.num_rows for batch in csv_chunks(head_of(path), ("name",), numeric=("value",))]
    assert sum(sizes) == 800_000
    assert max(sizes) < 200_000


def test_parquet_gives_its_columns_in_the_order_asked(tmp_path):
    table = pa.table({"value": [1.0, 2.0], "name": ["A", "B"], "other": [0, 0]})
    pyarrow.parquet.write_table(table, tmp_path / "file.parquet")
    head = head_of(tmp_path / "file.parquet")
    assert head.columns == ("value", "name", "other")
    assert (head.lines, head.delimiter) == ((), "")
    (batch,) = parquet_chunks(head, ["name", "value"])
    assert batch.schema.names == ["name", "value"]
    with pytest.raises(InputError, match="no column time"):
        next(parquet_chunks(head, ["time"]))


def test_json_fields_are_of_one_type_whatever_the_lines_have(file):
    path = file(
        '{"value":20,"text":"a","more":[{"x":1}]}\n{"value":2.5}\n\n{"value":null,"text":"\u00e9"}', "file.json"
    )
    head = head_of(path)
    assert (head.columns, head.delimiter) == (("value", "text", "more"), "")
    schema = pa.schema({"value": pa.float64(), "text": pa.binary()})
    batch = pa.concat_batches(list(json_chunks(head, schema)))
    np.testing.assert_array_equal(batch["value"].to_numpy(zero_copy_only=False), [20, 2.5, np.nan])
    assert batch["text"].to_pylist() == [b"a", None, "é".encode()]


@pytest.mark.parametrize("line", ['{"value":', '[{"value":20}]', "value,20"])
def test_lines_that_are_not_such_json_are_refused(file, line):
    head = head_of(file('{"value":20}\n\n' + line + "\n"))
    with pytest.raises(InputError, match=r"file\.csv: line 3 is not a JSON object: '.*'; is the file cut off"):
        list(json_chunks(head, pa.schema({"value": pa.float64()})))


def test_the_line_that_is_no_json_is_counted_over_all_blocks(file):
    line = '{"value":20,"padding":"' + "x" * 1000 + '"}\n'
    head = head_of(file(line * 10_000 + "half a line"))
    with pytest.raises(InputError, match="line 10001 is not"):
        list(json_chunks(head, pa.schema({"value": pa.float64()})))


def test_the_keys_of_json_are_those_of_any_of_the_first_lines(file):
    assert head_of(file('{"a":1}\n{"b":2}\nhalf')).columns == ("a", "b")


def test_parquet_with_the_columns_of_a_csv_format_is_read_as_it(tmp_path):
    pyarrow.parquet.write_table(pa.table({"code": [88101, None], "value": [1, 2]}), tmp_path / "file.parquet")
    found = rows(tmp_path / "file.parquet", ("code",))
    assert found == [{"code": "88101", "value": 1.0}, {"code": "", "value": 2.0}]


def test_json_is_no_table(file):
    with pytest.raises(InputError, match="JSON; wanted a table"):
        rows(file('{"name":"A","value":1}\n'))


def test_quotes_are_parts_of_names_in_files_without_titles(file):
    assert rows(file('"A|1\nB"|2\n'), names=("name", "value"))[0] == {"name": '"A', "value": 1.0}
