"""Whole processes side by side, in one run: deepcams, CDO and xarray's own interpolation, three days of global input.

    python benchmarks/compare.py [--days 3] [--long 30] [--rounds 3]

Prints a Markdown table: seconds per hourly map (everything included: start, reading, computing, writing; the median of
the rounds, which take turns), the ratio to CDO, and the peak memory. Without ``cdo`` on the machine its rows are left out.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from inputs import write_days

_XARRAY = """
import sys, numpy as np, pandas as pd, xarray as xr
cams = xr.open_dataset(sys.argv[1], engine="h5netcdf").pm2p5 * 1e9
hours = pd.date_range(cams.valid_time.values[0], cams.valid_time.values[-1], freq="1h")
fine = cams.interp(valid_time=hours).interp(latitude=90 - 0.25 * np.arange(721), longitude=0.25 * np.arange(1440))
fine.astype("f4").to_netcdf(sys.argv[2], encoding={"pm2p5": {"zlib": True, "complevel": 1}})
"""


@dataclass
class Contender:
    """One way to hourly 0.25 degree maps: a command for an input and an output."""

    name: str
    suffix: str
    command: Callable[[Path, Path], list[str]]
    seconds: list[float] = field(default_factory=list)
    megabytes: float = 0.0

    def run(self, source: Path, folder: Path) -> None:
        """Run once and note seconds and peak memory."""
        output = folder / f"out{self.suffix}"
        began = time.perf_counter()
        process = subprocess.Popen(self.command(source, output), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            sys.exit(f"{self.name} failed with status {status}")
        self.seconds.append(time.perf_counter() - began)
        self.megabytes = max(self.megabytes, usage.ru_maxrss / 1024)
        shutil.rmtree(output) if output.is_dir() else output.unlink()


def contenders(grid: Path) -> list[Contender]:
    """All that can run on this machine."""
    python = sys.executable
    tool = [python, "-m", "deepcams", "downscale", "--quiet", "--method"]
    found = [
        Contender("deepcams, Zarr", ".zarr", lambda source, out: [*tool, "deepcams", str(source), str(out)]),
        Contender("fast, Zarr", ".zarr", lambda source, out: [*tool, "fast", str(source), str(out)]),
        Contender("fast, NetCDF", ".nc", lambda source, out: [*tool, "fast", str(source), str(out)]),
        Contender("xarray interp, linear", ".nc", lambda source, out: [python, "-c", _XARRAY, str(source), str(out)]),
    ]
    if shutil.which("cdo"):
        start = "2019-12-01,00:00:00,1hour"
        options = ["cdo", "-s", "-P", "2", "-f", "nc4", "-z", "zip_1"]
        steps = [f"-remapbic,{grid}", f"-inttime,{start}"]
        found.append(
            Contender("CDO inttime + remapbic", ".nc", lambda source, out: [*options, *steps, str(source), str(out)])
        )
    return found


def main() -> None:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--days", type=int, default=3)
    parser.add_argument("--long", type=int, default=30, help="days of the run that shows the memory; 0 for none")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        grid = folder / "fine.txt"
        grid.write_text("gridtype=lonlat\nxsize=1440\nysize=721\nxfirst=0\nxinc=0.25\nyfirst=90\nyinc=-0.25\n")
        ways, maps = contenders(grid), 24 * arguments.days + 1
        source = write_days(arguments.days, folder / "short.nc")
        for _ in range(arguments.rounds):
            for way in ways:
                way.run(source, folder)
        if arguments.long:
            long = Contender(f"deepcams, Zarr, {arguments.long} days", ".zarr", ways[0].command)
            long.run(write_days(arguments.long, folder / "long.nc"), folder)
            ways.append(long)
        _print(ways, maps, 24 * arguments.long + 1)


def _print(ways: list[Contender], maps: int, long_maps: int) -> None:
    cdo = next((statistics.median(way.seconds) / maps for way in ways if way.name.startswith("CDO")), None)
    print("| | s per hourly map | times CDO's | peak memory, MB |\n|---|---|---|---|")
    for way in ways:
        each = statistics.median(way.seconds) / (long_maps if way.name.endswith("days") else maps)
        ratio = f"{each / cdo:.2f}" if cdo else "-"
        print(f"| {way.name} | {each:.3f} | {ratio} | {way.megabytes:.0f} |")


if __name__ == "__main__":
    main()
