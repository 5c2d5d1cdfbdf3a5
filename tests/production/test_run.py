"""A store is the same to the last byte whoever makes it, in however many goes; what is wrong is said, and nothing is lost."""

import itertools
import resource
import signal

import numpy as np
import pytest
import xarray as xr
import zarr

from deepcams.errors import InputError, OutputError
from deepcams.io.locks import Claim
from deepcams.io.store import claimed, status_of
from deepcams.production.order import Order
from deepcams.production.run import Crew, downscale_to
from deepcams.timeline import missing_days


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out.zarr"


@pytest.fixture
def order(six):
    return lambda *paths, **options: Order(tuple(map(str, paths)), **six.quick | options)


@pytest.fixture
def clean(tmp_path):
    """Whether there is nothing but inputs, the store and its log."""
    return lambda: (
        sorted(one.name for one in tmp_path.iterdir() if not one.name.startswith("in"))
        == [
            "out.zarr",
            "out.zarr.log",
        ]
    )


def day(number):
    return np.datetime64("2019-12-29") + number


# Who makes it


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_bytes_do_not_depend_on_the_number_of_processes(out, order, six_days, made, files_of, clean, workers):
    summary = downscale_to(order(six_days), out, crew=Crew(workers))
    assert (summary.hours, summary.kept, summary.complete) == (142, 0, True)
    assert files_of(out) == made(six_days)
    assert clean()


@pytest.mark.parametrize("parts", list(itertools.permutations([1, 2, 3])))
def test_the_bytes_do_not_depend_on_the_order_of_the_parts(out, order, six_days, made, files_of, clean, parts):
    done = []
    for part in parts:
        summary = downscale_to(order(six_days), out, crew=Crew(claim=Claim(part, 3)))
        done.append(summary.complete)
        assert status_of(out) == ("complete" if summary.complete else "unfinished")
    assert done == [False, False, True]
    assert files_of(out) == made(six_days)
    assert clean()


def test_parts_at_the_same_time(out, start, six, six_days, made, files_of, clean):
    runs = [start(six_days, out, *six.options, "--shard", f"{part}/3", "--quiet") for part in (3, 1, 2)]
    said = [run.communicate(timeout=120) for run in runs]
    assert [run.returncode for run in runs] == [0, 0, 0], said
    assert said == [("", "")] * 3
    assert files_of(out) == made(six_days)
    assert clean()


def test_more_parts_than_days(out, order, six, made, files_of, tmp_path):
    source = six.write(tmp_path / "in" / "cams.nc", last=2)
    for part in range(1, 5):
        summary = downscale_to(order(source), out, crew=Crew(claim=Claim(part, 4)))
    assert summary.complete
    assert files_of(out) == made(source)


# Several at once


def test_of_two_at_once_one_works_and_the_other_says_so(out, start, six, many_nodes, made, files_of, clean):
    runs = [start(many_nodes, out, *six.options, "--quiet") for _ in range(2)]
    said = [run.communicate(timeout=120)[1] for run in runs]
    assert sorted(run.returncode for run in runs) == [0, 2], said
    refused = next(error for run, error in zip(runs, said, strict=True) if run.returncode)
    assert refused == (f"deepcams: {out}: another run is writing it (see out.zarr.log beside it); wait until it has ended, or "
                       "stop it\n")  # fmt: skip
    assert files_of(out) == made(many_nodes)
    assert clean()


REFUSED = [
    (Claim(), ()),
    (Claim(), ("--overwrite",)),
    (Claim(), ("--shard", "1/2")),
    (Claim(2, 3), ()),
    (Claim(2, 3), ("--shard", "2/3")),
    (Claim(2, 3), ("--overwrite",)),
]


@pytest.mark.parametrize(("claim", "options"), REFUSED)
def test_who_would_disturb_a_run_is_refused(out, warm, order, six, six_days, files_of, claim, options):
    downscale_to(order(six_days, end="2019-12-30"), out)
    before = files_of(out)
    with claimed(out, claim):
        refused = warm(six_days, out, *six.options, *options)
    assert refused.status == 2
    assert "another run is writing it" in refused.said
    assert files_of(out) == before


def test_other_parts_are_not_refused(out, warm, order, six, six_days):
    downscale_to(order(six_days, end="2019-12-30"), out)
    with claimed(out, Claim(2, 3)):
        assert warm(six_days, out, *six.options, "--shard", "3/3").status == 0


def test_a_part_cannot_remove_what_others_made(out, order, six_days):
    with pytest.raises(InputError, match="--overwrite with --shard would remove"):
        downscale_to(order(six_days), out, crew=Crew(claim=Claim(1, 2)), overwrite=True)


# What cannot be read or written


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(("number", "lost"), [(8 * 2 + 1, [2]), (8 * 2, [1, 2]), (8 * 3 - 1, [2])])
def test_a_damaged_analysis_costs_only_its_days(
    tmp_path, out, warm, six, six_days, damaged, made, files_of, clean, number, lost, workers
):
    bad = damaged(six_days, number, tmp_path / "in" / "cams.nc")
    run = warm(bad, out, *six.options, "--workers", workers)
    assert run.status == 1
    names = " to ".join(str(day(one)) for one in lost)
    message = run.said[run.said.index("deepcams: ") :].splitlines()
    assert message[0].startswith(f"deepcams: {out}: {len(lost)} day{'s' * (len(lost) > 1)} missing ({names}); mend")
    assert f"missing ({names}): {bad}: {day(2)}T{3 * number % 24:02}:00 UTC cannot be read" in message[1]
    assert len(message) == 2
    assert status_of(out) == "unfinished"
    kinds = zarr.open_group(out, mode="r")["time_kind"][:].reshape(6, 24)
    assert [one for one in range(6) if (kinds[one] == 2).all()] == lost
    six.write(bad)
    mended = warm(bad, out, *six.options, "--workers", workers)
    assert mended.status == 0
    assert "kept " in mended.said
    assert files_of(out) == made(six_days)
    assert clean()


def test_a_part_of_which_nothing_can_be_made_says_which_days(tmp_path, out, order, six_days, damaged):
    bad = damaged(six_days, 8 * 2 + 1, tmp_path / "in" / "cams.nc")
    summary = downscale_to(order(bad), out, crew=Crew(claim=Claim(3, 6)))
    assert list(summary.failures) == [day(2)]
    assert not summary.complete


@pytest.mark.parametrize("workers", [1, 2])
def test_a_disk_that_fills_up(tmp_path, out, start, warm, six, made, files_of, clean, workers):
    """The system refuses files of more than 20 kB, as on a full disk; some days are smaller."""
    source = six.write(tmp_path / "in" / "cams.nc", rows=30, columns=40)
    even(source, slice(0, 20))
    small = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))  # noqa: E731
    run = start(source, out, *six.options, "--workers", workers, "--quiet", preexec_fn=small)
    _, error = run.communicate(timeout=120)
    assert run.returncode == 1, error
    assert error.startswith(f"deepcams: {out}: cannot be written")
    finished = [int(one.parts[-3]) for one in out.glob("ledger/sha256/c/*/0/0")]
    assert 0 in finished
    assert f"; {missing_days([day(number) for number in range(6) if number not in finished])}: " in error
    assert error.endswith("the same command goes on from here\n")
    assert error.count("\n") == 1
    assert status_of(out) == "unfinished"
    resumed = warm(source, out, *six.options)
    assert resumed.status == 0
    assert files_of(out) == made(source)
    assert clean()


def even(path, when):
    """Let analyses be the same everywhere, so that their days are small files."""
    with xr.open_dataset(path) as file:
        field = file["pm2p5"].load()
    field[when] = np.float32(20e-9)
    field.to_netcdf(path, engine="h5netcdf")


# Longer and shorter


@pytest.mark.parametrize("first", [0, 2])
def test_a_complete_store_is_extended(tmp_path, out, order, six, six_days, made, files_of, clean, first):
    """With all inputs, or with those from the last day on."""
    short = six.write(tmp_path / "in_a" / "cams.nc", last=3)
    more = six.write(tmp_path / "in_b" / "cams.nc", first=first)
    downscale_to(order(short), out)
    summary = downscale_to(order(more), out)
    assert summary.hours == 24 * 4 - 2  # day 3 is made again, with the hours that it lacked
    assert files_of(out) == made(six_days)
    assert clean()


def test_it_is_extended_again_and_again(tmp_path, out, order, six, six_days, made, files_of):
    for last in range(1, 7):
        assert downscale_to(order(six.write(tmp_path / "in" / "cams.nc", last=last)), out).complete
    assert files_of(out) == made(six_days)


@pytest.mark.parametrize("parts", [(1, 2), (2, 1)])
def test_it_is_extended_by_parts(tmp_path, out, order, six, six_days, made, files_of, parts):
    """It is complete only when its old last day has been made again, whichever part has that."""
    downscale_to(order(six.write(tmp_path / "in" / "cams.nc", last=3)), out)
    done = [downscale_to(order(six_days), out, crew=Crew(claim=Claim(part, 2))).complete for part in parts]
    assert done == [False, True]
    assert files_of(out) == made(six_days)


def test_an_extension_in_which_the_old_last_day_cannot_be_made_is_not_complete(
    tmp_path, out, order, six, six_days, damaged, made, files_of
):
    downscale_to(order(six.write(tmp_path / "in" / "cams.nc", last=3)), out)
    bad = damaged(six_days, 8 * 3, tmp_path / "in_bad" / "cams.nc")
    summary = downscale_to(order(bad), out)
    assert (set(summary.failures), summary.complete) == ({day(2), day(3)}, False)
    downscale_to(order(six_days), out)
    assert files_of(out) == made(six_days)


def test_hours_that_were_planned_are_made_before_it_is_complete(out, order, six_days, made, files_of):
    """A run for some hours of a day that is not there yet does not finish what an earlier run had planned of it."""
    with pytest.raises(KeyboardInterrupt):
        downscale_to(order(six_days), out, progress=interrupt_after(24))
    later = downscale_to(order(six_days, start="2019-12-30T10"), out)
    assert (later.complete, status_of(out)) == (False, "unfinished")
    assert downscale_to(order(six_days), out).complete
    assert files_of(out) == made(six_days)


def interrupt_after(hours):
    left = [hours]

    def progress(count):
        left[0] -= count
        if left[0] < 0:
            raise KeyboardInterrupt

    return progress


@pytest.mark.parametrize("finished", [False, True])
def test_a_shorter_period_takes_nothing_away(out, order, six_days, made, files_of, finished):
    if finished:
        downscale_to(order(six_days), out)
    else:
        with pytest.raises(KeyboardInterrupt):
            downscale_to(order(six_days), out, progress=interrupt_after(72))
    before = files_of(out)
    summary = downscale_to(order(six_days, start="2019-12-30", end="2019-12-31T06"), out)
    assert (summary.hours, summary.kept, summary.complete) == (0, 31, finished)
    assert files_of(out) == before
    downscale_to(order(six_days), out)
    assert files_of(out) == made(six_days)


@pytest.mark.parametrize(("first", "said"), [(0, "only be extended forward"), (5, "only be extended forward")])
def test_it_is_not_extended_backwards_or_across_a_gap(tmp_path, out, order, six, files_of, first, said):
    downscale_to(order(six.write(tmp_path / "in_a" / "cams.nc", first=2, last=4)), out)
    before = files_of(out)
    with pytest.raises(OutputError, match=said):
        downscale_to(order(six.write(tmp_path / "in_b" / "cams.nc", first=first)), out)
    assert files_of(out) == before


OTHER = [
    ({"region": "53,4,51,6"}, {}, "region is None there"),
    ({"factor": 5}, {}, "factor is 3 there, and 5 was asked for"),
    ({"space": "bicubic"}, {}, "space is "),
    ({}, {"keepbits": 12}, "keepbits is 9 there, and 12 was asked for"),
    ({}, {"layout": "series"}, "layout is 'maps' there, and 'series' was asked for"),
]


@pytest.mark.parametrize(("changes", "settings", "what"), OTHER)
def test_other_work_is_refused_with_what_differs(out, order, six_days, files_of, changes, settings, what):
    downscale_to(order(six_days, end="2019-12-30"), out)
    before = files_of(out)
    with pytest.raises(OutputError, match=f"a complete store of other work: {what}"):
        downscale_to(order(six_days, **changes), out, **settings)
    assert files_of(out) == before


def test_another_grid_is_refused(tmp_path, out, order, six, six_days):
    downscale_to(order(six_days), out)
    wider = six.write(tmp_path / "in" / "cams.nc", columns=12)
    with pytest.raises(OutputError, match=r"grid is '24 from 55 to 49.25 x 30 .*36 from"):
        downscale_to(order(wider), out)


def test_other_values_are_refused(tmp_path, out, order, six, six_days, files_of):
    downscale_to(order(six_days, end="2020-01-01"), out)
    before, other = files_of(out), six.write(tmp_path / "in" / "cams.nc")
    with xr.open_dataset(other) as file:
        field = file["pm2p5"].load()
    field[11, 3, 3] *= 1.5
    field.to_netcdf(other, engine="h5netcdf")
    for workers in (1, 2):
        with pytest.raises(
            OutputError, match="2019-12-30 was made from other values: the analysis of 2019-12-30T09 UTC"
        ):
            downscale_to(order(other), out, crew=Crew(workers))
    assert files_of(out) == before


def test_a_network_asks_for_the_analysis_before_the_last_day(tmp_path, out, six, files_of):
    """The old last day is made again from what it was made from, and more."""
    short, late, whole = (tmp_path / name / "cams.nc" for name in ("in_a", "in_b", "in_c"))
    order = lambda path: Order((str(path),), method="deepcams")  # noqa: E731
    downscale_to(order(six.write(short, last=2)), out)
    with pytest.raises(OutputError, match="the analysis of 2019-12-29T21 UTC, which it was made from, is not among"):
        downscale_to(order(six.write(late, first=1, last=3)), out)
    downscale_to(order(six.write(whole, last=3)), out)
    downscale_to(order(whole), tmp_path / "in_once.zarr")
    assert files_of(out) == files_of(tmp_path / "in_once.zarr")


# Written anew


def test_writing_anew_leaves_nothing_of_the_old(out, order, six_days, made, files_of, clean):
    downscale_to(order(six_days, region="53,4,51,6"), out)
    downscale_to(order(six_days), out, overwrite=True, crew=Crew(2))
    assert files_of(out) == made(six_days)
    assert clean()


def test_a_store_beside_with_a_similar_name_is_left_alone(tmp_path, out, order, six_days):
    others = [
        tmp_path / ".out.b.host-1.partial.zarr",
        tmp_path / ".out.host-1.partial.nc",
        tmp_path / "out.partial.zarr",
    ]
    for other in others:
        other.mkdir()
    downscale_to(order(six_days, end="2019-12-29"), out)
    assert all(other.is_dir() for other in others)


# Chunks for series


def test_a_store_of_series_has_the_same_values(tmp_path, out, order, six):
    source = six.write(tmp_path / "in" / "cams.nc", last=2, rows=12, columns=20)
    downscale_to(order(source), tmp_path / "in_maps.zarr")
    downscale_to(order(source), out, layout="series")
    array = zarr.open_group(out, mode="r")["pm2p5"]
    assert array.shards[0] == 24
    assert array.chunks == (24, 24, 24)
    assert sorted(str(one.relative_to(out)) for one in out.glob("pm2p5/c/*/*/*")) == ["pm2p5/c/0/0/0", "pm2p5/c/1/0/0"]
    with xr.open_zarr(out) as series, xr.open_zarr(tmp_path / "in_maps.zarr") as maps:
        assert series["pm2p5"].shape == (48, 36, 60)
        xr.testing.assert_identical(series.drop_attrs(deep=False), maps.drop_attrs(deep=False))
        assert {**maps.attrs, "deepcams_layout": "series"} == series.attrs


def test_a_killed_store_of_series_is_completed_to_the_same_bytes(tmp_path, out, warm, order, six, six_days, files_of):
    downscale_to(order(six_days), tmp_path / "in_once.zarr", layout="series")
    for change in (4, 9):
        call = warm(six_days, out, *six.options, "--layout", "series", store=str(out), change=change)
        assert call.status == -signal.SIGKILL
    assert warm(six_days, out, *six.options, "--layout", "series", "--workers", 2).status == 0
    assert files_of(out) == files_of(tmp_path / "in_once.zarr")


# Small things


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ([4], "1 day missing (2020-01-02)"),
        ([0, 1, 2, 4], "4 days missing (2019-12-29 to 2019-12-31, 2020-01-02)"),
        (range(0, 60, 2), "30 days missing (" + ", ".join(str(day(n)) for n in range(0, 24, 2)) + " and 18 more)"),
    ],
)
def test_days_are_listed_as_ranges(numbers, text):
    assert missing_days([day(number) for number in numbers]) == text


def test_processes_cannot_share_a_job(out, order, six_days):
    with pytest.raises(InputError, match="give an Order"):
        downscale_to(order(six_days).job(), out, crew=Crew(2))


@pytest.mark.parametrize("crew", [Crew(claim=Claim(1, 2)), Crew(scheduler="tcp://127.0.0.1:1")])
def test_a_file_is_written_by_one_process(tmp_path, order, six_days, crew):
    with pytest.raises(InputError, match=r"give a \.zarr output"):
        downscale_to(order(six_days), tmp_path / "out.nc", crew=crew)
