"""How the normalizers of torch, torchvision, timm and transformers are read.

Libraries are named, not imported. What a reader says of a foreign class is compared with what the
module computes, so that a class of the same name that computes something else is refused.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping

import torch
import torch.distributed as dist
from torch import Tensor, nn

from bnlab.norms.reading import CannotReadError, NormReading, Reader

BATCH = {
    nn.BatchNorm1d: (2, 3),
    nn.BatchNorm2d: (4,),
    nn.BatchNorm3d: (5,),
    nn.SyncBatchNorm: None,
}
# (C, L) would look like a batch.
INSTANCE = {nn.InstanceNorm1d: (3,), nn.InstanceNorm2d: (4,), nn.InstanceNorm3d: (5,)}
WEIGHTS, STATISTICS = ("weight", "bias"), ("running_mean", "running_var")


def _own(module: nn.Module, names: tuple[str, ...]) -> dict[str, Tensor | None]:
    return {name: getattr(module, name, None) for name in names}


def _after(module: nn.Module) -> Mapping[str, nn.Module]:
    # timm's, in the order in which it calls them.
    own = {name: getattr(module, name, None) for name in ("drop", "act")}
    return {n: m for n, m in own.items() if m is not None and not isinstance(m, nn.Identity)}


def _batch(module: nn.Module, axes: tuple[int, ...] | None) -> NormReading:
    statistics = _own(module, STATISTICS)
    kept = [name for name, value in statistics.items() if value is not None]
    if len(kept) == 1:
        raise CannotReadError(f"it has {kept[0]}, but not the other running statistic.")
    if kept and not module.track_running_stats:
        raise CannotReadError(
            "its track_running_stats was set to False although it has running statistics: torch "
            "uses them in evaluation mode and leaves them alone in training mode. Set it to True "
            "again, or take them away with running_mean = running_var = None."
        )
    several = dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
    if isinstance(module, nn.SyncBatchNorm) and several:
        raise CannotReadError("it pools the batches of several processes.")
    return NormReading(
        "batch",
        module.num_features,
        module.eps,
        _own(module, WEIGHTS),
        statistics if kept else {},
        axes=axes,
        momentum=module.momentum,
        after=_after(module),
    )


def _instance(module: nn.Module, axes: tuple[int, ...]) -> NormReading:
    statistics = _own(module, STATISTICS) if module.track_running_stats else {}
    return NormReading(
        "instance", module.num_features, module.eps, _own(module, WEIGHTS), statistics, axes=axes
    )


def _group(module: nn.GroupNorm) -> NormReading:
    return NormReading(
        "group",
        module.num_channels,
        module.eps,
        _own(module, WEIGHTS),
        num_groups=module.num_groups,
        after=_after(module),
    )


def _last_axis(module: nn.Module, kind: str) -> NormReading:
    if len(module.normalized_shape) != 1:
        raise CannotReadError(
            f"it normalizes the last {len(module.normalized_shape)} axes together, "
            f"{tuple(module.normalized_shape)}, with parameters for each position; "
            "only the last axis alone can be told to be the channels."
        )
    eps = module.eps
    if eps is None:  # torch's RMSNorm then takes the machine epsilon of its input
        dtype = torch.get_default_dtype() if module.weight is None else module.weight.dtype
        eps = torch.finfo(dtype).eps
    parameters, after = _own(module, WEIGHTS), _after(module)
    return NormReading(
        kind, module.normalized_shape[0], eps, parameters, axis=-1, axes=(3,), after=after
    )


def _each_position(module: nn.Module, kind: str) -> NormReading:
    # LayerNorm2d and its like: the channels on axis 1, each position by itself.
    of_last = vars(_last_axis(module, kind))
    return NormReading(**{**of_last, "axis": 1, "by_position": True, "axes": (4,)})


def _frozen(module: nn.Module) -> NormReading:
    return NormReading(
        "batch",
        module.running_mean.numel(),
        getattr(module, "eps", 1e-5),
        _own(module, WEIGHTS),
        _own(module, STATISTICS),
        axes=(4,),
        frozen=True,
        after=_after(module),
    )


@torch.no_grad()
def _rms(module: nn.Module) -> NormReading:
    weight = module.weight
    eps = next(getattr(module, n) for n in ("variance_epsilon", "eps") if hasattr(module, n))
    if not weight.is_meta:
        # Of ones it gives its factors: some, as Gemma's, store their distance from 1.
        factors = module(torch.ones_like(weight)[None])[0]
        if (factors - weight - 1).abs().max() < (factors - weight).abs().max():
            weight = nn.Parameter(weight + 1, weight.requires_grad)
    return NormReading("rms", weight.numel(), eps, {"weight": weight}, axis=-1, axes=(3,))


_LAYER, _RMS = (functools.partial(_last_axis, kind=kind) for kind in ("layer", "rms"))
_LAYER_2D, _RMS_2D = (functools.partial(_each_position, kind=kind) for kind in ("layer", "rms"))
_BATCH_2D = functools.partial(_batch, axes=(4,))

KNOWN: dict[type | str, Reader] = {
    **{cls: functools.partial(_batch, axes=axes) for cls, axes in BATCH.items()},
    **{cls: functools.partial(_instance, axes=axes) for cls, axes in INSTANCE.items()},
    nn.GroupNorm: _group,
    nn.LayerNorm: _LAYER,
    **({nn.RMSNorm: _RMS} if hasattr(nn, "RMSNorm") else {}),  # torch 2.4 brought it
    "*FrozenBatchNorm2d": _frozen,
    "torchvision.*.LayerNorm2d": _LAYER_2D,
    "timm.*.FrozenBatchNormAct2d": _frozen,
    **dict.fromkeys(("timm.*.BatchNormAct2d", "timm.*.SyncBatchNormAct"), _BATCH_2D),
    **{f"timm.*.LayerNorm{end}": _LAYER for end in ("", "Fp32", "Act")},
    **{f"timm.*.LayerNorm{end}": _LAYER_2D for end in ("2d", "2dFp32", "Exp2d", "Act2d")},
    **{f"timm.*.RmsNorm{end}": _RMS for end in ("", "Fp32", "Act")},
    **{f"timm.*.RmsNorm{end}": _RMS_2D for end in ("2d", "2dFp32", "Act2d")},
    **{f"timm.*.GroupNorm{end}": _group for end in ("", "1", "Act", "1Act")},
    **dict.fromkeys(("transformers.*RMSNorm", "transformers.*T5*LayerNorm"), _rms),
}
"""Readers by class, or by the full names of classes; those of bnlab's own need none."""
