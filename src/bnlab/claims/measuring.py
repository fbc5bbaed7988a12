"""Measure claims, one after the other: which, where to, and whether it can be done here."""

from __future__ import annotations

import contextlib
import multiprocessing
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from pathlib import Path

import torch

from bnlab.claims.estimate import estimates
from bnlab.claims.room import check_room
from bnlab.data import cifar
from bnlab.data.archive import given_folder
from bnlab.store import DamagedFileError, StoreBusyError
from bnlab.sweep import processes
from bnlab.train import make_device
from bnlab.verdicts import evidence
from bnlab.verdicts.evidence import Evidence
from bnlab.verdicts.provenance import code_meaning
from bnlab.verdicts.verdict import CIFAR10, DIGITS, Claim
from bnlab.verdicts.work import Work

ALL = "ALL"
"""In place of ids: each claim that has a measurement at the scale, and no evidence by this code."""


def wanted(claims: dict[str, Claim], names: Sequence[str], scale: str) -> list[Claim]:
    """The claims with these ids at a scale, each once; ``ALL`` stands for those that have it.

    Raises:
        ValueError: for an unknown id or scale, or if no claim has the scale.
    """
    if ALL not in names:
        return [evidence.find(claims, name).at(scale) for name in dict.fromkeys(names)]
    found = [item.at(scale) for item in claims.values() if scale in item.scales]
    if not found:
        known = ", ".join(dict.fromkeys(s for item in claims.values() for s in item.scales))
        raise ValueError(f"no claim is measured at the scale {scale!r}. Known: {known}.")
    return found


def own_folder(folder: Path, options: dict[str, object]) -> Path:
    """Where evidence goes that is not the one that counts: beside it, in a folder of its own."""
    given = (options.get(name) for name in ("engine", "image_size"))
    device = kind(options.get("device"))
    parts = [*(str(one) for one in given if one), *([device] if device != "cpu" else [])]
    return folder / "-".join(parts) if parts else folder


def kind(device: str | None) -> str:
    """``cpu`` or ``cuda``.

    Raises:
        ValueError: for a device that is not there.
    """
    return "cpu" if device is None else make_device(device).type


def measure_all(
    items: Sequence[Claim],
    folder: Path,
    options: dict[str, object],
    count: int = 1,
    dry_run: bool = False,
    skip: bool = False,
) -> bool:
    """Measure claims and write their evidence; whether all went well.

    A claim that fails does not stop the others. Until a claim's evidence is written its parts are
    kept beside it: the same call goes on there.

    Args:
        items: the claims, at one scale.
        folder: of the evidence.
        options: of the measurements; who does not have one of them is not measured.
        count: processes at once.
        dry_run: say how long it would take, and measure nothing.
        skip: leave out what the folder has already, measured by this code.

    Raises:
        ValueError: for a device that is not there, or several processes on a GPU.
        OSError: for images that cannot be had, a folder that cannot be written.
        RuntimeError: for too little memory.
    """
    refused = {item.id: why for item in items if (why := _refusal(item, options))}
    left = [item for item in items if item.id not in refused]
    if skip:
        left = [item for item in left if not _is_done(item, folder, options)]
    if left:
        _check_machine(left, options, count)
        if left[0].scale == CIFAR10 and not dry_run:
            cifar.CIFAR10.archive.find(given_folder())  # one download, here and now
        if dry_run or left[0].scale != DIGITS:
            _show_estimates(left, options, count)
    if dry_run:
        print("Nothing was measured.")
    elif left:
        _check_writable(folder)
        for item in left:
            if why := _measure_one(item, folder, options, count):
                refused[item.id] = why
    for name, why in refused.items():
        print(f"bnlab: {name}: {why}", file=sys.stderr)
    if refused and len(items) > 1:
        print(f"bnlab: {len(refused)} of {len(items)} claims failed.", file=sys.stderr)
    return not refused


def _refusal(item: Claim, options: dict[str, object]) -> str:
    try:
        evidence.check_options(item, {k: v for k, v in options.items() if k != "seeds"})
    except ValueError as error:
        return str(error)
    return ""


def _is_done(item: Claim, folder: Path, options: dict[str, object]) -> bool:
    if not evidence.is_there(item, item.scale, folder):
        return False
    try:
        stored = evidence.load(item, folder, item.scale)
    except DamagedFileError:
        return False
    seeds = options.get("seeds", stored.data["seeds"])
    is_same = stored.meta.get("code", {}).get("digest") == code_meaning(item.measure)
    if not is_same or list(seeds) != stored.data["seeds"]:
        return False
    print(f"{item.id}: measured already, by this code. To measure it anew, name it.")
    return True


def _check_machine(items: Sequence[Claim], options: dict[str, object], count: int) -> None:
    """What can be known before the first part: whether device and memory suffice."""
    device = kind(options.get("device"))
    if device != "cpu":
        if count > 1:
            raise ValueError(
                f"--processes {count} is for the CPU: on a GPU one process trains many nets side "
                "by side. Leave --processes out."
            )
        # Convolutions would be rounded to ten bits otherwise: no evidence says that it is the same.
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    if items[0].scale == CIFAR10:
        size = options.get("image_size")
        runs = [run for item in items for run in item.runs.values()]
        check_room([r if size is None else r.replace(image_size=size) for r in runs], count, device)


def _show_estimates(items: Sequence[Claim], options: dict[str, object], count: int) -> None:
    device = kind(options.get("device"))
    for line in estimates(items, device, options.get("image_size"), count):
        print(line, flush=True)


def _check_writable(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{folder} is a file: name a folder for the evidence with --output.")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".writable."):
        pass


def _measure_one(item: Claim, folder: Path, options: dict[str, object], count: int) -> str:
    """Measure a claim and write its evidence; why that failed, or an empty word."""
    unfinished = evidence.unfinished(item, folder, item.scale)
    try:
        with pool(count) as executor:
            work = Work(unfinished, executor, progress=True)
            result = evidence.measure(item, work=work, **options)
        path = evidence.with_past(result, _before(item, folder)).save(folder)
    except BrokenPipeError:  # who read has left
        raise
    except StoreBusyError:
        return (
            f"{item.id} is being measured by another process, which keeps its parts in "
            f"{unfinished}. Wait until it has ended, or name another --output."
        )
    except (ValueError, RuntimeError, OSError) as error:
        return str(error)
    work.forget()
    print(f"wrote {path}\n{result.verdict}", flush=True)
    return ""


def _before(item: Claim, folder: Path) -> Evidence | None:
    """The evidence that is about to be replaced, if there is any that can be read."""
    try:
        return evidence.load(item, folder, item.scale)
    except FileNotFoundError:
        return None
    except DamagedFileError as error:
        print(f"{error} Its earlier results are lost.", file=sys.stderr)
        return None


@contextlib.contextmanager
def pool(count: int) -> Iterator[Executor | None]:
    """That many processes, or None for this one.

    After an error or Ctrl-C they end at once: the parts that they were at are done anew next time.
    """
    if count == 1:
        yield None
        return
    before = multiprocessing.active_children()
    with processes(count) as executor:
        try:
            yield executor
        except BaseException:
            for worker in multiprocessing.active_children():
                if worker not in before:
                    worker.terminate()
            raise
