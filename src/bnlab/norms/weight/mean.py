"""MimicNorm's weight mean as its official code has it: a projection after each step."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from bnlab.arguments import checked
from bnlab.norms.weight.eligible import eligible_layers, is_parametrized
from bnlab.norms.weight.filters import from_filters, is_transposed, over_filter, to_filters


@checked
def project_weight_mean(
    model: nn.Module,
    eligible: str | Iterable[str] | Callable[[str, nn.Module], bool] = "mimic_cifar",
) -> tuple[str, ...]:
    """Subtract from each filter of the eligible layers its mean, in place, outside of autograd.

    To be called once after construction and after every step of the optimizer, whose momentum is
    left as it is. ``weight_mean`` is the same projection as a parametrization.

    Source: official code of Fei et al. 2020 (arXiv 2010.09278).

    Args:
        model: any module.
        eligible: which layers, see ``eligible_layers``; the official code has ``mimic_cifar`` for
            CIFAR and ``mimic_imagenet`` for ImageNet.

    Returns:
        The names of the layers that were projected.

    Raises:
        ValueError: if no layer is eligible, or an eligible one computes its weight.
    """
    layers = eligible_layers(model, eligible)
    for name, layer in layers.items():
        if is_parametrized(layer):
            raise ValueError(
                f"layer {name!r} computes its weight from other tensors (a parametrization), so "
                "that a projection would be lost. Use one of the two."
            )
    with torch.no_grad():
        for layer in layers.values():
            kind = getattr(layer, "groups", 1), is_transposed(layer)
            filters = to_filters(layer.weight, *kind)
            mean = filters.mean(over_filter(filters), keepdim=True)
            layer.weight.sub_(from_filters(mean.expand_as(filters), *kind))
    return tuple(layers)


@checked
def project_after_step(
    optimizer: torch.optim.Optimizer,
    model: nn.Module,
    eligible: str | Iterable[str] | Callable[[str, nn.Module], bool] = "mimic_cifar",
) -> RemovableHandle:
    """Project now and after each ``optimizer.step()``, as MimicNorm's official training loop does.

    Args:
        optimizer: any optimizer of torch.
        model: its model.
        eligible: as ``project_weight_mean``.

    Returns:
        A handle; ``handle.remove()`` ends it.
    """
    project_weight_mean(model, eligible)
    return optimizer.register_step_post_hook(lambda *_: project_weight_mean(model, eligible))
