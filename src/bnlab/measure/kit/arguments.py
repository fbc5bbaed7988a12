"""What every measurement refuses, with a message that says what to do."""

from __future__ import annotations

import torch
from torch import Tensor, nn

MODES = ("train", "eval")


def check_mode(mode: object) -> None:
    """Raise a ``ValueError`` unless ``mode`` is ``train`` or ``eval``."""
    if not isinstance(mode, str) or mode not in MODES:
        raise ValueError(f"mode must be 'train' or 'eval', got {mode!r}.")


def check_trainable(net: nn.Module) -> None:
    """Raise a ``ValueError`` if the net has nothing to differentiate by."""
    if not any(p.requires_grad for p in net.parameters()):
        raise ValueError(
            "no parameter of this net requires a gradient. Call net.requires_grad_(True), or pass "
            "a net that has parameters."
        )


def check_weights(net: nn.Module) -> None:
    """Raise a ``ValueError`` that names the first parameter that is not finite."""
    for name, parameter in net.named_parameters():
        if not torch.isfinite(parameter).all():
            raise ValueError(
                f"parameter {name!r} holds NaN or infinity: this net has diverged. Measure it at "
                "an earlier step."
            )


def finite_loss(value: object, net: nn.Module) -> Tensor:
    """``value``, the loss of ``net``, if it is a finite scalar that autograd can differentiate.

    Raises:
        ValueError: else; it names the parameter that is not finite if there is one.
    """
    if not isinstance(value, Tensor) or value.numel() != 1:
        got = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else repr(value)
        raise ValueError(f"loss must give a scalar, got {got}. Take its mean or sum.")
    if not torch.isfinite(value):
        check_weights(net)
        raise ValueError(
            f"the loss is {value.item()} although all weights are finite. Look at the batch, or at "
            "the scale of the weights."
        )
    if not value.requires_grad:
        raise ValueError("the loss does not depend on a parameter that requires a gradient.")
    return value
