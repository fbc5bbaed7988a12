"""Measure the ways to train, and write the table by which ``engine="fastest"`` chooses one.

    python benchmarks/ways.py            three to four minutes; writes src/bnlab/train/ways.csv
    python benchmarks/ways.py --print    only says what it would write

Nets on the digits, SGD, float32, one thread. For each kind of net, a normalizer for each family of
them, and several batch sizes: the least processor time of a step of one net, by PyTorch, in stacks
of 4, 16 and 64, and by both machines of the compiled engine; and what it costs to compile the net.
"""

from __future__ import annotations

import contextlib
import csv
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

import measured
import numpy as np
from measured import cpu_seconds, machine
from peer_steps import machine as on_machine

from bnlab.engines.compiled.engine import CompiledTrainer
from bnlab.engines.compiled.native.machine import machine_for
from bnlab.engines.compiled.nets import Net, compiled_here
from bnlab.engines.eager import Trainer
from bnlab.engines.stack import StackTrainer
from bnlab.runs.cost import flop_of_step
from bnlab.train import Run
from bnlab.train.ways import COUNTS, TABLE

ALL, CONVOLUTIONAL = ("batch", "layer", "batch_renorm"), ("batch", "batch_renorm")
NETS = (
    (Run(net="mlp", depth=6, width=64), ALL, (4, 16, 32, 64, 128, 256)),
    (Run(net="mlp", depth=6, width=256), ALL, (64,)),
    (Run(net="plain", depth=4, width=16), CONVOLUTIONAL, (4, 16, 64, 128)),
    (Run(net="resnet", depth=3, width=16), CONVOLUTIONAL, (4, 16, 64, 128)),
)
"""The nets, and which families and batch sizes each of them is measured with."""

ENOUGH = 0.06
"""Seconds of work of each way in each round."""

BLOCK = 16
"""Steps in a call of the compiled engine."""

Work = tuple[Callable[[], object], int]  # what is timed, and how many steps of a net it takes


def torch_work(run: Run) -> Work:
    """A step of PyTorch."""
    trainer = Trainer(run, "cpu")
    trainer.net.train()
    numbers = next(trainer.batches)
    return lambda: trainer.update(numbers, 1), 1


def stack_work(run: Run, count: int) -> Work:
    """A step of a stack."""
    trainer = StackTrainer([run.replace(seed=seed) for seed in range(count)], "cpu")
    trainer.net.train()
    numbers = np.stack([next(sampler) for sampler in trainer.samplers])
    return lambda: trainer.update(numbers, 1), count


def compiled_work(run: Run, name: str) -> Work:
    """Steps of the compiled engine on that machine."""
    with on_machine(name):
        trainer = CompiledTrainer(run, "cpu")
    numbers = [next(trainer.batches)] * BLOCK
    return lambda: trainer.block(numbers, 1, math.inf), BLOCK


def least(works: dict[str, Work], rounds: int) -> dict[str, float]:
    """Least processor time of a step of a net, by way; the ways take turns."""
    for work, _ in works.values():
        work()  # the first time, it allocates
    found = dict.fromkeys(works, math.inf)
    for _ in range(rounds):
        for name, (work, steps) in works.items():
            spent = 0.0
            while spent < ENOUGH:
                took = cpu_seconds(work)
                found[name], spent = min(found[name], took / steps), spent + took
    return found


def build_seconds(run: Run) -> float:
    """Processor time of all that compiles a net for the native machine."""
    start = _with_children()
    module = compiled_here(Net.of(run), run.precision).modules[run.precision]
    with on_machine("native"):
        machine_for(module, run.precision, 1)
    return _with_children() - start


def _with_children() -> float:
    took = os.times()
    return took.user + took.system + took.children_user + took.children_system


def row(run: Run, build: float, rounds: int) -> dict[str, object]:
    """A line of the table."""
    works = {"torch": torch_work(run)}
    works |= {name: compiled_work(run, name) for name in ("native", "wasmtime")}
    works |= {f"stack_{count}": stack_work(run, count) for count in COUNTS}
    names = ("net", "depth", "width", "norm", "batch_size")
    return {
        **{name: getattr(run, name) for name in names},
        "MFLOP": f"{flop_of_step(run) / 1e6:.3g}",
        **{f"{name} us": f"{1e6 * seconds:.3g}" for name, seconds in least(works, rounds).items()},
        "build s": f"{build:.2g}",
    }


def rows(rounds: int) -> Iterator[dict[str, object]]:
    """All lines of the table."""
    for net, families, sizes in NETS:
        for norm in families:
            run = net.replace(norm=norm, lr=0.01, steps=1000)
            build = build_seconds(run)
            for size in sizes:
                yield row(run.replace(batch_size=size), build, rounds)


@contextlib.contextmanager
def empty_cache() -> Iterator[None]:
    """Let nothing be compiled already; the C compiler keeps what it has for itself."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        os.environ.setdefault("ZIG_GLOBAL_CACHE_DIR", str(home / "zig"))
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


def write(found: list[dict[str, object]], file: TextIO) -> None:
    """The table as ``bnlab.train.ways`` reads it."""
    lines = csv.DictWriter(file, list(found[0]), lineterminator="\n")
    lines.writeheader()
    lines.writerows(found)


def main(arguments: list[str] | None = None) -> int:
    """Measure and write; there is no limit that could be broken."""
    parser = measured.command(__doc__, rounds=3)
    parser.add_argument("--print", action="store_true", help="write no file")
    chosen = measured.parsed(parser, arguments)
    print(f"Before: {machine()}", flush=True)
    start, found = time.perf_counter(), []
    with empty_cache():
        for one in rows(chosen.rounds):
            found.append(one)
            print(" ".join(f"{key} {value}" for key, value in one.items()), flush=True)
    print(f"After:  {machine()} It took {time.perf_counter() - start:.0f} seconds.")
    if not chosen.print:
        with TABLE.open("w", newline="") as file:
            write(found, file)
        print(f"Wrote {TABLE}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
