"""How the gradients of a layer are distributed: histograms, quantiles, tails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from bnlab.arguments import checked
from bnlab.errors import check_name, check_number
from bnlab.measure.kit.arguments import check_mode, check_sizes
from bnlab.measure.kit.coverage import Coverage
from bnlab.measure.kit.inputs import forward
from bnlab.measure.kit.layers import Layers, by_weights, weighted_layers
from bnlab.measure.kit.loss import Loss, finite_loss, loss_of
from bnlab.measure.kit.measuring import measuring
from bnlab.measure.kit.passes import observe
from bnlab.measure.kit.slopes import slopes_of

if TYPE_CHECKING:
    from bnlab.draw.figure import Drawing

OF = ("weights", "outputs")
QUANTILES = (0.5, 0.9, 0.99, 0.999)


@dataclass(frozen=True, eq=False)
class Gradients(Coverage):
    """The distribution of the entries g of the gradient in each of L layers.

    Attributes:
        names: of the layers.
        edges: of the bins, evenly spaced from -max|g| to max|g| of the layer, (L, bins + 1), in
            the unit of the loss over that of a weight or output.
        counts: entries in each bin, (L, bins).
        std: root of mean g^2, about zero, (L,).
        quantiles: of |g|, at ``QUANTILES``, (L, 4).
        tail_index: Hill's, see ``tail_index``, (L,); the smaller, the heavier the tail. NaN where
            too few gradients are not zero.
        tail: share of the entries that count as tail.
        of: ``weights`` or ``outputs``.
        mode: in which the net was: ``train``, ``eval``, or ``mixed``.
        covered, left_out: modules with weights, see ``Coverage``.
    """

    names: tuple[str, ...]
    edges: np.ndarray
    counts: np.ndarray
    std: np.ndarray
    quantiles: np.ndarray
    tail_index: np.ndarray
    tail: float
    of: str
    mode: str

    def plot(self, norm: str = "none", layer: str | None = None) -> Drawing:
        """The histogram of one layer, by default the middle one, with its scale and tail index.

        Args:
            norm: the normalizer whose colour it has.
            layer: name of the layer.
        """
        from bnlab.measure.signals.figures import draw_gradients

        return draw_gradients(self, norm, layer)


@checked
def measure_gradients(
    net: nn.Module,
    loss: Loss,
    x: object,
    y: object,
    layers: Layers = None,
    of: str = "weights",
    bins: int = 60,
    tail: float = 0.05,
    mode: str | None = None,
) -> Gradients:
    """Histograms of the gradient of one batch, layer by layer. The net is as before afterwards.

    Source: Bjorck et al. 2018, arXiv 1806.02375 (histograms of a layer's gradients at the start).

    Args:
        net: any module.
        loss: takes output and target, gives a scalar.
        x: a batch, (N, ...).
        y: its target.
        layers: kinds or names of modules. For weights, by default every module that owns a matrix
            or kernel; for outputs as in ``measure_signals``.
        of: gradients of the ``weights`` (matrices and kernels, no biases) or of the ``outputs``.
        bins: of a histogram, one or more.
        tail: share of the entries that counts as the tail, for Hill's index.
        mode: ``train``, ``eval``, or None: each module in the mode that it has.

    Raises:
        ValueError: for options out of range, layers that are not there, a net without gradients, a
            loss that is no finite scalar, or gradients that are not finite.
    """
    check_mode(mode)
    check_name("source of gradients (of)", of, OF)
    if not isinstance(bins, int) or isinstance(bins, bool) or bins < 1:
        raise ValueError(f"bins must be a positive integer, got {bins!r}.")
    _check_share(tail)
    if of == "weights":
        found, mode, coverage = _of_weights(net, loss, x, y, layers, mode)
    else:
        seen = observe(net, x, layers, mode, loss, y)
        found = {call.name: call.gradient.flatten() for call in seen.calls}
        mode, coverage = seen.mode, seen.coverage
    rows = [_distribution(name, g.cpu().double(), bins, tail) for name, g in found.items()]
    edges, counts, std, quantiles, index = map(np.array, zip(*rows, strict=True))
    return Gradients(tuple(found), edges, counts, std, quantiles, index, tail, of, mode, **coverage)


def _distribution(name: str, g: Tensor, bins: int, tail: float) -> tuple:
    """The edges, counts, std, quantiles and tail_index of one layer."""
    sizes = np.sort(g.abs().numpy())  # ascending, for quantiles and tail
    largest = float(sizes[-1])
    if not np.isfinite(largest):
        raise ValueError(f"the gradient of layer {name!r} is not finite. Look at the weights.")
    end = largest or 1.0
    place = np.array(QUANTILES) * (len(sizes) - 1)
    positive = sizes[np.searchsorted(sizes, 0, side="right") :]
    return (
        np.linspace(-end, end, bins + 1),
        torch.histc(g, bins, -end, end).numpy().astype(np.int64),
        end * float(np.sqrt(np.mean((sizes / end) ** 2))),
        np.interp(place, np.arange(len(sizes)), sizes),
        _hill(positive, tail) if _tail_size(len(positive), tail) >= 2 else np.nan,
    )


def _of_weights(
    net: nn.Module, loss: Loss, x: object, y: object, layers: Layers, mode: str | None
) -> tuple[dict[str, Tensor], str, dict[str, object]]:
    # The gradients by layer, the mode, and the fields of Coverage.
    check_sizes(x, y)
    weights = {
        name: [p for p in own if p.ndim >= 2] for name, own in weighted_layers(net, layers).items()
    }
    flat = [weight for own in weights.values() for weight in own]
    with measuring(net, mode) as found_mode, torch.enable_grad():
        value = finite_loss(loss_of(loss, forward(net, x), y), net)
        slopes = iter(slopes_of(value, flat))
    found = {
        name: torch.cat([next(slopes).flatten() for _ in own]) for name, own in weights.items()
    }
    return found, found_mode, by_weights(net, weights, layers)


def _check_share(share: float) -> None:
    check_number("tail", share, 0, 1)
    if not 0 < share < 1:
        raise ValueError(f"tail must lie between 0 and 1, got {share!r}.")


def _tail_size(count: int, share: float) -> int:
    return min(int(share * count), count - 1)


@checked
def tail_index(values: np.ndarray, tail: float = 0.05) -> float:
    r"""Hill's estimate of the index alpha of a tail P(|v| > t) ~ t^(-alpha).

    With the sizes |v| that are not zero in descending order, x_1 >= x_2 >= ..., and k the integer
    part of ``tail`` times their number,

        1 / alpha = (1/k) sum_{i=1..k} log(x_i / x_{k+1}).

    Exponential and Gaussian tails are lighter than any power: alpha is finite for them too, but
    grows as the tail is taken smaller. Compare at equal ``tail``.

    Source: Hill 1975, Annals of Statistics 3, 1163-1174.

    Args:
        values: any numbers, of any shape; zeros are left out.
        tail: share of the values that counts as the tail.

    Returns:
        alpha; inf if the values of the tail are all equal.

    Raises:
        ValueError: for a share out of range, values that are not finite, or fewer than two values
            in the tail.

    Example:
        >>> round(tail_index([1.0, 2.0, 4.0], tail=0.7), 4)  # 2 / (log 4 + log 2)
        0.9618
    """
    _check_share(tail)
    sizes = np.abs(np.asarray(values, dtype=np.float64)).ravel()
    if not np.isfinite(sizes).all():
        raise ValueError("the tail index needs finite values.")
    sizes = sizes[sizes > 0]
    k = _tail_size(len(sizes), tail)
    if k < 2:
        raise ValueError(
            f"the largest {tail:g} of {len(sizes)} values that are not zero are too few for a tail "
            "index: it needs two. Take a larger share."
        )
    return _hill(np.sort(sizes), tail)


def _hill(ascending: np.ndarray, share: float) -> float:
    k = _tail_size(len(ascending), share)
    mean = float(np.mean(np.log(ascending[-k:] / ascending[-k - 1])))
    return 1 / mean if mean else np.inf
