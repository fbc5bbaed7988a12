"""Whether the memory suffices for nets on CIFAR-10, before a measurement starts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from bnlab.train import Run

GB = 1e9
A_PROCESS = {16: 1.0, 32: 2.5}
"""GB that a process takes at most, by height of the images: a net of width 16 was trained."""

NETS = 8
"""Nets side by side on a GPU: the seeds of an arm."""
IMAGES, LOOKED_AT, ALIVE = 60_000, 5_000, 3
"""Images on a GPU, images evaluated as one batch, and tensors of their channels at a time."""

MEMINFO, GROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")


def check_room(runs: Sequence[Run], processes: int = 1, device: str = "cpu") -> None:
    """Raise a clear error unless the memory suffices to train such Runs.

    Args:
        runs: on CIFAR; others take little.
        processes: at once.
        device: ``cpu`` or ``cuda``; on a GPU its memory counts as well.

    Raises:
        RuntimeError: which says how much is missing, and how many processes fit.
    """
    large = [run for run in runs if run.data.startswith("cifar")]
    if not large:
        return
    size = max(run.image_size or 32 for run in large)
    _check_processes(size, processes)
    if device != "cpu":
        _check_gpu(size, max(run.width for run in large), device)


def _check_processes(size: int, processes: int) -> None:
    free, each = free_memory(), A_PROCESS[size]
    if free is None or processes * each <= free:
        return
    fit = int(free // each)
    smaller = " or use --image-size 16, which takes 1 GB" if size == 32 else ""
    advice = f"use --processes {fit}" if fit else f"end other programs{smaller}"
    counted = f"{processes} processes take" if processes > 1 else "one process takes"
    raise RuntimeError(
        f"too little memory: on images of {size} x {size} pixels {counted} about "
        f"{processes * each:.1f} GB, and {free:.1f} GB are free. {fit or 'None'} would fit: "
        f"{advice}."
    )


def _check_gpu(size: int, width: int, device: str) -> None:
    numbers = size**2 * (3 * IMAGES + NETS * LOOKED_AT * width * ALIVE)
    free, needed = torch.cuda.mem_get_info(device)[0] / GB, 4 * numbers / GB
    if needed > free:
        smaller = " or use --image-size 16, which takes a quarter" if size == 32 else ""
        raise RuntimeError(
            f"too little memory on {device!r}: {NETS} nets of width {width} on images of {size} x "
            f"{size} pixels take about {needed:.1f} GB, and {free:.1f} GB are free. End what else "
            f"uses the GPU{smaller}."
        )


def free_memory() -> float | None:
    """GB that programs can have, also by the limit of a container; None where nobody tells."""
    found = [*_of_machine(), *_of_container()]
    return min(found) if found else None


def _of_machine() -> list[float]:
    if not MEMINFO.exists():
        return []
    lines = (line.split() for line in MEMINFO.read_text().splitlines())
    return [1024 * int(words[1]) / GB for words in lines if words[0] == "MemAvailable:"]


def _of_container() -> list[float]:
    names = ("memory.max", "memory.current", "memory.stat")
    if not all((GROUP / name).exists() for name in names):
        return []
    limit, used, stat = ((GROUP / name).read_text() for name in names)
    if limit.strip() == "max":
        return []
    cached = dict(line.split() for line in stat.splitlines()).get("inactive_file", "0")
    return [(int(limit) - int(used) + int(cached)) / GB]
