"""What a page needs to train the rows of a claim's evidence again, and to make values of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from bnlab import chapters
from bnlab.engines.compiled.engine import SPEED
from bnlab.engines.compiled.nets import Net
from bnlab.engines.compiled.page_sets import variants
from bnlab.lab.repeat.effects import name_of
from bnlab.runs.cost import flop_of_step
from bnlab.runs.optimizers import BASES, by_parts
from bnlab.train import Run
from bnlab.verdicts.again import Training, load_digests
from bnlab.verdicts.evidence import Evidence
from bnlab.verdicts.verdict import Claim

SETS = {
    **dict.fromkeys(("T1", "T2", "T3", "T4", "T5", "T6", "T7"), "clinic"),
    **dict.fromkeys(("B1", "S1", "S5", "T8"), "nets"),
    "S2": "deep",
    **dict.fromkeys(("L3", "L5", "L6"), "images"),
    **dict.fromkeys(("R2", "R5"), "renorm"),
    "LW3": "lawn_sgd",
}
"""The set of compiled nets in which the trainings of a claim are, by its id."""

OVERHEAD = 2e-4
"""Seconds of a step in a page beside multiplications and additions."""


def claim_of(name: str) -> Claim:
    """The claim with this id, a key of ``SETS``."""
    found = (one for of in chapters.collected("claims", "CLAIMS") for one in of)
    return next(one for one in found if one.id == name)


def trainings_of(stored: Evidence) -> list[Training]:
    """The trainings behind the rows of a claim of ``SETS``."""
    return chapters.repeats()[stored.claim.id](stored.data)


def arms_of(stored: Evidence) -> list[dict[str, object]]:
    """The arms of a claim of ``SETS``: for each its name, the fields of its Run, its digests.

    Raises:
        FileNotFoundError: if the claim has no digests.
        DamagedFileError: if they were changed by hand, or do not belong to this evidence.
    """
    trainings = trainings_of(stored)
    digests = load_digests(stored.claim.id, trainings)
    found: dict[str, dict] = {}
    for training, digest in zip(trainings, digests, strict=True):
        arm = found.setdefault(training.arm, {})
        if not arm:
            fields = fields_of(training.run, SETS[stored.claim.id])
            more = {"later": training.run.seed - training.seed, "digests": []}
            if training.kind:
                more |= {"kind": training.kind.name, **training.kind.fields}
            arm |= {
                "name": training.arm,
                "label": name_of(stored.claim.id, training.arm),
                **fields,
                **more,
            }
        arm["digests"].append(digest)
    return list(found.values())


def seconds_of(trainings: Iterable[Training]) -> int:
    """About how long one worker of a page trains."""
    alike = Counter(training.run.replace(seed=0, lr=1.0) for training in trainings)
    each = {run: run.steps * (flop_of_step(run) / SPEED + OVERHEAD) for run in alike}
    return round(sum(count * each[run] for run, count in alike.items()))


def fields_of(run: Run, name: str) -> dict[str, object]:
    """A Run but for its seed as the job of ``page_repeat.js`` takes it, with a set of nets."""
    key = Net.of(run).key
    variant, depth = next(at for at, net in variants(name).items() if net.key == key)
    fields = ("lr", "batch_size", "steps")
    found = {"variant": variant, "depth": depth, **{name: getattr(run, name) for name in fields}}
    found |= _lawn_fields(run)
    if run.precision != "float32":
        found["precision"] = run.precision
    strength = run.optimizer_options.get("weight_decay", 0.0)
    decay, trained = by_parts(run.optimizer_options)
    if (decay, trained) != ("all", "all"):
        return {**found, "extra": f"parts {decay} {trained}", "decay": strength}
    return {**found, "weight_decay": strength} if strength else found


def _lawn_fields(run: Run) -> dict[str, object]:
    """Momentum, LAWN around an optimizer, and wrong labels, as far as a Run has them."""
    found, options = {}, run.optimizer_options
    momentum = options.get("momentum", 0.0)
    if momentum:
        found["momentum"] = momentum
    if run.optimizer not in BASES:
        around = "momentum" if momentum else run.optimizer.removeprefix("lawn_")
        found |= {"extra": f"lawn all {around}", "free": options["free_steps"]}
    return {**found, "wrong": run.label_noise} if run.label_noise else found
