"""The loss that a measurement is given: a function, and the one number that it must give."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from bnlab.arguments import ArgumentError
from bnlab.measure.kit.arguments import check_weights

Loss = Callable[[object, object], Tensor]
"""From output, whatever the net gives, and target to a scalar."""


def loss_of(loss: Loss, output: object, y: object) -> object:
    """What the loss gives; a loss may do without targets.

    Raises:
        ArgumentError: if there are none, and it does not.
    """
    try:
        return loss(output, y)
    except (TypeError, AttributeError) as error:
        if y is not None:
            raise
        raise ArgumentError(f"y is None, and the loss cannot do without it: {error}") from error


def scalar(value: object) -> Tensor:
    """Return ``value`` with shape (), if it is a tensor that holds one number.

    Raises:
        ValueError: else.
    """
    if not isinstance(value, Tensor) or value.numel() != 1:
        got = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else repr(value)
        raise ValueError(f"loss must give a scalar, got {got}. Take its mean or sum.")
    return value.reshape(()) if value.ndim else value


def finite_loss(value: object, net: nn.Module) -> Tensor:
    """Return the loss of ``net`` if it is a finite scalar that autograd can differentiate.

    Raises:
        ValueError: else; it names the parameter that is not finite if there is one.
    """
    value = scalar(value)
    if not torch.isfinite(value):
        check_weights(net)
        raise ValueError(
            f"the loss is {value.item()} although all weights are finite. Look at the batch, or at "
            "the scale of the weights."
        )
    if not value.requires_grad:
        raise ValueError("the loss does not depend on a parameter that requires a gradient.")
    return value


def check_start(value: Tensor) -> None:
    """Raise a ``ValueError`` unless the loss at the net's own weights is finite."""
    if not bool(value.isfinite()):
        raise ValueError(f"the loss at the net's own weights is {value.item()}: it must be finite.")
