"""The card of T7: dropout before BatchNorm, and what variance it remembers."""

from __future__ import annotations

from collections.abc import Iterator

from bnlab.chapters.clinic.setting import accuracy, recomputed, tensors
from bnlab.chapters.clinic.t7_dropout import ARMS, BASE, SAME_RATE, SEEDS, shifts
from bnlab.lab.clinic.card import IN_PYTHON, Card, State, look
from bnlab.lab.clinic.lanes import lane
from bnlab.lab.kit.points import EVALUATE_EVERY, in_turns
from bnlab.lab.kit.widget import Content
from bnlab.train import Engine, Run, Step

PLACES = {"before": {}, "layer": {"dropout_at": "after_layer"}}
SHARES = (0.2, 0.5)


def t7_trainings(state: State, engine: str = "torch") -> Iterator[Content]:
    """Dropout as the state says, and none; if it is repaired, behind the last BatchNorm too.

    Name of a curve, and what is new about it: ``accuracy`` on validation images; and at the end
    ``ratio``, [layer, running variance over the variance that evaluation mode meets], a geometric
    mean over channels, and ``anew``, the accuracy with statistics computed anew, without dropout.
    ``in_training`` is the net with dropout in training mode, of which there is the accuracy alone.
    """
    options = {"dropout": {"dropout": state["share"], **PLACES[state["where"]]}, "none": {}}
    if state["repaired"]:
        options["head"] = ARMS["head_5"]
    runs = {name: t7_run(one, state["seed"]) for name, one in options.items()}
    for name, content in in_turns({name: lane(run, engine, _look) for name, run in runs.items()}):
        if content is None:
            yield name, None
            continue
        kept = ("accuracy", "step", "diverged_at", "done")
        yield name, {key: content[key] for key in (*kept, "ratio", "anew")}
        if name == "dropout":
            yield (
                "in_training",
                {key: content[key] for key in kept} | {"accuracy": content["in_training"]},
            )


def t7_run(options: dict[str, object], seed: int) -> Run:
    """The Run of one net: but for when it is looked at, one of those that the claim looks at."""
    fixed = {"lr": SAME_RATE, "eval_every": EVALUATE_EVERY}
    return BASE.replace(net_options=options, seed=seed, **fixed)


def _look(trainer: Engine, record: Step) -> dict[str, object]:
    is_last = record.step == trainer.run.steps
    return {
        "accuracy": [[record.step, record.val_accuracy]],
        "in_training": [[record.step, record.val_accuracy_train_mode]],
        **(_at_the_end(trainer) if is_last else {"ratio": [], "anew": None}),
    }


def _at_the_end(trainer: Engine) -> dict[str, object]:
    images, _ = tensors(trainer, "train")
    ratio = [[layer, 10**one] for layer, one in enumerate(shifts(trainer.net, images), 1)]
    anew = accuracy(recomputed(trainer.net, images), *tensors(trainer, "val"))
    return {"ratio": ratio, "anew": anew}


CARD = Card(
    id="T7",
    title="Dropout makes a net with BatchNorm worse",
    cause=(
        "Dropout keeps the mean of a number and makes its variance larger, in training mode alone. "
        "A BatchNorm behind it remembers the larger variance, and in evaluation mode divides by a "
        "deviation that is too large for what it meets. Behind the last BatchNorm there are no "
        "statistics that dropout could spoil."
    ),
    repair="Dropout behind the last BatchNorm",
    steps=BASE.steps,
    curves={
        "dropout": look("batch", "dropout", "dropout, evaluation mode"),
        "in_training": look("variance", "in training", "dropout, training mode"),
        "none": look("none", "no dropout", "no dropout"),
        "head": look("group", "behind the last", "half left out behind the last BatchNorm"),
    },
    plots={"accuracy": {"title": "accuracy on new images", "scale": "accuracy"}},
    controls={
        "where": {
            "label": "dropout",
            "stops": tuple(PLACES),
            "words": ("before each BatchNorm", "behind each ReLU"),
        },
        "share": {"label": "share left out", "stops": SHARES},
    },
    first={"where": "before", "share": 0.5},
    seeds=SEEDS[:4],
    trainings=t7_trainings,
    badge=IN_PYTHON,
)
