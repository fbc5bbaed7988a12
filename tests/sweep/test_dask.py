"""A real cluster of dask on this machine, one of whose workers is killed."""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time

import pytest

from bnlab.sweep import sweep
from tests.sweep.sweep_work import Logged, runs, same

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")
COUNT = 30


def forked():
    """Workers, the one in place of the killed one too, that do not import torch again: seconds."""
    if not sys.platform.startswith("linux"):
        return contextlib.nullcontext()
    context = multiprocessing.get_context("forkserver")
    chosen = dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"})
    distributed.utils.get_mp_context()  # it chooses what is imported beforehand: once
    context.set_forkserver_preload(["distributed", "bnlab.sweep.preload"])
    return chosen


@pytest.fixture(scope="module")
def client():
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with (
        forked(),
        distributed.LocalCluster(**options) as cluster,
        cluster.get_client() as client,
    ):
        client.wait_for_workers(2, timeout=120)
        yield client


def kill_a_worker(client, store, killed):
    """Once some results have arrived and most have not."""
    pids = list(client.run(os.getpid).values())
    while len(list(store.glob("*/*.json"))) < 5:
        time.sleep(0.01)
    os.kill(pids[0], signal.SIGKILL)
    killed.append(len(list(store.glob("*/*.json"))))


def test_a_worker_dies_and_every_result_is_there_once(client, tmp_path):
    store, log, killed = tmp_path / "s", Logged(tmp_path / "log", pause=0.05), []
    killer = threading.Thread(target=kill_a_worker, args=(client, store, killed))
    killer.start()
    histories = sweep(runs(COUNT), client.get_executor(), store, progress=False, work=log)
    killer.join()
    assert 5 <= killed[0] < COUNT - 5, "it died in the middle"
    serial = sweep(runs(COUNT), progress=False)
    assert all(same(a, b) for a, b in zip(histories, serial, strict=True))
    assert sorted(p.stem for p in store.glob("*/*.json")) == sorted(r.key() for r in runs(COUNT))
    counts = [log.keys().count(run.key()) for run in runs(COUNT)]
    assert min(counts) == 1 and sum(counts) <= COUNT + 4, "only what the dead worker had"
    again = Logged(tmp_path / "again")
    sweep(runs(COUNT), client.get_executor(), store, progress=False, work=again)
    assert again.keys() == []
