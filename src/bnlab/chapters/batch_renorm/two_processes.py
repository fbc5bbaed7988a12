"""SyncBatchNorm at work: one training shared by two real processes."""

from __future__ import annotations

import datetime
import multiprocessing
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn

from bnlab.norms import BatchNorm
from bnlab.norms.sync import SyncBatchNorm
from bnlab.train import Run, Trainer, threads

SECONDS = 120  # for the processes, which import torch first; then they are ended
PROCESSES = 2


@dataclass(frozen=True)
class TwoProcesses:
    """Training losses of the same steps, each (steps,), and test accuracies at the end.

    Attributes:
        joined, joined_accuracy: one process with the whole batch and BatchNorm.
        synchronized, synchronized_accuracy: two processes with half a batch each, SyncBatchNorm.
        alone, alone_accuracy: two processes, each with the statistics of its own half. The accuracy
            is that of the first one's running statistics; the weights are the same in both.
    """

    joined: np.ndarray
    synchronized: np.ndarray
    alone: np.ndarray
    joined_accuracy: float
    synchronized_accuracy: float
    alone_accuracy: float


def train_in_two_processes(run: Run) -> TwoProcesses:
    """Train a Run with BatchNorm in one process, and in two that share each batch.

    The gradients of the two are averaged, as ``DistributedDataParallel`` does. Batches, initial
    weights and the optimizer are the same in all three trainings. It takes some seconds, most of
    them for the start of the processes.

    Args:
        run: with ``norm='batch'``, plain SGD and an even batch size.

    Raises:
        ValueError: for another normalizer or an odd batch size.
        RuntimeError: if this torch cannot connect processes, or a process fails.
    """
    if run.norm != "batch":
        raise ValueError(f"the Run must have norm='batch', got {run.norm!r}.")
    if run.batch_size % PROCESSES:
        raise ValueError(f"batch_size must be even to be shared by two, got {run.batch_size}.")
    if not (dist.is_available() and dist.is_gloo_available()):
        raise RuntimeError("this torch has no 'gloo', which connects processes on a CPU.")
    found = {"joined": _train(run)}
    with tempfile.TemporaryDirectory() as folder:
        _start_both(run, folder)
        found |= torch.load(Path(folder) / "found.pt")
    losses = {name: np.array(values) for name, (values, _) in found.items()}
    return TwoProcesses(**losses, **{f"{name}_accuracy": a for name, (_, a) in found.items()})


def _start_both(run: Run, folder: str) -> None:
    context = multiprocessing.get_context("spawn")
    given = [(rank, run.to_dict(), folder) for rank in range(PROCESSES)]
    both = [context.Process(target=_process, args=one, daemon=True) for one in given]
    try:
        for each in both:
            each.start()
        for each in both:
            each.join(SECONDS)
        codes = [each.exitcode for each in both]
    finally:
        for each in both:
            if each.is_alive():
                each.kill()
    if codes != [0, 0]:
        raise RuntimeError(
            f"a process failed: exit codes {codes} (None: not finished in {SECONDS} s)."
        )


def _process(rank: int, fields: dict, folder: str) -> None:
    """One of the two: trains with SyncBatchNorm, then with its own statistics."""
    dist.init_process_group(
        "gloo",
        init_method=Path(folder, "meeting").as_uri(),
        rank=rank,
        world_size=PROCESSES,
        timeout=datetime.timedelta(seconds=SECONDS),
    )
    run = Run.from_dict(fields)
    found = {"synchronized": _train(run, rank, synchronize=True), "alone": _train(run, rank)}
    if rank == 0:
        torch.save(found, Path(folder, "found.pt"))
    dist.destroy_process_group()


@threads(1)
def _train(
    run: Run, rank: int | None = None, synchronize: bool = False
) -> tuple[list[float], float]:
    """Losses of all steps, over the whole batch, and the test accuracy at the end.

    Args:
        run: what to train.
        rank: which half of each batch; None for the whole one.
        synchronize: use SyncBatchNorm.
    """
    trainer, losses = Trainer(run, "cpu"), []
    if synchronize:
        _synchronize(trainer.net)
    trainer.net.train()
    for step, numbers in enumerate(trainer.batches, start=1):
        own = numbers if rank is None else np.split(numbers, PROCESSES)[rank]
        x, y = trainer.batch(own, step)
        trainer.optimizer.zero_grad()
        loss = trainer.loss(trainer.net(x), y)
        loss.backward()
        if rank is not None:
            for parameter in trainer.net.parameters():
                _average(parameter.grad)
        trainer.optimizer.step()
        losses.append(float(_average(loss.detach()) if rank is not None else loss.detach()))
    return losses, trainer.test_accuracy()


def _average(value: Tensor) -> Tensor:
    dist.all_reduce(value)
    return value.div_(PROCESSES)


def _synchronize(net: nn.Module) -> None:
    """Put SyncBatchNorm in place of BatchNorm; the parameters stay those of the optimizer."""
    for name, module in list(net.named_modules()):
        if isinstance(module, BatchNorm):
            sync = SyncBatchNorm(module.num_features, module.eps, module.momentum)
            sync.weight, sync.bias = module.weight, module.bias
            parent, _, own = name.rpartition(".")
            setattr(net.get_submodule(parent), own, sync.to(module.weight.dtype))
