"""Internal covariate shift by gradients: what the step of the layers before does to a gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

from bnlab.arguments import checked
from bnlab.errors import check_number
from bnlab.measure.kit.arguments import check_mode, check_sizes
from bnlab.measure.kit.coverage import Coverage
from bnlab.measure.kit.forward_state import ForwardState
from bnlab.measure.kit.inputs import forward
from bnlab.measure.kit.layers import Layers, by_weights, own_parameters, weighted_layers
from bnlab.measure.kit.lengths import vector_norm
from bnlab.measure.kit.loss import Loss, finite_loss, loss_of
from bnlab.measure.kit.measuring import measuring
from bnlab.measure.kit.slopes import slopes_of

if TYPE_CHECKING:
    from bnlab.draw.figure import Drawing


@dataclass(frozen=True, eq=False)
class CovariateShift(Coverage):
    """The gradient of each of L layers, before (G) and after (G') the layers before it have moved.

    Attributes:
        names: of the layers, in the order in which they run.
        l2: |G - G'|, (L,), in the unit of the loss over that of a weight; 0 for the first layer,
            inf where the step made G' infinite.
        cosine: of G and G', (L,), -1 to 1; 1 for the first layer, NaN where one of them is zero or
            not finite.
        before: |G|, (L,).
        after: |G'|, (L,).
        lr: learning rate of the step.
        mode: in which the net was: ``train``, ``eval``, or ``mixed``.
        covered, left_out: modules with weights, see ``Coverage``.
    """

    names: tuple[str, ...]
    l2: np.ndarray
    cosine: np.ndarray
    before: np.ndarray
    after: np.ndarray
    lr: float
    mode: str

    def plot(self, norm: str = "none") -> Drawing:
        """The l2 change and the cosine by layer.

        Args:
            norm: the normalizer whose colour and marker the curves have.
        """
        from bnlab.measure.shift.figures import draw_covariate_shift

        return draw_covariate_shift({norm: self})


@checked
def measure_covariate_shift(
    net: nn.Module,
    loss: Loss,
    x: object,
    y: object,
    lr: float,
    layers: Layers = None,
    mode: str | None = None,
    same_noise: bool = True,
) -> CovariateShift:
    r"""Santurkar's internal covariate shift of one step of gradient descent, layer by layer.

    With the weights W_1 ... W_k of the layers at step t, and all gradients of one and the same
    batch,

        G_i  = grad_{W_i} L(W_1^t, ..., W_{i-1}^t, W_i^t, ..., W_k^t)
        G'_i = grad_{W_i} L(W_1^{t+1}, ..., W_{i-1}^{t+1}, W_i^t, ..., W_k^t),

    W^{t+1} = W^t - lr * (gradient at t), which is plain gradient descent. Without covariate shift
    the l2 difference is 0 and the cosine 1. The net is as before afterwards.

    Source: Santurkar et al. 2018, arXiv 1805.11604, definition 2.1. Not said there: here a layer is
    a module with parameters of its own, in the order in which modules are first called. All take
    part in the step, a normalizer's weight and bias too; measured are the modules with a matrix or
    kernel, together with their bias.

    Args:
        net: any module.
        loss: takes output and target, gives a scalar.
        x: a batch, (N, ...).
        y: its target.
        lr: learning rate of the step, 0 or more.
        layers: which layers to measure: kinds, or names. By default all with a matrix or kernel.
        mode: ``train``, ``eval``, or None: each module in the mode that it has.
        same_noise: the noise of a normalizer and the masks of dropout are the same in all passes;
            if False, each pass draws its own, as the next step of a training would. What that alone
            does to a gradient then counts as shift too, from the first layer on. The paper does not
            say which it means; for ``noisy_batch`` it makes a large difference.

    Raises:
        ValueError: for lr out of range, layers that are not there, a net without gradients, a loss
            that is no finite scalar before the step, or sizes that do not fit.
    """
    check_mode(mode)
    check_number("lr", lr, 0)
    check_sizes(x, y)
    measured = weighted_layers(net, layers)
    with measuring(net, mode) as mode, torch.enable_grad():
        start = ForwardState(net)
        owned = own_parameters(net)
        order = _in_order(net, owned, x, y, loss)
        rows = {}
        for k, (name, own, slopes) in enumerate(order):
            if name in measured:
                if same_noise:
                    start.restore()
                again = k > 0 or not same_noise
                shifted = _gradients(net, own, x, y, loss) if again else slopes
                rows[name] = _compare(slopes, shifted)
            _step(own, slopes, lr)
    l2, cosine, before, after = np.array(list(rows.values())).T
    coverage = by_weights(net, rows, layers)
    return CovariateShift(tuple(rows), l2, cosine, before, after, float(lr), mode, **coverage)


Layer = tuple[str, list[nn.Parameter], Sequence[Tensor]]


def _in_order(
    net: nn.Module, owned: dict[str, list[nn.Parameter]], x: object, y: object, loss: Loss
) -> list[Layer]:
    """Name, parameters and gradients at t of each layer, in the order of their first call.

    A module that is never called itself (its owner uses its weights) comes last.
    """
    modules = dict(net.named_modules())
    called: dict[str, None] = {}
    hooks = [
        modules[name].register_forward_pre_hook(
            lambda _module, _inputs, name=name: called.setdefault(name)
        )
        for name in owned
    ]
    try:
        value = finite_loss(loss_of(loss, forward(net, x), y), net)
    finally:
        for hook in hooks:
            hook.remove()
    parameters = [p for own in owned.values() for p in own]
    slopes = iter(slopes_of(value, parameters))
    found = {name: (name, own, [next(slopes) for _ in own]) for name, own in owned.items()}
    return [found[name] for name in [*called, *(n for n in found if n not in called)]]


def _gradients(
    net: nn.Module, own: list[nn.Parameter], x: object, y: object, loss: Loss
) -> Sequence[Tensor]:
    return slopes_of(loss_of(loss, forward(net, x), y), own)


def _compare(before: Sequence[Tensor], after: Sequence[Tensor]) -> tuple[float, ...]:
    """The l2 difference, the cosine, and the two lengths."""
    g, h = (torch.cat([each.flatten() for each in slopes]) for slopes in (before, after))
    size, size_after = vector_norm(g), vector_norm(h)
    if not np.isfinite([size, size_after]).all():
        return np.inf, np.nan, size, np.inf
    if size == 0 or size_after == 0:
        return vector_norm(g - h), np.nan, size, size_after
    if before is after:  # the first layer: exactly, not but for rounding
        return 0.0, 1.0, size, size
    cosine = float((g / size) @ (h / size_after))
    return vector_norm(g - h), min(max(cosine, -1.0), 1.0), size, size_after


@torch.no_grad()
def _step(own: list[nn.Parameter], slopes: Sequence[Tensor], lr: float) -> None:
    torch._foreach_add_(own, list(slopes), alpha=-lr)
