"""Running statistics computed anew, from fixed weights."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from bnlab.arguments import checked
from bnlab.norms.kept import kept_buffers, kept_modes
from bnlab.norms.running import RunningNormalizer

Inputs = Tensor | tuple | list


@torch.no_grad()
@checked
def recompute_statistics(model: nn.Module, batches: Iterable[Inputs]) -> list[str]:
    """Replace running statistics by the average of the batches' own, with the weights as they are.

    Running averages lag behind the weights and remember mostly the last batches. Here every batch
    counts the same: a running statistic becomes the plain mean, over ``batches``, of what one
    forward pass with momentum 1 leaves in it. For BatchNorm these are the mean and the *unbiased*
    variance of each batch; for Batch Renormalization the deviation is averaged instead of the
    variance, as in its training.

    Normalizers with running statistics use those of the batch meanwhile; everything else is in
    evaluation mode: no dropout, no noise of ``noisy_batch``, no correction by ``batch_renorm``.
    Torch's own layers with running statistics are recomputed too.

    Source: "precise BatchNorm", Wu and Johnson 2021, arXiv 2105.07576, section 3.

    Args:
        model: any module. Its weights, modes, other buffers and torch's random state stay.
        batches: inputs of the model; of a tuple or list, as a DataLoader gives it, the first.

    Returns:
        The names of the modules whose statistics are new; empty if there are none with any.

    Raises:
        ValueError: without a batch. If a batch fails, the statistics are what they were.

    Example:
        >>> from bnlab.norms import make_norm
        >>> norm = make_norm("batch", 1)
        >>> names = recompute_statistics(norm, [torch.tensor([[1.0], [3.0]]), torch.zeros(2, 1)])
        >>> norm.running_mean.tolist(), norm.running_var.tolist()
        ([1.0], [1.0])
    """
    norms = {name: module for name, module in model.named_modules() if _own_statistics(module)}
    if not norms:
        return []
    sums: dict[str, dict[str, Tensor]] = {}
    count = 0
    with _recomputing(model, list(norms.values())):
        for batch in batches:
            model(batch if isinstance(batch, Tensor) else batch[0])
            count += 1
            for name, module in norms.items():
                now, before = _averaged(module), sums.get(name)
                sums[name] = now if before is None else {k: before[k] + now[k] for k in now}
    if count == 0:
        raise ValueError("recompute_statistics needs at least one batch, got none.")
    for name, module in norms.items():
        _set_averaged(module, {key: value / count for key, value in sums[name].items()})
    return list(norms)


def _own_statistics(module: nn.Module) -> dict[str, Tensor]:
    # Of bnlab's normalizers and of torch's: buffers called running_..., moved by a momentum.
    if not hasattr(module, "momentum"):
        return {}
    buffers = module.named_buffers(recurse=False)
    return {name: buffer for name, buffer in buffers if name.startswith("running_")}


def _averaged(module: nn.Module) -> dict[str, Tensor]:
    own = isinstance(module, RunningNormalizer)
    values = module.averaged() if own else _own_statistics(module)
    return {
        name: value.detach().to("cpu", torch.float64, copy=True) for name, value in values.items()
    }


def _set_averaged(module: nn.Module, values: dict[str, Tensor]) -> None:
    like = next(iter(_own_statistics(module).values()))
    values = {name: value.to(like) for name, value in values.items()}
    if isinstance(module, RunningNormalizer):
        module.set_averaged(values)
    else:
        for name, value in values.items():
            setattr(module, name, value)


@contextlib.contextmanager
def _recomputing(model: nn.Module, norms: list[nn.Module]) -> Iterator[None]:
    # Batch statistics and momentum 1 in ``norms``, evaluation mode elsewhere; all undone on exit.
    momenta = [(module, module.momentum) for module in norms]
    devices = {p.device.index for p in model.parameters() if p.device.type == "cuda"}
    with kept_modes(model), kept_buffers(model), torch.random.fork_rng(devices=sorted(devices)):
        try:
            model.eval()
            for module in norms:
                module.train()
                module.momentum = 1.0
                if isinstance(module, RunningNormalizer):
                    module.recomputing = True
            yield
        finally:
            for module, momentum in momenta:
                module.momentum = momentum
                if isinstance(module, RunningNormalizer):
                    module.recomputing = False
