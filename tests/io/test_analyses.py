"""One analysis when it is read: packing noise, missing values, poles, and what cannot be."""

import numpy as np
import pytest

from deepcams.errors import InputError
from deepcams.grid import Grid
from deepcams.io.analyses import Analyses
from deepcams.units import species_of


@pytest.fixture
def series():
    """Analyses of the given fields, every 3 h."""

    def series(*fields, grid=None, unit="ug m-3", name="pm2p5", times=None):
        grid = grid or Grid(50, 0, 0.75, *np.shape(fields[0]))
        times = np.datetime64("2020-01-01T00", "h") + 3 * np.arange(len(fields)) if times is None else times
        load = [np.asarray(field, np.float32) for field in fields].__getitem__
        return Analyses(times, grid, species_of(name, unit), lambda i: load(i).copy(), lambda i: "a.nc", ("a.nc",))

    return series


def test_packing_noise_is_zero_and_counted(series):
    read = series([[-0.0099, -3e-12, 0.0], [9e-7, 2e-6, 5000.0]]).read(0)
    np.testing.assert_array_equal(read.values, np.float32([[0, 0, 0], [0, 2e-6, 5000]]))
    assert read.noise == 3


def test_missing_values_stay_missing(series):
    read = series([[np.nan, 1.0]]).read(0)
    assert np.isnan(read.values[0, 0])
    assert read.noise == 0


@pytest.mark.parametrize(
    ("field", "message"),
    [
        (
            [[1.0, 2.0], [3.0, -0.02]],
            r"a.nc, 2020-01-01T00:00 UTC: pm2p5 is -0.02 ug m-3 at 49.25N 0.75E; wanted no value",
        ),
        ([[1.0, np.inf]], "a.nc, 2020-01-01T00:00 UTC: infinite values"),
        ([[1.0, -np.inf]], "infinite values"),
        ([[np.nan, np.nan]], "a.nc, 2020-01-01T00:00 UTC: every value of pm2p5 is missing"),
        ([[np.nan, -5.0]], "pm2p5 is -5 ug m-3"),
    ],
)
def test_what_cannot_be_is_refused_with_place_and_time(series, field, message):
    with pytest.raises(InputError, match=message):
        series(field).read(0)


def test_the_noise_of_other_species_scales_with_their_median(series):
    ratio = series([[1e-7, 2e-7, 3e-7, -5e-10]], unit="kg kg**-1", name="co")
    assert ratio.epsilon == pytest.approx(0.02 * 1.5e-7)
    assert ratio.read(0).noise == 1
    with pytest.raises(InputError, match="co is -1e-09 kg kg"):
        series([[1e-7, 2e-7, 3e-7, -1e-9]], unit="kg kg**-1", name="co").read(0)
    with pytest.raises(InputError, match="no positive value"):
        assert series([[0.0, 0.0]], unit="1", name="aod550").epsilon


def test_a_pole_has_one_value(series):
    grid = Grid(90, 0, 90, 3, 4)
    field = np.array([[1, 2, 3, 6], [1, 2, 3, 4], [7, 7, np.nan, 9]], float)
    values = series(field, grid=grid).read(0).values
    np.testing.assert_array_equal(values[0], 3)
    np.testing.assert_array_equal(values[1], [1, 2, 3, 4])
    np.testing.assert_allclose(values[2], [23 / 3, 23 / 3, np.nan, 23 / 3], rtol=1e-6)


def test_the_digest_tells_the_values_as_they_came(series):
    analyses = series([[1.0, 0.0]], [[1.0, 0.0]], [[1.0, -1e-9]])
    digests = [analyses.read(number).digest for number in range(3)]
    assert digests[0] == digests[1] != digests[2]
    assert len(digests[0]) == 64


@pytest.mark.parametrize(
    ("hours", "step"), [([0], 0), ([0, 6], 6), ([0, 3, 6, 12], 3), ([0, 3, 9], 3), ([0, 12, 24, 27], 12)]
)
def test_the_step_is_the_commonest_difference(series, hours, step):
    times = np.datetime64("2020-01-01T00", "h") + np.array(hours)
    assert series(*[[[1.0]]] * len(hours), times=times).step == step


def test_a_lazy_array_reads_what_is_used(series):
    read = []
    analyses = series(*[[[float(number), 1.0]] for number in range(5)])
    spied = Analyses(analyses.times, analyses.grid, analyses.species, lambda i: (read.append(i), analyses.load(i))[1],
                     analyses.label, analyses.files)  # fmt: skip
    array = spied.to_dataarray()
    assert read == []
    np.testing.assert_array_equal(array[3], [[3, 1]])
    np.testing.assert_array_equal(array.isel(time=slice(None, None, 2), longitude=0), [[0], [2], [4]])
    np.testing.assert_array_equal(array.isel(time=[4, 1], longitude=[0]), [[[4]], [[1]]])
    assert array.isel(time=[]).values.shape == (0, 1, 2)
    assert sorted(read) == [0, 1, 2, 3, 4, 4]
