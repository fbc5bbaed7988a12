"""Running statistics computed anew, from fixed weights."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.instancenorm import _InstanceNorm
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.parameter import UninitializedBuffer

from bnlab.arguments import checked, require
from bnlab.norms.batches import Batch, call
from bnlab.norms.kept import kept_buffers, kept_modes
from bnlab.norms.renew import renew
from bnlab.norms.running import RunningNormalizer
from bnlab.norms.sync import SyncBatchNorm

KNOWN = (RunningNormalizer, SyncBatchNorm, _BatchNorm, _InstanceNorm)
BY_NAME = ("running_mean", "running_var")


class Recomputed(list[str]):
    """Names of the modules whose running statistics are new.

    Attributes:
        left: name and reason of each module whose running statistics were left as they were.
    """

    def __init__(self, names: Iterable[str], left: dict[str, str]) -> None:
        super().__init__(names)
        self.left = left


@torch.no_grad()
@checked
def recompute_statistics(model: nn.Module, batches: Iterable[Batch]) -> Recomputed:
    """Replace running statistics by the average of the batches' own, with the weights as they are.

    Running averages lag behind the weights and remember mostly the last batches. Here every batch
    counts the same: a running statistic becomes the plain mean, over ``batches``, of what one
    forward pass would leave in it with momentum 1. For BatchNorm these are the mean and the
    *unbiased* variance of each batch; for Batch Renormalization the deviation is averaged instead
    of the variance, as in its training. What was there before, NaN and infinity too, does not
    count. A module that one forward pass uses several times averages over all of its uses.

    Normalizers with running statistics use those of the batch meanwhile; everything else is in
    evaluation mode: no dropout, no noise of ``noisy_batch``, no correction by ``batch_renorm``.
    Torch's own layers with running statistics, and subclasses, are recomputed too. It takes the
    place of ``torch.optim.swa_utils.update_bn``, which knows torch's own classes alone.

    Left as they are, and used as they are: layers with ``track_running_stats=False``, layers that
    are in evaluation mode while the model is in training mode (they were frozen by hand; with
    ``model.eval()`` all are recomputed), layers that are never called, layers of other classes,
    and buffers of any other kind. ``left`` of the result names them, and a warning those that were
    not called or are of another class.

    Source: "precise BatchNorm", Wu and Johnson 2021, arXiv 2105.07576, section 3.

    Args:
        model: any module. Its weights, modes, other buffers and torch's random state stay.
        batches: inputs of the model: a tensor; a dict of its keyword arguments; or a tuple or list,
            as a DataLoader gives it, of which the first is the input and the rest are targets. That
            first one may be a tensor, a dict, or a tuple or list of several inputs.

    Returns:
        The names of the modules whose statistics are new; empty if there are none with any.

    Raises:
        ValueError: without a batch, for batches that are no inputs of the model, for lazy modules,
            scripted ones, and weights on the meta device. If a batch fails, the statistics are
            what they were.

    Example:
        >>> from bnlab.norms import make_norm
        >>> norm = make_norm("batch", 1)
        >>> names = recompute_statistics(norm, [torch.tensor([[1.0], [3.0]]), torch.zeros(2, 1)])
        >>> norm.running_mean.tolist(), norm.running_var.tolist()
        ([1.0], [1.0])
    """
    _check(model, batches)
    norms, left = _sorted(model)
    if norms:
        averages = {name: _Average(module) for name, module in norms.items()}
        with _recomputing(model, averages.values()):
            count = 0
            for batch in batches:
                call(model, batch)
                count += 1
        require(
            count,
            "recompute_statistics needs at least one batch, got none. (A generator or an iterator "
            "can be gone through only once: make a new one, or give a list or a DataLoader.)",
        )
        for name, average in averages.items():
            if average.count:
                average.write()
            else:
                left[name] = "it was never called"
    _warn(left)
    return Recomputed([name for name in norms if name not in left], left)


def _check(model: nn.Module, batches: Iterable[Batch]) -> None:
    require(
        not isinstance(batches, Tensor | str | dict),
        f"batches must be a list of batches or a DataLoader, got one {type(batches).__name__}; "
        "put a single batch into a list, [batch].",
    )
    for name, module in model.named_modules():
        where = name or "the model itself"
        require(
            not isinstance(module, torch.jit.ScriptModule),
            f"{where} is scripted; recompute the statistics before torch.jit.script.",
        )
        require(
            not (isinstance(module, LazyModuleMixin) and _is_unfinished(module)),
            f"{where} is lazy and does not know its size; send one batch through the model first.",
        )
    require(
        not any(tensor.is_meta for tensor in (*model.parameters(), *model.buffers())),
        "the model is on the meta device, where tensors have no numbers. Call "
        "model.to_empty(device=...) and load its weights first.",
    )


def _is_unfinished(module: nn.Module) -> bool:
    return module.has_uninitialized_params() or any(
        isinstance(buffer, UninitializedBuffer) for buffer in module.buffers(recurse=False)
    )


def _sorted(model: nn.Module) -> tuple[dict[str, nn.Module], dict[str, str]]:
    # The modules to recompute by name, and the reason for each other one with statistics.
    norms, left = {}, {}
    for name, module in model.named_modules():
        if isinstance(module, KNOWN):
            if not _statistics(module):
                continue  # it keeps none
            if not getattr(module, "track_running_stats", True):
                left[name] = "its track_running_stats is False"
            elif model.training and not module.training:
                left[name] = "it is in evaluation mode, and the model is in training mode"
            else:
                norms[name] = module
        elif hasattr(module, "momentum") and _statistics(module):
            left[name] = f"recompute_statistics does not know the class {type(module).__name__}"
    return norms, left


def _statistics(module: nn.Module) -> dict[str, Tensor]:
    names = module.starts if isinstance(module, RunningNormalizer) else BY_NAME
    buffers = {name: module._buffers.get(name) for name in names}
    return {n: b for n, b in buffers.items() if b is not None and b.is_floating_point()}


def _warn(left: dict[str, str]) -> None:
    unexpected = ("it was never called", "recompute_statistics does not know")
    told = [
        f"{name or 'the model itself'} ({why})"
        for name, why in left.items()
        if why.startswith(unexpected)
    ]
    if told:
        warnings.warn(
            f"these running statistics are what they were: {'; '.join(told)}.", stacklevel=4
        )


class _Average:
    """What the uses of one module leave in its running statistics, on average."""

    def __init__(self, module: nn.Module) -> None:
        self.module, self.count = module, 0
        self.sums: dict[str, Tensor] = {}

    def empty(self, *_: object) -> None:
        """Before a use: 0 is what leaves nothing behind, with momentum 1; NaN would stay."""
        for name, buffer in _statistics(self.module).items():
            renew(self.module, name, torch.zeros_like(buffer))

    def add(self, *_: object) -> None:
        """After a use."""
        own = isinstance(self.module, RunningNormalizer)
        values = self.module.averaged() if own else _statistics(self.module)
        for name, value in values.items():
            now = value.detach().to("cpu", torch.float64, copy=True)
            self.sums[name] = now if self.count == 0 else self.sums[name] + now
        self.count += 1

    def write(self) -> None:
        """Let the running statistics be the average."""
        like = next(iter(_statistics(self.module).values()))
        values = {name: (total / self.count).to(like) for name, total in self.sums.items()}
        if isinstance(self.module, RunningNormalizer):
            self.module.set_averaged(values)
        else:
            for name, value in values.items():
                renew(self.module, name, value)


@contextlib.contextmanager
def _recomputing(model: nn.Module, averages: Iterable[_Average]) -> Iterator[None]:
    # Batch statistics and momentum 1 in their modules, evaluation mode elsewhere; undone on exit.
    norms = [(average.module, average.module.momentum) for average in averages]
    hooks = []
    tensors = (*model.parameters(), *model.buffers())
    devices = {tensor.device.index for tensor in tensors if tensor.device.type == "cuda"}
    with kept_modes(model), kept_buffers(model), torch.random.fork_rng(devices=sorted(devices)):
        try:
            model.eval()
            for average in averages:
                hooks.append(average.module.register_forward_pre_hook(average.empty))
                hooks.append(average.module.register_forward_hook(average.add))
            for module, _ in norms:
                module.train()
                module.momentum = 1.0
                if isinstance(module, RunningNormalizer):
                    module.recomputing = True
            yield
        finally:
            for hook in hooks:
                hook.remove()
            for module, momentum in norms:
                module.momentum = momentum
                if isinstance(module, RunningNormalizer):
                    module.recomputing = False
