"""Kernels in JavaScript: the C text of a kernel, translated construct by construct.

Kernels are written in a small part of C: loops, assignments, ``if``, one call of a function of the
runtime, and expressions. This module reads that text with a parser for just this part, because a
few signs mean something else in JavaScript: ``/`` of whole numbers, products that wrap at 2^32, and
comparisons, which are no numbers there. What it does not know is an error that names it.

Real numbers are doubles here, rounded to the precision of the program only when they are stored (a
``Float32Array`` does it). So results agree with the compiled ones to rounding, not to the bit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bnlab.engines.compiled.compiler.graph import NotSupportedError

WHOLE, BITS, REAL, TRUTH = "whole", "bits", "real", "truth"
"""Kinds of values: a whole number, one modulo 2^32 (unsigned), a real number, true or false."""

TYPES = {"int": WHOLE, "unsigned": BITS, "REAL": REAL, "double": REAL}
"""What may be declared or cast to."""

ACCESS = {"H": ("H", REAL, "]"), "INT": ("I", WHOLE, ")"), "DOUBLE": ("D", REAL, ")")}
"""Elements of the heap; in JavaScript each kind has an array of its own."""

_MATH = ("EXP", "LOG", "LOG1P", "TANH", "SIN", "COS", "SQRT", "ABS")
FUNCTIONS = {
    **{f"{name}{kind}": f"Math.{name.lower()}" for name in _MATH for kind in "FD"},
    **{"MAXF": "max", "MINF": "min", "RELUF": "relu", "SIGNF": "sign", "CHOOSEF": "choose"},
}
"""Functions of real numbers; those without ``Math`` are in ``debug.js``."""

CALLS = ("multiply", "padded", "convolve", "convolve_weights", "patches_adjoint")
CONSTANTS = {"INFINITY": "Infinity", "NAN": "NaN"}

PRECEDENCE = {
    **{"?": 1, "||": 2, "&&": 3, "|": 4, "^": 5, "&": 6, "==": 7, "!=": 7},
    **{"<": 8, ">": 8, "<=": 8, ">=": 8, ">>": 9, "+": 10, "-": 10, "*": 11, "/": 11},
}
"""How strongly signs between two values bind: the same order in both languages."""

_TOKEN = re.compile(
    r"\s*(?P<token>\d+(?:\.\d*)?(?:e[-+]?\d+)?|[A-Za-z_]\w*"
    r"|\+\+|\+=|\*=|<=|>=|==|!=|&&|\|\||>>|[-+*/<>=!?:^&|(){}\[\];,]|\S)"
)
_SIMPLE = re.compile(r"[\w.]+(\[[^][]*\])?|[\w.]*\([^()]*\)")


@dataclass(frozen=True)
class Value:
    """An expression in JavaScript and the kind of its value."""

    text: str
    kind: str


def translated(body: str) -> str:
    """The body of a kernel in JavaScript.

    Raises:
        NotSupportedError: if there is something in it that this module does not know.
    """
    return "\n".join(_Kernel(body).statements())


def _grouped(text: str) -> str:
    return text if _SIMPLE.fullmatch(text) else f"({text})"


def _number(value: Value) -> str:
    # In C, 1 or 0.
    return f"Number({value.text})" if value.kind == TRUTH else value.text


def _condition(value: Value) -> str:
    # In C, true is whatever is not 0, NaN too.
    return value.text if value.kind == TRUTH else f"({_grouped(value.text)} !== 0)"


class _Kernel:
    """Reads one kernel, from the first sign to the last."""

    def __init__(self, body: str) -> None:
        self.body = body
        self.tokens = [m["token"] for m in _TOKEN.finditer(body)]
        self.at = 0
        self.kinds = {"B": WHOLE}

    def peek(self, ahead: int = 0) -> str:
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else ""

    def take(self, *expected: str) -> str:
        token = self.peek()
        if expected and token not in expected:
            raise self.unknown(token or "the end")
        self.at += 1
        return token

    def unknown(self, what: str) -> NotSupportedError:
        return NotSupportedError(
            f"{what!r} has no translation to JavaScript. Add it to "
            f"bnlab.engines.compiled.compiler.javascript. The kernel:\n{self.body}"
        )

    # ------------------------------------------------------------------- statements

    def statements(self, indent: str = "") -> list[str]:
        lines = []
        while self.peek() not in ("", "}"):
            lines += self.statement(indent)
        if not indent and self.peek():
            raise self.unknown(self.peek())
        return lines

    def statement(self, indent: str) -> list[str]:
        if self.peek() == "VECTOR":  # the order of the iterations does not matter
            self.take()
        if self.peek() in ("for", "if"):
            head = self.loop() if self.peek() == "for" else self.branch()
            self.take("{")
            inner = self.statements(indent + "  ")
            self.take("}")
            return [f"{indent}{head} {{", *inner, f"{indent}}}"]
        is_call = self.peek() in CALLS
        line = f"{self.take()}({self.arguments()})" if is_call else self.assignment()
        self.take(";")
        return [f"{indent}{line};"]

    def loop(self) -> str:
        """``for (int i = 0; i < extent; i++)``."""
        name = self.peek(3)
        self.kinds[name] = WHOLE
        for token in ("for", "(", "int", name, "=", "0", ";", name, "<"):
            self.take(token)
        extent = self.expression().text
        for token in (";", name, "++", ")"):
            self.take(token)
        return f"for (let {name} = 0; {name} < {extent}; {name}++)"

    def branch(self) -> str:
        self.take("if")
        self.take("(")
        condition = _condition(self.expression())
        self.take(")")
        return f"if ({condition})"

    def assignment(self) -> str:
        if is_new := self.peek() in TYPES:
            kind = TYPES[self.take()]
            self.kinds[self.peek()] = kind
        target = self.value().text
        sign = self.take("=") if is_new else self.take("=", "+=", "*=")
        return f"{'let ' if is_new else ''}{target} {sign} {_number(self.expression())}"

    # ------------------------------------------------------------------ expressions

    def expression(self, least: int = 1) -> Value:
        """A value, and all signs after it that bind at least so strongly."""
        left = self.value()
        while (strength := PRECEDENCE.get(self.peek(), 0)) >= least:
            sign = self.take()
            if sign == "?":
                return self.choice(left)
            left = self.joined(left, sign, self.expression(strength + 1))
        return left

    def choice(self, condition: Value) -> Value:
        one = self.expression()
        self.take(":")
        other = self.expression()
        kind = REAL if REAL in (one.kind, other.kind) else WHOLE
        return Value(f"{_condition(condition)} ? {_number(one)} : {_number(other)}", kind)

    def joined(self, left: Value, sign: str, right: Value) -> Value:
        if BITS in (kinds := {left.kind, right.kind}):
            return self.wrapped(left, sign, right)
        if sign in ("&&", "||"):
            return Value(f"{_condition(left)} {sign} {_condition(right)}", TRUTH)
        a, b = _number(left), _number(right)
        if sign in ("==", "!=", "<", ">", "<=", ">="):
            return Value(f"{a} {sign}{'=' if sign in ('==', '!=') else ''} {b}", TRUTH)
        if sign == "/" and REAL not in kinds:
            return Value(f"Math.trunc({a} / {b})", WHOLE)
        if sign in ("^", "&", "|", ">>") and REAL in kinds:
            raise self.unknown(sign)
        return Value(f"{a} {sign} {b}", REAL if REAL in kinds else WHOLE)

    def wrapped(self, left: Value, sign: str, right: Value) -> Value:
        """Whole numbers modulo 2^32, as those of the random generator."""
        if sign not in ("+", "-", "*") or left.kind != right.kind:
            raise self.unknown(f"unsigned {sign}")
        if sign == "*":
            return Value(f"Math.imul({left.text}, {right.text})", BITS)
        return Value(f"({left.text} {sign} {right.text} | 0)", BITS)

    def value(self) -> Value:
        """A number, a name, an element, a call, or one of them after a sign or a cast."""
        token = self.take()
        if token[:1].isdigit():
            return Value(token, WHOLE if token.isdigit() else REAL)
        if token == "-":
            value = self.value()
            if value.kind == BITS:
                raise self.unknown("unsigned -")
            number = _number(value)
            number = f"({number})" if number.startswith("-") else number  # "--" means another thing
            return Value(f"-{number}", REAL if value.kind == REAL else WHOLE)
        if token == "!":
            return Value(f"!{_condition(self.value())}", TRUTH)
        if token == "(":
            return self.cast() if self.peek() in TYPES and self.peek(1) == ")" else self.inner()
        if token in ACCESS:
            array, kind, closing = ACCESS[token]
            self.take("[", "(")
            index = self.expression().text
            self.take(closing)
            return Value(f"{array}[{index}]", kind)
        if token in FUNCTIONS:
            return Value(f"{FUNCTIONS[token]}({self.arguments()})", REAL)
        if token in CONSTANTS:
            return Value(CONSTANTS[token], REAL)
        if token in self.kinds or re.fullmatch(r"o\d+", token):
            return Value(token, self.kinds.get(token, WHOLE))
        raise self.unknown(token or "the end")

    def inner(self) -> Value:
        value = self.expression()
        self.take(")")
        return Value(_grouped(value.text), value.kind)

    def arguments(self) -> str:
        self.take("(")
        values = [_number(self.expression())]
        while self.take(",", ")") == ",":
            values.append(_number(self.expression()))
        return ", ".join(values)

    def cast(self) -> Value:
        kind = TYPES[self.take()]
        self.take(")")
        value = self.value()
        if kind == WHOLE and value.kind == REAL:
            return Value(f"Math.trunc({value.text})", WHOLE)
        if {kind, value.kind} == {BITS, REAL}:
            raise self.unknown("unsigned to or from a real number")
        return Value(_number(value), kind)
