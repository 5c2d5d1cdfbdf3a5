"""The reference pages of the documentation, made of the command line itself and of the docstrings.

    python tools/make_reference.py FOLDER

writes them as Markdown; the site asks for them when it is built (``tools/docs_site.py``), so that none is ever out of date. The
source is read, not imported: a page needs no library of the package's but click.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click

SOURCE = Path(__file__).parents[1] / "src" / "deepcams"
COMMANDS = "reference/commands.md"
MODULES = "reference/modules.md"
_SECTION = re.compile(
    r"^(Args|Arguments|Attributes|Returns|Yields|Raises|Source|Sources|Note|Notes|Example|Examples):\s*$"
)
_ROLE = re.compile(r":(?:class|func|meth|mod|data|attr|exc):~?(?=`)")
_MARKED = re.compile(r"(``.+?``|`[^`]+`|(?<!\w)\*\*(?=\S)[^*]+(?<=\S)\*\*(?!\w))", re.DOTALL)
_LISTS = {"Args", "Arguments", "Attributes", "Raises"}
_ENTRY = re.compile(r"^(\*{0,2}[\w.]+(?:, \*{0,2}[\w.]+)*): (.*)$", re.DOTALL)


def pages() -> dict[str, str]:
    """All reference pages, Markdown by the path of the page."""
    rooms = {room: room_page(room, files) for room, files in rooms_of(SOURCE).items()}
    return {COMMANDS: commands_page(), MODULES: modules_page(), **{page_of(room): text for room, text in rooms.items()}}


def page_of(room: str) -> str:
    """The path of the page of a room."""
    return f"reference/modules/{room}.md"


# The command line


def commands_page() -> str:
    """Every command with its arguments and options, as ``--help`` has them."""
    from deepcams.cli import cli

    top = click.Context(cli, info_name="deepcams")
    parts = [
        "# Commands",
        "All commands and options, as `--help` prints them. What they are for, with examples: "
        "[command line](../cli.md).",
        _options(top),
        *(part for name, command in _children(top) for part in _command(top, name, command, "##")),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _children(context: click.Context) -> Iterator[tuple[str, click.Command]]:
    group = context.command
    if isinstance(group, click.Group):
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if command is not None and not command.hidden:
                yield name, command


def _command(parent: click.Context, name: str, command: click.Command, level: str) -> Iterator[str]:
    """The Markdown of a command and of those below it."""
    context = click.Context(command, info_name=name, parent=parent)
    yield f"{level} {context.command_path} {{#{context.command_path.replace(' ', '-')}}}"
    yield f"```text\n{' '.join([context.command_path, *command.collect_usage_pieces(context)])}\n```"
    yield "\n\n".join(escape(re.sub(r"\s+", " ", one)) for one in _paragraphs(command.help or ""))
    yield _options(context)
    if command.epilog:
        yield f"```text\n{command.epilog.removeprefix('Example: ')}\n```"
    for below, one in _children(context):
        yield from _command(context, below, one, f"{level}#")


def _paragraphs(text: str) -> list[str]:
    return [one for one in re.split(r"\n\s*\n", inspect.cleandoc(text)) if one.strip(" \b\n")]


def _options(context: click.Context) -> str:
    """The table of the options of a command."""
    options = (one for one in context.command.get_params(context) if isinstance(one, click.Option))
    records = [one.get_help_record(context) for one in options]
    rows = [f"| `{names}` | {escape(text)} |" for names, text in filter(None, records)]
    return "\n".join(["| option | |", "|---|---|", *rows]) if rows else ""


# The docstrings


def rooms_of(source: Path) -> dict[str, list[Path]]:
    """The files of each room (a module or a package directly below ours), in alphabetical order."""
    found: dict[str, list[Path]] = {}
    for path in sorted(source.rglob("*.py")):
        room = path.relative_to(source).parts[0].removesuffix(".py")
        if not room.startswith("__"):
            found.setdefault(room, []).append(path)
    return found


def modules_page() -> str:
    """The list of all rooms, each with what its docstring says first."""
    rows = [
        f"| [`{room}`]({Path(page_of(room)).relative_to('reference')}) | {escape(_summary(files))} |"
        for room, files in rooms_of(SOURCE).items()
    ]
    text = (
        "# Modules\n\nWhat the docstrings say, of every module. For use from Python the names of `deepcams` itself are meant "
        "to last: [from Python](../python.md). How the rooms build on each other: [architecture](../architecture.md)."
    )
    return "\n".join([text, "", *public_names(), "", "| room | |", "|---|---|", *rows, ""])


def public_names() -> Iterator[str]:
    """The names of the package itself, with links to where they are defined."""
    own = ast.parse((SOURCE / "__init__.py").read_text(encoding="utf-8"))
    for node in own.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_HOMES":
            for name, home in ast.literal_eval(node.value).items():
                page = Path(page_of(home.split(".")[1])).relative_to("reference")
                yield f"- [`deepcams.{name}`]({page}#{home}.{name})"


def _summary(files: list[Path]) -> str:
    """The first sentence of a room's own docstring."""
    own = next((one for one in files if one.name == "__init__.py"), files[0])
    text = ast.get_docstring(ast.parse(own.read_text(encoding="utf-8"))) or ""
    return _ROLE.sub("", _paragraphs(text)[0]).replace("\n", " ")


def room_page(room: str, files: list[Path]) -> str:
    """All modules of a room."""
    # other pages say more about most words; these come last in a search
    parts = ["---\nsearch:\n  boost: 0.1\n---", f"# {room}"]
    for path in files:
        parts += _module(path)
    return "\n\n".join(part for part in parts if part) + "\n"


def module_name(path: Path) -> str:
    """The name that a file is imported by, such as ``deepcams.io.cams``."""
    return ".".join(("deepcams", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")


def _module(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    tree, lines, name = ast.parse(text), text.splitlines(), module_name(path)
    parts = [f"## {name} {{#{name}}}", docstring(ast.get_docstring(tree))]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            parts += _definition(node, lines, name)
        elif isinstance(node, ast.AnnAssign) and not (entry := ast.unparse(node.target)).startswith("_"):
            parts += [f"### {entry} {{#{name}.{entry}}}", _code(_lines(node, lines))]
    return parts


def _definition(node: ast.FunctionDef | ast.ClassDef, lines: list[str], module: str) -> list[str]:
    """Heading, signature and docstring of a function, or of a class with its public methods."""
    path = f"{module}.{node.name}"
    if isinstance(node, ast.FunctionDef):
        return [f"### {node.name} {{#{path}}}", _code(signature(node, lines)), docstring(ast.get_docstring(node))]
    fields = [_lines(one, lines) for one in node.body if isinstance(one, ast.AnnAssign)]
    code = "\n".join([signature(node, lines), *fields])
    parts = [f"### {node.name} {{#{path}}}", _code(code), docstring(ast.get_docstring(node))]
    for one in node.body:
        if isinstance(one, ast.FunctionDef) and not one.name.startswith("_"):
            parts += [_code(signature(one, lines)), docstring(ast.get_docstring(one))]
    return parts


def _code(text: str) -> str:
    return f"```python\n{text}\n```"


def _lines(node: ast.stmt, lines: list[str]) -> str:
    return "\n".join(lines[node.lineno - 1 : node.end_lineno])


def signature(node: ast.FunctionDef | ast.ClassDef, lines: list[str]) -> str:
    """The definition as it stands in the source, decorators included, without its body."""
    first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
    last = max(node.lineno, node.body[0].lineno - 1)
    kept = [one.removesuffix("  # fmt: skip").rstrip() for one in lines[first - 1 : last]]
    while len(kept) > 1 and (not kept[-1] or kept[-1].lstrip().startswith("#")):
        kept.pop()
    return textwrap.dedent("\n".join(kept))


def docstring(text: str | None) -> str:
    """A Google docstring as Markdown: sections become lists, examples become code."""
    parts, section, block = [], "", list[str]()
    for line in [*_ROLE.sub("", text or "").splitlines(), None]:
        title = _SECTION.match(line) if line is not None else None
        if line is None or title:
            parts.append(_section(section, "\n".join(block)))
            section, block = title.group(1) if title else "", []
        else:
            block.append(line)
    return "\n\n".join(part for part in parts if part)


def _section(title: str, text: str) -> str:
    """One section; without a title, the text before all sections."""
    text = textwrap.dedent(text).strip("\n")
    if not text:
        return ""
    if not title:
        return _prose(text)
    if title not in _LISTS:
        return f"**{title}**\n\n{_prose(text)}"
    entries = [re.sub(r"\s+", " ", one) for one in re.split(r"\n(?=\S)", text)]
    return f"**{title}**\n\n" + "\n".join(f"- {_entry(one)}" for one in entries)


def _entry(text: str) -> str:
    named = _ENTRY.match(text)
    return f"`{named.group(1)}`: {escape(named.group(2))}" if named else escape(text)


def _prose(text: str) -> str:
    """Paragraphs; indented ones and examples of Python stay as they are."""
    parts = []
    for block in re.split(r"\n\s*\n", text):
        if block.startswith(">>>"):
            parts.append(f"```pycon\n{block}\n```")
        elif block.startswith("    "):
            parts.append(f"```text\n{textwrap.dedent(block)}\n```")
        else:
            parts.append(_mixed(block))
    return "\n\n".join(parts)


def _mixed(block: str) -> str:
    """A paragraph; lines within it that are indented are a list of their own."""
    lines = block.splitlines()
    if any(line.startswith("    ") for line in lines) and not lines[0].startswith(("-", "*")):
        head = list(_until_indented(lines))
        rest = textwrap.dedent("\n".join(lines[len(head) :]))
        return f"{escape(' '.join(head)).removesuffix(':')}:\n\n```text\n{rest}\n```"
    if all(line.startswith(("- ", "  ")) for line in lines):
        return "\n".join(line[:2] + escape(line[2:]) for line in lines)
    return re.sub("::$", ":", escape(block))


def _until_indented(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if line.startswith("    "):
            return
        yield line


def escape(text: str) -> str:
    """Text in which only what stands between backticks, and what is emphasised by two stars, is Markdown."""
    parts = _MARKED.split(text)
    return "".join(one if number % 2 else _escape_plain(one) for number, one in enumerate(parts))


def _escape_plain(text: str) -> str:
    return re.sub(r"([\\*_\[\]|])", r"\\\1", text).replace("<", "&lt;")


def main(folder: Path) -> None:
    """Write all pages below a folder."""
    for path, text in pages().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
