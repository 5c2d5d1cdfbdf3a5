"""What is served: stores as they are, everything else as a Zarr store that any reader understands."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
import zarr

from deepcams.errors import InputError
from deepcams.io.results import open_results
from deepcams.sample import cams_sample
from deepcams.viewer.stores import open_cams, open_shown
from deepcams.viewer.virtual import Maps, VirtualStore


def fetched(shown):
    """The store as another program reads it: through its keys."""
    keys = (
        shown.virtual.keys()
        if shown.virtual
        else [p.relative_to(shown.folder).as_posix() for p in shown.folder.rglob("*")]
    )
    memory = {}
    for key in keys:
        content = shown.find(key)
        if content is not None:
            with content.stream as stream:
                memory[key] = zarr.core.buffer.cpu.Buffer.from_bytes(stream.read())
                assert len(memory[key]) == content.size
    return xr.open_zarr(zarr.storage.MemoryStore(memory), consolidated=True)


@pytest.fixture(scope="module")
def netcdf(europe, tmp_path_factory):
    """The store's hours that are there, as NetCDF with rows from south to north and longitudes from -180."""
    path = tmp_path_factory.mktemp("netcdf") / "europe.nc"
    with xr.open_zarr(europe) as store:
        found = store.isel(time=np.flatnonzero(store.time_kind != 2))[["pm2p5", "time_kind", "latitude", "longitude"]]
        found.isel(latitude=slice(None, None, -1)).drop_encoding().to_netcdf(path)
    return path


def test_a_store_is_given_as_it_is(europe):
    shown = open_shown(str(europe))
    assert shown.folder == europe
    assert (shown.label, shown.variable) == ("europe.zarr", "pm2p5")
    with xr.open_zarr(europe) as store:
        np.testing.assert_array_equal(shown.kinds(), store.time_kind)
        xr.testing.assert_identical(fetched(shown).pm2p5.load(), store.pm2p5.load())


def test_netcdf_becomes_a_store(europe, netcdf):
    shown = open_shown(str(netcdf))
    found = fetched(shown)
    with xr.open_zarr(europe) as store:
        same = store.pm2p5.isel(time=slice(15, 25))
        np.testing.assert_array_equal(found.pm2p5, same)
        np.testing.assert_array_equal(found.time, same.time)
        np.testing.assert_array_equal(found.time_kind, store.time_kind[15:25])
        np.testing.assert_allclose(found.latitude, same.latitude)
    assert found.attrs["status"] == "complete"


@pytest.mark.parametrize(
    "key",
    ["", "pm2p5", "pm2p5/c", "pm2p5/c/0", "pm2p5/c/10/0/0", "pm2p5/c/-1/0/0", "pm2p5/c/01/0/0", "pm2p5/c/0/0/1",
     "pm2p5/c/x/0/0", "pm2p5/c/99999999999999/0/0", "pm2p5/c/²/0/0", "other/c/0/0/0"],
)  # fmt: skip
def test_keys_that_are_none(netcdf, key):
    assert open_shown(str(netcdf)).find(key) is None


def test_memory_is_bounded_and_a_chunk_is_always_the_same(netcdf, monkeypatch):
    monkeypatch.setattr("deepcams.viewer.virtual._KEPT", 3)
    store = VirtualStore(Maps.of_results(open_results(netcdf)))
    first = {key: store.get(key) for key in store.keys()}  # noqa: SIM118
    assert {key: store.get(key) for key in first} == first
    assert len(store._chunks) == 3


def test_cams_keeps_its_own_grid_and_times():
    from deepcams import open_cams as analyses

    shown = open_cams([str(cams_sample())], "pm2p5")
    found, truth = fetched(shown), analyses(cams_sample())
    np.testing.assert_array_equal(found.time, truth.time)
    assert found.pm2p5.shape == truth.shape == (4, 241, 480)
    assert (shown.kinds() == 0).all()
    np.testing.assert_array_equal(found.pm2p5[2, 1:-1], truth[2, 1:-1].clip(0))


def test_a_file_of_cams_is_shown_as_analyses():
    shown = open_shown(str(cams_sample()))
    assert shown.kinds().tolist() == [0, 2, 2, 0, 2, 2, 0, 2, 2, 0]  # hourly, as the page counts hours
    found = fetched(shown)
    assert "Copernicus" in found.attrs["attribution"]
    np.testing.assert_array_equal(found.time_kind, shown.kinds())


def test_what_is_no_output_is_refused(tmp_path):
    (tmp_path / "x.zarr").mkdir()
    with pytest.raises(InputError):
        open_shown(str(tmp_path / "x.zarr"))
    with pytest.raises(InputError, match="no such file"):
        open_shown(str(tmp_path / "none.zarr"))


def test_an_unfinished_store_is_read_anew(europe, tmp_path):
    import json
    import shutil

    store = shutil.copytree(europe, tmp_path / "unfinished.zarr")
    described = json.loads((store / "zarr.json").read_text())
    described["attributes"]["status"] = "unfinished"
    (store / "zarr.json").write_text(json.dumps(described))
    shown = open_shown(str(store))
    before = shown.kinds()
    (store / "time_kind" / "c" / "1").unlink()
    assert (shown.kinds() != 2).sum() == (before != 2).sum() - 1
