"""Maps that are there already, judged beside methods."""

import numpy as np
import pytest
import xarray as xr

from deepcams.errors import InputError
from deepcams.evaluation.gridded import Exam, count_maps, evaluate
from deepcams.evaluation.products import Product
from deepcams.evaluation.truth import Truth
from deepcams.io.results import open_results


@pytest.fixture
def product(tmp_path, series):
    """A product with the truth's values, changed by a function."""

    def make(change=lambda maps: maps):
        truth = series()
        fields, grid = truth.fields, truth.fields.grid
        values = np.stack([fields.read(i).values for i in range(fields.times.size)])
        coordinates = {
            "time": fields.times.astype("datetime64[ns]"),
            "latitude": grid.latitude,
            "longitude": grid.longitude,
        }
        maps = xr.DataArray(values, coordinates, tuple(coordinates), "pm2p5", attrs={"units": "ug m-3"})
        path = tmp_path / "maps.nc"
        change(maps).to_netcdf(path)
        return Product("Maps", open_results(path))

    return make


def found(result, task, score):
    (row,) = [one for one in result.rows if (one.contender, one.task, one.kind) == ("Maps", task, "all")]
    return row.scores[score]


def test_its_error_is_its_difference_from_the_truth(series, product):
    wider = product(lambda maps: maps.roll(longitude=0) + 2)
    truth, exam = Truth.of(series()), Exam(names=("lcbp+linear",), repeats=20, workers=1, products=(wider,))
    done = []
    result = evaluate(truth, exam, progress=done.append)
    assert sum(done) == count_maps(truth, exam)
    for task in ("space", "time", "both"):
        assert found(result, task, "rmse") == pytest.approx(2, rel=1e-5)
        assert found(result, task, "bias") == pytest.approx(2, rel=1e-5)
    assert any("not made from the area means" in note for note in result.notes)
    assert result.provenance["settings"]["products"] == {"Maps": [str(wider.results.files[0])]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda maps: maps.isel(time=slice(0, 5)), "no map of 2020-03-08T05:00 UTC"),
        (lambda maps: maps.isel(latitude=slice(3, None)), "another grid"),
        (lambda maps: maps.isel(latitude=slice(None, None, 3), longitude=slice(None, None, 3)), "another grid"),
        (lambda maps: maps.assign_coords(longitude=maps.longitude + 0.125), "another grid"),
        (lambda maps: maps.where(maps.longitude > 4), "missing values"),
    ],
)
def test_what_cannot_be_compared_is_refused(series, product, change, message):
    with pytest.raises(InputError, match=message):
        list(product(change).hours(Truth.of(series())))
