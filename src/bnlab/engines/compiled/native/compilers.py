"""The C compilers of this machine, and what one of them makes of a text."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

FLAGS = (
    # Each operation is rounded by itself: nothing is contracted, and no sum has another order.
    "-O3 -ffp-contract=off -fno-math-errno -fno-strict-aliasing -fno-stack-protector "
    "-fvisibility=hidden -shared -fPIC -nostdlib -s -w"
)
FOR_THIS_PROCESSOR = {"x86_64": "-march=native"}
"""What wider vectors than those of WebAssembly need, by kind of processor."""

PATIENCE = 120
"""Seconds after which a compiler is given up; it takes about five."""


class NoLibraryError(RuntimeError):
    """There is no library of a module here.

    Args:
        why: half a sentence.
        advice: what to do about it, if something can be done.
    """

    def __init__(self, why: str, advice: str = "") -> None:
        super().__init__(why)
        self.advice = advice


class BrokenCompilerError(RuntimeError):
    """A compiler gave no library that can be used; the message says what it did instead."""


def compilers() -> Mapping[str, tuple[str, ...]]:
    """Names and commands of the C compilers: that of ``ziglang``, then the system's."""
    found: dict[str, tuple[str, ...]] = {}
    if importlib.util.find_spec("ziglang") is not None:
        found["ziglang"] = (sys.executable, "-m", "ziglang", "cc")
    for path in filter(None, map(shutil.which, ("cc", "clang", "gcc"))):
        return {**found, path: (path,)}
    return found


def flags() -> str:
    """The flags that a library for this machine is compiled with."""
    return f"{FLAGS} {FOR_THIS_PROCESSOR.get(platform.machine(), '')}"


def compiled(command: tuple[str, ...], source: str, folder: Path) -> Path:
    """The shared library that a compiler makes of this text, in a folder for nothing else.

    Raises:
        BrokenCompilerError: if it makes none.
        OSError: if the folder cannot be written.
    """
    folder.joinpath("module.c").write_text(source)
    if _status([*command, *flags().split(), "-o", "module.so", "module.c"], folder):
        if shutil.disk_usage(folder).free < 2**24:
            raise OSError("no space left")
        raise BrokenCompilerError(f"failed: {_last_words(folder / 'said')}")
    if not folder.joinpath("module.so").exists():
        raise BrokenCompilerError("wrote nothing")
    return folder / "module.so"


def _status(command: list[str], folder: Path) -> int:
    """What a command returns; neither it nor what it started goes on after this."""
    with folder.joinpath("said").open("wb") as said:
        try:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env={**os.environ, "ZIG_LOCAL_CACHE_DIR": str(folder)},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        except OSError as error:
            raise BrokenCompilerError(f"cannot be started ({error.strerror})") from error
        try:
            return process.wait(PATIENCE)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                text = f"did not finish within {PATIENCE:g} seconds"
                raise BrokenCompilerError(text) from error
            raise


def _last_words(file: Path) -> str:
    lines = [line for line in file.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower()]
    return [*errors[:1], *lines[-1:], "it said nothing"][0].strip()[:200]
