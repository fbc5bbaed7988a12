"""What a GPU tells in a quarter of an hour: claims on CIFAR-10, many nets at once, coarser numbers.

    python benchmarks/gpu.py                        on a CUDA GPU; BNLAB_DATA names CIFAR-10
    python benchmarks/gpu.py --device cpu --quick   all of it on tiny nets and digits: a minute

It has not run on a GPU yet: what stands here was tried on a CPU alone. It measures

- S1, B1 and S4 with a small VGG, in as many steps as fit into about eight minutes. This is no
  evidence: ``python -m bnlab.claims measure`` makes that;
- ``train_many`` with 64 nets against a loop of single trainings: to be ten times faster;
- how far tf32 and bfloat16 (autocast) move the loss, against its spread over seeds. Two trainings
  that differ by rounding drift apart as two seeds do, so the mean over eight may move by half a
  spread by chance; the limit is one spread.

After each part all that is known is written into a file.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import statistics
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import measured
import numpy as np
import torch
from measured import Row, seconds
from torch.nn.functional import cross_entropy

from bnlab.claims.estimate import step_seconds
from bnlab.data import load
from bnlab.engines.stack import StackTrainer
from bnlab.measure import VGG, measure_landscape
from bnlab.train import Run, Trainer, train, train_many
from bnlab.verdicts.race import LAST, Arm, best_lr, decades, lead, race, usable
from bnlab.verdicts.work import HERE

NETS = Run(
    data="cifar10",
    image_size=16,
    net="plain",
    depth=6,
    width=16,
    net_options={"downsample": "max_pool"},
    optimizer_options={"momentum": 0.9, "weight_decay": 5e-4},
    batch_size=64,
    steps=1408,
    eval_every=1408,
)
MLP = Run(norm="batch", depth=6, batch_size=32, lr=0.05)
ARMS = {norm: Arm({"norm": norm}, (0.01, 0.03, 0.1)) for norm in ("none", "batch")}
IN_LOOP = 4  # nets of the loop that are timed: every one takes as long
TIMES_FASTER = 10
IN_RACE = 90  # trainings, about: two arms, five rates, nine seeds


@dataclass(frozen=True)
class Size:
    """How much is done.

    Attributes:
        base: of the claims and of the rounding.
        budget: seconds of the race.
        seeds: that count.
        looks: along a training, for S4.
        nets: trained at once.
        many_steps: of each of them.
    """

    base: Run
    budget: float
    seeds: tuple[int, ...]
    looks: int
    nets: int
    many_steps: int


FULL = Size(NETS, 300, tuple(range(2100, 2108)), 10, 64, 100)
QUICK = Size(
    NETS.replace(data="digits", image_size=None, depth=2, width=4, steps=10, eval_every=10),
    *(10, (2100, 2101), 2, 4, 5),
)


def claims(size: Size, device: str, told: dict) -> Iterator[Row]:
    """S1, B1 and S4, shortened."""
    fits = int(size.budget / (step_seconds(size.base, device) * IN_RACE))
    steps = max(10, min(size.base.steps, fits))
    base = size.base.replace(steps=steps, eval_every=steps)
    data = race(ARMS, base, size.seeds, HERE, everywhere=True, device=device)
    rates = {arm: best_lr(data, arm) for arm in ARMS}
    found = {
        "S1: decades of the loss, none over batch": decades(data, "none", "batch"),
        "B1: decades of the largest usable rate": np.log10(
            usable(data, "batch") / usable(data, "none")
        ),
        "B1: points of test accuracy": 100 * lead(data, "batch", "none"),
    }
    looks = {
        arm: [
            _looks(base.replace(norm=arm, lr=rates[arm], seed=s), size, device) for s in size.seeds
        ]
        for arm in ARMS
    }
    for number, name in enumerate(("range of the loss", "change of the gradient", "beta")):
        none, batch = (np.array([one[number] for one in looks[arm]]) for arm in ARMS)
        found[f"S4: decades of the {name}, none over batch"] = none - batch
    told["claims"] = {"steps": steps, "rates": rates, "seeds": list(size.seeds)}
    told["claims"]["values"] = {name: numbers.tolist() for name, numbers in found.items()}
    for name, numbers in found.items():
        yield Row(name, np.inf, float(numbers.mean()))


def _looks(run: Run, size: Size, device: str) -> np.ndarray:
    """log10 of range, change and beta along the gradient, medians over a training, (3,)."""
    trainer, found = Trainer(run, device), []
    trainer.net.train()
    every = max(1, run.steps // size.looks)
    for step, numbers in enumerate(trainer.batches, start=1):
        if step % every == 0:
            batch = trainer.batch(numbers, step)
            with contextlib.suppress(ValueError):  # a loss that is not finite
                seen = measure_landscape(trainer.net, cross_entropy, *batch, VGG.steps(run.lr))
                found.append((seen.loss_range, seen.gradient_change_max, seen.effective_beta))
        trainer.update(numbers, step)
    return np.log10(np.median(found, axis=0)) if found else np.full(3, np.nan)


def many(size: Size, device: str, told: dict, rounds: int) -> Iterator[Row]:
    """``train_many`` against the loop, by the clock: a net on a GPU takes no processor time."""
    told["many"] = {}
    for run in (MLP, size.base.replace(norm="batch")):
        short = run.replace(steps=size.many_steps, eval_every=size.many_steps)
        runs = [short.replace(seed=k, lr=0.01 * (1 + k % 4)) for k in range(size.nets)]
        way = train_many(runs, device=device)[0].engine
        alone = runs[:IN_LOOP]

        def loop(alone: list[Run] = alone) -> None:
            for one in alone:
                train(one, device=device)

        def together(runs: list[Run] = runs) -> None:
            train_many(runs, device=device)

        loop()
        ratios = [
            (seconds(together) / len(runs)) / (seconds(loop) / len(alone)) for _ in range(rounds)
        ]
        name = f"{run.net} on {run.data}, K = {size.nets}: train_many ({way}) / loop"
        told["many"][name] = ratios
        yield Row(name, 1 / TIMES_FASTER, statistics.median(ratios))


@contextlib.contextmanager
def tf32(allowed: bool) -> Iterator[None]:
    """Let a GPU round the factors of products to ten bits, or not: torch lets convolutions."""
    places = (torch.backends.cuda.matmul, torch.backends.cudnn)
    before = [place.allow_tf32 for place in places]
    for place in places:
        place.allow_tf32 = allowed
    try:
        yield
    finally:
        for place, value in zip(places, before, strict=True):
            place.allow_tf32 = value


def losses_here(runs: list[Run], device: str) -> np.ndarray:
    """Losses (steps, K) of nets side by side, rounded as it is set here.

    A training keeps autocast and tf32 out: what is called is the step inside of it.
    """
    trainer, update = StackTrainer(runs, device), inspect.unwrap(StackTrainer.update)
    trainer.net.train()
    batches = enumerate(zip(*trainer.samplers, strict=True), start=1)
    return np.array([update(trainer, np.stack(numbers), step)[0] for step, numbers in batches])


def rounding(size: Size, device: str, told: dict) -> Iterator[Row]:
    """Mean loss of the last tenth of the steps, of each seed, in coarser numbers."""
    found = {}
    for norm in ARMS:
        run = size.base.replace(norm=norm, lr=0.03)
        run = run.replace(steps=max(10, run.steps // 4), eval_every=max(10, run.steps // 4))
        runs = [run.replace(seed=seed) for seed in size.seeds]
        ways: dict[str, tuple[bool, AbstractContextManager]] = {
            "float32": (False, contextlib.nullcontext()),
            "tf32": (True, contextlib.nullcontext()),
            "bf16": (False, torch.autocast(device, torch.bfloat16)),
        }
        for way, (allowed, cast) in ways.items():
            with tf32(allowed), cast:
                losses = losses_here(runs, device)
            found[f"{norm}, {way}"] = losses[-max(1, run.steps // LAST) :].mean(0)
    told["rounding"] = {name: losses.tolist() for name, losses in found.items()}
    for norm in ARMS:
        exact = found[f"{norm}, float32"]
        for way in ("tf32", "bf16"):
            moved = abs((found[f"{norm}, {way}"] - exact).mean()) / exact.std(ddof=1)
            yield Row(f"{norm}: loss in {way} - float32, in spreads over seeds", 1.0, float(moved))


def everything(size: Size, device: str, rounds: int, output: Path) -> Iterator[Row]:
    """All rows; what is known is written after each part."""
    name = torch.cuda.get_device_name() if device == "cuda" else "cpu"
    told: dict = {"device": name, "torch": torch.__version__, "base": size.base.to_dict()}
    told["images"] = load(size.base.data, 0, size.base.image_size).source
    rows: list[Row] = []
    parts = (
        lambda: many(size, device, told, rounds),
        lambda: claims(size, device, told),
        lambda: rounding(size, device, told),
    )
    for part in parts:
        with tf32(allowed=False):
            for row in part():
                rows.append(row)
                yield row
        told["rows"] = [[row.what, row.limit, row.measured] for row in rows]
        output.write_text(json.dumps(told, indent=1) + "\n")


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, write, and return 0 if every limit holds, else 1."""
    parser = measured.command(__doc__, rounds=3)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--quick", action="store_true", help="tiny nets, digits")
    parser.add_argument("--output", type=Path, default=Path("gpu.json"), help="a file to write")
    chosen = measured.parsed(parser, arguments)
    if chosen.device == "cuda" and not torch.cuda.is_available():
        parser.error("torch sees no CUDA GPU here. Try it with --device cpu --quick.")
    size = QUICK if chosen.quick else FULL
    rows = everything(size, chosen.device, chosen.rounds, chosen.output)
    status = measured.report(rows, say=lambda row: f"{row.what}: {row.measured:.3g}")
    print(f"Wrote {chosen.output}.")
    return status


if __name__ == "__main__":
    sys.exit(main())
