"""Which weights LAWN constrains, and the tangent space in which they may move."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bnlab.arguments import checked
from bnlab.errors import unknown
from bnlab.norms import NoNorm, Normalizer
from bnlab.norms.weight.eligible import is_parametrized, weighted_layers

PARTS = ("all", "tail")
NORMALIZERS = (
    Normalizer,
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.GroupNorm,
    nn.LayerNorm,
)


@checked
def constrained_weights(model: nn.Module, part: str = "all") -> list[nn.Parameter]:
    """The weights that LAWN constrains: those of Linear and Conv layers, not biases or normalizers.

    Args:
        model: any module.
        part: ``all`` weights; or ``tail``, those after the last normalizer that has any effect, in
            order of registration: the homogeneous end of the net, whose scale moves the logits
            (weights before a normalizer do not, whatever their scale). Without normalizers, all.

    Raises:
        ValueError: for an unknown part, if there are no such weights, or a layer computes its
            weight (a parametrization), so that its norm is not that of a trained tensor.
    """
    if part not in PARTS:
        raise ValueError(unknown("part", part, PARTS))
    layers = weighted_layers(model)
    if part == "tail":
        names = [name for name, _ in model.named_modules()]
        norms = [n for n, m in model.named_modules() if _normalizes(m)]
        after = names.index(norms[-1]) if norms else -1
        layers = {name: m for name, m in layers.items() if names.index(name) > after}
    for name, layer in layers.items():
        if is_parametrized(layer):
            raise ValueError(
                f"layer {name!r} computes its weight from other tensors (a parametrization): "
                "constrain those by hand, or take it off with remove_weight_norms(model)."
            )
    if not layers:
        raise ValueError(f"this {type(model).__name__} has no Linear or Conv weights to constrain.")
    return [layer.weight for layer in layers.values()]


def _normalizes(module: nn.Module) -> bool:
    return isinstance(module, NORMALIZERS) and not isinstance(module, NoNorm)


@checked
def tangent(vector: Tensor, weight: Tensor) -> Tensor:
    """The part of ``vector`` across ``weight``: v - (v . u) u, u = weight / ||weight||."""
    unit = weight / torch.linalg.vector_norm(weight)
    return vector - (vector * unit).sum() * unit
