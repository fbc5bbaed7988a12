"""Libraries are compiled when that pays, once, and kept; where there is none, wasmtime trains."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest
from filelock import FileLock

from bnlab.engines.compiled.compiler.build import has_compiler
from bnlab.engines.compiled.native import compilers, library, machine
from bnlab.engines.compiled.native.machine import VARIABLE, machine_for
from bnlab.engines.compiled.native.wasm import UntranslatedError
from bnlab.train import Run, train
from tests.engines.compiled.native_cases import forget, tiny

pytest.importorskip("wasmtime", reason="the compiled engine needs wasmtime")
pytestmark = [
    pytest.mark.skipif(not has_compiler(), reason="ziglang is not installed"),
    pytest.mark.skipif(not library.is_tried(), reason="not tried on such a machine"),
]
LONG = 2 * machine.WORTH
RUN = Run(depth=2, norm="batch", batch_size=4, steps=20, lr=0.05)


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


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    tiny(), tiny(1)  # while there is a compiler
    forget()
    yield Place(tmp_path, monkeypatch)
    forget()


def name(seconds: float = 0.0, code: bytes | None = None) -> str:
    """Which machine a training of so many seconds gets; no warning comes up."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return machine_for(code or tiny(), "float32", 100, seconds).name


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


# ------------------------------------------------------------------------------------- when


def test_short_trainings_do_not_wait_for_a_compiler_and_say_nothing(place):
    place.ziglang(None)
    place.cc("exit 1")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert train(RUN, engine="compiled").versions["machine"] == "wasmtime"
    assert not place.calls and not place.files


def test_what_trains_for_long_is_compiled_once_and_then_found(place):
    assert name(machine.WORTH * 0.6) == "wasmtime"
    assert name(machine.WORTH * 0.6) == "native"
    assert [Path(file).suffix for file in place.files] == [".so"]
    forget()
    place.patch.setattr(library, "_built", None)
    assert name() == "native"


def test_a_long_training_says_that_it_was_native(place):
    place.patch.setattr(machine, "WORTH", 0)
    run = RUN.replace(depth=4, loss="squared_error")
    assert train(run, engine="compiled").versions["machine"] == "native"
    place.patch.setenv(VARIABLE, "wasmtime")
    assert train(run, engine="compiled").versions["machine"] == "wasmtime"


def test_machines_have_names(place):
    place.patch.setenv(VARIABLE, "wasmtim")
    with pytest.raises(ValueError, match="Did you mean 'wasmtime'"):
        train(RUN, engine="compiled")


# ------------------------------------------------------------------------- what stands in its way


def no_compiler(place: Place) -> str:
    place.ziglang(None)
    place.patch.setattr(compilers.shutil, "which", lambda name: None)
    return r"there is no C compiler here\. To .*, install one \(pip install ziglang\)"


def both_fail(place: Place) -> str:
    place.ziglang("raise SystemExit('error: I am broken')")
    place.cc("exit 3")
    return r"ziglang failed: error: I am broken; .*cc failed: it said nothing\. To .*install zigl"


def it_hangs(place: Place) -> str:
    place.ziglang(None)
    place.cc(f"sleep 1000 & echo $! >> {place.folder}/calls; wait")
    place.patch.setattr(compilers, "PATIENCE", 0.5)
    return "cc did not finish within 0.5 seconds"


def it_cannot_be_started(place: Place) -> str:
    place.ziglang(None)
    place.cc("")
    place.folder.joinpath("bin", "cc").write_bytes(b"\x7fELF of another machine")
    return "cc cannot be started"


def it_is_fast_and_loose(place: Place) -> str:
    place.ziglang(None)
    place.cc(f'{place.zig_works} "$@" -ffast-math')
    return "cc does not compute as WebAssembly does"


def it_contracts(place: Place) -> str:
    place.ziglang(None)
    place.cc(f'{place.zig_works} "$@" -ffp-contract=fast -march=x86_64_v3')
    return "cc does not compute as WebAssembly does"


def it_writes_no_library(place: Place) -> str:
    place.ziglang("open('module.so', 'w').write('no library')")
    place.cc("true")
    return "ziglang makes what cannot be opened .*; .*cc wrote nothing"


def the_cache_cannot_be_written(place: Place) -> str:
    place.cache.parent.write_text("in the way of a folder")
    return r"cache folder .*native cannot be written .*or let XDG_CACHE_HOME name another"


def the_disk_is_full(place: Place) -> str:
    error = OSError(28, "No space left on device")
    place.patch.setattr(compilers.Path, "write_text", Mock(side_effect=error))
    return r"cache folder .*native cannot be written .*No space left.*free some space there"


def the_disk_is_full_for_the_compiler(place: Place) -> str:
    place.ziglang(None)
    place.cc("echo NoSpaceLeft; exit 1")
    place.patch.setattr(compilers.shutil, "disk_usage", lambda folder: Mock(free=0))
    return r"cache folder .*native cannot be written \(no space left\)"


def another_one_is_at_it(place: Place) -> str:
    place.cache.mkdir(parents=True)
    place.lock = FileLock(library._place(tiny()).with_suffix(".lock"))
    place.lock.acquire()
    place.patch.setattr(compilers, "PATIENCE", 0.1)
    return "another process is compiling and takes too long"


def another_machine(place: Place) -> str:
    place.patch.setattr(library.platform, "system", lambda: "Darwin")
    place.patch.setattr(library.platform, "machine", lambda: "arm64")
    return r"not tried on Darwin arm64\. To be rid of this warning, set BNLAB_MACHINE=wasmtime\."


def another_instruction(place: Place) -> str:
    place.patch.setattr(library, "c_text", Mock(side_effect=UntranslatedError("x is new.")))
    return "the kernels cannot be translated"


def another_type(place: Place) -> str:
    place.patch.setattr(library, "c_text", Mock(side_effect=KeyError(0x70)))
    return "the kernels cannot be translated"


STANDS_IN_THE_WAY = [
    no_compiler,
    both_fail,
    it_hangs,
    it_cannot_be_started,
    it_is_fast_and_loose,
    pytest.param(
        it_contracts,
        marks=pytest.mark.skipif(
            "x86_64" not in os.uname().machine, reason="only x86 has processors without it"
        ),
    ),
    it_writes_no_library,
    the_cache_cannot_be_written,
    the_disk_is_full,
    the_disk_is_full_for_the_compiler,
    another_one_is_at_it,
    another_machine,
    another_instruction,
    another_type,
]


@pytest.mark.parametrize("what", STANDS_IN_THE_WAY)
def test_without_a_library_wasmtime_trains_and_that_is_said_once(what, place):
    sentence = rf"(?s)trains in wasmtime, slower and with the same numbers: .*{what(place)}"
    assert name() == "wasmtime"
    with pytest.warns(RuntimeWarning, match=sentence):
        assert machine_for(tiny(), "float32", 100, LONG).name == "wasmtime"
    assert [name(LONG), name(LONG, tiny(1))] == ["wasmtime"] * 2
    place.patch.setenv(VARIABLE, "native")
    with pytest.raises(RuntimeError, match=r"BNLAB_MACHINE=native cannot be had: .*unset BNLAB_MA"):
        machine_for(tiny(), "float32", 100)
    for call in place.calls:
        until(lambda call=call: not Path(f"/proc/{call}").exists())
    assert not place.files


def test_a_compiler_that_failed_is_not_asked_again(place):
    place.ziglang(None)
    place.cc("exit 1")
    with pytest.warns(RuntimeWarning, match="cc failed"):
        machine_for(tiny(), "float32", 100, LONG)
    assert [name(LONG), name(LONG, tiny(1))] == ["wasmtime"] * 2
    assert len(place.calls) == 1


def test_where_ziglang_is_broken_the_systems_compiler_is_asked(place):
    place.ziglang("raise SystemExit('broken')")
    place.cc(f'{place.zig_works} "$@"')
    assert name(LONG) == "native"
    assert len(place.calls) == 1


def test_an_interrupt_ends_the_compiler_too(place):
    place.ziglang(None)
    place.cc("sleep 1000")
    place.patch.setattr(compilers.subprocess.Popen, "wait", interrupted(place))
    with pytest.raises(KeyboardInterrupt):
        name(LONG)
    until(lambda: not Path(f"/proc/{place.calls[0]}").exists())
    assert not place.files


def interrupted(place: Place) -> Callable:
    wait = subprocess.Popen.wait

    def first(process: subprocess.Popen, timeout: float | None = None) -> int:
        if timeout is None:
            return wait(process)
        until(lambda: place.calls)
        raise KeyboardInterrupt

    return first


# -------------------------------------------------------------------------------------- the cache


@pytest.mark.parametrize("size", [0, 20, 5000, None])
def test_a_damaged_library_is_made_anew_once(size, place):
    assert name(LONG) == "native"
    kept = library._place(tiny())
    whole = kept.read_bytes()
    kept.write_bytes(whole[:size] if size is not None else b"other" + whole[5:])
    forget()
    assert name() == "wasmtime"
    place.ziglang(None)
    place.cc(f'{place.zig_works} "$@"')
    assert [name(LONG), name(LONG)] == ["native"] * 2
    assert len(place.calls) == 1 and library._is_whole(kept)


def test_a_damaged_library_that_cannot_be_made_anew_is_done_without(place):
    kept = library._place(tiny())
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"no library")
    sentence = no_compiler(place)
    with pytest.warns(RuntimeWarning, match=sentence):
        assert machine_for(tiny(), "float32", 100, LONG).name == "wasmtime"


def test_of_two_processes_one_compiles_and_the_other_waits(place):
    place.cc(f'sleep 0.2; {place.zig_works} "$@"')
    builders = [place.builder() for _ in range(2)]
    assert [builder.wait(300) for builder in builders] == [0, 0]
    assert len(place.calls) == 1
    assert name() == "native"


def test_a_builder_that_was_killed_is_in_nobodys_way(place):
    place.cc("sleep 1000")
    builder = place.builder()
    until(lambda: place.calls)
    builder.send_signal(signal.SIGKILL)
    builder.wait()
    os.killpg(place.calls[0], signal.SIGKILL)  # what it had started
    assert [Path(file).suffix for file in place.files] == [".making"]
    begun = time.monotonic()
    assert name(LONG) == "native"
    assert time.monotonic() - begun < compilers.PATIENCE / 2
    assert [Path(file).suffix for file in place.files] == [".so"]
