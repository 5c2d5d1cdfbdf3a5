"""Making a store of many days: seconds for each hourly map and peak memory of a worker, by number of processes.

    python benchmarks/production.py --days 30 --method deepcams --workers 1 2
    python benchmarks/production.py --days 365 --method fast --workers 2

Everything is included: starting Python, reading, both stages, checks, compression, writing. Input is the sample played
forwards and backwards, in a file for each month; it is written first and not counted.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from inputs import write_months


def main() -> None:
    options = arguments()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        (folder / "in").mkdir()
        write_months(options.days, folder / "in")
        maps = 24 * options.days + 1
        print(f"{options.days} days, {maps} maps, method {options.method}")
        print("| workers | threads of each | s per map | peak memory of a process, MB | bytes per map, MB |")
        print("|---|---|---|---|---|")
        for workers in options.workers:
            threads = max(1, options.processors // workers)
            found = measured(folder, options.method, workers, threads)
            row = (
                workers,
                threads,
                f"{found['seconds'] / maps:.3f}",
                f"{found['memory']:.0f}",
                f"{found['size'] / maps:.2f}",
            )
            print("| " + " | ".join(map(str, row)) + " |", flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--method", default="deepcams")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--processors", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="where input and output are written")
    return parser.parse_args()


def measured(folder: Path, method: str, workers: int, threads: int) -> dict[str, float]:
    """Seconds, MB of the largest process and MB written of one run, in a process of its own so that memory is its own."""
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import production; production.once(*sys.argv[1:])"
    call = [sys.executable, "-c", code, str(folder), method, str(workers), str(threads)]
    return dict(json.loads(subprocess.run(call, check=True, capture_output=True, text=True).stdout.splitlines()[-1]))


def once(folder: str, method: str, workers: str, threads: str) -> None:
    """Make the store, and print what it took as JSON."""
    output = Path(folder) / "out.zarr"
    options = ["--method", method, "--workers", workers, "--threads", threads, "--quiet"]
    began = time.monotonic()
    call = [sys.executable, "-m", "deepcams", "downscale", str(Path(folder) / "in"), str(output), *options]
    subprocess.run(call, check=True)
    seconds = time.monotonic() - began
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    size = sum(one.stat().st_size for one in output.rglob("*") if one.is_file()) / 1e6
    shutil.rmtree(output)
    print(json.dumps({"seconds": seconds, "memory": memory, "size": size}))


if __name__ == "__main__":
    main()
