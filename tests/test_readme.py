"""What the README and the documentation tell a reader to run, runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from deepcams.cli import main
from deepcams.sample import cams_sample

REPOSITORY = Path(__file__).parents[1]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE)


def test_the_commands_of_the_readme(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [line for block in blocks(REPOSITORY / "README.md", "sh") for line in block.splitlines()]
    commands = [shlex.split(line, comments=True) for line in lines if line.startswith("deepcams ")]
    assert len(commands) >= 5
    for command in commands:
        with pytest.raises(SystemExit) as ended:
            main(command[1:])
        assert ended.value.code == 0, command


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.name)
def test_the_python_of_the_pages(page, tmp_path, monkeypatch):
    """Run in the order of the page, with a CAMS file where the examples expect one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cams").mkdir()
    (tmp_path / "cams" / "2019-12.nc").symlink_to(cams_sample())
    names: dict[str, object] = {}
    for block in blocks(page, "python"):
        exec(compile(block, page.name, "exec"), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_readme_is_short():
    assert len((REPOSITORY / "README.md").read_text().splitlines()) < 150
