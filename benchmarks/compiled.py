"""Compare the compiled training step with the loop that a user of PyTorch would write.

    python benchmarks/compiled.py             about a minute
    python benchmarks/compiled.py --rounds 5

An MLP of depth 6 and width 64 on the digits, SGD, float32, one thread. BatchNorm is compared with a
loop of torch's own layers; Batch Renormalization, for which torch has none, with the same loop
around this package's layer. Both sides give loss and accuracy of each batch. Speed is a ratio of
processor times, timed in turn in one run, so that a busy machine slows both; of the ratios the
median counts, and is to be at most 1 over the number of times that the compiled step is to be
faster. The exit status is 1 if a limit is broken. (``peers.py`` has the native machine.)
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterator

import measured
import numpy as np
import torch
from measured import Row, cpu_seconds
from torch import nn
from torch.nn.functional import cross_entropy

from bnlab.norms import make_norm
from bnlab.train import Run, make_trainer

BASE = Run(net="mlp", depth=6, width=64, lr=0.02, steps=200)
TIMES_FASTER = {
    ("batch", 4): 8,
    ("batch", 32): 2.5,
    ("batch_renorm", 4): 12,
    ("batch_renorm", 32): 4.5,
}
"""How many times faster the compiled step is to be: normalizer, batch size."""

ROUNDS = 15
Pairs = list[tuple[float, float]]


def eager(run: Run) -> Callable[[], Pairs]:
    """The loop that a user would write; from the same weights, on the same batches as ``run``."""
    trainer = make_trainer(run)
    batches = list(trainer.batches)
    net = trainer.net if run.norm != "batch" else _of_torchs_layers(trainer.net)
    optimizer = torch.optim.SGD(net.train().parameters(), lr=run.lr)
    x, y = trainer.part("train")

    def step(numbers: np.ndarray) -> tuple[float, float]:
        index = torch.from_numpy(numbers)
        images, labels = x[index], y[index]
        optimizer.zero_grad()
        logits = net(images)
        loss = cross_entropy(logits, labels)
        loss.backward()
        optimizer.step()
        return loss.item(), (logits.detach().argmax(1) == labels).float().mean().item()

    return lambda: [step(numbers) for numbers in batches]


def _of_torchs_layers(net: nn.Module) -> nn.Module:
    layers = [
        nn.BatchNorm1d(BASE.width) if isinstance(layer, type(make_norm("batch", 1))) else layer
        for layer in net.body
    ]
    return nn.Sequential(*layers, net.head)


def compiled(run: Run) -> Callable[[], Pairs]:
    """The same steps by the compiled engine."""
    steps = make_trainer(run, "compiled").steps(looks=False)
    next(steps)  # the record of step 0, before any work
    return lambda: [(record.loss, record.accuracy) for record in steps]


def ratio(run: Run, rounds: int) -> float:
    """Processor time of the compiled engine over that of eager PyTorch: the median."""
    eager(run)()  # the first call of each loads and allocates
    compiled(run)()
    works = [(compiled(run), eager(run)) for _ in range(rounds)]
    return statistics.median(cpu_seconds(one) / cpu_seconds(other) for one, other in works)


def rows(rounds: int) -> Iterator[Row]:
    """A row for each limit."""
    for (norm, size), times in TIMES_FASTER.items():
        run = BASE.replace(norm=norm, batch_size=size)
        yield Row(f"{norm}, batch {size}, compiled / eager", 1 / times, ratio(run, rounds))


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and return 0 if every limit holds, else 1."""
    return measured.main(__doc__, rows, ROUNDS, arguments, times_faster)


def times_faster(row: Row) -> str:
    """A row in words."""
    return f"{row.what}: {1 / row.measured:.1f} times faster, to be {1 / row.limit:g}"


if __name__ == "__main__":
    sys.exit(main())
