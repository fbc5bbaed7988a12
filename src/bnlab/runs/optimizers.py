"""The optimizers that a Run can name."""

from __future__ import annotations

import torch
from torch import nn

from bnlab.errors import check_name, unknown
from bnlab.optim import LAWN, constrained_weights

BASES: dict[str, type[torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
}
OPTIONS = {
    "sgd": ("momentum", "weight_decay", "dampening", "nesterov"),
    "adam": ("betas", "eps", "weight_decay"),
    # Without weight decay, which would do nothing once the norms are constrained.
    "lawn_sgd": ("momentum", "dampening", "nesterov", "free_steps", "part"),
    "lawn_adam": ("betas", "eps", "free_steps", "part"),
}
OPTIMIZERS = tuple(OPTIONS)


def check_optimizer(name: str, options: dict[str, object]) -> None:
    """Raise a clear error for an unknown optimizer or option."""
    check_name("optimizer", name, OPTIMIZERS)
    for option in options:
        if option not in OPTIONS[name]:
            raise ValueError(unknown(f"option of optimizer {name!r}:", option, OPTIONS[name]))


def make_optimizer(
    name: str, net: nn.Module, lr: float, **options: object
) -> torch.optim.Optimizer:
    """The optimizer called ``name`` for all parameters of ``net``.

    Args:
        name: ``sgd`` or ``adam``, torch's own; ``lawn_sgd`` or ``lawn_adam``, the same inside
            ``LAWN``.
        net: any module.
        lr: learning rate.
        **options: of torch's optimizer; and for LAWN ``free_steps``, how many steps come before
            the norms are constrained (0), and ``part`` of ``constrained_weights`` ("all").

    Raises:
        ValueError: for an unknown name or option, or a bad value.
    """
    check_optimizer(name, options)
    if name in BASES:
        return BASES[name](net.parameters(), lr=lr, **options)
    free_steps, part = options.pop("free_steps", 0), options.pop("part", "all")
    base = BASES[name.removeprefix("lawn_")](net.parameters(), lr=lr, **options)
    return LAWN(base, constrained_weights(net, part), free_steps)
