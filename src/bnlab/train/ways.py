"""Which way to train is the fastest one: what ``benchmarks/ways.py`` measured, nearest case first.

The choice depends on the Runs, on whether there is a compiler, and on the committed table; never on
what a process did before. So on one machine it is always the same.
"""

from __future__ import annotations

import csv
import functools
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bnlab.engines.stack import is_stackable
from bnlab.norms import NORMS
from bnlab.runs.build import make_device
from bnlab.runs.cost import flop_of_step
from bnlab.runs.run import Run

TABLE = Path(__file__).with_name("ways.csv")
COUNTS = (4, 16, 64)
"""Numbers of nets that were measured side by side."""


@dataclass(frozen=True)
class Case:
    """What was measured for one kind of net at one batch size.

    Attributes:
        net: as in a Run.
        norm: the normalizer that stands for its family, see ``family``.
        flop: multiplications and additions of a step.
        seconds: processor time of a step of one net, by way: ``torch``, ``native`` and ``wasmtime``
            (the machines of the compiled engine), ``stack_4`` and so on.
        build: seconds that it takes to compile the net.
    """

    net: str
    norm: str
    flop: float
    seconds: Mapping[str, float]
    build: float


def family(run: Run) -> str:
    """The normalizer whose times stand for those of a Run's.

    Without one, or with batch norm, a stack is PyTorch's own kernels; others have such kernels for
    one net alone, or none.
    """
    if run.norm in ("none", "batch"):
        return "batch"
    has_kernel = getattr(NORMS[run.norm], "has_kernel", False)
    return "layer" if has_kernel and run.norm_options.get("native", True) else "batch_renorm"


@functools.cache
def table() -> tuple[Case, ...]:
    """The measured cases."""
    with TABLE.open(newline="") as file:
        return tuple(map(_case, csv.DictReader(file)))


def _case(row: dict[str, str]) -> Case:
    us = {name[:-3]: float(text) for name, text in row.items() if name.endswith(" us")}
    seconds = {name: 1e-6 * value for name, value in us.items()}
    return Case(row["net"], row["norm"], 1e6 * float(row["MFLOP"]), seconds, float(row["build s"]))


def nearest(run: Run) -> Case:
    """The case of the same kind of net and family whose step is most like that of a Run."""
    flop = flop_of_step(run)
    cases = [case for case in table() if case.net == run.net]
    same = [case for case in cases if case.norm == family(run)]
    return min(same or cases or table(), key=lambda case: abs(math.log(case.flop / flop)))


def fastest(run: Run, count: int = 1, device: str = "auto") -> str:
    """The way that trains so many Runs of one kind the fastest: of those that are possible.

    A net that is not compiled beforehand costs seconds, which count against its steps.

    Args:
        run: one of them.
        count: how many; see ``bnlab.engines.stack.common`` for what they share.
        device: see ``train``. On a GPU there is no table: many nets are a stack.
    """
    stackable = count > 1 and is_stackable(run)
    if make_device(device).type != "cpu":
        return "stack" if stackable else "torch"
    from bnlab.engines.compiled import stores  # it loads the compiler

    case, steps = nearest(run), count * run.steps
    costs = {"torch": case.seconds["torch"] * steps}
    if stackable:
        like = min(COUNTS, key=lambda known: abs(math.log(known / count)))
        costs["stack"] = case.seconds[f"stack_{like}"] * steps
    others = min(costs, key=costs.__getitem__)
    if str(device) not in ("auto", "cpu") or not stores.is_possible(run):
        return others
    build = 0.0 if stores.is_ready(run) else case.build
    wins = case.seconds[_machine()] * steps + build < costs[others]
    return "compiled" if wins and stores.is_supported(run) else others


def _machine() -> str:
    """The machine of the compiled engine that trains in the long run."""
    from bnlab.engines.compiled.native.compilers import compilers
    from bnlab.engines.compiled.native.library import is_tried
    from bnlab.engines.compiled.native.machine import CHOICES, VARIABLE

    wanted = os.environ.get(VARIABLE, CHOICES[0]) != "wasmtime"
    return "native" if wanted and is_tried() and compilers() else "wasmtime"
