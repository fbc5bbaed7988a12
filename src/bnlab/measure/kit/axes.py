"""On which axis a layer has its channels, or features: by rule, and never by a silent guess.

The rule, in this order:

1. What has two axes, (N, C), has them on the last.
2. Linear layers, embeddings, LayerNorm and RMSNorm of torch, its recurrent layers and transformers:
   on the last. Convolutions, torch's BatchNorm, GroupNorm and InstanceNorm, the normalizers and
   blocks of this package: on axis 1. So are other layers with a kernel of three axes or more; those
   with a matrix have them on the last. A class made from LayerNorm may have moved them: its size
   decides then, as below.
3. Any other module, such as a nonlinearity or a block of the user's: where the number of channels
   is that of the layer of the kinds above that ran last, in the module or before it. If that fits
   axis 1 and the last one alike, the axis of that layer; but if in the module there are layers of
   both sorts, it is left open.
4. If no such layer ran before it, (N, C, H, W) and more axes: axis 1. Three axes: left open.

Where the axis is left open, a measurement that needs it asks for ``channel_axis``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd
from torch.utils.hooks import RemovableHandle

from bnlab.arguments import require
from bnlab.measure.kit.inputs import tensors_in
from bnlab.measure.kit.layers import BLOCKS
from bnlab.nets.binarize import FilterConv
from bnlab.norms.base import Normalizer

FIRST = (_ConvNd, _NormBase, nn.GroupNorm, FilterConv, Normalizer, *BLOCKS)
LAST = (
    *(nn.Linear, nn.Bilinear, nn.Embedding, nn.EmbeddingBag, nn.LayerNorm, nn.RNNBase),
    *(nn.TransformerEncoderLayer, nn.TransformerDecoderLayer),
    *((nn.RMSNorm,) if hasattr(nn, "RMSNorm") else ()),  # torch 2.4
)
Seen = tuple[int, int]
"""What a layer of a known kind gave: the axis of its channels, 1 or -1, and how many they are."""


def known_axis(module: nn.Module) -> int | None:
    """The axis by the kind of module, 1 or -1; None for other kinds."""
    if isinstance(module, FIRST):
        return 1
    if isinstance(module, LAST):
        return -1
    weight = module._parameters.get("weight")
    if any(module.children()) or not isinstance(weight, Tensor) or weight.ndim < 2:
        return None
    return 1 if weight.ndim > 2 else -1


def is_known(module: nn.Module) -> bool:
    """Whether the kind of module decides alone."""
    moved = isinstance(module, nn.LayerNorm) and type(module) is not nn.LayerNorm
    return known_axis(module) is not None and not moved


def find_axis(module: nn.Module, shape: Sequence[int], seen: Sequence[Seen], inner: int) -> int:
    """The axis of the channels, 1 or more, by the rule of this module; 0 where it is left open.

    Args:
        module: the layer.
        shape: of what it gives, or takes.
        seen: the layers of known kinds that ran so far.
        inner: how many of these, from the end, ran inside of the module.
    """
    last = len(shape) - 1
    if last == 1:
        return 1
    if is_known(module):
        return 1 if known_axis(module) == 1 else last
    if isinstance(module, nn.LayerNorm):
        seen, inner = [(-1, module.normalized_shape[-1])], 0
    if not seen:
        return 1 if last > 2 else 0
    axis, count = seen[-1]
    fits = [place for place in (1, last) if shape[place] == count]
    if len(fits) == 1:
        return fits[0]
    if len({one for one, _ in seen[len(seen) - inner :]}) > 1:
        return 0
    return 1 if axis == 1 else last


class Trail:
    """The layers of known kinds that have run so far, seen by hooks.

    Args:
        given: the axis that the user has named for all layers; None: by the rule.
    """

    def __init__(self, given: int | None) -> None:
        self.given = given
        self.seen: list[Seen] = []

    def hooks(self, net: nn.Module, modules: Iterable[nn.Module]) -> list[RemovableHandle]:
        """Follow the passes of the net, if one of these modules is of no known kind."""
        if all(is_known(module) for module in modules):
            return []
        known = [module for module in net.modules() if known_axis(module) is not None]
        return [module.register_forward_hook(self._note) for module in known]

    def _note(self, module: nn.Module, _inputs: tuple, output: object) -> None:
        output = next(tensors_in(output), None)
        if output is not None and output.ndim > 1:
            axis = find_axis(module, output.shape, (), 0)
            self.seen.append((1 if axis == 1 else -1, output.shape[axis]))

    def find(self, module: nn.Module, tensor: Tensor, before: int) -> int:
        """The axis of the channels of what a module gives or takes; 0 where it is left open.

        Args:
            module: the layer.
            tensor: what it gives or takes.
            before: how many layers of known kinds had run when it began.

        Raises:
            ArgumentError: for a given axis that there is not.
        """
        if tensor.ndim < 2:
            return 0
        if self.given is None:
            return find_axis(module, tensor.shape, self.seen, len(self.seen) - before)
        place = self.given + tensor.ndim if self.given < 0 else self.given
        require(
            0 < place < tensor.ndim,
            f"channel_axis={self.given} is no axis of the channels in the shape "
            f"{tuple(tensor.shape)}: it may be 1 to {tensor.ndim - 1}, or -1; axis 0 is that of "
            "the samples.",
        )
        return place


def settled(axis: int, name: str, module: nn.Module, tensor: Tensor) -> int:
    """The axis, unless it is left open.

    Raises:
        ArgumentError: then; it says what to do.
    """
    require(
        axis,
        f"on which axis does layer {name!r} ({type(module).__name__}) have its channels, in the "
        f"shape {tuple(tensor.shape)}? Say so with channel_axis=1 or channel_axis=-1, or name "
        "other layers.",
    )
    return axis
