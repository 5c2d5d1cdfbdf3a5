"""What mkdocs does beyond its own when it builds the documentation (``hooks`` of ``mkdocs.yml``).

- The reference is made of the command line and the docstrings (``make_reference.py``).
- Model cards, the changelog and other pages at home elsewhere in the repository become pages of the site.
- Formulas become MathML, which browsers draw by themselves: no script, and nothing that is loaded.
- Links that lead out of ``docs/``, as they must where the repository itself is read, lead to these pages.
- What Git hosts and mkdocs read differently is put as mkdocs reads it: the text is the same in both places.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

import make_reference
from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

REPOSITORY = Path(__file__).parents[1]
CARDS = "src/deepcams/weights"
_LINK = re.compile(r"(?<=\]\()([^)#\s:]+)(?=[)#])")
_CODE = re.compile(r"(`[^`\n]+`)")
_TOGETHER = re.compile(r"(?<=\d) (?=[%°]|\d{3}\b|(?:µg|ng|[mk]?m|[kMG]B|h|s)\b)|(?<=µg) (?=m⁻³)|(?<=\d) / (?=[-+−]?\d)")
_FORMULA = re.compile(r"\A```math\n(.*?)^```\Z", re.DOTALL | re.MULTILINE)
_FENCED = re.compile(r"(^```.*?^```$)", re.DOTALL | re.MULTILINE)


def guests() -> dict[str, str]:
    """Pages whose text lies outside of ``docs/``: path in the repository, to path on the site."""
    cards = {f"{CARDS}/{path.name}": f"models/{path.name}" for path in sorted((REPOSITORY / CARDS).glob("*.md"))}
    return cards | {"CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md", "NOTICE": "notice.md"}


def on_config(config: MkDocsConfig) -> None:
    """Let the entry of the modules in the navigation have a page for each room, and anchors be those of Git hosts."""
    config.mdx_configs.setdefault("toc", {})["slugify"] = slug
    rooms = [{room: make_reference.page_of(room)} for room in make_reference.rooms_of(make_reference.SOURCE)]
    for part in config.nav or []:
        for entries in part.values():
            for entry in entries if isinstance(entries, list) else []:
                if isinstance(entry, dict) and entry.get("Modules") == make_reference.MODULES:
                    entry["Modules"] = [make_reference.MODULES, *rooms]


def slug(title: str, separator: str) -> str:
    """The anchor of a heading, as Git hosts make it: links to it are the same there and on the site."""
    return re.sub(r"\s", separator, re.sub(r"[^\w\s-]", "", title.strip().lower()))


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made and those from elsewhere."""
    for path, text in make_reference.pages().items():
        files.append(File.generated(config, path, content=text))
    for home, path in guests().items():
        text = (REPOSITORY / home).read_text(encoding="utf-8")
        files.append(File.generated(config, path, content=notice(text) if home == "NOTICE" else text))
    return files


def notice(text: str) -> str:
    """The plain text of the notice as a page."""
    return f"# Notice\n\n```text\n{text.strip()}\n```\n"


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Turn the links to where the site has their targets, draw formulas, and put the rest as mkdocs reads it."""
    home = {path: home for home, path in guests().items()}.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    parts = _FENCED.split(markdown)
    for number in range(0, len(parts), 2):
        text = _LINK.sub(lambda match: relink(match.group(), home, page.file.src_uri), parts[number])
        parts[number] = as_mkdocs_reads(text)
    return "".join(_FORMULA.sub(lambda match: formula(match.group(1)), part) for part in parts)


def formula(tex: str) -> str:
    """A formula in LaTeX, which Git hosts draw, as MathML."""
    return f'<div class="formula">{convert(tex.strip(), display="block")}</div>'


def as_mkdocs_reads(text: str) -> str:
    """Lists in lists by four spaces, pipes in code without a backslash, no endings of files in the names of links.

    A number stays on a line with its unit, or with the number that it is one of two with: ``2.038 / 0.441``.
    """
    text = re.sub(r"^ {2,3}(?=- )", "    ", text, flags=re.MULTILINE)
    parts = _CODE.split(text)
    parts[0::2] = [_TOGETHER.sub(lambda match: match.group().replace(" ", "\u00a0"), part) for part in parts[0::2]]
    text = "".join(part.replace(r"\|", "|") if number % 2 else part for number, part in enumerate(parts))
    return re.sub(r"\[([\w/-]+?)(?:\.md|/)\]\(", r"[\1](", text)


def relink(link: str, home: str, page: str) -> str:
    """Where a relative link leads on the site.

    Args:
        link: the target as it is written, without an anchor.
        home: path of the page in the repository.
        page: path of the page on the site.
    """
    target = posixpath.normpath(posixpath.join(posixpath.dirname(home), link))
    if target in guests():
        found = guests()[target]
    elif target.startswith("src/deepcams/") and target.endswith(".py"):
        path = REPOSITORY / target
        room = path.relative_to(make_reference.SOURCE).parts[0].removesuffix(".py")
        found = f"{make_reference.page_of(room)}#{make_reference.module_name(path)}"
    elif target.startswith("docs/"):
        found = target.removeprefix("docs/")
    else:
        return link  # mkdocs says what is wrong with it
    return posixpath.relpath(found, posixpath.dirname(page) or ".")
