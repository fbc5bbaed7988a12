"""The native machine gives the bits of ``wasmtime``: products, lanes, NaN and what node lacks."""

import numpy as np
import pytest

from bnlab.engines.compiled import artefact
from bnlab.engines.compiled.compiler.build import has_compiler
from bnlab.engines.compiled.machine import REALS, Machine
from bnlab.engines.compiled.native import library
from bnlab.engines.compiled.native.compilers import NoLibraryError
from bnlab.engines.compiled.native.machine import VARIABLE, NativeMachine
from bnlab.engines.compiled.native.products import known
from bnlab.engines.compiled.native.translate import c_text
from bnlab.engines.compiled.native.wasm import UntranslatedError, read
from bnlab.engines.compiled.page_sets import ALL_SETS, FOLDERS
from bnlab.train import Run
from tests.engines.compiled.native_cases import (
    MAKES,
    bits,
    everything,
    make_by,
    needs_native,
    tiny,
)

pytest.importorskip("wasmtime", reason="the compiled engine needs wasmtime")

needs_compiler = pytest.mark.skipif(not has_compiler(), reason="ziglang is not installed")

BASE = Run(depth=4, lr=0.05, steps=1000, eval_every=100)
RUNS = [
    BASE.replace(norm="none", lr=1e4),  # NaN and infinity
    BASE.replace(norm="rms", lr=1e9),
    BASE.replace(norm="layer", optimizer="adam", lr=0.003, batch_size=33),
    BASE.replace(norm="linf_batch", optimizer="adam", lr=0.01, precision="float64"),
]
LAWN = BASE.replace(
    depth=3,
    width=8,
    batch_size=8,
    norm="layer",
    optimizer="lawn_adam",
    optimizer_options={"free_steps": 300},
    lr=0.003,
    clip=0.5,
)


def is_same(run: Run, monkeypatch: pytest.MonkeyPatch) -> bool:
    found = {}
    for name in ("wasmtime", "native"):
        monkeypatch.setenv(VARIABLE, name)
        found[name] = everything(run)
    return found["wasmtime"] == found["native"]


@needs_native
@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run.norm} {run.precision} {run.lr:g}")
def test_all_that_a_training_tells_has_the_same_bits(run, monkeypatch):
    assert is_same(run, monkeypatch)


@needs_native
@needs_compiler
def test_updates_of_single_tensors_have_the_same_bits(monkeypatch):
    assert is_same(LAWN, monkeypatch)


def of_products(precision: str) -> bytes:
    """A module whose export ``run`` is its function ``multiply``."""
    code = artefact.load().modules[precision]
    functions = read(code).functions
    (number,) = [k for k, function in enumerate(functions) if known(function)[0]]
    at = code.index(b"\3run\0") + 5
    more = number > 127  # such a number takes two bytes, and the section is longer by one
    number = bytes([number % 128 + 128, number // 128]) if more else bytes([number])
    code = code[:at] + number + code[at + 1 :]
    size = code.index(b"\4\6memory") - 1
    return code[:size] + bytes([code[size] + more]) + code[size + 1 :]


def shape_of(draw: np.random.Generator) -> list[int]:
    M, N, K = draw.integers(1, (40, 70, 50))
    N = N // 4 * 4 if N > 4 and draw.random() < 0.6 else N
    by_columns, of_rows = draw.random(2) < 0.5
    a, b = (1, M) if by_columns else (K, 1), (1, K) if of_rows else (N, 1)
    return [int(v) for v in (0, *a, 4000, *b, 8000, M, N, K, 12000, draw.integers(2))]


@needs_native
@needs_compiler
@pytest.mark.parametrize("way", MAKES)
@pytest.mark.parametrize("precision", REALS)
def test_products_have_the_same_bits_on_every_processor(precision, way, tmp_path, monkeypatch):
    make_by(way, tmp_path, monkeypatch)
    code, draw = of_products(precision), np.random.default_rng(0)
    one, other = Machine(code, precision, 20000), NativeMachine(code, precision, 20000)
    deep = [0, 600, 1, 6000, 1, 600, 14000, 9, 12, 600, 12000, 0]  # deeper than it packs
    for shape in [*(shape_of(draw) for _ in range(300)), deep]:
        for each in (one, other):
            each.write(0, np.random.default_rng(1).normal(size=12100) * 1e3)
            each.write(0, [np.inf, -0.0, 1e-42])
        one._run(one.store, *shape)
        other._library.wasm_run(other._at, *shape)
        assert bits(one.heap) == bits(other.heap), shape


@pytest.mark.parametrize("kind", ALL_SETS)
@pytest.mark.parametrize("precision", REALS)
def test_what_is_fast_is_found_in_the_nets_of_the_book(kind, precision):
    code = artefact.load(FOLDERS[kind]).modules[precision]
    names = sorted(name for function in read(code).functions if (name := known(function)[0]))
    has_more = kind in ("binary", "images") and precision == "float32"
    assert names == [*(["convolve", "convolve_weights"] if has_more else []), "multiply"]


@needs_native
@needs_compiler
def test_each_machine_has_a_heap_of_its_own():
    code = tiny()
    one, other = (NativeMachine(code, "float32", 100) for _ in range(2))
    for batch, each in ((3, one), (5, other)):
        each.write_code(50, [0, 7])
        each.run(batch, 50, 2)
    assert (one.heap[7], other.heap[7]) == (3, 5)


def test_what_is_no_module_and_what_is_not_known():
    with pytest.raises(UntranslatedError, match="no WebAssembly"):
        read(b"no module")
    with pytest.raises(NoLibraryError, match="no WebAssembly"):
        library._source(b"no module")
    # (func (memory.size) (drop)), in a module with a memory
    code = b"\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\5\3\1\0\1\6\1\0\7\1\0\x0a\7\1\5\0\x3f\0\x1a\x0b"
    with pytest.raises(UntranslatedError, match=r"instruction 0x3f"):
        c_text(code)
