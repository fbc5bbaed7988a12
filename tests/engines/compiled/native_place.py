"""A machine for tests: with a cache of its own, and compilers that do what they are told."""

import importlib.util
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from bnlab.engines.compiled.compiler.build import has_compiler
from bnlab.engines.compiled.native import compilers, library, machine
from bnlab.engines.compiled.native.machine import machine_for
from tests.engines.compiled.native_cases import tiny

LONG = 2 * machine.WORTH
"""Seconds of a training that is worth compiling."""

needs_a_place = [
    pytest.mark.skipif(not has_compiler(), reason="ziglang is not installed"),
    pytest.mark.skipif(not library.is_tried(), reason="not tried on such a machine"),
]


class Place:
    """A cache of its own, and compilers that do what they are told."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.patch, self.cache = folder, patch, folder / "cache" / "native"
        self.real = Path(importlib.util.find_spec("ziglang").origin).parent / "zig"
        self.zig_works = f"exec {self.real} cc"
        patch.setattr(library, "_folder", lambda: self.cache)

    def cc(self, script: str) -> None:
        """The system's compiler as a script; what it was called with is ``"$@"``."""
        path = self.folder / "bin" / "cc"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'#!/bin/sh\necho "$$" >> {self.folder}/calls\n{script}\n')
        path.chmod(0o755)
        self.patch.setenv("PATH", f"{path.parent}:{os.environ['PATH']}")

    def ziglang(self, program: str | None) -> None:
        """What ``python -m ziglang`` does; None: it is not installed."""
        if program is None:
            self.patch.setattr(compilers.importlib.util, "find_spec", lambda name: None)
            return
        package = self.folder / "site" / "ziglang"
        package.mkdir(parents=True)
        package.joinpath("__init__.py").touch()
        package.joinpath("__main__.py").write_text(program)
        path = f"{package.parent}:{os.environ.get('PYTHONPATH', '')}"
        self.patch.setenv("PYTHONPATH", path)

    @property
    def calls(self) -> list[int]:
        """The numbers of the processes of the system's compiler, as they came."""
        path = self.folder / "calls"
        return [int(line) for line in path.read_text().split()] if path.exists() else []

    @property
    def files(self) -> list[str]:
        """What is in the cache, but for locks."""
        return [path.name for path in self.cache.glob("*") if path.suffix != ".lock"]

    def builder(self) -> subprocess.Popen:
        """Another process that makes the library of ``tiny``."""
        self.folder.joinpath("module").write_bytes(tiny())
        program = f"""if True:
            import pathlib
            from bnlab.engines.compiled.native import compilers, library
            folder = pathlib.Path({str(self.folder)!r})
            library._folder = lambda: folder / "cache" / "native"
            compilers.importlib.util.find_spec = lambda name: None
            library.load((folder / "module").read_bytes())"""
        return subprocess.Popen([sys.executable, "-c", program])


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def name(seconds: float = 0.0, code: bytes | None = None) -> str:
    """Which machine a training of so many seconds gets; no warning comes up."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return machine_for(code or tiny(), "float32", 100, seconds).name
