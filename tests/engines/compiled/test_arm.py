"""The translated modules are C for any processor: built for aarch64, and run in an emulator."""

import shutil
import struct
import subprocess
import sys

import numpy as np
import pytest

from bnlab.engines.compiled import artefact
from bnlab.engines.compiled.compiler.build import has_compiler
from bnlab.engines.compiled.native import compilers
from bnlab.engines.compiled.native.machine import VARIABLE
from bnlab.engines.compiled.native.translate import c_text
from bnlab.engines.compiled.page_sets import ALL_SETS, FOLDERS
from bnlab.train import Run, make_trainer
from tests.engines.compiled.native_cases import needs_native

pytest.importorskip("wasmtime", reason="the compiled engine needs wasmtime")
pytestmark = pytest.mark.skipif(not has_compiler(), reason="ziglang is not installed")

EMULATOR = shutil.which("qemu-aarch64")
ON_ARM = (sys.executable, "-m", "ziglang", "cc", "-target", "aarch64-linux-gnu")
MAIN = """
/* Reads size, m, task, count and the memory; writes the memory after so many steps. */
static long ask(long number, long first, void* at, long size) {
  register long x8 asm("x8") = number, x0 asm("x0") = first, x2 asm("x2") = size;
  register void* x1 asm("x1") = at;
  asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
  return x0;
}
static u8 memory[1 << 24] __attribute__((aligned(4096)));
static void all(long number, long file, u8* at, u8* end) {
  while (at < end) at += ask(number, file, at, end - at);
}
__attribute__((visibility("default"))) void start(void) {
  i32 sizes[4];
  all(63, 0, (u8*)sizes, (u8*)(sizes + 4));
  all(63, 0, memory, memory + sizes[0]);
  f64 numbers[] = {1 + 0x1p-30, 1e300, 0x1p-1060, __builtin_nan("")};
  i32 wrong = wasm_trial(numbers);
  if (!wrong) wasm_steps(memory + sizes[1], sizes[2], sizes[3], 1e300);
  all(64, 1, memory, memory + sizes[0]);
  ask(93, wrong, 0, 0);
}
"""


@pytest.fixture
def on_aarch64():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compilers.platform, "machine", lambda: "aarch64")
        yield patch


@pytest.mark.parametrize(
    "kind, precision", [*((kind, "float32") for kind in ALL_SETS), ("nets", "float64")]
)
def test_the_modules_of_the_book_are_built_for_aarch64(kind, precision, tmp_path, on_aarch64):
    code = artefact.load(FOLDERS[kind]).modules[precision]
    made = compilers.compiled(ON_ARM, c_text(code), tmp_path).read_bytes()
    assert made[:5] == b"\x7fELF\2"
    assert struct.unpack("<2H", made[16:20]) == (3, 183)  # a shared object, for aarch64


@needs_native
@pytest.mark.skipif(EMULATOR is None, reason="qemu-aarch64 is not installed (qemu-user)")
def test_steps_have_the_same_bits_on_aarch64(tmp_path, monkeypatch, on_aarch64):
    text = c_text(artefact.load().modules["float32"]) + MAIN
    made = compilers.compiled((*ON_ARM, "-Wl,-e,start,-Bsymbolic"), text, tmp_path)
    made.chmod(0o755)
    on_aarch64.undo()
    monkeypatch.setenv(VARIABLE, "native")
    for norm in ("batch_renorm", "layer"):
        trainer = make_trainer(Run(depth=4, norm=norm, lr=0.05, batch_size=9), "compiled")
        machine, at, count = trainer.machine, trainer.heap.at, 60
        numbers = np.concatenate([next(trainer.batches) for _ in range(count)])
        machine.write_whole(at["numbers"], numbers)
        before = machine._memory.tobytes()
        sizes = (len(before), machine._at - machine._memory.ctypes.data, at["task"], count)
        given = struct.pack("<4I", *sizes) + before
        done = subprocess.run([EMULATOR, made], input=given, capture_output=True, check=True)
        assert machine.steps(at["task"], count, 1e300) == count
        assert machine._memory.tobytes() == done.stdout != before
