"""The figures of a validation: of nine pairs and of many years, around the date line, with scores that are not known."""

import sys

import numpy as np
import pytest

from deepcams.errors import InputError, OutputError
from deepcams.plot.validation.board import looks_of, ordered_products, reference_of, short, subject_of
from deepcams.plot.validation.cycles import cycles_of, draw_cycles
from deepcams.plot.validation.scatter import draw_scatter
from deepcams.plot.validation.station_map import draw_stations, station_extent
from deepcams.plot.validation.target import targets_of
from deepcams.plot.validation.taylor import draw_taylor
from deepcams.plot.validation.write import NAMES, _figures, check_drawing, write_figures
from deepcams.stations import scores
from deepcams.stations.assess import assess
from deepcams.stations.table import DAY, HOUR, Observations, Pairs, Stations
from tests.plot.texts import check_texts, texts_of

matplotlib = pytest.importorskip("matplotlib")

THREE = ("CAMS", "CAMS nearest", "DeepCAMS")


def stations_at(latitude, longitude):
    """Stations at places; solar time zones."""
    count = len(latitude)
    texts = np.full(count, "", object)
    names = np.array([f"station {number}" for number in range(count)], object)
    numbers = np.asarray(latitude, float), np.asarray(longitude, float)
    return Stations(names, texts, names, *numbers, texts, texts, texts, np.zeros(count, bool))


def made(count=400, places=8, products=THREE, *, years=1, box=(35, 60, -10, 30), period=HOUR, seed=0):
    """Pairs at random places in a box (south, north, west, east), spread over whole years from 2018 on."""
    generator = np.random.default_rng(seed)
    stations = stations_at(generator.uniform(*box[:2], places), generator.uniform(*box[2:], places))
    first = np.datetime64("2018-01-01T00", "m")
    span = np.datetime64(f"{2018 + years}-01-01T00", "m") - first
    begin = first + np.sort(generator.integers(0, span.astype(int) // period, count)) * np.timedelta64(period, "m")
    value = generator.lognormal(2.8, 0.9, count).astype(np.float32)
    noise = generator.lognormal(0.2, 0.7, (len(products), count)) / (1 + 0.5 * np.arange(len(products)))[:, None]
    predicted = {name: (value**0.8 * one + 2).astype(np.float32) for name, one in zip(products, noise, strict=True)}
    station = (np.arange(count) % places).astype(np.int32)
    ones = np.full(count, period, np.int32)
    return Pairs(Observations(stations, station, begin, ones, value, np.zeros(count, np.uint8)), predicted)


def assessed(pairs):
    return assess(pairs, reference=next(iter(pairs.products)), repeats=10)


def figures_of(pairs):
    found = assessed(pairs)
    return [*draw_scatter(pairs, found), *(draw(pairs, found) for draw in (draw_stations, draw_cycles, draw_taylor))]


def constant():
    pairs = made(9, 2, ("CAMS", "DeepCAMS"))
    pairs.observations.value[:] = 5
    return pairs


def anticorrelated():
    pairs = made(300, 20, ("CAMS", "DeepCAMS"), box=(-48, -10, 150, 200))
    pairs.products["DeepCAMS"] = (100 - 0.3 * pairs.observations.value).clip(1).astype(np.float32)
    return pairs


LONG = ("CAMS", "CAMS nearest", "DeepCAMS", "a product $with a very long name", "fifth", "sixth", "seventh")
CASES = {
    "nine pairs at a station": lambda: made(9, 1, ("CAMS", "DeepCAMS")),
    "one product": lambda: made(200, 5, ("CAMS",)),
    "many products and years": lambda: made(4000, 30, LONG, years=8),
    "around the date line": anticorrelated,
    "days": lambda: made(1500, 6, ("CAMS", "DeepCAMS"), years=2, period=DAY, box=(51, 53, 4, 7)),
    "all around": lambda: made(3000, 300, box=(-45, 65, -170, 170)),
    "constant": constant,
    "two pairs": lambda: made(2, 1, ("DeepCAMS",)),
}


@pytest.mark.parametrize("case", CASES)
def test_no_text_meets_another_or_leaves_the_sheet(case):
    for figure in figures_of(CASES[case]()):
        check_texts(figure)


def test_a_column_for_each_year_and_a_row_for_each_product_with_its_scores():
    pairs = made(900, 8, ("DeepCAMS", "CAMS"), years=3)
    (figure,) = draw_scatter(pairs, assess(pairs, repeats=10))
    panels = [axes for axes in figure.axes if axes.get_xscale() == "log" and len(axes.lines)]
    assert len(panels) == 6
    labels = [axes.get_ylabel() for axes in panels if axes.get_ylabel()]
    assert labels == ["CAMS (µg m⁻³)", "DeepCAMS (µg m⁻³)"]  # the reference above
    year = pairs.observations.begin.astype("M8[Y]") == np.datetime64("2019")
    expected = scores.scores(pairs.observations.value[year], pairs.products["DeepCAMS"][year])
    (text,) = [one.get_text() for one in panels[4].texts]
    assert text.startswith(f"N {year.sum()}   R {expected['r']:.2f}\nRMSE {expected['rmse']:.1f}")
    assert f"fit {expected['slope']:.2f} x + {expected['intercept']:.1f}" in text
    counted = panels[4].collections[0].get_array()
    assert np.nansum(counted) == year.sum()


def test_zeros_are_left_out_of_the_drawing_and_said():
    pairs = made(200, 5, ("CAMS",))
    pairs.observations.value[:7] = [-1, 0, 0, -2, -3, 0, 0]
    (figure,) = draw_scatter(pairs, assessed(pairs))
    assert np.nansum(figure.axes[0].collections[0].get_array()) == 193
    assert "7 pairs with an observed or predicted value of zero or less" in " ".join(
        text for text, _ in texts_of(figure)
    )


def test_many_years_need_several_sheets():
    pairs = made(800, 5, ("CAMS",), years=20)
    sheets = list(draw_scatter(pairs, assessed(pairs)))
    years = [text for sheet in sheets for text, _ in texts_of(sheet) if text.isdigit() and len(text) == 4]
    assert len(sheets) == 4
    assert years == [str(year) for year in range(2018, 2038)]


@pytest.mark.parametrize(
    ("longitudes", "west", "east"),
    [([5.0], 1.0, 9.0), ([170, -160], -191.8, -158.2), ([350.0, 20.0], -11.8, 21.8), ([-170, -60, 60, 170], -180, 180)],
)
def test_the_map_runs_on_from_the_widest_gap(longitudes, west, east):
    extent = station_extent(stations_at(np.zeros(len(longitudes)), longitudes))
    assert (extent.west, extent.east) == pytest.approx((west, east))
    places = (np.array(longitudes) - extent.west) % 360
    assert (places <= extent.east - extent.west).all()
    assert (extent.south, extent.north) == (-3, 3)


def test_stations_show_bias_correlation_and_what_is_gained():
    pairs = made(400, 8)
    found = assessed(pairs)
    found.stations["DeepCAMS"]["r"][3] = np.nan
    maps = [axes for axes in draw_stations(pairs, found).axes if axes.get_title(loc="left")]
    assert [axes.get_title(loc="left") for axes in maps] == ["mean bias", "correlation", "RMSE less that of CAMS"]
    values = [np.sort(axes.collections[2].get_array()) for axes in maps]
    gained = found.stations["DeepCAMS"]["rmse"] - found.stations["CAMS"]["rmse"]
    np.testing.assert_allclose(values[0], np.sort(found.stations["DeepCAMS"]["bias"]))
    np.testing.assert_allclose(values[2], np.sort(gained))
    assert len(values[1]) == 7
    assert len(maps[1].collections[1].get_offsets()) == 1  # in grey
    single = made(100, 4, ("CAMS",))
    assert len([axes for axes in draw_stations(single, assessed(single)).axes if axes.get_title(loc="left")]) == 2


def test_cycles_are_means_of_the_same_pairs():
    pairs = made(5000, 6, ("CAMS",))
    diurnal, seasonal = cycles_of(pairs, ["CAMS"])
    one = pairs.observations
    month = one.begin.astype("M8[M]").astype(int) % 12
    for number in range(12):
        means = [values[month == number].mean() for values in (one.value, pairs.products["CAMS"])]
        assert [mean[number] for _, mean in seasonal.means] == pytest.approx(means, rel=1e-5)
    assert seasonal.counts.sum() == diurnal.counts.sum() == 5000
    solar = (one.begin.astype(int) + 30 + 4 * one.stations.longitude[one.station]) / 60 % 24
    at_noon = one.value[(solar >= 12) & (solar < 13)]
    assert diurnal.means[0][1][12] == pytest.approx(at_noon.mean(), rel=1e-5)


def test_days_have_no_diurnal_cycle():
    (only,) = cycles_of(made(300, 6, ("CAMS",), period=DAY), ["CAMS"])
    assert not only.diurnal


def test_a_station_in_the_target_diagram_is_as_far_from_the_middle_as_its_indicator_says():
    pairs = made(1500, 6, ("CAMS", "DeepCAMS"), period=DAY)
    found = assessed(pairs)
    for target in targets_of(pairs, found, ["CAMS", "DeepCAMS"]):
        np.testing.assert_allclose(np.hypot(target.x, target.y), found.stations[target.product]["mqi"], rtol=1e-6)
        assert target.at_ninety == pytest.approx(found.pooled(target.product, "daily").scores["mqi"])
        assert (target.y > 0).tolist() == (found.stations[target.product]["bias"] > 0).tolist()


def test_a_product_that_varies_too_much_stands_at_the_right_and_a_random_one_at_the_left():
    pairs = made(1500, 6, ("CAMS", "DeepCAMS"), period=DAY)
    generator = np.random.default_rng(1)
    pairs.products["CAMS"] = 3 * pairs.observations.value
    pairs.products["DeepCAMS"] = generator.permutation(pairs.observations.value)
    wide, random = targets_of(pairs, assessed(pairs), ["CAMS", "DeepCAMS"])
    assert (wide.x > 0).all()
    assert (random.x < 0).all()


def test_products_stand_in_the_taylor_diagram_by_correlation_and_spread():
    pairs = made(400, 8)
    found = assessed(pairs)
    axes = draw_taylor(pairs, found).axes[0]
    marks = {line.get_color(): line.get_xydata()[0] for line in axes.lines if line.get_marker() in "os^"}
    for name, (angle, radius) in zip(pairs.products, marks.values(), strict=True):
        whole = found.pooled(name).scores
        assert (np.cos(angle), radius) == pytest.approx((whole["r"], whole["sd_ratio"]))


def test_target_diagram_only_where_it_is_known():
    hours, days = made(400, 8), made(600, 4, period=DAY)
    assert len(draw_taylor(hours, assessed(hours)).axes) == 1
    assert len(draw_taylor(days, assessed(days)).axes) == 2


def test_who_is_compared_and_who_is_shown():
    pairs = made(60, 3, ("DeepCAMS", "CAMS nearest", "CAMS", "other"))
    found = assess(pairs, repeats=10)
    assert reference_of(pairs, found) == "CAMS"
    assert subject_of(pairs, found) == "DeepCAMS"
    assert ordered_products(pairs, found) == ("CAMS", "DeepCAMS", "CAMS nearest", "other")
    alone = made(60, 3, ("CAMS",))
    assert reference_of(alone, assessed(alone)) == subject_of(alone, assessed(alone)) == "CAMS"
    assert short("a" * 40) == "a" * 23 + "…"


def test_files_are_whole_the_same_every_time_and_not_replaced_unasked(tmp_path):
    pairs = made(60, 6, ("DeepCAMS",), years=7)
    found = assessed(pairs)
    paths = write_figures(pairs, found, tmp_path)
    assert list(paths) == ["scatter", "scatter-2", "stations", "cycles", "taylor"]
    assert {path.name for path in paths.values()} == {path.name for path in tmp_path.iterdir()} >= set(NAMES)
    before = {name: path.read_bytes() for name, path in paths.items()}
    with pytest.raises(OutputError, match="exists"):
        write_figures(pairs, found, tmp_path)
    write_figures(pairs, found, tmp_path, overwrite=True)
    assert {name: path.read_bytes() for name, path in paths.items()} == before


def test_nothing_to_draw_is_said(tmp_path):
    pairs = made(30, 3)
    with pytest.raises(InputError, match="no pairs"):
        write_figures(pairs.take(np.zeros(30, bool)), assessed(pairs), tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("package", ["matplotlib", "cmcrameri"])
def test_a_missing_package_is_named_before_any_work(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=rf'{package}, which is not installed: pip install "deepcams\[plot\]"'):
        check_drawing()


def test_products_look_the_same_whoever_else_is_shown():
    alone, beside = looks_of(["CAMS", "DeepCAMS"]), looks_of(["CAMS", "CAMS nearest", "other", "DeepCAMS"])
    assert {name: beside[name] for name in alone} == alone
    assert len(set(beside.values())) == 4
    many = [f"product {number}" for number in range(5)]
    assert len(set(looks_of(["DeepCAMS", *many]).values())) == 6


def test_all_figures_say_whom_to_thank():
    pairs = made()
    figures = dict(_figures(pairs, assessed(pairs)))
    assert [f"{name}.png" for name in figures] == list(NAMES)
    for name, figure in figures.items():
        assert "Copernicus" in " ".join(text.get_text() for text in figure.texts), name
