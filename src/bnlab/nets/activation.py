"""The nonlinearity that follows a normalizer."""

from __future__ import annotations

from torch import nn


def relu_after(norm: nn.Module) -> nn.Module:
    """ReLU; after a normalizer that contains a nonlinearity (``activates``), nothing."""
    return nn.Identity() if getattr(norm, "activates", False) else nn.ReLU()
