"""Where a result comes from: one function for everything that is written."""

from __future__ import annotations

import hashlib
import platform
import shlex
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deepcams import __version__
from deepcams.urls import without_secrets

ATTRIBUTION = (
    "Contains modified Copernicus Atmosphere Monitoring Service information. Neither the European Commission nor ECMWF "
    "is responsible for any use that may be made of the Copernicus information or data it contains."
)
LICENCE = "Derived from CAMS data under the licence to use Copernicus products; derived data: CC BY 4.0"
REFERENCES = (
    "Inness et al. (2019), doi:10.5194/acp-19-3515-2019 (CAMS reanalysis); Xiao et al. (2022), "
    "doi:10.1016/j.scitotenv.2022.157747 (DeepCAMS)"
)


def provenance(settings: Mapping[str, Any], files: Iterable[str]) -> dict[str, Any]:
    """What made a result, the same for every run of the same work: nothing here tells when, where or by whom.

    Args:
        settings: the method and all that changes values, JSON-ready.
        files: the input files; only their names are kept.
    """
    return {
        "deepcams_version": __version__,
        "settings": dict(settings),
        "inputs": sorted({Path(name).name for name in files}),
        "licence": LICENCE,
        "attribution": ATTRIBUTION,
        "references": REFERENCES,
    }


def digest_of(digests: Iterable[str]) -> str:
    """One SHA-256 for the content hashes of several analyses, in the order given."""
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def run_record() -> dict[str, str]:
    """What differs from run to run: the command, the time and the host. Never part of arrays or of a store's metadata."""
    command = [Path(sys.argv[0]).name, *sys.argv[1:]]
    return {
        "command": without_secrets(shlex.join(command)),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "host": platform.node(),
    }
