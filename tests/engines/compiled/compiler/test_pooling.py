"""Compiled average pooling: PyTorch's numbers forward and backward, and what is refused."""

import pytest
import torch
from torch import nn

from bnlab.engines.compiled.compiler import elementwise, matrix, views  # noqa: F401  (their rules)
from bnlab.engines.compiled.compiler.build import has_compiler, wasm
from bnlab.engines.compiled.compiler.codegen import c_source
from bnlab.engines.compiled.compiler.graph import Lowering, NotSupportedError
from bnlab.engines.compiled.compiler.plan import plan, table
from bnlab.engines.compiled.compiler.trace import trace
from bnlab.engines.compiled.machine import Machine
from bnlab.engines.compiled.program import Library

BATCH, LARGEST = 5, 8


def pooled(x, weight, *, kernel):
    """The averages of a tensor that is nowhere in memory, and the gradient of a weighted sum."""
    x = (2 * x).requires_grad_()
    y = nn.functional.avg_pool2d(x, kernel, ceil_mode=True)
    (gradient,) = torch.autograd.grad((y * weight).sum(), x)
    return y.detach(), gradient


def lowered(shape, kernel):
    x = torch.zeros(6, *shape)
    weight = torch.zeros(6, *nn.functional.avg_pool2d(x, kernel, ceil_mode=True).shape[1:])
    low, library = Lowering(), Library()
    graph = trace(lambda x, w: pooled(x, w, kernel=kernel), [x, weight], dynamic=(0, 1)).graph
    low.run(graph, ("x", "weight"), [("y", "of_x")])
    places, end = {}, 16
    for buffer in low.buffers.values():
        if buffer.name is not None:
            places[buffer.name], end = end, end + buffer.size.at(LARGEST) + 16
    offsets, end = plan(low, places, end, LARGEST)
    return library, table(low, offsets, library.numbers(low)), places, end


@pytest.mark.skipif(not has_compiler(), reason="ziglang is not installed")
@pytest.mark.parametrize("shape, kernel", [((3, 8, 8), 2), ((2, 6, 9), 3), ((1, 4, 6), (2, 3))])
def test_averages_and_gradients_are_those_of_pytorch(shape, kernel):
    library, code, places, end = lowered(shape, kernel)
    machine = Machine(wasm(c_source(library.kernels, "float32")), "float32", end + len(code) + 16)
    machine.write_code(end, code)
    draw = torch.Generator().manual_seed(0)
    x = torch.randn(BATCH, *shape, generator=draw)
    weight = torch.randn(pooled(x, 1.0, kernel=kernel)[0].shape, generator=draw)
    machine.write(places["x"], x.numpy())
    machine.write(places["weight"], weight.numpy())
    machine.run(BATCH, end, len(code))
    for name, wanted in zip(("y", "of_x"), pooled(x, weight, kernel=kernel), strict=True):
        found = torch.from_numpy(machine.read(places[name], wanted.numel())).view_as(wanted)
        torch.testing.assert_close(found, wanted)


def test_windows_that_do_not_tile_the_image_are_refused():
    with pytest.raises(NotSupportedError, match="only windows that tile the image"):
        lowered((2, 7, 8), 2)
