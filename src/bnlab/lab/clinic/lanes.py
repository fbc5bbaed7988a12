"""What is new about a net at each of its looks: for several cards."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bnlab.lab.kit.points import BLOCK
from bnlab.train import Engine, Run, Step, make_trainer

Look = Callable[[Engine, Step], dict[str, object]]
"""What a look tells beside the loss: points by the key of a plot, and whatever else is new."""


def lane(run: Run, engine: str, look: Look) -> Iterator[dict[str, object] | None]:
    """What is new about a net at each of its looks; else None, after each step.

    New are ``loss``, [step, mean of ``BLOCK`` training losses], what ``look`` tells, ``step``,
    ``diverged_at`` and ``done``. Looks come after every ``run.eval_every`` steps and at the end.
    """
    return lane_of(make_trainer(run, engine, "cpu"), look)


def lane_of(trainer: Engine, look: Look) -> Iterator[dict[str, object] | None]:
    """The same of an engine that has not begun."""
    run, losses = trainer.run, []
    new: dict[str, object] = {"loss": []}
    for record in trainer.steps():
        new |= {"step": record.step, "diverged_at": None, "done": False}
        if record.diverged:
            yield {**new, "diverged_at": record.step, "done": True}
            return
        if record.step:
            losses.append(record.loss)
        if len(losses) == BLOCK:
            new["loss"].append([record.step, sum(losses) / BLOCK])
            losses.clear()
        if record.val_accuracy is None:
            yield None
            continue
        new |= look(trainer, record)
        if record.step < run.steps:
            yield new
            new = {key: [] if isinstance(value, list) else None for key, value in new.items()}
    yield {**new, "done": True}
