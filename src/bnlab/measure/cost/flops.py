"""Floating-point operations of a forward pass."""

from __future__ import annotations

import contextlib
import functools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from bnlab.arguments import checked, positive
from bnlab.measure.kit.arguments import check_mode
from bnlab.measure.kit.coverage import NOT_CALLED, Coverage, Reason, covering, owns_matrix
from bnlab.measure.kit.inputs import check_inputs, forward, samples_in
from bnlab.measure.kit.measuring import measuring

if TYPE_CHECKING:
    from bnlab.draw.figure import Drawing


@dataclass(frozen=True)
class Flops(Coverage):
    """Floating-point operations of one forward pass of one batch.

    Attributes:
        total: of all matrix products, convolutions and attention; a multiplication and its
            addition are two.
        by_layer: the same, by the name of the module that computes it itself ("" is the net).
        kinds: the class of each of these modules.
        samples: how many samples the batch had.
        covered, left_out: modules with weights, see ``Coverage``.
    """

    total: int
    by_layer: dict[str, int] = field(repr=False)
    kinds: dict[str, str] = field(repr=False)
    samples: int

    @property
    def macs(self) -> float:
        """Multiply-accumulates a sample: what papers on architecture search call FLOPs."""
        return self.total / 2 / self.samples

    @property
    def by_kind(self) -> dict[str, int]:
        """The operations in ``total``, by class of module; the largest comes first."""
        total: Counter[str] = Counter()
        for name, count in self.by_layer.items():
            total[self.kinds[name]] += count
        return dict(total.most_common())

    def plot(self) -> Drawing:
        """Bars of ``by_kind``, with the share of each."""
        from bnlab.measure.cost.figures import readable_count, shares

        what = f"Floating-point operations of a forward pass of {self.samples} samples, by layer"
        words = {"what": what, "verb": "computes", "of": "of all operations"}
        return shares(self.by_kind, readable_count, **words)


@checked
def measure_flops(
    net: nn.Module, x: object, mode: str | None = None, samples: int | None = None
) -> Flops:
    """Count the floating-point operations of a forward pass, exactly, with torch's own counter.

    Counted is what runs, in its shapes: 2 m n k for a product of (m, k) and (k, n) matrices, and
    likewise for convolutions and attention (full, also where a mask leaves half of it out). Not
    counted, as in the papers on architecture search: normalizers, nonlinearities, sums. The
    counter overlooks the fused kernels of a whole transformer layer and of attention on the CPU;
    here they are switched off while it counts.

    Source: ``torch.utils.flop_counter``.

    Args:
        net: any module; it is as before afterwards.
        x: a batch of inputs, (N, ...); several inputs as a tuple, or by name as a dict.
        mode: ``train``, ``eval``, or None: each module in the mode that it has.
        samples: how many samples the batch has; None: the first length that all its tensors share.

    Raises:
        ValueError: for another mode, or a net with torch's recurrent layers, whose fused kernels
            the counter cannot see.

    Example:
        >>> measure_flops(nn.Linear(4, 8), torch.ones(16, 4))  # 2 * 16 * 4 * 8
        Flops(total=1024, samples=16)
    """
    check_mode(mode)
    check_inputs(x)
    samples = samples_in(x) if samples is None else samples
    positive(samples=samples)
    fused = [name for name, module in net.named_modules() if isinstance(module, nn.RNNBase)]
    if fused:
        raise ValueError(
            f"module {fused[0]!r} is a recurrent layer of torch: its kernel hides its products "
            "from the counter. Count the rest of the net without it."
        )
    counter = FlopCounterMode(display=False)
    with measuring(net, mode), torch.no_grad(), _nothing_fused(), counter, _called(net) as called:
        forward(net, x)
    counts = {name: sum(ops.values()) for name, ops in counter.get_flop_counts().items()}
    kinds = {name: type(module).__name__ for name, module in net.named_modules()}
    by_layer = _own(counts, type(net).__name__, kinds)
    coverage = covering(net, by_layer, functools.partial(_why, by_layer, called), inside=False)
    kinds = {name: kinds[name] for name in by_layer}
    return Flops(counter.get_total_flops(), by_layer, kinds, samples, **coverage)


@contextlib.contextmanager
def _called(net: nn.Module) -> Iterator[set[nn.Module]]:
    """The modules with a matrix or kernel that are called, as far as there are any."""
    called: set[nn.Module] = set()
    hooks = [
        module.register_forward_pre_hook(lambda module, _inputs: called.add(module))
        for module in net.modules()
        if owns_matrix(module)
    ]
    try:
        yield called
    finally:
        for hook in hooks:
            hook.remove()


def _why(by_layer: dict[str, int], called: set[nn.Module], name: str, module: nn.Module) -> Reason:
    """Why nothing was counted for a module with weights."""
    if not owns_matrix(module):
        return Reason("normalizers, biases and the like are not counted")
    if isinstance(module, nn.Embedding | nn.EmbeddingBag):
        return Reason("a table is looked up, and nothing is multiplied")
    if module not in called:
        return Reason(NOT_CALLED.words)
    return Reason("the counter saw no matrix product, convolution or attention in it", told=True)


@contextlib.contextmanager
def _nothing_fused() -> Iterator[None]:
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with _plain_attention():
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def _plain_attention() -> contextlib.AbstractContextManager:
    try:
        from torch.nn.attention import SDPBackend, sdpa_kernel
    except ImportError:  # before torch 2.3
        return torch.backends.cuda.sdp_kernel(enable_flash=False, enable_mem_efficient=False)
    return sdpa_kernel(SDPBackend.MATH)


def _own(counts: dict[str, int], root: str, names: dict[str, str]) -> dict[str, int]:
    """What each module computes itself: its count without that of the modules inside of it."""
    inclusive = {n: counts[key] for n in names if (key := f"{root}.{n}" if n else root) in counts}
    own = dict(inclusive)
    for name, count in inclusive.items():
        outer = name
        while outer:  # up to the next module that was called: a ModuleList never is
            outer = outer.rpartition(".")[0]
            if outer in own:
                own[outer] -= count
                break
    return {name: count for name, count in own.items() if count}
