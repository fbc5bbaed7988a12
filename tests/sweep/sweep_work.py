"""Work for the tests of sweeps: processes import it by its name."""

import os
import time
from pathlib import Path

import pytest

from bnlab.sweep import processes, sweep, train_each
from bnlab.train import Run

ARRAYS = ("loss", "accuracy", "step", "val_accuracy", "val_accuracy_train_mode")


needs_full_disk = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")


def on_a_full_disk(handle, *_arguments, **_options):
    """In place of ``os.fdopen``: a file on a disk that has no space left."""
    os.close(handle)
    return Path("/dev/full").open("w")


def runs(count):
    """The smallest trainings there are."""
    return [Run(depth=1, width=4, steps=5, eval_every=5, seed=seed) for seed in range(count)]


def same(a, b):
    """Whether two Histories have the same bits, time aside."""
    exact = all(getattr(a, n).tobytes() == getattr(b, n).tobytes() for n in ARRAYS)
    accuracy = a.test_accuracy == b.test_accuracy
    return exact and accuracy and a.run == b.run and a.diverged_at == b.diverged_at


class Logged:
    """Trains, and adds a line (key, process) to a file before each Run."""

    def __init__(self, path, pause=0.0):
        self.path, self.pause = path, pause

    def __call__(self, runs, engine, device):
        for run in runs:
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            os.write(handle, f"{run.key()} {os.getpid()}\n".encode())
            os.close(handle)
            time.sleep(self.pause)
        return train_each(runs, engine, device)

    def lines(self):
        """The keys and processes so far."""
        text = self.path.read_text() if self.path.exists() else ""
        return [(key, int(pid)) for key, pid in (line.split() for line in text.splitlines())]

    def keys(self):
        """The keys so far."""
        return [key for key, _ in self.lines()]


def fails_on_odd_seeds(runs, engine, device):
    """As a chunk that fails as a whole when one of its Runs does."""
    for run in runs:
        if run.seed % 2:
            raise ZeroDivisionError(f"seed {run.seed} is odd")
    return train_each(runs, engine, device)


def dies_on_seed_2(runs, engine, device):
    """A worker that is killed from outside, or runs out of memory."""
    if any(run.seed == 2 for run in runs):
        os._exit(3)
    return train_each(runs, engine, device)


def sweep_until_killed(store, count, log, begun, workers=0):
    """What a process does that the tests kill."""
    train_each(runs(1), "torch", "auto")  # what only the first training does
    pool = processes(workers) if workers else None
    begun.set()
    sweep(runs(count), pool, store, progress=False, work=log)
    time.sleep(600)
