"""What a normalizer in a model looks like to ``swap_norms``, and how one takes its place."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.nn.utils import parametrize

from bnlab.norms.base import Normalizer
from bnlab.norms.layouts import ChannelsLast, Positions
from bnlab.norms.registry import make_norm, options_of

# Options that mean the same in every normalizer: taken over unless the caller gives them.
SHARED = ("eps", "momentum", "affine", "track_running_stats", "native", "group_size")
# Numbers of axes that torch's layers take. (C, L) of InstanceNorm1d would look like a batch.
AXES = {
    nn.BatchNorm1d: (2, 3),
    nn.BatchNorm2d: (4,),
    nn.BatchNorm3d: (5,),
    nn.SyncBatchNorm: None,
    nn.GroupNorm: None,
    nn.InstanceNorm1d: (3,),
    nn.InstanceNorm2d: (4,),
    nn.InstanceNorm3d: (5,),
}
LAST_AXIS = tuple(
    getattr(nn, name) for name in ("LayerNorm", "RMSNorm") if hasattr(nn, name)
)  # torch 2.4 brought RMSNorm
TORCH = (*AXES, *LAST_AXIS)
REFUSED = (nn.LocalResponseNorm, nn.CrossMapLRN2d)  # fixed filters across channels

HOOKS = [name for name in vars(nn.Module()) if "forward" in name or "backward" in name]


class CannotReplaceError(ValueError):
    """Why a normalizer cannot be replaced."""


@dataclass(frozen=True)
class Old:
    """A normalizer in a model: its channels, its options, how its input is arranged.

    Attributes:
        norm: the module with the parameters.
        num_features: C.
        options: those that the replacement takes over.
        arrange: puts an adapter around the replacement where the input needs one.
    """

    norm: nn.Module
    num_features: int
    options: dict[str, object] = field(default_factory=dict)
    arrange: Callable[[nn.Module], nn.Module] = lambda norm: norm


def is_norm(module: nn.Module) -> bool:
    """Whether ``swap_norms`` has to replace, or to refuse, this module.

    A module without children whose class is called ...Norm, ...Norm2d and the like counts as a
    normalizer, so that one of unknown kind is named instead of overlooked.
    """
    if isinstance(module, (Normalizer, ChannelsLast, Positions, *TORCH, *REFUSED)):
        return True
    name = type(module).__name__.lower().rstrip("123d")
    has_parameters = any(True for _ in module.parameters(recurse=False))
    return name.endswith("norm") and has_parameters and not any(True for _ in module.children())


def inspect_norm(module: nn.Module) -> Old:
    """What has to be known of ``module`` to replace it.

    Raises:
        CannotReplaceError: with the reason.
    """
    if isinstance(module, ChannelsLast | Positions):
        inner = inspect_norm(module.norm)
        arrange = ChannelsLast
        if isinstance(module, Positions):
            arrange = functools.partial(Positions, axes=module.axes)
        return Old(inner.norm, inner.num_features, inner.options, arrange)
    if parametrize.is_parametrized(module):
        raise CannotReplaceError(
            "its parameters are parametrized; remove the parametrization first."
        )
    if isinstance(module, Normalizer):
        names = inspect.signature(type(module).__init__).parameters
        options = {name: getattr(module, name) for name in SHARED if name in names}
        return Old(module, module.num_features, options)
    return _inspect_torch(module)


def _inspect_torch(module: nn.Module) -> Old:
    base = next((cls for cls in type(module).__mro__ if cls in TORCH), None)
    if base is None:
        raise CannotReplaceError(
            "it is a normalizer of neither torch nor bnlab, so its axes are unknown."
        )
    if type(module).forward is not base.forward:
        raise CannotReplaceError(
            f"it changes the forward method of {base.__name__}, so its axes are unknown."
        )
    return _last_axis(module) if base in LAST_AXIS else _axis_one(module, AXES[base])


def _last_axis(module: nn.Module) -> Old:
    if len(module.normalized_shape) != 1:
        raise CannotReplaceError(
            f"it normalizes the last {len(module.normalized_shape)} axes together, "
            f"{tuple(module.normalized_shape)}, with parameters for each position; "
            "only the last axis alone can be told to be the channels."
        )
    eps = module.eps
    if eps is None:  # torch's RMSNorm then takes the machine epsilon of its input
        dtype = torch.get_default_dtype() if module.weight is None else module.weight.dtype
        eps = torch.finfo(dtype).eps
    options = {"eps": eps, "affine": module.elementwise_affine}
    return Old(module, module.normalized_shape[0], options, ChannelsLast)


def _axis_one(module: nn.Module, axes: tuple[int, ...] | None) -> Old:
    arrange = functools.partial(Positions, axes=axes)
    options = {"eps": module.eps, "affine": module.affine}
    if isinstance(module, nn.GroupNorm):
        options["group_size"] = module.num_channels // module.num_groups
        return Old(module, module.num_channels, options, arrange)
    if not isinstance(module, nn.InstanceNorm1d | nn.InstanceNorm2d | nn.InstanceNorm3d):
        options["momentum"] = module.momentum
        options["track_running_stats"] = module.track_running_stats
    if axes == (4,):
        return Old(module, module.num_features, options)
    return Old(module, module.num_features, options, arrange)


def build(old: Old, name: str, options: dict[str, object]) -> nn.Module:
    """The normalizer ``name`` that is to take the place of ``old``, on the CPU, untrained.

    Raises:
        CannotReplaceError: if ``make_norm`` refuses the options for this number of channels, or the
            new normalizer is undefined on the inputs of the old one.
    """
    known = options_of(name)
    taken = {key: value for key, value in old.options.items() if key in known}
    if "num_groups" in options:
        taken.pop("group_size", None)
    try:
        new = make_norm(name, old.num_features, **{**taken, **options})
    except ValueError as error:
        raise CannotReplaceError(str(error)) from error
    if old.arrange is ChannelsLast:
        _try_on_positions(copy.deepcopy(new))
    by_choice = not isinstance(old.norm, Normalizer)  # bnlab's without a bias never have one
    if by_choice and "affine" in taken and "affine" not in options:
        for key, value in old.norm._parameters.items():
            if value is None and key in new._parameters:  # such as LayerNorm(C, bias=False)
                new.register_parameter(key, None)
    return new


def _try_on_positions(norm: nn.Module) -> None:
    # Here the shape of the inputs is known: what would fail later is refused now.
    samples = 4 * getattr(norm, "ghost_size", 1)
    try:
        with torch.no_grad():
            norm.eval()(torch.arange(float(samples * norm.num_features)).reshape(samples, -1))
    except ValueError as error:
        raise CannotReplaceError(
            f"it sees each position alone, (N, C) without H and W; {error}"
        ) from error


def take_over(old: nn.Module, new: nn.Module) -> tuple[list[str], list[str]]:
    """Move parameters and running statistics from ``old`` into ``new``; names kept and dropped.

    The tensors themselves move: ties to other modules, dtype, device and requires_grad stay.
    """
    parameters = [p for p in old._parameters.values() if p is not None]
    if parameters and not any(p.requires_grad for p in parameters):
        new.requires_grad_(False)  # a frozen normalizer stays frozen
    new.train(old.training)
    kept, dropped = [], []
    statistics = not isinstance(old, nn.modules.instancenorm._InstanceNorm)  # of single samples
    for kind in ("_parameters", "_buffers"):
        mine, theirs = getattr(new, kind), getattr(old, kind)
        for key, value in theirs.items():
            if value is None or (kind == "_buffers" and not key.startswith("running_")):
                continue  # the key of a noise and the count of its steps belong to the new one
            fits = mine.get(key) is not None and mine[key].shape == value.shape
            if fits and (kind == "_parameters" or statistics):
                mine[key] = value
                kept.append(key)
            else:
                dropped.append(key)
    return kept, dropped


def take_hooks(old: nn.Module, new: nn.Module) -> None:
    """Move the forward and backward hooks of ``old`` to ``new``."""
    for name in HOOKS:
        setattr(new, name, getattr(old, name))
