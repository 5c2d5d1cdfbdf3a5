"""Which files a call means, in which form they are, and what is said of those that are none."""

import gc
import http.server
import re
import subprocess
import sys
import threading
import warnings
import zipfile
from functools import partial
from pathlib import Path

import fsspec
import numpy as np
import pytest

from deepcams.errors import InputError
from deepcams.io import remote
from deepcams.io.cams import open_analyses
from deepcams.io.files import find_files, open_dataset


@pytest.fixture
def folder(tmp_path, cams):
    """Two files with analyses, among others."""
    cams.new_store(tmp_path / "b.nc", cams.concentration()[2:])
    cams.new_store(tmp_path / "a.nc", cams.concentration()[:2])
    (tmp_path / "README.txt").write_text("downloaded on Monday")
    (tmp_path / ".a.4711.partial.nc").write_bytes((tmp_path / "a.nc").read_bytes()[:100])
    return tmp_path


def zipped(path, members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_a_folder_gives_its_data_files_in_order_and_no_hidden_ones(folder):
    assert [file.path.name for file in find_files(folder)] == ["a.nc", "b.nc"]


@pytest.mark.parametrize("as_text", [True, False])
def test_a_pattern_gives_the_files_that_match(folder, as_text):
    pattern = folder / "*.nc"
    assert [file.path.name for file in find_files(str(pattern) if as_text else pattern)] == ["a.nc", "b.nc"]


def test_a_relative_pattern_and_a_recursive_one(folder, monkeypatch):
    (folder / "2019").mkdir()
    (folder / "b.nc").rename(folder / "2019" / "b.nc")
    monkeypatch.chdir(folder)
    assert len(find_files("2019/?.nc")) == 1
    assert len(find_files("**/*.nc")) == 2


def test_a_file_named_twice_is_opened_once(folder):
    assert len(find_files([folder, folder / "a.nc", str(folder / "*.nc")])) == 2


def test_a_name_with_brackets_is_no_pattern_if_the_file_exists(folder):
    (folder / "a.nc").rename(folder / "cams [1].nc")
    assert find_files(folder / "cams [1].nc")[0].path.name == "cams [1].nc"


def test_the_form_is_told_from_the_bytes_and_not_from_the_name(tmp_path, cams, grib):
    field = cams.concentration()
    cams.new_store(tmp_path / "1.grib", field)
    cams.old_store(tmp_path / "2.zip", field, "NETCDF3_CLASSIC")
    cams.old_store(tmp_path / "3.dat", field, "NETCDF3_64BIT")
    cams.in_kilograms(field).to_dataset().to_netcdf(tmp_path / "4", engine="netcdf4", format="NETCDF3_64BIT_DATA")
    grib(tmp_path / "5.nc", field)
    zipped(tmp_path / "6.nc", {"data_sfc.nc": (tmp_path / "1.grib").read_bytes()})
    engines = [file.engine for file in find_files(tmp_path)]
    assert engines == ["h5netcdf", "scipy", "scipy", "netcdf4", "cfgrib", "h5netcdf"]


@pytest.mark.parametrize("content", [b"", b"latitude,longitude\n1,2\n", b"PK\x05\x06" + 18 * b"\0", b"\x1f\x8b\x08"])
def test_a_file_of_another_form_is_refused_with_what_it_looks_like(tmp_path, content):
    path = tmp_path / "cams.nc"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"cams\.nc: not a NetCDF, GRIB or zip file \((it is empty|\d+ bytes)"):
        find_files(path)


def test_what_does_not_exist_is_said(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        find_files(tmp_path / "none.nc")
    with pytest.raises(InputError, match="no file matches"):
        find_files(tmp_path / "*.nc")
    with pytest.raises(InputError, match="no NetCDF, GRIB or zip file in this folder"):
        find_files(tmp_path)
    with pytest.raises(InputError, match="no input files"):
        find_files([])


def test_a_zip_gives_the_data_files_among_its_members(folder):
    content = (folder / "a.nc").read_bytes()
    members = {"readme.txt": b"hi", "2019/": b"", "2019/12/data_sfc.nc": content, "2020/data_sfc.nc": content}
    files = find_files(zipped(folder / "z.zip", members))
    assert [file.label for file in files] == [f"{folder}/z.zip/2019/12/data_sfc.nc", f"{folder}/z.zip/2020/data_sfc.nc"]


def test_what_a_zip_was_unpacked_to_goes_when_it_is_no_longer_used(folder):
    files = find_files(zipped(folder / "z.zip", {"data_sfc.nc": (folder / "a.nc").read_bytes()}))
    unpacked = files[0].path
    assert unpacked.is_file()
    del files
    assert not unpacked.parent.exists()


def test_what_a_zip_was_unpacked_to_goes_with_the_program(folder):
    path = zipped(folder / "z.zip", {"data_sfc.nc": (folder / "a.nc").read_bytes()})
    program = f"from deepcams.io.files import find_files; kept = find_files({str(path)!r}); print(kept[0].path)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True)
    assert "deepcams-" in done.stdout
    assert not (folder / done.stdout.strip()).parent.exists()
    assert done.stderr == ""


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("harm", ["truncated", "overwritten"])
def test_a_damaged_zip_is_refused(folder, compression, harm):
    path = zipped(folder / "z.zip", {"data_sfc.nc": (folder / "a.nc").read_bytes()}, compression)
    content = path.read_bytes()
    middle = len(content) // 2
    spoilt = content[:middle] + b"\xff" * 200 + content[middle + 200 :]
    path.write_bytes(content[:middle] if harm == "truncated" else spoilt)
    with pytest.raises(InputError, match=r"z\.zip: a damaged zip .* fetch it again"):
        find_files(path)


def test_a_zip_without_data_is_refused(folder):
    with pytest.raises(InputError, match="no NetCDF or GRIB file inside"):
        find_files(zipped(folder / "z.zip", {"readme.txt": b"hi"}))


@pytest.mark.parametrize("length", [30, 200, 0.5, -50])
@pytest.mark.parametrize("form", ["new", "old", "grib1", "grib2"])
def test_a_truncated_file_is_refused(tmp_path, cams, grib, form, length):
    path = tmp_path / "cams"
    write = {
        "new": lambda: cams.new_store(path, cams.concentration()),
        "old": lambda: cams.old_store(path, cams.concentration()),
        "grib1": lambda: grib(path, cams.concentration(), edition=1),
        "grib2": lambda: grib(path, cams.concentration(), edition=2),
    }
    content = write[form]().read_bytes()
    path.write_bytes(content[: int(len(content) * length) if length == 0.5 else length])
    with pytest.raises(InputError, match=r"cannot be read .* fetch it again"):
        open_dataset(find_files(path)[0])


def test_grib_without_its_library_says_what_to_install(tmp_path, cams, grib, monkeypatch):
    path = grib(tmp_path / "cams.grib", cams.concentration())
    monkeypatch.setitem(sys.modules, "cfgrib", None)
    with pytest.raises(InputError, match=r'cams\.grib: a GRIB file.*pip install "deepcams\[grib\]"'):
        open_dataset(find_files(path)[0])


# By URL: a file system in memory stands for an object store, a server on this machine for the web.


class Ranged(http.server.SimpleHTTPRequestHandler):
    """A web server that gives parts of files, has refused ones, and one that drops the connection."""

    ranges = True

    def do_GET(self):
        if "refused" in self.path:
            return self.send_error(403)
        asked = self.headers.get("Range")
        path = Path(self.translate_path(self.path))
        if not (self.ranges and asked and path.is_file()):
            return super().do_GET()
        first, last = (int(one) for one in asked.removeprefix("bytes=").split("-"))
        part = path.read_bytes()[first : last + 1]
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{first + len(part) - 1}/{path.stat().st_size}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)

    def do_HEAD(self):
        return self.send_error(403) if "refused" in self.path else super().do_HEAD()

    def log_message(self, *args):
        pass


class Plain(Ranged):
    """A web server that gives whole files only."""

    ranges = False


@pytest.fixture
def serve(tmp_path):
    """Serve the temporary folder on this machine; gives the address."""
    pytest.importorskip("aiohttp")
    servers = []

    def serve(handler):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(tmp_path)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def upload():
    """Copy a folder to a file system in memory; gives its URL."""
    memory = fsspec.filesystem("memory")
    memory.store.clear()

    def upload(folder):
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                memory.pipe_file(f"/bucket/cams/{path.relative_to(folder)}", path.read_bytes())
        return "memory://bucket/cams"

    yield upload
    memory.store.clear()


def names(files):
    return [file.label.rsplit("/", 1)[-1] for file in files]


def test_urls_give_what_paths_give(folder, upload):
    (folder / "2019").mkdir()
    (folder / "2019" / "c.nc").write_bytes((folder / "a.nc").read_bytes())
    url = upload(folder)
    for base in (url, folder.as_uri()):
        assert names(find_files(base)) == names(find_files(base + "/")) == ["a.nc", "b.nc"]
        assert names(find_files(f"{base}/?.nc")) == names(find_files(f"{base}/[ab].nc")) == ["a.nc", "b.nc"]
        assert names(find_files(f"{base}/**/*.nc")) == ["c.nc", "a.nc", "b.nc"]
        assert names(find_files([f"{base}/b.nc", base])) == ["b.nc", "a.nc"]
    assert find_files((folder / "a.nc").as_uri()) == find_files(folder / "a.nc")
    assert [file.path for file in find_files(f"{url}/*.nc")] == [f"{url}/a.nc", f"{url}/b.nc"]


def test_what_is_not_there_by_url_is_said(folder, upload):
    url = upload(folder)
    (folder / "empty.nc").touch()
    for name, told in {
        "none.nc": "no such file",
        "*.grib": "no file matches this pattern",
        "README.txt": r"not a NetCDF, GRIB or zip file \(20 bytes, beginning with b'downloaded",
        "empty.nc": r"not a NetCDF, GRIB or zip file \(it is empty\)",
        "empty": "no NetCDF, GRIB or zip file in this folder",
    }.items():
        upload(folder)
        fsspec.filesystem("memory").pipe_file("/bucket/cams/empty/README.txt", b"")
        with pytest.raises(InputError, match=rf"^{url}/{re.escape(name)}: {told}"):
            find_files(f"{url}/{name}")


def test_all_forms_are_read_by_url(tmp_path, cams, grib, upload):
    field = cams.concentration()
    cams.new_store(tmp_path / "1.nc", field)
    cams.old_store(tmp_path / "2.nc", field)
    grib(tmp_path / "3.grib", field)
    zipped(tmp_path / "4.zip", {"data_sfc.nc": (tmp_path / "1.nc").read_bytes()})
    cams.in_kilograms(field).to_dataset().to_zarr(tmp_path / "5.zarr", zarr_format=3, consolidated=False)
    url = upload(tmp_path)
    files = find_files(url)
    assert [file.engine for file in files] == ["h5netcdf", "scipy", "cfgrib", "h5netcdf", "zarr"]
    assert [file.path == file.label for file in files] == [True, False, False, False, True]
    assert [file.is_member for file in files] == [False, False, False, True, False]
    assert files[3].label == f"{url}/4.zip/data_sfc.nc"
    for file in files:
        found = open_analyses([file])
        values = np.stack([found.load(number) for number in range(5)])
        np.testing.assert_allclose(values, field.values, atol=0.21, err_msg=file.label)  # half a step of the packing
    copies = [file.path for file in files[1:4]]
    assert all(copy.is_file() for copy in copies)
    del files, file, found
    gc.collect()
    assert not any(copy.parent.exists() for copy in copies)


@pytest.mark.parametrize("consolidated", [True, False])
@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_a_remote_store_is_opened_with_and_without_consolidated_metadata(
    tmp_path, cams, upload, zarr_format, consolidated
):
    field = cams.concentration()
    dataset = cams.in_kilograms(field).to_dataset()
    with warnings.catch_warnings(action="ignore"):
        dataset.to_zarr(tmp_path / "x.zarr", zarr_format=zarr_format, consolidated=consolidated)
    url = upload(tmp_path)
    found = open_analyses(find_files(f"{url}/*.zarr"))
    np.testing.assert_allclose(found.load(4), field[4], rtol=1e-5)
    assert names(find_files(url)) == names(find_files(f"{url}/x.zarr")) == ["x.zarr"]


@pytest.mark.parametrize(("server", "in_place"), [(Ranged, True), (Plain, False)])
def test_the_web_is_read_in_place_where_it_can(tmp_path, cams, serve, server, in_place):
    field = cams.concentration()
    cams.new_store(tmp_path / "a.nc", field)
    url = f"{serve(server)}/a.nc?token=s3cr3t"
    file = find_files(url)[0]
    assert isinstance(file.path, str) is in_place
    found = open_analyses([file])
    np.testing.assert_allclose(found.load(4), field[4], rtol=1e-5)
    assert found.files == (url.split("?")[0],)
    assert "s3cr3t" not in repr(file)


def test_a_folder_and_a_store_on_the_web(tmp_path, cams, serve):
    field = cams.concentration()
    cams.new_store(tmp_path / "a.nc", field)
    (tmp_path / "other.txt").touch()
    with warnings.catch_warnings(action="ignore"):
        cams.in_kilograms(field).to_dataset().to_zarr(tmp_path / "x.zarr", zarr_format=3, consolidated=True)
    url = serve(Ranged)
    assert names(find_files(f"{url}/*.nc")) == ["a.nc"]
    assert "a.nc" in names(find_files(f"{url}/"))
    store = open_analyses(find_files(f"{url}/x.zarr"))
    np.testing.assert_allclose(store.load(4), field[4], rtol=1e-5)


def test_what_the_web_refuses_is_said_without_secrets(tmp_path, serve):
    url = serve(Ranged)
    for address, told in {
        f"{url}/none.nc?s3cr3t": f"{url}/none.nc: no such file or folder",
        f"{url}/refused.nc?s3cr3t": f"{url}/refused.nc: access refused",
        "http://me:s3cr3t@127.0.0.1:1/a.nc": "http://127.0.0.1:1/a.nc: cannot be reached",
    }.items():
        with pytest.raises(InputError, match=f"^{re.escape(told)}") as caught:
            find_files(address)
        assert "s3cr3t" not in str(caught.value)


def test_a_large_download_is_a_note(tmp_path, cams, upload, monkeypatch):
    monkeypatch.setattr(remote, "_LARGE", 1000)
    cams.old_store(tmp_path / "a.nc", cams.concentration())
    url = upload(tmp_path)
    assert open_analyses(find_files(url)).notes == (f"{url}/a.nc: 0 MB were downloaded to a temporary folder",)


def test_files_that_come_later_are_found(folder, upload):
    url = upload(folder)
    assert len(find_files(url)) == 2
    (folder / "c.nc").write_bytes((folder / "a.nc").read_bytes())
    upload(folder)
    assert len(find_files(url)) == 3


def test_a_damaged_zip_by_url_is_refused(folder, upload):
    path = zipped(folder / "z.zip", {"data_sfc.nc": (folder / "a.nc").read_bytes()})
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(InputError, match=r"^memory://bucket/cams/z\.zip: a damaged zip .* fetch it again"):
        find_files(f"{upload(folder)}/z.zip")


def test_files_may_be_kept_on_a_local_disk(folder, upload):
    url = f"simplecache::{upload(folder)}"
    files = find_files(f"{url}/?.nc")
    assert [file.label for file in files] == [f"{url}/a.nc", f"{url}/b.nc"]
    np.testing.assert_array_equal(open_analyses(files).load(4), open_analyses(find_files(folder / "b.nc")).load(2))
    with pytest.raises(InputError, match="give its own URL"):
        remote.zarr_store(f"{url}/x.zarr", read_only=True)
