"""Measure the limits that the project holds itself to, and say which of them hold.

    python benchmarks/limits.py            after 'make book'; about two minutes
    python benchmarks/limits.py --builds   also 'make book' and 'make test' from a clean tree
    python benchmarks/limits.py --quick    only what needs no site: seconds

A measurement is a function that returns rows (``Row``); ``MEASUREMENTS`` lists them. Speed is given
as a ratio of processor times to something timed in the same run, in turn with it, so that a busy
machine slows both; of the ratios the median counts. The exit status is 1 if a limit is broken.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator

import measured
import site_limits
import torch
from measured import Measurement, Row, cpu_seconds, seconds
from torch import nn
from torch.nn.functional import cross_entropy

from bnlab.data import batches, digits
from bnlab.train import Run, train

RUN = Run(net="mlp", depth=6, width=64, norm="batch", batch_size=64, steps=300, lr=0.1)

PRIMITIVE = RUN.replace(norm_options={"native": False})


# ------------------------------------------------------------------------------ train vs. torch


def bare_loop(run: Run) -> list[float]:
    """What a user would write with torch's own layers, doing the same work as ``train``.

    The same net, data, batches and optimizer; loss and accuracy of each batch; every ``eval_every``
    steps the validation accuracy in evaluation mode, and once more with the statistics of the batch
    (on buffers that are put back); the test accuracy at the end. Returns the losses.
    """
    data, width = digits(run.split_seed), run.width
    layers: list[nn.Module] = [nn.Flatten()]
    for fan_in in [64] + [width] * (run.depth - 1):
        layers += [nn.Linear(fan_in, width), nn.BatchNorm1d(width), nn.ReLU()]
    net = nn.Sequential(*layers, nn.Linear(width, 10))
    optimizer = torch.optim.SGD(net.parameters(), lr=run.lr)
    x, y = torch.tensor(data.train_x), torch.tensor(data.train_y)
    val_x, val_y = torch.tensor(data.val_x), torch.tensor(data.val_y)

    @torch.no_grad()
    def accuracy(x: torch.Tensor, y: torch.Tensor, training: bool = False) -> float:
        buffers = {k: v.clone() for k, v in net.named_buffers()} if training else {}
        net.train(training)
        share = (net(x).argmax(1) == y).float().mean().item()
        net.train()
        for name, value in buffers.items():
            net.get_buffer(name).copy_(value)
        return share

    losses, shares = [], []
    looks = [(accuracy(val_x, val_y), accuracy(val_x, val_y, training=True))]
    drawn = batches(data.train_y, run.sampler, run.seed, run.batch_size, run.steps)
    for step, numbers in enumerate(drawn, start=1):
        index = torch.from_numpy(numbers)
        batch_x, batch_y = x[index], y[index]
        optimizer.zero_grad()
        logits = net(batch_x)
        loss = cross_entropy(logits, batch_y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        shares.append((logits.argmax(1) == batch_y).float().mean().item())
        if step % run.eval_every == 0:
            looks.append((accuracy(val_x, val_y), accuracy(val_x, val_y, training=True)))
    accuracy(torch.tensor(data.test_x), torch.tensor(data.test_y))
    return losses


def train_against_the_bare_loop(rounds: int) -> Iterator[Row]:
    """``train``, timed in turn with the bare loop: ratios, and the seconds of a live training."""
    works = (
        lambda: bare_loop(RUN),
        lambda: train(RUN, device="cpu"),
        lambda: train(PRIMITIVE, device="cpu"),
    )
    for work in works:  # the first call of each loads and allocates
        work()
    times = [[cpu_seconds(work) for work in works] for _ in range(rounds)]
    what = "train / bare PyTorch loop, MLP depth 6, BatchNorm"
    yield Row(f"{what}, native", 1.2, statistics.median(t[1] / t[0] for t in times))
    yield Row(f"{what}, primitive", 2.0, statistics.median(t[2] / t[0] for t in times))
    live = statistics.median(seconds(works[1]) for _ in range(rounds))
    yield Row("live training of 300 steps, MLP depth 6, kernel", 1.0, live, "s")


MEASUREMENTS: list[Measurement] = [train_against_the_bare_loop]  # these need no site


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and return 0 if every limit holds, else 1."""
    parser = measured.command(__doc__, rounds=11)
    parser.add_argument("--quick", action="store_true", help="only what needs no site")
    parser.add_argument("--builds", action="store_true", help="also whole builds and tests")
    chosen = measured.parsed(parser, arguments)
    measurements = [*MEASUREMENTS]
    if chosen.builds:
        measurements += [site_limits.full_builds]
    if not chosen.quick:
        measurements += site_limits.MEASUREMENTS
    return measured.report(row for each in measurements for row in each(chosen.rounds))


if __name__ == "__main__":
    sys.exit(main())
