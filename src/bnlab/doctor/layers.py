"""The normalizers of a model, as the doctor looks at them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from bnlab.norms import GroupNorm, InstanceNorm, NoNorm, Normalizer
from bnlab.norms.layouts import ChannelsLast, Positions
from bnlab.norms.replace import is_norm
from bnlab.norms.running import RunningNormalizer
from bnlab.norms.sync import SyncBatchNorm

CHANNELS_FIRST = (
    *(nn.GroupNorm, nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d),
    *(GroupNorm, InstanceNorm),
)


@dataclass(frozen=True, eq=False)
class Norm:
    """A normalizer in a model.

    Attributes:
        name: where it is.
        module: the layer.
        of_batch: whether it computes statistics over the samples of a batch in training mode.
    """

    name: str
    module: nn.Module
    of_batch: bool

    @property
    def from_batch(self) -> bool:
        """Whether it normalizes with statistics of the batch in its mode of now."""
        return self.of_batch and (self.module.training or not self.tracks)

    @property
    def tracks(self) -> bool:
        """Whether it keeps running statistics."""
        return bool(self.running)

    @property
    def moves(self) -> bool:
        """Whether a forward pass changes its running statistics now."""
        return self.tracks and self.module.training and self.momentum != 0

    @property
    def running(self) -> dict[str, Tensor]:
        """The running statistics by name."""
        if not self.of_batch:
            return {}
        buffers = self.module.named_buffers(recurse=False)
        return {name: buffer for name, buffer in buffers if name.startswith("running_")}

    @property
    def batches(self) -> int | None:
        """How many batches the running statistics have seen; None if it does not count them."""
        count = getattr(self.module, "num_batches_tracked", None)
        return int(count) if isinstance(count, Tensor) else None

    @property
    def at_start(self) -> bool:
        """Whether the running statistics are those of a new layer: mean 0, variance 1."""
        starts = {name: float(name != "running_mean") for name in self.running}
        same = (bool((value == starts[name]).all()) for name, value in self.running.items())
        return all(same) and not self.batches

    @property
    def momentum(self) -> float | None:
        """The weight of the newest batch; None for a plain average of all."""
        return self.module.momentum

    @property
    def eps(self) -> float:
        """What is added to the variance."""
        return float(self.module.eps)

    @property
    def parameters(self) -> dict[str, nn.Parameter]:
        """Its own parameters by their names in it."""
        return dict(self.module.named_parameters(recurse=False))

    @property
    def learned(self) -> bool:
        """Whether its bias was trained: a new one is the same in each channel."""
        bias = self.parameters.get("bias")
        return bias is not None and bias.numel() > 1 and bool((bias != bias.flatten()[0]).any())

    @property
    def channels_first(self) -> bool:
        """Whether axis 1 of its input holds the channels."""
        return self.of_batch or isinstance(self.module, CHANNELS_FIRST)

    @property
    def activates(self) -> bool:
        """Whether it contains a nonlinearity."""
        act = getattr(self.module, "act", None)
        has_act = isinstance(act, nn.Module) and not isinstance(act, nn.Identity)
        return has_act or bool(getattr(self.module, "activates", False))


def norms_of(model: nn.Module) -> list[Norm]:
    """The normalizers of a model, each once, in its order."""
    return [
        Norm(name, module, _of_batch(module))
        for name, module in model.named_modules()
        if (is_norm(module) or _of_batch(module))
        and not isinstance(module, ChannelsLast | Positions | NoNorm)
    ]


def _of_batch(module: nn.Module) -> bool:
    if isinstance(module, Normalizer):
        return isinstance(module, RunningNormalizer | SyncBatchNorm)
    return isinstance(module, _BatchNorm)


def has_uninitialized(model: nn.Module) -> bool:
    """Whether a lazy module waits for its first input."""
    lazy = torch.nn.parameter.UninitializedTensorMixin
    return any(isinstance(item, lazy) for item in (*model.parameters(), *model.buffers()))
