"""Zonal spectra: waves of known length and height are found where they are, on any grid, whole circles or parts."""

from dataclasses import replace

import numpy as np
import pytest

from deepcams.errors import InputError, OutputError
from deepcams.grid import Grid, Region
from deepcams.io.analyses import Analyses
from deepcams.io.cams import open_analyses
from deepcams.io.files import find_files
from deepcams.io.results import open_results
from deepcams.plot.spectra import BICUBIC, CAMS, Source, common_hours, of_cams, of_results, read_spectra
from deepcams.plot.spectrum import draw_spectrum, plot_spectrum
from deepcams.units import species_of
from tests.plot.texts import check_texts

COARSE = Grid(90, 0, 3, 61, 120)
FINE = COARSE.refine(3)
HOURS = np.datetime64("2020-01-01T00") + np.arange(3) * np.timedelta64(1, "h")


def source(name="ours", grid=FINE, load=None, hours=HOURS, *, waves=((12, 3.0),)):
    """Waves around the Earth: pairs of wavenumber and height."""
    angle = np.deg2rad(grid.longitude)
    row = 20 + sum(height * np.cos(number * angle + number) for number, height in waves)
    field = np.broadcast_to(row, grid.shape).astype(np.float32)
    return Source(name, f"{name}.nc", "pm2p5", "ug m-3", grid, hours, load or (lambda time: field))


@pytest.mark.parametrize("grid", [COARSE, FINE])
def test_a_wave_has_its_variance_at_its_wavenumber(grid):
    (found,) = read_spectra([source(grid=grid, waves=[(7, 3.0)])], HOURS).spectra
    assert found.wavenumber[np.argmax(found.power)] == 7
    assert found.power.max() == pytest.approx(3**2 / 2, rel=1e-5)
    assert np.sort(found.power)[-2] < 1e-9


def test_the_sum_over_wavenumbers_is_the_variance_along_circles():
    generator = np.random.default_rng(0)
    field = generator.normal(20, 5, FINE.shape).astype(np.float32)
    spectra = read_spectra([source(load=lambda time: field)], HOURS[:1])
    rows = np.abs(FINE.latitude) <= 60
    variance = np.average(field[rows].astype(float).var(axis=1), weights=FINE.areas[rows])
    # bins hold means, so what they stand for is counted again
    (one,) = spectra.spectra
    label = np.unique(np.floor(np.log2(np.arange(1, FINE.columns // 2 + 1)) * 12), return_inverse=True)[1]
    assert (one.power[label]).sum() == pytest.approx(variance, rel=1e-6)


def test_a_part_of_the_circles_tells_the_same_density():
    generator = np.random.default_rng(1)
    noise = generator.normal(20, 5, (20, *FINE.shape)).astype(np.float32)
    hours = HOURS[0] + np.arange(20) * np.timedelta64(1, "h")
    white = source(load=lambda time: noise[int((time - hours[0]).astype(int))], hours=hours)
    whole, part = (read_spectra([white], hours, region) for region in (None, Region(60, -40, -60, 100)))
    assert whole.whole
    assert not part.whole
    (one,), (other,) = whole.spectra, part.spectra
    both = one.wavenumber > 30
    np.testing.assert_allclose(other.at(one.wavenumber[both])[:-1], one.power[both][:-1], rtol=0.1)


def test_wavelengths_are_those_of_the_band():
    spectra = read_spectra([source()], HOURS, Region(1, -180, -1, 180))
    assert spectra.circumference == pytest.approx(2 * np.pi * 6371, rel=1e-3)
    assert read_spectra([source()], HOURS).circumference == pytest.approx(0.8546 * 2 * np.pi * 6371, rel=0.01)


def test_the_hours_are_those_of_all_sources():
    first, second = source(), source("other", hours=HOURS[1:] + np.timedelta64(1, "h"))
    assert common_hours([first, second]).tolist() == [HOURS[2]]
    assert common_hours([first], HOURS[1], HOURS[1]).tolist() == [HOURS[1]]
    with pytest.raises(InputError, match="no hour from 2021"):
        common_hours([first], np.datetime64("2021-01-01T00"))
    with pytest.raises(InputError, match="no hour in common: ours 2020-01-01T00 to 2020-01-01T02; other"):
        common_hours([first, source("other", hours=HOURS + np.timedelta64(9, "h"))])


def test_what_has_no_circle_is_refused():
    field = np.full(FINE.shape, 5, np.float32)
    field[:, 40] = np.nan
    with pytest.raises(InputError, match="no circle of latitude is complete"):
        read_spectra([source(load=lambda time: field)], HOURS)
    beside = read_spectra([source(load=lambda time: field)], HOURS, Region(60, 60, -60, 150))
    assert np.isfinite(beside.spectra[0].power).all()


def test_a_part_that_not_all_sources_have_is_refused():
    box = Grid(30, 10, 1, 40, 80)
    with pytest.raises(InputError, match=r"ours\.nc .* does not cover"):
        read_spectra([source(grid=box)], HOURS, Region(30, 0, -9, 60))
    both = read_spectra([source("global"), source(grid=box)], HOURS)
    assert both.region == Region(30, 10, -9, 89)
    with pytest.raises(InputError, match="more than once"):
        read_spectra([source(), source()], HOURS)


def test_units_are_brought_together():
    kilograms = source("other", load=lambda time: source().load(time) * np.float32(1e-9))
    kilograms = replace(kilograms, unit="kg m-3")
    one, other = read_spectra([source(), kilograms], HOURS).spectra
    np.testing.assert_allclose(one.power[:20], other.power[:20], rtol=1e-3, atol=1e-9)


def analyses():
    """Waves that stand in the first analysis, and are half as high in the second."""
    fields = [source(grid=COARSE, waves=[(6, 4.0)]).load(None) * share for share in (1, 0.5)]
    times = HOURS[0] + np.array([0, 3]) * np.timedelta64(1, "h")
    species = species_of("pm2p5", "ug m-3")
    return Analyses(times, COARSE, species, lambda i: fields[i].astype(np.float32), lambda i: "cams.nc", ("cams.nc",))


def test_cams_is_linear_between_analyses_and_bicubic_is_the_same_on_the_finer_grid():
    cams, bicubic = of_cams(analyses())
    assert (cams.name, bicubic.name) == (CAMS, BICUBIC)
    assert cams.times.tolist() == [HOURS[0] + hour * np.timedelta64(1, "h") for hour in range(4)]
    wanted = source(grid=COARSE, waves=[(6, 4.0)]).load(None) * np.float32(5 / 6)
    np.testing.assert_allclose(cams.load(HOURS[1])[1:-1], wanted[1:-1], rtol=1e-6)  # poles have one value
    assert bicubic.grid == FINE
    np.testing.assert_allclose(bicubic.load(HOURS[1])[9:-9:3, ::3], wanted[3:-3], rtol=1e-5)
    spectra = read_spectra([cams, bicubic], HOURS)
    assert spectra.reference.name == BICUBIC
    long = [one.power[one.wavenumber == 6][0] for one in spectra.spectra]
    assert long[1] == pytest.approx(long[0], rel=0.02)


def test_outputs_and_cams_files_are_read(store, cams_file):
    ours = of_results("DeepCAMS", open_results(store))
    cams, bicubic = of_cams(open_analyses(find_files([cams_file])))
    assert ours.times.tolist() == [HOURS[1], HOURS[2], HOURS[2] + np.timedelta64(1, "h")]
    assert ours.load(HOURS[1]).shape == (37, 72)
    hours = common_hours([ours, cams])
    assert hours.tolist() == [np.datetime64("2020-01-01T03")]
    assert len(read_spectra([ours, cams, bicubic], hours).spectra) == 3


def drawn(width=7.2, names=("truth", "CAMS", "bicubic", "DeepCAMS")):
    """A figure of sources whose power falls with the wavenumber."""
    grids = {"CAMS": COARSE}
    sources = []
    for index, name in enumerate(names):
        grid = grids.get(name, FINE)
        waves = [(number, (1 + 0.2 * index) * number**-1.5) for number in range(1, grid.columns // 2)]
        sources.append(source(name, grid, waves=waves))
    return draw_spectrum(read_spectra(sources, HOURS), width=width)


@pytest.mark.parametrize("width", [3.5, 7.2])
@pytest.mark.parametrize(
    "names", [("truth", "CAMS", "bicubic", "DeepCAMS"), ("CAMS", "bicubic", "a", "b"), ("DeepCAMS",)]
)
def test_no_text_meets_another_or_leaves_the_sheet(width, names):
    check_texts(drawn(width, names))


def test_the_lower_panel_is_the_power_over_that_of_the_truth():
    figure = drawn()
    upper, lower = figure.axes
    assert lower.get_ylabel() == "over truth"
    ratios = [line.get_ydata() for line in lower.lines if len(line.get_ydata()) > 2]
    assert len(ratios) == 3
    np.testing.assert_allclose(ratios[-1], 1.6**2, rtol=1e-3)
    assert "60°S to 60°N" in " ".join(text.get_text() for text in figure.texts)
    (above,) = upper.child_axes
    assert above.get_xlabel() == "wavelength (km)"


def test_a_single_source_has_no_lower_panel():
    assert len(drawn(names=("DeepCAMS",)).axes) == 1


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_picture_is_the_same_every_time_and_not_replaced_unasked(tmp_path, suffix):
    spectra = read_spectra([source(), source("other", waves=[(3, 1.0)])], HOURS)
    paths = [tmp_path / f"{name}{suffix}" for name in "ab"]
    for path in paths:
        plot_spectrum(spectra, path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with pytest.raises(OutputError, match="exists"):
        plot_spectrum(spectra, paths[0])
    with pytest.raises(InputError, match="inches wide"):
        plot_spectrum(spectra, tmp_path / f"c{suffix}", width=1)
