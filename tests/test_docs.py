"""The documentation as a site: built without a warning, whole, and loading nothing from elsewhere."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import click
import pytest

from deepcams.cli import cli
from deepcams.training import config

REPOSITORY = Path(__file__).parents[1]
TOOLS = REPOSITORY / "tools"
DOCS = REPOSITORY / "docs"
PACKAGE = REPOSITORY / "src" / "deepcams"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# Where the options of a command are explained, if not on the page of its name.
EXPLAINED = {
    "doctor": "fetch", "downscale": "cli", "evaluate": "evaluation", "inspect": "cli", "plot": "pictures",
    "prepare": "training-sets", "train": "training",
}  # fmt: skip
EVERYWHERE = {"--help", "--overwrite", "--quiet"}
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
    pytest.importorskip("latex2mathml")
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


def test_formulas_are_drawn_by_the_browser_itself(site):
    """Every one is MathML that an XML reader takes, and nothing of LaTeX is left in it."""
    for page in DOCS.rglob("*.md"):
        wanted = page.read_text().count("```math\n")
        html = (site / page.relative_to(DOCS).with_suffix(".html").as_posix().replace("README", "index")).read_text()
        found = re.findall(r"<math .*?</math>", html, re.DOTALL)
        assert len(found) == wanted, page
        texts = [word for one in found for word in ElementTree.fromstring(one).itertext()]
        assert [word for word in texts if re.search(r"[\\{}&]", word)] == []


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


def test_every_option_is_explained_and_every_option_named_exists():
    """What the pages of the commands say, by hand, of their options."""
    named = {page.stem: set(re.findall(r"(?<![\w-])--[a-z][\w-]*", page.read_text())) for page in DOCS.glob("*.md")}
    known = {"--debug", "--nthreads"}  # the second is Dask's
    for context in commands(click.Context(cli, info_name="deepcams")):
        options = [one for one in context.command.get_params(context) if isinstance(one, click.Option)]
        known |= {name for option in options for name in option.opts}
        if context.parent is not None:
            command = context.command_path.split()[1]
            page = EXPLAINED.get(command, command)
            silent = [one.opts for one in options if not (named[page] | EVERYWHERE) & set(one.opts)]
            assert silent == [], f"{context.command_path} on {page}.md"
    for page in DOCS.rglob("*.md"):
        sentences = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
        assert set(re.findall(r"(?<![\w-])--[a-z][\w-]*", sentences)) <= known, page


def test_examples_in_the_help_are_understood():
    for context in commands(click.Context(cli, info_name="deepcams")):
        if context.command.epilog:
            words = shlex.split(context.command.epilog.removeprefix("Example: "))
            path = context.command_path.split()
            assert words[: len(path)] == path
            context.command.make_context(context.info_name, words[len(path) :], parent=context.parent)


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
                elif isinstance(node, ast.AnnAssign) and not node.target.id.startswith("_"):
                    assert f"{{#{module}.{node.target.id}}}" in text, f"{module}.{node.target.id}"
    import deepcams

    rows = pages[reference.MODULES]
    assert [name for name in deepcams.__all__ if name != "__version__" and f"[`deepcams.{name}`]" not in rows] == []


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
    pytest.importorskip("latex2mathml")
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


def test_the_architecture_names_every_room(tool):
    tree = (DOCS / "architecture.md").read_text().split("```")[1]
    assert [
        room for room in tool("make_reference").rooms_of(PACKAGE) if not re.search(rf"\b{room}(\.py|/)", tree)
    ] == []


def rows_of(table: str) -> list[list[str]]:
    """The cells of a table, without its titles."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()[2:]]


def told(value: object) -> str:
    """A setting as the table of settings has it."""
    if isinstance(value, list | tuple):
        regions = bool(value) and isinstance(value[0], list | tuple)
        return ("the globe" if len(value) == 1 else f"{len(value)} sectors") if regions else ", ".join(map(told, value))
    return str(value).lower() if isinstance(value, bool | str) else f"{value:g}"


def test_the_settings_that_ship_are_those_on_the_page():
    """Row by row: what a configuration sets, and the default where it sets nothing."""
    page = (DOCS / "training.md").read_text()
    defaults = {row[0]: row[1] for row in rows_of(page.split("## Settings")[1].split("\n\n")[2])}
    table = page.split("What the configurations that ship set")[1].split("\n\n")[1]
    names = re.findall(r"`([\w-]+)`", table.splitlines()[0])
    assert sorted(names) == sorted(config.SHIPPED)
    for row in rows_of(table):
        for name, cell in zip(names, row[1:], strict=True):
            settings = config.load_config(name).model_dump()
            keys = [key.split(".") for key in re.findall(r"`([\w.]+)`", row[0])]
            shown = re.sub(r"[`\[\]]|(?<=\d) (?=\d)", "", cell or defaults[row[0]])
            found = [told(settings[section][key]) for section, key in keys]
            assert _numbers(shown) == _numbers("; ".join(found) if "; " in shown else ", ".join(found)), (name, row[0])


def _numbers(text: str) -> list[float | str]:
    """The parts of a cell; numbers in whatever way they are written are the same."""
    return [float(one) if re.fullmatch(r"[\d.]+(e[-+]?\d+)?", one) else one for one in re.split("[,;] ", text)]


def test_all_data_that_ship_have_a_card():
    cards = (DOCS / "data-cards.md").read_text()
    for path in PACKAGE.rglob("*"):
        if path.suffix in (".nc", ".npz", ".csv"):
            assert f"`{path.relative_to(PACKAGE).as_posix()}`" in cards, path
