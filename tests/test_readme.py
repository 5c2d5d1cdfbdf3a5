"""What the README and the documentation tell a reader to run, runs; and what they show comes out."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from deepcams.cli import main
from deepcams.sample import cams_sample, monitors_sample

REPOSITORY = Path(__file__).parents[1]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
# What a page's commands find in the folder, beside the CAMS files and the stations that all of them find.
BEFORE = {
    "docs/aggregate.md": (
        "deepcams downscale --sample hourly.zarr --method fast --quiet",
        "deepcams downscale --sample 2019-12.nc --method fast --end 2019-12-31 --quiet",
    )
}
_FENCE = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_TITLE = re.compile(r'title="([\w./-]+)"')


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
    for line in BEFORE.get(name_of(page), ()):
        run(line)


def shape(text: str) -> list[str]:
    """Lines without their numbers, which differ from machine to machine, and without what spaces fill."""
    return [" ".join(re.sub(r"[-+]?\d[\d.,]*(e[-+]?\d+)?", "#", line).split()) for line in text.splitlines()]


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


def test_the_readme_shows_what_to_run():
    shown = [line for language, _, text in blocks(PAGES[0]) if language == "sh" for line in lines_of(text)]
    assert len([line for line in shown if line.startswith("deepcams ")]) >= 5


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_code_says_what_it_is(page):
    """What looks like a command but is not marked ``sh`` is marked ``text``: nobody takes it for tested."""
    known = {"sh", "python", "output", "text", "csv", "json", "toml", "pycon", ""}
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
