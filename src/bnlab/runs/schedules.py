"""Schedules: the learning rate of each step, as a share of the Run's ``lr``.

Source: warm-up: Goyal et al. 2017, arXiv 1706.02677, section 2.2; steps: He et al. 2016, arXiv
1512.03385, section 4.2 (a tenth at half and at three quarters of the training); cosine: Loshchilov
and Hutter 2017, arXiv 1608.03983, without restarts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from bnlab.errors import check_name, check_number, unknown


def constant(done: float) -> float:
    """The same rate all the time."""
    return 1.0


def cosine(done: float) -> float:
    """Half a cosine, from 1 at the start to 0 at the end: (1 + cos(pi done)) / 2."""
    return (1 + math.cos(math.pi * done)) / 2


def steps(done: float, milestones: tuple[float, ...] = (0.5, 0.75), gamma: float = 0.1) -> float:
    """``gamma`` to the power of the number of ``milestones``, shares of the training, passed."""
    return gamma ** sum(done >= milestone for milestone in milestones)


SCHEDULES: dict[str, Callable[..., float]] = {
    "constant": constant,
    "cosine": cosine,
    "steps": steps,
}
OPTIONS = {"constant": (), "cosine": (), "steps": ("milestones", "gamma")}
WARMUP = "warmup"
"""Option of every schedule: so many steps over which the rate rises, in equal parts, to ``lr``."""


def check_schedule(name: str, options: Mapping[str, object], steps: int) -> None:
    """Raise a clear error for an unknown schedule or option, or a bad value of one."""
    check_name("schedule", name, SCHEDULES)
    for option in options:
        if option not in (WARMUP, *OPTIONS[name]):
            known = (WARMUP, *OPTIONS[name])
            raise ValueError(unknown(f"option of schedule {name!r}:", option, known))
    warmup = options.get(WARMUP, 0)
    if not isinstance(warmup, int) or isinstance(warmup, bool) or not 0 <= warmup < steps:
        raise ValueError(
            f"warmup must be a whole number of steps below the Run's {steps}, got {warmup!r}."
        )
    check_number("gamma of a schedule", options.get("gamma", 0.1), 0, 1)
    _check_milestones(options.get("milestones", [0.5]))


def _check_milestones(milestones: object) -> None:
    is_list = isinstance(milestones, list | tuple) and len(milestones) > 0
    if not is_list or not all(isinstance(m, int | float) and 0 < m < 1 for m in milestones):
        raise ValueError(
            "milestones must be a list of shares of the training between 0 and 1, such as "
            f"[0.5, 0.75], got {milestones!r}."
        )


def factor(name: str, options: Mapping[str, object], step: int, steps: int) -> float:
    """The learning rate of a step, as a share of the Run's ``lr``.

    Args:
        name: of the schedule.
        options: of the schedule.
        step: from 1.
        steps: of the whole training. What the schedule says of the whole, it says of what follows
            the warm-up.
    """
    shape = dict(options)
    warmup = shape.pop(WARMUP, 0)
    if step <= warmup:
        return step / warmup
    done = (step - 1 - warmup) / (steps - warmup)
    return SCHEDULES[name](done, **shape)
