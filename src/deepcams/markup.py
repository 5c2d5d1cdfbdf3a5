"""Pieces of an HTML page. Arguments that are texts are escaped here; those that are markup come from these functions."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape
from importlib.resources import files

from deepcams.errors import InputError

_PNG = b"\x89PNG\r\n\x1a\n"


def element(tag: str, content: str, **attributes: str) -> str:
    """An element around markup.

    Args:
        tag: its name.
        content: markup.
        attributes: texts by name; ``class_`` is ``class``, and ``_`` within a name is ``-``.
    """
    named = (f' {name.rstrip("_").replace("_", "-")}="{escape(text)}"' for name, text in attributes.items())
    return f"<{tag}{''.join(named)}>{content}</{tag}>\n"


def paragraph(text: str, **attributes: str) -> str:
    """A paragraph of text."""
    return element("p", escape(text), **attributes)


def bullets(texts: Iterable[str]) -> str:
    """A list of texts; nothing of none."""
    items = "".join(element("li", escape(text)) for text in texts)
    return element("ul", items) if items else ""


def heading(level: int, text: str, anchor: str = "") -> str:
    """A heading, with a name that links lead to."""
    return element(f"h{level}", escape(text), **({"id": anchor} if anchor else {}))


def contents(titles: Iterable[tuple[str, str]]) -> str:
    """Links to headings.

    Args:
        titles: anchor and text of each.
    """
    links = "".join(
        element("li", element("a", escape(text), href=f"#{anchor}").strip()).strip() for anchor, text in titles
    )
    return element("nav", element("ul", links), aria_label="Contents")


def table(
    caption: str, titles: Sequence[str], rows: Iterable[Sequence[str]], *, texts: int = 1, dense: bool = False
) -> str:
    """A table of texts; the first cell of each row is its heading. It scrolls by itself where it is too wide.

    Args:
        caption: what it shows.
        titles: of the columns.
        rows: as many texts each.
        texts: how many columns from the left on hold texts; the others hold numbers.
        dense: whether columns stand closer together, because there are many.
    """
    kinds = [{} if index < texts else {"class_": "number"} for index in range(len(titles))]
    heads = [element("th", escape(text), scope="col", **kind) for text, kind in zip(titles, kinds, strict=True)]
    lines = []
    for first, *others in rows:
        cells = [element("td", escape(text), **kind) for text, kind in zip(others, kinds[1:], strict=True)]
        lines.append(element("tr", element("th", escape(first), scope="row") + "".join(cells)))
    body = element("thead", element("tr", "".join(heads))) + element("tbody", "".join(lines))
    whole = element("table", element("caption", escape(caption)) + body)
    return element(
        "div", whole, class_="wide dense" if dense else "wide", role="region", aria_label=caption, tabindex="0"
    )


def picture(image: bytes, *, alt: str, caption: str) -> str:
    """A PNG within the page, with a caption.

    Raises:
        InputError: if it is not a PNG.
    """
    if not image.startswith(_PNG):
        raise InputError(f"figure {caption!r}: wanted the bytes of a PNG, found {image[:8]!r}")
    source = f"data:image/png;base64,{base64.b64encode(image).decode()}"
    return element("figure", f'<img src="{source}" alt="{escape(alt)}">' + element("figcaption", escape(caption)))


def page(title: str, body: str) -> str:
    """A whole page that loads nothing.

    Args:
        title: text.
        body: markup.
    """
    style = (files("deepcams") / "markup.css").read_text(encoding="utf-8")
    head = (
        '<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n"
    )
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}</head>\n<body>\n{body}</body>\n</html>\n'
