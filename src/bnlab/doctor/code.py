"""Code that readers can type, for the repairs that several findings share."""

from __future__ import annotations

from collections.abc import Sequence

from bnlab.doctor.layers import Norm
from bnlab.norms import Normalizer

GROUPS = """\
import math
for parent in list(model.modules()):
    for name, norm in list(parent.named_children()):
        if isinstance(norm, nn.modules.batchnorm._BatchNorm):
            channels = norm.num_features
            groups = math.gcd(channels, max(1, channels // 16))  # about 16 channels a group
            new = nn.GroupNorm(groups, channels, norm.eps)
            setattr(parent, name, new.to(next(model.parameters())))"""

OWN_GROUPS = """\
from bnlab.norms import swap_norms
model = swap_norms(model, "layer")"""

RECOMPUTE = "torch.optim.swa_utils.update_bn(loader, model)"

OWN_RECOMPUTE = """\
from bnlab.norms import recompute_statistics
recompute_statistics(model, loader)"""


def group_norms(norms: Sequence[Norm]) -> str:
    """GroupNorm in place of every BatchNorm."""
    return OWN_GROUPS if _own(norms) else GROUPS


def recompute(norms: Sequence[Norm], by_name: bool) -> str:
    """Running statistics computed anew; torch's own function knows only its own layers.

    Args:
        norms: the normalizers.
        by_name: whether the batches are dicts, which torch's function does not take.
    """
    return OWN_RECOMPUTE if by_name or _own(norms) else RECOMPUTE


def for_each(norms: Sequence[Norm], *lines: str) -> str:
    """Lines of code for each of the layers, as ``layer``."""
    names = names_code([norm.name for norm in norms])
    body = "".join(f"\n    {line}" for line in lines)
    return f"for name in {names}:\n    layer = model.get_submodule(name){body}"


def _own(norms: Sequence[Norm]) -> bool:
    return any(isinstance(norm.module, Normalizer) for norm in norms)


def names_code(layers: tuple[str, ...] | list[str]) -> str:
    """The names as a Python list, for code; long ones are broken into lines."""
    row = ", ".join(f'"{name}"' for name in layers)
    if len(row) < 70:
        return f"[{row}]"
    return "[\n" + "".join(f'    "{name}",\n' for name in layers) + "]"
