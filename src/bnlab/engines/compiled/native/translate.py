"""From a WebAssembly module to C: each instruction one operation, each block a label."""

from __future__ import annotations

import math
import struct

from bnlab.engines.compiled.native.operations import HEAD, OPERATIONS, TRIAL
from bnlab.engines.compiled.native.products import known, wide_functions
from bnlab.engines.compiled.native.wasm import (
    Function,
    Module,
    UntranslatedError,
    instructions,
    read,
)

UNREACHABLE, NOP, BLOCK, LOOP, IF, ELSE, END = 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x0B
BRANCH, BRANCH_IF, BRANCH_TABLE, RETURN, CALL, DROP = 0x0C, 0x0D, 0x0E, 0x0F, 0x10, 0x1A
GET, SET, TEE, GET_GLOBAL, SET_GLOBAL = 0x20, 0x21, 0x22, 0x23, 0x24
CONSTANTS, SHUFFLE = (0x41, 0x42, 0x43, 0x44, 0xFD0C), 0xFD0D


def c_text(code: bytes) -> str:
    """A module as C, with its exported functions under their names and the memory before all.

    Raises:
        UntranslatedError: if it has an instruction that is not known here.
    """
    module = read(code)
    names = {number: name for name, number in module.exports.items()}
    heads = [_head(f, k, names.get(k)) for k, f in enumerate(module.functions)]
    texts = [_text(module, f, head) for f, head in zip(module.functions, heads, strict=True)]
    declared = [f"{head};" for head in heads]
    return "\n".join([HEAD, TRIAL, *declared, wide_functions(module.functions), *texts, ""])


def globals_of(code: bytes) -> tuple[int, ...]:
    """What the global variables of a module start with."""
    return read(code).globals


def _text(module: Module, function: Function, head: str) -> str:
    name, _ = known(function)
    if not name:
        return Body(module, function, head).text()
    other = head.replace("(u8*", "_translated(u8*")
    places = ", ".join(["m", *(f"l{k}" for k in range(len(function.parameters)))])
    own = head.split("(u8*")[0].split()[-1]
    call = f"{head} {{ if (!wide_{name}({places})) {own}_translated({places}); }}"
    return "\n".join([Body(module, function, other).text(), call])


def _head(function: Function, number: int, exported: str | None) -> str:
    places = "".join(f", {kind} l{k}" for k, kind in enumerate(function.parameters))
    start = f'__attribute__((visibility("default"))) {function.result or "void"} wasm_{exported}'
    own = f"OWN {function.result or 'void'} call{number}"
    return f"{start if exported else own}(u8* m{places})"


def _number(kind: str, bits: bytes) -> str:
    value = struct.unpack("<f" if kind == "f32" else "<d", bits)[0]
    if not math.isfinite(value):
        return f"{kind}_of(0x{int.from_bytes(bits, 'little'):x}ull)"
    return f"{value.hex()}{'f' if kind == 'f32' else ''}"


class Body:
    """The body of one function while it is translated.

    What lies on the stack of WebAssembly is here a list of (type, text): names of locals and of
    numbers that have been computed, and constants.
    """

    def __init__(self, module: Module, function: Function, head: str) -> None:
        self.module, self.function = module, function
        self.kinds = [*function.parameters, *function.locals]
        self.names = {number: f"wasm_{name}" for name, number in module.exports.items()}
        self.stack: list[tuple[str, str]] = []
        self.blocks: list[tuple[int, str, int]] = []  # instruction, label, height of the stack
        self.count, self.dead = 0, 0  # names given; blocks open in what is never reached
        self.lines = [f"{head} {{"]
        first = len(function.parameters)
        for k, kind in enumerate(function.locals):
            zero = "{0}" if kind == "v128" else "0"
            self.lines.append(f"{kind} l{first + k} = {zero};")

    def text(self) -> str:
        """The function in C."""
        self._open(BLOCK)
        for number, operand in instructions(self.function.body):
            if self.dead:
                self._skip(number)
            else:
                self._translate(number, operand)
        return "\n".join([*self.lines, "}"])

    # ----------------------------------------------------------------------------- the stack

    def _pop(self) -> str:
        return self.stack.pop()[1]

    def _push(self, kind: str, text: str) -> None:
        self.count += 1
        self.lines.append(f"{kind} t{self.count} = {text};")
        self.stack.append((kind, f"t{self.count}"))

    def _keep(self, local: str | None = None) -> None:
        """Names of their own for the values of a local, or of all, before they can change."""
        for k, (kind, text) in enumerate(self.stack):
            if text == local or (local is None and text.startswith("l")):
                self.count += 1
                self.lines.append(f"{kind} t{self.count} = {text};")
                self.stack[k] = (kind, f"t{self.count}")

    # ------------------------------------------------------------------------------- blocks

    def _open(self, number: int) -> None:
        self.count += 1
        label = f"L{self.count}"
        if number == LOOP:
            self.lines.append(f"{label}:;")
        self.blocks.append((number, label, len(self.stack)))
        self.lines.append("{")

    def _close(self) -> None:
        number, label, height = self.blocks.pop()
        if not self.blocks:  # the end of the function
            result = f"return {self._pop()};" if self.function.result and self.stack else ""
            self.lines.append(f"{result}}}")
            return
        self.lines.append("}" if number == LOOP else f"}} {label}:;")
        del self.stack[height:]

    def _skip(self, number: int) -> None:
        if number in (BLOCK, LOOP, IF):
            self.dead += 1
        elif number == END:
            self.dead -= 1
            if not self.dead:
                self._translate(END, None)
        elif number == ELSE and self.dead == 1:
            self.dead = 0
            self._translate(ELSE, None)

    def _jump(self, depth: int) -> str:
        if depth == len(self.blocks) - 1:  # out of the function
            return f"return {self.stack[-1][1] if self.function.result else ''};"
        return f"goto {self.blocks[-1 - depth][1]};"

    # --------------------------------------------------------------------------- instructions

    def _translate(self, number: int, operand: object) -> None:
        if number in OPERATIONS:
            self._operate(number, operand)
        elif number in (BLOCK, LOOP, IF):
            condition = f"if ({self._pop()})" if number == IF else ""
            self._keep()
            self._open(number)
            self.lines[-1] = f"{condition} {{" if condition else "{"
        elif number == ELSE:
            del self.stack[self.blocks[-1][2] :]
            self.lines.append("} else {")
        elif number == END:
            self._close()
        elif number == DROP:
            self._pop()
        elif number in (BRANCH, BRANCH_IF, BRANCH_TABLE, RETURN, UNREACHABLE):
            self._leave(number, operand)
        elif number == CALL:
            self._call(operand)
        elif number in (GET, SET, TEE, GET_GLOBAL, SET_GLOBAL):
            self._variable(number, operand)
        else:
            self._constant(number, operand)

    def _operate(self, number: int, operand: object) -> None:
        takes, gives, text = OPERATIONS[number]
        taken = self.stack[-takes:]
        del self.stack[-takes:]
        place, lane = operand if isinstance(operand, tuple) else (operand, operand)
        text = text.format(*(text for _, text in taken), n=place, lane=lane)
        if gives is None:
            self.lines.append(f"{text};")
        else:
            self._push(taken[0][0] if gives == "same" else gives, text)

    def _leave(self, number: int, operand: object) -> None:
        if number == BRANCH_IF:
            self.lines.append(f"if ({self._pop()}) {self._jump(operand)}")
            return
        if number == BRANCH:
            self.lines.append(self._jump(operand))
        elif number == BRANCH_TABLE:
            cases = [f"case {k}: {self._jump(depth)}" for k, depth in enumerate(operand[:-1])]
            text = " ".join([*cases, f"default: {self._jump(operand[-1])}"])
            self.lines.append(f"switch ({self._pop()}) {{ {text} }}")
        elif number == RETURN:
            self.lines.append(f"return {self._pop() if self.function.result else ''};")
        else:
            self.lines.append("__builtin_trap();")
        self.dead = 1

    def _call(self, number: int) -> None:
        function = self.module.functions[number]
        count = len(function.parameters)
        taken = [text for _, text in self.stack[len(self.stack) - count :]]
        del self.stack[len(self.stack) - count :]
        text = f"{self.names.get(number, f'call{number}')}({', '.join(['m', *taken])})"
        if function.result:
            self._push(function.result, text)
        else:
            self.lines.append(f"{text};")

    def _variable(self, number: int, index: int) -> None:
        if number == GET:
            self.stack.append((self.kinds[index], f"l{index}"))
        elif number == GET_GLOBAL:
            self._push("i32", f"GLOBAL({index})")
        elif number == SET_GLOBAL:
            self.lines.append(f"GLOBAL({index}) = {self._pop()};")
        else:
            value = self._pop()
            self._keep(f"l{index}")
            self.lines.append(f"l{index} = {value};")
            if number == TEE:
                self.stack.append((self.kinds[index], f"l{index}"))

    def _constant(self, number: int, operand: object) -> None:
        if number == 0x41:
            self.stack.append(("i32", f"{operand % 2**32}u"))
        elif number == 0x42:
            self.stack.append(("i64", f"{operand % 2**64}ull"))
        elif number in (0x43, 0x44):
            kind = "f32" if number == 0x43 else "f64"
            self.stack.append((kind, _number(kind, operand)))
        elif number == 0xFD0C:
            words = ", ".join(f"{word}u" for word in struct.unpack("<4I", operand))
            self.stack.append(("v128", f"((v128){{{words}}})"))
        elif number == SHUFFLE:
            second, first = self._pop(), self._pop()
            self._push("v128", _shuffle(first, second, operand))
        elif number != NOP:
            raise UntranslatedError(f"instruction {number:#x} is not known here.")


def _shuffle(first: str, second: str, lanes: bytes) -> str:
    kind, chosen = "i8x16", [*lanes]
    whole = [lanes[k] // 4 for k in range(0, 16, 4)]
    if bytes(4 * word + k for word in whole for k in range(4)) == lanes:
        kind, chosen = "i32x4", whole
    numbers = ", ".join(map(str, chosen))
    return f"(v128)__builtin_shufflevector(({kind}){first}, ({kind}){second}, {numbers})"
