"""Rules of the house: direction of imports, sizes, docstrings, what is imported when."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "deepcams"
MODULES = sorted(SOURCE.rglob("*.py"))
LEVELS = [
    {"errors"},
    {
        "grid",
        "regions",
        "units",
        "urls",
        "rounding",
        "timeline",
        "threads",
        "provenance",
        "conventions",
        "sample",
        "weights",
        "sun",
        "land",
        "orography",
        "ground",
        "markup",
    },
    {"sphere", "conserve", "missing"},
    {"io"},
    {"layers"},
    {"spatial", "temporal"},
    {"methods", "windows", "cut", "checks", "pipeline"},
    {"downscaling"},
    {"production", "aggregation", "extraction"},
    {"verification"},
    {"evaluation"},
    {"training", "stations"},
    {"fetch"},
    {"plot", "viewer", "evidence", "doctor"},
    {"cli"},
]
LEVEL = {name: number for number, names in enumerate(LEVELS) for name in names}
HEAVY = {"numpy", "xarray", "torch", "zarr", "netCDF4", "cv2", "scipy", "pandas", "matplotlib"}


def room(module: str) -> str:
    """The top-level room of a module of ours: deepcams.io.cams -> io."""
    return module.split(".")[1] if "." in module else ""


def name_of(path: Path) -> str:
    return ".".join(("deepcams", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")


def imports_of(path: Path) -> set[str]:
    """Modules of ours that a file imports when it runs (also inside functions, not for type checking)."""
    found = set()

    class Visitor(ast.NodeVisitor):
        def visit_If(self, node: ast.If) -> None:
            if not (isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
                self.generic_visit(node)

        def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
            if node.module and node.module.startswith("deepcams"):
                deeper = {f"{node.module}.{alias.name}" for alias in node.names}
                found.update(deeper & {name_of(one) for one in MODULES} or {node.module})

        def visit_Import(self, node: ast.Import) -> None:
            found.update(alias.name for alias in node.names if alias.name.startswith("deepcams"))

    Visitor().visit(ast.parse(path.read_text()))
    return found


def test_every_module_has_a_place_in_the_order():
    rooms = {room(name_of(path)) for path in MODULES} - {"", "__main__"}
    assert rooms <= LEVEL.keys(), rooms - LEVEL.keys()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_go_one_way(path):
    own = room(name_of(path))
    if own in ("", "__main__"):
        return
    for other in {room(one) for one in imports_of(path)} - {"", own}:
        assert LEVEL[other] <= LEVEL[own], f"{own} imports {other}, which stands above it"


def test_there_is_no_cycle():
    graph = {name_of(path): imports_of(path) for path in MODULES}

    def reach(start: str) -> set[str]:
        seen: set[str] = set()
        stack = [start]
        while stack:
            for one in graph.get(stack.pop(), ()):
                if one not in seen:
                    seen.add(one)
                    stack.append(one)
        return seen

    assert [name for name in graph if name in reach(name) and name != "deepcams"] == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_files_and_functions_are_small(path):
    text = path.read_text()
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < 60, node.name


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_public_names_say_what_they_are(path):
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree), "the module has no docstring"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), node.name


@pytest.mark.parametrize(
    "call", ["import deepcams", "import deepcams.cli", "import deepcams.cli.downscale, deepcams.cli.inspect"]
)
def test_nothing_heavy_is_imported_before_it_is_needed(call):
    script = f"{call}\nimport sys; print(*sorted({HEAVY!r} & set(sys.modules)))"
    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip() == ""
    )


def test_the_fast_method_never_imports_torch(tmp_path):
    script = (
        "import sys\nfrom deepcams.cli import main\n"
        f"output = {str(tmp_path / 'out.nc')!r}\n"
        "try: main(['downscale', '--sample', output, '--region', 'alps', '--method', 'fast', '--quiet'])\n"
        "except SystemExit as end: assert end.code == 0\nassert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
