"""Libraries are compiled when that pays, by one process, and kept whole."""

import os
import signal
import time
import warnings
from pathlib import Path

import pytest

from bnlab.engines.compiled.native import compilers, library, machine
from bnlab.engines.compiled.native.machine import VARIABLE, machine_for
from bnlab.train import Run, train
from tests.engines.compiled.native_cases import forget, tiny
from tests.engines.compiled.native_place import LONG, name, needs_a_place, until

pytest.importorskip("wasmtime", reason="the compiled engine needs wasmtime")
pytestmark = needs_a_place
RUN = Run(depth=2, norm="batch", batch_size=4, steps=20, lr=0.05)


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


# -------------------------------------------------------------------------------------- the cache


@pytest.mark.parametrize("size", [0, 20, -100, None])
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
    place.ziglang(None)
    place.cc("exit 1")
    with pytest.warns(RuntimeWarning, match="trains in wasmtime.*cc failed"):
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
