"""The ReLU that keeps mean 0 and variance 1, which weight normalization needs in a deep net."""

from __future__ import annotations

import math

from torch import Tensor, nn

from bnlab.arguments import checked

MEAN = 1 / math.sqrt(2 * math.pi)  # of relu(z), z standard normal
STD = math.sqrt((1 - 1 / math.pi) / 2)  # variance 1/2 - 1/(2 pi)


@checked
def normalized_relu(z: Tensor) -> Tensor:
    r"""(relu(z) - 1/sqrt(2 pi)) / sqrt((1 - 1/pi) / 2): mean 0 and variance 1 for z ~ N(0, 1).

    The correction of Arpit et al. 2016 (Normalization Propagation, arXiv 1603.01431), in the form
    that Lubana et al. 2021 use with weight normalization: factor sqrt(2 pi / (pi - 1)) = 1.7129.
    Arpit et al. further divide a layer's z by 1.21 = sqrt(pi / (pi - 1)), for its Jacobian.

    Example:
        >>> import torch
        >>> round(normalized_relu(torch.tensor(0.0)).item(), 4)
        -0.6833
    """
    return (z.relu() - MEAN) / STD


class NormalizedReLU(nn.Module):
    """``normalized_relu`` as a module without parameters; any shape in and out."""

    def forward(self, z: Tensor) -> Tensor:
        """Compute (relu(z) - mean) / std, with the constants of a standard normal input."""
        return normalized_relu(z)


@checked
def correct_relus(model: nn.Module) -> tuple[str, ...]:
    """Replace every ``nn.ReLU`` of ``model`` by ``NormalizedReLU``, in place.

    Returns:
        The names of the modules that were replaced.

    Raises:
        ValueError: if there is none: calls of ``torch.relu`` inside of a forward cannot be seen.
    """
    modules = model.named_modules(remove_duplicate=False)  # one ReLU may serve at many places
    names = [name for name, module in modules if isinstance(module, nn.ReLU)]
    if not names or names == [""]:
        raise ValueError(
            f"this {type(model).__name__} has no nn.ReLU inside to replace. Calls of torch.relu "
            "cannot be seen from outside: use normalized_relu there."
        )
    for name in names:
        parent, _, child = name.rpartition(".")
        setattr(model.get_submodule(parent), child, NormalizedReLU())
    return tuple(names)
