"""Santurkar's theorem 4.1 on a living BatchNorm layer, as the equality that it is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from bnlab.arguments import checked
from bnlab.errors import unknown
from bnlab.measure.kit.arguments import check_sizes, check_weights
from bnlab.measure.kit.coverage import Coverage, Reason, covering
from bnlab.measure.kit.inputs import forward
from bnlab.measure.kit.loss import Loss, check_start, loss_of, scalar
from bnlab.measure.kit.measuring import measuring
from bnlab.measure.kit.slopes import slopes_of
from bnlab.norms import BatchNorm

if TYPE_CHECKING:
    from bnlab.draw.figure import Drawing


OTHER = "the theorem is looked at in one BatchNorm layer, and this is another module"


@dataclass(frozen=True, eq=False)
class GradientIdentity(Coverage):
    """Squared gradient norms before and after a BatchNorm layer, channel by channel.

    y = weight * z_hat + bias, z_hat = (z - mean) / sqrt(var + eps); g = dL/dy. All of shape (C,).

    Attributes:
        layer: name of the layer.
        pooled: m, how many values share a mean.
        before: |dL/dz|^2, by automatic differentiation: the left side.
        after: |g|^2.
        scale: weight^2 / (var + eps), the factor that multiplies all terms of the right side.
        along_ones: (1' g)^2 / m, what the subtraction of the mean takes away.
        along_output: (z_hat' g)^2 / m * (1 + eps / (var + eps)), what the division by the
            deviation takes away; with eps = 0 the second factor is 1.
        printed: right side with 1 / sqrt(m) in the last term, as the paper prints it.
        covered, left_out: modules with weights, see ``Coverage``.
    """

    layer: str
    pooled: int
    before: np.ndarray
    after: np.ndarray
    scale: np.ndarray
    along_ones: np.ndarray
    along_output: np.ndarray
    printed: np.ndarray

    @property
    def right(self) -> np.ndarray:
        """The right side, scale * (after - along_ones - along_output): equals ``before``, (C,)."""
        return self.scale * (self.after - self.along_ones - self.along_output)

    @property
    def error(self) -> float:
        """Largest |before - right| over the channels, relative to scale * after."""
        size = np.where(self.scale * self.after > 0, self.scale * self.after, 1.0)
        return float((np.abs(self.before - self.right) / size).max())

    def plot(self) -> Drawing:
        """Both right sides against the left one, channel by channel."""
        from bnlab.measure.landscape.figures import identity

        return identity(self)


@checked
def measure_gradient_identity(
    net: nn.Module,
    loss: Loss,
    x: object,
    y: object,
    layer: str | None = None,
    mode: str | None = None,
) -> GradientIdentity:
    r"""Both sides of theorem 4.1 of Santurkar et al. at a BatchNorm layer that uses its batch.

    For each channel, with m values pooled and eps = 0,

        |dL/dz|^2 = weight^2 / var * (|g|^2 - (1' g)^2 / m - (z_hat' g)^2 / m),    g = dL/dy.

    The paper prints "at most" and 1 / sqrt(m) in the last term; its proof gives 1 / m, and the
    equality. With 1 / sqrt(m) the right side can be below the left one. For eps > 0 the last term
    has the factor 1 + eps / (var + eps), which makes the equality exact again (derived here). The
    theorem reads the left side as the gradient of a net with BatchNorm and |g|^2 as that of a net
    without it, which receives the same g.

    The right side is computed in float64 from the layer's input and g; both sides are exact up to
    the rounding of the net's own precision. The net stays as it was.

    Source: Santurkar et al. 2018, arXiv 1805.11604, theorem 4.1 and its proof in appendix C.

    Args:
        net: any module with a BatchNorm layer, the lab's ``BatchNorm`` or one of torch's.
        loss: from output and target to a tensor of shape ().
        x: inputs; several as a tuple, or by name as a dict.
        y: targets.
        layer: its name in ``net.named_modules()``; None for the first.
        mode: ``train``, ``eval``, or None: each module in the mode that it has.

    Raises:
        ValueError: for no such layer, one whose class has a forward method of its own (timm's end
            in an activation), one in evaluation mode with running statistics, one that does not run
            exactly once, a loss that is no scalar or not finite, or weights that are not finite.
    """
    name, module = _chosen(net, layer)
    check_weights(net)
    check_sizes(x, y)
    with measuring(net, mode), torch.enable_grad():
        _check_uses_batch(name, module)
        with _ends_of(module) as ends:  # a checkpoint runs the layer again for the gradient
            value = scalar(loss_of(loss, forward(net, x), y))
            check_start(value)
            if len(ends) != 1:
                raise ValueError(f"layer {name!r} ran {len(ends)} times in one pass, not once.")
            (both,) = ends
            _check_has_graph(name, both[1])
            slopes = slopes_of(value, both)
        z = _by_channel(both[0])
        before, after = (_by_channel(slope) for slope in slopes)
        weight = torch.ones(len(z)).to(z) if module.weight is None else module.weight.detach()
    coverage = covering(net, {name}, lambda *_: Reason(OTHER))
    return replace(_sides(name, z, before, after, weight.double(), module.eps), **coverage)


def _check_has_graph(name: str, output: Tensor) -> None:
    if not output.requires_grad:
        raise ValueError(
            f"layer {name!r} runs without a graph (under torch.no_grad, or in a reentrant "
            "checkpoint): let the net run it with gradients (use_reentrant=False)."
        )


def _check_uses_batch(name: str, module: nn.Module) -> None:
    running = getattr(module, "running_mean", None) is not None
    if not module.training and running:
        raise ValueError(
            f"layer {name!r} is in evaluation mode: it normalizes by running statistics, and the "
            "theorem is about those of the batch. Use mode='train', or set the layer to training "
            "mode."
        )


def _sides(
    name: str, z: Tensor, before: Tensor, g: Tensor, weight: Tensor, eps: float
) -> GradientIdentity:
    m = z.shape[1]
    var = z.var(1, unbiased=False)
    z_hat = (z - z.mean(1, keepdim=True)) / (var + eps).sqrt()[:, None]
    scale = weight.square() / (var + eps)
    after, ones = g.square().sum(1), g.sum(1).square() / m
    product = (z_hat * g).sum(1).square()
    output = product / m * (1 + eps / (var + eps))
    printed = scale * (after - ones - product / m**0.5)
    arrays = (before.square().sum(1), after, scale, ones, output, printed)
    return GradientIdentity(name, m, *(a.cpu().numpy() for a in arrays))


def _chosen(net: nn.Module, layer: str | None) -> tuple[str, nn.Module]:
    # Exactly this class of the lab: its relatives pool other values or add noise.
    found = {
        name: m
        for name, m in net.named_modules()
        if type(m) is BatchNorm or isinstance(m, _BatchNorm)
    }
    layers = {name: m for name, m in found.items() if _is_plain(m)}
    others = [name for name in found if name not in layers]
    if layer in others or (others and not layers):
        name = others[0] if layer is None else layer
        raise ValueError(
            f"layer {name!r} is a {type(found[name]).__name__}, a BatchNorm with a forward method "
            "of its own: what it gives need not be what the theorem is about (it may end in an "
            "activation). Put a BatchNorm of torch and what follows it in its place."
        )
    if not layers:
        raise ValueError(
            f"this {type(net).__name__} has no BatchNorm layer; the theorem is about one."
        )
    if layer is not None and layer not in layers:
        raise ValueError(unknown("BatchNorm layer", layer, layers))
    name = next(iter(layers)) if layer is None else layer
    return name, layers[name]


def _is_plain(module: nn.Module) -> bool:
    return type(module) is BatchNorm or type(module).forward.__module__.startswith("torch.nn.")


@contextlib.contextmanager
def _ends_of(module: nn.Module) -> Iterator[list[tuple[Tensor, Tensor]]]:
    # Input and output as tensors that only this layer reads or writes: a shortcut past it, or an
    # activation in place after it, would change the gradient or the values otherwise.
    inputs: list[Tensor] = []
    ends: list[tuple[Tensor, Tensor]] = []

    def enter(_: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        z = args[0].clone() if args[0].requires_grad else args[0].detach().requires_grad_()
        inputs.append(z)
        return (z, *args[1:])

    def leave(_: nn.Module, args: tuple[Tensor, ...], output: Tensor) -> Tensor:
        ends.append((inputs[-1], output))
        return output.clone()

    hooks = module.register_forward_pre_hook(enter), module.register_forward_hook(leave)
    try:
        yield ends
    finally:
        for hook in hooks:
            hook.remove()


def _by_channel(values: Tensor) -> Tensor:
    return values.detach().double().transpose(0, 1).flatten(1)
