"""The loss on a line and on a plane through the weights of a net."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from bnlab.arguments import checked
from bnlab.measure.kit.coverage import Coverage, by_gradient
from bnlab.measure.kit.lengths import total_norm
from bnlab.measure.kit.loss import Loss, check_start
from bnlab.measure.landscape.directions import Direction, fitting
from bnlab.measure.landscape.probe import (
    as_array,
    check_points,
    probing,
)

if TYPE_CHECKING:
    from bnlab.draw.figure import Drawing

LINE = tuple(np.linspace(-1, 1, 41))
PLANE = tuple(np.linspace(-1, 1, 21))
"""Where a slice is evaluated unless told otherwise; 1 is the length of the direction."""


@dataclass(frozen=True, eq=False)
class LineSlice(Coverage):
    """The loss on a line through the weights w; inf where it is not finite.

    Attributes:
        t: positions in units of the direction d, (T,).
        losses: L(w + t d), (T,).
        loss: L(w).
        mode: in which the net was: ``train``, ``eval``, or ``mixed``.
        covered, left_out: modules with weights, see ``Coverage``.
    """

    t: np.ndarray
    losses: np.ndarray
    loss: float
    mode: str

    def plot(self, name: str = "this net") -> Drawing:
        """The curve; ``name`` of a normalizer gives it that normalizer's look."""
        from bnlab.measure.landscape.figures import line_slices

        return line_slices({name: self})


@dataclass(frozen=True, eq=False)
class PlaneSlice(Coverage):
    """The loss on a plane through the weights w; inf where it is not finite.

    Attributes:
        a: positions in units of the first direction d, (A,).
        b: positions in units of the second direction e, (B,).
        losses: L(w + a d + b e), (A, B).
        loss: L(w).
        cosine: of the angle between d and e; near 0 for random ones.
        mode: in which the net was: ``train``, ``eval``, or ``mixed``.
        covered, left_out: modules with weights, see ``Coverage``.
    """

    a: np.ndarray
    b: np.ndarray
    losses: np.ndarray
    loss: float
    cosine: float
    mode: str

    def plot(self, name: str = "this net") -> Drawing:
        """The plane in colours, with contour lines."""
        from bnlab.measure.landscape.figures import plane_slice

        return plane_slice(self, name)


@checked
def measure_line_slice(
    net: nn.Module,
    loss: Loss,
    x: object,
    y: object,
    direction: Direction,
    t: Sequence[float] = LINE,
    mode: str | None = None,
) -> LineSlice:
    """Measure L(w + t d) on one batch for each t, with the same noise; the net stays as it was.

    Source: Goodfellow et al. 2015, arXiv 1412.6544; with ``filter_normalized`` directions,
    Li et al. 2018, arXiv 1712.09913, section 4.

    Args:
        net: any module whose output ``loss`` takes.
        loss: from output and target to a tensor of shape ().
        x: inputs; several as a tuple, or by name as a dict.
        y: targets.
        direction: d, from ``random_direction`` or ``gradient_direction`` or any other, as a rule
            through ``filter_normalized``.
        t: positions, (T,).
        mode: ``train`` (statistics of the batch) or ``eval``, for all parts of the net; None: each
            module in the mode that it has.

    Raises:
        ValueError: for a loss that is no scalar or not finite at w, no parameter that requires
            grad, weights that are not finite, or a direction that does not fit.
    """
    points = check_points("t", t)
    along = _tensors(net, direction)
    with probing(net, loss, mode) as probe:
        here = probe.loss(x, y)
        check_start(here)
        losses = []
        for at in points:
            probe.move((at, along))
            losses.append(probe.loss(x, y))
    return LineSlice(points, as_array(losses), float(here), probe.mode, **by_gradient(net))


@checked
def measure_plane_slice(
    net: nn.Module,
    loss: Loss,
    x: object,
    y: object,
    directions: tuple[Direction, Direction],
    a: Sequence[float] = PLANE,
    b: Sequence[float] = PLANE,
    mode: str | None = None,
) -> PlaneSlice:
    """Measure L(w + a d + b e) on one batch, with the same noise; the net stays as it was.

    Source: Li et al. 2018, arXiv 1712.09913, section 4, for ``filter_normalized`` random
    directions. They are not made orthogonal there, nor here: see ``cosine``.

    Args:
        net: any module whose output ``loss`` takes.
        loss: from output and target to a tensor of shape ().
        x: inputs; several as a tuple, or by name as a dict.
        y: targets.
        directions: d and e.
        a: positions along d, (A,).
        b: positions along e, (B,).
        mode: as in ``measure_line_slice``.

    Raises:
        ValueError: as ``measure_line_slice``; if there are not two directions, or one is zero.
    """
    rows, columns = check_points("a", a), check_points("b", b)
    if not isinstance(directions, Sequence) or len(directions) != 2:
        raise ValueError("directions must be a pair, such as two random_direction with two seeds.")
    first, second = (_tensors(net, direction) for direction in directions)
    cosine = _cosine(first, second)
    with probing(net, loss, mode) as probe:
        here = probe.loss(x, y)
        check_start(here)
        losses = []
        for along in rows:
            for across in columns:
                probe.move((along, first), (across, second))
                losses.append(probe.loss(x, y))
    found = as_array(losses).reshape(len(rows), len(columns))
    return PlaneSlice(rows, columns, found, float(here), cosine, probe.mode, **by_gradient(net))


def _tensors(net: nn.Module, direction: Direction) -> list[Tensor]:
    return [along for along, _ in fitting(net, direction).values()]


def _cosine(first: list[Tensor], second: list[Tensor]) -> float:
    sizes = float(total_norm(first)) * float(total_norm(second))
    if sizes == 0:
        raise ValueError("a direction is zero: there is no plane.")
    products = torch.stack([p.sum() for p in torch._foreach_mul(first, second)])
    return float(products.double().sum()) / sizes
