"""The documentation as a site: built without a warning, whole, and loading nothing from elsewhere."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from deepcams.cli import cli

REPOSITORY = Path(__file__).parents[1]
TOOLS = REPOSITORY / "tools"
DOCS = REPOSITORY / "docs"
PACKAGE = REPOSITORY / "src" / "deepcams"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# What a browser fetches by itself: sources, and what links of the head name. A link that a reader may click is none.
LOADED = re.compile(r"""<(?:script|img|iframe|source|video|audio|embed)\b[^>]*\bsrc=["']?([^"'\s>]+)|"""
                    r"""<link\b(?![^>]*\brel=["']?(?:prev|next|canonical))[^>]*\bhref=["']?([^"'\s>]+)""")  # fmt: skip


@pytest.fixture(scope="module")
def tool():
    """Imports a module of tools/, by name."""
    sys.path.insert(0, str(TOOLS))
    yield importlib.import_module
    sys.path.remove(str(TOOLS))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("mkdocs")
    pytest.importorskip("material")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    ended = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    )
    assert (ended.returncode, "WARNING" in ended.stderr) == (0, False), ended.stdout + ended.stderr
    return folder


def commands(context: click.Context) -> list[click.Context]:
    """The contexts of a command and of all below it."""
    found = [context]
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            command = context.command.get_command(context, name)
            found += commands(click.Context(command, info_name=name, parent=context))
    return found


def test_every_page_is_there(site):
    for page in DOCS.rglob("*.md"):
        target = page.relative_to(DOCS).with_suffix(".html").as_posix().replace("README.html", "index.html")
        assert (site / target).exists(), target
    for card in (PACKAGE / "weights").glob("*.md"):
        assert (site / "models" / f"{card.stem}.html").exists()


def test_nothing_is_loaded_from_elsewhere(site):
    for page in site.rglob("*.html"):
        loaded = ["".join(found) for found in LOADED.findall(page.read_text())]
        assert len(loaded) > 2
        assert [one for one in loaded if re.match(r"(\w+:)?//", one)] == [], page
    for style in site.rglob("*.css"):
        assert re.findall(r"url\(['\"]?(?:https?:)?//[^)]*|@import[^;]*//[^;]*", style.read_text()) == []


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_the_search_finds_without_a_server_and_without_a_network(site, tmp_path):
    """The pages as they lie on a disk: the case that browsers allow least."""
    found = subprocess.run(
        [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--dump-dom",
         f"--user-data-dir={tmp_path}", "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=20000",
         f"{(site / 'index.html').as_uri()}?q=keepbits"],
        capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    assert re.search(r"\d+ matching documents", found)
    assert 'href="cli.html' in found.split("md-search-result__list")[1]


def test_every_command_and_every_option_is_in_the_reference_and_found(site):
    page = (site / "reference" / "commands.html").read_text()
    index = json.loads((site / "search" / "search_index.json").read_text())
    places = {entry["location"] for entry in index["docs"]}
    for context in commands(click.Context(cli, info_name="deepcams"))[1:]:
        anchor = context.command_path.replace(" ", "-")
        assert f'id="{anchor}"' in page
        assert f"reference/commands.html#{anchor}" in places
        for option in context.command.get_params(context):
            assert isinstance(option, click.Argument) or option.opts[0] in page


def test_every_public_name_is_in_the_reference(tool):
    reference = tool("make_reference")
    pages = reference.pages()
    for room, files in reference.rooms_of(PACKAGE).items():
        text = pages[reference.page_of(room)]
        for path in files:
            module = reference.module_name(path)
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                    assert f"{{#{module}.{node.name}}}" in text, f"{module}.{node.name}"


def test_docstrings_become_markdown(tool):
    text = tool("make_reference").docstring(
        "Do it for :class:`Grid` x*y, **not** n**2 or m**2.\n\n"
        "Args:\n    one: the first,\n        and more [0, 1).\n    *rest: a | b.\n\n"
        "Raises:\n    InputError: if not.\n"
    )
    assert text == (
        "Do it for `Grid` x\\*y, **not** n\\*\\*2 or m\\*\\*2.\n\n"
        "**Args**\n\n- `one`: the first, and more \\[0, 1).\n- `*rest`: a \\| b.\n\n"
        "**Raises**\n\n- `InputError`: if not."
    )


def test_links_lead_to_where_the_site_has_their_targets(tool):
    pytest.importorskip("mkdocs")
    relink = tool("docs_site").relink
    assert relink("../src/deepcams/weights/spatial.md", "docs/method.md", "method.md") == "models/spatial.md"
    assert relink("../../NOTICE", "docs/how-to/train.md", "how-to/train.md") == "../notice.md"
    assert relink("docs/method.md", "CONTRIBUTING.md", "contributing.md") == "method.md"
    assert relink("../src/deepcams/io/cams.py", "docs/data.md", "data.md") == "reference/modules/io.md#deepcams.io.cams"
    assert relink("../elsewhere.txt", "docs/data.md", "data.md") == "../elsewhere.txt"


def test_the_picture_of_the_architecture_is_true(tool):
    architecture = tool("make_architecture")
    assert architecture.PICTURE.read_text() == architecture.draw(), "run tools/make_architecture.py"
    assert {name for names in architecture.levels() for name in names} == set(
        re.findall(r'class="room">(\w+)<', architecture.draw())
    )


def test_all_data_that_ship_have_a_card():
    cards = (DOCS / "data-cards.md").read_text()
    for path in PACKAGE.rglob("*"):
        if path.suffix in (".nc", ".npz", ".csv"):
            assert f"`{path.relative_to(PACKAGE).as_posix()}`" in cards, path
