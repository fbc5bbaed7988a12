"""What every measurement refuses of its arguments, with a message that says what to do."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bnlab.measure.kit.inputs import check_inputs, check_targets

MODES = ("train", "eval")


def check_mode(mode: object) -> None:
    """Raise a ``ValueError`` unless ``mode`` is None, ``train`` or ``eval``."""
    if mode is not None and (not isinstance(mode, str) or mode not in MODES):
        raise ValueError(
            "mode must be 'train' or 'eval', or None to leave each module in the mode that it has, "
            f"got {mode!r}."
        )


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


def check_sizes(x: object, y: object) -> None:
    """Raise a ``ValueError`` unless x is a batch, y its targets or None, and the sizes can fit."""
    check_inputs(x)
    check_targets(y)
    if not (isinstance(x, Tensor) and isinstance(y, Tensor) and x.ndim and y.ndim):
        return
    # A net may give several outputs a sample: a multiple is possible.
    if not len(x) or not len(y) or len(y) % len(x):
        raise ValueError(f"x has {len(x)} samples and y has {len(y)} targets: they do not fit.")
