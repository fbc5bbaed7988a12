"""Trace and density of the eigenvalues of a symmetric matrix that is known by its products."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bnlab import random
from bnlab.arguments import checked
from bnlab.errors import check_number
from bnlab.measure.curvature.lanczos import check_count, ritz
from bnlab.measure.curvature.products import Product


@dataclass(frozen=True)
class Trace:
    """Hutchinson's estimate of the trace.

    Attributes:
        trace: mean of the samples.
        error: standard error of that mean.
        samples: (probes,) float64, v^T M v for each probe.
    """

    trace: float
    error: float
    samples: np.ndarray


@dataclass(frozen=True)
class Density:
    """Density of the eigenvalues by stochastic Lanczos quadrature.

    Attributes:
        nodes: (probes, steps) float64, Ritz values; NaN after an early end, see ``weights``.
        weights: (probes, steps) float64, they sum to 1 for each probe; 0 after an early end.
        grid: (points,) float64, places at which the density is given.
        density: (points,) float64, share of the eigenvalues per unit, smoothed; integral 1.
        error: (points,) float64, its standard error over probes.
        width: standard deviation of the Gaussian that smooths.
    """

    nodes: np.ndarray
    weights: np.ndarray
    grid: np.ndarray
    density: np.ndarray
    error: np.ndarray
    width: float


def _probe(product: Product, seed: int, number: int) -> Tensor:
    # Signs: of all probes with independent entries, the trace's variance is least for these.
    words = random.bits(seed, random.PROBES, product.size, number * product.size)
    signs = 1.0 - 2.0 * (words >> np.uint32(31)).astype(np.float64)
    return torch.from_numpy(signs).to(product.device, product.dtype)


@checked
def hutchinson_trace(product: Product, probes: int = 20, *, seed: int = 0) -> Trace:
    r"""Trace of the matrix: the mean of v^T M v over random sign vectors v, as E[v v^T] = 1.

    The variance of one sample is 2 (|M|_F^2 - sum_i M_ii^2): the squares off the diagonal alone.

    Args:
        product: from ``curvature_products``.
        probes: how many, 2 or more.
        seed: of the probes.

    Source: Hutchinson 1990, Communications in Statistics 19(2).
    """
    check_count("probes", probes, 2)
    samples = []
    for number in range(probes):
        v = _probe(product, seed, number)
        samples.append(float((v.double() * product(v).double()).sum()))
    values = np.array(samples)
    return Trace(float(values.mean()), float(values.std(ddof=1) / np.sqrt(probes)), values)


@checked
def lanczos_density(
    product: Product,
    probes: int = 5,
    steps: int = 60,
    *,
    smoothing: float = 0.01,
    points: int = 400,
    seed: int = 0,
) -> Density:
    r"""Density of all eigenvalues: where they lie, beyond the extreme ones.

    For a random unit vector v, v^T f(M) v is the mean of f over the eigenvalues, in expectation.
    ``steps`` steps of Lanczos from v, with full reorthogonalization, give a tridiagonal matrix with
    eigenvalues t_i and first components u_i of its eigenvectors: the quadrature
    sum_i u_i^2 f(t_i) is exact for polynomials up to degree 2 steps - 1. With f a Gaussian around
    each place of a grid, and the mean over ``probes`` vectors, this is the smoothed density.

    Args:
        product: from ``curvature_products``.
        probes: random vectors, 2 or more.
        steps: of Lanczos, each one product; at most P are taken.
        smoothing: standard deviation of the Gaussian, as a share of the range of the nodes.
        points: of the grid.
        seed: of the probes.

    Source: Ubaru, Chen and Saad 2017, SIAM J. Matrix Anal. 38(4); for nets Ghorbani, Krishnan and
    Xiao 2019, arXiv 1901.10159.
    """
    check_count("probes", probes, 2)
    check_count("steps", steps, 1)
    check_count("points", points, 2)
    check_number("smoothing", smoothing, 1e-6, 1)
    steps = min(steps, product.size)
    nodes = np.full((probes, steps), np.nan)
    weights = np.zeros((probes, steps))
    for number in range(probes):
        found = ritz(product, _probe(product, seed, number), steps)
        nodes[number, : len(found[0])], weights[number, : len(found[0])] = found
    low, high = float(np.nanmin(nodes)), float(np.nanmax(nodes))
    width = smoothing * (high - low or abs(high) or 1.0)
    grid = np.linspace(low - 4 * width, high + 4 * width, points)
    bells = np.exp(-0.5 * ((grid - np.nan_to_num(nodes)[..., None]) / width) ** 2)
    each = (weights[..., None] * bells).sum(1) / (width * np.sqrt(2 * np.pi))
    error = each.std(0, ddof=1) / np.sqrt(probes)
    return Density(nodes, weights, grid, each.mean(0), error, width)
