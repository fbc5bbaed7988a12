"""The normalizers of a model, as the doctor looks at them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from bnlab.norms import NoNorm, Normalizer, NormReading
from bnlab.norms.layouts import ChannelsLast, Positions
from bnlab.norms.reading import CannotReadError, reading_of
from bnlab.norms.replace import is_norm
from bnlab.norms.running import RunningNormalizer
from bnlab.norms.sync import SyncBatchNorm

UNKNOWN = "unknown"


@dataclass(frozen=True, eq=False)
class Norm:
    """A normalizer in a model, of torch, of bnlab, or of a class that ``register_norm`` knows.

    Attributes:
        name: where it is.
        module: the layer.
        kind: ``batch`` if it computes statistics over the samples of a batch in training mode;
            else another kind of ``NormReading``, or ``UNKNOWN``.
        axis: of the channels, 1 or -1.
        reading: what the reader of its class says; None for bnlab's own, and for unknown ones.
    """

    name: str
    module: nn.Module
    kind: str
    axis: int
    reading: NormReading | None = None

    @property
    def of_batch(self) -> bool:
        """Whether it computes statistics over the samples of a batch in training mode."""
        return self.kind == "batch"

    @property
    def from_batch(self) -> bool:
        """Whether it normalizes with statistics of the batch in its mode of now."""
        return self.of_batch and (self.module.training or not self.tracks)

    @property
    def tracks(self) -> bool:
        """Whether it keeps running statistics."""
        return bool(self.running)

    @property
    def running(self) -> dict[str, Tensor]:
        """The running statistics by name."""
        if not self.of_batch:
            return {}
        if self.reading:
            stored = self.reading.statistics.items()
        else:
            stored = self.module.named_buffers(recurse=False)
        return {k: v for k, v in stored if k.startswith("running_") and v is not None}

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
        reading = self.reading
        return reading.momentum if reading else self.module.momentum

    @property
    def eps(self) -> float:
        """What is added to the variance."""
        reading = self.reading
        return float(reading.eps if reading else self.module.eps)

    @property
    def num_features(self) -> int | None:
        """The number of channels."""
        reading = self.reading
        return reading.num_features if reading else getattr(self.module, "num_features", None)

    @property
    def centres(self) -> bool:
        """Whether it subtracts the batch's mean of each channel."""
        return self.of_batch and (self.reading is not None or hasattr(self.module, "running_mean"))

    @property
    def parameters(self) -> dict[str, nn.Parameter]:
        """Its own parameters by their names in it."""
        return dict(self.module.named_parameters(recurse=False))

    @property
    def weight(self) -> Tensor | None:
        """Gamma, as it is applied."""
        reading = self.reading
        return reading.parameters.get("weight") if reading else self.parameters.get("weight")

    @property
    def bias(self) -> Tensor | None:
        """Beta."""
        reading = self.reading
        return reading.parameters.get("bias") if reading else self.parameters.get("bias")

    @property
    def learned(self) -> bool:
        """Whether its bias was trained: a new one is the same in each channel."""
        bias = self.bias
        return bias is not None and bias.numel() > 1 and bool((bias != bias.flatten()[0]).any())

    @property
    def activates(self) -> bool:
        """Whether it contains a nonlinearity."""
        reading = self.reading
        after = reading.after.values() if reading else ()
        drops = nn.modules.dropout._DropoutNd
        own = bool(getattr(self.module, "activates", False))
        return own or any(not isinstance(module, drops) for module in after)


def norms_of(model: nn.Module) -> list[Norm]:
    """The normalizers of a model, each once, in its order."""
    return [
        _norm(name, module)
        for name, module in model.named_modules()
        if not isinstance(module, ChannelsLast | Positions | NoNorm)  # they hold one, or are none
        if is_norm(module) or isinstance(module, _BatchNorm)
    ]


def _norm(name: str, module: nn.Module) -> Norm:
    if isinstance(module, Normalizer):
        of_batch = isinstance(module, RunningNormalizer | SyncBatchNorm)
        return Norm(name, module, "batch" if of_batch else UNKNOWN, 1)
    try:
        reading = reading_of(module)
    except CannotReadError:  # such as a class that changes torch's
        return Norm(
            name, module, *(("batch", 1) if isinstance(module, _BatchNorm) else (UNKNOWN, -1))
        )
    kind = UNKNOWN if reading.kind == "batch" and reading.frozen else reading.kind
    return Norm(name, module, kind, reading.axis, reading)


def has_uninitialized(model: nn.Module) -> bool:
    """Whether a lazy module waits for its first input."""
    lazy = torch.nn.parameter.UninitializedTensorMixin
    return any(isinstance(item, lazy) for item in (*model.parameters(), *model.buffers()))
