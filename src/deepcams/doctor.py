"""What the installation and this computer can do, and what stands in the way: the checks of ``deepcams doctor``.

Each check gives findings and never raises. A problem stands in the way of the main job, ``deepcams downscale``; a warning
does not. Keys are looked at, never shown. Nothing is asked of the network unless it is wanted.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from deepcams import __version__
from deepcams.errors import DeepcamsError
from deepcams.io.remote import first_line
from deepcams.provenance import sha256_of
from deepcams.threads import processors
from deepcams.urls import label_of

OK, WARNING, PROBLEM = "ok", "warning", "problem"
_OLDEST = (3, 11)
_SHOWN = ("numpy", "xarray", "zarr", "netCDF4", "torch", "opencv-python-headless")  # the others are told if amiss
_EXTRAS = {
    "grib": "GRIB files",
    "fetch": "downloads from the Atmosphere Data Store",
    "plot": "figures",
    "stations": "calibration with stations",
    "extract": "Parquet tables and polygons",
    "remote": "files at URLs",
    "cluster": "work on several computers",
}
_MEGABYTE, _GIGABYTE = 1e6, 1e9
_WRITTEN = 32  # MB written to tell the speed
_SPACE = (0.2, 5.0)  # GB free: below the first nothing fits, below the second months do not
_SLOW = 20.0  # MB/s
_MEMORY = (2.0, 6.0)  # GB: the global job with the networks needs the second
_LIMIT = 10.0  # seconds that a service may take: half of them for the connection


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes:
        what: that was looked at.
        state: ``ok``, ``warning`` or ``problem``.
        words: what was found, and what to do where something is wrong.
    """

    what: str
    state: str
    words: str

    def to_dict(self) -> dict[str, str]:
        """As JSON-ready values."""
        return asdict(self)


def examine(folder: Path, *, online: bool = False) -> Iterator[Finding]:
    """Look at everything, one thing after the other.

    Args:
        folder: where results would be written.
        online: whether to ask the services whether they answer.
    """
    checks: list[tuple[str, Callable[[], Iterable[Finding]]]] = [
        ("versions", _versions),
        ("extras", _extras),
        ("grib", _grib),
        ("gpu", _gpu),
        ("computer", _computer),
        ("disk", lambda: _disk(folder)),
        ("sample", _sample),
        ("weights", _weights),
        ("keys", _keys),
        *([("services", _services)] if online else []),
    ]
    for what, check in checks:
        try:
            yield from check()
        except Exception as error:  # noqa: BLE001 - a library that fails in its own way is what is looked for
            yield Finding(what, PROBLEM, f"the check itself failed ({type(error).__name__}: {first_line(error)}); "
                          "install deepcams anew, in an environment of its own")  # fmt: skip


def _versions() -> Iterator[Finding]:
    python = platform.python_version()
    if sys.version_info < _OLDEST:
        yield Finding("python", PROBLEM, f"{python}: wanted {_OLDEST[0]}.{_OLDEST[1]} or later")
    else:
        yield Finding("python", OK, f"{python}, {platform.system()} {platform.machine()}")
    yield Finding("deepcams", OK, f"{__version__} in {Path(__file__).parent}")
    wanted = _requirements("")
    wrong = [
        f"{name} {found or 'is missing'} (wanted {bound or 'any'})" for name, bound, found, fits in wanted if not fits
    ]
    if wrong:
        yield Finding("libraries", PROBLEM, f"{', '.join(wrong)}: run pip install --upgrade deepcams")
    shown = ", ".join(f"{name} {_version(name) or 'missing'}" for name in _SHOWN)
    yield Finding("libraries", WARNING if wrong else OK, shown)


def _version(name: str) -> str | None:
    """The version of a library that is installed; None if it is not."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _requirements(extra: str) -> list[tuple[str, str, str | None, bool]]:
    """The libraries that deepcams or one of its extras needs: name, bound, version found, whether it fits."""
    from packaging.requirements import Requirement
    from packaging.version import Version

    found = []
    for line in importlib.metadata.requires("deepcams") or []:
        one = Requirement(line)
        of_extra = "extra" in str(one.marker or "")
        if of_extra != bool(extra) or (one.marker and not one.marker.evaluate({"extra": extra})):
            continue
        version = _version(one.name)
        fits = version is not None and one.specifier.contains(Version(version), prereleases=True)
        found.append((one.name, str(one.specifier), version, fits))
    return found


def _extras() -> Iterator[Finding]:
    for extra, purpose in _EXTRAS.items():
        needed = _requirements(extra)
        lacking = [name for name, _, _, fits in needed if not fits]
        if not needed:
            continue
        if lacking:
            words = f'not there ({", ".join(lacking)}); for {purpose}: pip install "deepcams[{extra}]"'
        else:
            words = f"{', '.join(f'{name} {version}' for name, _, version, _ in needed)}: for {purpose}"
        yield Finding(f"extra {extra}", OK, words)


def _grib() -> Iterator[Finding]:
    """Write a message of one field in memory, and read it."""
    try:
        import cfgrib  # noqa: F401
        import eccodes
    except (ImportError, RuntimeError) as error:
        installed = not any(found is None for _, _, found, _ in _requirements("grib"))
        words = f"the library cannot be loaded ({first_line(error)}); run pip install --force-reinstall eccodes"
        if installed:
            yield Finding("grib", WARNING, words)
        return
    message = eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib2")
    copy = eccodes.codes_new_from_message(eccodes.codes_get_message(message))
    size = len(eccodes.codes_get_values(copy))
    for one in (message, copy):
        eccodes.codes_release(one)
    works = size > 0
    yield Finding("grib", OK if works else WARNING, f"ecCodes {eccodes.codes_get_api_version()} reads messages" if works else
                  "ecCodes reads nothing; run pip install --force-reinstall eccodes")  # fmt: skip


def _gpu() -> Iterator[Finding]:
    import torch

    if torch.cuda.is_available():
        memory = torch.cuda.get_device_properties(0).total_memory / _GIGABYTE
        yield Finding(
            "gpu", OK, f"{torch.cuda.get_device_name(0)}, {memory:.0f} GB, CUDA {torch.version.cuda}: --device cuda"
        )
    elif Path("/proc/driver/nvidia/version").exists():
        yield Finding("gpu", WARNING, f"there is one, and torch {torch.__version__} does not see it; install a torch and a "
                      "driver that fit (https://pytorch.org/get-started)")  # fmt: skip
    else:
        yield Finding("gpu", OK, "none: networks compute on the processor")


def _computer() -> Iterator[Finding]:
    yield Finding("processors", OK, f"{processors()} for this process, {os.cpu_count()} in all")
    memory = _memory()
    if memory is None:
        return
    least, enough = _MEMORY
    state = PROBLEM if memory < least else WARNING if memory < enough else OK
    advice = "" if state == OK else f"; the whole Earth wants {enough:.0f} GB: give a --region, or --method fast"
    yield Finding("memory", state, f"{memory:.1f} GB{advice}")


def _memory() -> float | None:
    """GB of memory that this process may use at most; None where the system does not tell."""
    limits = []
    try:
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIGABYTE)
    except (AttributeError, ValueError, OSError):
        return None
    for name in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            limits.append(int(Path(name).read_text()) / _GIGABYTE)
        except (OSError, ValueError):
            continue
    return min(limits)


def _disk(folder: Path) -> Iterator[Finding]:
    if not folder.is_dir():
        yield Finding("disk", PROBLEM, f"{folder}: no such folder; give the one that results go to with --folder")
        return
    free = shutil.disk_usage(folder).free / _GIGABYTE
    least, enough = _SPACE
    state = PROBLEM if free < least else WARNING if free < enough else OK
    advice = "" if state == OK else "; a month of the whole Earth takes about 1 GB, a year 10: make room"
    yield Finding("disk", state, f"{free:.1f} GB free in {folder.resolve()}{advice}")
    if free < 4 * _WRITTEN * _MEGABYTE / _GIGABYTE:
        return
    try:
        speed = _write_speed(folder)
    except OSError as error:
        yield Finding("writing", PROBLEM, f"{folder.resolve()}: nothing can be written there ({error.strerror}); give another "
                      "folder with --folder")  # fmt: skip
        return
    slow = speed < _SLOW
    yield Finding(
        "writing", WARNING if slow else OK, f"{speed:.0f} MB/s{'; write to a faster disk, and copy' if slow else ''}"
    )


def _write_speed(folder: Path) -> float:
    """MB a second, on the disk and not only in memory."""
    piece = os.urandom(int(_MEGABYTE))
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".deepcams-doctor-") as stream:
        began = time.monotonic()
        for _ in range(_WRITTEN):
            stream.write(piece)
        stream.flush()
        os.fsync(stream.fileno())
        return _WRITTEN / max(time.monotonic() - began, 1e-3)


def _sample() -> Iterator[Finding]:
    from deepcams.io.cams import open_analyses
    from deepcams.io.files import find_files
    from deepcams.sample import cams_sample

    try:
        analyses = open_analyses(find_files(cams_sample()))
        largest = float(analyses.read(0).values.max())
    except DeepcamsError as error:
        yield Finding(
            "sample", PROBLEM, f"{error}; the installation is damaged: run pip install --force-reinstall deepcams"
        )
        return
    yield Finding("sample", OK, f"{analyses.times.size} analyses on {analyses.grid}, up to {largest:.0f} ug m-3")


def _weights() -> Iterator[Finding]:
    from deepcams.weights import CORRECTION_WEIGHTS

    files = sorted(CORRECTION_WEIGHTS.parent.glob("*.safetensors"))
    damaged = [file.name for file in files if not _is_as_its_card_says(file)]
    missing = [] if CORRECTION_WEIGHTS in files else [CORRECTION_WEIGHTS.name]
    if damaged or missing:
        yield Finding("weights", PROBLEM, f"{', '.join(missing + damaged)} not as shipped; run pip install --force-reinstall "
                      "deepcams, or use --method fast")  # fmt: skip
    else:
        yield Finding("weights", OK, f"{len(files)} networks, each with the checksum of its card")


def _is_as_its_card_says(file: Path) -> bool:
    card = file.with_suffix(".md")
    told = re.search(r"sha256 of \S+: `([0-9a-f]{64})`", card.read_text(encoding="utf-8")) if card.is_file() else None
    return told is not None and told[1] == sha256_of(file)


def _keys() -> Iterator[Finding]:
    """Where keys are, and whether they can be ones; they are never shown."""
    from deepcams.fetch.keys import candidates, find_credentials
    from deepcams.fetch.openaq_api import VARIABLE, key_of

    try:
        if any(True for _ in candidates()):
            known = find_credentials()
            yield Finding("key of ADS", OK, f"of the right form, in {known.where}, for {known.site}")
        else:
            yield Finding("key of ADS", OK, "none; only deepcams fetch cams needs one, free of charge (docs/fetch.md)")
    except DeepcamsError as error:
        yield Finding("key of ADS", WARNING, str(error))
    try:
        words = (
            f"of a possible form, in {VARIABLE}"
            if key_of(None)
            else f"none in {VARIABLE}; the public archive needs none"
        )
        yield Finding("key of OpenAQ", OK, words)
    except DeepcamsError as error:
        yield Finding("key of OpenAQ", WARNING, str(error))


def _services() -> Iterator[Finding]:
    """Whether each service answers anything, within some seconds; keys are not tried."""
    from deepcams.fetch import geos_cf, keys, openaq_api, openaq_archive, published
    from deepcams.fetch.connection import Broken, ask
    from deepcams.fetch.patience import AGAIN, Attempts, Patience

    hurry = Patience(connect=_LIMIT / 2, read=_LIMIT / 2)
    for name, url in (
        ("Atmosphere Data Store", f"{keys.URL}/catalogue/v1/"),
        ("GEOS-CF", f"{geos_cf.URL}/"),
        ("OpenAQ archive", f"{openaq_archive.URL}/?list-type=2&max-keys=1"),
        ("OpenAQ interface", openaq_api.URL),
        ("Zenodo", f"{published.URL}/records/{published.RECORD}"),
    ):
        began = time.monotonic()
        try:
            with ask(url, {}, None, Attempts(hurry, url)) as answer:
                seconds = time.monotonic() - began
        except Broken as error:
            why = "; it, a firewall or a proxy (HTTPS_PROXY) stands in the way"
            yield Finding(name, WARNING, f"{label_of(url)}: {error}{why}")
        except DeepcamsError as error:
            yield Finding(name, WARNING, str(error))
        else:
            busy = answer.status in AGAIN
            advice = ": it has trouble of its own now; try later" if busy else ""
            yield Finding(name, WARNING if busy else OK, f"answers {answer.status} after {seconds:.1f} s{advice}")
