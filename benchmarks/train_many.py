"""Compare ``train_many`` with a loop of single trainings in eager PyTorch with its own layers.

    python benchmarks/train_many.py            about five minutes
    python benchmarks/train_many.py --quick    the rows with a limit of their own

K nets that differ in seed and learning rate, on the digits, one thread. The loop is ``train``, one
net after the other, with torch's native kernels where there are any; it is timed on a few of the
nets, as every one takes as long. Both sides evaluate at the start and at the end. Speed is a ratio
of processor times, timed in turn in one run; of the ratios the median counts. A limit is one over
the number of times that ``train_many`` is to be faster. The exit status is 1 if one is broken.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator

import measured
import torch
from measured import Row, cpu_seconds

from bnlab.norms import NORMS
from bnlab.train import Run, train, train_many

STEPS = 300  # as the runs of B1
BASE = Run(steps=STEPS, eval_every=STEPS, lr=0.05)
MLP = BASE.replace(norm="batch", depth=6)
CONV = BASE.replace(norm="batch", net="plain", depth=4, width=16)
RESNET = BASE.replace(norm="batch", net="resnet", depth=3, width=16)
IN_LOOP = 4  # nets of the loop that are timed
OPTIONS = {
    "ghost_batch": {"ghost_size": 4},
    "group": {"group_size": 8},
    "evonorm_s0": {"group_size": 8},
}
NO_SLOWER = 1.1  # ten per cent are within the noise of one run

TIMES_FASTER = [
    (MLP.replace(batch_size=4), 16, 8.0),
    (MLP.replace(batch_size=32), 16, 2.9),
    (RESNET.replace(batch_size=4), 16, 2.0),
    (RESNET.replace(batch_size=32), 16, 2.0),
]


def ratio(run: Run, count: int, rounds: int, device: str = "cpu") -> tuple[float, str]:
    """Time of ``train_many`` over that of the loop, per net: the median; and the way it took."""
    runs = [run.replace(seed=seed, lr=run.lr * (1 + seed % 4)) for seed in range(count)]
    runs_of_loop = runs[:IN_LOOP]

    def loop() -> None:
        for one in runs_of_loop:
            train(one, device=device)

    def many() -> str:
        return train_many(runs, device=device)[0].engine

    loop()
    way = many()
    ratios = [(cpu_seconds(many) / count) / (cpu_seconds(loop) / IN_LOOP) for _ in range(rounds)]
    return statistics.median(ratios), way


def row(run: Run, count: int, rounds: int, limit: float, device: str = "cpu") -> Row:
    """One line of the table."""
    measured, way = ratio(run, count, rounds, device)
    name = f"{run.net} {run.norm}, batch {run.batch_size}, K = {count}"
    return Row(f"{name}: train_many ({way}) / loop", limit, measured)


def with_limits(rounds: int) -> Iterator[Row]:
    """The rows that are to be faster by a number of times."""
    for run, count, times in TIMES_FASTER:
        yield row(run, count, rounds, 1 / times)


def sizes(rounds: int) -> Iterator[Row]:
    """Every kind of net at K = 4, 16, 64: nowhere slower than the loop."""
    for net in (MLP, CONV, RESNET):
        for batch_size in (4, 32, 128):
            for count in (4, 16, 64):
                yield row(net.replace(batch_size=batch_size), count, rounds, NO_SLOWER)


def normalizers(rounds: int) -> Iterator[Row]:
    """Every normalizer at K = 16: none slower than the loop."""
    for net in (MLP, CONV):
        for norm in NORMS:
            if net is MLP and norm in ("instance", "filter_response"):
                continue  # not defined on vectors without options of its own
            changed = net.replace(norm=norm, norm_options=OPTIONS.get(norm, {}), batch_size=32)
            yield row(changed, 16, rounds, NO_SLOWER)


def on_a_gpu(rounds: int) -> Iterator[Row]:
    """K = 64 on CUDA, if there is one."""
    if torch.cuda.is_available():
        for net in (MLP, RESNET):
            yield row(net.replace(batch_size=32), 64, rounds, 1 / 10, "cuda")


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and return 0 if every limit holds, else 1."""
    parser = measured.command(__doc__, rounds=5)
    parser.add_argument("--quick", action="store_true", help="the rows with a limit of their own")
    chosen = measured.parsed(parser, arguments)
    parts = [with_limits] if chosen.quick else [with_limits, sizes, normalizers, on_a_gpu]
    return measured.report(
        (row for part in parts for row in part(chosen.rounds)),
        say=lambda row: f"{row.what}: {1 / row.measured:.1f} times faster",
    )


if __name__ == "__main__":
    sys.exit(main())
