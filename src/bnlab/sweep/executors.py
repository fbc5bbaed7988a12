"""Processes of this machine. Executors of clusters come from their own libraries."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from concurrent.futures import ProcessPoolExecutor

import torch


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # a job of a cluster has fewer than the machine
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processes(count: int | None = None) -> ProcessPoolExecutor:
    """A pool of processes with one torch thread each; use it in a ``with`` statement.

    A script that makes one needs ``if __name__ == "__main__":`` around its work, as each process
    imports the script. No process outlives this one, even if it is killed.

    Args:
        count: how many; by default as many as there are cores.

    Raises:
        ValueError: for a count that is not a positive integer.

    Example:
        >>> with processes(2) as pool:
        ...     pool.submit(abs, -3).result()
        3
    """
    count = cores() if count is None else count
    if not isinstance(count, int) or isinstance(count, bool) or count < 1:
        raise ValueError(f"processes must be an integer of 1 or more, got {count!r}.")
    return ProcessPoolExecutor(count, _context(), _start_worker)


def _context() -> multiprocessing.context.BaseContext:
    """How processes start.

    Never by a fork of this process, whose threads and GPU do not survive that. On Linux a server
    imports everything once and is then forked; elsewhere that is not safe, and each imports torch.
    """
    if not sys.platform.startswith("linux"):
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["bnlab.sweep.preload"])
    return context


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent sees to it
    torch.set_num_threads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    # A worker waits for tasks on a pipe that it holds itself: it would wait for ever.
    multiprocessing.parent_process().join()
    os._exit(1)
