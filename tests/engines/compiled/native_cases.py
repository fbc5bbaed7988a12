"""What the tests of the native machine share."""

import functools
from pathlib import Path

import numpy as np
import pytest

from bnlab.engines.compiled.compiler.build import wasm
from bnlab.engines.compiled.compiler.codegen import c_source
from bnlab.engines.compiled.native import compilers, library, machine
from bnlab.train import Run, make_trainer

needs_native = pytest.mark.skipif(
    not (library.is_tried() and compilers.compilers()), reason="there is no native machine here"
)


def forget() -> None:
    """What a new process would not know."""
    library._place.cache_clear()
    for known in (library._found, library._broken, machine._waited, machine._said):
        known.clear()


@functools.cache
def tiny(word: int = 0) -> bytes:
    """A module with one kernel, which writes the size of the batch; each word gives another one."""
    return wasm(c_source({(f"H[o0 + {word}] = B;", 1): 0}, "float32"))


def bits(array: object) -> bytes:
    """The bytes of real numbers; every NaN has the same, as WebAssembly leaves its bits open."""
    array = np.array(array)
    array[np.isnan(array)] = np.nan
    return array.tobytes()


def everything(run: Run) -> list[bytes]:
    """All that a training gives: records, state, and other views of the net; as bytes."""
    trainer = make_trainer(run, "compiled")
    found = [
        (s.loss, s.accuracy, s.val_accuracy, s.val_accuracy_train_mode, s.diverged)
        for s in trainer.steps()
    ]
    rows = [[np.nan if value is None else value for value in row] for row in found]
    x, y = trainer.part("val")
    loss, accuracy, gradient = trainer.gradient(x[:40], y[:40])
    values = [rows, trainer.machine.heap, loss, accuracy, gradient, trainer.test_accuracy()]
    trainer.update(np.arange(run.batch_size))
    last = trainer.last_metrics()
    values += [last["norm"], last["layers"], trainer.machine.heap]
    state = [tensor.double().numpy() for tensor in trainer.net.state_dict().values()]
    return [bits(np.asarray(value, float)) for value in [*values, *state]]


LANES = {"16 bytes": "x86_64", "32 bytes": "x86_64_v3", "64 bytes": "x86_64_v4"}
"""Width of vectors, and a processor that has such, as ziglang calls it."""

MAKES = (*LANES, "system")
"""Ways to make a library: with vectors of a width, or by the compiler of the system."""


def make_by(way: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries that are opened in this test are made in this way, or it is skipped."""
    needed = {"32 bytes": "avx2", "64 bytes": "avx512vl"}.get(way, "")
    found = compilers.compilers()
    names = [name for name in found if (name == "ziglang") == (way in LANES)]
    if not names or needed not in Path("/proc/cpuinfo").read_text():
        pytest.skip(f"there is no compiler or processor for {way}")
    level = LANES.get(way, "native")
    monkeypatch.setattr(compilers, "FOR_THIS_PROCESSOR", {"x86_64": f"-march={level}"})
    monkeypatch.setattr(compilers, "compilers", lambda: {names[0]: found[names[0]]})
    monkeypatch.setattr(library, "_found", {})
    # The system's compiler has the flags of ziglang: its library must not come from the cache.
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    monkeypatch.setattr(library, "_place", functools.cache(library._place.__wrapped__))
