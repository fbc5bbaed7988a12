"""Statistics of the batch, held constant: numbers instead of functions of the weights."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from bnlab.norms import BatchNorm, EvoNormB0, L1BatchNorm, L2BatchNorm, LInfBatchNorm, VarianceNorm
from bnlab.norms.base import HALF, Normalizer
from bnlab.norms.functional import moments
from bnlab.norms.running import RunningNormalizer
from bnlab.norms.sync import SyncBatchNorm

# Evaluation mode with the batch's statistics in the buffers gives their training output.
HELD = (BatchNorm, VarianceNorm, L1BatchNorm, L2BatchNorm, LInfBatchNorm, EvoNormB0)


@contextlib.contextmanager
def held_statistics(net: nn.Module) -> Iterator[None]:
    """Forward passes inside compute the same numbers, but the batch's statistics get no gradient.

    Each normalizer whose output depends on the other samples puts mean and biased variance of what
    comes in into its buffers, and then works as in evaluation mode. To be used inside of
    ``untouched(net)``, which gives modes and buffers back.

    Raises:
        ValueError: for normalizers whose training mode is more than that: ``ghost_batch``,
            ``noisy_batch``, ``batch_renorm``, ``SyncBatchNorm`` of this package.
    """
    norms = {name: module for name, module in net.named_modules() if _uses_batch(module)}
    refused = [name or type(norm).__name__ for name, norm in norms.items() if not _can_hold(norm)]
    if refused:
        raise ValueError(
            f"the batch statistics of {', '.join(refused)} cannot be held constant; that is "
            "defined for BatchNorm of torch and of bnlab, variance, l1_batch, l2_batch, linf_batch "
            "and evonorm_b0. Use batch_statistics='backpropagated', or mode='eval'."
        )
    flags = [
        (norm, norm.track_running_stats)
        for norm in norms.values()
        if isinstance(norm, RunningNormalizer)
    ]
    hooks = [norm.register_forward_pre_hook(_hold) for norm in norms.values()]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
        for norm, flag in flags:
            norm.track_running_stats = flag


def _uses_batch(module: nn.Module) -> bool:
    # In the mode in which it is now.
    if isinstance(module, RunningNormalizer):
        return module.from_batch
    if isinstance(module, _BatchNorm):
        return module.training or module.running_mean is None
    return isinstance(module, SyncBatchNorm) and module.training


def _can_hold(norm: nn.Module) -> bool:
    return type(norm) in HELD if isinstance(norm, Normalizer) else isinstance(norm, _BatchNorm)


def _hold(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    x = inputs[0].detach()
    if x.numel() == x.shape[1]:
        raise ValueError(
            f"{type(norm).__name__} in training mode needs more than one value a channel, got "
            f"shape {tuple(x.shape)}. Use a larger batch, or mode='eval'."
        )
    x = x.float() if x.dtype in HALF else x
    dims = (0, *range(2, x.ndim))
    _, mean, var = moments(x, dims)
    values = {"running_mean": mean, "running_var": var}
    if isinstance(norm, L1BatchNorm | L2BatchNorm | LInfBatchNorm):
        values["running_norm"] = norm._norm(x, dims)
    names = norm.starts if isinstance(norm, RunningNormalizer) else ("running_mean", "running_var")
    for name in names:
        norm._buffers[name] = values[name].flatten()
    norm.training = False
    if isinstance(norm, RunningNormalizer):
        norm.track_running_stats = True
