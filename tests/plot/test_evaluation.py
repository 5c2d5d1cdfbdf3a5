"""The figures of an evaluation: panels in the same colours and edges, texts that do not meet, files that are whole."""

import sys

import numpy as np
import pytest

from deepcams.errors import InputError, OutputError
from deepcams.evaluation.panels import Panel, Picture
from deepcams.grid import Grid
from deepcams.plot.evaluation import NAMES, check_drawing, draw_picture, write_pictures
from tests.plot.texts import check_texts, drawn, texts_of

matplotlib = pytest.importorskip("matplotlib")

SHAPES = {"box": Grid(50, 5, 0.25, 60, 90), "strip": Grid(50, 5, 0.25, 60, 6), "band": Grid(-5, -30, 0.25, 6, 90)}


def picture(task="space", grid=SHAPES["box"], source="A model."):
    """A figure of random fields; the method's errors are half of bicubic's."""
    generator = np.random.default_rng(0)
    truth = generator.lognormal(3, 1, grid.shape)
    error = truth * generator.normal(0, 0.2, grid.shape)
    names = {"space": ("given, 0.75°", "bicubic", "deepcams"), "time": ("linear", "deepcams")}[task]
    panels = [Panel(name, truth + error / (1 + n), {"rmse": 123.45, "mae": 98.76}) for n, name in enumerate(names)]
    return Picture(task, np.datetime64("2020-03-08T01"), grid, (*panels, Panel("truth", truth, None)), source)


def maps_of(figure):
    return [axes for axes in figure.axes if axes.images]


@pytest.mark.parametrize(("task", "panels"), [("space", 4), ("time", 3)])
def test_panels_in_a_row_and_errors_below(task, panels):
    shown = picture(task)
    figure = draw_picture(shown)
    fields, errors = maps_of(figure)[::2][: panels - 1], maps_of(figure)[1::2][: panels - 1]
    fields.append(maps_of(figure)[-1])
    assert [axes.get_title(loc="left") for axes in fields] == [panel.name for panel in shown.panels]
    assert [axes.get_title(loc="left") for axes in errors] == [f"{one.name} − truth" for one in shown.panels[:-1]]
    assert len({id(axes.images[0].norm) for axes in fields}) == len({id(axes.images[0].norm) for axes in errors}) == 1
    for upper, lower in zip(fields, errors, strict=False):
        assert upper.get_position().x0 == pytest.approx(lower.get_position().x0)
        assert upper.get_position().y0 > lower.get_position().y1
    np.testing.assert_allclose(errors[0].images[0].get_array(), shown.panels[0].values - shown.panels[-1].values)


def test_colours_are_logarithmic_for_fields_and_even_on_both_sides_for_errors():
    figure = draw_picture(picture())
    norms = {type(axes.images[0].norm).__name__: axes.images[0].norm for axes in maps_of(figure)}
    assert set(norms) == {"LogNorm", "Normalize"}
    assert norms["Normalize"].vmin == -norms["Normalize"].vmax
    truth = picture().panels[-1].values
    assert norms["LogNorm"].vmin == pytest.approx(np.percentile(truth, 1))
    assert norms["LogNorm"].vmax == pytest.approx(np.percentile(truth, 99))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("task", ["space", "time"])
def test_no_text_meets_another_or_leaves_the_sheet(shape, task):
    check_texts(draw_picture(picture(task, SHAPES[shape], source="A model with a long name, run for years. " * 4)))


@pytest.mark.parametrize("shape", SHAPES)
def test_maps_are_true_at_their_middle_latitude(shape):
    grid = SHAPES[shape]
    axes = maps_of(draw_picture(picture(grid=grid)))[0]
    box = axes.get_window_extent()
    per_degree = box.width / (0.25 * grid.columns), box.height / (0.25 * grid.rows)
    middle = (grid.north + grid.south) / 2
    assert per_degree[0] / per_degree[1] == pytest.approx(np.cos(np.deg2rad(middle)))
    assert axes.get_xlim() == (grid.west - 0.125, grid.longitude[-1] + 0.125)
    assert axes.get_ylim() == (grid.south - 0.125, grid.north + 0.125)


def test_scores_time_unit_and_source_are_told():
    texts = [text for text, _ in texts_of(drawn(draw_picture(picture())))]
    assert texts.count("RMSE 123.45, MAE 98.76 µg m$^{-3}$") == 3
    assert "2020-03-08 01:00 UTC" in texts
    assert "PM$_{2.5}$ (µg m$^{-3}$)" in texts
    assert any("A model." in text for text in texts)
    unnamed = draw_picture(picture(source=""))
    assert any("not named in the files" in text for text, _ in texts_of(drawn(unnamed)))


def test_missing_values_and_zeros_can_be_drawn():
    shown = picture()
    shown.panels[-1].values[:5] = np.nan
    shown.panels[-1].values[5:40] = 0
    drawn(draw_picture(shown))
    nothing = Panel("truth", np.zeros(SHAPES["box"].shape), None)
    same = Panel("linear", np.zeros(SHAPES["box"].shape), {"rmse": 0.0, "mae": 0.0})
    drawn(draw_picture(Picture("time", shown.time, shown.grid, (same, same, nothing), "")))


def test_files_are_whole_the_same_every_time_and_not_replaced_unasked(tmp_path):
    pictures = [picture("space"), picture("time")]
    paths = write_pictures(pictures, tmp_path)
    assert paths == [tmp_path / NAMES["space"], tmp_path / NAMES["time"]]
    assert sorted(tmp_path.iterdir()) == paths
    before = [path.read_bytes() for path in paths]
    with pytest.raises(OutputError, match="exists"):
        write_pictures(pictures, tmp_path)
    write_pictures(pictures, tmp_path, overwrite=True)
    assert [path.read_bytes() for path in paths] == before


@pytest.mark.parametrize("package", ["matplotlib", "cmcrameri"])
def test_a_missing_package_is_named_before_any_work(monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=rf'{package}, which is not installed: pip install "deepcams\[plot\]"'):
        check_drawing()
