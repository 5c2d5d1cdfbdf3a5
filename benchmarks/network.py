"""What the spatial network costs: parameters, GFLOP and seconds, in single precision and in bfloat16.

    python benchmarks/network.py [--rounds 5]

One global analysis with two neighbours, one thread. A map is a third of an analysis: each is sharpened once, for three
hours. Also how much bfloat16 would change the result.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from deepcams import open_cams
from deepcams.grid import Grid
from deepcams.sample import cams_sample
from deepcams.spatial.network import load, sharpen, views
from deepcams.spatial.scene import Neighbour, Scene
from deepcams.weights import SPATIAL_WEIGHTS

COARSE = Grid(90, 0, 0.75, 241, 480)
MAPS = 3  # hours for each analysis


def scene() -> Scene:
    """The second analysis of the sample between the first and the third; nothing is remembered of it."""
    before, now, after = open_cams(cams_sample()).values[:3]
    return Scene(now, COARSE, 3, 0.05, (Neighbour(before, -3.0), Neighbour(after, 3.0)))


def seconds(work: Callable[[], Any], rounds: int) -> float:
    """The median time of some calls."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    network = load(SPATIAL_WEIGHTS)
    print(f"parameters              {sum(one.numel() for one in network.parameters()):,}")
    with FlopCounterMode(display=False) as counter:
        exact = sharpen(scene(), network)
    print(
        f"GFLOP per analysis      {counter.get_total_flops() / 1e9:.1f}, per map {counter.get_total_flops() / MAPS / 1e9:.1f}"
    )
    print(f"views, s per analysis   {seconds(lambda: views(scene()), rounds):.3f}")
    known = scene()
    views(known)  # in a run, LCBP and displacements are shared with the neighbours
    for name, precision in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        with torch.autocast("cpu", precision, enabled=precision != torch.float32):
            each = seconds(lambda: sharpen(known, network), rounds)
            result = sharpen(known, network)
        changed = np.sqrt(np.mean((result - exact) ** 2)) / np.sqrt(
            np.mean((exact - exact.mean((1, 3), keepdims=True)) ** 2)
        )
        print(f"{name:10} s per map   {each / MAPS:.3f}, differs by {changed:.1e} of the detail's RMS")


if __name__ == "__main__":
    main()
