"""Which layers of a model a normalizer of weights takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase

from torch import nn
from torch.nn.utils import parametrize

from bnlab.arguments import checked
from bnlab.errors import unknown
from bnlab.norms.order import order_of_use
from bnlab.norms.weight.filters import LAYERS, fan_in

Rule = Callable[[str, nn.Module], bool]
MORE_THAN = 50  # weights of a filter, in MimicNorm's rule for CIFAR


def _is_conv(layer: nn.Module) -> bool:
    return not isinstance(layer, nn.Linear)


ELIGIBLE: dict[str, Rule] = {
    "all": lambda name, layer: True,
    "hidden": lambda name, layer: True,  # the last layer is taken away below
    "conv": lambda name, layer: _is_conv(layer),
    "mimic_cifar": lambda name, layer: _is_conv(layer) and fan_in(layer) > MORE_THAN,
    "mimic_imagenet": lambda name, layer: _is_conv(layer) and layer.groups == 1,
}


def weighted_layers(model: nn.Module) -> dict[str, nn.Module]:
    """All Linear and Conv layers, transposed ones too, by name and in order of registration."""
    return {name: m for name, m in model.named_modules() if isinstance(m, LAYERS)}


@checked
def eligible_layers(
    model: nn.Module, eligible: str | Iterable[str] | Rule = "all"
) -> dict[str, nn.Module]:
    """The Linear and Conv layers of ``model`` that a rule takes, by name.

    Args:
        model: any module.
        eligible: one of the rules below, a list of name patterns such as ``["blocks.*.conv?"]``, or
            a function of (name, layer).

            - ``all``: every Linear and Conv, transposed ones too.
            - ``hidden``: all but the last one, as a rule the classifier, in order of use where that
              can be told (Sequential, the nets of bnlab, what ``torch.fx`` can follow), else of
              registration.
            - ``conv``: every Conv.
            - ``mimic_cifar``: every Conv with C_in * kernel / groups > 50, which leaves out an RGB
              stem of 3 x 3 and depthwise convolutions (MimicNorm, official code for CIFAR).
            - ``mimic_imagenet``: every Conv without groups, the stem too (official code for
              ImageNet). In both, Linear layers never.

    Raises:
        ValueError: for an unknown rule, or if it takes no layer; the layers there are are listed.
        TypeError: if ``eligible`` is something else.
    """
    layers = weighted_layers(model)
    rule = _rule(eligible)
    taken = {name: layer for name, layer in layers.items() if rule(name, layer)}
    if eligible == "hidden" and taken:
        taken.pop(_last(model, list(taken)))
    if not taken:
        there = ", ".join(
            f"{n or 'the model itself'} ({type(m).__name__})" for n, m in layers.items()
        )
        raise ValueError(
            f"eligible={eligible!r} takes no layer of this {type(model).__name__}. "
            f"Its Linear and Conv layers: {there or 'none'}. Choose another rule: "
            f"{', '.join(ELIGIBLE)}, or a list of name patterns."
        )
    return taken


def _last(model: nn.Module, names: list[str]) -> str:
    order = order_of_use(model)
    used = [] if order is None else [name for name in names if name in order.last]
    return max(used, key=order.last.get) if used else names[-1]


def _rule(eligible: object) -> Rule:
    if isinstance(eligible, str):
        if eligible not in ELIGIBLE:
            raise ValueError(unknown("rule for eligible layers", eligible, ELIGIBLE))
        return ELIGIBLE[eligible]
    if callable(eligible):
        return eligible
    patterns = list(eligible) if isinstance(eligible, Iterable) else [eligible]
    if not all(isinstance(pattern, str) for pattern in patterns):
        raise TypeError(
            "eligible must be the name of a rule, a list of name patterns or a function of "
            f"(name, layer), got {eligible!r}."
        )
    return lambda name, layer: any(fnmatchcase(name, pattern) for pattern in patterns)


def is_parametrized(layer: nn.Module) -> bool:
    """Whether the layer's weight is computed from other tensors at each use."""
    return parametrize.is_parametrized(layer, "weight")
