"""A training on CIFAR-10 with looks at the inputs of its convolutions, for S1 and S2.

As ``moving_inputs`` on digits. A unit is a channel, its values are those of all images and
positions; one looks every ``EVERY`` steps, as a look costs as much as some steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from torch import nn

from bnlab.chapters.covariate_shift.moving_inputs import MOVES, NoiseAlone
from bnlab.measure.shift.input_shift import Inputs, InputShift, look, measure_input_shift
from bnlab.norms import NoisyBatchNorm
from bnlab.runs.optimizers import make_optimizer
from bnlab.train import Run, Trainer, threads
from bnlab.verdicts.race import LAST, Arm
from bnlab.verdicts.table import Table
from bnlab.verdicts.tuning import CHANCE, mean_loss
from bnlab.verdicts.work import Work

EVERY = 50  # steps between two looks at a step
PROBE_IMAGES = 251  # a prime: the values that are kept then come from all positions
NOISE = "noise"  # the net without a normalizer, with the noise of noisy BatchNorm
MOVED = ("arm", "lr", "seed", "moves")


def make_trainer(run: Run, device: str = "cpu", noise_alone: bool = False) -> Trainer:
    """What trains the net of a Run; or with the noise of its noisy BatchNorm, and nothing else."""
    trainer = Trainer(run, device)
    if noise_alone:
        body: nn.Sequential = trainer.net.body
        for place, module in enumerate(body):
            if isinstance(module, NoisyBatchNorm):
                body[place] = NoiseAlone(module).to(trainer.device)
        trainer.optimizer = make_optimizer(run.optimizer, trainer.net, run.lr)
    return trainer


@threads(1)
def watch(run: Run, device: str = "cpu", noise_alone: bool = False) -> list:
    """Train; compare the inputs of the layers before and after some steps, and first to last.

    What counts is what ``moving_inputs.watch`` counts, at each of ``EVERY`` steps, on the first
    ``PROBE_IMAGES`` images for training.

    Returns:
        What became of the training, as ``race.outcome``, and the moves (``MOVES``, layers), of
        each layer but the first; None for these if it diverged in its first step.
    """
    trainer, losses, moves = make_trainer(run, device, noise_alone), [], _Moves()
    places = _places(trainer.net)
    for record in trainer.steps(looks=False):
        if record.diverged:
            break
        if record.step:
            losses.append(record.loss)
        if record.step % EVERY <= 1:
            probe = trainer.train_x[:PROBE_IMAGES]
            now = look(trainer.net, probe, [*places[0], *places[1]], "train")
            moves.add(now, is_after=record.step % EVERY == 1)
    lost, before_last = record.diverged, run.steps - run.steps // LAST
    val = CHANCE if lost else trainer.evaluate(trainer.val_x, trainer.val_y)[1]
    return [
        mean_loss(losses, run.steps),
        mean_loss(losses[before_last:], run.steps - before_last),
        round(val, 4),
        CHANCE if lost else round(trainer.test_accuracy(), 4),
        record.step if lost else None,
        moves.told(places),
    ]


class _Moves:
    """The moves of a training so far."""

    def __init__(self) -> None:
        self.first: Inputs | None = None
        self.last: Inputs | None = None
        self.before: Inputs | None = None
        self.steps: list[np.ndarray] = []

    def add(self, now: Inputs, is_after: bool) -> None:
        """A look, before a step or after it; one that is not finite is none."""
        if not now.finite:
            self.before = None
            return
        self.first, self.last = self.first or now, now
        if is_after and self.before is not None:
            # NaN: all units are constant; they do not move.
            self.steps.append(np.nan_to_num(measure_input_shift(self.before, now).relative))
        self.before = None if is_after else now

    def told(self, places: Sequence[Sequence[str]]) -> list[list[float]] | None:
        """Means over the steps, and from the first look to the last; each for all places."""
        if not self.steps:
            return None
        names = self.first.names
        whole = _over_both(measure_input_shift(self.first, self.last), self.first, self.last)
        found = [
            values[[names.index(name) for name in some]]
            for values in (np.mean(self.steps, axis=0), whole)
            for some in places
        ]
        return [[float(f"{value:.4g}") for value in values] for values in found]


def _places(net: nn.Module) -> tuple[list[str], list[str]]:
    """Names of the layers but the first, and of the normalizers, which have as many inputs."""
    kinds = (nn.Conv2d, nn.Linear)
    layers = [name for name, module in net.named_modules() if isinstance(module, kinds)]
    after = [at + 1 for at, module in enumerate(net.body) if isinstance(module, kinds)]
    return layers[1:], [f"body.{at}" for at in after]


def _over_both(shift: InputShift, *moments: Inputs) -> np.ndarray:
    """The distance over the typical deviation at both moments, for each layer."""
    variances = [[each.mean() for each in moment.variance] for moment in moments]
    return np.nan_to_num(shift.wasserstein / np.sqrt(np.mean(variances, axis=0)))


def watch_all(
    data: dict,
    arms: Mapping[str, Arm],
    nets: Iterable[tuple[str, float]],
    seeds: Sequence[int],
    work: Work,
    device: str,
) -> None:
    """Add to the data what became of each net, an arm and a rate, and its ``moves``."""
    base = Run.from_dict(data["base"])
    plan = [(arm, lr, seed) for arm, lr in dict.fromkeys(nets) for seed in seeds]
    runs = [base.replace(**arms[arm].fields, lr=lr, seed=seed) for arm, lr, seed in plan]
    items = [(run, device, arm == NOISE) for run, (arm, _, _) in zip(runs, plan, strict=True)]
    moved = data.setdefault("moves", {"columns": list(MOVED), "rows": []})
    for case, (*outcome, moves) in zip(plan, work.starmap(watch, items), strict=True):
        data["rows"].append([*case, *outcome])
        moved["rows"].append([*case, moves])


def seen_at(data: dict, *arms: str) -> list[float]:
    """The rates at which somebody looked inside the nets of all these arms, in rising order."""
    moves = Table.of(data["moves"])
    rates = [{lr for (lr,) in moves.where(arm=arm).distinct("lr")} for arm in arms]
    return sorted(set.intersection(*rates))


def movement(data: dict, arm: str, lr: float, name: str = "step") -> np.ndarray:
    """One of ``MOVES`` for each layer, (seeds, layers); NaN where a net diverged at once."""
    table = Table.of(data["moves"]).where(arm=arm, lr=lr)
    found = table.entries("moves", seed=data["seeds"])
    layers = data["base"]["depth"]
    at = MOVES.index(name)
    return np.array([moves[at] if moves else [np.nan] * layers for moves in found])


def apart(data: dict, above: str, below: str, lr: float, name: str = "step") -> np.ndarray:
    """Decades by which the inputs of one arm move more, median over the layers, (seeds,)."""
    ratio = movement(data, above, lr, name) / movement(data, below, lr, name)
    return np.median(np.log10(ratio), axis=1)
