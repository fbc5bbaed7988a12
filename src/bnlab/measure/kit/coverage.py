"""Which modules with weights a measurement has looked at, and which it has left out, and why."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from torch import nn
from torch.nn.utils import parametrize

from bnlab.norms.base import Normalizer

ITSELF = "(the net itself)"
"""Where the parameters are that belong to no module in the net; no module can be called so."""

SCALES = (nn.LayerNorm, *((nn.RMSNorm,) if hasattr(nn, "RMSNorm") else ()), Normalizer)
"""Modules that may have a weight for each of several axes, and yet no matrix or kernel."""

FROZEN = "none of its parameters requires a gradient"
NOT_ASKED = "it is not among the layers that were asked for"


@dataclass(frozen=True, eq=False, kw_only=True)
class Coverage:
    """What every result has: the modules with weights that were looked at, and those that were not.

    Attributes:
        covered: names of the modules with parameters of their own that the numbers are about.
        left_out: names of all others, each with the reason. ("(the net itself)" has parameters that
            belong to no module in it.)
    """

    covered: tuple[str, ...] = field(default=(), repr=False, compare=False)
    left_out: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Reason:
    """Why a module was left out.

    Attributes:
        words: the reason, as a clause.
        told: whether the user is told at once, as one may not expect it.
    """

    words: str
    told: bool = False


NOT_CALLED = Reason(
    "the net does not call it: its weights are used by others, or by nothing", told=True
)


def covering(
    net: nn.Module,
    looked_at: Collection[str],
    why: Callable[[str, nn.Module], Reason],
    inside: bool = True,
) -> dict[str, object]:
    """The fields of ``Coverage``; a warning names what one may not expect to be left out.

    Args:
        net: the net that was measured.
        looked_at: names of modules that were looked at.
        why: the reason for any other module with parameters, by its name.
        inside: what is in a module that was looked at has been looked at too.
    """
    covered, left_out, told = [], {}, []
    looked_at = {_layer(name) for name in looked_at}
    modules = dict(net.named_modules())
    owners = (_layer(name) for name, module in modules.items() if own(module))
    for name in dict.fromkeys(owners):
        module, shown = modules[name], name or ITSELF
        if name in looked_at or (inside and _is_inside(name, looked_at)):
            covered.append(shown)
            continue
        reason = why(name, module)
        left_out[shown] = reason.words
        if reason.told:
            told.append(f"{shown} ({type(module).__name__}): {reason.words}")
    if told:
        more = f"; and {len(told) - 5} more" if len(told) > 5 else ""
        warnings.warn(
            f"Left out of this measurement, though there are weights in it: {'; '.join(told[:5])}"
            f"{more}. The result's left_out names all.",
            stacklevel=levels_to_the_user(),
        )
    return {"covered": tuple(covered), "left_out": left_out}


def levels_to_the_user() -> int:
    """The ``stacklevel`` of a warning: how many calls lie between here and the user's code."""
    frame, levels = sys._getframe(1), 1
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(("bnlab.", "contextlib")):
        frame, levels = frame.f_back, levels + 1
    return levels


def _is_inside(name: str, looked_at: Collection[str]) -> bool:
    # A parametrization belongs to its layer, and a layer to its block.
    return any(not one or name.startswith(f"{one}.") for one in looked_at)


def _layer(name: str) -> str:
    """A module by its name; of what parametrizes a layer, the layer."""
    if name.startswith("parametrizations."):
        return ""
    return name.partition(".parametrizations.")[0]


def own(module: nn.Module) -> list[nn.Parameter]:
    """The parameters of the module itself, those of what parametrizes it too."""
    found = [p for p in module._parameters.values() if p is not None]
    if parametrize.is_parametrized(module):
        found += module.parametrizations.parameters()
    return found


def by_gradient(net: nn.Module) -> dict[str, object]:
    """The fields of ``Coverage`` of a measurement along all parameters that require a gradient."""
    moved = {
        name for name, module in net.named_modules() if any(p.requires_grad for p in own(module))
    }
    return covering(net, moved, lambda *_: Reason(FROZEN), inside=False)


def owns_matrix(module: nn.Module) -> bool:
    """Whether a parameter of the module itself has two axes or more, and does not just scale."""
    if isinstance(module, SCALES):
        return False
    return any(p.ndim >= 2 for p in own(module))
