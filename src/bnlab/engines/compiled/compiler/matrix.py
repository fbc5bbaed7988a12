"""Rules for products of matrices and convolutions, which call functions of the runtime."""

from __future__ import annotations

from dataclasses import dataclass

from torch import fx

from bnlab.engines.compiled.compiler import kernel
from bnlab.engines.compiled.compiler.affine import Index, Size, size
from bnlab.engines.compiled.compiler.graph import Lowering, NotSupportedError, rule
from bnlab.engines.compiled.compiler.lazy import Lazy
from bnlab.engines.compiled.compiler.views import moved, reduced, reshaped

LARGEST_KERNEL = 7
"""Rows of a kernel, as in runtime.c."""


def multiply(low: Lowering, a: Lazy, b: Lazy, bias: Lazy | None = None) -> Lazy:
    """The product of a and b, plus a bias for each column; (M, K) and (K, N) give (M, N)."""
    a, b = low.materialise(a), low.materialise(b)
    out = low.new((a.shape[0], b.shape[1]), "real")
    args = [*_matrix(a), *_matrix(b), _place(out), *out.shape, a.shape[1], *_bias(low, bias, out)]
    low.emit(kernel.call_kernel("multiply", args))
    return out


def _bias(low: Lowering, bias: Lazy | None, unused: Lazy) -> tuple:
    """Place of a bias and 1; or any place and 0."""
    return (_place(unused), 0) if bias is None else (_place(low.contiguous(bias)), 1)


def _place(tensor: Lazy) -> tuple[int, Size]:
    return tensor.view.buffer, tensor.view.offset


def _matrix(tensor: Lazy) -> list:
    return [_place(tensor), *tensor.view.strides]


@rule("mm.default")
def _mm(low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    return multiply(low, *args)


@rule("addmm.default")
def _addmm(low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    if node.kwargs or len(args[0].shape) != 1:
        raise NotSupportedError(f"addmm with {dict(node.kwargs)} or a bias that is no vector.")
    return multiply(low, args[1], args[2], args[0])


@dataclass(frozen=True)
class Geometry:
    """A convolution with square kernels: sizes before and after, kernel, stride, padding."""

    channels: int
    height: int
    width: int
    out_height: int
    out_width: int
    kernel: int
    stride: int
    padding: int

    @classmethod
    def of(cls, node: fx.Node, x: Lazy, weight: Lazy, out: tuple, options: list) -> Geometry:
        """The geometry of a convolution in a graph, if the runtime can do it."""
        stride, padding, dilation, transposed, _, groups = options
        square = weight.shape[2] == weight.shape[3] and stride[0] == stride[1]
        if transposed or groups != 1 or set(dilation) != {1} or not square or len(set(padding)) > 1:
            raise NotSupportedError(
                f"{node.target}: only square convolutions without groups and dilation are compiled."
            )
        sides = [n.c for n in (*x.shape[1:], *out[2:], weight.shape[2])]
        if sides[-1] > LARGEST_KERNEL:
            raise NotSupportedError(f"{node.target}: kernels of {sides[-1]} x {sides[-1]} numbers.")
        return cls(*sides, stride[0], padding[0])

    @property
    def numbers(self) -> list[int]:
        """The sizes in the order in which ``patches_adjoint`` takes them."""
        return [getattr(self, name) for name in self.__dataclass_fields__]

    @property
    def padded(self) -> tuple[int, int]:
        """Rows and columns of a padded image, or of one of its ``stride**2`` parts."""
        more = (self.kernel - 1) // self.stride
        return self.out_height + more, self.out_width + more

    def turned(self, channels: int) -> Geometry:
        """The convolution that takes the gradient of the result to that of the images."""
        sides = self.out_height, self.out_width, self.height, self.width
        return Geometry(channels, *sides, self.kernel, 1, self.kernel - 1 - self.padding)

    @property
    def is_turned(self) -> bool:
        """Whether that is a convolution."""
        return self.stride == 1 and self.padding < self.kernel


def _padded(low: Lowering, x: Lazy, shape: Geometry) -> Lazy:
    """Images with zeros around them, as convolutions take them; those of x serve both passes."""
    x = low.materialise(x)
    key = (x.view, shape)
    if key not in low.cache:
        parts = [size(n) for n in (shape.stride, shape.stride, *shape.padded)]
        out = low.new((*x.shape[:2], *parts), "real")
        x = _rows_together(low, x)
        sizes = [shape.height, shape.width, shape.padding, shape.stride, *shape.padded]
        args = [_place(x), *x.view.strides[:2], _place(out), *x.shape[:2], *sizes]
        low.emit(kernel.call_kernel("padded", args))
        low.cache[key] = out
    return low.cache[key]


def _rows_together(low: Lowering, x: Lazy) -> Lazy:
    width = x.shape[3]
    return x if x.view.strides[2:] == (width, size(1)) else low.contiguous(x)


def _by_channel(low: Lowering, x: Lazy) -> Lazy:
    """Arrange (B, C, H, W) as a matrix (C, B * H * W), channel after channel in memory."""
    batch, channels, height, width = x.shape
    swapped = moved(x, (channels, batch, height, width), lambda p: [p[1], p[0], p[2], p[3]])
    return reshaped(low, low.contiguous(swapped), (channels, batch * height * width))


def _as_images(low: Lowering, matrix: Lazy, shape: tuple) -> Lazy:
    batch, channels, height, width = shape
    images = reshaped(low, matrix, (channels, batch, height, width))
    return moved(images, shape, lambda p: [p[1], p[0], p[2], p[3]])


@rule("convolution.default")
def _convolution(low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    x, weight, bias, *options = args
    weight, geometry = low.contiguous(weight), Geometry.of(node, x, weight, shape, options)
    numbers = geometry.kernel**2
    steps = [_place(weight), geometry.channels * numbers, numbers, 1]
    return _convolved(low, x, steps, geometry, shape, bias)


def _convolved(
    low: Lowering, x: Lazy, kernels: list, shape: Geometry, out: tuple, bias: Lazy | None = None
) -> Lazy:
    """A convolution; ``kernels``: their place, from one to the next, channel to channel, in it."""
    images, channels = _padded(low, x, shape), out[1]
    result = low.new((channels, out[0] * out[2] * out[3]), "real")
    sizes = [out[0], channels, shape.channels, *shape.padded, *out[2:], shape.kernel, shape.stride]
    args = [*kernels, _place(images), _place(result), *sizes, *_bias(low, bias, result)]
    low.emit(kernel.call_kernel("convolve", args))
    return _as_images(low, result, out)


@rule("convolution_backward.default")
def _convolution_backward(low: Lowering, node: fx.Node, args: list, shape: tuple) -> list:
    gradient, x, weight, _, *options, wanted = args
    weight, geometry = low.contiguous(weight), Geometry.of(node, x, weight, gradient.shape, options)
    of_output = _by_channel(low, gradient)
    of_input = of_weight = of_bias = None
    if wanted[0] and geometry.is_turned:
        # The kernels from their ends, and from each channel to each result.
        numbers, images = geometry.kernel**2, _as_images(low, of_output, gradient.shape)
        buffer, offset = _place(weight)
        kernels = [(buffer, offset + (numbers - 1)), numbers, geometry.channels * numbers, -1]
        turned = geometry.turned(weight.shape[0].c)
        of_input = _convolved(low, images, kernels, turned, x.shape)
    elif wanted[0]:
        rows = reshaped(
            low, weight, (weight.shape[0], size(geometry.channels * geometry.kernel**2))
        )
        of_columns = multiply(low, _transposed(rows), of_output)
        of_input = _gathered(low, of_columns, x.shape[0], geometry, x.shape)
    if wanted[1]:
        of_weight = _of_weight(low, of_output, x, weight.shape, geometry)
    if wanted[2]:
        summed = reduced(low, of_output, [1], "real", "sum")
        of_bias = reshaped(low, summed, weight.shape[:1])
    return [of_input, of_weight, of_bias]


def _of_weight(low: Lowering, of_output: Lazy, x: Lazy, shape: tuple, geometry: Geometry) -> Lazy:
    """The gradient of the kernels."""
    images, out = _padded(low, x, geometry), low.new(shape, "real")
    sizes = [x.shape[0], *shape[:2], *geometry.padded, geometry.out_height, geometry.out_width]
    args = [_place(of_output), _place(images), _place(out), *sizes]
    low.emit(kernel.call_kernel("convolve_weights", [*args, geometry.kernel, geometry.stride]))
    return out


def _gathered(low: Lowering, columns: Lazy, batch: Size, shape: Geometry, images: tuple) -> Lazy:
    """Images from all patches of them as columns: each pixel is the sum of its places there."""
    pixels = batch * shape.height * shape.width
    out = low.new((size(shape.channels), pixels), "real")
    args = [_place(columns), _place(out), batch, *shape.numbers]
    low.emit(kernel.call_kernel("patches_adjoint", args))
    return _as_images(low, out, images)


def _transposed(matrix: Lazy) -> Lazy:
    rows, columns = matrix.shape

    def move(position: list[Index]) -> list[Index]:
        return [position[1], position[0]]

    return moved(matrix, (columns, rows), move)
