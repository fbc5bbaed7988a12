"""The optimizers that a Run can name."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from bnlab.errors import check_name, unknown

OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
}
OPTIONS = {
    "sgd": ("momentum", "weight_decay", "dampening", "nesterov"),
    "adam": ("betas", "eps", "weight_decay"),
}


def check_optimizer(name: str, options: dict[str, object]) -> None:
    """Raise a clear error for an unknown optimizer or option."""
    check_name("optimizer", name, OPTIMIZERS)
    for option in options:
        if option not in OPTIONS[name]:
            raise ValueError(unknown(f"option of optimizer {name!r}:", option, OPTIONS[name]))


def make_optimizer(
    name: str, parameters: Iterable[nn.Parameter], lr: float, **options: object
) -> torch.optim.Optimizer:
    """Torch's optimizer called ``name``.

    Raises:
        ValueError: for an unknown name or option, or a bad value.
    """
    check_optimizer(name, options)
    return OPTIMIZERS[name](parameters, lr=lr, **options)
