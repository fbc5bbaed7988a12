"""The native machine gives the bits of ``wasmtime``; where it cannot be had, that one runs."""

import subprocess
import sys
import warnings
from unittest.mock import Mock

import numpy as np
import pytest

from bnlab.engines.compiled import artefact
from bnlab.engines.compiled.compiler.build import has_compiler, wasm
from bnlab.engines.compiled.compiler.codegen import c_source
from bnlab.engines.compiled.machine import REALS, Machine
from bnlab.engines.compiled.native import library, machine
from bnlab.engines.compiled.native.library import NoLibraryError
from bnlab.engines.compiled.native.machine import VARIABLE, NativeMachine, machine_for
from bnlab.engines.compiled.native.products import known
from bnlab.engines.compiled.native.translate import c_text
from bnlab.engines.compiled.native.wasm import UntranslatedError, read
from bnlab.train import Run, train
from tests.engines.compiled.native_cases import bits, everything

pytest.importorskip("wasmtime", reason="the compiled engine needs wasmtime")

needs_compiler = pytest.mark.skipif(not has_compiler(), reason="ziglang is not installed")
NAMES = ("_library", "_place", "_source", "compiler", "_own_folder")
CACHED = [getattr(library, name) for name in NAMES]


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    """A cache of libraries for these tests alone."""
    folder = tmp_path_factory.mktemp("native")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "_folder", lambda: folder)
        forget()
        yield folder
    forget()


def forget() -> None:
    """What a new process would not know."""
    for function in CACHED:
        function.cache_clear()
    machine._waited.clear()
    machine._say_once.cache_clear()


@pytest.fixture
def new_process(monkeypatch):
    monkeypatch.setenv(VARIABLE, "auto")
    forget()
    yield monkeypatch
    monkeypatch.undo()
    forget()


SMALL = {"depth": 3, "width": 8, "batch_size": 8}
KINDS = [
    {"norm": "batch"},
    {"norm": "batch_renorm", "optimizer": "sgd", "optimizer_options": {"momentum": 0.9}},
    {"norm": "layer", "optimizer": "adam", "lr": 0.003, "batch_size": 33},
    {
        "norm": "rms",
        "optimizer": "sgd",
        "optimizer_options": {"momentum": 0.9, "nesterov": True, "weight_decay": 1e-3},
    },
    {"norm": "none", "lr": 1e4},  # NaN and infinity
    {"norm": "rms", "lr": 1e9},
    {"norm": "batch", "precision": "float64"},
    {"norm": "linf_batch", "optimizer": "adam", "lr": 0.01, "precision": "float64"},
]
COMPILED_NOW = [
    {"net": "resnet", "depth": 1, "width": 4, "norm": "batch", "batch_size": 9},
    {"net": "plain", "depth": 2, "width": 4, "norm": "group", "norm_options": {"num_groups": 2},
     "precision": "float64", "batch_size": 8},
    {**SMALL, "norm": "layer", "optimizer": "lawn_adam", "clip": 0.5,
     "optimizer_options": {"free_steps": 300}, "lr": 0.003},
]  # fmt: skip


def is_same(changes: dict, monkeypatch: pytest.MonkeyPatch, steps: int) -> bool:
    run = Run(**{"depth": 4, "lr": 0.05, "steps": steps, "eval_every": 100, **changes})
    found = {}
    for name in ("wasmtime", "native"):
        monkeypatch.setenv(VARIABLE, name)
        found[name] = everything(run)
    return found["wasmtime"] == found["native"]


@needs_compiler
@pytest.mark.parametrize("changes", KINDS, ids=lambda c: " ".join(map(str, c.values())))
def test_a_thousand_steps_have_the_same_bits(changes, monkeypatch):
    assert is_same(changes, monkeypatch, 1000)


@needs_compiler
@pytest.mark.parametrize("changes", COMPILED_NOW, ids=lambda c: c.get("net", "mlp"))
def test_nets_that_are_compiled_now_have_the_same_bits(changes, monkeypatch):
    assert is_same(changes, monkeypatch, 1000)


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


@needs_compiler
@pytest.mark.parametrize("precision", REALS)
def test_products_of_any_shape_have_the_same_bits(precision):
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


@pytest.mark.parametrize("kind", artefact.SETS)
@pytest.mark.parametrize("precision", REALS)
def test_what_is_fast_is_found_in_the_nets_of_the_book(kind, precision):
    code = artefact.load(artefact.FOLDERS[kind]).modules[precision]
    assert sum(bool(known(function)[0]) for function in read(code).functions) == 1


# ------------------------------------------------------------------------- without the native one


BASE = Run(depth=2, norm="batch", batch_size=4, steps=20, lr=0.05)


def test_short_runs_do_not_wait_for_a_compiler(new_process, tmp_path):
    new_process.setattr(library, "_folder", lambda: tmp_path)
    assert train(BASE, engine="compiled").versions["machine"] == "wasmtime"
    assert not [*tmp_path.iterdir()]


@needs_compiler
def test_long_training_is_compiled_once_and_then_found(new_process, tmp_path):
    new_process.setattr(library, "_folder", lambda: tmp_path)
    code = tiny()
    assert machine_for(code, "float32", 100, machine.WORTH * 0.6).name == "wasmtime"
    assert machine_for(code, "float32", 100, machine.WORTH * 0.6).name == "native"
    forget()
    new_process.setattr(library, "_compile", None)
    assert machine_for(code, "float32", 100).name == "native"
    assert len([*tmp_path.glob("*.so")]) == 1


def tiny() -> bytes:
    return wasm(c_source({("H[o0] = B;", 1): 0}, "float32"))


STANDS_IN_THE_WAY = [
    "no compiler",
    "it refuses",
    "fast and loose",
    "riscv64",
    "not known",
    "a new type",
]


@pytest.mark.parametrize("what", STANDS_IN_THE_WAY)
@needs_compiler
def test_without_a_library_wasmtime_trains(what, new_process, tmp_path):
    new_process.setattr(library, "_folder", lambda: tmp_path)
    code, expected = tiny(), None
    if what == "no compiler":
        new_process.setattr(library.importlib.util, "find_spec", lambda name: None)
        new_process.setattr(library.shutil, "which", lambda name: None)
    elif what == "it refuses":
        new_process.setattr(library, "compiler", lambda: (sys.executable, "-c", "1/0"))
        expected = "refused it.*ZeroDivisionError"
    elif what == "fast and loose":
        new_process.setattr(library, "FLAGS", f"{library.FLAGS} -ffast-math")
        expected = "does not compute as WebAssembly"
    elif what == "riscv64":
        new_process.setattr(library.platform, "machine", lambda: what)
    else:
        error = UntranslatedError("x is new.") if what == "not known" else KeyError(0x70)
        new_process.setattr(library, "c_text", Mock(side_effect=error))
        expected = "cannot be translated"
    if expected:
        with pytest.warns(RuntimeWarning, match=rf"(?s)runs in wasmtime.*{expected}"):
            assert machine_for(code, "float32", 100, 1e9).name == "wasmtime"
    assert machine_for(code, "float32", 100, 1e9).name == "wasmtime"  # says it once
    new_process.setenv(VARIABLE, "native")
    with pytest.raises(RuntimeError, match="BNLAB_MACHINE=native cannot be had"):
        machine_for(code, "float32", 100)


@needs_compiler
def test_a_cache_that_cannot_be_written_is_done_without(new_process, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way of a folder")
    new_process.setattr(library, "_folder", lambda: blocked / "native")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert machine_for(tiny(), "float32", 100, 1e9).name == "native"


@needs_compiler
def test_a_library_that_is_broken_is_said_and_done_without(new_process, tmp_path):
    new_process.setattr(library, "_folder", lambda: tmp_path)
    code = tiny()
    library._place(code).write_bytes(b"no library")
    with pytest.warns(RuntimeWarning, match="could not be made or opened"):
        assert machine_for(code, "float32", 100).name == "wasmtime"


@needs_compiler
def test_each_machine_has_a_heap_of_its_own(new_process):
    code = tiny()
    one, other = (NativeMachine(code, "float32", 100) for _ in range(2))
    for batch, each in ((3, one), (5, other)):
        each.write_code(50, [0, 7])
        each.run(batch, 50, 2)
    assert (one.heap[7], other.heap[7]) == (3, 5)


@needs_compiler
def test_a_module_is_compiled_for_other_processors(tmp_path):
    (tmp_path / "module.c").write_text(c_text(tiny()))
    flags = [flag for flag in library.FLAGS.split() if flag not in ("-shared", "-s")]
    command = [*library.compiler(), *flags, "-target", "aarch64-linux-gnu", "-c", "module.c"]
    subprocess.run(command, cwd=tmp_path, check=True)
    assert (tmp_path / "module.o").read_bytes()[18] == 183  # the number of aarch64


def test_machines_have_names(new_process):
    new_process.setenv(VARIABLE, "wasmtim")
    with pytest.raises(ValueError, match="Did you mean 'wasmtime'"):
        train(BASE, engine="compiled")


def test_what_is_no_module_and_what_is_not_known():
    with pytest.raises(UntranslatedError, match="no WebAssembly"):
        read(b"no module")
    with pytest.raises(NoLibraryError, match="no WebAssembly"):
        library.load(b"no module")
    # (func (memory.size) (drop)), in a module with a memory
    code = b"\0asm\1\0\0\0\1\4\1\x60\0\0\3\2\1\0\5\3\1\0\1\6\1\0\7\1\0\x0a\7\1\5\0\x3f\0\x1a\x0b"
    with pytest.raises(UntranslatedError, match=r"instruction 0x3f"):
        c_text(code)
