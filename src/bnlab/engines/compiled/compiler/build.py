"""From C to WebAssembly, by the C compiler in the wheel ``ziglang``."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

TARGET = "-target wasm32-freestanding -mcpu=generic+simd128+bulk_memory+nontrapping_fptoint"
FLAGS = (
    # Not finite-math-only: divergence has to show as it does in PyTorch.
    "-O3 -ffast-math -fno-finite-math-only -nostdlib "
    "-Wl,--no-entry -Wl,--strip-all -Wl,-z,stack-size=16384"
)


class CompilerMissingError(RuntimeError):
    """There is no C compiler here; the message says how to get one."""


def has_compiler() -> bool:
    """Whether ``ziglang`` is installed."""
    return importlib.util.find_spec("ziglang") is not None


def wasm(source: str) -> bytes:
    """The module that this C text compiles to. The same text gives the same bytes.

    Raises:
        CompilerMissingError: if ``ziglang`` is not installed.
        RuntimeError: if the compiler refuses the text.
    """
    if not has_compiler():
        raise CompilerMissingError(
            "compiling a net needs the package ziglang (pip install ziglang). The nets of the "
            "book are compiled already; others train with engine='torch'."
        )
    with tempfile.TemporaryDirectory() as folder:
        # Relative names only: the bytes must not depend on where this is done.
        Path(folder, "module.c").write_text(source)
        command = [sys.executable, "-m", "ziglang", "cc", *TARGET.split(), *FLAGS.split()]
        done = subprocess.run(
            [*command, "-o", "module.wasm", "module.c"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "ZIG_LOCAL_CACHE_DIR": folder},
        )
        if done.returncode:
            raise RuntimeError(f"the C compiler refused a module:\n{done.stderr[:3000]}")
        return Path(folder, "module.wasm").read_bytes()
