"""Which layers of a net to look at."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from torch import nn
from torch.nn.modules.conv import _ConvNd

from bnlab.errors import unknown
from bnlab.measure.kit.coverage import FROZEN, NOT_ASKED, Reason, covering, own
from bnlab.nets import Block
from bnlab.nets.binarize import FilterConv
from bnlab.nets.binary import BinaryBlock
from bnlab.nets.fixup import FixupBlock

Kinds = type[nn.Module] | tuple[type[nn.Module], ...]
Layers = Kinds | Sequence[str] | None

BLOCKS = (Block, BinaryBlock, FixupBlock)
"""The residual blocks of this package."""

WEIGHTED = (_ConvNd, nn.Linear, FilterConv)
"""The modules that begin a stage."""


def choose(net: nn.Module, layers: Layers) -> dict[nn.Module, str] | None:
    """The modules to look at, with their names; None for stages.

    Raises:
        ValueError: if the net has no such module.
    """
    if layers is None:
        found = _of_kind(net, BLOCKS)
        return found or None
    if isinstance(layers, type) or (isinstance(layers, tuple) and _all_types(layers)):
        kinds = layers if isinstance(layers, tuple) else (layers,)
        found = _of_kind(net, kinds)
        if not found:
            raise ValueError(
                f"the net has no module of kind {', '.join(kind.__name__ for kind in kinds)}."
            )
        return found
    names = [layers] if isinstance(layers, str) else list(layers)
    modules = dict(net.named_modules())
    for name in names:
        if name not in modules:
            raise ValueError(unknown("layer", name, [m for m in modules if m]))
    if not names:
        raise ValueError("layers must name at least one module, got none.")
    return {modules[name]: name for name in names}


def _all_types(layers: tuple) -> bool:
    return bool(layers) and all(isinstance(kind, type) for kind in layers)


def _of_kind(net: nn.Module, kinds: tuple[type[nn.Module], ...]) -> dict[nn.Module, str]:
    return {m: name for name, m in net.named_modules() if isinstance(m, kinds)}


def own_parameters(net: nn.Module) -> dict[str, list[nn.Parameter]]:
    """Parameters that require a gradient, by the name of the module that owns them.

    A parameter that several modules share belongs to the first.
    """
    seen: set[nn.Parameter] = set()
    found: dict[str, list[nn.Parameter]] = {}
    for name, module in net.named_modules():
        new = [p for p in module.parameters(recurse=False) if p.requires_grad and p not in seen]
        seen.update(new)
        if new:
            found[name] = new
    return found


def weighted_layers(net: nn.Module, layers: Layers = None) -> dict[str, list[nn.Parameter]]:
    """The ``own_parameters`` of the modules that own a matrix or kernel (two axes or more).

    Args:
        net: any module.
        layers: which of them: kinds, or names; a name stands for all modules in it. None: all.

    Raises:
        ValueError: if the net has none.
    """
    found = {
        name: each for name, each in own_parameters(net).items() if any(p.ndim >= 2 for p in each)
    }
    if not found:
        raise ValueError(
            "no weight matrix or kernel of this net requires a gradient. Call "
            "net.requires_grad_(True), or pass a net that has weights."
        )
    if layers is None:
        return found
    inside = {each for module in choose(net, layers) for each in module.modules()}
    modules = dict(net.named_modules())
    chosen = {name: each for name, each in found.items() if modules[name] in inside}
    if not chosen:
        raise ValueError("the layers have no weight matrix or kernel that requires a gradient.")
    return chosen


def by_weights(net: nn.Module, measured: Collection[str], layers: Layers) -> dict[str, object]:
    """The fields of ``Coverage`` of a measurement on the ``weighted_layers``."""

    def why(name: str, module: nn.Module) -> Reason:
        if not any(p.requires_grad for p in own(module)):
            return Reason(FROZEN)
        if not any(p.ndim >= 2 and p.requires_grad for p in own(module)):
            return Reason("it has no matrix or kernel that requires a gradient")
        return Reason(NOT_ASKED if layers is not None else "another module has the same weights")

    return covering(net, measured, why, inside=False)
