"""What a normalizer in a model looks like to ``swap_norms``, and how one takes its place."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from bnlab.norms.base import Normalizer
from bnlab.norms.layouts import Adapter, ChannelsLast, EachPosition, Followed, Positions
from bnlab.norms.reading import (
    CannotReadError,
    NormReading,
    is_registered,
    read_norm,
    reading_of,
)
from bnlab.norms.registry import NORMS, make_norm, options_of
from bnlab.norms.sync import SyncBatchNorm

# Options that mean the same in every normalizer: taken over unless the caller gives them.
SHARED = ("eps", "momentum", "affine", "track_running_stats", "native", "group_size")
REFUSED = (nn.LocalResponseNorm, nn.CrossMapLRN2d)  # fixed filters across channels
TENSORS = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")

HOOKS = [name for name in vars(nn.Module()) if "forward" in name or "backward" in name]
OF_STATES = [name for name in vars(nn.Module()) if "state_dict" in name and "hooks" in name]


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
        parameters: weight and bias, and what else it learns.
        buffers: running statistics.
        reading: what it computes, if it is not one of bnlab.
    """

    norm: nn.Module
    num_features: int
    options: dict[str, object]
    arrange: Callable[[nn.Module], nn.Module]
    parameters: Mapping[str, Tensor | None] = field(default_factory=dict)
    buffers: Mapping[str, Tensor | None] = field(default_factory=dict)
    reading: NormReading | None = None


def is_norm(module: nn.Module) -> bool:
    """Whether ``swap_norms`` has to replace, or to refuse, this module.

    A module without children whose class is called ...Norm, ...Norm2d and the like counts as a
    normalizer, so that one of unknown kind is named instead of overlooked.
    """
    if isinstance(module, (Normalizer, Adapter, *REFUSED)) or is_registered(module):
        return True
    name = type(module).__name__.lower().rstrip("123d")
    has_parameters = any(True for _ in module.parameters(recurse=False))
    return name.endswith("norm") and has_parameters and not any(True for _ in module.children())


def looks_like_a_norm(module: nn.Module) -> bool:
    """Whether its class has "norm" in its name, and no module in it a parameter or that name."""
    inside = list(module.modules())[1:]
    layers = any(True for part in module.children() for _ in part.parameters())
    is_named = "norm" in type(module).__name__.lower()
    return is_named and not layers and not any(map(is_norm, inside))


def inspect_norm(module: nn.Module, compare: bool = True) -> Old:
    """What has to be known of ``module`` to replace it.

    Args:
        module: a normalizer.
        compare: a foreign one's reading with what it computes.

    Raises:
        CannotReplaceError: with the reason.
    """
    if isinstance(module, Adapter):
        inner = inspect_norm(module.norm, compare)

        def arrange(norm: nn.Module) -> nn.Module:
            return _again(module, inner.arrange(norm))

        return Old(**{**vars(inner), "arrange": arrange})
    _check_additions(module)
    if isinstance(module, Normalizer):
        return _inspect_own(module)
    try:
        reading = read_norm(module) if compare else reading_of(module)
    except CannotReadError as error:
        raise CannotReplaceError(str(error)) from error
    return _of_reading(module, reading)


def _again(adapter: nn.Module, norm: nn.Module) -> nn.Module:
    if isinstance(adapter, Positions):
        return Positions(norm, adapter.axes)
    if isinstance(adapter, Followed):
        return Followed(norm, {n: m for n, m in adapter.named_children() if n != "norm"})
    return type(adapter)(norm)


def _check_additions(module: nn.Module) -> None:
    if parametrize.is_parametrized(module):
        raise CannotReplaceError(
            "its parameters are parametrized; remove the parametrization first."
        )
    own = [name for name in OF_STATES if getattr(module, name)]
    if own:
        raise CannotReplaceError(
            "it has hooks for its state_dict, which are made for its own names; remove them first."
        )
    if "forward" in vars(module):
        raise CannotReplaceError("its forward method was exchanged on the object itself.")
    base = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm)
    more = {*module._parameters, *module._buffers} - set(TENSORS)
    if isinstance(module, base) and more:
        raise CannotReplaceError(
            f"it has {', '.join(sorted(more))} beside its weight and bias, as pruning and the "
            "older weight_norm and spectral_norm put them; remove these first."
        )


def _inspect_own(module: Normalizer) -> Old:
    kind = _kind(module)
    for method in ("forward", "_normalize"):
        if getattr(type(module), method) is not getattr(kind, method):
            raise CannotReplaceError(f"it computes something else than its base {kind.__name__}.")
    names = inspect.signature(type(module).__init__).parameters
    options = {name: getattr(module, name) for name in SHARED if name in names}
    tensors = module._parameters, module._buffers
    return Old(module, module.num_features, options, _as_it_is, *tensors)


def _kind(module: nn.Module) -> type:
    known = (*NORMS.values(), SyncBatchNorm, Normalizer)
    return next((cls for cls in type(module).__mro__ if cls in known), type(module))


def _as_it_is(norm: nn.Module) -> nn.Module:
    return norm


def _of_reading(module: nn.Module, reading: NormReading) -> Old:
    parameters = {name: reading.parameters.get(name) for name in ("weight", "bias")}
    options: dict[str, object] = {"eps": reading.eps}
    options["affine"] = any(value is not None for value in parameters.values())
    if reading.kind == "group":
        options["group_size"] = reading.num_features // reading.num_groups
    if reading.kind == "batch":
        options["momentum"] = reading.momentum
        options["track_running_stats"] = bool(reading.statistics)
    return Old(
        module,
        reading.num_features,
        options,
        functools.partial(_arranged, reading),
        parameters,
        reading.statistics,
        reading,
    )


def _arranged(reading: NormReading, norm: nn.Module) -> nn.Module:
    if reading.axis == -1:
        norm = ChannelsLast(norm)
    elif reading.by_position:
        norm = EachPosition(norm)
    elif reading.axes != (4,):
        norm = Positions(norm, reading.axes)
    return Followed(norm, reading.after) if reading.after else norm


def build(old: Old, name: str, options: dict[str, object]) -> nn.Module:
    """The normalizer ``name`` that is to take the place of ``old``, on the CPU, untrained.

    Raises:
        CannotReplaceError: if ``make_norm`` refuses the options for this number of channels, the
            new normalizer is undefined on the inputs of the old one, or it is of the same kind and
            would compute something else.
    """
    _check_same(old, name)
    if type(old.norm) is NORMS[name] and not options:
        return copy.deepcopy(old.norm)
    known = options_of(name)
    taken = {key: value for key, value in old.options.items() if key in known}
    if _kind(old.norm) is NORMS[name]:
        taken = {**_all_options(old.norm, known), **taken}
    if "num_groups" in options:
        taken.pop("group_size", None)
    if "schedule" in options:
        taken = {key: value for key, value in taken.items() if key not in ("r_max", "d_max")}
    elif {"r_max", "d_max"} & set(options):
        taken.pop("schedule", None)
    try:
        new = make_norm(name, old.num_features, **{**taken, **options})
    except ValueError as error:
        raise CannotReplaceError(str(error)) from error
    arranged = old.arrange(nn.Identity()).modules()
    if any(isinstance(part, ChannelsLast | EachPosition) for part in arranged):
        _try_on_positions(copy.deepcopy(new))
    by_choice = not isinstance(old.norm, Normalizer)  # bnlab's without a bias never have one
    if by_choice and "affine" in taken and "affine" not in options:
        for key, value in old.parameters.items():
            if value is None and key in new._parameters:  # such as LayerNorm(C, bias=False)
                new.register_parameter(key, None)
    return new


def _check_same(old: Old, name: str) -> None:
    reading = old.reading
    if reading is None:
        return
    if reading.frozen and "momentum" in options_of(name):
        raise CannotReplaceError(
            "it is frozen: it uses its running statistics in training mode too, which no "
            f"{name!r} does."
        )
    if reading.kind == name == "instance" and reading.statistics:
        raise CannotReplaceError(
            "it uses running statistics in evaluation mode, which 'instance' never does; set its "
            "track_running_stats to False if those of each sample are wanted."
        )


def _all_options(norm: Normalizer, known: tuple[str, ...]) -> dict[str, object]:
    own = {name: getattr(norm, name) for name in known if hasattr(norm, name)}
    if "learnable_eps" in known:
        own["learnable_eps"] = norm.learned_eps is not None
    if "group_size" in own:
        own.pop("num_groups", None)  # one of both is enough
    return own


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


def take_over(old: Old, new: nn.Module) -> tuple[list[str], list[str]]:
    """Move parameters and running statistics from ``old`` into ``new``; names kept and dropped.

    The tensors themselves move: ties to other modules, dtype, device and requires_grad stay.
    """
    parameters = [p for p in old.parameters.values() if p is not None]
    if parameters and not any(p.requires_grad for p in parameters):
        new.requires_grad_(False)  # a frozen normalizer stays frozen
    new.train(old.norm.training)
    kept, dropped = [], []
    of_batch = old.reading is None or old.reading.kind == "batch"  # not those of single samples
    for kind, theirs in (("_parameters", old.parameters), ("_buffers", old.buffers)):
        mine = getattr(new, kind)
        for key, value in theirs.items():
            if value is None or (kind == "_buffers" and not key.startswith("running_")):
                continue  # the key of a noise and the count of its steps belong to the new one
            fits = mine.get(key) is not None and mine[key].shape == value.shape
            if fits and (kind == "_parameters" or of_batch):
                mine[key] = _as_parameter(value) if kind == "_parameters" else value
                kept.append(key)
            else:
                dropped.append(key)
    return kept, dropped


def _as_parameter(value: Tensor) -> nn.Parameter:
    # What a frozen normalizer keeps in buffers stays frozen.
    return value if isinstance(value, nn.Parameter) else nn.Parameter(value, value.requires_grad)


def take_hooks(old: nn.Module, new: nn.Module) -> None:
    """Move the forward and backward hooks of ``old`` to ``new``."""
    for name in HOOKS:
        setattr(new, name, getattr(old, name))
