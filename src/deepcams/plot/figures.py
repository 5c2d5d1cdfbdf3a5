"""What all pictures share: matplotlib on demand, one style, and files that are whole or not there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepcams.errors import InputError, OutputError
from deepcams.io.output import partial

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DOTS_PER_INCH = 200
INK = "#1a1a1a"
FAINT_INK = "#595959"

_UNDATED: dict[str, dict[str, Any]] = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
_STYLE: dict[Any, Any] = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.0,
    "mathtext.default": "regular",
    "pdf.fonttype": 42,  # TrueType: journals refuse Type 3, and texts can be found and copied
    "svg.hashsalt": "deepcams",
    "text.color": INK,
    "xtick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.color": INK,
    "ytick.major.width": 0.6,
}


@contextmanager
def house_style() -> Iterator[None]:
    """The settings for figures and their files; the caller's matplotlib settings come back afterwards.

    Raises:
        InputError: if matplotlib is not installed.
    """
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise InputError('pictures need matplotlib, which is not installed: pip install "deepcams[plot]"') from error
    with mpl.rc_context(_STYLE):
        yield


def check_picture(path: Path, *, overwrite: bool = False) -> None:
    """Refuse a picture that could not be written, before any work is done for it.

    Raises:
        InputError: for a suffix other than .png, .svg and .pdf.
        OutputError: if the folder does not exist, or the picture does and may not be overwritten.
    """
    if path.suffix.lower() not in _UNDATED:
        raise InputError(f"picture {path}: wanted a name that ends in {', '.join(_UNDATED)}")
    if not path.parent.is_dir():
        raise OutputError(f"folder {path.parent} does not exist: make it, or choose another for {path.name}")
    if path.is_dir():
        raise OutputError(f"{path} is a folder: choose another name for the picture")
    if path.exists() and not overwrite:
        raise OutputError(f"{path} exists: choose another name, or overwrite it with --overwrite")


def save_picture(figure: Figure, path: Path, *, overwrite: bool = False) -> None:
    """Write a figure under a temporary name beside ``path``, then rename it; the same figure gives the same bytes.

    Raises:
        InputError: for an unknown suffix.
        OutputError: if it cannot be written there.
    """
    check_picture(path, overwrite=overwrite)
    suffix = path.suffix.lower()
    with partial(path, overwrite=overwrite) as temporary, house_style():
        figure.savefig(temporary, format=suffix[1:], dpi=DOTS_PER_INCH, metadata=_UNDATED[suffix])
