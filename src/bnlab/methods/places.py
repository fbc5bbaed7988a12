"""Where a method puts its modules."""

from __future__ import annotations

from torch import nn

from bnlab.norms.weight.eligible import weighted_layers


def last_linear(model: nn.Module) -> tuple[str, nn.Linear]:
    """Name and module of the last Linear of ``model``, in order of registration.

    Raises:
        ValueError: if there is none.
    """
    linears = [(name, m) for name, m in weighted_layers(model).items() if isinstance(m, nn.Linear)]
    if not linears:
        raise ValueError(
            f"this {type(model).__name__} has no Linear layer whose outputs could be the logits."
        )
    return linears[-1]


def placed(module: nn.Module, like: nn.Module) -> nn.Module:
    """``module`` on the device and in the precision of the first parameter of ``like``."""
    first = next(like.parameters())
    return module.to(device=first.device, dtype=first.dtype)


def replace(model: nn.Module, name: str, module: nn.Module) -> nn.Module:
    """``model`` with ``module`` in the place called ``name``; ``module`` itself for the name ""."""
    if not name:
        return module
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, module)
    return model
