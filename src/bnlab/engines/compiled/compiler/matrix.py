"""Rules for products of matrices and convolutions, which call functions of the runtime."""

from __future__ import annotations

from dataclasses import dataclass

from torch import fx

from bnlab.engines.compiled.compiler import kernel
from bnlab.engines.compiled.compiler.affine import Index, Size, size
from bnlab.engines.compiled.compiler.graph import Lowering, NotSupportedError, rule
from bnlab.engines.compiled.compiler.lazy import Lazy
from bnlab.engines.compiled.compiler.views import moved, reduced, reshaped

PER_ROW, PER_COLUMN, NO_BIAS = 2, 1, 0


def multiply(
    low: Lowering, a: Lazy, b: Lazy, bias: Lazy | None = None, bias_kind: int = NO_BIAS
) -> Lazy:
    """The product of a and b, plus a bias for each column or row; (M, K) and (K, N) give (M, N)."""
    a, b = low.materialise(a), low.materialise(b)
    out = low.new((a.shape[0], b.shape[1]), "real")
    extra = low.contiguous(bias) if bias is not None else out
    args = [*_matrix(a), *_matrix(b), _place(out), *out.shape, a.shape[1], _place(extra), bias_kind]
    low.emit(kernel.call_kernel("multiply", args))
    return out


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
    return multiply(low, args[1], args[2], args[0], PER_COLUMN)


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
        return cls(*sides, stride[0], padding[0])

    @property
    def numbers(self) -> list[int]:
        """The sizes in the order in which the runtime takes them."""
        return [getattr(self, name) for name in self.__dataclass_fields__]


def _columns(low: Lowering, x: Lazy, batch: Size, shape: Geometry) -> Lazy:
    """All patches of x as columns: (C * k * k, B * H' * W'). Made once, used in both passes."""
    x = low.materialise(x)
    key = (x.view, shape)
    if key not in low.cache:
        rows = size(shape.channels * shape.kernel**2)
        out = low.new((rows, batch * shape.out_height * shape.out_width), "real")
        x = _rows_together(low, x)
        args = [_place(x), *x.view.strides[:2], _place(out), batch, *shape.numbers]
        low.emit(kernel.call_kernel("patches", args))
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
    geometry = Geometry.of(node, x, weight, shape, options)
    columns = _columns(low, x, shape[0], geometry)
    rows = reshaped(low, weight, (weight.shape[0], columns.shape[0]))
    out = multiply(low, rows, columns, bias, PER_ROW if bias is not None else NO_BIAS)
    return _as_images(low, out, shape)


@rule("convolution_backward.default")
def _convolution_backward(low: Lowering, node: fx.Node, args: list, shape: tuple) -> list:
    gradient, x, weight, _, *options, wanted = args
    geometry = Geometry.of(node, x, weight, gradient.shape, options)
    of_output = _by_channel(low, gradient)
    batch = gradient.shape[0]
    columns = _columns(low, x, batch, geometry)
    rows = reshaped(low, weight, (weight.shape[0], columns.shape[0]))
    of_input = of_weight = of_bias = None
    if wanted[0]:
        of_columns = multiply(low, _transposed(rows), of_output)
        of_input = _gathered(low, of_columns, batch, geometry, x.shape)
    if wanted[1]:
        of_weight = multiply(low, of_output, _transposed(columns))
        of_weight = reshaped(low, of_weight, weight.shape)
    if wanted[2]:
        summed = reduced(low, of_output, [1], "real", "sum")
        of_bias = reshaped(low, summed, weight.shape[:1])
    return [of_input, of_weight, of_bias]


def _gathered(low: Lowering, columns: Lazy, batch: Size, shape: Geometry, images: tuple) -> Lazy:
    """The adjoint of ``_columns``: each pixel is the sum of the places it was copied to."""
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
