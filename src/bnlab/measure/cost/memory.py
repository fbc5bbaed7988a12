"""What the forward pass keeps for the backward pass, in bytes."""

from __future__ import annotations

import contextlib
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from bnlab.arguments import checked
from bnlab.measure.kit.arguments import check_sizes, check_trainable
from bnlab.measure.kit.coverage import Coverage, Reason, covering
from bnlab.measure.kit.inputs import forward, tensors_in
from bnlab.measure.kit.loss import Loss, finite_loss, loss_of
from bnlab.measure.kit.measuring import measuring

if TYPE_CHECKING:
    from bnlab.draw.figure import Drawing

LOSS = "(loss)"  # no module can be called so


@dataclass(frozen=True)
class Memory(Coverage):
    """Bytes of what one training step keeps between forward and backward pass.

    Attributes:
        saved: of all tensors that only the backward pass needs: activations, statistics, masks.
        parameters: of the net's own parameters and buffers that are saved too. They exist anyway
            and are not in ``saved``.
        inputs: of x and y as far as they are saved. They exist anyway too.
        by_layer: ``saved``, by the name of the module that saved it first ("" is the net itself,
            "(loss)" the loss), in the order in which they run.
        kinds: the class of each of these modules.
        peak: the most bytes that a step (forward, backward, gradients) needed on the net's CUDA
            devices beyond what was there before; None on the CPU.
        covered, left_out: modules with weights, see ``Coverage``; here all are covered.
    """

    saved: int
    parameters: int
    inputs: int
    by_layer: dict[str, int] = field(repr=False)
    kinds: dict[str, str] = field(repr=False)
    peak: int | None = None

    @property
    def by_kind(self) -> dict[str, int]:
        """The bytes in ``saved``, by the class of the module that saved them; largest first."""
        total: Counter[str] = Counter()
        for name, size in self.by_layer.items():
            total[self.kinds[name]] += size
        return dict(total.most_common())

    def plot(self) -> Drawing:
        """Bars of ``by_kind``, with the share of each."""
        from bnlab.measure.cost.figures import readable_bytes, shares

        return shares(
            self.by_kind,
            readable_bytes,
            what="Memory kept for the backward pass, by the kind of layer that saved it first",
            verb="keeps",
            of="of the memory",
        )


@checked
def measure_memory(
    net: nn.Module,
    loss: Loss,
    x: object,
    y: object,
    mode: str | None = None,
) -> Memory:
    r"""Bytes that the forward pass leaves for the backward pass, layer by layer.

    saved = sum over storages s of bytes(s), s in { storage(t) : t saved by autograd } minus the
    storages of parameters, buffers, x and y.

    What counts: every tensor that autograd holds when the backward pass begins, once for each
    storage, however many operations save it or look at it through a view. A view counts with its
    whole storage, since that is what stays in memory. What does not: results that nothing saved
    (freed on the way), tensors that an operation recomputes (checkpointing) or moves elsewhere by
    hooks of its own, and what a custom function keeps without ``save_for_backward``. It is the same
    number on every device, but for its kernels' own notes, and says nothing of the process, the
    allocator or the optimizer. On CUDA ``peak`` adds what the allocator saw.

    A tensor belongs to the layer that saved it first, and some layers share one. So what a kind of
    layer costs is not its bar but a difference: measure the net with and without it, both with the
    kernels of torch (``native=True``) or both in primitive operations, which may save more.

    Source: the definition by which the memory claim of MimicNorm (Fei et al. 2020, arXiv
    2010.09278) is tested here; the paper's table gives the memory of its whole training.

    Args:
        net: any module; it is as before afterwards.
        loss: ``loss(net(x), y)`` is a scalar.
        x: a batch of inputs; several inputs as a tuple, or by name as a dict.
        y: its targets.
        mode: ``train``, ``eval``, or None: each module in the mode that it has.

    Raises:
        ValueError: for another mode, a loss that is no finite scalar (also by weights that are
            not), a net without a parameter that requires a gradient, or x and y of different size.

    Example:
        >>> net = nn.Sequential(nn.Linear(4, 8), nn.Sigmoid(), nn.Linear(8, 1))
        >>> x, y = torch.ones(16, 4), torch.zeros(16, 1)
        >>> memory = measure_memory(net, nn.functional.mse_loss, x, y)
        >>> memory.by_layer  # 16 x 8 numbers of 4 bytes; the loss saves the output
        {'1': 512, '(loss)': 64}
    """
    check_trainable(net)
    check_sizes(x, y)
    with measuring(net, mode), torch.enable_grad():
        modules = dict(net.named_modules())
        records: list[_Record] = []
        with _where(modules) as stack, _recorded(records, stack):
            value = loss_of(loss, forward(net, x), y)
        finite_loss(value, net)
        by_layer, owned = _sorted_by_owner(records, _storages(_state(net)), _storages((x, y)))
        del value, records  # the graph, before the peak of another step is taken
        devices = {p.device for p in net.parameters() if p.is_cuda}
        peak = peak_of_step(net, lambda: loss_of(loss, forward(net, x), y), list(devices))
    return Memory(
        saved=sum(by_layer.values()),
        parameters=owned["parameters"],
        inputs=owned["inputs"],
        by_layer=by_layer,
        kinds={n: type(modules[n]).__name__ if n != LOSS else "loss" for n in by_layer},
        peak=peak,
        **covering(net, {""}, lambda *_: Reason("")),
    )


class _Kept:
    """What autograd holds in place of a saved tensor; it dies with the part of the graph."""

    __slots__ = ("__weakref__", "tensor")

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor.detach()  # an output would hold its own graph: never freed


_Record = tuple[str, "weakref.ref[_Kept]"]  # which module saved it, and what


@contextlib.contextmanager
def _where(modules: dict[str, nn.Module]) -> Iterator[list[str]]:
    """A stack of the names of the modules that run now, the innermost last."""
    stack = [LOSS]
    hooks = []

    def leave(_module: nn.Module, _inputs: object, _output: object) -> None:
        stack.pop()

    for name, module in modules.items():
        hooks += [
            module.register_forward_pre_hook(lambda _m, _x, name=name: stack.append(name)),
            module.register_forward_hook(leave),
        ]
    try:
        yield stack
    finally:
        for hook in hooks:
            hook.remove()


def _recorded(records: list[_Record], stack: list[str]) -> contextlib.AbstractContextManager:
    def pack(tensor: Tensor) -> _Kept:
        kept = _Kept(tensor)
        records.append((stack[-1], weakref.ref(kept)))
        return kept

    return torch.autograd.graph.saved_tensors_hooks(pack, lambda kept: kept.tensor)


def _sorted_by_owner(
    records: list[_Record], state: set[int], batch: set[int]
) -> tuple[dict[str, int], Counter[str]]:
    """Bytes of the storages that are alive: by layer, and those that somebody holds anyway."""
    by_layer: Counter[str] = Counter()
    owned: Counter[str] = Counter()
    seen: set[int] = set()
    for name, reference in records:
        kept = reference()
        if kept is None:  # its part of the graph was dropped on the way
            continue
        storage = kept.tensor.untyped_storage()
        if storage.data_ptr() in seen or not storage.nbytes():
            continue
        seen.add(storage.data_ptr())
        if storage.data_ptr() in state:
            owned["parameters"] += storage.nbytes()
        elif storage.data_ptr() in batch:
            owned["inputs"] += storage.nbytes()
        else:
            by_layer[name] += storage.nbytes()
    return dict(by_layer), owned


def _state(net: nn.Module) -> list[Tensor]:
    return [*net.parameters(), *net.buffers()]


def _storages(held: object) -> set[int]:
    return {t.untyped_storage().data_ptr() for t in tensors_in(held) if t.layout == torch.strided}


def peak_of_step(
    net: nn.Module, forward: Callable[[], Tensor], devices: Sequence[torch.device]
) -> int | None:
    """Bytes by which a step's peak lies above what was there before; None without a device.

    The device's own record of its peak starts anew.
    """
    if not devices:
        return None
    wanted = [p for p in net.parameters() if p.requires_grad]

    def step() -> None:
        torch.autograd.grad(forward(), wanted, allow_unused=True)

    step()  # the first one allocates workspaces that stay
    before = 0
    for device in devices:
        torch.cuda.reset_peak_memory_stats(device)
        before += torch.cuda.memory_allocated(device)
    step()
    return sum(torch.cuda.max_memory_allocated(device) for device in devices) - before
