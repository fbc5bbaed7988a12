"""Compiled convolutions of any size: PyTorch's numbers, and the same bits in each machine."""

import functools

import numpy as np
import pytest
import torch

from bnlab.engines.compiled.compiler import elementwise, matrix, views  # noqa: F401  (their rules)
from bnlab.engines.compiled.compiler.build import has_compiler, wasm
from bnlab.engines.compiled.compiler.codegen import c_source
from bnlab.engines.compiled.compiler.graph import Lowering, NotSupportedError
from bnlab.engines.compiled.compiler.plan import plan, table
from bnlab.engines.compiled.compiler.trace import trace
from bnlab.engines.compiled.machine import REALS, Machine
from bnlab.engines.compiled.native.machine import NativeMachine
from bnlab.engines.compiled.native.products import known
from bnlab.engines.compiled.native.wasm import read
from bnlab.engines.compiled.program import Library
from tests.engines.compiled.native_cases import MAKES, make_by, needs_native

pytestmark = pytest.mark.skipif(not has_compiler(), reason="ziglang is not installed")

MACHINES = (Machine, NativeMachine)
LARGEST = 9
SHAPES = [
    # channels, results, height, width, kernel, stride, padding
    (1, 16, 8, 8, 3, 1, 1),
    (16, 13, 8, 8, 3, 1, 1),
    (5, 6, 4, 4, 3, 1, 1),
    (6, 9, 8, 8, 3, 2, 1),
    (3, 8, 16, 16, 3, 1, 1),
    (7, 5, 16, 16, 1, 1, 0),
    (4, 7, 8, 8, 1, 2, 0),
    (2, 3, 7, 5, 3, 1, 1),
    (3, 4, 9, 12, 5, 1, 2),
    (3, 2, 12, 12, 5, 3, 0),
    (2, 4, 10, 8, 3, 2, 2),
    (3, 5, 2, 2, 3, 1, 1),
    (2, 3, 4, 4, 1, 1, 1),
    (2, 3, 8, 8, 7, 1, 3),
]


def passes(x, weight, bias, gradient, *, stride: int, padding: int):
    """The result of a convolution, and the gradients of what it is made from."""
    y = torch.nn.functional.conv2d(x, weight, bias, stride, padding)
    options = [[stride] * 2, [padding] * 2, [1, 1], False, [0, 0], 1, [True] * 3]
    backward = torch.ops.aten.convolution_backward
    return y, *backward(gradient, x, weight, [len(bias)], *options)


def tensors(shape: tuple, batch: int, precision: str = "float32") -> list[torch.Tensor]:
    channels, results, height, width, kernel, stride, padding = shape
    sides = [(n + 2 * padding - kernel) // stride + 1 for n in (height, width)]
    sizes = [(batch, channels, height, width), (results, channels, kernel, kernel), (results,)]
    draw = torch.Generator().manual_seed(batch)
    real = getattr(torch, precision)
    return [torch.randn(s, generator=draw, dtype=real) for s in (*sizes, (batch, results, *sides))]


NAMES = ("x", "weight", "bias", "gradient")
RESULTS = ("y", "of_x", "of_weight", "of_bias")


@functools.cache
def lowered() -> tuple[Library, list[tuple[list[int], dict[str, int], int]]]:
    """The kernels of all shapes; for each its program, the places of its tensors, its heap."""
    library, programs = Library(), []
    for shape in SHAPES:
        function = functools.partial(passes, stride=shape[5], padding=shape[6])
        module, low = trace(function, tensors(shape, 6), dynamic=(0, 3)), Lowering()
        low.run(module.graph, NAMES, [RESULTS])
        places, end = {}, 16
        for buffer in low.buffers.values():
            if buffer.name is not None:
                places[buffer.name] = end
                end += buffer.size.at(LARGEST) + 16
        offsets, end = plan(low, places, end, LARGEST)
        programs.append((table(low, offsets, library.numbers(low)), places, end))
    return library, programs


@functools.cache
def module(precision: str) -> bytes:
    return wasm(c_source(lowered()[0].kernels, precision))


def results(machine_class: type, precision: str, number: int, inputs: list) -> list[np.ndarray]:
    code, places, end = lowered()[1][number]
    machine = machine_class(module(precision), precision, end + len(code) + 64)
    for name, tensor in zip(NAMES, inputs, strict=True):
        machine.write(places[name], tensor.numpy())
    machine.write_code(end, code)
    machine.run(len(inputs[0]), end, len(code))
    sizes = [inputs[3].numel(), *(tensor.numel() for tensor in inputs[:3])]
    return [machine.read(places[n], size) for n, size in zip(RESULTS, sizes, strict=True)]


@pytest.mark.parametrize("precision", REALS)
@pytest.mark.parametrize("number", range(len(SHAPES)), ids=lambda k: "x".join(map(str, SHAPES[k])))
def test_both_passes_are_those_of_pytorch(number, precision):
    shape = SHAPES[number]
    for batch in (1, 4, LARGEST):
        inputs = tensors(shape, batch, precision)
        mine = results(Machine, precision, number, inputs)
        theirs = passes(*inputs, stride=shape[5], padding=shape[6])
        limit = 1e-12 if precision == "float64" else 2e-5
        for one, other, name in zip(mine, theirs, RESULTS, strict=True):
            scale = other.abs().max().item()
            assert np.abs(one - other.numpy().ravel()).max() <= limit * scale, (name, batch)


@needs_native
@pytest.mark.parametrize("way", MAKES)
def test_every_processor_has_the_same_bits(way, tmp_path, monkeypatch):
    make_by(way, tmp_path, monkeypatch)
    for number, shape in enumerate(SHAPES):
        inputs = tensors(shape, 4)
        mine, native = (results(kind, "float32", number, inputs) for kind in MACHINES)
        for one, other in zip(mine, native, strict=True):
            assert one.tobytes() == other.tobytes(), shape


def test_what_is_fast_is_found_in_convolutional_nets():
    names = {known(function)[0] for function in read(module("float32")).functions}
    assert names == {"", "multiply", "convolve", "convolve_weights"}


def test_what_is_not_finite_comes_through():
    inputs = tensors(SHAPES[1], 4)
    inputs[0][2, 3, 4, 5] = torch.nan
    inputs[1][0, 0, 0, 0] = torch.inf
    y, of_x, *_ = results(Machine, "float32", 1, inputs)
    theirs = passes(*inputs, stride=1, padding=1)
    for one, other in ((y, theirs[0]), (of_x, theirs[1])):
        wrong = ~np.isfinite(other.numpy().ravel())
        assert wrong.any() and not np.isfinite(one[wrong]).any()


def test_a_kernel_that_is_too_large_is_refused_by_its_size():
    module = trace(
        functools.partial(passes, stride=1, padding=4), tensors((1, 2, 8, 8, 9, 1, 4), 6), (0, 3)
    )
    with pytest.raises(NotSupportedError, match="9 x 9"):
        Lowering().run(module.graph, NAMES, [RESULTS])
