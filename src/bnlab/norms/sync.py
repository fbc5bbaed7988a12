"""Batch Normalization over the batches of several processes."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor

from bnlab.norms.base import Normalizer
from bnlab.norms.functional import per_channel, scale_shift
from bnlab.norms.renew import renew
from bnlab.norms.running import drop_counter


class _SumOverProcesses(torch.autograd.Function):
    """Sum of a tensor over all processes; its gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx, x: Tensor) -> Tensor:
        total = x.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx, grad: Tensor) -> Tensor:
        return _SumOverProcesses.apply(grad.contiguous())


class SyncBatchNorm(Normalizer):
    r"""Batch Normalization with one mean and variance a channel over the batches of all processes.

    With k processes of batches B_1 ... B_k this equals BatchNorm on the joined batch, output,
    input gradient (of the sum of all losses) and running statistics alike, also when the batches
    differ in size. Forward, the sums and the counts are added up over the processes, then the
    squared distances from the joint mean; backward, the gradients of both. Parameter gradients are
    those of the own samples: their sum over the processes is that of the joined batch
    (``DistributedDataParallel`` takes the average).

    ``torch.nn.SyncBatchNorm`` computes the same, on accelerators only; this class is made of
    primitive operations and works wherever the process group does: ``gloo`` on the CPU. Without a
    process group it is BatchNorm. Evaluation mode needs no other process.

    Args:
        num_features: C.
        eps: added to the *biased* variance.
        momentum: weight of the newest batch in the running statistics, whose variance is *unbiased*
            over the joined batch.
        affine: learn weight and bias.

    Shape:
        (N, C) or (N, C, H, W), in and out; N may differ between processes. All must call it the
        same number of times, or they wait for each other until the process group's timeout.

    Raises:
        ValueError: in training mode with one value a channel and one process.
    """

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool = True
    ) -> None:
        super().__init__(num_features, eps, affine)
        if momentum is None or not 0 <= momentum <= 1:
            raise ValueError(f"momentum must be between 0 and 1, got {momentum!r}.")
        self.momentum = momentum
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Set parameters and statistics to where they start, as after ``to_empty``."""
        super().reset_parameters()
        self.running_mean.zero_()
        self.running_var.fill_(1.0)

    def _load_from_state_dict(
        self, state_dict: dict[str, Tensor], prefix: str, *more: object
    ) -> None:
        drop_counter(self, state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *more)

    def forward(self, x: Tensor) -> Tensor:
        """Normalize ``x``; in training mode with all processes, moving the running statistics."""
        self.check(x)
        if self.training:
            mean, var = self._statistics(x)
        else:
            mean, var = self.running_mean, self.running_var
        scale = per_channel((var + self.eps).rsqrt(), x)
        return scale_shift(x - per_channel(mean, x), scale, *self._affine_for(x))

    def _statistics(self, x: Tensor) -> tuple[Tensor, Tensor]:
        alone = not (dist.is_available() and dist.is_initialized()) or dist.get_world_size() == 1
        count = x.numel() // self.num_features
        if alone and count == 1:
            raise ValueError(
                "SyncBatchNorm in training mode needs more than one value a channel, got shape "
                f"{tuple(x.shape)} and one process. Use a larger batch, or call model.eval() first."
            )
        total = (lambda v: v) if alone else _SumOverProcesses.apply
        others = (0, *range(2, x.ndim))
        sums = total(torch.cat([x.sum(others), x.new_tensor([count])]))
        m = sums[-1].detach()
        mean = sums[:-1] / m
        # Distances from the joint mean: sums of squares would cancel when the mean is large.
        var = total((x - per_channel(mean, x)).square().sum(others)) / m
        a = self.momentum
        renew(self, "running_mean", (1 - a) * self.running_mean + a * mean.detach())
        renew(self, "running_var", (1 - a) * self.running_var + a * m / (m - 1) * var.detach())
        return mean, var

    def extra_repr(self) -> str:
        """The arguments, as torch's own layers print them."""
        return f"{super().extra_repr()}, momentum={self.momentum}"
