"""Where the time of a run goes, and how far its stages are from what the machine can do.

    python benchmarks/stages.py [--methods fast deepcams] [--days 2] [--rounds 5]

Prints Markdown tables. Times are those of the processor, by one thread: the time for which other work on the machine holds
it is not in them. Stages and limits take turns in every round, and the medians of the rounds are told. A stage is some
functions without those of other stages that they call; what none of them holds is the rest.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

STAGES: dict[str, tuple[str, ...]] = {
    "reading": ("pipeline._read",),
    "LCBP": ("spatial.sharpen_lcbp", "spatial.lcbp.sharpen"),
    "conservation layer": ("spatial.lcbp.conserve_blocks", "spatial.network.conserve_blocks"),
    "motion, for the network": ("spatial.motion.displacement", "spatial.motion.carried"),
    "what else the network is shown": ("spatial.network.sharpen", "spatial.network.SpatialNetwork._inputs"),
    "convolutions": ("spatial.network.SpatialNetwork.forward",),
    "flow: search (DIS)": ("temporal.flow._dis",),
    "flow: images and trust": ("temporal.flow.displacement",),
    "warps": ("temporal.flow._Warp.__init__", "temporal.flow._Warp.__call__"),
    "share of the change": ("temporal.network.progress",),
    "blending": ("temporal.flow.blend", "temporal.network.between"),
    "checks": ("pipeline.check_means", "pipeline.check_values", "pipeline._drift"),
}
PASSES = {"warps": 4 * 2 * 2 / 3, "rounding": 2}  # fields that a stage reads and writes at the least, for each map
_FIELD = 721 * 1440 * 4  # bytes
_ORDER = 2048  # of the matrices
_DAY = 24

Times = dict[str, float]


class Watch:
    """Seconds of the processor in each stage, by whatever thread."""

    def __init__(self) -> None:
        self.seconds: Times = defaultdict(float)
        self._stack = threading.local()
        self._lock = threading.Lock()
        for stage, names in STAGES.items():
            for name in names:
                owner, last = found(name)
                setattr(owner, last, self._watched(stage, getattr(owner, last)))

    def _watched(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **options: Any) -> Any:
            inner = self._stack.__dict__.setdefault("seconds", [])
            inner.append(0.0)
            began = time.thread_time()
            try:
                return function(*args, **options)
            finally:
                all_of_it = time.thread_time() - began
                own = all_of_it - inner.pop()
                if inner:
                    inner[-1] += all_of_it
                with self._lock:
                    self.seconds[stage] += own

        return watched


def found(name: str) -> tuple[Any, str]:
    """The module or class that holds a function of the package, and the function's name there."""
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        try:
            owner = import_module(".".join(("deepcams", *parts[:length])))
        except ModuleNotFoundError:
            continue
        for part in parts[length:-1]:
            owner = getattr(owner, part)
        return owner, parts[-1]
    raise LookupError(f"deepcams has no {name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--methods", nargs="+", default=["fast", "deepcams"])
    parser.add_argument("--days", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    from inputs import write_days  # beside this file

    watch = Watch()
    rounds: dict[str, list[Times]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as name:
        source = write_days(options.days, Path(name) / "in.nc")
        jobs = {method: job_of(method, source) for method in options.methods}
        maps = {method: once(job, watch)[0] for method, job in jobs.items()}  # to warm up
        for _ in range(options.rounds):
            for method, job in jobs.items():
                rounds[method].append(once(job, watch)[1] | written(job, maps[method], Path(name)))
            rounds["limits"].append(limits(Path(name), rounds[options.methods[-1]][-1]["bytes"]))
    print_stages({method: medians(rounds[method]) for method in options.methods})
    print_limits(medians(rounds[options.methods[-1]]), medians(rounds["limits"]))


def job_of(method: str, source: Path) -> Any:
    """The downscaling of a file."""
    from deepcams.io.cams import open_analyses
    from deepcams.io.files import find_files
    from deepcams.methods import recipe
    from deepcams.pipeline import Job

    return Job(open_analyses(find_files(str(source)), variable="pm2p5"), recipe(method))


def once(job: Any, watch: Watch) -> tuple[list[Any], Times]:
    """The maps of the first day, and the seconds of each stage for each map."""
    from deepcams.checks import Tally
    from deepcams.pipeline import hours

    watch.seconds.clear()
    first, count = [], 0
    began = time.process_time()
    for one in hours(job, Tally(), workers=1):
        count += 1
        if count <= _DAY:
            first.append(one)
    total = time.process_time() - began
    stages = {stage: watch.seconds[stage] for stage in STAGES}
    stages["the rest"] = total - sum(stages.values())
    return first, {stage: seconds / count for stage, seconds in stages.items()}


def written(job: Any, maps: list[Any], folder: Path) -> Times:
    """Seconds for each map of rounding, of the digest, and of compressing and writing; and the bytes of a day."""
    import numpy as np

    from deepcams.downscaling import product_of
    from deepcams.io.store import Store, content_digest
    from deepcams.io.template import Template
    from deepcams.rounding import KEEPBITS, bitround

    date, path = maps[0].time.astype("datetime64[D]"), folder / "out.zarr"
    template = Template(product_of(job), date, np.array([2**_DAY - 1], np.uint32), KEEPBITS)
    template.write(path)
    fields = {hour: (one.kind, one.values) for hour, one in enumerate(maps)}
    of_day = timed(lambda: Store(path, template).write_day(date, fields, {}))
    size = sum(one.stat().st_size for one in path.rglob("*") if one.is_file())
    shutil.rmtree(path)
    rounding = timed(lambda: bitround(maps[1].values, KEEPBITS))["cpu"]
    day = np.stack([one.values for one in maps])
    digest = timed(lambda: content_digest(day))["cpu"] / _DAY
    return {
        "rounding": rounding,
        "digest": digest,
        "compressing and writing": of_day["cpu"] / _DAY - rounding - digest,
        "wall": of_day["wall"],
        "bytes": size,
    }


def limits(folder: Path, size: float) -> Times:
    """What the machine can do: matrix product (FLOP/s), copying and writing (bytes/s)."""
    import numpy as np
    import torch

    torch.set_num_threads(1)
    one, other = torch.rand(2, _ORDER, _ORDER)
    source = np.ones((24, *(721, 1440)), np.float32)
    target = np.zeros_like(source)
    data, path = os.urandom(int(size)), folder / "plain"
    product = timed(lambda: torch.mm(one, other))["cpu"]
    copy = timed(lambda: np.copyto(target, source))["cpu"]
    plain = timed(lambda: path.write_bytes(data))["wall"]
    return {"product": 2 * _ORDER**3 / product, "copy": 2 * source.nbytes / copy, "write": size / plain}


def timed(work: Callable[[], Any]) -> Times:
    """Seconds of the processor, all threads together, and of the clock."""
    began = time.process_time(), time.perf_counter()
    work()
    return {"cpu": time.process_time() - began[0], "wall": time.perf_counter() - began[1]}


def medians(rounds: list[Times]) -> Times:
    return {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}


def convolution_work() -> float:
    """FLOP of the spatial network's convolutions for each map: an analysis is sharpened for three."""
    from torch import nn

    from deepcams.spatial.network import load
    from deepcams.weights import CORRECTION_WEIGHTS

    network = load(CORRECTION_WEIGHTS)
    sums = sum(layer.weight.numel() for layer in network.modules() if isinstance(layer, nn.Conv2d))
    halo = 2 * network.architecture.halo
    return 2 * sums * (241 + halo) * (480 + halo) / 3


def print_stages(found: dict[str, Times]) -> None:
    print("\n| processor, ms per hourly map | " + " | ".join(found) + " |\n|---|" + "---|" * len(found))
    names = [name for name in next(iter(found.values())) if name not in ("wall", "bytes")]
    for name in names:
        print(f"| {name} | " + " | ".join(f"{1e3 * one[name]:.1f}" for one in found.values()) + " |")
    print("| **all** | " + " | ".join(f"{1e3 * sum(one[name] for name in names):.1f}" for one in found.values()) + " |")


def print_limits(stages: Times, limit: Times) -> None:
    print("\n| stage | reaches | the machine's limit | share |\n|---|---|---|---|")
    rows = [("compressing and writing, of the clock", stages["bytes"] / stages["wall"], limit["write"], "a plain file")]
    rows += [(name, passes * _FIELD / stages[name], limit["copy"], "a copy") for name, passes in PASSES.items()]
    if stages["convolutions"]:
        reached = convolution_work() / stages["convolutions"]
        rows.insert(0, ("convolutions", reached, limit["product"], "a matrix product"))
    for name, reached, most, what in rows:
        unit = "GFLOP/s" if "product" in what else "GB/s"
        print(f"| {name} | {reached / 1e9:.2f} {unit} | {most / 1e9:.2f} {unit} ({what}) | {reached / most:.0%} |")


if __name__ == "__main__":
    main()
