"""Which files a call means, in which form they are, and what is said of those that are none."""

import subprocess
import sys
import zipfile

import pytest

from deepcams.errors import InputError
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
