"""NetCDF results by month: the same hours as one file has, kept when they are there, never silently replaced."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from deepcams.errors import InputError, OutputError
from deepcams.production.run import downscale_to

MONTHS = ("hourly_2019-12.nc", "hourly_2020-01.nc")


def by_month(tmp_path, work, **options):
    return downscale_to(work, tmp_path / "hourly_%Y-%m.nc", **options)


def test_months_hold_what_one_file_holds(tmp_path, job):
    summary = by_month(tmp_path, job())
    downscale_to(job(), tmp_path / "whole.nc")
    assert (summary.hours, summary.kept) == (38, 0)
    months = xr.concat([xr.load_dataset(tmp_path / name) for name in MONTHS], "time", data_vars="minimal")
    with xr.open_dataset(tmp_path / "whole.nc") as whole:
        np.testing.assert_array_equal(months["time"], whole["time"])
        np.testing.assert_array_equal(months["pm2p5"].values.view(np.uint32), whole["pm2p5"].values.view(np.uint32))
        np.testing.assert_array_equal(months["time_kind"], whole["time_kind"])
    with xr.open_dataset(tmp_path / MONTHS[1]) as second:
        assert second["time"].values[0] == np.datetime64("2020-01-01T00")


def test_a_month_that_is_there_is_kept(tmp_path, job):
    by_month(tmp_path, job())
    (tmp_path / MONTHS[1]).unlink()
    before = (tmp_path / MONTHS[0]).read_bytes()
    summary = by_month(tmp_path, job())
    assert (summary.hours, summary.kept) == (13, 25)
    assert (tmp_path / MONTHS[0]).read_bytes() == before


def test_a_month_with_fewer_hours_is_made_again(tmp_path, job):
    by_month(tmp_path, job(end=np.datetime64("2020-01-01T03", "h")))
    assert by_month(tmp_path, job()).kept == 25
    with xr.open_dataset(tmp_path / MONTHS[1]) as second:
        assert second.sizes["time"] == 13


def test_months_of_other_work_are_refused_and_left(tmp_path, cams, read, job):
    first = job()
    by_month(tmp_path, first)
    (tmp_path / "other").mkdir()
    field = cams.concentration(cams.instants(21)).drop_isel(time=range(6, 13)) + 1
    other = replace(first, analyses=read(cams.new_store(tmp_path / "other" / "cams.nc", field)))
    before = (tmp_path / MONTHS[0]).read_bytes()
    with pytest.raises(
        OutputError, match=r"hourly_2019-12.nc: exists already, made from other analyses; .*--overwrite"
    ):
        by_month(tmp_path, other)
    with pytest.raises(OutputError, match="of other work: keepbits is 9 there, and 12 was asked for"):
        by_month(tmp_path, first, keepbits=12)
    assert (tmp_path / MONTHS[0]).read_bytes() == before
    assert by_month(tmp_path, other, overwrite=True).hours == 38
    (tmp_path / MONTHS[0]).write_text("precious")
    with pytest.raises(OutputError, match="exists already, of other work"):
        by_month(tmp_path, first)
    assert (tmp_path / MONTHS[0]).read_text() == "precious"


@pytest.mark.parametrize("name", ["hourly_%Y.nc", "%m.nc", "%Y-%m-%d.nc", "100%_%Y%m.nc"])
def test_a_name_says_where_year_and_month_go(tmp_path, job, name):
    with pytest.raises(InputError, match="wanted %Y and %m in the name"):
        downscale_to(job(), tmp_path / name)
    assert not list(tmp_path.glob("*%*"))
