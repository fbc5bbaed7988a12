"""What each instruction of WebAssembly is in C: one operation of IEEE 754 for one of its.

Numbers without a sign stand for i32 and i64, as they wrap around. A vector is four of them, and is
read as lanes of another type where an instruction does so. Nothing here may be contracted, put in
another order or assumed to be finite: then any compiler for any processor gives the same bits, but
those of a NaN, which WebAssembly leaves open too.
"""

from __future__ import annotations

from typing import NamedTuple

HEAD = """
typedef unsigned char u8;
typedef unsigned int i32;
typedef unsigned long long i64;
typedef int s32;
typedef long long s64;
typedef float f32;
typedef double f64;
#define VECTOR(name, type) typedef type name __attribute__((vector_size(16)))
VECTOR(v128, i32); VECTOR(i8x16, u8); VECTOR(i32x4, i32); VECTOR(s32x4, s32); VECTOR(i64x2, i64);
VECTOR(s64x2, s64); VECTOR(f32x4, f32); VECTOR(f64x2, f64);
typedef i32 i32x2 __attribute__((vector_size(8)));
typedef s32 s32x2 __attribute__((vector_size(8)));
typedef f32 f32x2 __attribute__((vector_size(8)));
#define PLACED(type) typedef type at_##type __attribute__((aligned(1), may_alias))
PLACED(u8); PLACED(i32); PLACED(i64); PLACED(f32); PLACED(f64); PLACED(v128);
#define AT(type, place, offset) (*(at_##type*)(m + (unsigned long)(place) + offset##ul))
#define GLOBAL(k) (*(at_i32*)(m - 16 * (k + 1)))
#define OWN static __attribute__((noinline))
#define OPERATION static inline __attribute__((always_inline))
OPERATION f32 f32_of(i32 bits) { union { i32 i; f32 f; } u = {bits}; return u.f; }
OPERATION f64 f64_of(i64 bits) { union { i64 i; f64 f; } u = {bits}; return u.f; }
OPERATION i64 bits_of(f64 number) { union { f64 f; i64 i; } u = {number}; return u.i; }
OPERATION i32 bits_of_f32(f32 number) { union { f32 f; i32 i; } u = {number}; return u.i; }
#define DIVISIONS(type, signed, lowest) \\
  OPERATION type share_##type(type a, type b) { if (!b) __builtin_trap(); return a / b; } \\
  OPERATION type remains_##type(type a, type b) { if (!b) __builtin_trap(); return a % b; } \\
  OPERATION type quotient_##type(type a, type b) { \\
    if (!b || (a == lowest && b == ~(type)0)) __builtin_trap(); \\
    return (signed)a / (signed)b; } \\
  OPERATION type rest_##type(type a, type b) { \\
    if (!b) __builtin_trap(); \\
    return b == ~(type)0 ? 0 : (type)((signed)a % (signed)b); }
DIVISIONS(i32, s32, 0x80000000u)
DIVISIONS(i64, s64, 1ull << 63)
OPERATION i32 truncated_i32(f64 a) {
  if (a != a) return 0;
  return a <= -2147483648. ? 0x80000000u : a >= 2147483647. ? 0x7fffffffu : (i32)(s32)a;
}
OPERATION i64 truncated_i64(f64 a) {
  if (a != a) return 0;
  if (a < -9223372036854775808.) return 1ull << 63;
  return a >= 9223372036854775808. ? ~0ull >> 1 : (i64)(s64)a;
}
OPERATION v128 chosen(v128 a, v128 b, v128 mask) { return (a & mask) | (b & ~mask); }
#define LANES(type, function, a) \\
  ({ type x_ = (type)(a); for (int i_ = 0; i_ < sizeof x_ / sizeof x_[0]; i_++) \\
     x_[i_] = function(x_[i_]); (v128)x_; })
#define WITH(type, a, lane, value) ({ type x_ = (type)(a); x_[lane] = (value); (v128)x_; })
#define LOW(type, a) __builtin_shufflevector((type)(a), (type)(a), 0, 1)
#define HIGH(type, a) __builtin_shufflevector((type)(a), (type)(a), 2, 3)
"""

TRIAL = """
/* From 1 + 2^-30, 1e300, 2^-1060 and NaN: 0, or the number of what is not as IEEE 754 has it. */
__attribute__((visibility("default"))) i32 wasm_trial(const volatile f64* given) {
  f64 one = given[0], large = given[1], small = given[2], none = given[3];
  f64 same = given[0];  /* read twice: no compiler knows that it is the same */
  volatile f64 square = one * one;
  if (same * same - square != 0) return 1;                     /* contracted */
  if (one + large - large != 0 || large - large + one != one) return 2;  /* in another order */
  if (small * 0.5 == 0 || (f32)small != 0) return 3;           /* no subnormal numbers */
  if (none == none || none < one || !(none != one)) return 4;  /* NaN is a number */
  if (truncated_i32(none) || truncated_i64(large) != ~0ull >> 1) return 5;
  f32x4 a = {(f32)one, (f32)none, 3, 4}, b = {1, 2, 3, 5};
  i32x4 less = (i32x4)(a < b);
  if (less[0] || less[1] || less[2] || less[3] != ~0u) return 6;
  if ((one / 3) * 3 == one + 1 || __builtin_floor(-one) != -2) return 7;
  return 0;
}
"""


class Operation(NamedTuple):
    """How many numbers it takes; the type of its result, if it has one; its text in C.

    In the text {0}, {1}, {2} are what it takes, {n} its operand, {lane} the lane.
    """

    takes: int
    gives: str | None
    text: str


def _unary(gives: str, **texts: str) -> dict[int, Operation]:
    return {int(k[1:], 16): Operation(1, gives, text) for k, text in texts.items()}


def _binary(first: int, gives: str, texts: list[str]) -> dict[int, Operation]:
    return {first + k: Operation(2, gives, text) for k, text in enumerate(texts) if text}


def _comparisons(first: int, unsigned: str, signed: str) -> dict[int, Operation]:
    texts = ["{0} == {1}", "{0} != {1}"]
    for sign in ("<", ">", "<=", ">="):
        texts += [f"({kind}){{0}} {sign} ({kind}){{1}}" for kind in (signed, unsigned)]
    return _binary(first, "i32", texts)


FLOAT_ORDER = ("==", "!=", "<", ">", "<=", ">=")


def _arithmetic(first: int, kind: str, signed: str, bits: int) -> dict[int, Operation]:
    shift = f"({{1}} & {bits - 1})"
    texts = ["{0} + {1}", "{0} - {1}", "{0} * {1}"]
    texts += [f"{name}_{kind}({{0}}, {{1}})" for name in ("quotient", "share", "rest", "remains")]
    texts += ["{0} & {1}", "{0} | {1}", "{0} ^ {1}", f"{{0}} << {shift}"]
    texts += [f"({kind})(({signed}){{0}} >> {shift})", f"{{0}} >> {shift}"]
    return _binary(first, kind, texts)


def _float(first: int, kind: str, root: str) -> dict[int, Operation]:
    # fabs and copysign by builtins; __builtin_floor has other bits for no number.
    end = "f" if kind == "f32" else ""
    one = [f"__builtin_fabs{end}({{0}})", "-{0}", f"__builtin_ceil{end}({{0}})"]
    one += [f"__builtin_floor{end}({{0}})", f"__builtin_trunc{end}({{0}})", "", f"{root}({{0}})"]
    table = {first + k: Operation(1, kind, text) for k, text in enumerate(one) if text}
    return table | _binary(first + 7, kind, [f"{{0}} {sign} {{1}}" for sign in "+-*/"])


def _lanes(first: int, kind: str, texts: list[str]) -> dict[int, Operation]:
    texts = [text and f"(v128)(({kind}){{0}} {text} ({kind}){{1}})" for text in texts]
    return _binary(first, "v128", texts)


def _ordered(first: int, signed: str, unsigned: str) -> dict[int, Operation]:
    kinds = [signed, unsigned] * 4
    texts = (
        f"(v128)(({k}){{0}} {s} ({k}){{1}})"
        for k, s in zip(kinds, ["<", "<", ">", ">", "<=", "<=", ">=", ">="], strict=True)
    )
    return _binary(first, "v128", [*texts])


def _float_lanes(first: int, kind: str, root: str, absolute: str) -> dict[int, Operation]:
    return {
        first: Operation(1, "v128", f"LANES({kind}, {absolute}, {{0}})"),
        first + 1: Operation(1, "v128", f"(v128)(-({kind}){{0}})"),
        first + 3: Operation(1, "v128", f"LANES({kind}, {root}, {{0}})"),
        **_lanes(first + 4, kind, [*"+-*/"]),
    }


def _shifts(first: int, kind: str, signed: str, bits: int) -> dict[int, Operation]:
    shift = f"({{1}} & {bits - 1})"
    texts = [f"(v128)(({kind}){{0}} << {shift})", f"(v128)(({signed}){{0}} >> {shift})"]
    return _binary(first, "v128", [*texts, f"(v128)(({kind}){{0}} >> {shift})"])


def _loads() -> dict[int, Operation]:
    kinds = {0x28: "i32", 0x29: "i64", 0x2A: "f32", 0x2B: "f64", 0xFD00: "v128"}
    table = {n: Operation(1, kind, f"AT({kind}, {{0}}, {{n}})") for n, kind in kinds.items()}
    stores = {0x36: "i32", 0x37: "i64", 0x38: "f32", 0x39: "f64", 0xFD0B: "v128"}
    for n, kind in stores.items():
        table[n] = Operation(2, None, f"AT({kind}, {{0}}, {{n}}) = {{1}}")
    for k, (whole, lanes) in enumerate((("i32", "i32x4"), ("i64", "i64x2"))):
        zeros, place = ", 0" * (3 - 2 * k), f"AT({whole}, {{0}}, {{n}})"
        copies = "x_, x_" + ", x_, x_" * (1 - k)
        splat = f"({{{{ {whole} x_ = {place}; (v128)({lanes}){{{{{copies}}}}}; }}}})"
        table[0xFD09 + k] = Operation(1, "v128", splat)
        table[0xFD5C + k] = Operation(1, "v128", f"(v128)({lanes}){{{{{place}{zeros}}}}}")
        table[0xFD56 + k] = Operation(2, "v128", f"WITH({lanes}, {{1}}, {{lane}}, {place})")
        table[0xFD5A + k] = Operation(2, None, f"{place} = (({lanes}){{1}})[{{lane}}]")
    return table


def _access() -> dict[int, Operation]:
    table = {}
    kinds = (("i32", "i32x4"), ("i64", "i64x2"), ("f32", "f32x4"), ("f64", "f64x2"))
    for k, (one, lanes) in enumerate(kinds):
        copies = ", ".join(["{0}"] * int(lanes[-1]))
        table[0xFD11 + k] = Operation(1, "v128", f"(v128)({lanes}){{{{{copies}}}}}")
        table[0xFD1B + 2 * k] = Operation(1, one, f"(({lanes}){{0}})[{{lane}}]")
        table[0xFD1C + 2 * k] = Operation(2, "v128", f"WITH({lanes}, {{0}}, {{lane}}, {{1}})")
    return table


OPERATIONS: dict[int, Operation] = {
    **_loads(),
    **_access(),
    0x1B: Operation(3, "same", "{2} ? {0} : {1}"),
    **_unary("i32", x45="!{0}", xA7="(i32){0}", xBC="bits_of_f32({0})", xFC02="truncated_i32({0})"),
    0x50: Operation(1, "i32", "!{0}"),
    **_comparisons(0x46, "i32", "s32"),
    **_comparisons(0x51, "i64", "s64"),
    **_binary(0x5B, "i32", [f"{{0}} {sign} {{1}}" for sign in FLOAT_ORDER * 2]),
    **_arithmetic(0x6A, "i32", "s32", 32),
    **_arithmetic(0x7C, "i64", "s64", 64),
    **_float(0x8B, "f32", "__builtin_sqrtf"),
    **_float(0x99, "f64", "__builtin_sqrt"),
    **_unary("i64", xAC="(i64)(s64)(s32){0}", xAD="(i64){0}", xBD="bits_of({0})"),
    **_unary("i64", xFC06="truncated_i64({0})"),
    **_unary("f32", xB2="(f32)(s32){0}", xB3="(f32){0}", xB4="(f32)(s64){0}", xB5="(f32){0}"),
    **_unary("f32", xB6="(f32){0}", xBE="f32_of({0})"),
    **_unary("f64", xB7="(f64)(s32){0}", xB8="(f64){0}", xB9="(f64)(s64){0}", xBA="(f64){0}"),
    **_unary("f64", xBB="(f64){0}", xBF="f64_of({0})"),
    **_lanes(0xFD37, "i32x4", ["==", "!="]),
    **_ordered(0xFD39, "s32x4", "i32x4"),
    **_lanes(0xFD41, "f32x4", [*FLOAT_ORDER]),
    **_lanes(0xFD47, "f64x2", [*FLOAT_ORDER]),
    **_unary("v128", xFD4D="~{0}"),
    **_binary(0xFD4E, "v128", ["{0} & {1}", "{0} & ~{1}", "{0} | {1}", "{0} ^ {1}"]),
    0xFD52: Operation(3, "v128", "chosen({0}, {1}, {2})"),
    **_unary("v128", xFD75="LANES(f64x2, __builtin_floor, {0})"),
    **_shifts(0xFDAB, "i32x4", "s32x4", 32),
    **_lanes(0xFDAE, "i32x4", ["+", "", "", "-"]),
    **_lanes(0xFDB5, "i32x4", ["*"]),
    **_shifts(0xFDCB, "i64x2", "s64x2", 64),
    **_lanes(0xFDCE, "i64x2", ["+", "", "", "-", "", "", "", "*"]),
    **_float_lanes(0xFDE0, "f32x4", "__builtin_sqrtf", "__builtin_fabsf"),
    **_float_lanes(0xFDEC, "f64x2", "__builtin_sqrt", "__builtin_fabs"),
    **{
        number: Operation(1, "v128", f"(v128)__builtin_convertvector({text}, {kind})")
        for number, text, kind in (
            (0xFDC7, "LOW(s32x4, {0})", "s64x2"),
            (0xFDC8, "HIGH(s32x4, {0})", "s64x2"),
            (0xFDC9, "LOW(i32x4, {0})", "i64x2"),
            (0xFDCA, "HIGH(i32x4, {0})", "i64x2"),
            (0xFDFA, "(s32x4){0}", "f32x4"),
            (0xFDFB, "(i32x4){0}", "f32x4"),
            (0xFDFE, "LOW(s32x4, {0})", "f64x2"),
            (0xFDFF, "LOW(i32x4, {0})", "f64x2"),
            (0xFD5F, "LOW(f32x4, {0})", "f64x2"),
        )
    },
}
"""By the number of an instruction."""
