"""A gradient step as a JavaScript module that can be read: the back end for debugging.

``write`` puts the kernels of a net, its program, its initial state and a first batch into a file.
``node FILE`` runs it and prints loss, accuracy and gradient norm; a debugger of node or of a
browser stops in any kernel. Neither a C compiler nor ``wasmtime`` is needed. The numbers are
PyTorch's to 1e-10 in float64, and to rounding in float32, see ``javascript``.

Kernels have the numbers and places that ``compile_nets`` gives them where a net is compiled alone.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from torch import nn

from bnlab.data import batches, digits
from bnlab.engines.compiled.catalogue import CONV_OPTIONS, OPTIONS
from bnlab.engines.compiled.compare import is_defined
from bnlab.engines.compiled.compiler.javascript import translated
from bnlab.engines.compiled.machine import REALS
from bnlab.engines.compiled.nets import NORM, Net, update_programs
from bnlab.engines.compiled.program import (
    LARGEST_BATCH,
    SCALARS,
    Library,
    Program,
    gradient_program,
    moved,
)
from bnlab.engines.compiled.step import LOSSES, State, inputs_of
from bnlab.engines.compiled.stores import NETS_OF_TORCH
from bnlab.errors import check_name
from bnlab.nets import NETS
from bnlab.norms import NORMS
from bnlab.norms.weight import WEIGHT_NORMS

TEMPLATE = Path(__file__).with_name("debug.js")


def net_of(text: str) -> Net:
    """The net of a name: ``mlp 2x16 batch``, ``resnet 1x4 group group_size=2``.

    Names are those of ``Net.key``, of nets for the digits without options of their own. Options
    that a normalizer needs are those of the catalogue, unless some are given.

    Raises:
        ValueError: if the text names no net.
    """
    match = re.fullmatch(r"(\w+) (\d+)x(\d+) (\w+)((?: \S+)*)", text)
    if not match:
        raise ValueError(f"a net is named like 'mlp 2x16 batch', got {text!r}.")
    kind, depth, width, norm, rest = match.groups()
    check_name("net", kind, [name for name in NETS if name not in NETS_OF_TORCH])
    check_name("normalizer", norm, NORMS)
    options: dict[str, dict] = {"options": {}, "weight_norm_options": {}}
    names, part = {}, "options"
    for word in rest.split():
        name, sign, value = word.partition("=")
        if sign:
            options[part][name] = _option(word, value)
        elif word in LOSSES:
            names["loss"] = word
        else:
            check_name("weight normalizer or loss", word, [*WEIGHT_NORMS, *LOSSES])
            names["weight_norm"], part = word, "weight_norm_options"
    usual = OPTIONS if kind == "mlp" else CONV_OPTIONS
    options["options"] = options["options"] or usual.get(norm, {})
    texts = {part: json.dumps(values, sort_keys=True) for part, values in options.items()}
    return Net(kind, int(depth), int(width), norm, **texts, **names)


def _option(word: str, value: str) -> object:
    try:
        return json.loads(value)
    except ValueError as error:
        raise ValueError(f"{word} is no option: the value is JSON, such as 4 or true.") from error


def write(path: Path, net: Net, batch: int = 32, precision: str = "float64", seed: int = 0) -> None:
    """Write the module, with the initial state and the first batch of a Run with this seed.

    Args:
        path: of the file, which should end in ``.mjs``.
        net: of which the gradient step is.
        batch: number of images of the digits.
        precision: ``float32`` or ``float64``.
        seed: of the weights and of the batch.

    Raises:
        ValueError: if the net is not defined for such a batch.
        NotSupportedError: if the net or one of its kernels cannot be translated.
    """
    check_name("precision", precision, REALS)
    if not 1 <= batch <= LARGEST_BATCH:
        raise ValueError(f"a batch has 1 to {LARGEST_BATCH} images, got {batch}.")
    if not is_defined(net, batch):
        raise ValueError(f"the net '{net.key}' is not defined for a batch of {batch}.")
    known, norm = _norm()
    library = Library(dict(known))
    gradient = gradient_program(net.module(), net.image_shape, library, net.loss)
    codes = {"gradient": gradient.code, "norm": moved(norm.code, gradient.places)}
    calls = {name: list(_calls(code, library)) for name, code in codes.items()}
    notes = {"gradient": gradient.notes, "norm": norm.notes}
    module = net.module(seed)
    values = {
        "NET": net.key,
        "FILE": path.name,
        "PRECISION": precision,
        "HEAP": str(gradient.heap),
        "REALS": {"float32": "Float32Array", "float64": "Float64Array"}[precision],
        "KERNELS": _kernels(library, {number for some in calls.values() for number, _ in some}),
        "PROGRAMS": "\n\n".join(_table(name, calls[name], notes[name]) for name in codes),
        "TABLE": _rows(map(json.dumps, _tensors(module, gradient))),
        "POSITIONS": json.dumps(gradient.places),
        "COUNT": str(batch),
        "PARAMETERS": str(gradient.sizes["params"]),
        "VALUES": _rows(_state(module, gradient, batch, seed)),
    }
    text = re.sub(r"__([A-Z]+)__", lambda match: values[match[1]], TEMPLATE.read_text())
    path.write_text(text)


@functools.cache
def _norm() -> tuple[dict[tuple[str, int], int], Program]:
    """The kernels that come before those of a net, and the program of the norm."""
    library = Library()
    return library.kernels, update_programs(library)[NORM]


def _calls(code: tuple[int, ...] | list[int], library: Library) -> Iterator[tuple[int, list[int]]]:
    counts, words = [count for _, count in library.kernels], iter(code)
    for number in words:
        yield number, [next(words) for _ in range(counts[number])]


def _kernels(library: Library, used: set[int]) -> str:
    parts = []
    for (body, count), number in library.kernels.items():
        if number in used:
            arguments = ", ".join(["B", *(f"o{k}" for k in range(count))])
            lines = "\n".join(f"  {line}" for line in translated(body).splitlines())
            parts.append(f"function k{number}({arguments}) {{\n{lines}\n}}")
    return "\n\n".join(parts)


def _rows(rows: Iterator[str]) -> str:
    return "\n".join(["[", *(f"  {row}," for row in rows), "]"])


def _table(name: str, calls: list[tuple[int, list[int]]], notes: tuple[str, ...]) -> str:
    pairs = zip(calls, notes, strict=True)
    rows = (f"[k{number}, {places}, {json.dumps(note)}]" for (number, places), note in pairs)
    return f"export const {name} = {_rows(rows)};"


def _tensors(net: nn.Module, program: Program) -> Iterator[tuple[str, int, int]]:
    """Names of stretches of the heap: parts of the vectors, a batch, results, inputs."""
    state, places = State.of(net), program.places
    vectors = {"params": state.params, "buffers": state.buffers, "counters": state.counters}
    for vector, packing in {**vectors, "gradient": state.params}.items():
        start = places[vector]
        for name, size in zip(packing.names, packing.sizes, strict=True):
            yield f"gradient of {name}" if vector == "gradient" else name, start, size
            start += size
    sizes = {"x": LARGEST_BATCH * program.sizes["x"], "y": LARGEST_BATCH}
    sizes |= {"layers": program.sizes["layers"], **dict.fromkeys(SCALARS, 2)}
    for name in ("x", "y", "loss", "accuracy", "norm", "layers", *SCALARS):
        yield name, places[name], sizes.get(name, 1)


def _state(net: nn.Module, program: Program, batch: int, seed: int) -> Iterator[str]:
    """Rows of array, place, numbers: what is in the heap before the step."""
    data = digits()
    numbers = next(batches(data.train_y, "iid", seed, batch, 1))
    vectors = State.of(net).vectors(net)
    reals = dict(zip(("params", "buffers"), (v.numpy() for v in vectors[:2]), strict=True))
    wholes = {"counters": vectors[2].numpy(), "y": data.train_y[numbers]}
    doubles = {name: np.array(value) for name, value in inputs_of(net).items()}
    parts = {"H": {**reals, "x": data.train_x[numbers]}, "I": wholes, "D": doubles}
    for array, named in parts.items():
        for name, some in named.items():
            yield f"[{array}, {program.places[name]}, {json.dumps(some.ravel().tolist())}]"
