"""Lanczos' algorithm, for a symmetric matrix that is known by its products."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from bnlab.errors import check_number
from bnlab.measure.curvature.products import Product


def check_count(name: str, value: object, low: int) -> None:
    """Raise a ``ValueError`` unless ``value`` is an integer of ``low`` or more."""
    check_number(name, value, low)
    if not isinstance(value, int):
        raise ValueError(f"{name} must be an integer, got {value!r}.")


def krylov(product: Product, start: Tensor, steps: int) -> tuple[Tensor, np.ndarray]:
    """Orthonormal rows that span start, M start, M^2 start ..., and M in that basis.

    With full reorthogonalization, in the parameters' dtype.

    Args:
        product: from ``curvature_products``.
        start: (P,), of any length but 0.
        steps: products, at most; fewer if the vectors span an invariant space before.

    Returns:
        The basis, (m, P), and M in it, (m, m) float64, tridiagonal.
    """
    steps = min(steps, product.size)
    q = start.to(product.device, product.dtype)
    basis = q.new_empty(steps, product.size)
    basis[0] = q / q.norm()
    diagonal, beside = [], []
    for step in range(steps):
        w = product(basis[step])
        diagonal.append(float(basis[step] @ w))
        size = float(w.norm())
        done = basis[: step + 1]
        for _ in range(2):  # once leaves rounding errors that grow
            w = w - done.T @ (done @ w)
        length = float(w.norm())
        # What is left of an invariant subspace is rounding.
        if step + 1 == steps or length <= 10 * torch.finfo(product.dtype).eps * max(size, 1e-300):
            break
        beside.append(length)
        basis[step + 1] = w / length
    tridiagonal = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
    return basis[: len(diagonal)], tridiagonal


def ritz(product: Product, start: Tensor, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of the Gauss quadrature over the eigenvalues, seen from ``start``.

    Eigenvalues of Lanczos' tridiagonal matrix and the squares of the first components of its
    eigenvectors.

    Args:
        product: from ``curvature_products``.
        start: (P,), of any length but 0.
        steps: products, at most.

    Returns:
        Two float64 arrays of one length, ascending nodes; the weights sum to 1.
    """
    _, tridiagonal = krylov(product, start, steps)
    values, vectors = np.linalg.eigh(tridiagonal)
    return values, vectors[0] ** 2
