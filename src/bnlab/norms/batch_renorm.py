"""Batch Renormalization, and the schedule of its limits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar, TypeVar

import torch
from torch import Tensor

from bnlab.errors import check_number
from bnlab.norms.functional import moments, per_channel, scale_shift
from bnlab.norms.renew import renew
from bnlab.norms.running import RunningNormalizer, batch_dims

Number = TypeVar("Number", float, Tensor)


@dataclass(frozen=True)
class RenormSchedule:
    """How far Batch Renormalization may correct the batch's statistics, step by step.

    Up to step ``warmup`` the limits are (1, 0): BatchNorm. From there they grow linearly, r to
    ``r_max`` at step ``r_end`` and d to ``d_max`` at step ``d_end``, and stay. The defaults are the
    paper's numbers; that the growth is linear is the choice of those who wrote it down as code.

    Source: Ioffe 2017, arXiv 1702.03275, section 4.1.

    Args:
        warmup: steps of plain BatchNorm.
        r_end: step at which r has its largest range.
        d_end: step at which d has its largest range.
        r_max: r ends up between 1 / r_max and r_max.
        d_max: d ends up between -d_max and d_max.

    Raises:
        ValueError: for steps that are no integers or out of order, or limits out of range.

    Example:
        >>> [RenormSchedule(100, 300, 200, 3.0, 5.0).at(step) for step in (0, 200, 400)]
        [(1.0, 0.0), (2.0, 5.0), (3.0, 5.0)]
    """

    warmup: int = 5000
    r_end: int = 40000
    d_end: int = 25000
    r_max: float = 3.0
    d_max: float = 5.0

    def __post_init__(self) -> None:
        for name in ("warmup", "r_end", "d_end"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise ValueError(
                    f"{name} of a RenormSchedule must be a number of steps, got {value!r}."
                )
        if min(self.r_end, self.d_end) <= self.warmup:
            raise ValueError(
                f"r_end and d_end of a RenormSchedule must come after warmup={self.warmup}, "
                f"got {self.r_end} and {self.d_end}."
            )
        check_number("r_max of a RenormSchedule", self.r_max, 1)
        check_number("d_max of a RenormSchedule", self.d_max, 0)

    def at(self, step: int | Tensor) -> tuple[Number, Number]:
        """The limits (r_max, d_max) for the update that follows ``step`` earlier ones.

        Args:
            step: a number, or a tensor of them: then the limits are tensors.
        """
        r_share = _share(step, self.warmup, self.r_end)
        return 1.0 + (self.r_max - 1.0) * r_share, self.d_max * _share(
            step, self.warmup, self.d_end
        )


def _share(step: int | Tensor, start: int, end: int) -> Number:
    share = (step - start) / (end - start)
    return share.clamp(0, 1) if isinstance(share, Tensor) else min(max(share, 0.0), 1.0)


class BatchRenorm(RunningNormalizer):
    r"""Batch Renormalization: BatchNorm, corrected so that training sees what evaluation computes.

    In training mode, with the mean and the deviation sd_B = sqrt(var + eps) of the batch (*biased*
    var, over (N,) or (N, H, W)), and the running mean mu and deviation sd *before* their update,

        r = clip(sd_B / sd, 1 / r_max, r_max),    d = clip((mean - mu) / sd, -d_max, d_max),
        y = weight * ((x - mean) / sd_B * r + d) + bias,
        mu <- (1 - momentum) * mu + momentum * mean,
        sd <- (1 - momentum) * sd + momentum * sd_B.

    r and d count as constants: no gradient passes through them. Without limits (None), y is
    weight * (x - mu) / sd + bias, the function of evaluation mode; with r_max = 1 and d_max = 0 it
    is BatchNorm. It is the deviation that is averaged, not the variance. ``running_var`` holds
    sd^2 - eps, so that sd = sqrt(running_var + eps), and state dicts fit BatchNorm's.

    Source: Ioffe 2017, arXiv 1702.03275, algorithm 1. Keras 2 (``renorm=True``) has no limits by
    default, and keeps a second pair of averages for r and d.

    Args:
        num_features: C.
        eps: added to the variance.
        momentum: weight of the newest batch in the running statistics; the paper's 0.01.
        affine: learn weight and bias.
        r_max: limit of r, at least 1; None: r is not clipped.
        d_max: limit of d, zero or positive; None: d is not clipped.
        schedule: a ``RenormSchedule``, or a dict of its fields; it gives r_max and d_max for the
            step, which ``num_batches_tracked`` counts.
        native: accepted as by all normalizers; torch has no such kernel.

    Shape:
        (N, C) or (N, C, H, W), in and out. ``running_mean``, ``running_var``: (C,).

    Raises:
        ValueError: in training mode with one value a channel (N*H*W = 1); for limits beside a
            schedule.

    Example:
        >>> x = torch.tensor([[1.0], [3.0]])
        >>> BatchRenorm(1, eps=0.0, r_max=None, d_max=None)(x).tolist()
        [[1.0], [3.0]]
    """

    reads_statistics: ClassVar[bool] = True

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.01,
        affine: bool = True,
        r_max: float | None = 3.0,
        d_max: float | None = 5.0,
        schedule: RenormSchedule | Mapping[str, float] | None = None,
        *,
        native: bool = False,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, native=native)
        self.r_max = math.inf if r_max is None else r_max
        self.d_max = math.inf if d_max is None else d_max
        check_number("r_max", self.r_max, 1, finite=False)
        check_number("d_max", self.d_max, 0, finite=False)
        self.schedule = _as_schedule(schedule)
        if self.schedule is not None:
            if (r_max, d_max) != (3.0, 5.0):
                raise ValueError(
                    "r_max and d_max belong inside of the schedule where there is one."
                )
            self.register_buffer("num_batches_tracked", torch.tensor(0))

    def _normalize(self, x: Tensor) -> Tensor:
        mu = per_channel(self.running_mean, x)
        sd = per_channel((self.running_var + self.eps).sqrt(), x)
        if not self.training:
            return scale_shift(x - mu, sd.reciprocal(), *self._affine_for(x))
        centred, mean, var = moments(x, batch_dims(x))
        of_batch = (var + self.eps).sqrt()
        r, d = self._correction(mean.detach(), of_batch.detach(), mu, sd)
        self._move(mean, of_batch, sd)
        weight, bias = self._affine_for(x)
        shift = d if weight is None else d * weight
        return scale_shift(centred, r / of_batch, weight, shift if bias is None else shift + bias)

    def _limits(self, like: Tensor) -> tuple[Tensor | float, Tensor | float]:
        if self.schedule is None:
            return self.r_max, self.d_max
        return self.schedule.at(self.num_batches_tracked.to(like.dtype))

    def _correction(
        self, mean: Tensor, of_batch: Tensor, mu: Tensor, sd: Tensor
    ) -> tuple[Tensor, Tensor]:
        if self.recomputing:
            return torch.ones_like(sd), torch.zeros_like(mu)
        r_max, d_max = self._limits(sd)
        return (of_batch / sd).clamp(1 / r_max, r_max), ((mean - mu) / sd).clamp(-d_max, d_max)

    def _move(self, mean: Tensor, of_batch: Tensor, sd: Tensor) -> None:
        new = torch.lerp(sd, of_batch.detach().to(sd.dtype), self.momentum).flatten()
        self._follow(running_mean=mean)
        # Rounding must not make it negative.
        var = (new.square() - self.eps).clamp(min=0).to(self.running_var.dtype)
        renew(self, "running_var", var, is_read=True)
        if self.schedule is not None and not self.recomputing:
            renew(self, "num_batches_tracked", self.num_batches_tracked + 1, is_read=True)

    def averaged(self) -> dict[str, Tensor]:
        """The running mean and deviation: not the variance is averaged here."""
        deviation = (self.running_var + self.eps).sqrt()
        return {"running_mean": self.running_mean, "deviation": deviation}

    def set_averaged(self, values: dict[str, Tensor]) -> None:
        """Take over what ``averaged`` gives."""
        renew(self, "running_mean", values["running_mean"])
        renew(self, "running_var", (values["deviation"].square() - self.eps).clamp(min=0))

    def extra_repr(self) -> str:
        """The arguments, as torch's own layers print them."""
        limits = f"r_max={self.r_max}, d_max={self.d_max}"
        return f"{super().extra_repr()}, {limits if self.schedule is None else self.schedule}"


def _as_schedule(schedule: object) -> RenormSchedule | None:
    if schedule is None or isinstance(schedule, RenormSchedule):
        return schedule
    fields = asdict(RenormSchedule())
    if not isinstance(schedule, Mapping) or not set(schedule) <= set(fields):
        raise ValueError(
            f"schedule must be a RenormSchedule or a dict of {', '.join(fields)}, got {schedule!r}."
        )
    return RenormSchedule(**schedule)
