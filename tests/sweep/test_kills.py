"""Sweeps that are killed: nothing lost, nothing damaged, at most the runs in flight repeated."""

import contextlib
import os
import random
import time

import pytest

from bnlab.store import StoreBusyError
from bnlab.sweep import sweep
from bnlab.sweep.executors import _context
from tests.sweep.sweep_work import Logged, runs, same, sweep_until_killed

KILLS = 20
COUNT = 80


def start(*arguments):
    """A process that sweeps, from the moment at which it begins to."""
    context = _context()
    begun = context.Event()
    process = context.Process(
        target=sweep_until_killed, args=(*arguments[:3], begun, *arguments[3:])
    )
    process.start()
    assert begun.wait(120)
    return process


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "too slow"
        time.sleep(0.01)


def time_to_the_first(store, log):
    """Seconds from the moment at which a process begins to sweep to what it keeps first."""
    process, begun = start(store, COUNT, log), time.perf_counter()
    wait_for(lambda: files(store))
    first = time.perf_counter() - begun
    process.kill()
    process.join()
    return first


def files(store):
    return {path.name: path.read_bytes() for path in store.glob("*/*.json")}


def test_twenty_kills_at_random_moments(tmp_path):
    store, log = tmp_path / "s", Logged(tmp_path / "log")
    sweep(runs(1), progress=False)  # what only the first training does
    begun = time.perf_counter()
    reference = sweep(runs(COUNT), store=tmp_path / "other", progress=False)
    few = 8 * (time.perf_counter() - begun) / COUNT
    few += time_to_the_first(tmp_path / "first", Logged(tmp_path / "log of the first"))
    moments, before = random.Random(0), {}
    for _ in range(KILLS):
        process = start(store, COUNT, log)
        time.sleep(moments.uniform(0, few))
        process.kill()
        process.join()
        now = files(store)
        assert {name: now.get(name) for name in before} == before, "what was kept stays"
        before = now
    assert before, "every kill came before the first result"
    # Warnings are errors here: no file is damaged.
    again = sweep(runs(COUNT), store=store, progress=False, work=log)
    assert all(same(a, b) for a, b in zip(again, reference, strict=True))
    assert {name.partition(".")[0] for name in files(store)} == {r.key() for r in runs(COUNT)}
    assert len(log.keys()) <= COUNT + KILLS, "only what was in flight is repeated"
    left = [path.name for path in store.glob("*/*") if not path.name.endswith(".json")]
    assert left == []


def alive(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


@pytest.mark.skipif(not hasattr(os, "kill"), reason="needs signals")
def test_a_killed_sweep_leaves_no_processes_and_no_lock(tmp_path):
    store, log = tmp_path / "s", Logged(tmp_path / "log", pause=0.05)
    process = start(store, 40, log, 2)
    wait_for(lambda: len(files(store)) >= 3)
    with pytest.raises(StoreBusyError):
        sweep(runs(40), store=store, progress=False)
    workers = {pid for _, pid in log.lines()}
    process.kill()
    process.join()
    wait_for(lambda: not any(alive(pid) for pid in workers), 30)
    kept = files(store)
    histories = sweep(runs(40), store=store, progress=False, work=Logged(log.path))
    assert len(histories) == len(files(store)) == 40 > len(kept)
    # Of each worker: what it was at, what had arrived but was not kept, what was next in its queue.
    assert len(log.keys()) <= 40 + 3 * len(workers)
