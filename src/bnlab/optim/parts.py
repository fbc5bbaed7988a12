"""Parts of a net that an optimizer may treat by themselves, and which tensors they are."""

from __future__ import annotations

from torch import nn

from bnlab.arguments import require
from bnlab.errors import check_name
from bnlab.norms.replace import is_norm

DECAY = ("all", "weights", "gamma")
"""What the weight decay of an optimizer acts on."""

TRAINED = ("all", "layers", "head")
"""What an optimizer moves."""


def names_of(net: nn.Module, part: str) -> tuple[str, ...]:
    """Names of the parameters of a part of a net, in the order of ``named_parameters``.

    Args:
        net: any module.
        part: ``all``; ``weights``, the tensors with two or more axes: matrices and kernels, but no
            biases and nothing of a normalizer; ``gamma``, the weights of the normalizers;
            ``layers``, all but the weights and biases of the normalizers; or ``head``, weight and
            bias of the last Linear.

    Raises:
        ValueError: for an unknown part, or one that has no parameters in this net.
    """
    check_name("part", part, {*DECAY, *TRAINED})
    norms = {name for name, module in net.named_modules() if is_norm(module)}
    linear = [name for name, module in net.named_modules() if isinstance(module, nn.Linear)]

    def is_in(name: str, axes: int) -> bool:
        owner, _, own = name.rpartition(".")
        return {
            "all": True,
            "weights": axes >= 2 and owner not in norms,
            "gamma": owner in norms and own == "weight",
            "layers": owner not in norms,
            "head": linear[-1:] == [owner],
        }[part]

    found = tuple(name for name, p in net.named_parameters() if is_in(name, p.ndim))
    require(found, f"this {type(net).__name__} has no parameters in the part {part!r}.")
    return found
