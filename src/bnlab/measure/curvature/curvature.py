"""The curvature of a loss at the weights of a net: extreme eigenvalues, trace and density."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from torch import nn

from bnlab.arguments import checked
from bnlab.measure.curvature.eigenvalues import extreme_eigenvalues
from bnlab.measure.curvature.products import curvature_products
from bnlab.measure.curvature.progress import Progress, expected_products
from bnlab.measure.curvature.spectrum import (
    Density,
    Trace,
    hutchinson_trace,
    lanczos_density,
)
from bnlab.measure.kit.coverage import Coverage, by_gradient
from bnlab.measure.kit.loss import Loss

if TYPE_CHECKING:
    from bnlab.draw.figure import Drawing


@dataclass(frozen=True)
class Curvature(Coverage):
    """Eigenvalues, trace and density of a curvature matrix, in units of loss per squared weight.

    Attributes:
        kind: ``hessian``, ``gauss_newton`` or ``fisher``.
        mode: in which the net was: ``train``, ``eval``, or ``mixed``.
        batch_statistics: ``backpropagated`` or ``constant``.
        size: P, number of parameters that require a gradient.
        top: (top,) float64, the largest eigenvalues, the largest first.
        bottom: (bottom,) float64, the smallest, the smallest first.
        top_residuals, bottom_residuals: |M v - value v| of each, |v| = 1: a bound on its error; 0
            where it is 0 by algebra; NaN where no bound can be stated, with numbers of 16 bits and
            under autocast. See ``extreme_eigenvalues``.
        tolerance: the largest residual asked for, as a share of the largest absolute eigenvalue.
        trace: a ``Trace`` with its standard error; None without probes.
        density: a ``Density``; None without probes.
        products: how many products with the matrix all that took.
        covered, left_out: modules with weights, see ``Coverage``.
    """

    kind: str
    mode: str
    batch_statistics: str
    size: int
    top: np.ndarray
    bottom: np.ndarray
    top_residuals: np.ndarray
    bottom_residuals: np.ndarray
    tolerance: float
    trace: Trace | None
    density: Density | None
    products: int

    def plot(self, name: str = "this net") -> Drawing:
        """The density on a logarithmic scale, with the extreme eigenvalues marked.

        Args:
            name: of a normalizer, whose look the figure then has, or any other label.
        """
        from bnlab.measure.curvature.figure import spectrum

        return spectrum(self, name)


@checked
def measure_curvature(
    net: nn.Module,
    loss: Loss | None,
    x: object,
    y: object = None,
    *,
    kind: str = "hessian",
    mode: str | None = None,
    batch_statistics: str = "backpropagated",
    top: int = 3,
    bottom: int = 3,
    tolerance: float = 1e-6,
    probes: int = 5,
    steps: int = 60,
    max_restarts: int = 1000,
    seed: int = 0,
    progress: Callable[[str], object] | None = None,
) -> Curvature:
    """How strongly the loss bends at the weights of ``net``, on one batch.

    Works on nets with normalizers in training mode, torch's own included, and leaves the net bit
    for bit as it was. For what each number is, see ``curvature_products`` (the matrices),
    ``extreme_eigenvalues``, ``hutchinson_trace`` and ``lanczos_density``.

    The defaults take some 400 products for nets of any size, 305 of them for trace and density; a
    product costs a few times what a backward pass does. The exception is a matrix of up to 5000
    rows whose lower end crowds near 0 and is not 0 by algebra: about twice as many as rows more.

    Args:
        net: any module.
        loss: ``loss(output, target)``, a scalar; None will do for ``fisher``.
        x: the batch; several inputs as a tuple, or by name as a dict.
        y: its targets.
        kind: ``hessian``, ``gauss_newton`` or ``fisher`` (of the model y ~ N(f, 1)).
        mode: ``train`` (statistics of the batch) or ``eval`` (running statistics), set inside;
            None: each module in the mode that it has.
        batch_statistics: ``backpropagated`` or ``constant``: whether a derivative passes through
            means and variances of the batch.
        top: how many of the largest eigenvalues.
        bottom: how many of the smallest. For ``gauss_newton`` and ``fisher`` they are 0 by algebra
            with more parameters than outputs of the batch, and take no products.
        tolerance: largest residual, as a share of the largest absolute eigenvalue. In float32, more
            than about 1e-6 cannot be had.
        probes: random vectors for trace and density; 0 leaves both out.
        steps: of Lanczos for the density, each one product for each probe.
        max_restarts: of ARPACK, before it gives up; about 16 products each.
        seed: of start vector and probes.
        progress: called with a line of text now and then, such as ``print``: first how long it will
            take, then how far it is. For a large net, the top eigenvalue to a per cent is
            ``top=1, bottom=0, probes=0, tolerance=0.01``.

    Raises:
        ValueError: see ``curvature_products`` and the others; if nothing is asked for; before it
            starts, for a lower end that would take thousands of products.
        RuntimeError: if the eigenvalues do not converge.

    Example:
        >>> net = nn.Linear(2, 1, bias=False)
        >>> x, y = torch.tensor([[1.0, 0.0], [0.0, 3.0]]), torch.zeros(2, 1)
        >>> found = measure_curvature(net, nn.functional.mse_loss, x, y, top=1, bottom=1)
        >>> found.top.tolist(), found.bottom.tolist(), found.trace.trace
        ([9.0], [1.0], 10.0)
    """
    if not (top or bottom or probes):
        raise ValueError("nothing to measure: top, bottom and probes are all 0.")
    which = {"kind": kind, "mode": mode, "batch_statistics": batch_statistics}
    with curvature_products(net, loss, x, y, **which) as product:
        if progress is not None:
            ends = bool(top) + bool(bottom and product.zeros is None)
            count = expected_products(ends, tolerance, probes, min(steps, product.size))
            product.after_each = Progress(progress, count)
        ends = extreme_eigenvalues(
            product, top, bottom, tolerance=tolerance, max_restarts=max_restarts, seed=seed
        )
        trace = hutchinson_trace(product, probes, seed=seed) if probes else None
        density = lanczos_density(product, probes, steps, seed=seed) if probes else None
        size, count = product.size, product.count
    which["mode"] = product.mode
    return Curvature(
        **which,
        **by_gradient(net),
        size=size,
        top=ends.top,
        bottom=ends.bottom,
        top_residuals=ends.top_residuals,
        bottom_residuals=ends.bottom_residuals,
        tolerance=tolerance,
        trace=trace,
        density=density,
        products=count,
    )
