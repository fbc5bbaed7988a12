"""Normalizers with running statistics: what evaluation mode puts in place of the batch's own."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from bnlab.errors import check_number
from bnlab.norms.base import Normalizer
from bnlab.norms.renew import renew


class RunningNormalizer(Normalizer):
    """Base of the normalizers that use statistics of the batch in training mode.

    A running statistic follows ``s <- (1 - momentum) * s + momentum * (that of the batch)``. It
    changes in place, as in torch's layers. The states of torch's layers can be loaded.

    Helpers that look for ``torch.nn.modules.batchnorm._BatchNorm`` pass over these classes without
    a word: instead of ``torch.optim.swa_utils.update_bn`` call ``recompute_statistics``, instead of
    ``SyncBatchNorm.convert_sync_batchnorm`` use ``bnlab.norms.sync``.

    Args:
        num_features: C.
        eps: keeps the divisor away from zero.
        momentum: weight of the newest batch in the running statistics (torch's convention).
        affine: learn weight and bias.
        track_running_stats: keep running statistics; without them the batch's own are used in
            evaluation mode too.
        native: use torch's fused kernel.
    """

    uses_batch: ClassVar[bool] = True

    starts: ClassVar[dict[str, float]] = {"running_mean": 0.0, "running_var": 1.0}
    """Running statistics, of shape (C,) each, and where they start."""

    counted: ClassVar[dict[str, int]] = {"num_batches_tracked": 0, "noise_step": 0}

    reads_statistics: ClassVar[bool] = False
    """Whether the output depends on them in training mode too."""

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        native: bool = False,
    ) -> None:
        super().__init__(num_features, eps, affine, native=native)
        check_number("momentum", momentum, 0, 1)
        self.momentum = momentum
        self.track_running_stats = track_running_stats
        self.recomputing = False  # set by ``recompute_statistics``: no noise, no correction
        for name, start in self.starts.items():
            value = torch.full((num_features,), start) if track_running_stats else None
            self.register_buffer(name, value)

    @property
    def from_batch(self) -> bool:
        """Whether the statistics of the batch are used now."""
        return self.training or not self.track_running_stats

    def check(self, x: Tensor) -> None:
        """Raise a clear error as all normalizers do, and for a batch that has no statistics."""
        super().check(x)
        if self.from_batch and self._values_pooled(x) == 1:
            mode, way = "in training mode", "call model.eval() first"
            if not self.track_running_stats:
                mode = "without running statistics, in evaluation mode too,"
                way = "make it with track_running_stats=True"
            raise ValueError(
                f"{type(self).__name__} {mode} needs more than one value a channel, got "
                f"shape {tuple(x.shape)}. Use a larger batch, or {way}."
            )

    def _values_pooled(self, x: Tensor) -> int:
        return x.numel() // self.num_features

    def _follow(self, **statistics: Tensor) -> None:
        if not (self.training and self.track_running_stats):
            return
        for name, value in statistics.items():
            new = value.detach().flatten().to(self._buffers[name].dtype)
            renew(self, name, new, self.momentum, self.reads_statistics)

    @torch.no_grad()
    def reset_running_stats(self) -> None:
        """Set the running statistics to where they start, and what counts steps to 0."""
        for name, start in {**self.starts, **self.counted}.items():
            if self._buffers.get(name) is not None:
                renew(self, name, torch.full_like(self._buffers[name], start))

    def reset_parameters(self) -> None:
        """Set parameters and statistics to where they start, as after ``to_empty``."""
        super().reset_parameters()
        self.reset_running_stats()

    def _load_from_state_dict(
        self, state_dict: dict[str, Tensor], prefix: str, *more: object
    ) -> None:
        drop_counter(self, state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *more)

    def averaged(self) -> dict[str, Tensor]:
        """The running statistics, in a form of which an average over batches makes sense."""
        return {name: getattr(self, name) for name in self.starts}

    def set_averaged(self, values: dict[str, Tensor]) -> None:
        """Take over what ``averaged`` gives."""
        for name, value in values.items():
            renew(self, name, value)

    def extra_repr(self) -> str:
        """The arguments, as torch's own layers print them."""
        return f"{super().extra_repr()}, momentum={self.momentum}"


def drop_counter(module: Normalizer, state_dict: dict[str, Tensor], prefix: str) -> None:
    """Take torch's count of batches out of a state for a normalizer that does not count them."""
    if "num_batches_tracked" not in module._buffers:
        state_dict.pop(f"{prefix}num_batches_tracked", None)


def batch_dims(x: Tensor) -> tuple[int, ...]:
    """All axes but that of the channels: (0,) or (0, 2, 3)."""
    return (0,) if x.ndim == 2 else (0, 2, 3)


def unbiased(var: Tensor, m: int) -> Tensor:
    """The unbiased variance from the biased one of ``m`` values."""
    return var * (m / (m - 1))
