"""The pictures: each cell's colour where the cell is, labels, and files that are whole and never replaced unasked."""

import itertools
import sys

import numpy as np
import pytest
import xarray as xr

from deepcams.errors import InputError, OutputError
from deepcams.grid import Region
from deepcams.plot.fields import crop
from deepcams.plot.maps import Style, draw_compare, draw_map, plot_compare, plot_map
from deepcams.plot.scales import MISSING_COLOUR, Limits, Quantity, build_scale
from deepcams.provenance import ATTRIBUTION
from tests.plot.texts import check_texts

matplotlib = pytest.importorskip("matplotlib")

OCEAN = Region(-32, -132, -44, -114)  # no coast within
PM25 = Quantity.of("pm2p5", {"units": "ug m-3"})


@pytest.fixture
def ocean():
    """(latitude, longitude) random values on whole degrees of the South Pacific; one is missing, one zero."""
    latitude, longitude = np.arange(-33.0, -44.0, -1.0), np.arange(-131.0, -114.0)
    values = np.random.default_rng(5).lognormal(3, 1.5, (latitude.size, longitude.size)).astype(np.float32)
    values[2, 3], values[4, 5] = np.nan, 0
    coordinates = {"latitude": latitude, "longitude": longitude, "time": np.datetime64("2020-01-01T05", "ns")}
    field = xr.DataArray(values, coordinates, ("latitude", "longitude"), "pm2p5", attrs={"units": "ug m-3"})
    return field.assign_coords(time_kind=np.int8(1))


def pixels(figure):
    """(rows, columns, 4) what the figure looks like, from the top."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure.set_dpi(200)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def colour_at(axes, picture, longitude, latitude):
    """The colours at places of a map."""
    places = np.stack(np.broadcast_arrays(longitude, latitude), axis=-1)
    x, y = np.floor(axes.transData.transform(places.reshape(-1, 2))).astype(int).T
    return picture[picture.shape[0] - 1 - y, x].reshape((*places.shape[:-1], 4)) / 255


def expected_colours(field, name="log"):
    scale = build_scale(name, PM25, 1.0)
    return scale.colours(scale.norm(np.ma.masked_invalid(field.values)))


def texts_of(figure):
    return [text.get_text() for text in figure.texts]


@pytest.mark.parametrize("name", ["log", "who"])
def test_each_cell_has_its_colour_from_edge_to_edge(ocean, name):
    figure = draw_map(ocean, style=Style(name))
    picture, axes = pixels(figure), figure.axes[0]
    wanted = expected_colours(ocean, name)
    for east, north in [(0, 0), (-0.44, -0.44), (0.44, 0.44), (-0.44, 0.44)]:
        longitude, latitude = np.meshgrid(ocean["longitude"] + east, ocean["latitude"] + north)
        np.testing.assert_allclose(colour_at(axes, picture, longitude, latitude), wanted, atol=0.01)


def test_a_missing_cell_is_grey_and_a_zero_is_not(ocean):
    figure = draw_map(ocean)
    picture, axes = pixels(figure), figure.axes[0]
    grey = np.array(matplotlib.colors.to_rgba(MISSING_COLOUR))
    np.testing.assert_allclose(colour_at(axes, picture, -128, -35), grey, atol=0.01)
    assert np.abs(colour_at(axes, picture, -126, -37) - grey).max() > 0.1
    assert "Grey: missing." in texts_of(figure)
    assert "Grey: missing." not in texts_of(draw_map(ocean.fillna(1)))


def test_the_map_ends_at_cell_edges_and_is_true_at_its_middle_latitude(ocean):
    axes = draw_map(ocean).axes[0]
    assert axes.get_xlim() == (-131.5, -114.5)
    assert axes.get_ylim() == (-43.5, -32.5)
    box = axes.get_window_extent()
    per_degree = box.width / 17, box.height / 11
    assert per_degree[0] / per_degree[1] == pytest.approx(np.cos(np.deg2rad(38)), rel=1e-6)


def test_a_global_map_ends_at_the_poles_with_half_cells(fine):
    field = fine["pm2p5"].isel(time=3)
    field = field.copy(data=np.repeat(np.geomspace(1, 500, 37, dtype=np.float32)[:, None], 72, axis=1))
    figure = draw_map(field)
    axes = figure.axes[0]
    assert axes.get_ylim() == (-90, 90)
    assert tuple(axes.images[0].get_extent()) == (-2.5, 357.5, -92.5, 92.5)
    latitudes, rows = np.array([89.0, 87.8, 87.2, 82.8, 82.2]), [0, 0, 1, 1, 2]
    wanted = expected_colours(field)[rows, 0]
    np.testing.assert_allclose(colour_at(axes, pixels(figure), 200.0, latitudes), wanted, atol=0.01)


def test_a_map_across_the_date_line_has_both_sides_in_place(fine):
    field = crop(fine["pm2p5"].isel(time=1), Region(-25, 165, -55, -165))
    figure = draw_map(field)
    axes = figure.axes[0]
    assert axes.get_xlim() == (162.5, 197.5)
    labels = dict(zip(axes.get_xticks(), [label.get_text() for label in axes.get_xticklabels()], strict=True))
    assert labels[170] == "170°E"
    assert labels[180] == "180°"
    assert labels[190] == "170°W"
    wanted = expected_colours(field)[4]
    np.testing.assert_allclose(colour_at(axes, pixels(figure), field["longitude"].values, -46.5), wanted, atol=0.01)


def test_the_heading_names_quantity_hour_and_kind(ocean):
    figure = draw_map(ocean)
    assert "PM$_{2.5}$, 2020-01-01 05:00 UTC" in texts_of(figure)
    assert "interpolated between analyses" in texts_of(figure)
    assert "analysis" in texts_of(draw_map(ocean.assign_coords(time_kind=0)))
    assert figure.axes[-1].get_xlabel() == "PM$_{2.5}$ (µg m$^{-3}$)"


def test_a_field_without_time_is_drawn_without_it(ocean):
    assert "PM$_{2.5}$" in texts_of(draw_map(ocean.drop_vars(["time", "time_kind"])))


def test_the_attribution_is_given_read_or_the_default(ocean):
    assert ATTRIBUTION in " ".join(texts_of(draw_map(ocean)))
    assert "Read this." in texts_of(draw_map(ocean.assign_attrs(attribution="Read this.")))
    assert "Given $5." in texts_of(draw_map(ocean, style=Style(attribution="Given $5.")))


def test_the_who_map_says_that_its_classes_are_for_24_hours(ocean):
    figure = draw_map(ocean, style=Style("who"))
    assert "24-hour means" in " ".join(texts_of(figure))
    assert [label.get_text() for label in figure.axes[-1].get_xticklabels()][1] == "15\nAQG"


def test_nothing_is_drawn_beyond_the_sheet(ocean):
    for style in (Style(), Style("who", attribution="A long attribution of many words. " * 20)):
        figure = draw_map(ocean, style=style)
        pixels(figure)
        for text in [*figure.texts, figure.axes[-1].xaxis.label]:
            box = text.get_window_extent()
            assert 0 <= box.x0 < box.x1 <= figure.bbox.width
            assert 0 <= box.y0 < box.y1 <= figure.bbox.height


def test_limits_of_the_style_are_those_of_the_colour_bar(ocean):
    figure = draw_map(ocean, style=Style(limits=Limits(5, 50)))
    assert figure.axes[-1].get_xlim() == pytest.approx((5, 50))


def test_compare_has_the_same_extent_and_colours_in_both_panels(coarse, fine):
    figure = draw_compare(coarse, fine["pm2p5"].isel(time=3), OCEAN)
    left, right, bar = figure.axes
    assert left.get_title(loc="left") == "CAMS, 15°"
    assert right.get_title(loc="left") == "DeepCAMS, 5°"
    assert left.get_xlim() == right.get_xlim() == (-132, -114)
    assert left.get_ylim() == right.get_ylim() == (-44, -32)
    assert left.images[0].norm is right.images[0].norm
    assert left.images[0].cmap == right.images[0].cmap
    assert left.get_window_extent().y0 == right.get_window_extent().y0
    assert bar.get_xlabel() == "PM$_{2.5}$ (µg m$^{-3}$)"


def test_compare_may_have_plain_interpolation_between(coarse, fine):
    figure = draw_compare(coarse, fine["pm2p5"].isel(time=3), OCEAN, interpolated=True)
    panels = figure.axes[:3]
    assert [axes.get_title(loc="left") for axes in panels] == ["CAMS, 15°", "bicubic, 5°", "DeepCAMS, 5°"]
    assert {axes.get_xlim() for axes in panels} == {(-132, -114)}
    assert {axes.get_ylim() for axes in panels} == {(-44, -32)}
    edges = [axes.get_window_extent() for axes in panels]
    assert edges[0].x1 < edges[1].x0
    assert edges[1].x1 < edges[2].x0
    assert edges[0].y0 == edges[2].y0


def test_wide_maps_are_compared_below_each_other(coarse, fine):
    for interpolated in (False, True):
        figure = draw_compare(coarse, fine["pm2p5"].isel(time=3), None, interpolated=interpolated)
        pixels(figure)
        panels = figure.axes[:-1]
        edges = [axes.get_window_extent() for axes in panels]
        assert all(upper.y0 > lower.y1 for upper, lower in itertools.pairwise(edges))
        assert len({(edge.x0, edge.x1) for edge in edges}) == 1
        for text in figure.texts:
            box = text.get_window_extent()
            assert 0 <= box.x0 < box.x1 <= figure.bbox.width
            assert 0 <= box.y0 < box.y1 <= figure.bbox.height


def test_cams_between_analyses_is_called_linear_in_time(coarse, fine):
    figure = draw_compare(coarse.assign_coords(time_kind=1), fine["pm2p5"].isel(time=3), OCEAN)
    assert figure.axes[0].get_title(loc="left") == "CAMS, 15°, linear in time"


def test_compare_shows_the_cells_around_the_region_up_to_its_edges(coarse, fine):
    fields = coarse, fine["pm2p5"].isel(time=3)
    figure = draw_compare(*fields, OCEAN)
    picture = pixels(figure)
    for axes, field in zip(figure.axes, fields, strict=False):
        for longitude, latitude in [(-131.9, -32.2), (-114.2, -43.8), (-123.0, -38.0)]:
            cell = field.sel(longitude=longitude % 360, latitude=latitude, method="nearest")
            wanted = expected_colours(cell.expand_dims("x"))[0]
            np.testing.assert_allclose(colour_at(axes, picture, longitude, latitude), wanted, atol=0.01)


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".PNG"])
def test_a_picture_is_written_whole_and_the_same_every_time(ocean, tmp_path, suffix):
    paths = [tmp_path / f"{name}{suffix}" for name in "ab"]
    for path in paths:
        plot_map(ocean, path)
    assert sorted(tmp_path.iterdir()) == paths
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_picture_is_not_replaced_unless_asked(ocean, tmp_path):
    path = tmp_path / "map.png"
    path.write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists: choose another name"):
        plot_map(ocean, path)
    assert path.read_bytes() == b"mine"
    plot_map(ocean, path, overwrite=True)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_failed_drawing_leaves_the_old_picture_and_nothing_else(ocean, tmp_path):
    path = tmp_path / "map.png"
    path.write_bytes(b"mine")
    with pytest.raises(InputError):
        plot_map(ocean, path, style=Style("rainbow"), overwrite=True)
    assert [found.read_bytes() for found in tmp_path.iterdir()] == [b"mine"]


def test_names_that_cannot_be_pictures_are_refused(coarse, fine, tmp_path):
    field = fine["pm2p5"].isel(time=3)
    with pytest.raises(InputError, match=r"\.png, \.svg, \.pdf"):
        plot_map(field, tmp_path / "map.jpg")
    with pytest.raises(OutputError, match="does not exist: make it"):
        plot_compare(coarse, field, OCEAN, tmp_path / "no" / "map.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        plot_map(field, tmp_path / "folder.png", overwrite=True)


def test_the_callers_matplotlib_settings_are_kept(ocean, tmp_path):
    before = dict(matplotlib.rcParams)
    plot_map(ocean, tmp_path / "map.png")
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("package", ["matplotlib", "cmcrameri"])
def test_a_missing_package_is_named_with_the_command_that_installs_it(ocean, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=rf'{package}, which is not installed: pip install "deepcams\[plot\]"'):
        draw_map(ocean)


def test_the_small_print_names_the_source(ocean, coarse, fine):
    assert not any(text.startswith("Source") for text in texts_of(draw_map(ocean)))
    assert "Source: a_$1$.nc." in texts_of(draw_map(ocean.assign_attrs(origin="a_$1$.nc")))
    fields = (coarse.assign_attrs(origin="cams.nc"), fine["pm2p5"].isel(time=3).assign_attrs(origin="fine.nc"))
    assert "Source: cams.nc; fine.nc." in texts_of(draw_compare(*fields, OCEAN))


@pytest.mark.parametrize("width", [3.5, 7.2])
@pytest.mark.parametrize("name", ["log", "who"])
def test_sheets_are_as_wide_as_columns_of_a_journal(coarse, fine, width, name):
    field = fine["pm2p5"].isel(time=2).assign_attrs(origin="fine.nc: deepcams 0.1.0, network in space, network in time")
    style = Style(name, width=width)
    globe = draw_map(field, style=style)
    assert globe.get_figwidth() == pytest.approx(width)
    for interpolated in (False, True):
        for region in (OCEAN, None):
            figure = draw_compare(coarse, field, region, style=style, interpolated=interpolated)
            assert figure.get_figwidth() <= width + 1e-9
            check_texts(figure)
    check_texts(globe)


def test_on_one_column_panels_stand_below_each_other(coarse, fine):
    figure = draw_compare(coarse, fine["pm2p5"].isel(time=3), OCEAN, style=Style(width=3.5))
    upper, lower = (axes.get_window_extent() for axes in figure.axes[:2])
    assert upper.y0 > lower.y1


def test_a_heading_that_is_too_long_goes_on_below(ocean):
    texts = texts_of(draw_map(ocean, style=Style(width=3.5)))
    assert texts[:3] == ["PM$_{2.5}$", "2020-01-01 05:00 UTC; interpolated", "between analyses"]


@pytest.mark.parametrize("width", [1, 20, float("nan")])
def test_sheets_of_no_use_are_refused(width):
    with pytest.raises(InputError, match=r"inches wide: wanted 3\.4 to 16"):
        Style(width=width)


def test_a_statistic_is_headed_with_its_period_and_the_who_note_knows_it(ocean):
    mean = ocean.rename("pm2p5_mean").drop_vars("time_kind")
    for hours, words in ((24, "set for 24-hour means."), (744, "24-hour means, shown here for 744 hours.")):
        figure = draw_map(mean.assign_attrs(when="2020-01-01 (UTC)", hours=hours), style=Style("who"))
        assert "PM$_{2.5}$ mean, 2020-01-01 (UTC)" in texts_of(figure)
        assert words in " ".join(texts_of(figure))


def test_a_region_of_one_cell_is_refused_with_what_to_do(ocean):
    with pytest.raises(InputError, match="1 x 17 cells in the region: wanted 2 x 2 at least; choose a larger"):
        draw_map(ocean.isel(latitude=[0]))


def test_fonts_of_a_pdf_are_such_as_journals_take(ocean, tmp_path):
    plot_map(ocean, tmp_path / "map.pdf")
    written = (tmp_path / "map.pdf").read_bytes()
    assert b"/Type3" not in written
    assert b"/FontFile2" in written


def test_a_narrow_colour_bar_has_powers_of_ten_where_not_all_labels_fit(ocean):
    labels = {}
    for width in (3.5, 7.2):
        figure = draw_map(ocean, style=Style(limits=Limits(1, 2000), width=width))
        check_texts(figure)
        labels[width] = [label.get_text() for label in figure.axes[-1].get_xticklabels()]
    assert labels[3.5] == ["1", "10", "100", "1000"]
    assert labels[7.2] == ["1", "2", "5", "10", "20", "50", "100", "200", "500", "1000", "2000"]
