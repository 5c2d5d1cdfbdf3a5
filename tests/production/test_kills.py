"""Killed at any moment and begun again, a store is the same to the last byte, and nothing else is left."""

import random
import shutil

import pytest

from deepcams.io.store import status_of

KILLS = 20
DEAD = -9


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("seed", [2003])
def test_killed_at_twenty_random_moments(tmp_path, warm, six, six_days, made, files_of, seed):
    """Again and again the whole work is begun, killed, resumed and killed again, until it is done."""
    out, chance, kills = tmp_path / "out.zarr", random.Random(seed), 0
    usual = warm(six_days, tmp_path / "usual.zarr", *six.options).seconds
    shutil.rmtree(tmp_path / "usual.zarr")
    (tmp_path / "usual.zarr.log").unlink()
    while kills < KILLS:
        shutil.rmtree(out, ignore_errors=True)
        while (run := warm(six_days, out, *six.options, seconds=chance.uniform(0.1, 1) * usual)).status == DEAD:
            kills += 1
            assert not out.exists() or status_of(out) in ("unfinished", "complete")
        assert run.status == 0, run.said
        assert files_of(out) == made(six_days)
        assert left_in(tmp_path) == ["out.zarr", "out.zarr.log"]


@pytest.fixture
def days(tmp_path_factory, six):
    """A file of a number of days, of the same name as all others."""
    folder = tmp_path_factory.mktemp("days")
    return lambda last: six.write(folder / str(last) / "cams.nc", last=last)


SHORT = ("--end", "2019-12-30T19")
WAYS = {
    "a new store": (None, (), ()),
    "a store extended by days": (1, (), ()),
    "a store extended by an hour": (2, SHORT, ()),
    "a store written anew": (2, ("--keepbits", "5"), ("--overwrite",)),
}


@pytest.mark.parametrize("way", WAYS)
def test_killed_before_any_change_of_a_file(tmp_path, warm, six, days, made, files_of, way):
    """Each of the renamings and removals that making a store consists of is the last in turn."""
    before, first, again = WAYS[way]
    until = ("--end", "2019-12-30T20") if first == SHORT else ()
    out, source = tmp_path / "out.zarr", days(2)
    wanted = made(source, end=until[1]) if until else made(source)
    if before:
        assert warm(days(before), tmp_path / "before.zarr", *six.options, *first).status == 0
    left = [*left_in(tmp_path), "out.zarr", "out.zarr.log"]
    change = 0
    while True:
        shutil.rmtree(out, ignore_errors=True)
        if before:
            shutil.copytree(tmp_path / "before.zarr", out)
        change += 1
        killed = warm(source, out, *six.options, *until, *again, store=str(out), change=change)
        if killed.status == 0:
            break
        assert killed.status == DEAD, killed.said
        if way == "a store extended by days" and change % 3 == 0:  # the old work in between neither ends nor undoes it
            between = warm(days(before), out, *six.options)
            assert between.status == 0, between.said
        resumed = warm(source, out, *six.options, *until, *(again if way == "a store written anew" else ()))
        assert resumed.status == 0, resumed.said
        assert files_of(out) == wanted, change
        assert left_in(tmp_path) == sorted(left), change
    assert change > 5
