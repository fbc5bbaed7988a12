"""Compare the speed of extreme eigenvalues of a Hessian with the alternatives that are right.

    python benchmarks/measure_curvature.py       about four minutes

The three largest eigenvalues on the same net and batch, one thread, float64, in training mode, to
residuals |H v - value v| of a millionth of the largest eigenvalue, the default of this package. The
alternatives:

* hessian-eigenthings, if it is installed (``pip install --no-deps hessian-eigenthings``): its
  Lanczos with as many steps as it takes by default, doubled until it calls itself converged. A row
  without a limit has the same, told beforehand with how many steps it will be.
* The plainest correct code, power iteration with deflation by reverse-over-reverse products, which
  gets away with a residual of a thousandth, and is timed once.

Speed is a ratio of processor times, measured in turn in one run; of the ratios the median counts.
The exit status is 1 if this package is slower.
"""

from __future__ import annotations

import math
import statistics
import sys
from collections.abc import Callable, Iterator

import measured
import numpy as np
import torch
from measured import Row, cpu_seconds
from torch import Tensor, nn

from bnlab.measure import curvature_products, extreme_eigenvalues
from bnlab.nets import initialize, make_net

COUNT, TOLERANCE, PLAIN, ROUNDS = 3, 1e-6, 1e-3, 5
NETS = {
    "mlp": {"depth": 6, "width": 64},
    "resnet": {"depth": 3, "width": 16},
}
Problem = tuple[nn.Module, Tensor, Tensor]


def problem(name: str, norm: str) -> Problem:
    """A net at its start, and a batch of 64 random images."""
    net = make_net(name, (1, 8, 8), 10, norm=norm, **NETS[name])
    initialize(net, seed=0)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(64, 1, 8, 8, generator=generator).double()
    return net.double().train(), x, torch.randint(0, 10, (64,), generator=generator)


def residual(task: Problem, values: np.ndarray, vectors: np.ndarray) -> float:
    """Largest |H v - value v| over the largest value, by products of this package."""
    net, x, y = task
    with curvature_products(net, nn.functional.cross_entropy, x, y) as product:
        rows = zip(values, vectors, strict=True)
        return max(np.linalg.norm(product.numpy(v) - a * v) for a, v in rows) / values[0]


def ours(task: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Values and vectors by this package."""
    net, x, y = task
    with curvature_products(net, nn.functional.cross_entropy, x, y) as product:
        found = extreme_eigenvalues(product, COUNT, 0, tolerance=TOLERANCE)
    return found.top, found.top_vectors


def plain(task: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Power iteration with deflation, on H plus a shift that makes the largest ones largest."""
    net, x, y = task
    parameters = list(net.parameters())
    loss = nn.functional.cross_entropy(net(x), y)
    slopes = torch.autograd.grad(loss, parameters, create_graph=True)
    slope = torch.cat([g.reshape(-1) for g in slopes])

    def product(v: Tensor) -> Tensor:
        parts = torch.autograd.grad(slope, parameters, v, retain_graph=True)
        return torch.cat([part.reshape(-1) for part in parts])

    generator = torch.Generator().manual_seed(0)
    v = torch.randn(len(slope), generator=generator).double()
    for _ in range(10):
        v = product(v / v.norm())
    shift, values, vectors = float(v.norm()), [], []
    for _ in range(COUNT):
        v = torch.randn(len(slope), generator=generator).double()
        while True:
            for u in vectors:
                v = v - (u @ v) * u
            v = v / v.norm()
            image = product(v)
            value = float(v @ image)
            if (image - value * v).norm() <= PLAIN * max([value, *values]):
                break
            v = image + shift * v
        values.append(value)
        vectors.append(v)
    return np.array(values), torch.stack(vectors).numpy()


def eigenthings(task: Problem, steps: int) -> int:
    """The steps with which hessian-eigenthings is converged, starting from and doubling ``steps``.

    Raises:
        ImportError: if it is not installed.
    """
    from hessian_eigenthings import HessianOperator, lanczos, supervised_loss

    net, x, y = task
    operator = HessianOperator(net, [(x, y)], supervised_loss(nn.functional.cross_entropy))
    options = {"tol": TOLERANCE, "which": "LA", "seed": 0, "reorthogonalize": True}
    while not lanczos(operator, k=COUNT, max_iter=steps, **options).converged.all():
        steps *= 2
    return steps


def fewest(task: Problem) -> int:
    """The fewest steps, to an eighth, with which it is converged."""
    steps = 2 * COUNT
    while eigenthings(task, steps) > steps:
        steps += 1 + steps // 8
    return steps


def ratio(task: Problem, other: Callable[[Problem], object], rounds: int) -> float:
    """Median over rounds of our processor time divided by the other's."""
    times = [
        [cpu_seconds(lambda work=work: work(task)) for work in (ours, other)] for _ in range(rounds)
    ]
    return statistics.median(mine / theirs for mine, theirs in times)


def rows_of(name: str, norm: str, rounds: int) -> Iterator[Row]:
    """The rows of one net."""
    task, what = problem(name, norm), f"{name} with {norm}"
    reached = residual(task, *ours(task))
    if reached > TOLERANCE:
        raise RuntimeError(f"{what}: a residual of {reached:g}, above {TOLERANCE:g}.")
    yield Row(f"{what} / power iteration", 1.0, ratio(task, plain, 1))
    try:
        known = fewest(task)
    except ImportError:
        print("hessian-eigenthings is not installed: left out.")
        return
    doubling = ratio(task, lambda task: eigenthings(task, 2 * COUNT), rounds)
    yield Row(f"{what} / hessian-eigenthings", 1.0, doubling)
    told = ratio(task, lambda task: eigenthings(task, known), rounds)
    yield Row(f"{what} / the same, told to take {known} steps", math.inf, told)


def rows(rounds: int) -> Iterator[Row]:
    """Rows for each net, with BatchNorm and without."""
    for name in NETS:
        for norm in ("batch", "none"):
            yield from rows_of(name, norm, rounds)


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and return 0 if every limit holds, else 1."""
    return measured.main(__doc__, rows, ROUNDS, arguments)


if __name__ == "__main__":
    sys.exit(main())
