"""Measure how many runs a second a sweep finishes, against a plain loop over ``train``.

    python benchmarks/sweep.py             about three minutes on two idle cores
    python benchmarks/sweep.py --rounds 1  a first look

Where: this process, a pool of processes, and clusters of dask with one and with two workers on this
machine. Two kinds of runs: the usual MLP (depth 6, batch norm, 200 steps), and the smallest there
is (5 steps), whose time is mostly that of the sweep itself. Every way is timed once a round, in
turn; the ratio to the plain loop is taken within a round, and the median over the rounds counts.
Workers are warm: they have trained before. Every sweep keeps its results in a store of its own.
"""

from __future__ import annotations

import contextlib
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path

from distributed import LocalCluster
from measured import command, machine, parsed, seconds

from bnlab.sweep import processes, sweep
from bnlab.train import Run, train

USUAL = [Run(norm="batch", seed=seed) for seed in range(12)]
SMALLEST = [Run(depth=1, width=4, steps=5, eval_every=5, seed=seed) for seed in range(100)]
KINDS = {"MLP depth 6, 200 steps": USUAL, "MLP depth 1, 5 steps": SMALLEST}


@contextlib.contextmanager
def dask(workers: int) -> Iterator[Executor]:
    """A cluster on this machine, with one thread a worker."""
    options = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(**options) as cluster, cluster.get_client() as client:
        client.wait_for_workers(workers)
        yield client.get_executor()


WAYS: dict[str, Callable[[], contextlib.AbstractContextManager]] = {
    "sweep, this process": contextlib.nullcontext,
    "sweep, processes(1)": lambda: processes(1),
    "sweep, processes(2)": lambda: processes(2),
    "sweep, dask with 1 worker": lambda: dask(1),
    "sweep, dask with 2 workers": lambda: dask(2),
}


def plain_loop(runs: list[Run]) -> None:
    """What a user would write."""
    for run in runs:
        train(run, device="cpu")


def swept(runs: list[Run], executor: Executor | None) -> None:
    """The same by ``sweep``, with a new store."""
    with tempfile.TemporaryDirectory() as store:
        sweep(runs, executor, Path(store), device="cpu", progress=False)


def times(rounds: int) -> dict[str, dict[str, list[float]]]:
    """Seconds of each way in each round, for each kind of runs."""
    found = {kind: {"plain loop": [], **{way: [] for way in WAYS}} for kind in KINDS}
    with contextlib.ExitStack() as stack:
        executors = {way: stack.enter_context(make()) for way, make in WAYS.items()}
        for executor in executors.values():
            swept(SMALLEST[:20], executor)  # every worker imports what it needs
        for _ in range(rounds):
            for kind, runs in KINDS.items():
                found[kind]["plain loop"].append(seconds(lambda runs=runs: plain_loop(runs)))
                for way, executor in executors.items():
                    work = lambda runs=runs, executor=executor: swept(runs, executor)  # noqa: E731
                    found[kind][way].append(seconds(work))
    return found


def table(found: dict[str, dict[str, list[float]]]) -> str:
    """Runs a second, and the ratio to the plain loop."""
    lines = [f"{'runs':24}{'way':28}{'runs/s':>8}{'to plain loop':>16}"]
    for kind, ways in found.items():
        plain = ways["plain loop"]
        for way, took in ways.items():
            rate = len(KINDS[kind]) / statistics.median(took)
            ratio = statistics.median(a / b for a, b in zip(plain, took, strict=True))
            lines.append(f"{kind:24}{way:28}{rate:8.1f}{ratio:16.2f}")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; there is no limit that could be broken."""
    rounds = parsed(command(__doc__, rounds=5), arguments).rounds
    print(f"Before: {machine()}")
    print(f"\n{table(times(rounds))}\n")
    print(f"After:  {machine()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
