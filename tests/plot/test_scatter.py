"""The scatter from stored pairs: the same panels as a validation's, by year, season, or all."""

import numpy as np
import pytest

from deepcams.errors import InputError, OutputError
from deepcams.plot.scatter import BY, _assessed, _source, plot_scatter_of_file
from deepcams.plot.validation.scatter import draw_scatter
from deepcams.stations.assess import assess
from deepcams.stations.files import _write_pairs
from deepcams.stations.table import HOUR, Observations, Pairs, Stations
from tests.plot.texts import check_texts

pytest.importorskip("matplotlib")
pytest.importorskip("pyarrow")


def made(count=300, years=2):
    """Pairs at three stations, spread over whole years from 2018 on."""
    generator = np.random.default_rng(0)
    texts = np.array(["a", "b", "c"], object)
    empty = np.full(3, "", object)
    stations = Stations(texts, empty, texts, np.arange(3.0), np.arange(3.0), empty, empty, empty, np.zeros(3, bool))
    hours = np.sort(generator.choice(years * 365 * 24, count, replace=False))
    begin = np.datetime64("2018-01-01T00", "m") + HOUR * hours
    observed, *predicted = generator.lognormal(2.5, 0.8, (3, count)).astype(np.float32)
    station = (np.arange(count) % 3).astype(np.int32)
    observations = Observations(
        stations, station, begin, np.full(count, HOUR, np.int32), observed, np.zeros(count, np.uint8)
    )
    return Pairs(observations, dict(zip(("CAMS", "DeepCAMS"), predicted, strict=True)))


@pytest.fixture
def folder(tmp_path):
    _write_pairs(made(), tmp_path / "pairs.parquet", {})
    return tmp_path


@pytest.mark.parametrize("by", BY)
def test_scores_are_those_of_a_validation(by):
    pairs = made()
    whole = {(line.product, line.kind, line.group): line for line in assess(pairs, repeats=10).lines}
    lines = _assessed(pairs, by).lines
    assert len(lines) == 2 * {"year": 2, "season": 4, "all": 1}[by]
    for line in lines:
        wanted = whole[line.product, line.kind, line.group]
        assert (line.n, line.stations) == (wanted.n, wanted.stations)
        for name in ("r", "rmse", "mae", "slope", "intercept"):
            assert line.scores[name] == pytest.approx(wanted.scores[name])


@pytest.mark.parametrize(
    ("by", "titles"), [("year", ["2018", "2019"]), ("season", ["DJF", "MAM", "JJA", "SON"]), ("all", [])]
)
def test_columns_are_what_was_asked_for(by, titles):
    pairs = made()
    (figure,) = draw_scatter(pairs, _assessed(pairs, by), by, source="Thanks to all.")
    texts = [text.get_text() for text in figure.texts]
    assert [text for text in texts if text in ("2018", "2019", "DJF", "MAM", "JJA", "SON", "all")] == titles
    panels = [axes for axes in figure.axes if axes.get_xscale() == "log" and len(axes.lines)]
    assert len(panels) == 2 * max(1, len(titles))
    assert sum(np.nansum(axes.collections[0].get_array()) for axes in panels) == 2 * pairs.size
    assert "Thanks to all." in " ".join(texts)
    assert "all pairs" in " ".join(texts)


def test_the_pictures_of_a_folder_or_a_file(folder):
    assert plot_scatter_of_file(folder, folder / "a.png") == [folder / "a.png"]
    plot_scatter_of_file(folder / "pairs.parquet", folder / "b.png")
    assert (folder / "a.png").read_bytes() == (folder / "b.png").read_bytes()
    plot_scatter_of_file(folder, folder / "c.png", products=["DeepCAMS"])
    assert (folder / "a.png").read_bytes() != (folder / "c.png").read_bytes()
    with pytest.raises(OutputError, match="exists"):
        plot_scatter_of_file(folder, folder / "a.png")


def test_many_years_take_several_pictures_or_none(tmp_path):
    _write_pairs(made(2000, 8), tmp_path / "pairs.parquet", {})
    (tmp_path / "a-2.png").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"a-2\.png exists"):
        plot_scatter_of_file(tmp_path, tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()
    paths = plot_scatter_of_file(tmp_path, tmp_path / "a.png", overwrite=True)
    assert [path.name for path in paths] == ["a.png", "a-2.png"]


@pytest.mark.parametrize(("width", "sheets"), [(3.5, 4), (7.2, 2), (10.6, 2)])
def test_columns_that_a_sheet_has_no_room_for_are_on_further_ones(width, sheets):
    pairs = made(2000, 8)
    figures = list(draw_scatter(pairs, _assessed(pairs, "year"), width=width))
    assert len(figures) == sheets
    for figure in figures:
        assert figure.get_figwidth() <= width + 1e-9
        check_texts(figure)


def test_all_pairs_on_one_column_stand_below_each_other():
    pairs = made()
    heights = {}
    for width in (3.5, 7.2):
        (figure,) = draw_scatter(pairs, _assessed(pairs, "all"), "all", width=width)
        check_texts(figure)
        upper, lower = (axes.get_window_extent() for axes in figure.axes[:2])
        heights[width] = upper.y0 - lower.y0
    assert heights[3.5] > 0 == heights[7.2]


def test_no_pairs_are_said(tmp_path):
    _write_pairs(made().take(np.zeros(300, bool)), tmp_path / "pairs.parquet", {})
    with pytest.raises(InputError, match="holds no pairs"):
        plot_scatter_of_file(tmp_path, tmp_path / "a.png")


def test_the_small_print_says_whose_data_are_shown():
    made_by = {
        "products": {"CAMS": {"files": "/data/cams.nc"}, "odd": 3},
        "inputs": ["/data/monitors.csv", "b.csv"],
        "stations_attribution": "AirNow.",
        "attribution": "Copernicus.",
    }
    assert _source(made_by) == "Products: CAMS (cams.nc). Observations: monitors.csv and 1 more. AirNow. Copernicus."
    assert "Copernicus" in _source({})
