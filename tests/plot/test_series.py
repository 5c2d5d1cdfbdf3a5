"""Series at places: what is read, what is drawn of it, and when."""

from dataclasses import replace

import numpy as np
import pytest

from deepcams.errors import InputError, OutputError
from deepcams.extraction.extract import choose
from deepcams.extraction.points import Points
from deepcams.grid import Grid
from deepcams.io.cams import open_analyses
from deepcams.io.files import find_files
from deepcams.io.results import open_results
from deepcams.plot.places import (
    at_stations,
    checked_observations,
    parse_point,
    points_of,
    read_series,
    with_analyses,
    with_observations,
)
from deepcams.plot.series import Look, _steps, draw_series, plot_series
from deepcams.stations.quality import Limits
from deepcams.stations.readers import read_stations
from tests.plot.texts import check_texts

matplotlib = pytest.importorskip("matplotlib")

HOUR = np.timedelta64(1, "h")


def moments(line):
    """The times of a line."""
    return np.asarray(line.get_xdata()).astype("datetime64[s]")


@pytest.fixture
def series(store):
    """The fixture's hours 01 to 03 at two places: longitude / 10, plus 100 for each hour after midnight."""
    extract = choose(open_results(store))
    return read_series(extract, points_of(["-37.5,122.5,Ocean", "10,-60"]))


@pytest.fixture
def stations(tmp_path):
    """The hours of a day at a station beside the ocean's place, one of them missing, and at another far away."""
    lines = ["station,latitude,longitude,begin,end,pm25,units"]
    for name, north, east in (("buoy", -37.5, 122.51), ("far", 10, 90)):
        for hour in range(24):
            begin = np.datetime64("2020-01-01T00") + hour * HOUR
            if (name, hour) != ("buoy", 2):
                lines.append(f"{name},{north},{east},{begin}:00Z,{begin + HOUR}:00Z,{50 + hour % 7},ug/m3")
    (tmp_path / "stations.csv").write_text("\n".join(lines))
    return tmp_path / "stations.csv"


def test_the_series_is_that_of_the_maps(series):
    assert [place.name for place in series.places] == ["Ocean", "10, -60"]
    np.testing.assert_allclose(series.places[0].values, 12.25 + 100 * np.arange(1, 4), rtol=1e-6)
    np.testing.assert_allclose(series.places[1].values, 30 + 100 * np.arange(1, 4), rtol=1e-6)


@pytest.mark.parametrize("text", ["52", "north,5", "95,0", "0,400", "", "nan,5"])
def test_a_point_that_is_none_is_refused(text):
    with pytest.raises(InputError, match="LAT,LON"):
        parse_point(text)


def test_points_have_names_of_their_own():
    assert parse_point("-33.9, 151.2, Sydney, NSW") == ("Sydney, NSW", -33.9, 151.2)
    assert parse_point("1,2")[0] == "1, 2"
    with pytest.raises(InputError, match="LAT,LON,NAME"):
        points_of(["1,2", "1,2"])


def test_hours_of_analyses_are_marked_apart_and_solar_time_is_above(series):
    figure = draw_series(series)
    axes = figure.axes[0]
    line, between, analyses = axes.lines
    np.testing.assert_allclose(line.get_ydata(), series.places[0].values)
    assert moments(between).tolist() == [np.datetime64(f"2020-01-01T0{hour}") for hour in (1, 2)]
    assert moments(analyses).tolist() == [np.datetime64("2020-01-01T03")]
    (above,) = axes.child_axes
    ticks = matplotlib.dates.num2date(above.get_xticks())
    # 122.5 degrees east is 8 hours and 10 minutes ahead
    assert [(tick.hour, tick.minute) for tick in ticks] == [(0, 50)]
    assert [label.get_text() for label in above.get_xticklabels()] == ["9 h"]
    assert any("UTC+8:10" in text.get_text() for text in figure.texts)
    assert any("UTC−4:00" in text.get_text() for text in figure.texts)


def test_analyses_of_cams_are_dots_with_a_line_that_gaps_break(series, cams_file):
    series = with_analyses(series, open_analyses(find_files([cams_file])))
    assert series.times.tolist() == [np.datetime64("2020-01-01T03"), np.datetime64("2020-01-01T06")]
    np.testing.assert_allclose(series.places[0].analyses, [312.25, 612.25], rtol=1e-5)
    line, dots = draw_series(series).axes[0].lines[:2]
    assert (line.get_linestyle(), dots.get_linestyle()) == ("-", "None")
    np.testing.assert_allclose(dots.get_ydata(), [312.25, 612.25], rtol=1e-5)
    broken = draw_series(replace(series, step=2)).axes[0].lines[0]
    assert np.isnan(broken.get_ydata()).tolist() == [False, True, False]


def test_files_of_another_time_are_refused(series, cams_file, stations):
    analyses = open_analyses(find_files([cams_file]))
    late = replace(analyses, times=analyses.times + 100 * HOUR)
    with pytest.raises(InputError, match="no analysis from 2020-01-01T01 to 2020-01-01T03"):
        with_analyses(series, late)
    reading = read_stations([stations])
    results = series.extract.results
    extract = replace(series.extract, results=replace(results, times=results.times + 9999 * HOUR))
    with pytest.raises(InputError, match="no good observation"):
        checked_observations(reading, Limits(), extract)


def test_observations_are_steps_over_their_intervals_with_gaps(series, stations):
    reading = read_stations([stations])
    found = checked_observations(reading, Limits(), series.extract)
    series = with_observations(series, found, reading)
    ocean, other = series.places
    assert other.observed is None
    assert ocean.observed.name == "buoy"
    assert 0 < ocean.observed.distance < 1
    np.testing.assert_array_equal(ocean.observed.value, [51])  # that of 01 h; those of 00 and 03 h touch the ends only
    steps = draw_series(series).axes[0].lines[0]
    assert moments(steps).tolist()[:2] == [np.datetime64("2020-01-01T01"), np.datetime64("2020-01-01T02")]
    assert "observed" in " ".join(text.get_text() for text in draw_series(series).texts)


def test_a_break_stands_between_steps_that_do_not_follow_one_another():
    begin = np.array(["2020-01-01T00", "2020-01-01T01", "2020-01-01T05"], "datetime64[m]")
    times, values = _steps(begin, begin + 60, np.array([1, 2, 3], np.float32))
    np.testing.assert_array_equal(values, [1, 1, 2, 2, np.nan, 3, 3, np.nan])
    assert (np.diff(times) >= np.timedelta64(0)).all()


def test_a_station_must_be_near(series, stations):
    reading = read_stations([stations])
    found = checked_observations(reading, Limits(), series.extract)
    with pytest.raises(InputError, match="the nearest is 1 km away; say with --within"):
        with_observations(series, found, reading, kilometres=0.1)
    assert with_observations(series, found, reading, kilometres=2e4).places[1].observed is not None


def test_stations_are_places_of_their_own(stations):
    found = read_stations([stations]).observations.stations
    globe = Grid(90, 0, 5, 37, 72)
    assert at_stations(found, globe).names == ("buoy", "far")
    assert at_stations(found.take(np.array([0, 0, 1])), globe).names == ("buoy", "buoy (2)", "far")
    assert at_stations(found, Grid(-30, 110, 5, 4, 8)).names == ("buoy",)
    with pytest.raises(InputError, match="outside the data"):
        at_stations(found, Grid(60, 0, 5, 4, 8))


def test_places_outside_the_maps_are_left_out_if_asked_for(fine, tmp_path):
    fine.isel(latitude=slice(0, 10)).to_netcdf(tmp_path / "north.nc")
    extract = choose(open_results(tmp_path / "north.nc"))
    points = points_of(["50,0,in", "-50,0,out"])
    with pytest.raises(InputError, match=r"out .*outside the data"):
        read_series(extract, points)
    (place,) = read_series(extract, points, skip_outside=True).places
    assert (place.name, place.latitude) == ("in", 50)


@pytest.mark.parametrize("look", [Look(), Look(width=3.5), Look("log", width=3.5), Look("log", 1, 1000, 5)])
def test_no_text_meets_another_or_leaves_the_sheet(series, cams_file, stations, look):
    reading = read_stations([stations])
    series = with_analyses(series, open_analyses(find_files([cams_file])))
    series = with_observations(series, checked_observations(reading, Limits(), series.extract), reading)
    check_texts(draw_series(series, look=look), repeated=True)


def test_scales_that_cannot_be_and_too_many_places_are_refused(series):
    for wrong in (("log", 0.0, None), ("linear", 5.0, 5.0), ("linear", -1.0, None), ("linear", None, None, 1.0)):
        with pytest.raises(InputError, match="wanted"):
            Look(*wrong)
    many = Points(tuple(map(str, range(13))), np.zeros(13), np.zeros(13), {})
    with pytest.raises(InputError, match="13 places: a sheet has room for 12"):
        draw_series(read_series(series.extract, many))


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_picture_is_the_same_every_time_and_not_replaced_unasked(series, tmp_path, suffix):
    paths = [tmp_path / f"{name}{suffix}" for name in "ab"]
    for path in paths:
        plot_series(series, path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with pytest.raises(OutputError, match="exists"):
        plot_series(series, paths[0])


def test_missing_hours_are_gaps(fine, tmp_path):
    kinds = fine["time_kind"].values.copy()
    kinds[[0, 2]] = [1, 2]
    fine = fine.assign(time_kind=("time", kinds))
    fine["pm2p5"][0] = 5
    fine["pm2p5"][2] = np.nan
    fine.to_netcdf(tmp_path / "gap.nc")
    series = read_series(choose(open_results(tmp_path / "gap.nc")), points_of(["0,0"]))
    figure = draw_series(series)
    assert np.isnan(figure.axes[0].lines[0].get_ydata()).tolist() == [False, False, True, False]
    assert any("1 hour missing." in text.get_text() for text in figure.texts)


def test_the_small_print_names_all_sources(series, cams_file):
    def small_print(one):
        return " ".join(text.get_text() for text in draw_series(one).texts)

    assert "DeepCAMS is values of instants" in small_print(series)
    analyses = open_analyses(find_files([cams_file]))
    told = small_print(with_analyses(series, analyses))
    assert "DeepCAMS: fine.nc. CAMS: cams.nc." in told
    assert "DeepCAMS and CAMS are values of instants" in told


def test_many_days_are_thin_lines_without_solar_time(fine, tmp_path):
    days = fine.isel(time=np.arange(4000) % 4)
    times = np.datetime64("2020-01-01T00", "ns") + np.arange(4000) * HOUR
    days.assign_coords(time=times).to_netcdf(tmp_path / "days.nc")
    figure = draw_series(read_series(choose(open_results(tmp_path / "days.nc")), points_of(["10,-60"])))
    assert figure.axes[0].lines[0].get_linewidth() < 0.5
    assert not any("solar" in text.get_text() for text in figure.texts)
