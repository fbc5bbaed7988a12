"""Rules for operations on single elements, constants and casts."""

from __future__ import annotations

from functools import partial

from torch import fx

from bnlab.engines.compiled.compiler.affine import Index, Size
from bnlab.engines.compiled.compiler.graph import Lowering, NotSupportedError, rule
from bnlab.engines.compiled.compiler.lazy import (
    Lazy,
    Load,
    Op,
    Place,
    broadcast,
    cast,
    constant,
    kind_of,
    scalar,
)

_RANK = {"int": 0, "real": 1, "double": 2}

_BINARY = {
    "add": "({} + {})",
    "sub": "({} - {})",
    "mul": "({} * {})",
    "div": "({} / {})",
    "maximum": "MAXF({}, {})",
    "minimum": "MINF({}, {})",
}
_WRAPPING = {"add": "+", "sub": "-", "mul": "*"}
_COMPARE = {"le": "<=", "lt": "<", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="}
_INTEGER = {
    "bitwise_xor": "({} ^ {})",
    "bitwise_and": "({} & {})",
    "bitwise_or": "({} | {})",
    "__rshift__": "({} >> {})",
    "logical_and": "({} && {})",
}
_UNARY = {
    "neg": "(-{})",
    "exp": "EXPF({})",
    "log": "LOGF({})",
    "log1p": "LOG1PF({})",
    "sqrt": "SQRTF({})",
    "rsqrt": "(1 / SQRTF({}))",
    "reciprocal": "(1 / {})",
    "relu": "RELUF({})",
    "abs": "ABSF({})",
    "sign": "SIGNF({})",
    "tanh": "TANHF({})",
    "sigmoid": "(1 / (1 + EXPF(-{})))",
    "cos": "COSF({})",
    "sin": "SINF({})",
}
_POWERS = {
    1: "{0}",
    2: "({0} * {0})",
    3: "({0} * {0} * {0})",
    0.5: "SQRTF({0})",
    -0.5: "(1 / SQRTF({0}))",
}


def tensor_of(value: object) -> Lazy:
    """A tensor, a number, a Size or an expression as a tensor."""
    if isinstance(value, Lazy):
        return value
    if isinstance(value, Size):
        return scalar(Place(Index.number(value)), "int")
    if isinstance(value, Load | Place | Op):
        return scalar(value, value.kind)
    kind = "int" if isinstance(value, bool | int) else "double"
    return scalar(value, kind)


def elementwise(
    low: Lowering, template: str, shape: tuple[Size, ...], kind: str, operands: str, *args: object
) -> Lazy:
    """The tensor whose elements are ``template`` of the elements of ``args``, cast first."""
    tensors = [_shared(low, tensor_of(arg), shape) for arg in args]

    def at(position: list[Index]) -> Op:
        values = tuple(_as(broadcast(t, position), operands) for t in tensors)
        return Op(template, values, kind)

    return Lazy(shape, kind, at)


def _as(expr: object, kind: str) -> object:
    # A constant is written in the kind that it is needed in, not cast to it: 0.1 is no float.
    if isinstance(expr, Op) and not expr.args and expr.kind == "double" and kind == "real":
        return Op(f"(REAL){expr.template}", (), "real")
    return cast(expr, kind)


def _shared(low: Lowering, tensor: Lazy, shape: tuple[Size, ...]) -> Lazy:
    # What is broadcast would be computed anew for each element.
    if tensor.cheap or tensor.numel == Lazy(shape, "", lambda _: None).numel:
        return tensor
    return low.materialise(tensor)


def _operand_kind(args: list) -> str:
    # As torch: a tensor without axes or a number only counts if it is of a higher category.
    tensors = [tensor_of(a) for a in args]
    with_axes = [t.kind for t in tensors if t.shape]
    kinds = with_axes or [t.kind for t in tensors]
    kind = max(kinds, key=_RANK.get)
    return "real" if kind == "int" and any(t.kind != "int" for t in tensors) else kind


def _result(node: fx.Node) -> str:
    return kind_of(node.meta["val"].dtype)


def _binary(template: str, low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    kind = _result(node)
    if node.kwargs.get("alpha", 1) != 1 or node.kwargs.get("rounding_mode"):
        raise NotSupportedError(f"{node.target} with {dict(node.kwargs)} cannot be compiled.")
    return elementwise(low, template, shape, kind, kind, *args[:2])


def _wrapping(name: str, low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    if _result(node) != "int":
        return _binary(_BINARY[name], low, node, args, shape)
    # Whole numbers are taken modulo 2^32, as in the random generator.
    template = f"(int)((unsigned){{}} {_WRAPPING[name]} (unsigned){{}})"
    return _binary(template, low, node, args, shape)


def _compare(sign: str, low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    return elementwise(low, f"({{}} {sign} {{}})", shape, "int", _operand_kind(args), *args)


def _integer(template: str, low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    return elementwise(low, template, shape, "int", "int", *args)


def _unary(template: str, low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    kind = _result(node)
    suffix = template.replace("F(", "D(") if kind == "double" else template
    return elementwise(low, suffix, shape, kind, kind, args[0])


def _register() -> None:
    for name, template in _BINARY.items():
        made = partial(_wrapping, name) if name in _WRAPPING else partial(_binary, template)
        rule(f"{name}.Tensor", f"{name}.Scalar", f"{name}.default")(made)
    for name, sign in _COMPARE.items():
        rule(f"{name}.Tensor", f"{name}.Scalar")(partial(_compare, sign))
    for name, template in _INTEGER.items():
        rule(f"{name}.Tensor", f"{name}.Scalar", f"{name}.default")(partial(_integer, template))
    for name, template in _UNARY.items():
        rule(f"{name}.default")(partial(_unary, template))


_register()


@rule("logical_not.default", "bitwise_not.default")
def _not(low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    return elementwise(low, "(!{})", shape, "int", tensor_of(args[0]).kind, args[0])


@rule("pow.Tensor_Scalar")
def _power(low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    if args[1] not in _POWERS:
        raise NotSupportedError(
            f"the power {args[1]} cannot be compiled; there are {list(_POWERS)}."
        )
    return _unary(_POWERS[args[1]], low, node, args[:1], shape)


@rule("where.self")
def _where(low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    kind = _result(node)
    condition, *values = (_shared(low, tensor_of(arg), shape) for arg in args)

    def at(position: list[Index]) -> Op:
        chosen = (_as(broadcast(value, position), kind) for value in values)
        # Both values are there before one is chosen: a load behind a branch is a slow one.
        template = "CHOOSEF({}, {}, {})" if kind == "real" else "({} ? {} : {})"
        return Op(template, (broadcast(condition, position), *chosen), kind)

    return Lazy(shape, kind, at)


@rule("clamp.default", "clamp.Tensor")
def _clamp(low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    kind, (value, low_end, high_end) = _result(node), [*args, None][:3]
    if low_end is not None:
        value = elementwise(low, "MAXF({}, {})", shape, kind, kind, value, low_end)
    if high_end is not None:
        value = elementwise(low, "MINF({}, {})", shape, kind, kind, value, high_end)
    return value


@rule("_to_copy.default")
def _convert(low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    kind, source = _result(node), args[0]
    if kind == source.kind:
        return source
    return Lazy(shape, kind, lambda p: cast(source.at(p), kind), cheap=source.cheap)


@rule("alias.default", "clone.default", "detach.default", "lift_fresh_copy.default")
def _same(low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    return args[0]


@rule("copy.default")
def _copy(low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    kind, source = _result(node), tensor_of(args[1])
    return Lazy(shape, kind, lambda p: cast(broadcast(source, p), kind), cheap=source.cheap)


@rule("full_like.default", "full.default")
def _full(low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    value = constant(args[1], _result(node))
    return Lazy(shape, value.kind, lambda _: value, cheap=True)


@rule("scalar_tensor.default")
def _number(low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    return scalar(args[0], _result(node))


@rule("arange.start_step")
def _arange(low: Lowering, node: fx.Node, args: list, shape: tuple) -> Lazy:
    start, _, step = [*args, 1][:3]
    kind = _result(node)
    return Lazy(shape, kind, lambda p: cast(Place(p[0] * step + start), kind), cheap=True)
