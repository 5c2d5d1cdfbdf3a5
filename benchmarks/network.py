"""What the networks cost, ours and the paper's: parameters, GFLOP, seconds and memory.

    python benchmarks/network.py [--rounds 5] [--slow-rounds 1]

Prints a Markdown table for each hourly map of the globe, from 0.75 to 0.25 degrees, and then how the memory of the paper's
spatial network depends on the field, and what bfloat16 would change in ours. The paper's are sharpened every hour, ours
every third; the two hours between are made at a time. A recipe is the sum of its parts, with the memory of the greater one.

- GFLOP: two for each product and sum in convolutions, linear layers and attention; nothing else, so not the flow.
- Seconds: of the processor, by one thread, of all that the method does, so with the flow; the median of some rounds. They
  are not those of the clock, which other work on the machine would lengthen.
- Memory: the most that one run adds to a process of its own which has read network and analyses. The allocator is told
  to give back at once what is free: what it would keep, up to as much again, says nothing about the need (Linux, glibc).
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OURS = ("our spatial network", "our temporal network, with the flow")
PAPERS = ("ABPN", "XVFI, flow", "XVFI, deformable")
SLOW = "ABPN"
PART = "ABPN, part"
ORIGINAL = 180  # seconds of the clock for each map with the published code, on two cores
_FIELD = 721 * 1440 * 4 / 2**20  # MB
_GIVING_BACK = {"MALLOC_MMAP_THRESHOLD_": str(2**18)}  # bytes: larger arrays are pages of their own
_CLEAR = Path("/proc/self/clear_refs")  # of Linux: a 5 written to it begins a new peak


@dataclass(frozen=True)
class Cost:
    """What a network costs, or a recipe: parameters and memory in all, GFLOP and seconds for each hourly map."""

    sizes: str
    parameters: int
    gflop: float
    seconds: float
    megabytes: float

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            "",
            self.parameters + other.parameters,
            self.gflop + other.gflop,
            self.seconds + other.seconds,
            max(self.megabytes, other.megabytes),
        )


def main() -> None:
    """Measure each network in a process of its own, and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--slow-rounds", type=int, default=1, help="of ABPN on the globe, which take half a minute each"
    )
    parser.add_argument("--here", nargs=2, help=argparse.SUPPRESS)  # what to measure in this very process, of what
    arguments = parser.parse_args()
    if min(arguments.rounds, arguments.slow_rounds) < 1:
        parser.error("less than one round: wanted 1 or more")
    if not _CLEAR.exists():
        parser.error(f"no {_CLEAR} to measure memory with: run it on Linux")
    if arguments.here:
        kind, name = arguments.here
        print(json.dumps(MEASURES[kind](name, arguments.rounds)))
        return
    rounds = {name: arguments.slow_rounds if name == SLOW else arguments.rounds for name in (*OURS, *PAPERS)}
    print_table({name: Cost(**_apart("memory", name), **_apart("time", name, each)) for name, each in rounds.items()})
    part = _apart("memory", PART)["megabytes"]
    print(f"\nABPN adds {part:.0f} MB on 104 x 240 cells, a fifth of the globe in tiles of the same size; a global map, of "
          f"which there are some copies, is {_FIELD:.0f} MB.\n")  # fmt: skip
    print("\n".join(_apart("precision", OURS[0], arguments.rounds)))


def _apart(kind: str, name: str, rounds: int = 1) -> Any:
    """What a measure gives in a new process, where nothing else has used any memory."""
    command = [sys.executable, __file__, "--rounds", str(rounds), "--here", kind, name]
    environment = os.environ | {"OMP_NUM_THREADS": "1"} | (_GIVING_BACK if kind == "memory" else {})
    return json.loads(subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout)


def print_table(costs: dict[str, Cost]) -> None:
    """One row for each network and for the recipes made of them, and what the recipes cost beside the original."""
    deepcams, paper = costs[OURS[0]] + costs[OURS[1]], costs[PAPERS[0]] + costs[PAPERS[1]]
    rows = {name: costs[name] for name in OURS} | {"**`deepcams`**, both": deepcams}
    rows |= {name: costs[name] for name in PAPERS} | {"**`paper`**, ABPN and XVFI with flow": paper}
    print(
        "| | parameters | GFLOP per map | s per map | times `deepcams` | memory added, MB |\n|---|---|---|---|---|---|"
    )
    for name, cost in rows.items():
        label = f"{name} ({cost.sizes})" if cost.sizes else name
        counts = f"{cost.parameters:,} | {cost.gflop:,.1f}".replace(",", " ")
        print(
            f"| {label} | {counts} | {cost.seconds:.3f} | {cost.seconds / deepcams.seconds:.1f} | {cost.megabytes:.0f} |"
        )
    print(f"\nThe published code needs about {ORIGINAL} s for a map on two cores: {ORIGINAL / deepcams.seconds:.0f} times "
          f"`deepcams` and {ORIGINAL / paper.seconds:.1f} times `paper`, which are given for one.")  # fmt: skip


def memory_of(name: str, _: int) -> dict[str, Any]:
    """How large a network is, and the memory of one run."""
    import torch
    from networks_work import WORKS

    torch.set_num_threads(1)
    work = WORKS[name]()
    before = _reset_peak()
    work.first()
    added = _memory("VmHWM") - before
    sizes = vars(work.network.architecture)  # as the weights that ship have them
    return {
        "sizes": ", ".join(f"{key.replace('_', ' ')} {each}" for key, each in sizes.items() if isinstance(each, int)),
        "parameters": sum(one.numel() for one in work.network.parameters()),
        "megabytes": added,
    }


def time_of(name: str, rounds: int) -> dict[str, float]:
    """GFLOP and seconds for each map; of several rounds, the seconds are those after a first run, which is counted."""
    import torch
    from networks_work import WORKS
    from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

    def attention(queries: Any, keys: Any, values: Any, *_: Any, **__: Any) -> Any:
        return sdpa_flop_count(queries, keys, values)  # type: ignore[no-untyped-call]

    fused = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu  # which the counter does not know
    torch.set_num_threads(1)
    work = WORKS[name]()
    with FlopCounterMode(display=False, custom_mapping={fused: attention}) as counter:
        first = seconds(work.first)
    taken = [first] if rounds == 1 else [seconds(work.prepared()) for _ in range(rounds)]
    each = 1 / work.maps
    return {"gflop": counter.get_total_flops() / 1e9 * each, "seconds": statistics.median(taken) * each}


def precision_of(_: str, rounds: int) -> list[str]:
    """Lines that tell how long our spatial network takes once it knows what it is shown, and what bfloat16 changes."""
    import numpy as np
    import torch
    from networks_work import HOURS, analyses, scene

    from deepcams.spatial.network import load, sharpen, views
    from deepcams.weights import CORRECTION_WEIGHTS

    torch.set_num_threads(1)
    fields, network = analyses(), load(CORRECTION_WEIGHTS)
    known = scene(fields, 2)
    finding = statistics.median(seconds(lambda: views(scene(fields, 2))) for _ in range(rounds))
    lines = [f"What our spatial network is shown, found from nothing: {finding:.3f} s per analysis. With that known:\n"]
    exact = sharpen(known, network)
    detail = np.sqrt(np.mean((exact - exact.mean((1, 3), keepdims=True)) ** 2))
    for name, precision in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        with torch.autocast("cpu", precision, enabled=precision != torch.float32):
            each = statistics.median(seconds(lambda: sharpen(known, network)) for _ in range(rounds)) / HOURS
            changed = np.sqrt(np.mean((sharpen(known, network) - exact) ** 2)) / detail
        lines.append(f"- {name}: {each:.3f} s per map, differs by {changed:.1e} of the detail's RMS")
    return lines


def seconds(work: Callable[[], Any]) -> float:
    """The processor time of one call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def _reset_peak() -> float:
    """Give back what is free, begin a new peak, and say the memory now, in MB."""
    ctypes.CDLL(None).malloc_trim(0)
    _CLEAR.write_text("5", encoding="ascii")
    return _memory("VmRSS")


def _memory(field: str) -> float:
    """VmRSS, the resident memory, or VmHWM, its peak, in MB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) / 1024


MEASURES: dict[str, Callable[[str, int], Any]] = {"memory": memory_of, "time": time_of, "precision": precision_of}

if __name__ == "__main__":
    main()
