"""Whatever stands in the way of a library: wasmtime trains, and one warning says why."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest
from filelock import FileLock

from bnlab.engines.compiled.native import compilers, library
from bnlab.engines.compiled.native.machine import VARIABLE, machine_for
from bnlab.engines.compiled.native.wasm import UntranslatedError
from tests.engines.compiled.native_cases import tiny
from tests.engines.compiled.native_place import LONG, Place, name, needs_a_place, until

pytest.importorskip("wasmtime", reason="the compiled engine needs wasmtime")
pytestmark = needs_a_place


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
    codes = (tiny(), tiny(1))  # a compiler's own cache may make either within the patience
    place.locks = [FileLock(library._place(code).with_suffix(".lock")) for code in codes]
    for lock in place.locks:
        lock.acquire()
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
