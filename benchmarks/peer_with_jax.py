"""JAX as a peer: installed into a temporary folder, in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from peer_steps import STEPS, Batches, Way
from torch import nn

from bnlab.train import Run, make_trainer

VERSION = "jax==0.10.2"
PATIENCE = 600  # seconds for the installation
ONE_THREAD = {
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}


@contextlib.contextmanager
def installed() -> Iterator[str | None]:
    """An interpreter that has JAX; None, after a sentence, if it cannot be had."""
    with tempfile.TemporaryDirectory(prefix="bnlab-jax-") as folder:
        python = Path(folder, "Scripts/python.exe" if os.name == "nt" else "bin/python")
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        try:
            for command in ([sys.executable, "-m", "venv", folder], [*pip, VERSION]):
                options = {"capture_output": True, "text": True, "timeout": PATIENCE}
                subprocess.run(command, check=True, **options)
        except (OSError, subprocess.SubprocessError) as error:
            words = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
            print(f"JAX is left out: {VERSION} cannot be installed ({words[-1]}).", flush=True)
            yield None
        else:
            yield str(python)


class JaxWay(Way):
    """A process that takes a block of steps for each line that it is sent.

    Args:
        command: starts it; its first line are the losses of the first block, then each line the
            seconds of one more.
    """

    def __init__(self, command: list[str]) -> None:
        environment = {**os.environ, **ONE_THREAD}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(command, text=True, env=environment, **pipes)

    def _asked(self) -> object:
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def losses(self) -> list[float]:
        """Of the first block; to be called once, before ``seconds``."""
        return self._asked()

    def seconds(self) -> float:
        """Processor time of a step, in all threads of the process."""
        return self._asked() / STEPS

    def __exit__(self, *error: object) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


@contextlib.contextmanager
def jax_way(run: Run, batches: Batches, python: str) -> Iterator[Way]:
    """JAX's steps on the same data from the same weights."""
    trainer = make_trainer(run)
    linear = [layer for layer in trainer.net.modules() if isinstance(layer, nn.Linear)]
    arrays = {"x": trainer.data.train_x, "y": trainer.data.train_y, "lr": np.float32(run.lr)}
    for k, layer in enumerate(linear):
        arrays |= {f"w{k}": layer.weight.detach().numpy().T, f"b{k}": layer.bias.detach().numpy()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "start.npz")
        np.savez(path, numbers=np.stack(batches), **arrays)
        with JaxWay([python, str(Path(__file__).with_name("peer_jax.py")), str(path)]) as way:
            yield way
