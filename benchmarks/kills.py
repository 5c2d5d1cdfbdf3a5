"""A store of global fields, killed at random moments and resumed until it is done, against one that was never killed.

    python benchmarks/kills.py [--days 6] [--kills 20] [--seed 1] [--workers 1] [-- --method fast ...]

Prints what was killed when, and whether all files of the two stores are the same to the last byte. Ends with status 1 if
they are not, or anything is left beside the store and its log. What follows ``--`` goes to ``deepcams downscale``.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from inputs import write_days


def files(store: Path) -> dict[str, str]:
    """SHA-256 of all files of a store, by name."""
    found = sorted(one for one in store.rglob("*") if one.is_file())
    return {str(one.relative_to(store)): hashlib.sha256(one.read_bytes()).hexdigest() for one in found}


def run(source: Path, store: Path, options: list[str], seconds: float | None = None) -> tuple[int, float]:
    """Run the command, killed with all its processes after some time; gives its status and how long it took."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "deepcams", "downscale", str(source), str(store), "--quiet", *options]
    process = subprocess.Popen(command, start_new_session=True)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait(), time.perf_counter() - began


def finished(store: Path) -> int:
    """How many days are in the ledger of a store."""
    return len(list(store.glob("ledger/sha256/c/*/0/0")))


def killed_and_resumed(source: Path, store: Path, options: list[str], kills: int, usual: float, seed: int) -> int:
    """Make a store again and again, killed at random moments and resumed, until it was killed so many times.

    Returns:
        How many stores were made; the last one is left.
    """
    chance, done, made = random.Random(seed), 0, 0
    while done < kills:
        shutil.rmtree(store, ignore_errors=True)
        made += 1
        while True:
            moment = chance.uniform(0, usual) if done < kills else None
            status, seconds = run(source, store, options, moment)
            if status == 0:
                print(f"store {made}: complete")
                break
            if status != -signal.SIGKILL:
                sys.exit(f"ended with status {status}")
            done += 1
            print(f"store {made}: kill {done} after {seconds:.1f} s, {finished(store)} days finished", flush=True)
    return made


def main() -> None:
    """Make both stores and compare them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--days", type=int, default=6)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    arguments, options = parser.parse_known_args()
    options = [*(one for one in options if one != "--"), "--workers", str(arguments.workers)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = write_days(arguments.days, folder / "cams.nc")
        whole, store = folder / "whole.zarr", folder / "killed.zarr"
        status, usual = run(source, whole, options)
        if status:
            sys.exit(f"ended with status {status}")
        wanted = files(whole)
        print(f"{arguments.days} days without interruption: {usual:.1f} s, {len(wanted)} files")
        made = killed_and_resumed(source, store, options, arguments.kills, usual, arguments.seed)
        found = files(store)
        different = sorted(one for one in found.keys() | wanted.keys() if found.get(one) != wanted.get(one))
        known = {"cams.nc", *(f"{one.name}{log}" for one in (whole, store) for log in ("", ".log"))}
        left = sorted({one.name for one in folder.iterdir()} - known)
        print(
            f"{arguments.kills} kills, {made} stores: {len(different)} of {len(wanted)} files differ, {len(left)} left beside"
        )
        sys.exit("\n".join(["not the same:", *different, *left]) if different or left else 0)


if __name__ == "__main__":
    main()
