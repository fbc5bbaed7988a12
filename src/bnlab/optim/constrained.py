"""Which weights LAWN constrains, and the tangent space in which they may move."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bnlab.arguments import checked
from bnlab.errors import unknown
from bnlab.norms import NoNorm
from bnlab.norms.batches import Batch
from bnlab.norms.layouts import Adapter
from bnlab.norms.order import order_of_use
from bnlab.norms.replace import is_norm, looks_like_a_norm
from bnlab.norms.weight.eligible import is_parametrized, weighted_layers

PARTS = ("all", "tail")


@checked
def constrained_weights(
    model: nn.Module, part: str = "all", inputs: Batch | None = None
) -> list[nn.Parameter]:
    """The weights that LAWN constrains: those of Linear and Conv layers, not biases or normalizers.

    Args:
        model: any module.
        part: ``all`` weights; or ``tail``, those used after the last normalizer that has any
            effect: the homogeneous end of the net, whose scale moves the logits (weights before a
            normalizer do not, whatever their scale). Without normalizers, all. Normalizers are
            those that ``swap_norms`` knows, those of any class called ...Norm, and torch's
            functions for them.
        inputs: a batch, as ``recompute_statistics`` takes it, that shows in which order the model
            uses its layers. In Sequential and the nets of bnlab it is that of registration;
            elsewhere ``torch.fx`` finds it, where it can follow the model.

    Raises:
        ValueError: for an unknown part, if there are no such weights, a layer computes its
            weight (a parametrization), so that its norm is not that of a trained tensor, or, for
            the ``tail``, if the order cannot be told or a weight is used before the last normalizer
            too.
    """
    if part not in PARTS:
        raise ValueError(unknown("part", part, PARTS))
    layers = weighted_layers(model)
    if not layers:
        raise ValueError(f"this {type(model).__name__} has no Linear or Conv weights to constrain.")
    if part == "tail":
        layers = _tail(model, layers, inputs)
    for name, layer in layers.items():
        if is_parametrized(layer):
            raise ValueError(
                f"layer {name!r} computes its weight from other tensors (a parametrization): "
                "constrain those by hand, or take it off with remove_weight_norms(model)."
            )
    return list({id(layer.weight): layer.weight for layer in layers.values()}.values())


def _tail(
    model: nn.Module, layers: dict[str, nn.Module], inputs: Batch | None
) -> dict[str, nn.Module]:
    norms = [name for name, m in model.named_modules() if _normalizes(name, m)]
    order = order_of_use(model, inputs)
    if order is None:
        if not norms:
            return layers
        raise ValueError(
            f"the order in which this {type(model).__name__} uses its layers cannot be told. Show "
            "it with a batch, constrained_weights(model, 'tail', inputs=batch), or give LAWN the "
            "tensors after the last normalizer by hand."
        )
    places = [order.last[name] for name in norms if name in order.last]
    last = max((*places, *order.functions), default=(-1, -1))
    tail = {n: m for n, m in layers.items() if order.first.get(n, (-1, -1)) > last}
    if not tail:
        raise ValueError(
            f"no Linear or Conv is used after the last normalizer of this {type(model).__name__}: "
            "the scale of its weights does not reach the output. Use part='all'."
        )
    owners = [(n, p) for n, m in model.named_modules() for p in m.parameters(recurse=False)]
    for name, layer in tail.items():
        others = [n for n, p in owners if p is layer.weight and n not in tail]
        if others:
            raise ValueError(
                f"the weight of layer {name!r} is that of {', '.join(map(repr, others))} too, "
                "before the last normalizer. Give LAWN the tensors to constrain by hand."
            )
    return tail


def _normalizes(name: str, module: nn.Module) -> bool:
    if isinstance(module, NoNorm | Adapter) or ".parametrizations." in f".{name}.":
        return False
    return is_norm(module) or looks_like_a_norm(module)


@checked
def tangent(vector: Tensor, weight: Tensor) -> Tensor:
    """The part of ``vector`` across ``weight``: v - (v . u) u, u = weight / ||weight||."""
    unit = weight / torch.linalg.vector_norm(weight)
    return vector - (vector * unit).sum() * unit
