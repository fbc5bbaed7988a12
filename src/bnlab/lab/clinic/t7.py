"""The card of T7: dropout before BatchNorm, and what variance it remembers."""

from __future__ import annotations

from collections.abc import Iterator



from bnlab.chapters.clinic.setting import tensors
from bnlab.chapters.clinic.t7_dropout import ARMS, BASE, SAME_RATE, SEEDS, shifts
from bnlab.lab.clinic.lanes import in_turns, lane
from bnlab.lab.kit.points import EVALUATE_EVERY
from bnlab.lab.kit.widget import Content
from bnlab.train import Engine, Run, Step

PLACES = {"before": {}, "layer": {"dropout_at": "after_layer"}}
SHARES = (0.2, 0.5)


def trainings(state: dict[str, object], engine: str = "torch") -> Iterator[Content]:
    """Dropout as the state says, and none; if it is repaired, behind the last BatchNorm too.

    Name of a curve, and what is new about it: ``accuracy`` on validation images, ``ratio`` as
    ``ratios`` has it, and what ``lane`` tells. ``in_training`` is the net with dropout in training
    mode, of which there is the accuracy alone.
    """
    options = {"dropout": {"dropout": state["share"], **PLACES[state["where"]]}, "none": {}}
    if state["repaired"]:
        options["head"] = ARMS["head_5"]
    runs = {name: dropout_run(one, state) for name, one in options.items()}
    for name, content in in_turns({name: lane(run, engine, look) for name, run in runs.items()}):
        if content is None:
            yield name, None
            continue
        in_training = content["in_training"]
        own = {key: value for key, value in content.items() if key != "in_training"}
        yield name, own
        if name == "dropout":
            yield "in_training", {**own, "loss": [], "accuracy": in_training, "ratio": []}


def dropout_run(options: dict[str, object], state: dict[str, object]) -> Run:
    """The Run of one net: but for when it is looked at, one of those that the claim looks at."""
    fixed = {"lr": SAME_RATE, "eval_every": EVALUATE_EVERY}
    return BASE.replace(net_options=options, seed=state["seed"], **fixed)


def look(trainer: Engine, record: Step) -> dict[str, object]:
    """Accuracy on the validation images, and in training mode; at the end ``ratios``."""
    is_last = record.step == trainer.run.steps
    return {
        "accuracy": [[record.step, record.val_accuracy]],
        "in_training": [[record.step, record.val_accuracy_train_mode]],
        "ratio": ratios(trainer) if is_last else [],
    }


def ratios(trainer: Engine) -> list[list[float]]:
    """[layer, running variance over variance in evaluation mode], a mean over channels of logs."""
    images, _ = tensors(trainer, "train")
    return [[layer, 10**one] for layer, one in enumerate(shifts(trainer.net, images), 1)]
