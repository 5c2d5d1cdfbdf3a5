"""What is shown: which hours, and their mean, whatever the layout."""

import numpy as np
import pytest

from deepcams.errors import InputError
from deepcams.evidence.views import choose, coarse_of, field_of, mean, summary
from deepcams.grid import Region
from deepcams.io.cams import open_analyses
from deepcams.io.files import find_files
from deepcams.io.results import open_results
from deepcams.plot.spectra import of_cams
from deepcams.production.order import Order
from deepcams.production.run import downscale_to


@pytest.fixture
def results(folder):
    return open_results(folder / "run" / "hourly.zarr")


def test_the_day_with_most_hours_is_shown(results):
    view = choose(results, None)
    assert view.hours.size == 13
    assert str(view.date) == "2019-12-30"
    assert view.words == "mean of 13 hours, 2019-12-30 00:00 to 12:00 UTC"


def test_an_hour_or_a_day_may_be_asked_for(results):
    assert choose(results, "2019-12-31").hours.size == 10
    hour = choose(results, "2019-12-31T05:00")
    assert hour.words == "2019-12-31 05:00 UTC"
    assert hour.kinds.tolist() == [1]


@pytest.mark.parametrize("time", ["2019-12-30T15", "2020-01-05", "1999-01-01T00"])
def test_an_hour_that_is_not_there_is_refused(results, time):
    with pytest.raises(InputError, match="2019-12-30T00 to 2019-12-31T09"):
        choose(results, time)


def test_means_are_those_of_the_maps_whatever_the_layout(results, folder):
    downscale_to(
        Order((str(folder / "cams.nc"),), method="fast", time="linear"), folder / "series.zarr", layout="series"
    )
    view = choose(results, None)
    for one in (results, open_results(folder / "series.zarr")):
        field = field_of(one, view, None)
        expected = results.read(slice(0, 13)).mean(axis=0, dtype=np.float64)
        np.testing.assert_allclose(field.values, expected, rtol=1e-6)
        assert "time" not in field.coords


def test_one_hour_is_as_it_is_and_says_when(results):
    view = choose(results, "2019-12-30T03")
    field = field_of(results, view, None)
    np.testing.assert_array_equal(field.values, results.read(slice(3, 4))[0])
    assert int(field["time_kind"]) == 0
    assert str(field["time"].values)[:13] == "2019-12-30T03"


def test_a_region_is_cut_out(results):
    field = field_of(results, choose(results, None), Region(53, 4, 51, 7))
    assert field["latitude"].values.max() <= 53
    assert field["longitude"].values.min() >= 4


def test_missing_cells_are_means_of_the_others_and_stay_missing_without_any():
    fields = np.full((3, 2, 2), 5, np.float32)
    fields[:, 0, 0] = np.nan
    fields[1, 1, 1] = np.nan
    found = mean(iter(fields))
    assert np.isnan(found[0, 0])
    np.testing.assert_array_equal(found[1], [5, 5])


def test_cams_is_the_mean_of_the_same_hours_and_keeps_its_mass(results, folder):
    analyses = open_analyses(find_files([str(folder / "cams.nc")]))
    view = choose(results, None)
    fine = field_of(results, view, None)
    coarse = coarse_of(of_cams(analyses)[0], view, fine, linear=True)
    assert int(coarse["time_kind"]) == 1
    assert summary(coarse)["mean"] == pytest.approx(summary(fine)["mean"], rel=2e-3)


def test_numbers_are_weighted_by_area_and_unknown_ones_are_none(results):
    field = field_of(results, choose(results, None), None)
    found = summary(field)
    assert found["maximum"] == pytest.approx(float(field.max()))
    at = field.sel(latitude=found["latitude"], longitude=found["longitude"])
    assert float(at) == found["maximum"]
    assert summary(field * np.nan)["mean"] is None
