"""r and d of Batch Renormalization while they act: what the batch asks for, and the limits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from bnlab.chapters.batch_renorm.microbatches import GroupRenorm, GroupTrainer, Setting
from bnlab.norms.functional import moments
from bnlab.train import Run, threads
from bnlab.verdicts.table import Table

EVERY = 10  # steps between two looks
SHARES = (0.05, 0.5, 0.95)
COLUMNS = (
    "step",
    *(f"{name}_{round(100 * share)}" for name in "rd" for share in SHARES),
    "r_max",
    "d_max",
    "r_clipped",
    "d_clipped",
)


class Watch:
    """Keeps r and d, before they are clipped, of all layers in one forward pass."""

    def __init__(self, net: nn.Module) -> None:
        self.on, self.seen = False, []
        self.norms = [module for module in net.modules() if isinstance(module, GroupRenorm)]
        for norm in self.norms:
            norm.register_forward_pre_hook(self._look)

    @torch.no_grad()
    def _look(self, norm: GroupRenorm, inputs: tuple[Tensor, ...]) -> None:
        if not (self.on and norm.training):
            return
        x = inputs[0]
        _, mean, var = moments(x.reshape(-1, norm.group, x.shape[1]), (1,))
        sd = (norm.running_var + norm.eps).sqrt()
        r, d = (var + norm.eps).sqrt() / sd, (mean - norm.running_mean) / sd
        self.seen.append((r.flatten().numpy(), d.flatten().numpy()))

    def row(self, step: int, r_max: float, d_max: float) -> list:
        """Quantiles over layers, units, groups and nets, and the shares beyond the limits."""
        r, d = (np.concatenate(part) for part in zip(*self.seen, strict=True))
        self.seen = []
        clipped = ((r > r_max) | (r < 1 / r_max), np.abs(d) > d_max)
        numbers = [*np.quantile(r, SHARES), *np.quantile(d, SHARES), r_max, d_max]
        numbers += [share.mean() for share in clipped]
        return [step, *(float(f"{number:.4g}") for number in numbers)]


@threads(1)
def watch(runs: Sequence[Run], setting: Setting) -> list[list]:
    """Train Runs with Batch Renormalization; a row of ``COLUMNS`` each tenth step."""
    trainer, found = GroupTrainer(runs, setting), []
    watching = Watch(trainer.net)
    watching.on = True
    for records in trainer.steps():
        step = records[0].step if records[0] else None
        if step and (step - 1) % EVERY == 0:
            # The limits of this step: it follows one fewer.
            limits = watching.norms[0].schedule.at(step - 1)
            found.append(watching.row(step, *limits))
        watching.seen, watching.on = [], bool(step is not None and step % EVERY == 0)
    return found


def facts(rows: Sequence[Sequence[float]]) -> dict[str, float]:
    """Numbers for sentences: quantiles at the end, and how much is clipped, in per cent."""
    table = Table(COLUMNS, rows)
    *_, last = table
    found = {f"end_{name}": last[name] for name in COLUMNS[1:7]}
    for name in ("r", "d"):
        limit = table.column(f"{name}_max")
        clipped = table.column(f"{name}_clipped")[limit == limit.max()]
        found[f"{name}_clipped"] = 100 * clipped.mean()
    return found
