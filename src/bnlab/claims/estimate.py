"""How long a measurement will take, about: what the stored evidence took, scaled by steps timed."""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import numpy as np

from bnlab.claims.room import NETS
from bnlab.engines.stack import StackTrainer, is_stackable
from bnlab.store import DamagedFileError
from bnlab.train import Run, Trainer, threads
from bnlab.verdicts import evidence
from bnlab.verdicts.verdict import Claim

UNTIMED, TIMED = 2, 5
"""Steps that load and allocate, and steps of which the median counts."""


def estimates(
    items: Sequence[Claim], device: str = "cpu", image_size: int | None = None, processes: int = 1
) -> Iterator[str]:
    """A line a claim, and one for all of them.

    What the evidence took is the time of one core of the machine where it was measured. It is
    multiplied by the ratio of two steps that are timed here: of the claim's base as it is asked
    for, and of the base as it was measured.

    Args:
        items: claims, at one scale.
        device: ``cpu`` or ``cuda``.
        image_size: in place of that of the base.
        processes: that share the work.
    """
    total, without = 0.0, []
    for item in items:
        found = seconds_of(item, device, image_size)
        if found is None:
            without.append(item.id)
            yield f"{item.id}: there is no evidence to go by, so no estimate."
            continue
        took, ratio = found
        seconds = took * ratio / processes
        total += seconds
        yield (
            f"{item.id}: about {duration(seconds)} (its evidence took {duration(took)} of one "
            f"core; a step takes {ratio:.2g} times as long as there)"
        )
    rest = f", without {', '.join(without)}" if without else ""
    yield (
        f"In all: about {duration(total)}{rest}. This is an estimate, from a few steps of each "
        "claim's net; a core is taken to be as fast as the one that measured the evidence."
    )


def seconds_of(item: Claim, device: str, image_size: int | None) -> tuple[float, float] | None:
    """Seconds that the evidence of a claim took, and how many times as long a step takes now.

    None without evidence, or with evidence from another device than the CPU and this one.
    """
    try:
        stored = evidence.load(item, scale=item.scale)
    except (FileNotFoundError, DamagedFileError):
        return None
    before, where = Run.from_dict(stored.data["base"]), stored.meta["device"].split()[0]
    if where not in ("cpu", device):
        return None
    now = before if image_size is None else before.replace(image_size=image_size)
    if (now, device) == (before, where):
        return stored.meta["seconds"], 1.0
    return stored.meta["seconds"], step_seconds(now, device) / step_seconds(before, where)


@functools.cache
def step_seconds(run: Run, device: str) -> float:
    """Seconds of a step of one net, of one thread; on a GPU of one among ``NETS`` in a stack."""
    if device != "cpu" and is_stackable(run):
        stack = StackTrainer([run.replace(seed=seed) for seed in range(NETS)], device)
        numbers = (np.stack(together) for together in zip(*stack.samplers, strict=True))
        return _median(stack.update, numbers) / NETS
    with threads(1 if device == "cpu" else None):
        trainer = Trainer(run, device)
        trainer.net.train()
        return _median(trainer.update, trainer.batches)


def _median(update: Callable, batches: Iterator[np.ndarray]) -> float:
    times = []
    for step, numbers in enumerate(islice(batches, UNTIMED + TIMED), start=1):
        start = time.perf_counter()
        update(numbers, step)  # it gives numbers, so a GPU has done with it
        times.append(time.perf_counter() - start)
    return statistics.median(times[UNTIMED:] or times)


def duration(seconds: float) -> str:
    """As it is said: in seconds, minutes or hours."""
    for limit, unit, name in ((90, 1, "seconds"), (5400, 60, "minutes")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds / 3600:.1f} hours"
