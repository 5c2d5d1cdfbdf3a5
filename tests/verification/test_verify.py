"""Verification: what is damaged is found and named, what is sound is not, and a repair gives back the same bytes."""

import json
import shutil
import subprocess
import sys

import h5py
import numpy as np
import pytest
import xarray as xr
import zarr

from deepcams import __version__
from deepcams.errors import DeepcamsError, InputError, OutputError
from deepcams.io.store import content_digest
from deepcams.production.order import Order
from deepcams.production.run import downscale_to
from deepcams.verification.compare import open_inputs
from deepcams.verification.manifest import check_manifest, write_manifest
from deepcams.verification.repair import alone, refuse_repair, repair
from deepcams.verification.stored import open_stored
from deepcams.verification.verify import Verification

START = np.datetime64("2019-12-30T00", "ns")
METHOD = {"method": "fast", "time": "linear"}


def cams(path, count=24, change=lambda field: field, step=3, start=START):
    """Write CAMS analyses over the Low Countries: three days of them, with a hole in the fourth."""
    times = start + np.arange(count) * np.timedelta64(step, "h")
    age = ((times - START) / np.timedelta64(1, "h"))[:, None, None]
    latitude, longitude = 54.75 - 0.75 * np.arange(8), 3 + 0.75 * np.arange(10)
    values = 20 + 5 * np.sin(9 * np.deg2rad(latitude))[:, None] + 3 * np.cos(5 * np.deg2rad(longitude)) + 0.3 * age
    values = np.where(age[..., :1] != 9, values, np.where(np.arange(80).reshape(8, 10) == 23, np.nan, values))
    field = xr.DataArray(
        values.astype(np.float32) * np.float32(1e-9),
        {"time": times, "latitude": latitude, "longitude": longitude},
        ("time", "latitude", "longitude"),
        "pm2p5",
        attrs={"units": "kg m**-3"},
    )
    change(field).to_netcdf(path)
    return path


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """A folder with inputs and stores made from them, by name; to be copied."""
    folder = tmp_path_factory.mktemp("originals")
    order = Order((str(cams(folder / "cams.nc")),), **METHOD)
    downscale_to(order, folder / "maps.zarr")
    downscale_to(order, folder / "series.zarr", layout="series")
    downscale_to(order, folder / "file.nc")
    part = Order(order.inputs, **METHOD, region="53.1,4.1,51.2,7.3", start="2019-12-30T05", end="2020-01-01T04")
    downscale_to(part, folder / "part.zarr")
    return folder


@pytest.fixture(params=["maps", "series", "part"])
def path(originals, tmp_path, request):
    """A copy of each store."""
    return shutil.copytree(originals / f"{request.param}.zarr", tmp_path / "out.zarr")


@pytest.fixture
def maps(originals, tmp_path):
    """A copy of one of them."""
    return shutil.copytree(originals / "maps.zarr", tmp_path / "out.zarr")


@pytest.fixture
def inputs(originals):
    return str(originals / "cams.nc")


def files_of(path):
    return {str(one.relative_to(path)): one.read_bytes() for one in path.rglob("*") if one.is_file()}


def verify(path, inputs=None, **options):
    stored = open_stored(path)
    return Verification(stored, open_inputs(stored, [inputs]) if inputs else None, **options).run()


def mend(path, inputs, **options):
    """What is found before and after a repair."""
    with alone(path) as log:
        stored = open_stored(path)
        check = Verification(stored, open_inputs(stored, [inputs]), **options)
        before = check.run()
        return before, repair(check, before, log)


def flip(file, place):
    """Change one byte of a file."""
    content = bytearray(file.read_bytes())
    content[place] ^= 0xFF
    file.write_bytes(content)


def rewrite(path, change, day=1):
    """Change the values of a day, and the ledger so that it knows them."""
    group = zarr.open_group(path, mode="r+", use_consolidated=False)
    hours = slice(24 * day, 24 * day + 24)
    values = group["pm2p5"][hours]
    change(values)
    group["pm2p5"][hours] = values
    row = group["ledger/sha256"][day]
    row[0] = np.frombuffer(bytes.fromhex(content_digest(values)), np.uint8)
    group["ledger/sha256"][day] = row


def test_a_sound_store_is_sound(path, inputs):
    before = files_of(path)
    for report in (verify(path), verify(path, inputs)):
        assert report.lines() == []
        assert report.days[0].date == np.datetime64("2019-12-30")
        kinds = zarr.open_group(path, mode="r")["time_kind"][:]
        assert report.hours == (kinds != 2).sum()
        assert report.bytes == sum(one.stat().st_size for one in (path / "pm2p5/c").rglob("*") if one.is_file())
    assert report.mean_error < 1e-3
    assert files_of(path) == before


def test_missing_values_are_counted_and_named(maps, inputs):
    for some, why in ((None, "give --inputs to see"), (inputs, "where CAMS has none")):
        report = verify(maps, some)
        assert report.missing == 9 * 5  # the hole in the fourth analysis and on either side of it
        assert report.notes == [
            next(note for note in report.notes if f"45 values are missing (2019-12-30): {why}" in note)
        ]


def test_a_file_is_verified_too(originals, inputs, tmp_path):
    path = originals / "file.nc"
    report = verify(path, inputs)
    assert report.lines() == []
    assert report.hours == 70
    assert report.mean_error < 1e-3
    assert (
        "made from other analyses"
        in verify(path, str(cams(tmp_path / "other.nc", change=lambda f: f * 1.5))).lines()[0]
    )
    with pytest.raises(InputError, match="only a Zarr store can be repaired"):
        refuse_repair(open_stored(path), has_inputs=True)


def test_damage_in_a_file_is_found(originals, tmp_path, inputs):
    path = tmp_path / "file.nc"
    shutil.copy(originals / "file.nc", path)
    with xr.open_dataset(path) as dataset:
        changed = dataset.load()
    changed["pm2p5"][30, 4, 5] = -2
    changed["pm2p5"][31, 4, 5] = np.nan
    changed.to_netcdf(path)
    assert verify(path).lines() == ["2019-12-31 06 UTC: negative values, down to -2"]
    lines = verify(path, inputs).lines()
    assert "2019-12-31 07 UTC: 1 values missing that CAMS has" in lines
    assert any(line.startswith("2019-12-31 06 UTC: area means differ from CAMS by") for line in lines)


def test_an_unreadable_chunk_of_a_file_is_named_by_its_hour(originals, tmp_path):
    path = tmp_path / "file.nc"
    shutil.copy(originals / "file.nc", path)
    with h5py.File(path) as file:
        chunk = file["pm2p5"].id.get_chunk_info(30)
    with path.open("r+b") as stream:
        stream.seek(chunk.byte_offset)
        stream.write(b"\x55" * chunk.size)
    (line,) = verify(path).lines()
    assert line.startswith("2019-12-31 06 UTC: chunk unreadable (")


def test_an_unfinished_store_says_which_days_are_missing(originals, inputs, tmp_path):
    path = shutil.copytree(originals / "maps.zarr", tmp_path / "out.zarr")
    (path / "ledger/sha256/c/1/0/0").unlink()
    (path / "pm2p5/c/1/0/0").unlink()
    root = json.loads((path / "zarr.json").read_text())
    root["attributes"]["status"] = "unfinished"
    (path / "zarr.json").write_text(json.dumps(root))
    lines = verify(path).lines()
    assert lines[0].startswith("the store is unfinished: 1 day missing (2019-12-31)")
    assert lines[1:] == ["2019-12-31: not made"]
    assert mend(path, inputs)[1].lines() == []
    assert files_of(path) == files_of(originals / "maps.zarr")


@pytest.mark.parametrize("store", ["maps", "series"])
@pytest.mark.parametrize("seed", range(4))
def test_a_flipped_byte_anywhere_in_a_shard_is_found_and_repaired(originals, tmp_path, inputs, store, seed):
    path = shutil.copytree(originals / f"{store}.zarr", tmp_path / "out.zarr")
    random, original = np.random.default_rng(seed), files_of(path)
    values = zarr.open_group(path, mode="r")["pm2p5"][:]
    shard = path / f"pm2p5/c/{random.integers(2)}/0/0"
    flip(shard, int(random.integers(shard.stat().st_size)))
    before, after = mend(path, inputs)
    assert after.lines() == []
    if before.problems:
        assert len(after.repaired) == 1
        assert files_of(path) == original
    np.testing.assert_array_equal(zarr.open_group(path, mode="r")["pm2p5"][:], values)


def test_an_unreadable_chunk_is_named_by_its_hour(maps):
    shard = maps / "pm2p5/c/1/0/0"
    content = shard.read_bytes()
    index = np.frombuffer(content[-(24 * 16 + 4) : -4], np.uint64).reshape(24, 2)
    begin, size = (int(one) for one in index[5])
    shard.write_bytes(content[:begin] + b"\x07" * size + content[begin + size :])
    (line,) = verify(maps).lines()
    assert line.startswith("2019-12-31 05 UTC: chunk unreadable (")


DAMAGES = {
    "shard cut short": lambda path: (path / "pm2p5/c/1/0/0").write_bytes((path / "pm2p5/c/1/0/0").read_bytes()[:100]),
    "shard lost": lambda path: (path / "pm2p5/c/1/0/0").unlink(),
    "row lost": lambda path: (path / "ledger/sha256/c/1/0/0").unlink(),
    "row cut short": lambda path: (path / "ledger/sha256/c/1/0/0").write_bytes(b"\1\2"),
    "all rows lost": lambda path: shutil.rmtree(path / "ledger/sha256/c"),
    "kinds lost": lambda path: (path / "time_kind/c/1").unlink(),
    "kinds cut short": lambda path: (path / "time_kind/c/0").write_bytes(b""),
    "plan lost": lambda path: (path / "ledger/planned/c/0").unlink(),
    "plan cut short": lambda path: (path / "ledger/planned/c/0").write_bytes(b"12"),
    "metadata cut short": lambda path: (path / "pm2p5/zarr.json").write_text('{"shape": ['),
    "metadata lost": lambda path: (path / "time_kind/zarr.json").unlink(),
    "metadata altered": lambda path: (path / "latitude/zarr.json").write_text(
        (path / "latitude/zarr.json").read_text().replace("degrees_north", "degrees_south")
    ),
    "coordinate lost": lambda path: (path / "longitude/c/0").unlink(),
    "coordinate cut short": lambda path: (path / "latitude/c/0").write_bytes(b"1"),
    "bounds lost": lambda path: (path / "latitude_bnds/c/0/0").unlink(),
    "several": lambda path: [DAMAGES[one](path) for one in ("shard lost", "plan lost", "kinds cut short")],
}


CASES = [("maps", damage) for damage in DAMAGES] + [
    ("series", "shard cut short"),
    ("part", "kinds cut short"),
    ("part", "plan lost"),
    ("part", "several"),
]


@pytest.mark.parametrize(("store", "damage"), CASES)
def test_what_is_lost_or_cut_short_is_found_and_repaired(originals, tmp_path, inputs, store, damage):
    path = shutil.copytree(originals / f"{store}.zarr", tmp_path / "out.zarr")
    original = files_of(path)
    DAMAGES[damage](path)
    before, after = mend(path, inputs)
    assert before.lines() != []
    assert after.lines() == []
    assert after.unrepaired == {}
    assert files_of(path) == original


def test_what_a_killed_run_left_is_found_and_removed(maps, inputs):
    original = files_of(maps)
    (maps / "pm2p5/c/1/0/0.abc.partial").write_bytes(b"half")
    assert any("left by a run that was killed" in line for line in verify(maps).lines())
    _, after = mend(maps, inputs)
    assert after.lines() == []
    assert files_of(maps) == original


@pytest.mark.parametrize("place", [20, 90, 200, 310])
def test_a_flipped_byte_in_the_ledger_is_found_and_repaired(maps, inputs, place):
    original, row = files_of(maps), maps / "ledger/sha256/c/1/0/0"
    flip(row, place % row.stat().st_size)
    before, after = mend(maps, inputs)
    assert after.lines() == []
    if before.problems:  # else it was a byte that nothing depends on
        assert files_of(maps) == original


def test_wrong_values_are_found_even_if_the_ledger_knows_them(maps, inputs):
    def spoil(values):
        values[3, 1, 2], values[4, 5, 6], values[6, 1, 1], values[9] = -1, np.inf, np.nan, values[9] * 1.01

    original = files_of(maps)
    rewrite(maps, spoil)
    assert verify(maps).lines() == [
        "2019-12-31 03 UTC: negative values, down to -1",
        "2019-12-31 04 UTC: infinite values",
    ]
    lines = "\n".join(verify(maps, inputs).lines())
    assert "2019-12-31 06 UTC: 1 values missing that CAMS has" in lines
    assert "2019-12-31 09 UTC: area means differ from CAMS by 1.0e-02 of their value" in lines
    assert mend(maps, inputs)[1].lines() == []
    assert files_of(maps) == original


def test_hours_are_as_planned_and_of_their_kind(maps, inputs):
    group = zarr.open_group(maps, mode="r+", use_consolidated=False)
    kinds = group["time_kind"][:]
    kinds[24:28] = [0, 0, 2, 7]
    group["time_kind"][:] = kinds
    lines = verify(maps).lines()
    assert "2019-12-31 02 UTC: planned, and not there" in lines
    assert "2019-12-31 02 UTC: has values, though it is said to be missing" in lines
    assert "2019-12-31 03 UTC: time_kind is not one of its three values" in lines
    assert "2019-12-31 01, 03 UTC: time_kind and the ledger disagree about whether it is an analysis" in lines
    assert "2019-12-31 01 UTC: time_kind is 0, and 1 by the inputs" in verify(maps, inputs).lines()


def test_missing_values_stay_missing(maps, inputs):
    rewrite(maps, lambda values: np.nan_to_num(values[:12], copy=False, nan=3.0), day=0)
    assert verify(maps).lines() == []
    assert "2019-12-30 07-11 UTC: values where CAMS has none" in verify(maps, inputs).lines()


def test_other_inputs_are_said_and_nothing_is_made_from_them(maps, tmp_path):
    before = files_of(maps)
    other = str(cams(tmp_path / "other.nc", change=lambda field: field * 1.001))
    assert all("made from other values" in line for line in verify(maps, other).lines())
    _, after = mend(maps, other)
    assert len(after.problems) == 3
    assert set(after.unrepaired.values()) == {"the inputs are not those that it was made from"}
    assert files_of(maps) == before


def test_inputs_of_another_method_are_refused(maps, inputs):
    root = json.loads((maps / "zarr.json").read_text())
    settings = json.loads(root["attributes"]["deepcams_settings"])
    root["attributes"]["deepcams_settings"] = json.dumps(settings | {"epsilon": 0.06})
    (maps / "zarr.json").write_text(json.dumps(root))
    assert verify(maps).lines() == ["zarr.json is not as it was written"]  # it says its settings twice
    with pytest.raises(InputError, match=r"was made with epsilon 0\.06"):
        verify(maps, inputs)


def test_inputs_of_another_place_are_refused(maps, originals, tmp_path):
    moved = cams(tmp_path / "moved.nc", change=lambda field: field.assign_coords(longitude=field.longitude + 0.75))
    less = cams(tmp_path / "less.nc", change=lambda field: field[:, :6])
    for path in (maps, originals / "file.nc"):
        for other, nodes in ((less, "18 x 30"), (moved, "24 x 30")):
            with pytest.raises(
                InputError, match=f"24 x 30 nodes lie elsewhere than those of these inputs .{nodes} nodes"
            ):
                verify(path, str(other))


def test_a_part_of_the_inputs_compares_a_part(maps, tmp_path):
    part = str(cams(tmp_path / "part.nc", count=9))
    report = verify(maps, part)
    assert report.lines() == []
    assert any(note.startswith("not compared: 2020-01-01: the inputs have no such day") for note in report.notes)
    for number in (0, 1):
        (maps / f"pm2p5/c/{number}/0/0").unlink()
    (maps / "ledger/sha256/c/0/0/0").unlink()
    _, after = mend(maps, part)
    assert after.unrepaired.keys() == {np.datetime64("2019-12-30"), np.datetime64("2019-12-31")}
    assert "do not have the analyses for all its hours" in after.unrepaired[np.datetime64("2019-12-31")]
    assert "do not have all of 2019-12-31 beside it" in after.unrepaired[np.datetime64("2019-12-30")]


def test_a_period_of_it(maps, inputs):
    (maps / "pm2p5/c/1/0/0").unlink()
    last = np.datetime64("2020-01-01")
    assert verify(maps, start=last).lines() == []
    assert len(verify(maps, end=np.datetime64("2019-12-31")).days) == 2
    assert mend(maps, inputs, start=last)[1].lines() == []
    assert not (maps / "pm2p5/c/1/0/0").exists()
    with pytest.raises(InputError, match="no day from 2021-01-01 to 2020-01-01; it has 2019-12-30 to 2020-01-01"):
        verify(maps, start=np.datetime64("2021-01-01"))


def test_another_version_is_verified_and_not_repaired(maps, inputs):
    root = (maps / "zarr.json").read_text()
    (maps / "zarr.json").write_text(root.replace(f'version": "{__version__}"', 'version": "0.0.1"'))
    assert verify(maps, inputs).lines() == ["zarr.json is not as it was written"]  # it says its version twice
    (maps / "zarr.json").write_text(root.replace(__version__, "0.0.1"))
    report = verify(maps, inputs)
    assert report.lines() == []
    assert any("made by deepcams 0.0.1" in note for note in report.notes)
    with pytest.raises(InputError, match=r"made by deepcams 0\.0\.1, and this is"):
        refuse_repair(open_stored(maps), has_inputs=True)


class Interrupted(Exception):
    """Stands for whatever ends a repair."""


@pytest.mark.parametrize("hours", [1, 30])
def test_an_interrupted_repair_is_completed(maps, inputs, hours):
    original, left = files_of(maps), [hours]
    for number in (0, 1):
        flip(maps / f"pm2p5/c/{number}/0/0", -2)

    def progress(count):
        left[0] -= count
        if left[0] < 0:
            raise Interrupted

    with alone(maps) as log:
        check = Verification(open_stored(maps), open_inputs(open_stored(maps), [inputs]))
        with pytest.raises(Interrupted):
            repair(check, check.run(), log, progress)
    assert any("the store is unfinished" in line for line in verify(maps).lines())
    assert downscale_to(Order((inputs,), **METHOD), maps).complete
    assert files_of(maps) == original


def test_a_damaged_root_is_said_plainly(maps, tmp_path):
    (maps / "zarr.json").write_text('{"attributes": ')
    with pytest.raises(
        DeepcamsError, match=r"zarr\.json, which says what the store is, cannot be read .* put zarr"
    ) as found:
        open_stored(maps)
    assert found.value.exit_status == 1
    zarr.create_group(tmp_path / "foreign.zarr")
    for name, what in (("none", "no such store"), ("foreign.zarr", "not a store of deepcams")):
        with pytest.raises(InputError, match=what):
            open_stored(tmp_path / name)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="a folder without zarr"):
        open_stored(tmp_path / "empty")


def test_nobody_else_writes_while_it_is_repaired(maps):
    script = ("import sys\nfrom pathlib import Path\nfrom deepcams.verification.repair import alone\n"
              "with alone(Path(sys.argv[1])): pass")  # fmt: skip
    with alone(maps):
        ended = subprocess.run([sys.executable, "-c", script, str(maps)], capture_output=True, text=True, check=False)
    assert "another run is writing it" in ended.stderr


@pytest.mark.parametrize(
    ("options", "means"),
    [
        ({"space": "bicubic"}, False),
        ({"space": "bicubic-conserving", "order": "time-first"}, True),
        ({"factor": 5, "region": "52,5,51,6"}, False),  # no coarse cell lies wholly in it
    ],
)
def test_other_methods(inputs, tmp_path, options, means):
    path = tmp_path / "out.zarr"
    downscale_to(Order((inputs,), **METHOD, end="2019-12-30T06", **options), path, keepbits=23)
    report = verify(path, inputs)
    assert report.lines() == []
    assert report.mean_error < 2e-6 if means else not report.mean_error > 0
    kept = options.get("space") != "bicubic"
    assert kept != any("does not keep area means" in note for note in report.notes)


def test_area_means_at_the_poles_and_across_the_date_line(tmp_path):
    times = START + np.arange(2) * np.timedelta64(3, "h")
    latitude, longitude = 90 - 0.75 * np.arange(6), 0.75 * np.arange(480)
    values = np.random.default_rng(1).gamma(2, 1e-8, (2, 6, 480)).astype(np.float32)
    values[:, 0] = values[:, :1, 0]
    coordinates = {"time": times, "latitude": latitude, "longitude": longitude}
    field = xr.DataArray(values, coordinates, tuple(coordinates), "pm2p5", attrs={"units": "kg m**-3"})
    field.to_netcdf(tmp_path / "cams.nc")
    for number, region in enumerate((None, "90,-180,87,180", "89,170,87,-170")):
        path = tmp_path / f"{number}.zarr"
        downscale_to(Order((str(tmp_path / "cams.nc"),), **METHOD, region=region), path)
        report = verify(path, str(tmp_path / "cams.nc"))
        assert report.lines() == []
        assert 1e-5 < report.mean_error < 2**-10
        rewrite(path, lambda values: np.multiply(values, 1.002, out=values), day=0)
        found = verify(path, str(tmp_path / "cams.nc")).problems
        assert {hour for one in found for hour in one.hours} == {0, 3}
        assert all("area means differ from CAMS by" in one.what for one in found)


@pytest.mark.parametrize("workers", [1, 3])
def test_the_report_does_not_depend_on_the_number_of_threads(maps, inputs, workers):
    (maps / "pm2p5/c/0/0/0").unlink()
    report = verify(maps, inputs, workers=workers).to_dict() | {"seconds": 0}
    assert json.loads(json.dumps(report)) == verify(maps, inputs).to_dict() | {"seconds": 0}
    assert report["ok"] is False
    assert {one["date"] for one in report["problems"]} == {"2019-12-30"}


def test_a_manifest_is_what_sha256sum_reads(maps, tmp_path):
    manifest = tmp_path / "out.sha256"
    assert write_manifest(manifest, maps, overwrite=False) == len(files_of(maps))
    lines = manifest.read_text().splitlines()
    assert [line[66:] for line in lines] == sorted(line[66:] for line in lines)
    check = ["sha256sum", "--check", "--quiet", str(manifest)]
    assert shutil.which("sha256sum") is None or subprocess.run(check, cwd=maps, check=False).returncode == 0
    flip(maps / "pm2p5/c/1/0/0", 50)
    assert shutil.which("sha256sum") is None or subprocess.run(check, cwd=maps, check=False).returncode == 1
    with pytest.raises(OutputError, match="exists already"):
        check_manifest(manifest, maps, is_store=True, overwrite=False)
    with pytest.raises(OutputError, match="within the store"):
        check_manifest(maps / "sums", maps, is_store=True, overwrite=False)
    with pytest.raises(OutputError, match="does not exist"):
        check_manifest(tmp_path / "none" / "sums", maps, is_store=True, overwrite=False)
