"""What the README and the documentation tell a reader to run, runs; and what they show comes out."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import click
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy import ndimage

from deepcams.cli import cli, main
from deepcams.sample import cams_sample, monitors_sample

REPOSITORY = Path(__file__).parents[1]
DOCS = REPOSITORY / "docs"
PAGES = [REPOSITORY / "README.md", *sorted(DOCS.rglob("*.md"))]
CARDS = sorted((REPOSITORY / "src" / "deepcams" / "weights").glob("*.md"))
# What a page's commands find in the folder, beside the CAMS files and the stations that all of them find.
BEFORE = {
    "docs/aggregate.md": (
        "deepcams downscale --sample hourly.zarr --method fast --quiet",
        "deepcams downscale --sample 2019-12.nc --method fast --end 2019-12-31 --quiet",
    )
}
_FENCE = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_TITLE = re.compile(r'title="([\w./-]+)"')
_CODE = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_OPTION = re.compile(r"(?<![\w-])--[a-z][\w-]*")


@pytest.fixture(autouse=True)
def known_methods():
    """What examples add to the methods does not stay for other tests."""
    from deepcams import methods, spatial, temporal

    known = [methods.RECIPES, spatial.SPATIAL, temporal.TEMPORAL]
    before = [dict(one) for one in known]
    yield
    for one, was in zip(known, before, strict=True):
        one.clear()
        one.update(was)


def blocks(path: Path) -> list[tuple[str, str, str]]:
    """Language, rest of the first line, and text of what stands between fences."""
    return _FENCE.findall(path.read_text())


def name_of(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def lines_of(block: str) -> list[str]:
    """The commands of a block, each on a line."""
    lines = block.replace("\\\n", " ").splitlines()
    return [line for line in lines if line.strip() and not line.startswith(("#", "make "))]


def command_of(words: list[str]) -> tuple[click.Context, list[str]]:
    """The command that the first words of a call name, and the words that follow."""
    context = click.Context(cli, info_name="deepcams")
    while isinstance(context.command, click.Group) and words:
        command = context.command.get_command(context, words[0])
        if command is None:
            break
        context, words = click.Context(command, info_name=words[0], parent=context), words[1:]
    return context, words


def understand(line: str) -> None:
    """Read a call as the command line does, without doing what it says."""
    context, words = command_of(shlex.split(line, comments=True)[1:])
    assert not isinstance(context.command, click.Group), line
    context.command.make_context(context.info_name, words, parent=context.parent)


def run(line: str) -> None:
    """Run a command as a shell would, our own without the time that another Python takes to start."""
    if not line.startswith("deepcams "):
        subprocess.run(["bash", "-euo", "pipefail", "-c", line], check=True)
        return
    with pytest.raises(SystemExit) as ended:
        main(shlex.split(line, comments=True)[1:])
    assert ended.value.code == 0, line


def provide(folder: Path, page: Path) -> None:
    """Put there what readers have."""
    for name, file in (("cams/2019-12.nc", cams_sample()), ("stations/embassies.csv", monitors_sample())):
        (folder / name).parent.mkdir()
        (folder / name).symlink_to(file)
    if page.name == "calibrate.md":
        correctable(folder)
    if page.name == "training-sets.md":
        (folder / "geos_cf_2021").mkdir()
        fine = hourly_maps(48, 64 - 0.25 * np.arange(145), -3 + 0.25 * np.arange(145))
        fine.to_netcdf(folder / "geos_cf_2021" / "days.nc")
    for line in BEFORE.get(name_of(page), ()):
        run(line)


def hourly_maps(hours: int, latitude: np.ndarray, longitude: np.ndarray) -> xr.DataArray:
    """Made-up hourly maps from 2019-12-02 on, ug m-3, in which patterns come and go within half a day."""
    pattern = np.random.default_rng(0).normal(size=(hours // 12 + 1, latitude.size, longitude.size))
    pattern = ndimage.zoom(ndimage.gaussian_filter(pattern, (1, 2, 2)), (12, 1, 1), order=1)[:hours]
    times = pd.date_range("2019-12-02", periods=hours, freq="h")
    places = {"time": times, "latitude": latitude, "longitude": longitude}
    values = (12 * np.exp(0.8 * pattern / pattern.std())).astype(np.float32)
    return xr.DataArray(values, places, tuple(places), "pm2p5", {"units": "ug m-3"})


def correctable(folder: Path) -> None:
    """Five weeks of maps of Europe, and stations at which these are wrong by the hour of the day."""
    maps = hourly_maps(5 * 168, 72 - 2.0 * np.arange(22), -25 + 2.0 * np.arange(36))
    maps.to_dataset().to_zarr(folder / "2019.zarr", consolidated=False)
    (folder / "2020.zarr").symlink_to("2019.zarr")
    random = np.random.default_rng(1)
    rows, columns = np.divmod(random.choice(22 * 36, 45, replace=False), 36)
    hours = np.arange(0, maps.sizes["time"] - 1, 6)[:, None]
    means = (maps.values[hours, rows, columns] + maps.values[hours + 1, rows, columns]) / 2
    longitude = maps["longitude"].values[columns]
    wrong = 0.5 * np.cos(2 * np.pi * (hours / 24 + longitude / 360)) + 0.2 * random.normal(size=means.shape)
    hour, station = (one.ravel() for one in np.indices(means.shape))
    (folder / "openaq").mkdir()
    pd.DataFrame({
        "station": station, "time": maps["time"].values[hours[hour, 0]], "latitude": maps["latitude"].values[rows][station],
        "longitude": longitude[station], "pm25": (means * np.exp(wrong)).ravel(), "units": "ug/m3", "period": 60,
    }).to_csv(folder / "openaq" / "table.csv", index=False)  # fmt: skip


def shape(text: str) -> list[str]:
    """Lines without their numbers, which differ from machine to machine, and without what spaces fill."""
    return [" ".join(re.sub(r"[-+]?\d[\d.,]*(e[-+]?\d+)?", "#", line).split()) for line in text.splitlines()]


def calls_on(page: Path) -> list[str]:
    """Every call of ours in the blocks of a page, run or not, also behind what another program's line begins with."""
    found = []
    for language, _, text in blocks(page):
        if language in ("sh", "text", ""):
            lines = (re.search(r"^(?!#)(?:.*\s)?(deepcams [a-z].*)$", line) for line in lines_of(text))
            found += [line.group(1) for line in lines if line]
    return found


def is_run(page: Path) -> bool:
    return any(language in ("sh", "python") for language, *_ in blocks(page))


@pytest.mark.parametrize("page", [page for page in PAGES if is_run(page)], ids=name_of)
def test_the_commands_and_the_python_of_the_pages(page, tmp_path, monkeypatch, capsys):
    """Run in the order of the page. ``output`` is what the block before it prints, or some lines of it."""
    monkeypatch.chdir(tmp_path)
    provide(tmp_path, page)
    names: dict[str, object] = {}
    for language, rest, text in blocks(page):
        if language == "sh":
            capsys.readouterr()
            for line in lines_of(text):
                run(line)
        elif language == "python":
            capsys.readouterr()
            exec(compile(text, page.name, "exec"), names)
        elif language == "output":
            printed = shape(capsys.readouterr().out)
            assert [line for line in shape(text) if line not in printed] == []
        elif title := _TITLE.search(rest):
            (tmp_path / title.group(1)).write_text(text)


@pytest.mark.parametrize("page", [*PAGES, *CARDS], ids=name_of)
def test_calls_that_take_a_network_or_hours_are_at_least_understood(page):
    """Those that are not run are read as the command line reads them; of calls within sentences, every option exists."""
    for call in calls_on(page):
        understand(call)
    for call in _CODE.findall(_FENCE.sub("", page.read_text())):
        context, words = command_of(call.split()[1:])
        if call.startswith("deepcams ") and context.parent is not None:
            known = {name for option in context.command.get_params(context) for name in option.opts}
            assert set(_OPTION.findall(" ".join(words))) <= known, call


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_scripts_for_clusters_are_bash(page):
    for _, _, text in blocks(page):
        if text.startswith("#!/bin/bash"):
            subprocess.run(["bash", "-n"], input=text.encode(), check=True)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_scripts_that_are_called_have_the_options(page):
    for _, _, text in blocks(page):
        for line in lines_of(text):
            if script := re.match(r"python (\w[\w/]*\.py) (.*)", line):
                source = (REPOSITORY / script.group(1)).read_text()
                assert [one for one in _OPTION.findall(script.group(2)) if f'"{one}"' not in source] == [], line


def test_the_readme_shows_what_to_run():
    shown = [line for language, _, text in blocks(PAGES[0]) if language == "sh" for line in lines_of(text)]
    assert len([line for line in shown if line.startswith("deepcams ")]) >= 5


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_code_says_what_it_is(page):
    """What looks like a command but is not marked ``sh`` is marked ``text``: nobody takes it for tested."""
    known = {"sh", "python", "output", "text", "csv", "json", "toml", "math", ""}
    assert {language for language, *_ in blocks(page)} <= known
    bare = [text for language, _, text in blocks(page) if not language and re.search(r"^deepcams ", text, re.MULTILINE)]
    assert bare == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_readme_is_short():
    assert len((REPOSITORY / "README.md").read_text().splitlines()) < 150
