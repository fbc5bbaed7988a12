"""Another normalizer in any model: ``swap_norms``."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator

import torch
from torch import nn
from torch.nn.modules.batchnorm import _LazyNormBase
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.utils.parametrize import ParametrizationList

from bnlab.norms.layouts import Adapter
from bnlab.norms.reach import functions_called, ways_around
from bnlab.norms.registry import check_options
from bnlab.norms.replace import (
    CannotReplaceError,
    Old,
    build,
    inspect_norm,
    is_norm,
    looks_like_a_norm,
    take_hooks,
    take_over,
)
from bnlab.norms.swap_report import Refusal, Swap, SwapReport


def swap_norms(model: nn.Module, name: str, *, strict: bool = True, **options: object) -> nn.Module:
    """A copy of ``model`` with the normalizer ``name`` in place of every normalizer.

    Replaced are torch's BatchNorm1d, 2d, 3d, SyncBatchNorm, GroupNorm, InstanceNorm1d, 2d, 3d,
    LayerNorm and RMSNorm over the last axis, all of bnlab, those of torchvision, timm and
    transformers that compute one of these (an activation in them stays), and the classes that
    ``register_norm`` made known. The same kind again is the same function. Weight, bias and the
    running statistics of BatchNorm are kept where the new normalizer has them. It also takes over
    ``eps``, ``momentum``, ``affine``, ``track_running_stats``, ``native`` and ``group_size`` where
    it has such an option and none is given here, so that the models differ in nothing else; give
    the option where a paper's own value counts, such as momentum=0.01 for ``batch_renorm``. Hooks,
    device, dtype, training mode, frozen and shared parameters, and modules that the model uses
    repeatedly, stay what they were. ``model`` itself is not touched.

    In place of LayerNorm and RMSNorm, which normalize the last axis, the new one sits in
    ``ChannelsLast``: each token is a sample of its own; in place of a LayerNorm2d in
    ``EachPosition``; with an activation after it in ``Followed``. Where inputs may have other axes
    than (N, C) and (N, C, H, W), it sits in ``Positions``. All hold it as ``.norm``. The model's
    activations stay: where the new normalizer contains a nonlinearity of its own (its ``activates``
    is True), a ReLU after it has to be taken out by hand; the report says so.

    Args:
        model: any module; it may be a normalizer itself.
        name: a name for ``make_norm``.
        strict: raise an error if a normalizer cannot be replaced. Otherwise it is left as it is,
            and the report says why.
        **options: options for ``make_norm``, such as ``group_size``.

    Returns:
        The copy. Its attribute ``swap_report`` is a ``SwapReport``: what changed, and what did not.

    Raises:
        ValueError: for an unknown name or option, for a model without a normalizer or with lazy
            modules, and, if ``strict``, for normalizers that cannot be replaced: LayerNorm over
            several axes, subclasses with a forward method of their own, unknown classes called
            ...Norm, parametrized and pruned ones, those that the model also reaches by a list, a
            dict, a plain attribute, a bound method or a function, whose statistics are of another
            use than the new one's (frozen, or no longer tracked), those that ``make_norm`` refuses
            (a group size that does not divide the channels), and, after LayerNorm and RMSNorm,
            ``instance``, which needs positions.
        TypeError: for anything but a module, and for a scripted one, which cannot be changed.

    Example:
        >>> net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU())
        >>> print(swap_norms(net, "group", group_size=4)[1])
        GroupNorm(8, eps=1e-05, affine=True, group_size=4)
    """
    check_options(name, options)
    _check_model(model)
    found, overlooked = list(_find(model)), _overlooked(model)
    hidden = _hidden(model)
    if not found and not hidden:
        raise ValueError(
            "the model has no normalizer to replace; swap_norms knows those of torch.nn, of bnlab, "
            "and what bnlab.norms.register_norm makes known."
            + (f" Perhaps normalizers: {', '.join(overlooked)}." if overlooked else "")
        )
    planned, refused = _plan(found, hidden, name, options)
    if refused and strict:
        listed = "\n  ".join(str(refusal) for refusal in refused)
        count = f"{len(refused)} of {len(planned) + len(refused)}"
        raise ValueError(
            f"{count} normalizers cannot become {name!r}:\n  {listed}\n"
            "With strict=False they are left as they are."
        )
    clone = copy.deepcopy(model)
    changed = []
    for paths, new in planned:
        clone, swap = _put(clone, paths, new)
        changed.append(swap)
    _turn_off_fused_encoders(clone)
    clone.swap_report = SwapReport(name, tuple(changed), tuple(refused), overlooked)
    if overlooked:
        warnings.warn(
            f"swap_norms left {', '.join(overlooked)} as they are: their names, or the "
            "functions that they call, say that they may be normalizers "
            "(bnlab.norms.register_norm makes a class known).",
            stacklevel=2,
        )
    return clone


def _check_model(model: nn.Module) -> None:
    if not isinstance(model, nn.Module):
        raise TypeError(f"swap_norms takes a torch.nn.Module, got {type(model).__name__}.")
    if any(isinstance(module, torch.jit.ScriptModule) for module in model.modules()):
        raise TypeError("a scripted module cannot be changed; swap before torch.jit.script.")
    if any("_orig_mod" in module._modules for module in model.modules()):
        raise TypeError(
            "a compiled model calls what it was compiled from; swap before torch.compile "
            "(model._orig_mod is the model itself)."
        )
    lazy = [
        path or type(module).__name__
        for path, module in model.named_modules()
        if isinstance(module, LazyModuleMixin)
        and (module.has_uninitialized_params() or isinstance(module, _LazyNormBase))
    ]
    if lazy:
        raise ValueError(
            f"lazy modules do not know their sizes yet: {', '.join(lazy)}. "
            "Send one batch through the model first."
        )


def normalizers(model: nn.Module) -> dict[str, nn.Module]:
    """The normalizers of a model by the first of their names; none inside of another one."""
    return {paths[0]: module for paths, module in _find(model)}


def _find(model: nn.Module) -> Iterator[tuple[tuple[str, ...], nn.Module]]:
    # Each normalizer once, with all its paths; none inside of an adapter or a parametrization.
    paths: dict[nn.Module, list[str]] = {}
    closed: tuple[str, ...] = ()
    for path, module in model.named_modules(remove_duplicate=False):
        if path.startswith(closed):
            continue
        normalizes = is_norm(module)
        if normalizes:
            paths.setdefault(module, []).append(path)
        if isinstance(module, ParametrizationList) or (normalizes and any(module.children())):
            closed = (*closed, f"{path}." if path else "")
    for module, places in paths.items():
        yield tuple(places), module


def _overlooked(model: nn.Module) -> tuple[str, ...]:
    known = {id(part) for _, norm in _find(model) for part in norm.modules()}
    parametrizations = {
        id(part)
        for module in model.modules()
        if isinstance(module, ParametrizationList)
        for part in module.modules()
    }
    others = [
        (path or "the model itself", module)
        for path, module in model.named_modules()
        if id(module) not in known | parametrizations
    ]
    return tuple(
        f"{path} ({type(module).__name__}{calls})"
        for path, module in others
        for calls in ["".join(f", which calls {name}" for name in functions_called(module))]
        if calls or looks_like_a_norm(module)
    )


def _hidden(model: nn.Module) -> dict[nn.Module, list[str]]:
    # Normalizers that the model reaches other than by its registered modules, and how.
    hidden: dict[nn.Module, list[str]] = {}
    for norm, way in ways_around(model, is_norm):
        hidden.setdefault(norm, []).append(way)
    return hidden


def _plan(
    found: list[tuple[tuple[str, ...], nn.Module]],
    hidden: dict[nn.Module, list[str]],
    name: str,
    options: dict[str, object],
) -> tuple[list[tuple[tuple[str, ...], nn.Module]], list[Refusal]]:
    # Everything that can fail is done before the model is copied.
    planned, refused = [], []
    paths_of = {module: paths for paths, module in found}
    for module, ways in hidden.items():
        paths = paths_of.get(module, (ways[0],))
        reason = (
            f"the model also reaches it by {', '.join(ways)}, which a swap cannot change; "
            "let it be reached by registered modules alone (nn.ModuleList, nn.ModuleDict)."
        )
        refused.append(Refusal(paths, _one_line(module), reason))
    for paths, module in found:
        if module in hidden:
            continue
        try:
            planned.append((paths, build(inspect_norm(module), name, options)))
        except CannotReplaceError as error:
            refused.append(Refusal(paths, _one_line(module), str(error)))
    return planned, refused


def _put(clone: nn.Module, paths: tuple[str, ...], new: nn.Module) -> tuple[nn.Module, Swap]:
    # The clone with ``new`` at ``paths``; another module only if the clone is itself a normalizer.
    module = clone.get_submodule(paths[0])
    old: Old = inspect_norm(module, compare=False)
    tensors = (*old.norm.parameters(), *old.norm.buffers(), *clone.parameters(), *clone.buffers())
    like = next((tensor for tensor in tensors if tensor.is_floating_point()), None)
    if like is not None:
        new.to(like.device, like.dtype)
    kept, dropped = take_over(old, new)
    take_hooks(old.norm, new)
    placed = old.arrange(new)
    placed.training = module.training
    take_hooks(module, placed)
    if placed is not new and old.norm is module:
        take_hooks(nn.Module(), new)  # they saw, and see, the arrangement of the model
    for path in paths:
        parent, _, key = path.rpartition(".")
        if not path:
            clone = placed
        else:
            clone.get_submodule(parent)._modules[key] = placed
    swap = Swap(paths, _one_line(module), _one_line(placed), tuple(kept), tuple(dropped))
    return clone, swap


def _turn_off_fused_encoders(clone: nn.Module) -> None:
    """Make torch's transformer encoders call their normalizers.

    In evaluation mode they may compute a whole layer in one kernel, which reads the weights of
    norm1 and norm2 and computes LayerNorm whatever these modules are.
    """
    foreign = [
        layer
        for layer in clone.modules()
        if isinstance(layer, nn.TransformerEncoderLayer)
        and not (isinstance(layer.norm1, nn.LayerNorm) and isinstance(layer.norm2, nn.LayerNorm))
    ]
    for layer in foreign:
        layer.activation_relu_or_gelu = 0  # what it holds for an activation unknown to the kernel
    for encoder in clone.modules():
        if isinstance(encoder, nn.TransformerEncoder) and set(encoder.layers) & set(foreign):
            encoder.use_nested_tensor = False


def _one_line(module: nn.Module) -> str:
    if isinstance(module, Adapter):
        return f"{type(module).__name__}({_one_line(module.norm)})"
    return " ".join(repr(module).split())
