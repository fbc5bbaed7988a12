"""The largest and smallest eigenvalues of a symmetric matrix that is known by its products."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from bnlab import random
from bnlab.arguments import checked
from bnlab.errors import check_number
from bnlab.measure.curvature.lanczos import check_count, krylov
from bnlab.measure.curvature.products import DENSE, Product

DIRECT = 40  # rows up to which the dense matrix costs no more than its extreme eigenvalues
RESTART = 16  # products of a restart of ARPACK for few eigenvalues
CLUSTERED = 1e-4  # tolerance below which a lower end that crowds near 0 takes thousands of products
ROUGH = 10  # steps of Lanczos that tell the order of magnitude, and whether a value was missed
HAS_RNG = "rng" in inspect.signature(eigsh).parameters  # scipy 1.17


@dataclass(frozen=True)
class Eigenvalues:
    """The largest and the smallest eigenvalues.

    Attributes:
        top: (top,) float64, the largest first.
        bottom: (bottom,) float64, the smallest first.
        top_residuals, bottom_residuals: |M v - value v| for unit eigenvectors v, from one more
            product each; a bound on the distance to the nearest true eigenvalue, but for the
            rounding of that product. NaN where products are computed in fewer digits than float32
            (16 bits, autocast): their rounding is then larger than any such bound.
        top_vectors, bottom_vectors: (top, P), (bottom, P) float64, rows of length 1. No rows for a
            lower end of zeros that algebra gives: every vector that M maps to 0 is one of theirs.
        tolerance: what was asked for: residuals of at most tolerance times the largest absolute
            eigenvalue. Of float32 parameters, products themselves are good to about 1e-6.
    """

    top: np.ndarray
    bottom: np.ndarray
    top_residuals: np.ndarray
    bottom_residuals: np.ndarray
    top_vectors: np.ndarray
    bottom_vectors: np.ndarray
    tolerance: float


@checked
def extreme_eigenvalues(
    product: Product,
    top: int = 3,
    bottom: int = 3,
    *,
    tolerance: float = 1e-6,
    max_restarts: int = 1000,
    seed: int = 0,
) -> Eigenvalues:
    """The ``top`` largest and ``bottom`` smallest eigenvalues, by ARPACK's restarted Lanczos.

    ``scipy.sparse.linalg.eigsh`` stops at residuals below tol * |eigenvalue|, which an eigenvalue
    near zero never reaches. So it works on M + s and s - M here, with s the order of magnitude of
    the largest absolute eigenvalue: the same eigenvectors, and residuals relative to s. The start
    vector comes from ``bnlab.random``: the same seed gives the same numbers. A matrix of at most 40
    rows is made dense and solved directly. Lanczos finds one vector of each eigenspace; ten
    steps from a second start vector tell whether there are more of them, and then it goes on with
    what was found taken out.

    A matrix of squares, Gauss-Newton or Fisher, has its smallest eigenvalues at 0 or crowded just
    above, where Lanczos needs some 10 / sqrt(tolerance) products. With more parameters than outputs
    they are 0 by algebra (see ``curvature_products``): no product is spent on them, and their
    residuals are 0. Otherwise a matrix of up to 5000 rows is made dense, by P products, once ARPACK
    has spent about as many on the lower end; that goes for every kind. A larger one is refused
    unless the tolerance is at least 1e-4.

    Args:
        product: from ``curvature_products``.
        top: how many of the largest, 0 or more.
        bottom: how many of the smallest, 0 or more.
        tolerance: largest residual, as a share of the largest absolute eigenvalue.
        max_restarts: of ARPACK, before it gives up; about 16 products each.
        seed: of the start vector.

    Raises:
        ValueError: for numbers out of range, more eigenvalues than rows, or a lower end that would
            take thousands of products.
        RuntimeError: if ARPACK does not converge.

    Source: Lehoucq, Sorensen and Yang 1998, ARPACK users' guide.
    """
    check_count("top", top, 0)
    check_count("bottom", bottom, 0)
    check_count("max_restarts", max_restarts, 1)
    check_number("tolerance", tolerance, 1e-15, 0.5)
    if max(top, bottom) > product.size:
        raise ValueError(
            f"asked for {max(top, bottom)} eigenvalues of a matrix with {product.size} rows."
        )
    zeros = 0
    if product.size <= max(DIRECT, 2 * top, 2 * bottom):
        _, vectors = np.linalg.eigh(product.dense())
        ends = vectors.T[::-1][:top], vectors.T[:bottom]
    elif bottom and product.zeros is not None and bottom <= product.zeros():
        ends = _both_ends(product, (top, 0), tolerance / 2, max_restarts, seed)
        zeros = bottom
    else:
        if bottom and product.zeros is not None:
            _check_affordable(product, tolerance)
        ends = _both_ends(product, (top, bottom), tolerance / 2, max_restarts, seed)
    (high, high_res, high_vec), (low, low_res, low_vec) = (
        _with_residuals(product, vectors) for vectors in ends
    )
    if product.coarse:
        high_res, low_res = (np.full_like(each, np.nan) for each in (high_res, low_res))
    low, low_res = np.append(low, np.zeros(zeros)), np.append(low_res, np.zeros(zeros))
    return Eigenvalues(high[::-1], low, high_res[::-1], low_res, high_vec[::-1], low_vec, tolerance)


class NoConvergenceError(RuntimeError):
    """ARPACK has used up its restarts."""


def _check_affordable(product: Product, tolerance: float) -> None:
    if product.size > DENSE and tolerance < CLUSTERED:
        raise ValueError(
            f"the smallest eigenvalues of this matrix of squares with {product.size} rows crowd "
            f"near 0 and are not 0 by algebra: some {10 / tolerance**0.5:.0f} products or more at "
            f"tolerance={tolerance:g}. Use bottom=0; or a batch with fewer outputs than parameters "
            "and a loss that is convex in them and a sum over samples: then they are 0; or "
            "tolerance=1e-3, some 300 products."
        )


def _both_ends(
    product: Product, counts: tuple[int, int], tolerance: float, max_restarts: int, seed: int
) -> list[np.ndarray]:
    # Rows: eigenvectors of the upper end, and of the lower one, which is the upper one of -M.
    start, other = random.uniform(seed, random.START, 2 * product.size).reshape(2, -1) - 0.5
    basis, within = krylov(product, torch.from_numpy(other), ROUGH)
    scale = float(np.abs(np.linalg.eigvalsh(within)).max())
    if scale == 0:  # the zero matrix
        return [np.eye(count, product.size) for count in counts]
    options = {"tol": tolerance, "v0": start}
    if HAS_RNG:
        options["rng"] = np.random.default_rng(seed)
    basis, found = basis.double().cpu().numpy(), []
    for sign, count in zip((1, -1), counts, strict=True):
        shifted = sign * within + scale * np.eye(len(within))
        dense_is_less = sign == -1 and product.size <= min(DENSE, RESTART * max_restarts)
        options["maxiter"] = product.size // RESTART + 1 if dense_is_less else max_restarts
        solver = _Upper(product, sign, scale, options)
        try:
            found.append(solver.solve(count, basis, shifted) if count else solver.vectors)
        except NoConvergenceError:
            if not dense_is_less:
                raise
            found.append(np.linalg.eigh(product.dense())[1].T[:count])
    return found


class _Upper:
    """Upper end of the spectrum of sign * M + scale, whose eigenvalues there are not near zero."""

    def __init__(self, product: Product, sign: int, scale: float, options: dict) -> None:
        self.product, self.sign, self.scale, self.options = product, sign, scale, options
        self.values = np.zeros(0)
        self.vectors = np.zeros((0, product.size))

    def solve(self, count: int, basis: np.ndarray, within: np.ndarray) -> np.ndarray:
        """The ``count`` uppermost eigenvectors, as rows.

        From one start vector, Lanczos sees one vector of each eigenspace. So what has been found
        is taken out of the matrix, and looked for more, until nothing above is left in the space
        of another start vector (rows of ``basis``; ``within`` is the matrix there).
        """
        self._add(count)
        while self._highest_left(basis, within) > self.values[-1] + 1e-3 * self.scale:
            self._add(count)
        return self.vectors

    def _highest_left(self, basis: np.ndarray, within: np.ndarray) -> float:
        shares = basis @ self.vectors.T
        return float(np.linalg.eigvalsh(within - (shares * self.values) @ shares.T)[-1])

    def _times(self, v: np.ndarray) -> np.ndarray:
        v = v.reshape(-1)
        out = self.sign * self.product.numpy(v) + self.scale * v
        return out - self.vectors.T @ (self.values * (self.vectors @ v))

    def _add(self, count: int) -> None:
        shape = (self.product.size, self.product.size)
        operator = LinearOperator(shape, self._times, dtype=float)
        try:
            values, vectors = eigsh(operator, count, which="LA", **self.options)
        except ArpackNoConvergence as error:
            raise NoConvergenceError(
                f"only {len(error.eigenvalues)} of {count} eigenvalues have converged after "
                f"{self.product.count} products: raise max_restarts="
                f"{self.options['maxiter']} or the tolerance, or ask for fewer of them."
            ) from error
        values, vectors = np.append(self.values, values), np.vstack([self.vectors, vectors.T])
        order = np.argsort(-values, kind="stable")[:count]
        self.values, self.vectors = values[order], vectors[order]


def _with_residuals(
    product: Product, vectors: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    # Rayleigh quotients, their residuals and the vectors, in ascending order.
    images = [product.numpy(np.ascontiguousarray(v)) for v in vectors]
    values = np.array([v @ image for v, image in zip(vectors, images, strict=True)])
    rows = zip(values, vectors, images, strict=True)
    residuals = np.array([np.linalg.norm(image - value * v) for value, v, image in rows])
    order = np.argsort(values, kind="stable")
    return values[order], residuals[order], vectors[order]
