"""The learning rate of a step, put into an optimizer."""

from __future__ import annotations

import torch

from bnlab.runs.run import Run
from bnlab.runs.schedules import factor


def set_rate(optimizer: torch.optim.Optimizer, run: Run, step: int) -> None:
    """Give every group of an optimizer the rate of a step; a constant one is left alone.

    Args:
        optimizer: as ``optimizer_of`` made it: each group begins with its full rate.
        run: whose schedule it is.
        step: from 1.
    """
    if run.schedule == "constant" and not run.schedule_options:
        return
    share = factor(run.schedule, run.schedule_options, step, run.steps)
    for group in optimizer.param_groups:
        full = group.setdefault("initial_lr", group["lr"])
        group["lr"] = share * full
