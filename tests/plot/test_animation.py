"""Animations: every hour a frame, the same colours in all of them, and nothing left behind when they fail."""

import shutil
import subprocess
import tracemalloc

import numpy as np
import pytest

from deepcams.errors import InputError, OutputError
from deepcams.extraction.extract import choose
from deepcams.grid import Region
from deepcams.io.results import open_results
from deepcams.plot import animation
from deepcams.plot.animation import Film, check_film, write_film
from deepcams.plot.films import gif_writer
from deepcams.plot.maps import Style
from deepcams.plot.scales import Limits

pytest.importorskip("matplotlib")
Image = pytest.importorskip("PIL.Image")

OCEAN = Region(-32, -132, -44, -114)
SMALL = Film(OCEAN, width=320)
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not here")


@pytest.fixture
def extract(store):
    """The fixture's hours 01 to 03; the last is an analysis."""
    return choose(open_results(store))


def frames_of(path):
    """(frames, rows, columns, 3) of a GIF."""
    with Image.open(path) as film:
        found = []
        for number in range(film.n_frames):
            film.seek(number)
            found.append(np.asarray(film.convert("RGB")))
        return np.array(found)


def test_every_hour_is_a_frame_of_its_own(extract, tmp_path):
    done = []
    write_film(extract, tmp_path / "a.gif", SMALL, progress=done.append)
    frames = frames_of(tmp_path / "a.gif")
    assert done == [1, 1, 1]
    assert len(frames) == 3
    assert frames.shape[2] == 320
    assert len({frame.tobytes() for frame in frames}) == 3
    assert not [path for path in tmp_path.iterdir() if "partial" in path.name]
    with Image.open(tmp_path / "a.gif") as film:
        assert film.info["loop"] == 0
        assert film.info["duration"] == 250


def test_a_frame_has_the_colours_of_the_map(extract, tmp_path):
    write_film(extract, tmp_path / "a.gif", SMALL)
    drawn = next(animation._frames(extract, SMALL))
    found = frames_of(tmp_path / "a.gif")[0]
    difference = np.abs(drawn.astype(int) - found)
    assert np.median(difference) == 0
    assert (difference.max(axis=2) <= 4).mean() > 0.9  # the rest are the edges of letters and coasts
    assert (found[0, 0] == 255).all()


def test_the_scale_is_the_same_in_all_frames(fine, tmp_path):
    fine = fine.rename(pm2p5="ozone")
    fine["ozone"].attrs["units"] = "kg kg-1"
    fine.to_netcdf(tmp_path / "ozone.nc")
    extract = choose(open_results(tmp_path / "ozone.nc"))
    peak = float(fine["ozone"].max())
    assert animation._limits(extract, Film()) == Limits(None, peak)
    assert animation._limits(extract, Film(style=Style(limits=Limits(1, 5)))) == Limits(1, 5)


def test_particles_keep_their_customary_limits(extract):
    assert animation._limits(extract, SMALL) == Limits()


def test_the_same_hours_give_the_same_bytes_and_nothing_is_replaced_unasked(extract, tmp_path):
    for name in "ab":
        write_film(extract, tmp_path / f"{name}.gif", SMALL)
    before = (tmp_path / "a.gif").read_bytes()
    assert before == (tmp_path / "b.gif").read_bytes()
    with pytest.raises(OutputError, match="exists"):
        write_film(extract, tmp_path / "a.gif", SMALL)
    write_film(extract, tmp_path / "a.gif", SMALL, overwrite=True)
    assert (tmp_path / "a.gif").read_bytes() == before


def test_a_missing_hour_is_a_frame_that_says_so(fine, tmp_path):
    kinds = fine["time_kind"].values.copy()
    kinds[2] = 2
    fine = fine.assign(time_kind=("time", kinds))
    fine["pm2p5"][2] = np.nan
    fine.to_netcdf(tmp_path / "gap.nc")
    write_film(choose(open_results(tmp_path / "gap.nc")), tmp_path / "gap.gif", SMALL)
    frames = frames_of(tmp_path / "gap.gif")
    assert len(frames) == 3
    grey = np.abs(frames[1].astype(int) - 0xB3).max(axis=2) <= 6
    assert grey.mean() > 0.2


def test_the_whole_globe_is_shown_where_no_region_is_asked_for(extract, tmp_path):
    write_film(extract, tmp_path / "globe.gif", Film(width=320))
    rows, columns = frames_of(tmp_path / "globe.gif")[0].shape[:2]
    assert columns > 1.2 * rows


@pytest.mark.parametrize(("name", "wanted"), [("a.png", r"\.gif or \.mp4"), ("none/a.gif", "does not exist")])
def test_what_cannot_be_written_is_refused_before_any_work(tmp_path, name, wanted):
    with pytest.raises(OutputError, match=wanted):
        check_film(tmp_path / name)


@pytest.mark.parametrize("wrong", [{"rate": 0.5}, {"rate": 100}, {"width": 10}, {"width": 10**5}])
def test_numbers_beyond_reason_are_refused(wrong):
    with pytest.raises(InputError, match="wanted"):
        Film(**wrong)


def test_without_ffmpeg_mp4_is_refused_with_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"ffmpeg, which is not on this machine.*\.gif"):
        check_film(tmp_path / "a.mp4")


def test_an_ffmpeg_that_fails_leaves_nothing_and_is_quoted(monkeypatch, extract, tmp_path):
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "ffmpeg").write_text("#!/bin/sh\necho Unknown encoder libx264 >&2\nexit 8\n")
    (tools / "ffmpeg").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/bin:/usr/bin")
    with pytest.raises(OutputError, match="Unknown encoder libx264"):
        write_film(extract, tmp_path / "a.mp4", SMALL)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fine.nc", "tools"]


@needs_ffmpeg
def test_an_mp4_has_every_hour_and_is_the_same_every_time(extract, tmp_path):
    for name in "ab":
        write_film(extract, tmp_path / f"{name}.mp4", SMALL)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    drawn = list(animation._frames(extract, SMALL))
    command = ["ffmpeg", "-loglevel", "error", "-i", tmp_path / "a.mp4", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    frames = np.frombuffer(raw, np.uint8).reshape(-1, *drawn[0].shape)
    assert len(frames) == 3
    assert all(side % 2 == 0 for side in drawn[0].shape[:2])
    for frame, wanted in zip(frames, drawn, strict=True):
        assert np.abs(frame.astype(int) - wanted).mean() < 4


def test_memory_does_not_grow_with_the_number_of_frames(tmp_path):
    generator = np.random.default_rng(0)
    peaks = []
    for count in (3, 30):
        tracemalloc.start()
        with gif_writer(tmp_path / "a.gif", 200, 200, 10, np.arange(768, dtype=np.uint8).reshape(256, 3)) as write:
            for _ in range(count):
                write(generator.integers(0, 255, (200, 200, 3), np.uint8))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]
    assert len(frames_of(tmp_path / "a.gif")) == 30
